/*
 * What a handler takes and answers, where no table of the engine tells: for /api/schema/. The integration
 * tests' client holds every answer that it gets against that.
 */
#ifndef ROSTER_HTTP_SHAPE_H
#define ROSTER_HTTP_SHAPE_H

#include "http/body.h"

/* A JSON value. A row with neither name nor kind ends a table of members or parameters. */
struct shape {
	const char *name;
	enum kind kind; /* KIND_JSON: an object; KIND_BYTES: a file; KIND_NONE: any value */
	bool null;      /* may be null */
	bool optional;  /* may be left out */
	bool list;      /* a list of those */
	bool read_only; /* in no body */
	const struct shape *members;
	const struct shape *values; /* an object's members of any name */
	const char *url;            /* it is a URL, with this path before a uuid */
	const char *const *choices;
	const struct input *input; /* the rules for it in a body */
	const char *example;
	const char *help;
};

/* A status that is answered, and with what. A row with status 0 ends a table. */
struct outcome {
	int status;
	const struct shape *shape; /* NULL: no body, or from 400 on the usual error */
	const char *type;          /* of what is not JSON: "text/plain" */
};

/* The handler's own; resource_list() and the like need none, see struct route. */
struct action {
	const struct body_field *body;
	size_t nbody;
	const struct shape *more; /* what the body may have besides, read by hand */
	const struct shape *query;
	const struct outcome *outcomes; /* besides the errors that all routes of its kind have */
};

/* What a token looks like. */
#define SHAPE_TOKEN "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b"

/* Common ones. */
extern const struct shape shape_any, shape_file, shape_text, shape_texts, shape_detail;
extern const struct outcome outcomes_nothing[], outcomes_detail[];

#endif
