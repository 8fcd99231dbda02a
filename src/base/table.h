/* A hash table from texts to numbers, on an arena: it grows and forgets nothing. */
#ifndef ROSTER_BASE_TABLE_H
#define ROSTER_BASE_TABLE_H

#include "base/arena.h"
#include "base/base.h"
#include "base/text.h"

struct table {
	struct arena *arena;
	struct table_entry *entries;
	size_t n, room; /* room is a power of two, or 0 */
	uint64_t seed;
};

void table_init(struct table *t, struct arena *a);

/*
 * The number of key, which is 0 when the key is new; *is_new says so, and may be NULL. Whoever asks may
 * change it, until the next call. The key is copied.
 */
int64_t *table_at(struct table *t, struct text key, bool *is_new) RETURNS_NONNULL;

#endif
