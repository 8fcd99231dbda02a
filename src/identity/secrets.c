#include "base/base.h"

#include "identity/identity_int.h"

/* The provider and the kind of secret, so that values cannot be swapped between rows or columns. */
static struct bytes
context_of(enum provider_secret which, const struct uuid *provider, struct arena *a)
{
	uint8_t *p = arena_alloc(a, sizeof(provider->b) + 1);

	memcpy(p, provider->b, sizeof(provider->b));
	p[sizeof(provider->b)] = (uint8_t)which;
	return (struct bytes){ p, sizeof(provider->b) + 1 };
}

struct bytes
provider_seal(const struct keyring *keyring, enum provider_secret which,
    const struct uuid *provider, struct text secret, struct arena *a)
{
	if (secret.n == 0)
		return (struct bytes){ NULL, 0 };
	return seal(keyring, secret_from(secret), context_of(which, provider, a), a);
}

struct text
provider_unseal(const struct keyring *keyring, enum provider_secret which,
    const struct uuid *provider, struct bytes sealed, struct arena *a)
{
	struct secret open;

	if (sealed.p == NULL ||
	    !seal_open(keyring, sealed, context_of(which, provider, a), a, &open))
		return TEXT_NONE;
	return (struct text){ (const char *)open.bytes, open.n };
}
