#include "base/base.h"

#include <criterion/criterion.h>

#include "crypto/digest.h"
#include "crypto/random.h"

static struct arena *a;

static void
set_up(void)
{
	crypto_init();
	a = arena_new(1 << 20);
}

static void
tear_down(void)
{
	arena_free(&a);
}

TestSuite(digest, .init = set_up, .fini = tear_down);

static bool
same(struct bytes x, struct bytes y)
{
	return x.n == y.n && memcmp(x.p, y.p, x.n) == 0;
}

Test(digest, depends_on_every_byte_and_on_where_parts_end)
{
	struct text ab_c[] = { T("ab"), T("c") }, a_bc[] = { T("a"), T("bc") },
		    abc[] = { T("abc") };

	cr_assert(same(digest(ab_c, 2, a), digest(ab_c, 2, a)));
	cr_assert(!same(digest(ab_c, 2, a), digest(a_bc, 2, a)));
	cr_assert(!same(digest(ab_c, 2, a), digest(abc, 1, a)));
	cr_assert(!same(digest(abc, 1, a), digest(abc, 0, a)));
	cr_assert_eq(digest(abc, 1, a).n, DIGEST_SIZE);
}

Test(digest, hex_is_lower_case)
{
	const uint8_t bytes[] = { 0x00, 0x0f, 0xab, 0xff };

	cr_assert(text_eq(hex((struct bytes){ bytes, sizeof(bytes) }, a), T("000fabff")));
	cr_assert_eq(hex((struct bytes){ bytes, 0 }, a).n, 0);
}
