#include "base/base.h"

#include "server/server.h"

#define PAUSE_MAX 3600 /* seconds */
#define CHORES_MAX 32

static int64_t
monotonic_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* Runs what is due and returns the seconds until the next is. due[] is beside app->chores: seconds, monotonic. */
static int64_t
run_due(struct process *p, int64_t *due)
{
	const struct app *app = p->app;
	int64_t pause = PAUSE_MAX;

	for (size_t i = 0; i < app->nchores; i++) {
		if (monotonic_seconds() >= due[i]) {
			app->chores[i].run(p->db, &p->setup->config, p->arena);
			arena_reset(p->arena);
			due[i] = monotonic_seconds() + app->chores[i].interval;
		}
		if (due[i] - monotonic_seconds() < pause)
			pause = due[i] - monotonic_seconds();
	}
	return pause > 0 ? pause : 1;
}

/* A successor after a reload has the same shared memory: there is nothing to save for it. */
static void
run_last(struct process *p)
{
	for (size_t i = 0; i < p->app->nchores; i++)
		if (p->app->chores[i].at_end != NULL)
			p->app->chores[i].at_end(p->db, &p->setup->config, p->arena);
}

void
keeper_run(struct process *p)
{
	int64_t due[CHORES_MAX] = { 0 };

	must(p->app->nchores <= CHORES_MAX);
	while (process_wait(p, run_due(p, due) * 1000))
		;
	if (!p->succeeded)
		run_last(p);
}
