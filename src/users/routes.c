#include "base/base.h"

#include "access/access.h"
#include "users/users_int.h"

/* Who only reads, and staff, pass. */
static bool
may_pass(const struct request *rq)
{
	return (rq->method & METHODS_SAFE) != 0 || (rq->caller.who & STAFF) != 0;
}

int
user_guard(struct request *rq)
{
	struct row row;

	if (may_pass(rq) || (rq->method != METHOD_DELETE && uuid_eq(rq->uuid, rq->caller.uuid)))
		return resource_precondition(rq, &users);
	if (rq->method != METHOD_DELETE && !resource_find(rq, &users, &row))
		return resource_not_found(rq, &users);
	return reply_forbidden(rq);
}

#define USER "/api/users/{uuid}/"

/* clang-format off */
static const struct route routes[] = {
	{ .method = METHOD_GET, .pattern = "/api/users/",
	  .who = SIGNED_IN, .guard = resource_staff_writes, .handle = resource_list, .subject = &users,
	  .help = "Lists the users whom the caller may see." },
	{ .method = METHOD_POST, .pattern = "/api/users/",
	  .who = STAFF, .handle = resource_create, .subject = &users,
	  .help = "Creates a user, who signs in once change_password has set a password." },
	{ .method = METHOD_GET, .pattern = "/api/users/me/",
	  .who = SIGNED_IN, .guard = resource_staff_writes, .handle = user_me, .subject = &users,
	  .as = resource_retrieve, .action = &user_me_action,
	  .help = "The caller's own account, with the address that he calls from." },
	{ .method = METHOD_GET, .pattern = USER,
	  .who = SIGNED_IN, .guard = user_guard, .handle = resource_retrieve, .subject = &users,
	  .help = "One user." },
	{ .method = METHOD_PUT, .pattern = USER,
	  .who = SIGNED_IN, .handle = resource_update, .subject = &users,
	  .help = "Changes a user; fields that are left out keep their value." },
	{ .method = METHOD_PATCH, .pattern = USER,
	  .who = SIGNED_IN, .handle = resource_update, .subject = &users,
	  .help = "Changes some fields of a user." },
	{ .method = METHOD_DELETE, .pattern = USER,
	  .who = STAFF, .handle = resource_delete, .subject = &users,
	  .help = "Deletes a user." },
	{ .method = METHOD_POST, .pattern = USER "change_password/", .lane = LANE_SLOW,
	  .who = SIGNED_IN, .guard = user_guard, .handle = user_change_password,
	  .action = &user_change_password_action,
	  .help = "Sets a user's password and replaces the token." },
	{ .method = METHOD_GET, .pattern = USER "access/",
	  .who = SIGNED_IN, .handle = access_explain, .subject = &users,
	  .action = &access_explain_action,
	  .help = "Whether a user holds a permission over a scope, and by which grants." },
	{ .method = METHOD_POST, .pattern = USER "change_email/",
	  .who = SIGNED_IN, .guard = user_guard, .handle = user_change_email,
	  .action = &user_change_email_action,
	  .help = "Asks for another e-mail address; a code goes there by mail." },
	{ .method = METHOD_POST, .pattern = USER "cancel_change_email/",
	  .who = SIGNED_IN, .guard = user_guard, .handle = user_cancel_change_email,
	  .action = &user_cancel_change_email_action,
	  .help = "Takes back what change_email has asked for." },
	{ .method = METHOD_POST, .pattern = "/api/users/confirm_email/",
	  .who = ANYONE, .handle = user_confirm_email,
	  .action = &user_confirm_email_action,
	  .help = "Sets the e-mail address that a code was sent to." },
	{ .method = METHOD_GET, .pattern = USER "token/",
	  .who = STAFF, .handle = user_token,
	  .action = &user_token_action,
	  .help = "A user's token." },
	{ .method = METHOD_POST, .pattern = USER "refresh_token/",
	  .who = STAFF, .guard = user_guard, .handle = user_refresh_token,
	  .action = &user_token_action,
	  .help = "Replaces a user's token by a new one." },
	{ .method = METHOD_GET, .pattern = "/api/media/{uuid}/",
	  .who = ANYONE, .no_credentials = true, .any_accept = true, .handle = image_serve,
	  .action = &image_serve_action,
	  .help = "A user's picture. Who has its address may see it." },
};
/* clang-format on */

static const struct tag tags[] = {
	{ "users", "Accounts of people: their details, passwords, e-mail addresses and tokens." },
	{ "media", "Pictures of people." },
	{ 0 },
};

const struct route_table user_routes = { .routes = routes, .n = countof(routes), .tags = tags };
