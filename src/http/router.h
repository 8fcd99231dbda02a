/* From method and path to a row of the route table. */
#ifndef ROSTER_HTTP_ROUTER_H
#define ROSTER_HTTP_ROUTER_H

#include "http/http.h"

/* What the paths are about that have a word after /api/; for the documentation. */
struct tag {
	const char *word, *help;
};

/* The tables of all capabilities, as app.c lists them. */
struct route_table {
	const struct route *routes;
	size_t n;
	const struct tag *tags; /* of the words that these routes bring; ends with an empty row */
};

struct match {
	const struct route *path;  /* the first row whose pattern matches; NULL: 404 */
	const struct route *route; /* the row for the method too (GET serves HEAD); NULL: 405 */
	enum method allowed;       /* methods of the path; HEAD with GET, and OPTIONS */
	bool slash_missing;        /* no row, but one for the path with a / at its end */
};

/*
 * Finds the rows and fills rq->args and rq->uuid. A literal segment wins over a parameter:
 * /api/users/me/ is not /api/users/{uuid}/. A {uuid} that is no UUID does not match.
 */
struct match route_match(
    struct request *rq, const struct route_table *const *tables, size_t ntables);

/* "GET, HEAD, OPTIONS" on the arena. */
struct text route_allow(enum method allowed, struct arena *a);

#endif
