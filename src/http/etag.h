/*
 * Validators and conditional requests (RFC 9110, sections 8.8.3 and 13).
 *
 * An entity tag is "<version>-<digest>": the version of the row that a write would change, and a digest of
 * the body, which depends on the reader too (what he may see, field=, roles of others). If-None-Match
 * compares all of it; If-Match compares the version, since that is what a write must not overwrite.
 */
#ifndef ROSTER_HTTP_ETAG_H
#define ROSTER_HTTP_ETAG_H

#include "http/http.h"

/*
 * Ends an object's answer: adds ETag, and makes it a 304 without body when a GET or HEAD has the tag in
 * If-None-Match. The body must have been held back (reply_hold()).
 */
int reply_etag(struct request *rq, int64_t version);

/* May the object at this version be changed: no If-Match, or one that has the version (or *)? */
bool etag_may_change(struct request *rq, int64_t version);

/* 412 */
int reply_changed_meanwhile(struct request *rq);

/* Whether W/"..." counts, too: it does not where the bytes have to be the same (RFC 9110, section 8.8.3.2). */
enum etag_comparison { ETAG_WEAK, ETAG_STRONG };

/* Is the tag ("...", without the quotes) in a header's list? * is any. */
bool etag_listed(struct text header, struct text tag, enum etag_comparison comparison);

#endif
