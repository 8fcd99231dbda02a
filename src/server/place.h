/*
 * The master's places: one for each worker and each process of the app's table. A place always has
 * a child; a second one beside it while it is being succeeded.
 */
#ifndef ROSTER_SERVER_PLACE_H
#define ROSTER_SERVER_PLACE_H

#include <sys/stat.h>

#include "server/children.h"

#define LANES 2
#define WORKERS_MAX 256 /* a lane; the option table allows no more */
#define PROCESSES_MAX 8

struct place {
	struct post post;
	struct child *child; /* NULL: none */
	struct child *old;   /* the predecessor, which hands over once the child is ready */
	int64_t pause;       /* before the next start, in microseconds */
	int64_t start_at;    /* when there is no child */
};

/* What the master runs; see renew.h. */
struct program {
	char path[4096]; /* "": not known */
	struct stat file;
	char *const *argv;
};

/* All that the master knows. */
struct master {
	const struct app *app;
	setup_load *load;
	void *ctx;
	struct setup setup;
	struct program program;
	pid_t examiner; /* looks whether the new program, or next, could start; 0: none */
	struct setup
	    next; /* what a reload is going to bring; its arena is NULL when it is a program */
	struct place lanes[LANES][WORKERS_MAX];
	struct place processes[PROCESSES_MAX];
	int nworkers[LANES];
	struct children children;
	sigset_t signals;
	int signal_fd, lock;
	int64_t look_at;  /* when the places have to be looked at again */
	int64_t alive_at; /* when the watchdog has to be told again */
	int64_t watchdog; /* microseconds; 0: there is none */
	bool ready;       /* told to systemd */
	bool reloading;
	bool asked_to_reload, asked_to_stop;
	bool found_good; /* what was examined, and waits to be taken */
};

void each_place(struct master *m, void (*fn)(struct master *, struct place *));

/* Does what the time, or what the child of the place has said, asks for. */
void place_look(struct master *m, struct place *p);

/* A successor beside the child that is there, which goes when the successor is ready. */
void place_succeed(struct master *m, struct place *p);

/* Is there a successor that gets ready, and a predecessor that works until then? */
bool place_is_handing_over(const struct master *m, const struct place *p);

/* Tells the predecessor to go. */
void place_dismiss_old(struct place *p);

/* What a place needs is done before time. */
void look_before(struct master *m, int64_t time);

/* A child has ended with that status of waitpid(): logs it, and sees to its place and what it has left. */
void child_ended(struct master *m, struct child *c, int status);

/*
 * Opens and closes sockets until each lane has as many places as the configuration says. false
 * after logging why it is not so.
 */
bool lanes_resize(struct master *m) MUST_CHECK;

/* Closes all sockets. */
void lanes_close(struct master *m);

#endif
