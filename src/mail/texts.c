/* Finds the texts of a mail and fills them. */
#include "base/base.h"

#include "base/log.h"
#include "mail/mail_int.h"

#define FILE_LIMIT (64 * 1024)
#define LANGUAGE_LIMIT 35 /* of a language tag; RFC 5646, section 4.4.1 */

/* The bytes of a text that an operator has written, or none when there is no such file. */
static struct text
read_file(struct arena *a, const char *path)
{
	FILE *f = fopen(path, "re");
	struct text t = { arena_alloc(a, FILE_LIMIT), 0 };

	if (f == NULL) {
		if (errno != ENOENT && errno != ENOTDIR)
			log_warning("cannot read %s: %s", path, strerror(errno));
		return TEXT_NONE;
	}
	t.n = fread((char *)t.s, 1, FILE_LIMIT, f);
	fclose(f);
	if (t.n < FILE_LIMIT && text_is_utf8(t))
		return t;
	log_warning("%s is not taken: it is longer than %d bytes or not UTF-8", path, FILE_LIMIT);
	return TEXT_NONE;
}

/* Replaces what the folder has a file for. */
static void
read_folder(const struct config *c, struct text name, struct text language, struct arena *a,
    struct mail_texts *texts)
{
	const struct {
		const char *suffix;
		struct text *text;
	} files[] = {
		{ "subject", &texts->subject },
		{ "txt", &texts->plain },
		{ "html", &texts->html },
	};

	for (size_t i = 0; i < countof(files) && c->mail_templates.n > 0; i++) {
		struct text path =
		    arena_printf(a, "%.*s/%.*s/%.*s.%s", TEXT_ARGS(c->mail_templates),
			TEXT_ARGS(language), TEXT_ARGS(name), files[i].suffix);
		struct text text = read_file(a, path.s);

		if (!text_is_none(text))
			*files[i].text = text;
	}
	if (!text_is_none(texts->subject))
		texts->subject = text_trim(texts->subject);
}

/* A language as it names folders and rows, "pt-br"; none when it is not one: it may come from a user. */
static struct text
language_name(struct arena *a, struct text language)
{
	struct text name = text_lower(a, language);
	char *s = (char *)name.s;

	for (size_t i = 0; i < name.n; i++) {
		if (s[i] == '_')
			s[i] = '-';
		if ((s[i] < 'a' || s[i] > 'z') && (s[i] < '0' || s[i] > '9') && s[i] != '-')
			return TEXT_NONE;
	}
	return name.n > 0 && name.n <= LANGUAGE_LIMIT ? name : TEXT_NONE;
}

static bool
find_in(const struct config *c, struct text name, struct text language, struct arena *a,
    struct mail_texts *out)
{
	*out = texts_built_in(name, language);
	read_folder(c, name, language, a, out);
	return !text_is_none(out->subject) && !text_is_none(out->plain) && !text_is_none(out->html);
}

bool
texts_find(const struct config *c, struct text name, struct text preferred, struct arena *a,
    struct mail_texts *out, struct text *language)
{
	struct text full = language_name(a, preferred);
	const struct text languages[] = {
		full,
		text_slice(full, 0, text_find(full, '-', 0)),
		language_name(a, c->mail_language),
		T("en"),
	};

	for (size_t i = 0; i < countof(languages); i++) {
		*language = languages[i];
		if (language->n > 0 && find_in(c, name, *language, a, out))
			return true;
	}
	return false;
}

void
escape_line(struct buf *b, struct text value)
{
	for (size_t i = 0; i < value.n; i++)
		buf_add_char(
		    b, (unsigned char)value.s[i] < 0x20 || value.s[i] == 0x7f ? ' ' : value.s[i]);
}

void
escape_html(struct buf *b, struct text value)
{
	static const struct {
		char c;
		const char *entity;
	} entities[] = {
		{ '&', "&amp;" },
		{ '<', "&lt;" },
		{ '>', "&gt;" },
		{ '"', "&quot;" },
		{ '\'', "&#39;" },
	};

	for (size_t i = 0; i < value.n; i++) {
		size_t e = 0;

		while (e < countof(entities) && entities[e].c != value.s[i])
			e++;
		if (e < countof(entities))
			buf_add(b, text_from(entities[e].entity));
		else
			buf_add_char(b, value.s[i]);
	}
}

static void
add_value(
    struct buf *b, struct text name, const struct mail_value *values, size_t n, text_escape *escape)
{
	for (size_t i = 0; i < n; i++) {
		if (text_eq(name, text_from(values[i].name))) {
			escape(b, values[i].value);
			return;
		}
	}
	log_warning("a text of mail names {{%.*s}}, which there is not", TEXT_ARGS(name));
}

/* Where two such characters begin at or after from; t.n when they do not. */
static size_t
find_pair(struct text t, char c, size_t from)
{
	while (from + 1 < t.n && (t.s[from] != c || t.s[from + 1] != c))
		from++;
	return from + 1 < t.n ? from : t.n;
}

struct text
texts_fill(struct arena *a, struct text template, const struct mail_value *values, size_t n,
    text_escape *escape)
{
	struct buf b;
	size_t at = 0, open, close;

	buf_init(&b, a);
	for (;;) {
		open = find_pair(template, '{', at);
		close = find_pair(template, '}', open);
		if (close == template.n)
			break;
		buf_add(&b, text_slice(template, at, open));
		add_value(&b, text_trim(text_slice(template, open + 2, close)), values, n, escape);
		at = close + 2;
	}
	buf_add(&b, text_slice(template, at, template.n));
	return buf_text(&b);
}
