#include "base/base.h"
#include "base/count.h"

#include <criterion/criterion.h>

static struct tally tally;
static _Atomic int64_t gauges[GAUGES];

static void
set_up(void)
{
	count_into(&tally, gauges);
}

TestSuite(count, .init = set_up);

Test(count, counts_into_the_tally_that_was_set)
{
	count(TALLY_SIGNIN_BAD);
	count(TALLY_SIGNIN_BAD);
	count(TALLY_NONE);
	cr_assert_eq(tally.counters[TALLY_SIGNIN_BAD], 2);
	cr_assert_eq(tally.counters[TALLY_NONE], 0);
	gauge_set(GAUGE_MAIL_WAITING, 7);
	gauge_set(GAUGE_MAIL_WAITING, 3);
	cr_assert_eq(gauges[GAUGE_MAIL_WAITING], 3);
}

Test(count, a_bound_belongs_to_the_bucket_below_it)
{
	const struct histogram *h = &tally.timings[TIMING_HASH];

	for (size_t i = 0; i < BUCKETS - 1; i++) {
		count_time(TIMING_HASH, bucket_bounds[i]);
		count_time(TIMING_HASH, bucket_bounds[i] + 1);
	}
	cr_assert_eq(h->buckets[0], 1);
	for (size_t i = 1; i < BUCKETS - 1; i++)
		cr_assert_eq(h->buckets[i], 2, "bucket %zu", i);
	cr_assert_eq(h->buckets[BUCKETS - 1], 1);
}

Test(count, a_clock_that_was_set_back_takes_no_time)
{
	count_time(TIMING_QUEUE_API, -5);
	count_time(TIMING_QUEUE_API, 1500);
	cr_assert_eq(tally.timings[TIMING_QUEUE_API].buckets[0], 1);
	cr_assert_eq(tally.timings[TIMING_QUEUE_API].sum, 1500);
}
