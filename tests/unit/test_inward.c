#include "base/base.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "identity/identity_int.h"

static bool
is_inward(const char *printed)
{
	struct sockaddr_storage storage = { 0 };
	struct sockaddr_in *in = (struct sockaddr_in *)&storage;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&storage;

	if (inet_pton(AF_INET, printed, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
	} else {
		in6->sin6_family = AF_INET6;
		must(inet_pton(AF_INET6, printed, &in6->sin6_addr) == 1);
	}
	return address_is_inward((const struct sockaddr *)&storage);
}

Test(inward, addresses_that_are_not_public)
{
	static const char *const addresses[] = { "0.0.0.0", "0.255.255.255", "10.0.0.0",
		"10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1", "127.255.255.255",
		"169.254.169.254", "172.16.0.0", "172.31.255.255", "192.0.0.8", "192.0.2.1",
		"192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1", "198.19.255.255",
		"198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1",
		"255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::8.8.8.8",
		"64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1", "100::1", "2001::1",
		"2001:1ff:ffff::1", "2001:db8::1", "2002:7f00:1::1", "3fff::1", "fc00::1",
		"fdff::1", "fe80::1", "febf::1", "fec0::1", "ff02::1", "4000::1", "1fff::1" };

	for (size_t i = 0; i < countof(addresses); i++)
		cr_expect(is_inward(addresses[i]), "%s", addresses[i]);
}

Test(inward, public_addresses)
{
	static const char *const addresses[] = { "1.0.0.1", "8.8.8.8", "9.255.255.255", "11.0.0.0",
		"100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1", "169.253.255.255",
		"169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.1", "192.167.255.255",
		"192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "2001:200::1",
		"2001:db7::1", "2001:db9::1", "2003::1", "2a00:1450::1", "2606:4700::1111",
		"3ffe::1", "64:ff9b::808:808" };

	for (size_t i = 0; i < countof(addresses); i++)
		cr_expect_not(is_inward(addresses[i]), "%s", addresses[i]);
}

Test(inward, other_families)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	cr_assert(address_is_inward((const struct sockaddr *)&un));
}
