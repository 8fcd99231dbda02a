#include "base/base.h"

#include "server/sealed.h"

#define BATCH 100

struct row {
	int64_t id;
	struct bytes context, value;
};

static void
add_optional(struct sql *q, const char *before, const char *text)
{
	if (text == NULL)
		return;
	sql_add(q, before);
	sql_add(q, text);
}

/* The first byte tells the key; NULL is sealed by none. */
static void
add_older(struct sql *q, const struct sealed_column *c, const struct keyring *keyring)
{
	sql_add(q, " FROM ");
	sql_add(q, c->table);
	sql_add(q, " WHERE ORD(");
	sql_add(q, c->column);
	sql_add(q, ") <> ");
	sql_value(q, V((int64_t)keyring_newest(keyring)));
}

bool
sealed_count(struct db *db, struct arena *a, const struct keyring *keyring,
    const struct sealed_column *column, int64_t *n)
{
	struct value count = { .kind = KIND_INT };
	struct sql q;
	bool found;

	db_begin(db, a, false, TEXT_NONE);
	sql_init(&q, a);
	sql_add(&q, "SELECT COUNT(*)");
	add_older(&q, column, keyring);
	found = db_row_sql(db, "sealed_count", DB_READ, &q, &count, 1);
	*n = count.i;
	return db_end(db, false) == DB_NONE && found;
}

static size_t
read_rows(struct db *db, struct arena *a, const struct reseal *r, struct row rows[static BATCH])
{
	struct value out[] = { { .kind = KIND_INT }, { .kind = KIND_BYTES },
		{ .kind = KIND_BYTES } };
	struct sql q;
	size_t n = 0;

	sql_init(&q, a);
	sql_add(&q, "SELECT id, ");
	sql_add(&q, r->column->context);
	sql_add(&q, ", ");
	sql_add(&q, r->column->column);
	add_older(&q, r->column, r->keyring);
	sql_add(&q, " AND id > ");
	sql_value(&q, V(r->after));
	sql_add(&q, " ORDER BY id LIMIT ");
	sql_value(&q, V((int64_t)BATCH));
	db_query_sql(db, "sealed_by_older", DB_READ, &q, out, countof(out));
	while (db_next(db))
		rows[n++] =
		    (struct row){ out[0].i, arena_bytes(a, out[1].x), arena_bytes(a, out[2].x) };
	return n;
}

/* True if the row still had the value, and may change. */
static bool
write_row(struct db *db, struct arena *a, const struct reseal *r, const struct row *row,
    struct secret secret)
{
	const struct sealed_column *c = r->column;
	struct sql q;

	sql_init(&q, a);
	sql_add(&q, "UPDATE ");
	sql_add(&q, c->table);
	sql_add(&q, " SET ");
	sql_add(&q, c->column);
	sql_add(&q, " = ");
	sql_value(&q, V(seal(r->keyring, secret, row->context, a)));
	if (c->lookup != NULL) {
		sql_add(&q, ", lookup = ");
		sql_value(&q, V(lookup_hash(r->keyring, 0, c->lookup, secret, a)));
	}
	add_optional(&q, ", ", c->set);
	sql_add(&q, " WHERE id = ");
	sql_value(&q, V(row->id));
	sql_add(&q, " AND ");
	sql_add(&q, c->column);
	sql_add(&q, " = ");
	sql_value(&q, V(row->value));
	add_optional(&q, " AND ", c->only);
	return db_exec_sql(db, "reseal", &q) == 1;
}

struct batch {
	const struct reseal *begin;
	struct reseal end; /* the batch may be tried again from where it began */
	struct arena *arena;
	size_t looked_at;
};

static bool
reseal_rows(struct db *db, void *ctx)
{
	struct batch *b = ctx;
	struct reseal *r = &b->end;
	struct row rows[BATCH];
	struct secret secret;

	*r = *b->begin;
	b->looked_at = read_rows(db, b->arena, r, rows);
	for (size_t i = 0; i < b->looked_at; i++) {
		r->after = rows[i].id;
		if (!seal_open(r->keyring, rows[i].value, rows[i].context, b->arena, &secret))
			r->lost++;
		else if (write_row(db, b->arena, r, &rows[i], secret))
			r->resealed++;
	}
	return true;
}

int64_t
reseal_batch(struct db *db, struct arena *a, struct reseal *r)
{
	struct batch b = { .begin = r, .arena = a };

	if (db_transaction(db, a, reseal_rows, &b) != DB_NONE)
		return -1;
	*r = b.end;
	return (int64_t)b.looked_at;
}
