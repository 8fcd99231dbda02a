#include "base/base.h"

#include "crypto/random.h"
#include "resource/resource_int.h"

/* Values that a hook made and others took, one after the other, before the request is run again. */
#define WRITE_TRIES 20

/* A hook that names a field which is not there is our mistake. */
static int
index_of(const struct draft *d, const char *field)
{
	int i = field_index(d->resource, text_from(field));

	must(i >= 0);
	return i;
}

bool
draft_changes(const struct draft *d, const char *field)
{
	int i = index_of(d, field);

	return d->set[i] && (d->old == NULL || !value_eq(d->values[i], d->old->values[i]));
}

struct value
draft_old(const struct draft *d, const char *field)
{
	int i = index_of(d, field);

	return d->old != NULL ? d->old->values[i]
			      : (struct value){ .kind = d->resource->fields[i].kind, .null = true };
}

struct value
draft_value(const struct draft *d, const char *field)
{
	int i = index_of(d, field);

	return d->set[i] ? d->values[i] : draft_old(d, field);
}

void
draft_set(struct draft *d, const char *field, struct value v)
{
	int i = index_of(d, field);

	d->values[i] = v;
	d->set[i] = true;
}

void
draft_drop(struct draft *d, const char *field)
{
	d->set[index_of(d, field)] = false;
}

static bool
must_be_complete(const struct request *rq, const struct draft *d)
{
	return d->old == NULL || (d->resource->whole && rq->method == METHOD_PUT);
}

/* What the body says of one field. */
static void
read_field(struct request *rq, struct draft *d, size_t i)
{
	static const struct json no = { .type = JSON_BOOL, .boolean = false };
	const struct field *f = &d->resource->fields[i];
	const struct json *json = json_member(rq->body, text_from(f->name));
	struct input input = f->input;

	input.kind = f->kind;
	input.filled = f->input.filled && (f->may_be_blank == NULL || !f->may_be_blank(rq));
	input.required = f->input.required && must_be_complete(rq, d);
	/* A PUT leaves absent fields as they are, but a form has no other way to say false than to leave a box out. */
	if (json == NULL && f->kind == KIND_BOOL && rq->body_is_form && rq->method == METHOD_PUT)
		json = &no;
	if (f->decode != NULL)
		d->set[i] = json != NULL && f->decode(rq, d, f, json, &d->values[i]);
	else
		d->set[i] = input_read(rq, &input, text_from(f->name), json, &d->values[i]);
}

/* A field that is not the draft's to take, because it cannot be changed or a hook reads it, must be there all the same. */
static void
check_there(struct request *rq, const struct draft *d, const struct field *f)
{
	struct text name = text_from(f->name);

	if (f->input.required && must_be_complete(rq, d) && json_member(rq->body, name) == NULL)
		problem_add(rq, name, T("This field is required."));
}

void
draft_take(struct request *rq, struct draft *d, enum who who)
{
	const struct resource *r = d->resource;

	for (size_t i = 0; i < r->nfields; i++)
		if (((d->old == NULL ? r->fields[i].create : r->fields[i].update) & who) != 0)
			read_field(rq, d, i);
		else
			check_there(rq, d, &r->fields[i]);
}

bool
draft_read(struct request *rq, struct draft *d, enum who who)
{
	if (!body_parse(rq))
		return false;
	draft_take(rq, d, who);
	return true;
}

static bool
another_has(struct request *rq, const struct draft *d, size_t i)
{
	const struct resource *r = d->resource;
	struct value one = { .kind = KIND_INT };
	struct sql q;

	sql_init(&q, rq->arena);
	sql_add(&q, "SELECT 1 FROM ");
	sql_add(&q, r->table);
	sql_add(&q, " WHERE ");
	sql_add(&q, r->fields[i].column);
	sql_add(&q, " = ");
	sql_value(&q, d->values[i]);
	sql_add(&q, " AND id <> ");
	sql_value(&q, V(d->id));
	return db_row_sql(rq->db, r->name, DB_READ, &q, &one, 1);
}

void
draft_check_unique(struct request *rq, const struct draft *d)
{
	for (size_t i = 0; i < d->resource->nfields; i++) {
		const struct field *f = &d->resource->fields[i];

		if (f->unique != NULL && !f->unique_in_part && draft_changes(d, f->name) &&
		    !d->values[i].null && another_has(rq, d, i))
			problem_add(rq, text_from(f->name), text_from(f->unique));
	}
}

/* The field of a unique key, NULL when none has its name. */
static const struct field *
field_of_key(const struct resource *r, struct text key)
{
	for (size_t i = 0; i < r->nfields; i++)
		if (r->fields[i].column != NULL && text_eq(text_from(r->fields[i].column), key))
			return &r->fields[i];
	return NULL;
}

/* Did a hook make the value that the key refused, where the body had none or another one? */
static bool
is_made(const struct draft *d, const struct draft *asked, struct text key)
{
	const struct field *f = field_of_key(d->resource, key);
	ptrdiff_t i;

	must(f != NULL);
	i = f - d->resource->fields;
	return !asked->set[i] || !value_eq(d->values[i], asked->values[i]);
}

/* Sets a column if the resource has it. */
static void
fill_column(struct draft *d, const char *field, struct value v)
{
	if (field_index(d->resource, text_from(field)) >= 0)
		draft_set(d, field, v);
}

/* What an import brings with it, or else a new one. */
static struct uuid
new_uuid(const struct draft *d)
{
	int i = field_index(d->resource, T("uuid"));

	return i >= 0 && d->set[i] && !d->values[i].null ? d->values[i].u : random_uuid();
}

void
draft_fill(struct request *rq, struct draft *d)
{
	if (d->old == NULL) {
		d->uuid = new_uuid(d);
		fill_column(d, "uuid", V(d->uuid));
		fill_column(d, "created", V(rq->now));
	}
	fill_column(d, "modified", V(rq->now));
}

static void
fill_slug(struct request *rq, struct draft *d)
{
	const char *slug_of = d->resource->slug_of;

	if (slug_of != NULL && draft_value(d, "slug").t.n == 0)
		draft_set(d, "slug", V(slug_make(rq, d->resource, draft_value(d, slug_of).t)));
}

struct text
draft_write(struct request *rq, struct draft *d, draft_hook *before, draft_hook *write)
{
	const struct draft asked = *d;
	struct text key;

	for (int tries = 0; tries < WRITE_TRIES; tries++) {
		*d = asked;
		draft_fill(rq, d);
		fill_slug(rq, d);
		draft_run(before, rq, d);
		write(rq, d);
		key = db_duplicate(rq->db);
		if (text_is_none(key) || !is_made(d, &asked, key))
			return key;
	}
	db_again(rq->db);
	return TEXT_NONE;
}

int
reply_duplicate(struct request *rq, const struct draft *d, struct text key)
{
	const struct field *f = field_of_key(d->resource, key);

	must(f != NULL);
	if (f->unique != NULL)
		return reply_field(rq, f->name, f->unique);
	/* The resource's check has the words for it, and will see the other row the next time. */
	db_again(rq->db);
	return reply_empty(rq, 503);
}

void
draft_run(draft_hook *hook, struct request *rq, struct draft *d)
{
	if (hook != NULL)
		hook(rq, d);
}
