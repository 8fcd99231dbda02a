#include "base/base.h"

#include <getopt.h>

#include "base/log.h"
#include "config/flags.h"
#include "crypto/password.h"
#include "crypto/random.h"
#include "crypto/seal.h"
#include "ctl/ctl.h"

#define MEMORY (256 * 1024 * 1024)
#define SETS_MAX 64
#define OPTIONS_MAX 32

/* clang-format off */
#define OPTION(l, n, v, m, h) FIELD_OPTION(l, n, v, m, NULL, h)
#define FIELD_OPTION(l, n, v, m, f, h)                        \
	{ .letter = (l), .name = (n), .value = (v), .field = (f), \
	  .offset = offsetof(struct ctl_options, m), .help = (h) }

const struct ctl_option ctl_options[] = {
	OPTION('e', "email", "ADDRESS", email, "e-mail address"),
	OPTION('f', "first-name", "NAME", first_name, "first name"),
	OPTION('l', "last-name", "NAME", last_name, "last name"),
	OPTION('o', "organization", "NAME", organization, "organization"),
	OPTION('p', "password-file", "FILE", password_file,
	    "first line of FILE is the password; - is standard input"),
	OPTION('t', "token-lifetime", "SECONDS", token_lifetime,
	    "seconds without use until the token expires, or never"),
	OPTION('q', "query", "TEXT", query, "only users with TEXT in a name or the address"),
	OPTION('S', "staff", NULL, staff, "make a staff user"),
	OPTION('U', "support", NULL, support, "make a support user"),
	{ .name = "json", .offset = offsetof(struct ctl_options, json), .help = "print JSON" },
	OPTION('n', "dry-run", NULL, dry_run, "only say what would be done"),
	OPTION('s', "status", NULL, status, "list the migrations"),
	OPTION('N', "new", NULL, new_token, "replace it by a new one first"),
	OPTION('F', "failed", NULL, failed, "only those that were given up"),
	OPTION('m', "format", "FORMAT", format, "csv or jsonl (the default)"),
	OPTION('O', "output", "FILE", output, "write FILE, which appears when it is whole; - is standard output"),
	OPTION('k', "skip-errors", NULL, skip_errors,
	    "leave out the lines that are refused, instead of importing nothing"),
	FIELD_OPTION('D', "since", "TIME", since, "created", "those since TIME, as 2026-11-24 or with 09:30"),
	OPTION('B', "until", "TIME", until, "those before TIME"),
	OPTION('i', "user", "USERNAME|UUID", user, "those about this user; one who is gone, by uuid"),
	OPTION('b', "by", "USERNAME|UUID", by, "those of what this user did, or rosterctl"),
	FIELD_OPTION('v', "event", "TYPE", event, "event_type", "those of this type, as user_creation_succeeded"),
	OPTION('G', "limit", "NUMBER", limit, "so many, instead of 300"),
	OPTION('u', "upstreams", "FILE", upstreams,
	    "where nginx has what rosterctl nginx prints: " SYSCONFDIR
	    "/roster/nginx-upstreams.conf"),
	OPTION('w', "without-passwords", NULL, without_passwords, "leave out the hashes of passwords"),
	OPTION('W', "name", "NAME", name, "another name"),
	FIELD_OPTION('y', "type", "TYPE", type, "content_type", "where the role is granted: customer or project"),
	OPTION('E', "description", "TEXT", description, "what the role is for"),
	OPTION('g', "permissions", "LIST", permissions,
	    "all that the role permits, with commas between, as PROJECT.UPDATE"),
	FIELD_OPTION('z', "expires", "TIME", expires, "expiration_time", "when it ends, as 2026-11-24 or with 09:30, or never"),
	OPTION('L', "label", "TEXT", label, "what people call the provider"),
	OPTION('M', "management-url", "URL", management_url, "where its users look after their accounts"),
	OPTION('P', "protected-fields", "LIST", protected_fields,
	    "fields of its users that only the provider changes, with commas between them"),
	FIELD_OPTION('a', "active", "YES|NO", active, "is_active", "whether its service is asked"),
	OPTION('T', "token-url", "URL", token_url, "where access tokens are to be had"),
	OPTION('V', "userinfo-url", "URL", userinfo_url, "what users' identifiers are added to"),
	OPTION('C', "client-id", "ID", client_id, "as whom its service is asked"),
	OPTION('x', "client-secret", NULL, client_secret, "ask for the password of the client"),
	OPTION('X', "client-secret-file", "FILE", client_secret_file,
	    "next line of FILE is that password; - is standard input"),
	OPTION('r', "refresh-token", NULL, refresh_token, "ask for the refresh token"),
	OPTION('Z', "refresh-token-file", "FILE", refresh_token_file,
	    "next line of FILE is that token; - is standard input"),
	OPTION('c', "connect-timeout", "SECONDS", connect_timeout, "longest time to connect"),
	OPTION('d', "timeout", "SECONDS", timeout, "longest time for an answer"),
	OPTION('A', "ca-file", "FILE", ca_file, "certificates to check the service's against, in PEM"),
	OPTION('I', "allow-internal", "YES|NO", allow_internal,
	    "whether the service may be on an address that is not public"),
	OPTION('R', "reactivate", "YES|NO", reactivate,
	    "whether a deactivated user whom the service knows becomes active again"),
	OPTION('J', "sync-interval", "SECONDS", sync_interval,
	    "after which a user is compared again; 0: none is by schedule"),
	OPTION('K', "sync-in-flight", "NUMBER", sync_in_flight, "users each host asks for at a time"),
	OPTION('Q', "sync-rate", "NUMBER", sync_rate, "users a second that are asked for at most"),
	OPTION('Y', "all", NULL, all, "every user, not only those whose turn it is"),
};

const struct command commands[] = {
	{ .name = "migrate", .options = "ns", .any_database = true, .run = ctl_migrate,
	  .help = "Bring the database's schema to this version.",
	  .json = "a list of the migrations as they are then: name, state (applied, pending, missing, "
		  "changed, half, foreign or newer), statements, begun and applied" },
	{ .name = "nginx", .options = "", .offline = true, .run = ctl_nginx,
	  .help = "Print nginx's upstreams and the map of the lanes.",
	  .json = "a list: upstream, its servers, and uris, regular expressions of the paths that go "
		  "there; the first gets all others" },
	{ .name = "doctor", .options = "u", .offline = true, .run = ctl_doctor,
	  .help = "Look at all that the service needs, and say what to do about what is wrong.",
	  .json = "a list of checks: check, state (good, skipped or faulty) and message" },
	{ .name = "calibrate", .options = "", .offline = true, .run = ctl_calibrate,
	  .help = "Measure argon2id with roster.conf's and with recommended costs.",
	  .json = "a list of costs: origin, argon2_memory, argon2_passes, argon2_lanes and the "
		  "microseconds of a hash, null where there is no memory for it" },
	{ .name = "key new", .options = "", .offline = true, .without_config = true,
	  .run = ctl_key_new,
	  .help = "Print a new key file.",
	  .json = "an object: id and key, the two words of the file's line" },
	{ .name = "key reseal", .options = "n", .any_database = true, .run = ctl_key_reseal,
	  .help = "Seal anew, by the first key of the file, what other keys have sealed.",
	  .json = "a list: values (what they are), and the numbers of those that an older key had sealed (older), "
		  "resealed, lost (no key opens them) and left" },
	{ .name = "user create", .argument = "USERNAME", .options = "efloptSU",
	  .run = ctl_user_create,
	  .help = "Create a user; without --password-file nobody can sign in as him yet." },
	{ .name = "user list", .options = "q", .run = ctl_user_list,
	  .help = "List users." },
	{ .name = "user show", .argument = "USERNAME|UUID", .options = "", .run = ctl_user_show,
	  .help = "Print a user." },
	{ .name = "user token", .argument = "USERNAME|UUID", .options = "N", .run = ctl_user_token,
	  .help = "Print a user's token." },
	{ .name = "user password", .argument = "USERNAME|UUID", .options = "p",
	  .run = ctl_user_password,
	  .help = "Set a user's password, from a file or asked for at the terminal." },
	{ .name = "user set", .argument = "USERNAME|UUID", .more = "FIELD=VALUE...", .options = "",
	  .run = ctl_user_set,
	  .help = "Change fields of a user, named as in the API; nothing after = is null or empty." },
	{ .name = "user deactivate", .argument = "USERNAME|UUID", .options = "",
	  .run = ctl_user_deactivate,
	  .help = "Keep a user out; user set is_active=true lets him in again." },
	{ .name = "user delete", .argument = "USERNAME|UUID", .options = "", .run = ctl_user_delete,
	  .help = "Delete a user; the audit events about him stay.",
	  .json = "an object: the uuid and username of who is gone" },
	{ .name = "user import", .argument = "FILE", .options = "nk", .run = ctl_user_import,
	  .help = "Create the accounts of a file; - is standard input. It is CSV whose first line names the "
		  "fields, or JSON Lines, which begins with {. The manual page has the fields and the kinds of "
		  "password hashes.",
	  .json = "an object: imported, present and refused, each a number of accounts" },
	{ .name = "user export", .options = "mOw", .run = ctl_user_export,
	  .help = "Print all accounts, with the hashes of their passwords, for an import.",
	  .json = "a list of the accounts; what an import takes is csv or jsonl" },
	{ .name = "provider list", .options = "", .run = ctl_provider_list,
	  .help = "List the identity providers." },
	{ .name = "provider show", .argument = "NAME", .options = "", .run = ctl_provider_show,
	  .help = "Print an identity provider; its secrets are not shown." },
	{ .name = "provider create", .argument = "NAME", .options = "LMPaTVCxXrZcdAIRJKQ",
	  .run = ctl_provider_create,
	  .help = "Add an identity provider." },
	{ .name = "provider set", .argument = "NAME", .options = "LMPaTVCxXrZcdAIRJKQ",
	  .run = ctl_provider_set,
	  .help = "Change settings of an identity provider." },
	{ .name = "provider delete", .argument = "NAME", .options = "", .run = ctl_provider_delete,
	  .help = "Delete an identity provider; its users stay.",
	  .json = "an object: the uuid and name of what is gone" },
	{ .name = "sync status", .options = "", .run = ctl_sync_status,
	  .help = "Tell how far the users of each identity provider are compared with it.",
	  .json = "a list: provider, sync_interval, and the numbers of its users, of those who are due, synced "
		  "within the interval and failing; paused_until, or null, and problem" },
	{ .name = "sync run", .argument = "[PROVIDER]", .optional = true, .options = "Y",
	  .run = ctl_sync_run,
	  .help = "Compare the users whose turn it is, now and beside what rosterd does.",
	  .json = "a list: provider, and the numbers of users who are synced and failed" },
	{ .name = "role list", .options = "", .run = ctl_role_list,
	  .help = "List the roles." },
	{ .name = "role create", .argument = "NAME", .options = "yEg", .run = ctl_role_create,
	  .help = "Create a role; --type and --permissions are needed." },
	{ .name = "role set", .argument = "NAME|UUID", .options = "WEg", .run = ctl_role_set,
	  .help = "Change what a role is called, is for, or permits." },
	{ .name = "role enable", .argument = "NAME|UUID", .options = "", .run = ctl_role_enable,
	  .help = "Let a role be granted again." },
	{ .name = "role disable", .argument = "NAME|UUID", .options = "", .run = ctl_role_disable,
	  .help = "Let a role be granted no more; who has it keeps it." },
	{ .name = "role delete", .argument = "NAME|UUID", .options = "", .run = ctl_role_delete,
	  .help = "Delete a role that nobody was ever granted.",
	  .json = "an object: the uuid and name of what is gone" },
	{ .name = "grant list", .options = "", .run = ctl_grant_list,
	  .help = "List the active grants: who has which role where." },
	{ .name = "grant add", .argument = "USERNAME|UUID", .more = "ROLE SCOPE", .options = "z",
	  .run = ctl_grant_add,
	  .help = "Grant a role in a customer or project, which is named by its uuid or url." },
	{ .name = "grant set", .argument = "USERNAME|UUID", .more = "ROLE SCOPE", .options = "z",
	  .run = ctl_grant_set,
	  .help = "Change when a grant ends." },
	{ .name = "grant remove", .argument = "USERNAME|UUID", .more = "ROLE SCOPE", .options = "",
	  .run = ctl_grant_remove,
	  .help = "End a grant; that there was none is no failure.",
	  .json = "an object: user_uuid, role_uuid, scope_type and scope_uuid, of which there is no grant now" },
	{ .name = "audit list", .options = "DBibvG", .run = ctl_audit_list,
	  .help = "List the newest audit events." },
	{ .name = "mail list", .options = "F", .run = ctl_mail_list,
	  .help = "List the mails that are still to be delivered, or were given up.",
	  .json = "a list of mails: id, created, template, recipient, attempts, due, which is null "
		  "after the last, and error, which is null before the first" },
	{ .name = "mail retry", .argument = "ID|all", .options = "", .run = ctl_mail_retry,
	  .help = "Try to deliver a mail again, now.",
	  .json = "an object: due, the number of mails that are tried" },
	{ .name = "man", .argument = "PAGE", .options = "", .offline = true, .without_config = true,
	  .run = ctl_man,
	  .help = "Print a manual page's source: rosterctl, rosterd or roster.conf.",
	  .json = "an object, what the page is made of: name, section, summary and options; of rosterctl "
		  "also commands, with what each takes" },
	{ .name = "completion", .argument = "SHELL", .options = "", .offline = true,
	  .without_config = true, .run = ctl_completion,
	  .help = "Print what completes these commands in a shell: bash.",
	  .json = "a list: after (words of the line) and words (that may come next)" },
};
/* clang-format on */

const size_t ncommands = countof(commands);
const size_t nctl_options = countof(ctl_options);

bool
ctl_takes(const struct command *c, const struct ctl_option *o)
{
	return o->letter == '\0' || strchr(c->options, o->letter) != NULL;
}

/* Is it a command of the group, "user list" of "user"? */
static bool
is_of_group(const struct command *c, struct text group)
{
	struct text name = text_from(c->name);

	return name.n > group.n && name.s[group.n] == ' ' &&
	    text_eq(text_slice(name, 0, group.n), group);
}

static bool
is_group(struct text word)
{
	for (size_t i = 0; i < ncommands; i++)
		if (is_of_group(&commands[i], word))
			return true;
	return false;
}

/* A line a command; group none: of all. */
static void
list_commands(struct text group)
{
	for (size_t i = 0; i < ncommands; i++)
		if (text_is_none(group) || is_of_group(&commands[i], group))
			printf("  %-16s %-14s %s\n", commands[i].name,
			    commands[i].argument != NULL ? commands[i].argument : "",
			    commands[i].help);
}

static int
group_help(struct text group)
{
	printf("Usage: rosterctl %s COMMAND [OPTION]...\n\nCommands:\n", group.s);
	list_commands(group);
	return CTL_GOOD;
}

static int
help(struct ctl *ctl)
{
	puts("Usage: rosterctl [--config FILE] [--set NAME=VALUE]... COMMAND [OPTION]...\n"
	     "Looks after roster.\n"
	     "\n"
	     "Commands:");
	list_commands(TEXT_NONE);
	putchar('\n');
	ctl_print(flags_help(rosterctl_flags, ctl->arena));
	puts("\n"
	     "Exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 not found,\n"
	     "4 done in part.");
	return CTL_GOOD;
}

static int
command_help(const struct command *c)
{
	printf("Usage: rosterctl %s%s%s%s%s [OPTION]...\n%s\n", c->name,
	    c->argument != NULL ? " " : "", c->argument != NULL ? c->argument : "",
	    c->more != NULL ? " " : "", c->more != NULL ? c->more : "", c->help);
	for (size_t i = 0; i < countof(ctl_options); i++) {
		const struct ctl_option *o = &ctl_options[i];
		char flag[48];

		if (!ctl_takes(c, o))
			continue;
		(void)snprintf(flag, sizeof(flag), "--%s%s%s", o->name, o->value != NULL ? " " : "",
		    o->value != NULL ? o->value : "");
		printf("      %-26s %s\n", flag, o->help);
	}
	if (c->json != NULL)
		printf("JSON: %s.\n", c->json);
	return CTL_GOOD;
}

/* The command whose words argv begins with, and how many there are. */
static const struct command *
find_command(int argc, char **argv, int *words)
{
	for (size_t i = 0; i < ncommands; i++) {
		struct text rest = text_from(commands[i].name), word;
		int n = 0;

		while (
		    text_split(&rest, ' ', &word) && n < argc && text_eq(word, text_from(argv[n])))
			n++;
		if (text_is_none(rest) && n > 0 && text_eq(word, text_from(argv[n - 1]))) {
			*words = n;
			return &commands[i];
		}
	}
	return NULL;
}

/* Words that no command begins with: the first of one, alone or with --help, or a mistake. */
static int
no_command(int argc, char **argv)
{
	if (argc == 0)
		return ctl_error(CTL_USAGE, "a command is missing; try 'rosterctl --help'");
	if (!is_group(text_from(argv[0])))
		return ctl_error(
		    CTL_USAGE, "there is no command %s; try 'rosterctl --help'", argv[0]);
	if (argc == 1)
		return ctl_error(CTL_USAGE,
		    "a command is missing after %s; try 'rosterctl %s --help'", argv[0], argv[0]);
	if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)
		return group_help(text_from(argv[0]));
	return ctl_error(CTL_USAGE, "there is no command %s %s; try 'rosterctl %s --help'", argv[0],
	    argv[1], argv[0]);
}

/* How many words come after the argument, "ROLE SCOPE"; at least: "FIELD=VALUE...". */
static int
count_more(const char *more, bool *any)
{
	int n = more != NULL;

	*any = more != NULL && strstr(more, "...") != NULL;
	for (; more != NULL && *more != '\0'; more++)
		n += *more == ' ';
	return n;
}

/* Takes a command's words apart; CTL_GOOD, or the status to end with. */
static int
read_words(const struct command *c, int argc, char **argv, struct ctl *ctl)
{
	bool any;
	int more = count_more(c->more, &any), n = argc;

	if (n > 0 && c->argument != NULL) {
		ctl->argument = text_from(*argv++);
		n--;
	}
	if (c->argument != NULL && !c->optional && ctl->argument.n == 0)
		return ctl_error(
		    CTL_USAGE, "%s is missing; try 'rosterctl %s --help'", c->argument, c->name);
	if (n < more)
		return ctl_error(
		    CTL_USAGE, "%s is missing; try 'rosterctl %s --help'", c->more, c->name);
	if (n > more && !any)
		return ctl_error(CTL_USAGE, "unexpected argument '%s'; try 'rosterctl %s --help'",
		    argv[more], c->name);
	ctl->more = argv;
	return CTL_GOOD;
}

/* Reads a command's options and argument; CTL_GOOD, or the status to end with. */
static int
read_options(const struct command *c, int argc, char **argv, struct ctl *ctl, bool *help_asked)
{
	struct option long_options[OPTIONS_MAX] = { { "help", no_argument, NULL, 'h' } };
	size_t n = 1;
	int letter;

	for (size_t i = 0; i < countof(ctl_options); i++)
		if (ctl_takes(c, &ctl_options[i]))
			long_options[n++] = (struct option){ ctl_options[i].name,
				ctl_options[i].value != NULL ? required_argument : no_argument,
				NULL, 256 + (int)i };
	optind = 0;
	while ((letter = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (letter == 'h')
			*help_asked = true;
		else if (letter < 256)
			return ctl_error(CTL_USAGE, "try 'rosterctl %s --help'", c->name);
		else if (ctl_options[letter - 256].value != NULL)
			*(struct text *)((char *)&ctl->options + ctl_options[letter - 256].offset) =
			    text_from(optarg);
		else
			*(bool *)((char *)&ctl->options + ctl_options[letter - 256].offset) = true;
	}
	if (*help_asked)
		return CTL_GOOD;
	return read_words(c, argc - optind, argv + optind, ctl);
}

/* Runs a command on a database that was connected, if that is one to run on. */
static int
run_connected(const struct command *c, struct ctl *ctl)
{
	if (!c->any_database && !app_owns(ctl->db, &ctl->setup, true))
		return CTL_FAILED;
	return c->run(ctl);
}

/* Loads what the command needs and runs it. */
static int
run(const struct command *c, struct ctl *ctl, struct app_source *source)
{
	const struct config *config = &ctl->setup.config;
	struct db_options options;
	struct text problem;
	int status;

	if (c->without_config)
		return c->run(ctl);
	source->without_keys = c->offline || c->run == ctl_migrate;
	if (!app_load(&ctl->setup, source))
		return CTL_FAILED;
	if (c->offline) {
		status = c->run(ctl);
	} else {
		options = server_db_options(&roster, config);
		options.idle = 0; /* an import waits for whoever writes what it reads */
		ctl->db = db_new(&options);
		password_set_cost(app_password_cost(config));
		status = db_connect(ctl->db, ctl->arena, &problem) == DB_NONE
		    ? run_connected(c, ctl)
		    : ctl_error(CTL_FAILED, "%.*s", TEXT_ARGS(problem));
		db_free(&ctl->db);
	}
	if (ctl->setup.keyring != NULL)
		keyring_free(&ctl->setup.keyring);
	arena_free(&ctl->setup.arena);
	return status;
}

/* What could not be printed was not done. */
static int
finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	return ctl_error(
	    status == CTL_GOOD ? CTL_FAILED : status, "standard output: %s", strerror(errno));
}

static int
run_words(int argc, char **argv, struct ctl *ctl)
{
	struct text sets[SETS_MAX];
	struct app_source source = { .path = T(SYSCONFDIR "/roster/roster.conf"), .set = sets };
	const struct command *command;
	bool help_asked = false;
	int words, status, c;

	/* The options after the command's first word are the command's. */
	while ((c = flags_next(rosterctl_flags, argc, argv)) != -1) {
		if (c == 'c')
			source.path = text_from(optarg);
		else if (c == 's' && source.nset < SETS_MAX)
			sets[source.nset++] = text_from(optarg);
		else if (c == 'h')
			return help(ctl);
		else if (c == FLAG_VERSION)
			return puts("rosterctl " PACKAGE_VERSION), CTL_GOOD;
		else
			return ctl_error(CTL_USAGE, "try 'rosterctl --help'");
	}
	command = find_command(argc - optind, argv + optind, &words);
	if (command == NULL)
		return no_command(argc - optind, argv + optind);
	ctl->command = command;
	words += optind - 1;
	argv[words] = argv[0]; /* getopt takes the word before the options for the program's name */
	status = read_options(command, argc - words, argv + words, ctl, &help_asked);
	if (help_asked)
		return command_help(command);
	return status == CTL_GOOD ? run(command, ctl, &source) : status;
}

int
main(int argc, char **argv)
{
	struct ctl ctl = { .arena = arena_new(MEMORY) };
	int status;

	app_keep_streams();
	crypto_init();
	log_set_process("rosterctl");
	log_set_plain();
	log_set_level(LOG_WARNING);
	status = run_words(argc, argv, &ctl);
	arena_free(&ctl.arena);
	return finish(status);
}
