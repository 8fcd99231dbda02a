#define ROSTER_OWNS_MEMORY
#include "base/base.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "crypto/seal.h"
#include "server/notify.h"
#include "server/server_int.h"

#define LANES 2
#define WORKERS_MAX 256 /* a lane; the option table allows no more */
#define LEAVING_MAX 1024
#define PROCESSES_MAX 8
#define PAUSE_MIN 100   /* milliseconds before a child that died young is replaced ... */
#define PAUSE_MAX 10000 /* ... doubling up to this */
#define YOUNG 5000      /* milliseconds */
#define STOP_EXTRA 5    /* seconds beyond the drain timeout before a child is killed */

/* A place that always has one child: a worker of a lane, or a process of the app's table. */
struct place {
	struct post post;                  /* of a worker */
	struct slot *slots;                /* two: a child and its successor each write their own */
	const struct app_process *process; /* NULL: a worker */
	pid_t pid;                         /* 0: none */
	pid_t old;        /* the predecessor that is told to hand over once this one is ready */
	int64_t born;     /* milliseconds, monotonic */
	int64_t pause;    /* before the next start */
	int64_t start_at; /* when there is none */
};

struct master {
	const struct app *app;
	setup_load *load;
	void *ctx;
	struct setup setup;
	struct place lanes[LANES][WORKERS_MAX];
	struct place processes[PROCESSES_MAX];
	int nworkers[LANES];
	struct slot
	    *slots; /* shared; one for each place of a lane, and its predecessor's is reused */
	pid_t leaving[LEAVING_MAX]; /* handed over, not gone yet */
	sigset_t signals;
	int lock;
	bool ready; /* told to systemd */
	bool reloading;
};

struct db_options
server_db_options(const struct app *app, const struct config *config)
{
	return (struct db_options){
		.option_file = config->database,
		.timeout = config->database_timeout,
		.committed = app->committed,
	};
}

static int64_t
monotonic_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Forks a child that has neither the master's signal mask nor its listeners' other ends to mind. */
static pid_t
fork_child(void)
{
	pid_t pid = fork();

	if (pid < 0)
		log_error("cannot fork: %s", strerror(errno));
	return pid;
}

static void
place_start(struct master *m, struct place *p)
{
	if (p->process == NULL) {
		p->post.slot = &p->slots[p->post.slot == &p->slots[0] ? 1 : 0];
		atomic_store(&p->post.slot->state, SLOT_EMPTY);
	}
	p->born = monotonic_ms();
	p->pid = fork_child();
	if (p->pid == 0) {
		if (p->process != NULL)
			process_run(m->app, &m->setup, p->process);
		worker_run(m->app, &m->setup, &p->post);
	}
	if (p->pid < 0) {
		p->pid = 0;
		p->start_at = monotonic_ms() + PAUSE_MAX;
	}
}

static void
each_place(struct master *m, void (*fn)(struct master *, struct place *))
{
	for (int lane = 0; lane < LANES; lane++)
		for (int i = 0; i < m->nworkers[lane]; i++)
			fn(m, &m->lanes[lane][i]);
	for (size_t i = 0; i < m->app->nprocesses; i++)
		fn(m, &m->processes[i]);
}

/* Remembers a child that leaves by itself, so that the end can wait for it. */
static void
let_leave(struct master *m, pid_t pid, int signal_number)
{
	kill(pid, signal_number);
	for (size_t i = 0; i < LEAVING_MAX; i++) {
		if (m->leaving[i] == 0) {
			m->leaving[i] = pid;
			return;
		}
	}
	log_warning("too many workers are leaving; %d is ended", (int)pid);
	kill(pid, SIGKILL);
}

/* A successor beside the child that is there, which goes when the successor is ready. */
static void
place_succeed(struct master *m, struct place *p)
{
	if (p->pid == 0 || p->old != 0)
		return;
	p->old = p->pid;
	place_start(m, p);
}

/* Looks at what the child of a place has said. */
static void
place_look(struct master *m, struct place *p)
{
	int state;

	if (p->pid == 0) {
		if (monotonic_ms() >= p->start_at)
			place_start(m, p);
		return;
	}
	state = p->process != NULL ? SLOT_READY : atomic_load(&p->post.slot->state);
	if (state == SLOT_RETIRING)
		place_succeed(m, p);
	else if (state == SLOT_READY && p->old != 0) {
		let_leave(m, p->old, SIGNAL_HAND_OVER);
		p->old = 0;
	}
}

static const char *
place_name(const struct place *p)
{
	return p->process != NULL ? p->process->name : lane_name(p->post.lane);
}

/* A child of a place has ended: the next one comes at once, or after a pause if it died young. */
static void
place_ended(struct place *p, int status)
{
	int64_t now = monotonic_ms();

	if (WIFSIGNALED(status))
		log_error("%s %d (process %d) was ended by signal %d (%s)", place_name(p),
		    p->post.index, (int)p->pid, WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		log_error("%s %d (process %d) has exited with status %d", place_name(p),
		    p->post.index, (int)p->pid, WEXITSTATUS(status));
	if (now - p->born >= YOUNG)
		p->pause = 0;
	p->start_at = now + p->pause;
	p->pause = p->pause == 0 ? PAUSE_MIN : p->pause * 2 < PAUSE_MAX ? p->pause * 2 : PAUSE_MAX;
	p->pid = 0;
}

static bool
place_is(struct place *p, pid_t pid, int status)
{
	if (p->old == pid) {
		p->old = 0;
		return true;
	}
	if (p->pid != pid)
		return false;
	place_ended(p, status);
	return true;
}

static void
child_ended(struct master *m, pid_t pid, int status)
{
	for (size_t i = 0; i < LEAVING_MAX; i++) {
		if (m->leaving[i] == pid) {
			m->leaving[i] = 0;
			return;
		}
	}
	for (size_t i = 0; i < PROCESSES_MAX; i++)
		if (place_is(&m->processes[i], pid, status))
			return;
	for (int lane = 0; lane < LANES; lane++)
		for (int i = 0; i < WORKERS_MAX; i++)
			if (place_is(&m->lanes[lane][i], pid, status))
				return;
}

static void
reap(struct master *m)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		child_ended(m, pid, status);
}

/* Opens or closes sockets until the lane has as many places as the configuration says. */
static bool
lane_resize(struct master *m, enum lane lane, int wanted)
{
	for (int i = m->nworkers[lane]; i < wanted; i++) {
		struct place *p = &m->lanes[lane][i];

		*p = (struct place){
			.post.lane = lane,
			.post.index = i,
			.post.listener = socket_listen(&m->setup.config, lane, i),
			.slots = &m->slots[(lane * WORKERS_MAX + i) * 2],
		};
		if (p->post.listener < 0)
			return false;
		m->nworkers[lane] = i + 1;
	}
	for (int i = m->nworkers[lane] - 1; i >= wanted; i--) {
		struct place *p = &m->lanes[lane][i];

		socket_remove(&m->setup.config, lane, i);
		if (p->pid > 0)
			let_leave(m, p->pid, SIGNAL_STOP);
		close(p->post.listener);
		*p = (struct place){ 0 };
		m->nworkers[lane] = i;
	}
	return true;
}

static bool
lanes_resize(struct master *m)
{
	return lane_resize(m, LANE_API, (int)m->setup.config.api_workers) &&
	    lane_resize(m, LANE_SLOW, (int)m->setup.config.slow_workers);
}

/* One service a socket folder: a second one would take the sockets away from the first. */
static bool
take_lock(struct master *m)
{
	char path[4096];
	const struct text dir = m->setup.config.socket_dir;

	(void)snprintf(path, sizeof(path), "%.*s", TEXT_ARGS(dir));
	if (mkdir(path, 0755) < 0 && errno != EEXIST) {
		log_error("cannot make socket_dir %s: %s", path, strerror(errno));
		return false;
	}
	(void)snprintf(path, sizeof(path), "%.*s/rosterd.lock", TEXT_ARGS(dir));
	m->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (m->lock < 0) {
		log_error("cannot open %s: %s", path, strerror(errno));
		return false;
	}
	if (flock(m->lock, LOCK_EX | LOCK_NB) < 0) {
		log_error("another rosterd uses socket_dir %.*s; stop it or choose another "
			  "directory",
		    TEXT_ARGS(dir));
		return false;
	}
	return true;
}

/* The app's own look at the world, in a child: the master never talks to the database. */
static bool
check_world(struct master *m)
{
	int status = 0;
	pid_t pid;

	if (m->app->check == NULL)
		return true;
	pid = fork_child();
	if (pid == 0) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		log_set_process("check");
		_exit(m->app->check(&m->setup.config, m->setup.arena) ? CHILD_LEFT : CHILD_FAILED);
	}
	if (pid < 0)
		return false;
	for (;;) {
		int number = sigwaitinfo(&m->signals, NULL);

		if (number == SIGTERM || number == SIGINT)
			kill(pid, SIGTERM);
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) && WEXITSTATUS(status) == CHILD_LEFT;
	}
}

static void
setup_free(struct setup *s)
{
	if (s->keyring != NULL)
		keyring_free(&s->keyring);
	arena_free(&s->arena);
}

/* Changes that need new sockets elsewhere, or memory that is mapped once, take a restart. */
static void
keep_fixed_options(struct config *new, const struct config *old)
{
	if (!text_eq(new->socket_dir, old->socket_dir) || new->token_slots != old->token_slots)
		log_warning("socket_dir and token_slots change at a restart, not at a reload");
	new->token_slots = old->token_slots;
}

static void
reload(struct master *m)
{
	struct setup new = { 0 };

	notify_reloading();
	if (!m->load(&new, m->ctx)) {
		log_error("the configuration is not taken; the old one stays");
		notify_ready();
		return;
	}
	keep_fixed_options(&new.config, &m->setup.config);
	new.config.socket_dir = arena_text(new.arena, m->setup.config.socket_dir);
	setup_free(&m->setup);
	m->setup = new;
	log_set_level(m->setup.config.log_level);
	m->reloading = true;
	if (!lanes_resize(m))
		log_error("not all workers of the new configuration could be added");
	each_place(m, place_succeed);
	log_info("reloads: new workers take over");
}

static bool
all_ready(const struct master *m)
{
	for (int lane = 0; lane < LANES; lane++)
		for (int i = 0; i < m->nworkers[lane]; i++) {
			const struct place *p = &m->lanes[lane][i];

			if (p->pid == 0 || p->old != 0 ||
			    atomic_load(&p->post.slot->state) == SLOT_EMPTY)
				return false;
		}
	return true;
}

/* Tells systemd when each place has its worker, at the start and after a reload. */
static void
report_ready(struct master *m)
{
	if ((m->ready && !m->reloading) || !all_ready(m))
		return;
	notify_ready();
	log_info(m->reloading ? "reloaded" : "ready");
	m->ready = true;
	m->reloading = false;
}

static void
place_stop(struct master *m, struct place *p)
{
	if (p->old > 0)
		let_leave(m, p->old, SIGNAL_STOP);
	if (p->pid > 0)
		let_leave(m, p->pid, SIGNAL_STOP);
	p->pid = p->old = 0;
}

static bool
any_leaving(const struct master *m)
{
	for (size_t i = 0; i < LEAVING_MAX; i++)
		if (m->leaving[i] != 0)
			return true;
	return false;
}

static void
kill_leaving(struct master *m)
{
	log_warning("some processes did not leave in time and are killed");
	for (size_t i = 0; i < LEAVING_MAX; i++)
		if (m->leaving[i] != 0)
			kill(m->leaving[i], SIGKILL);
}

/* Waits for all that leave; kills what is left after as many seconds. */
static void
wait_for_leaving(struct master *m, int64_t seconds)
{
	static const struct timespec pause = { .tv_nsec = 100 * 1000 * 1000 };
	int64_t until = monotonic_ms() + seconds * 1000;
	bool killed = false;

	for (reap(m); any_leaving(m); reap(m)) {
		if (monotonic_ms() >= until && !killed) {
			kill_leaving(m);
			killed = true;
		}
		(void)sigtimedwait(&m->signals, NULL, &pause);
	}
}

static void
place_stop_unless_last(struct master *m, struct place *p)
{
	if (p->process == NULL || !p->process->last)
		place_stop(m, p);
}

static void
stop(struct master *m)
{
	notify_stopping();
	log_info("stops: accepted requests are finished");
	for (int lane = 0; lane < LANES; lane++)
		for (int i = 0; i < m->nworkers[lane]; i++)
			socket_remove(&m->setup.config, (enum lane)lane, i);
	each_place(m, place_stop_unless_last);
	for (size_t i = 0; i < LEAVING_MAX; i++)
		if (m->leaving[i] != 0)
			kill(m->leaving[i], SIGNAL_STOP);
	wait_for_leaving(m, m->setup.config.drain_timeout + STOP_EXTRA);
	each_place(m, place_stop);
	wait_for_leaving(m, STOP_EXTRA);
	log_info("stopped");
}

static void
supervise(struct master *m)
{
	int64_t watchdog = notify_watchdog();
	/* Also the pace at which a child that died young is looked at for its next start. */
	static const struct timespec pause = { .tv_sec = 1 };

	for (;;) {
		int number;

		reap(m);
		each_place(m, place_look);
		report_ready(m);
		if (watchdog != 0)
			notify_alive();
		number = sigtimedwait(&m->signals, NULL, &pause);
		if (number == SIGTERM || number == SIGINT)
			return;
		if (number == SIGHUP)
			reload(m);
	}
}

static void
take_signals(struct master *m)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGNAL_WAKE };

	sigemptyset(&m->signals);
	for (size_t i = 0; i < countof(numbers); i++)
		sigaddset(&m->signals, numbers[i]);
	sigprocmask(SIG_BLOCK, &m->signals, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int
server_run(const struct app *app, setup_load *load, void *ctx)
{
	struct master *m = calloc(1, sizeof(*m));
	bool good;

	must(m != NULL);
	*m = (struct master){ .app = app, .load = load, .ctx = ctx };
	must(app->nprocesses <= PROCESSES_MAX);
	for (size_t i = 0; i < app->nprocesses; i++)
		m->processes[i].process = &app->processes[i];
	log_set_process("master");
	take_signals(m);
	if (!load(&m->setup, ctx)) {
		free(m);
		return 1;
	}
	log_set_level(m->setup.config.log_level);
	m->slots = shm_map(LANES * WORKERS_MAX * 2 * sizeof(*m->slots));
	if (app->share != NULL)
		app->share(&m->setup.config);
	good = take_lock(m) && check_world(m) && lanes_resize(m);
	if (good) {
		supervise(m);
		stop(m);
	}
	setup_free(&m->setup);
	free(m);
	return good ? 0 : 1;
}
