#include "base/base.h"
#include "base/arena.h"
#include "base/text.h"

#include <criterion/criterion.h>

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

TestSuite(text, .init = set_up, .fini = tear_down);

Test(text, none_and_empty)
{
	cr_assert(text_is_none(TEXT_NONE));
	cr_assert(text_is_none(text_from(NULL)));
	cr_assert(!text_is_none(T("")));
	cr_assert(!text_is_none(text_from("")));
	cr_assert(text_eq(text_from("abc"), T("abc")));
}

Test(text, equality)
{
	static const struct {
		struct text a, b;
		bool eq, eq_nocase;
	} cases[] = {
		{ TEXT_INIT("a"), TEXT_INIT("a"), true, true },
		{ TEXT_INIT("aZ"), TEXT_INIT("Az"), false, true },
		{ TEXT_INIT("a"), TEXT_INIT("b"), false, false },
		{ TEXT_INIT("a"), TEXT_INIT("ab"), false, false },
		{ TEXT_INIT(""), TEXT_INIT(""), true, true },
		{ { NULL, 0 }, { NULL, 0 }, true, true },
		{ TEXT_INIT(""), { NULL, 0 }, false, false },
		{ TEXT_INIT("@"), TEXT_INIT("`"), false, false },
		{ TEXT_INIT("["), TEXT_INIT("{"), false, false },
		{ TEXT_INIT("a\0b"), TEXT_INIT("a\0c"), false, false },
		{ TEXT_INIT("\u00c4"), TEXT_INIT("\u00e4"), false, false },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		cr_expect_eq(text_eq(cases[i].a, cases[i].b), cases[i].eq, "case %zu", i);
		cr_expect_eq(
		    text_eq_nocase(cases[i].a, cases[i].b), cases[i].eq_nocase, "case %zu", i);
	}
}

Test(text, among)
{
	static const char *const names[] = { "one", "two", NULL };
	static const char *const none[] = { NULL };

	cr_expect(text_is_among(T("one"), names));
	cr_expect(text_is_among(T("two"), names));
	cr_expect_not(text_is_among(T("tw"), names));
	cr_expect_not(text_is_among(T("Two"), names));
	cr_expect_not(text_is_among(T(""), names));
	cr_expect_not(text_is_among(TEXT_NONE, names));
	cr_expect_not(text_is_among(T("one"), none));
}

Test(text, starts)
{
	cr_assert(text_starts(T("abc"), T("ab")));
	cr_assert(text_starts(T("abc"), T("abc")));
	cr_assert(text_starts(T("abc"), T("")));
	cr_assert(text_starts(TEXT_NONE, T("")));
	cr_assert(!text_starts(T("abc"), T("abcd")));
	cr_assert(!text_starts(T("abc"), T("b")));
	cr_assert(!text_starts(TEXT_NONE, T("a")));
}

Test(text, find_and_slice)
{
	struct text t = T("a,b,c");

	cr_assert_eq(text_find(t, ',', 0), 1);
	cr_assert_eq(text_find(t, ',', 1), 1);
	cr_assert_eq(text_find(t, ',', 2), 3);
	cr_assert_eq(text_find(t, ',', 4), 5);
	cr_assert_eq(text_find(t, ',', 50), 5);
	cr_assert_eq(text_find(TEXT_NONE, ',', 0), 0);
	cr_assert(text_eq(text_slice(t, 1, 3), T(",b")));
	cr_assert(text_eq(text_slice(t, 2, SIZE_MAX), T("b,c")));
	cr_assert(text_eq(text_slice(t, 4, 2), T("")));
	cr_assert(text_eq(text_slice(t, 9, 10), T("")));
	cr_assert(text_is_none(text_slice(TEXT_NONE, 0, 3)));
}

Test(text, split)
{
	static const struct {
		struct text t;
		const char *parts;
	} cases[] = {
		{ TEXT_INIT("a,,b"), "[a][][b]" },
		{ TEXT_INIT(""), "[]" },
		{ TEXT_INIT(","), "[][]" },
		{ TEXT_INIT("abc"), "[abc]" },
		{ TEXT_INIT("a,"), "[a][]" },
		{ { NULL, 0 }, "" },
	};
	struct text rest, part, parts;

	for (size_t i = 0; i < countof(cases); i++) {
		parts = T("");
		rest = cases[i].t;
		while (text_split(&rest, ',', &part))
			parts = arena_printf(a, "%.*s[%.*s]", TEXT_ARGS(parts), TEXT_ARGS(part));
		cr_expect(text_eq(parts, text_from(cases[i].parts)), "case %zu: %s", i, parts.s);
	}
}

Test(text, trim)
{
	static const struct {
		struct text t, trimmed;
	} cases[] = {
		{ TEXT_INIT("  a b\t\r\n"), TEXT_INIT("a b") },
		{ TEXT_INIT("\x1c\x1d\x1e\x1f\x0b\x0c x"), TEXT_INIT("x") },
		{ TEXT_INIT("\u00a0\u1680\u2003\u2028\u2029\u202f\u205f\u3000x\xc2\x85"),
		    TEXT_INIT("x") },
		{ TEXT_INIT("J\u00f5gi\u3000"), TEXT_INIT("J\u00f5gi") },
		{ TEXT_INIT("\u3000J\u00f5"), TEXT_INIT("J\u00f5") },
		{ TEXT_INIT(" \u3000 "), TEXT_INIT("") },
		{ TEXT_INIT(""), TEXT_INIT("") },
		{ { NULL, 0 }, { NULL, 0 } },
		/* no white space to Python: zero width space and joiner, BOM, NUL */
		{ TEXT_INIT("\u200bx\u200d"), TEXT_INIT("\u200bx\u200d") },
		{ TEXT_INIT("\ufeffx\0"), TEXT_INIT("\ufeffx\0") },
		{ TEXT_INIT("\U0001f600 "), TEXT_INIT("\U0001f600") },
	};

	for (size_t i = 0; i < countof(cases); i++)
		cr_expect(text_eq(text_trim(cases[i].t), cases[i].trimmed), "case %zu", i);
}

Test(text, utf8)
{
	static const struct {
		struct text t;
		size_t valid_to;
	} cases[] = {
		{ TEXT_INIT(""), 0 },
		{ { NULL, 0 }, 0 },
		{ TEXT_INIT("plain ASCII, longer than eight bytes\0"), 37 },
		{ TEXT_INIT("\u00f5\u20ac\U0001f600\U0010ffff"), 13 },
		{ TEXT_INIT("\ud7ff\ue000\uffff"), 9 },
		{ TEXT_INIT("0123456\xff"), 7 },
		{ TEXT_INIT("01234567\xff"), 8 },
		{ TEXT_INIT("012345678\xff"), 9 },
		{ TEXT_INIT("01234567\u00f5\x80"), 10 },
		{ TEXT_INIT("a\x80"), 1 },
		{ TEXT_INIT("a\xc3"), 1 },
		{ TEXT_INIT("a\xc3("), 1 },
		{ TEXT_INIT("\xe2\x82"), 0 },
		{ TEXT_INIT("\xf0\x9f\x98"), 0 },
		{ TEXT_INIT("\xc0\x80"), 0 },         /* overlong */
		{ TEXT_INIT("\xc1\xbf"), 0 },         /* overlong */
		{ TEXT_INIT("\xe0\x80\xaf"), 0 },     /* overlong */
		{ TEXT_INIT("\xf0\x80\x80\xaf"), 0 }, /* overlong */
		{ TEXT_INIT("\xed\xa0\x80"), 0 },     /* a surrogate */
		{ TEXT_INIT("\xed\xbf\xbf"), 0 },     /* a surrogate */
		{ TEXT_INIT("\xf4\x90\x80\x80"), 0 }, /* over U+10FFFF */
		{ TEXT_INIT("\xf5\x80\x80\x80"), 0 },
		{ TEXT_INIT("\xf8\x88\x80\x80\x80"), 0 },
		{ TEXT_INIT("\xfe"), 0 },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		cr_expect_eq(text_utf8_valid_to(cases[i].t), cases[i].valid_to, "case %zu", i);
		cr_expect_eq(
		    text_is_utf8(cases[i].t), cases[i].valid_to == cases[i].t.n, "case %zu", i);
	}
}

Test(text, length_counts_code_points)
{
	cr_assert_eq(text_length(T("")), 0);
	cr_assert_eq(text_length(TEXT_NONE), 0);
	cr_assert_eq(text_length(T("abc")), 3);
	cr_assert_eq(text_length(T("J\u00f5gi \u042e\u0440\u0438\u0439 \U0001f600")), 11);
}

Test(text, to_int)
{
	static const struct {
		struct text t;
		bool good;
		int64_t n;
	} cases[] = {
		{ TEXT_INIT("0"), true, 0 },
		{ TEXT_INIT("-0"), true, 0 },
		{ TEXT_INIT("+7"), true, 7 },
		{ TEXT_INIT("-12"), true, -12 },
		{ TEXT_INIT("007"), true, 7 },
		{ TEXT_INIT("9223372036854775807"), true, INT64_MAX },
		{ TEXT_INIT("-9223372036854775808"), true, INT64_MIN },
		{ TEXT_INIT("9223372036854775808"), false, 0 },
		{ TEXT_INIT("-9223372036854775809"), false, 0 },
		{ TEXT_INIT("99999999999999999999999"), false, 0 },
		{ TEXT_INIT(""), false, 0 },
		{ { NULL, 0 }, false, 0 },
		{ TEXT_INIT("-"), false, 0 },
		{ TEXT_INIT("+-1"), false, 0 },
		{ TEXT_INIT(" 1"), false, 0 },
		{ TEXT_INIT("1 "), false, 0 },
		{ TEXT_INIT("1.0"), false, 0 },
		{ TEXT_INIT("0x1"), false, 0 },
		{ TEXT_INIT("1\0"), false, 0 },
		{ TEXT_INIT("\u0661"), false, 0 },
	};
	int64_t n;

	for (size_t i = 0; i < countof(cases); i++) {
		cr_expect_eq(text_to_int(cases[i].t, &n), cases[i].good, "case %zu", i);
		if (cases[i].good)
			cr_expect_eq(n, cases[i].n, "case %zu", i);
	}
}

Test(text, lower)
{
	cr_assert(text_eq(text_lower(a, T("AbC @[`{ \u00c4")), T("abc @[`{ \u00c4")));
	cr_assert(text_eq(text_lower(a, T("")), T("")));
	cr_assert(text_is_none(text_lower(a, TEXT_NONE)));
}

Test(text, nfkc)
{
	static const struct {
		struct text t, normal;
	} cases[] = {
		{ TEXT_INIT("plain"), TEXT_INIT("plain") },
		{ TEXT_INIT("Jo\u0303gi"), TEXT_INIT("J\u00f5gi") },
		{ TEXT_INIT("J\u00f5gi"), TEXT_INIT("J\u00f5gi") },
		{ TEXT_INIT("\ufb01\u2460\uff21"), TEXT_INIT("fi1A") },
		{ TEXT_INIT("\u212b"), TEXT_INIT("\u00c5") },
		{ TEXT_INIT("\u1100\u1161"), TEXT_INIT("\uac00") },
		{ TEXT_INIT("q\u0307\u0323"), TEXT_INIT("q\u0323\u0307") },
		{ TEXT_INIT("\ufdfa"), /* the longest expansion: 18 code points */
		    TEXT_INIT(
			"\u0635\u0644\u0649 \u0627\u0644\u0644\u0647 \u0639\u0644\u064a\u0647 \u0648\u0633\u0644\u0645") },
		{ TEXT_INIT("a\0\u00f5"), TEXT_INIT("a\0\u00f5") },
		{ TEXT_INIT("\U0001f600"), TEXT_INIT("\U0001f600") },
		{ TEXT_INIT(""), TEXT_INIT("") },
		{ { NULL, 0 }, { NULL, 0 } },
	};

	for (size_t i = 0; i < countof(cases); i++)
		cr_expect(text_eq(text_nfkc(a, cases[i].t), cases[i].normal), "case %zu", i);
}

Test(text, fold)
{
	static const struct {
		struct text t, folded;
	} cases[] = {
		{ TEXT_INIT("J\u00f5gi"), TEXT_INIT("jogi") },
		{ TEXT_INIT("\u042e\u0440\u0438\u0439"), TEXT_INIT("") },
		{ TEXT_INIT("PLAIN Text-1"), TEXT_INIT("plain text-1") },
		{ TEXT_INIT("\u0160\u00c9\u00dc \ufb01\uff21"), TEXT_INIT("seu fia") },
		{ TEXT_INIT("\u00df\u00f8\u0142"), TEXT_INIT("") },
		{ TEXT_INIT(""), TEXT_INIT("") },
		{ { NULL, 0 }, { NULL, 0 } },
	};

	for (size_t i = 0; i < countof(cases); i++)
		cr_expect(text_eq(text_fold(a, cases[i].t), cases[i].folded), "case %zu", i);
}

Test(text, visible)
{
	static const struct {
		struct text t, visible;
	} cases[] = {
		{ TEXT_INIT("J\u00f5gi \xc2\x80\xc2\x9b\u00a0"),
		    TEXT_INIT("J\u00f5gi \\xc2\\x80\\xc2\\x9b\u00a0") },
		{ TEXT_INIT("\x1b[2J\r\n\t\x7f"), TEXT_INIT("\\x1b[2J\\x0d\\x0a\\x09\\x7f") },
		{ TEXT_INIT("a\0"), TEXT_INIT("a\\x00") },
		{ TEXT_INIT("\\x1b"), TEXT_INIT("\\x1b") },
		{ TEXT_INIT(""), TEXT_INIT("") },
		{ { NULL, 0 }, { NULL, 0 } },
	};

	for (size_t i = 0; i < countof(cases); i++)
		cr_expect(text_eq(text_visible(a, cases[i].t), cases[i].visible), "case %zu", i);
}

Test(text, addresses)
{
	static const struct {
		struct text address;
		bool good;
	} cases[] = {
		{ TEXT_INIT("alice@example.net"), true },
		{ TEXT_INIT("a.b+c&d'e@example.net"), true },
		{ TEXT_INIT("alice@b\u00fccher.example"), true },
		{ TEXT_INIT(""), false },
		{ TEXT_INIT("alice"), false },
		{ TEXT_INIT("@example.net"), false },
		{ TEXT_INIT("alice@"), false },
		{ TEXT_INIT("a@b@c"), false },
		{ TEXT_INIT("a b@c"), false },
		{ TEXT_INIT("a@c\r\nRCPT TO:<eve@d>"), false },
		{ TEXT_INIT("a@c>"), false },
		{ TEXT_INIT("<a@c"), false },
		{ TEXT_INIT("a@c,d"), false },
		{ TEXT_INIT("a\0b@c"), false },
		{ TEXT_INIT("\"a\"@c"), false },
		{ TEXT_INIT("a\x7f@c"), false },
		{ TEXT_INIT("a@c\xff"), false },
	};

	for (size_t i = 0; i < countof(cases); i++)
		cr_expect_eq(text_is_address(cases[i].address), cases[i].good, "case %zu", i);
}
