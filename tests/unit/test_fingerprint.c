#include "base/base.h"

#include <criterion/criterion.h>

#include "crypto/random.h"
#include "keys/keys_int.h"

static struct arena *a;

static void
set_up(void)
{
	crypto_init();
	a = arena_new(1 << 20);
}

static void
tear_down(void)
{
	arena_free(&a);
}

TestSuite(fingerprint, .init = set_up, .fini = tear_down);

/* RFC 1321, A.5, and FIPS 180-4's examples, in the form of ssh-keygen. */
Test(fingerprint, digests_are_printed_as_ssh_keygen_does)
{
	struct bytes abc = { (const uint8_t *)"abc", 3 };

	cr_assert(
	    text_eq(ssh_key_md5(abc, a), T("90:01:50:98:3c:d2:4f:b0:d6:96:3f:7d:28:e1:7f:72")));
	cr_assert(text_eq(
	    ssh_key_sha256(abc, a), T("SHA256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0")));
	cr_assert(text_eq(ssh_key_sha512(abc, a),
	    T("SHA512:3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q8"
	      "6A4qmslPpUyknw")));
}
