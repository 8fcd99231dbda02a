#include "base/base.h"
#include "fake_request.h"
#include "http/body.h"

TestSuite(body, .init = fake_set_up, .fini = fake_tear_down);

#define FORM "application/x-www-form-urlencoded"

/* A request with that body; length NULL: as long as it is. */
static bool
parse(const char *content_type, struct text body, const char *length)
{
	fake.nparams = 7;
	fake.body = body;
	fake_param("CONTENT_TYPE", content_type);
	cr_assert(fake_begin());
	fake_param("CONTENT_LENGTH",
	    length != NULL ? length : arena_printf(fake.rq.arena, "%zu", body.n).s);
	return body_parse(&fake.rq);
}

Test(body, good)
{
	static const struct {
		const char *type;
		struct text body;
		size_t count;
		bool form;
	} cases[] = {
		{ "application/json", TEXT_INIT("{\"a\":\"1\",\"b\":[2]}"), 2, false },
		{ "Application/JSON; charset=UTF-8", TEXT_INIT(" {\"a\":\"1\"} "), 1, false },
		{ "application/json;charset=\"utf8\"", TEXT_INIT("{\"a\":\"1\"}"), 1, false },
		{ "application/json", TEXT_INIT("{}"), 0, false },
		{ FORM, TEXT_INIT("a=1&b=2"), 2, true },
		{ "multipart/form-data; boundary=x",
		    TEXT_INIT("--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--"), 1,
		    true },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		cr_assert(parse(cases[i].type, cases[i].body, NULL), "%zu", i);
		cr_assert_eq(fake.rq.body->type, JSON_OBJECT);
		cr_assert_eq(fake.rq.body->count, cases[i].count);
		cr_assert_eq(fake.rq.body_is_form, cases[i].form);
		if (cases[i].count > 0)
			assert_text(json_member(fake.rq.body, T("a"))->text, T("1"));
	}
}

Test(body, none)
{
	static const struct {
		const char *type, *length;
	} cases[] = {
		{ NULL, "0" },
		{ NULL, "" },
		{ "", "0" },
		{ "application/json", "0" },
		{ "image/png", "0" },
		{ "multipart/form-data", "0" },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		cr_assert(parse(cases[i].type, T(""), cases[i].length), "%zu", i);
		cr_assert_eq(fake.rq.body->type, JSON_OBJECT);
		cr_assert_eq(fake.rq.body->count, 0);
		cr_assert(!fake.rq.body_is_form);
	}
}

Test(body, refused)
{
	static const struct {
		const char *type;
		struct text body;
		const char *status, *answer;
	} cases[] = {
		{ "text/plain", TEXT_INIT("x"), "415 Unsupported Media Type",
		    "{\"detail\":\"Unsupported media type \\\"text/plain\\\" in request.\"}" },
		{ NULL, TEXT_INIT("{}"), "415 Unsupported Media Type",
		    "{\"detail\":\"Unsupported media type \\\"\\\" in request.\"}" },
		{ "", TEXT_INIT("{}"), "415 Unsupported Media Type",
		    "{\"detail\":\"Unsupported media type \\\"\\\" in request.\"}" },
		{ "\xff", TEXT_INIT("{}"), "415 Unsupported Media Type",
		    "{\"detail\":\"Unsupported media type \\\"\\\" in request.\"}" },
		{ "application/json; charset=latin1", TEXT_INIT("{}"), "415 Unsupported Media Type",
		    "{\"detail\":\"Unsupported media type \\\"application/json; charset=latin1\\\" "
		    "in request.\"}" },
		{ FORM ";charset=\"utf-16\"", TEXT_INIT("a=b"), "415 Unsupported Media Type",
		    "{\"detail\":\"Unsupported media type \\\"" FORM
		    ";charset=\\\"utf-16\\\"\\\" in request.\"}" },
		{ "application/json", TEXT_INIT("[]"), "400 Bad Request",
		    "{\"non_field_errors\":[\"Invalid data. Expected a dictionary, but got "
		    "list.\"]}" },
		{ "application/json", TEXT_INIT("\"a\""), "400 Bad Request",
		    "{\"non_field_errors\":[\"Invalid data. Expected a dictionary, but got "
		    "str.\"]}" },
		{ "application/json", TEXT_INIT("7"), "400 Bad Request",
		    "{\"non_field_errors\":[\"Invalid data. Expected a dictionary, but got "
		    "int.\"]}" },
		{ "application/json", TEXT_INIT("null"), "400 Bad Request",
		    "{\"non_field_errors\":[\"No data provided\"]}" },
		{ FORM, TEXT_INIT("a=1&a=2"), "400 Bad Request",
		    "{\"detail\":\"Form parse error - duplicate field \\\"a\\\" at byte 4\"}" },
		{ "multipart/form-data", TEXT_INIT("--x--"), "400 Bad Request",
		    "{\"detail\":\"Multipart form parse error - no boundary in Content-Type at "
		    "byte 0\"}" },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		cr_assert(!parse(cases[i].type, cases[i].body, NULL), "%zu", i);
		cr_assert_eq(body_trouble(&fake.rq), fake.rq.reply.status);
		fake_answer();
		assert_text(fake_answer_header("Status"), text_from(cases[i].status));
		assert_text(fake_answer_body(), text_from(cases[i].answer));
	}
}

/* What the reader itself refuses is tested with it; here, that the answer is made of it. */
Test(body, bad_json)
{
	static const struct text bodies[] = {
		TEXT_INIT("{"),
		TEXT_INIT("{\"a\":1}x"),
		TEXT_INIT("{\"a\":1,\"a\":2}"),
		TEXT_INIT("\xef\xbb\xbf{}"),
		TEXT_INIT("{\"a\":\"\xff\"}"),
		TEXT_INIT("{\"a\":\"\\u0000\"}"),
		TEXT_INIT("{\"a\":\"\\ud800\"}"),
		TEXT_INIT(" "),
	};

	for (size_t i = 0; i < countof(bodies); i++) {
		cr_assert(!parse("application/json", bodies[i], NULL), "%zu", i);
		cr_assert_eq(fake.rq.reply.status, 400);
		fake_answer();
		cr_assert(text_starts(fake_answer_body(), T("{\"detail\":\"JSON parse error - ")));
		cr_assert(memmem(fake.out, fake.n, " byte ", 6) != NULL, "%zu", i);
	}
}

/* The status that a JSON body gets which is open, n times what, n times after, close. */
static int
status_of_many(const char *open, const char *what, size_t n, const char *after, const char *close)
{
	struct buf b;

	fake.config.body_limit = 100000;
	buf_init(&b, fake.rq.arena);
	buf_add(&b, text_from(open));
	for (size_t i = 0; i < n; i++)
		buf_add(&b, text_from(what));
	for (size_t i = 0; i < n; i++)
		buf_add(&b, text_from(after));
	buf_add(&b, text_from(close));
	fake.rq.body = NULL;
	fake.rq.body_bytes = TEXT_NONE;
	fake.taken = 0;
	fake.body = buf_text(&b);
	fake_param("CONTENT_TYPE", "application/json");
	return body_parse(&fake.rq) ? 200 : fake.rq.reply.status;
}

Test(body, too_deep_or_too_many)
{
	cr_assert_eq(status_of_many("{\"a\":", "[", BODY_DEPTH_MAX - 1, "]", "}"), 200);
	cr_assert_eq(status_of_many("{\"a\":", "[", BODY_DEPTH_MAX, "]", "}"), 400);
	/* The object, the array, the zero and the ones. */
	cr_assert_eq(status_of_many("{\"a\":[0", ",1", BODY_FIELDS_MAX - 3, "", "]}"), 200);
	cr_assert_eq(status_of_many("{\"a\":[0", ",1", BODY_FIELDS_MAX - 2, "", "]}"), 400);
}

Test(body, size)
{
	static const char big[FAKE_LIMIT + 1] = { 0 };
	static const struct {
		size_t n;
		const char *length;
		int status;
		size_t taken;
	} cases[] = {
		{ FAKE_LIMIT, "1000", 415, FAKE_LIMIT },
		{ FAKE_LIMIT, NULL, 415, FAKE_LIMIT },
		{ FAKE_LIMIT, "", 415, FAKE_LIMIT },
		{ FAKE_LIMIT + 1, "1001", 413, 0 },
		{ FAKE_LIMIT + 1, "99999999999999999999", 413, FAKE_LIMIT + 1 },
		{ FAKE_LIMIT + 1, "", 413, FAKE_LIMIT + 1 },
		{ FAKE_LIMIT + 1, "-1", 413, FAKE_LIMIT + 1 },
		{ FAKE_LIMIT + 1, "x", 413, FAKE_LIMIT + 1 },
		{ FAKE_LIMIT, "10", 415, 10 },
		{ 5, "10", 400, 5 },
		{ 0, "10", 400, 0 },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		for (fake.piece = 0; fake.piece < 3; fake.piece++) {
			cr_assert(!parse("x/y", (struct text){ big, cases[i].n }, cases[i].length));
			cr_assert_eq(fake.rq.reply.status, cases[i].status, "%zu", i);
			cr_assert_eq(fake.taken, cases[i].taken, "%zu", i);
		}
	}
}

Test(body, size_messages)
{
	cr_assert(!parse("x/y", T("12345"), "1001"));
	assert_answer("413 Content Too Large",
	    "{\"detail\":\"Request body is too large. At most 1000 bytes are allowed.\"}");
	cr_assert(!parse("x/y", T("12345"), "10"));
	assert_answer("400 Bad Request",
	    "{\"detail\":\"Request body is incomplete: 5 of 10 bytes arrived.\"}");
	fake.vanish = true;
	cr_assert(!parse("x/y", T("12345"), "10"));
	assert_answer("400 Bad Request",
	    "{\"detail\":\"Request body is incomplete: 5 of 10 bytes arrived.\"}");
}

Test(body, large)
{
	const size_t n = 300000;
	char *s;

	fake.config.body_limit = (int64_t)n + 100;
	fake.piece = 1000;
	fake_param("CONTENT_TYPE", "application/json");
	s = arena_alloc(fake.rq.arena, n);
	memset(s, 'x', n);
	memcpy(s, "{\"a\":\"", 6);
	memcpy(s + n - 2, "\"}", 2);
	fake.body = (struct text){ s, n };
	cr_assert(body_parse(&fake.rq));
	cr_assert_eq(json_member(fake.rq.body, T("a"))->text.n, n - 8);
}

/* A handler may run twice; the body comes but once. */
Test(body, second_run)
{
	struct json *body;

	cr_assert(parse("application/json", T("{\"a\":1}"), NULL));
	body = fake.rq.body;
	reply_clear(&fake.rq);
	cr_assert(body_parse(&fake.rq));
	cr_assert_eq(fake.rq.body, body);

	cr_assert(!parse("application/json", T("{"), NULL));
	reply_clear(&fake.rq);
	cr_assert(!body_parse(&fake.rq));
	cr_assert_eq(fake.rq.reply.status, 400);
	cr_assert(text_starts(text_from(fake.buffer), T("{\"detail\":\"JSON parse error")));
}
