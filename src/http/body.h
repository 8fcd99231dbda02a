/*
 * The body of a request: JSON, application/x-www-form-urlencoded and multipart/form-data, read
 * into one shape (rq->body, an object), and a table-driven way from there into a struct.
 */
#ifndef ROSTER_HTTP_BODY_H
#define ROSTER_HTTP_BODY_H

#include "http/http.h"

/* Fields of a form, members of an object, parts of a multipart body together; more is a 400. */
#define BODY_FIELDS_MAX 1000
#define BODY_DEPTH_MAX 32

/*
 * Reads and parses the body once, by Content-Type; no body at all is an empty object. false
 * after answering: 400 (malformed, with the byte offset; a truncated upload; not an object), 413, 415.
 */
bool body_parse(struct request *rq) MUST_CHECK;

/* The rules for one input value. The field tables of the engine and of actions share them. */
struct input {
	enum kind
	    kind; /* KIND_TEXT, KIND_BOOL, KIND_INT, KIND_MAYBE, KIND_DATE, KIND_STAMP, KIND_UUID */
	int64_t
	    max; /* KIND_TEXT: code points, 0: no limit; KIND_INT, KIND_MAYBE: value, with .bounded */
	int64_t min;
	bool bounded;   /* min and max hold for an integer */
	bool required;  /* must be there on create (actions: always) */
	bool nullable;  /* null is a value: token_lifetime, birth_date */
	bool filled;    /* "" is refused: "This field may not be blank." */
	bool untrimmed; /* passwords */
	/* KIND_TEXT: one of these, to the letter; ends with NULL. */
	const char *const *choices;
	/* Looks at a text that passed the rest; a message (constant), or NULL when it is good. */
	const char *(*check)(struct text t);
};

/*
 * Reads one value by its rules into *out; notes problems under name. json NULL: it is absent. In a form an
 * empty value of a nullable field is null, and of a text "". true when *out was set.
 */
bool input_read(struct request *rq, const struct input *in, struct text name,
    const struct json *json, struct value *out);

/*
 * The same for a file of a form; in->max limits the length of its name. *file is NULL when there is to
 * be none: null, or an empty value in a form.
 */
bool input_file(struct request *rq, const struct input *in, struct text name,
    const struct json *json, const struct json **file);

/* What an action's body may hold: a struct member each. */
struct body_field {
	const char *name;
	size_t offset;
	struct input input;
	const char *help, *example; /* for the documentation */
};

/*
 * BODY(struct_tag, member, "What it is.", "example", .required = true, .max = 128): the member's type is the
 * field's kind.
 */
#define BODY(s, m, h, e, ...)                                                                    \
	{                                                                                        \
		.name = #m, .help = h, .example = e, .offset = offsetof(struct s, m), .input = { \
			.kind = KIND_OF(((struct s *)0)->m),                                     \
			__VA_ARGS__                                                              \
		}                                                                                \
	}

/*
 * body_parse() and the table into the struct at out, whose members are none where fields are absent. false
 * when the request was answered or problems were noted: `return body_trouble(rq)` answers them.
 */
bool body_read(struct request *rq, const struct body_field *fields, size_t n, void *out) MUST_CHECK;

/* The status of the answer that body_read() or body_parse() has given, or gives now. */
int body_trouble(struct request *rq);

#endif
