/*
 * multipart/form-data, RFC 7578 on top of RFC 2046, from a body that is in memory. Strict where two
 * readers could see different fields in the same bytes: a boundary counts only at the beginning of a line,
 * behind it stand "--" or blanks and CRLF; headers are not folded and not repeated; nothing is decoded
 * but the escapes of a quoted string.
 */
#include "base/base.h"
#include "http/http_int.h"

#define BOUNDARY_MAX 70 /* RFC 2046, section 5.1.1 */
#define PART_HEADERS_MAX ((size_t)8 * 1024)

static const struct text crlf = TEXT_INIT("\r\n");

struct scan {
	struct text in;
	size_t at;
	struct text delimiter; /* CRLF, "--" and the boundary */
	struct arena *arena;
	struct text *problem;
};

struct part {
	size_t at; /* where its headers begin */
	struct text disposition, type, encoding;
	struct text name, filename; /* filename none: not a file */
	struct text content;
};

/* what is a constant: nothing of the input is repeated here. */
static bool
fault(struct scan *s, size_t at, const char *what)
{
	*s->problem = arena_printf(s->arena, "%s at byte %zu", what, at);
	return false;
}

/* Where needle begins in the input at or after from; the input's length when it does not. */
static size_t
find(const struct scan *s, struct text needle, size_t from)
{
	const char *found = memmem(s->in.s + from, s->in.n - from, needle.s, needle.n);

	return found == NULL ? s->in.n : (size_t)(found - s->in.s);
}

static bool
set_delimiter(struct scan *s, struct text content_type)
{
	struct text boundary = header_param_named(content_type, T("boundary"), s->arena);

	if (text_is_none(boundary))
		return fault(s, 0, "no boundary in Content-Type");
	if (boundary.n == 0 || boundary.n > BOUNDARY_MAX || boundary.s[boundary.n - 1] == ' ')
		return fault(s, 0, "invalid boundary in Content-Type");
	for (size_t i = 0; i < boundary.n; i++)
		if ((uint8_t)boundary.s[i] < ' ' || (uint8_t)boundary.s[i] >= 0x7f)
			return fault(s, 0, "invalid boundary in Content-Type");
	s->delimiter = arena_printf(s->arena, "\r\n--%.*s", TEXT_ARGS(boundary));
	return true;
}

/* Is this the closing boundary? What follows it, the epilogue, is of no interest. */
static bool
is_closed(const struct scan *s)
{
	return text_starts(text_slice(s->in, s->at, s->in.n), T("--"));
}

/* To behind the first boundary. A form without fields is a closing boundary and nothing before it. */
static bool
skip_preamble(struct scan *s)
{
	struct text first = text_slice(s->delimiter, crlf.n, s->delimiter.n);
	size_t found;

	if (text_starts(s->in, first)) {
		s->at = first.n;
		return true;
	}
	found = find(s, s->delimiter, 0);
	if (found == s->in.n)
		return fault(s, found, "boundary not found");
	s->at = found + s->delimiter.n;
	return !is_closed(s) || fault(s, found, "closing boundary before any part");
}

static bool
end_boundary_line(struct scan *s)
{
	while (s->at < s->in.n && (s->in.s[s->at] == ' ' || s->in.s[s->at] == '\t'))
		s->at++;
	if (!text_starts(text_slice(s->in, s->at, s->in.n), crlf))
		return fault(s, s->at, "malformed boundary line");
	s->at += crlf.n;
	return true;
}

static bool
has_control(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (((uint8_t)t.s[i] < ' ' && t.s[i] != '\t') || t.s[i] == 0x7f)
			return true;
	return false;
}

/* Keeps the value of a header line when it is one of those that matter. */
static bool
keep_header(struct scan *s, struct text line, size_t at, struct part *part)
{
	const struct {
		struct text name;
		struct text *value;
	} kept[] = {
		{ T("Content-Disposition"), &part->disposition },
		{ T("Content-Type"), &part->type },
		{ T("Content-Transfer-Encoding"), &part->encoding },
	};
	size_t colon = text_find(line, ':', 0);
	struct text name = text_slice(line, 0, colon);

	if (colon == line.n || !header_is_token(name) || has_control(line) || !text_is_utf8(line))
		return fault(s, at, "malformed part header");
	for (size_t i = 0; i < countof(kept); i++) {
		if (!text_eq_nocase(name, kept[i].name))
			continue;
		if (!text_is_none(*kept[i].value))
			return fault(s, at, "repeated part header");
		*kept[i].value = header_trim(text_slice(line, colon + 1, line.n));
	}
	return true;
}

static bool
read_headers(struct scan *s, struct part *part)
{
	size_t end, at;

	part->at = s->at;
	for (;;) {
		at = s->at;
		end = find(s, crlf, at);
		if (end - part->at > PART_HEADERS_MAX)
			return fault(s, part->at, "part headers too long");
		if (end == s->in.n)
			return fault(s, end, "truncated in part headers");
		s->at = end + crlf.n;
		if (end == at)
			return true;
		if (!keep_header(s, text_slice(s->in, at, end), at, part))
			return false;
	}
}

/* The last component: some browsers send the whole path. */
static struct text
basename_of(struct text path)
{
	size_t start = path.n;

	while (start > 0 && path.s[start - 1] != '/' && path.s[start - 1] != '\\')
		start--;
	path = text_slice(path, start, path.n);
	return text_eq(path, T(".")) || text_eq(path, T("..")) ? T("") : path;
}

static bool
read_disposition(struct scan *s, struct part *part)
{
	struct text rest = part->disposition, *value;
	struct param param;
	int found;

	if (!text_eq_nocase(header_word(&rest), T("form-data")))
		return fault(s, part->at, "part without Content-Disposition: form-data");
	while ((found = header_param(&rest, s->arena, &param)) > 0) {
		/* RFC 7578, section 4.2, forbids it; readers differ in which of the two they take. */
		if (text_eq_nocase(param.name, T("filename*")))
			return fault(s, part->at, "filename* is not allowed");
		if (text_eq_nocase(param.name, T("name")))
			value = &part->name;
		else if (text_eq_nocase(param.name, T("filename")))
			value = &part->filename;
		else
			continue;
		if (!text_is_none(*value))
			return fault(s, part->at, "repeated Content-Disposition parameter");
		*value = param.value;
	}
	if (found < 0)
		return fault(s, part->at, "malformed Content-Disposition");
	if (part->name.n == 0)
		return fault(s, part->at, "part without a name");
	return true;
}

static bool
check_encoding(struct scan *s, const struct part *part)
{
	static const struct text plain[] = {
		TEXT_INIT("7bit"),
		TEXT_INIT("8bit"),
		TEXT_INIT("binary"),
	};

	if (text_is_none(part->encoding))
		return true;
	for (size_t i = 0; i < countof(plain); i++)
		if (text_eq_nocase(part->encoding, plain[i]))
			return true;
	return fault(s, part->at, "Content-Transfer-Encoding other than 7bit, 8bit or binary");
}

/* Up to the next boundary and to behind it. */
static bool
read_content(struct scan *s, struct part *part)
{
	/* The CRLF of a boundary may be the one that ends the headers: the content is empty then. */
	size_t end = find(s, s->delimiter, s->at - crlf.n);

	if (end == s->in.n)
		return fault(s, end, "truncated: no closing boundary");
	part->content = end < s->at ? T("") : text_slice(s->in, s->at, end);
	s->at = end + s->delimiter.n;
	return true;
}

static bool
add_part(struct scan *s, const struct part *part, struct json *form)
{
	struct json member = { .type = JSON_TEXT, .key = part->name, .text = part->content };

	if (!text_is_none(part->filename)) {
		/* A file input of a page in which no file was chosen. */
		if (part->filename.n == 0 && part->content.n == 0)
			return true;
		member.type = JSON_FILE;
		member.filename = basename_of(part->filename);
		member.content_type = part->type;
	}
	return form_add(form, &member, part->at, s->arena, s->problem);
}

static bool
read_part(struct scan *s, struct json *form)
{
	struct part part = { 0 };

	return end_boundary_line(s) && read_headers(s, &part) && read_disposition(s, &part) &&
	    check_encoding(s, &part) && read_content(s, &part) && add_part(s, &part, form);
}

struct json *
multipart_read(struct text input, struct text content_type, struct arena *a, struct text *problem)
{
	struct scan s = { .in = input, .arena = a, .problem = problem };
	struct json *form = arena_alloc(a, sizeof(*form));

	form->type = JSON_OBJECT;
	if (!set_delimiter(&s, content_type) || !skip_preamble(&s))
		return NULL;
	while (!is_closed(&s))
		if (!read_part(&s, form))
			return NULL;
	return form;
}
