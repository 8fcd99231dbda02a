#include "base/base.h"
#include "ctl/records.h"

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

TestSuite(csv, .init = set_up, .fini = tear_down);

Test(csv, split)
{
	/* clang-format off */
	static const struct {
		const char *record;
		size_t n;
		const char *cells[4]; /* of a malformed one: the problem */
	} cases[] = {
		{ "a,b,c", 3, { "a", "b", "c" } },
		{ "a", 1, { "a" } },
		{ ",", 2, { "", "" } },
		{ "a,,", 3, { "a", "", "" } },
		{ " a , b", 2, { " a ", " b" } },
		{ "\"a\",\"b,c\"", 2, { "a", "b,c" } },
		{ "\"a \"\"b\"\" c\"", 1, { "a \"b\" c" } },
		{ "\"\"", 1, { "" } },
		{ "\"\"\"\"", 1, { "\"" } },
		{ "\"a\nb\",c", 2, { "a\nb", "c" } },
		{ "\"a", 0, { "a quote is not closed" } },
		{ "a,\"", 0, { "a quote is not closed" } },
		{ "\"a\"b,c", 0, { "there is something between a closing quote and the comma" } },
		{ "a\"b\",c", 0, { "a quote is in the middle of a cell that does not begin with one" } },
	};
	/* clang-format on */

	for (size_t i = 0; i < countof(cases); i++) {
		struct text cells[CELLS_MAX];
		const char *problem = NULL;
		size_t n = csv_split(text_from(cases[i].record), a, cells, &problem);

		cr_assert_eq(n, cases[i].n, "case %zu", i);
		if (n == 0)
			cr_expect_str_eq(problem, cases[i].cells[0], "case %zu", i);
		for (size_t j = 0; j < n; j++)
			cr_expect(text_eq(cells[j], text_from(cases[i].cells[j])), "case %zu", i);
	}
}

Test(csv, too_many_cells)
{
	struct text cells[CELLS_MAX];
	const char *problem = NULL;
	char commas[CELLS_MAX];

	memset(commas, ',', sizeof(commas));
	cr_expect_eq(
	    csv_split((struct text){ commas, CELLS_MAX - 1 }, a, cells, &problem), CELLS_MAX);
	cr_expect_eq(csv_split((struct text){ commas, CELLS_MAX }, a, cells, &problem), 0);
	cr_expect_str_eq(problem, "there are too many cells");
}

/* What the cells need is what the record has, however many there are. */
Test(csv, memory)
{
	static char record[500000];
	const size_t last = (size_t)3 * (CELLS_MAX - 1);
	struct text cells[CELLS_MAX];
	const char *problem = NULL;

	memset(record, 'x', sizeof(record));
	for (size_t i = 0; i < last; i++)
		record[i] = i % 3 == 2 ? ',' : '"';
	cr_expect_eq(
	    csv_split((struct text){ record, sizeof(record) }, a, cells, &problem), CELLS_MAX);
	cr_expect_eq(cells[CELLS_MAX - 1].n, sizeof(record) - last);
}

Test(csv, end)
{
	static const struct {
		const char *text;
		size_t end;
	} cases[] = {
		{ "a,b\nc", 3 }, { "\n", 0 }, { "a,b", 3 }, { "\"a\nb\",c\nd", 7 },
		{ "\"a\"\"\nb\"\nd", 7 }, { "a,\"\n", 4 },
		{ "a\"\nb", 2 }, /* a stray quote does not swallow what follows */
	};

	for (size_t i = 0; i < countof(cases); i++)
		cr_expect_eq(csv_end(text_from(cases[i].text)), cases[i].end, "case %zu", i);
}

Test(csv, a_cell_is_read_as_it_was_written)
{
	static const char *const texts[] = { "", "a", "a,b", "\"", "a \"b\"", "a\nb", "a\r", " a",
		"a ", "\n" };

	for (size_t i = 0; i < countof(texts); i++) {
		struct text cells[CELLS_MAX], cell = csv_cell(text_from(texts[i]), a);
		const char *problem = NULL;

		cr_expect_eq(csv_end(cell), cell.n, "case %zu", i);
		cr_assert_eq(csv_split(cell, a, cells, &problem), 1, "case %zu", i);
		cr_expect(text_eq(cells[0], text_from(texts[i])), "case %zu", i);
	}
}
