#include "base/base.h"

#include "http/etag.h"
#include "resource/resource_int.h"

int
resource_not_found(struct request *rq, const struct resource *r)
{
	return reply_detail(rq, 404, "No %s matches the given query.", r->model);
}

/* Reads one row by the selection; where is complete. */
static bool
read_row(struct request *rq, struct selection *s, struct sql *where, enum db_access access)
{
	struct sql q;

	sql_init(&q, rq->arena);
	sql_add(&q, "SELECT ");
	selection_add(s, &q);
	sql_add(&q, " FROM ");
	selection_from(s, &q);
	sql_append(&q, where);
	if (access == DB_LOCK)
		sql_add(&q, " FOR UPDATE");
	return db_row_sql(rq->db, s->resource->name, access, &q, s->values, selection_width(s));
}

static void
where_path(struct request *rq, const struct resource *r, struct sql *where)
{
	where_visible(rq, r, where);
	sql_add(where, " AND ");
	sql_add(where, r->alias);
	sql_add(where, ".uuid = ");
	sql_value(where, V(rq->uuid));
}

static void
where_id(struct request *rq, const struct resource *r, struct sql *where, int64_t id)
{
	sql_init(where, rq->arena);
	sql_add(where, " WHERE ");
	sql_add(where, r->alias);
	sql_add(where, ".id = ");
	sql_value(where, V(id));
}

static int
answer_selected(struct request *rq, struct selection *s, int status,
    void (*extra)(struct request *, struct json_writer *))
{
	struct json_writer *w;

	reply_hold(rq);
	w = reply_json(rq, status);
	selection_write(s, rq, w, true, extra);
	status = reply_end(rq);
	return status < 400 ? reply_etag(rq, s->values[1].i) : status;
}

int
resource_retrieve(struct request *rq)
{
	const struct resource *r = rq->route->subject;
	struct selection s;
	struct sql where;

	where_path(rq, r, &where);
	filters_add(rq, r, &where);
	if (problems_found(rq))
		return reply_invalid(rq);
	selection_asked(&s, rq, r);
	if (!read_row(rq, &s, &where, DB_READ))
		return resource_not_found(rq, r);
	return answer_selected(rq, &s, 200, NULL);
}

int
resource_answer(struct request *rq, const struct resource *r, int status, int64_t id,
    void (*extra)(struct request *, struct json_writer *))
{
	struct selection s;
	struct sql where;

	where_id(rq, r, &where, id);
	selection_asked(&s, rq, r);
	if (!read_row(rq, &s, &where, DB_READ))
		return resource_not_found(rq, r);
	return answer_selected(rq, &s, status, extra);
}

bool
resource_find(struct request *rq, const struct resource *r, struct row *row)
{
	struct selection s = { .resource = r };
	struct sql where;

	where_path(rq, r, &where);
	if (!read_row(rq, &s, &where, DB_READ))
		return false;
	selection_row(&s, row);
	return true;
}

static bool
lock_where(struct request *rq, const struct resource *r, struct sql *where, struct row *row)
{
	struct selection s;

	selection_columns(&s, r);
	s.joins = 0; /* columns only: nothing else is to be locked */
	if (!read_row(rq, &s, where, DB_LOCK))
		return false;
	selection_row(&s, row);
	return true;
}

bool
row_lock(struct request *rq, const struct resource *r, struct row *row)
{
	struct sql where;

	where_path(rq, r, &where);
	return lock_where(rq, r, &where, row);
}

bool
row_lock_id(struct request *rq, const struct resource *r, int64_t id, struct row *row)
{
	struct sql where;

	where_id(rq, r, &where, id);
	return lock_where(rq, r, &where, row);
}

int
resource_staff_writes(struct request *rq)
{
	bool may_pass = (rq->method & METHODS_SAFE) != 0 || (rq->caller.who & STAFF) != 0;

	return may_pass ? 0 : reply_forbidden(rq);
}

int
resource_precondition(struct request *rq, const struct resource *r)
{
	struct row row;

	if (rq->method != METHOD_POST || text_is_none(request_header(rq, "If-Match")))
		return 0;
	if (!row_lock(rq, r, &row))
		return resource_not_found(rq, r);
	return etag_may_change(rq, row.version) ? 0 : reply_changed_meanwhile(rq);
}
