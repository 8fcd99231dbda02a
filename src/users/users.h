/* User accounts: the table of their fields, their routes, and the rules that are more than a field's. */
#ifndef ROSTER_USERS_USERS_H
#define ROSTER_USERS_USERS_H

#include "http/router.h"
#include "resource/resource.h"

extern const struct resource users;

extern const struct route_table user_routes;

/*
 * Creates many users at once, as POST /api/users/ creates one. Returns while the database is still at work on
 * them, so that the caller does something else meanwhile, without it. The drafts stay as they are.
 */
struct creation;
struct creation *users_create(struct request *rq, struct slugs *slugs, const struct bulk *b);

/*
 * Waits for it. The name of the unique key that refused one of them, and then none was created; none when all
 * were, or the database failed.
 */
struct text users_created(struct request *rq, struct creation *c) MUST_CHECK;

/* Was a user created by a request whose id begins with prefix? */
bool users_imported(struct request *rq, struct text prefix) MUST_CHECK;

/* Tells of each draft whose user is there and was created by such a request. */
void users_check_imported(struct request *rq, const struct bulk *b, struct text prefix,
    void (*tell)(void *ctx, size_t i), void *ctx);

/* Query parameters of lists of users u; see struct filter. */
void user_filter_full_name(struct request *rq, struct sql *where, struct text value);
void user_filter_keyword(struct request *rq, struct sql *where, struct text value);
void user_filter_query(struct request *rq, struct sql *where, struct text value);
/* Beside a comparison with what only a user's own object has: not of those whom the caller does not see as users. */
void user_filter_seen(struct request *rq, struct sql *where);

/* Of affiliations, by whatever way they come. */
#define AFFILIATIONS_MAX 100
#define AFFILIATION_LENGTH_MAX 500

/* A message, or NULL when it is good. */
const char *check_username(struct text t);

/* 403 or 404 for whoever may not do this to this user; see struct route. */
handler user_guard;

#endif
