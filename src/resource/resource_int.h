/* Between the files of resource/. */
#ifndef ROSTER_RESOURCE_RESOURCE_INT_H
#define ROSTER_RESOURCE_RESOURCE_INT_H

#include "resource/resource.h"

/* Columns that every SELECT of the engine begins with: id, version, owner, uuid. */
#define BASE_COLUMNS 4

/* What a list is ordered by: no two rows are equal in it, so that pages never overlap. */
#define ORDER_MAX 32

struct order_term {
	const char *expression; /* never NULL in SQL */
	enum kind kind;
	bool descending;
};

struct ordering {
	struct order_term terms[ORDER_MAX];
	size_t n;
	bool total; /* by a unique key; else the primary one comes last */
};

/* Which fields a request wants and the caller may at all read, and room for a row of them. */
struct selection {
	const struct resource *resource;
	size_t fields[FIELDS_MAX]; /* positions in resource->fields, ascending */
	size_t n;
	unsigned joins;
	/* The row; and in a list the total and what the row is ordered by. */
	struct value values[BASE_COLUMNS + FIELDS_MAX + 1 + ORDER_MAX];
};

/* What the query's field= asks for; everything that may be read when it names no field. */
void selection_asked(struct selection *s, struct request *rq, const struct resource *r);

/* All fields with a column, whoever may read them: for hooks. */
void selection_columns(struct selection *s, const struct resource *r);

/* Adds "u.id, u.version, <owner>, u.uuid, ..." */
void selection_add(struct selection *s, struct sql *q);

/* Adds "users u LEFT JOIN ..." with the joins of the selected fields. */
void selection_from(const struct selection *s, struct sql *q);

/* How many values of s->values the SELECT fills. */
size_t selection_width(const struct selection *s);

/* The selected row, with its values put under their fields. */
void selection_row(const struct selection *s, struct row *row);

/* Writes the row as an object. self: SELF counts. extra: see resource_answer(). */
void selection_write(struct selection *s, struct request *rq, struct json_writer *w, bool self,
    void (*extra)(struct request *, struct json_writer *));

/* Is the selected row the caller's own? */
bool selection_is_own(const struct selection *s, const struct request *rq);

/* Adds what the query's parameters ask for to a WHERE that begins with "1 = 1". Problems are noted. */
void filters_add(struct request *rq, const struct resource *r, struct sql *where);

/* "WHERE 1 = 1 AND <visible>", to which more can be added. */
void where_visible(struct request *rq, const struct resource *r, struct sql *where);

/* Notes that a parameter of the query has a value that is none of those that it takes. */
void problem_choice(struct request *rq, struct text param, struct text value);

/* What the query's o asks for; an unknown name is noted as a problem. */
void ordering_read(struct ordering *o, struct request *rq, const struct resource *r);

/* Adds " ORDER BY ..."; reversed turns every direction. */
void ordering_add(const struct ordering *o, struct sql *q, bool reversed);

/* Adds " AND ..." that keeps the row with these values and what comes after it. */
void ordering_from(const struct ordering *o, struct sql *where, const struct value *from);

/* The cursor of the page that begins with the row of these values; none when it would be too long. */
struct text cursor_print(
    struct request *rq, const struct ordering *o, int64_t page, const struct value *first);

/* The page of the query's cursor, and the values of its first row; 0 without one that fits. */
int64_t cursor_read(struct request *rq, const struct ordering *o, struct value *first);

/*
 * Reads the body into the draft: the fields that who may write, by their rules; problems are noted.
 * false when the body itself was refused and answered.
 */
bool draft_read(struct request *rq, struct draft *d, enum who who) MUST_CHECK;

/* The same for a body that was read before. */
void draft_take(struct request *rq, struct draft *d, enum who who);

/* Notes a problem for each set unique field whose value another row has. */
void draft_check_unique(struct request *rq, const struct draft *d);

/*
 * "alice-1": made of a name, with the next number that is free in the resource's table, which has the
 * columns slug, slug_stem and slug_number (see sql/0001_users.sql). Another request may be faster.
 */
struct text slug_make(struct request *rq, const struct resource *r, struct text name);

/* Gives a slug, as slug_make() does, to each draft that has none. */
void slugs_make(struct request *rq, struct slugs *s, const struct bulk *b);

/* Fills in uuid and times: the columns that the engine keeps itself. */
void draft_fill(struct request *rq, struct draft *d);

/*
 * Fills in uuid, times and slug, runs the hook before, and then write(). Somebody may have taken a value
 * that was made here (a slug) in the meantime: then another one is made, in the same transaction.
 * The name of the key that refused a value of the body, none when all is written.
 */
struct text draft_write(
    struct request *rq, struct draft *d, draft_hook *before, draft_hook *write) MUST_CHECK;

/* Answers a unique key that refused a value of the body after all. */
int reply_duplicate(struct request *rq, const struct draft *d, struct text key);

void draft_run(draft_hook *hook, struct request *rq, struct draft *d);

/* Locks the row of the path's uuid among the visible ones and reads all its columns. */
bool row_lock(struct request *rq, const struct resource *r, struct row *row) MUST_CHECK;

/* The same for the row with that id, whoever asks. */
bool row_lock_id(
    struct request *rq, const struct resource *r, int64_t id, struct row *row) MUST_CHECK;

/* INSERT of what the draft sets, which gets its id. */
draft_hook draft_insert;

/* Writes what the draft of a locked row changes, hooks included; the key that refused it, none when it is written. */
struct text draft_change(struct request *rq, struct draft *d);

/* Deletes the draft's locked row, hook included; false when that noted a problem. */
bool draft_delete(struct request *rq, struct draft *d);

#endif
