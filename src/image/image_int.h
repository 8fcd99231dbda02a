/* Between the files of image/. */
#ifndef ROSTER_IMAGE_IMAGE_INT_H
#define ROSTER_IMAGE_IMAGE_INT_H

#include "image/image.h"

/* A walk through a file, and the copy, which never gets longer than the file. */
struct walk {
	const uint8_t *p;
	size_t n, at;
	uint8_t *out;
	size_t kept;
	int64_t width, height; /* of the picture; the last one refused when large */
	int64_t max_pixels;
	bool large;
};

/* A format's walk from the first byte; true when all of the picture was there. */
typedef bool walker(struct walk *w);

walker png_walk, jpeg_walk, gif_walk, webp_walk;

/* The next n bytes, NULL when there are fewer. */
const uint8_t *walk_take(struct walk *w, size_t n);

/* Appends bytes to the copy. */
void walk_keep(struct walk *w, const uint8_t *p, size_t n);

/* ... the bytes from there to where the walk is. */
void walk_keep_from(struct walk *w, size_t start);

/* Notes the picture's size: once, later calls are for frames. false when it is not allowed. */
bool walk_size(struct walk *w, uint32_t width, uint32_t height);

static inline uint32_t
big16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static inline uint32_t
big32(const uint8_t *p)
{
	return big16(p) << 16 | big16(p + 2);
}

static inline uint32_t
little16(const uint8_t *p)
{
	return (uint32_t)p[1] << 8 | p[0];
}

static inline uint32_t
little24(const uint8_t *p)
{
	return (uint32_t)p[2] << 16 | little16(p);
}

static inline uint32_t
little32(const uint8_t *p)
{
	return little16(p + 2) << 16 | little16(p);
}

static inline void
put_little32(uint8_t *p, uint32_t n)
{
	for (size_t i = 0; i < 4; i++)
		p[i] = (uint8_t)(n >> 8 * i);
}

#endif
