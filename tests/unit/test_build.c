#include "base/base.h"
#include "db/db.h"

#include <criterion/criterion.h>

static struct arena *a;

static void
set_up(void)
{
	a = arena_new((size_t)1024 * 1024);
}

static void
tear_down(void)
{
	arena_free(&a);
}

TestSuite(build, .init = set_up, .fini = tear_down);

static void
expect(struct sql *q, const char *text, size_t nvalues)
{
	struct text t = buf_text(&q->text);

	cr_expect(text_eq(t, text_from(text)), "%.*s", TEXT_ARGS(t));
	cr_expect_eq(q->nvalues, nvalues);
}

Test(build, text_and_values_come_in_order)
{
	struct sql q;

	sql_init(&q, a);
	sql_add(&q, "SELECT id FROM users WHERE username = ");
	sql_value(&q, V(T("alice")));
	sql_add(&q, " AND version = ");
	sql_value(&q, V(INT64_C(7)));
	expect(&q, "SELECT id FROM users WHERE username = ? AND version = ?", 2);
	cr_expect(value_eq(q.values[0], V(T("alice"))));
	cr_expect(value_eq(q.values[1], V(INT64_C(7))));
}

Test(build, an_empty_statement_is_an_empty_text)
{
	struct sql q;

	sql_init(&q, a);
	expect(&q, "", 0);
}

Test(build, lists)
{
	struct sql q;
	size_t n = 0;

	sql_init(&q, a);
	sql_add(&q, "id IN ");
	sql_list_value(&q, &n, V(INT64_C(7)));
	sql_list_value(&q, &n, V(INT64_C(8)));
	sql_list_end(&q, n);
	sql_add(&q, " OR name IN ");
	sql_list_end(&q, 0);
	expect(&q, "id IN (?, ?) OR name IN (NULL)", 2);
	cr_expect_eq(n, 2);
	cr_expect(value_eq(q.values[1], V(INT64_C(8))));
}

Test(build, a_row_has_all_its_values)
{
	const struct value row[] = { V(T("alice")), V(INT64_C(7)), V(INT64_C(8)) };
	struct sql q;

	sql_init(&q, a);
	sql_add(&q, "VALUES ");
	sql_row(&q, row, countof(row));
	expect(&q, "VALUES (?, ?, ?)", 3);
	for (size_t i = 0; i < countof(row); i++)
		cr_expect(value_eq(q.values[i], row[i]));
	cr_expect_eq(q.rows, 1);
}

Test(build, rows_share_their_text)
{
	const struct value one[] = { V(T("alice")), V(INT64_C(7)) },
			   other[] = { V(T("bob")), { .kind = KIND_NONE } };
	struct sql q;

	sql_init(&q, a);
	sql_add(&q, "VALUES ");
	sql_row(&q, one, 2);
	sql_row(&q, other, 2);
	sql_add(&q, " RETURNING id");
	expect(&q, "VALUES (?, ?) RETURNING id", 4);
	cr_expect(value_eq(q.values[2], other[0]));
	cr_expect_eq(q.rows, 2);
}

Test(build, values_grow)
{
	struct sql q;

	sql_init(&q, a);
	for (int64_t i = 0; i < 1000; i++)
		sql_value(&q, V(i));
	cr_expect_eq(q.nvalues, 1000);
	for (int64_t i = 0; i < 1000; i++)
		cr_expect_eq(q.values[i].i, i);
}

Test(build, append_takes_text_and_values)
{
	struct sql q, where;

	sql_init(&q, a);
	sql_init(&where, a);
	sql_add(&q, "SELECT ");
	sql_value(&q, V((bool)true));
	sql_add(&where, " WHERE id = ");
	sql_value(&where, V(INT64_C(3)));
	sql_append(&q, &where);
	expect(&q, "SELECT ? WHERE id = ?", 2);
	cr_expect_eq(q.values[1].i, 3);
	expect(&where, " WHERE id = ?", 1);
}

Test(build, contains_escapes)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "", "%%" },
		{ "abc", "%abc%" },
		{ "100%", "%100\\%%" },
		{ "a_b", "%a\\_b%" },
		{ "c:\\", "%c:\\\\%" },
		{ "%_\\", "%\\%\\_\\\\%" },
		{ "J\xc3\xb5gi", "%J\xc3\xb5gi%" },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct text out = sql_contains(a, text_from(cases[i].in));

		cr_expect(
		    text_eq(out, text_from(cases[i].out)), "%s: %.*s", cases[i].in, TEXT_ARGS(out));
	}
}

Test(build, add_contains)
{
	struct sql q;

	sql_init(&q, a);
	sql_add(&q, "WHERE ");
	sql_add_contains(&q, "u.email", T("100%"));
	expect(&q, "WHERE u.email COLLATE utf8mb4_uca1400_as_ci LIKE ?", 1);
	cr_expect(text_eq(q.values[0].t, T("%100\\%%")));
}
