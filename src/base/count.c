#include "base/base.h"

#include "base/count.h"

const int64_t bucket_bounds[BUCKETS - 1] = {
	100,
	250,
	500,
	1000,
	2500,
	5000,
	10000,
	25000,
	50000,
	100000,
	250000,
	500000,
	1000000,
	2500000,
	5000000,
	10000000,
};

static struct tally own_tally;
static _Atomic int64_t own_gauges[GAUGES];

static struct tally *tally = &own_tally;
static _Atomic int64_t *gauges = own_gauges;

void
count_into(struct tally *new_tally, _Atomic int64_t *new_gauges)
{
	tally = new_tally;
	gauges = new_gauges;
}

static void
add(_Atomic uint64_t *to, uint64_t n)
{
	atomic_fetch_add_explicit(to, n, memory_order_relaxed);
}

void
count(enum tallied c)
{
	if (c != TALLY_NONE)
		add(&tally->counters[c], 1);
}

void
histogram_add(struct histogram *h, int64_t microseconds)
{
	size_t i = 0;

	while (i < BUCKETS - 1 && microseconds > bucket_bounds[i])
		i++;
	add(&h->buckets[i], 1);
	if (microseconds > 0)
		add(&h->sum, (uint64_t)microseconds);
}

void
count_time(enum timing t, int64_t microseconds)
{
	histogram_add(&tally->timings[t], microseconds);
}

void
gauge_set(enum gauge g, int64_t n)
{
	atomic_store_explicit(&gauges[g], n, memory_order_relaxed);
}
