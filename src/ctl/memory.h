/* How much memory a process can still have: what the machine has left, within the limits of its control groups. */
#ifndef ROSTER_CTL_MEMORY_H
#define ROSTER_CTL_MEMORY_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/base.h"
#include "base/text.h"

struct memory {
	int64_t free; /* KiB; -1: the system does not tell */
	struct text
	    group; /* the control group that leaves so little, "/system.slice/x"; none: the machine */
};

/* Of a process, 0: of this one. Texts are on the arena. */
struct memory memory_free(pid_t pid, struct arena *a);

/*
 * What the control groups (version 2) of a process leave it, as in the files below root, where they are mounted.
 * membership is the process's /proc/PID/cgroup. A limit holds for all groups below it, and memory that only
 * keeps files at hand (inactive_file) makes room when it is needed. free is -1 when nothing limits it.
 */
struct memory memory_of_groups(struct text root, struct text membership, struct arena *a);

#endif
