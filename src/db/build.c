#include "base/base.h"
#include "db/db.h"

#define VALUES_FIRST 8

void
sql_init(struct sql *q, struct arena *a)
{
	*q = (struct sql){ 0 };
	buf_init(&q->text, a);
}

void
sql_add(struct sql *q, const char *constant)
{
	buf_add(&q->text, text_from(constant));
}

static void
add_value(struct sql *q, struct value v)
{
	size_t room = q->room == 0 ? VALUES_FIRST : q->room * 2;

	if (q->nvalues == q->room) {
		q->values =
		    arena_grow(q->text.arena, q->values, q->room * sizeof(v), room * sizeof(v));
		q->room = room;
	}
	q->values[q->nvalues++] = v;
}

void
sql_value(struct sql *q, struct value v)
{
	buf_add_char(&q->text, '?');
	add_value(q, v);
}

void
sql_list_value(struct sql *q, size_t *n, struct value v)
{
	sql_add(q, (*n)++ == 0 ? "(" : ", ");
	sql_value(q, v);
}

void
sql_list_end(struct sql *q, size_t n)
{
	sql_add(q, n == 0 ? "(NULL)" : ")");
}

void
sql_row(struct sql *q, const struct value *values, size_t n)
{
	must(q->nvalues == q->rows * n);
	for (size_t i = 0; i < n; i++) {
		if (q->rows == 0)
			buf_add(&q->text, i == 0 ? T("(?") : T(", ?"));
		add_value(q, values[i]);
	}
	if (q->rows++ == 0)
		buf_add_char(&q->text, ')');
}

void
sql_append(struct sql *q, struct sql *other)
{
	buf_add(&q->text, buf_text(&other->text));
	for (size_t i = 0; i < other->nvalues; i++)
		add_value(q, other->values[i]);
}

struct text
sql_contains(struct arena *a, struct text t)
{
	char *s = arena_alloc(a, 2 * t.n + 3);
	size_t n = 0;

	s[n++] = '%';
	for (size_t i = 0; i < t.n; i++) {
		if (memchr("%_\\", t.s[i], 3) != NULL)
			s[n++] = '\\';
		s[n++] = t.s[i];
	}
	s[n++] = '%';
	return (struct text){ s, n };
}

void
sql_add_exact(struct sql *q, const char *expression, struct text value)
{
	sql_add(q, expression);
	sql_add(q, " = ");
	sql_value(q, V(value));
	sql_add(q, " AND BINARY ");
	sql_add(q, expression);
	sql_add(q, " = ");
	sql_value(q, V(value));
}

void
sql_add_contains(struct sql *q, const char *expression, struct text value)
{
	sql_add(q, expression);
	sql_add(q, " COLLATE utf8mb4_uca1400_as_ci LIKE ");
	sql_value(q, V(sql_contains(q->text.arena, value)));
}
