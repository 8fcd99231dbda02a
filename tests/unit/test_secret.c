#include "base/base.h"
#include "base/secret.h"

#include <criterion/criterion.h>

static const struct {
	struct text a, b;
	bool equal;
} cases[] = {
	{ TEXT_INIT("correct horse"), TEXT_INIT("correct horse"), true },
	{ TEXT_INIT(""), TEXT_INIT(""), true },
	{ TEXT_INIT("correct horse"), TEXT_INIT("correct horsf"), false },
	{ TEXT_INIT("xorrect horse"), TEXT_INIT("correct horse"), false },
	{ TEXT_INIT("correct"), TEXT_INIT("correct horse"), false },
	{ TEXT_INIT("\0a"), TEXT_INIT("\0b"), false },
	{ TEXT_INIT("\x80"), TEXT_INIT("\x00"), false },
	{ { NULL, 0 }, TEXT_INIT(""), false },
	{ { NULL, 0 }, { NULL, 0 }, false },
};

Test(secret, eq)
{
	for (size_t i = 0; i < countof(cases); i++) {
		cr_expect_eq(secret_eq(secret_from(cases[i].a), secret_from(cases[i].b)),
		    cases[i].equal, "case %zu", i);
		cr_expect_eq(secret_eq(secret_from(cases[i].b), secret_from(cases[i].a)),
		    cases[i].equal, "case %zu, swapped", i);
	}
}

Test(secret, wipe)
{
	char s[] = "correct horse";

	secret_wipe(s + 2, 5);
	cr_assert_arr_eq(s, "co\0\0\0\0\0 horse", sizeof(s));
	secret_wipe(s, sizeof(s));
	for (size_t i = 0; i < sizeof(s); i++)
		cr_assert_eq(s[i], 0);
}
