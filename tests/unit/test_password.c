#include "base/base.h"
#include "crypto/password.h"
#include "crypto/random.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>

static struct arena *a;

static void
set_up(void)
{
	crypto_init();
	password_init(PASSWORD_COST_MIN);
	a = arena_new((size_t)16 * 1024 * 1024);
}

static void
tear_down(void)
{
	arena_free(&a);
}

TestSuite(password, .init = set_up, .fini = tear_down);

static struct secret
secret_of(const char *s)
{
	return secret_from(text_from(s));
}

Test(password, hash_has_the_phc_form)
{
	struct text one = password_hash(secret_of("secret"), a);
	struct text two = password_hash(secret_of("secret"), a);

	cr_expect(text_starts(one, T("$argon2id$v=19$m=19456,t=2,p=1$")), "%.*s", TEXT_ARGS(one));
	cr_expect_eq(one.n, strlen("$argon2id$v=19$m=19456,t=2,p=1$") + 22 + 1 + 43);
	cr_expect(!text_eq(one, two));
}

Test(password, verify)
{
	/* clang-format off */
	static const struct {
		const char *hashed, *tried;
		bool same;
	} cases[] = {
		{ "secret", "secret", true },
		{ "secret", "Secret", false },
		{ "secret", "secret ", false },
		{ "secret", "", false },
		{ "", "", true },
		{ " secret ", "secret", false },
		{ "p\u00e4ss", "pa\u0308ss", true },     /* composed and decomposed */
		{ "\uff50\uff41\uff53\uff53", "pass", true }, /* full width */
		{ "p\u00e4ss", "pass", false },
		{ "\xff\xfe", "\xff\xfe", true },
		{ "\xff\xfe", "\xff\xfd", false },
	};
	/* clang-format on */

	for (size_t i = 0; i < countof(cases); i++) {
		struct text phc = password_hash(secret_of(cases[i].hashed), a);

		cr_expect_eq(password_verify(secret_of(cases[i].tried), phc, a), cases[i].same,
		    "case %zu", i);
	}
}

#define SALT "c29tZXNhbHRzb21lc2FsdA" /* somesaltsomesalt */
#define TAG "14ukWqiThj4Xz77NYv01V28GbBZHY9AaZwsFswQFO0U"

/* Made of "secret" by argon2_hash() of the reference implementation. */
Test(password, verifies_what_others_made)
{
	/* clang-format off */
	static const struct {
		const char *phc;
		bool rehash;
	} cases[] = {
		{ "$argon2id$v=19$m=19456,t=2,p=1$" SALT "$" TAG, false },
		{ "$argon2id$v=19$m=64,t=1,p=1$" SALT "$pclxcsa4X0bZ5lu7Vy5h3p7EU7VbuW7pGRWETxHuU0c",
		  true },
		{ "$argon2id$v=19$m=4096,t=3,p=4$" SALT "$pEG0dzQduDS2jcIX+caEdsUhCO6vXoiGl7Typkzv7Ww",
		  true },
		{ "$argon2id$v=19$m=65536,t=1,p=1$" SALT "$4uBDRbZea/aTRkPj4ZK8FlD6rkQWTf1yOuw63QPe2qI",
		  true },
		{ "$argon2i$v=19$m=19456,t=2,p=1$" SALT "$0J3eeZylAzlEscd7pAOOe1o//l+GV628s9fW7Rn6NW4",
		  true },
		{ "argon2$argon2id$v=19$m=19456,t=2,p=1$" SALT "$" TAG, true },
		{ "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW", true },
		{ "$argon2id$v=19$m=19456,t=2,p=1$YSBzYWx0IG9mIDIyIGJ5dGVzIC4uLg$xzHfI9+HtPWqfdNcA06M8RMPTQD9OiRy",
		  true },
	};
	/* clang-format on */

	for (size_t i = 0; i < countof(cases); i++) {
		struct text phc = text_from(cases[i].phc);

		cr_expect(password_verify(secret_of("secret"), phc, a), "case %zu", i);
		cr_expect(!password_verify(secret_of("other"), phc, a), "case %zu", i);
		cr_expect_eq(password_needs_rehash(phc), cases[i].rehash, "case %zu", i);
	}
}

/* Each differs by one thing from the hash that is verified first. */
Test(password, refuses_malformed_hashes)
{
	/* clang-format off */
	static const char *const cases[] = {
		NULL,
		"",
		"!",
		"$argon2id$v=19$m=19456,t=2,p=1$" SALT,
		"$argon2id$v=19$m=19456,t=2,p=1$" SALT "$",
		"$argon2id$v=19$m=19456,t=2,p=1$$" TAG,
		"$argon2id$v=19$m=19456,t=2,p=1$" SALT "$" TAG "$",
		"$argon2id$v=19$m=19456,t=2,p=1$" SALT "$" TAG "=",
		"$argon2id$v=19$m=19456,t=2,p=1$" SALT "$" TAG " ",
		" $argon2id$v=19$m=19456,t=2,p=1$" SALT "$" TAG,
		"argon2id$v=19$m=19456,t=2,p=1$" SALT "$" TAG,
		"$argon2id$v=19$t=2,m=19456,p=1$" SALT "$" TAG,
		"$argon2id$v=19$m=019456,t=2,p=1$" SALT "$" TAG,
		"$argon2id$v=19$m=+19456,t=2,p=1$" SALT "$" TAG,
		"$argon2id$v=19$m=19456,t=2,p=1,data=eA$" SALT "$" TAG,
		"$argon2id$v=19$m=19456,t=,p=1$" SALT "$" TAG,
		"$argon2id$v=19$m=19456,t=2,p=4294967297$" SALT "$" TAG,
		"$argon2id$v=19$m=4294986752,t=2,p=1$" SALT "$" TAG,
		"$argon2id$v=19$m=99999999999999999999999,t=2,p=1$" SALT "$" TAG,
		"$argon2id$v=16$m=19456,t=2,p=1$" SALT "$" TAG,
		"$argon2id$m=19456,t=2,p=1$" SALT "$" TAG,
		"$argon2i$v=19$m=19456,t=2,p=1$" SALT "$" TAG,
		"$argon2ID$v=19$m=19456,t=2,p=1$" SALT "$" TAG,
		"argon2$argon2$argon2id$v=19$m=19456,t=2,p=1$" SALT "$" TAG,
		"argon2argon2id$v=19$m=19456,t=2,p=1$" SALT "$" TAG,
		"$argon2id$v=18$m=19456,t=2,p=1$" SALT "$" TAG,
	};
	/* clang-format on */

	cr_assert(password_verify(
	    secret_of("secret"), T("$argon2id$v=19$m=19456,t=2,p=1$" SALT "$" TAG), a));
	for (size_t i = 0; i < countof(cases); i++) {
		struct text phc = text_from(cases[i]);

		cr_expect(!password_verify(secret_of("secret"), phc, a), "case %zu", i);
		cr_expect(password_needs_rehash(phc), "case %zu", i);
	}
}

/* Of this process alone, so that others on the machine do not count. */
static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Computed, each would take from seconds to days. */
Test(password, does_not_compute_what_costs_too_much)
{
	static const char *const cases[] = {
		"$argon2id$v=19$m=1048577,t=1,p=1$" SALT "$" TAG,
		"$argon2id$v=19$m=4294967295,t=1,p=1$" SALT "$" TAG,
		"$argon2id$v=19$m=1048576,t=17,p=1$" SALT "$" TAG,
		"$argon2id$v=19$m=1048576,t=4294967295,p=1$" SALT "$" TAG,
		"$argon2id$v=19$m=1048576,t=1,p=17$" SALT "$" TAG,
		"$argon2id$v=19$m=1048576,t=0,p=1$" SALT "$" TAG,
		"$argon2id$v=19$m=127,t=4,p=16$" SALT "$" TAG,
		"$argon2id$v=19$m=7,t=1,p=1$" SALT "$" TAG,
	};
	double start = seconds();

	for (size_t i = 0; i < countof(cases); i++)
		cr_expect(!password_verify(secret_of("secret"), text_from(cases[i]), a));
	cr_expect_lt(seconds() - start, 5.0);
}

/* Of the fastest of a few tries. */
static double
seconds_to_refuse(struct text phc)
{
	double best = 1e9, start;

	for (int i = 0; i < 5; i++) {
		start = seconds();
		cr_expect(!password_verify(secret_of("other"), phc, a));
		if (seconds() - start < best)
			best = seconds() - start;
	}
	return best;
}

Test(password, without_a_hash_it_takes_as_long)
{
	double real = seconds_to_refuse(password_hash(secret_of("secret"), a));
	double dummy = seconds_to_refuse(TEXT_NONE);

	cr_expect_gt(dummy, real * 0.7);
	cr_expect_lt(dummy, real * 1.4);
}

Test(password, another_cost)
{
	struct text old = password_hash(secret_of("secret"), a), new;

	password_init((struct password_cost){ 20480, 3, 2 });
	cr_expect(password_needs_rehash(old));
	cr_expect(password_verify(secret_of("secret"), old, a));
	new = password_hash(secret_of("secret"), a);
	cr_expect(text_starts(new, T("$argon2id$v=19$m=20480,t=3,p=2$")));
	cr_expect(!password_needs_rehash(new));
	cr_expect(password_verify(secret_of("secret"), new, a));
}

/* The one mapping of that size, or NULL. */
static const uint8_t *
find_mapping(size_t size)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[4096];
	const uint8_t *found = NULL;
	uintptr_t from, to;

	cr_assert_not_null(f);
	while (found == NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &from, &to) == 2 && to - from == size)
			found = (const uint8_t *)from;
	fclose(f);
	return found;
}

Test(password, memory_is_wiped)
{
	struct password_cost cost = { 19460, 2, 1 };
	size_t size = (size_t)cost.memory * 1024, used = 0;
	const uint8_t *memory;

	password_init(cost);
	memory = find_mapping(size);
	cr_assert_not_null(memory);
	(void)password_hash(secret_of("secret"), a);
	for (size_t i = 0; i < size; i++)
		used += memory[i] != 0;
	cr_expect_eq(used, 0);
}

Test(password, memory_of_one_hash_goes_with_it)
{
	struct password_cost cost = { 19464, 2, 1 };
	struct text phc;

	password_set_cost(cost);
	phc = password_hash(secret_of("secret"), a);
	cr_expect(text_starts(phc, T("$argon2id$v=19$m=19464,t=2,p=1$")));
	cr_expect(password_verify(secret_of("secret"), phc, a));
	cr_expect_null(find_mapping((size_t)cost.memory * 1024));
	cr_expect_null(find_mapping((size_t)PASSWORD_COST_MIN.memory * 1024), "of the cost before");
}

/* Of the arena only the hash is left. */
Test(password, normal_form_is_wiped)
{
	struct text phc = password_hash(secret_of("p\u00e4ssw\u00f6rt"), a);
	size_t before = arena_used(a);

	cr_expect(password_verify(secret_of("p\u00e4ssw\u00f6rt"), phc, a));
	cr_expect_eq(arena_used(a), before);
}

Test(password, a_cost_below_the_floor_is_our_mistake, .signal = SIGABRT)
{
	password_init((struct password_cost){ 9216, 4, 1 });
}

Test(password_without_init, hashing_is_our_mistake, .signal = SIGABRT)
{
	(void)password_hash(secret_of("secret"), arena_new(4096));
}
