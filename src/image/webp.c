/* WebP (RFC 9649): RIFF chunks around VP8 (RFC 6386) or VP8L data; animations have frames of such chunks. */
#include "base/base.h"
#include "image/image_int.h"

enum {
	VP8X_ANIMATION = 0x02,
	VP8X_XMP = 0x04,
	VP8X_EXIF = 0x08,
};

struct chunk {
	const uint8_t *type, *data;
	uint32_t n;
};

/* A picture, or a frame of an animation. */
struct canvas {
	uint32_t width, height;
	size_t pictures; /* that were found for it */
};

struct webp {
	struct walk *w;
	struct canvas canvas;
	bool extended, animated;
	size_t frames;
};

/* A chunk with its padding, which must end before end. */
static bool
take_chunk(struct walk *w, size_t end, struct chunk *c)
{
	const uint8_t *head = end - w->at < 8 ? NULL : walk_take(w, 8);
	size_t padded;

	if (head == NULL)
		return false;
	c->type = head;
	c->n = little32(head + 4);
	padded = (size_t)c->n + (c->n & 1);
	c->data = padded > end - w->at ? NULL : walk_take(w, padded);
	return c->data != NULL;
}

static bool
is(const struct chunk *c, const char *type)
{
	return memcmp(c->type, type, 4) == 0;
}

static void
keep_chunk(struct walk *w, const struct chunk *c)
{
	static const uint8_t padding;

	walk_keep(w, c->type, 8);
	walk_keep(w, c->data, c->n);
	walk_keep(w, &padding, c->n & 1);
}

/* Begins a chunk whose length is known at its end; where it begins. */
static size_t
begin_chunk(struct walk *w, const char *type)
{
	static const uint8_t unknown[4];

	walk_keep(w, (const uint8_t *)type, 4);
	walk_keep(w, unknown, sizeof(unknown));
	return w->kept - 8;
}

static void
end_chunk(struct walk *w, size_t start)
{
	put_little32(w->out + start + 4, (uint32_t)(w->kept - start - 8));
}

/* Size of a VP8 key frame; its first partition must be there. */
static bool
lossy_size(const struct chunk *c, uint32_t *width, uint32_t *height)
{
	static const uint8_t start_code[] = { 0x9d, 0x01, 0x2a };

	if (c->n < 10 || (c->data[0] & 1) != 0 ||
	    memcmp(c->data + 3, start_code, sizeof(start_code)) != 0 ||
	    little24(c->data) >> 5 > c->n - 10)
		return false;
	*width = little16(c->data + 6) & 0x3fff;
	*height = little16(c->data + 8) & 0x3fff;
	return true;
}

static bool
lossless_size(const struct chunk *c, uint32_t *width, uint32_t *height)
{
	uint32_t bits;

	if (c->n < 5 || c->data[0] != 0x2f)
		return false;
	bits = little32(c->data + 1);
	*width = (bits & 0x3fff) + 1;
	*height = (bits >> 14 & 0x3fff) + 1;
	return bits >> 29 == 0;
}

/* A chunk of a picture or a frame. */
static bool
walk_picture(struct walk *w, struct canvas *canvas, const struct chunk *c)
{
	bool lossy = is(c, "VP8 "), lossless = is(c, "VP8L");
	uint32_t width, height;

	if (is(c, "ALPH"))
		keep_chunk(w, c);
	if (!lossy && !lossless)
		return true;
	if (!(lossy ? lossy_size(c, &width, &height) : lossless_size(c, &width, &height)))
		return false;
	if (canvas->width == 0) {
		canvas->width = width;
		canvas->height = height;
	}
	canvas->pictures++;
	keep_chunk(w, c);
	return width == canvas->width && height == canvas->height && walk_size(w, width, height);
}

static bool
read_extended(struct webp *webp, const struct chunk *c)
{
	uint8_t flags;

	if (webp->extended || webp->canvas.width > 0 || c->n != 10)
		return false;
	flags = c->data[0];
	webp->extended = true;
	webp->animated = (flags & VP8X_ANIMATION) != 0;
	webp->canvas.width = little24(c->data + 4) + 1;
	webp->canvas.height = little24(c->data + 7) + 1;
	keep_chunk(webp->w, c);
	webp->w->out[webp->w->kept - c->n] = flags & (uint8_t) ~(VP8X_XMP | VP8X_EXIF);
	return walk_size(webp->w, webp->canvas.width, webp->canvas.height);
}

/* A frame lies within the picture. */
static bool
frame_fits(const struct webp *webp, const uint8_t *p, const struct canvas *frame)
{
	return (uint64_t)2 * little24(p) + frame->width <= webp->canvas.width &&
	    (uint64_t)2 * little24(p + 3) + frame->height <= webp->canvas.height;
}

/* The chunks of a frame, behind its 16 bytes of head. The walk goes back to them. */
static bool
walk_frame(struct webp *webp, const struct chunk *c)
{
	struct walk *w = webp->w;
	size_t end = w->at, start;
	struct canvas frame;
	struct chunk part;

	if (!webp->animated || c->n < 16)
		return false;
	frame = (struct canvas){ little24(c->data + 6) + 1, little24(c->data + 9) + 1, 0 };
	if (!frame_fits(webp, c->data, &frame))
		return false;
	start = begin_chunk(w, "ANMF");
	walk_keep(w, c->data, 16);
	w->at = (size_t)(c->data - w->p) + 16;
	while (w->at < end)
		if (!take_chunk(w, end, &part) || !walk_picture(w, &frame, &part))
			return false;
	end_chunk(w, start);
	webp->frames++;
	return frame.pictures == 1;
}

static bool
walk_chunk(struct webp *webp, const struct chunk *c)
{
	if (is(c, "VP8X"))
		return read_extended(webp, c);
	if (is(c, "ANMF"))
		return walk_frame(webp, c);
	if (webp->extended && (is(c, "ICCP") || is(c, "ANIM"))) {
		keep_chunk(webp->w, c);
		return true;
	}
	return walk_picture(webp->w, &webp->canvas, c);
}

/* Only an extended file has more than one chunk that counts, and VP8X is its first. */
static bool
is_first(const struct chunk *c)
{
	return is(c, "VP8X") || is(c, "VP8 ") || is(c, "VP8L");
}

bool
webp_walk(struct walk *w)
{
	const uint8_t *head = walk_take(w, 12);
	struct webp webp = { .w = w };
	struct chunk c;
	size_t start, end;

	if (head == NULL || memcmp(head, "RIFF", 4) != 0 || memcmp(head + 8, "WEBP", 4) != 0 ||
	    little32(head + 4) > w->n - 8)
		return false;
	end = (size_t)little32(head + 4) + 8;
	start = begin_chunk(w, "RIFF");
	walk_keep(w, head + 8, 4);
	for (bool first = true; w->at < end; first = false)
		if (!take_chunk(w, end, &c) || (first && !is_first(&c)) || !walk_chunk(&webp, &c))
			return false;
	end_chunk(w, start);
	return webp.animated ? webp.frames > 0 && webp.canvas.pictures == 0
			     : webp.canvas.pictures == 1;
}
