#include "base/base.h"

#include "audit/audit.h"
#include "crypto/random.h"

struct found {
	int64_t id;
};

static const struct db_column found_columns[] = { COLUMN(found, id) };

/* LOCK IN SHARE MODE waits for a transaction that is still being decided. */
const struct db_stmt audit_committed = {
	.name = "audit_committed",
	.access = DB_LOCK,
	.sql = "SELECT id FROM audit_events WHERE request_id = ? LIMIT 1 LOCK IN SHARE MODE",
	.columns = found_columns,
	.ncolumns = countof(found_columns),
};

struct moment {
	struct stamp created;
};

static const struct db_column moment_columns[] = { COLUMN(moment, created) };

static const struct db_stmt audit_moment = {
	.name = "audit_moment",
	.sql = "SELECT created FROM audit_events"
	       " WHERE subject_uuid = ? AND created > ? AND event = ?"
	       " ORDER BY created DESC LIMIT 1 OFFSET ?",
	.columns = moment_columns,
	.ncolumns = countof(moment_columns),
};

struct stamp
audit_nth_last(
    struct request *rq, enum event event, struct uuid subject, struct stamp since, int64_t nth)
{
	struct moment m;

	return db_row(rq->db, &audit_moment, &m, V(subject), V(since),
		   V(text_from(event_name(event))), V(nth - 1))
	    ? m.created
	    : STAMP_NONE;
}

#define COLUMNS 12
#define AUDIT_APPEND                                                                         \
	"INSERT INTO audit_events (uuid, created, request_id, event, actor_id, actor_uuid,"  \
	"  actor_username, impersonator_uuid, subject_type, subject_uuid, address, changes)" \
	" VALUES "
#define AUDIT_ROW "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

static const struct db_stmt audit_append = {
	.name = "audit_append",
	.access = DB_WRITE,
	.sql = AUDIT_APPEND AUDIT_ROW,
};

/* An event's row. */
static void
fill(struct request *rq, struct uuid uuid, enum event event, struct audited what,
    struct value row[static COLUMNS])
{
	const struct caller *c = &rq->caller;
	struct maybe actor = { c->id != 0, c->id };
	const struct value values[COLUMNS] = { V(uuid), V(rq->now), V(rq->id),
		V(text_from(event_name(event))), V(actor), V(c->uuid), V(c->username),
		V(c->impersonator), V(text_from(what.subject.type)), V(what.subject.uuid),
		V(rq->peer), V(what.changes) };

	memcpy(row, values, sizeof(values));
}

void
audit(struct request *rq, enum event event, struct subject subject, struct text changes)
{
	struct value row[COLUMNS];

	fill(rq, random_uuid(), event, (struct audited){ subject, changes }, row);
	(void)db_exec_values(rq->db, &audit_append, row, COLUMNS);
}

struct sql
audit_many(struct request *rq, enum event event, const struct audited *what, size_t n)
{
	struct uuid *uuids = arena_alloc(rq->arena, n * sizeof(*uuids));
	struct value row[COLUMNS];
	struct sql q;

	ordered_uuids(uuids, n);
	sql_init(&q, rq->arena);
	sql_add(&q, AUDIT_APPEND);
	for (size_t i = 0; i < n; i++) {
		fill(rq, uuids[i], event, what[i], row);
		sql_row(&q, row, COLUMNS);
	}
	return q;
}

void
audit_send(struct request *rq, struct sql *events)
{
	db_send_sql(rq->db, audit_append.name, events);
}

/* Does an event tell of the field? */
static bool
is_told(const struct field *f)
{
	return f->column != NULL && f->read != NOBODY;
}

/* The values of the fields before and after: of those that are set; of an object that is removed, all of them. */
static struct text
write_changes(struct request *rq, const struct draft *d, bool removed)
{
	const struct resource *r = d->resource;
	struct json_writer w;
	struct buf out;

	buf_init(&out, rq->arena);
	json_writer_init(&w, rq->arena, json_sink_buf, &out, rq->config->uuid_format);
	json_object(&w);
	for (size_t i = 0; i < r->nfields; i++) {
		const struct field *f = &r->fields[i];

		if (!is_told(f) || !(removed || d->set[i]))
			continue;
		json_key(&w, text_from(f->name));
		json_array(&w);
		json_value(&w, draft_old(d, f->name));
		if (removed)
			json_null(&w);
		else
			json_value(&w, d->values[i]);
		json_array_end(&w);
	}
	json_object_end(&w);
	must(!json_failed(&w));
	return buf_text(&out);
}

struct text
audit_changes(struct request *rq, const struct draft *d)
{
	return write_changes(rq, d, false);
}

struct text
audit_changes_and(struct request *rq, struct text changes, const char *name, struct text json)
{
	changes.n--; /* the brace at its end */
	return arena_printf(rq->arena, "%.*s%s\"%s\":%.*s}", TEXT_ARGS(changes),
	    changes.n > 1 ? "," : "", name, TEXT_ARGS(json));
}

struct text
audit_removed(struct request *rq, const struct draft *d)
{
	return write_changes(rq, d, true);
}
