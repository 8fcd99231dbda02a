#include "base/base.h"

#include "access/access_int.h"

/* The uuid at the end of an object's URL, or alone. */
static bool
uuid_of_url(struct text url, struct uuid *uuid)
{
	struct text rest = url, part, last = url;

	while (text_split(&rest, '/', &part))
		if (part.n > 0)
			last = part;
	return uuid_parse(last, uuid);
}

#define BY_USER " AND g.user_id IN (SELECT u.id FROM users u WHERE "
#define BY_ROLE " AND g.role_id IN (SELECT r.id FROM roles r WHERE "

/* "<in><column> = ?)" */
static void
by_value(struct sql *where, const char *in, const char *column, struct value v)
{
	sql_add(where, in);
	sql_add(where, column);
	sql_add(where, " = ");
	sql_value(where, v);
	sql_add(where, ")");
}

/* "<in><column> LIKE ?)" */
static void
by_part(struct sql *where, const char *in, const char *column, struct text value)
{
	sql_add(where, in);
	sql_add_contains(where, column, value);
	sql_add(where, ")");
}

/* A uuid that is none is ignored. */
static void
filter_user(struct request *rq UNUSED, struct sql *where, struct text value)
{
	struct uuid uuid;

	if (uuid_of_url(value, &uuid))
		by_value(where, BY_USER, "u.uuid", V(uuid));
}

static void
filter_username(struct request *rq UNUSED, struct sql *where, struct text value)
{
	by_value(where, BY_USER, "u.username", V(value));
}

static void
filter_full_name(struct request *rq, struct sql *where, struct text value)
{
	sql_add(where, BY_USER "u.full_name_folded LIKE ");
	sql_value(where, V(sql_contains(rq->arena, text_fold(rq->arena, value))));
	sql_add(where, ")");
}

static void
filter_native_name(struct request *rq UNUSED, struct sql *where, struct text value)
{
	by_part(where, BY_USER, "u.native_name", value);
}

static void
filter_user_slug(struct request *rq UNUSED, struct sql *where, struct text value)
{
	by_part(where, BY_USER, "u.slug", value);
}

static void
filter_search(struct request *rq UNUSED, struct sql *where, struct text value)
{
	static const char *const columns[] = { "u.first_name", "u.last_name", "u.email" };

	for (size_t i = 0; i < countof(columns); i++) {
		sql_add(where, i == 0 ? BY_USER : " OR ");
		sql_add_contains(where, columns[i], value);
	}
	sql_add(where, ")");
}

/* By uuid or exact name. */
static void
filter_role(struct request *rq UNUSED, struct sql *where, struct text value)
{
	struct uuid uuid;

	if (uuid_parse(value, &uuid))
		by_value(where, BY_ROLE, "r.uuid", V(uuid));
	else
		by_value(where, BY_ROLE, "r.name", V(value));
}

static void
filter_role_name(struct request *rq UNUSED, struct sql *where, struct text value)
{
	by_part(where, BY_ROLE, "r.name", value);
}

static void
filter_scope_type(struct request *rq UNUSED, struct sql *where, struct text value)
{
	sql_add(where, " AND IF(g.project_id IS NULL, 'customer', 'project') = ");
	sql_value(where, V(value));
}

static void
filter_scope_uuid(struct request *rq, struct sql *where, struct text value)
{
	struct uuid uuid;

	if (!filter_read_uuid(rq, "scope_uuid", value, &uuid))
		return;
	sql_add(where, " AND (g.customer_id IN (SELECT id FROM customers WHERE uuid = ");
	sql_value(where, V(uuid));
	sql_add(where, ") OR g.project_id IN (SELECT id FROM projects WHERE uuid = ");
	sql_value(where, V(uuid));
	sql_add(where, "))");
}

static void
filter_scope_name(struct request *rq UNUSED, struct sql *where, struct text value)
{
	sql_add(where, " AND (g.customer_id IN (SELECT id FROM customers WHERE ");
	sql_add_contains(where, "name", value);
	sql_add(where, ") OR g.project_id IN (SELECT id FROM projects WHERE ");
	sql_add_contains(where, "name", value);
	sql_add(where, "))");
}

/* clang-format off */
const struct filter grant_filters[] = {
	{ .name = "user", .apply = filter_user, .help = "Of the user with this uuid." },
	{ .name = "user_url", .apply = filter_user, .help = "Of the user with this URL." },
	{ .name = "username", .apply = filter_username, .help = "Exact username." },
	{ .name = "full_name", .apply = filter_full_name, .help = "Part of the full name." },
	{ .name = "native_name", .apply = filter_native_name, .help = "Part of the native name." },
	{ .name = "user_slug", .apply = filter_user_slug, .help = "Part of the user's slug." },
	{ .name = "search_string", .apply = filter_search, .help = "Part of a name or the e-mail address." },
	{ .name = "role", .apply = filter_role, .help = "A role, by uuid or exact name." },
	{ .name = "role_uuid", .apply = filter_role, .help = "A role, by uuid." },
	{ .name = "role_name", .apply = filter_role_name, .help = "Part of the role's name." },
	{ .name = "scope_type", .apply = filter_scope_type, .choices = scope_type_names, .help = "What it is granted in." },
	{ .name = "scope_uuid", .apply = filter_scope_uuid, .kind = KIND_UUID, .help = "Granted in this customer or project." },
	{ .name = "scope_name", .apply = filter_scope_name, .help = "Part of the scope's name." },
	{ 0 },
};
/* clang-format on */

/* Holders of active grants g, of which the SELECTs' ends tell which; each takes the uuid. */
static void
users_with(struct request *rq, struct sql *where, const char *name, struct text value,
    const char *const *grants, size_t n)
{
	struct uuid uuid;

	if (!filter_read_uuid(rq, name, value, &uuid))
		return;
	sql_add(where, " AND u.id IN (SELECT h.id FROM (");
	for (size_t i = 0; i < n; i++) {
		sql_add(where, i > 0 ? " UNION " : "");
		sql_add(where, "SELECT g.user_id AS id FROM role_grants g ");
		sql_add(where, grants[i]);
		sql_value(where, V(uuid));
		sql_add(where, " AND " GRANT_ACTIVE("g"));
	}
	sql_add(where, ") h)");
}

void
access_filter_customer_uuid(struct request *rq, struct sql *where, struct text value)
{
	static const char *const grants[] = {
		"JOIN customers c ON c.id = g.customer_id WHERE c.uuid = ",
		"JOIN projects p ON p.id = g.project_id JOIN customers c ON c.id = p.customer_id"
		" WHERE c.uuid = ",
	};

	users_with(rq, where, "customer_uuid", value, grants, countof(grants));
}

void
access_filter_project_uuid(struct request *rq, struct sql *where, struct text value)
{
	static const char *const grants[] = {
		"JOIN projects p ON p.id = g.project_id WHERE p.uuid = ",
	};

	users_with(rq, where, "project_uuid", value, grants, countof(grants));
}

/* Holders of any of the roles that the repeated parameter names, in scopes of one type. */
static void
holders_of(struct request *rq, struct sql *where, const char *param, const char *column)
{
	struct text name;
	size_t at = 0, n = 0;

	/* Found once, as a table, and not for every user that is looked at. */
	sql_add(where,
	    " AND u.id IN (SELECT h.id FROM (SELECT DISTINCT g.user_id AS id FROM role_grants g"
	    " JOIN roles r ON r.id = g.role_id WHERE " GRANT_ACTIVE("g") " AND g.");
	sql_add(where, column);
	sql_add(where, " IS NOT NULL AND r.name IN ");
	while (request_param_each(rq, text_from(param), &at, &name))
		sql_list_value(where, &n, V(text_trim(name)));
	sql_list_end(where, n);
	sql_add(where, ") h)");
}

void
access_filter_organization_roles(struct request *rq, struct sql *where, struct text value UNUSED)
{
	holders_of(rq, where, "organization_roles", "customer_id");
}

void
access_filter_project_roles(struct request *rq, struct sql *where, struct text value UNUSED)
{
	holders_of(rq, where, "project_roles", "project_id");
}
