#include "base/base.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "server/place.h"

/* Times in microseconds. */
#define PAUSE_MIN (SECONDS / 10) /* before a child that died young is replaced a second time ... */
#define PAUSE_MAX (10 * SECONDS) /* ... doubling up to this */
#define YOUNG (5 * SECONDS)
/* Before another try when there was no child to be had: so long requests wait for it. */
#define PAUSE_NONE SECONDS

void
each_place(struct master *m, void (*fn)(struct master *, struct place *))
{
	for (int lane = 0; lane < LANES; lane++)
		for (int i = 0; i < m->nworkers[lane]; i++)
			fn(m, &m->lanes[lane][i]);
	for (size_t i = 0; i < m->app->nprocesses; i++)
		fn(m, &m->processes[i]);
}

/* A child has its own listener and nobody else's: a socket that is closed must be so everywhere. */
static void
forget_places(struct master *m, const struct post *post)
{
	for (int lane = 0; lane < LANES; lane++)
		for (int i = 0; i < m->nworkers[lane]; i++)
			if (m->lanes[lane][i].post.listener != post->listener)
				close(m->lanes[lane][i].post.listener);
	close(m->signal_fd);
	close(m->lock);
}

static void
live(void *ctx, const struct post *post)
{
	struct master *m = ctx;

	forget_places(m, post);
	if (post->process != NULL)
		process_run(m->app, &m->setup, post);
	worker_run(m->app, &m->setup, post);
}

static void
place_start(struct master *m, struct place *p)
{
	p->child = child_start(&m->children, &p->post, live, m);
	if (p->child == NULL)
		p->start_at = stamp_monotonic() + PAUSE_NONE;
}

void
place_succeed(struct master *m, struct place *p)
{
	if (p->child == NULL)
		return; /* the one that comes is up to date */
	if (p->old == NULL)
		p->old = p->child;
	else
		child_dismiss(p->child, SIGNAL_HAND_OVER); /* a successor, and out of date itself */
	place_start(m, p);
}

void
look_before(struct master *m, int64_t time)
{
	if (time < m->look_at)
		m->look_at = time;
}

/*
 * The keeper of the program before this one writes down what its workers' last requests have left
 * in its memory: it goes after them.
 */
static bool
may_go(const struct master *m, const struct child *old)
{
	if (!old->inherited || old->post.process == NULL || !old->post.process->last)
		return true;
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (m->children.all[i].inherited && &m->children.all[i] != old)
			return false;
	return true;
}

bool
place_is_handing_over(const struct master *m, const struct place *p)
{
	return p->child != NULL && p->old != NULL && may_go(m, p->old);
}

/* A process of the program before this one has memory of its own, and no successor for that. */
void
place_dismiss_old(struct place *p)
{
	bool alone = p->old->inherited && p->old->post.process != NULL;

	child_dismiss(p->old, alone ? SIGNAL_STOP : SIGNAL_HAND_OVER);
	p->old = NULL;
}

void
place_look(struct master *m, struct place *p)
{
	if (p->child == NULL && stamp_monotonic() >= p->start_at)
		place_start(m, p);
	if (p->child == NULL) {
		look_before(m, p->start_at);
		return;
	}
	if (p->child->state != CHILD_STARTING && place_is_handing_over(m, p))
		place_dismiss_old(p);
	if (p->child->state == CHILD_RETIRING)
		place_succeed(m, p);
}

/* The child of a place has died: the next one comes at once, or after a pause if it died young. */
static void
place_died(struct master *m, struct place *p)
{
	int64_t now = stamp_monotonic();

	if (now - p->child->born >= YOUNG)
		p->pause = 0;
	p->start_at = now + p->pause;
	p->pause = p->pause == 0 ? PAUSE_MIN : p->pause * 2 < PAUSE_MAX ? p->pause * 2 : PAUSE_MAX;
	p->child = NULL;
	if (!m->asked_to_stop)
		place_look(m, p);
}

static struct place *
place_of(struct master *m, const struct post *post)
{
	if (post->process != NULL)
		return &m->processes[post->process - m->app->processes];
	return &m->lanes[post->lane][post->index];
}

/* Who takes over what a worker has left: its successor, or another one of the lane. */
static struct child *
heir_of(struct master *m, const struct post *post)
{
	struct place *lane = m->lanes[post->lane];

	if (post->process != NULL)
		return NULL;
	if (lane[post->index].child != NULL)
		return lane[post->index].child;
	for (int i = 0; i < m->nworkers[post->lane]; i++)
		if (lane[i].child != NULL && lane[i].child->state == CHILD_READY)
			return lane[i].child;
	return NULL;
}

static void
log_end(const struct child *c, int status)
{
	bool expected =
	    c->state == CHILD_LEAVING && WIFEXITED(status) && WEXITSTATUS(status) == CHILD_LEFT;
	char name[POST_NAME];

	post_name(&c->post, name);
	if (WIFSIGNALED(status))
		log_error("%s (process %d) was ended by signal %d (%s)", name, (int)c->pid,
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		log_message(expected ? LOG_DEBUG : LOG_ERROR,
		    "%s (process %d) has exited with status %d", name, (int)c->pid,
		    WEXITSTATUS(status));
}

void
child_ended(struct master *m, struct child *c, int status)
{
	struct place *p = place_of(m, &c->post);

	log_end(c, status);
	if (p->old == c)
		p->old = NULL;
	if (p->child == c)
		place_died(m, p);
	child_bury(&m->children, c, heir_of(m, &c->post));
}

static bool
lane_grow(struct master *m, enum lane lane)
{
	int i = m->nworkers[lane];
	int listener = socket_listen(&m->setup.config, lane, i);

	if (listener < 0)
		return false;
	m->lanes[lane][i] = (struct place){
		.post = { .lane = lane, .index = i, .listener = listener },
	};
	m->nworkers[lane] = i + 1;
	return true;
}

static void
lane_shrink(struct master *m, enum lane lane)
{
	int i = --m->nworkers[lane];
	struct place *p = &m->lanes[lane][i];

	socket_remove(&m->setup.config, lane, i);
	if (p->old != NULL)
		child_dismiss(p->old, SIGNAL_HAND_OVER);
	if (p->child != NULL)
		child_dismiss(p->child, SIGNAL_HAND_OVER);
	close(p->post.listener);
	*p = (struct place){ 0 };
}

static bool
lane_resize(struct master *m, enum lane lane, int64_t wanted)
{
	while (m->nworkers[lane] > wanted)
		lane_shrink(m, lane);
	while (m->nworkers[lane] < wanted)
		if (!lane_grow(m, lane))
			return false;
	return true;
}

bool
lanes_resize(struct master *m)
{
	return lane_resize(m, LANE_API, m->setup.config.api_workers) &&
	    lane_resize(m, LANE_SLOW, m->setup.config.slow_workers);
}

void
lanes_close(struct master *m)
{
	for (int lane = 0; lane < LANES; lane++)
		for (int i = 0; i < m->nworkers[lane]; i++) {
			socket_remove(&m->setup.config, (enum lane)lane, i);
			close(m->lanes[lane][i].post.listener);
		}
}
