/* What the files of rosterctl user import share: an import, its reading and its writing. */
#ifndef ROSTER_CTL_IMPORT_INT_H
#define ROSTER_CTL_IMPORT_INT_H

#include "base/base.h"
#include "base/table.h"
#include "ctl/ctl.h"
#include "ctl/progress.h"
#include "ctl/records.h"
#include "users/users.h"

/* Accounts, and bytes of their records, that are written together. */
#define BATCH 500
#define BATCH_BYTES (4 * 1024 * 1024)

/* Hex digits of the file's digest that the ids of its requests begin with. */
#define PREFIX 20

/* An account that waits to be written. */
struct account {
	struct draft draft;
	int64_t line;
	bool dropped;
};

/* Accounts that are written together. */
struct batch {
	struct arena *arena;
	struct arena_mark mark;
	struct account rows[BATCH];
	struct draft *drafts[BATCH]; /* of the rows that were not dropped */
	size_t n, ndrafts, bytes;
	struct creation *creation; /* that the database is at work on */
};

struct counts {
	int64_t read, created, present, refused;
};

struct import {
	struct ctl *ctl;
	struct records in;
	struct text prefix; /* of the ids of this file's requests */
	bool resuming;      /* some of its accounts are there */
	struct progress progress;

	/* A try. */
	struct arena *whole; /* memory of the file */
	struct batch batches[2], *reading, *writing;
	struct request rq;
	struct table seen; /* "username:alice": the line that had it */
	struct slugs *slugs;
	struct text columns[CELLS_MAX]; /* of CSV */
	size_t ncolumns;
	bool headless; /* the names of its columns were refused */
	struct counts counts;
	enum db_result trouble; /* the database's; DB_NONE: none */
};

/* import_read.c */

/* Reads the names of the columns of CSV; false when one of them was refused. */
bool import_read_header(struct import *im) MUST_CHECK;

/* Reads a record into a row; false when it was refused. */
bool import_read(struct import *im, struct account *row, struct text record) MUST_CHECK;

/* Tells of a problem of a line; field may be empty. */
void import_say(struct import *im, int64_t line, struct text field, struct text message);

/* Refuses the record that was read last. */
void import_refuse(struct import *im, const char *message);

/* import_write.c */

bool import_all_or_nothing(const struct import *im);

/* Is anything to be written, now and with what was seen so far? */
bool import_writes(const struct import *im);

/* Begins a transaction: of the whole file, or of a batch. */
void import_begin(struct import *im);

/* Gives both batches their memory, and makes them empty. */
void import_clear_batches(struct import *im);

/* Writes what was read, which the database has yet to end: so more is read while it works. */
void import_flush(struct import *im);

#endif
