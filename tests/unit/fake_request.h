/*
 * A request without a server: its parameters, its body and its answer are arrays. Each test runs in a
 * process of its own, so there is one, static, and it begins empty.
 */
#ifndef ROSTER_TESTS_FAKE_REQUEST_H
#define ROSTER_TESTS_FAKE_REQUEST_H

#include "base/base.h"
#include "http/http.h"

#include <criterion/criterion.h>
#include <signal.h>

#define FAKE_PARAMS 16
#define FAKE_LIMIT 1000 /* body_limit, until a test changes it */

static struct fake {
	const char *names[FAKE_PARAMS], *values[FAKE_PARAMS];
	size_t nparams;

	struct text body;
	size_t taken; /* bytes of it that were read */
	size_t piece; /* bytes that one read gives at most; 0: as many as are asked for */
	bool vanish;  /* the peer is gone when the body has been read */

	char out[8 * REPLY_BUFFER];
	size_t n, writes;
	size_t patience; /* writes that the client takes before it goes; 0: all */

	struct config config;
	char buffer[REPLY_BUFFER];
	struct request rq;
} fake;

static inline const char *
fake_get(void *ctx UNUSED, const char *name)
{
	for (size_t i = fake.nparams; i-- > 0;)
		if (strcmp(fake.names[i], name) == 0)
			return fake.values[i];
	return NULL;
}

static inline ssize_t
fake_read(void *ctx UNUSED, char *p, size_t n)
{
	struct text rest = text_slice(fake.body, fake.taken, fake.body.n);

	if (rest.n == 0)
		return fake.vanish ? -1 : 0;
	n = n < rest.n ? n : rest.n;
	if (fake.piece > 0 && n > fake.piece)
		n = fake.piece;
	memcpy(p, rest.s, n);
	fake.taken += n;
	return (ssize_t)n;
}

static inline bool
fake_write(void *ctx UNUSED, const char *p, size_t n)
{
	if (fake.patience > 0 && fake.writes >= fake.patience)
		return false;
	cr_assert(n > 0 && n <= sizeof(fake.out) - fake.n);
	memcpy(fake.out + fake.n, p, n);
	fake.n += n;
	fake.writes++;
	return true;
}

/* A parameter of the request to come; a later one of the same name wins. */
static inline void
fake_param(const char *name, const char *value)
{
	cr_assert(fake.nparams < FAKE_PARAMS);
	fake.names[fake.nparams] = name;
	fake.values[fake.nparams++] = value;
}

/* A new request with the parameters so far; what request_init() returns. */
static inline bool
fake_begin(void)
{
	if (fake.rq.arena == NULL)
		fake.rq.arena = arena_new((size_t)16 * 1024 * 1024);
	else
		arena_reset(fake.rq.arena);
	if (fake.config.body_limit == 0)
		fake.config.body_limit = FAKE_LIMIT;
	fake.taken = fake.n = fake.writes = 0;
	fake.rq = (struct request){
		.arena = fake.rq.arena,
		.config = &fake.config,
		.transport = { fake_get, fake_read, fake_write, NULL },
		.reply.body = fake.buffer,
	};
	return request_init(&fake.rq);
}

/* A GET of /api/users/ that is good in every way. */
static inline void
fake_set_up(void)
{
	fake_param("REQUEST_ID", "0123456789abcdef0123456789abcdef");
	fake_param("REQUEST_METHOD", "GET");
	fake_param("REQUEST_SCHEME", "https");
	fake_param("HTTP_HOST", "roster.example");
	fake_param("PATH_INFO", "/api/users/");
	fake_param("QUERY_STRING", "");
	fake_param("REMOTE_ADDR", "192.0.2.7");
	cr_assert(fake_begin());
}

static inline void
fake_tear_down(void)
{
	arena_free(&fake.rq.arena);
}

/* All that the client got, after reply_send(). */
static inline struct text
fake_answer(void)
{
	reply_send(&fake.rq);
	return (struct text){ fake.out, fake.n };
}

/* Where the body begins in what the client got. */
static inline size_t
fake_head_size(void)
{
	const char *end = memmem(fake.out, fake.n, "\r\n\r\n", 4);

	cr_assert(end != NULL);
	return (size_t)(end - fake.out) + 4;
}

static inline struct text
fake_answer_body(void)
{
	return text_slice((struct text){ fake.out, fake.n }, fake_head_size(), fake.n);
}

/* A header that the client got ("Status" is one), none when it is not there. */
static inline struct text
fake_answer_header(const char *name)
{
	struct text rest = { fake.out, fake_head_size() }, line;

	while (text_split(&rest, '\n', &line)) {
		size_t colon = text_find(line, ':', 0);

		if (text_eq(text_slice(line, 0, colon), text_from(name)))
			return text_slice(line, colon + 2, line.n - 1);
	}
	return TEXT_NONE;
}

#define assert_text(got, expected)                                                  \
	do {                                                                        \
		struct text got_ = (got), expected_ = (expected);                   \
		cr_assert(text_eq(got_, expected_), "\"%.*s\" instead of \"%.*s\"", \
		    TEXT_ARGS(got_), TEXT_ARGS(expected_));                         \
	} while (0)

/* Sends the answer and compares its status line and body. */
#define assert_answer(status, body)                                   \
	do {                                                          \
		fake_answer();                                        \
		assert_text(fake_answer_header("Status"), T(status)); \
		assert_text(fake_answer_body(), T(body));             \
	} while (0)

#endif
