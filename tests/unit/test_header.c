#include "base/base.h"
#include "fake_request.h"
#include "http/http_int.h"

static struct arena *a;

static void
set_up(void)
{
	a = arena_new((size_t)1024 * 1024);
}

static void
tear_down(void)
{
	arena_free(&a);
}

TestSuite(header, .init = set_up, .fini = tear_down);

Test(header, trim_and_tokens)
{
	assert_text(header_trim(T(" \ta b\t ")), T("a b"));
	assert_text(header_trim(T(" ")), T(""));
	assert_text(header_trim(TEXT_NONE), TEXT_NONE);
	cr_assert(header_is_token(T("Content-Type")));
	cr_assert(!header_is_token(T("")));
	cr_assert(!header_is_token(T("a b")));
	cr_assert(!header_is_token(T("a\xc3\xb5")));
	cr_assert(!header_is_token(T("a\0b")));
}

/* The parameters as "name=[value] ...", and a ! where one is malformed. */
static struct text
show(struct text rest)
{
	struct param param;
	struct buf b;
	int found;

	buf_init(&b, a);
	while ((found = header_param(&rest, a, &param)) > 0)
		buf_printf(&b, "%.*s=[%.*s] ", TEXT_ARGS(param.name), TEXT_ARGS(param.value));
	if (found < 0)
		buf_add_char(&b, '!');
	return buf_text(&b);
}

Test(header, params)
{
	static const struct {
		struct text header;
		const char *word, *params;
	} cases[] = {
		{ TEXT_INIT("text/plain"), "text/plain", "" },
		{ TEXT_INIT(" text/plain ;"), "text/plain", "" },
		{ TEXT_INIT(""), "", "" },
		{ TEXT_INIT("a;b=c"), "a", "b=[c] " },
		{ TEXT_INIT("a; b=c ;\td=\"e f\" "), "a", "b=[c] d=[e f] " },
		{ TEXT_INIT("a; b=\"\""), "a", "b=[] " },
		{ TEXT_INIT("a; b=\"c;d=e\"; f=g"), "a", "b=[c;d=e] f=[g] " },
		{ TEXT_INIT("a; b=\"x\\\"y\\\\z\""), "a", "b=[x\"y\\z] " },
		{ TEXT_INIT("a; b=\"C:\\dir\\file\""), "a", "b=[C:\\dir\\file] " },
		{ TEXT_INIT("a; filename*=UTF-8''x"), "a", "filename*=[UTF-8''x] " },
		{ TEXT_INIT("a; b"), "a", "!" },
		{ TEXT_INIT("a; b="), "a", "!" },
		{ TEXT_INIT("a; =c"), "a", "!" },
		{ TEXT_INIT("a; b=\"c"), "a", "!" },
		{ TEXT_INIT("a; b=\"c\\\""), "a", "!" },
		{ TEXT_INIT("a; b=\"c\"d"), "a", "b=[c] !" },
		{ TEXT_INIT("a; b=c d=e"), "a", "b=[c] !" },
		{ TEXT_INIT("a; b = c"), "a", "!" },
		{ TEXT_INIT("a;; b=c"), "a", "!" },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct text rest = cases[i].header;

		assert_text(header_word(&rest), text_from(cases[i].word));
		assert_text(show(rest), text_from(cases[i].params));
	}
}

Test(header, named)
{
	assert_text(header_param_named(T("a; b=c; CHARSET=d"), T("charset"), a), T("d"));
	assert_text(header_param_named(T("a; b=c; b=d"), T("b"), a), T("c"));
	assert_text(header_param_named(T("a; b=c"), T("d"), a), TEXT_NONE);
	assert_text(header_param_named(T("a; x; b=c"), T("b"), a), TEXT_NONE);
	assert_text(header_param_named(TEXT_NONE, T("b"), a), TEXT_NONE);
}
