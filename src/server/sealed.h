/*
 * Columns of sealed values, and how they come under another key: so that an older key can leave the key file and
 * nothing is lost.
 */
#ifndef ROSTER_SERVER_SEALED_H
#define ROSTER_SERVER_SEALED_H

#include "base/base.h"
#include "crypto/seal.h"
#include "db/db.h"

/* A column; all texts are constant SQL, and the table has an id. */
struct sealed_column {
	const char *name; /* what operators call the values: "tokens" */
	const char *table, *column;
	const char *context; /* what a row's value is sealed for, as it was by seal() */
	const char
	    *lookup; /* the column lookup has a hash of the value, for this purpose; NULL: none */
	const char *set;  /* what else a change of the value sets, after a comma; NULL: nothing */
	const char *only; /* rows that may change now, after AND; NULL: all */
};

/* How many values of the column other keys than the newest have sealed; false: the database did not tell. */
bool sealed_count(struct db *db, struct arena *a, const struct keyring *keyring,
    const struct sealed_column *column, int64_t *n) MUST_CHECK;

/* A walk over the values that other keys have sealed, in the order of their rows. */
struct reseal {
	const struct sealed_column *column;
	const struct keyring *keyring;
	int64_t after;    /* the last row that was looked at */
	int64_t resealed; /* so far; one that has changed meanwhile is not */
	int64_t lost;     /* ... which no key of the file opens */
};

/*
 * Looks at some rows, in one transaction. How many, 0 when there are no more, or below 0 and nothing was done. A row
 * changes only if it still has the value that was read, so that writes beside it are safe.
 */
int64_t reseal_batch(struct db *db, struct arena *a, struct reseal *r) MUST_CHECK;

#endif
