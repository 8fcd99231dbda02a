/*
 * The option table. roster.conf, --set, --help, --print-config, the sample file and the manual
 * are all made from it: adding an option is a member of struct config and a row here.
 */
#ifndef ROSTER_CONFIG_OPTIONS_H
#define ROSTER_CONFIG_OPTIONS_H

#include "config/config.h"

enum option_type {
	OPTION_INT,
	OPTION_BOOL,
	OPTION_TEXT,
	OPTION_PATH,    /* absolute; nothing, if .optional */
	OPTION_ADDRESS, /* of e-mail; nothing, if .optional */
	OPTION_URL,     /* begins with one of .choices; nothing, if .optional */
	OPTION_CHOICE,  /* one of .choices, stored as its position in an enum's int */
};

struct option {
	const char *name;
	enum option_type type;
	size_t offset;              /* of the member in struct config */
	const char *standard;       /* the default, as written in the file */
	int64_t minimum, maximum;   /* OPTION_INT: the number; of a text: its bytes */
	const char *const *choices; /* ends with NULL */
	bool optional;
	const char *unit; /* "seconds", "KiB"; NULL: none */
	const char *help; /* a sentence or more */
};

extern const struct option options[];
extern const size_t noptions;

/* NULL when there is none of that name. */
const struct option *option_find(struct text name);

/* The option that was meant by a name that is none ("api_worker"), NULL when no name is near. */
const struct option *option_nearest(struct text name, struct arena *a);

/* What is allowed, for messages and manuals: "1 to 256", "true or false", "dashed or hex". */
struct text option_allowed(const struct option *o, struct arena *a);

#endif
