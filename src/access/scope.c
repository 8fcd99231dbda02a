#include "base/base.h"

#include "access/access_int.h"

/* clang-format off */
static const struct db_column scope_columns[] = {
	COLUMN(scope, id), COLUMN(scope, version), COLUMN(scope, customer_id), COLUMN(scope, uuid),
	COLUMN(scope, name),
	COLUMN(scope, blocked), COLUMN(scope, archived), COLUMN(scope, is_removed),
};

#define CUSTOMER_SCOPE \
	"SELECT id, version, id, uuid, name, blocked, archived, FALSE FROM customers WHERE id = ?"
#define PROJECT_SCOPE \
	"SELECT p.id, p.version, p.customer_id, p.uuid, p.name, c.blocked, c.archived, p.is_removed" \
	" FROM projects p JOIN customers c ON c.id = p.customer_id WHERE p.id = ?"
#define SCOPE_STMT(n, a, s) \
	{ .name = (n), .access = (a), .sql = s, .columns = scope_columns, .ncolumns = countof(scope_columns) }

/* By type, then whether it locks. */
static const struct db_stmt scope_by_id[][2] = {
	[SCOPE_CUSTOMER] = {
		SCOPE_STMT("customer_scope", DB_READ, CUSTOMER_SCOPE),
		SCOPE_STMT("customer_scope_lock", DB_LOCK, CUSTOMER_SCOPE " FOR UPDATE"),
	},
	[SCOPE_PROJECT] = {
		SCOPE_STMT("project_scope", DB_READ, PROJECT_SCOPE),
		SCOPE_STMT("project_scope_lock", DB_LOCK, PROJECT_SCOPE " FOR UPDATE"),
	},
};
/* clang-format on */

struct held {
	int64_t id;
};

static const struct db_column held_columns[] = { COLUMN(held, id) };

#define HELD(column)                                                                        \
	"SELECT g.id FROM role_grants g JOIN role_permissions rp ON rp.role_id = g.role_id" \
	" WHERE g.user_id = ? AND g." column " = ? AND rp.permission = ?"                   \
	" AND " GRANT_ACTIVE("g") " LIMIT 1"

static const struct db_stmt held_on[] = {
	[SCOPE_CUSTOMER] = { .name = "held_on_customer",
	    .sql = HELD("customer_id"),
	    .columns = held_columns,
	    .ncolumns = countof(held_columns) },
	[SCOPE_PROJECT] = { .name = "held_on_project",
	    .sql = HELD("project_id"),
	    .columns = held_columns,
	    .ncolumns = countof(held_columns) },
};

const char *const scope_type_names[] = {
	[SCOPE_CUSTOMER] = "customer",
	[SCOPE_PROJECT] = "project",
	[SCOPE_PROJECT + 1] = NULL,
};

const struct shape scope_type_shape = { .kind = KIND_TEXT, .choices = scope_type_names };

const char *
scope_type_name(enum scope_type type)
{
	return scope_type_names[type];
}

bool
scope_load(struct request *rq, enum scope_type type, int64_t id, bool lock, struct scope *s)
{
	if (!db_row(rq->db, &scope_by_id[type][lock], s, V(id)))
		return false;
	s->type = type;
	return true;
}

bool
access_has(struct request *rq, const char *permission, enum scope_type type, int64_t id)
{
	struct held held;

	if ((rq->caller.who & STAFF) != 0)
		return true;
	return db_row(
	    rq->db, &held_on[type], &held, V(rq->caller.id), V(id), V(text_from(permission)));
}

bool
access_may(struct request *rq, const char *permission, const struct scope *s)
{
	return access_has(rq, permission, SCOPE_CUSTOMER, s->customer_id) ||
	    (s->type == SCOPE_PROJECT && access_has(rq, permission, SCOPE_PROJECT, s->id));
}
