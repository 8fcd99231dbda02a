/*
 * Roles, grants, and what follows from them: who may do what in which customer or project, and who
 * sees whom. A user's power comes from the grants that he holds; staff needs none.
 */
#ifndef ROSTER_ACCESS_ACCESS_H
#define ROSTER_ACCESS_ACCESS_H

#include "db/db.h"
#include "http/http.h"
#include "http/router.h"
#include "resource/resource.h"

/*
 * SQL: does the grant under this alias count at this moment? It stops at its expiration by itself. The
 * session's time zone is UTC.
 */
#define GRANT_ACTIVE(g)                                         \
	g ".is_active AND (" g ".expiration_time IS NULL OR " g \
	  ".expiration_time > UTC_TIMESTAMP(6))"

/* " JOIN ..." and " AND ..." for a resource's hooks: what of users u, customers c, projects p the caller may see. */
void access_users_among(struct request *rq, struct sql *from);
void access_users_visible(struct request *rq, struct sql *where);
void access_customers_visible(struct request *rq, struct sql *where);
void access_projects_visible(struct request *rq, struct sql *where);

enum scope_type { SCOPE_CUSTOMER, SCOPE_PROJECT };

/* The name of a scope's type in the API and in roles.content_type. */
const char *scope_type_name(enum scope_type type);
extern const char *const scope_type_names[]; /* all; ends with NULL */

/* Where grants are given: what the subject of a members' route is. */
struct scope_kind {
	enum scope_type type;
	const struct resource *resource; /* finds what the caller may see */
};

/* A customer or project. */
struct scope {
	enum scope_type type;
	int64_t id, version, customer_id;
	struct uuid uuid;
	struct text name;
	bool blocked, archived; /* the customer is */
	bool is_removed;        /* the project is */
};

/* The scope with this id; false when there is none. lock: until the end of the transaction. */
bool scope_load(
    struct request *rq, enum scope_type type, int64_t id, bool lock, struct scope *s) MUST_CHECK;

/* Does the caller hold a role on exactly this customer or project that carries the permission? Staff always. */
bool access_has(struct request *rq, const char *permission, enum scope_type type, int64_t id);

/* The same on the scope or, of a project, on its customer. */
bool access_may(struct request *rq, const char *permission, const struct scope *s);

/* Ends all active grants of a scope; an event for each. */
void grants_end(struct request *rq, const struct scope *s);

/*
 * permissions[] of users u: an expression for the field table, and what writes its value. One
 * statement serves a whole page. An object by the grant's id, for which MariaDB needs no memory but its text:
 * JSON_ARRAYAGG makes a table on disk for each user, and cuts its text at group_concat_max_len.
 */
#define ACCESS_PERMISSIONS                                                                       \
	"(SELECT JSON_OBJECTAGG(g.id, JSON_ARRAY(HEX(u.uuid),"                                   \
	" TRIM(CONCAT(u.first_name, ' ', u.last_name)),"                                         \
	" u.slug, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', g.created),"                          \
	" TIMESTAMPDIFF(MICROSECOND, '1970-01-01', g.expiration_time),"                          \
	" TRIM(CONCAT(gb.first_name, ' ', gb.last_name)), gb.username, gr.name, gr.description," \
	" HEX(gr.uuid), gr.content_type, HEX(COALESCE(gp.uuid, gc.uuid)),"                       \
	" COALESCE(gp.name, gc.name), IF(gp.id IS NULL, NULL, HEX(pc.uuid)), pc.name))"          \
	" FROM role_grants g JOIN roles gr ON gr.id = g.role_id"                                 \
	" LEFT JOIN users gb ON gb.id = g.created_by"                                            \
	" LEFT JOIN customers gc ON gc.id = g.customer_id"                                       \
	" LEFT JOIN projects gp ON gp.id = g.project_id"                                         \
	" LEFT JOIN customers pc ON pc.id = gp.customer_id"                                      \
	" WHERE g.user_id = u.id AND " GRANT_ACTIVE("g") ")"

field_encoder access_write_permissions;
extern const struct shape access_permissions_shape;

/* Filters of users u by their roles; see struct filter. */
void access_filter_customer_uuid(struct request *rq, struct sql *where, struct text value);
void access_filter_project_uuid(struct request *rq, struct sql *where, struct text value);
void access_filter_organization_roles(struct request *rq, struct sql *where, struct text value);
void access_filter_project_roles(struct request *rq, struct sql *where, struct text value);

/* Handlers of team management; the route's subject is a struct scope_kind. */
handler members_add, members_update, members_delete;
extern const struct action members_add_action, members_update_action, members_delete_action;

/* Teams as resources: GET list_users/ of a customer and of a project. */
extern const struct resource customer_team, project_team;

/* GET {scope}/who_can/?permission=...&at=...; the subject is a struct scope_kind. */
handler access_who_can;
extern const struct action access_who_can_action;

/* Whether a user may do something, by which grant: GET /api/users/{uuid}/access/; users' route. */
handler access_explain;
extern const struct action access_explain_action;

/* Marks grants that have expired as ended, with their events; a chore of the keeper. */
void grants_sweep(struct db *db, const struct config *config, struct arena *a);

extern const struct route_table access_routes; /* roles, user-permissions */

#endif
