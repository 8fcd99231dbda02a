#include "base/base.h"
#include "db/db.h"

#include "database.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#define TIMEOUT 2 /* seconds */

static struct database d;
static struct db *db;

struct thing {
	int64_t id;
	struct text name;
	int64_t n;
};

struct one {
	int64_t n;
};

static const struct db_column thing_columns[] = {
	COLUMN(thing, id),
	COLUMN(thing, name),
	COLUMN(thing, n),
};

static const struct db_column one_columns[] = { COLUMN(one, n) };

static const struct db_stmt thing_add = {
	.name = "thing_add",
	.access = DB_WRITE,
	.sql = "INSERT INTO things (name, n) VALUES (?, ?)",
};

static const struct db_stmt thing_set = {
	.name = "thing_set",
	.access = DB_WRITE,
	.sql = "UPDATE things SET n = ? WHERE id = ?",
};

static const struct db_stmt thing_by_id = {
	.name = "thing_by_id",
	.access = DB_READ,
	.sql = "SELECT id, name, n FROM things WHERE id = ?",
	.columns = thing_columns,
	.ncolumns = countof(thing_columns),
};

static const struct db_stmt thing_by_n = {
	.name = "thing_by_n",
	.access = DB_READ,
	.sql = "SELECT id, name, n FROM things WHERE n = ?",
	.columns = thing_columns,
	.ncolumns = countof(thing_columns),
};

static const struct db_stmt thing_lock = {
	.name = "thing_lock",
	.access = DB_LOCK,
	.sql = "SELECT id, name, n FROM things WHERE id = ? FOR UPDATE",
	.columns = thing_columns,
	.ncolumns = countof(thing_columns),
};

static const struct db_stmt things = {
	.name = "things",
	.access = DB_READ,
	.sql = "SELECT id, name, n FROM things ORDER BY id",
	.columns = thing_columns,
	.ncolumns = countof(thing_columns),
};

static const struct db_stmt things_count = {
	.name = "things_count",
	.access = DB_READ,
	.sql = "SELECT COUNT(*) FROM things",
	.columns = one_columns,
	.ncolumns = countof(one_columns),
};

static const struct db_stmt connection_id = {
	.name = "connection_id",
	.access = DB_READ,
	.sql = "SELECT CONNECTION_ID()",
	.columns = one_columns,
	.ncolumns = countof(one_columns),
};

/* The name of a thing is the id of the request that made it. */
static const struct db_stmt thing_committed = {
	.name = "thing_committed",
	.access = DB_LOCK,
	.sql = "SELECT id FROM things WHERE name = ? LIMIT 1 LOCK IN SHARE MODE",
	.columns = one_columns,
	.ncolumns = countof(one_columns),
};

static void
set_up(void)
{
	database_make(&d);
	admin_ask(&d,
	    "CREATE TABLE things (id BIGINT AUTO_INCREMENT, name LONGTEXT, n BIGINT,"
	    " PRIMARY KEY (id), UNIQUE KEY n (n), KEY name (name(40)))");
	db = database_open(&d, TIMEOUT, &thing_committed);
}

static void
tear_down(void)
{
	db_free(&db);
	database_drop(&d);
}

TestSuite(db, .init = set_up, .fini = tear_down, .timeout = 60);

static void
begin(struct db *which)
{
	db_begin(which, d.arena, true, TEXT_NONE);
}

static int64_t
add(const char *name, int64_t n)
{
	begin(db);
	db_exec(db, &thing_add, V(text_from(name)), V(n));
	cr_assert_eq(db_end(db, true), DB_NONE);
	return db_last_id(db);
}

static int64_t
count(void)
{
	return strtol(admin_ask(&d, "SELECT COUNT(*) FROM things"), NULL, 10);
}

static int64_t
session(struct db *which)
{
	struct one id = { 0 };

	begin(which);
	cr_assert(db_row(which, &connection_id, &id));
	cr_assert_eq(db_end(which, false), DB_NONE);
	return id.n;
}

static void
kill_session(int64_t id)
{
	char left[8];

	admin_ask(&d, "KILL %lld", (long long)id);
	do {
		snprintf(left, sizeof(left), "%s",
		    admin_ask(&d,
			"SELECT COUNT(*) FROM information_schema.processlist WHERE id = %lld",
			(long long)id));
	} while (strcmp(left, "0") != 0);
}

/* Values. */

static const uint8_t octets[] = { 0, 1, 0xff, 0, '\'', '\\' };

/* A column of each, whose DEFAULT is NULL. */
static void
make_kinds(const struct value *in, size_t n)
{
	static const char *const types[] = {
		[KIND_INT] = "BIGINT",
		[KIND_MAYBE] = "INT",
		[KIND_BOOL] = "BOOLEAN",
		[KIND_TEXT] = "VARCHAR(40)",
		[KIND_BYTES] = "VARBINARY(40)",
		[KIND_UUID] = "BINARY(16)",
		[KIND_STAMP] = "DATETIME(6)",
		[KIND_DATE] = "DATE",
	};

	admin_ask(&d, "CREATE TABLE kinds (id BIGINT AUTO_INCREMENT PRIMARY KEY)");
	for (size_t i = 0; i < n; i++)
		admin_ask(&d, "ALTER TABLE kinds ADD c%zu %s NULL", i, types[in[i].kind]);
}

/* The row is there with these values. */
static void
expect_kinds(int64_t id, const struct value *in, size_t n)
{
	struct value *out = arena_alloc(d.arena, n * sizeof(*out));
	struct sql q;

	sql_init(&q, d.arena);
	for (size_t i = 0; i < n; i++) {
		sql_add(&q, arena_printf(d.arena, "%s c%zu", i > 0 ? "," : "SELECT", i).s);
		out[i].kind = in[i].kind;
	}
	sql_add(&q, " FROM kinds WHERE id = ");
	sql_value(&q, V(id));
	cr_assert(db_row_sql(db, "kinds", DB_READ, &q, out, n));
	for (size_t i = 0; i < n; i++)
		cr_expect(value_eq(in[i], out[i]), "row %lld, value %zu", (long long)id, i);
}

Test(db, every_kind_goes_there_and_back)
{
	const struct value in[] = {
		V(INT64_MIN),
		V(INT64_MAX),
		V(((struct maybe){ true, -5 })),
		V(((struct maybe){ false, 0 })),
		V((bool)true),
		V((bool)false),
		V(T("")),
		V(T("it's \\ J\u00f5gi \U0001f600 \n")),
		V(((struct text){ "a\0b", 3 })),
		V(TEXT_NONE),
		V(((struct bytes){ octets, sizeof(octets) })),
		V(((struct bytes){ octets, 0 })),
		V(((struct bytes){ NULL, 0 })),
		V(((struct uuid){ { 1, 0, 0, 9, [15] = 0 } })),
		V(((struct uuid){ { 0 } })),
		V(((struct stamp){ 1795487636123456 })),
		V(((struct stamp){ -1 })),
		V(((struct stamp){ INT64_C(253402300799999999) })),
		V(STAMP_NONE),
		V(((struct date){ 1, 1, 1 })),
		V(((struct date){ 2024, 2, 29 })),
		V(DATE_NONE),
	};
	struct sql q;

	make_kinds(in, countof(in));
	sql_init(&q, d.arena);
	sql_add(&q, "INSERT INTO kinds VALUES (1");
	for (size_t i = 0; i < countof(in); i++) {
		sql_add(&q, ", ");
		sql_value(&q, in[i]);
	}
	sql_add(&q, ")");
	begin(db);
	cr_expect_eq(db_exec_sql(db, "kinds_add", &q), 1);
	expect_kinds(1, in, countof(in));
	cr_assert_eq(db_end(db, true), DB_NONE);
}

/* Of a column, some values are NULL and of some there are none. */
Test(db, rows_have_values_nulls_and_defaults)
{
	const struct value in[][8] = {
		{ V(INT64_MIN), V(((struct maybe){ true, -5 })), V((bool)true), V(T("a")),
		    V(((struct bytes){ octets, sizeof(octets) })), V(((struct uuid){ { 1 } })),
		    V(((struct stamp){ -1 })), V(((struct date){ 1, 1, 1 })) },
		{ V(INT64_C(7)), V(((struct maybe){ false, 0 })), V((bool)false), V(TEXT_NONE),
		    V(((struct bytes){ NULL, 0 })), V(((struct uuid){ { 0 } })), V(STAMP_NONE),
		    V(DATE_NONE) },
		{ V(INT64_MAX), V(((struct maybe){ true, 6 })), V((bool)true),
		    V(((struct text){ "a\0b", 3 })), V(((struct bytes){ octets, 0 })),
		    V(((struct uuid){ { 2 } })), V(((struct stamp){ 1795487636123456 })),
		    V(((struct date){ 2024, 2, 29 })) },
	};
	const struct value none[8] = { 0 };
	struct value null[8];
	struct sql q;

	make_kinds(in[0], 8);
	sql_init(&q, d.arena);
	sql_add(&q, "INSERT INTO kinds (c0, c1, c2, c3, c4, c5, c6, c7) VALUES ");
	sql_row(&q, none, 8);
	for (size_t i = 0; i < countof(in); i++)
		sql_row(&q, in[i], 8);
	begin(db);
	cr_expect_eq(db_exec_sql(db, "kinds_add", &q), 4);
	for (size_t i = 0; i < 8; i++)
		null[i] = (struct value){ .kind = in[0][i].kind, .null = true };
	expect_kinds(1, null, 8);
	for (size_t i = 0; i < countof(in); i++)
		expect_kinds((int64_t)i + 2, in[i], 8);
	cr_assert_eq(db_end(db, true), DB_NONE);
}

Test(db, rows_without_any_value_have_the_defaults)
{
	const struct value none[2] = { 0 };
	struct thing row;
	struct sql q;

	admin_ask(&d, "ALTER TABLE things ALTER name SET DEFAULT 'nobody'");
	sql_init(&q, d.arena);
	sql_add(&q, "INSERT INTO things (name, n) VALUES ");
	sql_row(&q, none, 2);
	sql_row(&q, none, 2);
	begin(db);
	cr_expect_eq(db_exec_sql(db, "things_add", &q), 2);
	cr_assert(db_row(db, &thing_by_id, &row, V(INT64_C(2))));
	cr_expect(text_eq(row.name, T("nobody")));
	cr_assert_eq(db_end(db, true), DB_NONE);
}

/* The text is the same for one row and for many. */
Test(db, one_row_follows_many)
{
	struct sql q;

	sql_init(&q, d.arena);
	sql_add(&q, "INSERT INTO things (name, n) VALUES ");
	for (int64_t i = 1; i <= 3; i++)
		sql_row(&q, (const struct value[]){ V(T("many")), V(i) }, 2);
	cr_assert(text_eq(buf_text(&q.text), text_from(thing_add.sql)));
	begin(db);
	cr_expect_eq(db_exec_sql(db, "things_add", &q), 3);
	cr_expect_eq(db_exec(db, &thing_add, V(T("one")), V(INT64_C(4))), 1);
	cr_expect_eq(db_exec(db, &thing_add, V(T("one")), V(INT64_C(5))), 1);
	cr_assert_eq(db_end(db, true), DB_NONE);
	cr_expect_eq(count(), 5);
}

Test(db, json_is_text_of_another_kind)
{
	struct value out = { .kind = KIND_JSON };
	struct sql q;

	admin_ask(&d, "CREATE TABLE docs (doc JSON)");
	admin_ask(&d, "INSERT INTO docs VALUES ('[\"\xc3\xb5\"]')");
	sql_init(&q, d.arena);
	sql_add(&q, "SELECT doc FROM docs");
	begin(db);
	cr_assert(db_row_sql(db, "docs", DB_READ, &q, &out, 1));
	cr_assert_eq(db_end(db, true), DB_NONE);
	cr_expect_eq(out.kind, KIND_JSON);
	cr_expect(text_eq(out.t, T("[\"\u00f5\"]")));
}

Test(db, long_texts_stream)
{
	size_t mib = (size_t)1024 * 1024;
	char *s = arena_alloc(d.arena, mib);
	struct thing row;
	struct text longer = { s, mib };

	memset(s, 'x', mib);
	s[mib - 1] = 'y';
	add("short", 1);
	begin(db);
	db_exec(db, &thing_add, V(longer), V(INT64_C(2)));
	cr_assert_eq(db_end(db, true), DB_NONE);
	add("", 3);

	begin(db);
	db_query(db, &things, &row);
	cr_assert(db_next(db));
	cr_expect(text_eq(row.name, T("short")));
	cr_assert(db_next(db));
	cr_expect(text_eq(row.name, longer));
	cr_assert(db_next(db));
	cr_expect(text_eq(row.name, T("")));
	cr_expect_not(db_next(db));
	cr_assert(db_row(db, &thing_by_id, &row, V(INT64_C(2))));
	cr_expect(text_eq(row.name, longer));
	cr_expect_eq(db_end(db, false), DB_NONE);
}

Test(db, what_does_not_fit_its_kind_is_a_failure)
{
	static const struct {
		const char *sql;
		enum kind kind;
	} cases[] = {
		{ "SELECT CAST(18446744073709551615 AS UNSIGNED)", KIND_INT },
		{ "SELECT UNHEX('0102')", KIND_UUID },
		{ "SELECT REPEAT('x', 17)", KIND_UUID },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct value out = { .kind = cases[i].kind };
		struct sql q;

		sql_init(&q, d.arena);
		sql_add(&q, cases[i].sql);
		begin(db);
		cr_expect_not(db_row_sql(db, "misfit", DB_READ, &q, &out, 1), "%s", cases[i].sql);
		cr_expect_eq(db_end(db, false), DB_FAILED, "%s", cases[i].sql);
	}
}

Test(db, null_becomes_the_none_of_its_type)
{
	struct thing row = { .name = T("before"), .n = 7 };

	admin_ask(&d, "INSERT INTO things VALUES (1, NULL, NULL)");
	begin(db);
	cr_assert(db_row(db, &thing_by_id, &row, V(INT64_C(1))));
	cr_expect_eq(db_end(db, false), DB_NONE);
	cr_expect(text_is_none(row.name));
	cr_expect_eq(row.n, 0);
}

/* Rows. */

Test(db, a_row_is_kept_and_a_missing_one_is_told)
{
	int64_t first = add("first", 1), second = add("second", 2);
	struct thing a, b;

	begin(db);
	cr_assert(db_row(db, &thing_by_id, &a, V(first)));
	cr_assert(db_row(db, &thing_by_id, &b, V(second)));
	cr_expect_not(db_row(db, &thing_by_id, &b, V(INT64_C(99))));
	cr_expect(db_row(db, &things, &a), "the first of several");
	cr_expect_eq(db_statements(db), 4);
	cr_expect_eq(db_end(db, false), DB_NONE);
	cr_expect(text_eq(a.name, T("first")));
	cr_expect(text_eq(b.name, T("second")));
}

Test(db, a_query_can_be_stopped)
{
	struct thing row;
	struct one n;

	admin_ask(&d,
	    "INSERT INTO things (name, n) SELECT REPEAT('x', 5000), seq"
	    " FROM seq_1_to_1000");
	begin(db);
	db_query(db, &things, &row);
	cr_assert(db_next(db));
	db_stop(db);
	cr_expect_not(db_next(db));
	cr_assert(db_row(db, &things_count, &n));
	cr_expect_eq(n.n, 1000);
	db_query(db, &things, &row);
	cr_assert(db_next(db));
	cr_expect_eq(db_end(db, false), DB_NONE, "ends what was not stopped");
	begin(db);
	cr_assert(db_row(db, &things_count, &n));
	cr_expect_eq(db_end(db, false), DB_NONE);
}

Test(db, an_update_counts_rows_found)
{
	int64_t id = add("a", 1);

	begin(db);
	cr_expect_eq(db_exec(db, &thing_set, V(INT64_C(1)), V(id)), 1);
	cr_expect_eq(db_exec(db, &thing_set, V(INT64_C(1)), V(INT64_C(99))), 0);
	cr_expect_eq(db_end(db, true), DB_NONE);
}

Test(db, matching_ignores_case_and_respects_accents)
{
	static const struct {
		const char *in;
		int64_t found;
	} cases[] = {
		{ "J\u00d5G", 1 },
		{ "jog", 0 },
		{ "100%", 1 },
		{ "%", 1 },
		{ "_", 0 },
		{ "\\", 1 },
		{ "\U0001f600", 1 },
	};

	add("J\u00f5gi", 1);
	add("100% c:\\", 2);
	add("\U0001f600", 3);
	for (size_t i = 0; i < countof(cases); i++) {
		struct value out = { .kind = KIND_INT };
		struct sql q;

		sql_init(&q, d.arena);
		sql_add(&q, "SELECT COUNT(*) FROM things WHERE name LIKE ");
		sql_value(&q, V(sql_contains(d.arena, text_from(cases[i].in))));
		begin(db);
		cr_assert(db_row_sql(db, "like", DB_READ, &q, &out, 1));
		cr_expect_eq(db_end(db, false), DB_NONE);
		cr_expect_eq(out.i, cases[i].found, "%s", cases[i].in);
	}
}

/* Transactions. */

Test(db, reads_do_not_begin_and_writes_do)
{
	struct one n;

	begin(db);
	cr_assert(db_row(db, &things_count, &n));
	admin_ask(&d, "INSERT INTO things (name, n) VALUES ('other', 1)");
	cr_assert(db_row(db, &things_count, &n));
	cr_expect_eq(n.n, 1);
	db_exec(db, &thing_add, V(T("mine")), V(INT64_C(2)));
	cr_expect_eq(count(), 1, "not committed yet");
	cr_assert(db_row(db, &things_count, &n));
	cr_expect_eq(n.n, 2, "reads are now inside");
	cr_expect_eq(db_statements(db), 4);
	cr_expect_eq(db_end(db, true), DB_NONE);
	cr_expect_eq(count(), 2);
}

Test(db, an_end_without_commit_rolls_back)
{
	begin(db);
	db_exec(db, &thing_add, V(T("a")), V(INT64_C(1)));
	cr_expect_eq(db_end(db, false), DB_NONE);
	cr_expect_eq(count(), 0);
}

Test(db, an_error_is_sticky)
{
	static const struct db_stmt broken = {
		.name = "broken", .access = DB_READ, .sql = "SELECT nothing FROM nowhere"
	};
	struct thing row;

	begin(db);
	db_exec(db, &thing_add, V(T("a")), V(INT64_C(1)));
	cr_expect_not(db_failed(db));
	cr_expect_eq(db_exec(db, &broken), 0);
	cr_expect(db_failed(db));
	cr_expect_eq(db_exec(db, &thing_add, V(T("b")), V(INT64_C(2))), 0);
	cr_expect_not(db_row(db, &thing_by_id, &row, V(INT64_C(1))));
	db_query(db, &things, &row);
	cr_expect_not(db_next(db));
	cr_expect_eq(db_statements(db), 2);
	cr_expect_eq(db_end(db, true), DB_FAILED);
	cr_expect_eq(count(), 0);

	begin(db);
	cr_expect_not(db_failed(db));
	cr_expect_eq(db_end(db, true), DB_NONE);
}

Test(db, a_duplicate_names_its_key)
{
	add("a", 1);
	begin(db);
	cr_expect_eq(db_exec(db, &thing_add, V(T("b")), V(INT64_C(1))), 0);
	cr_expect(text_eq(db_duplicate(db), T("n")));
	cr_expect_eq(db_end(db, false), DB_NONE, "the handler answered it");

	begin(db);
	db_exec(db, &thing_add, V(T("b")), V(INT64_C(1)));
	cr_expect_eq(db_end(db, false), DB_DUPLICATE, "nobody did");

	begin(db);
	cr_expect(text_is_none(db_duplicate(db)));
	cr_expect_eq(db_end(db, false), DB_NONE);

	begin(db);
	db_exec(db, &thing_add, V(T("b")), V(INT64_C(1)));
	cr_expect(text_eq(db_duplicate(db), T("n")));
	cr_expect_not(db_failed(db));
	cr_expect_eq(db_exec(db, &thing_add, V(T("b")), V(INT64_C(2))), 1, "others may follow");
	cr_expect_eq(db_end(db, true), DB_NONE);
	cr_expect_eq(count(), 2);
}

Test(db, a_value_in_the_message_is_not_taken_for_the_key)
{
	admin_ask(
	    &d, "CREATE TABLE names (name VARCHAR(100) PRIMARY KEY, UNIQUE KEY other (name))");
	admin_ask(&d, "INSERT INTO names VALUES ('x'' for key ''y.z')");
	begin(db);
	db_exec(db,
	    &((struct db_stmt){
		.name = "names_add", .access = DB_WRITE, .sql = "INSERT INTO names VALUES (?)" }),
	    V(T("x' for key 'y.z")));
	cr_expect(text_eq(db_duplicate(db), T("PRIMARY")));
	cr_expect_eq(db_end(db, false), DB_NONE);
}

Test(db, again_is_asked_for)
{
	begin(db);
	db_exec(db, &thing_add, V(T("a")), V(INT64_C(1)));
	db_again(db);
	cr_expect_eq(db_end(db, true), DB_AGAIN);
	cr_expect_eq(count(), 0);
}

/* No server is needed for it, and nothing is torn down after an abort. */
Test(db_mistake, a_read_only_request_may_not_write, .signal = SIGABRT)
{
	db_begin(db = db_new(&(struct db_options){ .option_file = T("/nonexistent") }),
	    arena_new(4096), false, TEXT_NONE);
	db_exec(db, &thing_add, V(T("a")), V(INT64_C(1)));
}

struct tries {
	int n, until;
};

static bool
body(struct db *which, void *ctx)
{
	struct tries *t = ctx;

	db_exec(which, &thing_add, V(T("a")), V((int64_t)t->n));
	if (++t->n < t->until)
		db_again(which);
	return true;
}

Test(db, a_transaction_is_tried_several_times)
{
	struct tries t = { .until = 3 };

	cr_expect_eq(db_transaction(db, d.arena, body, &t), DB_NONE);
	cr_expect_eq(t.n, 3);
	cr_expect_eq(count(), 1);

	t = (struct tries){ .n = 10, .until = 100 };
	cr_expect_eq(db_transaction(db, d.arena, body, &t), DB_AGAIN);
	cr_expect_eq(t.n, 10 + DB_TRIES);
	cr_expect_eq(count(), 1);
}

static void *
wait_for_second(void *arg)
{
	struct thing row;

	return db_row((struct db *)arg, &thing_lock, &row, V(INT64_C(2))) ? arg : NULL;
}

Test(db, one_side_of_a_deadlock_runs_again)
{
	struct db *other = database_open(&d, TIMEOUT, NULL);
	struct arena *arena = arena_new((size_t)1024 * 1024);
	struct thing row;
	pthread_t thread;
	enum db_result ours, theirs;
	int64_t their_id = session(other);

	add("a", 1);
	add("b", 2);
	db_begin(other, arena, true, TEXT_NONE);
	begin(db);
	cr_assert(db_row(other, &thing_lock, &row, V(INT64_C(1))));
	cr_assert(db_row(db, &thing_lock, &row, V(INT64_C(2))));
	cr_assert_eq(pthread_create(&thread, NULL, wait_for_second, other), 0);
	while (strcmp(admin_ask(&d,
			  "SELECT command FROM information_schema.processlist WHERE id = %lld",
			  (long long)their_id),
		   "Execute") != 0)
		continue;
	cr_expect(db_row(db, &thing_lock, &row, V(INT64_C(1))) != db_failed(db));
	ours = db_end(db, true);
	pthread_join(thread, NULL);
	theirs = db_end(other, true);
	cr_expect((ours == DB_AGAIN) != (theirs == DB_AGAIN), "ours %d, theirs %d", ours, theirs);
	cr_expect_eq(ours + theirs, DB_AGAIN);
	db_free(&other);
	arena_free(&arena);
}

Test(db, a_lock_wait_that_takes_too_long_runs_again)
{
	struct thing row;

	add("a", 1);
	admin_ask(&d, "BEGIN");
	admin_ask(&d, "SELECT id FROM things WHERE id = 1 FOR UPDATE");
	begin(db);
	cr_expect_not(db_row(db, &thing_lock, &row, V(INT64_C(1))));
	cr_expect_eq(db_end(db, true), DB_AGAIN);
	admin_ask(&d, "ROLLBACK");
}

Test(db, a_statement_that_takes_too_long_fails)
{
	struct value out = { .kind = KIND_INT };
	struct sql q;

	sql_init(&q, d.arena);
	sql_add(&q,
	    "SELECT COUNT(*) FROM seq_1_to_100000 a, seq_1_to_100000 b WHERE a.seq + b.seq = 0");
	begin(db);
	cr_expect_not(db_row_sql(db, "slow", DB_READ, &q, &out, 1));
	cr_expect_eq(db_end(db, false), DB_FAILED);
}

/* Statements that are sent. */

/* Sends an INSERT of things with these numbers. */
static void
send_things(const int64_t *numbers, size_t n, const char *end)
{
	struct sql q;

	sql_init(&q, d.arena);
	sql_add(&q, "INSERT INTO things (name, n) VALUES ");
	for (size_t i = 0; i < n; i++)
		sql_row(&q, (const struct value[]){ V(T("sent")), V(numbers[i]) }, 2);
	sql_add(&q, end);
	db_send_sql(db, "things_send", &q);
}

Test(db, what_is_sent_is_done_before_what_follows)
{
	static const int64_t some[] = { 1, 2 }, others[] = { 3 };
	struct thing row;

	begin(db);
	send_things(some, 2, "");
	send_things(others, 1, "");
	cr_expect(db_row(db, &thing_by_n, &row, V(INT64_C(3))));
	cr_expect(text_eq(row.name, T("sent")));
	send_things((const int64_t[]){ 4 }, 1, "");
	cr_expect_eq(db_end(db, true), DB_NONE);
	cr_expect_eq(count(), 4);

	begin(db);
	send_things((const int64_t[]){ 5 }, 1, "");
	cr_expect_eq(db_end(db, false), DB_NONE);
	cr_expect_eq(count(), 4);
}

/* More than a socket takes at once. */
Test(db, much_is_sent)
{
	size_t n = 4 * (size_t)1024 * 1024;
	char *s = arena_alloc(d.arena, n);
	struct thing row;
	struct sql q;

	memset(s, 'x', n);
	sql_init(&q, d.arena);
	sql_add(&q, "INSERT INTO things (name) VALUES (");
	sql_value(&q, V(((struct text){ s, n })));
	sql_add(&q, ")");
	begin(db);
	db_send_sql(db, "much", &q);
	cr_assert(db_row(db, &thing_by_id, &row, V(INT64_C(1))));
	cr_expect_eq(row.name.n, n);
	cr_expect_eq(db_end(db, true), DB_NONE);
}

Test(db, rows_of_what_was_sent_are_received_or_left)
{
	static const int64_t numbers[] = { 7, 8, 9 };
	struct value id = { .kind = KIND_INT };

	begin(db);
	send_things(numbers, 3, " RETURNING id");
	db_receive(db, &id, 1);
	for (int64_t i = 1; i <= 3; i++) {
		cr_assert(db_next(db));
		cr_expect_eq(id.i, i);
	}
	cr_expect_not(db_next(db));
	db_receive(db, &id, 1);
	cr_expect_not(db_next(db), "nothing was sent");
	cr_expect_eq(db_end(db, true), DB_NONE);

	begin(db);
	send_things((const int64_t[]){ 10 }, 1, " RETURNING id");
	cr_expect_eq(db_end(db, true), DB_NONE);
	cr_expect_eq(count(), 4);
}

Test(db, a_failure_of_what_was_sent_is_noted)
{
	struct value id = { .kind = KIND_INT };

	add("a", 1);
	begin(db);
	send_things((const int64_t[]){ 2, 1 }, 2, " RETURNING id");
	db_receive(db, &id, 1);
	while (db_next(db))
		cr_expect_eq(id.i, 2, "the row before the duplicate");
	cr_expect(text_eq(db_duplicate(db), T("n")));
	send_things((const int64_t[]){ 1 }, 1, "");
	cr_expect(text_eq(db_duplicate(db), T("n")));
	send_things((const int64_t[]){ 3 }, 1, "");
	send_things((const int64_t[]){ 3 }, 1, "");
	cr_expect_eq(db_end(db, true), DB_DUPLICATE);
	cr_expect_eq(count(), 1);
}

Test(db, a_connection_lost_after_sending_runs_it_again)
{
	int64_t id = session(db);

	begin(db);
	send_things((const int64_t[]){ 1 }, 1, "");
	send_things((const int64_t[]){ 2 }, 1, " RETURNING SLEEP(60)");
	kill_session(id);
	cr_expect_eq(db_end(db, true), DB_AGAIN);
	cr_expect_eq(count(), 0);

	begin(db);
	send_things((const int64_t[]){ 1 }, 1, "");
	cr_expect_eq(db_end(db, true), DB_NONE);
	cr_expect_eq(count(), 1);
}

/* Statements that are kept. */

static int64_t
status(const char *name)
{
	struct value out = { .kind = KIND_INT };
	struct sql q;

	sql_init(&q, d.arena);
	sql_add(&q,
	    "SELECT variable_value FROM information_schema.session_status"
	    " WHERE variable_name = ");
	sql_value(&q, V(text_from(name)));
	begin(db);
	cr_assert(db_row_sql(db, "status", DB_READ, &q, &out, 1));
	cr_assert_eq(db_end(db, false), DB_NONE);
	return out.i;
}

static void
run_numbered(int from, int to)
{
	begin(db);
	for (int i = from; i < to; i++) {
		struct value out = { .kind = KIND_INT };
		struct sql q;

		sql_init(&q, d.arena);
		sql_add(&q, arena_printf(d.arena, "SELECT %d", i).s);
		cr_assert(db_row_sql(db, "numbered", DB_READ, &q, &out, 1));
		cr_assert_eq(out.i, i);
	}
	cr_assert_eq(db_end(db, false), DB_NONE);
}

Test(db, statements_are_kept_and_the_oldest_go)
{
	int64_t before;

	status("COM_STMT_PREPARE");
	before = status("COM_STMT_PREPARE");
	run_numbered(0, 100);
	run_numbered(0, 100);
	cr_expect_eq(status("COM_STMT_PREPARE"), before + 100);
	cr_expect_eq(status("COM_STMT_CLOSE"), 0);

	run_numbered(100, 200); /* with the status above: 201, of which 128 are kept */
	cr_expect_eq(status("COM_STMT_CLOSE"), 201 - 128);
	run_numbered(199, 200);
	run_numbered(100, 101);
	cr_expect_eq(status("COM_STMT_PREPARE"), before + 200);
	run_numbered(0, 1);
	cr_expect_eq(status("COM_STMT_PREPARE"), before + 201);
}

Test(db, an_altered_table_is_no_trouble)
{
	int64_t id = add("a", 1);
	struct thing row;

	for (int i = 0; i < 3; i++) {
		begin(db);
		cr_expect(db_row(db, &thing_by_id, &row, V(id)));
		cr_expect_eq(db_exec(db, &thing_set, V((int64_t)i), V(id)), 1);
		cr_expect_eq(db_end(db, true), DB_NONE);
		admin_ask(&d, "ALTER TABLE things ADD c%d INT FIRST, MODIFY name %s", i,
		    i == 0 ? "VARCHAR(2000)" : "MEDIUMTEXT");
	}
}

/* Connections. */

Test(db, a_session_is_set_up)
{
	static const struct {
		const char *sql, *value;
	} cases[] = {
		{ "SELECT @@character_set_client", "utf8mb4" },
		{ "SELECT @@character_set_results", "utf8mb4" },
		{ "SELECT @@collation_connection", "utf8mb4_uca1400_as_ci" },
		{ "SELECT @@time_zone", "+00:00" },
		{ "SELECT @@tx_isolation", "READ-COMMITTED" },
		{ "SELECT @@innodb_lock_wait_timeout", "2" },
		{ "SELECT @@lock_wait_timeout", "2" },
		{ "SELECT @@max_statement_time", "3.000000" },
		{ "SELECT @@wait_timeout", "31536000" },
		{ "SELECT @@idle_transaction_timeout", "0" },
		{ "SELECT @@sql_mode",
		    "STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
		    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION" },
	};

	begin(db);
	for (size_t i = 0; i < countof(cases); i++) {
		struct value out = { .kind = KIND_TEXT };
		struct text value = text_from(cases[i].value);
		struct sql q;

		sql_init(&q, d.arena);
		sql_add(&q, cases[i].sql);
		cr_assert(db_row_sql(db, "setting", DB_READ, &q, &out, 1));
		cr_expect(
		    i == countof(cases) - 1 ? text_starts(out.t, T("")) : text_eq(out.t, value),
		    "%s: %.*s", cases[i].sql, TEXT_ARGS(out.t));
	}
	cr_expect_eq(db_end(db, false), DB_NONE);
}

Test(db, a_dead_connection_is_replaced_before_anything_happened)
{
	int64_t id = add("a", 1);
	struct thing row;

	kill_session(session(db));
	begin(db);
	cr_expect(db_row(db, &thing_by_id, &row, V(id)), "a read");
	cr_expect_eq(db_end(db, false), DB_NONE);

	kill_session(session(db));
	begin(db);
	db_query(db, &things, &row);
	cr_expect(db_next(db), "a query");
	cr_expect_not(db_next(db));
	cr_expect_eq(db_end(db, false), DB_NONE);

	kill_session(session(db));
	begin(db);
	cr_expect_eq(db_exec(db, &thing_set, V(INT64_C(5)), V(id)), 1, "a write");
	cr_expect_eq(db_end(db, true), DB_NONE);
}

Test(db, a_connection_lost_in_a_transaction_runs_it_again)
{
	int64_t id = session(db);
	struct thing row;

	begin(db);
	db_exec(db, &thing_add, V(T("a")), V(INT64_C(1)));
	kill_session(id);
	cr_expect_not(db_row(db, &thing_by_id, &row, V(INT64_C(1))));
	cr_expect_eq(db_exec(db, &thing_add, V(T("b")), V(INT64_C(2))), 0);
	cr_expect_eq(db_end(db, true), DB_AGAIN);
	cr_expect_eq(count(), 0);

	add("a", 1);
	cr_expect_eq(count(), 1);
}

/* As the server sees a process that was stopped, or whose host is gone, between two statements. */
Test(db, a_transaction_that_idles_lets_go_of_its_locks)
{
	struct db *idle = db_new(&(struct db_options){
	    .option_file = text_from(d.option_file),
	    .timeout = TIMEOUT,
	    .idle = 1,
	});
	struct db *other = database_open(&d, 30, NULL);
	struct thing row;

	add("a", 1);
	begin(idle);
	cr_assert(db_row(idle, &thing_lock, &row, V(INT64_C(1))));
	begin(other);
	cr_expect(db_row(other, &thing_lock, &row, V(INT64_C(1))), "in its time");
	cr_expect_eq(db_end(other, true), DB_NONE);
	cr_expect_not(db_row(idle, &thing_lock, &row, V(INT64_C(1))));
	cr_expect_eq(db_end(idle, true), DB_AGAIN);
	begin(idle);
	cr_expect(db_row(idle, &thing_by_id, &row, V(INT64_C(1))), "by another connection");
	cr_expect_eq(db_end(idle, false), DB_NONE, "a read may take its time");
	db_free(&idle);
	db_free(&other);
}

Test(db, a_connection_lost_while_reading_runs_it_again)
{
	int64_t id = session(db);
	struct thing row;

	admin_ask(&d,
	    "INSERT INTO things (name, n) SELECT REPEAT('x', 10000), seq"
	    " FROM seq_1_to_2000");
	begin(db);
	db_query(db, &things, &row);
	cr_assert(db_next(db));
	kill_session(id);
	while (db_next(db))
		continue;
	cr_expect(row.n < 2000);
	cr_expect(db_failed(db));
	cr_expect_eq(db_end(db, false), DB_AGAIN);
	cr_expect_neq(session(db), id);
}

Test(db, a_server_that_is_not_there_is_asked_again)
{
	struct thing row;

	write_option_file(&d, "socket = /nonexistent/socket");
	begin(db);
	cr_expect_not(db_row(db, &things, &row));
	cr_expect_eq(db_end(db, false), DB_AGAIN);
	write_option_file(&d, "");
	begin(db);
	cr_expect_not(db_row(db, &things, &row));
	cr_expect_eq(db_end(db, false), DB_NONE);
}

Test(db, what_hinders_a_connection_is_told)
{
	static const struct {
		const char *lines, *words, *advice;
		enum db_result result;
	} cases[] = {
		{ "user = nobody-at-all\npassword = wrong", "Access denied", "user and password",
		    DB_FAILED },
		{ "database = roster_no_such", "roster_no_such", "correct database", DB_FAILED },
		{ "socket = /nonexistent/socket", "/nonexistent/socket", "is MariaDB running",
		    DB_AGAIN },
		{ "host = 127.0.0.1\nport = 1", "127.0.0.1", "is MariaDB running", DB_AGAIN },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct text problem;
		struct db *other;

		write_option_file(&d, cases[i].lines);
		other = database_open(&d, TIMEOUT, NULL);
		cr_assert_eq(db_connect(other, d.arena, &problem), cases[i].result);
		cr_expect_not_null(strstr(problem.s, cases[i].words), "%s", problem.s);
		cr_expect_not_null(strstr(problem.s, cases[i].advice), "%s", problem.s);
		cr_expect_not_null(strstr(problem.s, d.option_file), "%s", problem.s);
		db_free(&other);
	}
}

Test(db, an_option_file_that_is_of_no_use_is_told)
{
	struct text problem;
	FILE *f;

	cr_assert_eq(db_connect(db, d.arena, &problem), DB_NONE);
	cr_assert_eq(db_connect(db, d.arena, &problem), DB_NONE,
	    "once more, on the connection that is there");
	kill_session(session(db));
	cr_assert_eq(
	    db_connect(db, d.arena, &problem), DB_NONE, "and when it is not there any more");

	kill_session(session(db));
	unlink(d.option_file);
	cr_assert_eq(db_connect(db, d.arena, &problem), DB_FAILED);
	cr_expect_not_null(strstr(problem.s, d.option_file), "%s", problem.s);
	cr_expect_not_null(strstr(problem.s, "No such file"), "%s", problem.s);

	f = fopen(d.option_file, "w");
	fputs("[client]\nuser = root\n", f);
	fclose(f);
	cr_assert_eq(db_connect(db, d.arena, &problem), DB_FAILED);
	cr_expect_not_null(strstr(problem.s, "no group [roster]"), "%s", problem.s);
}

/*
 * A COMMIT whose answer is lost, by way of a proxy between the handle and the server.
 */

enum fault { PASS, LOSE_COMMIT, LOSE_ANSWER, LOSE_ALL };

static struct proxy {
	enum fault fault;
	int listener;
	struct sockaddr_un here, server;
	pthread_t thread;
} proxy;

static int
connect_server(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	must(connect(fd, (struct sockaddr *)&proxy.server, sizeof(proxy.server)) == 0);
	return fd;
}

/* Passes on what there is; false at the end, or when the fault has struck. */
static bool
pass(int from, int to, bool to_server)
{
	char s[4096];
	ssize_t n = read(from, s, sizeof(s));
	bool struck = n > 0 && to_server && proxy.fault != PASS &&
	    memmem(s, (size_t)n, "\3COMMIT", 7) != NULL;

	if (n <= 0 || (struck && proxy.fault != LOSE_ANSWER))
		return false;
	must(write(to, s, (size_t)n) == n);
	if (struck)
		must(read(to, s, sizeof(s)) > 0);
	return !struck;
}

static void
serve(int client)
{
	struct pollfd fds[2] = {
		{ .fd = client, .events = POLLIN },
		{ .fd = connect_server(), .events = POLLIN },
	};
	bool more = true;

	while (more) {
		must(poll(fds, 2, -1) > 0);
		if (fds[0].revents != 0)
			more = pass(fds[0].fd, fds[1].fd, true);
		if (more && fds[1].revents != 0)
			more = pass(fds[1].fd, fds[0].fd, false);
	}
	close(fds[0].fd);
	close(fds[1].fd);
}

static void *
serve_all(UNUSED void *arg)
{
	int client;

	while ((client = accept(proxy.listener, NULL, NULL)) >= 0) {
		serve(client);
		if (proxy.fault == LOSE_ALL)
			break;
		proxy.fault = PASS;
	}
	close(proxy.listener);
	return NULL;
}

static void
proxy_start(enum fault fault)
{
	const char *socket_path = NULL;
	char line[128];

	mariadb_get_infov(d.admin, MARIADB_CONNECTION_UNIX_SOCKET, &socket_path);
	cr_assert_not_null(socket_path);
	proxy.fault = fault;
	proxy.here.sun_family = proxy.server.sun_family = AF_UNIX;
	snprintf(proxy.server.sun_path, sizeof(proxy.server.sun_path), "%s", socket_path);
	snprintf(proxy.here.sun_path, sizeof(proxy.here.sun_path), "%s/proxy", d.dir);
	proxy.listener = socket(AF_UNIX, SOCK_STREAM, 0);
	must(bind(proxy.listener, (struct sockaddr *)&proxy.here, sizeof(proxy.here)) == 0);
	must(listen(proxy.listener, 5) == 0);
	must(pthread_create(&proxy.thread, NULL, serve_all, NULL) == 0);
	snprintf(line, sizeof(line), "socket = %s", proxy.here.sun_path);
	write_option_file(&d, line);
}

static void
proxy_stop(void)
{
	shutdown(proxy.listener, SHUT_RDWR);
	db_free(&db);
	pthread_join(proxy.thread, NULL);
	unlink(proxy.here.sun_path);
}

static enum db_result
commit_through(enum fault fault, struct text request_id)
{
	enum db_result end;

	proxy_start(fault);
	db_begin(db, d.arena, true, request_id);
	db_exec(db, &thing_add, V(T("request")), V(INT64_C(1)));
	end = db_end(db, true);
	proxy_stop();
	return end;
}

Test(db, a_commit_that_got_lost_runs_again)
{
	cr_expect_eq(commit_through(LOSE_COMMIT, T("request")), DB_AGAIN);
	cr_expect_eq(count(), 0);
}

Test(db, a_commit_whose_answer_got_lost_has_happened)
{
	cr_expect_eq(commit_through(LOSE_ANSWER, T("request")), DB_NONE);
	cr_expect_eq(count(), 1);
}

Test(db, a_commit_that_nobody_can_ask_about_is_unsure)
{
	cr_expect_eq(commit_through(LOSE_ANSWER, TEXT_NONE), DB_UNSURE);
	cr_expect_eq(count(), 1);
}

Test(db, a_commit_before_the_server_went_away_is_unsure)
{
	cr_expect_eq(commit_through(LOSE_ALL, T("request")), DB_UNSURE);
	cr_expect_eq(count(), 0);
}

/* Rows that no request made have an empty id, and must not be taken for this one's. */
Test(db, an_empty_request_id_is_none)
{
	admin_ask(&d, "INSERT INTO things (name, n) VALUES ('', 7)");
	cr_expect_eq(commit_through(LOSE_COMMIT, T("")), DB_UNSURE);
}

/* The server has not noticed yet that the client is gone, and the row is locked. */
Test(db, a_transaction_that_is_still_open_is_waited_for)
{
	admin_ask(&d, "BEGIN");
	admin_ask(&d, "INSERT INTO things (name, n) VALUES ('request', 7)");
	cr_expect_eq(commit_through(LOSE_COMMIT, T("request")), DB_UNSURE);
	admin_ask(&d, "ROLLBACK");
	cr_expect_eq(count(), 0);
}
