#include "base/base.h"

#include <sodium.h>

#include "crypto/random.h"

void
crypto_init(void)
{
	must(sodium_init() >= 0);
}

void
random_bytes(void *out, size_t n)
{
	randombytes_buf(out, n);
}

struct uuid
random_uuid(void)
{
	uint8_t bytes[16];

	random_bytes(bytes, sizeof(bytes));
	return uuid_v4(bytes);
}

uint32_t
random_below(uint32_t bound)
{
	return randombytes_uniform(bound);
}
