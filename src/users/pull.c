#include "base/base.h"

#include "users/users_int.h"

/* Who looks after a user's details. */
struct managed {
	struct text registration_method, identity_source;
};

static const struct db_column managed_columns[] = {
	COLUMN(managed, registration_method),
	COLUMN(managed, identity_source),
};

static const struct db_stmt managed_by_uuid = {
	.name = "managed_by_uuid",
	.sql = "SELECT registration_method, identity_source FROM users WHERE uuid = ?",
	.columns = managed_columns,
	.ncolumns = countof(managed_columns),
};

static bool
is_eduteams(const struct managed *m)
{
	return text_eq(m->registration_method, T("eduteams")) ||
	    text_eq(m->identity_source, T("eduteams"));
}

int
user_pull_remote_user(struct request *rq)
{
	struct managed m;

	if (!db_row(rq->db, &managed_by_uuid, &m, V(rq->uuid)))
		return resource_not_found(rq, &users);
	if (!is_eduteams(&m))
		return reply_list(rq, 400, "User is not managed by eduTEAMS.");
	return reply_list(
	    rq, 400, "Remote eduTEAMS account synchronization extension is disabled.");
}
