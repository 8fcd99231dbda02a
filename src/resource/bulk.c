/* Many creates at once: what create.c does for one object, with a statement for many of them. */
#include "base/base.h"

#include "crypto/random.h"
#include "resource/resource_int.h"

void
bulk_read(struct request *rq, struct draft *d, struct json *object)
{
	rq->body = object;
	draft_take(rq, d, rq->caller.who);
	draft_run(d->resource->check, rq, d);
	rq->body = NULL;
}

/* Adds " FROM users WHERE slug IN (?, ...)" with the values that are to be compared; false when there are none. */
static bool
where_among(struct sql *q, const struct bulk *b, size_t field)
{
	size_t n = 0;

	sql_add(q, " FROM ");
	sql_add(q, b->resource->table);
	sql_add(q, " WHERE ");
	sql_add(q, b->resource->fields[field].column);
	sql_add(q, " IN ");
	for (size_t i = 0; i < b->n; i++) {
		const struct draft *d = b->drafts[i];

		if (d->set[field] && !d->values[field].null)
			sql_list_value(q, &n, d->values[field]);
	}
	sql_list_end(q, n);
	return n > 0;
}

/* Tells of each draft that has the value. */
static void
tell_taken(const struct bulk *b, size_t field, struct value taken, bulk_taken *tell, void *ctx)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct draft *d = b->drafts[i];

		if (d->set[field] && value_eq(d->values[field], taken))
			tell(ctx, i, &b->resource->fields[field]);
	}
}

void
bulk_check_unique(struct request *rq, const struct bulk *b, bulk_taken *tell, void *ctx)
{
	for (size_t i = 0; i < b->resource->nfields; i++) {
		const struct field *f = &b->resource->fields[i];
		struct value taken = { .kind = f->kind };
		struct sql q;

		if (f->unique == NULL)
			continue;
		sql_init(&q, rq->arena);
		sql_add(&q, "SELECT ");
		sql_add(&q, f->column);
		if (!where_among(&q, b, i))
			continue;
		db_query_sql(rq->db, b->resource->name, DB_READ, &q, &taken, 1);
		while (db_next(rq->db))
			tell_taken(b, i, taken, tell, ctx);
	}
}

/* Does any draft set the field? */
static bool
any_sets(const struct bulk *b, size_t field)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->drafts[i]->set[field])
			return b->resource->fields[field].column != NULL;
	return false;
}

static void
add_row(struct sql *q, const struct draft *d, const size_t *fields, size_t n)
{
	struct value row[FIELDS_MAX] = { 0 }; /* what the draft has no value for gets the DEFAULT */

	for (size_t i = 0; i < n; i++)
		if (d->set[fields[i]])
			row[i] = d->values[fields[i]];
	sql_row(q, row, n);
}

static void
add_insert(struct sql *q, const struct bulk *b)
{
	size_t fields[FIELDS_MAX], n = 0;

	sql_add(q, "INSERT INTO ");
	sql_add(q, b->resource->table);
	for (size_t i = 0; i < b->resource->nfields; i++) {
		if (!any_sets(b, i))
			continue;
		sql_add(q, n == 0 ? " (" : ", ");
		sql_add(q, b->resource->fields[i].column);
		fields[n++] = i;
	}
	sql_add(q, ") VALUES ");
	for (size_t i = 0; i < b->n; i++)
		add_row(q, b->drafts[i], fields, n);
	sql_add(q, " RETURNING id");
}

/* New uuids for those that bring none. */
static void
fill_uuids(struct request *rq, const struct bulk *b)
{
	struct uuid *uuids = arena_alloc(rq->arena, b->n * sizeof(*uuids));

	ordered_uuids(uuids, b->n);
	for (size_t i = 0; i < b->n; i++)
		if (draft_value(b->drafts[i], "uuid").null)
			draft_set(b->drafts[i], "uuid", V(uuids[i]));
}

static void
fill(struct request *rq, struct slugs *slugs, const struct bulk *b)
{
	fill_uuids(rq, b);
	for (size_t i = 0; i < b->n; i++) {
		draft_fill(rq, b->drafts[i]);
		draft_run(b->resource->before_create, rq, b->drafts[i]);
	}
	/* Last, for it waits for what the database is at work on. */
	if (b->resource->slug_of != NULL)
		slugs_make(rq, slugs, b);
}

void
bulk_insert(struct request *rq, struct slugs *slugs, const struct bulk *b)
{
	struct sql q;

	fill(rq, slugs, b);
	sql_init(&q, rq->arena);
	add_insert(&q, b);
	db_send_sql(rq->db, b->resource->name, &q);
}

struct text
bulk_inserted(struct request *rq, const struct bulk *b)
{
	struct value id = { .kind = KIND_INT };
	size_t n = 0;

	db_receive(rq->db, &id, 1);
	while (db_next(rq->db))
		b->drafts[n++]->id = id.i;
	must(n == b->n || db_failed(rq->db));
	return db_duplicate(rq->db);
}
