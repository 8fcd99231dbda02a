/*
 * GET /api/schema/: the API as OpenAPI 3.1, written from the tables that run it: routes, the fields, filters
 * and orders of the resources, and what actions say of themselves (http/shape.h).
 */
#include "base/base.h"

#include "http/etag.h"
#include "http/page.h"
#include "ops/ops_int.h"
#include "ops/schema_int.h"

/* What a handler of the engine makes of its resource. */
static const struct engine_handler {
	handler *handle;
	int status;
	bool list, tagged; /* a list of objects; an ETag with the object */
	enum use body;     /* USE_READ: none */
} engine[] = {
	{ .handle = resource_list, .status = 200, .list = true },
	{ .handle = resource_retrieve, .status = 200, .tagged = true },
	{ .handle = resource_create, .status = 201, .tagged = true, .body = USE_CREATE },
	{ .handle = resource_update, .status = 200, .tagged = true, .body = USE_UPDATE },
	{ .handle = resource_delete, .status = 204 },
};

/* NULL when the engine has no part in it. */
static const struct engine_handler *
engine_of(const struct route *route)
{
	handler *handle = route->as != NULL ? route->as : route->handle;

	for (size_t i = 0; i < countof(engine); i++)
		if (engine[i].handle == handle)
			return &engine[i];
	return NULL;
}

static const struct action *
action_of(const struct route *route)
{
	static const struct action none;

	return route->action != NULL ? route->action : &none;
}

/* What decides which headers and errors a route has, a bit each. */
enum trait {
	ALWAYS = 1 << 0,
	SIGNED = 1 << 1,     /* credentials are looked at */
	NAMED = 1 << 2,      /* the path names an object, or the query a page */
	SENT = 1 << 3,       /* there may be a body */
	IDEMPOTENT = 1 << 4, /* Idempotency-Key is heeded */
	CHANGED = 1 << 5,    /* If-Match is heeded */
	CACHED = 1 << 6,     /* If-None-Match is heeded */
	JSON = 1 << 7,       /* the answer is JSON, and nothing else is accepted */
};

static unsigned
traits_of(const struct route *route)
{
	const struct engine_handler *e = engine_of(route);
	bool named = strchr(route->pattern, '{') != NULL;
	bool writes = (route->method & METHODS_SAFE) == 0;
	unsigned traits = ALWAYS;

	traits |= route->no_credentials ? 0 : SIGNED;
	traits |= named || (e != NULL && e->list) ? NAMED : 0;
	traits |= writes && route->method != METHOD_DELETE ? SENT : 0;
	traits |= route->method == METHOD_POST && !route->no_credentials ? IDEMPOTENT : 0;
	traits |= writes && named ? CHANGED : 0;
	traits |= !writes && e != NULL && e->tagged ? CACHED : 0;
	traits |= route->any_accept ? 0 : JSON;
	return traits;
}

/* clang-format off */
static const struct request_header {
	const char *name, *header;
	unsigned when;
	const char *example, *help;
} request_headers[] = {
	{ "IfMatch", "If-Match", CHANGED, "\"7-0123456789abcdef\"",
	  "Changes only the object that has this ETag; else 412." },
	{ "IfNoneMatch", "If-None-Match", CACHED, "\"7-0123456789abcdef\"",
	  "304 when the object still has this ETag." },
	{ "IdempotencyKey", "Idempotency-Key", IDEMPOTENT, "8e03978e-40d5-43e8-bc93-6894a57f9324",
	  "The same request with the same key is carried out once; later ones get the same answer." },
	{ "Impersonate", "X-Impersonated-User-Uuid", SIGNED, "3f2b8e4d-9a51-4c07-8d6e-1b2c3d4e5f60",
	  "Staff ask as this user." },
};

/* Headers of answers. */
static const struct answer_header {
	const char *name;
	const char *type;
	const char *help;
} answer_headers[] = {
	{ "ETag", "string", "The object's version, for If-Match and If-None-Match." },
	{ "Link", "string", "The pages first, prev, next and last (RFC 8288)." },
	{ "Location", "string", "Where the new object is found." },
	{ "Retry-After", "integer", "Seconds after which the request may be sent again." },
	{ "WWW-Authenticate", "string", "Token" },
	{ "X-Result-Count", "integer", "Objects in all pages." },
};

/* What a request may be answered from 400 on. */
static const struct error {
	int status;
	unsigned when;
	const char *header; /* of answer_headers; NULL: none */
	const char *example;
} errors[] = {
	{ 400, ALWAYS, NULL, "{\"name\":[\"This field is required.\"]}" },
	{ 401, SIGNED, "WWW-Authenticate",
	  "{\"detail\":\"Authentication credentials were not provided.\"}" },
	{ 403, SIGNED, NULL,
	  "{\"detail\":\"You do not have permission to perform this action.\"}" },
	{ 404, NAMED, NULL, "{\"detail\":\"No User matches the given query.\"}" },
	{ 406, JSON, NULL, "{\"detail\":\"Could not satisfy the request Accept header.\"}" },
	{ 408, SENT, NULL, "{\"detail\":\"The request took too long to arrive.\"}" },
	{ 409, IDEMPOTENT, NULL,
	  "{\"detail\":\"A request with the same Idempotency-Key is still being processed.\"}" },
	{ 411, SENT, NULL, "{\"detail\":\"A Content-Length is required.\"}" },
	{ 412, CHANGED, NULL, "{\"detail\":\"The object has changed since it was read.\"}" },
	{ 413, SENT, NULL, "{\"detail\":\"The request body is too large.\"}" },
	{ 414, ALWAYS, NULL, "{\"detail\":\"The request's address is too long.\"}" },
	{ 415, SENT, NULL, "{\"detail\":\"Unsupported media type \\\"text/plain\\\" in request.\"}" },
	{ 416, 0, NULL, "{\"detail\":\"The range is not satisfiable.\"}" },
	{ 422, IDEMPOTENT, NULL,
	  "{\"detail\":\"This Idempotency-Key was used before with another request.\"}" },
	{ 429, 0, "Retry-After",
	  "{\"detail\":\"Request was throttled. Expected available in 4 seconds.\"}" },
	{ 431, ALWAYS, NULL, "{\"detail\":\"The request's headers are too large.\"}" },
	{ 500, ALWAYS, NULL, "{\"detail\":\"Internal server error.\"}" },
	{ 502, ALWAYS, "Retry-After",
	  "{\"detail\":\"The service could not answer. Please try again.\"}" },
	{ 503, ALWAYS, "Retry-After", "{\"detail\":\"The service is busy, try again later.\"}" },
	{ 504, ALWAYS, NULL, "{\"detail\":\"The service did not answer in time.\"}" },
};

static const struct shape problem_members[] = {
	{ .name = "type", .kind = KIND_TEXT, .example = "about:blank" },
	{ .name = "title", .kind = KIND_TEXT, .example = "Bad Request" },
	{ .name = "status", .kind = KIND_INT, .example = "400" },
	{ .name = "detail", .kind = KIND_TEXT, .example = "The request has invalid values." },
	{ .name = "instance", .kind = KIND_TEXT, .optional = true, .example = "/api/users/" },
	{ .name = "errors", .kind = KIND_JSON, .optional = true,
	  .help = "Messages by field, as without application/problem+json." },
	{ 0 },
};
/* clang-format on */

static const struct shape problem_shape = {
	.kind = KIND_JSON,
	.members = problem_members,
	.help = "What is wrong, as RFC 9457 has it.",
};

/* NULL when the engine does not serve the row. */
static const struct resource *
resource_of(const struct route *route)
{
	return engine_of(route) != NULL ? route->subject : NULL;
}

/* Does the row need a component of this use of the resource? */
static bool
needs(const struct route *route, const struct resource *r, enum use use)
{
	const struct engine_handler *e = engine_of(route);

	if (resource_of(route) != r)
		return false;
	return use == USE_READ ? e->list || e->tagged : e->body == use;
}

/* Calls write for each route, in the order of the tables. */
static void
each_route(struct request *rq, struct json_writer *w,
    void (*write)(struct request *rq, struct json_writer *w, const struct route *route))
{
	for (size_t t = 0; t < rq->ntables; t++)
		for (size_t i = 0; i < rq->tables[t]->n; i++)
			write(rq, w, &rq->tables[t]->routes[i]);
}

/* Has an earlier row written the component? */
static bool
is_first(const struct request *rq, const struct route *route, enum use use)
{
	for (size_t t = 0; t < rq->ntables; t++)
		for (size_t i = 0; i < rq->tables[t]->n; i++) {
			const struct route *r = &rq->tables[t]->routes[i];

			if (r == route)
				return true;
			if (needs(r, resource_of(route), use))
				return false;
		}
	unreachable();
}

static void
write_components(struct request *rq, struct json_writer *w, const struct route *route)
{
	const struct resource *r = resource_of(route);

	for (enum use use = USE_READ; r != NULL && use <= USE_UPDATE; use++) {
		if (!needs(route, r, use) || !is_first(rq, route, use))
			continue;
		json_key(w, schema_name(rq->arena, r, use));
		schema_write_resource(w, rq->arena, r, use, NULL);
	}
}

/* --- parameters */

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

static void
write_path_parameters(struct request *rq, struct json_writer *w, const struct route *route)
{
	struct text rest = text_from(route->pattern), segment, name;

	while (text_split(&rest, '/', &segment)) {
		if (!text_starts(segment, T("{")))
			continue;
		name = arena_text(rq->arena, text_slice(segment, 1, segment.n - 1));
		write_parameter(rq, w, "path",
		    &(struct shape){
			.name = name.s, .kind = text_eq(name, T("uuid")) ? KIND_UUID : KIND_TEXT });
	}
}

/* How a filter of a column is written in the query. */
static const enum kind filter_kinds[] = {
	[FILTER_EXACT] = KIND_TEXT,
	[FILTER_CONTAINS] = KIND_TEXT,
	[FILTER_BOOL] = KIND_BOOL,
	[FILTER_SINCE] = KIND_STAMP,
};

static void
write_filters(struct request *rq, struct json_writer *w, const struct resource *r)
{
	for (size_t i = 0; i < r->nfields; i++) {
		const struct field *f = &r->fields[i];
		enum kind kind = filter_kinds[f->filter];

		if (f->filter == FILTER_NONE)
			continue;
		write_parameter(rq, w, "query",
		    &(struct shape){ .name = f->name,
			.kind = kind,
			.optional = true,
			.example = kind == KIND_TEXT ? f->example : NULL,
			.choices = f->input.choices,
			.help = f->help });
	}
	for (const struct filter *f = r->filters; f != NULL && f->name != NULL; f++)
		write_parameter(rq, w, "query",
		    &(struct shape){
			.name = f->name, .kind = KIND_TEXT, .optional = true, .help = f->help });
}

/* The names of o or field: "Orders by: created, name." */
static const char *
names_of(struct request *rq, const struct resource *r, const char *begin, bool ordering)
{
	struct buf b;
	bool any = false;

	buf_init(&b, rq->arena);
	buf_add(&b, text_from(begin));
	for (size_t i = 0; i < r->nfields; i++) {
		const struct field *f = &r->fields[i];

		if (ordering ? f->order[0] == NULL : f->read == NOBODY)
			continue;
		buf_printf(&b, "%s%s", any ? ", " : " ", f->name);
		any = true;
	}
	buf_add_char(&b, '.');
	return arena_text(rq->arena, buf_text(&b)).s;
}

static void
write_list_parameters(struct request *rq, struct json_writer *w, const struct resource *r)
{
	static const struct input size = { .bounded = true, .min = 1, .max = PAGE_SIZE_MAX };

	write_filters(rq, w, r);
	write_parameter(rq, w, "query",
	    &(struct shape){ .name = "o",
		.kind = KIND_TEXT,
		.optional = true,
		.example = r->order,
		.help = names_of(rq, r,
		    "Orders by these, separated by commas, each descending with - before it:",
		    true) });
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

static void
write_parameters(struct request *rq, struct json_writer *w, const struct route *route)
{
	const struct engine_handler *e = engine_of(route);

	json_key(w, T("parameters"));
	json_array(w);
	write_path_parameters(rq, w, route);
	if (e != NULL && e->list)
		write_list_parameters(rq, w, route->subject);
	if (e != NULL && (e->list || e->tagged))
		write_parameter(rq, w, "query",
		    &(struct shape){ .name = "field",
			.kind = KIND_TEXT,
			.optional = true,
			.list = true,
			.help = names_of(rq, route->subject, "Only these fields, of:", false) });
	for (const struct shape *p = action_of(route)->query; p != NULL && p->name != NULL; p++)
		write_parameter(rq, w, "query", p);
	for (size_t i = 0; i < countof(request_headers); i++)
		if ((traits_of(route) & request_headers[i].when) != 0)
			schema_ref(w, rq->arena, "parameters", text_from(request_headers[i].name));
	json_array_end(w);
}

/* --- bodies */

/* An action's fields and what it reads by hand, as one object. */
static void
write_action_body(struct request *rq, struct json_writer *w, const struct action *action)
{
	struct shape members[FIELDS_MAX] = { { 0 } };
	size_t n = 0;

	for (size_t i = 0; i < action->nbody; i++)
		members[n++] = schema_body_field(&action->body[i]);
	for (const struct shape *m = action->more; m != NULL && m->name != NULL; m++)
		members[n++] = *m;
	must(n < FIELDS_MAX);
	schema_write(w, rq->arena, &(struct shape){ .kind = KIND_JSON, .members = members });
}

static void
write_body_schema(struct request *rq, struct json_writer *w, const struct route *route)
{
	const struct engine_handler *e = engine_of(route);

	if (e != NULL)
		schema_ref(
		    w, rq->arena, "schemas", schema_name(rq->arena, route->subject, e->body));
	else
		write_action_body(rq, w, action_of(route));
}

static void
write_body(struct request *rq, struct json_writer *w, const struct route *route)
{
	static const char *const types[] = { "application/json",
		"application/x-www-form-urlencoded", "multipart/form-data" };
	const struct engine_handler *e = engine_of(route);
	const struct action *action = action_of(route);

	if (e != NULL ? e->body == USE_READ : action->nbody == 0 && action->more == NULL)
		return;
	schema_open(w, "requestBody");
	schema_member_true(w, "required");
	schema_open(w, "content");
	for (size_t i = 0; i < countof(types); i++) {
		schema_open(w, types[i]);
		json_key(w, T("schema"));
		write_body_schema(rq, w, route);
		json_object_end(w);
	}
	json_object_end(w);
	json_object_end(w);
}

/* --- answers */

static void
write_header(struct request *rq, struct json_writer *w, const char *name)
{
	json_key(w, text_from(name));
	schema_ref(w, rq->arena, "headers", text_from(name));
}

static void
open_answer(struct json_writer *w, struct request *rq, int status)
{
	schema_open(w, arena_printf(rq->arena, "%d", status).s);
	schema_member(w, "description", status_reason(status));
}

/* "NotFound" */
static struct text
error_name(struct arena *a, const struct error *e)
{
	struct buf b;

	buf_init(&b, a);
	for (const char *p = status_reason(e->status); *p != '\0'; p++)
		if (*p != ' ')
			buf_add_char(&b, *p);
	return buf_text(&b);
}

/* What the row says of a status itself; NULL: nothing. */
static const struct outcome *
own_outcome(const struct route *route, int status)
{
	for (const struct outcome *a = action_of(route)->outcomes; a != NULL && a->status != 0; a++)
		if (a->status == status)
			return a;
	return NULL;
}

static void
write_engine_schema(
    struct request *rq, struct json_writer *w, const struct route *route, const struct shape *more)
{
	const struct resource *r = route->subject;
	bool list = engine_of(route)->list;

	json_key(w, T("schema"));
	if (list) {
		json_object(w);
		schema_member(w, "type", "array");
		json_key(w, T("items"));
	}
	if (more != NULL)
		schema_write_resource(w, rq->arena, r, USE_READ, more);
	else
		schema_ref(w, rq->arena, "schemas", schema_name(rq->arena, r, USE_READ));
	if (list)
		json_object_end(w);
}

static void
write_engine_headers(struct request *rq, struct json_writer *w, const struct engine_handler *e)
{
	schema_open(w, "headers");
	if (e->list) {
		write_header(rq, w, "Link");
		write_header(rq, w, "X-Result-Count");
	}
	if (e->tagged)
		write_header(rq, w, "ETag");
	if (e->status == 201)
		write_header(rq, w, "Location");
	json_object_end(w);
}

static void
write_engine_answer(struct request *rq, struct json_writer *w, const struct route *route)
{
	const struct engine_handler *e = engine_of(route);
	const struct outcome *own = own_outcome(route, e->status);

	open_answer(w, rq, e->status);
	if (e->list || e->tagged) {
		write_engine_headers(rq, w, e);
		schema_open(w, "content");
		schema_open(w, "application/json");
		write_engine_schema(rq, w, route, own != NULL ? own->shape->members : NULL);
		json_object_end(w);
		json_object_end(w);
	}
	json_object_end(w);
	if ((traits_of(route) & CACHED) != 0) {
		open_answer(w, rq, 304);
		json_object_end(w);
	}
}

static void
write_content(struct request *rq, struct json_writer *w, const struct outcome *answer)
{
	schema_open(w, answer->type != NULL ? answer->type : "application/json");
	if (answer->shape != NULL) {
		json_key(w, T("schema"));
		schema_write(w, rq->arena, answer->shape);
	}
	json_object_end(w);
}

/* All rows of one status, which may have several types; returns the row after them. */
static const struct outcome *
write_answer(struct request *rq, struct json_writer *w, const struct outcome *answer)
{
	int status = answer->status;

	open_answer(w, rq, status);
	if (answer->shape != NULL || answer->type != NULL) {
		schema_open(w, "content");
		for (; answer->status == status; answer++)
			write_content(rq, w, answer);
		json_object_end(w);
	} else {
		answer++;
	}
	json_object_end(w);
	return answer;
}

static void
write_error_content(
    struct request *rq, struct json_writer *w, const struct error *e, const struct shape *own)
{
	static const char *const usual[] = { "Detail", "FieldErrors", "Messages" };
	size_t n = e->status == 400 ? countof(usual) : 1;

	schema_open(w, "content");
	schema_open(w, "application/json");
	schema_open(w, "schema");
	json_key(w, T("anyOf"));
	json_array(w);
	for (size_t i = 0; i < n; i++)
		schema_ref(w, rq->arena, "schemas", text_from(usual[i]));
	if (own != NULL)
		schema_write(w, rq->arena, own);
	json_array_end(w);
	json_object_end(w);
	json_key(w, T("example"));
	json_raw(w, text_from(e->example));
	json_object_end(w);
	schema_open(w, "application/problem+json");
	json_key(w, T("schema"));
	schema_ref(w, rq->arena, "schemas", T("Problem"));
	json_object_end(w);
	json_object_end(w);
}

/* own: what an action answers with this status besides the usual; may be NULL. */
static void
write_error(
    struct request *rq, struct json_writer *w, const struct error *e, const struct shape *own)
{
	schema_member(w, "description", status_reason(e->status));
	if (e->header != NULL) {
		schema_open(w, "headers");
		write_header(rq, w, e->header);
		json_object_end(w);
	}
	write_error_content(rq, w, e, own);
}

static void
write_errors(struct request *rq, struct json_writer *w, const struct route *route)
{
	for (size_t i = 0; i < countof(errors); i++) {
		const struct error *e = &errors[i];
		const struct outcome *own = own_outcome(route, e->status);

		if ((traits_of(route) & e->when) == 0 && own == NULL)
			continue;
		json_key(w, arena_printf(rq->arena, "%d", e->status));
		if (own == NULL || own->shape == NULL) {
			schema_ref(w, rq->arena, "responses", error_name(rq->arena, e));
			continue;
		}
		json_object(w);
		write_error(rq, w, e, own->shape);
		json_object_end(w);
	}
}

static void
write_answers(struct request *rq, struct json_writer *w, const struct route *route)
{
	const struct outcome *own = action_of(route)->outcomes;

	schema_open(w, "responses");
	if (engine_of(route) != NULL)
		write_engine_answer(rq, w, route);
	else
		while (own != NULL && own->status != 0 && own->status < 400)
			own = write_answer(rq, w, own);
	write_errors(rq, w, route);
	json_object_end(w);
}

/* --- operations */

/* "get_users_uuid_token"; a path without a slash at its end has one more _, as it may have a twin with it. */
static struct text
operation_id(struct request *rq, const struct route *route)
{
	struct text rest = text_from(route->pattern), segment;
	struct buf b;

	buf_init(&b, rq->arena);
	buf_add(&b, text_lower(rq->arena, text_from(method_name(route->method))));
	while (text_split(&rest, '/', &segment)) {
		if (segment.n == 0 || text_eq(segment, T("api")))
			continue;
		buf_add_char(&b, '_');
		for (size_t i = 0; i < segment.n; i++)
			if (segment.s[i] != '{' && segment.s[i] != '}')
				buf_add_char(&b, segment.s[i] == '-' ? '_' : segment.s[i]);
	}
	if (route->pattern[strlen(route->pattern) - 1] != '/')
		buf_add_char(&b, '_');
	return buf_text(&b);
}

/* The first word of the path after /api/. */
static struct text
tag_of(const struct route *route)
{
	struct text rest = text_from(route->pattern), segment = TEXT_NONE;

	while (text_split(&rest, '/', &segment))
		if (segment.n > 0 && !text_eq(segment, T("api")))
			break;
	return segment;
}

static void
write_security(struct json_writer *w, const struct route *route)
{
	static const char *const schemes[] = { "token", "bearer" };

	json_key(w, T("security"));
	json_array(w);
	if ((route->who & ANONYMOUS) != 0 && !route->no_credentials) {
		json_object(w);
		json_object_end(w);
	}
	for (size_t i = 0; i < countof(schemes) && !route->no_credentials; i++) {
		json_object(w);
		json_key(w, text_from(schemes[i]));
		json_array(w);
		json_array_end(w);
		json_object_end(w);
	}
	json_array_end(w);
}

static void
write_operation(struct request *rq, struct json_writer *w, const struct route *route)
{
	json_key(w, text_lower(rq->arena, text_from(method_name(route->method))));
	json_object(w);
	json_member_text(w, "operationId", operation_id(rq, route));
	json_key(w, T("tags"));
	json_array(w);
	json_text(w, tag_of(route));
	json_array_end(w);
	schema_member(w, "summary", route->help);
	write_security(w, route);
	write_parameters(rq, w, route);
	write_body(rq, w, route);
	write_answers(rq, w, route);
	json_object_end(w);
}

/* All rows of the pattern, in one path item; a pattern's rows may stand anywhere in its table. */
static void
write_path(struct request *rq, struct json_writer *w, const struct route_table *t, size_t first)
{
	const char *pattern = t->routes[first].pattern;

	for (size_t i = 0; i < first; i++)
		if (strcmp(t->routes[i].pattern, pattern) == 0)
			return;
	schema_open(w, pattern);
	for (size_t i = first; i < t->n; i++)
		if (strcmp(t->routes[i].pattern, pattern) == 0)
			write_operation(rq, w, &t->routes[i]);
	json_object_end(w);
}

static void
write_paths(struct request *rq, struct json_writer *w)
{
	schema_open(w, "paths");
	for (size_t t = 0; t < rq->ntables; t++)
		for (size_t i = 0; i < rq->tables[t]->n; i++)
			write_path(rq, w, rq->tables[t], i);
	json_object_end(w);
}

/* --- components */

static void
write_schemas(struct request *rq, struct json_writer *w)
{
	schema_open(w, "schemas");
	each_route(rq, w, write_components);
	json_key(w, T("Detail"));
	schema_write(w, rq->arena, &shape_detail);
	schema_open(w, "FieldErrors");
	schema_member(w, "type", "object");
	schema_member(w, "description", "Messages by field; non_field_errors: about several.");
	json_key(w, T("additionalProperties"));
	schema_write(w, rq->arena, &shape_texts);
	json_object_end(w);
	json_key(w, T("Messages"));
	schema_write(w, rq->arena, &shape_texts);
	json_key(w, T("Problem"));
	schema_write(w, rq->arena, &problem_shape);
	json_object_end(w);
}

static void
write_shared(struct request *rq, struct json_writer *w)
{
	schema_open(w, "parameters");
	for (size_t i = 0; i < countof(request_headers); i++)
		write_header_parameter(rq, w, &request_headers[i]);
	json_object_end(w);
	schema_open(w, "headers");
	for (size_t i = 0; i < countof(answer_headers); i++) {
		schema_open(w, answer_headers[i].name);
		schema_member(w, "description", answer_headers[i].help);
		schema_open(w, "schema");
		schema_member(w, "type", answer_headers[i].type);
		json_object_end(w);
		json_object_end(w);
	}
	json_object_end(w);
	schema_open(w, "responses");
	for (size_t i = 0; i < countof(errors); i++) {
		json_key(w, error_name(rq->arena, &errors[i]));
		json_object(w);
		write_error(rq, w, &errors[i], NULL);
		json_object_end(w);
	}
	json_object_end(w);
}

static void
write_schemes(struct json_writer *w)
{
	schema_open(w, "securitySchemes");
	schema_open(w, "token");
	schema_member(w, "type", "apiKey");
	schema_member(w, "in", "header");
	schema_member(w, "name", "Authorization");
	schema_member(
	    w, "description", "Token, a blank, and the 40 hexadecimal digits of the key.");
	json_object_end(w);
	schema_open(w, "bearer");
	schema_member(w, "type", "http");
	schema_member(w, "scheme", "bearer");
	schema_member(w, "description", "The same key as for Token.");
	json_object_end(w);
	json_object_end(w);
}

static void
write_head(struct request *rq, struct json_writer *w)
{
	schema_member(w, "openapi", "3.1.0");
	schema_open(w, "info");
	schema_member(w, "title", "roster");
	schema_member(w, "version", PACKAGE_VERSION);
	schema_member(w, "description",
	    "Accounts, organizations, projects, roles and keys. HEAD works wherever GET does; on a "
	    "list it tells the count. Errors are as application/problem+json has them when Accept "
	    "asks for it.");
	schema_open(w, "license");
	schema_member(w, "name", "All rights reserved");
	schema_member(w, "identifier", "LicenseRef-none");
	json_object_end(w);
	json_object_end(w);
	json_key(w, T("servers"));
	json_array(w);
	json_object(w);
	json_member_text(w, "url", rq->base);
	json_object_end(w);
	json_array_end(w);
}

static void
write_document(struct request *rq, struct json_writer *w)
{
	json_object(w);
	write_head(rq, w);
	write_paths(rq, w);
	schema_open(w, "components");
	write_schemas(rq, w);
	write_shared(rq, w);
	write_schemes(w);
	json_object_end(w);
	json_object_end(w);
}

static struct text
print_document(struct request *rq)
{
	struct json_writer w;
	struct buf out;

	buf_init(&out, rq->arena);
	json_writer_init(&w, rq->arena, json_sink_buf, &out, rq->config->uuid_format);
	write_document(rq, &w);
	must(!json_failed(&w));
	return buf_text(&out);
}

static struct text
print_yaml(struct request *rq)
{
	static const struct json_limits limits = { .depth = BODY_DEPTH_MAX, .values = SIZE_MAX };
	struct text problem;
	const struct json *document = json_read(print_document(rq), &limits, rq->arena, &problem);
	struct buf out;

	must(document != NULL);
	buf_init(&out, rq->arena);
	schema_yaml(document, &out);
	return buf_text(&out);
}

static bool
wants_yaml(struct request *rq)
{
	struct text format = request_param(rq, T("format"));

	return text_is_none(format) ? request_accepts(rq, T("application/yaml"))
				    : text_eq(format, T("yaml"));
}

int
schema(struct request *rq)
{
	bool yaml = wants_yaml(rq);
	struct text document;

	if (!yaml && !request_accepts_json(rq))
		return reply_not_acceptable(rq);
	document = yaml ? print_yaml(rq) : print_document(rq);
	reply_hold(rq);
	reply_text(rq, 200);
	reply_header(rq, "Content-Type", yaml ? T("application/yaml") : T("application/json"));
	reply_sink(rq, document.s, document.n);
	return reply_etag(rq, 0);
}
