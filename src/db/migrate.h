/*
 * Migrations: sql/NNNN_name.sql, forward only, applied in order under a lock (GET_LOCK) and recorded in
 * schema_migrations with a SHA-256 checksum. They are compiled into the programs (a generated
 * table), so that a program and its schema can't be separated.
 */
#ifndef ROSTER_DB_MIGRATE_H
#define ROSTER_DB_MIGRATE_H

#include "db/db.h"

struct migration {
	int number;
	const char *name;
	const char *sql; /* statements that end with ; at the end of a line */
};

/* Generated from sql/ at build time, in order of number. */
extern const struct migration migrations[];
extern const size_t nmigrations;

/*
 * Cuts the next statement, without its ;, off *rest; false when there is none. Lines that begin
 * with -- or # are comments, and end no statement.
 */
bool migration_statement(struct text *rest, struct text *statement) MUST_CHECK;

/* In order of gravity. */
enum schema_state {
	SCHEMA_CURRENT,
	SCHEMA_EMPTY,
	SCHEMA_OLDER,   /* migrations are pending */
	SCHEMA_NEWER,   /* has migrations that this program does not know */
	SCHEMA_CHANGED, /* an applied one has another checksum, or one is missing in between */
	SCHEMA_UNKNOWN, /* the database did not answer */
};

/* Compares the database with the program. *detail (on the arena) is a sentence for the operator. */
enum schema_state migrate_check(struct db *db, struct arena *a, struct text *detail);

/* One line a migration: number, name, applied when (or pending), in *report. false: the database did not answer. */
bool migrate_status(struct db *db, struct arena *a, struct text *report) MUST_CHECK;

/* A migration that the program or the database knows. */
struct migration_entry {
	struct text name;          /* "0001_users" */
	const char *state;         /* applied, pending, missing, changed, half, foreign, newer */
	int64_t statements;        /* that are known to have run */
	struct stamp begun, ended; /* none: not yet */
};

/* All of them in order, on the arena. false: the database did not answer, and *problem says why. */
bool migrate_list(struct db *db, struct arena *a, struct migration_entry **entries, size_t *n,
    struct text *problem) MUST_CHECK;

/*
 * Applies what is pending; dry_run only says what it would. A line each in *report. false when
 * one failed (it says which, at which statement, and the server's words), or the schema is
 * SCHEMA_NEWER or SCHEMA_CHANGED, or another process holds the lock for over wait seconds.
 */
bool migrate_apply(
    struct db *db, struct arena *a, bool dry_run, int64_t wait, struct text *report) MUST_CHECK;

#endif
