/* A file of records, CSV or JSON Lines, read one after the other with the lines where they begin. */
#ifndef ROSTER_CTL_RECORDS_H
#define ROSTER_CTL_RECORDS_H

#include "base/arena.h"
#include "base/base.h"
#include "base/text.h"

/* Bytes of a record; a longer one is refused. */
#define RECORD_MAX (1024 * 1024)

struct records {
	const char *name; /* for messages */
	bool csv;
	int64_t size; /* bytes of all */
	int64_t done; /* ... of those that were read */
	int64_t line; /* where the record began that records_next() gave; from 1 */
	const char *problem;

	int fd;
	int64_t next_line;
	char *buffer;
	size_t at, n;
	bool ended;
};

/*
 * Opens a file; "-" is standard input, which is copied to a temporary file first, so that it can be read
 * twice. CSV or JSON Lines is told by the first character. false after saying why.
 */
bool records_open(struct records *r, struct text path, struct arena *a) MUST_CHECK;
void records_close(struct records *r);

/* From the start again. */
void records_rewind(struct records *r);

/* A digest of the whole file, in hex; none after saying why it cannot be read. Rewinds. */
struct text records_digest(struct records *r, struct arena *a);

/*
 * The next record that is not blank, without the end of its line, valid until the next call. false at the
 * end, or with .problem set, when nothing more can be read.
 */
bool records_next(struct records *r, struct text *record) MUST_CHECK;

/* csv.c */

#define CELLS_MAX 64

/* Takes a CSV record apart (RFC 4180); cells are on the arena. 0 with *problem when it is malformed. */
size_t csv_split(
    struct text record, struct arena *a, struct text cells[static CELLS_MAX], const char **problem);

/* Where the record at the start of t ends: its line feed outside quotes, or t.n when there is none. */
size_t csv_end(struct text t);

/* t as a cell, quoted where it must be; on the arena. */
struct text csv_cell(struct text t, struct arena *a);

#endif
