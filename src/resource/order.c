#include "base/base.h"

#include "resource/resource_int.h"

/* Does every row have a value of its own? A unique column that may be NULL has many of these. */
static bool
tells_apart(const struct field *f)
{
	return f->unique != NULL && !f->unique_in_part && f->input.required;
}

/* One field, in a direction. What orders already is not added again, nor is anything after a total order. */
static void
add_field(struct ordering *o, const struct field *f, bool descending)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->total || o->terms[i].expression == f->order[0])
			return;
	o->total = tells_apart(f);
	for (size_t i = 0; i < countof(f->order) && f->order[i] != NULL; i++) {
		must(o->n < ORDER_MAX);
		o->terms[o->n++] = (struct order_term){ f->order[i], f->kind, descending };
	}
}

/* One name of o, "-email"; false when nothing is ordered by it. */
static bool
add_name(struct ordering *o, const struct resource *r, struct text name)
{
	bool descending = text_starts(name, T("-"));
	int field = field_index(r, descending ? text_slice(name, 1, name.n) : name);

	if (field < 0 || r->fields[field].order[0] == NULL)
		return false;
	add_field(o, &r->fields[field], descending);
	return true;
}

void
ordering_read(struct ordering *o, struct request *rq, const struct resource *r)
{
	bool any = false, backwards;
	struct text list, name;
	size_t at = 0;

	*o = (struct ordering){ 0 };
	while (request_param_each(rq, T("o"), &at, &list)) {
		while (text_split(&list, ',', &name)) {
			name = text_trim(name);
			if (name.n == 0)
				continue;
			any = true;
			if (!add_name(o, r, name))
				problem_choice(rq, T("o"), name);
		}
	}
	if (!any)
		add_field(o, &r->fields[field_index(r, text_from(r->order))], r->newest_first);
	/* Of a unique key followed by the primary one, MariaDB would not see that its index is in order. */
	if (o->total)
		return;
	must(o->n < ORDER_MAX);
	/* Ties in the direction of the last term: an index can be read backwards, but not in two ways. */
	backwards = o->n > 0 && o->terms[o->n - 1].descending;
	o->terms[o->n++] = (struct order_term){ arena_printf(rq->arena, "%s.id", r->alias).s,
		KIND_INT, backwards };
}

void
ordering_add(const struct ordering *o, struct sql *q, bool reversed)
{
	for (size_t i = 0; i < o->n; i++) {
		sql_add(q, i == 0 ? " ORDER BY " : ", ");
		sql_add(q, o->terms[i].expression);
		if (o->terms[i].descending != reversed)
			sql_add(q, " DESC");
	}
}

static void
add_comparison(struct sql *q, const struct order_term *t, const char *operator, struct value v)
{
	sql_add(q, t->expression);
	sql_add(q, operator);
	sql_value(q, v);
}

/* The row with the value, and those after it. */
static void
add_bound(struct sql *q, const struct order_term *t, struct value v)
{
	add_comparison(q, t, t->descending ? " <= " : " >= ", v);
}

void
ordering_from(const struct ordering *o, struct sql *where, const struct value *from)
{
	size_t last = o->n - 1;

	sql_add(where, " AND ");
	/* The first term alone, once more: that much MariaDB can look up in an index. */
	if (last > 0) {
		add_bound(where, &o->terms[0], from[0]);
		sql_add(where, " AND ");
	}
	for (size_t i = 0; i < last; i++) {
		sql_add(where, "(");
		add_comparison(
		    where, &o->terms[i], o->terms[i].descending ? " < " : " > ", from[i]);
		sql_add(where, " OR (");
		add_comparison(where, &o->terms[i], " = ", from[i]);
		sql_add(where, " AND ");
	}
	add_bound(where, &o->terms[last], from[last]);
	for (size_t i = 0; i < last; i++)
		sql_add(where, "))");
}
