/* Between the files of auth/. */
#ifndef ROSTER_AUTH_AUTH_INT_H
#define ROSTER_AUTH_AUTH_INT_H

#include "auth/auth.h"

/* Its stamp in the database is moved by use when it is older than this. */
#define TOKEN_STAMP_AGE (60 * SECONDS)

/* Has a token been used for the last time too long ago, or was its key made too long ago? */
bool token_expired(
    const struct request *rq, struct stamp used, struct stamp made, struct maybe lifetime);

/* The later of the stamp in the database and the last use that is not written yet. */
struct stamp uses_last(int64_t token_id, struct stamp stamp);

/* Notes a use of a token whose stamp in the database is written. */
void uses_note(int64_t token_id, struct stamp at, struct stamp written);

#endif
