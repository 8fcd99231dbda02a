/*
 * The resource engine: a resource (users, customers, keys, ...) is a constant table, and list,
 * retrieve, create, update and delete are written once. This is the page to read before adding a
 * field, a filter or a resource.
 *
 * A plain field is one line in a migration and one row in the resource's field table.
 */
#ifndef ROSTER_RESOURCE_RESOURCE_H
#define ROSTER_RESOURCE_RESOURCE_H

#include "base/base.h"
#include "db/db.h"
#include "http/body.h"
#include "http/http.h"
#include "http/router.h"
#include "http/shape.h"

#define FIELDS_MAX 64

/* How the query parameter with the field's name narrows a list. */
enum filter_how {
	FILTER_NONE,
	FILTER_EXACT,    /* equal, case-sensitive */
	FILTER_CONTAINS, /* substring, ignoring case, respecting accents */
	FILTER_BOOL,     /* true, false, 1, 0 in any case; anything else is ignored */
	FILTER_SINCE,    /* not before; an invalid time is a 400 */
};

/*
 * Writes a field's value where it is more than the value itself. v is what the column gave. The
 * key has been written.
 */
typedef void field_encoder(struct request *rq, struct json_writer *w, const struct value *v);

struct draft;
struct field;

/*
 * Reads what the body has for a field where it is more than a value by the rules of .input: a file. Notes
 * problems; true when *out was set, of the field's kind.
 */
typedef bool field_decoder(struct request *rq, struct draft *d, const struct field *f,
    const struct json *json, struct value *out);

/* Order in a table is order in the JSON. */
struct field {
	const char *name;
	enum kind kind;
	const char
	    *column; /* of the resource's table, bare: "email". What hooks may set is a column. */
	const char *expression; /* SQL to read instead of the column; NULL: "<alias>.<column>" */
	unsigned joins;         /* bits: which of the resource's joins the expression needs */
	enum who read;   /* SELF: the row's owner; in a list only when he is alone on the page */
	enum who create; /* who may set it; values from others are ignored */
	enum who update;
	struct input input; /* rules for values; its kind is the field's */
	bool (*may_be_blank)(
	    const struct request *rq); /* by the body, though .input wants it filled */
	const char *
	    unique; /* message when another row has the value; the unique key has the column's name */
	bool unique_in_part; /* that key has more columns, and alone tells what is equal */
	const char *url;     /* a KIND_UUID column that is printed as "<base><url><uuid>/" */
	field_encoder *encode;
	field_decoder *decode; /* NULL: by .input */
	bool omit_null;        /* the key is left out instead of null */
	bool null;             /* may be null in an answer, though not in a body */
	enum method hooked;    /* bodies from which a hook reads it, and not the engine */
	const struct shape
	    *shape; /* what .encode writes or .decode reads, where .kind does not tell */
	const char *example;
	enum filter_how filter;
	const char *order[2]; /* what o=<name> orders by; up to two expressions */
	const char *help;
};

/* A query parameter that is more than one column. */
struct filter {
	const char *name;
	/* Adds " AND ..." for a value that is not empty; may note a problem, which answers 400. */
	void (*apply)(struct request *rq, struct sql *where, struct text value);
	enum kind kind;             /* of the value, for /api/schema/; KIND_NONE: text */
	bool list;                  /* may be given more than once */
	const char *const *choices; /* for /api/schema/, too: another value finds nothing */
	const char *help;
};

/* For .apply: the value of the parameter with that name as a uuid; false when a problem was noted instead. */
bool filter_read_uuid(
    struct request *rq, const char *name, struct text value, struct uuid *uuid) MUST_CHECK;

/* An object as it is in the database, for hooks. values are by field, as far as they were selected. */
struct row {
	int64_t id, version, owner;
	struct uuid uuid;
	struct value values[FIELDS_MAX];
};

/* What a create or update is going to write. */
struct draft {
	const struct resource *resource;
	const struct row *old; /* NULL on create */
	struct value values[FIELDS_MAX];
	bool set[FIELDS_MAX];
	struct uuid uuid;
	int64_t id; /* on create known after the INSERT */
	void *made; /* what a field's decoder made of a file, for the hooks */
};

/*
 * A hook may note problems (then nothing is written and they are the answer) and set columns with
 * draft_set(). Like a handler it may run twice.
 */
typedef void draft_hook(struct request *rq, struct draft *d);

struct resource {
	const char *name;          /* "user": in statement names and the log */
	const char *model;         /* "User": in "No User matches the given query." */
	const char *path;          /* "/api/users/" */
	const char *table, *alias; /* "users", "u"; has id, uuid, version */
	const char *owner;         /* expression: the id of the user whom a row belongs to */
	const struct field *fields;
	size_t nfields;
	const char *const *joins; /* "LEFT JOIN tokens t ON t.user_id = u.id" */
	size_t njoins;
	const struct filter *filters; /* ends with an empty row; NULL: none */
	const char *order;   /* the field that a list is ordered by when not asked otherwise */
	bool newest_first;   /* ... descending */
	const char *slug_of; /* the field that an empty slug is made of; NULL: there are no slugs */
	bool immutable;      /* rows never change: there is no column version */
	bool whole; /* a PUT must have what a POST must; else it leaves out what it likes */
	/* Adds " AND ..." for a table beside the rows' own: the one row of it that the path names. */
	void (*beside)(struct request *rq, struct sql *where);
	/* Adds a JOIN by which a list begins with the rows that the caller may see; NULL: none. */
	void (*among)(struct request *rq, struct sql *from);
	/* Adds " AND ..." so that only rows which the caller may see are left; NULL: he may see all. */
	void (*visible)(struct request *rq, struct sql *where);
	draft_hook *check;         /* rules over several fields, before anything is written */
	draft_hook *before_create; /* fills columns; again when a unique one was taken */
	draft_hook *after_create;  /* rows that belong to it, the audit event */
	draft_hook *before_update;
	draft_hook *after_update;
	draft_hook *before_delete; /* d->old is the row */
};

/* Handlers for the route table; the route's subject is the resource. */
int resource_list(struct request *rq);
int resource_retrieve(struct request *rq);
int resource_create(struct request *rq);
int resource_update(struct request *rq); /* PUT and PATCH */
int resource_delete(struct request *rq);

/*
 * Answers with the object of that id, visible or not, as the caller may read it. extra, when not NULL, adds
 * members at the end. 404 when there is none.
 */
int resource_answer(struct request *rq, const struct resource *r, int status, int64_t id,
    void (*extra)(struct request *rq, struct json_writer *w));

/*
 * What other parts of the service write, not a body: the hooks run and the event is left, but neither who asks nor
 * the rules of .check are looked at. set puts values in with draft_set(); ctx is its own. A value that a
 * unique key refuses has the request run again, which then finds the row that has it.
 */
typedef void draft_setter(struct request *rq, struct draft *d, const void *ctx);

/* The new row's id. */
int64_t resource_add(
    struct request *rq, const struct resource *r, draft_setter *set, const void *ctx);

/* false when there is no row with that id. */
bool resource_change(struct request *rq, const struct resource *r, int64_t id, draft_setter *set,
    const void *ctx) MUST_CHECK;

/* Nothing when there is no row with that id, or the hook notes a problem. */
void resource_remove(struct request *rq, const struct resource *r, int64_t id);

/* Finds the row of the path's uuid among those that the caller may see, with no column but the base ones. */
bool resource_find(struct request *rq, const struct resource *r, struct row *row) MUST_CHECK;

/* A guard: all but staff only read, whatever the path has (403). */
handler resource_staff_writes;

/*
 * For the guards of actions: a POST with If-Match locks the path's row, so that the action changes what the
 * client has seen. 0 to go on, or the status of the 404 or 412 that was answered.
 */
int resource_precondition(struct request *rq, const struct resource *r);

/* 404 {"detail": "No User matches the given query."} */
int resource_not_found(struct request *rq, const struct resource *r);

/* The field's position, -1 when there is none of that name. */
int field_index(const struct resource *r, struct text name);

/* Is a value going to be written that differs from the old one (on create: is one set)? */
bool draft_changes(const struct draft *d, const char *field);

/* The value that the row will have: the new one if set, else the old one (NULL on create). */
struct value draft_value(const struct draft *d, const char *field);
/* The value that the row had; NULL on create. */
struct value draft_old(const struct draft *d, const char *field);

void draft_set(struct draft *d, const char *field, struct value v);
/* Takes a value back: the field keeps what it had. */
void draft_drop(struct draft *d, const char *field);

/* Drafts that are created together, one statement for all; see resource_create() for one. */
struct bulk {
	const struct resource *resource;
	struct draft **drafts;
	size_t n;
};

/* Reads an object, as a body would be read, into a draft. Problems are noted. */
void bulk_read(struct request *rq, struct draft *d, struct json *object);

/* Tells of each draft, by its position, whose value of a unique field a row has already. */
typedef void bulk_taken(void *ctx, size_t i, const struct field *f);
void bulk_check_unique(struct request *rq, const struct bulk *b, bulk_taken *tell, void *ctx);

/* The next numbers of slugs, for as long as the arena lives. */
struct slugs;
struct slugs *slugs_new(struct arena *a) RETURNS_NONNULL;

/* Asks the database again for the next numbers: somebody else has taken one. */
void slugs_forget(struct slugs *s);

/* Fills in uuid, times and slugs, runs the hook before_create for each, and sends the INSERT of all. */
void bulk_insert(struct request *rq, struct slugs *slugs, const struct bulk *b);

/*
 * Waits for its end, and fills in the ids. The name of the unique key that refused one: then none was inserted.
 * None when all is well, or the database failed.
 */
struct text bulk_inserted(struct request *rq, const struct bulk *b) MUST_CHECK;

#endif
