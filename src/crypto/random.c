#include "base/base.h"

#include <sodium.h>

#include "base/stamp.h"
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

void
ordered_uuids(struct uuid *out, size_t n)
{
	static uint64_t last;
	uint64_t now = (uint64_t)stamp_now().us * 4096 / 1000;

	random_bytes(out, n * sizeof(*out)); /* in one call of the operating system */
	for (size_t i = 0; i < n; i++) {
		last = now > last ? now : last + 1;
		out[i] = uuid_v7(last, out[i].b);
	}
}

uint32_t
random_below(uint32_t bound)
{
	return randombytes_uniform(bound);
}
