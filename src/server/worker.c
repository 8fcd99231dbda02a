#define ROSTER_OWNS_MEMORY
#include "base/base.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "server/channel.h"
#include "server/fcgi.h"
#include "server/meter.h"
#include "server/server_int.h"

/*
 * A request's memory: so much for itself, and so many times the longest body. A body grows while it is
 * read, is copied for the parser, and what is escaped in it is decoded into a buffer that grows.
 */
#define REQUEST_MEMORY ((size_t)64 * 1024 * 1024)
#define BODY_COPIES 8

#define CONNECTIONS_MAX 1024
#define DESCRIPTORS_OWN 32 /* for everything else */
#define EVENTS_MAX 64
#define PEER_TIMEOUT 30   /* seconds that nginx may take over the next bytes */
#define FRESH_WAIT 1000   /* milliseconds for the first request on a connection, when stopping */
#define MEMORY_PERIOD 256 /* requests between two looks at the own memory */

/* A connection from nginx. */
struct conn {
	struct fcgi *fcgi;
	bool served; /* has carried a request */
	bool lent;   /* the master has a copy */
	struct conn *prev, *next;
};

struct loop {
	struct worker w;
	int epoll;
	bool listening;
	struct conn *conns; /* the newest first */
	int nconns, nlent;
	int nconns_max;
	int64_t requests;
	bool retiring; /* a successor was asked for */
	bool orphan;   /* the master has died */
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

/*
 * epoll_pwait() lets signals in when it finds nothing to do, and only then: a worker that always has a
 * request waiting would never hear that it is to leave.
 */
static void
hear_signals(const sigset_t *waiting)
{
	if (leave_is_pending())
		sigsuspend(waiting);
}

/* What an event belongs to: a connection, or one of these. */
static void *
listener_of(struct loop *l)
{
	return &l->listening;
}

static void *
channel_of(struct loop *l)
{
	return &l->post;
}

static void
watch(struct loop *l, int fd, void *what)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = what };

	must(epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

static void
unwatch(struct loop *l, int fd)
{
	must(epoll_ctl(l->epoll, EPOLL_CTL_DEL, fd, NULL) == 0);
}

static void
listen_on(struct loop *l, bool on)
{
	if (l->listening == on)
		return;
	if (on)
		watch(l, l->post->listener, listener_of(l));
	else
		unwatch(l, l->post->listener);
	l->listening = on;
}

/* Takes over a connected socket; NULL when descriptors are short. */
static struct conn *
conn_open(struct loop *l, int fd)
{
	struct fcgi *fcgi = fcgi_new(fd, PEER_TIMEOUT);
	struct conn *c;

	if (fcgi == NULL) {
		log_warning("cannot take a connection: %s", strerror(errno));
		return NULL;
	}
	c = calloc(1, sizeof(*c));
	must(c != NULL);
	c->fcgi = fcgi;
	c->next = l->conns;
	if (c->next != NULL)
		c->next->prev = c;
	l->conns = c;
	l->nconns++;
	watch(l, fd, c);
	return c;
}

static void
conn_close(struct loop *l, struct conn *c)
{
	int fd = fcgi_fd(c->fcgi);

	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		l->conns = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	l->nconns--;
	l->nlent -= c->lent;
	unwatch(l, fd); /* closing it would not: the master may have a copy */
	if (c->lent)
		(void)channel_send(l->post->channel, (struct note){ NOTE_ENDED, fd }, -1);
	fcgi_free(&c->fcgi);
	free(c);
}

/*
 * Lends the master all connections but one, before its request is begun: should that request kill
 * this worker, those that wait on the others survive it.
 */
static void
lend_others(struct loop *l, const struct conn *but)
{
	for (struct conn *c = l->conns; c != NULL && l->nlent < l->nconns; c = c->next) {
		struct note note = { NOTE_LENT, fcgi_fd(c->fcgi) };

		if (c->lent || c == but)
			continue;
		c->lent = channel_send(l->post->channel, note, note.id);
		l->nlent += c->lent;
	}
}

/* Takes over what a worker that died has left. */
static void
adopt(struct loop *l)
{
	enum channel_state state;
	struct note note;
	int fd;

	while ((state = channel_receive(l->post->channel, &note, &fd)) == CHANNEL_NOTE)
		if (fd >= 0)
			(void)conn_open(l, fd);
	if (state == CHANNEL_GONE && !l->orphan) {
		l->orphan = true; /* and the signal of it on its way */
		unwatch(l, l->post->channel);
	}
}

/* The next connection that waits, NULL when there is none or no room for it: then the listener rests. */
static struct conn *
accept_one(struct loop *l)
{
	int fd = -1;

	if (l->nconns < l->nconns_max) {
		fd = accept4(l->post->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED))
			return NULL;
		if (fd < 0)
			log_warning("cannot accept a connection: %s", strerror(errno));
	}
	if (fd < 0)
		listen_on(l, false);
	return fd >= 0 ? conn_open(l, fd) : NULL;
}

static bool
has_served_enough(struct loop *l)
{
	const struct config *config = &l->w.setup->config;

	if (config->worker_requests > 0 && l->requests >= config->worker_requests)
		return true;
	return config->worker_memory > 0 && l->requests % MEMORY_PERIOD == 0 &&
	    private_memory(getpid()) > config->worker_memory * 1024 * 1024;
}

/* Workers are mortal: asks the master for a successor, and goes on until it is there. */
static void
grow_old(struct loop *l)
{
	l->requests++;
	if (l->retiring || !has_served_enough(l))
		return;
	l->retiring = channel_send(l->post->channel, (struct note){ .kind = NOTE_RETIRING }, -1);
	if (l->retiring)
		log_info("retires after %lld requests", (long long)l->requests);
}

/* Serves the request that waits on c; false when the connection is gone and c with it. */
static bool
conn_serve(struct loop *l, struct conn *c)
{
	struct transport transport;
	bool stays = false;

	lend_others(l, c);
	atomic_store(l->post->serving, fcgi_fd(c->fcgi));
	if (fcgi_read(c->fcgi, &transport)) {
		bool whole = serve(&l->w, &transport);

		c->served = true;
		grow_old(l);
		stays = fcgi_finish(c->fcgi, whole);
	}
	atomic_store(l->post->serving, -1);
	if (!stays)
		conn_close(l, c);
	return stays;
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

/*
 * One connection after another, whose request is most often there already: those that are not yet
 * accepted need not be lent. As many as events are taken at a time, so that neither the new ones nor
 * the kept ones starve.
 */
static void
accept_and_serve(struct loop *l)
{
	struct conn *c;

	for (int i = 0; i < EVENTS_MAX && (c = accept_one(l)) != NULL; i++)
		conn_ready(l, c, 0);
}

static void
event_ready(struct loop *l, const struct epoll_event *event)
{
	void *what = event->data.ptr;

	if (what == listener_of(l))
		accept_and_serve(l);
	else if (what == channel_of(l))
		adopt(l);
	else
		conn_ready(l, what, event->events);
}

/* Waits up to timeout milliseconds (-1: until something happens) and serves one request a connection. */
static int
wait_and_serve(struct loop *l, int timeout, const sigset_t *waiting)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_pwait(l->epoll, events, EVENTS_MAX, timeout, waiting);

	/* An event's connection is only ever closed by that event: none of the others can dangle. */
	for (int i = 0; i < n; i++) {
		meter_waiting(n - i - 1);
		event_ready(l, &events[i]);
	}
	hear_signals(waiting);
	return n;
}

static void
accept_all(struct loop *l)
{
	while (accept_one(l) != NULL)
		continue;
}

/*
 * Another worker listens now, or nobody any more. nginx closes its kept connections itself, when
 * they idle or have lasted long enough; only it can do so without losing a request that is on its way.
 */
static void
hand_over(struct loop *l, const sigset_t *waiting)
{
	int64_t until = stamp_monotonic() + l->w.setup->config.drain_timeout * SECONDS;

	accept_all(l);
	listen_on(l, false);
	while (l->conns != NULL && !asked_to_stop && stamp_monotonic() < until)
		(void)wait_and_serve(l, 200, waiting);
}

/* Serves what waits on a connection; false when it is gone and c with it. */
static bool
conn_serve_all(struct loop *l, struct conn *c)
{
	while (fcgi_peek(c->fcgi) == FCGI_WAITING)
		if (!conn_serve(l, c))
			return false;
	return true;
}

/*
 * Serves what is already there, then closes the connection. Shutting down the reading side in
 * between makes that exact: what nginx sent before it is still read, and no more comes.
 */
static void
conn_leave(struct loop *l, struct conn *c)
{
	if (!conn_serve_all(l, c))
		return;
	(void)shutdown(fcgi_fd(c->fcgi), SHUT_RD);
	if (conn_serve_all(l, c))
		conn_close(l, c);
}

/* The last connections: what was sent on them is served; idle ones are closed. */
static void
leave(struct loop *l, const sigset_t *waiting)
{
	struct conn *c, *next;
	bool fresh = true;
	int64_t until = stamp_monotonic() + FRESH_WAIT * INT64_C(1000);

	listen_on(l, false);
	adopt(l);
	while (fresh && stamp_monotonic() < until) {
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

/* Descriptors are counted before connections are accepted. */
static int
connections_max(void)
{
	struct rlimit limit;
	rlim_t room;

	must(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > DESCRIPTORS_OWN);
	room = (limit.rlim_cur - DESCRIPTORS_OWN) / FCGI_DESCRIPTORS;
	return room < CONNECTIONS_MAX ? (int)room : CONNECTIONS_MAX;
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
		.nconns_max = connections_max(),
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
	char name[POST_NAME];

	log_set_process(post_name(post, name));
	meter_enter(lane_name(post->lane));
	fcgi_init();
	take_signals(&waiting);
	loop_init(&l, app, setup, post);
	watch(&l, post->channel, channel_of(&l));
	listen_on(&l, true);
	(void)seccomp_confine(&setup->config, CONFINED_WORKER);
	(void)channel_send(post->channel, (struct note){ .kind = NOTE_READY }, -1);

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
