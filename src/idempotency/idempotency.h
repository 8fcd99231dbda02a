/*
 * Idempotency-Key on POST (IETF draft-ietf-httpapi-idempotency-key-header): a request that is sent again, because its
 * answer was lost, is answered again and not done again.
 *
 * The key's row is locked and written in the request's own transaction: nothing is left of a
 * request that failed, and of two at once the second finds the first one's answer, or a 409. Only
 * answers below 400 are kept: after any other nothing was done, and the same key may try again.
 */
#ifndef ROSTER_IDEMPOTENCY_IDEMPOTENCY_H
#define ROSTER_IDEMPOTENCY_IDEMPOTENCY_H

#include "http/http.h"
#include "server/sealed.h"

/* Before a handler: 0 to run it, or the status of the answer that was given instead. */
handler idempotency_begin;

/* After it, when it was run and its answer is below 400: keeps the answer. */
void idempotency_end(struct request *rq);

/* Forgets answers older than a day; a chore of the keeper. */
void idempotency_purge(struct db *db, const struct config *config, struct arena *a);

/* The kept answers. */
extern const struct sealed_column sealed_answers;

#endif
