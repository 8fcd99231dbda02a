/*
 * Pictures from outside: what they are, and a copy that is a picture and nothing else.
 *
 * libmagic tells what the bytes are; PNG, JPEG, GIF and WebP are taken. Then a strict walk through the
 * file's structure (chunks, segments, blocks) must find a whole picture of a size that is allowed. It
 * copies what a picture needs, animation and colour profile included, and leaves out the rest: Exif, XMP,
 * comments, thumbnails, whatever follows the end. Nothing is decompressed, so that a file which claims
 * billions of pixels costs no more than any other; pixels that are damaged stay so.
 */
#ifndef ROSTER_IMAGE_IMAGE_H
#define ROSTER_IMAGE_IMAGE_H

#include "base/arena.h"
#include "base/base.h"
#include "base/text.h"
#include "base/value.h"

enum image_fault {
	IMAGE_GOOD,
	IMAGE_INVALID, /* none of the four formats, or not whole */
	IMAGE_LARGE,   /* more pixels than max_pixels: width and height say how many */
};

struct image {
	const char *type; /* "image/png" */
	int64_t width, height;
	struct bytes bytes; /* on the arena */
};

/* Looks at in and makes the copy. max_pixels holds for the picture and for each frame of an animation. */
enum image_fault image_clean(
    struct bytes in, int64_t max_pixels, struct arena *a, struct image *out) MUST_CHECK;

/* "jpg" for "image/jpeg"; for one of the four types only. */
const char *image_extension(struct text type);

#endif
