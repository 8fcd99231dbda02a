#include "base/base.h"

#include "resource/resource_int.h"

/* Most differ in their first byte: for those nothing is called, which is seen in an import. */
static bool
is_called(const struct field *f, struct text name)
{
	return name.n > 0 && f->name[0] == name.s[0] && strncmp(f->name, name.s, name.n) == 0 &&
	    strlen(f->name) == name.n;
}

int
field_index(const struct resource *r, struct text name)
{
	for (size_t i = 0; i < r->nfields; i++)
		if (is_called(&r->fields[i], name))
			return (int)i;
	return -1;
}

static void
selection_take(struct selection *s, size_t field)
{
	must(s->n < FIELDS_MAX);
	s->fields[s->n++] = field;
	s->joins |= s->resource->fields[field].joins;
}

/* Marks the fields that field= names; false when it names none that there is. */
static bool
mark_asked(struct request *rq, const struct resource *r, bool *asked)
{
	bool any = false;
	struct text name;
	size_t at = 0;
	int i;

	while (request_param_each(rq, T("field"), &at, &name)) {
		i = field_index(r, name);
		if (i >= 0 && r->fields[i].read != NOBODY)
			any = asked[i] = true;
	}
	return any;
}

void
selection_asked(struct selection *s, struct request *rq, const struct resource *r)
{
	bool asked[FIELDS_MAX] = { false };
	bool all = !mark_asked(rq, r, asked);

	*s = (struct selection){ .resource = r };
	for (size_t i = 0; i < r->nfields; i++)
		if ((all || asked[i]) && (r->fields[i].read & (rq->caller.who | SELF)) != 0)
			selection_take(s, i);
}

void
selection_columns(struct selection *s, const struct resource *r)
{
	*s = (struct selection){ .resource = r };
	for (size_t i = 0; i < r->nfields; i++)
		if (r->fields[i].column != NULL)
			selection_take(s, i);
}

static void
add_field(struct sql *q, const struct resource *r, const struct field *f)
{
	if (f->expression != NULL) {
		sql_add(q, f->expression);
	} else if (f->column != NULL) {
		sql_add(q, r->alias);
		sql_add(q, ".");
		sql_add(q, f->column);
	} else {
		sql_add(q, "NULL");
	}
}

void
selection_add(struct selection *s, struct sql *q)
{
	static const enum kind base[BASE_COLUMNS] = { KIND_INT, KIND_INT, KIND_MAYBE, KIND_UUID };
	const struct resource *r = s->resource;

	sql_add(q, r->alias);
	sql_add(q, ".id, ");
	sql_add(q, r->immutable ? "1" : r->alias);
	sql_add(q, r->immutable ? ", " : ".version, ");
	sql_add(q, r->owner != NULL ? r->owner : "NULL");
	sql_add(q, ", ");
	sql_add(q, r->alias);
	sql_add(q, ".uuid");
	for (size_t i = 0; i < BASE_COLUMNS; i++)
		s->values[i].kind = base[i];
	for (size_t i = 0; i < s->n; i++) {
		sql_add(q, ", ");
		add_field(q, r, &r->fields[s->fields[i]]);
		s->values[BASE_COLUMNS + i].kind = r->fields[s->fields[i]].kind;
	}
}

void
selection_from(const struct selection *s, struct sql *q)
{
	const struct resource *r = s->resource;

	sql_add(q, r->table);
	sql_add(q, " ");
	sql_add(q, r->alias);
	for (size_t i = 0; i < r->njoins; i++) {
		if ((s->joins & 1u << i) != 0) {
			sql_add(q, " ");
			sql_add(q, r->joins[i]);
		}
	}
}

size_t
selection_width(const struct selection *s)
{
	return BASE_COLUMNS + s->n;
}

void
selection_row(const struct selection *s, struct row *row)
{
	*row = (struct row){
		.id = s->values[0].i,
		.version = s->values[1].i,
		.owner = s->values[2].null ? 0 : s->values[2].i,
		.uuid = s->values[3].u,
	};
	for (size_t i = 0; i < s->n; i++)
		row->values[s->fields[i]] = s->values[BASE_COLUMNS + i];
}

bool
selection_is_own(const struct selection *s, const struct request *rq)
{
	return !s->values[2].null && s->values[2].i == rq->caller.id;
}

static void
write_field(struct request *rq, struct json_writer *w, const struct field *f, const struct value *v)
{
	if (f->omit_null && v->null)
		return;
	json_key(w, text_from(f->name));
	if (f->encode != NULL)
		f->encode(rq, w, v);
	else if (f->url != NULL && !v->null)
		json_text(w, url_of(rq, f->url, v->u));
	else
		json_value(w, *v);
}

void
selection_write(struct selection *s, struct request *rq, struct json_writer *w, bool self,
    void (*extra)(struct request *, struct json_writer *))
{
	enum who who = rq->caller.who | (self && selection_is_own(s, rq) ? SELF : NOBODY);

	json_object(w);
	for (size_t i = 0; i < s->n; i++) {
		const struct field *f = &s->resource->fields[s->fields[i]];

		if ((f->read & who) != 0)
			write_field(rq, w, f, &s->values[BASE_COLUMNS + i]);
	}
	if (extra != NULL)
		extra(rq, w);
	json_object_end(w);
}
