#include "base/base.h"
#include "base/table.h"

#include <criterion/criterion.h>

Test(table, finds_what_was_put_there)
{
	struct arena *a = arena_new((size_t)16 * 1024 * 1024);
	struct table t;
	bool is_new;

	table_init(&t, a);
	for (int64_t i = 0; i < 10000; i++) {
		*table_at(&t, arena_printf(a, "key %lld", (long long)i), &is_new) = i;
		cr_assert(is_new);
	}
	for (int64_t i = 0; i < 10000; i++) {
		struct text key = arena_printf(a, "key %lld", (long long)i);

		cr_assert_eq(*table_at(&t, key, &is_new), i);
		cr_assert(!is_new);
	}
	arena_free(&a);
}

Test(table, keys_are_texts_with_a_length)
{
	struct arena *a = arena_new((size_t)1024 * 1024);
	struct table t;
	bool is_new;

	table_init(&t, a);
	*table_at(&t, T(""), NULL) = 1;
	*table_at(&t, T("a"), NULL) = 2;
	cr_expect_eq(*table_at(&t, T("a\0"), &is_new), 0);
	cr_expect(is_new);
	cr_expect_eq(*table_at(&t, T(""), &is_new), 1);
	cr_expect(!is_new);
	cr_expect_eq(*table_at(&t, T("a"), NULL), 2);
	arena_free(&a);
}
