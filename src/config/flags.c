#include "base/base.h"

#include <getopt.h>

#include "base/buf.h"
#include "config/flags.h"

#define FLAGS_MAX 16

#define FLAG_CONFIG "config", 'c', "FILE", "read FILE instead of " SYSCONFDIR "/roster/roster.conf"
#define FLAG_SET "set", 's', "NAME=VALUE", "change an option after the file was read"
#define FLAG_SHOW_VERSION "version", FLAG_VERSION, NULL, "print the version, and exit"

const struct flag rosterd_flags[] = {
	{ FLAG_CONFIG },
	{ FLAG_SET },
	{ "check-config", FLAG_CHECK_CONFIG, NULL,
	    "say what is wrong with the configuration, and exit" },
	{ "check-start", FLAG_CHECK_START, NULL,
	    "say whether it could start: keys, database; and exit" },
	{ "print-config", FLAG_PRINT_CONFIG, NULL,
	    "print the configuration with all options, and exit" },
	{ "help", 'h', NULL, "print this, and exit" },
	{ FLAG_SHOW_VERSION },
	{ NULL, 0, NULL, NULL },
};

const struct flag rosterctl_flags[] = {
	{ FLAG_CONFIG },
	{ FLAG_SET },
	{ "help", 'h', NULL, "print this, or the help of a command" },
	{ FLAG_SHOW_VERSION },
	{ NULL, 0, NULL, NULL },
};

static bool
has_letter(const struct flag *f)
{
	return f->code < FLAG_VERSION;
}

int
flags_next(const struct flag *flags, int argc, char **argv)
{
	struct option long_options[FLAGS_MAX + 1] = { 0 };
	char letters[1 + 2 * FLAGS_MAX + 1] = "+", *end = letters + 1;
	size_t n = 0;

	for (const struct flag *f = flags; f->name != NULL; f++) {
		must(n < FLAGS_MAX);
		long_options[n++] = (struct option){ f->name,
			f->value != NULL ? required_argument : no_argument, NULL, f->code };
		if (has_letter(f))
			*end++ = (char)f->code;
		if (has_letter(f) && f->value != NULL)
			*end++ = ':';
	}
	return getopt_long(argc, argv, letters, long_options, NULL);
}

struct text
flags_help(const struct flag *flags, struct arena *a)
{
	struct buf out;

	buf_init(&out, a);
	for (const struct flag *f = flags; f->name != NULL; f++) {
		bool letter = has_letter(f);
		struct text name = arena_printf(a, "--%s%s%s", f->name, f->value != NULL ? " " : "",
		    f->value != NULL ? f->value : "");

		buf_printf(&out, "  %s%c%s %-18s %s\n", letter ? "-" : " ", letter ? f->code : ' ',
		    letter ? "," : " ", name.s, f->help);
	}
	return buf_text(&out);
}
