/*
 * A new program in place of the running one, without a request lost.
 *
 * When the file that the master runs was replaced, a reload has the new program examine the
 * configuration, the keys and the database, and then run in the same process by execve(2). What
 * belongs to the process stays: its number, the sockets and the lock, and the children, who are
 * succeeded as at any other reload.
 */
#ifndef ROSTER_SERVER_RENEW_H
#define ROSTER_SERVER_RENEW_H

#include "server/place.h"

/* Notes which program runs; argv is what it was started with. */
void renew_remember(struct master *m, char *const *argv);

/* Has the program been replaced by another? */
bool renew_due(const struct master *m);

/* Starts the new program's examination: a process that succeeds when it would start; -1: there is none. */
pid_t renew_examine(struct master *m);

/* Runs the new program. Returns, after logging why, when that is not possible. */
void renew(struct master *m);

/* Takes over what the program before this one has left; false: there was none. */
bool renew_inherit(struct master *m) MUST_CHECK;

#endif
