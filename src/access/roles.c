#include "base/base.h"

#include "access/access_int.h"
#include "http/body.h"

#define TEAM (STAFF | SUPPORT)
#define NOTHING T("null") /* permissions of a role before it is there, and after */

/* clang-format off */
static const struct db_column role_columns[] = {
	COLUMN(role, id), COLUMN(role, uuid), COLUMN(role, name), COLUMN(role, content_type),
	COLUMN(role, is_active), COLUMN(role, is_system_role),
};
/* clang-format on */

#define ROLE "SELECT id, uuid, name, content_type, is_active, is_system_role FROM roles WHERE "

static const struct db_stmt role_by_name = {
	.name = "role_by_name",
	.sql = ROLE "name = ?",
	.columns = role_columns,
	.ncolumns = countof(role_columns),
};

static const struct db_stmt role_by_uuid = {
	.name = "role_by_uuid",
	.sql = ROLE "uuid = ?",
	.columns = role_columns,
	.ncolumns = countof(role_columns),
};

static const struct db_stmt role_lock = {
	.name = "role_lock",
	.access = DB_LOCK,
	.sql = ROLE "uuid = ? FOR UPDATE",
	.columns = role_columns,
	.ncolumns = countof(role_columns),
};

static const struct db_stmt role_set_active = {
	.name = "role_set_active",
	.access = DB_WRITE,
	.sql = "UPDATE roles SET is_active = ?, modified = ?, version = version + 1 WHERE id = ?",
};

struct held {
	struct text permissions; /* a JSON list */
};

static const struct db_column held_columns[] = { COLUMN(held, permissions) };

static const struct db_stmt role_permissions = {
	.name = "role_permissions",
	.sql = "SELECT COALESCE(JSON_ARRAYAGG(permission ORDER BY permission), '[]')"
	       " FROM role_permissions WHERE role_id = ?",
	.columns = held_columns,
	.ncolumns = countof(held_columns),
};

static const struct db_stmt permissions_clear = {
	.name = "role_permissions_clear",
	.access = DB_WRITE,
	.sql = "DELETE FROM role_permissions WHERE role_id = ?",
};

static const struct db_stmt permission_add = {
	.name = "role_permission_add",
	.access = DB_WRITE,
	.sql = "INSERT INTO role_permissions (role_id, permission) VALUES (?, ?)",
};

struct used {
	int64_t id;
};

static const struct db_column used_columns[] = { COLUMN(used, id) };

static const struct db_stmt role_used = {
	.name = "role_used",
	.sql = "SELECT id FROM role_grants WHERE role_id = ? LIMIT 1",
	.columns = used_columns,
	.ncolumns = countof(used_columns),
};

static bool
has_uuid(struct request *rq, struct text text, struct role *role)
{
	struct uuid uuid;

	return uuid_parse(text, &uuid) && db_row(rq->db, &role_by_uuid, role, V(uuid));
}

/* In any case, as the unique key compares it. */
static bool
has_name(struct request *rq, struct text text, struct role *role)
{
	return db_row(rq->db, &role_by_name, role, V(text));
}

bool
role_find(struct request *rq, struct text name, struct role *role)
{
	return has_uuid(rq, name, role) || (has_name(rq, name, role) && text_eq(role->name, name));
}

/* Does a name mean another role already? */
static bool
is_taken(struct request *rq, const struct draft *d, struct text name)
{
	struct role other;

	return (has_name(rq, name, &other) || has_uuid(rq, name, &other)) && other.id != d->id;
}

static struct subject
subject_role(struct uuid uuid)
{
	return (struct subject){ "role", uuid };
}

/* The permissions of the body; NULL when there are none to set. */
static const struct json *
given_permissions(struct request *rq)
{
	return json_member(rq->body, T("permissions"));
}

static void
check_permissions(struct request *rq, struct draft *d)
{
	const struct json *given = given_permissions(rq);

	if (given == NULL)
		return;
	if (given->type != JSON_ARRAY) {
		problem_printf(rq, T("permissions"),
		    "Expected a list of items but got type \"%s\".", json_type_name(given->type));
		return;
	}
	for (const struct json *p = given->first; p != NULL; p = p->next)
		if (p->type != JSON_TEXT || !text_is_among(p->text, permission_names))
			problem_printf(
			    rq, T("permissions"), "Invalid permissions %.*s", TEXT_ARGS(p->text));
	/* They are rows of another table: the role's own row is touched, so that its version tells. */
	draft_set(d, "modified", V(rq->now));
}

static void
role_check(struct request *rq, struct draft *d)
{
	struct value type = draft_value(d, "content_type");
	struct text name = draft_value(d, "name").t;
	bool system = d->old != NULL && draft_old(d, "is_system_role").b;

	check_permissions(rq, d);
	if (!type.null && !text_eq(type.t, T("customer")) && !text_eq(type.t, T("project")))
		problem_add(rq, T("content_type"), T("Invalid content type."));
	if (problems_found(rq))
		return;
	if (draft_changes(d, "name") && system)
		problem_add(
		    rq, T("non_field_errors"), T("Changing name for system role is not possible."));
	else if (draft_changes(d, "name") && is_taken(rq, d, name))
		problem_add(rq, T("non_field_errors"), T("Name should be unique."));
}

static struct text
permissions_of(struct request *rq, int64_t role_id)
{
	struct held held;

	return db_row(rq->db, &role_permissions, &held, V(role_id)) ? held.permissions : T("[]");
}

/* The changes of a role's row, and of its permissions where they are others than before. */
static struct text
with_permissions(struct request *rq, struct text changes, struct text before, struct text after)
{
	if (text_eq(before, after))
		return changes;
	return audit_changes_and(rq, changes, "permissions",
	    arena_printf(rq->arena, "[%.*s,%.*s]", TEXT_ARGS(before), TEXT_ARGS(after)));
}

static void
set_permissions(struct request *rq, int64_t role_id)
{
	const struct json *given = given_permissions(rq);

	if (given == NULL)
		return;
	db_exec(rq->db, &permissions_clear, V(role_id));
	for (const struct json *p = given->first; p != NULL; p = p->next) {
		db_exec(rq->db, &permission_add, V(role_id), V(p->text));
		(void)db_duplicate(rq->db); /* named twice */
	}
}

static void
role_after_create(struct request *rq, struct draft *d)
{
	set_permissions(rq, d->id);
	audit(rq, EVENT_ROLE_CREATED, subject_role(d->uuid),
	    with_permissions(rq, audit_changes(rq, d), NOTHING, permissions_of(rq, d->id)));
}

static void
role_after_update(struct request *rq, struct draft *d)
{
	struct text before = permissions_of(rq, d->id), changes;

	set_permissions(rq, d->id);
	changes = with_permissions(rq, audit_changes(rq, d), before, permissions_of(rq, d->id));
	/* The same permissions again are no change. */
	if (!text_eq(changes, T("{}")))
		audit(rq, EVENT_ROLE_UPDATED, subject_role(d->uuid), changes);
}

static void
role_before_delete(struct request *rq, struct draft *d)
{
	audit(rq, EVENT_ROLE_DELETED, subject_role(d->uuid),
	    with_permissions(rq, audit_removed(rq, d), permissions_of(rq, d->id), NOTHING));
}

int
role_delete(struct request *rq)
{
	struct role role;
	struct used used;

	if (!db_row(rq->db, &role_lock, &role, V(rq->uuid)))
		return resource_not_found(rq, &roles);
	if (role.is_system_role)
		return reply_list(rq, 400, "Destroying of system role is not available.");
	if (db_row(rq->db, &role_used, &used, V(role.id)))
		return reply_list(rq, 400, "Role is still used.");
	return resource_delete(rq);
}

static int
switch_role(struct request *rq, bool on)
{
	struct role role;

	if (!db_row(rq->db, &role_lock, &role, V(rq->uuid)))
		return resource_not_found(rq, &roles);
	if (role.is_active != on) {
		db_exec(rq->db, &role_set_active, V(on), V(rq->now), V(role.id));
		audit(rq, on ? EVENT_ROLE_ENABLED : EVENT_ROLE_DISABLED, subject_role(role.uuid),
		    TEXT_NONE);
	}
	return reply_detail(rq, 200, "The role %.*s has been %s", TEXT_ARGS(role.name),
	    on ? "enabled" : "disabled");
}

const struct action role_switch_action = { .outcomes = outcomes_detail };

int
role_enable(struct request *rq)
{
	return switch_role(rq, true);
}

int
role_disable(struct request *rq)
{
	return switch_role(rq, false);
}

static void
encode_permissions(struct request *rq UNUSED, struct json_writer *w, const struct value *v)
{
	json_raw(w, v->null ? T("[]") : v->t);
}

static const struct shape permissions_shape = {
	.kind = KIND_TEXT,
	.list = true,
	.choices = permission_names,
};

/* clang-format off */
static const struct field fields[] = {
	{ .name = "uuid", .kind = KIND_UUID, .column = "uuid", .read = ANYONE,
	  .help = "Identifies the role." },
	{ .name = "name", .kind = KIND_TEXT, .column = "name", .read = ANYONE,
	  .create = STAFF, .update = STAFF,
	  .input = { .max = 150, .required = true, .filled = true },
	  .filter = FILTER_CONTAINS, .order = { "r.name" },
	  .example = "PROJECT.REVIEWER",
	  .help = "Name of the role, unique." },
	{ .name = "description", .kind = KIND_TEXT, .column = "description", .read = ANYONE,
	  .create = STAFF, .update = STAFF, .input = { .max = 2000 },
	  .filter = FILTER_CONTAINS,
	  .example = "About this.",
	  .help = "What the role is for." },
	{ .name = "permissions", .kind = KIND_JSON, .encode = encode_permissions,
	  .expression = "(SELECT JSON_ARRAYAGG(rp.permission ORDER BY rp.permission)"
			" FROM role_permissions rp WHERE rp.role_id = r.id)",
	  .read = ANYONE, .hooked = METHOD_POST | METHOD_PUT | METHOD_PATCH,
	  .input = { .required = true }, .shape = &permissions_shape, .example = "PROJECT.UPDATE",
	  .help = "What the role permits." },
	{ .name = "is_system_role", .kind = KIND_BOOL, .column = "is_system_role", .read = ANYONE,
	  .help = "Whether the role comes with the service." },
	{ .name = "is_active", .kind = KIND_BOOL, .column = "is_active", .read = ANYONE,
	  .filter = FILTER_BOOL,
	  .help = "Whether the role can be granted." },
	{ .name = "users_count", .kind = KIND_INT, .read = TEAM,
	  .expression = "(SELECT COUNT(DISTINCT g.user_id) FROM role_grants g"
			" WHERE g.role_id = r.id AND " GRANT_ACTIVE("g") ")",
	  .example = "3",
	  .help = "How many users hold the role." },
	{ .name = "content_type", .kind = KIND_TEXT, .column = "content_type", .read = ANYONE,
	  .create = STAFF, .input = { .max = 16, .required = true, .filled = true },
	  .shape = &scope_type_shape, .example = "project",
	  .help = "Where the role is granted: customer or project." },

	{ .name = "created", .kind = KIND_STAMP, .column = "created", .help = "When it was made." },
	{ .name = "modified", .kind = KIND_STAMP, .column = "modified", .help = "When it was changed." },
};
/* clang-format on */

const struct resource roles = {
	.name = "role",
	.model = "Role",
	.path = "/api/roles/",
	.table = "roles",
	.alias = "r",
	.fields = fields,
	.nfields = countof(fields),
	.order = "name",
	.whole = true,
	.check = role_check,
	.after_create = role_after_create,
	.after_update = role_after_update,
	.before_delete = role_before_delete,
};
