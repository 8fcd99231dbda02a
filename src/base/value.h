/*
 * A value with its kind: what is bound to a statement, what comes back in a column, what a
 * body's field was read into, what JSON is written from. One type for all four.
 */
#ifndef ROSTER_BASE_VALUE_H
#define ROSTER_BASE_VALUE_H

#include "base/base.h"
#include "base/stamp.h"
#include "base/text.h"
#include "base/uuid.h"

enum kind {
	KIND_NONE, /* a table row that forgot its kind; to sql_row(), a column's DEFAULT */
	KIND_INT,
	KIND_MAYBE, /* an integer or NULL */
	KIND_BOOL,
	KIND_TEXT,
	KIND_BYTES, /* not text: hashes, images, sealed tokens */
	KIND_UUID,
	KIND_STAMP,
	KIND_DATE,
	KIND_JSON, /* text that is a JSON document; written raw */
};

/* An integer that may be absent. */
struct maybe {
	bool is;
	int64_t n;
};

struct bytes {
	const uint8_t *p; /* NULL: SQL's NULL */
	size_t n;
};

struct value {
	enum kind kind;
	bool null;
	union {
		int64_t i; /* KIND_INT, KIND_MAYBE */
		bool b;
		struct text t; /* KIND_TEXT, KIND_JSON */
		struct bytes x;
		struct uuid u;
		struct stamp s;
		struct date d;
	};
};

static inline struct value
value_int(int64_t i)
{
	return (struct value){ .kind = KIND_INT, .i = i };
}

static inline struct value
value_maybe(struct maybe m)
{
	return (struct value){ .kind = KIND_MAYBE, .null = !m.is, .i = m.n };
}

static inline struct value
value_bool(bool b)
{
	return (struct value){ .kind = KIND_BOOL, .b = b };
}

static inline struct value
value_text(struct text t)
{
	return (struct value){ .kind = KIND_TEXT, .null = t.s == NULL, .t = t };
}

static inline struct value
value_bytes(struct bytes x)
{
	return (struct value){ .kind = KIND_BYTES, .null = x.p == NULL, .x = x };
}

static inline struct value
value_uuid(struct uuid u)
{
	return (struct value){ .kind = KIND_UUID, .null = uuid_is_none(u), .u = u };
}

static inline struct value
value_stamp(struct stamp s)
{
	return (struct value){ .kind = KIND_STAMP, .null = stamp_is_none(s), .s = s };
}

static inline struct value
value_date(struct date d)
{
	return (struct value){ .kind = KIND_DATE, .null = date_is_none(d), .d = d };
}

static inline struct value
value_as_is(struct value v)
{
	return v;
}

/* The kind of a C type. A type that is not listed does not compile. */
#define KIND_OF(x)                         \
	_Generic((x), int64_t              \
		 : KIND_INT, struct maybe  \
		 : KIND_MAYBE, bool        \
		 : KIND_BOOL, struct text  \
		 : KIND_TEXT, struct bytes \
		 : KIND_BYTES, struct uuid \
		 : KIND_UUID, struct stamp \
		 : KIND_STAMP, struct date \
		 : KIND_DATE)

/* A value to bind. A type that is not listed (a char *, a double) does not compile. */
#define V(x)                                \
	_Generic((x), int64_t               \
		 : value_int, struct maybe  \
		 : value_maybe, bool        \
		 : value_bool, struct text  \
		 : value_text, struct bytes \
		 : value_bytes, struct uuid \
		 : value_uuid, struct stamp \
		 : value_stamp, struct date \
		 : value_date, struct value \
		 : value_as_is)(x)

/* The same kind and content (both NULL counts as the same). */
bool value_eq(struct value a, struct value b);

/* Stores v in the struct member at p, whose kind is v.kind. NULL becomes the type's own "none". */
void value_store(struct value v, void *p);

/* The struct member of that kind at p as a value. */
struct value value_load(enum kind kind, const void *p);

#endif
