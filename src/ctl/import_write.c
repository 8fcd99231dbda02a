/* Batches of accounts into the database, one after the other, and beside the reading of the next. */
#include "base/base.h"

#include "crypto/digest.h"
#include "crypto/random.h"
#include "ctl/import_int.h"

#define BATCH_USUAL ((size_t)8 * 1024 * 1024)

/* Slugs that others took, one after the other, before the import gives up. */
#define TRIES 20

bool
import_all_or_nothing(const struct import *im)
{
	return !im->ctl->options.skip_errors;
}

bool
import_writes(const struct import *im)
{
	return !im->ctl->options.dry_run && (!import_all_or_nothing(im) || im->counts.refused == 0);
}

static struct account *
row_of(const struct import *im, size_t draft)
{
	return (
	    struct account *)((char *)im->writing->drafts[draft] - offsetof(struct account, draft));
}

/* Takes the dropped rows from the drafts. */
static struct bulk
kept(struct import *im)
{
	struct batch *b = im->writing;

	b->ndrafts = 0;
	for (size_t i = 0; i < b->n; i++)
		if (!b->rows[i].dropped)
			b->drafts[b->ndrafts++] = &b->rows[i].draft;
	return (struct bulk){ &users, b->drafts, b->ndrafts };
}

static void
drop_present(void *ctx, size_t i)
{
	struct import *im = ctx;

	if (!row_of(im, i)->dropped)
		im->counts.present++;
	row_of(im, i)->dropped = true;
}

static void
drop_taken(void *ctx, size_t i, const struct field *f)
{
	struct import *im = ctx;
	struct account *row = row_of(im, i);

	import_say(im, row->line, text_from(f->name), text_from(f->unique));
	im->counts.refused += row->dropped ? 0 : 1;
	row->dropped = true;
}

/* Drops the rows whose values others have already; false when there is none. */
static bool
drop_duplicates(struct import *im)
{
	struct bulk b = kept(im);

	if (b.n > 0)
		bulk_check_unique(&im->rq, &b, drop_taken, im);
	return kept(im).n < b.n;
}

/* Has the database begin with what is left. */
static void
create(struct import *im)
{
	struct bulk b = kept(im);

	im->writing->creation =
	    b.n > 0 && import_writes(im) ? users_create(&im->rq, im->slugs, &b) : NULL;
}

/* Waits for it, and creates what is left when duplicates are dropped. */
static void
await_creation(struct import *im)
{
	for (int tries = 0; im->writing->creation != NULL; tries++) {
		if (text_is_none(users_created(&im->rq, im->writing->creation)))
			return;
		if (tries == TRIES) {
			db_again(im->ctl->db);
			return;
		}
		if (!drop_duplicates(im))
			slugs_forget(im->slugs); /* it was a slug of ours */
		create(im);
	}
}

/* A new id, by which an unsure commit is resolved and an import that goes on finds what it has done. */
static struct text
request_id(struct import *im)
{
	uint8_t bytes[(32 - PREFIX) / 2];

	random_bytes(bytes, sizeof(bytes));
	return arena_printf(im->ctl->arena, "%.*s%s", TEXT_ARGS(im->prefix),
	    hex((struct bytes){ bytes, sizeof(bytes) }, im->rq.arena).s);
}

void
import_begin(struct import *im)
{
	im->rq.now = stamp_now();
	im->rq.id = request_id(im);
	db_begin(im->ctl->db, im->rq.arena, true, im->rq.id);
}

/* With --skip-errors each batch is a transaction, so that what is done stays done. */
static void
await_and_commit(struct import *im)
{
	for (int tries = 1;; tries++) {
		await_creation(im);
		im->trouble = db_end(im->ctl->db, true);
		if (im->trouble != DB_AGAIN || tries == DB_TRIES)
			return;
		slugs_forget(im->slugs);
		db_back_off(tries);
		import_begin(im);
		create(im);
	}
}

static bool
commits_batches(const struct import *im)
{
	return import_writes(im) && !import_all_or_nothing(im);
}

static void
start(struct import *im)
{
	struct bulk b = kept(im);

	if (b.n > 0 && im->resuming)
		users_check_imported(&im->rq, &b, im->prefix, drop_present, im);
	if (commits_batches(im))
		import_begin(im);
	if (import_writes(im))
		create(im);
	else
		(void)drop_duplicates(im);
}

static void
finish(struct import *im)
{
	if (commits_batches(im))
		await_and_commit(im);
	else
		await_creation(im);
	if (db_failed(im->ctl->db) && im->trouble == DB_NONE)
		im->trouble = DB_FAILED;
	im->counts.created += im->trouble == DB_NONE ? (int64_t)im->writing->ndrafts : 0;
}

static void
empty(struct batch *b)
{
	arena_rewind(b->arena, b->mark);
	b->n = b->ndrafts = b->bytes = 0;
	b->creation = NULL;
}

void
import_flush(struct import *im)
{
	struct batch *done = im->writing;

	im->rq.arena = done->arena;
	if (done->n > 0)
		finish(im);
	im->writing = im->reading;
	im->rq.arena = im->writing->arena;
	if (im->trouble == DB_NONE && im->writing->n > 0)
		start(im);
	empty(done);
	im->reading = done;
	im->rq.arena = done->arena;
	progress_show(&im->progress, im->in.done, im->in.size, im->counts.read);
}

void
import_clear_batches(struct import *im)
{
	for (size_t i = 0; i < countof(im->batches); i++) {
		struct batch *b = &im->batches[i];

		arena_reset(b->arena);
		arena_reserve(b->arena, BATCH_USUAL);
		b->mark = arena_mark(b->arena);
		empty(b);
	}
	im->reading = &im->batches[0];
	im->writing = &im->batches[1];
	im->rq.arena = im->reading->arena;
}
