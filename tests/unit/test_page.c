#include "base/base.h"
#include "fake_request.h"
#include "http/page.h"

TestSuite(page, .init = fake_set_up, .fini = fake_tear_down);

static void
ask(const char *query)
{
	fake.nparams = 7;
	fake_param("QUERY_STRING", query);
	cr_assert(fake_begin(), "%s", query);
}

Test(page, read)
{
	static const struct {
		const char *query;
		bool ok;
		int64_t number, size;
	} cases[] = {
		{ "", true, 1, 10 },
		{ "page=1", true, 1, 10 },
		{ "page=", true, 1, 10 },
		{ "page=7&page_size=25", true, 7, 25 },
		{ "page=+7+", true, 7, 10 },
		{ "page=3&page=4", true, 4, 10 },
		{ "page=last&page_size=300", true, 0, 300 },
		{ "page_size=301", true, 1, 300 },
		{ "page_size=99999999999999999999999", true, 1, 300 },
		{ "page_size=1", true, 1, 1 },
		{ "page_size=0", true, 1, 10 },
		{ "page_size=-5", true, 1, 10 },
		{ "page_size=abc", true, 1, 10 },
		{ "page_size=", true, 1, 10 },
		{ "page_size=2.5", true, 1, 10 },
		{ "page=30744573456182586", true, INT64_MAX / PAGE_SIZE_MAX, 10 },
		{ "page=30744573456182587", false, 0, 0 },
		{ "page=99999999999999999999999", false, 0, 0 },
		{ "page=0", false, 0, 0 },
		{ "page=-1", false, 0, 0 },
		{ "page=abc", false, 0, 0 },
		{ "page=1.0", false, 0, 0 },
		{ "page=LAST", false, 0, 0 },
		{ "page=%2B1", false, 0, 0 },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct page page;

		ask(cases[i].query);
		cr_assert_eq(page_read(&fake.rq, &page), cases[i].ok, "%s", cases[i].query);
		if (!cases[i].ok)
			continue;
		cr_assert_eq(page.number, cases[i].number, "%s", cases[i].query);
		cr_assert_eq(page.size, cases[i].size, "%s", cases[i].query);
	}
}

Test(page, count)
{
	static const struct {
		int64_t size, total, count;
	} cases[] = {
		{ 10, 0, 1 },
		{ 10, 1, 1 },
		{ 10, 10, 1 },
		{ 10, 11, 2 },
		{ 1, 3, 3 },
		{ 300, INT64_MAX, INT64_MAX / 300 + 1 },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct page page = { .number = 1, .size = cases[i].size };

		cr_assert_eq(page_count(&page, cases[i].total), cases[i].count);
	}
}

Test(page, invalid)
{
	cr_assert_eq(reply_invalid_page(&fake.rq), 404);
	assert_answer("404 Not Found", "{\"detail\":\"Invalid page.\"}");
}

#define URL "https://roster.example/api/users/"

Test(page, links)
{
	static const struct {
		const char *query;
		int64_t number, total;
		const char *link;
	} cases[] = {
		{ "", 1, 0, "<" URL ">; rel=\"first\", <" URL ">; rel=\"last\"" },
		{ "page=1", 1, 10, "<" URL ">; rel=\"first\", <" URL ">; rel=\"last\"" },
		{ "", 1, 11,
		    "<" URL ">; rel=\"first\", <" URL "?page=2>; rel=\"next\", "
		    "<" URL "?page=2>; rel=\"last\"" },
		{ "page=2", 2, 25,
		    "<" URL ">; rel=\"first\", <" URL ">; rel=\"prev\", "
		    "<" URL "?page=3>; rel=\"next\", <" URL "?page=3>; rel=\"last\"" },
		{ "page=last", 3, 25,
		    "<" URL ">; rel=\"first\", <" URL "?page=2>; rel=\"prev\", "
		    "<" URL "?page=3>; rel=\"last\"" },
		{ "o=a,-b&page=2&page_size=10&email=%C3%B5+x&page=2&flag", 2, 20,
		    "<" URL "?o=a%2C-b&page_size=10&email=%C3%B5%20x&flag=>; rel=\"first\", "
		    "<" URL "?o=a%2C-b&page_size=10&email=%C3%B5%20x&flag=>; rel=\"prev\", "
		    "<" URL "?o=a%2C-b&page_size=10&email=%C3%B5%20x&flag=&page=2>; rel=\"last\"" },
		{ "a=%0d%0aX:y%3E%3B", 1, 1,
		    "<" URL "?a=%0D%0AX%3Ay%3E%3B>; rel=\"first\", "
		    "<" URL "?a=%0D%0AX%3Ay%3E%3B>; rel=\"last\"" },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct page page = { .number = cases[i].number, .size = 10 };

		ask(cases[i].query);
		page_headers(&fake.rq, &page, cases[i].total);
		reply_empty(&fake.rq, 200);
		fake_answer();
		assert_text(fake_answer_header("Link"), text_from(cases[i].link));
		assert_text(fake_answer_header("X-Result-Count"),
		    arena_printf(fake.rq.arena, "%d", (int)cases[i].total));
	}
}

/* As long a query as nginx takes, each byte of which becomes three. */
Test(page, long_links)
{
	static char query[8000];
	struct page page = { .number = 2, .size = 10 };
	struct text link;

	memset(query, ',', sizeof(query) - 1);
	memcpy(query, "a=", 2);
	ask(query);
	page_headers(&fake.rq, &page, 30);
	reply_empty(&fake.rq, 200);
	cr_assert_lt(fake_answer().n, 32 * 1024);
	link = fake_answer_header("Link");
	cr_assert(text_starts(link, T("<" URL "?a=%2C")));
	cr_assert(text_starts(
	    text_slice(link, text_find(link, '&', 0), link.n), T("&page=3>; rel=\"next\"")));

	page.number = 3;
	cr_assert(fake_begin());
	page_headers(&fake.rq, &page, 30);
	reply_empty(&fake.rq, 200);
	fake_answer();
	assert_text(fake_answer_header("Link"), TEXT_NONE);
}

Test(page, last_must_be_resolved, .signal = SIGABRT)
{
	struct page page = { .number = 0, .size = 10 };

	page_headers(&fake.rq, &page, 1);
}
