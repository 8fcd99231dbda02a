#include "fake_request.h"
#include "http/http_int.h"

TestSuite(bytes, .init = fake_set_up, .fini = fake_tear_down);

#define AT INT64_C(1795487636123456) /* Tue, 24 Nov 2026 02:33:56.123456 */
#define DATE "Tue, 24 Nov 2026 02:33:56 GMT"
#define SECOND_BEFORE "Tue, 24 Nov 2026 02:33:55 GMT"

Test(bytes, dates)
{
	static const struct {
		const char *text;
		int64_t us; /* -1: no date */
	} cases[] = {
		{ DATE, AT - 123456 },
		{ "Tuesday, 24-Nov-26 02:33:56 GMT", AT - 123456 },
		{ "Tue Nov 24 02:33:56 2026", AT - 123456 },
		{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
		{ "", -1 },
		{ "yesterday", -1 },
		{ DATE " ", -1 },
		{ "2026-11-24T02:33:56Z", -1 },
		{ "Tue, 24 Nov 2026 02:33:56 GMT, and so on, far longer than any date could ever be",
		    -1 },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct stamp s = { -1 };

		cr_assert(http_date_parse(text_from(cases[i].text), &s) == (cases[i].us != -1),
		    "%s", cases[i].text);
		cr_assert(s.us == cases[i].us, "%s", cases[i].text);
	}
	assert_text(http_date((struct stamp){ AT }, fake.rq.arena), T(DATE));
	assert_text(
	    http_date((struct stamp){ 0 }, fake.rq.arena), T("Thu, 01 Jan 1970 00:00:00 GMT"));
}

/* What a request with these headers gets of "0123456789". */
static void
ask(const char *const headers[][2])
{
	static const uint8_t content[] = "0123456789";
	struct served s = {
		.content = { content, 10 },
		.type = T("image/png"),
		.etag = T("tag"),
		.modified = { AT },
	};

	fake.nparams = 0;
	fake_set_up();
	for (size_t i = 0; headers[i][0] != NULL; i++)
		fake_param(headers[i][0], headers[i][1]);
	cr_assert(fake_begin());
	(void)reply_bytes(&fake.rq, &s);
	fake_answer();
}

static const struct {
	const char *headers[3][2];
	const char *status, *body, *range;
} cases[] = {
	{ { { NULL } }, "200 OK", "0123456789", NULL },
	{ { { "REQUEST_METHOD", "HEAD" } }, "200 OK", "", NULL },
	{ { { "HTTP_RANGE", "bytes=2-4" } }, "206 Partial Content", "234", "bytes 2-4/10" },
	{ { { "HTTP_RANGE", "bytes=8-" } }, "206 Partial Content", "89", "bytes 8-9/10" },
	{ { { "HTTP_RANGE", "bytes=-3" } }, "206 Partial Content", "789", "bytes 7-9/10" },
	{ { { "HTTP_RANGE", "bytes=-30" } }, "206 Partial Content", "0123456789", "bytes 0-9/10" },
	{ { { "HTTP_RANGE", "bytes=9-99999999999999999999" } }, "206 Partial Content", "9",
	    "bytes 9-9/10" },
	{ { { "HTTP_RANGE", "bytes=-99999999999999999999" } }, "206 Partial Content", "0123456789",
	    "bytes 0-9/10" },
	{ { { "HTTP_RANGE", "bytes=3-2" } }, "200 OK", "0123456789", NULL },
	{ { { "HTTP_RANGE", "bytes=0-1,4-5" } }, "200 OK", "0123456789", NULL },
	{ { { "HTTP_RANGE", "bytes=-" } }, "200 OK", "0123456789", NULL },
	{ { { "HTTP_RANGE", "bytes" } }, "200 OK", "0123456789", NULL },
	{ { { "HTTP_RANGE", "bytes=2" } }, "200 OK", "0123456789", NULL },
	{ { { "REQUEST_METHOD", "HEAD" }, { "HTTP_RANGE", "bytes=2-4" } }, "200 OK", "", NULL },
	{ { { "HTTP_RANGE", "bytes=2-4" }, { "HTTP_IF_RANGE", "\"tag\"" } }, "206 Partial Content",
	    "234", "bytes 2-4/10" },
	{ { { "HTTP_RANGE", "bytes=2-4" }, { "HTTP_IF_RANGE", DATE } }, "206 Partial Content",
	    "234", "bytes 2-4/10" },
	{ { { "HTTP_RANGE", "bytes=2-4" }, { "HTTP_IF_RANGE", "W/\"tag\"" } }, "200 OK",
	    "0123456789", NULL },
	{ { { "HTTP_RANGE", "bytes=2-4" }, { "HTTP_IF_RANGE", SECOND_BEFORE } }, "200 OK",
	    "0123456789", NULL },
	{ { { "HTTP_RANGE", "bytes=10-" } }, "416 Range Not Satisfiable",
	    "{\"detail\":\"The range lies outside of the content.\"}", "bytes */10" },
	{ { { "HTTP_RANGE", "bytes=-0" } }, "416 Range Not Satisfiable",
	    "{\"detail\":\"The range lies outside of the content.\"}", "bytes */10" },
	{ { { "HTTP_IF_NONE_MATCH", "\"tag\"" } }, "304 Not Modified", "", NULL },
	{ { { "HTTP_IF_NONE_MATCH", "\"tag\"" }, { "HTTP_RANGE", "bytes=2-4" } },
	    "304 Not Modified", "", NULL },
	{ { { "HTTP_IF_NONE_MATCH", "\"other\"" }, { "HTTP_IF_MODIFIED_SINCE", DATE } }, "200 OK",
	    "0123456789", NULL },
	{ { { "HTTP_IF_MODIFIED_SINCE", DATE } }, "304 Not Modified", "", NULL },
	{ { { "HTTP_IF_MODIFIED_SINCE", SECOND_BEFORE } }, "200 OK", "0123456789", NULL },
	{ { { "HTTP_IF_MATCH", "\"tag\"" } }, "200 OK", "0123456789", NULL },
	{ { { "HTTP_IF_MATCH", "\"other\"" } }, "412 Precondition Failed",
	    "{\"detail\":\"The object has changed since it was read.\"}", NULL },
	{ { { "HTTP_IF_UNMODIFIED_SINCE", DATE } }, "200 OK", "0123456789", NULL },
	{ { { "HTTP_IF_UNMODIFIED_SINCE", "yesterday" } }, "200 OK", "0123456789", NULL },
	{ { { "HTTP_IF_UNMODIFIED_SINCE", SECOND_BEFORE } }, "412 Precondition Failed",
	    "{\"detail\":\"The object has changed since it was read.\"}", NULL },
};

Test(bytes, answers)
{
	for (size_t i = 0; i < countof(cases); i++) {
		ask(cases[i].headers);
		cr_assert(text_eq(fake_answer_header("Status"), text_from(cases[i].status)) &&
			text_eq(fake_answer_body(), text_from(cases[i].body)) &&
			text_eq(fake_answer_header("Content-Range"), text_from(cases[i].range)),
		    "case %zu: %.*s", i, TEXT_ARGS(((struct text){ fake.out, fake.n })));
	}
}

Test(bytes, headers)
{
	ask((const char *const[][2]){ { NULL } });
	assert_text(fake_answer_header("Content-Type"), T("image/png"));
	assert_text(fake_answer_header("Content-Length"), T("10"));
	assert_text(fake_answer_header("Accept-Ranges"), T("bytes"));
	assert_text(fake_answer_header("ETag"), T("\"tag\""));
	assert_text(fake_answer_header("Last-Modified"), T(DATE));
}
