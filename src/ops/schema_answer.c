/* What may be answered, errors included. */
#include "base/base.h"

#include "ops/schema_int.h"

/* clang-format off */
/* Headers of answers. */
static const struct answer_header {
	const char *name;
	const char *type;
	const char *help;
} answer_headers[] = {
	{ "Content-Range", "string", "Which bytes these are, of how many." },
	{ "ETag", "string", "The object's version, for If-Match and If-None-Match." },
	{ "Idempotent-Replayed", "boolean",
	  "true: the answer to an earlier request with the same Idempotency-Key." },
	{ "Last-Modified", "string", "For If-Modified-Since and If-Unmodified-Since." },
	{ "Link", "string", "The pages first, prev, next and last (RFC 8288)." },
	{ "Location", "string", "Where the new object is found." },
	{ "Retry-After", "integer", "Seconds after which the request may be sent again." },
	{ "WWW-Authenticate", "string", "Token: what Authorization begins with." },
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
	{ 408, ALWAYS, NULL, "{\"detail\":\"The request took too long to arrive.\"}" },
	{ 409, IDEMPOTENT, NULL,
	  "{\"detail\":\"A request with the same Idempotency-Key is still being processed.\"}" },
	{ 411, SENT, NULL, "{\"detail\":\"A Content-Length is required.\"}" },
	{ 412, CHANGED, NULL, "{\"detail\":\"The object has changed since it was read.\"}" },
	{ 413, ALWAYS, NULL, "{\"detail\":\"The request body is too large.\"}" },
	{ 414, ALWAYS, NULL, "{\"detail\":\"The request's address is too long.\"}" },
	{ 415, SENT, NULL, "{\"detail\":\"Unsupported media type \\\"text/plain\\\" in request.\"}" },
	{ 416, 0, NULL, "{\"detail\":\"The range is not satisfiable.\"}" },
	{ 422, IDEMPOTENT, NULL,
	  "{\"detail\":\"This Idempotency-Key was used before with another request.\"}" },
	{ 429, ALWAYS, "Retry-After",
	  "{\"detail\":\"Request was throttled. Expected available in 4 seconds.\"}" },
	{ 431, ALWAYS, NULL, "{\"detail\":\"The request's headers are too large.\"}" },
	{ 500, ALWAYS, NULL, "{\"detail\":\"Internal server error.\"}" },
	{ 501, ALWAYS, NULL,
	  "{\"detail\":\"The request uses a part of HTTP that is not supported.\"}" },
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
	{ .name = "errors", .kind = KIND_JSON, .optional = true, .values = &shape_texts,
	  .help = "Messages by field, as without application/problem+json." },
	{ 0 },
};
/* clang-format on */

const struct shape schema_field_errors = {
	.kind = KIND_JSON,
	.values = &shape_texts,
	.help = "Messages by field; non_field_errors: about several.",
};

const struct shape schema_problem = {
	.kind = KIND_JSON,
	.members = problem_members,
	.help = "What is wrong, as RFC 9457 has it.",
};

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

static void
write_engine_schema(
    struct request *rq, struct json_writer *w, const struct route *route, const struct shape *more)
{
	const struct resource *r = route->subject;
	bool list = schema_engine(route)->list;

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
	if (e->status == 201) {
		write_header(rq, w, "Location");
		write_header(rq, w, "Idempotent-Replayed");
	}
	json_object_end(w);
}

static void
write_engine_answer(struct request *rq, struct json_writer *w, const struct route *route)
{
	const struct engine_handler *e = schema_engine(route);
	const struct outcome *own = schema_outcome(route, e->status);

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
	if ((schema_traits(route) & CACHED) != 0) {
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

/* By what the client may ask later whether it still has the same, and whether he had it before. */
static void
write_own_headers(struct request *rq, struct json_writer *w, const struct route *route, int status)
{
	unsigned traits = schema_traits(route);

	if (status >= 300 || (traits & (CACHED | IDEMPOTENT)) == 0)
		return;
	schema_open(w, "headers");
	if ((traits & CACHED) != 0)
		write_header(rq, w, "ETag");
	if ((traits & IDEMPOTENT) != 0)
		write_header(rq, w, "Idempotent-Replayed");
	if ((traits & RANGED) != 0)
		write_header(rq, w, "Last-Modified");
	if (status == 206)
		write_header(rq, w, "Content-Range");
	json_object_end(w);
}

/* All rows of one status, which may have several types; returns the row after them. */
static const struct outcome *
write_answer(struct request *rq, struct json_writer *w, const struct route *route,
    const struct outcome *answer)
{
	int status = answer->status;

	open_answer(w, rq, status);
	write_own_headers(rq, w, route, status);
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
write_error_schema(
    struct request *rq, struct json_writer *w, const struct error *e, const struct shape *own)
{
	static const char *const usual[] = { "Detail", "FieldErrors", "Messages" };
	size_t n = e->status == 400 ? countof(usual) : 1;

	json_key(w, T("schema"));
	if (n == 1 && own == NULL) {
		schema_ref(w, rq->arena, "schemas", text_from(usual[0]));
		return;
	}
	json_object(w);
	json_key(w, T("anyOf"));
	json_array(w);
	for (size_t i = 0; i < n; i++)
		schema_ref(w, rq->arena, "schemas", text_from(usual[i]));
	if (own != NULL)
		schema_write(w, rq->arena, own);
	json_array_end(w);
	json_object_end(w);
}

static void
write_error_content(
    struct request *rq, struct json_writer *w, const struct error *e, const struct shape *own)
{
	schema_open(w, "content");
	schema_open(w, "application/json");
	write_error_schema(rq, w, e, own);
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
		const struct outcome *own = schema_outcome(route, e->status);

		if ((schema_traits(route) & e->when) == 0 && own == NULL)
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

void
schema_write_answers(struct request *rq, struct json_writer *w, const struct route *route)
{
	const struct outcome *own = schema_action(route)->outcomes;

	schema_open(w, "responses");
	if (schema_engine(route) != NULL)
		write_engine_answer(rq, w, route);
	else
		while (own != NULL && own->status != 0 && own->status < 400)
			own = write_answer(rq, w, route, own);
	write_errors(rq, w, route);
	json_object_end(w);
}

void
schema_write_answer_parts(struct request *rq, struct json_writer *w)
{
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
