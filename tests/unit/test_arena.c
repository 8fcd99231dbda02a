#define ROSTER_OWNS_MEMORY
#include "base/base.h"
#include "base/arena.h"

#include <criterion/criterion.h>
#include <signal.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

#define LIMIT ((size_t)1024 * 1024)

static struct arena *a;

static void
set_up(void)
{
	a = arena_new(LIMIT);
}

static void
tear_down(void)
{
	arena_free(&a);
	cr_assert(a == NULL);
}

TestSuite(arena, .init = set_up, .fini = tear_down);

static bool
all_zero(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != 0)
			return false;
	return true;
}

Test(arena, memory_is_zeroed_aligned_and_apart)
{
	static const size_t sizes[] = { 0, 1, 7, 16, 17, 4000, 15000, 40000, 3, 100000, 1 };
	char *p[countof(sizes)];

	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < countof(sizes); i++) {
			p[i] = arena_alloc(a, sizes[i]);
			cr_assert_eq((uintptr_t)p[i] % _Alignof(max_align_t), 0);
			cr_assert(all_zero(p[i], sizes[i]), "round %d, size %zu", round, sizes[i]);
			memset(p[i], (int)i + 1, sizes[i]);
		}
		for (size_t i = 0; i < countof(sizes); i++)
			for (size_t k = 0; k < sizes[i]; k++)
				cr_assert_eq(p[i][k], (char)(i + 1));
		arena_reset(a);
		cr_assert_eq(arena_used(a), 0);
	}
}

/* The same memory again, where without a reserve it would come from a new block. */
Test(arena, a_rewind_keeps_what_was_reserved)
{
	struct arena_mark mark;
	char *first;

	arena_reserve(a, LIMIT / 2);
	mark = arena_mark(a);
	first = arena_alloc(a, LIMIT / 4);
	memset(first, 1, LIMIT / 4);
	arena_rewind(a, mark);
	cr_assert_eq(arena_alloc(a, LIMIT / 4), first);
	cr_expect(all_zero(first, LIMIT / 4));
}

Test(arena, used_follows_allocation_and_rewind)
{
	struct arena_mark mark;
	size_t before;

	arena_alloc(a, 1000);
	before = arena_used(a);
	cr_assert(before >= 1000 && before < 1100);
	mark = arena_mark(a);
	for (int i = 0; i < 20; i++)
		arena_alloc(a, 9000);
	cr_assert(arena_used(a) >= before + 20 * 9000);
	arena_rewind(a, mark);
	cr_assert_eq(arena_used(a), before);
}

Test(arena, rewinding_wipes_and_frees_for_reuse)
{
	struct arena_mark mark = arena_mark(a);
	char *p;

	/* Thousands of rounds within a limit that a few of them would pass. */
	for (int i = 0; i < 5000; i++) {
		p = arena_alloc(a, i % 2 == 0 ? 100 : 50000);
		cr_assert(all_zero(p, 100));
		memset(p, 'x', 100);
		arena_rewind(a, mark);
	}
}

Test(arena, growing_keeps_the_bytes)
{
	char *p = NULL, *before, *between;
	size_t n = 0;

	for (size_t to = 1; to < 50000; to = to * 3 / 2 + 1) {
		p = arena_grow(a, p, n, to);
		for (size_t i = 0; i < n; i++)
			cr_assert_eq(p[i], (char)i);
		for (size_t i = n; i < to; i++)
			p[i] = (char)i;
		n = to;
	}

	before = arena_alloc(a, 10);
	cr_assert(arena_grow(a, before, 10, 500) == before, "the newest grows in place");
	between = arena_alloc(a, 1);
	*between = 'b';
	cr_assert(arena_grow(a, before, 500, 600) != before);
	cr_assert_eq(*between, 'b');
}

Test(arena, what_was_rewound_does_not_grow_in_place)
{
	struct arena_mark mark = arena_mark(a);
	char *p = arena_alloc(a, 10), *q;

	arena_rewind(a, mark);
	q = arena_alloc(a, 10);
	cr_assert(p == q);
	arena_rewind(a, mark);
	q = arena_grow(a, NULL, 0, 20);
	cr_assert(q == p);
}

static char order[8];

static void
note(void *name)
{
	order[strlen(order)] = *(const char *)name;
}

static void
defer_another(void *name)
{
	note(name);
	arena_defer(a, note, "z");
}

Test(arena, cleanups_run_last_first_and_once)
{
	arena_defer(a, note, "a");
	arena_defer(a, defer_another, "b");
	arena_defer(a, note, "c");
	arena_reset(a);
	cr_assert_str_eq(order, "cbza");
	arena_reset(a);
	cr_assert_str_eq(order, "cbza");
}

Test(arena, freeing_runs_cleanups)
{
	struct arena *other = arena_new(LIMIT);

	arena_defer(other, note, "a");
	arena_free(&other);
	cr_assert_str_eq(order, "a");
	cr_assert(other == NULL);
	arena_free(&other);
}

Test(arena, texts)
{
	struct text t = arena_text(a, (struct text){ "abcdef", 3 });

	cr_assert(text_eq(t, T("abc")));
	cr_assert_eq(t.s[3], '\0');
	t = arena_text(a, T(""));
	cr_assert(!text_is_none(t));
	cr_assert_eq(t.s[0], '\0');
	cr_assert(text_is_none(arena_text(a, TEXT_NONE)));
	t = arena_printf(a, "%d-%s", 42, "x");
	cr_assert(text_eq(t, T("42-x")));
	cr_assert_eq(t.s[t.n], '\0');
	cr_assert_eq(arena_printf(a, "%30000d", 1).n, 30000);
	cr_assert_eq(arena_printf(a, "%s", "").n, 0);
}

Test(arena, the_whole_limit_can_be_had_in_pieces)
{
	size_t n = 0;

	while (n + 4096 <= LIMIT * 3 / 4) {
		arena_alloc(a, 2048);
		n += 2048;
	}
	cr_assert(n > LIMIT / 2);
}

#ifdef __SANITIZE_ADDRESS__
Test(arena, the_sanitizer_sees_what_was_not_handed_out)
{
	struct arena_mark mark = arena_mark(a);
	char *p = arena_alloc(a, 13), *q = arena_alloc(a, 13);

	cr_assert(!__asan_address_is_poisoned(p + 12));
	cr_assert(__asan_address_is_poisoned(p + 13));
	cr_assert(__asan_address_is_poisoned(q - 1), "a red zone lies between");
	cr_assert(__asan_address_is_poisoned(q + 13));
	p = arena_grow(a, q, 13, 40);
	cr_assert(
	    p == q && !__asan_address_is_poisoned(p + 39) && __asan_address_is_poisoned(p + 40));
	arena_rewind(a, mark);
	cr_assert(__asan_address_is_poisoned(q));
}
#endif

/* What follows is our own mistake, and ends the process. */

Test(arena, passing_the_limit_at_once, .signal = SIGABRT)
{
	arena_alloc(a, LIMIT + 1);
}

Test(arena, passing_the_limit_with_the_largest_size, .signal = SIGABRT)
{
	arena_alloc(a, SIZE_MAX);
}

Test(arena, passing_the_limit_in_steps, .signal = SIGABRT)
{
	for (size_t n = 0; n <= LIMIT; n += 1024)
		arena_alloc(a, 1024);
}

Test(arena, rewinding_over_a_cleanup, .signal = SIGABRT)
{
	struct arena_mark mark = arena_mark(a);

	arena_defer(a, note, "a");
	arena_rewind(a, mark);
}

Test(arena, rewinding_over_a_cleanup_in_a_later_block, .signal = SIGABRT)
{
	struct arena_mark mark = arena_mark(a);

	arena_alloc(a, 20000);
	arena_defer(a, note, "a");
	arena_alloc(a, 90000);
	arena_rewind(a, mark);
}

Test(arena, rewinding_to_a_mark_that_is_gone, .signal = SIGABRT)
{
	struct arena_mark mark;

	arena_alloc(a, 20000);
	mark = arena_mark(a);
	arena_reset(a);
	arena_rewind(a, mark);
}
