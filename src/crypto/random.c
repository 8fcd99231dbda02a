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
	struct uuid u;

	random_uuids(&u, 1);
	return u;
}

void
random_uuids(struct uuid *out, size_t n)
{
	random_bytes(out, n * sizeof(*out));
	for (size_t i = 0; i < n; i++)
		out[i] = uuid_v4(out[i].b);
}

uint32_t
random_below(uint32_t bound)
{
	return randombytes_uniform(bound);
}
