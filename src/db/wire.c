/* Values on their way to the server and back. */
#include "base/base.h"
#include "db/db_int.h"

/* To the server. */

static void
give_plain(const struct value *v, MYSQL_BIND *b, UNUSED MYSQL_TIME *t)
{
	b->buffer = (void *)&v->i;
}

static void
give_text(const struct value *v, MYSQL_BIND *b, UNUSED MYSQL_TIME *t)
{
	b->buffer = (void *)v->t.s;
	b->buffer_length = v->t.n;
}

static void
give_bytes(const struct value *v, MYSQL_BIND *b, UNUSED MYSQL_TIME *t)
{
	b->buffer = (void *)v->x.p;
	b->buffer_length = v->x.n;
}

static void
give_uuid(const struct value *v, MYSQL_BIND *b, UNUSED MYSQL_TIME *t)
{
	b->buffer = (void *)v->u.b;
	b->buffer_length = sizeof(v->u.b);
}

static void
give_stamp(const struct value *v, MYSQL_BIND *b, MYSQL_TIME *t)
{
	struct calendar c = stamp_calendar(v->s);

	*t = (MYSQL_TIME){
		.year = (unsigned int)c.year,
		.month = (unsigned int)c.month,
		.day = (unsigned int)c.day,
		.hour = (unsigned int)c.hour,
		.minute = (unsigned int)c.minute,
		.second = (unsigned int)c.second,
		.second_part = (unsigned long)c.microsecond,
		.time_type = MYSQL_TIMESTAMP_DATETIME,
	};
	b->buffer = t;
}

static void
give_date(const struct value *v, MYSQL_BIND *b, MYSQL_TIME *t)
{
	*t = (MYSQL_TIME){
		.year = (unsigned int)v->d.year,
		.month = v->d.month,
		.day = v->d.day,
		.time_type = MYSQL_TIMESTAMP_DATE,
	};
	b->buffer = t;
}

/* From the server. */

static bool
take_int(const struct cell *c, struct value *v)
{
	v->i = c->i;
	return !c->error;
}

static bool
take_bool(const struct cell *c, struct value *v)
{
	v->b = c->i != 0;
	return !c->error;
}

static bool
take_text(const struct cell *c, struct value *v)
{
	v->t = (struct text){ (const char *)c->x.p, c->x.n };
	return true;
}

static bool
take_bytes(const struct cell *c, struct value *v)
{
	v->x = c->x;
	return true;
}

static bool
take_uuid(const struct cell *c, struct value *v)
{
	memcpy(v->u.b, c->b, sizeof(v->u.b));
	return c->n == sizeof(v->u.b);
}

static bool
take_stamp(const struct cell *c, struct value *v)
{
	v->s = stamp_from_calendar((struct calendar){
	    .year = (int)c->time.year,
	    .month = (int)c->time.month,
	    .day = (int)c->time.day,
	    .hour = (int)c->time.hour,
	    .minute = (int)c->time.minute,
	    .second = (int)c->time.second,
	    .microsecond = (int)c->time.second_part,
	});
	return !c->error;
}

static bool
take_date(const struct cell *c, struct value *v)
{
	v->d = (struct date){ (int16_t)c->time.year, (uint8_t)c->time.month, (uint8_t)c->time.day };
	return !c->error;
}

static const struct wire wires[] = {
	/* clang-format off */
	[KIND_INT]   = { MYSQL_TYPE_LONGLONG, sizeof(int64_t), MYSQL_TYPE_LONGLONG, sizeof(int64_t), give_plain, take_int },
	[KIND_MAYBE] = { MYSQL_TYPE_LONGLONG, sizeof(int64_t), MYSQL_TYPE_LONGLONG, sizeof(int64_t), give_plain, take_int },
	[KIND_BOOL]  = { MYSQL_TYPE_TINY, sizeof(bool), MYSQL_TYPE_LONGLONG, sizeof(int64_t), give_plain, take_bool },
	[KIND_TEXT]  = { MYSQL_TYPE_STRING, 0, MYSQL_TYPE_STRING, 0, give_text, take_text },
	[KIND_JSON]  = { MYSQL_TYPE_STRING, 0, MYSQL_TYPE_STRING, 0, give_text, take_text },
	[KIND_BYTES] = { MYSQL_TYPE_BLOB, 0, MYSQL_TYPE_BLOB, 0, give_bytes, take_bytes },
	[KIND_UUID]  = { MYSQL_TYPE_BLOB, 0, MYSQL_TYPE_BLOB, 16, give_uuid, take_uuid },
	[KIND_STAMP] = { MYSQL_TYPE_DATETIME, 0, MYSQL_TYPE_DATETIME, sizeof(MYSQL_TIME), give_stamp, take_stamp },
	[KIND_DATE]  = { MYSQL_TYPE_DATE, 0, MYSQL_TYPE_DATE, sizeof(MYSQL_TIME), give_date, take_date },
	/* clang-format on */
};

const struct wire *
wire_of(enum kind kind)
{
	must(kind > KIND_NONE && (size_t)kind < countof(wires));
	return &wires[kind];
}
