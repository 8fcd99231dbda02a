#include "base/base.h"

#include "access/access.h"
#include "audit/audit.h"
#include "http/body.h"
#include "projects/projects.h"
#include "resource/checks.h"

#define ALL SIGNED_IN
#define EDITORS SIGNED_IN /* whom the guard of the routes has let through */

enum { JOIN_CUSTOMER = 1u << 0 };

static const char *const joins[] = { "JOIN customers pc ON pc.id = p.customer_id" };

static void
encode_kind(struct request *rq UNUSED, struct json_writer *w, const struct value *v UNUSED)
{
	json_text(w, T("default"));
}

/* clang-format off */
static const struct field fields[] = {
	{ .name = "url", .kind = KIND_UUID, .expression = "p.uuid", .url = "/api/projects/",
	  .read = ALL, .help = "Where this project is found." },
	{ .name = "uuid", .kind = KIND_UUID, .column = "uuid", .read = ALL,
	  .help = "Identifies the project." },
	{ .name = "name", .kind = KIND_TEXT, .column = "name", .read = ALL,
	  .create = EDITORS, .update = EDITORS,
	  .input = { .max = 500, .required = true, .filled = true },
	  .filter = FILTER_CONTAINS, .order = { "p.name" },
	  .example = "Climate",
	  .help = "Name." },
	{ .name = "slug", .kind = KIND_TEXT, .column = "slug", .read = ALL,
	  .create = STAFF, .update = STAFF, .input = { .max = 50, .check = check_slug },
	  .unique = "An object with this slug already exists.", .order = { "p.slug" },
	  .example = "climate",
	  .help = "Short name for URLs; made from the name when left empty." },
	{ .name = "description", .kind = KIND_TEXT, .column = "description", .read = ALL,
	  .create = EDITORS, .update = EDITORS, .input = { .max = 2000 },
	  .example = "About this.",
	  .help = "Description." },
	{ .name = "customer", .kind = KIND_UUID, .expression = "pc.uuid", .joins = JOIN_CUSTOMER,
	  .url = "/api/customers/", .read = ALL,
	  .hooked = METHOD_POST, .input = { .required = true },
	  .help = "The organization that the project belongs to: its URL." },
	{ .name = "customer_uuid", .kind = KIND_UUID, .expression = "pc.uuid", .joins = JOIN_CUSTOMER,
	  .read = ALL, .help = "The organization." },
	{ .name = "customer_name", .kind = KIND_TEXT, .expression = "pc.name", .joins = JOIN_CUSTOMER,
	  .read = ALL, .order = { "(SELECT oc.name FROM customers oc WHERE oc.id = p.customer_id)" },
	  .example = "Example University",
	  .help = "The organization's name." },
	{ .name = "created", .kind = KIND_STAMP, .column = "created", .read = ALL,
	  .filter = FILTER_SINCE, .order = { "p.created" }, .help = "When it was made." },
	{ .name = "start_date", .kind = KIND_DATE, .column = "start_date", .read = ALL,
	  .create = EDITORS, .update = EDITORS, .input = { .nullable = true },
	  .example = "2026-09-01",
	  .help = "When it begins." },
	{ .name = "end_date", .kind = KIND_DATE, .column = "end_date", .read = ALL,
	  .create = EDITORS, .update = EDITORS, .input = { .nullable = true },
	  .example = "2029-08-31",
	  .help = "When it ends." },
	{ .name = "is_removed", .kind = KIND_BOOL, .column = "is_removed", .read = ALL,
	  .example = "false",
	  .help = "Whether it was removed." },
	{ .name = "backend_id", .kind = KIND_TEXT, .column = "backend_id", .read = ALL,
	  .create = STAFF, .update = STAFF, .input = { .max = 255 }, .filter = FILTER_EXACT,
	  .example = "ext-17",
	  .help = "What another system calls it." },
	{ .name = "kind", .kind = KIND_TEXT, .read = ALL, .encode = encode_kind,
	  .example = "default",
	  .help = "Always default." },

	{ .name = "customer_id", .kind = KIND_INT, .column = "customer_id", .help = "The organization." },
	{ .name = "modified", .kind = KIND_STAMP, .column = "modified", .filter = FILTER_SINCE,
	  .help = "When it was changed." },
};
/* clang-format on */

static void
filter_name_exact(struct request *rq UNUSED, struct sql *where, struct text value)
{
	sql_add(where, " AND p.name = ");
	sql_value(where, V(value));
}

static void
filter_query(struct request *rq UNUSED, struct sql *where, struct text value)
{
	static const char *const columns[] = { "p.name", "p.slug", "p.description",
		"p.backend_id" };

	for (size_t i = 0; i < countof(columns); i++) {
		sql_add(where, i == 0 ? " AND (" : " OR ");
		sql_add_contains(where, columns[i], value);
	}
	sql_add(where, ")");
}

/* " AND <in>" with the parameter's uuid in it; one that is none is a problem. */
static void
by_uuid(struct request *rq, struct sql *where, const char *name, struct text value, const char *in)
{
	struct uuid uuid;

	if (!filter_read_uuid(rq, name, value, &uuid))
		return;
	sql_add(where, in);
	sql_value(where, V(uuid));
	sql_add(where, ")");
}

#define OF_CUSTOMER " AND p.customer_id = (SELECT id FROM customers WHERE uuid = "

static void
filter_customer(struct request *rq, struct sql *where, struct text value)
{
	by_uuid(rq, where, "customer", value, OF_CUSTOMER);
}

static void
filter_customer_uuid(struct request *rq, struct sql *where, struct text value)
{
	by_uuid(rq, where, "customer_uuid", value, OF_CUSTOMER);
}

static void
filter_user_uuid(struct request *rq, struct sql *where, struct text value)
{
	by_uuid(rq, where, "user_uuid", value,
	    " AND p.id IN (SELECT g.project_id FROM role_grants g JOIN users gu ON gu.id = g.user_id"
	    " WHERE " GRANT_ACTIVE("g") " AND gu.uuid = ");
}

/* clang-format off */
static const struct filter filters[] = {
	{ .name = "name_exact", .apply = filter_name_exact, .help = "The whole name." },
	{ .name = "query", .apply = filter_query, .help = "Part of name, slug, description or code." },
	{ .name = "customer", .apply = filter_customer, .kind = KIND_UUID, .help = "Of this organization." },
	{ .name = "customer_uuid", .apply = filter_customer_uuid, .kind = KIND_UUID, .help = "Of this organization." },
	{ .name = "user_uuid", .apply = filter_user_uuid, .kind = KIND_UUID, .help = "In which this user has a role." },
	{ 0 },
};
/* clang-format on */

/* Lists leave removed projects out unless asked; one by its uuid is always found. */
static void
visible(struct request *rq, struct sql *where)
{
	struct text all = request_param(rq, T("include_terminated"));

	access_projects_visible(rq, where);
	if (uuid_is_none(rq->uuid) && !text_eq_nocase(all, T("true")))
		sql_add(where, " AND NOT p.is_removed");
}

static struct subject
subject_of(const struct draft *d)
{
	return (struct subject){ "project", d->uuid };
}

/* The uuid of "https://host/api/customers/<uuid>/", or alone. */
static bool
parent_uuid(const struct json *named, struct uuid *uuid)
{
	struct text rest, part, last = TEXT_NONE;

	if (named == NULL || named->type != JSON_TEXT)
		return false;
	rest = text_trim(named->text);
	while (text_split(&rest, '/', &part))
		if (part.n > 0)
			last = part;
	return uuid_parse(last, uuid);
}

/* The customer of that uuid, if the caller sees it. */
static bool
parent_seen(struct request *rq, struct uuid uuid, int64_t *id)
{
	struct value found = { .kind = KIND_INT };
	struct sql q;

	sql_init(&q, rq->arena);
	sql_add(&q, "SELECT c.id FROM customers c WHERE c.uuid = ");
	sql_value(&q, V(uuid));
	access_customers_visible(rq, &q);
	if (!db_row_sql(rq->db, "project_parent", DB_READ, &q, &found, 1))
		return false;
	*id = found.i;
	return true;
}

/* A new project's customer: one that the caller sees, and which is open. */
static void
check_parent(struct request *rq, struct draft *d)
{
	const struct json *named = json_member(rq->body, T("customer"));
	struct scope customer;
	struct uuid uuid;
	int64_t id;

	if (named == NULL)
		return;
	if (named->type == JSON_NULL)
		problem_add(rq, T("customer"), T("This field is required."));
	else if (!parent_uuid(named, &uuid))
		problem_add(rq, T("customer"), T("Invalid hyperlink - No URL match."));
	else if (!parent_seen(rq, uuid, &id))
		problem_add(rq, T("customer"), T("Invalid hyperlink - Object does not exist."));
	else if (scope_load(rq, SCOPE_CUSTOMER, id, true, &customer) &&
	    (customer.blocked || customer.archived))
		problem_add(rq, T("non_field_errors"), T("Customer is not available."));
	else
		draft_set(d, "customer_id", V(id));
}

int
project_create(struct request *rq)
{
	struct uuid uuid;
	int64_t id;

	if (!body_parse(rq))
		return body_trouble(rq);
	if (parent_uuid(json_member(rq->body, T("customer")), &uuid) &&
	    parent_seen(rq, uuid, &id) && !access_has(rq, "PROJECT.CREATE", SCOPE_CUSTOMER, id))
		return reply_forbidden(rq);
	return resource_create(rq);
}

static void
check(struct request *rq, struct draft *d)
{
	struct value start = draft_value(d, "start_date"), end = draft_value(d, "end_date");

	if (d->old == NULL)
		check_parent(rq, d);
	if (!start.null && !end.null &&
	    stamp_from_calendar((struct calendar){ end.d.year, end.d.month, end.d.day, 0, 0, 0, 0 })
		    .us < stamp_from_calendar((struct calendar){ start.d.year, start.d.month,
						  start.d.day, 0, 0, 0, 0 })
			      .us)
		problem_add(rq, T("end_date"), T("End date should not be before start date."));
}

static void
after_create(struct request *rq, struct draft *d)
{
	audit(rq, EVENT_PROJECT_CREATED, subject_of(d), audit_changes(rq, d));
}

static void
after_update(struct request *rq, struct draft *d)
{
	audit(rq, EVENT_PROJECT_UPDATED, subject_of(d), audit_changes(rq, d));
}

const struct resource projects = {
	.name = "project",
	.model = "Project",
	.path = "/api/projects/",
	.table = "projects",
	.alias = "p",
	.fields = fields,
	.nfields = countof(fields),
	.joins = joins,
	.njoins = countof(joins),
	.filters = filters,
	.order = "name",
	.slug_of = "name",
	.visible = visible,
	.check = check,
	.after_create = after_create,
	.after_update = after_update,
};
