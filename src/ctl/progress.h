/* A bar on the terminal, for what takes long. */
#ifndef ROSTER_CTL_PROGRESS_H
#define ROSTER_CTL_PROGRESS_H

#include "base/base.h"
#include "base/stamp.h"

struct progress {
	const char *unit; /* "accounts" */
	bool shown;       /* standard error is a terminal */
	struct stamp began, drawn;
};

void progress_begin(struct progress *p, const char *unit);

/* part of whole is done, and n of the unit with it. Draws a few times a second at most. */
void progress_show(struct progress *p, int64_t part, int64_t whole, int64_t n);

/* Takes the bar away, for a message or for good. */
void progress_clear(struct progress *p);

#endif
