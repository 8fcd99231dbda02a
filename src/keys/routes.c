#include "base/base.h"

#include "keys/keys_int.h"

struct ownership {
	int64_t user_id;
	bool is_shared;
};

static const struct db_column ownership_columns[] = {
	COLUMN(ownership, user_id),
	COLUMN(ownership, is_shared),
};

static const struct db_stmt ownership_lock = {
	.name = "key_ownership_lock",
	.access = DB_LOCK,
	.sql = "SELECT user_id, is_shared FROM ssh_keys WHERE uuid = ? FOR UPDATE",
	.columns = ownership_columns,
	.ncolumns = countof(ownership_columns),
};

/* Staff deletes any key, others their own; one that is shared is no longer its owner's alone. */
int
ssh_key_delete(struct request *rq)
{
	struct ownership key;
	struct row row;

	if ((rq->caller.who & STAFF) != 0)
		return resource_delete(rq);
	if (!resource_find(rq, &ssh_keys, &row) ||
	    !db_row(rq->db, &ownership_lock, &key, V(row.uuid)))
		return resource_not_found(rq, &ssh_keys);
	if (key.is_shared)
		return reply_detail(
		    rq, 403, "Only staff users are allowed to delete shared SSH public key.");
	return key.user_id == rq->caller.id ? resource_delete(rq) : reply_forbidden(rq);
}

#define LIST "/api/keys/"
#define ONE "/api/keys/{uuid}/"
#define AUTHORIZED "/api/keys/authorized/{username}"

static const struct action authorized_action = {
	.outcomes =
	    (const struct outcome[]){
		{ .status = 200, .shape = &shape_text, .type = "text/plain" }, { 0 } },
};

/* clang-format off */
static const struct route routes[] = {
	{ .method = METHOD_GET, .pattern = LIST, .who = SIGNED_IN,
	  .handle = resource_list, .subject = &ssh_keys,
	  .help = "Lists the caller's SSH keys and those that are shared; for staff and support all." },
	{ .method = METHOD_POST, .pattern = LIST, .who = SIGNED_IN,
	  .handle = resource_create, .subject = &ssh_keys,
	  .help = "Adds an SSH key of the caller's." },
	{ .method = METHOD_GET, .pattern = ONE, .who = SIGNED_IN,
	  .handle = resource_retrieve, .subject = &ssh_keys,
	  .help = "One SSH key." },
	{ .method = METHOD_DELETE, .pattern = ONE, .who = SIGNED_IN,
	  .handle = ssh_key_delete, .as = resource_delete, .subject = &ssh_keys,
	  .help = "Deletes an SSH key." },
	{ .method = METHOD_GET, .pattern = AUTHORIZED, .who = SIGNED_IN, .any_accept = true,
	  .handle = ssh_keys_authorized, .action = &authorized_action,
	  .help = "A user's SSH keys for sshd's AuthorizedKeysCommand, as text; for staff, support and hosts." },
	{ .method = METHOD_GET, .pattern = AUTHORIZED "/", .who = SIGNED_IN, .any_accept = true,
	  .handle = ssh_keys_authorized, .action = &authorized_action,
	  .help = "The same, for who asks with a slash at the end." },
};
/* clang-format on */

static const struct tag tags[] = {
	{ "keys", "SSH keys." },
	{ 0 },
};

const struct route_table key_routes = { .routes = routes, .n = countof(routes), .tags = tags };
