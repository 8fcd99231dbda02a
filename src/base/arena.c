#define ROSTER_OWNS_MEMORY
#include "base/base.h"
#include "base/arena.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif

#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define RED_ZONE 16 /* bytes after each allocation that nobody may touch */
#define POISON(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define RED_ZONE 0
#define POISON(p, n) ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#define FIRST_BLOCK ((size_t)16 * 1024)
#define ALIGNMENT _Alignof(max_align_t)

/* Bytes from used on are zero, so that handing them out costs nothing. */
struct block {
	struct block *older;
	size_t size, used;
	_Alignas(max_align_t) char bytes[];
};

struct cleanup {
	struct cleanup *next;
	void (*fn)(void *);
	void *arg;
};

struct arena {
	struct block *newest;
	char *last; /* the newest allocation, NULL when a rewind has forgotten it */
	struct cleanup *cleanups;
	size_t older_used; /* sum over all blocks but the newest */
	size_t taken;      /* from the system */
	size_t limit;
};

static size_t
larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static size_t
aligned(size_t n)
{
	return (n + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

static void
add_block(struct arena *a, size_t size)
{
	struct block *b;

	must(size <= a->limit - a->taken);
	b = calloc(1, sizeof(*b) + size);
	must(b != NULL);
	POISON(b->bytes, size);

	b->size = size;
	b->older = a->newest;
	a->older_used += b->older == NULL ? 0 : b->older->used;
	a->newest = b;
	a->taken += size;
}

/* Forgets and wipes what the newest block has handed out from byte used on. */
static void
wipe_newest(struct arena *a, size_t used)
{
	struct block *b = a->newest;

	UNPOISON(b->bytes + used, b->used - used);
	explicit_bzero(b->bytes + used, b->used - used);
	POISON(b->bytes + used, b->used - used);
	b->used = used;
	a->last = NULL;
}

static void
drop_newest(struct arena *a)
{
	struct block *b = a->newest;

	wipe_newest(a, 0);
	UNPOISON(b->bytes, b->size);
	a->newest = b->older;
	a->older_used -= b->older == NULL ? 0 : b->older->used;
	a->taken -= b->size;
	free(b);
}

struct arena *
arena_new(size_t limit)
{
	struct arena *a = calloc(1, sizeof(*a));

	must(a != NULL);
	a->limit = limit;
	add_block(a, limit < FIRST_BLOCK ? limit : FIRST_BLOCK);
	return a;
}

void
arena_free(struct arena **a)
{
	if (*a == NULL)
		return;
	arena_reset(*a);
	drop_newest(*a);
	free(*a);
	*a = NULL;
}

/* A block as large as all others together, if the limit lets it: so their number grows slowly. */
static void
make_room(struct arena *a, size_t n)
{
	size_t size = larger(n, a->taken);

	add_block(a, size <= a->limit - a->taken ? size : n);
}

void *
arena_alloc(struct arena *a, size_t n)
{
	size_t room;

	must(n <= a->limit);
	room = aligned(n) + RED_ZONE;
	if (room > a->newest->size - a->newest->used)
		make_room(a, room);
	a->last = a->newest->bytes + a->newest->used;
	a->newest->used += room;
	UNPOISON(a->last, n);
	return a->last;
}

static bool
grow_in_place(struct arena *a, size_t n)
{
	struct block *b = a->newest;
	size_t start = (size_t)(a->last - b->bytes);
	size_t room = aligned(n) + RED_ZONE;

	if (room > b->size - start)
		return false;
	b->used = start + room;
	UNPOISON(a->last, n);
	return true;
}

void *
arena_grow(struct arena *a, void *p, size_t old, size_t n)
{
	void *new;

	must(old <= n && n <= a->limit);
	if (p != NULL && p == a->last && grow_in_place(a, n))
		return p;
	new = arena_alloc(a, n);
	if (p != NULL)
		memcpy(new, p, old);
	return new;
}

void
arena_defer(struct arena *a, void (*fn)(void *), void *arg)
{
	struct cleanup *c = arena_alloc(a, sizeof(*c));

	c->next = a->cleanups;
	c->fn = fn;
	c->arg = arg;
	a->cleanups = c;
}

void
arena_reset(struct arena *a)
{
	struct cleanup *c;

	while ((c = a->cleanups) != NULL) {
		a->cleanups = c->next;
		c->fn(c->arg);
	}
	while (a->newest->older != NULL)
		drop_newest(a);
	wipe_newest(a, 0);
}

struct arena_mark
arena_mark(struct arena *a)
{
	return (struct arena_mark){ a->newest, a->newest->used };
}

/* Would forgetting the newest block from byte used on forget a cleanup? */
static bool
cleanup_above(const struct arena *a, size_t used)
{
	uintptr_t c = (uintptr_t)a->cleanups;
	uintptr_t bytes = (uintptr_t)a->newest->bytes;

	return c >= bytes + used && c < bytes + a->newest->used;
}

void
arena_rewind(struct arena *a, struct arena_mark mark)
{
	while (a->newest != mark.block) {
		must(a->newest->older != NULL && !cleanup_above(a, 0));
		drop_newest(a);
	}
	must(mark.used <= a->newest->used && !cleanup_above(a, mark.used));
	wipe_newest(a, mark.used);
}

void
arena_reserve(struct arena *a, size_t n)
{
	add_block(a, n);
}

size_t
arena_used(const struct arena *a)
{
	return a->older_used + a->newest->used;
}

struct text
arena_text(struct arena *a, struct text t)
{
	char *s;

	if (text_is_none(t))
		return t;
	s = arena_alloc(a, t.n + 1);
	memcpy(s, t.s, t.n);
	return (struct text){ s, t.n };
}

struct bytes
arena_bytes(struct arena *a, struct bytes x)
{
	struct text copy = arena_text(a, (struct text){ (const char *)x.p, x.n });

	return (struct bytes){ (const uint8_t *)copy.s, copy.n };
}

struct text
arena_printf(struct arena *a, const char *format, ...)
{
	va_list args;
	char *s;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	must(n >= 0);

	s = arena_alloc(a, (size_t)n + 1);
	va_start(args, format);
	vsnprintf(s, (size_t)n + 1, format, args);
	va_end(args);
	return (struct text){ s, (size_t)n };
}
