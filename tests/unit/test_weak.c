#include "base/base.h"
#include "base/buf.h"
#include "crypto/weak.h"

#include <criterion/criterion.h>

#define SHORT "This password is too short. It must contain at least 8 characters."
#define LONG "This password is too long. It must contain at most 128 characters."
#define COMMON "This password is too common."
#define EASY "This password is too easy to guess."
#define LIKE "The password is too similar to the "

static const struct password_rules rules = { .min_length = 8, .max_length = 128, .min_guesses = 8 };

static const struct password_owner alice[] = {
	{ "username", TEXT_INIT("alice.wonderland") },
	{ "email address", TEXT_INIT("a.wonder@example.org") },
	{ "first name", TEXT_INIT("Alic\u00e9") },
	{ "last name", TEXT_INIT("\u0411\u0443\u043b\u0433\u0430\u043a\u043e\u0432") },
};

static struct arena *a;

static void
set_up(void)
{
	a = arena_new((size_t)16 * 1024 * 1024);
}

static void
tear_down(void)
{
	arena_free(&a);
}

TestSuite(weak, .init = set_up, .fini = tear_down);

/* The messages with a | between them. */
static struct text
weaknesses(struct text password, const struct password_rules *r, const struct password_owner *owner,
    size_t nowner)
{
	size_t n;
	const struct text *list =
	    password_weaknesses(secret_from(password), r, owner, nowner, a, &n);
	struct buf b;

	buf_init(&b, a);
	buf_add(&b, T(""));
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%s%.*s", i > 0 ? "|" : "", TEXT_ARGS(list[i]));
	return buf_text(&b);
}

/* clang-format off */
static const struct {
	const char *password, *messages;
} strangers[] = {
	{ "", SHORT "|" COMMON "|" EASY },
	{ "kX7#pQ2", SHORT },
	{ "abc", SHORT "|" COMMON "|" EASY },
	{ "password", COMMON "|" EASY },
	{ "PassWord", COMMON "|" EASY },
	{ "P@ssw0rd", COMMON "|" EASY },
	{ "12345678", COMMON "|" EASY },
	{ "11111111", COMMON "|" EASY },
	{ "********", COMMON "|" EASY },
	{ "qwertyuiop", COMMON "|" EASY },
	{ "qwerty123", COMMON "|" EASY },
	{ "password123", COMMON "|" EASY },
	{ "elephant", COMMON "|" EASY },
	{ "counterrevolutionary", COMMON "|" EASY },
	{ "alice1985", COMMON "|" EASY },
	{ "Summer2024", COMMON "|" EASY },
	{ "Alice1985!", EASY },
	{ "Summer2024!", EASY },
	{ "qwertyqwertyqwertyqwertyqwerty", COMMON "|" EASY },
	{ "correct horse battery", "" },
	{ "purple monkey dishwasher", "" },
	{ "kX7#pQ2v", "" },
	{ "rT8kq2Lm0z", "" },
	{ "qpzmtyvb", "" },
	{ "\u043a\u043e\u0440\u043e\u0432\u0430\u043f\u044c\u0435\u0442\u0447\u0430\u0439", "" },
};

static const struct {
	const char *password, *messages;
} alices[] = {
	{ "alice.wonderland", LIKE "username.|" EASY },
	{ "alice_wonderland", LIKE "username.|" EASY },
	{ "my-alice.wonderland-secret", LIKE "username." },
	{ "wonder@example.org", LIKE "email address.|" EASY },
	{ "Example.Org", LIKE "email address.|" EASY },
	{ "wonderland1", COMMON "|" LIKE "username.|" LIKE "email address.|" EASY },
	{ "alice1985", COMMON "|" LIKE "username.|" LIKE "first name.|" EASY },
	{ "ALICE-1985", EASY },
	{ "\u0431\u0443\u043b\u0433\u0430\u043a\u043e\u04321", LIKE "last name." },
	{ "correct horse battery", "" },
	{ "rT8kq2Lm0z", "" },
};
/* clang-format on */

static void
expect_messages(const char *password, const struct password_rules *r,
    const struct password_owner *owner, size_t nowner, const char *expected)
{
	struct text got = weaknesses(text_from(password), r, owner, nowner);

	cr_expect(text_eq(got, text_from(expected)), "%s: %.*s", password, TEXT_ARGS(got));
}

Test(weak, passwords_of_anyone)
{
	for (size_t i = 0; i < countof(strangers); i++)
		expect_messages(strangers[i].password, &rules, NULL, 0, strangers[i].messages);
}

Test(weak, passwords_of_alice)
{
	for (size_t i = 0; i < countof(alices); i++)
		expect_messages(
		    alices[i].password, &rules, alice, countof(alice), alices[i].messages);
}

/* Short and missing values are not compared, and weigh nothing. */
Test(weak, owners_of_little)
{
	static const struct password_owner owner[] = {
		{ "username", TEXT_INIT("k7") },
		{ "email address", { NULL, 0 } },
		{ "first name", TEXT_INIT("") },
		{ "last name", TEXT_INIT("# .") },
	};

	expect_messages("k7k7k7k7", &rules, owner, countof(owner), COMMON "|" EASY);
	expect_messages("kX7#pQ2v", &rules, owner, countof(owner), "");
}

Test(weak, words_of_the_owner_make_it_easy)
{
	static const struct password_owner owner[] = {
		{ "username", TEXT_INIT("xqzjvk wpfghm") },
	};

	expect_messages("2024wpfghm99", &rules, NULL, 0, "");
	expect_messages("2024wpfghm99", &rules, owner, countof(owner), EASY);
}

Test(weak, length_counts_characters_after_nfkc)
{
	const struct password_rules only_length = { .min_length = 8, .max_length = 10 };

	expect_messages("\u00e4\u00f6\u00fc\u00df\u00e4\u00f6\u00fc", &only_length, NULL, 0, SHORT);
	expect_messages(
	    "\u00e4\u00f6\u00fc\u00df\u00e4\u00f6\u00fc\u00df", &only_length, NULL, 0, "");
	expect_messages("a\u0308a\u0308a\u0308a\u0308", &only_length, NULL, 0, SHORT);
	expect_messages("\ufb03\ufb03\ufb03", &only_length, NULL, 0, ""); /* three ligatures: ffi */
	expect_messages("\ufb03\ufb03\ufb03\ufb03", &only_length, NULL, 0,
	    "This password is too long. It must contain at most 10 characters.");
}

Test(weak, rules_can_be_set)
{
	const struct password_rules strict = {
		.min_length = 12, .max_length = 128, .min_guesses = 15
	};
	const struct password_rules loose = {
		.min_length = 8, .max_length = 128, .min_guesses = 2
	};
	const struct password_rules none = { .min_length = 1, .max_length = 128, .min_guesses = 0 };

	expect_messages("correct horse", &strict, NULL, 0, EASY);
	expect_messages("kX7#pQ2v", &strict, NULL, 0,
	    "This password is too short. It must contain at least 12 characters.");
	expect_messages("elephant", &loose, NULL, 0, "");
	expect_messages("password", &loose, NULL, 0, COMMON "|" EASY);
	expect_messages("a", &none, NULL, 0, "");
	expect_messages("alice.wonderland", &none, alice, countof(alice), LIKE "username.");
}

/* Neither time nor memory grows with what a client sends. */
Test(weak, very_long_passwords, .timeout = 10)
{
	static const char *const parts[] = { "1", "a", "@", "\xff", "\u00e4", "a\u0308", "\ufdfa",
		"\u1100\u1161\u11a8", "\u03c9\u0314\u0342\u0345", "\U0001f600" };
	struct buf b;
	size_t before;

	for (size_t i = 0; i < countof(parts); i++) {
		buf_init(&b, a);
		while (b.n < 100000)
			buf_add(&b, text_from(parts[i]));
		before = arena_used(a);
		cr_expect(
		    text_starts(weaknesses(buf_text(&b), &rules, alice, countof(alice)), T(LONG)),
		    "%zu", i);
		cr_expect_lt(arena_used(a) - before, 65536, "%zu", i);
	}
}

Test(weak, bytes_that_are_no_text)
{
	static const struct password_rules none = { .max_length = 128 };

	expect_messages("\xff\xfe\x80\xc3(", &none, alice, countof(alice), "");
	cr_expect(text_eq(weaknesses(T("kX7#\0pQ2v"), &rules, NULL, 0), T(EASY)));
}

/* What counts are the characters of the normal form. */
Test(weak, is_too_long)
{
	static const struct {
		const char *part;
		int fit; /* as many of them are 128 characters */
	} cases[] = {
		{ "a", 128 },
		{ "\u00e4", 128 },
		{ "a\u0308", 128 },
		{ "\u03c9\u0314\u0342\u0345", 128 },
		{ "\ufb01", 64 },
		{ "\uff41", 128 },
		{ "\U0001f600", 128 },
	};
	struct buf b;

	cr_expect_not(password_is_too_long(secret_from(TEXT_NONE), 128, a));
	for (size_t i = 0; i < countof(cases); i++) {
		buf_init(&b, a);
		for (int n = 0; n < cases[i].fit; n++)
			buf_add(&b, text_from(cases[i].part));
		cr_expect_not(password_is_too_long(secret_from(buf_text(&b)), 128, a), "%zu", i);
		buf_add(&b, text_from(cases[i].part));
		cr_expect(password_is_too_long(secret_from(buf_text(&b)), 128, a), "%zu", i);
	}
}
