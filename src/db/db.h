/*
 * The database, as the folders above see it: one connection a process, statements that are
 * constants, values that are bound, errors that are looked at once.
 *
 * Errors are sticky. After a statement has failed, later ones do nothing: db_exec() returns 0,
 * db_row() and db_next() find no row. Whoever began looks once, at db_end(), and decides by the
 * sign of its result. Handlers so have no error ladders, and may run twice.
 *
 * A transaction begins by itself at the first statement whose access is not DB_READ; reads before
 * it run on their own. So a password is hashed before any lock is taken.
 */
#ifndef ROSTER_DB_DB_H
#define ROSTER_DB_DB_H

#include "base/arena.h"
#include "base/base.h"
#include "base/buf.h"
#include "base/text.h"
#include "base/value.h"

struct db;

enum db_result {
	DB_UNSURE = -4,    /* connection lost during COMMIT: may have happened */
	DB_FAILED = -3,    /* permanent: logged, answered 500 */
	DB_DUPLICATE = -2, /* a unique key refused the row; see db_duplicate() */
	DB_AGAIN = -1,     /* deadlock, lock wait, row changed, lost before COMMIT: run it again */
	DB_NONE = 0,       /* nothing went wrong; above: rows */
};

enum db_access {
	DB_READ,  /* outside a transaction unless one has begun */
	DB_LOCK,  /* SELECT ... FOR UPDATE: begins one */
	DB_WRITE, /* begins one; refused by must() when the request only reads */
};

/* A result column and the struct member that takes it; see COLUMN(). */
struct db_column {
	const char *name;
	enum kind kind;
	size_t offset;
};

/* A statement: a constant with a name. Values are ? and bound, without exception. */
struct db_stmt {
	const char *name;
	enum db_access access;
	const char *sql;
	const struct db_column *columns;
	size_t ncolumns;
};

/* A result column named like the struct member that takes it; its kind is the member's. */
#define COLUMN(s, m)                                                   \
	{                                                              \
#m, KIND_OF(((struct s *)0)->m), offsetof(struct s, m) \
	}

struct db_options {
	struct text
	    option_file; /* group [roster]: host or socket, port, user, password, database, TLS */
	int64_t timeout; /* seconds to connect and for one statement */
	int64_t idle;    /* seconds that an open transaction may wait for us; 0: without end */
	/*
	 * One row when the request whose id (text) is bound has committed; a locking read, so that it
	 * waits for a transaction that is still being decided. Asked after a lost COMMIT. NULL: none.
	 */
	const struct db_stmt *committed;
};

/* A handle; it connects at the first statement, and again whenever the connection was lost. Never fails. */
struct db *db_new(const struct db_options *options) RETURNS_NONNULL;
void db_free(struct db **db);

/*
 * Tries to connect now. DB_NONE; otherwise *problem (on the arena) has the server's words and what to do:
 * DB_AGAIN may pass by waiting, DB_FAILED takes somebody who mends it.
 */
enum db_result db_connect(struct db *db, struct arena *a, struct text *problem) MUST_CHECK;

/*
 * A request (or a job) begins: clears errors and counters. What statements return lives on the
 * arena. may_write false: DB_LOCK and DB_WRITE statements are our mistake. request_id is what
 * committed is asked with; none: an unsure commit stays unsure.
 */
void db_begin(struct db *db, struct arena *a, bool may_write, struct text request_id);

/*
 * ... and ends: commits if asked and nothing failed and a transaction was begun, else rolls back.
 * DB_NONE when all is well; otherwise the first failure. An unsure COMMIT is resolved here by
 * reconnecting and asking options.committed: found is DB_NONE, not found DB_AGAIN, not to be told
 * DB_UNSURE.
 */
enum db_result db_end(struct db *db, bool commit) MUST_CHECK;

/* Jobs and rosterctl: begin, body, end, up to DB_TRIES times with jittered pauses. body returns whether to commit. */
#define DB_TRIES 5
typedef bool db_body(struct db *db, void *ctx);
enum db_result db_transaction(struct db *db, struct arena *a, db_body *body, void *ctx) MUST_CHECK;

/* The same with the id that committed is asked with, for a body that leaves it there. */
enum db_result db_transaction_of(
    struct db *db, struct arena *a, struct text request_id, db_body *body, void *ctx) MUST_CHECK;

/* db_transaction() of one statement that returns no rows; *rows, if it is wanted, is what db_exec() returns. */
#define db_exec_commit(db, a, rows, stmt, ...) \
	db_exec_commit_values(db, a, rows, stmt, DB_VALUES(__VA_ARGS__), DB_NVALUES(__VA_ARGS__))

/* Sleeps a random while that grows with the number of tries (1, 2, ...): some 1 to 100 ms. */
void db_back_off(int tries);

/* Runs a statement that returns no rows. Rows changed (found rows, for an UPDATE). 0 after a failure. */
#define db_exec(db, stmt, ...) \
	db_exec_values(db, stmt, DB_VALUES(__VA_ARGS__), DB_NVALUES(__VA_ARGS__))

/*
 * The first row into the struct at row (by stmt->columns); texts and bytes are copied to the arena.
 * false when there is none.
 */
#define db_row(db, stmt, row, ...) \
	db_row_values(db, stmt, row, DB_VALUES(__VA_ARGS__), DB_NVALUES(__VA_ARGS__))

/*
 * Starts reading rows; each db_next() fills the struct at row. They stream from the server: texts
 * and bytes in it live until the next db_next(), no other statement may run before it has returned
 * false or db_stop() was called.
 */
#define db_query(db, stmt, row, ...) \
	db_query_values(db, stmt, row, DB_VALUES(__VA_ARGS__), DB_NVALUES(__VA_ARGS__))

#define DB_VALUES(...) ((const struct value[]){ __VA_ARGS__ })
#define DB_NVALUES(...) (sizeof((const struct value[]){ __VA_ARGS__ }) / sizeof(struct value))

int64_t db_exec_values(struct db *db, const struct db_stmt *stmt, const struct value *v, size_t n);
enum db_result db_exec_commit_values(struct db *db, struct arena *a, int64_t *rows,
    const struct db_stmt *stmt, const struct value *v, size_t n) MUST_CHECK;
bool db_row_values(struct db *db, const struct db_stmt *stmt, void *row, const struct value *v,
    size_t n) MUST_CHECK;
void db_query_values(
    struct db *db, const struct db_stmt *stmt, void *row, const struct value *v, size_t n);
bool db_next(struct db *db) MUST_CHECK;
void db_stop(struct db *db);

/* The AUTO_INCREMENT id of the last INSERT. */
int64_t db_last_id(const struct db *db);

/*
 * The name of the unique key that refused the last statement, none when it was not refused. Takes
 * note, so that it is no failure any more: the statement has changed nothing, others may follow it.
 */
struct text db_duplicate(struct db *db);

/* Marks the request's transaction for another try, as a version that no longer matches does. */
void db_again(struct db *db);

/* Was the first failure a row that another transaction has locked (FOR UPDATE NOWAIT, or waited for too long)? */
bool db_locked(const struct db *db);

/* Has something failed since db_begin()? */
bool db_failed(const struct db *db);

/* Statements sent since db_begin(), BEGIN and COMMIT not counted. */
int db_statements(const struct db *db);

/* SQL text and values that are put together from constants and field tables. */
struct sql {
	struct buf text;
	struct value *values;
	size_t nvalues, room;
	size_t
	    rows; /* of values, for one "(?, ...)" in the text; 0: each "?" has a value of its own */
};

void sql_init(struct sql *q, struct arena *a);

/* Adds SQL text. Only ever constants: literals and members of tables, never input. */
void sql_add(struct sql *q, const char *constant);

/* Adds "?" and binds v to it. */
void sql_value(struct sql *q, struct value v);

/*
 * Adds a value to the list of an IN, and its end; *n, 0 before the first, counts them. "(NULL)" is the list of
 * none, in which nothing is.
 */
void sql_list_value(struct sql *q, size_t *n, struct value v);
void sql_list_end(struct sql *q, size_t n);

/*
 * Adds a row to the one "(?, ...)" of an INSERT, which the first adds to the text; all have n values, and the
 * statement no others. The kinds of a column are one in all rows; KIND_NONE is the column's DEFAULT.
 */
void sql_row(struct sql *q, const struct value *values, size_t n);

/* Adds another statement's text and values. */
void sql_append(struct sql *q, struct sql *other);

/* "%...%" with % _ and \ of t escaped, for LIKE ?. */
struct text sql_contains(struct arena *a, struct text t);

/* "<expression> = value", with its case: a comparison finds the rows by index, another one looks at the bytes. */
void sql_add_exact(struct sql *q, const char *expression, struct text value);

/* "<expression> LIKE '%value%'", ignoring case and respecting accents; NULL has nothing in it. */
void sql_add_contains(struct sql *q, const char *expression, struct text value);

/*
 * The same as db_exec and db_query for built SQL. name is for the log. Rows arrive in out[0..n),
 * whose kinds the caller has set before; a NULL sets .null.
 */
int64_t db_exec_sql(struct db *db, const char *name, struct sql *q);
void db_query_sql(struct db *db, const char *name, enum db_access access, struct sql *q,
    struct value *out, size_t n);

/*
 * Returns once the statement is sent, and needs q no more: whatever uses the connection next waits for its
 * end, and notes its failure. So caller and server work side by side. The rows of an INSERT ... RETURNING
 * are then to be had by db_next(), if db_receive() is that next use.
 */
void db_send_sql(struct db *db, const char *name, struct sql *q);
void db_receive(struct db *db, struct value *out, size_t n);

/* One row, copied to the arena. */
bool db_row_sql(struct db *db, const char *name, enum db_access access, struct sql *q,
    struct value *out, size_t n) MUST_CHECK;

#endif
