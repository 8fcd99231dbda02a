#include "base/base.h"

#include <sodium.h>

#include <criterion/criterion.h>

#include "crypto/random.h"
#include "keys/keys_int.h"

#define PART_MAX 513
#define PARTS 4

static struct arena *a;

static void
set_up(void)
{
	crypto_init();
	a = arena_new(1 << 24);
}

static void
tear_down(void)
{
	arena_free(&a);
}

TestSuite(public_key, .init = set_up, .fini = tear_down);

/* A field of a blob: a text, or n bytes of 0xff but for the first and the last one. */
struct part {
	const char *text;
	size_t n;
	uint8_t first, last;
};

#define WORDS(t)            \
	{                   \
		.text = (t) \
	}
#define BYTES(size, f, l)                              \
	{                                              \
		.n = (size), .first = (f), .last = (l) \
	}

/* What ends a list of fields; an empty field is WORDS(""). */
static bool
is_end(const struct part *p)
{
	return p->text == NULL && p->n == 0;
}

static void
add_part(struct buf *b, const struct part *p)
{
	uint8_t bytes[PART_MAX];
	size_t n = p->text != NULL ? strlen(p->text) : p->n;

	cr_assert(n <= sizeof(bytes));
	if (p->text != NULL) {
		memcpy(bytes, p->text, n);
	} else {
		memset(bytes, 0xff, n);
		bytes[n - 1] = p->last;
		bytes[0] = p->first;
	}
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_add_char(b, (char)(n >> shift));
	buf_add(b, (struct text){ (const char *)bytes, n });
}

static struct text
make_blob(const struct part *parts)
{
	struct buf b;

	buf_init(&b, a);
	for (size_t i = 0; i < PARTS && !is_end(&parts[i]); i++)
		add_part(&b, &parts[i]);
	return buf_text(&b);
}

static struct text
encode(struct text blob)
{
	size_t size = sodium_base64_encoded_len(blob.n, sodium_base64_VARIANT_ORIGINAL);
	char *out = arena_alloc(a, size);

	return text_from(sodium_bin2base64(
	    out, size, (const uint8_t *)blob.s, blob.n, sodium_base64_VARIANT_ORIGINAL));
}

static struct text
line_of(const char *type, struct text blob)
{
	return arena_printf(a, "%s %s alice@host", type, encode(blob).s);
}

static bool
parses(struct text line)
{
	struct ssh_key key;

	return ssh_key_parse(line, a, &key);
}

#define RSA WORDS("ssh-rsa")
#define E BYTES(3, 0x01, 0x01)
#define N_2048 BYTES(257, 0x00, 0xff) /* 256 bytes of ones behind the sign */
#define ED WORDS("ssh-ed25519")
#define SK_ED WORDS("sk-ssh-ed25519@openssh.com")
#define SK_EC WORDS("sk-ecdsa-sha2-nistp256@openssh.com")
#define P256 WORDS("ecdsa-sha2-nistp256")
#define POINT_256 BYTES(65, 0x04, 0x00)

/* clang-format off */
static const struct {
	const char *type;
	struct part parts[PARTS];
} good[] = {
	{ "ssh-rsa", { RSA, E, N_2048 } },
	{ "ssh-rsa", { RSA, BYTES(1, 3, 3), N_2048 } },
	{ "ssh-rsa", { RSA, E, BYTES(513, 0x00, 0x01) } },
	{ "ssh-rsa", { RSA, E, BYTES(257, 0x01, 0x01) } }, /* 2049 bits */
	{ "ssh-ed25519", { ED, BYTES(32, 0x00, 0x00) } },
	{ "ecdsa-sha2-nistp256", { P256, WORDS("nistp256"), POINT_256 } },
	{ "ecdsa-sha2-nistp384", { WORDS("ecdsa-sha2-nistp384"), WORDS("nistp384"), BYTES(97, 0x04, 1) } },
	{ "ecdsa-sha2-nistp521", { WORDS("ecdsa-sha2-nistp521"), WORDS("nistp521"), BYTES(133, 0x04, 1) } },
	{ "sk-ssh-ed25519@openssh.com", { SK_ED, BYTES(32, 1, 1), WORDS("ssh:") } },
	{ "sk-ecdsa-sha2-nistp256@openssh.com", { SK_EC, WORDS("nistp256"), POINT_256, WORDS("ssh:x") } },
}, bad[] = {
	/* RSA: too short, even, negative, zero, or not in its shortest form. */
	{ "ssh-rsa", { RSA, E, BYTES(129, 0x00, 0xff) } },
	{ "ssh-rsa", { RSA, E, BYTES(256, 0x7f, 0xff) } }, /* 2047 bits */
	{ "ssh-rsa", { RSA, E, BYTES(257, 0x00, 0xfe) } },
	{ "ssh-rsa", { RSA, E, BYTES(257, 0xff, 0xff) } },
	{ "ssh-rsa", { RSA, BYTES(1, 1, 1), N_2048 } },
	{ "ssh-rsa", { RSA, BYTES(1, 4, 4), N_2048 } },
	{ "ssh-rsa", { RSA, BYTES(1, 0, 0), N_2048 } },
	{ "ssh-rsa", { RSA, BYTES(2, 0, 3), N_2048 } },
	{ "ssh-rsa", { RSA, BYTES(1, 0x83, 0x83), N_2048 } },
	{ "ssh-rsa", { RSA, WORDS(""), N_2048 } },
	{ "ssh-rsa", { RSA, E, WORDS("") } },
	{ "ssh-rsa", { RSA, E, N_2048, WORDS("x") } },
	{ "ssh-rsa", { RSA, N_2048 } },
	/* Other lengths, curves and forms of points. */
	{ "ssh-ed25519", { ED, BYTES(31, 1, 1) } },
	{ "ssh-ed25519", { ED, BYTES(33, 1, 1) } },
	{ "ssh-ed25519", { ED, WORDS("") } },
	{ "ssh-ed25519", { ED, BYTES(32, 1, 1), WORDS("") } },
	{ "ecdsa-sha2-nistp256", { P256, WORDS("nistp384"), POINT_256 } },
	{ "ecdsa-sha2-nistp256", { P256, WORDS("nistp256"), BYTES(97, 0x04, 0) } },
	{ "ecdsa-sha2-nistp256", { P256, WORDS("nistp256"), BYTES(65, 0x05, 0) } },
	{ "ecdsa-sha2-nistp256", { P256, WORDS("nistp256"), BYTES(33, 0x02, 0) } },
	{ "ecdsa-sha2-nistp256", { P256, POINT_256 } },
	{ "sk-ssh-ed25519@openssh.com", { SK_ED, BYTES(32, 1, 1) } },
	{ "sk-ssh-ed25519@openssh.com", { SK_ED, BYTES(32, 1, 1), WORDS("") } },
	{ "sk-ecdsa-sha2-nistp256@openssh.com", { SK_EC, WORDS("nistp256"), POINT_256 } },
	/* The word says one type, the blob another. */
	{ "ssh-rsa", { ED, BYTES(32, 1, 1) } },
	{ "ssh-ed25519", { RSA, E, N_2048 } },
	{ "ssh-ed25519", { SK_ED, BYTES(32, 1, 1), WORDS("ssh:") } },
	{ "ecdsa-sha2-nistp384", { P256, WORDS("nistp256"), POINT_256 } },
	{ "SSH-ED25519", { ED, BYTES(32, 1, 1) } },
	/* Types that are not taken, with blobs of theirs. */
	{ "ssh-dss", { WORDS("ssh-dss"), N_2048, N_2048, N_2048 } },
	{ "ssh-ed448", { WORDS("ssh-ed448"), BYTES(57, 1, 1) } },
	{ "rsa-sha2-256", { WORDS("rsa-sha2-256"), E, N_2048 } },
	{ "ssh-ed25519-cert-v01@openssh.com", { WORDS("ssh-ed25519-cert-v01@openssh.com"), BYTES(32, 1, 1) } },
	{ "ecdsa-sha2-nistp224", { WORDS("ecdsa-sha2-nistp224"), WORDS("nistp224"), BYTES(57, 4, 0) } },
	{ "", { WORDS(""), BYTES(32, 1, 1) } },
};
/* clang-format on */

Test(public_key, every_type)
{
	for (size_t i = 0; i < countof(good); i++) {
		struct text blob = make_blob(good[i].parts);
		struct ssh_key key;

		cr_assert(ssh_key_parse(line_of(good[i].type, blob), a, &key), "%zu", i);
		cr_assert(text_eq(key.type, text_from(good[i].type)));
		cr_assert(text_eq(key.encoded, encode(blob)));
		cr_assert(text_eq((struct text){ (const char *)key.blob.p, key.blob.n }, blob));
	}
}

Test(public_key, what_is_refused)
{
	for (size_t i = 0; i < countof(bad); i++)
		cr_assert(!parses(line_of(bad[i].type, make_blob(bad[i].parts))), "%zu", i);
}

Test(public_key, not_a_byte_less_or_more)
{
	for (size_t i = 0; i < countof(good); i++) {
		struct text blob = make_blob(good[i].parts);
		struct buf longer;

		for (size_t n = 0; n < blob.n; n++)
			cr_assert(!parses(line_of(good[i].type, text_slice(blob, 0, n))),
			    "%zu: %zu bytes", i, n);
		buf_init(&longer, a);
		buf_add(&longer, blob);
		buf_add_char(&longer, '\0');
		cr_assert(!parses(line_of(good[i].type, buf_text(&longer))), "%zu", i);
	}
}

/* Lengths that lie: each byte of each length, set to others. */
Test(public_key, lengths_that_reach_behind_the_end)
{
	struct text blob = make_blob(good[0].parts);
	char *bytes = arena_alloc(a, blob.n);
	const size_t lengths[] = { 0, 11, 18 };

	for (size_t i = 0; i < countof(lengths) * 4; i++) {
		size_t at = lengths[i / 4] + i % 4;

		memcpy(bytes, blob.s, blob.n);
		bytes[at] ^= (char)0xff;
		cr_assert(!parses(line_of("ssh-rsa", (struct text){ bytes, blob.n })), "%zu", at);
	}
}

#define BLOB "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"

/* clang-format off */
static const struct {
	const char *line;
	bool good;
} lines[] = {
	{ "ssh-ed25519 " BLOB, true },
	{ "ssh-ed25519 " BLOB " alice@host", true },
	{ "ssh-ed25519\t" BLOB "\tAlice's \"laptop\" \xc3\xa4", true },
	{ "ssh-ed25519   " BLOB "  x", true },
	{ " ssh-ed25519 " BLOB, true },
	{ "", false },
	{ " ", false },
	{ "ssh-ed25519", false },
	{ "ssh-ed25519 ", false },
	{ BLOB, false },
	{ "alice@host ssh-ed25519 " BLOB, false },
	{ "no-pty ssh-ed25519 " BLOB, false },
	{ "command=\"sh\" ssh-ed25519 " BLOB, false },
	{ "restrict,from=\"10.0.0.1\" ssh-ed25519 " BLOB, false },
	{ "host.example.org ssh-ed25519 " BLOB, false },
	{ "@cert-authority * ssh-ed25519 " BLOB, false },
	{ "#ssh-ed25519 " BLOB, false },
	{ "ssh-ed25519 " BLOB "\nssh-ed25519 " BLOB, false },
	{ "ssh-ed25519 " BLOB " a\rb", false },
	{ "ssh-ed25519 " BLOB " \x1b[2J", false },
	{ "ssh-ed25519 " BLOB " \x7f", false },
	{ "ssh-ed25519 " BLOB "=", false },
	{ "ssh-ed25519 " BLOB "====", false },
	{ "ssh-ed25519 " BLOB "A", false },
	{ "ssh-ed25519 =" BLOB, false },
	{ "ssh-ed25519 AAAA C3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl", false },
	{ "ssh-ed25519 AAAA-3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl", false },
	{ "ssh-ed25519 AAAA_3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl", false },
};
/* clang-format on */

Test(public_key, lines)
{
	for (size_t i = 0; i < countof(lines); i++)
		cr_assert_eq(parses(text_from(lines[i].line)), lines[i].good, "%s", lines[i].line);
}

/* sk-ssh-ed25519 with "ssh:" ends in one padded byte: its last digit has four bits that mean nothing. */
Test(public_key, base64_has_one_form)
{
	const struct part parts[PARTS] = { SK_ED, BYTES(32, 1, 1), WORDS("ssh:") };
	struct text blob = make_blob(parts), encoded = encode(blob);
	char *changed = arena_alloc(a, encoded.n + 1);

	cr_assert_eq(encoded.s[encoded.n - 1], '=');
	memcpy(changed, encoded.s, encoded.n);
	for (size_t at = encoded.n; at-- > 0 && changed[at] == '=';)
		if (changed[at - 1] != '=')
			changed[at - 1]++;
	cr_assert(!text_eq(text_from(changed), encoded));
	cr_assert(!parses(arena_printf(a, "sk-ssh-ed25519@openssh.com %s", changed)));
	encoded.n--;
	cr_assert(!parses(arena_printf(a, "sk-ssh-ed25519@openssh.com %.*s", TEXT_ARGS(encoded))));
}

/* clang-format off */
static const struct {
	const char *text;
	bool is_private;
} secrets[] = {
	{ "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAA", true },
	{ "-----BEGIN RSA PRIVATE KEY-----\nMIIE", true },
	{ "-----BEGIN EC PRIVATE KEY-----", true },
	{ "-----BEGIN PRIVATE KEY-----", true },
	{ "-----BEGIN ENCRYPTED PRIVATE KEY-----", true },
	{ "  -----BEGIN OPENSSH PRIVATE KEY----- b3Bl in one line", true },
	{ "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----", true },
	{ "PuTTY-User-Key-File-3: ssh-ed25519", true },
	{ "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU", true },
	{ "ssh-ed25519 " BLOB "\n-----BEGIN OPENSSH PRIVATE KEY-----", true },
	{ "", false },
	{ "ssh-ed25519 " BLOB " my PRIVATE KEY", false },
	{ "---- BEGIN SSH2 PUBLIC KEY ----", false },
	{ "-----BEGIN PUBLIC KEY-----", false },
};
/* clang-format on */

Test(public_key, private_keys_are_known)
{
	for (size_t i = 0; i < countof(secrets); i++)
		cr_assert_eq(ssh_key_is_private(text_from(secrets[i].text)), secrets[i].is_private,
		    "%s", secrets[i].text);
}
