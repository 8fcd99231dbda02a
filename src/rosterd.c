#include "base/base.h"

#include <unistd.h>

#include "app.h"
#include "base/log.h"
#include "config/flags.h"
#include "crypto/random.h"
#include "crypto/seal.h"

#define MEMORY (4 * 1024 * 1024)
#define SETS_MAX 64

enum exit_status { EXIT_GOOD = 0, EXIT_BAD = 1, EXIT_USAGE = 2 };

static void
print(struct text t)
{
	fwrite(t.s, 1, t.n, stdout);
}

static int
help(struct arena *a)
{
	fputs("Usage: rosterd [OPTION]...\n"
	      "Serves the Users API behind nginx, by FastCGI, until SIGTERM; SIGHUP reloads the\n"
	      "configuration, and the program itself if it was replaced.\n"
	      "\n",
	    stdout);
	print(flags_help(rosterd_flags, a));
	fputs("\nOptions of the configuration:\n", stdout);
	print(config_help(a));
	return EXIT_GOOD;
}

/* --check-config and --print-config. */
static int
look_at_config(const struct app_source *source, bool printing, struct arena *a)
{
	struct config config;
	struct text problems;

	if (!app_config(&config, source, a, &problems)) {
		fprintf(stderr, "%.*s\n", TEXT_ARGS(problems));
		return EXIT_BAD;
	}
	if (printing)
		print(config_print(&config, a));
	else
		puts("The configuration is good.");
	return EXIT_GOOD;
}

/* --check-start: what stands in the way is logged. */
static int
look_at_start(struct app_source *source)
{
	struct setup setup;
	bool good;

	if (!app_load(&setup, source))
		return EXIT_BAD;
	good = roster.check(&setup);
	keyring_free(&setup.keyring);
	arena_free(&setup.arena);
	return good ? EXIT_GOOD : EXIT_BAD;
}

static int
run(int argc, char **argv, struct arena *a)
{
	struct text sets[SETS_MAX];
	struct app_source source = { .path = T(SYSCONFDIR "/roster/roster.conf"), .set = sets };
	int look = 0, c;

	while ((c = flags_next(rosterd_flags, argc, argv)) != -1) {
		if (c == 'c')
			source.path = text_from(optarg);
		else if (c == 's' && source.nset < SETS_MAX)
			sets[source.nset++] = text_from(optarg);
		else if (c == FLAG_CHECK_CONFIG || c == FLAG_CHECK_START || c == FLAG_PRINT_CONFIG)
			look = c;
		else if (c == 'h')
			return help(a);
		else if (c == FLAG_VERSION)
			return puts("rosterd " PACKAGE_VERSION), EXIT_GOOD;
		else
			return fputs("Try 'rosterd --help'.\n", stderr), EXIT_USAGE;
	}
	if (optind < argc) {
		fprintf(stderr, "rosterd: unexpected argument '%s'; try 'rosterd --help'.\n",
		    argv[optind]);
		return EXIT_USAGE;
	}
	if (look == FLAG_CHECK_START)
		return look_at_start(&source);
	if (look != 0)
		return look_at_config(&source, look == FLAG_PRINT_CONFIG, a);
	return server_run(&roster, app_load, &source, argv) == 0 ? EXIT_GOOD : EXIT_BAD;
}

/* What could not be printed was not done. */
static int
finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "rosterd: standard output: %s\n", strerror(errno));
	return EXIT_BAD;
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new(MEMORY);
	int status;

	app_keep_streams();
	crypto_init();
	status = finish(run(argc, argv, a));
	arena_free(&a);
	return status;
}
