/* What may be sent: parameters of the path, the query and the header, and the body. */
#include "base/base.h"

#include "http/page.h"
#include "ops/schema_int.h"

#define TAG "\"7-0123456789abcdef\""
#define DATE "Tue, 24 Nov 2026 02:33:56 GMT"

/* clang-format off */
static const struct request_header {
	const char *name, *header;
	unsigned when;
	const char *example, *help;
} request_headers[] = {
	{ "IfMatch", "If-Match", CHANGED | RANGED, TAG,
	  "Only the object that has this ETag; else 412." },
	{ "IfNoneMatch", "If-None-Match", CACHED, TAG,
	  "304 when the object still has this ETag." },
	{ "IfModifiedSince", "If-Modified-Since", RANGED, DATE,
	  "304 when it has not changed since, unless If-None-Match is there." },
	{ "IfUnmodifiedSince", "If-Unmodified-Since", RANGED, DATE,
	  "412 when it has changed since, unless If-Match is there." },
	{ "Range", "Range", RANGED, "bytes=0-1023", "Only these bytes." },
	{ "IfRange", "If-Range", RANGED, TAG,
	  "All of it instead, unless it has this ETag or Last-Modified." },
	{ "IdempotencyKey", "Idempotency-Key", IDEMPOTENT, "8e03978e-40d5-43e8-bc93-6894a57f9324",
	  "The same request with the same key is carried out once; later ones get the same answer." },
	{ "Impersonate", "X-Impersonated-User-Uuid", SIGNED, "3f2b8e4d-9a51-4c07-8d6e-1b2c3d4e5f60",
	  "Staff ask as this user; X-impersonator-uuid of the answer is who has asked." },
};
/* clang-format on */

static void
write_parameter(struct request *rq, struct json_writer *w, const char *in, const struct shape *p)
{
	struct shape value = *p;

	value.help = NULL;
	json_object(w);
	schema_member(w, "name", p->name);
	schema_member(w, "in", in);
	if (!p->optional)
		schema_member_true(w, "required");
	if (p->help != NULL)
		schema_member(w, "description", p->help);
	json_key(w, T("schema"));
	schema_write(w, rq->arena, &value);
	json_object_end(w);
}

static const struct shape path_parameters[] = {
	{ .name = "uuid", .kind = KIND_UUID, .help = "The object's uuid, with or without dashes." },
	{ .name = "user",
	    .kind = KIND_INT,
	    .example = "17",
	    .help = "The number of the token's user." },
	{ .name = "username", .kind = KIND_TEXT, .example = "alice", .help = "The user's name." },
};

static void
write_path_parameter(struct request *rq, struct json_writer *w, struct text name)
{
	for (size_t i = 0; i < countof(path_parameters); i++)
		if (text_eq(name, text_from(path_parameters[i].name))) {
			write_parameter(rq, w, "path", &path_parameters[i]);
			return;
		}
	unreachable();
}

static void
write_path_parameters(struct request *rq, struct json_writer *w, const struct route *route)
{
	struct text rest = text_from(route->pattern), segment;

	while (text_split(&rest, '/', &segment))
		if (text_starts(segment, T("{")))
			write_path_parameter(rq, w, text_slice(segment, 1, segment.n - 1));
}

/* How a filter of a column is written in the query, and what it does with its value. */
static const struct {
	enum kind kind;
	const char *help;
} column_filters[] = {
	[FILTER_EXACT] = { KIND_TEXT, "Only with exactly this value." },
	[FILTER_CONTAINS] = { KIND_TEXT, "Only with this as a part of it, whatever the case." },
	[FILTER_BOOL] = { KIND_BOOL, "Only those for which this is true, or false." },
	[FILTER_SINCE] = { KIND_STAMP, "Only from this time on." },
};

static void
write_column_filter(struct request *rq, struct json_writer *w, const struct field *f)
{
	enum kind kind = column_filters[f->filter].kind;

	write_parameter(rq, w, "query",
	    &(struct shape){ .name = f->name,
		.kind = kind,
		.optional = true,
		.example = kind == KIND_TEXT ? f->example : NULL,
		.choices = schema_choices(f),
		.help =
		    arena_printf(rq->arena, "%s %s", f->help, column_filters[f->filter].help).s });
}

static void
write_filters(struct request *rq, struct json_writer *w, const struct resource *r)
{
	for (size_t i = 0; i < r->nfields; i++)
		if (r->fields[i].filter != FILTER_NONE)
			write_column_filter(rq, w, &r->fields[i]);
	for (const struct filter *f = r->filters; f != NULL && f->name != NULL; f++)
		write_parameter(rq, w, "query",
		    &(struct shape){ .name = f->name,
			.kind = f->kind != KIND_NONE ? f->kind : KIND_TEXT,
			.optional = true,
			.list = f->list,
			.choices = f->choices,
			.help = f->help });
}

/* A parameter that names fields: o or field. */
static void
write_names_parameter(
    struct request *rq, struct json_writer *w, const struct resource *r, enum use use)
{
	bool ordering = use == USE_ORDER;

	json_object(w);
	schema_member(w, "name", ordering ? "o" : "field");
	schema_member(w, "in", "query");
	schema_member(w, "description",
	    ordering ? arena_printf(rq->arena, "Orders by these; by %s%s unless told.",
			   r->newest_first ? "-" : "", r->order)
			   .s
		     : "Only these fields; all unless told.");
	schema_open(w, "schema");
	schema_member(w, "type", "array");
	json_key(w, T("items"));
	schema_ref(w, rq->arena, "schemas", schema_name(rq->arena, r, use));
	json_object_end(w);
	json_object_end(w);
}

static void
write_list_parameters(struct request *rq, struct json_writer *w, const struct resource *r)
{
	static const struct input size = { .bounded = true, .min = 1, .max = PAGE_SIZE_MAX };

	write_filters(rq, w, r);
	write_names_parameter(rq, w, r, USE_ORDER);
	write_parameter(rq, w, "query",
	    &(struct shape){ .name = "page",
		.kind = KIND_TEXT,
		.optional = true,
		.example = "1",
		.help = "Number of the page, from 1; last: the last." });
	write_parameter(rq, w, "query",
	    &(struct shape){ .name = "page_size",
		.kind = KIND_INT,
		.optional = true,
		.input = &size,
		.example = "10",
		.help = "Objects of a page, 10 unless told." });
	write_parameter(rq, w, "query",
	    &(struct shape){ .name = "cursor",
		.kind = KIND_TEXT,
		.optional = true,
		.help = "Only from Link: where the next page begins." });
}

static void
write_header_parameter(struct request *rq, struct json_writer *w, const struct request_header *h)
{
	json_key(w, text_from(h->name));
	write_parameter(rq, w, "header",
	    &(struct shape){ .name = h->header,
		.kind = KIND_TEXT,
		.optional = true,
		.example = h->example,
		.help = h->help });
}

void
schema_write_parameters(struct request *rq, struct json_writer *w, const struct route *route)
{
	const struct engine_handler *e = schema_engine(route);

	json_key(w, T("parameters"));
	json_array(w);
	write_path_parameters(rq, w, route);
	if (e != NULL && e->list)
		write_list_parameters(rq, w, route->subject);
	if (e != NULL && (e->list || e->tagged))
		write_names_parameter(rq, w, route->subject, USE_FIELD);
	for (const struct shape *p = schema_action(route)->query; p != NULL && p->name != NULL; p++)
		write_parameter(rq, w, "query", p);
	for (size_t i = 0; i < countof(request_headers); i++)
		if ((schema_traits(route) & request_headers[i].when) != 0)
			schema_ref(w, rq->arena, "parameters", text_from(request_headers[i].name));
	json_array_end(w);
}

/* Bodies. */

/* An action's fields and what it reads by hand, as one object. */
void
schema_write_action(struct request *rq, struct json_writer *w, const struct route *route)
{
	const struct action *action = schema_action(route);
	struct shape members[FIELDS_MAX] = { { 0 } };
	size_t n = 0;

	for (size_t i = 0; i < action->nbody; i++)
		members[n++] = schema_body_field(&action->body[i]);
	for (const struct shape *m = action->more; m != NULL && m->name != NULL; m++)
		members[n++] = *m;
	must(n < FIELDS_MAX);
	schema_write(w, rq->arena, &(struct shape){ .kind = KIND_JSON, .members = members });
}

static struct text
body_name(struct request *rq, const struct route *route)
{
	enum use use = schema_body_use(route);

	return use != USE_READ ? schema_name(rq->arena, route->subject, use)
			       : schema_action_name(rq, route);
}

/*
 * All forms refer to one component: from several, generators make clients that send what fits none. So a file is
 * one in JSON, too, where it is refused.
 */
void
schema_write_body(struct request *rq, struct json_writer *w, const struct route *route)
{
	static const char *const types[] = { "application/json",
		"application/x-www-form-urlencoded", "multipart/form-data" };

	if (schema_body_use(route) == USE_READ && !schema_has_action_body(route))
		return;
	schema_open(w, "requestBody");
	schema_member_true(w, "required");
	schema_open(w, "content");
	for (size_t i = 0; i < countof(types); i++) {
		schema_open(w, types[i]);
		json_key(w, T("schema"));
		schema_ref(w, rq->arena, "schemas", body_name(rq, route));
		json_object_end(w);
	}
	json_object_end(w);
	json_object_end(w);
}

void
schema_write_header_parameters(struct request *rq, struct json_writer *w)
{
	schema_open(w, "parameters");
	for (size_t i = 0; i < countof(request_headers); i++)
		write_header_parameter(rq, w, &request_headers[i]);
	json_object_end(w);
}
