/* Between the files of server/. */
#ifndef ROSTER_SERVER_SERVER_INT_H
#define ROSTER_SERVER_SERVER_INT_H

#include <sys/types.h>

#include "server/server.h"
#include "server/shm.h"

/* Exit statuses of a child that the master reads. */
enum child_exit { CHILD_LEFT = 0, CHILD_FAILED = 1 };

/* Signals from the master to a child. */
#define SIGNAL_STOP SIGTERM /* serve what was accepted, then leave */
#define SIGNAL_HAND_OVER \
	SIGHUP /* another one listens: serve kept connections until nginx closes them */

/* Has the master sent one that this process blocks and has not taken yet? */
bool leave_is_pending(void);

/* What a child is. */
struct post {
	const struct app_process *process; /* NULL: a worker */
	enum lane lane;                    /* the rest: of a worker */
	int index;                         /* of its socket in the lane */
	int listener;                      /* non-blocking */
	int channel;                       /* its end; see channel.h */
	_Atomic int *serving; /* the connection whose request it has begun to read; -1: none */
};

#define POST_NAME 32

/* "api 0", "keeper" */
const char *post_name(const struct post *post, char out[static POST_NAME]);

/* Memory that a process has alone, in bytes; 0 when it has just ended. */
int64_t private_memory(pid_t pid);

/* A worker's life; ends the process. */
NORETURN void worker_run(const struct app *app, const struct setup *setup, const struct post *post);

/* The life of a process beside the workers; ends it. */
NORETURN void process_run(
    const struct app *app, const struct setup *setup, const struct post *post);

/* What a process is to the filter of its system calls. */
enum confined { CONFINED_WORKER = 1, CONFINED_PROCESS = 2, CONFINED_MASTER = 4 };

/*
 * Takes from this process the system calls that its kind does not need, for good. One that is made
 * all the same ends it by SIGSYS, after a line in the log. false when it keeps them: the
 * configuration says so, the program was built with sanitizers, or, after a warning, the kernel
 * cannot do it.
 */
bool seccomp_confine(const struct config *config, unsigned kind);

/*
 * Makes socket_dir and locks it: a second service would take the sockets away from the first.
 * The lock is held as long as the descriptor. -1 after logging why not.
 */
int socket_dir_take(const struct config *config);

/*
 * A listening socket at <socket_dir>/<lane>/<index>.sock; replaces a stale one. -1 after
 * logging why not.
 */
int socket_listen(const struct config *config, enum lane lane, int index);
void socket_remove(const struct config *config, enum lane lane, int index);
const char *lane_name(enum lane lane);

#endif
