#define ROSTER_OWNS_MEMORY /* heap blocks of exact sizes, so that a sanitizer sees each byte too far */
#include "base/base.h"
#include "base/buf.h"
#include "image/image.h"

#include <criterion/criterion.h>
#include <zlib.h>

#define MAX_PIXELS 1000000
#define MUTATIONS 3000

static struct arena *a;

static void
set_up(void)
{
	a = arena_new((size_t)64 * 1024 * 1024);
}

static void
tear_down(void)
{
	arena_free(&a);
}

TestSuite(image, .init = set_up, .fini = tear_down);

/* Files are put together piece by piece. SECRET is in what must go, KEEP in what must stay. */

#define ADD(b, literal) buf_add(b, (struct text){ "" literal "", sizeof(literal) - 1 })

static void
add_number(struct buf *b, uint32_t n, size_t bytes, bool big)
{
	for (size_t i = 0; i < bytes; i++)
		buf_add_char(b, (char)(n >> 8 * (big ? bytes - 1 - i : i)));
}

static void
add_png_chunk(struct buf *b, const char *type, struct text data)
{
	uLong crc = crc32(crc32(0, (const Bytef *)type, 4), (const Bytef *)data.s, (uInt)data.n);

	add_number(b, (uint32_t)data.n, 4, true);
	buf_add(b, text_from(type));
	buf_add(b, data);
	add_number(b, (uint32_t)crc, 4, true);
}

static void
add_png_head(struct buf *b, uint32_t width, uint32_t height)
{
	struct buf header;

	buf_init(&header, a);
	add_number(&header, width, 4, true);
	add_number(&header, height, 4, true);
	ADD(&header, "\x08\x03\x00\x00\x00");
	ADD(b, "\x89PNG\r\n\x1a\n");
	add_png_chunk(b, "IHDR", buf_text(&header));
}

static void
make_png(struct buf *b)
{
	add_png_head(b, 3, 2);
	add_png_chunk(b, "iCCP", T("KEEP"));
	add_png_chunk(b, "tEXt", T("Comment\0SECRET"));
	add_png_chunk(b, "PLTE", T("KEP"));
	add_png_chunk(b, "eXIf", T("SECRET"));
	add_png_chunk(b, "IDAT", T("KEEP"));
	add_png_chunk(b, "IDAT", T("KEEP"));
	add_png_chunk(b, "prVt", T("SECRET"));
	add_png_chunk(b, "IEND", T(""));
}

static void
make_apng(struct buf *b)
{
	add_png_head(b, 3, 2);
	add_png_chunk(b, "PLTE", T("KEP"));
	add_png_chunk(b, "acTL", T("\0\0\0\2\0\0\0\0"));
	add_png_chunk(b, "fcTL", T("\0\0\0\0\0\0\0\3\0\0\0\2\0\0\0\0\0\0\0\0\0\1\0\1\0\0"));
	add_png_chunk(b, "IDAT", T("KEEP"));
	add_png_chunk(b, "fcTL", T("\0\0\0\1\0\0\0\2\0\0\0\1\0\0\0\1\0\0\0\1\0\1\0\1\0\0"));
	add_png_chunk(b, "fdAT", T("\0\0\0\2KEEP"));
	add_png_chunk(b, "IEND", T(""));
}

/* exif: a segment before the picture. */
static void
make_jpeg_with(struct buf *b, struct text exif)
{
	ADD(b, "\xff\xd8");
	buf_add(b, exif);
	ADD(b, "\xff\xe0\x00\x16JFIF\0\x01\x02\x01\x00\x48\x00\x48\x01\x02SECRET");
	ADD(b,
	    "\xff\xe1\x00\x0e"
	    "Exif\0\0SECRET");
	ADD(b, "\xff\xe2\x00\x14ICC_PROFILE\0\x01\x01KEEP");
	ADD(b, "\xff\xe2\x00\x0cMPF\0SECRET");
	ADD(b,
	    "\xff\xee\x00\x0e"
	    "Adobe\0\x64\0\0\0\0\x01");
	ADD(b, "\xff\xfe\x00\x08SECRET");
	ADD(b, "\xff\xdb\x00\x06KEEP");
	ADD(b, "\xff\xff\xff\xc0\x00\x0b\x08\x00\x02\x00\x03\x01\x01\x11\x00");
	ADD(b, "\xff\xc4\x00\x06KEEP");
	ADD(b, "\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00KEEP\xff\x00\xff\xd0KEEP");
	ADD(b, "\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00KEEP");
	ADD(b, "\xff\xd9");
}

static void
make_jpeg(struct buf *b)
{
	make_jpeg_with(b, T(""));
}

/* Two entries, of which the second one says how the camera was held. */
#define EXIF_BIG(turned)                                                             \
	"\xff\xe1\x00\x34"                                                           \
	"Exif\0\0MM\0*\0\0\0\10\0\2\1\17\0\2\0\0\0\3SEC\0\1\22\0\3\0\0\0\1\0" turned \
	"\0\0\0\0\0\0SECRET"
#define EXIF_LITTLE(turned)                                                        \
	"\xff\xe1\x00\x34"                                                         \
	"Exif\0\0II*\0\10\0\0\0\2\0\17\1\2\0\3\0\0\0SEC\0\22\1\3\0\1\0\0\0" turned \
	"\0\0\0\0\0\0\0SECRET"

static void
make_turned(struct buf *b)
{
	make_jpeg_with(b, T(EXIF_BIG("\6")));
}

static void
make_turned_little(struct buf *b)
{
	make_jpeg_with(b, T(EXIF_LITTLE("\6")));
}

static void
make_gif(struct buf *b)
{
	ADD(b, "GIF89a\x03\x00\x02\x00\x80\x00\x00RGBKEP");
	ADD(b, "\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00");
	ADD(b, "\x21\xff\x0bXMP DataXMP\x06SECRET\x00");
	ADD(b, "\x21\xfe\x06SECRET\x00");
	ADD(b, "\x21\xf9\x04\x00\x01\x00\x00\x00");
	ADD(b, "\x2c\x00\x00\x00\x00\x03\x00\x02\x00\x00\x02\x04KEEP\x00");
	ADD(b, "\x21\x01\x06SECRET\x00");
	ADD(b, "\x2c\x01\x00\x01\x00\x02\x00\x01\x00\x80RGBKEP\x02\x04KEEP\x00");
	ADD(b, "\x3b");
}

#define LOSSLESS_3_2 "\x2f\x02\x40\x00\x00"
#define LOSSY_3_2 "\x90\x00\x00\x9d\x01\x2a\x03\x00\x02\x00KEEP"

static void
add_riff_chunk(struct buf *b, const char *type, struct text data)
{
	buf_add(b, text_from(type));
	add_number(b, (uint32_t)data.n, 4, false);
	buf_add(b, data);
	if (data.n % 2 != 0)
		buf_add_char(b, '\0');
}

static void
add_webp(struct buf *b, struct buf *chunks)
{
	struct buf inside;

	buf_init(&inside, a);
	ADD(&inside, "WEBP");
	buf_add(&inside, buf_text(chunks));
	add_riff_chunk(b, "RIFF", buf_text(&inside));
}

static void
make_lossy(struct buf *b)
{
	struct buf chunks;

	buf_init(&chunks, a);
	add_riff_chunk(&chunks, "VP8 ", T(LOSSY_3_2));
	add_webp(b, &chunks);
}

static void
make_lossless(struct buf *b)
{
	struct buf chunks;

	buf_init(&chunks, a);
	add_riff_chunk(&chunks, "VP8L", T(LOSSLESS_3_2 "KEEP"));
	add_riff_chunk(&chunks, "SECR", T("SECRET"));
	add_webp(b, &chunks);
}

static void
make_extended(struct buf *b)
{
	struct buf chunks;

	buf_init(&chunks, a);
	add_riff_chunk(&chunks, "VP8X", T("\x3c\0\0\0\2\0\0\1\0\0"));
	add_riff_chunk(&chunks, "ICCP", T("KEEP"));
	add_riff_chunk(&chunks, "ALPH", T("KEEP?"));
	add_riff_chunk(&chunks, "VP8 ", T(LOSSY_3_2));
	add_riff_chunk(&chunks, "EXIF", T("SECRET"));
	add_riff_chunk(&chunks, "XMP ", T("SECRET"));
	add_webp(b, &chunks);
}

static void
make_animated(struct buf *b)
{
	struct buf chunks, frame;

	buf_init(&chunks, a);
	buf_init(&frame, a);
	ADD(&frame, "\0\0\0\0\0\0\2\0\0\1\0\0\x64\0\0\0");
	add_riff_chunk(&frame, "VP8L", T(LOSSLESS_3_2 "KEEP"));
	add_riff_chunk(&frame, "SECR", T("SECRET"));
	add_riff_chunk(&chunks, "VP8X", T("\2\0\0\0\2\0\0\1\0\0"));
	add_riff_chunk(&chunks, "ANIM", T("KEEP\0\0"));
	add_riff_chunk(&chunks, "ANMF", buf_text(&frame));
	add_riff_chunk(&chunks, "ANMF", buf_text(&frame));
	add_webp(b, &chunks);
}

/* All are 3 by 2 pixels. */
static const struct sample {
	const char *name, *type, *extension;
	void (*make)(struct buf *b);
	size_t keep; /* KEEPs in it */
} samples[] = {
	{ "png", "image/png", "png", make_png, 3 },
	{ "apng", "image/png", "png", make_apng, 2 },
	{ "jpeg", "image/jpeg", "jpg", make_jpeg, 6 },
	{ "turned", "image/jpeg", "jpg", make_turned, 6 },
	{ "turned, little-endian", "image/jpeg", "jpg", make_turned_little, 6 },
	{ "gif", "image/gif", "gif", make_gif, 2 },
	{ "lossy", "image/webp", "webp", make_lossy, 1 },
	{ "lossless", "image/webp", "webp", make_lossless, 1 },
	{ "extended", "image/webp", "webp", make_extended, 3 },
	{ "animated", "image/webp", "webp", make_animated, 3 },
};

static struct text
make(const struct sample *s)
{
	struct buf b;

	buf_init(&b, a);
	s->make(&b);
	return buf_text(&b);
}

/* Cleans a copy of the file that ends where its heap block ends. */
static enum image_fault
clean(struct text file, int64_t max_pixels, struct image *out)
{
	uint8_t *block = malloc(file.n);
	enum image_fault fault;

	cr_assert(file.n == 0 || block != NULL);
	if (file.n > 0)
		memcpy(block, file.s, file.n);
	fault = image_clean((struct bytes){ block, file.n }, max_pixels, a, out);
	free(block);
	return fault;
}

static size_t
count(struct bytes in, const char *what)
{
	const uint8_t *p = in.p, *end = in.p + in.n;
	size_t n = 0;

	while ((p = memmem(p, (size_t)(end - p), what, strlen(what))) != NULL) {
		n++;
		p++;
	}
	return n;
}

Test(image, keeps_the_picture_and_nothing_else)
{
	for (size_t i = 0; i < countof(samples); i++) {
		const struct sample *s = &samples[i];
		struct image image, again;
		struct text copy;

		cr_assert(clean(make(s), MAX_PIXELS, &image) == IMAGE_GOOD, "%s", s->name);
		cr_assert_str_eq(image.type, s->type, "%s", s->name);
		cr_assert_str_eq(image_extension(text_from(image.type)), s->extension);
		cr_assert(image.width == 3 && image.height == 2, "%s", s->name);
		cr_assert(count(image.bytes, "SECRET") == 0, "%s", s->name);
		cr_assert(count(image.bytes, "KEEP") == s->keep, "%s: %zu", s->name,
		    count(image.bytes, "KEEP"));

		copy = (struct text){ (const char *)image.bytes.p, image.bytes.n };
		cr_assert(clean(copy, MAX_PIXELS, &again) == IMAGE_GOOD, "%s", s->name);
		cr_assert(again.bytes.n == copy.n && memcmp(again.bytes.p, copy.s, copy.n) == 0,
		    "%s", s->name);
	}
}

Test(image, keeps_how_a_jpeg_is_turned)
{
	static const struct {
		struct text exif;
		size_t kept; /* 6: so it is turned */
	} cases[] = {
		{ T(EXIF_BIG("\6")), 1 },
		{ T(EXIF_LITTLE("\6")), 1 },
		{ T(EXIF_BIG("\1")), 0 },
		{ T(EXIF_BIG("\0")), 0 },
		{ T(EXIF_BIG("\11")), 0 },
		{ T("\xff\xe1\x00\x10"
		    "Exif\0\0MM\0*\0\0\0\10"),
		    0 },
		{ T("\xff\xe1\x00\x22"
		    "Exif\0\0MM\0*\0\0\0\10\377\377\1\17\0\2\0\0\0\3SEC\0\1\22\0\3"),
		    0 },
	};
	static const char plain[] = "\xff\xe1\0\42"
				    "Exif\0\0MM\0*\0\0\0\10\0\1\1\22\0\3\0\0\0\1\0\6\0\0\0\0\0";

	for (size_t i = 0; i < countof(cases); i++) {
		struct image image;
		struct buf file;

		buf_init(&file, a);
		make_jpeg_with(&file, cases[i].exif);
		cr_assert(clean(buf_text(&file), MAX_PIXELS, &image) == IMAGE_GOOD, "%zu", i);
		cr_assert((memmem(image.bytes.p, image.bytes.n, plain, sizeof(plain)) != NULL) ==
			(cases[i].kept == 1),
		    "%zu", i);
		cr_assert(count(image.bytes, "Exif") == cases[i].kept, "%zu", i);
	}
}

Test(image, leaves_out_what_follows_the_end)
{
	for (size_t i = 0; i < countof(samples); i++) {
		struct image image, same;
		struct buf longer;

		buf_init(&longer, a);
		samples[i].make(&longer);
		ADD(&longer, "SECRET");
		cr_assert(clean(make(&samples[i]), MAX_PIXELS, &image) == IMAGE_GOOD);
		cr_assert(clean(buf_text(&longer), MAX_PIXELS, &same) == IMAGE_GOOD, "%s",
		    samples[i].name);
		cr_assert(same.bytes.n == image.bytes.n, "%s", samples[i].name);
	}
}

Test(image, refuses_every_truncation)
{
	for (size_t i = 0; i < countof(samples); i++) {
		struct text file = make(&samples[i]);
		struct image image;

		for (size_t n = 0; n < file.n; n++)
			cr_assert(
			    clean(text_slice(file, 0, n), MAX_PIXELS, &image) == IMAGE_INVALID,
			    "%s of %zu bytes", samples[i].name, n);
	}
}

/* Whatever is in a file: it is refused, or what was made of it is a picture. */
Test(image, survives_every_mutation)
{
	uint32_t random = 20261124;

	for (size_t i = 0; i < countof(samples); i++) {
		struct text file = make(&samples[i]);
		struct arena_mark mark = arena_mark(a);

		for (int tries = 0; tries < MUTATIONS; tries++) {
			char *bad = arena_alloc(a, file.n);
			struct image image, again;

			memcpy(bad, file.s, file.n);
			for (int changes = 0; changes <= tries % 3; changes++) {
				random = random * 1664525 + 1013904223;
				bad[(random >> 8) % file.n] = (char)(random >> 24);
			}
			if (clean((struct text){ bad, file.n }, MAX_PIXELS, &image) == IMAGE_GOOD) {
				struct text copy = { (const char *)image.bytes.p, image.bytes.n };

				cr_assert(image.width * image.height <= MAX_PIXELS);
				cr_assert(clean(copy, MAX_PIXELS, &again) == IMAGE_GOOD, "%s",
				    samples[i].name);
			}
			arena_rewind(a, mark);
		}
	}
}

Test(image, limits_pixels)
{
	for (size_t i = 0; i < countof(samples); i++) {
		struct text file = make(&samples[i]);
		struct image image;

		cr_assert(clean(file, 6, &image) == IMAGE_GOOD, "%s", samples[i].name);
		cr_assert(clean(file, 5, &image) == IMAGE_LARGE, "%s", samples[i].name);
		cr_assert(image.width == 3 && image.height == 2, "%s", samples[i].name);
	}
}

Test(image, refuses_huge_claims)
{
	static const struct {
		uint32_t width, height;
		enum image_fault fault;
	} cases[] = {
		{ 60000, 60000, IMAGE_LARGE },
		{ UINT32_MAX, UINT32_MAX, IMAGE_LARGE },
		{ UINT32_MAX, 1, IMAGE_LARGE },
		{ 1, UINT32_MAX, IMAGE_LARGE },
		{ 1000, 1001, IMAGE_LARGE },
		{ 1000, 1000, IMAGE_GOOD },
		{ 0, 1, IMAGE_INVALID },
		{ 1, 0, IMAGE_INVALID },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct image image;
		struct buf b;

		buf_init(&b, a);
		add_png_head(&b, cases[i].width, cases[i].height);
		add_png_chunk(&b, "PLTE", T("RGB"));
		add_png_chunk(&b, "IDAT", T("x"));
		add_png_chunk(&b, "IEND", T(""));
		cr_assert(clean(buf_text(&b), MAX_PIXELS, &image) == cases[i].fault, "%u x %u",
		    cases[i].width, cases[i].height);
	}
}

/* PNG files whose chunks are each good but not together. */
Test(image, refuses_chunks_out_of_order)
{
	static const char *const cases[][6] = {
		{ "IDAT", "IEND" }, /* colours without a palette */
		{ "PLTE", "IEND" }, /* no data */
		{ "PLTE", "PLTE", "IDAT", "IEND" },
		{ "PLTE", "IDAT", "tRNS", "IDAT", "IEND" }, /* data in two places */
		{ "PLTE", "IDAT", "tEXt", "IDAT", "IEND" }, { "PLTE", "fdAT", "IDAT", "IEND" },
		{ "PLTE", "fcTL", "IDAT", "IEND" }, /* too short */
		{ "PLTE", "IHDR", "IDAT", "IEND" },
		{ "PLTE", "UNKN", "IDAT", "IEND" }, /* has to be understood */
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct image image;
		struct buf b;

		buf_init(&b, a);
		add_png_head(&b, 3, 2);
		for (size_t j = 0; cases[i][j] != NULL; j++)
			add_png_chunk(&b, cases[i][j],
			    strcmp(cases[i][j], "IEND") == 0 ? T("") : T("123456"));
		cr_assert(clean(buf_text(&b), MAX_PIXELS, &image) == IMAGE_INVALID, "case %zu", i);
	}
}

Test(image, refuses_what_is_no_picture)
{
	static const char *const cases[] = {
		"",
		"x",
		"<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
		"<?xml version=\"1.0\"?><svg/>",
		"<html></html>",
		"BM",
		"%PDF-1.4",
		"GIF89a",
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct image image;

		cr_assert(clean(text_from(cases[i]), MAX_PIXELS, &image) == IMAGE_INVALID, "%s",
		    cases[i]);
	}
}
