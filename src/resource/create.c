#include "base/base.h"

#include "resource/resource_int.h"

void
draft_insert(struct request *rq, struct draft *d)
{
	const struct resource *r = d->resource;
	const char *comma = "";
	struct sql q, values;

	sql_init(&q, rq->arena);
	sql_init(&values, rq->arena);
	sql_add(&q, "INSERT INTO ");
	sql_add(&q, r->table);
	sql_add(&q, " (");
	for (size_t i = 0; i < r->nfields; i++) {
		if (!d->set[i] || r->fields[i].column == NULL)
			continue;
		sql_add(&q, comma);
		sql_add(&q, r->fields[i].column);
		sql_add(&values, comma);
		sql_value(&values, d->values[i]);
		comma = ", ";
	}
	sql_add(&q, ") VALUES (");
	sql_append(&q, &values);
	sql_add(&q, ")");
	(void)db_exec_sql(rq->db, r->name, &q);
	d->id = db_last_id(rq->db);
}

int
resource_create(struct request *rq)
{
	const struct resource *r = rq->route->subject;
	struct draft d = { .resource = r };
	struct text key;
	int status;

	if (!draft_read(rq, &d, rq->caller.who))
		return body_trouble(rq);
	draft_check_unique(rq, &d);
	draft_run(r->check, rq, &d);
	if (problems_found(rq))
		return reply_invalid(rq);
	key = draft_write(rq, &d, r->before_create, draft_insert);
	if (!text_is_none(key))
		return reply_duplicate(rq, &d, key);
	draft_run(r->after_create, rq, &d);
	status = resource_answer(rq, r, 201, d.id, NULL);
	if (status == 201)
		reply_header(rq, "Location", url_of(rq, r->path, d.uuid));
	return status;
}
