/* Between the files of the API's description: tables as JSON Schema (2020-12), which OpenAPI 3.1 takes. */
#ifndef ROSTER_OPS_SCHEMA_INT_H
#define ROSTER_OPS_SCHEMA_INT_H

#include "http/http.h"
#include "http/shape.h"
#include "resource/resource.h"

/*
 * What of a resource is described: an answer, or the body of a POST, of a PUT that must be whole, or of another
 * PUT or a PATCH; and the names that field and o in the query take.
 */
enum use { USE_READ, USE_CREATE, USE_REPLACE, USE_UPDATE, USE_FIELD, USE_ORDER };

/* schema_route.c */

/* What a handler of the engine makes of its resource. */
struct engine_handler {
	handler *handle;
	int status;
	bool list, tagged; /* a list of objects; an ETag with the object */
	enum use body;     /* USE_READ: none; see schema_body_use() */
};

/* NULL when the engine has no part in it. */
const struct engine_handler *schema_engine(const struct route *route);

/* What its body is of the engine's resource; USE_READ: it has none. */
enum use schema_body_use(const struct route *route);

/* What the route says of itself; empty when that is nothing. */
const struct action *schema_action(const struct route *route) RETURNS_NONNULL;

/* Has it a body of its own, and none of a resource? */
bool schema_has_action_body(const struct route *route);

/* "users_token_retrieve" */
struct text schema_operation(struct request *rq, const struct route *route);

/* "UsersChangePasswordRequest": the component of that body. */
struct text schema_action_name(struct request *rq, const struct route *route);

/* What decides which headers and errors a route has, a bit each. */
enum trait {
	ALWAYS = 1 << 0,
	SIGNED = 1 << 1,     /* credentials are looked at */
	NAMED = 1 << 2,      /* the path names an object, or the query a page */
	SENT = 1 << 3,       /* there may be a body */
	IDEMPOTENT = 1 << 4, /* Idempotency-Key is heeded */
	CHANGED = 1 << 5,    /* If-Match is heeded */
	CACHED = 1 << 6,     /* If-None-Match is heeded */
	RANGED = 1 << 7,     /* Range is heeded, and the conditions of RFC 9110 */
	JSON = 1 << 8,       /* the answer is JSON, and nothing else is accepted */
};

unsigned schema_traits(const struct route *route);

/* What the route says of a status itself; NULL: nothing. */
const struct outcome *schema_outcome(const struct route *route, int status);

/* schema_request.c: members of an operation, and of components what they refer to. */
void schema_write_parameters(struct request *rq, struct json_writer *w, const struct route *route);
void schema_write_body(struct request *rq, struct json_writer *w, const struct route *route);
void schema_write_action(struct request *rq, struct json_writer *w, const struct route *route);
void schema_write_header_parameters(struct request *rq, struct json_writer *w);

/* schema_answer.c: the same. */
extern const struct shape schema_field_errors, schema_problem;
void schema_write_answers(struct request *rq, struct json_writer *w, const struct route *route);
void schema_write_answer_parts(struct request *rq, struct json_writer *w);

/* schema_shape.c */

/* The field as it is in an answer or in a body; false when it is in none. */
bool schema_field(const struct field *f, enum use use, struct shape *s) MUST_CHECK;

/* What a body may hold, by the rules for it. */
struct shape schema_body_field(const struct body_field *f);

/* The values that the field's are among; NULL: any. */
const char *const *schema_choices(const struct field *f);

/* {"type": ..., ...}, or a reference to the component that it is. */
void schema_write(struct json_writer *w, struct arena *a, const struct shape *s);

/* The same, for the component itself. */
void schema_write_whole(struct json_writer *w, struct arena *a, const struct shape *s);

/* {"type": "object", ...} of a resource's fields, and the members besides; more may be NULL. */
void schema_write_resource(struct json_writer *w, struct arena *a, const struct resource *r,
    enum use use, const struct shape *more);

/* Is the field's name among those of USE_FIELD or USE_ORDER? */
bool schema_names(const struct field *f, enum use use);

/* {"type": "string", "enum": [...]} of them. */
void schema_write_names(
    struct json_writer *w, struct arena *a, const struct resource *r, enum use use);

/* "UserCreate" */
struct text schema_name(struct arena *a, const struct resource *r, enum use use);

void schema_member(struct json_writer *w, const char *key, const char *value);
void schema_member_true(struct json_writer *w, const char *key);
void schema_open(struct json_writer *w, const char *key); /* "key": { */

/* {"$ref": "#/components/<kind>/<name>"} */
void schema_ref(struct json_writer *w, struct arena *a, const char *kind, struct text name);

/* schema_yaml.c: the document, an object, as YAML. */
void schema_yaml(const struct json *document, struct buf *out);

#endif
