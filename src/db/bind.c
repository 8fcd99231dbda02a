/* The values of a statement's parameters, as the library takes them. */
#include "base/base.h"
#include "db/db_int.h"

static void
bind_each(MYSQL_BIND *binds, const struct value *v, size_t n, struct arena *a)
{
	MYSQL_TIME *times = arena_alloc(a, n * sizeof(*times));

	for (size_t i = 0; i < n; i++) {
		const struct wire *wire = wire_of(v[i].kind);

		binds[i].buffer_type = v[i].null ? MYSQL_TYPE_NULL : wire->param;
		if (!v[i].null)
			wire->give(&v[i], &binds[i], &times[i]);
	}
}

/* Rows of values: arrays, which the server takes in one go, and without a parameter for each of them. */

static char
indicator_of(const struct value *v)
{
	if (v->kind == KIND_NONE)
		return STMT_INDICATOR_DEFAULT;
	return v->null ? STMT_INDICATOR_NULL : STMT_INDICATOR_NONE;
}

/* How the values travel that are n apart. */
static const struct wire *
wire_of_column(const struct value *v, size_t n, size_t rows)
{
	for (size_t i = 0; i < rows; i++)
		if (v[i * n].kind != KIND_NONE)
			return wire_of(v[i * n].kind);
	return wire_of(KIND_TEXT); /* nothing does */
}

static void
bind_column(MYSQL_BIND *b, const struct value *v, size_t n, size_t rows, struct arena *a)
{
	const struct wire *wire = wire_of_column(v, n, rows);
	MYSQL_TIME *times = arena_alloc(a, rows * sizeof(*times));
	void **buffers = arena_alloc(a, rows * sizeof(*buffers)); /* no width is larger */

	b->buffer_type = wire->param;
	b->buffer = buffers;
	b->length = arena_alloc(a, rows * sizeof(*b->length));
	b->u.indicator = arena_alloc(a, rows);
	for (size_t i = 0; i < rows; i++, v += n) {
		MYSQL_BIND one = { 0 };

		b->u.indicator[i] = indicator_of(v);
		if (b->u.indicator[i] != STMT_INDICATOR_NONE)
			continue;
		must(wire_of(v->kind)->param == wire->param);
		wire->give(v, &one, &times[i]);
		b->length[i] = one.buffer_length;
		if (wire->width > 0)
			memcpy((char *)buffers + i * wire->width, one.buffer, wire->width);
		else
			buffers[i] = one.buffer;
	}
}

bool
bind_values(MYSQL_STMT *st, const struct value *v, size_t n, size_t rows, struct arena *a)
{
	unsigned int array = (unsigned int)rows;
	size_t nparams = rows > 0 ? n / rows : n;
	MYSQL_BIND *binds = arena_alloc(a, nparams * sizeof(*binds));

	must(mysql_stmt_param_count(st) == nparams);
	if (rows == 0)
		bind_each(binds, v, n, a);
	for (size_t i = 0; rows > 0 && i < nparams; i++)
		bind_column(&binds[i], &v[i], nparams, rows, a);
	/* Always set: the same text may have been executed with rows before. */
	return mysql_stmt_attr_set(st, STMT_ATTR_ARRAY_SIZE, &array) == 0 &&
	    (nparams == 0 || mysql_stmt_bind_param(st, binds) == 0);
}
