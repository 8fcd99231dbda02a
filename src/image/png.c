/* PNG, third edition (W3C, 2025): a signature and chunks, each with a checksum; APNG is part of it. */
#include "base/base.h"
#include "image/image_int.h"

#include <zlib.h>

static const uint8_t signature[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };

struct chunk {
	const uint8_t *type, *data;
	uint32_t n;
};

/* What has been seen so far. */
struct png {
	struct walk *w;
	bool header, palette, data, data_ended, end;
	bool indexed; /* the colours are the palette's */
};

static bool
read_header(struct png *png, const struct chunk *c)
{
	/* Bit depths, a bit each, by colour type: grey, -, RGB, palette, grey and alpha, -, RGBA. */
	static const uint32_t depths[] = { 0x10116, 0, 0x10100, 0x116, 0x10100, 0, 0x10100 };
	uint8_t depth, colour;

	if (png->header || c->n != 13)
		return false;
	depth = c->data[8];
	colour = c->data[9];
	png->header = true;
	png->indexed = colour == 3;
	return colour < countof(depths) && depth <= 16 && (depths[colour] >> depth & 1) != 0 &&
	    c->data[10] == 0 && c->data[11] == 0 && c->data[12] <= 1 &&
	    walk_size(png->w, big32(c->data), big32(c->data + 4));
}

static bool
read_palette(struct png *png, const struct chunk *c)
{
	bool good = !png->palette && !png->data && c->n > 0 && c->n % 3 == 0 && c->n <= 768;

	png->palette = true;
	return good;
}

static bool
read_data(struct png *png, const struct chunk *c UNUSED)
{
	png->data = true;
	return !png->data_ended && (png->palette || !png->indexed);
}

/* A frame of an animation; it lies within the picture. */
static bool
read_frame(struct png *png, const struct chunk *c)
{
	uint32_t width, height;

	if (c->n != 26)
		return false;
	width = big32(c->data + 4);
	height = big32(c->data + 8);
	return width > 0 && height > 0 && (int64_t)width + big32(c->data + 12) <= png->w->width &&
	    (int64_t)height + big32(c->data + 16) <= png->w->height;
}

static bool
read_frame_data(struct png *png, const struct chunk *c)
{
	return png->data && c->n > 4;
}

static bool
read_end(struct png *png, const struct chunk *c)
{
	png->end = true;
	return c->n == 0 && png->data;
}

/* clang-format off */
/* The chunks of a picture; others are left out. */
static const struct rule {
	const char *type;
	bool (*read)(struct png *png, const struct chunk *c); /* NULL: anything goes */
} rules[] = {
	{ "IHDR", read_header },
	{ "PLTE", read_palette },
	{ "IDAT", read_data },
	{ "IEND", read_end },
	{ "tRNS", NULL },
	{ "cHRM", NULL },
	{ "cICP", NULL },
	{ "gAMA", NULL },
	{ "iCCP", NULL },
	{ "sBIT", NULL },
	{ "sRGB", NULL },
	{ "acTL", NULL },
	{ "fcTL", read_frame },
	{ "fdAT", read_frame_data },
};
/* clang-format on */

static const struct rule *
find_rule(const struct chunk *c)
{
	for (size_t i = 0; i < countof(rules); i++)
		if (memcmp(rules[i].type, c->type, 4) == 0)
			return &rules[i];
	return NULL;
}

static bool
take_chunk(struct walk *w, struct chunk *c)
{
	const uint8_t *length = walk_take(w, 4), *checksum;

	if (length == NULL || (c->type = walk_take(w, 4)) == NULL)
		return false;
	c->n = big32(length);
	c->data = walk_take(w, c->n);
	checksum = walk_take(w, 4);
	return c->data != NULL && checksum != NULL &&
	    crc32(crc32(0, c->type, 4), c->data, c->n) == big32(checksum);
}

/* A chunk whose type begins with a capital letter has to be understood. */
static bool
is_critical(const struct chunk *c)
{
	return (c->type[0] & 0x20) == 0;
}

static bool
walk_chunk(struct png *png)
{
	size_t start = png->w->at;
	const struct rule *rule;
	struct chunk c;

	if (!take_chunk(png->w, &c))
		return false;
	rule = find_rule(&c);
	if (!png->header && (rule == NULL || rule->read != read_header))
		return false;
	if (rule == NULL || rule->read != read_data)
		png->data_ended = png->data;
	if (rule == NULL)
		return !is_critical(&c);
	if (rule->read != NULL && !rule->read(png, &c))
		return false;
	walk_keep_from(png->w, start);
	return true;
}

bool
png_walk(struct walk *w)
{
	struct png png = { .w = w };
	const uint8_t *p = walk_take(w, sizeof(signature));

	if (p == NULL || memcmp(p, signature, sizeof(signature)) != 0)
		return false;
	walk_keep(w, p, sizeof(signature));
	while (!png.end)
		if (!walk_chunk(&png))
			return false;
	return true;
}
