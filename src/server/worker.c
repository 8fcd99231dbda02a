#define ROSTER_OWNS_MEMORY
#include "base/base.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "server/fcgi.h"
#include "server/server_int.h"

/*
 * A request's memory: so much for itself, and so many times the longest body. A body grows while it is
 * read, is copied for the parser, and what is escaped in it is decoded into a buffer that grows.
 */
#define REQUEST_MEMORY ((size_t)64 * 1024 * 1024)
#define BODY_COPIES 8

#define CONNECTIONS_MAX 1024
#define EVENTS_MAX 64
#define PEER_TIMEOUT 30   /* seconds that nginx may take over the next bytes */
#define FRESH_WAIT 1000   /* milliseconds for the first request on a connection, when stopping */
#define MEMORY_PERIOD 256 /* requests between two looks at the own memory */

/* A connection from nginx. */
struct conn {
	struct fcgi *fcgi;
	bool served; /* has carried a request */
	struct conn *prev, *next;
};

struct loop {
	struct worker w;
	int epoll;
	bool listening;
	struct conn *conns;
	int nconns;
	int64_t requests;
	const struct post *post;
};

/* What the master has asked for. */
static volatile sig_atomic_t asked_to_stop;
static volatile sig_atomic_t asked_to_hand_over;

static void
on_signal(int number)
{
	if (number == SIGNAL_HAND_OVER)
		asked_to_hand_over = 1;
	else
		asked_to_stop = 1;
}

/* Blocks both signals except while waiting; *waiting is the mask to wait with. */
static void
take_signals(sigset_t *waiting)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t ours;

	sigemptyset(waiting);
	sigemptyset(&ours);
	sigaddset(&ours, SIGNAL_STOP);
	sigaddset(&ours, SIGNAL_HAND_OVER);
	sigprocmask(SIG_SETMASK, &ours, NULL);
	sigaction(SIGNAL_STOP, &action, NULL);
	sigaction(SIGNAL_HAND_OVER, &action, NULL);
	/* A terminal's Ctrl-C reaches the whole group; the master tells us in order. */
	sigaction(SIGINT, &ignore, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGUSR1, &ignore, NULL);
}

static void
listen_on(struct loop *l, bool on)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };

	if (l->listening == on)
		return;
	must(epoll_ctl(l->epoll, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, l->post->listener, &event) ==
	    0);
	l->listening = on;
}

static void
conn_open(struct loop *l, int fd)
{
	struct conn *c = calloc(1, sizeof(*c));
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };

	must(c != NULL);
	c->fcgi = fcgi_new(fd, PEER_TIMEOUT);
	c->next = l->conns;
	if (c->next != NULL)
		c->next->prev = c;
	l->conns = c;
	l->nconns++;
	must(epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

static void
conn_close(struct loop *l, struct conn *c)
{
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		l->conns = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	l->nconns--;
	fcgi_free(&c->fcgi); /* closing the socket takes it out of the epoll set */
	free(c);
}

/* Accepts what waits. Without room for more, the listener rests until a connection has ended. */
static void
accept_all(struct loop *l)
{
	int fd;

	while (l->nconns < CONNECTIONS_MAX) {
		fd = accept4(l->post->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0) {
			conn_open(l, fd);
			continue;
		}
		if (errno == EAGAIN)
			return;
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			log_warning("cannot accept a connection: %s", strerror(errno));
			break;
		}
	}
	listen_on(l, false);
}

/* Private memory in bytes: what this worker has alone. */
static int64_t
private_memory(void)
{
	long resident = 0, shared = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f == NULL)
		return 0;
	if (fscanf(f, "%*d %ld %ld", &resident, &shared) != 2)
		resident = shared = 0;
	fclose(f);
	return (int64_t)(resident - shared) * sysconf(_SC_PAGESIZE);
}

static bool
has_served_enough(struct loop *l)
{
	const struct config *config = &l->w.setup->config;

	if (config->worker_requests > 0 && l->requests >= config->worker_requests)
		return true;
	return config->worker_memory > 0 && l->requests % MEMORY_PERIOD == 0 &&
	    private_memory() > config->worker_memory * 1024 * 1024;
}

/* Workers are mortal: asks the master for a successor, and goes on until it is there. */
static void
grow_old(struct loop *l)
{
	l->requests++;
	if (!asked_to_hand_over && atomic_load(&l->post->slot->state) == SLOT_READY &&
	    has_served_enough(l)) {
		log_info("retires after %lld requests", (long long)l->requests);
		atomic_store(&l->post->slot->state, SLOT_RETIRING);
		kill(getppid(), SIGNAL_WAKE);
	}
}

/* Serves the request that waits on c; false when the connection is gone and c with it. */
static bool
conn_serve(struct loop *l, struct conn *c)
{
	struct transport transport;
	bool whole;

	if (!fcgi_read(c->fcgi, &transport)) {
		conn_close(l, c);
		return false;
	}
	whole = serve(&l->w, &transport);
	c->served = true;
	grow_old(l);
	if (!fcgi_finish(c->fcgi, whole)) {
		conn_close(l, c);
		return false;
	}
	return true;
}

static void
conn_ready(struct loop *l, struct conn *c, uint32_t events)
{
	/* Input and nothing else is bytes. With a hang-up beside it, only a look tells. */
	switch (events == EPOLLIN ? FCGI_WAITING : fcgi_peek(c->fcgi)) {
	case FCGI_WAITING:
		(void)conn_serve(l, c);
		break;
	case FCGI_GONE:
		conn_close(l, c);
		break;
	case FCGI_IDLE:
		break;
	}
}

/* Waits up to timeout milliseconds (-1: until something happens) and serves one request a connection. */
static int
wait_and_serve(struct loop *l, int timeout, const sigset_t *waiting)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_pwait(l->epoll, events, EVENTS_MAX, timeout, waiting);

	/* An event's connection is only ever closed by that event: none of the others can dangle. */
	for (int i = 0; i < n; i++) {
		if (events[i].data.ptr == NULL)
			accept_all(l);
		else
			conn_ready(l, events[i].data.ptr, events[i].events);
	}
	return n;
}

/*
 * Another worker listens now. nginx closes its kept connections itself, when they idle or have
 * lasted long enough; only it can do so without losing a request that is on its way.
 */
static void
hand_over(struct loop *l, const sigset_t *waiting)
{
	int64_t until = stamp_now().us + l->w.setup->config.drain_timeout * SECONDS;

	listen_on(l, false);
	while (l->conns != NULL && !asked_to_stop && stamp_now().us < until)
		(void)wait_and_serve(l, 200, waiting);
}

/*
 * Serves what is already there on an idle connection, then closes it. Shutting down the reading
 * side first makes that exact: what nginx sent before it is still read, and no more comes.
 */
static void
conn_leave(struct loop *l, struct conn *c)
{
	(void)shutdown(fcgi_fd(c->fcgi), SHUT_RD);
	while (fcgi_peek(c->fcgi) == FCGI_WAITING)
		if (!conn_serve(l, c))
			return;
	conn_close(l, c);
}

/* The last connections: what was sent on them is served; idle ones are closed. */
static void
leave(struct loop *l, const sigset_t *waiting)
{
	struct conn *c, *next;
	bool fresh = true;
	int64_t until = stamp_now().us + FRESH_WAIT * INT64_C(1000);

	listen_on(l, false);
	while (fresh && stamp_now().us < until) {
		fresh = false;
		for (c = l->conns; c != NULL; c = c->next)
			fresh |= !c->served;
		if (fresh)
			(void)wait_and_serve(l, 50, waiting);
	}
	for (c = l->conns; c != NULL; c = next) {
		next = c->next;
		conn_leave(l, c);
	}
}

static size_t
request_memory(const struct config *c)
{
	return REQUEST_MEMORY + BODY_COPIES * (size_t)(c->body_limit + c->image_limit);
}

static void
loop_init(struct loop *l, const struct app *app, const struct setup *setup, const struct post *post)
{
	struct db_options options = server_db_options(app, &setup->config);

	*l = (struct loop){
		.w = {
			.app = app,
			.setup = setup,
			.lanes = 1u << post->lane,
			.arena = arena_new(request_memory(&setup->config)),
			.db = app->committed != NULL ? db_new(&options) : NULL,
			.body = malloc(REPLY_BUFFER),
		},
		.epoll = epoll_create1(EPOLL_CLOEXEC),
		.post = post,
	};
	must(l->w.body != NULL && l->epoll >= 0);
	if (post->lane == LANE_SLOW && app->prepare_slow != NULL)
		app->prepare_slow(&setup->config);
}

void
worker_run(const struct app *app, const struct setup *setup, const struct post *post)
{
	struct loop l;
	sigset_t waiting;
	char name[32];

	(void)snprintf(name, sizeof(name), "%s %d", lane_name(post->lane), post->index);
	log_set_process(name);
	prctl(PR_SET_PDEATHSIG, SIGNAL_STOP);
	fcgi_init();
	take_signals(&waiting);
	loop_init(&l, app, setup, post);
	atomic_store(&post->slot->state, SLOT_READY);
	kill(getppid(), SIGNAL_WAKE);

	listen_on(&l, true);
	while (!asked_to_stop && !asked_to_hand_over) {
		int nconns = l.nconns;

		if (wait_and_serve(&l, l.listening ? -1 : 100, &waiting) == 0 || l.nconns < nconns)
			listen_on(&l, true);
	}
	if (asked_to_hand_over)
		hand_over(&l, &waiting);
	else
		accept_all(&l); /* the socket's name is gone: these are the last */
	leave(&l, &waiting);
	if (l.w.db != NULL)
		db_free(&l.w.db);
	arena_free(&l.w.arena);
	free(l.w.body);
	exit(CHILD_LEFT);
}
