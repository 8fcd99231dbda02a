/* What the files of db/ share: the handle, and what each of them offers to the others. */
#ifndef ROSTER_DB_DB_INT_H
#define ROSTER_DB_DB_INT_H

#include <sys/queue.h>

/* The ban on mysql_query() would make a variable of its declaration. */
#pragma push_macro("mysql_query")
#undef mysql_query
#include <mysql.h>
#pragma pop_macro("mysql_query")

#include "db/db.h"

/* A failure in the words of the server or of the client library. */
struct db_error {
	unsigned int number;
	char state[SQLSTATE_LENGTH + 1];
	char message[MYSQL_ERRMSG_SIZE];
};

/* Prepared statements of a connection by their SQL text, the one used last in front. */
#define CACHE_MAX 128
#define CACHE_BUCKETS 256

struct cached;
LIST_HEAD(cache_bucket, cached);
TAILQ_HEAD(cache_ages, cached);

struct cache {
	struct cache_bucket buckets[CACHE_BUCKETS];
	struct cache_ages ages;
	size_t n;
};

/* Where rows go: by columns into the struct at row, or into values. */
struct target {
	void *row;
	const struct db_column *columns;
	struct value *values;
	size_t n;
};

/* The result that is being read, and the memory that all results take turns to use. */
struct cursor {
	MYSQL_STMT *open; /* NULL: none */
	const char *name;
	struct target target;
	struct cell *cells;
	size_t cells_room;
	char *texts; /* of the row before the next one */
	size_t texts_room;
};

/* A statement that the server is at work on. */
struct sent {
	MYSQL_STMT *st; /* NULL: none */
	const char *name;
	int what; /* what the library waits for; 0: nothing more */
};

struct db {
	struct db_options options;
	char *option_file; /* what options.option_file points to */
	MYSQL *mysql;      /* NULL: not connected */
	struct cache cache;
	struct cursor cursor;
	struct sent sent;
	bool may_send; /* the library is set up for that */
	bool patient;  /* the next connection lets a statement take its time */
	bool pinned;   /* something hangs on this connection: it may not be replaced by another */

	/* since db_begin() */
	struct arena *arena;
	bool may_write;
	struct text request_id;
	enum db_result result;     /* the first failure ... */
	unsigned int failure;      /* ... and the server's number for it */
	struct db_error duplicate; /* behind DB_DUPLICATE */
	const char *duplicate_of;  /* the statement's name */
	bool in_transaction;
	int statements;
	int64_t last_id;
};

/* conn.c */

/* Connects if need be. */
bool conn_up(struct db *db, struct db_error *e) MUST_CHECK;

/* Forgets the connection and its statements; an open transaction is rolled back by that. */
void conn_drop(struct db *db);

/* Runs SQL that was not prepared and drops what it returns: transaction control and migrations. */
bool conn_command(struct db *db, struct text sql, struct db_error *e) MUST_CHECK;

/* The failure of the connection's last call; of the statement's if st is not NULL. */
void conn_error(struct db *db, MYSQL_STMT *st, struct db_error *e);

/* A failure that we found ourselves. */
void error_set(struct db_error *e, unsigned int number, const char *format, ...) PRINTF_LIKE(3, 4);

/* wire.c */

/* A column of the row that was fetched last. */
struct cell {
	const struct wire *wire;
	unsigned long n; /* bytes, of text and bytes */
	my_bool null, error;
	union {
		int64_t i;
		uint8_t b[16];
		MYSQL_TIME time;
		struct bytes x;
	};
};

/*
 * How a kind travels. An array of parameters has values of that width, or, without one, pointers to them. A
 * result without room is of any length: it is read when that is known.
 */
struct wire {
	enum enum_field_types param;
	size_t width;
	enum enum_field_types result;
	size_t room;
	/* Into a MYSQL_BIND, with a MYSQL_TIME to put it together in. */
	void (*give)(const struct value *v, MYSQL_BIND *b, MYSQL_TIME *t);
	/* false when the column holds what the kind cannot. */
	bool (*take)(const struct cell *c, struct value *v);
};

const struct wire *wire_of(enum kind kind) RETURNS_NONNULL;

/* bind.c */

/*
 * Gives the statement its values: one to each parameter, or those of so many rows, one after the other. The
 * values, and what is made of them on the arena, are to stay until it is executed. false: see conn_error().
 */
bool bind_values(
    MYSQL_STMT *st, const struct value *v, size_t n, size_t rows, struct arena *a) MUST_CHECK;

/* stmt.c */

void cache_init(struct cache *c);

/* Closes all statements. After mysql_close(), so that nothing is said to the server. */
void cache_clear(struct cache *c);

/* Gives back the memory of results. No result is open. */
void cursor_release(struct cursor *c);

/* ... but only if an unusually long text has left much of it. */
void cursor_trim(struct cursor *c);

/* Does the statement, with that value bound, return a row? Ignores and leaves alone what failed before. */
bool stmt_finds(struct db *db, const struct db_stmt *stmt, struct value v, bool *found,
    struct db_error *e) MUST_CHECK;

/* Waits for the end of the statement that was sent, if there is one, and notes its failure. */
void stmt_await(struct db *db);

/* tx.c */

/* Notes a failure, logs it, and drops the connection if it is of no more use. */
void tx_fail(struct db *db, const char *name, const struct db_error *e);

/* Begins the transaction if it has not begun yet; false after a failure. */
bool tx_open(struct db *db) MUST_CHECK;

/*
 * Connects if need be and makes an attempt; when the connection turns out dead and no transaction
 * with it, one more on a new connection. A failure is noted.
 */
typedef bool attempt(struct db *db, void *ctx, struct db_error *e);
bool tx_attempt(struct db *db, const char *name, attempt *fn, void *ctx) MUST_CHECK;

#endif
