#include "base/base.h"
#include "mail/mail_int.h"

#include <criterion/criterion.h>

Test(mailer, pauses)
{
	static const struct {
		int64_t attempts, pause;
	} cases[] = {
		{ 1, 60 },
		{ 2, 120 },
		{ 3, 240 },
		{ 8, 7680 },
		{ 9, 14400 },
		{ 19, 14400 },
		{ 20, 0 },
		{ 1000, 0 },
	};

	for (size_t i = 0; i < countof(cases); i++)
		cr_expect_eq(mailer_pause(cases[i].attempts), cases[i].pause, "after %lld",
		    (long long)cases[i].attempts);
}

Test(mailer, gives_up_after_two_days)
{
	int64_t total = 0, pause;

	for (int64_t i = 1; (pause = mailer_pause(i)) > 0; i++)
		total += pause;
	cr_expect_gt(total, 47 * 3600);
	cr_expect_lt(total, 50 * 3600);
}
