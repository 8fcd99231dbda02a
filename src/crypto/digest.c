#include "base/base.h"

#include <sodium.h>
#include <unistd.h>

#include "crypto/digest.h"

#define PIECE (64 * 1024)

struct bytes
digest(const struct text *parts, size_t n, struct arena *a)
{
	uint8_t *out = arena_alloc(a, DIGEST_SIZE);
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, DIGEST_SIZE);
	for (size_t i = 0; i < n; i++) {
		uint64_t length = parts[i].n;

		crypto_generichash_update(&state, (const uint8_t *)&length, sizeof(length));
		crypto_generichash_update(&state, (const uint8_t *)parts[i].s, parts[i].n);
	}
	crypto_generichash_final(&state, out, DIGEST_SIZE);
	return (struct bytes){ out, DIGEST_SIZE };
}

struct bytes
digest_file(int fd, struct arena *a)
{
	uint8_t *out = arena_alloc(a, DIGEST_SIZE), piece[PIECE];
	crypto_generichash_state state;
	ssize_t n;

	crypto_generichash_init(&state, NULL, 0, DIGEST_SIZE);
	while ((n = read(fd, piece, sizeof(piece))) > 0)
		crypto_generichash_update(&state, piece, (size_t)n);
	crypto_generichash_final(&state, out, DIGEST_SIZE);
	return n < 0 ? (struct bytes){ 0 } : (struct bytes){ out, DIGEST_SIZE };
}

struct text
hex(struct bytes b, struct arena *a)
{
	char *out = arena_alloc(a, b.n * 2 + 1);

	sodium_bin2hex(out, b.n * 2 + 1, b.p, b.n);
	return (struct text){ out, b.n * 2 };
}
