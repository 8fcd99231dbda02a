#include "base/base.h"
#include "identity/sync_int.h"

#include <criterion/criterion.h>

Test(sync, pauses_of_a_provider)
{
	static const struct {
		int64_t failures, pause;
	} cases[] = {
		{ 1, 30 },
		{ 2, 60 },
		{ 7, 1920 },
		{ 8, 3600 },
		{ 1000, 3600 },
	};

	for (size_t i = 0; i < countof(cases); i++)
		cr_expect_eq(sync_pause_of(cases[i].failures), cases[i].pause, "after %lld",
		    (long long)cases[i].failures);
}

Test(sync, delays_of_a_user)
{
	static const struct {
		int64_t failures, delay;
	} cases[] = {
		{ 0, 100 },
		{ 1, 100 },
		{ 2, 200 },
		{ 5, 1600 },
		{ 6, 3200 },
		{ 7, 3200 },
		{ INT64_MAX, 3200 },
	};

	for (size_t i = 0; i < countof(cases); i++)
		cr_expect_eq(sync_delay_of(100, cases[i].failures), cases[i].delay, "after %lld",
		    (long long)cases[i].failures);
}
