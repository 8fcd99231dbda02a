/* rosterctl user import: accounts from CSV or JSON Lines, by the rules of the users' field table. */
#include "base/base.h"

#include "base/table.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "ctl/ctl.h"
#include "ctl/progress.h"
#include "ctl/records.h"
#include "users/users.h"

/* Accounts, and bytes of their records, that are written together. */
#define BATCH 500
#define BATCH_BYTES (4 * 1024 * 1024)
#define BATCH_MEMORY (256 * 1024 * 1024)
#define BATCH_USUAL ((size_t)8 * 1024 * 1024)

/* What is remembered of a whole file: its usernames and slugs. */
#define FILE_MEMORY ((size_t)8 * 1024 * 1024 * 1024)

/* Slugs that others took, one after the other, before the import gives up. */
#define TRIES 20

/* Hex digits of the file's digest that the ids of its requests begin with. */
#define PREFIX 20

/* An account that waits to be written. */
struct account {
	struct draft draft;
	int64_t line;
	bool dropped;
};

/* Accounts that are written together. */
struct batch {
	struct arena *arena;
	struct arena_mark mark;
	struct account rows[BATCH];
	struct draft *drafts[BATCH]; /* of the rows that were not dropped */
	size_t n, ndrafts, bytes;
	struct creation *creation; /* that the database is at work on */
};

struct counts {
	int64_t read, created, present, refused;
};

struct import {
	struct ctl *ctl;
	struct records in;
	struct text prefix; /* of the ids of this file's requests */
	bool resuming;      /* some of its accounts are there */
	struct progress progress;

	/* A try. */
	struct arena *whole; /* memory of the file */
	struct batch batches[2], *reading, *writing;
	struct request rq;
	struct table seen; /* "username:alice": the line that had it */
	struct slugs *slugs;
	struct text columns[CELLS_MAX]; /* of CSV */
	size_t ncolumns;
	struct counts counts;
	enum db_result trouble; /* the database's; DB_NONE: none */
};

/* Messages. */

/* Is the byte of a control character, of ASCII or of those that UTF-8 writes as 0xc2 and 0x80 to 0x9f? */
static bool
is_control(struct text t, size_t i)
{
	unsigned char c = (unsigned char)t.s[i];
	unsigned char before = i > 0 ? (unsigned char)t.s[i - 1] : 0;
	unsigned char after = i + 1 < t.n ? (unsigned char)t.s[i + 1] : 0;

	return c < ' ' || c == 0x7f || (c == 0xc2 && after >= 0x80 && after < 0xa0) ||
	    (before == 0xc2 && c >= 0x80 && c < 0xa0);
}

/* What a file says, on a terminal that would do as it is told. */
static void
print_visible(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (is_control(t, i))
			fprintf(stderr, "\\x%02x", (unsigned char)t.s[i]);
		else
			fputc(t.s[i], stderr);
}

static void
say(struct import *im, int64_t line, struct text field, struct text message)
{
	progress_clear(&im->progress);
	fprintf(stderr, "%s:%lld: ", im->in.name, (long long)line);
	print_visible(field);
	fputs(field.n > 0 ? ": " : "", stderr);
	print_visible(message);
	fputc('\n', stderr);
}

static void
refuse(struct import *im, const char *message)
{
	say(im, im->in.line, T(""), text_from(message));
	im->counts.refused++;
}

/* Reading. */

/* What a file may bring: what the operator may set, and what is stored as it is written. */
static bool
is_importable(struct text name)
{
	int i = field_index(&users, name);

	return i >= 0 && ctl_is_portable(&users.fields[i]);
}

static void
check_column(struct import *im, size_t i)
{
	bool twice = false;

	for (size_t j = 0; j < i; j++)
		twice = twice || text_eq(im->columns[j], im->columns[i]);
	if (!twice && is_importable(im->columns[i]))
		return;
	say(im, im->in.line, im->columns[i],
	    twice ? T("This column is there twice.") : T("There is no such field to import."));
	im->counts.refused++;
}

/* Refuses a record that is not UTF-8. */
static bool
is_utf8(struct import *im, struct text record)
{
	size_t valid = text_utf8_valid_to(record);

	if (valid == record.n)
		return true;
	refuse(im,
	    arena_printf(im->rq.arena, "byte %zu of the record is not valid UTF-8", valid + 1).s);
	return false;
}

static bool
read_header(struct import *im)
{
	const char *problem = "there is no line with the names of the columns";
	struct text header;

	if (records_next(&im->in, &header) && is_utf8(im, header))
		im->ncolumns =
		    csv_split(arena_text(im->whole, header), im->whole, im->columns, &problem);
	if (im->ncolumns == 0 && im->counts.refused == 0)
		refuse(im, problem);
	for (size_t i = 0; i < im->ncolumns; i++) {
		im->columns[i] = text_trim(im->columns[i]);
		check_column(im, i);
	}
	return im->counts.refused == 0;
}

static struct json *
read_cells(struct import *im, struct text record)
{
	struct text cells[CELLS_MAX];
	const char *problem = NULL;
	size_t n = csv_split(record, im->rq.arena, cells, &problem);
	struct json *object, *members;

	if (problem != NULL || n != im->ncolumns) {
		refuse(im,
		    problem != NULL ? problem
				    : arena_printf(im->rq.arena,
					  "%zu cells where the header has %zu", n, im->ncolumns)
					  .s);
		return NULL;
	}
	object = arena_alloc(im->rq.arena, sizeof(*object));
	members = arena_alloc(im->rq.arena, n * sizeof(*members));
	for (size_t i = 0; i < n; i++)
		members[i] = (struct json){ .type = JSON_TEXT,
			.key = im->columns[i],
			.text = arena_text(im->rq.arena, cells[i]),
			.next = i + 1 < n ? &members[i + 1] : NULL };
	*object = (struct json){ .type = JSON_OBJECT, .first = members, .count = n };
	return object;
}

static struct json *
read_json(struct import *im, struct text record)
{
	static const struct json_limits limits = { .depth = 4, .values = 1000 };
	struct text problem;
	struct json *json = json_read(record, &limits, im->rq.arena, &problem);
	bool known = true;

	if (json == NULL || json->type != JSON_OBJECT) {
		refuse(im, json == NULL ? problem.s : "not a JSON object");
		return NULL;
	}
	for (const struct json *j = json->first; j != NULL; j = j->next) {
		if (!is_importable(j->key)) {
			say(im, im->in.line, j->key, T("There is no such field to import."));
			known = false;
		}
	}
	im->counts.refused += known ? 0 : 1;
	return known ? json : NULL;
}

/* Notes a problem for each unique value that an earlier line had. */
static void
check_seen(struct import *im, const struct account *row)
{
	for (size_t i = 0; i < users.nfields; i++) {
		const struct field *f = &users.fields[i];
		char digits[UUID_SIZE];
		struct value v = row->draft.values[i];
		int64_t *line;
		bool is_new;

		if (f->unique == NULL || !row->draft.set[i] || v.null ||
		    (v.kind == KIND_TEXT && v.t.n == 0))
			continue;
		line = table_at(&im->seen,
		    arena_printf(im->rq.arena, "%s:%.*s", f->name,
			TEXT_ARGS(v.kind == KIND_UUID ? uuid_print(v.u, UUID_HEX, digits) : v.t)),
		    &is_new);
		if (is_new)
			*line = row->line;
		else
			problem_printf(&im->rq, text_from(f->name), "Line %lld has the same value.",
			    (long long)*line);
	}
}

/* The draft of a record; false when it was refused. */
static bool
read_draft(struct import *im, struct account *row, struct text record)
{
	struct json *object = im->in.csv ? read_cells(im, record) : read_json(im, record);

	if (object == NULL)
		return false;
	*row = (struct account){ .line = im->in.line, .draft.resource = &users };
	im->rq.problems = NULL;
	im->rq.problems_end = &im->rq.problems;
	im->rq.body_is_form = im->in.csv;
	bulk_read(&im->rq, &row->draft, object);
	if (!problems_found(&im->rq))
		check_seen(im, row);
	for (const struct problem *p = im->rq.problems; p != NULL; p = p->next)
		say(im, row->line, p->field, p->message);
	im->counts.refused += problems_found(&im->rq) ? 1 : 0;
	return !problems_found(&im->rq);
}

/* Writing. */

static bool
all_or_nothing(const struct import *im)
{
	return !im->ctl->options.skip_errors;
}

/* Is anything to be written, now and with what was seen so far? */
static bool
is_writing(const struct import *im)
{
	return !im->ctl->options.dry_run && (!all_or_nothing(im) || im->counts.refused == 0);
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

	say(im, row->line, text_from(f->name), text_from(f->unique));
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
	    b.n > 0 && is_writing(im) ? users_create(&im->rq, im->slugs, &b) : NULL;
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

static void
begin(struct import *im)
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
		begin(im);
		create(im);
	}
}

static bool
commits_batches(const struct import *im)
{
	return is_writing(im) && !all_or_nothing(im);
}

static void
start(struct import *im)
{
	struct bulk b = kept(im);

	if (b.n > 0 && im->resuming)
		users_check_imported(&im->rq, &b, im->prefix, drop_present, im);
	if (commits_batches(im))
		begin(im);
	if (is_writing(im))
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

/* Writes what was read, which the database has yet to end: so more is read while it works. */
static void
flush(struct import *im)
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

static void
take_record(struct import *im, struct text record)
{
	struct batch *b = im->reading;

	im->counts.read++;
	if (!is_utf8(im, record))
		return;
	b->bytes += record.n;
	if (read_draft(im, &b->rows[b->n], record))
		b->n++;
	if (b->n == BATCH || b->bytes > BATCH_BYTES)
		flush(im);
}

/* Reads all of the file. */
static void
take_records(struct import *im)
{
	struct text record;

	if (im->in.csv && !read_header(im))
		return;
	while (im->trouble == DB_NONE && records_next(&im->in, &record))
		take_record(im, record);
	for (size_t i = 0; i < countof(im->batches) && im->trouble == DB_NONE; i++)
		flush(im);
	if (im->in.problem != NULL)
		refuse(im, im->in.problem);
}

static void
clear_batches(struct import *im)
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

/*
 * The users that tokens name are rows of the same transaction, and what is JSON was written here: the server need
 * not look at each of them again.
 */
static const struct db_stmt unchecked = {
	.name = "unchecked",
	.access = DB_READ,
	.sql = "SET SESSION foreign_key_checks = 0, check_constraint_checks = 0",
};

/* A try at the whole file, from its start. */
static enum db_result
try_once(struct import *im)
{
	enum db_result end;

	arena_reset(im->whole);
	clear_batches(im);
	table_init(&im->seen, im->whole);
	im->slugs = slugs_new(im->whole);
	im->counts = (struct counts){ 0 };
	im->trouble = DB_NONE;
	records_rewind(&im->in);
	begin(im);
	(void)db_exec_values(im->ctl->db, &unchecked, NULL, 0);
	im->resuming = users_imported(&im->rq, im->prefix);
	take_records(im);
	end = db_end(im->ctl->db, all_or_nothing(im) && is_writing(im));
	return im->trouble != DB_NONE && !all_or_nothing(im) ? im->trouble : end;
}

/* The database may ask for another try; what was said about the file is not said twice. */
static enum db_result
try_often(struct import *im)
{
	enum db_result end;

	for (int tries = 1;; tries++) {
		end = try_once(im);
		if (end != DB_AGAIN || tries == DB_TRIES || !is_writing(im) || !all_or_nothing(im))
			return end;
		db_back_off(tries);
	}
}

static void
print_json(struct import *im)
{
	const struct {
		const char *name;
		int64_t n;
	} members[] = {
		{ "imported", im->counts.created },
		{ "present", im->counts.present },
		{ "refused", im->counts.refused },
	};
	struct json_writer w;
	struct buf out;

	buf_init(&out, im->ctl->arena);
	json_writer_init(&w, im->ctl->arena, json_sink_buf, &out, UUID_DASHED);
	json_object(&w);
	for (size_t i = 0; i < countof(members); i++)
		json_member_value(&w, members[i].name, V(members[i].n));
	json_object_end(&w);
	buf_add_char(&out, '\n');
	ctl_print(buf_text(&out));
}

static void
print_counts(struct import *im)
{
	if (im->ctl->options.json)
		print_json(im);
	else
		printf("%s: %lld; there already: %lld; refused: %lld.\n",
		    im->ctl->options.dry_run ? "Would be imported" : "Imported",
		    (long long)im->counts.created, (long long)im->counts.present,
		    (long long)im->counts.refused);
}

static int
report(struct import *im, enum db_result end)
{
	bool partly = !all_or_nothing(im) && im->counts.created + im->counts.present > 0;

	progress_clear(&im->progress);
	if (all_or_nothing(im) && (end != DB_NONE || im->counts.refused > 0))
		im->counts.created = 0;
	print_counts(im);
	if (end != DB_NONE)
		return ctl_error(CTL_FAILED, "the database failed; %s",
		    partly ? "the same import goes on where this one has ended"
			   : "nothing was imported");
	if (im->counts.refused == 0)
		return CTL_GOOD;
	if (all_or_nothing(im))
		(void)ctl_error(0, "nothing %s imported; --skip-errors imports the rest",
		    im->ctl->options.dry_run ? "would be" : "was");
	return partly ? CTL_PARTLY : CTL_FAILED;
}

int
ctl_user_import(struct ctl *ctl)
{
	struct import *im = arena_alloc(ctl->arena, sizeof(*im));
	int status = CTL_FAILED;

	im->ctl = ctl;
	im->whole = arena_new(FILE_MEMORY);
	for (size_t i = 0; i < countof(im->batches); i++)
		im->batches[i].arena = arena_new(BATCH_MEMORY);
	im->rq = (struct request){
		.db = ctl->db,
		.config = &ctl->setup.config,
		.keyring = ctl->setup.keyring,
		.caller = ctl_operator(),
	};
	if (records_open(&im->in, ctl->argument, ctl->arena)) {
		im->prefix = text_slice(records_digest(&im->in, ctl->arena), 0, PREFIX);
		progress_begin(&im->progress, "accounts");
		if (!text_is_none(im->prefix))
			status = report(im, try_often(im));
	}
	records_close(&im->in);
	arena_free(&im->whole);
	for (size_t i = 0; i < countof(im->batches); i++)
		arena_free(&im->batches[i].arena);
	return status;
}
