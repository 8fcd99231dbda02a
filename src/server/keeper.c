#include "base/base.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "server/server_int.h"

/* Memory of one run of a chore. */
#define CHORE_MEMORY (64 * 1024 * 1024)

/* A chore's next run, on the list beside app->chores. */
struct due {
	int64_t at; /* seconds, monotonic */
};

static int64_t
monotonic_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* Runs what is due and returns the seconds until the next is. */
static int64_t
run_due(const struct app *app, struct due *due, struct db *db, const struct setup *setup,
    struct arena *a)
{
	int64_t pause = 3600;

	for (size_t i = 0; i < app->nchores; i++) {
		if (monotonic_seconds() >= due[i].at) {
			app->chores[i].run(db, &setup->config, a);
			arena_reset(a);
			due[i].at = monotonic_seconds() + app->chores[i].interval;
		}
		if (due[i].at - monotonic_seconds() < pause)
			pause = due[i].at - monotonic_seconds();
	}
	return pause > 0 ? pause : 1;
}

/* A successor after a reload has the same shared memory: there is nothing to save for it. */
static void
run_last(const struct app *app, struct db *db, const struct setup *setup, struct arena *a)
{
	for (size_t i = 0; i < app->nchores; i++)
		if (app->chores[i].at_end != NULL)
			app->chores[i].at_end(db, &setup->config, a);
}

void
keeper_run(const struct app *app, const struct setup *setup)
{
	struct arena *a = arena_new(CHORE_MEMORY), *own = arena_new(CHORE_MEMORY);
	struct due *due = arena_alloc(own, app->nchores * sizeof(*due));
	struct db_options options = server_db_options(app, &setup->config);
	struct db *db = db_new(&options);
	sigset_t stop;
	int signal_number;

	log_set_process("keeper");
	prctl(PR_SET_PDEATHSIG, SIGNAL_STOP);
	signal(SIGINT, SIG_IGN);
	sigemptyset(&stop);
	sigaddset(&stop, SIGNAL_STOP);
	sigaddset(&stop, SIGNAL_HAND_OVER);
	sigprocmask(SIG_SETMASK, &stop, NULL);

	for (;;) {
		struct timespec pause = { .tv_sec = run_due(app, due, db, setup, a) };

		signal_number = sigtimedwait(&stop, NULL, &pause);
		if (signal_number > 0)
			break;
	}
	if (signal_number == SIGNAL_STOP)
		run_last(app, db, setup, a);
	db_free(&db);
	arena_free(&own);
	arena_free(&a);
	exit(CHILD_LEFT);
}
