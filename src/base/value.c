#include "base/base.h"
#include "base/value.h"

static bool
bytes_eq(struct bytes a, struct bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static bool
content_eq(struct value a, struct value b)
{
	switch (a.kind) {
	case KIND_INT:
	case KIND_MAYBE:
		return a.i == b.i;
	case KIND_BOOL:
		return a.b == b.b;
	case KIND_TEXT:
	case KIND_JSON:
		return text_eq(a.t, b.t);
	case KIND_BYTES:
		return bytes_eq(a.x, b.x);
	case KIND_UUID:
		return uuid_eq(a.u, b.u);
	case KIND_STAMP:
		return a.s.us == b.s.us;
	case KIND_DATE:
		return a.d.year == b.d.year && a.d.month == b.d.month && a.d.day == b.d.day;
	case KIND_NONE:
		break;
	}
	unreachable();
}

bool
value_eq(struct value a, struct value b)
{
	if (a.kind != b.kind || a.null != b.null)
		return false;
	return a.null || content_eq(a, b);
}

void
value_store(struct value v, void *p)
{
	switch (v.kind) {
	case KIND_INT:
		*(int64_t *)p = v.null ? 0 : v.i;
		return;
	case KIND_MAYBE:
		*(struct maybe *)p = v.null ? (struct maybe){ 0 } : (struct maybe){ true, v.i };
		return;
	case KIND_BOOL:
		*(bool *)p = !v.null && v.b;
		return;
	case KIND_TEXT:
	case KIND_JSON:
		*(struct text *)p = v.null ? TEXT_NONE : v.t;
		return;
	case KIND_BYTES:
		*(struct bytes *)p = v.null ? (struct bytes){ 0 } : v.x;
		return;
	case KIND_UUID:
		*(struct uuid *)p = v.null ? (struct uuid){ 0 } : v.u;
		return;
	case KIND_STAMP:
		*(struct stamp *)p = v.null ? STAMP_NONE : v.s;
		return;
	case KIND_DATE:
		*(struct date *)p = v.null ? DATE_NONE : v.d;
		return;
	case KIND_NONE:
		break;
	}
	unreachable();
}

struct value
value_load(enum kind kind, const void *p)
{
	struct value v;

	switch (kind) {
	case KIND_INT:
		return value_int(*(const int64_t *)p);
	case KIND_MAYBE:
		return value_maybe(*(const struct maybe *)p);
	case KIND_BOOL:
		return value_bool(*(const bool *)p);
	case KIND_TEXT:
		return value_text(*(const struct text *)p);
	case KIND_JSON:
		v = value_text(*(const struct text *)p);
		v.kind = KIND_JSON;
		return v;
	case KIND_BYTES:
		return value_bytes(*(const struct bytes *)p);
	case KIND_UUID:
		return value_uuid(*(const struct uuid *)p);
	case KIND_STAMP:
		return value_stamp(*(const struct stamp *)p);
	case KIND_DATE:
		return value_date(*(const struct date *)p);
	case KIND_NONE:
		break;
	}
	unreachable();
}
