#include "base/base.h"
#include "crypto/foreign.h"
#include "crypto/password.h"
#include "crypto/random.h"

#include <criterion/criterion.h>

static struct arena *a;

static void
set_up(void)
{
	crypto_init();
	password_init(PASSWORD_COST_MIN);
	a = arena_new((size_t)16 * 1024 * 1024);
}

static void
tear_down(void)
{
	arena_free(&a);
}

TestSuite(foreign, .init = set_up, .fini = tear_down);

/* All made of "secret": by Python's hashlib and by crypt(3). */
static const char *const good[] = {
	"pbkdf2_sha256$1000$seasalt$+hs9qSCcGyNSGDNojIEbomuX9WI/mzTF5yfwAXqyKOo=",
	"$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
	"$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
	"$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
	"$2b$04$abcdefghijklmnopqrstuv2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", /* bits beyond the salt */
	"bcrypt$$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
	"bcrypt_sha256$$2b$04$abcdefghijklmnopqrstuuraR8y8jUb0UMmCc9fwl/YxKZSpSs52u",
};

Test(foreign, verifies)
{
	for (size_t i = 0; i < countof(good); i++) {
		struct text hash = text_from(good[i]);

		cr_expect(foreign_is_known(hash), "case %zu", i);
		cr_expect(password_is_known(hash), "case %zu", i);
		cr_expect(password_verify(secret_from(T("secret")), hash, a), "case %zu", i);
		cr_expect(!password_verify(secret_from(T("Secret")), hash, a), "case %zu", i);
		cr_expect(!password_verify(secret_from(T("")), hash, a), "case %zu", i);
		cr_expect(password_needs_rehash(hash), "case %zu", i);
	}
}

/* Others hash what was typed; a ligature that NFKC takes apart, and more than 72 bytes for bcrypt. */
Test(foreign, looks_at_what_was_typed)
{
	const struct text pbkdf2 = T(
	    "pbkdf2_sha256$3$xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx$qOgyfekJmlgV2o3TQK64n0zRdlTimzKM86ZZ2846NJo=");
	const struct text bcrypt =
	    T("$2b$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i");
	char x[600];

	memset(x, 'x', sizeof(x));
	cr_expect(password_verify(secret_from(T("p\u00e4ss\ufb01")), pbkdf2, a));
	cr_expect(!password_verify(secret_from(T("p\u00e4ssfi")), pbkdf2, a));
	cr_expect(password_verify(secret_from((struct text){ x, 72 }), bcrypt, a));
	cr_expect(password_verify(secret_from((struct text){ x, sizeof(x) }), bcrypt, a));
	cr_expect(!password_verify(secret_from((struct text){ x, 71 }), bcrypt, a));
	x[80] = '\0'; /* where crypt(3) would take it for the end */
	cr_expect(!password_verify(secret_from((struct text){ x, sizeof(x) }), bcrypt, a));
}

Test(foreign, refuses_what_is_malformed_or_costs_too_much)
{
	/* clang-format off */
	static const char *const cases[] = {
		"",
		"secret",
		"!",
		"pbkdf2_sha256$",
		"pbkdf2_sha256$1000$seasalt",
		"pbkdf2_sha256$1000$seasalt$",
		"pbkdf2_sha256$1000$$+hs9qSCcGyNSGDNojIEbomuX9WI/mzTF5yfwAXqyKOo=",
		"pbkdf2_sha256$0$seasalt$+hs9qSCcGyNSGDNojIEbomuX9WI/mzTF5yfwAXqyKOo=",
		"pbkdf2_sha256$-1$seasalt$+hs9qSCcGyNSGDNojIEbomuX9WI/mzTF5yfwAXqyKOo=",
		"pbkdf2_sha256$4000001$seasalt$+hs9qSCcGyNSGDNojIEbomuX9WI/mzTF5yfwAXqyKOo=",
		"pbkdf2_sha256$99999999999999999999$seasalt$+hs9qSCcGyNSGDNojIEbomuX9WI/mzTF5yfwAXqyKOo=",
		"pbkdf2_sha256$1000$seasalt$+hs9qSCcGyNSGDNojIEbomuX9WI/mzTF5yfwAXqyKA==",
		"pbkdf2_sha256$1000$seasalt$+hs9qSCcGyNSGDNojIEbomuX9WI/mzTF5yfwAXqyKOo=$",
		"pbkdf2_sha1$1000$seasalt$+hs9qSCcGyNSGDNojIEbomuX9WI/mzTF5yfwAXqyKOo=",
		"$2x$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
		"$2b$03$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
		"$2b$15$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
		"$2b$4$abcdefghijklmnopqrstuuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
		"$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIr",
		"$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WI:W",
		"$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO/O817G3uBnIFNjnQJuesI68OTLiBFdcbYEdFCoEOfaS35inz1",
		"argon2$argon2x$v=19$m=512,t=2,p=2$c29tZXNhbHQ$SSVcNAoOUC0jCWQnMw4XYBPkf9ClYTuO",
	};
	/* clang-format on */

	for (size_t i = 0; i < countof(cases); i++) {
		cr_expect(!password_is_known(text_from(cases[i])), "case %zu", i);
		cr_expect(!password_verify(secret_from(T("secret")), text_from(cases[i]), a));
	}
}
