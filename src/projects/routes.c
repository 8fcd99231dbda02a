#include "base/base.h"

#include "access/access.h"
#include "audit/audit.h"
#include "http/etag.h"
#include "projects/projects.h"

static const struct scope_kind kind = { SCOPE_PROJECT, &projects };

static const struct db_stmt project_remove = {
	.name = "project_remove",
	.access = DB_WRITE,
	.sql =
	    "UPDATE projects SET is_removed = TRUE, modified = ?, version = version + 1 WHERE id = ?",
};

/* The project of the path, if the caller sees it and holds the permission on it or on its customer. */
static int
find_for(struct request *rq, const char *permission, struct scope *s, bool lock)
{
	struct row row;

	if (!resource_find(rq, &projects, &row) || !scope_load(rq, SCOPE_PROJECT, row.id, lock, s))
		return resource_not_found(rq, &projects);
	if (!access_may(rq, permission, s))
		return reply_forbidden(rq);
	return lock && !etag_may_change(rq, s->version) ? reply_changed_meanwhile(rq) : 0;
}

static int
guard(struct request *rq)
{
	struct scope s;

	if ((rq->method & METHODS_SAFE) != 0)
		return 0;
	return find_for(
	    rq, rq->method == METHOD_DELETE ? "PROJECT.DELETE" : "PROJECT.UPDATE", &s, false);
}

static int
visible_guard(struct request *rq)
{
	struct row row;

	return resource_find(rq, &projects, &row) ? 0 : resource_not_found(rq, &projects);
}

/* The row stays, so that what was done in it can be told; the roles in it end. */
static int
project_delete(struct request *rq)
{
	struct scope s;
	int status = find_for(rq, "PROJECT.DELETE", &s, true);

	if (status != 0)
		return status;
	if (!s.is_removed) {
		db_exec(rq->db, &project_remove, V(rq->now), V(s.id));
		grants_end(rq, &s);
		audit(rq, EVENT_PROJECT_DELETED, (struct subject){ "project", s.uuid },
		    T("{\"is_removed\":[false,true]}"));
	}
	return reply_empty(rq, 204);
}

#define PROJECT "/api/projects/{uuid}/"

static const struct action list_action = {
	.query =
	    (const struct shape[]){
		{ .name = "include_terminated",
		    .kind = KIND_BOOL,
		    .optional = true,
		    .help = "Removed projects, too." },
		{ 0 },
	    },
};

/* clang-format off */
static const struct route routes[] = {
	{ .method = METHOD_GET, .pattern = "/api/projects/",
	  .who = SIGNED_IN, .handle = resource_list, .subject = &projects,
	  .action = &list_action,
	  .help = "Lists the projects that the caller may see." },
	{ .method = METHOD_POST, .pattern = "/api/projects/",
	  .who = SIGNED_IN, .handle = project_create, .as = resource_create,
	  .subject = &projects,
	  .help = "Creates a project in an organization in which the caller may." },
	{ .method = METHOD_GET, .pattern = PROJECT,
	  .who = SIGNED_IN, .guard = guard, .handle = resource_retrieve, .subject = &projects,
	  .help = "One project." },
	{ .method = METHOD_PUT, .pattern = PROJECT,
	  .who = SIGNED_IN, .handle = resource_update, .subject = &projects,
	  .help = "Changes a project." },
	{ .method = METHOD_PATCH, .pattern = PROJECT,
	  .who = SIGNED_IN, .handle = resource_update, .subject = &projects,
	  .help = "Changes some of a project." },
	{ .method = METHOD_DELETE, .pattern = PROJECT,
	  .who = SIGNED_IN, .handle = project_delete, .as = resource_delete,
	  .subject = &projects,
	  .help = "Removes a project; the roles in it end." },
	{ .method = METHOD_POST, .pattern = PROJECT "add_user/",
	  .who = SIGNED_IN, .handle = members_add, .subject = &kind,
	  .action = &members_add_action,
	  .help = "Grants a role to a user." },
	{ .method = METHOD_POST, .pattern = PROJECT "update_user/",
	  .who = SIGNED_IN, .handle = members_update, .subject = &kind,
	  .action = &members_update_action,
	  .help = "Changes when a role ends." },
	{ .method = METHOD_POST, .pattern = PROJECT "delete_user/",
	  .who = SIGNED_IN, .handle = members_delete, .subject = &kind,
	  .action = &members_delete_action,
	  .help = "Revokes a role." },
	{ .method = METHOD_GET, .pattern = PROJECT "list_users/",
	  .who = SIGNED_IN, .guard = visible_guard, .handle = resource_list, .subject = &project_team,
	  .help = "Lists who holds which role in the project." },
	{ .method = METHOD_GET, .pattern = PROJECT "who_can/",
	  .who = SIGNED_IN, .handle = access_who_can, .subject = &kind,
	  .action = &access_who_can_action,
	  .help = "Who holds a permission on the project, and by which grant." },
};
/* clang-format on */

static const struct tag tags[] = {
	{ "projects", "Projects of organizations, and their teams." },
	{ 0 },
};

const struct route_table project_routes = { .routes = routes, .n = countof(routes), .tags = tags };
