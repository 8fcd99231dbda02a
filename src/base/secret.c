#include "base/base.h"
#include "base/secret.h"

void
secret_wipe(void *p, size_t n)
{
	explicit_bzero(p, n);
}

bool
secret_eq(struct secret a, struct secret b)
{
	volatile uint8_t difference = 0;

	if (a.bytes == NULL || b.bytes == NULL || a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		difference |= a.bytes[i] ^ b.bytes[i];
	return difference == 0;
}
