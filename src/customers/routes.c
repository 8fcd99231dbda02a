#include "base/base.h"

#include "customers/customers_int.h"

static const struct scope_kind kind = { SCOPE_CUSTOMER, &customers };

static bool
may_pass(const struct request *rq)
{
	return (rq->method & METHODS_SAFE) != 0 || (rq->caller.who & STAFF) != 0;
}

static int
list_guard(struct request *rq)
{
	return may_pass(rq) ? 0 : reply_forbidden(rq);
}

/* The customer of the path, if the caller sees it and holds the permission on it. */
static int
guard_by(struct request *rq, const char *permission)
{
	struct row row;

	if (!resource_find(rq, &customers, &row))
		return resource_not_found(rq, &customers);
	return access_has(rq, permission, SCOPE_CUSTOMER, row.id) ? 0 : reply_forbidden(rq);
}

/* Changes take CUSTOMER.UPDATE; only staff delete. */
static int
guard(struct request *rq)
{
	if (may_pass(rq))
		return 0;
	return rq->method == METHOD_DELETE ? reply_forbidden(rq) : guard_by(rq, "CUSTOMER.UPDATE");
}

/* For everyone who sees the scope. */
static int
visible_guard(struct request *rq)
{
	struct row row;

	return resource_find(rq, &customers, &row) ? 0 : resource_not_found(rq, &customers);
}

static int
users_guard(struct request *rq)
{
	if ((rq->caller.who & (STAFF | SUPPORT)) != 0)
		return visible_guard(rq);
	return guard_by(rq, "CUSTOMER.LIST_USERS");
}

#define CUSTOMER "/api/customers/{uuid}/"

/* clang-format off */
static const struct route routes[] = {
	{ .method = METHOD_GET, .pattern = "/api/customers/",
	  .who = SIGNED_IN, .guard = list_guard, .handle = resource_list, .subject = &customers,
	  .help = "Lists the organizations that the caller may see." },
	{ .method = METHOD_POST, .pattern = "/api/customers/",
	  .who = STAFF, .handle = resource_create, .subject = &customers,
	  .help = "Creates an organization." },
	{ .method = METHOD_GET, .pattern = CUSTOMER,
	  .who = SIGNED_IN, .guard = guard, .handle = resource_retrieve, .subject = &customers,
	  .help = "One organization." },
	{ .method = METHOD_PUT, .pattern = CUSTOMER,
	  .who = SIGNED_IN, .handle = resource_update, .subject = &customers,
	  .help = "Changes an organization." },
	{ .method = METHOD_PATCH, .pattern = CUSTOMER,
	  .who = SIGNED_IN, .handle = resource_update, .subject = &customers,
	  .help = "Changes some of an organization." },
	{ .method = METHOD_DELETE, .pattern = CUSTOMER,
	  .who = STAFF, .handle = resource_delete, .subject = &customers,
	  .help = "Deletes an organization that has never had a project." },
	{ .method = METHOD_POST, .pattern = CUSTOMER "add_user/",
	  .who = SIGNED_IN, .handle = members_add, .subject = &kind,
	  .action = &members_add_action,
	  .help = "Grants a role to a user." },
	{ .method = METHOD_POST, .pattern = CUSTOMER "update_user/",
	  .who = SIGNED_IN, .handle = members_update, .subject = &kind,
	  .action = &members_update_action,
	  .help = "Changes when a role ends." },
	{ .method = METHOD_POST, .pattern = CUSTOMER "delete_user/",
	  .who = SIGNED_IN, .handle = members_delete, .subject = &kind,
	  .action = &members_delete_action,
	  .help = "Revokes a role." },
	{ .method = METHOD_GET, .pattern = CUSTOMER "list_users/",
	  .who = SIGNED_IN, .guard = visible_guard, .handle = resource_list, .subject = &customer_team,
	  .help = "Lists who holds which role in the organization itself." },
	{ .method = METHOD_GET, .pattern = CUSTOMER "users/",
	  .who = SIGNED_IN, .guard = users_guard, .handle = resource_list, .subject = &customer_users,
	  .help = "Lists the people of the organization and of its projects, each once." },
	{ .method = METHOD_GET, .pattern = CUSTOMER "who_can/",
	  .who = SIGNED_IN, .handle = access_who_can, .subject = &kind,
	  .action = &access_who_can_action,
	  .help = "Who holds a permission on the organization, and by which grant." },
};
/* clang-format on */

static const struct tag tags[] = {
	{ "customers", "Organizations and their teams." },
	{ 0 },
};

const struct route_table customer_routes = { .routes = routes, .n = countof(routes), .tags = tags };
