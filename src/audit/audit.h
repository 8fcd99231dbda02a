/*
 * Who changed what: an event for each change, written in the change's own transaction. Events outlive
 * the users that they are about. They carry the request's id, by which an unsure commit is resolved.
 */
#ifndef ROSTER_AUDIT_AUDIT_H
#define ROSTER_AUDIT_AUDIT_H

#include "db/db.h"
#include "http/http.h"
#include "http/router.h"
#include "resource/resource.h"

enum event {
	EVENT_USER_CREATED,
	EVENT_USER_UPDATED,
	EVENT_USER_ACTIVATED,
	EVENT_USER_DEACTIVATED,
	EVENT_USER_DELETED,
	EVENT_PASSWORD_CHANGED,
	EVENT_PASSWORD_CHANGED_BY_STAFF,
	EVENT_TOKEN_CREATED,
	EVENT_TOKEN_DELETED,
	EVENT_TOKEN_LIFETIME_CHANGED,
	EVENT_EMAIL_CHANGE_REQUESTED,
	EVENT_EMAIL_CHANGE_CANCELLED,
	EVENT_EMAIL_CHANGED,
	EVENT_LOGGED_IN,
	EVENT_LOGGED_OUT,
	EVENT_CUSTOMER_CREATED,
	EVENT_CUSTOMER_UPDATED,
	EVENT_CUSTOMER_DELETED,
	EVENT_PROJECT_CREATED,
	EVENT_PROJECT_UPDATED,
	EVENT_PROJECT_DELETED,
	EVENT_ROLE_CREATED,
	EVENT_ROLE_UPDATED,
	EVENT_ROLE_DELETED,
	EVENT_ROLE_ENABLED,
	EVENT_ROLE_DISABLED,
	EVENT_ROLE_GRANTED,
	EVENT_GRANT_UPDATED,
	EVENT_ROLE_REVOKED,
	EVENT_SSH_KEY_CREATED,
	EVENT_SSH_KEY_DELETED,
	EVENT_AGREEMENT_CREATED,
	EVENT_AGREEMENT_UPDATED,
	EVENT_AGREEMENT_DELETED,
	EVENT_PROVIDER_CREATED,
	EVENT_PROVIDER_UPDATED,
	EVENT_PROVIDER_DELETED,
	EVENTS
};

/* What an event is about. */
struct subject {
	const char *type; /* "user" */
	struct uuid uuid;
};

/*
 * Appends an event of the request's caller, at the request's time, from its client's address.
 * changes is a JSON object without secrets, or none.
 */
void audit(struct request *rq, enum event event, struct subject subject, struct text changes);

/* An event for each of many, in one statement, put together before it is sent; see db_send_sql(). */
struct audited {
	struct subject subject;
	struct text changes;
};
struct sql audit_many(struct request *rq, enum event event, const struct audited *what, size_t n);
void audit_send(struct request *rq, struct sql *events);

/* {"email": ["old", "new"], ...} of what the draft changes in columns that somebody may read. */
struct text audit_changes(struct request *rq, const struct draft *d);

/* The same of an object that is deleted: {"email": ["old", null], ...}. */
struct text audit_removed(struct request *rq, const struct draft *d);

/* Changes with one more member, whose value is JSON. */
struct text audit_changes_and(
    struct request *rq, struct text changes, const char *name, struct text json);

/* When the nth of the subject's last such events was, counted from the newest; none when there are fewer since then. */
struct stamp audit_nth_last(
    struct request *rq, enum event event, struct uuid subject, struct stamp since, int64_t nth);

/* Whether a request has committed; see struct db_options. */
extern const struct db_stmt audit_committed;

/* The name that is stored for an event; and all of them, by enum event, with NULL at their end. */
const char *event_name(enum event event);
extern const char *const event_names[];

extern const struct route_table audit_routes; /* /api/events/ */

#endif
