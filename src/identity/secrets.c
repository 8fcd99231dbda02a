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

/*
 * Who fetches a token compares with what he has read before (provider.c): nobody may change it meanwhile, and whoever
 * has read it before has to read it again.
 */
/* clang-format off */
#define SECRET(n, c, which) \
	{ .name = (n), .table = "identity_providers", .column = (c), .context = "CONCAT(uuid, " which ")", \
	  .set = "version = version + 1", .only = "(fetch_until IS NULL OR fetch_until < UTC_TIMESTAMP(6))" }

/* In the order of enum provider_secret, whose number is part of the context. */
const struct sealed_column sealed_secrets[SEALED_OF_PROVIDERS] = {
	SECRET("client secrets", "client_secret", "x'00'"),
	SECRET("refresh tokens", "refresh_token", "x'01'"),
	SECRET("access tokens", "access_token", "x'02'"),
};
/* clang-format on */

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
