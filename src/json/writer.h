/*
 * JSON out (yajl's generator) through a sink. yajl forgets its first error; the writer keeps it:
 * after one, calls do nothing, and json_failed() is looked at once, at the end. Invalid UTF-8 and
 * calls that would not give JSON are such errors, and our mistakes.
 */
#ifndef ROSTER_JSON_WRITER_H
#define ROSTER_JSON_WRITER_H

#include "base/arena.h"
#include "base/base.h"
#include "base/buf.h"
#include "base/text.h"
#include "base/value.h"

typedef void json_sink(void *ctx, const char *s, size_t n);

struct json;

struct json_writer {
	void *gen;
	json_sink *sink;
	void *ctx;
	enum uuid_form uuid_form;
	bool failed;
};

/* Compact output. What it allocates is on the arena. */
void json_writer_init(
    struct json_writer *w, struct arena *a, json_sink *sink, void *ctx, enum uuid_form form);

/* A sink that adds to the struct buf that is its ctx. */
void json_sink_buf(void *buf, const char *s, size_t n);

void json_object(struct json_writer *w);
void json_object_end(struct json_writer *w);
void json_array(struct json_writer *w);
void json_array_end(struct json_writer *w);

/* A member's key; its value comes next. */
void json_key(struct json_writer *w, struct text key);

void json_text(struct json_writer *w, struct text t); /* null for none */
void json_int(struct json_writer *w, int64_t i);
void json_bool(struct json_writer *w, bool b);
void json_null(struct json_writer *w);
void json_raw(struct json_writer *w, struct text json); /* a JSON document as it is */

/* What json_read() has read; no files. */
void json_tree(struct json_writer *w, const struct json *json);

/* By the value's kind: times in RFC 3339, uuids in the writer's form, NULL as null. KIND_BYTES: our mistake. */
void json_value(struct json_writer *w, struct value v);

/* A key and a value at once. */
void json_member_text(struct json_writer *w, const char *key, struct text t);
void json_member_value(struct json_writer *w, const char *key, struct value v);

/* Has something gone wrong, or is the document not complete yet? */
bool json_failed(const struct json_writer *w);

#endif
