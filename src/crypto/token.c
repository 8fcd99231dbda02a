#include "base/base.h"

#include <sodium.h>

#include "base/secret.h"
#include "crypto/random.h"
#include "crypto/token.h"

#define BYTES ((size_t)TOKEN_DIGITS / 2)

struct text
token_new(struct arena *a)
{
	struct text t;

	tokens_new(a, &t, 1);
	return t;
}

void
tokens_new(struct arena *a, struct text *out, size_t n)
{
	uint8_t *bytes = arena_alloc(a, n * BYTES);

	random_bytes(bytes, n * BYTES);
	for (size_t i = 0; i < n; i++) {
		char *digits = arena_alloc(a, TOKEN_DIGITS + 1);

		sodium_bin2hex(digits, TOKEN_DIGITS + 1, bytes + i * BYTES, BYTES);
		out[i] = (struct text){ digits, TOKEN_DIGITS };
	}
	secret_wipe(bytes, n * BYTES);
}
