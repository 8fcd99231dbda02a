#include "base/base.h"
#include "crypto/random.h"
#include "crypto/seal.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_TEMPLATE "/tmp/roster-test-seal-XXXXXX"
#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_B "202122232425262728292A2B2C2D2E2F303132333435363738393a3b3c3d3e3f"

static struct arena *a;
static char path[sizeof(PATH_TEMPLATE)];

static void
set_up(void)
{
	crypto_init();
	memcpy(path, PATH_TEMPLATE, sizeof(path));
	close(mkstemp(path));
	a = arena_new((size_t)1024 * 1024);
}

static void
tear_down(void)
{
	unlink(path);
	arena_free(&a);
}

TestSuite(seal, .init = set_up, .fini = tear_down);

static void
write_file(struct text content)
{
	FILE *f = fopen(path, "w");

	cr_assert(f != NULL && fwrite(content.s, 1, content.n, f) == content.n && fclose(f) == 0);
}

static struct keyring *
ring_of(struct text content)
{
	struct keyring *k;
	struct text problem = TEXT_NONE;

	write_file(content);
	k = keyring_read(text_from(path), a, &problem);
	cr_assert(k != NULL, "%.*s", TEXT_ARGS(problem));
	return k;
}

static struct bytes
bytes_of(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, s == NULL ? 0 : strlen(s) };
}

static bool
same(struct bytes x, struct bytes y)
{
	return x.n == y.n && memcmp(x.p, y.p, x.n) == 0;
}

Test(seal, reads_a_key_file)
{
	struct keyring *k = ring_of(T("# newest first\n"
				      "\n"
				      "7 " KEY_B "\n"
				      "  1   " KEY_A " \r\n"));

	cr_expect_eq(keyring_count(k), 2);
	keyring_free(&k);
	cr_expect_null(k);
	keyring_free(&k);
}

Test(seal, generated_file_has_one_new_key)
{
	struct text one = keyring_generate(a), two = keyring_generate(a);
	struct keyring *k = ring_of(one);

	cr_expect_eq(keyring_count(k), 1);
	cr_expect(!text_eq(one, two));
	keyring_free(&k);
}

/* clang-format off */
#define NOT_A_KEY "not a key; a line is an id from 1 to 255, a blank and 64 hex digits"
static const struct {
	struct text content;
	const char *problem;
} faults[] = {
	{ TEXT_INIT(""),
	  ": there is no key in it; a line is an id from 1 to 255, a blank and 64 hex digits" },
	{ TEXT_INIT("# " KEY_A "\n"),
	  ": there is no key in it; a line is an id from 1 to 255, a blank and 64 hex digits" },
	{ TEXT_INIT(KEY_A "\n"), ":1: " NOT_A_KEY },
	{ TEXT_INIT("1" KEY_A "\n"), ":1: " NOT_A_KEY },
	{ TEXT_INIT("0 " KEY_A "\n"), ":1: " NOT_A_KEY },
	{ TEXT_INIT("256 " KEY_A "\n"), ":1: " NOT_A_KEY },
	{ TEXT_INIT("x " KEY_A "\n"), ":1: " NOT_A_KEY },
	{ TEXT_INIT("1 " KEY_A "00\n"), ":1: " NOT_A_KEY },
	{ TEXT_INIT("\n1 abcdef\n"), ":2: " NOT_A_KEY },
	{ TEXT_INIT("1 " KEY_A "\n2 g" KEY_B "\n"), ":2: " NOT_A_KEY },
	{ TEXT_INIT("1 x00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
	  ":1: " NOT_A_KEY },
	{ TEXT_INIT("1 \xff" KEY_A), ":1: " NOT_A_KEY },
	{ TEXT_INIT("1 " KEY_A "\n1 " KEY_B "\n"),
	  ":2: a line above has the same id; each key needs its own" },
	{ TEXT_INIT("1 " KEY_A "\n2 " KEY_A "\n3 " KEY_A "\n4 " KEY_A "\n5 " KEY_A "\n"
		    "6 " KEY_A "\n7 " KEY_A "\n8 " KEY_A "\n9 " KEY_A "\n"),
	  ":9: there are more keys than the 8 that roster takes; remove the oldest" },
};
/* clang-format on */

static void
expect_problem(struct text file, const char *expected)
{
	struct text problem = TEXT_NONE;
	struct keyring *k = keyring_read(file, a, &problem);

	cr_expect_null(k);
	problem = text_slice(problem, file.n, problem.n);
	cr_expect(text_eq(problem, text_from(expected)), "%.*s", TEXT_ARGS(problem));
}

Test(seal, faults_in_a_key_file)
{
	for (size_t i = 0; i < countof(faults); i++) {
		write_file(faults[i].content);
		expect_problem(text_from(path), faults[i].problem);
	}
}

Test(seal, files_that_are_refused)
{
	struct text missing, open_to_others;

	unlink(path);
	missing = arena_printf(a,
	    ": No such file or directory; bring it back from a backup, or, if nothing was sealed "
	    "with it yet, make one with \"(umask 027; rosterctl key new > %s)\"",
	    path);
	expect_problem(text_from(path), missing.s);
	cr_assert_eq(mkfifo(path, 0600), 0);
	expect_problem(text_from(path), ": not a regular file");
	unlink(path);
	expect_problem(T("/tmp"), ": not a regular file");

	write_file(T("1 " KEY_A "\n"));
	cr_assert_eq(chmod(path, 0644), 0);
	open_to_others = arena_printf(
	    a, ": open to other users (mode 0644); close it with \"chmod o= %s\"", path);
	expect_problem(text_from(path), open_to_others.s);
	cr_assert_eq(truncate(path, 8193), 0);
	cr_assert_eq(chmod(path, 0640), 0);
	expect_problem(text_from(path), ": larger than 8192 bytes, so not a key file");
}

Test(seal, round_trip)
{
	static const char *const contexts[] = { NULL, "", "row 1" };
	struct keyring *k = ring_of(T("3 " KEY_A "\n"));
	char long_secret[5000];
	struct secret out;

	memset(long_secret, 's', sizeof(long_secret));
	for (size_t i = 0; i < countof(contexts); i++) {
		for (size_t n = 0; n <= sizeof(long_secret); n += 1000) {
			struct secret in = { (const uint8_t *)long_secret, n };
			struct bytes sealed = seal(k, in, bytes_of(contexts[i]), a);

			cr_expect_eq(sealed.n, n + 41);
			cr_expect_eq(sealed.p[0], 3);
			cr_assert(seal_open(k, sealed, bytes_of(contexts[i]), a, &out));
			cr_expect(secret_eq(in, out), "%zu bytes", n);
		}
	}
	keyring_free(&k);
}

Test(seal, is_different_each_time)
{
	struct keyring *k = ring_of(T("1 " KEY_A "\n"));
	struct secret s = secret_from(T("secret"));

	cr_expect(!same(seal(k, s, bytes_of("x"), a), seal(k, s, bytes_of("x"), a)));
	keyring_free(&k);
}

Test(seal, opens_only_for_its_context)
{
	static const struct {
		const char *sealed_for, *opened_for;
		bool opens;
	} cases[] = {
		{ "row 1", "row 1", true },
		{ "row 1", "row 2", false },
		{ "row 1", "row 1 ", false },
		{ "row 1", NULL, false },
		{ NULL, "row 1", false },
	};
	struct keyring *k = ring_of(T("1 " KEY_A "\n"));
	struct bytes sealed;
	struct secret out;

	for (size_t i = 0; i < countof(cases); i++) {
		sealed = seal(k, secret_from(T("secret")), bytes_of(cases[i].sealed_for), a);
		cr_expect_eq(seal_open(k, sealed, bytes_of(cases[i].opened_for), a, &out),
		    cases[i].opens, "case %zu", i);
	}
	keyring_free(&k);
}

/* Every bit, and every length. */
Test(seal, notices_each_change)
{
	struct keyring *k = ring_of(T("1 " KEY_A "\n2 " KEY_B "\n"));
	struct bytes sealed = seal(k, secret_from(T("secret")), bytes_of("x"), a), changed;
	uint8_t copy[64];
	struct secret out;

	cr_assert_leq(sealed.n, sizeof(copy));
	for (size_t bit = 0; bit < sealed.n * 8; bit++) {
		memcpy(copy, sealed.p, sealed.n);
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
		changed = (struct bytes){ copy, sealed.n };
		cr_expect(!seal_open(k, changed, bytes_of("x"), a, &out), "bit %zu", bit);
	}
	for (size_t n = 0; n < sealed.n; n++)
		cr_expect(!seal_open(k, (struct bytes){ sealed.p, n }, bytes_of("x"), a, &out));
	cr_expect(!seal_open(k, (struct bytes){ NULL, 0 }, bytes_of("x"), a, &out));
	keyring_free(&k);
}

Test(seal, old_keys_open_and_the_newest_seals)
{
	struct keyring *before = ring_of(T("1 " KEY_A "\n"));
	struct keyring *after = ring_of(T("2 " KEY_B "\n1 " KEY_A "\n"));
	struct secret s = secret_from(T("secret")), out;
	struct bytes old = seal(before, s, bytes_of("x"), a);
	struct bytes new = seal(after, s, bytes_of("x"), a);

	cr_expect_eq(new.p[0], 2);
	cr_expect(seal_open(after, old, bytes_of("x"), a, &out) && secret_eq(s, out));
	cr_expect(!seal_open(before, new, bytes_of("x"), a, &out));
	keyring_free(&before);
	keyring_free(&after);
}

Test(seal, lookup_hashes)
{
	struct keyring *k = ring_of(T("2 " KEY_B "\n1 " KEY_A "\n"));
	struct keyring *only_a = ring_of(T("9 " KEY_A "\n"));
	struct secret s = secret_from(T("secret")), t = secret_from(T("secret2"));
	struct bytes hash = lookup_hash(k, 0, "token", s, a);

	cr_expect_eq(hash.n, LOOKUP_SIZE);
	cr_expect(same(hash, lookup_hash(k, 0, "token", s, a)));
	cr_expect(!same(hash, lookup_hash(k, 0, "token", t, a)));
	cr_expect(!same(hash, lookup_hash(k, 0, "code", s, a)));
	cr_expect(!same(hash, lookup_hash(k, 0, "seal", s, a)));
	cr_expect(!same(hash, lookup_hash(k, 1, "token", s, a)));
	cr_expect(same(lookup_hash(k, 1, "token", s, a), lookup_hash(only_a, 0, "token", s, a)));
	cr_expect(same(lookup_hash(k, 0, "email_code", s, a), lookup_hash(k, 0, "email_co", s, a)));
	keyring_free(&k);
	keyring_free(&only_a);
}

/*
 * What one release has stored the next ones must find and open. Made without roster: with hashlib
 * of Python and crypto_secretbox_easy(), from KEY_A, "secret", and "row 1".
 */
/* clang-format off */
static const uint8_t stored_hash[] = {
	0xc6, 0xd8, 0xf4, 0xa9, 0xf9, 0x90, 0x55, 0xc0, 0x94, 0x04, 0x87, 0x21, 0x29, 0xda, 0x98, 0x64,
	0xa2, 0x8a, 0x82, 0x57, 0x26, 0x8c, 0x85, 0xe6, 0xf9, 0x51, 0xd7, 0x2f, 0x90, 0xad, 0x4b, 0xf0,
};
static const uint8_t stored_box[] = {
	0x01, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e,
	0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x15, 0xed, 0xcc, 0xd8, 0x53, 0x9f, 0x48,
	0x26, 0xda, 0xb5, 0xe2, 0x70, 0xa4, 0x4f, 0x40, 0xc6, 0x11, 0x8d, 0xc6, 0x73, 0x85, 0xad,
};
/* clang-format on */

Test(seal, stored_values_stay_readable)
{
	struct keyring *k = ring_of(T("1 " KEY_A "\n"));
	struct secret s = secret_from(T("secret")), out;
	struct bytes hash = lookup_hash(k, 0, "token", s, a);
	struct bytes box = { stored_box, sizeof(stored_box) };

	cr_expect(same(hash, (struct bytes){ stored_hash, sizeof(stored_hash) }));
	cr_expect(seal_open(k, box, bytes_of("row 1"), a, &out) && secret_eq(s, out));
	keyring_free(&k);
}

/* The kernel tells it without a crash. */
Test(seal, keys_are_read_only)
{
	struct keyring *k = ring_of(T("1 " KEY_A "\n"));
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	cr_expect_eq(read(zero, k, 1), -1);
	cr_expect_eq(errno, EFAULT);
	close(zero);
	keyring_free(&k);
}
