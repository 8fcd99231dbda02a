#include "base/base.h"
#include "base/value.h"

#include <criterion/criterion.h>
#include <signal.h>

/* A struct as the tables of db and body describe it. */
struct sample {
	int64_t i;
	struct maybe m;
	bool b;
	struct text t;
	struct bytes x;
	struct uuid u;
	struct stamp s;
	struct date d;
	struct text j;
};

#define MEMBER(m)                                                            \
	{                                                                    \
		KIND_OF(((struct sample *)0)->m), offsetof(struct sample, m) \
	}

static const struct {
	enum kind kind;
	size_t offset;
} members[] = {
	MEMBER(i),
	MEMBER(m),
	MEMBER(b),
	MEMBER(t),
	MEMBER(x),
	MEMBER(u),
	MEMBER(s),
	MEMBER(d),
	{ KIND_JSON, offsetof(struct sample, j) },
};

static const struct sample one = {
	.i = -5,
	.m = { true, 7 },
	.b = true,
	.t = TEXT_INIT("text"),
	.x = { (const uint8_t *)"\0x", 2 },
	.u = { { 1, 2, 3 } },
	.s = { 1 },
	.d = { 2026, 11, 24 },
	.j = TEXT_INIT("[1]"),
};

static const struct sample other = {
	.i = -6,
	.m = { true, 8 },
	.t = TEXT_INIT("texT"),
	.x = { (const uint8_t *)"\0y", 2 },
	.u = { { 1, 2, 4 } },
	.s = { 2 },
	.d = { 2026, 11, 25 },
	.j = TEXT_INIT("[2]"),
};

static struct value
load(const struct sample *s, size_t member)
{
	return value_load(members[member].kind, (const char *)s + members[member].offset);
}

Test(value, kinds_come_from_the_members)
{
	static const enum kind kinds[] = { KIND_INT, KIND_MAYBE, KIND_BOOL, KIND_TEXT, KIND_BYTES,
		KIND_UUID, KIND_STAMP, KIND_DATE, KIND_JSON };

	for (size_t i = 0; i < countof(members); i++) {
		cr_assert_eq(members[i].kind, kinds[i]);
		cr_assert_eq(load(&one, i).kind, kinds[i]);
	}
}

Test(value, what_is_stored_is_loaded)
{
	struct sample copy = { 0 };

	for (size_t i = 0; i < countof(members); i++) {
		value_store(load(&one, i), (char *)&copy + members[i].offset);
		cr_assert(value_eq(load(&copy, i), load(&one, i)), "member %zu", i);
		cr_assert(!value_eq(load(&copy, i), load(&other, i)), "member %zu", i);
	}
}

Test(value, null_is_the_types_own_none)
{
	struct sample none = one;

	for (size_t i = 0; i < countof(members); i++)
		value_store((struct value){ .kind = members[i].kind, .null = true },
		    (char *)&none + members[i].offset);
	cr_assert_eq(none.i, 0);
	cr_assert(!none.m.is);
	cr_assert(!none.b);
	cr_assert(text_is_none(none.t));
	cr_assert(none.x.p == NULL && none.x.n == 0);
	cr_assert(uuid_is_none(none.u));
	cr_assert(stamp_is_none(none.s));
	cr_assert(date_is_none(none.d));
	cr_assert(text_is_none(none.j));
	for (size_t i = 0; i < countof(members); i++)
		cr_assert_eq(load(&none, i).null,
		    members[i].kind != KIND_INT && members[i].kind != KIND_BOOL, "member %zu", i);
}

Test(value, equality_looks_at_kind_and_null)
{
	struct value null_int = { .kind = KIND_INT, .null = true, .i = 3 };
	struct value null_too = { .kind = KIND_INT, .null = true, .i = 4 };

	cr_assert(value_eq(null_int, null_too));
	cr_assert(!value_eq(null_int, value_int(3)));
	cr_assert(!value_eq(value_int(1), value_bool(true)));
	cr_assert(!value_eq(value_text(TEXT_NONE), value_text(T(""))));
	cr_assert(value_eq(value_bytes((struct bytes){ (const uint8_t *)"", 0 }),
	    value_bytes((struct bytes){ (const uint8_t *)"x", 0 })));
}

Test(value, made_from_the_type)
{
	int64_t i = 4;
	struct text t = T("x");

	cr_assert(value_eq(V(i), value_int(4)));
	cr_assert(value_eq(V(t), value_text(t)));
	cr_assert(value_eq(V(V(t)), value_text(t)));
	cr_assert(value_eq(V(((struct maybe){ false, 9 })), value_maybe((struct maybe){ 0 })));
}

/* A table row that forgot its kind is our mistake. */

Test(value, storing_without_a_kind, .signal = SIGABRT)
{
	int64_t i;

	value_store((struct value){ 0 }, &i);
}

Test(value, loading_without_a_kind, .signal = SIGABRT)
{
	int64_t i = 0;

	value_load(KIND_NONE, &i);
}
