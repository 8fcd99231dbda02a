/*
 * JSON text to a tree on the arena (yajl's parser, RFC 8259), with the limits that yajl does not
 * have: depth, number of values, duplicate keys, U+0000, lone surrogates, a byte order mark,
 * invalid UTF-8, trailing garbage.
 */
#ifndef ROSTER_JSON_READER_H
#define ROSTER_JSON_READER_H

#include "base/arena.h"
#include "base/base.h"
#include "base/text.h"

enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_INT,    /* fits int64_t and was written without fraction and exponent */
	JSON_NUMBER, /* any other number */
	JSON_TEXT,
	JSON_ARRAY,
	JSON_OBJECT,
	JSON_FILE, /* never from the parser: a file that came in a form (http/body.c) */
};

struct json {
	enum json_type type;
	struct text key;  /* in an object */
	bool boolean;     /* JSON_BOOL */
	int64_t integer;  /* JSON_INT */
	struct text text; /* JSON_TEXT; the literal of a number; the bytes of a file */
	struct text filename, content_type; /* JSON_FILE */
	struct json *first, *next;          /* elements or members in order; the next sibling */
	size_t count;                       /* elements or members */
};

struct json_limits {
	size_t depth;  /* nested arrays and objects */
	size_t values; /* all values together */
};

/*
 * The tree, which keeps nothing of the input; or NULL, then *problem (on the arena) says what is
 * wrong and at which byte of the input, counted from 0: "duplicate key \"a\" at byte 12".
 */
struct json *json_read(struct text input, const struct json_limits *limits, struct arena *a,
    struct text *problem) MUST_CHECK;

/* The member of that name, or NULL. */
const struct json *json_member(const struct json *object, struct text key);

/* "null", "bool", "int", "float", "str", "list", "dict": Python's names, for messages. */
const char *json_type_name(enum json_type type);

#endif
