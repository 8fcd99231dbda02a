#include "base/base.h"

#include "http/etag.h"
#include "resource/resource_int.h"

bool
draft_delete(struct request *rq, struct draft *d)
{
	const struct resource *r = d->resource;
	struct sql q;

	draft_run(r->before_delete, rq, d);
	if (problems_found(rq))
		return false;
	sql_init(&q, rq->arena);
	sql_add(&q, "DELETE FROM ");
	sql_add(&q, r->table);
	sql_add(&q, " WHERE id = ");
	sql_value(&q, V(d->id));
	(void)db_exec_sql(rq->db, r->name, &q);
	return true;
}

int
resource_delete(struct request *rq)
{
	const struct resource *r = rq->route->subject;
	struct row old;
	struct draft d = { .resource = r, .old = &old };

	if (!row_lock(rq, r, &old))
		return resource_not_found(rq, r);
	if (!etag_may_change(rq, old.version))
		return reply_changed_meanwhile(rq);
	d.id = old.id;
	d.uuid = old.uuid;
	return draft_delete(rq, &d) ? reply_empty(rq, 204) : reply_invalid(rq);
}
