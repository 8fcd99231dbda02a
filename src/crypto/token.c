#include "base/base.h"

#include <sodium.h>

#include "base/secret.h"
#include "crypto/random.h"
#include "crypto/token.h"

struct text
token_new(struct arena *a)
{
	uint8_t bytes[TOKEN_DIGITS / 2];
	char *digits = arena_alloc(a, TOKEN_DIGITS + 1);

	random_bytes(bytes, sizeof(bytes));
	sodium_bin2hex(digits, TOKEN_DIGITS + 1, bytes, sizeof(bytes));
	secret_wipe(bytes, sizeof(bytes));
	return (struct text){ digits, TOKEN_DIGITS };
}
