/*
 * GET /api/schema/: the API as OpenAPI 3.1, written from the tables that run it: routes, and the fields,
 * filters and orders of the resources. What it says is what the service does; it cannot fall behind.
 *
 * Handlers of the engine tell the shape of their answers. Of other actions it says the answer's statuses
 * and that it is JSON.
 */
#include "base/base.h"

#include "http/etag.h"
#include "http/page.h"
#include "ops/ops_int.h"
#include "resource/resource.h"

/* Which of a resource's fields, and for what. */
enum shape { SHAPE_READ, SHAPE_CREATE, SHAPE_UPDATE };

static const char *const shape_suffixes[] = { "", "Create", "Update" };

/* What OpenAPI calls a kind. */
static const struct {
	const char *type, *format; /* type NULL: anything */
} kinds[] = {
	[KIND_INT] = { "integer", NULL },
	[KIND_MAYBE] = { "integer", NULL },
	[KIND_BOOL] = { "boolean", NULL },
	[KIND_TEXT] = { "string", NULL },
	[KIND_UUID] = { "string", NULL }, /* with or without dashes, as the configuration says */
	[KIND_STAMP] = { "string", "date-time" },
	[KIND_DATE] = { "string", "date" },
	[KIND_BYTES] = { NULL, NULL },
	[KIND_JSON] = { NULL, NULL },
};

static void
member(struct json_writer *w, const char *key, const char *value)
{
	json_member_text(w, key, text_from(value));
}

static void
member_true(struct json_writer *w, const char *key)
{
	json_key(w, text_from(key));
	json_bool(w, true);
}

static void
open_member(struct json_writer *w, const char *key)
{
	json_key(w, text_from(key));
	json_object(w);
}

static enum who
who_of(const struct field *f, enum shape shape)
{
	enum who who = shape == SHAPE_READ ? f->read
	    : shape == SHAPE_CREATE        ? f->create
					   : f->update;

	return who & ~(enum who)OPERATOR;
}

/* "user agreement" and SHAPE_CREATE as "UserAgreementCreate". */
static struct text
component(struct arena *a, const struct resource *r, enum shape shape)
{
	struct buf b;
	bool upper = true;

	buf_init(&b, a);
	for (const char *p = r->name; *p != '\0'; p++) {
		bool letter = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z');

		if (letter)
			buf_add_char(&b, upper && *p >= 'a' ? (char)(*p - 'a' + 'A') : *p);
		upper = !letter;
	}
	buf_add(&b, text_from(shape_suffixes[shape]));
	return buf_text(&b);
}

static void
write_ref(struct json_writer *w, struct arena *a, struct text name)
{
	json_member_text(w, "$ref", arena_printf(a, "#/components/schemas/%.*s", TEXT_ARGS(name)));
}

/* A table does not say which columns are never NULL; those that must be sent are not. */
static bool
may_be_null(const struct field *f, enum shape shape)
{
	if (shape != SHAPE_READ)
		return f->input.nullable;
	return f->kind != KIND_BOOL && f->kind != KIND_INT && !f->input.required;
}

static void
write_type(struct json_writer *w, const char *type, bool null)
{
	json_key(w, T("type"));
	if (!null) {
		json_text(w, text_from(type));
		return;
	}
	json_array(w);
	json_text(w, text_from(type));
	json_text(w, T("null"));
	json_array_end(w);
}

static void
write_choices(struct json_writer *w, const char *const *choices, bool null)
{
	json_key(w, T("enum"));
	json_array(w);
	for (; *choices != NULL; choices++)
		json_text(w, text_from(*choices));
	if (null)
		json_null(w);
	json_array_end(w);
}

static void
write_limits(struct json_writer *w, const struct field *f, bool null)
{
	const struct input *in = &f->input;

	if (in->choices != NULL)
		write_choices(w, in->choices, null);
	if (f->kind == KIND_TEXT && in->max > 0)
		json_member_value(w, "maxLength", V(in->max));
	if (in->bounded) {
		json_member_value(w, "minimum", V(in->min));
		json_member_value(w, "maximum", V(in->max));
	}
}

static void
write_field(struct json_writer *w, const struct field *f, enum shape shape)
{
	bool null = may_be_null(f, shape);
	/* What encoders write and decoders read is known to them alone. */
	bool plain = kinds[f->kind].type != NULL &&
	    (shape == SHAPE_READ ? f->encode == NULL : f->decode == NULL);

	open_member(w, f->name);
	if (plain)
		write_type(w, kinds[f->kind].type, null);
	if (plain && (f->url != NULL || kinds[f->kind].format != NULL))
		member(w, "format", f->url != NULL ? "uri" : kinds[f->kind].format);
	if (plain && shape != SHAPE_READ)
		write_limits(w, f, null);
	if (shape == SHAPE_READ && who_of(f, SHAPE_CREATE) == 0 && who_of(f, SHAPE_UPDATE) == 0)
		member_true(w, "readOnly");
	member(w, "description", f->help);
	json_object_end(w);
}

static void
write_required(struct json_writer *w, const struct resource *r)
{
	bool any = false;

	for (size_t i = 0; i < r->nfields; i++) {
		const struct field *f = &r->fields[i];

		if (!f->input.required || who_of(f, SHAPE_CREATE) == 0)
			continue;
		if (!any) {
			json_key(w, T("required"));
			json_array(w);
			any = true;
		}
		json_text(w, text_from(f->name));
	}
	if (any)
		json_array_end(w);
}

static void
write_component(struct json_writer *w, struct arena *a, const struct resource *r, enum shape shape)
{
	json_key(w, component(a, r, shape));
	json_object(w);
	member(w, "type", "object");
	if (shape == SHAPE_READ)
		member(w, "description",
		    "Which fields are there depends on who asks, and on field= in the query.");
	if (shape == SHAPE_CREATE)
		write_required(w, r);
	open_member(w, "properties");
	for (size_t i = 0; i < r->nfields; i++)
		if (who_of(&r->fields[i], shape) != 0)
			write_field(w, &r->fields[i], shape);
	json_object_end(w);
	json_object_end(w);
}

/* What a handler of the engine makes of its resource. */
enum answer { ANSWER_OTHER, ANSWER_LIST, ANSWER_OBJECT, ANSWER_CREATED, ANSWER_NOTHING };

static const struct engine_handler {
	handler *handle;
	enum answer answer;
	enum shape body; /* SHAPE_READ: none */
} engine[] = {
	{ resource_list, ANSWER_LIST, SHAPE_READ },
	{ resource_retrieve, ANSWER_OBJECT, SHAPE_READ },
	{ resource_create, ANSWER_CREATED, SHAPE_CREATE },
	{ resource_update, ANSWER_OBJECT, SHAPE_UPDATE },
	{ resource_delete, ANSWER_NOTHING, SHAPE_READ },
};

static const struct engine_handler other = { .answer = ANSWER_OTHER };

static const struct engine_handler *
engine_of(const struct route *route)
{
	for (size_t i = 0; i < countof(engine); i++)
		if (engine[i].handle == route->handle)
			return &engine[i];
	return &other;
}

/* NULL when the engine does not serve the row. */
static const struct resource *
resource_of(const struct route *route)
{
	return engine_of(route) != &other ? route->subject : NULL;
}

/* Has an earlier row the same resource? Then its components are written already. */
static bool
is_first(const struct request *rq, const struct route *route)
{
	for (size_t t = 0; t < rq->ntables; t++)
		for (size_t i = 0; i < rq->tables[t]->n; i++) {
			const struct route *r = &rq->tables[t]->routes[i];

			if (r == route)
				return true;
			if (resource_of(r) == resource_of(route))
				return false;
		}
	unreachable();
}

static void
write_components(struct request *rq, struct json_writer *w)
{
	for (size_t t = 0; t < rq->ntables; t++)
		for (size_t i = 0; i < rq->tables[t]->n; i++) {
			const struct route *r = &rq->tables[t]->routes[i];

			if (resource_of(r) == NULL || !is_first(rq, r))
				continue;
			for (enum shape s = SHAPE_READ; s <= SHAPE_UPDATE; s++)
				write_component(w, rq->arena, resource_of(r), s);
		}
}

static void
write_parameter(
    struct json_writer *w, const char *in, const char *name, const char *type, const char *help)
{
	json_object(w);
	member(w, "name", name);
	member(w, "in", in);
	if (strcmp(in, "path") == 0)
		member_true(w, "required");
	open_member(w, "schema");
	member(w, "type", type);
	json_object_end(w);
	if (help != NULL)
		member(w, "description", help);
	json_object_end(w);
}

static void
write_path_parameters(struct request *rq, struct json_writer *w, const struct route *route)
{
	struct text rest = text_from(route->pattern), segment;

	while (text_split(&rest, '/', &segment))
		if (text_starts(segment, T("{")))
			write_parameter(w, "path",
			    arena_text(rq->arena, text_slice(segment, 1, segment.n - 1)).s,
			    "string", NULL);
}

static void
write_order(struct json_writer *w, const struct resource *r)
{
	json_object(w);
	member(w, "name", "o");
	member(w, "in", "query");
	member(
	    w, "description", "Orders by fields, separated by commas; - before one: descending.");
	open_member(w, "schema");
	member(w, "type", "string");
	json_key(w, T("examples"));
	json_array(w);
	for (size_t i = 0; i < r->nfields; i++)
		if (r->fields[i].order[0] != NULL)
			json_text(w, text_from(r->fields[i].name));
	json_array_end(w);
	json_object_end(w);
	json_object_end(w);
}

static void
write_list_parameters(struct json_writer *w, const struct resource *r)
{
	for (size_t i = 0; i < r->nfields; i++)
		if (r->fields[i].filter != FILTER_NONE)
			write_parameter(w, "query", r->fields[i].name, "string", r->fields[i].help);
	for (const struct filter *f = r->filters; f != NULL && f->name != NULL; f++)
		write_parameter(w, "query", f->name, "string", f->help);
	write_order(w, r);
	write_parameter(
	    w, "query", "page", "string", "Number of the page, from 1; last: the last.");
	write_parameter(
	    w, "query", "page_size", "integer", "Objects of a page, 10 unless told, at most 300.");
}

static void
write_parameters(struct request *rq, struct json_writer *w, const struct route *route)
{
	const struct engine_handler *e = engine_of(route);

	json_key(w, T("parameters"));
	json_array(w);
	write_path_parameters(rq, w, route);
	if (e->answer == ANSWER_LIST)
		write_list_parameters(w, route->subject);
	if (e->answer == ANSWER_LIST || route->handle == resource_retrieve)
		write_parameter(
		    w, "query", "field", "string", "Only this field; may be given several times.");
	json_array_end(w);
}

static void
write_body(struct request *rq, struct json_writer *w, const struct route *route)
{
	static const char *const types[] = { "application/json",
		"application/x-www-form-urlencoded", "multipart/form-data" };
	const struct engine_handler *e = engine_of(route);

	if (e->body == SHAPE_READ)
		return;
	open_member(w, "requestBody");
	open_member(w, "content");
	for (size_t i = 0; i < countof(types); i++) {
		open_member(w, types[i]);
		open_member(w, "schema");
		write_ref(w, rq->arena, component(rq->arena, route->subject, e->body));
		json_object_end(w);
		json_object_end(w);
	}
	json_object_end(w);
	json_object_end(w);
}

static void
write_content(struct request *rq, struct json_writer *w, const struct route *route)
{
	const struct engine_handler *e = engine_of(route);

	open_member(w, "content");
	open_member(w, "application/json");
	open_member(w, "schema");
	if (e->answer == ANSWER_LIST) {
		member(w, "type", "array");
		open_member(w, "items");
	}
	if (e->answer != ANSWER_OTHER)
		write_ref(w, rq->arena, component(rq->arena, route->subject, SHAPE_READ));
	if (e->answer == ANSWER_LIST)
		json_object_end(w);
	json_object_end(w);
	json_object_end(w);
	json_object_end(w);
}

static void
write_answers(struct request *rq, struct json_writer *w, const struct route *route)
{
	static const char *const codes[] = { [ANSWER_OTHER] = "2XX",
		[ANSWER_LIST] = "200",
		[ANSWER_OBJECT] = "200",
		[ANSWER_CREATED] = "201",
		[ANSWER_NOTHING] = "204" };
	enum answer answer = engine_of(route)->answer;

	open_member(w, "responses");
	open_member(w, codes[answer]);
	member(w, "description", "Done.");
	if (answer != ANSWER_NOTHING && !route->any_accept)
		write_content(rq, w, route);
	json_object_end(w);
	open_member(w, "default");
	member(w, "$ref", "#/components/responses/Error");
	json_object_end(w);
	json_object_end(w);
}

static void
write_operation(struct request *rq, struct json_writer *w, const struct route *route)
{
	struct text method = text_lower(rq->arena, text_from(method_name(route->method)));

	json_key(w, method);
	json_object(w);
	member(w, "summary", route->help);
	json_key(w, T("security"));
	json_array(w);
	if ((route->who & ANONYMOUS) == 0) {
		json_object(w);
		json_key(w, T("token"));
		json_array(w);
		json_array_end(w);
		json_object_end(w);
	}
	json_array_end(w);
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
	open_member(w, pattern);
	for (size_t i = first; i < t->n; i++)
		if (strcmp(t->routes[i].pattern, pattern) == 0)
			write_operation(rq, w, &t->routes[i]);
	json_object_end(w);
}

static void
write_paths(struct request *rq, struct json_writer *w)
{
	for (size_t t = 0; t < rq->ntables; t++)
		for (size_t i = 0; i < rq->tables[t]->n; i++)
			write_path(rq, w, rq->tables[t], i);
}

static void
write_error(struct json_writer *w)
{
	static const char *const types[] = { "application/json", "application/problem+json" };

	open_member(w, "responses");
	open_member(w, "Error");
	member(w, "description",
	    "What is wrong: detail, or messages by field, or a list of messages; as RFC 9457 has it "
	    "when Accept asks for application/problem+json.");
	open_member(w, "content");
	for (size_t i = 0; i < countof(types); i++) {
		open_member(w, types[i]);
		open_member(w, "schema");
		json_object_end(w);
		json_object_end(w);
	}
	json_object_end(w);
	json_object_end(w);
	json_object_end(w);
}

static void
write_security(struct json_writer *w)
{
	open_member(w, "securitySchemes");
	open_member(w, "token");
	member(w, "type", "apiKey");
	member(w, "in", "header");
	member(w, "name", "Authorization");
	member(w, "description", "Token, a blank, and the 40 hexadecimal digits of the key.");
	json_object_end(w);
	json_object_end(w);
}

static void
write_document(struct request *rq, struct json_writer *w)
{
	json_object(w);
	member(w, "openapi", "3.1.0");
	open_member(w, "info");
	member(w, "title", "roster");
	member(w, "version", PACKAGE_VERSION);
	member(w, "description", "Accounts, organizations, projects, roles and keys.");
	json_object_end(w);
	open_member(w, "paths");
	write_paths(rq, w);
	json_object_end(w);
	open_member(w, "components");
	open_member(w, "schemas");
	write_components(rq, w);
	json_object_end(w);
	write_error(w);
	write_security(w);
	json_object_end(w);
	json_object_end(w);
}

int
schema(struct request *rq)
{
	reply_hold(rq);
	write_document(rq, reply_json(rq, 200));
	(void)reply_end(rq);
	return reply_etag(rq, 0);
}
