/* A growing byte buffer on an arena. */
#ifndef ROSTER_BASE_BUF_H
#define ROSTER_BASE_BUF_H

#include "base/arena.h"
#include "base/base.h"
#include "base/text.h"

struct buf {
	struct arena *arena;
	char *s; /* NULL until something was added */
	size_t n, room;
};

void buf_init(struct buf *b, struct arena *a);
void buf_add(struct buf *b, struct text t);
void buf_add_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);

/* What is in it, followed by a NUL that does not count. Valid until the next add. */
struct text buf_text(struct buf *b);

#endif
