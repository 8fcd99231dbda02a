#include "base/base.h"
#include "json/json_int.h"

/* yajl reallocates without saying how much there was, so that is kept in front. */
struct piece {
	size_t n;
	_Alignas(max_align_t) char bytes[];
};

static void *
piece_alloc(void *arena, size_t n)
{
	struct piece *piece = arena_alloc(arena, sizeof(*piece) + n);

	piece->n = n;
	return piece->bytes;
}

static void *
piece_grow(void *arena, void *p, size_t n)
{
	struct piece *piece;

	if (p == NULL)
		return piece_alloc(arena, n);
	piece = (struct piece *)((char *)p - offsetof(struct piece, bytes));
	if (n <= piece->n)
		return p;
	piece = arena_grow(arena, piece, sizeof(*piece) + piece->n, sizeof(*piece) + n);
	piece->n = n;
	return piece->bytes;
}

static void
piece_free(void *arena UNUSED, void *p UNUSED)
{
}

yajl_alloc_funcs
json_memory(struct arena *a)
{
	return (yajl_alloc_funcs){ piece_alloc, piece_grow, piece_free, a };
}
