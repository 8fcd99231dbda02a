#include "base/base.h"

#include "resource/resource_int.h"

/* Values that a hook made and others took meanwhile, one after the other, before the request is run again. */
#define INSERT_TRIES 20

static void
insert(struct request *rq, struct draft *d)
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

/*
 * Inserts the row. Somebody may have taken a value that a hook has made (a slug) in the meantime: then
 * the hook makes another one, in the same transaction. The name of the key that refused it, none when it is in.
 */
static struct text
insert_made(struct request *rq, struct draft *d)
{
	struct text key = TEXT_NONE;

	for (int tries = 0; tries < INSERT_TRIES; tries++) {
		draft_run(d->resource->before_create, rq, d);
		insert(rq, d);
		key = db_duplicate(rq->db);
		if (text_is_none(key) || !draft_made(d, key))
			return key;
	}
	db_again(rq->db);
	return TEXT_NONE;
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
	draft_run(r->check, rq, &d);
	draft_check_unique(rq, &d);
	if (problems_found(rq))
		return reply_invalid(rq);
	key = insert_made(rq, &d);
	if (!text_is_none(key))
		return reply_duplicate(rq, &d, key);
	draft_run(r->after_create, rq, &d);
	status = resource_answer(rq, r, 201, d.id, NULL);
	if (status == 201)
		reply_header(rq, "Location", url_of(rq, r->path, d.uuid));
	return status;
}
