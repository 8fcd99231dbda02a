/*
 * The service's counters: a meter for each process in memory that all share, written by that process
 * alone and without a lock, and their sums for whoever asks.
 *
 * The meter of a process that has ended keeps what was counted in it and goes to the next process
 * that starts, which counts on: so the sums are right whatever ends or crashes. They begin at zero when the
 * service starts.
 */
#ifndef ROSTER_SERVER_METER_H
#define ROSTER_SERVER_METER_H

#include <sys/types.h>

#include "base/count.h"
#include "server/server.h"

/* Maps the meters, in the master before the first fork. */
void meter_map(const struct app *app);

/* This process takes a meter of its own; name is "master", a lane's or a process's of the app. */
void meter_enter(const char *name);

/* In the master: a child has ended, with a status as of waitpid(). */
void meter_ended(pid_t pid, int status);

/* The process serves a request, or it does not. */
void meter_busy(bool busy);

/* Requests that were seen to wait for this process. */
void meter_waiting(int n);

/* Counts an answered request; route NULL: no row has answered it. */
void meter_request(const struct route *route, enum method method, int status, int64_t microseconds);

/* Sums over all processes, living and dead. */

struct meter_histogram {
	uint64_t buckets[BUCKETS];
	uint64_t count, sum; /* sum: microseconds */
};

/* Requests of a row, or of a method that no row of any path has answered. */
struct meter_route {
	const char *method, *pattern;
	struct meter_histogram duration;
	uint64_t *statuses; /* beside the table of http.h */
};

/* Processes of one name. */
struct meter_process {
	const char *name;
	bool works; /* is a lane: has requests */
	int64_t running, busy, waiting;
	int64_t memory; /* private, bytes */
	uint64_t starts, left, failed, killed;
};

struct meter_totals {
	uint64_t counters[TALLIES];
	struct meter_histogram timings[TIMINGS];
	int64_t gauges[GAUGES];
	struct meter_route *routes;
	size_t nroutes;
	struct meter_process *processes;
	size_t nprocesses;
	struct stamp started; /* the service */
};

/* All of it, on the arena. NULL: there are no meters (rosterctl). */
const struct meter_totals *meter_totals(struct arena *a);

#endif
