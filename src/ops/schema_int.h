/* Between the files of the API's description: tables as JSON Schema (2020-12), which OpenAPI 3.1 takes. */
#ifndef ROSTER_OPS_SCHEMA_INT_H
#define ROSTER_OPS_SCHEMA_INT_H

#include "http/http.h"
#include "http/shape.h"
#include "resource/resource.h"

/* What of a resource is described: an answer, or the body of a POST, or of a PUT or PATCH. */
enum use { USE_READ, USE_CREATE, USE_UPDATE };

/* The field as it is in an answer or in a body; false when it is in none. */
bool schema_field(const struct field *f, enum use use, struct shape *s) MUST_CHECK;

/* What a body may hold, by the rules for it. */
struct shape schema_body_field(const struct body_field *f);

/* {"type": ..., ...} */
void schema_write(struct json_writer *w, struct arena *a, const struct shape *s);

/* {"type": "object", ...} of a resource's fields, and the members besides; more may be NULL. */
void schema_write_resource(struct json_writer *w, struct arena *a, const struct resource *r,
    enum use use, const struct shape *more);

/* "UserCreate" */
struct text schema_name(struct arena *a, const struct resource *r, enum use use);

void schema_member(struct json_writer *w, const char *key, const char *value);
void schema_member_true(struct json_writer *w, const char *key);
void schema_open(struct json_writer *w, const char *key); /* "key": { */

/* {"$ref": "#/components/<kind>/<name>"} */
void schema_ref(struct json_writer *w, struct arena *a, const char *kind, struct text name);

/* The document, an object, as YAML. */
void schema_yaml(const struct json *document, struct buf *out);

#endif
