#include "base/base.h"
#include "base/log.h"
#include "db/db_int.h"
#include "db/migrate.h"

#include <sodium.h>

/* A row of schema_migrations. It is written before the first statement runs; applied_at, after the last. */
struct applied {
	int64_t number;
	struct text name;
	struct bytes checksum;
	int64_t statements; /* that have run, at least */
	struct stamp begun_at, applied_at;
};

/* All of them, in order of number. */
struct ledger {
	struct applied *rows;
	size_t n;
};

enum entry_state {
	ENTRY_APPLIED,
	ENTRY_PENDING,
	ENTRY_MISSING, /* pending although a later one was applied */
	ENTRY_CHANGED,
	ENTRY_HALF,
	ENTRY_FOREIGN, /* not ours, and no later one either */
	ENTRY_NEWER,
};

/* What is known of one number, from either side. */
struct entry {
	const struct migration *ours; /* NULL: the program does not know it */
	const struct applied *theirs; /* NULL: the database does not have it */
	enum entry_state state;
};

/* Where a walk through both lists is. */
struct walk {
	const struct ledger *ledger;
	size_t ours, theirs;
};

static const struct {
	enum schema_state schema;
	const char *name, *words, *advice;
} states[] = {
	/* clang-format off */
	[ENTRY_APPLIED] = { SCHEMA_CURRENT, "applied", "applied", "nothing is to be done" },
	[ENTRY_PENDING] = { SCHEMA_OLDER, "pending", "pending", "run rosterctl migrate" },
	[ENTRY_MISSING] = { SCHEMA_CHANGED, "missing", "missing, though a later one is applied",
	                    "this is the schema of another program, or part of it was removed" },
	[ENTRY_CHANGED] = { SCHEMA_CHANGED, "changed", "not the one that was applied under this number",
	                    "an applied migration is never changed: use the release that it came with" },
	[ENTRY_HALF]    = { SCHEMA_CHANGED, "half", "half applied",
	                    "bring to an end by hand what it began and set its applied_at in "
	                    "schema_migrations, or undo it and delete that row" },
	[ENTRY_FOREIGN] = { SCHEMA_CHANGED, "foreign", "applied, and unknown to this program",
	                    "this is the schema of another program" },
	[ENTRY_NEWER]   = { SCHEMA_NEWER, "newer", "applied, and newer than this program",
	                    "install the release that it came with" },
	/* clang-format on */
};

static const char create_ledger[] =
    "CREATE TABLE IF NOT EXISTS schema_migrations ("
    " number INT NOT NULL PRIMARY KEY,"
    " name VARCHAR(100) NOT NULL,"
    " checksum BINARY(32) NOT NULL,"
    " statements INT NOT NULL DEFAULT 0,"
    " begun_at DATETIME(6) NOT NULL,"
    " applied_at DATETIME(6) NULL"
    ") ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_uca1400_as_ci";

struct count {
	int64_t n;
};

static const struct db_column count_columns[] = { COLUMN(count, n) };

static const struct db_stmt ledger_exists = {
	.name = "migrate_ledger_exists",
	.access = DB_READ,
	.sql = "SELECT COUNT(*) FROM information_schema.tables"
	       " WHERE table_schema = DATABASE() AND table_name = 'schema_migrations'",
	.columns = count_columns,
	.ncolumns = countof(count_columns),
};

static const struct db_column applied_columns[] = {
	COLUMN(applied, number),
	COLUMN(applied, name),
	COLUMN(applied, checksum),
	COLUMN(applied, statements),
	COLUMN(applied, begun_at),
	COLUMN(applied, applied_at),
};

static const struct db_stmt ledger_rows = {
	.name = "migrate_ledger_rows",
	.access = DB_READ,
	.sql = "SELECT number, name, checksum, statements, begun_at, applied_at"
	       "  FROM schema_migrations"
	       " ORDER BY number",
	.columns = applied_columns,
	.ncolumns = countof(applied_columns),
};

static const struct db_stmt ledger_begin = {
	.name = "migrate_ledger_begin",
	.access = DB_WRITE,
	.sql = "INSERT INTO schema_migrations (number, name, checksum, begun_at)"
	       " VALUES (?, ?, ?, ?)",
};

static const struct db_stmt ledger_step = {
	.name = "migrate_ledger_step",
	.access = DB_WRITE,
	.sql = "UPDATE schema_migrations SET statements = ? WHERE number = ?",
};

static const struct db_stmt ledger_end = {
	.name = "migrate_ledger_end",
	.access = DB_WRITE,
	.sql = "UPDATE schema_migrations SET applied_at = ? WHERE number = ?",
};

static const struct db_stmt ledger_forget = {
	.name = "migrate_ledger_forget",
	.access = DB_WRITE,
	.sql = "DELETE FROM schema_migrations WHERE number = ? AND statements = 0",
};

/* The lock's name is the server's, not the database's, and at most 64 characters long. */
static const struct db_stmt lock = {
	.name = "migrate_lock",
	.access = DB_READ,
	.sql = "SELECT COALESCE(GET_LOCK(CONCAT('roster.', SHA1(DATABASE())), ?), 0)",
	.columns = count_columns,
	.ncolumns = countof(count_columns),
};

/* The text of a migration. */

static bool
is_comment(struct text line)
{
	return line.n == 0 || text_starts(line, T("--")) || text_starts(line, T("#"));
}

bool
migration_statement(struct text *rest, struct text *statement)
{
	struct text line, left = *rest;
	const char *start = NULL;

	while (text_split(&left, '\n', &line)) {
		line = text_trim(line);
		if (is_comment(line))
			continue;
		if (start == NULL)
			start = line.s;
		*statement = (struct text){ start, (size_t)(line.s + line.n - start) };
		if (line.s[line.n - 1] == ';') {
			statement->n--;
			*rest = left;
			return true;
		}
	}
	*rest = TEXT_NONE;
	return start != NULL;
}

static struct bytes
checksum(struct arena *a, const struct migration *m)
{
	uint8_t *hash = arena_alloc(a, crypto_hash_sha256_BYTES);

	crypto_hash_sha256(hash, (const uint8_t *)m->sql, strlen(m->sql));
	return (struct bytes){ hash, crypto_hash_sha256_BYTES };
}

static int
count_statements(const struct migration *m)
{
	struct text rest = text_from(m->sql), statement;
	int n = 0;

	while (migration_statement(&rest, &statement))
		n++;
	return n;
}

/* The database's side. */

static void
ledger_load(struct db *db, struct arena *a, struct ledger *l)
{
	struct count there = { 0 };
	struct applied row;
	size_t room = 0;

	if (!db_row(db, &ledger_exists, &there) || there.n == 0)
		return;
	db_query(db, &ledger_rows, &row);
	while (db_next(db)) {
		if (l->n == room) {
			room += 32;
			l->rows = arena_grow(a, l->rows, l->n * sizeof(row), room * sizeof(row));
		}
		row.name = arena_text(a, row.name);
		row.checksum = arena_bytes(a, row.checksum);
		l->rows[l->n++] = row;
	}
}

static bool
ledger_read(struct db *db, struct arena *a, struct ledger *l)
{
	*l = (struct ledger){ 0 };
	db_begin(db, a, false, TEXT_NONE);
	ledger_load(db, a, l);
	return db_end(db, false) == DB_NONE;
}

/* Both sides. */

static bool
same(struct arena *a, const struct migration *m, const struct applied *row)
{
	return text_eq(row->name, text_from(m->name)) &&
	    value_eq(value_bytes(row->checksum), value_bytes(checksum(a, m)));
}

static enum entry_state
state_of(struct arena *a, const struct ledger *l, const struct entry *e)
{
	if (e->ours == NULL)
		return nmigrations == 0 || e->theirs->number > migrations[nmigrations - 1].number
		    ? ENTRY_NEWER
		    : ENTRY_FOREIGN;
	if (e->theirs == NULL)
		return l->n > 0 && l->rows[l->n - 1].number > e->ours->number ? ENTRY_MISSING
									      : ENTRY_PENDING;
	if (stamp_is_none(e->theirs->applied_at))
		return ENTRY_HALF;
	return same(a, e->ours, e->theirs) ? ENTRY_APPLIED : ENTRY_CHANGED;
}

/* The next number of either side; false at the end. */
static bool
walk_next(struct walk *w, struct arena *a, struct entry *e)
{
	const struct ledger *l = w->ledger;

	*e = (struct entry){ 0 };
	if (w->ours < nmigrations)
		e->ours = &migrations[w->ours];
	if (w->theirs < l->n)
		e->theirs = &l->rows[w->theirs];
	if (e->ours == NULL && e->theirs == NULL)
		return false;

	if (e->ours != NULL && e->theirs != NULL && e->ours->number != e->theirs->number) {
		if (e->ours->number < e->theirs->number)
			e->theirs = NULL;
		else
			e->ours = NULL;
	}
	w->ours += e->ours != NULL;
	w->theirs += e->theirs != NULL;
	e->state = state_of(a, l, e);
	return true;
}

static struct text
entry_name(struct arena *a, const struct entry *e)
{
	if (e->ours != NULL)
		return arena_printf(a, "%04d_%s", e->ours->number, e->ours->name);
	return arena_printf(a, "%04d_%.*s", (int)e->theirs->number, TEXT_ARGS(e->theirs->name));
}

static void
describe(struct arena *a, const struct entry *e, struct buf *out)
{
	struct text name = entry_name(a, e);
	char stamp[STAMP_SIZE];

	buf_printf(out, "%-40.*s %s", TEXT_ARGS(name), states[e->state].words);
	if (e->theirs == NULL)
		return;
	if (stamp_is_none(e->theirs->applied_at))
		buf_printf(out, " (begun %s, %d statements known to have run)",
		    stamp_print(e->theirs->begun_at, stamp).s, (int)e->theirs->statements);
	else
		buf_printf(out, " (%s)", stamp_print(e->theirs->applied_at, stamp).s);
}

/* The worst of all entries, by the order of enum schema_state; its first entry in *worst. */
static enum schema_state
judge(struct arena *a, const struct ledger *l, struct entry *worst)
{
	struct walk w = { .ledger = l };
	struct entry e;
	enum schema_state schema = SCHEMA_CURRENT;

	*worst = (struct entry){ 0 };
	while (walk_next(&w, a, &e)) {
		if (states[e.state].schema > schema) {
			schema = states[e.state].schema;
			*worst = e;
		}
	}
	return l->n == 0 && nmigrations > 0 ? SCHEMA_EMPTY : schema;
}

static struct text
sentence(struct arena *a, enum schema_state schema, const struct entry *worst)
{
	struct text name;

	if (schema == SCHEMA_CURRENT)
		return T("the schema is current");
	if (schema == SCHEMA_EMPTY)
		return T("the database has no schema yet: run rosterctl migrate");
	name = entry_name(a, worst);
	return arena_printf(a, "migration %.*s is %s: %s", TEXT_ARGS(name),
	    states[worst->state].words, states[worst->state].advice);
}

enum schema_state
migrate_check(struct db *db, struct arena *a, struct text *detail)
{
	struct ledger l;
	struct entry worst;
	enum schema_state schema;

	if (db_connect(db, a, detail) != DB_NONE)
		return SCHEMA_UNKNOWN;
	if (!ledger_read(db, a, &l)) {
		*detail = T("the database did not tell its schema: see the log");
		return SCHEMA_UNKNOWN;
	}
	schema = judge(a, &l, &worst);
	*detail = sentence(a, schema, &worst);
	return schema;
}

/* false after saying in *problem why the ledger cannot be had. */
static bool
ledger_open(struct db *db, struct arena *a, struct ledger *l, struct text *problem)
{
	if (db_connect(db, a, problem) != DB_NONE)
		return false;
	if (ledger_read(db, a, l))
		return true;
	*problem = T("the database did not tell its schema: see the log");
	return false;
}

bool
migrate_list(struct db *db, struct arena *a, struct migration_entry **entries, size_t *n,
    struct text *problem)
{
	struct ledger l;
	struct walk w = { .ledger = &l };
	struct entry e;

	if (!ledger_open(db, a, &l, problem))
		return false;
	*entries = arena_alloc(a, (nmigrations + l.n) * sizeof(**entries));
	for (*n = 0; walk_next(&w, a, &e); (*n)++) {
		struct migration_entry *out = &(*entries)[*n];

		*out = (struct migration_entry){
			.name = entry_name(a, &e),
			.state = states[e.state].name,
			.begun = STAMP_NONE,
			.ended = STAMP_NONE,
		};
		if (e.theirs == NULL)
			continue;
		out->statements = e.theirs->statements;
		out->begun = e.theirs->begun_at;
		out->ended = e.theirs->applied_at;
	}
	return true;
}

bool
migrate_status(struct db *db, struct arena *a, struct text *report)
{
	struct ledger l;
	struct walk w = { .ledger = &l };
	struct entry e;
	struct buf out;

	if (!ledger_open(db, a, &l, report))
		return false;
	buf_init(&out, a);
	while (walk_next(&w, a, &e)) {
		describe(a, &e, &out);
		buf_add_char(&out, '\n');
	}
	*report = buf_text(&out);
	return true;
}

/* Applying. */

/* A migration on its way: where it is written about, and how far it came. */
struct progress {
	struct db *db;
	struct arena *arena;
	struct buf *out;
};

static bool
failed(struct progress *p, const struct migration *m, int statement, const char *words)
{
	buf_printf(p->out, "%04d_%s: failed", m->number, m->name);
	if (statement > 0)
		buf_printf(p->out, " at statement %d", statement);
	buf_printf(p->out, ": %s\n", words);
	return false;
}

static bool
run_statements(struct progress *p, const struct migration *m)
{
	struct text rest = text_from(m->sql), statement;
	struct db_error e;
	int64_t done = 0;

	while (migration_statement(&rest, &statement)) {
		if (!conn_up(p->db, &e) || !conn_command(p->db, statement, &e))
			return failed(p, m, (int)done + 1, e.message);
		done++;
		if (db_exec_commit(p->db, p->arena, NULL, &ledger_step, V(done),
			V((int64_t)m->number)) != DB_NONE)
			return failed(
			    p, m, (int)done, "it ran but could not be recorded, see the log");
	}
	return true;
}

/* DDL commits by itself, so the ledger says before and after what is going on. */
static bool
apply(struct progress *p, const struct migration *m)
{
	struct value number = V((int64_t)m->number);

	if (db_exec_commit(p->db, p->arena, NULL, &ledger_begin, number, V(text_from(m->name)),
		V(checksum(p->arena, m)), V(stamp_now())) != DB_NONE)
		return failed(p, m, 0, "it could not be recorded, see the log");
	if (!run_statements(p, m)) {
		(void)!db_exec_commit(p->db, p->arena, NULL, &ledger_forget, number);
		return false;
	}
	if (db_exec_commit(p->db, p->arena, NULL, &ledger_end, V(stamp_now()), number) != DB_NONE)
		return failed(p, m, 0, "it ran but could not be recorded, see the log");
	buf_printf(p->out, "%04d_%s: applied\n", m->number, m->name);
	return true;
}

static bool
announce(struct progress *p, const struct migration *m)
{
	buf_printf(p->out, "%04d_%s: would be applied (%d statements)\n", m->number, m->name,
	    count_statements(m));
	return true;
}

/* Does something to every migration that is pending, if the schema is fit for it. */
static bool
each_pending(struct progress *p, bool (*fn)(struct progress *p, const struct migration *m))
{
	struct ledger l;
	struct walk w = { .ledger = &l };
	struct entry e;
	struct text words;
	enum schema_state schema;

	if (!ledger_read(p->db, p->arena, &l)) {
		buf_add(p->out, T("the database did not tell its schema: see the log\n"));
		return false;
	}
	schema = judge(p->arena, &l, &e);
	if (schema == SCHEMA_CURRENT || schema > SCHEMA_OLDER) {
		words = sentence(p->arena, schema, &e);
		buf_printf(p->out, "%.*s\n", TEXT_ARGS(words));
		return schema == SCHEMA_CURRENT;
	}
	while (walk_next(&w, p->arena, &e)) {
		if (e.state == ENTRY_PENDING && !fn(p, e.ours))
			return false;
	}
	return true;
}

static bool
take_lock(struct progress *p, int64_t wait)
{
	struct count got;
	bool answered, taken;

	db_begin(p->db, p->arena, false, TEXT_NONE);
	answered = db_row(p->db, &lock, &got, V(wait));
	taken = db_end(p->db, false) == DB_NONE && answered && got.n == 1;
	if (!answered)
		buf_add(p->out, T("the lock of migrations could not be had: see the log\n"));
	else if (!taken)
		buf_printf(p->out,
		    "another process has been migrating this database for over %d seconds\n",
		    (int)wait);
	return taken;
}

static bool
apply_locked(struct progress *p, int64_t wait)
{
	struct db_error e;

	if (!take_lock(p, wait))
		return false;
	p->db->pinned = true;
	if (!conn_up(p->db, &e) || !conn_command(p->db, text_from(create_ledger), &e)) {
		buf_printf(p->out, "schema_migrations cannot be made: %s\n", e.message);
		return false;
	}
	return each_pending(p, apply);
}

static bool
connected(struct progress *p)
{
	struct text problem;

	if (db_connect(p->db, p->arena, &problem) == DB_NONE)
		return true;
	buf_printf(p->out, "%.*s\n", TEXT_ARGS(problem));
	return false;
}

/* The lock goes with the connection, which is one of its own: ALTER TABLE may take hours. */
static bool
apply_all(struct progress *p, int64_t wait)
{
	bool done;

	conn_drop(p->db);
	p->db->patient = true;
	done = connected(p) && apply_locked(p, wait);
	p->db->patient = p->db->pinned = false;
	conn_drop(p->db);
	return done;
}

bool
migrate_apply(struct db *db, struct arena *a, bool dry_run, int64_t wait, struct text *report)
{
	struct buf out;
	struct progress p = { .db = db, .arena = a, .out = &out };
	bool done;

	buf_init(&out, a);
	if (dry_run)
		done = connected(&p) && each_pending(&p, announce);
	else
		done = apply_all(&p, wait);
	*report = buf_text(&out);
	return done;
}
