/*
 * GET /api/schema/: the API as OpenAPI 3.1, written from the tables that run it: routes, the fields, filters
 * and orders of the resources, and what actions say of themselves (http/shape.h). Here is the document;
 * schema_request.c and schema_answer.c write what an operation takes and answers.
 */
#include "base/base.h"

#include "http/etag.h"
#include "ops/ops_int.h"
#include "ops/schema_int.h"

/* NULL when the engine does not serve the row. */
static const struct resource *
resource_of(const struct route *route)
{
	return schema_engine(route) != NULL ? route->subject : NULL;
}

/* Does the row need a component of this use of the resource? */
static bool
needs(const struct route *route, const struct resource *r, enum use use)
{
	const struct engine_handler *e = schema_engine(route);

	if (resource_of(route) != r)
		return false;
	switch (use) {
	case USE_READ:
	case USE_FIELD:
		return e->list || e->tagged;
	case USE_ORDER:
		return e->list;
	default:
		return schema_body_use(route) == use;
	}
}

/* The body of an action: a component of its own, as those of resources are, which all its forms refer to. */
static void
write_action_component(struct request *rq, struct json_writer *w, const struct route *route)
{
	if (!schema_has_action_body(route))
		return;
	json_key(w, schema_action_name(rq, route));
	schema_write_action(rq, w, route);
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

	for (enum use use = USE_READ; r != NULL && use <= USE_ORDER; use++) {
		if (!needs(route, r, use) || !is_first(rq, route, use))
			continue;
		json_key(w, schema_name(rq->arena, r, use));
		if (use <= USE_UPDATE)
			schema_write_resource(w, rq->arena, r, use, NULL);
		else
			schema_write_names(w, rq->arena, r, use);
	}
}

/* --- operations */

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
	json_member_text(w, "operationId", schema_operation(rq, route));
	json_key(w, T("tags"));
	json_array(w);
	json_text(w, tag_of(route));
	json_array_end(w);
	schema_member(w, "summary", route->help);
	if (route->who == STAFF)
		schema_member(w, "description", "For staff alone.");
	write_security(w, route);
	schema_write_parameters(rq, w, route);
	schema_write_body(rq, w, route);
	schema_write_answers(rq, w, route);
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
	each_route(rq, w, write_action_component);
	json_key(w, T("Detail"));
	schema_write_whole(w, rq->arena, &shape_detail);
	json_key(w, T("FieldErrors"));
	schema_write(w, rq->arena, &schema_field_errors);
	json_key(w, T("Messages"));
	schema_write(w, rq->arena, &shape_texts);
	json_key(w, T("Problem"));
	schema_write(w, rq->arena, &schema_problem);
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
	schema_member(w, "description", "The same 40 digits alone.");
	json_object_end(w);
	json_object_end(w);
}

/* What no operation tells alone; CommonMark. */
static const char about[] =
    "Accounts, organizations, projects, roles and SSH keys.\n\n"
    "**Signing in.** `POST /api-auth/password/` answers with a token, which is sent as"
    " `Authorization: Token <token>` or `Bearer <token>`.\n\n"
    "**Lists** are arrays. `X-Result-Count` tells how many objects there are in all, and `Link` where"
    " the first, previous, next and last page is; a page's URL is to be followed as it is.\n\n"
    "**Values.** Times are UTC, as RFC 3339 has them, with microseconds. A uuid is taken with and"
    " without dashes.\n\n"
    "**Changes.** With an object's `ETag` in `If-Match` a change is made only when nobody has changed"
    " the object since, and is else answered 412; in `If-None-Match` it lets a GET answer 304."
    " A POST with an `Idempotency-Key` is carried out once, however often it is sent.\n\n"
    "**Errors** are `{\"detail\": ...}`, messages by field, or a list of messages; with"
    " `Accept: application/problem+json` they are what RFC 9457 describes. `Retry-After` tells when"
    " to ask again. An operator finds any answer by its `X-Request-ID`.\n\n"
    "**Paths.** HEAD works wherever GET does; on a list it tells the count. A GET without the slash at"
    " its end is sent to the path with it.";

/* What the first words of the paths are about. */
static void
write_tags(struct request *rq, struct json_writer *w)
{
	json_key(w, T("tags"));
	json_array(w);
	for (size_t t = 0; t < rq->ntables; t++)
		for (const struct tag *tag = rq->tables[t]->tags; tag != NULL && tag->word != NULL;
		     tag++) {
			json_object(w);
			schema_member(w, "name", tag->word);
			schema_member(w, "description", tag->help);
			json_object_end(w);
		}
	json_array_end(w);
}

static void
write_head(struct request *rq, struct json_writer *w)
{
	schema_member(w, "openapi", "3.1.0");
	schema_open(w, "info");
	schema_member(w, "title", "roster");
	schema_member(w, "version", PACKAGE_VERSION);
	schema_member(w, "description", about);
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
	write_tags(rq, w);
	write_paths(rq, w);
	schema_open(w, "components");
	write_schemas(rq, w);
	schema_write_header_parameters(rq, w);
	schema_write_answer_parts(rq, w);
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
