#include "base/base.h"

#include "access/access_int.h"

/* clang-format off */
static const struct route routes[] = {
	{ .method = METHOD_GET, .pattern = "/api/roles/",
	  .who = ANYONE, .handle = resource_list, .subject = &roles,
	  .help = "Lists the roles." },
	{ .method = METHOD_POST, .pattern = "/api/roles/",
	  .who = STAFF, .handle = resource_create, .subject = &roles,
	  .help = "Creates a role." },
	{ .method = METHOD_GET, .pattern = "/api/roles/{uuid}/",
	  .who = ANYONE, .handle = resource_retrieve, .subject = &roles,
	  .help = "One role." },
	{ .method = METHOD_PUT, .pattern = "/api/roles/{uuid}/",
	  .who = STAFF, .handle = resource_update, .subject = &roles,
	  .help = "Changes a role." },
	{ .method = METHOD_PATCH, .pattern = "/api/roles/{uuid}/",
	  .who = STAFF, .handle = resource_update, .subject = &roles,
	  .help = "Changes some of a role." },
	{ .method = METHOD_DELETE, .pattern = "/api/roles/{uuid}/",
	  .who = STAFF, .handle = role_delete, .as = resource_delete, .subject = &roles,
	  .help = "Deletes a role that nobody was ever granted." },
	{ .method = METHOD_POST, .pattern = "/api/roles/{uuid}/enable/",
	  .who = STAFF, .handle = role_enable, .action = &role_switch_action,
	  .help = "Lets a role be granted." },
	{ .method = METHOD_POST, .pattern = "/api/roles/{uuid}/disable/",
	  .who = STAFF, .handle = role_disable, .action = &role_switch_action,
	  .help = "Lets a role be granted no more." },
	{ .method = METHOD_GET, .pattern = "/api/user-permissions/",
	  .who = SIGNED_IN, .handle = resource_list, .subject = &user_permissions,
	  .help = "Lists grants that are active: the caller's own; all for staff and support." },
	{ .method = METHOD_GET, .pattern = "/api/user-permissions/{uuid}/",
	  .who = SIGNED_IN, .handle = resource_retrieve, .subject = &user_permissions,
	  .help = "One grant." },
};
/* clang-format on */

static const struct tag tags[] = {
	{ "roles", "What people may do in customers and projects." },
	{ "user-permissions", "Who holds which role where." },
	{ 0 },
};

const struct route_table access_routes = { .routes = routes, .n = countof(routes), .tags = tags };
