/* JPEG (ITU-T T.81) in JFIF or Adobe's manner: segments, each after a marker, and the data of scans. */
#include "base/base.h"
#include "image/image_int.h"

enum {
	RST0 = 0xd0,
	RST7 = 0xd7,
	SOI = 0xd8,
	EOI = 0xd9,
	SOS = 0xda,
};

struct segment {
	uint8_t marker;
	const uint8_t *data; /* behind the length */
	size_t n;
};

struct jpeg {
	struct walk *w;
	uint8_t components; /* of the frame; 0: there was none yet */
	bool scanned;
};

static void
keep_segment(struct walk *w, uint8_t marker, const uint8_t *data, size_t n)
{
	const uint8_t head[] = { 0xff, marker, (uint8_t)((n + 2) >> 8), (uint8_t)(n + 2) };

	walk_keep(w, head, sizeof(head));
	walk_keep(w, data, n);
}

static bool
begins_with(const struct segment *s, const char *name, size_t n)
{
	return s->n >= n && memcmp(s->data, name, n) == 0;
}

static bool
leave_out(struct jpeg *j UNUSED, const struct segment *s UNUSED)
{
	return true;
}

static bool
keep(struct jpeg *j, const struct segment *s)
{
	keep_segment(j->w, s->marker, s->data, s->n);
	return true;
}

/* APP0: density and aspect, without the thumbnail. */
static bool
keep_jfif(struct jpeg *j, const struct segment *s)
{
	uint8_t plain[14] = { 0 };

	if (begins_with(s, "JFIF", 5) && s->n >= sizeof(plain)) {
		memcpy(plain, s->data, 12);
		keep_segment(j->w, s->marker, plain, sizeof(plain));
	}
	return true;
}

/* An Exif's numbers (TIFF 6.0): in the order of bytes that it says. */
static uint32_t
exif16(const uint8_t *p, bool big)
{
	return big ? big16(p) : little16(p);
}

/* How the camera was held, 1 to 8: the tag Orientation of the first directory. 0 when it does not say. */
static uint32_t
orientation(const uint8_t *tiff, size_t n)
{
	bool big = n >= 8 && memcmp(tiff, "MM\0*\0\0\0\10", 8) == 0;
	size_t end;

	if (n < 10 || (!big && memcmp(tiff, "II*\0\10\0\0\0", 8) != 0))
		return 0;
	end = 10 + 12 * (size_t)exif16(tiff + 8, big);
	for (size_t at = 10; at < end && at + 12 <= n; at += 12) {
		const uint8_t *entry = tiff + at;
		uint32_t value = exif16(entry + 8, big);

		if (exif16(entry, big) == 0x112 && exif16(entry + 2, big) == 3 && value <= 8)
			return value;
	}
	return 0;
}

/* APP1: of the Exif no more than how to turn the picture. */
static bool
keep_orientation(struct jpeg *j, const struct segment *s)
{
	uint8_t plain[] = "Exif\0\0MM\0*\0\0\0\10\0\1\1\22\0\3\0\0\0\1\0\0\0\0\0\0\0";
	uint32_t turned = begins_with(s, "Exif\0", 6) ? orientation(s->data + 6, s->n - 6) : 0;

	plain[25] = (uint8_t)turned;
	if (turned > 1 && s->n >= sizeof(plain))
		keep_segment(j->w, s->marker, plain, sizeof(plain));
	return true;
}

/* APP2: pieces of a colour profile. */
static bool
keep_profile(struct jpeg *j, const struct segment *s)
{
	return !begins_with(s, "ICC_PROFILE", 12) || keep(j, s);
}

/* APP14: which colours the components are. */
static bool
keep_adobe(struct jpeg *j, const struct segment *s)
{
	if (begins_with(s, "Adobe", 5) && s->n >= 12)
		keep_segment(j->w, s->marker, s->data, 12);
	return true;
}

static bool
keep_frame(struct jpeg *j, const struct segment *s)
{
	if (j->components != 0 || s->n < 6)
		return false;
	j->components = s->data[5];
	/* A height of 0 would be told after the first scan, which nobody does. */
	return j->components >= 1 && j->components <= 4 && s->n == 6 + 3 * (size_t)j->components &&
	    (s->data[0] == 8 || s->data[0] == 12) &&
	    walk_size(j->w, big16(s->data + 3), big16(s->data + 1)) && keep(j, s);
}

/* To the marker that ends the scan: in its data 0xff is followed by 0 or stands for a restart. */
static bool
skip_data(struct walk *w)
{
	const uint8_t *p;

	for (;;) {
		p = memchr(w->p + w->at, 0xff, w->n - w->at);
		if (p == NULL)
			return false;
		w->at = (size_t)(p - w->p);
		if (w->n - w->at < 2)
			return false;
		if (p[1] != 0 && (p[1] < RST0 || p[1] > RST7))
			return true;
		w->at += 2;
	}
}

static bool
keep_scan(struct jpeg *j, const struct segment *s)
{
	size_t start = j->w->at;

	if (s->n < 1 || s->data[0] < 1 || s->data[0] > j->components ||
	    s->n != 4 + 2 * (size_t)s->data[0])
		return false;
	j->scanned = true;
	if (!skip_data(j->w) || j->w->at == start)
		return false;
	keep(j, s);
	walk_keep_from(j->w, start);
	return true;
}

/* clang-format off */
/* By marker. What is not here is no part of a picture that browsers show. */
static const struct rule {
	uint8_t first, last;
	bool (*read)(struct jpeg *j, const struct segment *s);
} rules[] = {
	{ 0xc0, 0xc2, keep_frame }, /* SOF: baseline, extended, progressive */
	{ 0xc4, 0xc4, keep },       /* DHT */
	{ SOS,  SOS,  keep_scan },
	{ 0xdb, 0xdb, keep },       /* DQT */
	{ 0xdd, 0xdd, keep },       /* DRI */
	{ 0xe0, 0xe0, keep_jfif },
	{ 0xe1, 0xe1, keep_orientation },
	{ 0xe2, 0xe2, keep_profile },
	{ 0xee, 0xee, keep_adobe },
	{ 0xe0, 0xef, leave_out },  /* APPn: Photoshop, more pictures, whatever programs note */
	{ 0xfe, 0xfe, leave_out },  /* COM */
};
/* clang-format on */

/* The next marker; 0 when there is none. 0xff may be repeated before it. */
static uint8_t
take_marker(struct walk *w)
{
	const uint8_t *p = walk_take(w, 1);

	if (p == NULL || *p != 0xff)
		return 0;
	while (p != NULL && *p == 0xff)
		p = walk_take(w, 1);
	return p == NULL ? 0 : *p;
}

static bool
walk_segment(struct jpeg *j, uint8_t marker)
{
	const uint8_t *length = walk_take(j->w, 2);
	struct segment s = { .marker = marker };

	if (length == NULL || big16(length) < 2)
		return false;
	s.n = big16(length) - 2;
	s.data = walk_take(j->w, s.n);
	if (s.data == NULL)
		return false;
	for (size_t i = 0; i < countof(rules); i++)
		if (marker >= rules[i].first && marker <= rules[i].last)
			return rules[i].read(j, &s);
	return false;
}

bool
jpeg_walk(struct walk *w)
{
	static const uint8_t begin[] = { 0xff, SOI }, end[] = { 0xff, EOI };
	struct jpeg j = { .w = w };
	uint8_t marker = take_marker(w);

	if (marker != SOI)
		return false;
	walk_keep(w, begin, sizeof(begin));
	while ((marker = take_marker(w)) != EOI)
		if (marker == 0 || !walk_segment(&j, marker))
			return false;
	walk_keep(w, end, sizeof(end));
	return j.scanned;
}
