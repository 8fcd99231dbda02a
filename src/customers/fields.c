#include "base/base.h"

#include "access/access.h"
#include "audit/audit.h"
#include "customers/customers.h"
#include "resource/checks.h"

#define ALL SIGNED_IN
#define EDITORS SIGNED_IN /* whom the guard of the routes has let through */

/* ISO 3166-1 alpha-2, by form. */
static const char *
check_country(struct text t)
{
	bool good = t.n == 2 && t.s[0] >= 'A' && t.s[0] <= 'Z' && t.s[1] >= 'A' && t.s[1] <= 'Z';

	return good ? NULL : "Enter a country code of two capital letters (ISO 3166).";
}

static const char *
check_url(struct text t)
{
	return text_starts(t, T("http://")) || text_starts(t, T("https://")) ? NULL
									     : "Enter a valid URL.";
}

/* clang-format off */
static const struct field fields[] = {
	{ .name = "url", .kind = KIND_UUID, .expression = "c.uuid", .url = "/api/customers/",
	  .read = ALL, .help = "Where this organization is found." },
	{ .name = "uuid", .kind = KIND_UUID, .column = "uuid", .read = ALL,
	  .help = "Identifies the organization." },
	{ .name = "name", .kind = KIND_TEXT, .column = "name", .read = ALL,
	  .create = STAFF, .update = EDITORS,
	  .input = { .max = 150, .required = true, .filled = true },
	  .filter = FILTER_CONTAINS, .order = { "c.name" },
	  .example = "Example University",
	  .help = "Name." },
	{ .name = "slug", .kind = KIND_TEXT, .column = "slug", .read = ALL,
	  .create = STAFF, .update = STAFF, .input = { .max = 50, .check = check_slug },
	  .unique = "An object with this slug already exists.", .order = { "c.slug" },
	  .example = "example-university",
	  .help = "Short name for URLs; made from the name when left empty." },
	{ .name = "native_name", .kind = KIND_TEXT, .column = "native_name", .read = ALL,
	  .create = STAFF, .update = EDITORS, .input = { .max = 160 },
	  .filter = FILTER_CONTAINS, .order = { "c.native_name" },
	  .example = "Näidisülikool",
	  .help = "Name in the organization's own script." },
	{ .name = "abbreviation", .kind = KIND_TEXT, .column = "abbreviation", .read = ALL,
	  .create = STAFF, .update = EDITORS, .input = { .max = 12 },
	  .filter = FILTER_CONTAINS, .order = { "c.abbreviation" },
	  .example = "EXU",
	  .help = "Abbreviation." },
	{ .name = "description", .kind = KIND_TEXT, .column = "description", .read = ALL,
	  .create = STAFF, .update = EDITORS, .input = { .max = 2000 },
	  .example = "About this.",
	  .help = "Description." },
	{ .name = "email", .kind = KIND_TEXT, .column = "email", .read = ALL,
	  .create = STAFF, .update = EDITORS, .input = { .max = 320, .check = check_email },
	  .filter = FILTER_CONTAINS,
	  .example = "alice@example.org",
	  .help = "E-mail address." },
	{ .name = "phone_number", .kind = KIND_TEXT, .column = "phone_number", .read = ALL,
	  .create = STAFF, .update = EDITORS, .input = { .max = 255, .check = check_phone_number },
	  .example = "+372 5555 1234",
	  .help = "Phone number." },
	{ .name = "contact_details", .kind = KIND_TEXT, .column = "contact_details", .read = ALL,
	  .create = STAFF, .update = EDITORS, .input = { .max = 2000 },
	  .example = "Main street 1, Tartu",
	  .help = "Contact details." },
	{ .name = "homepage", .kind = KIND_TEXT, .column = "homepage", .read = ALL,
	  .create = STAFF, .update = EDITORS, .input = { .max = 255, .check = check_url },
	  .example = "https://www.example.org",
	  .help = "Web address." },
	{ .name = "country", .kind = KIND_TEXT, .column = "country", .read = ALL,
	  .create = STAFF, .update = EDITORS, .input = { .max = 2, .check = check_country },
	  .example = "EE",
	  .help = "Country: a code of ISO 3166, or empty." },
	{ .name = "registration_code", .kind = KIND_TEXT, .column = "registration_code", .read = ALL,
	  .create = STAFF, .update = EDITORS, .input = { .max = 160 },
	  .filter = FILTER_EXACT,
	  .example = "12345678",
	  .help = "Number in the register of companies." },
	{ .name = "created", .kind = KIND_STAMP, .column = "created", .read = ALL,
	  .filter = FILTER_SINCE, .order = { "c.created" },
	  .help = "When it was made." },
	{ .name = "backend_id", .kind = KIND_TEXT, .column = "backend_id", .read = ALL,
	  .create = STAFF, .update = STAFF, .input = { .max = 255 },
	  .filter = FILTER_EXACT,
	  .example = "ext-17",
	  .help = "What another system calls it." },
	{ .name = "blocked", .kind = KIND_BOOL, .column = "blocked", .read = ALL,
	  .create = STAFF, .update = STAFF, .filter = FILTER_BOOL,
	  .example = "false",
	  .help = "Whether nothing may be changed in it." },
	{ .name = "archived", .kind = KIND_BOOL, .column = "archived", .read = ALL,
	  .create = STAFF, .update = STAFF, .filter = FILTER_BOOL,
	  .example = "false",
	  .help = "Whether it is only kept." },

	{ .name = "modified", .kind = KIND_STAMP, .column = "modified", .filter = FILTER_SINCE,
	  .help = "When it was changed." },
};
/* clang-format on */

static void
filter_name_exact(struct request *rq UNUSED, struct sql *where, struct text value)
{
	sql_add(where, " AND c.name = ");
	sql_value(where, V(value));
}

static void
filter_query(struct request *rq UNUSED, struct sql *where, struct text value)
{
	static const char *const columns[] = { "c.name", "c.native_name", "c.abbreviation",
		"c.email", "c.slug", "c.registration_code", "c.backend_id" };

	for (size_t i = 0; i < countof(columns); i++) {
		sql_add(where, i == 0 ? " AND (" : " OR ");
		sql_add_contains(where, columns[i], value);
	}
	sql_add(where, ")");
}

static void
filter_user_uuid(struct request *rq, struct sql *where, struct text value)
{
	struct uuid uuid;

	if (!filter_read_uuid(rq, "user_uuid", value, &uuid))
		return;
	sql_add(where,
	    " AND c.id IN (SELECT g.customer_id FROM role_grants g JOIN users gu ON gu.id = g.user_id"
	    " WHERE " GRANT_ACTIVE("g") " AND gu.uuid = ");
	sql_value(where, V(uuid));
	sql_add(where, ")");
}

/* clang-format off */
static const struct filter filters[] = {
	{ .name = "name_exact", .apply = filter_name_exact, .help = "The whole name." },
	{ .name = "query", .apply = filter_query,
	  .help = "Part of a name, the abbreviation, e-mail address, slug or a code." },
	{ .name = "user_uuid", .apply = filter_user_uuid, .kind = KIND_UUID, .help = "In which this user has a role." },
	{ 0 },
};
/* clang-format on */

static struct subject
subject_of(const struct draft *d)
{
	return (struct subject){ "customer", d->uuid };
}

static void
after_create(struct request *rq, struct draft *d)
{
	audit(rq, EVENT_CUSTOMER_CREATED, subject_of(d), audit_changes(rq, d));
}

static void
after_update(struct request *rq, struct draft *d)
{
	audit(rq, EVENT_CUSTOMER_UPDATED, subject_of(d), audit_changes(rq, d));
}

struct found {
	int64_t id;
};

static const struct db_column found_columns[] = { COLUMN(found, id) };

static const struct db_stmt any_project = {
	.name = "customer_any_project",
	.sql = "SELECT id FROM projects WHERE customer_id = ? LIMIT 1",
	.columns = found_columns,
	.ncolumns = countof(found_columns),
};

static void
before_delete(struct request *rq, struct draft *d)
{
	struct found found;

	if (db_row(rq->db, &any_project, &found, V(d->id)))
		problem_add(rq, T("non_field_errors"),
		    T("Cannot delete organization with existing projects."));
	else
		audit(rq, EVENT_CUSTOMER_DELETED, subject_of(d), audit_removed(rq, d));
}

const struct resource customers = {
	.name = "customer",
	.model = "Customer",
	.path = "/api/customers/",
	.table = "customers",
	.alias = "c",
	.fields = fields,
	.nfields = countof(fields),
	.filters = filters,
	.order = "name",
	.slug_of = "name",
	.visible = access_customers_visible,
	.after_create = after_create,
	.after_update = after_update,
	.before_delete = before_delete,
};
