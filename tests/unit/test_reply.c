#include "base/base.h"
#include "fake_request.h"

TestSuite(reply, .init = fake_set_up, .fini = fake_tear_down);

/* A JSON body of exactly n bytes: a string of n - 2 letters. */
static int
answer_text(size_t n)
{
	char *s = arena_alloc(fake.rq.arena, n);

	memset(s, 'x', n - 2);
	json_text(reply_json(&fake.rq, 200), (struct text){ s, n - 2 });
	return reply_end(&fake.rq);
}

Test(reply, whole_answer)
{
	cr_assert_eq(reply_detail(&fake.rq, 409, "%s %d", "No \"such\" thing", 7), 409);
	assert_text(fake_answer(),
	    T("Status: 409 Conflict\r\n"
	      "X-Content-Type-Options: nosniff\r\n"
	      "X-Request-ID: 0123456789abcdef0123456789abcdef\r\n"
	      "Vary: Accept, Authorization\r\n"
	      "Content-Type: application/json\r\n"
	      "Content-Length: 32\r\n"
	      "\r\n"
	      "{\"detail\":\"No \\\"such\\\" thing 7\"}"));
	cr_assert(reply_started(&fake.rq));
}

Test(reply, personal)
{
	static const struct {
		enum who who;
		const char *path;
		bool personal;
	} cases[] = {
		{ NOBODY, "/api/users/", false },
		{ ANONYMOUS, "/api/users/", false },
		{ REGULAR, "/api/users/", true },
		{ SUPPORT, "/api/users/", true },
		{ STAFF | SELF, "/api/users/", true },
		{ ANONYMOUS, "/api-auth/password/", true },
		{ ANONYMOUS, "/api-authority/", false },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		fake.nparams = 7;
		fake_param("PATH_INFO", cases[i].path);
		cr_assert(fake_begin());
		fake.rq.caller.who = cases[i].who;
		reply_not_found(&fake.rq);
		fake_answer();
		assert_text(fake_answer_header("Cache-Control"),
		    cases[i].personal ? T("no-store") : TEXT_NONE);
	}
}

Test(reply, head)
{
	fake_param("REQUEST_METHOD", "HEAD");
	cr_assert(fake_begin());
	reply_not_found(&fake.rq);
	assert_answer("404 Not Found", "");
	assert_text(fake_answer_header("Content-Length"), T("23"));
	assert_text(fake_answer_header("Content-Type"), T("application/json"));
}

Test(reply, empty)
{
	static const struct {
		int status;
		const char *line;
		struct text length;
	} cases[] = {
		{ 200, "200 OK", TEXT_INIT("0") },
		{ 204, "204 No Content", { NULL, 0 } },
		{ 304, "304 Not Modified", { NULL, 0 } },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		cr_assert(fake_begin());
		cr_assert_eq(reply_empty(&fake.rq, cases[i].status), cases[i].status);
		fake_answer();
		assert_text(fake_answer_header("Status"), text_from(cases[i].line));
		assert_text(fake_answer_header("Content-Length"), cases[i].length);
		assert_text(fake_answer_header("Content-Type"), TEXT_NONE);
		cr_assert_eq(fake_answer_body().n, 0);
	}
}

Test(reply, headers)
{
	reply_header(&fake.rq, "ETag", T("\"1\""));
	reply_header(&fake.rq, "etag", T("\"2\""));
	reply_header(&fake.rq, "Content-Type", T("image/png"));
	reply_header(&fake.rq, "Cache-Control", T("private"));
	fake.rq.caller.who = STAFF;
	reply_not_found(&fake.rq);
	fake_answer();
	assert_text(fake_answer_header("ETag"), T("\"2\""));
	assert_text(fake_answer_header("Content-Type"), T("image/png"));
	assert_text(fake_answer_header("Cache-Control"), T("private"));
}

Test(reply, header_injection, .signal = SIGABRT)
{
	reply_header(&fake.rq, "Location", T("/a\r\nX: y"));
}

Test(reply, header_too_late, .signal = SIGABRT)
{
	reply_empty(&fake.rq, 200);
	reply_send(&fake.rq);
	reply_header(&fake.rq, "ETag", T("1"));
}

Test(reply, second_answer_too_late, .signal = SIGABRT)
{
	reply_empty(&fake.rq, 200);
	reply_send(&fake.rq);
	reply_not_found(&fake.rq);
}

Test(reply, later_answer_replaces)
{
	reply_json(&fake.rq, 200);
	json_array(&fake.rq.reply.json);
	json_text(&fake.rq.reply.json, T("half an answer"));
	reply_not_found(&fake.rq);
	assert_answer("404 Not Found", "{\"detail\":\"Not found.\"}");
}

Test(reply, clear)
{
	reply_header(&fake.rq, "ETag", T("1"));
	reply_field(&fake.rq, "a", "b");
	reply_clear(&fake.rq);
	cr_assert(!problems_found(&fake.rq));
	reply_field(&fake.rq, "c", "d");
	assert_answer("400 Bad Request", "{\"c\":[\"d\"]}");
	assert_text(fake_answer_header("ETag"), TEXT_NONE);
}

Test(reply, buffer_full_but_whole)
{
	answer_text(REPLY_BUFFER);
	cr_assert(!reply_started(&fake.rq));
	fake_answer();
	assert_text(fake_answer_header("Content-Length"), T("32768"));
	cr_assert_eq(fake_answer_body().n, REPLY_BUFFER);
}

Test(reply, streamed)
{
	const size_t n = 3 * REPLY_BUFFER + 7;
	struct text body;

	cr_assert_eq(answer_text(n), 200);
	cr_assert(reply_started(&fake.rq));
	fake_answer();
	assert_text(fake_answer_header("Status"), T("200 OK"));
	assert_text(fake_answer_header("Content-Length"), TEXT_NONE);
	body = fake_answer_body();
	cr_assert_eq(body.n, n);
	cr_assert(body.s[0] == '"' && body.s[n - 1] == '"');
	for (size_t i = 1; i < n - 1; i++)
		cr_assert_eq(body.s[i], 'x');
}

Test(reply, streamed_in_pieces)
{
	struct json_writer *w = reply_json(&fake.rq, 200);
	struct text body;

	json_array(w);
	for (int64_t i = 100000; i < 110000; i++)
		json_int(w, i);
	json_array_end(w);
	reply_end(&fake.rq);
	fake_answer();
	body = fake_answer_body();
	cr_assert_eq(body.n, 70001);
	for (size_t i = 0; i < 10000; i++)
		assert_text(text_slice(body, 7 * i + 1, 7 * i + 7),
		    arena_printf(fake.rq.arena, "%zu", 100000 + i));
}

Test(reply, held)
{
	reply_hold(&fake.rq);
	answer_text(5 * REPLY_BUFFER);
	cr_assert(!reply_started(&fake.rq));
	fake_answer();
	assert_text(fake_answer_header("Content-Length"), T("163840"));
	cr_assert_eq(fake_answer_body().n, 5 * REPLY_BUFFER);
}

Test(reply, streamed_head)
{
	fake_param("REQUEST_METHOD", "HEAD");
	cr_assert(fake_begin());
	answer_text(3 * REPLY_BUFFER);
	assert_answer("200 OK", "");
	cr_assert_eq(fake.writes, 1);
}

Test(reply, client_gone)
{
	for (fake.patience = 1; fake.patience <= 3; fake.patience++) {
		cr_assert(fake_begin());
		cr_assert_eq(answer_text(6 * REPLY_BUFFER), 200);
		reply_send(&fake.rq);
		cr_assert(fake.rq.reply.gone);
		cr_assert(!fake.rq.reply.aborted);
		cr_assert_eq(fake.writes, fake.patience);
	}
}

Test(reply, our_mistake)
{
	log_set_level(LOG_ERROR + 1);
	reply_header(&fake.rq, "ETag", T("1"));
	json_text(reply_json(&fake.rq, 200), T("\xff"));
	cr_assert_eq(reply_end(&fake.rq), 500);
	assert_answer("500 Internal Server Error", "{\"detail\":\"Internal server error.\"}");
	assert_text(fake_answer_header("ETag"), TEXT_NONE);
}

Test(reply, our_mistake_too_late)
{
	struct json_writer *w = reply_json(&fake.rq, 200);
	size_t sent;

	log_set_level(LOG_ERROR + 1);
	json_array(w);
	for (int64_t i = 0; i < 20000; i++)
		json_int(w, i);
	json_text(w, T("\xff"));
	cr_assert_eq(reply_end(&fake.rq), 500);
	cr_assert(fake.rq.reply.aborted);
	sent = fake.n;
	cr_assert_eq(fake_answer().n, sent);
	assert_text(fake_answer_header("Status"), T("200 OK"));
}

Test(reply, trouble)
{
	static const struct {
		enum db_result result;
		const char *status, *body;
		struct text retry;
	} cases[] = {
		{ DB_AGAIN, "503 Service Unavailable",
		    "{\"detail\":\"The service is busy, try again later.\"}", TEXT_INIT("1") },
		{ DB_UNSURE, "503 Service Unavailable",
		    "{\"detail\":\"The connection to the database was lost: the request may or may "
		    "not have been carried out.\"}",
		    { NULL, 0 } },
		{ DB_DUPLICATE, "500 Internal Server Error",
		    "{\"detail\":\"Internal server error.\"}", { NULL, 0 } },
		{ DB_FAILED, "500 Internal Server Error", "{\"detail\":\"Internal server error.\"}",
		    { NULL, 0 } },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		cr_assert(fake_begin());
		reply_header(&fake.rq, "ETag", T("1"));
		answer_text(100);
		reply_trouble(&fake.rq, cases[i].result);
		fake_answer();
		assert_text(fake_answer_header("Status"), text_from(cases[i].status));
		assert_text(fake_answer_body(), text_from(cases[i].body));
		assert_text(fake_answer_header("Retry-After"), cases[i].retry);
		assert_text(fake_answer_header("ETag"), TEXT_NONE);
	}
}

Test(reply, trouble_too_late)
{
	size_t sent;

	answer_text(2 * REPLY_BUFFER);
	sent = fake.n;
	reply_trouble(&fake.rq, DB_FAILED);
	cr_assert(fake.rq.reply.aborted);
	cr_assert_eq(fake.rq.reply.status, 500);
	cr_assert_eq(fake_answer().n, sent);
}

Test(reply, invalid)
{
	problem_add(&fake.rq, T("email"), T("Bad."));
	problem_add(&fake.rq, T("name"), T("Long."));
	problem_printf(&fake.rq, T("email"), "More than %d \xc3\xb5.", 7);
	problem_add(&fake.rq, T("name"), T("Blank."));
	cr_assert(problems_found(&fake.rq));
	cr_assert_eq(reply_invalid(&fake.rq), 400);
	assert_answer("400 Bad Request",
	    "{\"email\":[\"Bad.\",\"More than 7 \xc3\xb5.\"],\"name\":[\"Long.\",\"Blank.\"]}");
}

Test(reply, usual_answers)
{
	cr_assert_eq(reply_list(&fake.rq, 400, "Role is still used."), 400);
	assert_answer("400 Bad Request", "[\"Role is still used.\"]");

	cr_assert(fake_begin());
	cr_assert_eq(reply_field(&fake.rq, "a", "b"), 400);
	assert_answer("400 Bad Request", "{\"a\":[\"b\"]}");

	cr_assert(fake_begin());
	cr_assert_eq(reply_unauthorized(&fake.rq, "Invalid 100% token."), 401);
	assert_answer("401 Unauthorized", "{\"detail\":\"Invalid 100% token.\"}");
	assert_text(fake_answer_header("WWW-Authenticate"), T("Token"));

	cr_assert(fake_begin());
	cr_assert_eq(reply_throttled(&fake.rq, SECONDS + 1), 429);
	assert_answer("429 Too Many Requests",
	    "{\"detail\":\"Request was throttled. Expected available in 2 seconds.\"}");
	assert_text(fake_answer_header("Retry-After"), T("2"));

	cr_assert(fake_begin());
	cr_assert_eq(reply_forbidden(&fake.rq), 403);
	assert_answer(
	    "403 Forbidden", "{\"detail\":\"You do not have permission to perform this action.\"}");

	cr_assert(fake_begin());
	cr_assert_eq(reply_redirect(&fake.rq, T("https://roster.example/api/users/")), 301);
	assert_answer("301 Moved Permanently", "");
	assert_text(fake_answer_header("Location"), T("https://roster.example/api/users/"));
	assert_text(fake_answer_header("Content-Length"), T("0"));
}

Test(reply, reasons)
{
	cr_assert_str_eq(status_reason(200), "OK");
	cr_assert_str_eq(status_reason(404), "Not Found");
	cr_assert_str_eq(status_reason(504), "Gateway Timeout");
	cr_assert_str_eq(status_reason(299), "Unknown");
}
