/* Writes that come from inside the service. */
#include "base/base.h"

#include "resource/resource_int.h"

static void
check_written(struct request *rq, struct text refused_by)
{
	if (!text_is_none(refused_by))
		db_again(rq->db);
}

int64_t
resource_add(struct request *rq, const struct resource *r, draft_setter *set, const void *ctx)
{
	struct draft d = { .resource = r };

	set(rq, &d, ctx);
	check_written(rq, draft_write(rq, &d, r->before_create, draft_insert));
	draft_run(r->after_create, rq, &d);
	return d.id;
}

bool
resource_change(
    struct request *rq, const struct resource *r, int64_t id, draft_setter *set, const void *ctx)
{
	struct row old;
	struct draft d = { .resource = r, .old = &old };

	if (!row_lock_id(rq, r, id, &old))
		return false;
	d.id = old.id;
	d.uuid = old.uuid;
	set(rq, &d, ctx);
	check_written(rq, draft_change(rq, &d));
	return true;
}

void
resource_remove(struct request *rq, const struct resource *r, int64_t id)
{
	struct row old;
	struct draft d = { .resource = r, .old = &old };

	if (!row_lock_id(rq, r, id, &old))
		return;
	d.id = old.id;
	d.uuid = old.uuid;
	(void)draft_delete(rq, &d);
}
