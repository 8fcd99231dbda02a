#include "base/base.h"
#include "base/log.h"
#include "base/stamp.h"

#include <unistd.h>

#define LINE_MAX_BYTES 4096
#define CONTEXT_MAX_BYTES 256 /* of one text of the context, escaped */

static const char *const level_names[] = {
	[LOG_DEBUG] = "debug",
	[LOG_INFO] = "info",
	[LOG_WARNING] = "warning",
	[LOG_ERROR] = "error",
};

static enum log_level lowest_level = LOG_INFO;
static char process_name[32];
static bool plain;
static const struct log_context *current;

struct line {
	size_t n;
	char s[LINE_MAX_BYTES];
};

void
log_set_level(enum log_level level)
{
	lowest_level = level;
}

const char *
log_level_name(enum log_level level)
{
	return level_names[level];
}

bool
log_level_parse(struct text name, enum log_level *out)
{
	for (size_t i = 0; i < countof(level_names); i++) {
		if (text_eq(name, text_from(level_names[i]))) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

void
log_set_process(const char *name)
{
	snprintf(process_name, sizeof(process_name), "%s", name);
}

void
log_set_plain(void)
{
	plain = true;
}

void
log_set_context(const struct log_context *context)
{
	current = context;
}

/* What goes before the message is bounded by the sizes above, so that it always fits. */
static void
line_add(struct line *l, struct text t)
{
	memcpy(l->s + l->n, t.s, t.n);
	l->n += t.n;
}

static void
line_add_int(struct line *l, int64_t n)
{
	char digits[20], *p = digits + sizeof(digits);
	uint64_t rest = n < 0 ? -(uint64_t)n : (uint64_t)n;

	do
		*--p = (char)('0' + rest % 10);
	while ((rest /= 10) > 0);
	if (n < 0)
		*--p = '-';
	line_add(l, (struct text){ p, (size_t)(digits + sizeof(digits) - p) });
}

/* The bytes that a code point should have, going by its first byte. */
static size_t
utf8_size(uint8_t first)
{
	return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* How many bytes at the front of t stand for themselves in a JSON string: ASCII, for speed. */
static size_t
plain_run(struct text t)
{
	uint8_t c;
	size_t n = 0;

	for (; n < t.n; n++) {
		c = (uint8_t)t.s[n];
		if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\')
			break;
	}
	return n;
}

/* The first character of t as it stands in a JSON string, and how many bytes of t it was. */
static struct text
escape_first(struct text t, size_t *taken, char room[static 6])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t c = (uint8_t)t.s[0];
	struct text point = text_slice(t, 0, utf8_size(c));

	*taken = point.n;
	if (c < 0x20) {
		memcpy(room, "\\u00", 4);
		room[4] = digits[c >> 4];
		room[5] = digits[c & 0xf];
		return (struct text){ room, 6 };
	}
	if (c == '"' || c == '\\') {
		room[0] = '\\';
		room[1] = (char)c;
		return (struct text){ room, 2 };
	}
	if (text_is_utf8(point))
		return point;
	*taken = 1;
	return T("\uFFFD");
}

/* Adds t escaped, as much of it as ends before byte end of the line; false when that was not all. */
static bool
line_add_escaped(struct line *l, struct text t, size_t end)
{
	struct text escaped;
	char room[6];
	size_t taken;

	for (; t.n > 0; t = text_slice(t, taken, t.n)) {
		taken = plain_run(text_slice(t, 0, end - l->n));
		escaped = taken > 0 ? text_slice(t, 0, taken) : escape_first(t, &taken, room);
		if (escaped.n > end - l->n)
			return false;
		line_add(l, escaped);
	}
	return true;
}

/* name is as it stands in the line: ,"pid": */
static void
line_add_number(struct line *l, struct text name, int64_t n)
{
	line_add(l, name);
	line_add_int(l, n);
}

static void
line_add_text(struct line *l, struct text name, struct text t)
{
	if (t.n == 0)
		return;
	line_add(l, name);
	line_add(l, T("\""));
	line_add_escaped(l, t, l->n + CONTEXT_MAX_BYTES);
	line_add(l, T("\""));
}

static void
line_add_context(struct line *l, const struct log_context *context)
{
	char uuid[UUID_SIZE];

	line_add_text(l, T(",\"request_id\":"), context->request_id);
	line_add_text(l, T(",\"method\":"), context->method);
	line_add_text(l, T(",\"route\":"), context->route);
	if (!uuid_is_none(context->user))
		line_add_text(l, T(",\"user\":"), uuid_print(context->user, UUID_DASHED, uuid));
	if (!uuid_is_none(context->impersonator))
		line_add_text(l, T(",\"impersonator\":"),
		    uuid_print(context->impersonator, UUID_DASHED, uuid));
}

static void
line_begin(struct line *l, enum log_level level)
{
	char stamp[STAMP_SIZE];

	l->n = 0;
	line_add_text(l, T("{\"time\":"), stamp_print(stamp_now(), stamp));
	line_add_text(l, T(",\"level\":"), text_from(level_names[level]));
	line_add_number(l, T(",\"pid\":"), getpid());
	line_add_text(l, T(",\"process\":"), text_from(process_name));
	if (current != NULL)
		line_add_context(l, current);
}

static void
line_write(const struct line *l)
{
	while (write(STDERR_FILENO, l->s, l->n) < 0 && errno == EINTR)
		continue;
}

/* Ends the line with as much of the message as fits, and writes it. */
static void
line_end(struct line *l, struct text message)
{
	static const struct text cut = TEXT_INIT("\u2026"), end = TEXT_INIT("\"}\n");

	line_add(l, T(",\"message\":\""));
	if (!line_add_escaped(l, message, sizeof(l->s) - cut.n - end.n))
		line_add(l, cut);
	line_add(l, end);
	line_write(l);
}

/* Without what could steer a terminal. */
static void
write_plain(struct text message)
{
	struct line l = { 0 };

	line_add(&l, text_from(process_name));
	line_add(&l, T(": "));
	line_add(&l, text_slice(message, 0, sizeof(l.s) - l.n - 1));
	for (size_t i = 0; i < l.n; i++)
		if ((unsigned char)l.s[i] < ' ' || l.s[i] == '\x7f')
			l.s[i] = '?';
	line_add(&l, T("\n"));
	line_write(&l);
}

void
log_message(enum log_level level, const char *format, ...)
{
	char message[LINE_MAX_BYTES]; /* a longer one would not fit in a line either */
	int before = errno;
	struct text words;
	struct line line;
	va_list args;
	int n;

	if (level < lowest_level)
		return;
	va_start(args, format);
	n = vsnprintf(message, sizeof(message), format, args);
	va_end(args);

	words = n < 0 ? T("") : text_from(message);
	if (plain) {
		write_plain(words);
	} else {
		line_begin(&line, level);
		line_end(&line, words);
	}
	errno = before;
}

void
log_request(int status, int64_t microseconds, int statements)
{
	enum log_level level = status >= 500 ? LOG_ERROR : LOG_INFO;
	struct line line;

	if (plain || level < lowest_level)
		return;
	line_begin(&line, level);
	line_add_number(&line, T(",\"status\":"), status);
	line_add_number(&line, T(",\"us\":"), microseconds);
	line_add_number(&line, T(",\"db\":"), statements);
	line_end(&line, T("request"));
}
