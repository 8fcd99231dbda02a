#define ROSTER_OWNS_MEMORY
#include "base/base.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "server/channel.h"
#include "server/children.h"

const char *
post_name(const struct post *post, char out[static POST_NAME])
{
	if (post->process != NULL)
		(void)snprintf(out, POST_NAME, "%s", post->process->name);
	else
		(void)snprintf(out, POST_NAME, "%s %d", lane_name(post->lane), post->index);
	return out;
}

void
children_init(struct children *cs)
{
	cs->serving = shm_map(CHILDREN_MAX * sizeof(*cs->serving));
	cs->epoll = epoll_create1(EPOLL_CLOEXEC);
	must(cs->epoll >= 0);
}

static struct child *
find_free(struct children *cs)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (cs->all[i].pid == 0)
			return &cs->all[i];
	return NULL;
}

struct child *
child_find(struct children *cs, pid_t pid)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (cs->all[i].pid == pid)
			return &cs->all[i];
	return NULL;
}

/* In a new child: closes what belongs to the master and to the others. */
static void
forget_others(struct children *cs)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		struct child *c = &cs->all[i];

		if (c->pid == 0)
			continue;
		close(c->post.channel);
		for (size_t k = 0; k < c->nlent; k++)
			close(c->lent[k].fd);
	}
	close(cs->epoll);
}

/* In a new child, which does not outlive the master. */
NORETURN static void
live(struct children *cs, const struct post *post, pid_t master, child_life *life, void *ctx)
{
	char name[POST_NAME], title[POST_NAME + 8];

	forget_others(cs);
	(void)snprintf(title, sizeof(title), "rosterd %s", post_name(post, name));
	prctl(PR_SET_NAME, title); /* its first 15 bytes; what ps -o comm prints */
	prctl(PR_SET_PDEATHSIG, SIGNAL_STOP);
	if (getppid() == master)
		life(ctx, post);
	exit(CHILD_LEFT);
}

struct child *
child_start(struct children *cs, const struct post *what, child_life *life, void *ctx)
{
	struct child *c = find_free(cs);
	struct epoll_event event = { .events = EPOLLIN };
	struct post post = *what;
	pid_t master = getpid(), pid;
	int ends[2];

	if (c == NULL || !channel_open(ends)) {
		log_error("cannot start a process: %s",
		    c == NULL ? "there are too many" : strerror(errno));
		return NULL;
	}
	event.data.u32 = (uint32_t)(c - cs->all);
	post.serving = &cs->serving[event.data.u32];
	post.channel = ends[1];
	atomic_store(post.serving, -1);
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		live(cs, &post, master, life, ctx);
	}
	close(ends[1]);
	if (pid < 0) {
		log_error("cannot start a process: %s", strerror(errno));
		close(ends[0]);
		return NULL;
	}
	post.channel = ends[0];
	*c = (struct child){ .pid = pid, .post = post, .born = stamp_monotonic() };
	must(epoll_ctl(cs->epoll, EPOLL_CTL_ADD, ends[0], &event) == 0);
	return c;
}

struct child *
child_inherit(struct children *cs, pid_t pid, const struct post *what)
{
	struct child *c = find_free(cs);

	if (c == NULL)
		return NULL;
	*c = (struct child){ .pid = pid, .post = *what, .state = CHILD_READY, .inherited = true };
	c->post.serving = &cs->serving[c - cs->all];
	c->post.channel = -1;
	return c;
}

static struct lent *
find_lent(struct child *c, int id)
{
	for (size_t i = 0; i < c->nlent; i++)
		if (c->lent[i].id == id)
			return &c->lent[i];
	return NULL;
}

static void
end_loan(struct child *c, int id)
{
	struct lent *l = find_lent(c, id);

	if (l == NULL)
		return;
	close(l->fd);
	*l = c->lent[--c->nlent];
}

static void
begin_loan(struct child *c, int id, int fd)
{
	end_loan(c, id); /* the note of its end may have found no room */
	if (c->nlent == c->room) {
		c->room = c->room == 0 ? 16 : 2 * c->room;
		c->lent = reallocarray(c->lent, c->room, sizeof(*c->lent));
		must(c->lent != NULL);
	}
	c->lent[c->nlent++] = (struct lent){ id, fd };
}

static void
take_note(struct child *c, struct note note, int fd)
{
	switch (note.kind) {
	case NOTE_READY:
		if (c->state == CHILD_STARTING)
			c->state = CHILD_READY;
		break;
	case NOTE_RETIRING:
		if (c->state == CHILD_READY)
			c->state = CHILD_RETIRING;
		break;
	case NOTE_LENT:
		if (fd >= 0)
			begin_loan(c, note.id, fd);
		break;
	case NOTE_ENDED:
		end_loan(c, note.id);
		break;
	case NOTE_ADOPT:
		break;
	}
}

void
child_listen(struct children *cs, struct child *c)
{
	enum channel_state state;
	struct note note;
	int fd;

	while (c->pid != 0 &&
	    (state = channel_receive(c->post.channel, &note, &fd)) != CHANNEL_EMPTY) {
		if (state == CHANNEL_GONE) {
			(void)epoll_ctl(cs->epoll, EPOLL_CTL_DEL, c->post.channel, NULL);
			return;
		}
		take_note(c, note, fd);
	}
}

void
child_dismiss(struct child *c, int signal_number)
{
	c->state = CHILD_LEAVING;
	kill(c->pid, signal_number);
}

/* Gives a connection to another worker, or cuts it. */
static bool
bequeath(const struct lent *l, bool begun, struct child *heir)
{
	const struct note note = { .kind = NOTE_ADOPT };
	bool given = !begun && heir != NULL && channel_send(heir->post.channel, note, l->fd);

	if (!given)
		(void)shutdown(l->fd, SHUT_RDWR);
	return given;
}

void
child_bury(struct children *cs, struct child *c, struct child *heir)
{
	int serving = atomic_load(c->post.serving);
	size_t given = 0;
	char name[POST_NAME];

	child_listen(cs, c);
	for (size_t i = 0; i < c->nlent; i++)
		given += bequeath(&c->lent[i], c->lent[i].id == serving, heir);
	if (given > 0)
		log_info("%s (process %d) takes over %zu connections", post_name(&heir->post, name),
		    (int)heir->pid, given);
	for (size_t i = 0; i < c->nlent; i++)
		close(c->lent[i].fd);
	free(c->lent);
	close(c->post.channel);
	*c = (struct child){ 0 };
}
