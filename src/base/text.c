#include "base/base.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"

#include <utf8proc.h>

struct text
text_from(const char *s)
{
	return (struct text){ s, s == NULL ? 0 : strlen(s) };
}

bool
text_eq(struct text a, struct text b)
{
	if (a.n != b.n || text_is_none(a) != text_is_none(b))
		return false;
	return a.n == 0 || memcmp(a.s, b.s, a.n) == 0;
}

bool
text_is_among(struct text t, const char *const *names)
{
	while (*names != NULL && !text_eq(t, text_from(*names)))
		names++;
	return *names != NULL;
}

static char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool
text_eq_nocase(struct text a, struct text b)
{
	if (a.n != b.n || text_is_none(a) != text_is_none(b))
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (ascii_lower(a.s[i]) != ascii_lower(b.s[i]))
			return false;
	return true;
}

bool
text_starts(struct text t, struct text prefix)
{
	return prefix.n <= t.n && (prefix.n == 0 || memcmp(t.s, prefix.s, prefix.n) == 0);
}

size_t
text_find(struct text t, char c, size_t from)
{
	const char *found = from < t.n ? memchr(t.s + from, c, t.n - from) : NULL;

	return found == NULL ? t.n : (size_t)(found - t.s);
}

struct text
text_slice(struct text t, size_t from, size_t to)
{
	if (text_is_none(t))
		return t;
	to = to < t.n ? to : t.n;
	from = from < to ? from : to;
	return (struct text){ t.s + from, to - from };
}

bool
text_split(struct text *rest, char separator, struct text *part)
{
	size_t end;

	if (text_is_none(*rest))
		return false;
	end = text_find(*rest, separator, 0);
	*part = text_slice(*rest, 0, end);
	*rest = end == rest->n ? TEXT_NONE : text_slice(*rest, end + 1, rest->n);
	return true;
}

/* The code point at the front of t and its bytes; 0 bytes when they are not UTF-8. */
static size_t
first_point(struct text t, int32_t *point)
{
	utf8proc_ssize_t n = utf8proc_iterate((const uint8_t *)t.s, (utf8proc_ssize_t)t.n, point);

	return n > 0 ? (size_t)n : 0;
}

/* Where the code point begins whose last byte is before end. */
static size_t
point_start(struct text t, size_t end)
{
	do
		end--;
	while (end > 0 && ((uint8_t)t.s[end] & 0xc0) == 0x80);
	return end;
}

/* What str.isspace() of Python holds to be white space. */
static bool
is_space(int32_t point)
{
	static const struct {
		int32_t first, last;
	} spaces[] = {
		{ 0x09, 0x0d },
		{ 0x1c, 0x20 },
		{ 0x85, 0x85 },
		{ 0xa0, 0xa0 },
		{ 0x1680, 0x1680 },
		{ 0x2000, 0x200a },
		{ 0x2028, 0x2029 },
		{ 0x202f, 0x202f },
		{ 0x205f, 0x205f },
		{ 0x3000, 0x3000 },
	};

	for (size_t i = 0; i < countof(spaces); i++)
		if (point >= spaces[i].first && point <= spaces[i].last)
			return true;
	return false;
}

struct text
text_trim(struct text t)
{
	size_t start, n;
	int32_t point;

	while (t.n > 0 && (n = first_point(t, &point)) > 0 && is_space(point))
		t = text_slice(t, n, t.n);
	while (t.n > 0) {
		start = point_start(t, t.n);
		if (first_point(text_slice(t, start, t.n), &point) == 0 || !is_space(point))
			break;
		t = text_slice(t, 0, start);
	}
	return t;
}

/* Position of the first byte at or after from that is not ASCII, or t.n. */
static size_t
ascii_to(struct text t, size_t from)
{
	uint64_t eight;

	while (t.n - from >= sizeof(eight)) {
		memcpy(&eight, t.s + from, sizeof(eight));
		if ((eight & UINT64_C(0x8080808080808080)) != 0)
			break;
		from += sizeof(eight);
	}
	while (from < t.n && ((uint8_t)t.s[from] & 0x80) == 0)
		from++;
	return from;
}

size_t
text_utf8_valid_to(struct text t)
{
	size_t at = 0, n;
	int32_t point;

	while ((at = ascii_to(t, at)) < t.n) {
		n = first_point(text_slice(t, at, t.n), &point);
		if (n == 0)
			break;
		at += n;
	}
	return at;
}

bool
text_is_utf8(struct text t)
{
	return text_utf8_valid_to(t) == t.n;
}

size_t
text_length(struct text t)
{
	size_t points = 0;

	for (size_t i = 0; i < t.n; i++)
		points += ((uint8_t)t.s[i] & 0xc0) != 0x80;
	return points;
}

bool
text_to_int(struct text t, int64_t *out)
{
	bool minus = t.n > 0 && t.s[0] == '-';
	size_t i = minus || (t.n > 0 && t.s[0] == '+');
	int64_t n = 0;
	int digit;

	if (i == t.n)
		return false;
	for (; i < t.n; i++) {
		if (t.s[i] < '0' || t.s[i] > '9')
			return false;
		digit = minus ? '0' - t.s[i] : t.s[i] - '0';
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, digit, &n))
			return false;
	}
	*out = n;
	return true;
}

struct text
text_lower(struct arena *a, struct text t)
{
	char *s;

	if (text_is_none(t))
		return t;
	s = arena_alloc(a, t.n + 1);
	for (size_t i = 0; i < t.n; i++)
		s[i] = ascii_lower(t.s[i]);
	return (struct text){ s, t.n };
}

struct text
text_nfkc(struct arena *a, struct text t)
{
	const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT;
	const uint8_t *s = (const uint8_t *)t.s;
	utf8proc_ssize_t bytes = (utf8proc_ssize_t)t.n, n, written;
	int32_t *points;

	if (ascii_to(t, 0) == t.n)
		return arena_text(a, t);
	n = utf8proc_decompose(s, bytes, NULL, 0, options);
	must(n >= 0);
	points = arena_alloc(a, ((size_t)n + 1) * sizeof(*points)); /* and a NUL */
	written = utf8proc_decompose(s, bytes, points, n, options);
	must(written == n);
	bytes = utf8proc_reencode(points, n, options);
	must(bytes >= 0);
	return (struct text){ (char *)points, (size_t)bytes };
}

/* Adds what is ASCII in a code point's decomposition. */
static void
add_folded(struct buf *b, int32_t point)
{
	const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT;
	int32_t parts[32]; /* the longest has 18 */
	int boundary = 0;  /* asked for, not used */
	utf8proc_ssize_t n =
	    utf8proc_decompose_char(point, parts, countof(parts), options, &boundary);

	must(n >= 0 && n <= (utf8proc_ssize_t)countof(parts));
	for (utf8proc_ssize_t i = 0; i < n; i++)
		if (parts[i] < 0x80)
			buf_add_char(b, ascii_lower((char)parts[i]));
}

/* A code point at a time: the order of marks, which takes long to find, does not matter here. */
struct text
text_fold(struct arena *a, struct text t)
{
	struct buf b;
	int32_t point;
	size_t n;

	if (ascii_to(t, 0) == t.n)
		return text_lower(a, t);
	buf_init(&b, a);
	for (; t.n > 0; t = text_slice(t, n, t.n)) {
		n = first_point(t, &point);
		must(n > 0);
		add_folded(&b, point);
	}
	return buf_text(&b);
}

/* Is the byte of a control character, of ASCII or of those that UTF-8 writes as 0xc2 and 0x80 to 0x9f? */
static bool
is_control(struct text t, size_t i)
{
	unsigned char c = (unsigned char)t.s[i];
	unsigned char before = i > 0 ? (unsigned char)t.s[i - 1] : 0;
	unsigned char after = i + 1 < t.n ? (unsigned char)t.s[i + 1] : 0;

	return c < ' ' || c == 0x7f || (c == 0xc2 && after >= 0x80 && after < 0xa0) ||
	    (before == 0xc2 && c >= 0x80 && c < 0xa0);
}

struct text
text_visible(struct arena *a, struct text t)
{
	size_t i = 0;
	struct buf b;

	while (i < t.n && !is_control(t, i))
		i++;
	if (i == t.n)
		return t;
	buf_init(&b, a);
	for (i = 0; i < t.n; i++)
		if (is_control(t, i))
			buf_printf(&b, "\\x%02x", (unsigned char)t.s[i]);
		else
			buf_add_char(&b, t.s[i]);
	return buf_text(&b);
}

bool
text_is_address(struct text t)
{
	size_t at = text_find(t, '@', 0);

	for (size_t i = 0; i < t.n; i++)
		if ((unsigned char)t.s[i] <= ' ' || t.s[i] == 0x7f ||
		    strchr("<>()[],;:\\\"", t.s[i]) != NULL)
			return false;
	return text_is_utf8(t) && at > 0 && at + 1 < t.n && text_find(t, '@', at + 1) == t.n;
}
