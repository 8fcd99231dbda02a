#include "base/base.h"
#include "fake_request.h"
#include "http/body.h"
#include "http/http_int.h"

#define SIXTY "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

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

TestSuite(form, .init = set_up, .fini = tear_down);

Test(form, decode)
{
	static const struct {
		struct text form;
		const char *pairs; /* position:name=value, each followed by a blank */
	} cases[] = {
		{ TEXT_INIT(""), "" },
		{ { NULL, 0 }, "" },
		{ TEXT_INIT("&&"), "" },
		{ TEXT_INIT("a=b"), "0:a=b " },
		{ TEXT_INIT("a=b&c=d"), "0:a=b 4:c=d " },
		{ TEXT_INIT("&a=b&&c=d&"), "1:a=b 6:c=d " },
		{ TEXT_INIT("a&b=&=c&="), "0:a= 2:b= 5:=c 8:= " },
		{ TEXT_INIT("a=b=c"), "0:a=b=c " },
		{ TEXT_INIT("a+b=c+d"), "0:a b=c d " },
		{ TEXT_INIT("%61=%7a%2B%2b%26%3D%25"), "0:a=z++&=% " },
		{ TEXT_INIT("a=%C3%B5%ff"), "0:a=\xc3\xb5\xff " },
	};
	struct text problem;
	struct param *params;
	struct buf b;
	size_t n;

	for (size_t i = 0; i < countof(cases); i++) {
		cr_assert(form_decode(cases[i].form, a, &params, &n, &problem));
		buf_init(&b, a);
		for (size_t j = 0; j < n; j++)
			buf_printf(&b, "%zu:%.*s=%.*s ", params[j].at, TEXT_ARGS(params[j].name),
			    TEXT_ARGS(params[j].value));
		assert_text(buf_text(&b), text_from(cases[i].pairs));
	}
}

Test(form, faults)
{
	static const struct {
		struct text form;
		const char *problem;
	} cases[] = {
		{ TEXT_INIT("%"), "malformed escape at byte 0" },
		{ TEXT_INIT("a=1&b=%2"), "malformed escape at byte 6" },
		{ TEXT_INIT("a=%41%4x"), "malformed escape at byte 5" },
		{ TEXT_INIT("a=%&41"), "malformed escape at byte 2" },
		{ TEXT_INIT("a=1&b=2&a=3"), "duplicate field \"a\" at byte 8" },
		{ TEXT_INIT("a=1&%61=1"), "duplicate field \"a\" at byte 4" },
		{ TEXT_INIT("a=1&%ff=1"), "a name that is not valid UTF-8 at byte 4" },
		{ TEXT_INIT("a=1&b=%ff"), "field \"b\" is not valid UTF-8 at byte 4" },
		{ TEXT_INIT("b=%ed%a0%80"), "field \"b\" is not valid UTF-8 at byte 0" },
		{ TEXT_INIT("\xef\xbb\xbf"
			    "a=1"),
		    "byte order mark at byte 0" },
		{ TEXT_INIT(SIXTY "ab=&" SIXTY "ab="), "duplicate field \"" SIXTY "\" at byte 64" },
	};
	struct text problem;

	for (size_t i = 0; i < countof(cases); i++) {
		cr_assert_null(form_read(cases[i].form, TEXT_NONE, a, &problem));
		assert_text(problem, text_from(cases[i].problem));
	}
}

Test(form, tree)
{
	struct text problem;
	struct json *form = form_read(T("a=1&b=&c=x%00y"), TEXT_NONE, a, &problem);

	cr_assert_not_null(form);
	cr_assert_eq(form->type, JSON_OBJECT);
	cr_assert_eq(form->count, 3);
	cr_assert_eq(json_member(form, T("a"))->type, JSON_TEXT);
	assert_text(json_member(form, T("a"))->text, T("1"));
	assert_text(json_member(form, T("b"))->text, T(""));
	assert_text(json_member(form, T("c"))->text, T("x\0y"));
	cr_assert_null(json_member(form, T("d")));
}

/* n fields of different names. */
static struct text
many(int n)
{
	struct buf b;

	buf_init(&b, a);
	for (int i = 0; i < n; i++)
		buf_printf(&b, "f%d=&", i);
	return buf_text(&b);
}

Test(form, too_many)
{
	struct text problem;
	struct json *form = form_read(many(BODY_FIELDS_MAX), TEXT_NONE, a, &problem);

	cr_assert_not_null(form);
	cr_assert_eq(form->count, BODY_FIELDS_MAX);
	cr_assert_null(form_read(many(BODY_FIELDS_MAX + 1), TEXT_NONE, a, &problem));
	assert_text(problem, T("more than 1000 fields at byte 5890"));
}
