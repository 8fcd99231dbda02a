#include "base/base.h"

#include <sodium.h>

#include "keys/keys_int.h"

#define RSA_BITS_MIN 2048
#define PARTS_MAX 4

struct key_type;

/* Looks at one field of a blob. */
typedef bool part_check(const struct key_type *type, struct bytes part);

struct key_type {
	const char *name;
	const char *curve;            /* of ECDSA */
	size_t size;                  /* bytes of a curve's point, or of an Ed25519 key */
	part_check *parts[PARTS_MAX]; /* of the blob's fields after the type's name */
};

/* A positive integer in its shortest form (mpint, RFC 4251, section 5): another form has another fingerprint. */
static bool
is_integer(struct bytes part)
{
	if (part.n == 0 || part.p[0] >= 0x80)
		return false;
	return part.p[0] != 0 || (part.n > 1 && part.p[1] >= 0x80);
}

static bool
is_odd(struct bytes part)
{
	return (part.p[part.n - 1] & 1) != 0;
}

static size_t
bits(struct bytes part)
{
	size_t n = part.n * 8;

	for (unsigned mask = 0x80; mask != 0 && (part.p[0] & mask) == 0; mask >>= 1)
		n--;
	return n;
}

static bool
is_exponent(const struct key_type *type UNUSED, struct bytes part)
{
	return is_integer(part) && is_odd(part) && bits(part) > 1;
}

static bool
is_modulus(const struct key_type *type UNUSED, struct bytes part)
{
	return is_integer(part) && is_odd(part) && bits(part) >= RSA_BITS_MIN;
}

static bool
is_text(struct bytes part, const char *s)
{
	return text_eq((struct text){ (const char *)part.p, part.n }, text_from(s));
}

static bool
is_curve(const struct key_type *type, struct bytes part)
{
	return is_text(part, type->curve);
}

/* Uncompressed, which is the only form that OpenSSH takes. */
static bool
is_point(const struct key_type *type, struct bytes part)
{
	return part.n == type->size && part.p[0] == 4;
}

static bool
is_ed25519(const struct key_type *type, struct bytes part)
{
	return part.n == type->size;
}

static bool
is_application(const struct key_type *type UNUSED, struct bytes part)
{
	return part.n > 0;
}

/* clang-format off */
static const struct key_type types[] = {
	{ .name = "ssh-ed25519", .size = 32, .parts = { is_ed25519 } },
	{ .name = "ssh-rsa", .parts = { is_exponent, is_modulus } },
	{ .name = "ecdsa-sha2-nistp256", .curve = "nistp256", .size = 65,
	  .parts = { is_curve, is_point } },
	{ .name = "ecdsa-sha2-nistp384", .curve = "nistp384", .size = 97,
	  .parts = { is_curve, is_point } },
	{ .name = "ecdsa-sha2-nistp521", .curve = "nistp521", .size = 133,
	  .parts = { is_curve, is_point } },
	{ .name = "sk-ssh-ed25519@openssh.com", .size = 32,
	  .parts = { is_ed25519, is_application } },
	{ .name = "sk-ecdsa-sha2-nistp256@openssh.com", .curve = "nistp256", .size = 65,
	  .parts = { is_curve, is_point, is_application } },
};
/* clang-format on */

/* Cuts a field, its length in four bytes before it, off the blob. */
static bool
take_part(struct bytes *rest, struct bytes *part)
{
	size_t n;

	if (rest->n < 4)
		return false;
	n = (size_t)rest->p[0] << 24 | (size_t)rest->p[1] << 16 | (size_t)rest->p[2] << 8 |
	    rest->p[3];
	if (n > rest->n - 4)
		return false;
	*part = (struct bytes){ rest->p + 4, n };
	*rest = (struct bytes){ rest->p + 4 + n, rest->n - 4 - n };
	return true;
}

static bool
check_blob(const struct key_type *type, struct bytes blob)
{
	struct bytes part;

	if (!take_part(&blob, &part) || !is_text(part, type->name))
		return false;
	for (size_t i = 0; i < PARTS_MAX && type->parts[i] != NULL; i++)
		if (!take_part(&blob, &part) || !type->parts[i](type, part))
			return false;
	return blob.n == 0;
}

/* With padding, and no bits that are lost: one key has one form. */
static bool
decode(struct text encoded, struct arena *a, struct bytes *blob)
{
	uint8_t *out = arena_alloc(a, encoded.n);

	*blob = (struct bytes){ out, 0 };
	return sodium_base642bin(out, encoded.n, encoded.s, encoded.n, NULL, &blob->n, NULL,
		   sodium_base64_VARIANT_ORIGINAL) == 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct text
ssh_key_word(struct text *rest)
{
	size_t from = 0, to;

	while (from < rest->n && is_blank(rest->s[from]))
		from++;
	to = from;
	while (to < rest->n && !is_blank(rest->s[to]))
		to++;
	*rest = (struct text){ rest->s + to, rest->n - to };
	return (struct text){ rest->s - (to - from), to - from };
}

/* A comment with line feeds or escape sequences would be somebody else's line or terminal. */
static bool
has_control(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (((unsigned char)t.s[i] < ' ' && t.s[i] != '\t') || t.s[i] == 0x7f)
			return true;
	return false;
}

bool
ssh_key_parse(struct text line, struct arena *a, struct ssh_key *key)
{
	struct text rest = line;

	*key = (struct ssh_key){ 0 };
	if (has_control(line))
		return false;
	key->type = ssh_key_word(&rest);
	key->encoded = ssh_key_word(&rest);
	for (size_t i = 0; i < countof(types); i++)
		if (text_eq(key->type, text_from(types[i].name)))
			return decode(key->encoded, a, &key->blob) &&
			    check_blob(&types[i], key->blob);
	return false;
}

static bool
contains(struct text t, const char *s)
{
	return memmem(t.s, t.n, s, strlen(s)) != NULL;
}

bool
ssh_key_is_private(struct text t)
{
	/* The last: the magic words of OpenSSH's own form, without the line above them. */
	return (contains(t, "-BEGIN ") && contains(t, "PRIVATE KEY")) ||
	    (contains(t, "- BEGIN ") && contains(t, "PRIVATE KEY")) ||
	    contains(t, "PuTTY-User-Key-File") || contains(t, "b3BlbnNzaC1rZXktdjE");
}
