#include "base/base.h"

#include "http/etag.h"
#include "resource/resource_int.h"

/* Forgets what is set to the value that it has already; is anything left? */
static bool
keep_changes(struct draft *d)
{
	bool any = false;

	for (size_t i = 0; i < d->resource->nfields; i++) {
		d->set[i] = d->set[i] && d->resource->fields[i].column != NULL &&
		    !value_eq(d->values[i], d->old->values[i]);
		any |= d->set[i];
	}
	return any;
}

/* Writes what is set, unless somebody else has written since the row was read. */
static void
write_changes(struct request *rq, struct draft *d)
{
	const struct resource *r = d->resource;
	struct sql q;

	sql_init(&q, rq->arena);
	sql_add(&q, "UPDATE ");
	sql_add(&q, r->table);
	sql_add(&q, " SET version = version + 1");
	for (size_t i = 0; i < r->nfields; i++) {
		if (!d->set[i])
			continue;
		sql_add(&q, ", ");
		sql_add(&q, r->fields[i].column);
		sql_add(&q, " = ");
		sql_value(&q, d->values[i]);
	}
	sql_add(&q, " WHERE id = ");
	sql_value(&q, V(d->old->id));
	sql_add(&q, " AND version = ");
	sql_value(&q, V(d->old->version));
	if (db_exec_sql(rq->db, r->name, &q) == 0 && !db_failed(rq->db))
		db_again(rq->db);
}

struct text
draft_change(struct request *rq, struct draft *d)
{
	struct text key;

	if (!keep_changes(d))
		return TEXT_NONE;
	key = draft_write(rq, d, d->resource->before_update, write_changes);
	if (text_is_none(key))
		draft_run(d->resource->after_update, rq, d);
	return key;
}

int
resource_update(struct request *rq)
{
	const struct resource *r = rq->route->subject;
	struct row old;
	struct draft d = { .resource = r, .old = &old };
	struct text key;

	if (!row_lock(rq, r, &old))
		return resource_not_found(rq, r);
	if (!etag_may_change(rq, old.version))
		return reply_changed_meanwhile(rq);
	d.id = old.id;
	d.uuid = old.uuid;
	if (!draft_read(rq, &d, rq->caller.who | (old.owner == rq->caller.id ? SELF : NOBODY)))
		return body_trouble(rq);
	draft_check_unique(rq, &d);
	draft_run(r->check, rq, &d);
	if (problems_found(rq))
		return reply_invalid(rq);
	key = draft_change(rq, &d);
	if (!text_is_none(key))
		return reply_duplicate(rq, &d, key);
	return resource_answer(rq, r, 200, old.id, NULL);
}
