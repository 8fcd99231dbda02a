#include "base/base.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "identity/identity_int.h"

struct network {
	uint8_t prefix[16];
	int bits;
};

/* IANA's special-purpose registries (RFC 6890 and its successors), and multicast. */
/* clang-format off */
static const struct network inward4[] = {
	{ { 0 }, 8 },             /* this network */
	{ { 10 }, 8 },            /* private */
	{ { 100, 64 }, 10 },      /* carriers' */
	{ { 127 }, 8 },           /* loopback */
	{ { 169, 254 }, 16 },     /* link-local, and clouds' metadata */
	{ { 172, 16 }, 12 },      /* private */
	{ { 192, 0, 0 }, 24 },    /* protocols */
	{ { 192, 0, 2 }, 24 },    /* documentation */
	{ { 192, 88, 99 }, 24 },  /* 6to4 relays */
	{ { 192, 168 }, 16 },     /* private */
	{ { 198, 18 }, 15 },      /* benchmarks */
	{ { 198, 51, 100 }, 24 }, /* documentation */
	{ { 203, 0, 113 }, 24 },  /* documentation */
	{ { 224 }, 3 },           /* multicast and reserved */
};

/* Of the global unicast addresses, 2000::/3. */
static const struct network inward6[] = {
	{ { 0x20, 0x01, 0x00, 0x00 }, 23 }, /* protocols, Teredo among them */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, /* documentation */
	{ { 0x20, 0x02 }, 16 },             /* 6to4, which has an IPv4 address inside */
	{ { 0x3f, 0xff, 0x00, 0x00 }, 20 }, /* documentation */
};
/* clang-format on */

static const struct network global6 = { { 0x20 }, 3 };

/* RFC 6052: an IPv4 address behind a translator. */
static const struct network translated = { { 0x00, 0x64, 0xff, 0x9b }, 96 };

static bool
is_in(const uint8_t *address, const struct network *n)
{
	int whole = n->bits / 8, rest = n->bits % 8;
	uint8_t mask = (uint8_t)(0xff00 >> rest);

	return memcmp(address, n->prefix, (size_t)whole) == 0 &&
	    (rest == 0 || ((address[whole] ^ n->prefix[whole]) & mask) == 0);
}

static bool
is_in_any(const uint8_t *address, const struct network *networks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_in(address, &networks[i]))
			return true;
	return false;
}

static bool
is_inward4(const uint8_t *address)
{
	return is_in_any(address, inward4, countof(inward4));
}

static bool
is_inward6(const uint8_t *address)
{
	if (is_in(address, &translated))
		return is_inward4(address + 12);
	return !is_in(address, &global6) || is_in_any(address, inward6, countof(inward6));
}

bool
address_is_inward(const struct sockaddr *address)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	switch (address->sa_family) {
	case AF_INET:
		memcpy(&in, address, sizeof(in));
		return is_inward4((const uint8_t *)&in.sin_addr);
	case AF_INET6:
		memcpy(&in6, address, sizeof(in6));
		return is_inward6((const uint8_t *)&in6.sin6_addr);
	default:
		return true;
	}
}
