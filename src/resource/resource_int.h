/* Between the files of resource/. */
#ifndef ROSTER_RESOURCE_RESOURCE_INT_H
#define ROSTER_RESOURCE_RESOURCE_INT_H

#include "resource/resource.h"

/* Columns that every SELECT of the engine begins with: id, version, owner, uuid. */
#define BASE_COLUMNS 4

/* Which fields a request wants and the caller may at all read, and room for a row of them. */
struct selection {
	const struct resource *resource;
	size_t fields[FIELDS_MAX]; /* positions in resource->fields, ascending */
	size_t n;
	unsigned joins;
	struct value values[BASE_COLUMNS + FIELDS_MAX + 1]; /* the row, and one more for a total */
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

/*
 * The ORDER BY that the query's o asks for, ended by the primary key. reversed turns every direction.
 * An unknown name is noted as a problem.
 */
void order_add(struct request *rq, const struct resource *r, struct sql *q, bool reversed);

/*
 * Reads the body into the draft: the fields that who may write, by their rules; problems are noted.
 * false when the body itself was refused and answered.
 */
bool draft_read(struct request *rq, struct draft *d, enum who who) MUST_CHECK;

/* Notes a problem for each set unique field whose value another row has. */
void draft_check_unique(struct request *rq, const struct draft *d);

/* Was the value that this unique key refused made by a hook, so that another one will do? */
bool draft_made(const struct draft *d, struct text key);

/* Answers a unique key that refused a value of the body after all. */
int reply_duplicate(struct request *rq, const struct draft *d, struct text key);

void draft_run(draft_hook *hook, struct request *rq, struct draft *d);

/* Locks the row of the path's uuid among the visible ones and reads all its columns. */
bool row_lock(struct request *rq, const struct resource *r, struct row *row) MUST_CHECK;

#endif
