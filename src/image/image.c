#include "base/base.h"
#include "image/image_int.h"

#include <magic.h>

/* Bytes that tell what a file is. */
#define HEAD 4096

/* clang-format off */
static const struct format {
	const char *magic; /* libmagic's name */
	const char *type, *extension;
	walker *walk;
} formats[] = {
	{ "image/png", "image/png", "png", png_walk },
	{ "image/apng", "image/png", "png", png_walk },
	{ "image/jpeg", "image/jpeg", "jpg", jpeg_walk },
	{ "image/gif", "image/gif", "gif", gif_walk },
	{ "image/webp", "image/webp", "webp", webp_walk },
};
/* clang-format on */

/* Loaded at the first picture and kept: it takes longer to load than to use. */
static magic_t
database(void)
{
	static magic_t loaded;

	if (loaded == NULL) {
		loaded = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TAR |
		    MAGIC_NO_CHECK_CDF | MAGIC_NO_CHECK_ELF | MAGIC_NO_CHECK_TEXT |
		    MAGIC_NO_CHECK_JSON | MAGIC_NO_CHECK_CSV);
		must(loaded != NULL && magic_load(loaded, NULL) == 0);
	}
	return loaded;
}

static const struct format *
find_format(struct bytes in)
{
	struct text magic = text_from(magic_buffer(database(), in.p, in.n < HEAD ? in.n : HEAD));

	for (size_t i = 0; i < countof(formats); i++)
		if (text_eq(magic, text_from(formats[i].magic)))
			return &formats[i];
	return NULL;
}

enum image_fault
image_clean(struct bytes in, int64_t max_pixels, struct arena *a, struct image *out)
{
	const struct format *f = in.n > 0 ? find_format(in) : NULL;
	struct walk w = { .p = in.p, .n = in.n, .max_pixels = max_pixels };
	bool whole;

	if (f == NULL)
		return IMAGE_INVALID;
	w.out = arena_alloc(a, in.n);
	whole = f->walk(&w);
	*out = (struct image){ f->type, w.width, w.height, { w.out, w.kept } };
	if (w.large)
		return IMAGE_LARGE;
	return whole ? IMAGE_GOOD : IMAGE_INVALID;
}

const char *
image_extension(struct text type)
{
	for (size_t i = 0; i < countof(formats); i++)
		if (text_eq(type, text_from(formats[i].type)))
			return formats[i].extension;
	unreachable();
}

const uint8_t *
walk_take(struct walk *w, size_t n)
{
	const uint8_t *p = w->p + w->at;

	if (n > w->n - w->at)
		return NULL;
	w->at += n;
	return p;
}

void
walk_keep(struct walk *w, const uint8_t *p, size_t n)
{
	must(n <= w->n - w->kept);
	memcpy(w->out + w->kept, p, n);
	w->kept += n;
}

void
walk_keep_from(struct walk *w, size_t start)
{
	walk_keep(w, w->p + start, w->at - start);
}

bool
walk_size(struct walk *w, uint32_t width, uint32_t height)
{
	if (width == 0 || height == 0)
		return false;
	w->large = (int64_t)width > w->max_pixels / (int64_t)height;
	if (w->large || w->width == 0) {
		w->width = width;
		w->height = height;
	}
	return !w->large;
}
