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

static const struct db_stmt audit_append = {
	.name = "audit_append",
	.access = DB_WRITE,
	.sql = "INSERT INTO audit_events (uuid, created, request_id, event, actor_id, actor_uuid,"
	       "  actor_username, impersonator_uuid, subject_type, subject_uuid, address, changes)"
	       " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
};

void
audit(struct request *rq, enum event event, struct subject subject, struct text changes)
{
	const struct caller *c = &rq->caller;
	struct maybe actor = { c->id != 0, c->id };

	db_exec(rq->db, &audit_append, V(random_uuid()), V(rq->now), V(rq->id),
	    V(text_from(event_name(event))), V(actor), V(c->uuid), V(c->username),
	    V(c->impersonator), V(text_from(subject.type)), V(subject.uuid), V(rq->peer),
	    V(changes));
}

struct text
audit_changes(struct request *rq, const struct draft *d)
{
	const struct resource *r = d->resource;
	struct json_writer w;
	struct buf out;

	buf_init(&out, rq->arena);
	json_writer_init(&w, rq->arena, json_sink_buf, &out, rq->config->uuid_format);
	json_object(&w);
	for (size_t i = 0; i < r->nfields; i++) {
		const struct field *f = &r->fields[i];

		if (!d->set[i] || f->column == NULL || f->read == NOBODY)
			continue;
		json_key(&w, text_from(f->name));
		json_array(&w);
		json_value(&w, draft_old(d, f->name));
		json_value(&w, d->values[i]);
		json_array_end(&w);
	}
	json_object_end(&w);
	must(!json_failed(&w));
	return buf_text(&out);
}
