/* rosterctl user import: accounts from CSV or JSON Lines, by the rules of the users' field table. */
#include "base/base.h"

#include "ctl/import_int.h"

#define BATCH_MEMORY (256 * 1024 * 1024)

/* What is remembered of a whole file: its usernames and slugs. */
#define FILE_MEMORY ((size_t)8 * 1024 * 1024 * 1024)

static void
take_record(struct import *im, struct text record)
{
	struct batch *b = im->reading;

	im->counts.read++;
	b->bytes += record.n;
	if (import_read(im, &b->rows[b->n], record))
		b->n++;
	if (b->n == BATCH || b->bytes > BATCH_BYTES)
		import_flush(im);
}

/* Reads all of the file. */
static void
take_records(struct import *im)
{
	struct text record;

	if (im->in.csv && !import_read_header(im))
		return;
	while (im->trouble == DB_NONE && records_next(&im->in, &record))
		take_record(im, record);
	for (size_t i = 0; i < countof(im->batches) && im->trouble == DB_NONE; i++)
		import_flush(im);
	if (im->in.problem != NULL)
		import_refuse(im, im->in.problem);
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
	import_clear_batches(im);
	table_init(&im->seen, im->whole);
	im->slugs = slugs_new(im->whole);
	im->counts = (struct counts){ 0 };
	im->headless = false;
	im->ncolumns = 0;
	im->trouble = DB_NONE;
	records_rewind(&im->in);
	import_begin(im);
	(void)db_exec_values(im->ctl->db, &unchecked, NULL, 0);
	im->resuming = users_imported(&im->rq, im->prefix);
	take_records(im);
	end = db_end(im->ctl->db, import_all_or_nothing(im) && import_writes(im));
	return im->trouble != DB_NONE && !import_all_or_nothing(im) ? im->trouble : end;
}

/* The database may ask for another try; what was said about the file is not said twice. */
static enum db_result
try_often(struct import *im)
{
	enum db_result end;

	for (int tries = 1;; tries++) {
		end = try_once(im);
		if (end != DB_AGAIN || tries == DB_TRIES || !import_writes(im) ||
		    !import_all_or_nothing(im))
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
	bool partly = !import_all_or_nothing(im) && im->counts.created + im->counts.present > 0;

	progress_clear(&im->progress);
	if (import_all_or_nothing(im) && (end != DB_NONE || im->counts.refused > 0))
		im->counts.created = 0;
	print_counts(im);
	if (end != DB_NONE)
		return ctl_error(CTL_FAILED, "the database failed; %s",
		    partly ? "the same import goes on where this one has ended"
			   : "nothing was imported");
	if (im->counts.refused == 0 && !im->headless)
		return CTL_GOOD;
	if (import_all_or_nothing(im) || im->headless)
		(void)ctl_error(0, "nothing %s imported%s",
		    im->ctl->options.dry_run ? "would be" : "was",
		    im->counts.refused < im->counts.read ? "; --skip-errors imports the rest" : "");
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
