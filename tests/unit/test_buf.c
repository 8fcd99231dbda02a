#include "base/base.h"
#include "base/buf.h"

#include <criterion/criterion.h>

static struct arena *a;
static struct buf b;

static void
set_up(void)
{
	a = arena_new((size_t)1024 * 1024);
	buf_init(&b, a);
}

static void
tear_down(void)
{
	arena_free(&a);
}

TestSuite(buf, .init = set_up, .fini = tear_down);

Test(buf, empty_is_a_text)
{
	struct text t;

	cr_assert(b.s == NULL);
	t = buf_text(&b);
	cr_assert(text_eq(t, T("")));
	cr_assert_eq(t.s[0], '\0');
}

Test(buf, adding_nothing)
{
	buf_add(&b, TEXT_NONE);
	buf_add(&b, T(""));
	buf_printf(&b, "%s", "");
	cr_assert(text_eq(buf_text(&b), T("")));
}

Test(buf, adds_in_order)
{
	buf_add(&b, T("one "));
	buf_add_char(&b, 't');
	buf_add(&b, (struct text){ "w\0o", 3 });
	buf_printf(&b, " %d%s", 3, "rd");
	cr_assert(text_eq(buf_text(&b), (struct text){ "one tw\0o 3rd", 12 }));
	cr_assert_eq(b.s[12], '\0');
}

Test(buf, text_does_not_end_it)
{
	buf_add(&b, T("a"));
	buf_text(&b);
	buf_add(&b, T("b"));
	cr_assert(text_eq(buf_text(&b), T("ab")));
}

/* Every length around the sizes at which it grows, in each of the three ways to add. */
Test(buf, grows_at_every_length)
{
	static const char digits[] = "0123456789";
	char expected[700];

	for (size_t n = 0; n < sizeof(expected); n++) {
		expected[n] = digits[n % 10];
		buf_init(&b, a);
		for (size_t i = 0; i <= n; i++)
			buf_add_char(&b, digits[i % 10]);
		cr_assert(text_eq(buf_text(&b), (struct text){ expected, n + 1 }));
		buf_init(&b, a);
		buf_add(&b, (struct text){ expected, n + 1 });
		cr_assert(text_eq(buf_text(&b), (struct text){ expected, n + 1 }));
		buf_init(&b, a);
		buf_printf(&b, "%.*s", (int)n + 1, expected);
		cr_assert(text_eq(buf_text(&b), (struct text){ expected, n + 1 }));
		arena_reset(a);
	}
}

Test(buf, two_on_one_arena)
{
	struct buf c;

	buf_init(&c, a);
	for (int i = 0; i < 500; i++) {
		buf_printf(&b, "%d,", i);
		buf_printf(&c, "%d;", i);
	}
	cr_assert_eq(b.n, c.n);
	cr_assert(text_starts(buf_text(&b), T("0,1,2,3,")));
	cr_assert(text_starts(buf_text(&c), T("0;1;2;3;")));
}
