/* GET /api/customers/{uuid}/users/: the people of a customer and of its projects, each once. */
#include "base/base.h"

#include "customers/customers_int.h"
#include "json/reader.h"
#include "users/users.h"

/* The customer of the path is the row hc, beside the user u. */
#define HELD_HERE                                                              \
	" FROM role_grants g JOIN roles r ON r.id = g.role_id"                 \
	" WHERE g.user_id = u.id AND g.customer_id = hc.id AND " GRANT_ACTIVE( \
	    "g") " ORDER BY g.created, g.id LIMIT 1"

#define PROJECTS                                                                               \
	"(SELECT JSON_ARRAYAGG(JSON_ARRAY(HEX(p.uuid), p.name, r.name,"                        \
	" TIMESTAMPDIFF(MICROSECOND, '1970-01-01', g.expiration_time)) ORDER BY p.name, g.id)" \
	" FROM role_grants g JOIN roles r ON r.id = g.role_id"                                 \
	" JOIN projects p ON p.id = g.project_id AND p.customer_id = hc.id"                    \
	" WHERE g.user_id = u.id AND " GRANT_ACTIVE("g") ")"

static void
write_project(struct request *rq, struct json_writer *w, const struct json *project)
{
	const struct json *j = project->first;
	struct uuid uuid;

	must(uuid_parse(j->text, &uuid));
	json_object(w);
	json_member_text(w, "url", url_of(rq, "/api/projects/", uuid));
	json_member_value(w, "uuid", V(uuid));
	j = j->next;
	json_member_text(w, "name", j->text);
	j = j->next;
	json_member_text(w, "role_name", j->text);
	j = j->next;
	json_key(w, T("expiration_time"));
	if (j->type == JSON_NULL)
		json_null(w);
	else
		json_value(w, V(((struct stamp){ j->integer })));
	json_object_end(w);
}

static void
write_projects(struct request *rq, struct json_writer *w, const struct value *v)
{
	static const struct json_limits limits = { .depth = 2, .values = SIZE_MAX };
	struct text problem;
	const struct json *all = v->null ? NULL : json_read(v->t, &limits, rq->arena, &problem);

	json_array(w);
	if (all != NULL)
		for (const struct json *p = all->first; p != NULL; p = p->next)
			write_project(rq, w, p);
	json_array_end(w);
}

/* clang-format off */
static const struct shape project_members[] = {
	{ .name = "url", .kind = KIND_UUID, .url = "/api/projects/", .help = "The project." },
	{ .name = "uuid", .kind = KIND_UUID, .help = "The project." },
	{ .name = "name", .kind = KIND_TEXT, .example = "Climate", .help = "Its name." },
	{ .name = "role_name", .kind = KIND_TEXT, .example = "PROJECT.ADMIN",
	  .help = "Role of the user in it." },
	{ .name = "expiration_time", .kind = KIND_STAMP, .null = true,
	  .help = "When the role ends; null: never." },
	{ 0 },
};

static const struct shape projects_shape = {
	.kind = KIND_JSON, .list = true, .members = project_members,
};

static const struct field fields[] = {
	{ .name = "url", .kind = KIND_UUID, .expression = "u.uuid", .url = "/api/users/",
	  .read = SIGNED_IN, .help = "The user." },
	{ .name = "uuid", .kind = KIND_UUID, .column = "uuid", .read = SIGNED_IN,
	  .help = "The user." },
	{ .name = "username", .kind = KIND_TEXT, .column = "username", .read = SIGNED_IN,
	  .filter = FILTER_EXACT, .order = { "u.username" },
	  .example = "alice", .help = "Username." },
	{ .name = "full_name", .kind = KIND_TEXT, .read = SIGNED_IN,
	  .expression = "TRIM(CONCAT(u.first_name, ' ', u.last_name))",
	  .example = "Alice Example", .help = "Full name." },
	{ .name = "email", .kind = KIND_TEXT, .column = "email", .read = SIGNED_IN,
	  .filter = FILTER_CONTAINS, .example = "alice@example.org", .help = "E-mail address." },
	{ .name = "role_name", .kind = KIND_TEXT, .expression = "(SELECT r.name" HELD_HERE ")",
	  .read = SIGNED_IN, .null = true,
	  .example = "PROJECT.ADMIN", .help = "Role in the organization itself." },
	{ .name = "projects", .kind = KIND_JSON, .expression = PROJECTS, .encode = write_projects,
	  .shape = &projects_shape,
	  .read = SIGNED_IN, .help = "Projects of the organization in which the user has a role." },
	{ .name = "expiration_time", .kind = KIND_STAMP, .read = SIGNED_IN, .null = true,
	  .expression = "(SELECT g.expiration_time" HELD_HERE ")",
	  .help = "When the role in the organization ends." },
	{ .name = "image", .kind = KIND_UUID, .column = "image", .url = "/api/media/",
	  .read = SIGNED_IN, .null = true, .help = "Where the user's picture is." },

	/* For filters, or for o, only. */
	{ .name = "native_name", .kind = KIND_TEXT, .column = "native_name",
	  .filter = FILTER_CONTAINS,
	  .example = "Алиса", .help = "Name in the person's own script." },
	{ .name = "organization", .kind = KIND_TEXT, .column = "organization",
	  .filter = FILTER_CONTAINS, .example = "Example University", .help = "Organization." },
	{ .name = "job_title", .kind = KIND_TEXT, .column = "job_title",
	  .filter = FILTER_CONTAINS, .example = "Researcher", .help = "Job title." },
	{ .name = "phone_number", .kind = KIND_TEXT, .column = "phone_number",
	  .filter = FILTER_EXACT, .example = "+372 5555 1234", .help = "Phone number." },
	{ .name = "registration_method", .kind = KIND_TEXT, .column = "registration_method",
	  .filter = FILTER_EXACT, .example = "default", .help = "How the account was made." },
	{ .name = "is_staff", .kind = KIND_BOOL, .column = "is_staff",
	  .filter = FILTER_BOOL, .help = "Staff." },
	{ .name = "is_support", .kind = KIND_BOOL, .column = "is_support",
	  .filter = FILTER_BOOL, .help = "Support." },
	{ .name = "concatenated_name", .kind = KIND_TEXT,
	  .order = { "u.first_name", "u.last_name" }, .help = "First name, then last name." },
};
/* clang-format on */

static void
customer_of_path(struct request *rq, struct sql *where)
{
	sql_add(where, " AND hc.uuid = ");
	sql_value(where, V(rq->uuid));
}

static void
people_here(struct request *rq UNUSED, struct sql *where)
{
	sql_add(where,
	    " AND u.is_active AND u.id IN (SELECT g.user_id FROM role_grants g WHERE " GRANT_ACTIVE(
		"g") " AND (g.customer_id = hc.id OR g.project_id IN (SELECT p.id FROM projects p"
		     " WHERE p.customer_id = hc.id)))");
}

/* " OR (of a customer or project: the role is one of those that the parameter names)" */
static void
add_roles(struct request *rq, struct sql *where, const char *param, const char *scope)
{
	struct text name;
	size_t at = 0, n = 0;

	sql_add(where, scope);
	sql_add(where, " AND r.name IN ");
	while (request_param_each(rq, text_from(param), &at, &name))
		sql_list_value(where, &n, V(text_trim(name)));
	sql_list_end(where, n);
	sql_add(where, ")");
}

/* Both parameters together: a user with any of the roles. The first one that is there does it. */
static void
filter_roles(struct request *rq, struct sql *where)
{
	sql_add(where,
	    " AND EXISTS (SELECT 1 FROM role_grants g JOIN roles r ON r.id = g.role_id"
	    " LEFT JOIN projects p ON p.id = g.project_id"
	    " WHERE g.user_id = u.id AND " GRANT_ACTIVE("g") " AND (");
	add_roles(rq, where, "organization_role", "(g.customer_id = hc.id");
	add_roles(rq, where, "project_role", " OR (p.customer_id = hc.id");
	sql_add(where, "))");
}

static void
filter_organization_role(struct request *rq, struct sql *where, struct text value UNUSED)
{
	filter_roles(rq, where);
}

static void
filter_project_role(struct request *rq, struct sql *where, struct text value UNUSED)
{
	if (request_param(rq, T("organization_role")).n == 0)
		filter_roles(rq, where);
}

static void
filter_civil_number(struct request *rq, struct sql *where, struct text value)
{
	sql_add(where, " AND ");
	sql_add_exact(where, "u.civil_number", value);
	user_filter_seen(rq, where);
}

/* clang-format off */
static const struct filter filters[] = {
	{ .name = "civil_number", .apply = filter_civil_number,
	  .help = "Number in a country's register of persons." },
	{ .name = "full_name", .apply = user_filter_full_name, .help = "Part of the full name." },
	{ .name = "user_keyword", .apply = user_filter_keyword,
	  .help = "Part of the full name, the e-mail address or the username." },
	{ .name = "query", .apply = user_filter_query,
	  .help = "Part of a name, the civil number, the username or the e-mail address." },
	{ .name = "organization_role", .apply = filter_organization_role, .list = true,
	  .help = "Holders of one of these roles in the organization." },
	{ .name = "project_role", .apply = filter_project_role, .list = true,
	  .help = "Holders of one of these roles in its projects." },
	{ 0 },
};
/* clang-format on */

const struct resource customer_users = {
	.name = "customer_user",
	.model = "User",
	.path = "/api/users/",
	.table = "customers hc JOIN users",
	.alias = "u",
	.owner = "u.id",
	.fields = fields,
	.nfields = countof(fields),
	.filters = filters,
	.order = "username",
	.beside = customer_of_path,
	.visible = people_here,
};
