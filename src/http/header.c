#include "base/base.h"
#include "http/http_int.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
is_token_char(char c)
{
	return c > ' ' && c < 0x7f && strchr("()<>@,;:\\\"/[]?={}", c) == NULL;
}

bool
header_is_token(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (!is_token_char(t.s[i]))
			return false;
	return t.n > 0;
}

struct text
header_trim(struct text t)
{
	while (t.n > 0 && is_blank(t.s[0]))
		t = text_slice(t, 1, t.n);
	while (t.n > 0 && is_blank(t.s[t.n - 1]))
		t.n--;
	return t;
}

/* Cuts t[0, n) off the front. */
static struct text
cut(struct text *t, size_t n)
{
	struct text front = text_slice(*t, 0, n);

	*t = text_slice(*t, n, t->n);
	return front;
}

struct text
header_word(struct text *rest)
{
	return header_trim(cut(rest, text_find(*rest, ';', 0)));
}

/*
 * Only \" and \\ are escapes: some clients send a Windows path as it is. Without escapes the value is a
 * part of the input, so that a header never takes more memory than its own length.
 */
static bool
is_escape(struct text t, size_t at)
{
	return t.s[at] == '\\' && at + 1 < t.n && (t.s[at + 1] == '"' || t.s[at + 1] == '\\');
}

static struct text
unescape(struct text t, struct arena *a)
{
	char *s = arena_alloc(a, t.n);
	size_t n = 0;

	for (size_t i = 0; i < t.n; i++) {
		if (is_escape(t, i))
			i++;
		s[n++] = t.s[i];
	}
	return (struct text){ s, n };
}

/* The rest begins after the opening quote. */
static bool
cut_quoted(struct text *rest, struct arena *a, struct text *value)
{
	bool escaped = false;
	size_t end = 0;

	while (end < rest->n && rest->s[end] != '"') {
		if (is_escape(*rest, end)) {
			escaped = true;
			end++;
		}
		end++;
	}
	if (end == rest->n)
		return false;
	*value = cut(rest, end);
	cut(rest, 1);
	if (escaped)
		*value = unescape(*value, a);
	return true;
}

static bool
cut_token(struct text *rest, struct text *token)
{
	size_t n = 0;

	while (n < rest->n && is_token_char(rest->s[n]))
		n++;
	*token = cut(rest, n);
	return n > 0;
}

/* Cuts c off the front if it is there. */
static bool
cut_char(struct text *rest, char c)
{
	if (rest->n == 0 || rest->s[0] != c)
		return false;
	cut(rest, 1);
	return true;
}

int
header_param(struct text *rest, struct arena *a, struct param *param)
{
	bool found;

	*rest = header_trim(*rest);
	if (rest->n == 0)
		return 0;
	if (!cut_char(rest, ';'))
		return -1;
	*rest = header_trim(*rest);
	if (rest->n == 0)
		return 0;
	if (!cut_token(rest, &param->name) || !cut_char(rest, '='))
		return -1;
	found = cut_char(rest, '"') ? cut_quoted(rest, a, &param->value)
				    : cut_token(rest, &param->value);
	return found ? 1 : -1;
}

struct text
header_param_named(struct text header, struct text name, struct arena *a)
{
	struct param param;

	header_word(&header);
	while (header_param(&header, a, &param) > 0)
		if (text_eq_nocase(param.name, name))
			return param.value;
	return TEXT_NONE;
}
