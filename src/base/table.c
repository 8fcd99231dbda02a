#include "base/base.h"
#include "base/table.h"

#define ROOM_FIRST 256

struct table_entry {
	struct text key; /* none: the place is free */
	uint64_t hash;
	int64_t number;
};

void
table_init(struct table *t, struct arena *a)
{
	*t = (struct table){ .arena = a };
	arc4random_buf(&t->seed, sizeof(t->seed));
}

/* FNV-1a, from a start that nobody can know who chooses keys. */
static uint64_t
hash_of(const struct table *t, struct text key)
{
	uint64_t h = t->seed;

	for (size_t i = 0; i < key.n; i++)
		h = (h ^ (uint8_t)key.s[i]) * UINT64_C(1099511628211);
	return h ^ h >> 32;
}

/* The key's place, or the free one where it belongs. */
static struct table_entry *
find(const struct table *t, struct text key, uint64_t hash)
{
	size_t i = hash & (t->room - 1);

	while (!text_is_none(t->entries[i].key) &&
	    (t->entries[i].hash != hash || !text_eq(t->entries[i].key, key)))
		i = (i + 1) & (t->room - 1);
	return &t->entries[i];
}

/* Room for twice as many; what the old entries took is given up. */
static void
grow(struct table *t)
{
	struct table old = *t;

	t->room = old.room == 0 ? ROOM_FIRST : old.room * 2;
	t->entries = arena_alloc(t->arena, t->room * sizeof(*t->entries));
	for (size_t i = 0; i < old.room; i++)
		if (!text_is_none(old.entries[i].key))
			*find(t, old.entries[i].key, old.entries[i].hash) = old.entries[i];
}

int64_t *
table_at(struct table *t, struct text key, bool *is_new)
{
	uint64_t hash = hash_of(t, key);
	struct table_entry *e;

	if (2 * t->n >= t->room)
		grow(t);
	e = find(t, key, hash);
	if (is_new != NULL)
		*is_new = text_is_none(e->key);
	if (text_is_none(e->key)) {
		*e = (struct table_entry){ .key = arena_text(t->arena, key), .hash = hash };
		t->n++;
	}
	return &e->number;
}
