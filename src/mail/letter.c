/* The header of a mail: RFC 5322, and RFC 2047 where a text is more than ASCII. */
#include "base/base.h"

#include "mail/mail_int.h"

/* What one encoded word has room for: 75 less "=?UTF-8?Q?" and "?=". */
#define WORD_ROOM 63

static bool
is_ascii(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if ((unsigned char)t.s[i] >= 0x80)
			return false;
	return true;
}

/* Characters that stand for themselves in an encoded word, also in that of a name. */
static bool
is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    (c != '\0' && strchr("!*+-/", c) != NULL);
}

static void
add_encoded(struct buf *b, char c)
{
	if (c == ' ')
		buf_add_char(b, '_');
	else if (is_plain(c))
		buf_add_char(b, c);
	else
		buf_printf(b, "=%02X", (unsigned)(unsigned char)c);
}

/* Bytes of the UTF-8 character that t begins with. */
static size_t
character_size(struct text t)
{
	size_t n = 1;

	while (n < t.n && ((unsigned char)t.s[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* Encoded words, a line each; no character is split between two. */
static struct text
encode_words(struct arena *a, struct text t)
{
	struct buf b;
	size_t begin, size;

	buf_init(&b, a);
	buf_add(&b, T("=?UTF-8?Q?"));
	begin = b.n;
	for (; t.n > 0; t = text_slice(t, size, t.n)) {
		size = character_size(t);
		if (b.n - begin + size * 3 > WORD_ROOM) {
			buf_add(&b, T("?=\r\n =?UTF-8?Q?"));
			begin = b.n;
		}
		for (size_t i = 0; i < size; i++)
			add_encoded(&b, t.s[i]);
	}
	buf_add(&b, T("?="));
	return buf_text(&b);
}

static struct text
one_line(struct arena *a, struct text t)
{
	struct buf b;

	buf_init(&b, a);
	escape_line(&b, t);
	return text_trim(buf_text(&b));
}

static struct text
subject(const struct letter *l, struct arena *a)
{
	struct text t = one_line(a, l->subject);

	/* "=?" would be read as the beginning of an encoded word; a longer line would have to be folded. */
	return is_ascii(t) && strstr(t.s, "=?") == NULL && t.n <= WORD_ROOM ? t
									    : encode_words(a, t);
}

/* A name as a quoted string. */
static struct text
quote(struct arena *a, struct text t)
{
	struct buf b;

	buf_init(&b, a);
	buf_add_char(&b, '"');
	for (size_t i = 0; i < t.n; i++) {
		if (t.s[i] == '"' || t.s[i] == '\\')
			buf_add_char(&b, '\\');
		buf_add_char(&b, t.s[i]);
	}
	buf_add_char(&b, '"');
	return buf_text(&b);
}

static struct text
from(const struct letter *l, struct arena *a)
{
	struct text name = one_line(a, l->from_name);

	if (name.n == 0)
		return l->from;
	return arena_printf(a, "%.*s <%.*s>",
	    TEXT_ARGS(is_ascii(name) ? quote(a, name) : encode_words(a, name)), TEXT_ARGS(l->from));
}

/* An address outside ASCII goes into the envelope, where libcurl writes its domain in ASCII, but into no header. */
static struct text
to(const struct letter *l, struct arena *a UNUSED)
{
	return is_ascii(l->to) ? l->to : T("undisclosed-recipients:;");
}

static struct text
date(const struct letter *l, struct arena *a)
{
	static const char days[][4] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
		"Sep", "Oct", "Nov", "Dec" };
	struct calendar c = stamp_calendar(l->date);

	/* 1970-01-01 was a Thursday; no mail is older. */
	return arena_printf(a, "%s, %d %s %04d %02d:%02d:%02d +0000",
	    days[l->date.us / SECONDS / 86400 % 7], c.day, months[c.month - 1], c.year, c.hour,
	    c.minute, c.second);
}

/* The same at each try, so that whoever gets a mail twice can tell. */
static struct text
message_id(const struct letter *l, struct arena *a)
{
	struct text domain = text_slice(l->from, text_find(l->from, '@', 0) + 1, l->from.n);
	char printed[UUID_SIZE];

	return arena_printf(a, "<%.*s@%.*s>", TEXT_ARGS(uuid_print(l->uuid, UUID_DASHED, printed)),
	    TEXT_ARGS(domain));
}

static struct text
language(const struct letter *l, struct arena *a UNUSED)
{
	return l->language;
}

/* RFC 3834: out-of-office assistants do not answer. */
static struct text
auto_generated(const struct letter *l UNUSED, struct arena *a UNUSED)
{
	return T("auto-generated");
}

static struct text
alternative(const struct letter *l UNUSED, struct arena *a UNUSED)
{
	return T("multipart/alternative");
}

const struct text *
letter_headers(const struct letter *l, struct arena *a)
{
	static const struct {
		const char *name;
		struct text (*value)(const struct letter *l, struct arena *a);
	} headers[] = {
		{ "Date", date },
		{ "From", from },
		{ "To", to },
		{ "Subject", subject },
		{ "Message-ID", message_id },
		{ "Content-Language", language },
		{ "Auto-Submitted", auto_generated },
		{ "Content-Type", alternative },
	};
	struct text *lines = arena_alloc(a, (countof(headers) + 1) * sizeof(*lines));

	for (size_t i = 0; i < countof(headers); i++)
		lines[i] =
		    arena_printf(a, "%s: %.*s", headers[i].name, TEXT_ARGS(headers[i].value(l, a)));
	return lines;
}

struct text
letter_lines(struct text body, struct arena *a)
{
	struct text line;
	struct buf b;

	buf_init(&b, a);
	while (text_split(&body, '\n', &line)) {
		if (line.n > 0 && line.s[line.n - 1] == '\r')
			line.n--;
		buf_add(&b, line);
		if (!text_is_none(body))
			buf_add(&b, T("\r\n"));
	}
	return buf_text(&b);
}
