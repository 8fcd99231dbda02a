#include "base/base.h"
#include "crypto/random.h"
#include "crypto/token.h"

#include <criterion/criterion.h>

static struct arena *a;

static void
set_up(void)
{
	crypto_init();
	a = arena_new((size_t)1024 * 1024);
}

static void
tear_down(void)
{
	arena_free(&a);
}

TestSuite(token, .init = set_up, .fini = tear_down);

Test(token, is_lower_case_hex)
{
	struct text t = token_new(a);

	cr_assert_eq(t.n, TOKEN_DIGITS);
	cr_assert_eq(strlen(t.s), TOKEN_DIGITS);
	cr_assert_eq(strspn(t.s, "0123456789abcdef"), TOKEN_DIGITS);
}

Test(token, many_are_as_one)
{
	struct text t[100];

	tokens_new(a, t, countof(t));
	for (size_t i = 0; i < countof(t); i++) {
		cr_assert_eq(t[i].n, TOKEN_DIGITS);
		cr_assert_eq(strspn(t[i].s, "0123456789abcdef"), TOKEN_DIGITS);
		for (size_t j = 0; j < i; j++)
			cr_assert(!text_eq(t[i], t[j]));
	}
}

/* Twenty bytes that do not come out twice, and no digit that stays the same. */
Test(token, is_random)
{
	struct text first = token_new(a), t;
	bool changed[TOKEN_DIGITS] = { false };

	for (int i = 0; i < 100; i++) {
		t = token_new(a);
		cr_assert(!text_eq(t, first));
		for (size_t j = 0; j < t.n; j++)
			changed[j] |= t.s[j] != first.s[j];
	}
	for (size_t j = 0; j < TOKEN_DIGITS; j++)
		cr_expect(changed[j], "digit %zu", j);
}

/* Milliseconds since 1970 that the UUID was made. */
static int64_t
made(struct uuid u)
{
	int64_t ms = 0;

	for (size_t i = 0; i < 6; i++)
		ms = ms << 8 | u.b[i];
	return ms;
}

Test(random, uuids_in_order)
{
	int64_t before = stamp_now().us / 1000;
	struct uuid u[10000];

	crypto_init();
	ordered_uuids(u, countof(u) / 2);
	ordered_uuids(u + countof(u) / 2, countof(u) / 2);
	for (size_t i = 0; i < countof(u); i++) {
		cr_assert_eq(u[i].b[6] >> 4, 7);
		cr_assert_eq(u[i].b[8] >> 6, 2);
		cr_assert(i == 0 || memcmp(u[i - 1].b, u[i].b, sizeof(u[i].b)) < 0, "%zu", i);
		cr_assert(i == 0 || memcmp(&u[i - 1].b[9], &u[i].b[9], 7) != 0, "%zu", i);
		cr_assert_geq(made(u[i]), before);
		cr_assert_leq(made(u[i]), before + 60 * 1000);
	}
}

Test(random, uuids_and_bounds)
{
	struct uuid u = random_uuid(), v = random_uuid();
	uint32_t seen = 0;

	crypto_init();
	cr_expect(!uuid_eq(u, v));
	cr_expect_eq(u.b[6] >> 4, 4);
	cr_expect_eq(u.b[8] >> 6, 2);
	for (int i = 0; i < 1000; i++)
		seen |= UINT32_C(1) << random_below(5);
	cr_expect_eq(seen, 0x1f);
	cr_expect_eq(random_below(1), 0);
}
