#include "base/base.h"
#include "http/body.h"
#include "http/http_int.h"

#define SHOWN_NAME_BYTES 60 /* of a field in a message */

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Position of the first malformed escape, or t.n. */
static size_t
escapes_valid_to(struct text t)
{
	size_t at = 0;

	while ((at = text_find(t, '%', at)) < t.n) {
		if (t.n - at < 3 || hex_digit(t.s[at + 1]) < 0 || hex_digit(t.s[at + 2]) < 0)
			break;
		at += 3;
	}
	return at;
}

/*
 * Counts the pairs of a form into *n; empty ones, as in "a=1&&b=2", do not count. Position of the
 * first that is too many, or form.n.
 */
static size_t
pairs_counted_to(struct text form, size_t *n)
{
	struct text rest = form, pair;

	*n = 0;
	while (text_split(&rest, '&', &pair)) {
		if (pair.n == 0)
			continue;
		if (*n == BODY_FIELDS_MAX)
			return (size_t)(pair.s - form.s);
		++*n;
	}
	return form.n;
}

/* Writes t without its escapes, which are valid, to *out and moves it on. */
static struct text
decode(struct text t, char **out)
{
	struct text decoded = { *out, 0 };

	for (size_t i = 0; i < t.n; i++) {
		char c = t.s[i] == '+' ? ' ' : t.s[i];

		if (c == '%') {
			c = (char)(hex_digit(t.s[i + 1]) << 4 | hex_digit(t.s[i + 2]));
			i += 2;
		}
		*(*out)++ = c;
	}
	decoded.n = (size_t)(*out - decoded.s);
	return decoded;
}

bool
form_decode(
    struct text form, struct arena *a, struct param **params, size_t *n, struct text *problem)
{
	size_t pairs, valid = escapes_valid_to(form), counted = pairs_counted_to(form, &pairs);
	struct text rest = form, value;
	char *out;

	*n = 0;
	if (valid < form.n) {
		*problem = arena_printf(a, "malformed escape at byte %zu", valid);
		return false;
	}
	if (counted < form.n) {
		*problem =
		    arena_printf(a, "more than %d fields at byte %zu", BODY_FIELDS_MAX, counted);
		return false;
	}
	*params = arena_alloc(a, pairs * sizeof(**params));
	out = arena_alloc(a, form.n);
	while (text_split(&rest, '&', &value)) {
		struct param *param = &(*params)[*n];
		struct text name;

		if (value.n == 0)
			continue;
		param->at = (size_t)(value.s - form.s);
		text_split(&value, '=', &name);
		param->name = decode(name, &out);
		param->value = decode(value, &out);
		++*n;
	}
	return true;
}

bool
form_add(
    struct json *form, const struct json *member, size_t at, struct arena *a, struct text *problem)
{
	struct text shown = text_slice(member->key, 0, SHOWN_NAME_BYTES);
	struct json **end = &form->first;

	shown.n = text_utf8_valid_to(shown);
	if (!text_is_utf8(member->key)) {
		*problem = arena_printf(a, "a name that is not valid UTF-8 at byte %zu", at);
		return false;
	}
	if (member->type == JSON_TEXT && !text_is_utf8(member->text)) {
		*problem = arena_printf(
		    a, "field \"%.*s\" is not valid UTF-8 at byte %zu", TEXT_ARGS(shown), at);
		return false;
	}
	if (form->count == BODY_FIELDS_MAX) {
		*problem = arena_printf(a, "more than %d fields at byte %zu", BODY_FIELDS_MAX, at);
		return false;
	}
	for (; *end != NULL; end = &(*end)->next) {
		if (!text_eq((*end)->key, member->key))
			continue;
		*problem =
		    arena_printf(a, "duplicate field \"%.*s\" at byte %zu", TEXT_ARGS(shown), at);
		return false;
	}
	*end = arena_alloc(a, sizeof(**end));
	**end = *member;
	form->count++;
	return true;
}

struct json *
form_read(struct text input, struct text content_type UNUSED, struct arena *a, struct text *problem)
{
	struct json *form = arena_alloc(a, sizeof(*form));
	struct param *params;
	size_t n;

	form->type = JSON_OBJECT;
	if (text_starts(input, T("\xef\xbb\xbf"))) {
		*problem = T("byte order mark at byte 0");
		return NULL;
	}
	if (!form_decode(input, a, &params, &n, problem))
		return NULL;
	for (size_t i = 0; i < n; i++) {
		struct json member = {
			.type = JSON_TEXT, .key = params[i].name, .text = params[i].value
		};

		if (!form_add(form, &member, params[i].at, a, problem))
			return NULL;
	}
	return form;
}
