#include "base/base.h"

#include "resource/resource_int.h"

/* One field, in a direction; used[] keeps out what already orders. */
static void
order_by(struct sql *q, const struct resource *r, int field, bool descending, bool *used)
{
	const struct field *f = &r->fields[field];

	if (used[field])
		return;
	used[field] = true;
	for (size_t i = 0; i < countof(f->order) && f->order[i] != NULL; i++) {
		sql_add(q, f->order[i]);
		sql_add(q, descending ? " DESC, " : ", ");
	}
}

/* One name of o, "-email"; false when nothing is ordered by it. */
static bool
order_by_name(struct sql *q, const struct resource *r, struct text name, bool reversed, bool *used)
{
	bool descending = text_starts(name, T("-"));
	int field = field_index(r, descending ? text_slice(name, 1, name.n) : name);

	if (field < 0 || r->fields[field].order[0] == NULL)
		return false;
	order_by(q, r, field, descending != reversed, used);
	return true;
}

void
order_add(struct request *rq, const struct resource *r, struct sql *q, bool reversed)
{
	bool used[FIELDS_MAX] = { false };
	bool any = false;
	struct text list, name;
	size_t at = 0;

	sql_add(q, " ORDER BY ");
	while (request_param_each(rq, T("o"), &at, &list)) {
		while (text_split(&list, ',', &name)) {
			name = text_trim(name);
			if (name.n == 0)
				continue;
			any = true;
			if (!order_by_name(q, r, name, reversed, used))
				problem_printf(rq, T("o"),
				    "Select a valid choice. %.*s is not one of the available "
				    "choices.",
				    TEXT_ARGS(name));
		}
	}
	if (!any)
		must(order_by_name(q, r, text_from(r->order), reversed, used));
	/* Ties are broken by the primary key, so that pages never overlap. */
	sql_add(q, r->alias);
	sql_add(q, reversed ? ".id DESC" : ".id");
}
