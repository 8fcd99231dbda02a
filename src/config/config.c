#include "base/base.h"

#include <ini.h>
#include <inttypes.h>

#include "base/buf.h"
#include "config/config.h"
#include "config/options.h"

#define FILE_LIMIT 65536
#define LINE_LIMIT 2048
#define WIDTH 78 /* of printed comments */

/* What a slow worker has besides the memory that argon2 takes, MiB. */
#define WORKER_OWN_MEMORY 32

/* Stores a value in the option's member at p. NULL, or why it cannot be. Texts are not copied. */
typedef const char *setter(const struct option *o, struct text value, void *p);

static const char *
set_int(const struct option *o, struct text value, void *p)
{
	int64_t n;

	if (!text_to_int(value, &n))
		return "is not a number";
	if (n < o->minimum || n > o->maximum)
		return "is out of range";
	*(int64_t *)p = n;
	return NULL;
}

static const char *
set_bool(const struct option *o UNUSED, struct text value, void *p)
{
	if (!text_eq(value, T("true")) && !text_eq(value, T("false")))
		return "is neither";
	*(bool *)p = text_eq(value, T("true"));
	return NULL;
}

static const char *
set_text(const struct option *o, struct text value, void *p)
{
	if (value.n < (size_t)o->minimum)
		return "is too short";
	if (value.n > (size_t)o->maximum)
		return "is too long";
	*(struct text *)p = value;
	return NULL;
}

static const char *
set_path(const struct option *o, struct text value, void *p)
{
	if (value.n == 0 ? !o->optional : !text_starts(value, T("/")))
		return "is not an absolute path";
	return set_text(o, value, p);
}

static const char *
set_address(const struct option *o, struct text value, void *p)
{
	if (value.n == 0 ? !o->optional : !text_is_address(value))
		return "is no address";
	return set_text(o, value, p);
}

static const char *
set_url(const struct option *o, struct text value, void *p)
{
	bool good = value.n == 0 && o->optional;

	for (size_t i = 0; o->choices[i] != NULL; i++)
		good |= text_starts(value, text_from(o->choices[i]));
	return good ? set_text(o, value, p) : "is no such URL";
}

static const char *
set_choice(const struct option *o, struct text value, void *p)
{
	for (unsigned i = 0; o->choices[i] != NULL; i++) {
		if (text_eq(value, text_from(o->choices[i]))) {
			*(unsigned *)p = i;
			return NULL;
		}
	}
	return "is not known";
}

static setter *const setters[] = {
	[OPTION_INT] = set_int,
	[OPTION_BOOL] = set_bool,
	[OPTION_TEXT] = set_text,
	[OPTION_PATH] = set_path,
	[OPTION_ADDRESS] = set_address,
	[OPTION_URL] = set_url,
	[OPTION_CHOICE] = set_choice,
};

/* The member at p as a setter takes it. */
static struct text
printed_value(const struct option *o, const void *p, struct arena *a)
{
	switch (o->type) {
	case OPTION_INT:
		return arena_printf(a, "%" PRId64, *(const int64_t *)p);
	case OPTION_BOOL:
		return *(const bool *)p ? T("true") : T("false");
	case OPTION_TEXT:
	case OPTION_PATH:
	case OPTION_ADDRESS:
	case OPTION_URL:
		return *(const struct text *)p;
	case OPTION_CHOICE:
		return text_from(o->choices[*(const unsigned *)p]);
	}
	unreachable();
}

/* UTF-8 without control characters? */
static bool
is_printable(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (((uint8_t)t.s[i] < 0x20 && t.s[i] != '\t') || t.s[i] == 0x7f)
			return false;
	return text_is_utf8(t);
}

static struct text
unknown_option(struct text name, struct arena *a)
{
	const struct option *meant = option_nearest(name, a);

	if (meant == NULL)
		return arena_printf(a, "%.*s: there is no such option", TEXT_ARGS(name));
	return arena_printf(
	    a, "%.*s: there is no such option; did you mean %s?", TEXT_ARGS(name), meant->name);
}

/* Sets the option; none, or what is wrong with it. */
static struct text
set_value(struct config *c, const struct option *o, struct text value, struct arena *a)
{
	const char *why;

	if (!is_printable(value))
		return arena_printf(a,
		    "%s: the value has control characters or is not UTF-8; allowed: %.*s", o->name,
		    TEXT_ARGS(option_allowed(o, a)));
	value = arena_text(a, text_trim(value));
	why = setters[o->type](o, value, (char *)c + o->offset);
	if (why == NULL)
		return TEXT_NONE;
	return arena_printf(a, "%s: \"%.*s\" %s; allowed: %.*s", o->name, TEXT_ARGS(value), why,
	    TEXT_ARGS(option_allowed(o, a)));
}

static void
set_standard(struct config *c, struct arena *a)
{
	for (size_t i = 0; i < noptions; i++)
		must(text_is_none(set_value(c, &options[i], text_from(options[i].standard), a)));
}

/* A roster.conf that is being read. */
struct reading {
	struct config *config;
	struct arena *arena;
	struct text path;
	struct text rest; /* lines that are still to come */
	int line;
	int *set_on; /* for each option the line that sets it, or 0 */
	struct buf problems;
};

static void
report(struct reading *r, struct text problem)
{
	if (r->problems.n > 0)
		buf_add_char(&r->problems, '\n');
	buf_add(&r->problems, r->path);
	if (r->line > 0)
		buf_printf(&r->problems, ":%d", r->line);
	buf_printf(&r->problems, ": %.*s", TEXT_ARGS(problem));
}

/* Reads a line's name and value (NULL: there is none); none, or what is wrong. */
static struct text
read_value(struct reading *r, struct text name, const char *value)
{
	const struct option *o = option_find(name);
	int *set_on;

	if (o == NULL && value == NULL)
		return arena_printf(
		    r->arena, "%.*s: the line is not name = value", TEXT_ARGS(name));
	if (o == NULL)
		return unknown_option(name, r->arena);
	set_on = &r->set_on[o - options];
	if (*set_on != 0)
		return arena_printf(r->arena, "%s: set before, on line %d", o->name, *set_on);
	*set_on = r->line;
	if (value == NULL)
		return arena_printf(r->arena, "%s: the line has no \"=\"; allowed: %.*s", o->name,
		    TEXT_ARGS(option_allowed(o, r->arena)));
	return set_value(r->config, o, text_from(value), r->arena);
}

/* libinih's handler. */
static int
read_option(void *user, const char *section UNUSED, const char *name, const char *value)
{
	struct reading *r = user;
	struct text problem = read_value(r, text_from(name), value);

	if (!text_is_none(problem))
		report(r, problem);
	return 1;
}

/* What is wrong with a line before it is looked at as an option. */
static struct text
line_problem(struct text line, struct arena *a)
{
	if (line.n > LINE_LIMIT)
		return arena_printf(a, "the line is longer than %d bytes", LINE_LIMIT);
	if (!is_printable(line))
		return T("the line has control characters or is not UTF-8");
	if (text_starts(text_trim(line), T("[")))
		return T("there are no sections: remove this line");
	return TEXT_NONE;
}

/*
 * libinih's fgets(): hands out the lines that have no problem of their own. It counts them as
 * well, because Debian's libinih gives its handler no line number.
 */
static char *
next_line(char *out, int room, void *stream)
{
	struct reading *r = stream;
	struct text line, problem;

	while (text_split(&r->rest, '\n', &line)) {
		r->line++;
		if (line.n > 0 && line.s[line.n - 1] == '\r')
			line.n--;
		problem = line_problem(line, r->arena);
		if (text_is_none(problem)) {
			must(line.n < (size_t)room);
			memcpy(out, line.s, line.n);
			out[line.n] = '\0';
			return out;
		}
		report(r, problem);
	}
	return NULL;
}

/* The file as it is, or none and why. */
static struct text
read_file(struct text path, struct arena *a, struct text *why)
{
	char *bytes = arena_alloc(a, FILE_LIMIT + 1);
	FILE *f = fopen(arena_text(a, path).s, "re");
	size_t n;

	if (f == NULL) {
		*why = text_from(strerror(errno));
		return TEXT_NONE;
	}
	n = fread(bytes, 1, FILE_LIMIT + 1, f);
	*why = TEXT_NONE;
	if (ferror(f))
		*why = text_from(strerror(errno));
	else if (n > FILE_LIMIT)
		*why = arena_printf(a, "larger than %d bytes", FILE_LIMIT);
	fclose(f);
	return text_is_none(*why) ? (struct text){ bytes, n } : TEXT_NONE;
}

static void
read_lines(struct reading *r)
{
	const struct text bom = T("\xEF\xBB\xBF");

	ini_allow_multiline = false;
	ini_allow_inline_comments = false;
	ini_allow_no_value = true;
	ini_max_line = LINE_LIMIT + 3;

	if (text_starts(r->rest, bom))
		r->rest = text_slice(r->rest, bom.n, r->rest.n);
	must(ini_parse_stream(next_line, r, read_option, r) == 0);
	r->line = 0;
}

bool
config_read(struct config *c, struct text path, struct arena *a, struct text *problems)
{
	struct reading r = { .config = c, .arena = a, .path = path };
	struct text why;

	set_standard(c, a);
	if (text_is_none(path))
		return config_check(c, T("defaults"), a, problems);

	buf_init(&r.problems, a);
	r.set_on = arena_alloc(a, noptions * sizeof(*r.set_on));
	r.rest = read_file(path, a, &why);
	if (text_is_none(r.rest))
		report(&r, why);
	else
		read_lines(&r);
	if (r.problems.n == 0)
		return config_check(c, path, a, problems);
	*problems = buf_text(&r.problems);
	return false;
}

bool
config_set(struct config *c, struct text name, struct text value, struct text origin,
    struct arena *a, struct text *problem)
{
	const struct option *o = option_find(name);
	struct text wrong = o == NULL ? unknown_option(name, a) : set_value(c, o, value, a);

	if (text_is_none(wrong))
		return true;
	*problem = arena_printf(a, "%.*s: %.*s", TEXT_ARGS(origin), TEXT_ARGS(wrong));
	return false;
}

/* A rule over several options: what is wrong, or none. */
typedef struct text rule(const struct config *c, struct arena *a);

static struct text
memory_rule(const struct config *c, struct arena *a)
{
	int64_t least_memory = c->argon2_memory / 1024 + WORKER_OWN_MEMORY;

	if (c->worker_memory == 0 || c->worker_memory >= least_memory)
		return TEXT_NONE;
	return arena_printf(a,
	    "worker_memory: with argon2_memory = %" PRId64 " each sign-in would end its worker; "
	    "allowed: 0, or at least %" PRId64 " MiB",
	    c->argon2_memory, least_memory);
}

static struct text
mail_rule(const struct config *c, struct arena *a UNUSED)
{
	if (c->smtp_url.n == 0 || (c->mail_from.n > 0 && c->homeport_url.n > 0))
		return TEXT_NONE;
	return T(
	    "smtp_url: mails have no sender without mail_from, and no links without homeport_url");
}

static rule *const rules[] = { memory_rule, mail_rule };

bool
config_check(const struct config *c, struct text origin, struct arena *a, struct text *problem)
{
	for (size_t i = 0; i < countof(rules); i++) {
		struct text wrong = rules[i](c, a);

		if (!text_is_none(wrong)) {
			*problem =
			    arena_printf(a, "%.*s: %.*s", TEXT_ARGS(origin), TEXT_ARGS(wrong));
			return false;
		}
	}
	return true;
}

/* The words of t in lines that begin with prefix. */
static void
print_wrapped(struct buf *b, const char *prefix, struct text t)
{
	struct text word;
	size_t column = 0;

	while (text_split(&t, ' ', &word)) {
		if (column > 0 && column + 1 + word.n > WIDTH) {
			buf_add_char(b, '\n');
			column = 0;
		}
		buf_add(b, text_from(column == 0 ? prefix : " "));
		buf_add(b, word);
		column += word.n + (column == 0 ? strlen(prefix) : 1);
	}
	buf_add_char(b, '\n');
}

static struct text
allowed_and_default(const struct option *o, struct arena *a)
{
	return arena_printf(a, "Allowed: %.*s. Default: %s", TEXT_ARGS(option_allowed(o, a)),
	    o->standard[0] != '\0' ? o->standard : "empty");
}

static void
print_option(struct buf *b, const struct option *o, const struct config *c)
{
	struct text value = printed_value(o, (const char *)c + o->offset, b->arena);

	buf_add_char(b, '\n');
	print_wrapped(b, "# ", text_from(o->help));
	print_wrapped(b, "# ", allowed_and_default(o, b->arena));
	buf_printf(b, "%s =%s%.*s\n", o->name, value.n > 0 ? " " : "", TEXT_ARGS(value));
}

struct text
config_print(const struct config *c, struct arena *a)
{
	struct buf b;

	buf_init(&b, a);
	buf_add(&b, T("# roster.conf: the configuration of rosterd and rosterctl.\n"));
	for (size_t i = 0; i < noptions; i++)
		print_option(&b, &options[i], c);
	return buf_text(&b);
}

struct text
config_help(struct arena *a)
{
	struct buf b;

	buf_init(&b, a);
	for (size_t i = 0; i < noptions; i++) {
		buf_printf(&b, "\n  %s\n", options[i].name);
		print_wrapped(&b, "      ", text_from(options[i].help));
		print_wrapped(&b, "      ", allowed_and_default(&options[i], a));
	}
	return buf_text(&b);
}

bool
config_list_has(struct text list, struct text item)
{
	struct text part;

	while (text_split(&list, ',', &part))
		if (item.n > 0 && text_eq(text_trim(part), item))
			return true;
	return false;
}
