#include "base/base.h"

#include <crypt.h>
#include <openssl/evp.h>
#include <sodium.h>

#include "base/secret.h"
#include "crypto/foreign.h"

#define SHA256_SIZE 32
#define BCRYPT_HASH 60     /* characters */
#define BCRYPT_PASSWORD 72 /* bytes that count */
#define BCRYPT_TAG 29      /* where the salt has ended */

/* "<iterations>$<salt>$<base64>" */
struct pbkdf2 {
	int64_t iterations;
	struct text salt;
	uint8_t tag[SHA256_SIZE];
};

static bool
pbkdf2_parse(struct text t, struct pbkdf2 *p)
{
	struct text iterations, rest = t;
	size_t n;

	return text_split(&rest, '$', &iterations) && text_split(&rest, '$', &p->salt) &&
	    text_to_int(iterations, &p->iterations) && p->iterations > 0 &&
	    p->iterations <= PBKDF2_ITERATIONS_MAX && p->salt.n > 0 &&
	    sodium_base642bin(p->tag, sizeof(p->tag), rest.s, rest.n, NULL, &n, NULL,
		sodium_base64_VARIANT_ORIGINAL) == 0 &&
	    n == sizeof(p->tag);
}

static bool
pbkdf2_known(struct text t)
{
	struct pbkdf2 p;

	return pbkdf2_parse(t, &p);
}

static bool
pbkdf2_matches(struct text password, struct text t, struct arena *a UNUSED)
{
	struct pbkdf2 p;
	uint8_t tag[SHA256_SIZE];

	return pbkdf2_parse(t, &p) &&
	    PKCS5_PBKDF2_HMAC(password.s, (int)password.n, (const uint8_t *)p.salt.s, (int)p.salt.n,
		(int)p.iterations, EVP_sha256(), sizeof(tag), tag) == 1 &&
	    secret_eq((struct secret){ tag, sizeof(tag) }, (struct secret){ p.tag, sizeof(p.tag) });
}

static bool
is_bcrypt_char(char c)
{
	return (c >= '.' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* "$2b$12$" and 53 characters. */
static bool
bcrypt_known(struct text t)
{
	int64_t cost;

	if (t.n != BCRYPT_HASH || !text_starts(t, T("$2")) || memchr("aby", t.s[2], 3) == NULL ||
	    t.s[3] != '$' || t.s[6] != '$')
		return false;
	for (size_t i = 7; i < t.n; i++)
		if (!is_bcrypt_char(t.s[i]))
			return false;
	return text_to_int(text_slice(t, 4, 6), &cost) && cost >= 4 && cost <= BCRYPT_COST_MAX;
}

static bool
bcrypt_matches(struct text password, struct text t, struct arena *a)
{
	struct crypt_data *data = arena_alloc(a, sizeof(*data));
	const char *made;

	if (!bcrypt_known(t) || memchr(password.s, '\0', password.n) != NULL)
		return false;
	made = crypt_r(
	    arena_text(a, text_slice(password, 0, BCRYPT_PASSWORD)).s, arena_text(a, t).s, data);
	/* Some wrote bits that do not count into the salt's last character; crypt(3) clears them in what it makes. */
	return made != NULL &&
	    secret_eq(secret_from(text_slice(text_from(made), BCRYPT_TAG, BCRYPT_HASH)),
		secret_from(text_slice(t, BCRYPT_TAG, BCRYPT_HASH)));
}

/* Django's way past the 72 bytes: bcrypt of the digest in hexadecimal. */
static bool
bcrypt_sha256_matches(struct text password, struct text t, struct arena *a)
{
	uint8_t digest[SHA256_SIZE];
	char *digits = arena_alloc(a, 2 * SHA256_SIZE + 1);

	crypto_hash_sha256(digest, (const uint8_t *)password.s, password.n);
	sodium_bin2hex(digits, 2 * SHA256_SIZE + 1, digest, sizeof(digest));
	return bcrypt_matches((struct text){ digits, 2 * SHA256_SIZE }, t, a);
}

/* What comes after the prefix. */
static const struct scheme {
	struct text prefix;
	bool (*known)(struct text t);
	bool (*matches)(struct text password, struct text t, struct arena *a);
} schemes[] = {
	{ TEXT_INIT("pbkdf2_sha256$"), pbkdf2_known, pbkdf2_matches },
	{ TEXT_INIT("bcrypt_sha256$"), bcrypt_known, bcrypt_sha256_matches },
	{ TEXT_INIT("bcrypt$"), bcrypt_known, bcrypt_matches },
	{ TEXT_INIT(""), bcrypt_known, bcrypt_matches },
};

/* The scheme of a hash, which keeps what comes after the prefix. */
static const struct scheme *
scheme_of(struct text *hash)
{
	const struct scheme *s = schemes;

	while (!text_starts(*hash, s->prefix))
		s++; /* the last prefix is empty */
	*hash = text_slice(*hash, s->prefix.n, hash->n);
	return s;
}

bool
foreign_is_known(struct text hash)
{
	const struct scheme *s = scheme_of(&hash);

	return s->known(hash);
}

bool
foreign_matches(struct text password, struct text hash, struct arena *a)
{
	const struct scheme *s = scheme_of(&hash);

	return s->matches(password, hash, a);
}
