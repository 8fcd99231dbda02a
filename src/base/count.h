/*
 * What is counted while a process works: how often something has happened, and how long things took.
 *
 * Each process adds to a tally of its own, without a lock. server/meter.c puts the tallies into memory
 * that all processes share and adds them up; what a process has counted outlives it. Without that
 * (rosterctl, unit tests) a tally of the process itself takes it all.
 */
#ifndef ROSTER_BASE_COUNT_H
#define ROSTER_BASE_COUNT_H

#include <stdatomic.h>

#include "base/base.h"

/* What only grows. */
enum tallied {
	TALLY_NONE, /* nothing: of requests that count for nothing in particular */
	TALLY_DATABASE_CONNECTION,
	TALLY_DATABASE_RETRY,
	TALLY_DATABASE_AGAIN, /* failures of statements, by what they mean: enum db_result */
	TALLY_DATABASE_DUPLICATE,
	TALLY_DATABASE_FAILED,
	TALLY_DATABASE_UNSURE,
	TALLY_SIGNIN_GOOD,
	TALLY_SIGNIN_BAD,
	TALLY_SIGNIN_LOCKED,
	TALLY_SIGNIN_THROTTLED,
	TALLY_MAIL_DELIVERED,
	TALLY_MAIL_DEFERRED,
	TALLY_MAIL_FAILED,
	TALLIES
};

/* What is timed. */
enum timing {
	TIMING_STATEMENT,
	TIMING_COMMIT,
	TIMING_HASH,
	TIMING_QUEUE_API, /* from nginx to a worker; in the order of enum lane */
	TIMING_QUEUE_SLOW,
	TIMINGS
};

/* What goes up and down; the service has one of each, whoever sets it. */
enum gauge { GAUGE_MAIL_WAITING, GAUGE_MAIL_RETRYING, GAUGE_MAIL_GIVEN_UP, GAUGES };

/* Times by their length: buckets[i] counts those up to bucket_bounds[i] and above the one before it, the last one the rest. */
#define BUCKETS 17
extern const int64_t bucket_bounds[BUCKETS - 1]; /* microseconds */

struct histogram {
	_Atomic uint64_t buckets[BUCKETS];
	_Atomic uint64_t sum; /* microseconds */
};

struct tally {
	_Atomic uint64_t counters[TALLIES];
	struct histogram timings[TIMINGS];
};

/* From now on this process counts there. They stay the caller's and must last as long as the process. */
void count_into(struct tally *tally, _Atomic int64_t *gauges);

void count(enum tallied c);
void count_time(enum timing t, int64_t microseconds);
void gauge_set(enum gauge g, int64_t n);
void histogram_add(struct histogram *h, int64_t microseconds);

#endif
