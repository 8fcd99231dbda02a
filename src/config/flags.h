/*
 * What rosterd, and rosterctl before its command, take on the command line: --help, the manual pages and completion
 * are made from these tables, too.
 */
#ifndef ROSTER_CONFIG_FLAGS_H
#define ROSTER_CONFIG_FLAGS_H

#include "base/arena.h"
#include "base/base.h"
#include "base/text.h"

/* Codes of those that have no letter. */
enum { FLAG_VERSION = 256, FLAG_CHECK_CONFIG, FLAG_CHECK_START, FLAG_PRINT_CONFIG };

struct flag {
	const char *name;
	int code;          /* its letter, or one of the above */
	const char *value; /* what its value is called; NULL: it is a switch */
	const char *help;
};

/* They end with a row without a name. */
extern const struct flag rosterd_flags[], rosterctl_flags[];

/*
 * The code of the next flag of a command line, with its value in optarg, as getopt_long() gives it: '?' after it
 * told a mistake, and -1 at the first word that is no flag, argv[optind].
 */
int flags_next(const struct flag *flags, int argc, char **argv);

/* The lines of --help. */
struct text flags_help(const struct flag *flags, struct arena *a);

#endif
