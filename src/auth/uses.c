/*
 * When tokens were last used. A read must not write to the database, and yet moves its token's
 * expiry: so each use is noted here, and the keeper writes the last one down when the stamp in the
 * database has grown old.
 *
 * The table is split into stripes with a lock each, and a stripe into small sets: a token lives in
 * one set, where a newcomer takes the place of the one that loses the least by it, which is the
 * time from its stamp in the database to its last use.
 */
#include "base/base.h"

#include "auth/auth_int.h"
#include "base/log.h"
#include "server/shm.h"

#define STRIPES 64
#define SET 8

struct use {
	int64_t token_id;         /* 0: free */
	struct stamp at, written; /* the last use; the stamp in the database */
};

struct stripe {
	pthread_mutex_t lock;
	struct use *uses;
};

struct table {
	size_t sets; /* a stripe */
	struct stripe stripes[STRIPES];
};

static struct table *table;

void
uses_share(const struct config *config)
{
	size_t sets = (size_t)config->token_slots / (STRIPES * SET) + 1;
	struct use *uses = shm_map(STRIPES * sets * SET * sizeof(*uses));

	table = shm_map(sizeof(*table));
	table->sets = sets;
	for (size_t i = 0; i < STRIPES; i++) {
		shm_lock_init(&table->stripes[i].lock);
		table->stripes[i].uses = &uses[i * sets * SET];
	}
}

static struct stripe *
stripe_of(int64_t token_id)
{
	return &table->stripes[(uint64_t)token_id % STRIPES];
}

static struct use *
set_of(const struct stripe *s, int64_t token_id)
{
	return &s->uses[(uint64_t)token_id / STRIPES % table->sets * SET];
}

struct stamp
uses_last(int64_t token_id, struct stamp stamp)
{
	struct stripe *s;
	struct use *set;

	if (table == NULL)
		return stamp;
	s = stripe_of(token_id);
	set = set_of(s, token_id);
	shm_lock(&s->lock);
	for (size_t i = 0; i < SET; i++)
		if (set[i].token_id == token_id && set[i].at.us > stamp.us)
			stamp = set[i].at;
	shm_unlock(&s->lock);
	return stamp;
}

/* Microseconds that only this memory knows of. */
static int64_t
unwritten(const struct use *u)
{
	return u->at.us - u->written.us;
}

/* The token's own entry, or the one that loses the least; a free one has nothing to lose. */
static struct use *
choose(struct use *set, int64_t token_id)
{
	struct use *best = &set[0];

	for (size_t i = 0; i < SET; i++) {
		if (set[i].token_id == token_id)
			return &set[i];
		if (unwritten(&set[i]) < unwritten(best))
			best = &set[i];
	}
	return best;
}

void
uses_note(int64_t token_id, struct stamp at, struct stamp written)
{
	struct stripe *s;
	struct use *u;

	if (table == NULL)
		return;
	s = stripe_of(token_id);
	shm_lock(&s->lock);
	u = choose(set_of(s, token_id), token_id);
	if (u->token_id != token_id)
		*u = (struct use){ .token_id = token_id, .at = at, .written = written };
	else if (u->at.us < at.us)
		u->at = at;
	shm_unlock(&s->lock);
}

static const struct db_stmt token_used = {
	.name = "token_used",
	.access = DB_WRITE,
	.sql = "UPDATE tokens SET created = ? WHERE id = ? AND created < ?",
};

/* The uses of one stripe that are to be written. */
struct batch {
	const struct use *uses;
	size_t n;
};

static bool
write_batch(struct db *db, void *ctx)
{
	const struct batch *b = ctx;

	for (size_t i = 0; i < b->n; i++)
		db_exec(
		    db, &token_used, V(b->uses[i].at), V(b->uses[i].token_id), V(b->uses[i].at));
	return true;
}

/* Copies what is to be written and marks it as written; the database is not waited for under the lock. */
static struct batch
take_batch(struct stripe *s, int64_t age, struct arena *a)
{
	size_t n = table->sets * SET;
	struct use *taken = arena_alloc(a, n * sizeof(*taken));
	struct batch b = { .uses = taken };

	shm_lock(&s->lock);
	for (size_t i = 0; i < n; i++) {
		if (unwritten(&s->uses[i]) > age) {
			taken[b.n++] = s->uses[i];
			s->uses[i].written = s->uses[i].at;
		}
	}
	shm_unlock(&s->lock);
	return b;
}

/* What could not be written is written the next time. */
static void
give_back(struct stripe *s, const struct batch *b)
{
	shm_lock(&s->lock);
	for (size_t i = 0; i < b->n; i++) {
		struct use *u = choose(set_of(s, b->uses[i].token_id), b->uses[i].token_id);

		if (u->token_id == b->uses[i].token_id)
			u->written = b->uses[i].written;
	}
	shm_unlock(&s->lock);
}

/* Writes the uses whose stamp in the database is older than age, in microseconds. */
static void
write_older(struct db *db, int64_t age, struct arena *a)
{
	for (size_t i = 0; i < STRIPES; i++) {
		struct stripe *s = &table->stripes[i];
		struct arena_mark mark = arena_mark(a);
		struct batch b = take_batch(s, age, a);

		if (b.n > 0 && db_transaction(db, a, write_batch, &b) < DB_NONE) {
			log_warning("the last use of %zu tokens is written later", b.n);
			give_back(s, &b);
		}
		arena_rewind(a, mark);
	}
}

void
uses_flush(struct db *db, const struct config *config UNUSED, struct arena *a)
{
	write_older(db, TOKEN_STAMP_AGE, a);
}

void
uses_flush_all(struct db *db, const struct config *config UNUSED, struct arena *a)
{
	write_older(db, 0, a);
}
