/* Grants as they are listed: the teams of customers and projects, and /api/user-permissions/. */
#include "base/base.h"

#include "access/access_int.h"

enum {
	JOIN_USER = 1u << 0,
	JOIN_ROLE = 1u << 1,
	JOIN_CREATOR = 1u << 2,
	JOIN_CUSTOMER = 1u << 3,
	JOIN_PROJECT = 1u << 4,
	JOIN_PARENT = 1u << 5,
};

static const char *const joins[] = {
	"JOIN users u ON u.id = g.user_id",
	"JOIN roles r ON r.id = g.role_id",
	"LEFT JOIN users b ON b.id = g.created_by",
	"LEFT JOIN customers c ON c.id = g.customer_id",
	"LEFT JOIN projects p ON p.id = g.project_id",
	"LEFT JOIN projects pp ON pp.id = g.project_id LEFT JOIN customers pc ON pc.id = pp.customer_id",
};

#define FULL_NAME(a) "TRIM(CONCAT(" a ".first_name, ' ', " a ".last_name))"
#define OF_USER(e) "(SELECT " e " FROM users u WHERE u.id = g.user_id)"
#define OF_ROLE(e) "(SELECT " e " FROM roles r WHERE r.id = g.role_id)"

/* clang-format off */
static const struct field team_fields[] = {
	{ .name = "uuid", .kind = KIND_UUID, .column = "uuid", .read = SIGNED_IN,
	  .help = "Identifies the grant." },
	{ .name = "created", .kind = KIND_STAMP, .column = "created", .read = SIGNED_IN,
	  .order = { "g.created" }, .help = "When it was granted." },
	{ .name = "expiration_time", .kind = KIND_STAMP, .column = "expiration_time",
	  .read = SIGNED_IN, .null = true,
	  .order = { "COALESCE(g.expiration_time, '9999-12-31')" },
	  .help = "When it ends; null: never." },
	{ .name = "role_name", .kind = KIND_TEXT, .expression = "r.name", .joins = JOIN_ROLE,
	  .read = SIGNED_IN, .example = "PROJECT.ADMIN", .help = "Name of the role." },
	{ .name = "role_uuid", .kind = KIND_UUID, .expression = "r.uuid", .joins = JOIN_ROLE,
	  .read = SIGNED_IN, .help = "The role." },
	{ .name = "user_email", .kind = KIND_TEXT, .expression = "u.email", .joins = JOIN_USER,
	  .read = SIGNED_IN, .example = "alice@example.org", .help = "The user's e-mail address." },
	{ .name = "user_full_name", .kind = KIND_TEXT, .expression = FULL_NAME("u"), .joins = JOIN_USER,
	  .read = SIGNED_IN, .example = "Alice Example", .help = "The user's full name." },
	{ .name = "user_username", .kind = KIND_TEXT, .expression = "u.username", .joins = JOIN_USER,
	  .read = SIGNED_IN, .example = "alice", .help = "The user's name." },
	{ .name = "user_uuid", .kind = KIND_UUID, .expression = "u.uuid", .joins = JOIN_USER,
	  .read = SIGNED_IN, .help = "The user." },
	{ .name = "user_image", .kind = KIND_UUID, .expression = "u.image", .joins = JOIN_USER,
	  .url = "/api/media/", .read = SIGNED_IN, .null = true,
	  .help = "Where the user's picture is." },
	{ .name = "created_by_full_name", .kind = KIND_TEXT, .expression = FULL_NAME("b"),
	  .joins = JOIN_CREATOR, .read = SIGNED_IN, .omit_null = true,
	  .example = "Sam Staff", .help = "Who granted it." },
	{ .name = "created_by_uuid", .kind = KIND_UUID, .expression = "b.uuid",
	  .joins = JOIN_CREATOR, .read = SIGNED_IN, .omit_null = true, .help = "Who granted it." },

	/* Names for o only. */
	{ .name = "username", .kind = KIND_TEXT, .order = { OF_USER("u.username") }, .help = "" },
	{ .name = "full_name", .kind = KIND_TEXT,
	  .order = { OF_USER("u.first_name"), OF_USER("u.last_name") }, .help = "" },
	{ .name = "native_name", .kind = KIND_TEXT, .order = { OF_USER("u.native_name") },
	  .help = "" },
	{ .name = "email", .kind = KIND_TEXT, .order = { OF_USER("u.email") }, .help = "" },
	{ .name = "role", .kind = KIND_TEXT, .order = { OF_ROLE("r.name") }, .help = "" },
};

static const struct field permission_fields[] = {
	{ .name = "user_uuid", .kind = KIND_UUID, .expression = "u.uuid", .joins = JOIN_USER,
	  .read = SIGNED_IN, .help = "The user." },
	{ .name = "user_name", .kind = KIND_TEXT, .expression = FULL_NAME("u"), .joins = JOIN_USER,
	  .read = SIGNED_IN, .example = "Alice Example", .help = "The user's full name." },
	{ .name = "user_slug", .kind = KIND_TEXT, .expression = "u.slug", .joins = JOIN_USER,
	  .read = SIGNED_IN, .example = "alice", .help = "The user's slug." },
	{ .name = "created", .kind = KIND_STAMP, .column = "created", .read = SIGNED_IN,
	  .filter = FILTER_SINCE, .order = { "g.created" }, .help = "When it was granted." },
	{ .name = "expiration_time", .kind = KIND_STAMP, .column = "expiration_time",
	  .read = SIGNED_IN, .null = true,
	  .filter = FILTER_SINCE,
	  .order = { "COALESCE(g.expiration_time, '9999-12-31')" },
	  .help = "When it ends; null: never." },
	{ .name = "created_by_full_name", .kind = KIND_TEXT, .expression = FULL_NAME("b"),
	  .joins = JOIN_CREATOR, .read = SIGNED_IN, .omit_null = true,
	  .example = "Sam Staff", .help = "Who granted it." },
	{ .name = "created_by_username", .kind = KIND_TEXT, .expression = "b.username",
	  .joins = JOIN_CREATOR, .read = SIGNED_IN, .omit_null = true,
	  .example = "sam", .help = "Who granted it." },
	{ .name = "role_name", .kind = KIND_TEXT, .expression = "r.name", .joins = JOIN_ROLE,
	  .read = SIGNED_IN, .example = "PROJECT.ADMIN", .help = "Name of the role." },
	{ .name = "role_description", .kind = KIND_TEXT, .expression = "r.description",
	  .joins = JOIN_ROLE, .read = SIGNED_IN,
	  .example = "Project administrator", .help = "Description of the role." },
	{ .name = "role_uuid", .kind = KIND_UUID, .expression = "r.uuid", .joins = JOIN_ROLE,
	  .read = SIGNED_IN, .help = "The role." },
	{ .name = "scope_type", .kind = KIND_TEXT, .read = SIGNED_IN,
	  .expression = "IF(g.project_id IS NULL, 'customer', 'project')",
	  .shape = &scope_type_shape, .example = "project",
	  .help = "What it is granted in." },
	{ .name = "scope_uuid", .kind = KIND_UUID, .expression = "COALESCE(p.uuid, c.uuid)",
	  .joins = JOIN_CUSTOMER | JOIN_PROJECT, .read = SIGNED_IN,
	  .help = "The customer or project." },
	{ .name = "scope_name", .kind = KIND_TEXT, .expression = "COALESCE(p.name, c.name)",
	  .joins = JOIN_CUSTOMER | JOIN_PROJECT, .read = SIGNED_IN,
	  .example = "Climate", .help = "Its name." },
	{ .name = "customer_uuid", .kind = KIND_UUID, .expression = "pc.uuid", .joins = JOIN_PARENT,
	  .read = SIGNED_IN, .omit_null = true, .help = "Of a project: its customer." },
	{ .name = "customer_name", .kind = KIND_TEXT, .expression = "pc.name", .joins = JOIN_PARENT,
	  .read = SIGNED_IN, .omit_null = true,
	  .example = "Example University", .help = "Of a project: its customer's name." },

	{ .name = "modified", .kind = KIND_STAMP, .column = "modified", .filter = FILTER_SINCE,
	  .help = "When it was changed." },
	{ .name = "uuid", .kind = KIND_UUID, .column = "uuid", .help = "" },
	{ .name = "username", .kind = KIND_TEXT, .order = { OF_USER("u.username") }, .help = "" },
	{ .name = "full_name", .kind = KIND_TEXT,
	  .order = { OF_USER("u.first_name"), OF_USER("u.last_name") }, .help = "" },
	{ .name = "native_name", .kind = KIND_TEXT, .order = { OF_USER("u.native_name") },
	  .help = "" },
	{ .name = "email", .kind = KIND_TEXT, .order = { OF_USER("u.email") }, .help = "" },
	{ .name = "role", .kind = KIND_TEXT, .order = { OF_ROLE("r.name") }, .help = "" },
};
/* clang-format on */

static void
of_customer(struct request *rq, struct sql *where)
{
	sql_add(where, " AND g.customer_id = (SELECT id FROM customers WHERE uuid = ");
	sql_value(where, V(rq->uuid));
	sql_add(where,
	    ") AND " GRANT_ACTIVE("g") " AND EXISTS (SELECT 1 FROM users a WHERE a.id = g.user_id"
				       " AND a.is_active)");
}

static void
of_project(struct request *rq, struct sql *where)
{
	sql_add(where, " AND g.project_id = (SELECT id FROM projects WHERE uuid = ");
	sql_value(where, V(rq->uuid));
	sql_add(where,
	    ") AND " GRANT_ACTIVE("g") " AND EXISTS (SELECT 1 FROM users a WHERE a.id = g.user_id"
				       " AND a.is_active)");
}

static void
own_or_all(struct request *rq, struct sql *where)
{
	sql_add(where, " AND " GRANT_ACTIVE("g"));
	if ((rq->caller.who & (STAFF | SUPPORT)) != 0)
		return;
	sql_add(where, " AND g.user_id = ");
	sql_value(where, V(rq->caller.id));
}

#define GRANTS                                                                           \
	.model = "UserRole", .table = "role_grants", .alias = "g", .owner = "g.user_id", \
	.joins = joins, .njoins = countof(joins), .filters = grant_filters, .order = "created"

const struct resource customer_team = {
	.name = "customer_team",
	GRANTS,
	.fields = team_fields,
	.nfields = countof(team_fields),
	.visible = of_customer,
};

const struct resource project_team = {
	.name = "project_team",
	GRANTS,
	.fields = team_fields,
	.nfields = countof(team_fields),
	.visible = of_project,
};

const struct resource user_permissions = {
	.name = "user_permission",
	GRANTS,
	.path = "/api/user-permissions/",
	.fields = permission_fields,
	.nfields = countof(permission_fields),
	.visible = own_or_all,
};
