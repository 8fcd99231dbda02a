/* GIF89a (CompuServe, 1990) and the loop extension that browsers know: blocks and their sub-blocks. */
#include "base/base.h"
#include "image/image_int.h"

enum {
	EXTENSION = 0x21,
	IMAGE = 0x2c,
	TRAILER = 0x3b,

	GRAPHIC_CONTROL = 0xf9,
	APPLICATION = 0xff,
};

#define APPLICATION_NAME 11

struct gif {
	struct walk *w;
	const uint8_t *control; /* the graphic control block of the next image; NULL: none */
	size_t control_size;
	bool image;
};

/* Over the table of colours that a flags byte announces. */
static bool
skip_colours(struct walk *w, uint8_t flags)
{
	size_t n = (flags & 0x80) == 0 ? 0 : 3 * ((size_t)2 << (flags & 7));

	return walk_take(w, n) != NULL;
}

/* Over sub-blocks and the empty one that ends them; how many bytes they hold. */
static bool
skip_blocks(struct walk *w, size_t *bytes)
{
	const uint8_t *n;

	*bytes = 0;
	while ((n = walk_take(w, 1)) != NULL && *n > 0) {
		*bytes += *n;
		if (walk_take(w, *n) == NULL)
			return false;
	}
	return n != NULL;
}

static bool
keep_screen(struct walk *w)
{
	const uint8_t *p = walk_take(w, 13);

	if (p == NULL || (memcmp(p, "GIF87a", 6) != 0 && memcmp(p, "GIF89a", 6) != 0) ||
	    !walk_size(w, little16(p + 6), little16(p + 8)) || !skip_colours(w, p[10]))
		return false;
	walk_keep_from(w, 0);
	return true;
}

static bool
keep_image(struct gif *g, size_t start)
{
	const uint8_t *p = walk_take(g->w, 9), *code_size;
	size_t bytes;

	if (p == NULL || !walk_size(g->w, little16(p + 4), little16(p + 6)) ||
	    !skip_colours(g->w, p[8]))
		return false;
	code_size = walk_take(g->w, 1);
	if (code_size == NULL || *code_size < 2 || *code_size > 8 || !skip_blocks(g->w, &bytes) ||
	    bytes == 0)
		return false;
	if (g->control != NULL)
		walk_keep(g->w, g->control, g->control_size);
	g->control = NULL;
	g->image = true;
	walk_keep_from(g->w, start);
	return true;
}

/* Applications whose blocks are part of the picture: how often it repeats, its colour profile. */
static bool
is_known(const uint8_t *name)
{
	static const char *const known[] = { "NETSCAPE2.0", "ANIMEXTS1.0", "ICCRGBG1012" };

	for (size_t i = 0; i < countof(known); i++)
		if (memcmp(name, known[i], APPLICATION_NAME) == 0)
			return true;
	return false;
}

static bool
walk_extension(struct gif *g, size_t start)
{
	const uint8_t *label = walk_take(g->w, 1), *block = g->w->p + g->w->at;
	size_t bytes;

	if (label == NULL || !skip_blocks(g->w, &bytes))
		return false;
	if (*label == GRAPHIC_CONTROL && bytes == 4) {
		g->control = g->w->p + start;
		g->control_size = g->w->at - start;
	} else if (*label == APPLICATION && bytes > APPLICATION_NAME &&
	    block[0] == APPLICATION_NAME && is_known(block + 1)) {
		walk_keep_from(g->w, start);
	}
	return true;
}

bool
gif_walk(struct walk *w)
{
	struct gif g = { .w = w };
	const uint8_t *p;
	size_t start;
	bool good;

	if (!keep_screen(w))
		return false;
	for (;;) {
		start = w->at;
		p = walk_take(w, 1);
		if (p == NULL)
			return false;
		if (*p == TRAILER) {
			walk_keep(w, p, 1);
			return g.image;
		}
		good = *p == IMAGE ? keep_image(&g, start)
				   : *p == EXTENSION && walk_extension(&g, start);
		if (!good)
			return false;
	}
}
