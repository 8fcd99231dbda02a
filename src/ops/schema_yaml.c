/*
 * The API's description as YAML (RFC 9512). Texts stand in double quotes with JSON's escapes, which YAML has
 * too, so that none of them is taken for a number, a date or a boolean.
 */
#include "base/base.h"

#include "ops/schema_int.h"

static void
add_quoted(struct text t, struct buf *out)
{
	buf_add_char(out, '"');
	for (size_t i = 0; i < t.n; i++) {
		unsigned char c = (unsigned char)t.s[i];

		if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			buf_printf(out, "\\x%02x", c);
		else
			buf_add_char(out, t.s[i]);
	}
	buf_add_char(out, '"');
}

/* What stands in one line; false: a list or an object with something in it. */
static bool
add_scalar(const struct json *j, struct buf *out)
{
	switch (j->type) {
	case JSON_NULL:
		buf_add(out, T("null"));
		return true;
	case JSON_BOOL:
		buf_add(out, j->boolean ? T("true") : T("false"));
		return true;
	case JSON_INT:
	case JSON_NUMBER:
		buf_add(out, j->text);
		return true;
	case JSON_TEXT:
		add_quoted(j->text, out);
		return true;
	case JSON_ARRAY:
	case JSON_OBJECT:
		if (j->first == NULL)
			buf_add(out, j->type == JSON_ARRAY ? T("[]") : T("{}"));
		return j->first == NULL;
	case JSON_FILE:
		break;
	}
	unreachable();
}

/* A line for each element or member, and what is in it below, two columns further in. */
static void
write_children(const struct json *j, struct buf *out, int depth)
{
	bool nested;

	for (const struct json *child = j->first; child != NULL; child = child->next) {
		buf_printf(out, "%*s", 2 * depth, "");
		if (j->type == JSON_ARRAY) {
			buf_add(out, T("- "));
		} else {
			add_quoted(child->key, out);
			buf_add(out, T(": "));
		}
		nested = !add_scalar(child, out);
		buf_add_char(out, '\n');
		if (nested)
			write_children(child, out, depth + 1);
	}
}

void
schema_yaml(const struct json *document, struct buf *out)
{
	write_children(document, out, 0);
}
