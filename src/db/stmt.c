#define ROSTER_OWNS_MEMORY
#include "base/base.h"
#include "base/count.h"
#include "db/db_int.h"

#include <errmsg.h>
#include <mysqld_error.h>
#include <poll.h>

#define TEXTS_KEPT ((size_t)64 * 1024)

/* A prepared statement that the connection keeps. */
struct cached {
	LIST_ENTRY(cached) bucket;
	TAILQ_ENTRY(cached) age;
	uint64_t hash;
	MYSQL_STMT *st;
	size_t n;
	char sql[];
};

/* A statement with its values on the way to the server. */
struct call {
	const char *name;
	struct text sql;
	const struct value *values;
	size_t n, rows; /* see struct sql */
	bool send;      /* and not wait for its end */
	MYSQL_STMT *st; /* executed, or sent */
};

/* The cache. */

static uint64_t
hash_of(struct text sql)
{
	uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */

	for (size_t i = 0; i < sql.n; i++)
		h = (h ^ (uint8_t)sql.s[i]) * UINT64_C(1099511628211);
	return h;
}

void
cache_init(struct cache *c)
{
	TAILQ_INIT(&c->ages);
}

static struct cached *
cache_find(struct cache *c, struct text sql)
{
	uint64_t hash = hash_of(sql);
	struct cached *one;

	LIST_FOREACH(one, &c->buckets[hash % CACHE_BUCKETS], bucket)
	{
		if (one->hash == hash && text_eq((struct text){ one->sql, one->n }, sql))
			return one;
	}
	return NULL;
}

static void
cache_remove(struct cache *c, struct cached *one)
{
	LIST_REMOVE(one, bucket);
	TAILQ_REMOVE(&c->ages, one, age);
	c->n--;
	mysql_stmt_close(one->st);
	free(one);
}

static void
cache_add(struct cache *c, struct text sql, MYSQL_STMT *st)
{
	struct cached *one = calloc(1, sizeof(*one) + sql.n);

	must(one != NULL);
	if (c->n == CACHE_MAX)
		cache_remove(c, TAILQ_LAST(&c->ages, cache_ages));
	one->hash = hash_of(sql);
	one->st = st;
	one->n = sql.n;
	memcpy(one->sql, sql.s, sql.n);
	LIST_INSERT_HEAD(&c->buckets[one->hash % CACHE_BUCKETS], one, bucket);
	TAILQ_INSERT_HEAD(&c->ages, one, age);
	c->n++;
}

void
cache_clear(struct cache *c)
{
	while (!TAILQ_EMPTY(&c->ages))
		cache_remove(c, TAILQ_FIRST(&c->ages));
}

static MYSQL_STMT *
prepare(struct db *db, struct text sql, struct db_error *e)
{
	struct cached *one = cache_find(&db->cache, sql);
	MYSQL_STMT *st;

	if (one != NULL) {
		TAILQ_REMOVE(&db->cache.ages, one, age);
		TAILQ_INSERT_HEAD(&db->cache.ages, one, age);
		return one->st;
	}
	st = mysql_stmt_init(db->mysql);
	must(st != NULL);
	if (mysql_stmt_prepare(st, sql.s, sql.n) != 0) {
		conn_error(db, st, e);
		mysql_stmt_close(st);
		return NULL;
	}
	cache_add(&db->cache, sql, st);
	return st;
}

/* Running a statement. */

/* Waits for what the library asks for; in its words, what has come. */
static int
wait_for(MYSQL *mysql, int what)
{
	const bool limited = (what & MYSQL_WAIT_TIMEOUT) != 0;
	struct pollfd p = { .fd = mysql_get_socket(mysql),
		.events = (short)(((what & MYSQL_WAIT_READ) != 0 ? POLLIN : 0) |
		    ((what & MYSQL_WAIT_WRITE) != 0 ? POLLOUT : 0)) };
	int n;

	do
		n = poll(&p, 1, limited ? (int)mysql_get_timeout_value_ms(mysql) : -1);
	while (n < 0 && errno == EINTR);
	must(n >= 0);
	return n == 0 ? MYSQL_WAIT_TIMEOUT : what & (MYSQL_WAIT_READ | MYSQL_WAIT_WRITE);
}

/* Sends the statement; false when that has failed already. */
static bool
start(struct db *db, const struct call *c)
{
	int failed = 0, what;

	if (!db->may_send)
		db->may_send = mysql_options(db->mysql, MYSQL_OPT_NONBLOCK, NULL) == 0;
	must(db->may_send);
	what = mysql_stmt_execute_start(&failed, c->st);
	while ((what & MYSQL_WAIT_WRITE) != 0)
		what = mysql_stmt_execute_cont(&failed, c->st, wait_for(db->mysql, what));
	if (failed == 0)
		db->sent = (struct sent){ .st = c->st, .name = c->name, .what = what };
	return failed == 0;
}

static bool
execute(struct db *db, const struct call *c)
{
	struct arena_mark mark = arena_mark(db->arena);
	bool done = bind_values(c->st, c->values, c->n, c->rows, db->arena) &&
	    (c->send ? start(db, c) : mysql_stmt_execute(c->st) == 0);

	arena_rewind(db->arena, mark);
	return done;
}

/* The server or the library wants the statement to be prepared again, most often after an ALTER TABLE. */
static bool
is_stale(const struct db_error *e)
{
	return e->number == ER_NEED_REPREPARE || e->number == ER_UNKNOWN_STMT_HANDLER ||
	    e->number == CR_NEW_STMT_METADATA;
}

static bool
run_prepared(struct db *db, struct call *c, struct db_error *e)
{
	c->st = prepare(db, c->sql, e);
	if (c->st == NULL)
		return false;
	if (execute(db, c))
		return true;
	conn_error(db, c->st, e);
	return false;
}

/* An attempt. */
static bool
run(struct db *db, void *ctx, struct db_error *e)
{
	struct call *c = ctx;

	if (run_prepared(db, c, e))
		return true;
	if (c->st == NULL || !is_stale(e))
		return false;
	cache_remove(&db->cache, cache_find(&db->cache, c->sql));
	return run_prepared(db, c, e);
}

/* Waits for the end of what was sent. NULL when nothing was, or it has failed. */
static MYSQL_STMT *
await(struct db *db)
{
	MYSQL_STMT *st = db->sent.st;
	struct db_error e;
	int failed = 0;

	if (st == NULL)
		return NULL;
	for (int what = db->sent.what; what != 0;)
		what = mysql_stmt_execute_cont(&failed, st, wait_for(db->mysql, what));
	db->sent.st = NULL;
	if (failed == 0)
		return st;
	conn_error(db, st, &e);
	if (is_stale(&e))
		cache_clear(&db->cache); /* so that the next try prepares it again */
	tx_fail(db, db->sent.name, &e);
	return NULL;
}

void
stmt_await(struct db *db)
{
	MYSQL_STMT *st = await(db);

	if (st != NULL)
		mysql_stmt_free_result(st);
}

/* Sends a call; false after a failure, now or before. */
static bool
send_call(struct db *db, enum db_access access, struct call *c)
{
	int64_t began;
	bool good;

	stmt_await(db);
	must(db->arena != NULL);
	must(access == DB_READ || db->may_write);
	if (db->result < 0)
		return false;
	must(db->cursor.open == NULL);
	if (access != DB_READ && !tx_open(db))
		return false;
	db->statements++;
	began = stamp_monotonic();
	good = tx_attempt(db, c->name, run, c);
	count_time(TIMING_STATEMENT, stamp_monotonic() - began);
	return good;
}

bool
stmt_finds(
    struct db *db, const struct db_stmt *stmt, struct value v, bool *found, struct db_error *e)
{
	struct call c = { .name = stmt->name, .sql = text_from(stmt->sql), .values = &v, .n = 1 };

	if (!run(db, &c, e))
		return false;
	if (mysql_stmt_store_result(c.st) != 0) {
		conn_error(db, c.st, e);
		return false;
	}
	*found = mysql_stmt_num_rows(c.st) > 0;
	mysql_stmt_free_result(c.st);
	return true;
}

static int64_t
execute_call(struct db *db, enum db_access access, struct call *c)
{
	if (!send_call(db, access, c))
		return 0;
	must(mysql_stmt_field_count(c->st) == 0);
	if (mysql_stmt_insert_id(c->st) != 0)
		db->last_id = (int64_t)mysql_stmt_insert_id(c->st);
	return (int64_t)mysql_stmt_affected_rows(c->st);
}

/* Reading rows. */

void
cursor_release(struct cursor *c)
{
	free(c->cells);
	free(c->texts);
	*c = (struct cursor){ 0 };
}

void
cursor_trim(struct cursor *c)
{
	if (c->texts_room > TEXTS_KEPT)
		cursor_release(c);
}

static void *
reserve(void *p, size_t *room, size_t n, size_t size)
{
	if (n <= *room)
		return p;
	p = realloc(p, n * size);
	must(p != NULL);
	*room = n;
	return p;
}

static enum kind
target_kind(const struct target *t, size_t i)
{
	return t->columns != NULL ? t->columns[i].kind : t->values[i].kind;
}

static void
target_store(const struct target *t, size_t i, struct value v)
{
	if (t->columns != NULL)
		value_store(v, (char *)t->row + t->columns[i].offset);
	else
		t->values[i] = v;
}

static void
bind_results(struct db *db, MYSQL_STMT *st)
{
	struct cursor *c = &db->cursor;
	size_t n = c->target.n;
	struct arena_mark mark = arena_mark(db->arena);
	MYSQL_BIND *binds = arena_alloc(db->arena, n * sizeof(*binds));

	must(mysql_stmt_field_count(st) == n);
	c->cells = reserve(c->cells, &c->cells_room, n, sizeof(*c->cells));
	memset(c->cells, 0, n * sizeof(*c->cells)); /* the library sets no error of a time */
	for (size_t i = 0; i < n; i++) {
		const struct wire *wire = wire_of(target_kind(&c->target, i));
		struct cell *cell = &c->cells[i];

		cell->wire = wire;
		binds[i].buffer_type = wire->result;
		binds[i].buffer = wire->room > 0 ? cell->b : NULL;
		binds[i].buffer_length = wire->room;
		binds[i].length = &cell->n;
		binds[i].is_null = &cell->null;
		binds[i].error = &cell->error;
	}
	must(mysql_stmt_bind_result(st, binds) == 0);
	arena_rewind(db->arena, mark);
}

static void
open_result(struct db *db, const char *name, MYSQL_STMT *st, struct target target)
{
	db->cursor.name = name;
	db->cursor.target = target;
	bind_results(db, st);
	db->cursor.open = st;
}

static bool
open_call(struct db *db, enum db_access access, struct call *c, struct target target)
{
	if (!send_call(db, access, c))
		return false;
	open_result(db, c->name, c->st, target);
	return true;
}

static bool
of_any_length(const struct cell *cell)
{
	return !cell->null && cell->wire->room == 0;
}

/* Reads texts and bytes, whose length the fetch has told, to p. A NUL follows each. */
static void
read_texts(struct cursor *c, char *p)
{
	MYSQL_BIND b = { 0 };

	for (size_t i = 0; i < c->target.n; i++) {
		struct cell *cell = &c->cells[i];

		if (!of_any_length(cell))
			continue;
		b.buffer = p;
		b.buffer_length = cell->n + 1;
		b.buffer_type = cell->wire->result;
		must(mysql_stmt_fetch_column(c->open, &b, (unsigned int)i, 0) == 0);
		p[cell->n] = '\0';
		cell->x = (struct bytes){ (const uint8_t *)p, cell->n };
		p += cell->n + 1;
	}
}

/* Memory for the texts and bytes of the row: on the arena if it is to stay. */
static char *
room_for_texts(struct db *db, bool keep)
{
	struct cursor *c = &db->cursor;
	size_t n = 0;

	for (size_t i = 0; i < c->target.n; i++) {
		if (of_any_length(&c->cells[i]))
			n += c->cells[i].n + 1;
	}
	if (keep)
		return arena_alloc(db->arena, n);
	c->texts = reserve(c->texts, &c->texts_room, n, 1);
	return c->texts;
}

static bool
store_row(struct db *db)
{
	const struct cursor *c = &db->cursor;
	struct db_error e;

	for (size_t i = 0; i < c->target.n; i++) {
		const struct cell *cell = &c->cells[i];
		struct value v = { .kind = target_kind(&c->target, i), .null = cell->null };

		if (!v.null && !cell->wire->take(cell, &v)) {
			error_set(&e, CR_INVALID_BUFFER_USE, "column %zu does not fit its kind", i);
			db_stop(db);
			tx_fail(db, c->name, &e);
			return false;
		}
		target_store(&c->target, i, v);
	}
	return true;
}

static bool
fetch(struct db *db, bool keep)
{
	struct cursor *c = &db->cursor;
	struct db_error e;

	switch (mysql_stmt_fetch(c->open)) {
	case 0:
	case MYSQL_DATA_TRUNCATED: /* always so with texts */
		read_texts(c, room_for_texts(db, keep));
		return store_row(db);
	case MYSQL_NO_DATA:
		c->open = NULL;
		return false;
	default:
		conn_error(db, c->open, &e);
		c->open = NULL;
		tx_fail(db, c->name, &e);
		return false;
	}
}

bool
db_next(struct db *db)
{
	return db->cursor.open != NULL && fetch(db, false);
}

void
db_stop(struct db *db)
{
	stmt_await(db);
	if (db->cursor.open == NULL)
		return;
	mysql_stmt_free_result(db->cursor.open);
	db->cursor.open = NULL;
}

static bool
row_of(struct db *db, enum db_access access, struct call *c, struct target target)
{
	bool found = open_call(db, access, c, target) && fetch(db, true);

	db_stop(db);
	return found;
}

/* What the other folders call. */

static struct call
call_of(const struct db_stmt *stmt, const struct value *v, size_t n)
{
	return (
	    struct call){ .name = stmt->name, .sql = text_from(stmt->sql), .values = v, .n = n };
}

static struct call
call_of_sql(const char *name, struct sql *q)
{
	return (struct call){ .name = name,
		.sql = buf_text(&q->text),
		.values = q->values,
		.n = q->nvalues,
		.rows = q->rows };
}

static struct target
target_of(const struct db_stmt *stmt, void *row)
{
	return (struct target){ .row = row, .columns = stmt->columns, .n = stmt->ncolumns };
}

int64_t
db_exec_values(struct db *db, const struct db_stmt *stmt, const struct value *v, size_t n)
{
	struct call c = call_of(stmt, v, n);

	return execute_call(db, stmt->access, &c);
}

bool
db_row_values(struct db *db, const struct db_stmt *stmt, void *row, const struct value *v, size_t n)
{
	struct call c = call_of(stmt, v, n);

	return row_of(db, stmt->access, &c, target_of(stmt, row));
}

void
db_query_values(
    struct db *db, const struct db_stmt *stmt, void *row, const struct value *v, size_t n)
{
	struct call c = call_of(stmt, v, n);

	(void)open_call(db, stmt->access, &c, target_of(stmt, row));
}

int64_t
db_exec_sql(struct db *db, const char *name, struct sql *q)
{
	struct call c = call_of_sql(name, q);

	return execute_call(db, DB_WRITE, &c);
}

void
db_send_sql(struct db *db, const char *name, struct sql *q)
{
	struct call c = call_of_sql(name, q);

	c.send = true;
	(void)send_call(db, DB_WRITE, &c);
}

void
db_receive(struct db *db, struct value *out, size_t n)
{
	MYSQL_STMT *st = await(db);

	if (st != NULL)
		open_result(db, db->sent.name, st, (struct target){ .values = out, .n = n });
}

bool
db_row_sql(struct db *db, const char *name, enum db_access access, struct sql *q, struct value *out,
    size_t n)
{
	struct call c = call_of_sql(name, q);

	return row_of(db, access, &c, (struct target){ .values = out, .n = n });
}

void
db_query_sql(struct db *db, const char *name, enum db_access access, struct sql *q,
    struct value *out, size_t n)
{
	struct call c = call_of_sql(name, q);

	(void)open_call(db, access, &c, (struct target){ .values = out, .n = n });
}
