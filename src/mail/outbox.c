#include "base/base.h"

#include "base/count.h"
#include "base/log.h"
#include "crypto/random.h"
#include "crypto/seal.h"
#include "mail/mail_int.h"

/* Mails that are looked at for one that no other mailer has taken. */
#define CANDIDATES 16

static const struct db_stmt mail_insert = {
	.name = "mail_insert",
	.access = DB_WRITE,
	.sql = "INSERT INTO mail_outbox"
	       "  (uuid, user_id, created, recipient, template, language, sealed, due)"
	       " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
};

static struct bytes
context_of(const struct uuid *mail)
{
	return (struct bytes){ mail->b, sizeof(mail->b) };
}

const struct sealed_column sealed_mails = {
	.name = "mails",
	.table = "mail_outbox",
	.column = "sealed",
	.context = "uuid",
};

/* {"code": "..."}, sealed for the mail. */
static struct bytes
seal_values(struct request *rq, const struct mail *mail, const struct uuid *uuid)
{
	struct json_writer w;
	struct buf out;

	buf_init(&out, rq->arena);
	json_writer_init(&w, rq->arena, json_sink_buf, &out, UUID_DASHED);
	json_object(&w);
	for (size_t i = 0; i < mail->nvalues; i++)
		json_member_text(&w, mail->values[i].name, mail->values[i].value);
	json_object_end(&w);
	must(!json_failed(&w));
	return seal(rq->keyring, secret_from(buf_text(&out)), context_of(uuid), rq->arena);
}

void
mail_add(struct request *rq, const struct mail *mail)
{
	struct maybe user = { mail->user_id != 0, mail->user_id };
	struct uuid uuid = random_uuid();

	db_exec(rq->db, &mail_insert, V(uuid), V(user), V(rq->now), V(mail->to),
	    V(text_from(mail->template)), V(mail->language), V(seal_values(rq, mail, &uuid)),
	    V(rq->now));
}

bool
outbox_values(const struct claim *claim, const struct keyring *keyring, struct arena *a,
    struct mail_value **values, size_t *n)
{
	static const struct json_limits limits = { .depth = 1, .values = 100 };
	struct text problem;
	struct secret open;
	struct json *json;

	if (!seal_open(keyring, claim->sealed, context_of(&claim->uuid), a, &open))
		return false;
	json = json_read((struct text){ (const char *)open.bytes, open.n }, &limits, a, &problem);
	must(json != NULL && json->type == JSON_OBJECT); /* we wrote it */
	*values = arena_alloc(a, json->count * sizeof(**values));
	*n = 0;
	for (const struct json *j = json->first; j != NULL; j = j->next)
		(*values)[(*n)++] = (struct mail_value){ arena_text(a, j->key).s, j->text };
	return true;
}

struct candidate {
	int64_t id;
};

static const struct db_column candidate_columns[] = { COLUMN(candidate, id) };

static const struct db_stmt mail_due = {
	.name = "mail_due",
	.sql = "SELECT id FROM mail_outbox WHERE due <= ? ORDER BY due LIMIT ?",
	.columns = candidate_columns,
	.ncolumns = countof(candidate_columns),
};

static const struct db_column claim_columns[] = {
	COLUMN(claim, id),
	COLUMN(claim, uuid),
	COLUMN(claim, created),
	COLUMN(claim, recipient),
	COLUMN(claim, template),
	COLUMN(claim, language),
	COLUMN(claim, sealed),
	COLUMN(claim, attempts),
};

/* By the primary key: a lock on a range of due would hold up the requests that add mails. */
static const struct db_stmt mail_lock = {
	.name = "mail_lock",
	.access = DB_LOCK,
	.sql = "SELECT id, uuid, created, recipient, template, language, sealed, attempts + 1"
	       " FROM mail_outbox WHERE id = ? AND due <= ? FOR UPDATE SKIP LOCKED",
	.columns = claim_columns,
	.ncolumns = countof(claim_columns),
};

static const struct db_stmt mail_claim = {
	.name = "mail_claim",
	.access = DB_WRITE,
	.sql = "UPDATE mail_outbox SET attempts = ?, due = ? WHERE id = ?",
};

struct claiming {
	struct stamp until;
	struct claim *claim;
};

static bool
claim_one(struct db *db, void *ctx)
{
	struct claiming *c = ctx;
	struct candidate candidate;
	int64_t ids[CANDIDATES];
	struct stamp now = stamp_now();
	bool taken = false;
	size_t n = 0;

	db_query(db, &mail_due, &candidate, V(now), V((int64_t)CANDIDATES));
	while (db_next(db))
		ids[n++] = candidate.id;
	*c->claim = (struct claim){ 0 };
	for (size_t i = 0; i < n && !taken; i++)
		taken = db_row(db, &mail_lock, c->claim, V(ids[i]), V(now));
	if (taken)
		db_exec(db, &mail_claim, V(c->claim->attempts), V(c->until), V(c->claim->id));
	return taken;
}

enum db_result
outbox_claim(struct db *db, struct arena *a, struct stamp until, struct claim *claim)
{
	struct claiming c = { until, claim };

	return db_transaction(db, a, claim_one, &c);
}

/* attempts: somebody else may have taken the mail when this try has lasted too long. */
static const struct db_stmt mail_delete = {
	.name = "mail_delete",
	.access = DB_WRITE,
	.sql = "DELETE FROM mail_outbox WHERE id = ? AND attempts = ?",
};

bool
outbox_delivered(struct db *db, struct arena *a, const struct claim *claim)
{
	return db_exec_commit(db, a, NULL, &mail_delete, V(claim->id), V(claim->attempts)) ==
	    DB_NONE;
}

static const struct db_stmt mail_release = {
	.name = "mail_release",
	.access = DB_WRITE,
	.sql =
	    "UPDATE mail_outbox SET attempts = attempts - 1, due = ? WHERE id = ? AND attempts = ?",
};

void
outbox_released(struct db *db, struct arena *a, const struct claim *claim)
{
	if (db_exec_commit(db, a, NULL, &mail_release, V(stamp_now()), V(claim->id),
		V(claim->attempts)) != DB_NONE)
		log_warning("mail %lld waits until its claim ends", (long long)claim->id);
}

static const struct db_stmt mail_fail = {
	.name = "mail_fail",
	.access = DB_WRITE,
	.sql = "UPDATE mail_outbox SET due = ?, error = LEFT(?, 500) WHERE id = ? AND attempts = ?",
};

void
outbox_failed(
    struct db *db, struct arena *a, const struct claim *claim, struct stamp due, struct text error)
{
	if (db_exec_commit(db, a, NULL, &mail_fail, V(due), V(error), V(claim->id),
		V(claim->attempts)) != DB_NONE)
		log_warning(
		    "mail %lld is tried again, the database permitting", (long long)claim->id);
}

static const struct db_column entry_columns[] = {
	COLUMN(mail_entry, id),
	COLUMN(mail_entry, created),
	COLUMN(mail_entry, due),
	COLUMN(mail_entry, recipient),
	COLUMN(mail_entry, template),
	COLUMN(mail_entry, error),
	COLUMN(mail_entry, attempts),
};

static const struct db_stmt mail_entries = {
	.name = "mail_entries",
	.sql = "SELECT id, created, due, recipient, template, error, attempts FROM mail_outbox"
	       " WHERE due IS NULL OR ? ORDER BY id",
	.columns = entry_columns,
	.ncolumns = countof(entry_columns),
};

void
mail_list(struct db *db, bool failed_only, struct mail_entry *entry)
{
	bool waiting_too = !failed_only;

	db_query(db, &mail_entries, entry, V(waiting_too));
}

/* The tries of one that was given up begin anew; of others the number tells who is trying right now. */
static const struct db_stmt mail_again = {
	.name = "mail_again",
	.access = DB_WRITE,
	.sql = "UPDATE mail_outbox SET attempts = IF(due IS NULL, 0, attempts), due = ?"
	       " WHERE id = COALESCE(?, id)",
};

int64_t
mail_retry(struct db *db, struct maybe id)
{
	return db_exec(db, &mail_again, V(stamp_now()), V(id));
}

static const struct db_column census_columns[] = {
	COLUMN(mail_counts, waiting),
	COLUMN(mail_counts, retrying),
	COLUMN(mail_counts, given_up),
};

static const struct db_stmt mail_census = {
	.name = "mail_census",
	.sql =
	    "SELECT COUNT(IF(due IS NOT NULL AND attempts = 0, 1, NULL)),"
	    "  COUNT(IF(due IS NOT NULL AND attempts > 0, 1, NULL)), COUNT(IF(due IS NULL, 1, NULL))"
	    " FROM mail_outbox",
	.columns = census_columns,
	.ncolumns = countof(census_columns),
};

static bool
take_census(struct db *db, void *ctx)
{
	struct mail_counts *c = ctx;

	return db_row(db, &mail_census, c);
}

bool
mail_count(struct db *db, struct arena *a, struct mail_counts *counts)
{
	return db_transaction(db, a, take_census, counts) == DB_NONE;
}

void
mail_measure(struct db *db, const struct config *config UNUSED, struct arena *a)
{
	struct mail_counts c;

	if (!mail_count(db, a, &c))
		return; /* the last numbers stay */
	gauge_set(GAUGE_MAIL_WAITING, c.waiting);
	gauge_set(GAUGE_MAIL_RETRYING, c.retrying);
	gauge_set(GAUGE_MAIL_GIVEN_UP, c.given_up);
}
