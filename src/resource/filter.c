#include "base/base.h"

#include "resource/resource_int.h"

/* "u.email" */
static const char *
column_of(struct request *rq, const struct resource *r, const struct field *f)
{
	return f->expression != NULL ? f->expression
				     : arena_printf(rq->arena, "%s.%s", r->alias, f->column).s;
}

void
problem_choice(struct request *rq, struct text param, struct text value)
{
	problem_printf(rq, param,
	    "Select a valid choice. %.*s is not one of the available choices.", TEXT_ARGS(value));
}

static void
filter_exact(struct request *rq, const struct resource *r, const struct field *f, struct sql *where,
    struct text value)
{
	/* A name that there is not would otherwise look like one that nothing has. */
	if (f->input.choices != NULL && !text_is_among(value, f->input.choices))
		problem_choice(rq, text_from(f->name), value);
	sql_add_exact(where, column_of(rq, r, f), value);
}

static void
filter_contains(struct request *rq, const struct resource *r, const struct field *f,
    struct sql *where, struct text value)
{
	sql_add_contains(where, column_of(rq, r, f), value);
}

static void
filter_bool(struct request *rq UNUSED, const struct resource *r, const struct field *f,
    struct sql *where, struct text value)
{
	bool yes = text_eq_nocase(value, T("true")) || text_eq(value, T("1"));
	bool no = text_eq_nocase(value, T("false")) || text_eq(value, T("0"));

	if (!yes && !no) {
		sql_add(where, "1 = 1");
		return;
	}
	sql_add(where, column_of(rq, r, f));
	sql_add(where, " = ");
	sql_value(where, V(yes));
}

static void
filter_since(struct request *rq, const struct resource *r, const struct field *f, struct sql *where,
    struct text value)
{
	struct stamp since;

	if (!stamp_parse(value, &since)) {
		problem_add(rq, text_from(f->name), T("Enter a valid date/time."));
		since = rq->now;
	}
	sql_add(where, column_of(rq, r, f));
	sql_add(where, " >= ");
	sql_value(where, V(since));
}

static void (*const filters[])(
    struct request *, const struct resource *, const struct field *, struct sql *, struct text) = {
	[FILTER_EXACT] = filter_exact,
	[FILTER_CONTAINS] = filter_contains,
	[FILTER_BOOL] = filter_bool,
	[FILTER_SINCE] = filter_since,
};

/* The parameter's value without blanks around it; false when it is absent or empty. */
static bool
param_value(struct request *rq, const char *name, struct text *value)
{
	*value = request_param(rq, text_from(name));
	if (text_is_none(*value))
		return false;
	*value = text_trim(*value);
	return value->n > 0;
}

void
filters_add(struct request *rq, const struct resource *r, struct sql *where)
{
	struct text value;

	if (rq->nparams == 0)
		return;
	for (size_t i = 0; i < r->nfields; i++) {
		const struct field *f = &r->fields[i];

		if (f->filter != FILTER_NONE && param_value(rq, f->name, &value)) {
			sql_add(where, " AND ");
			filters[f->filter](rq, r, f, where, value);
		}
	}
	for (const struct filter *f = r->filters; f != NULL && f->name != NULL; f++)
		if (param_value(rq, f->name, &value))
			f->apply(rq, where, value);
}

bool
filter_read_uuid(struct request *rq, const char *name, struct text value, struct uuid *uuid)
{
	if (uuid_parse(value, uuid))
		return true;
	problem_add(rq, text_from(name), T("Enter a valid UUID."));
	return false;
}

void
where_visible(struct request *rq, const struct resource *r, struct sql *where)
{
	sql_init(where, rq->arena);
	if (r->among != NULL)
		r->among(rq, where);
	sql_add(where, " WHERE 1 = 1");
	if (r->beside != NULL)
		r->beside(rq, where);
	if (r->visible != NULL)
		r->visible(rq, where);
}
