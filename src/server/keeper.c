#include "base/base.h"

#include "server/server.h"

#define PAUSE_MAX (3600 * SECONDS)
#define CHORES_MAX 32

/* Runs what is due and returns the milliseconds until the next is. due[] is beside app->chores. */
static int64_t
run_due(struct process *p, int64_t *due)
{
	const struct app *app = p->app;
	int64_t next = stamp_monotonic() + PAUSE_MAX, now;

	for (size_t i = 0; i < app->nchores; i++) {
		if (stamp_monotonic() >= due[i]) {
			app->chores[i].run(p->db, &p->setup->config, p->arena);
			arena_reset(p->arena);
			due[i] = stamp_monotonic() + app->chores[i].interval * SECONDS;
		}
		if (due[i] < next)
			next = due[i];
	}
	now = stamp_monotonic();
	return next > now ? (next - now) / 1000 + 1 : 1;
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
	while (process_wait(p, run_due(p, due)))
		;
	if (!p->succeeded)
		run_last(p);
}
