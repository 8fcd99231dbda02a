#include "base/base.h"

#include "http/etag.h"
#include "resource/resource_int.h"

int
resource_delete(struct request *rq)
{
	const struct resource *r = rq->route->subject;
	struct row old;
	struct draft d = { .resource = r, .old = &old };
	struct sql q;

	if (!row_lock(rq, r, &old))
		return resource_not_found(rq, r);
	if (!etag_may_change(rq, old.version))
		return reply_changed_meanwhile(rq);
	d.id = old.id;
	d.uuid = old.uuid;
	draft_run(r->before_delete, rq, &d);
	if (problems_found(rq))
		return reply_invalid(rq);
	sql_init(&q, rq->arena);
	sql_add(&q, "DELETE FROM ");
	sql_add(&q, r->table);
	sql_add(&q, " WHERE id = ");
	sql_value(&q, V(old.id));
	(void)db_exec_sql(rq->db, r->name, &q);
	return reply_empty(rq, 204);
}
