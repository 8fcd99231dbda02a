#define ROSTER_OWNS_MEMORY
#include "base/base.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "crypto/seal.h"
#include "server/meter.h"
#include "server/notify.h"
#include "server/place.h"
#include "server/renew.h"

#define EVENTS_MAX 64
#define SIGNALS UINT32_MAX /* an event that is no child's: signals have come */

/* Times in microseconds. */
#define STOP_EXTRA (5 * SECONDS) /* beyond the drain timeout, before a child is killed */
#define LOOK_EVERY (60 * SECONDS)

/*
 * Seconds. The locks of a process whose host has died, or lost its network, are in the way of all other
 * hosts until the database server ends its connection: by itself it notices after hours.
 */
#define TRANSACTION_IDLE 60

#define NOT_TAKEN "the configuration is not taken"

struct db_options
server_db_options(const struct app *app, const struct config *config)
{
	return (struct db_options){
		.option_file = config->database,
		.timeout = config->database_timeout,
		.idle = TRANSACTION_IDLE,
		.committed = app->committed,
	};
}

static void
setup_free(struct setup *s)
{
	if (s->keyring != NULL)
		keyring_free(&s->keyring);
	arena_free(&s->arena);
}

static bool
is_success(int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == CHILD_LEFT;
}

/* Tells systemd that the reload is over; one that goes on, or the start, is so in report_ready(). */
static void
report_unchanged(const struct master *m)
{
	if (m->ready && !m->reloading)
		notify_ready();
}

static void
refuse(const struct master *m, const char *what)
{
	log_error("%s; the old one stays", what);
	report_unchanged(m);
}

static void
each_child(struct master *m, void (*fn)(struct master *, struct child *))
{
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (m->children.all[i].pid != 0)
			fn(m, &m->children.all[i]);
}

/* What was to be taken, a program or a setup, was found good, or stays untaken. */
static void
examined(struct master *m, int status)
{
	m->examiner = 0;
	m->found_good = is_success(status);
	if (m->found_good || m->asked_to_stop)
		return;
	if (m->next.arena == NULL) {
		refuse(m, "the new program would not start");
	} else {
		setup_free(&m->next);
		refuse(m, NOT_TAKEN);
	}
}

static void
reap(struct master *m)
{
	struct child *c;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		meter_ended(pid, status);
		if ((c = child_find(&m->children, pid)) != NULL)
			child_ended(m, c, status);
		else if (pid == m->examiner)
			examined(m, status);
	}
}

static void
take_signal(struct master *m, int number)
{
	if (number == SIGHUP)
		m->asked_to_reload = true;
	else if (number == SIGTERM || number == SIGINT)
		m->asked_to_stop = true;
}

static void
read_signals(struct master *m)
{
	struct signalfd_siginfo info;

	while (read(m->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		take_signal(m, (int)info.ssi_signo);
	reap(m);
}

/* Waits for signals and for what the children say, at most until then. */
static void
wait_until(struct master *m, int64_t time)
{
	struct epoll_event events[EVENTS_MAX];
	int64_t left = time - stamp_monotonic();
	int n = epoll_wait(
	    m->children.epoll, events, EVENTS_MAX, left > 0 ? (int)(left / 1000) + 1 : 0);

	for (int i = 0; i < n; i++) {
		if (events[i].data.u32 == SIGNALS)
			read_signals(m);
		else
			child_listen(&m->children, &m->children.all[events[i].data.u32]);
	}
}

/* The app's own look at the world, in a child: the master never talks to the database. -1 after logging why not. */
static pid_t
start_check(struct master *m, const struct setup *setup)
{
	pid_t pid = fork();

	if (pid == 0) {
		sigprocmask(SIG_UNBLOCK, &m->signals, NULL);
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		log_set_process("check");
		_exit(m->app->check == NULL || m->app->check(setup) ? CHILD_LEFT : CHILD_FAILED);
	}
	if (pid < 0)
		log_error("cannot start a process: %s", strerror(errno));
	return pid;
}

static bool
check_world(struct master *m)
{
	pid_t pid = start_check(m, &m->setup);
	int status = 0;

	if (pid < 0)
		return false;
	while (waitpid(pid, &status, WNOHANG) != pid) {
		take_signal(m, sigwaitinfo(&m->signals, NULL));
		if (m->asked_to_stop)
			kill(pid, SIGTERM);
	}
	return is_success(status) && !m->asked_to_stop;
}

/* Changes that need new sockets elsewhere, or memory that is mapped once, take a restart. */
static void
keep_fixed_options(struct setup *new, const struct config *old)
{
	struct config *c = &new->config;

	if (!text_eq(c->socket_dir, old->socket_dir) || c->token_slots != old->token_slots)
		log_warning("socket_dir and token_slots change at a restart, not at a reload");
	c->token_slots = old->token_slots;
	c->socket_dir = arena_text(new->arena, old->socket_dir);
}

/* Has what is to be taken examined: a program that was replaced, else the configuration. */
static void
reload(struct master *m)
{
	m->asked_to_reload = false;
	notify_reloading();
	if (renew_due(m))
		m->examiner = renew_examine(m);
	else if (m->load(&m->next, m->ctx))
		m->examiner = start_check(m, &m->next);
	else
		refuse(m, NOT_TAKEN);
	if (m->examiner < 0)
		examined(m, -1);
}

static void
resize(struct master *m)
{
	if (!lanes_resize(m))
		log_error("not all workers of the new configuration could be added");
}

static void
take_next(struct master *m)
{
	keep_fixed_options(&m->next, &m->setup.config);
	setup_free(&m->setup);
	m->setup = m->next;
	m->next = (struct setup){ 0 };
	log_set_level(m->setup.config.log_level);
	m->reloading = true;
	resize(m);
	each_place(m, place_succeed);
	log_info("reloads: new workers take over");
}

static void
take_what_is_good(struct master *m)
{
	m->found_good = false;
	if (m->next.arena != NULL) {
		take_next(m);
	} else {
		renew(m);
		report_unchanged(m);
	}
}

/* Has each worker begun, and no predecessor of anybody still to go? Requests do not wait for processes that die. */
static bool
all_ready(const struct master *m)
{
	for (size_t i = 0; i < m->app->nprocesses; i++)
		if (place_is_handing_over(m, &m->processes[i]))
			return false;
	for (int lane = 0; lane < LANES; lane++)
		for (int i = 0; i < m->nworkers[lane]; i++) {
			const struct place *p = &m->lanes[lane][i];

			if (p->child == NULL || p->old != NULL || p->child->state == CHILD_STARTING)
				return false;
		}
	return true;
}

/* Tells systemd when each place has its worker, at the start and after a reload, unless another one has begun. */
static void
report_ready(struct master *m)
{
	if ((m->ready && !m->reloading) || m->examiner != 0 || !all_ready(m))
		return;
	notify_ready();
	log_info(m->reloading ? "reloaded" : "ready");
	m->ready = true;
	m->reloading = false;
}

static void
report_alive(struct master *m)
{
	if (m->watchdog == 0)
		return;
	if (stamp_monotonic() >= m->alive_at) {
		notify_alive();
		m->alive_at = stamp_monotonic() + m->watchdog;
	}
	look_before(m, m->alive_at);
}

static void
supervise(struct master *m)
{
	m->watchdog = notify_watchdog();
	(void)seccomp_confine(&m->setup.config, CONFINED_MASTER);
	while (!m->asked_to_stop) {
		if (m->found_good)
			take_what_is_good(m);
		if (m->asked_to_reload && m->examiner == 0)
			reload(m);
		m->look_at = stamp_monotonic() + LOOK_EVERY;
		each_place(m, place_look);
		report_ready(m);
		report_alive(m);
		wait_until(m, m->look_at);
	}
}

/* The end. */

static bool
is_last(const struct child *c)
{
	return c->post.process != NULL && c->post.process->last;
}

static void
dismiss_unless_last(struct master *m UNUSED, struct child *c)
{
	if (!is_last(c))
		child_dismiss(c, SIGNAL_STOP);
}

static void
dismiss(struct master *m UNUSED, struct child *c)
{
	child_dismiss(c, SIGNAL_STOP);
}

static void
kill_leaving(struct master *m UNUSED, struct child *c)
{
	char name[POST_NAME];

	if (c->state != CHILD_LEAVING)
		return;
	log_warning("%s (process %d) did not leave in time and is killed",
	    post_name(&c->post, name), (int)c->pid);
	kill(c->pid, SIGKILL);
}

static bool
any_leaving(const struct master *m)
{
	if (m->examiner != 0)
		return true;
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (m->children.all[i].pid != 0 && m->children.all[i].state == CHILD_LEAVING)
			return true;
	return false;
}

/* Waits for all that leave, and kills those that take longer. */
static void
wait_for_leaving(struct master *m, int64_t time)
{
	int64_t until = stamp_monotonic() + time;

	while (any_leaving(m) && stamp_monotonic() < until)
		wait_until(m, until);
	each_child(m, kill_leaving);
	while (any_leaving(m))
		wait_until(m, stamp_monotonic() + SECONDS);
}

static void
stop(struct master *m)
{
	int64_t drain = m->setup.config.drain_timeout * SECONDS;

	notify_stopping(drain + 3 * STOP_EXTRA);
	log_info("stops: accepted requests are finished");
	lanes_close(m);
	if (m->examiner != 0)
		kill(m->examiner, SIGKILL); /* it has nothing to lose, and a copy of the lock */
	each_child(m, dismiss_unless_last);
	wait_for_leaving(m, drain + STOP_EXTRA);
	each_child(m, dismiss);
	wait_for_leaving(m, STOP_EXTRA);
	log_info("stopped");
}

/* The beginning. */

/* Children inherit that the signals are blocked, and each takes those that are meant for it. */
static void
take_signals(struct master *m)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };

	sigemptyset(&m->signals);
	for (size_t i = 0; i < countof(numbers); i++) {
		signal(numbers[i], SIG_DFL); /* whoever started us may have ignored it */
		sigaddset(&m->signals, numbers[i]);
	}
	sigprocmask(SIG_BLOCK, &m->signals, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void
watch_signals(struct master *m)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = SIGNALS };

	m->signal_fd = signalfd(-1, &m->signals, SFD_CLOEXEC | SFD_NONBLOCK);
	must(m->signal_fd >= 0);
	must(epoll_ctl(m->children.epoll, EPOLL_CTL_ADD, m->signal_fd, &event) == 0);
}

/* Workers hold many connections, and the master a copy of each. */
static void
raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* The old program has had this one examined, and a service that runs goes on whatever has happened since. */
static void
go_on(struct master *m)
{
	resize(m);
	reap(m); /* the signals of those that died meanwhile are lost */
}

static bool
begin(struct master *m)
{
	const struct config *c = &m->setup.config;

	m->lock = socket_dir_take(c);
	if (m->lock < 0)
		return false;
	notify_starting((c->database_wait + 4 * c->database_timeout) * SECONDS);
	if (check_world(m) && lanes_resize(m))
		return true;
	lanes_close(m);
	if (m->asked_to_stop)
		log_info("stopped before it was ready");
	return false;
}

static bool
start(struct master *m)
{
	log_set_level(m->setup.config.log_level);
	raise_descriptors();
	children_init(&m->children);
	watch_signals(m);
	meter_map(m->app);
	meter_enter("master");
	if (m->app->share != NULL)
		m->app->share(&m->setup.config);
	if (!renew_inherit(m))
		return begin(m);
	go_on(m);
	return true;
}

int
server_run(const struct app *app, setup_load *load, void *ctx, char *const *argv)
{
	struct master *m = calloc(1, sizeof(*m));
	bool good;

	must(m != NULL && app->nprocesses <= PROCESSES_MAX);
	m->app = app;
	m->load = load;
	m->ctx = ctx;
	renew_remember(m, argv);
	for (size_t i = 0; i < app->nprocesses; i++)
		m->processes[i].post =
		    (struct post){ .process = &app->processes[i], .listener = -1 };
	log_set_process("master");
	take_signals(m);
	good = load(&m->setup, ctx);
	if (good) {
		good = start(m);
		if (good) {
			supervise(m);
			stop(m);
		}
		good |= m->asked_to_stop;
		setup_free(&m->setup);
		if (m->next.arena != NULL)
			setup_free(&m->next);
	}
	free(m);
	return good ? 0 : 1;
}
