/*
 * An arena: memory that lives as long as one request.
 *
 * Allocation is a pointer bump and returns zeroed memory. It does not fail: the
 * limits on input keep a request below the arena's own limit, so passing that
 * limit, like having no memory at all, ends the worker through must(). Nothing is
 * freed one by one. What is not memory (a file, a curl handle) is given to
 * arena_defer() and closed, last first, at arena_reset().
 *
 * Pointers into an arena must not be kept past the request: not in statics, not
 * in the connection, not in shared memory.
 */
#ifndef ROSTER_BASE_ARENA_H
#define ROSTER_BASE_ARENA_H

#include "base/base.h"
#include "base/text.h"
#include "base/value.h"

struct arena;

/* A point in an arena's life; see arena_mark(). */
struct arena_mark {
	void *block;
	size_t used;
};

/* A new arena that takes at most limit bytes from the system. */
struct arena *arena_new(size_t limit) RETURNS_NONNULL;

/* Resets and frees *a, and sets it to NULL. *a may be NULL. */
void arena_free(struct arena **a);

/* n zeroed bytes, aligned for any type. n may be 0. */
void *arena_alloc(struct arena *a, size_t n) RETURNS_NONNULL;

/*
 * Like realloc: the same bytes in room for n. Grows in place when p is the newest
 * allocation. p may be NULL (with old = 0); n >= old. New bytes are not zeroed.
 */
void *arena_grow(struct arena *a, void *p, size_t old, size_t n) RETURNS_NONNULL;

/* Calls fn(arg) at the next reset. Order: last deferred, first called. */
void arena_defer(struct arena *a, void (*fn)(void *), void *arg);

/*
 * Runs what was deferred, forgets all allocations and gives every block but the
 * first back to the system. All memory that was handed out is wiped, so that a
 * password does not outlive its request.
 */
void arena_reset(struct arena *a);

/*
 * Rewinding to a mark forgets what was allocated after it. Nothing may have been
 * deferred in between. For scratch memory inside a loop.
 */
struct arena_mark arena_mark(struct arena *a);
void arena_rewind(struct arena *a, struct arena_mark mark);

/* Takes room for n bytes from the system now, in one block; rewinding to a mark set after it keeps it. */
void arena_reserve(struct arena *a, size_t n);

/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *a);

/* A copy of t, followed by a NUL that does not count. {NULL, 0} stays {NULL, 0}. */
struct text arena_text(struct arena *a, struct text t);

/* A copy of x; {NULL, 0} stays {NULL, 0}. */
struct bytes arena_bytes(struct arena *a, struct bytes x);

/* Like sprintf; the text is followed by a NUL that does not count. */
struct text arena_printf(struct arena *a, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
