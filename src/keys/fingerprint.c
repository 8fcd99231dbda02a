#include "base/base.h"

#include <md5.h>
#include <sodium.h>

#include "keys/keys_int.h"

#define VARIANT sodium_base64_VARIANT_ORIGINAL_NO_PADDING

struct text
ssh_key_md5(struct bytes blob, struct arena *a)
{
	uint8_t digest[MD5_DIGEST_LENGTH];
	struct buf out;
	MD5_CTX md5;

	MD5Init(&md5);
	MD5Update(&md5, blob.p, blob.n);
	MD5Final(digest, &md5);
	buf_init(&out, a);
	for (size_t i = 0; i < sizeof(digest); i++)
		buf_printf(&out, "%s%02x", i > 0 ? ":" : "", digest[i]);
	return buf_text(&out);
}

static struct text
print_digest(const char *name, const uint8_t *digest, size_t n, struct arena *a)
{
	size_t size = sodium_base64_encoded_len(n, VARIANT);
	char *encoded = arena_alloc(a, size);

	return arena_printf(a, "%s:%s", name, sodium_bin2base64(encoded, size, digest, n, VARIANT));
}

struct text
ssh_key_sha256(struct bytes blob, struct arena *a)
{
	uint8_t digest[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(digest, blob.p, blob.n);
	return print_digest("SHA256", digest, sizeof(digest), a);
}

struct text
ssh_key_sha512(struct bytes blob, struct arena *a)
{
	uint8_t digest[crypto_hash_sha512_BYTES];

	crypto_hash_sha512(digest, blob.p, blob.n);
	return print_digest("SHA512", digest, sizeof(digest), a);
}
