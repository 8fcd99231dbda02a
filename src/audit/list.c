/* GET /api/events/: what was done. Staff see all of it, everybody else what is about himself. */
#include "base/base.h"

#include "audit/audit.h"
#include "json/reader.h"

#define ALL SIGNED_IN

/* The users' table, of which audit/ knows nothing: the routes have it. */
static const struct resource *
users_of(const struct request *rq)
{
	for (size_t t = 0; t < rq->ntables; t++)
		for (size_t i = 0; i < rq->tables[t]->n; i++) {
			const struct route *route = &rq->tables[t]->routes[i];
			const struct resource *r = route->subject;

			if (route->handle == resource_retrieve && strcmp(r->name, "user") == 0)
				return r;
		}
	unreachable();
}

/* Is it a field that the caller does not see of himself? */
static bool
is_hidden(const struct request *rq, const struct resource *users, struct text name)
{
	for (size_t i = 0; i < users->nfields; i++)
		if (text_eq(name, text_from(users->fields[i].name)))
			return (users->fields[i].read & (rq->caller.who | SELF)) == 0;
	return false;
}

static void
write_visible(const struct request *rq, struct json_writer *w, const struct json *changes)
{
	const struct resource *users = users_of(rq);

	json_object(w);
	for (const struct json *j = changes->first; j != NULL; j = j->next) {
		if (is_hidden(rq, users, j->key))
			continue;
		json_key(w, j->key);
		json_tree(w, j);
	}
	json_object_end(w);
}

static void
encode_changes(struct request *rq, struct json_writer *w, const struct value *v)
{
	static const struct json_limits limits = { .depth = 8, .values = SIZE_MAX };
	const struct json *changes;
	struct text problem;

	if (v->null || (rq->caller.who & (STAFF | SUPPORT)) != 0) {
		json_value(w, *v);
		return;
	}
	changes = json_read(v->t, &limits, rq->arena, &problem);
	if (changes != NULL)
		write_visible(rq, w, changes);
	else
		json_null(w);
}

/* Did somebody else do it, or staff in his name? */
#define BY_ANOTHER \
	"(COALESCE(e.actor_uuid <> e.subject_uuid, FALSE) OR e.impersonator_uuid IS NOT NULL)"

#define ANOTHERS "-" /* before an address in the row: who may see it is not known in SQL */

/* Where colleagues and staff are when they do something about a user is not his to know, but staff's alone. */
static void
encode_address(struct request *rq, struct json_writer *w, const struct value *v)
{
	bool anothers = !v->null && text_starts(v->t, T(ANOTHERS));

	if (v->null || (anothers && (rq->caller.who & STAFF) == 0))
		json_null(w);
	else
		json_text(w, text_slice(v->t, anothers ? strlen(ANOTHERS) : 0, v->t.n));
}

static const struct shape changes_shape = { .kind = KIND_JSON, .values = &shape_any };

/* clang-format off */
static const struct field fields[] = {
	{ .name = "uuid", .kind = KIND_UUID, .column = "uuid", .read = ALL,
	  .help = "Identifies the event." },
	{ .name = "created", .kind = KIND_STAMP, .column = "created", .read = ALL,
	  .filter = FILTER_SINCE, .order = { "e.created" }, .help = "When it was done." },
	{ .name = "event_type", .kind = KIND_TEXT, .expression = "e.event", .read = ALL,
	  .input = { .choices = event_names }, .filter = FILTER_EXACT,
	  .help = "What was done." },
	{ .name = "actor_uuid", .kind = KIND_UUID, .column = "actor_uuid", .read = ALL,
	  .null = true,
	  .help = "Who did it; null: the service or its operator." },
	{ .name = "actor_username", .kind = KIND_TEXT, .column = "actor_username", .read = ALL,
	  .null = true,
	  .filter = FILTER_EXACT, .example = "sam",
	  .help = "Who did it: his username then." },
	{ .name = "impersonator_uuid", .kind = KIND_UUID, .column = "impersonator_uuid",
	  .read = ALL, .null = true,
	  .help = "The staff user who acted as him." },
	{ .name = "subject_type", .kind = KIND_TEXT, .column = "subject_type", .read = ALL,
	  .filter = FILTER_EXACT,
	  .example = "user", .help = "To what: user, customer, project, role, user_agreement or"
		  " identity_provider; an SSH key is its user's." },
	{ .name = "subject_uuid", .kind = KIND_UUID, .column = "subject_uuid", .read = ALL,
	  .null = true,
	  .help = "To what: its uuid." },
	{ .name = "changes", .kind = KIND_JSON, .column = "changes", .encode = encode_changes,
	  .read = ALL, .null = true, .shape = &changes_shape,
	  .help = "By field [old, new] of what was changed, or what a role's event is about; no secrets." },
	{ .name = "ip_address", .kind = KIND_TEXT, .encode = encode_address,
	  .expression = "IF(" BY_ANOTHER ", CONCAT('" ANOTHERS "', e.address), e.address)",
	  .read = ALL, .null = true,
	  .example = "192.0.2.7",
	  .help = "From where: the client's address; what others did tells it to staff alone." },
	{ .name = "request_id", .kind = KIND_TEXT, .column = "request_id", .read = ALL,
	  .filter = FILTER_EXACT,
	  .example = "0f8fad5bd9cb469fa16570867728950e",
	  .help = "In which request: the X-Request-ID of its answer." },
};
/* clang-format on */

static void
by_uuid(
    struct request *rq, struct sql *where, const char *name, const char *column, struct text value)
{
	struct uuid uuid;

	if (!filter_read_uuid(rq, name, value, &uuid))
		return;
	sql_add(where, column);
	sql_value(where, V(uuid));
}

static void
filter_actor(struct request *rq, struct sql *where, struct text value)
{
	by_uuid(rq, where, "actor_uuid", " AND e.actor_uuid = ", value);
}

static void
filter_subject(struct request *rq, struct sql *where, struct text value)
{
	by_uuid(rq, where, "subject_uuid", " AND e.subject_uuid = ", value);
}

static void
filter_impersonator(struct request *rq, struct sql *where, struct text value)
{
	by_uuid(rq, where, "impersonator_uuid", " AND e.impersonator_uuid = ", value);
}

static void
filter_address(struct request *rq, struct sql *where, struct text value)
{
	sql_add(where, " AND e.address = ");
	sql_value(where, V(value));
	if ((rq->caller.who & STAFF) == 0)
		sql_add(where, " AND NOT " BY_ANOTHER);
}

static void
filter_until(struct request *rq, struct sql *where, struct text value)
{
	struct stamp until;

	if (!stamp_parse(value, &until)) {
		problem_add(rq, T("until"), T("Enter a valid date/time."));
		return;
	}
	sql_add(where, " AND e.created < ");
	sql_value(where, V(until));
}

/* clang-format off */
static const struct filter filters[] = {
	{ .name = "actor_uuid", .apply = filter_actor, .kind = KIND_UUID, .help = "Done by this user." },
	{ .name = "impersonator_uuid", .apply = filter_impersonator, .kind = KIND_UUID, .help = "Done by this user in another's name." },
	{ .name = "subject_uuid", .apply = filter_subject, .kind = KIND_UUID, .help = "About this object." },
	{ .name = "ip_address", .apply = filter_address, .help = "Done from this address." },
	{ .name = "until", .apply = filter_until, .kind = KIND_STAMP, .help = "Before this time." },
	{ 0 },
};
/* clang-format on */

static void
visible(struct request *rq, struct sql *where)
{
	if ((rq->caller.who & STAFF) != 0)
		return;
	sql_add(where, " AND e.subject_type = 'user' AND e.subject_uuid = ");
	sql_value(where, V(rq->caller.uuid));
}

static const struct resource events = {
	.name = "event",
	.model = "Event",
	.path = "/api/events/",
	.table = "audit_events",
	.alias = "e",
	.fields = fields,
	.nfields = countof(fields),
	.filters = filters,
	.order = "created",
	.newest_first = true,
	.immutable = true,
	.visible = visible,
};

/* clang-format off */
static const struct route routes[] = {
	{ .method = METHOD_GET, .pattern = "/api/events/",
	  .who = SIGNED_IN, .handle = resource_list, .subject = &events,
	  .help = "Lists events: all for staff, for others those about themselves." },
	{ .method = METHOD_GET, .pattern = "/api/events/{uuid}/",
	  .who = SIGNED_IN, .handle = resource_retrieve, .subject = &events,
	  .help = "One event." },
};
/* clang-format on */

static const struct tag tags[] = {
	{ "events", "Who changed what, when and from where." },
	{ 0 },
};

const struct route_table audit_routes = { .routes = routes, .n = countof(routes), .tags = tags };
