/*
 * The master's children, what they have said, and copies of their connections.
 *
 * nginx sends the next request on a kept connection while its worker is still busy with another.
 * What waits there must not be lost when the worker dies: so it lends the master a copy of each
 * connection, and another worker adopts them. A death costs the request being served and no other.
 */
#ifndef ROSTER_SERVER_CHILDREN_H
#define ROSTER_SERVER_CHILDREN_H

#include "server/server_int.h"

#define CHILDREN_MAX 2048

enum child_state {
	CHILD_STARTING,
	CHILD_READY,
	CHILD_RETIRING, /* asks for a successor */
	CHILD_LEAVING,  /* was told to */
};

/* A copy of a connection, and what the worker calls it. */
struct lent {
	int id, fd;
};

struct child {
	pid_t pid;        /* 0: there is none */
	struct post post; /* its channel is the master's end */
	enum child_state state;
	int64_t born;   /* by stamp_monotonic() */
	bool inherited; /* started by the program before this one */
	struct lent *lent;
	size_t nlent, room;
};

struct children {
	struct child all[CHILDREN_MAX];
	_Atomic int *serving; /* of each, shared with it */
	int epoll;            /* holds the channels; an event's data.u32 is the child's index */
};

void children_init(struct children *cs);

/* What a child does until it ends its process. */
typedef void child_life(void *ctx, const struct post *post);

/* Forks; the child runs life(ctx, its own post). NULL after logging why there is none. */
struct child *child_start(
    struct children *cs, const struct post *what, child_life *life, void *ctx) MUST_CHECK;

/* A child of the program before this one. NULL when there are too many. */
struct child *child_inherit(struct children *cs, pid_t pid, const struct post *what) MUST_CHECK;

struct child *child_find(struct children *cs, pid_t pid);

/* Reads what it has said. */
void child_listen(struct children *cs, struct child *c);

/* Tells it to go, by SIGNAL_STOP or SIGNAL_HAND_OVER. */
void child_dismiss(struct child *c, int signal_number);

/*
 * It has ended. What it has left goes to heir; NULL: those connections are cut, and nginx asks
 * another worker what may be asked again.
 */
void child_bury(struct children *cs, struct child *c, struct child *heir);

#endif
