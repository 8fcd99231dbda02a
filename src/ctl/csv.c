#include "base/base.h"

#include "base/buf.h"
#include "ctl/records.h"

size_t
csv_end(struct text t)
{
	bool quoted = false, start = true;

	for (size_t i = 0; i < t.n; i++) {
		char c = t.s[i];

		if (c == '"' && (quoted || start)) {
			/* A doubled one closes and opens again. */
			quoted = !quoted;
			start = !quoted;
		} else if (!quoted) {
			if (c == '\n')
				return i;
			start = c == ',';
		}
	}
	return t.n;
}

/* Where the quote is that closes what is behind the one at i; t.n when there is none. */
static size_t
closing_quote(struct text t, size_t i)
{
	for (i++; i < t.n; i++) {
		if (t.s[i] != '"')
			continue;
		if (i + 1 == t.n || t.s[i + 1] != '"')
			return i;
		i++;
	}
	return t.n;
}

/* The cell that begins with a quote at *at, which is left behind the closing one. */
static bool
read_quoted(struct text t, size_t *at, struct arena *a, struct text *cell)
{
	size_t end = closing_quote(t, *at), n = 0;
	char *s = arena_alloc(a, end - *at);

	for (size_t i = *at + 1; i < end; i++) {
		if (t.s[i] == '"')
			i++;
		s[n++] = t.s[i];
	}
	*cell = (struct text){ s, n };
	*at = end + 1;
	return end < t.n;
}

static bool
read_cell(struct text t, size_t *at, struct arena *a, struct text *cell, const char **problem)
{
	size_t end = text_find(t, ',', *at);

	*problem = NULL;
	if (*at < t.n && t.s[*at] == '"') {
		if (!read_quoted(t, at, a, cell))
			*problem = "a quote is not closed";
		else if (*at < t.n && t.s[*at] != ',')
			*problem = "there is something between a closing quote and the comma";
		return *problem == NULL;
	}
	*cell = text_slice(t, *at, end);
	if (memchr(cell->s, '"', cell->n) != NULL)
		*problem = "a quote is in the middle of a cell that does not begin with one";
	*at = end;
	return *problem == NULL;
}

size_t
csv_split(
    struct text record, struct arena *a, struct text cells[static CELLS_MAX], const char **problem)
{
	size_t at = 0, n = 0;

	for (;; at++) {
		if (n == CELLS_MAX) {
			*problem = "there are too many cells";
			return 0;
		}
		if (!read_cell(record, &at, a, &cells[n++], problem))
			return 0;
		if (at >= record.n)
			return n;
	}
}

struct text
csv_cell(struct text t, struct arena *a)
{
	struct buf out;
	bool plain = t.n == 0 || (t.s[0] != ' ' && t.s[t.n - 1] != ' ');

	for (size_t i = 0; i < t.n && plain; i++)
		plain = strchr("\",\r\n", t.s[i]) == NULL;
	if (plain)
		return t;
	buf_init(&out, a);
	buf_add_char(&out, '"');
	for (size_t i = 0; i < t.n; i++) {
		if (t.s[i] == '"')
			buf_add_char(&out, '"');
		buf_add_char(&out, t.s[i]);
	}
	buf_add_char(&out, '"');
	return buf_text(&out);
}
