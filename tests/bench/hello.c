/*
 * The ceiling of the benchmarks: what nginx, libfcgi and the server loop give when an answer takes no
 * database and no thought. It has the size of the answer that it is compared with.
 */
#include "base/base.h"

#include "base/buf.h"
#include "http/http.h"
#include "server/server.h"

#define MEMORY (1024 * 1024)
#define BYTES_MIN 20

static struct text answer;

static int
hello(struct request *rq)
{
	json_raw(reply_json(rq, 200), answer);
	return reply_end(rq);
}

/* The path that ./dev and its like wait for. */
static const struct route routes[] = {
	{ .method = METHOD_GET, .pattern = "/health/ready", .who = ANYONE, .handle = hello },
};

static const struct route_table table = { .routes = routes, .n = countof(routes) };
static const struct route_table *const tables[] = { &table };
static const struct app app = { .tables = tables, .ntables = countof(tables) };

/* {"hello":"......"} of n bytes. */
static struct text
make_answer(struct arena *a, size_t n)
{
	struct buf b;

	buf_init(&b, a);
	buf_add(&b, T("{\"hello\":\""));
	while (b.n < n - strlen("\"}"))
		buf_add_char(&b, '.');
	buf_add(&b, T("\"}"));
	return buf_text(&b);
}

static bool
load(struct setup *out, void *path)
{
	struct arena *a = arena_new(MEMORY);
	struct text problems;

	*out = (struct setup){ .arena = a };
	if (config_read(&out->config, text_from(path), a, &problems))
		return true;
	fwrite(problems.s, 1, problems.n, stderr);
	arena_free(&out->arena);
	return false;
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new(MEMORY);
	int64_t size;
	int status;

	if (argc != 3 || !text_to_int(text_from(argv[2]), &size) || size < BYTES_MIN) {
		fputs("Usage: hello ROSTER.CONF BYTES\n", stderr);
		return 2;
	}
	answer = make_answer(a, (size_t)size);
	status = server_run(&app, load, argv[1], argv);
	arena_free(&a);
	return status;
}
