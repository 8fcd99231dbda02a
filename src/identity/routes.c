#include "base/base.h"

#include "identity/identity_int.h"
#include "users/users.h"

#define LIST "/api/identity-providers/"
#define ONE "/api/identity-providers/{uuid}/"

static const struct action pull_remote_user_action = { .outcomes = outcomes_nothing };

/* clang-format off */
static const struct route routes[] = {
	{ .method = METHOD_GET, .pattern = LIST, .who = STAFF,
	  .handle = resource_list, .subject = &identity_providers,
	  .help = "Lists the identity providers." },
	{ .method = METHOD_POST, .pattern = LIST, .who = STAFF,
	  .handle = resource_create, .subject = &identity_providers,
	  .help = "Adds an identity provider." },
	{ .method = METHOD_GET, .pattern = ONE, .who = STAFF,
	  .handle = resource_retrieve, .subject = &identity_providers,
	  .help = "One identity provider; its secrets are not shown." },
	{ .method = METHOD_PUT, .pattern = ONE, .who = STAFF,
	  .handle = resource_update, .subject = &identity_providers,
	  .help = "Changes an identity provider; fields that are left out keep their value." },
	{ .method = METHOD_PATCH, .pattern = ONE, .who = STAFF,
	  .handle = resource_update, .subject = &identity_providers,
	  .help = "Changes some fields of an identity provider." },
	{ .method = METHOD_DELETE, .pattern = ONE, .who = STAFF,
	  .handle = resource_delete, .subject = &identity_providers,
	  .help = "Deletes an identity provider; its users stay." },
	{ .method = METHOD_POST, .pattern = "/api/users/{uuid}/pull_remote_user/", .lane = LANE_SLOW,
	  .who = SIGNED_IN, .guard = user_guard, .handle = pull_remote_user,
	  .action = &pull_remote_user_action,
	  .help = "Fetches a user's details from the identity provider that manages them." },
	{ .method = METHOD_POST, .pattern = "/api/remote-eduteams/", .lane = LANE_SLOW,
	  .who = SIGNED_IN, .handle = remote_eduteams, .action = &remote_eduteams_action,
	  .help = "Fetches a user by his eduTEAMS identifier, and makes him if he is new; for staff." },
};
/* clang-format on */

static const struct tag tags[] = {
	{ "identity-providers", "Where accounts come from, and who keeps their details." },
	{ "remote-eduteams", "Accounts that eduTEAMS has." },
	{ 0 },
};

const struct route_table identity_routes = { .routes = routes, .n = countof(routes), .tags = tags };
