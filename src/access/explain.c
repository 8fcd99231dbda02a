/* Who may do what, and why: questions that an operator asks about the rules. */
#include "base/base.h"

#include "access/access_int.h"

/* A grant that carries a permission over a scope. */
struct reason {
	struct uuid grant, user, scope;
	struct text username, full_name, role, scope_type, scope_name, granted_by;
	struct stamp created, expiration_time;
};

/* clang-format off */
static const struct db_column reason_columns[] = {
	COLUMN(reason, grant), COLUMN(reason, user), COLUMN(reason, scope),
	COLUMN(reason, username), COLUMN(reason, full_name), COLUMN(reason, role),
	COLUMN(reason, scope_type), COLUMN(reason, scope_name), COLUMN(reason, granted_by),
	COLUMN(reason, created), COLUMN(reason, expiration_time),
};
/* clang-format on */

/*
 * ?: permission, customer, project (0 for none), at, at. A grant that was revoked has expired at that moment, and
 * counted until then.
 */
#define REASONS                                                                  \
	"SELECT g.uuid, u.uuid, COALESCE(p.uuid, c.uuid), u.username,"           \
	" TRIM(CONCAT(u.first_name, ' ', u.last_name)), r.name, r.content_type," \
	" COALESCE(p.name, c.name), b.username, g.created, g.expiration_time"    \
	" FROM role_grants g JOIN users u ON u.id = g.user_id AND u.is_active"   \
	" JOIN roles r ON r.id = g.role_id"                                      \
	" JOIN role_permissions rp ON rp.role_id = r.id AND rp.permission = ?"   \
	" LEFT JOIN users b ON b.id = g.created_by"                              \
	" LEFT JOIN customers c ON c.id = g.customer_id"                         \
	" LEFT JOIN projects p ON p.id = g.project_id"                           \
	" WHERE (g.customer_id = ? OR g.project_id = ?) AND g.created <= ?"      \
	" AND (g.expiration_time > ? OR (g.expiration_time IS NULL AND g.is_active))"

#define ORDER " ORDER BY u.username, g.created, g.id"

static const struct db_stmt reasons_of_all = {
	.name = "reasons_of_all",
	.sql = REASONS ORDER,
	.columns = reason_columns,
	.ncolumns = countof(reason_columns),
};

static const struct db_stmt reasons_of_one = {
	.name = "reasons_of_one",
	.sql = REASONS " AND u.uuid = ?" ORDER,
	.columns = reason_columns,
	.ncolumns = countof(reason_columns),
};

struct found {
	int64_t id;
};

static const struct db_column found_columns[] = { COLUMN(found, id) };

static const struct {
	const char *name, *select;
	void (*visible)(struct request *rq, struct sql *where);
} scope_seen[] = {
	[SCOPE_CUSTOMER] = { "customer_seen",
	    "SELECT c.id FROM customers c WHERE c.uuid = ", access_customers_visible },
	[SCOPE_PROJECT] = { "project_seen",
	    "SELECT p.id FROM projects p WHERE p.uuid = ", access_projects_visible },
};

static const struct db_stmt is_staff = {
	.name = "is_staff",
	.sql = "SELECT id FROM users WHERE uuid = ? AND is_staff AND is_active",
	.columns = found_columns,
	.ncolumns = countof(found_columns),
};

#define REASON_MEMBERS                                                                       \
	{ .name = "grant_uuid", .kind = KIND_UUID, .help = "The grant." },                   \
	    { .name = "role_name",                                                           \
		    .kind = KIND_TEXT,                                                       \
		    .example = "PROJECT.ADMIN",                                              \
		    .help = "Its role." },                                                   \
	    { .name = "scope_type",                                                          \
		    .kind = KIND_TEXT,                                                       \
		    .choices = scope_type_names,                                             \
		    .example = "project",                                                    \
		    .help = "Where it holds: customer or project." },                        \
	    { .name = "scope_uuid", .kind = KIND_UUID, .help = "The customer or project." }, \
	    { .name = "scope_name",                                                          \
		    .kind = KIND_TEXT,                                                       \
		    .example = "Climate",                                                    \
		    .help = "Its name." },                                                   \
	    { .name = "granted_by_username",                                                 \
		    .kind = KIND_TEXT,                                                       \
		    .null = true,                                                            \
		    .example = "sam",                                                        \
		    .help = "Who granted it." },                                             \
	    { .name = "granted", .kind = KIND_STAMP, .help = "When it was granted." },       \
	    { .name = "expiration_time",                                                     \
		    .kind = KIND_STAMP,                                                      \
		    .null = true,                                                            \
		    .help = "When it ends; null: never." },                                  \
	{                                                                                    \
		0                                                                            \
	}

/* clang-format off */
static const struct shape who_can_query[] = {
	{ .name = "permission", .kind = KIND_TEXT, .choices = permission_names,
	  .example = "PROJECT.UPDATE", .help = "What is to be permitted." },
	{ .name = "at", .kind = KIND_STAMP, .optional = true, .help = "When; now unless told." },
	{ 0 },
};

static const struct shape explain_query[] = {
	{ .name = "permission", .kind = KIND_TEXT, .choices = permission_names,
	  .example = "PROJECT.UPDATE", .help = "What is to be permitted." },
	{ .name = "scope", .kind = KIND_TEXT, .example = "3f2b8e4d-9a51-4c07-8d6e-1b2c3d4e5f60",
	  .help = "The customer or project: its uuid or URL." },
	{ .name = "at", .kind = KIND_STAMP, .optional = true, .help = "When; now unless told." },
	{ 0 },
};

static const struct shape reason_members[] = { REASON_MEMBERS };

static const struct shape holder_members[] = {
	{ .name = "user_uuid", .kind = KIND_UUID, .help = "Who may." },
	{ .name = "user_username", .kind = KIND_TEXT, .example = "alice", .help = "His username." },
	{ .name = "user_full_name", .kind = KIND_TEXT, .example = "Alice Example",
	  .help = "His full name." },
	REASON_MEMBERS,
};

static const struct shape explain_members[] = {
	{ .name = "permission", .kind = KIND_TEXT, .choices = permission_names,
	  .example = "PROJECT.UPDATE", .help = "As asked." },
	{ .name = "scope_type", .kind = KIND_TEXT, .choices = scope_type_names, .example = "project",
	  .help = "What scope is." },
	{ .name = "scope_uuid", .kind = KIND_UUID, .help = "The customer or project." },
	{ .name = "at", .kind = KIND_STAMP, .help = "When." },
	{ .name = "is_staff", .kind = KIND_BOOL, .help = "Staff may do everything." },
	{ .name = "grants", .kind = KIND_JSON, .list = true, .members = reason_members,
	  .help = "The grants that permit it." },
	{ .name = "allowed", .kind = KIND_BOOL, .help = "Whether the user may." },
	{ 0 },
};
/* clang-format on */

static const struct shape holders_shape = {
	.kind = KIND_JSON,
	.list = true,
	.members = holder_members,
};
static const struct shape explain_shape = { .kind = KIND_JSON, .members = explain_members };

const struct action access_who_can_action = {
	.query = who_can_query,
	.outcomes = (const struct outcome[]){ { .status = 200, .shape = &holders_shape }, { 0 } },
};

const struct action access_explain_action = {
	.query = explain_query,
	.outcomes = (const struct outcome[]){ { .status = 200, .shape = &explain_shape }, { 0 } },
};

/* What is asked. */
struct question {
	struct text permission;
	struct scope scope;
	struct stamp at;
};

static void
read_permission_and_time(struct request *rq, struct question *q)
{
	struct text at = request_param(rq, T("at"));

	q->permission = request_param(rq, T("permission"));
	if (q->permission.n == 0)
		problem_add(rq, T("permission"), T("This field is required."));
	else if (!text_is_among(q->permission, permission_names))
		problem_printf(
		    rq, T("permission"), "Invalid permissions %.*s", TEXT_ARGS(q->permission));
	q->at = rq->now;
	if (at.n > 0 && !stamp_parse(text_trim(at), &q->at))
		problem_add(rq, T("at"), T("Enter a valid date/time."));
}

/* The id of the scope with this uuid, if there is one of the type that the caller sees. */
static bool
see_scope(struct request *rq, enum scope_type type, struct uuid uuid, struct value *id)
{
	struct sql q;

	sql_init(&q, rq->arena);
	sql_add(&q, scope_seen[type].select);
	sql_value(&q, V(uuid));
	scope_seen[type].visible(rq, &q);
	*id = (struct value){ .kind = KIND_INT };
	return db_row_sql(rq->db, scope_seen[type].name, DB_READ, &q, id, 1);
}

/* The scope that a uuid, or a URL that ends with one, names, if the caller sees it. */
static bool
find_scope(struct request *rq, struct text named, struct scope *s)
{
	struct text rest = named, part, last = named;
	struct value id;
	struct uuid uuid;

	while (text_split(&rest, '/', &part))
		if (part.n > 0)
			last = part;
	if (!uuid_parse(last, &uuid))
		return false;
	for (enum scope_type type = SCOPE_CUSTOMER; type <= SCOPE_PROJECT; type++)
		if (see_scope(rq, type, uuid, &id))
			return scope_load(rq, type, id.i, false, s);
	return false;
}

static void
write_reason(struct json_writer *w, const struct reason *r)
{
	json_member_value(w, "grant_uuid", V(r->grant));
	json_member_text(w, "role_name", r->role);
	json_member_text(w, "scope_type", r->scope_type);
	json_member_value(w, "scope_uuid", V(r->scope));
	json_member_text(w, "scope_name", r->scope_name);
	json_member_text(w, "granted_by_username", r->granted_by);
	json_member_value(w, "granted", V(r->created));
	json_member_value(w, "expiration_time", V(r->expiration_time));
}

static int64_t
project_of(const struct question *q)
{
	return q->scope.type == SCOPE_PROJECT ? q->scope.id : 0;
}

static int
answer_access(struct request *rq, const struct question *q)
{
	struct json_writer *w = reply_json(rq, 200);
	struct found found;
	struct reason r;
	bool staff = db_row(rq->db, &is_staff, &found, V(rq->uuid));
	bool any = staff;

	json_object(w);
	json_member_text(w, "permission", q->permission);
	json_member_text(w, "scope_type", text_from(scope_type_name(q->scope.type)));
	json_member_value(w, "scope_uuid", V(q->scope.uuid));
	json_member_value(w, "at", V(q->at));
	json_member_value(w, "is_staff", V(staff));
	json_key(w, T("grants"));
	json_array(w);
	db_query(rq->db, &reasons_of_one, &r, V(q->permission), V(q->scope.customer_id),
	    V(project_of(q)), V(q->at), V(q->at), V(rq->uuid));
	while (db_next(rq->db)) {
		any = true;
		json_object(w);
		write_reason(w, &r);
		json_object_end(w);
	}
	json_array_end(w);
	json_member_value(w, "allowed", V(any));
	json_object_end(w);
	return reply_end(rq);
}

int
access_explain(struct request *rq)
{
	const struct resource *users = rq->route->subject;
	struct question q;
	struct row user;
	struct text named = request_param(rq, T("scope"));

	if (!resource_find(rq, users, &user))
		return resource_not_found(rq, users);
	read_permission_and_time(rq, &q);
	if (named.n == 0)
		problem_add(rq, T("scope"), T("This field is required."));
	else if (!find_scope(rq, named, &q.scope))
		problem_add(rq, T("scope"), T("Scope is not found."));
	return problems_found(rq) ? reply_invalid(rq) : answer_access(rq, &q);
}

/* Staff are not listed: they may do everything everywhere. */
static int
answer_who_can(struct request *rq, const struct question *q)
{
	struct json_writer *w = reply_json(rq, 200);
	struct reason r;

	json_array(w);
	db_query(rq->db, &reasons_of_all, &r, V(q->permission), V(q->scope.customer_id),
	    V(project_of(q)), V(q->at), V(q->at));
	while (db_next(rq->db)) {
		json_object(w);
		json_member_value(w, "user_uuid", V(r.user));
		json_member_text(w, "user_username", r.username);
		json_member_text(w, "user_full_name", r.full_name);
		write_reason(w, &r);
		json_object_end(w);
	}
	json_array_end(w);
	return reply_end(rq);
}

int
access_who_can(struct request *rq)
{
	const struct scope_kind *kind = rq->route->subject;
	struct question q;
	struct row row;

	if (!resource_find(rq, kind->resource, &row) ||
	    !scope_load(rq, kind->type, row.id, false, &q.scope))
		return resource_not_found(rq, kind->resource);
	read_permission_and_time(rq, &q);
	return problems_found(rq) ? reply_invalid(rq) : answer_who_can(rq, &q);
}
