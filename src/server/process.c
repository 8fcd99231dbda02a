#include "base/base.h"

#include <signal.h>

#include "base/log.h"
#include "server/channel.h"
#include "server/meter.h"
#include "server/server_int.h"

/* Memory of one piece of work. */
#define PROCESS_MEMORY (64 * 1024 * 1024)

/* The signals that tell a process to leave; they stay blocked, and are taken in its pauses. */
static sigset_t
leave_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGNAL_STOP);
	sigaddset(&set, SIGNAL_HAND_OVER);
	return set;
}

bool
process_wait(struct process *p, int64_t milliseconds)
{
	struct timespec pause = { milliseconds / 1000, milliseconds % 1000 * 1000 * 1000 };
	sigset_t set = leave_signals();

	arena_reset(p->arena);
	if (!p->leaving) {
		int number = sigtimedwait(&set, NULL, &pause);

		p->leaving = number > 0;
		p->succeeded = number == SIGNAL_HAND_OVER;
	}
	return !p->leaving;
}

bool
leave_is_pending(void)
{
	sigset_t pending;

	sigpending(&pending);
	return sigismember(&pending, SIGNAL_STOP) == 1 ||
	    sigismember(&pending, SIGNAL_HAND_OVER) == 1;
}

bool
process_is_leaving(struct process *p)
{
	return p->leaving || leave_is_pending();
}

void
process_run(const struct app *app, const struct setup *setup, const struct post *post)
{
	struct db_options options = server_db_options(app, &setup->config);
	sigset_t set = leave_signals();
	struct process p = {
		.app = app,
		.setup = setup,
		.arena = arena_new(PROCESS_MEMORY),
		.db = db_new(&options),
	};

	log_set_process(post->process->name);
	meter_enter(post->process->name);
	/* A terminal's Ctrl-C reaches the whole group; the master tells us in order. */
	signal(SIGINT, SIG_IGN);
	sigprocmask(SIG_SETMASK, &set, NULL);
	(void)seccomp_confine(&setup->config, CONFINED_PROCESS);
	(void)channel_send(post->channel, (struct note){ .kind = NOTE_READY }, -1);
	post->process->run(&p);
	db_free(&p.db);
	arena_free(&p.arena);
	exit(CHILD_LEFT);
}
