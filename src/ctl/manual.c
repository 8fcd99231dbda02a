/* What is made of the tables of commands and options at build time: manual pages and completion. */
#include "base/base.h"

#include "config/options.h"
#include "crypto/foreign.h"
#include "crypto/password.h"
#include "ctl/ctl.h"
#include "users/users.h"

/* Text in a page: a hyphen is to be typed, a backslash one, and no line begins with a control character. */
static void
roff(struct text t)
{
	for (size_t i = 0; i < t.n; i++) {
		if (i == 0 && (t.s[i] == '.' || t.s[i] == '\''))
			fputs("\\&", stdout);
		if (t.s[i] == '\\')
			fputs("\\e", stdout);
		else if (t.s[i] == '-')
			fputs("\\-", stdout);
		else
			putchar(t.s[i]);
	}
}

static void
heading(const char *name, int section, const char *what)
{
	printf(".TH %s %d \"\" \"roster " PACKAGE_VERSION "\" \"roster\"\n"
	       ".SH NAME\n%s \\- %s\n",
	    name, section, name, what);
}

static void
print_option(const struct ctl_option *o)
{
	printf(".TP\n.BI \\-\\-");
	roff(text_from(o->name));
	if (o->value != NULL)
		printf(" \" \" %s", o->value);
	putchar('\n');
	roff(text_from(o->help));
	putchar('\n');
}

static void
print_command(const struct command *c)
{
	printf(".SS \"");
	roff(text_from(c->name));
	printf("%s%s%s%s\"\n", c->argument != NULL ? " " : "",
	    c->argument != NULL ? c->argument : "", c->more != NULL ? " " : "",
	    c->more != NULL ? c->more : "");
	roff(text_from(c->help));
	putchar('\n');
	for (size_t i = 0; i < nctl_options; i++)
		if (strchr(c->options, ctl_options[i].letter) != NULL)
			print_option(&ctl_options[i]);
	if (c->json == NULL)
		return;
	fputs(".P\nJSON: ", stdout);
	roff(text_from(c->json));
	puts(".");
}

/* What an import takes, and an export writes. */
static void
print_portable_fields(void)
{
	for (size_t i = 0; i < users.nfields; i++) {
		const struct field *f = &users.fields[i];

		if (!ctl_is_portable(f))
			continue;
		printf(".TP\n.B %s\n", f->name);
		roff(text_from(f->help));
		puts(f->input.required ? " Must be there." : "");
	}
}

static void
print_import(void)
{
	puts(
	    ".SH \"IMPORT AND EXPORT\"\n"
	    "A file is in UTF\\-8: CSV as of RFC 4180, with commas and the names of the fields in its\n"
	    "first line, or JSON Lines, an object a line. The first character tells which it is.\n"
	    "In CSV an empty cell of what is no text is null, or as if it were not there.\n"
	    ".P\nUnless \\-\\-skip\\-errors is given, an import does all or nothing. After an interruption\n"
	    "the same file goes on where it had ended: it finds the accounts that it has made.");
	printf(
	    ".P\nA password is the hash that another system made: argon2 in PHC form or as Django writes\n"
	    "it, Django's pbkdf2_sha256, bcrypt_sha256 or bcrypt, or bare bcrypt. It lets in as it is, and is\n"
	    "made anew at the first sign\\-in. One that costs more is refused: argon2 with over %u MiB, %u\n"
	    "passes or %u lanes, pbkdf2_sha256 with over %d iterations, bcrypt with over %d.\n",
	    PASSWORD_COST_MAX.memory / 1024, PASSWORD_COST_MAX.passes, PASSWORD_COST_MAX.lanes,
	    PBKDF2_ITERATIONS_MAX, BCRYPT_COST_MAX);
	puts(
	    ".P\nAn export has these fields of each account, and no pictures, tokens, roles or SSH keys;\n"
	    "an import of it makes the same accounts again. Cells are as their owners wrote them, also one that\n"
	    "a spreadsheet takes for a formula. The fields:");
	print_portable_fields();
}

static void
print_rosterctl(struct arena *a UNUSED)
{
	heading("rosterctl", 8, "look after roster");
	puts(
	    ".SH SYNOPSIS\n.B rosterctl\n"
	    "[\\fB\\-\\-config\\fR \\fIFILE\\fR] [\\fB\\-\\-set\\fR \\fINAME\\fR=\\fIVALUE\\fR]...\n"
	    "\\fICOMMAND\\fR [\\fIOPTION\\fR]...\n"
	    ".SH DESCRIPTION\n"
	    "Asks the service's own handlers, so that rules, messages and audit events are those\n"
	    "of the API. Whoever may read roster.conf, the key file and the database's option file\n"
	    "may do everything. Secrets are read from files or the terminal, never from arguments.\n"
	    ".P\n\\-\\-json prints one JSON document: what the API answers, unless a command says below\n"
	    "what it is. Commands that print a file, or nothing, do not have it.\n"
	    ".SH COMMANDS");
	for (size_t i = 0; i < ncommands; i++)
		print_command(&commands[i]);
	print_import();
	puts(
	    ".SH \"EXIT STATUS\"\n"
	    ".TP\n0\nDone.\n"
	    ".TP\n1\nRefused or failed; standard error says why.\n"
	    ".TP\n2\nWrong usage.\n"
	    ".TP\n3\nNot found.\n"
	    ".TP\n4\nDone in part: an import has left lines out, a sync has failed for some users, or\n"
	    "values are left under an older key.\n"
	    ".SH FILES\n.I " SYSCONFDIR "/roster/roster.conf\n"
	    ".SH \"SEE ALSO\"\n.BR rosterd (8),\n.BR roster.conf (5)");
}

static void
print_rosterd(struct arena *a UNUSED)
{
	heading("rosterd", 8, "user-account service behind nginx");
	puts(
	    ".SH SYNOPSIS\n.B rosterd\n[\\fIOPTION\\fR]...\n"
	    ".SH DESCRIPTION\n"
	    "Serves the Users API by FastCGI on unix sockets, one a worker, until SIGTERM.\n"
	    ".SH OPTIONS\n"
	    ".TP\n.BI \\-c,\\-\\-config \" FILE\"\nRead FILE instead of " SYSCONFDIR
	    "/roster/roster.conf.\n"
	    ".TP\n.BI \\-s,\\-\\-set \" NAME=VALUE\"\nChange an option after the file was read.\n"
	    ".TP\n.B \\-\\-check\\-config\nSay what is wrong with the configuration, and exit.\n"
	    ".TP\n.B \\-\\-print\\-config\nPrint the configuration with all options, and exit.\n"
	    ".TP\n.B \\-\\-help\nPrint a summary, and exit.\n"
	    ".TP\n.B \\-\\-version\nPrint the version, and exit.\n"
	    ".SH SIGNALS\n"
	    ".TP\nSIGHUP\nRead configuration and keys again; new workers take over, and no request\n"
	    "is lost. A faulty configuration changes nothing.\n"
	    ".TP\nSIGTERM, SIGINT\nFinish what was accepted, and stop.\n"
	    ".SH \"EXIT STATUS\"\n0 after SIGTERM, 1 when it could not start, 2 for wrong usage.\n"
	    ".SH \"SEE ALSO\"\n.BR rosterctl (8),\n.BR roster.conf (5)");
}

static void
print_roster_conf(struct arena *a)
{
	heading("roster.conf", 5, "configuration of roster");
	puts(".SH DESCRIPTION\n"
	     "A line is name = value, blank, or a comment that begins with # or ; as its first\n"
	     "character. rosterd \\-\\-check\\-config names what is wrong, with the line.\n"
	     ".SH OPTIONS");
	for (size_t i = 0; i < noptions; i++) {
		const struct option *o = &options[i];

		printf(".TP\n.B %s\n", o->name);
		roff(text_from(o->help));
		printf("\nAllowed: ");
		roff(option_allowed(o, a));
		printf(". Default: ");
		roff(o->standard != NULL && o->standard[0] != '\0' ? text_from(o->standard)
								   : T("nothing"));
		puts(".");
	}
	puts(".SH \"SEE ALSO\"\n.BR rosterd (8),\n.BR rosterctl (8)");
}

int
ctl_man(struct ctl *ctl)
{
	static const struct {
		const char *name;
		void (*print)(struct arena *a);
	} pages[] = {
		{ "rosterctl", print_rosterctl },
		{ "rosterd", print_rosterd },
		{ "roster.conf", print_roster_conf },
	};

	for (size_t i = 0; i < countof(pages); i++) {
		if (text_eq(ctl->argument, text_from(pages[i].name))) {
			pages[i].print(ctl->arena);
			return CTL_GOOD;
		}
	}
	return ctl_error(CTL_NOT_FOUND, "there is no page %s", ctl->argument.s);
}

/* "--email --json", after the command's words. */
static void
print_case(const struct command *c)
{
	printf("\t\"%s \"*) words='--help", c->name);
	for (size_t i = 0; i < nctl_options; i++)
		if (strchr(c->options, ctl_options[i].letter) != NULL)
			printf(" --%s", ctl_options[i].name);
	puts("' ;;");
}

/* The second words of commands whose first word is this. */
static void
print_seconds(size_t first)
{
	struct text word = text_slice(
	    text_from(commands[first].name), 0, text_find(text_from(commands[first].name), ' ', 0));

	printf("\t\"%.*s \") words='", TEXT_ARGS(word));
	for (size_t i = first; i < ncommands; i++) {
		struct text name = text_from(commands[i].name);
		size_t end = text_find(name, ' ', 0);

		if (end < name.n && text_eq(text_slice(name, 0, end), word))
			printf("%s ", commands[i].name + end + 1);
	}
	puts("' ;;");
}

/* Is the first word of this command that of no command before it? */
static bool
is_first(size_t i)
{
	struct text name = text_from(commands[i].name);
	size_t n = text_find(name, ' ', 0);

	for (size_t j = 0; j < i; j++)
		if (strncmp(commands[j].name, name.s, n) == 0 &&
		    (commands[j].name[n] == ' ' || commands[j].name[n] == '\0'))
			return false;
	return true;
}

int
ctl_completion(struct ctl *ctl)
{
	if (!text_eq(ctl->argument, T("bash")))
		return ctl_error(CTL_NOT_FOUND, "there is a completion for bash only");
	puts("# bash completion for rosterctl, made by rosterctl completion bash.\n"
	     "_rosterctl() {\n"
	     "\tlocal line words i\n"
	     "\tlocal current=${COMP_WORDS[COMP_CWORD]}\n"
	     "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	     "\t\tcase ${COMP_WORDS[i]} in\n"
	     "\t\t--config | -c | --set) ((i++)) ;;\n"
	     "\t\t-*) ;;\n"
	     "\t\t*) line+=\"${COMP_WORDS[i]} \" ;;\n"
	     "\t\tesac\n"
	     "\tdone\n"
	     "\tcase $line in");
	for (size_t i = 0; i < ncommands; i++)
		print_case(&commands[i]);
	for (size_t i = 0; i < ncommands; i++)
		if (is_first(i) && strchr(commands[i].name, ' ') != NULL)
			print_seconds(i);
	fputs("\t'') words='--config --set --help --version", stdout);
	for (size_t i = 0; i < ncommands; i++)
		if (is_first(i))
			printf(" %.*s", (int)strcspn(commands[i].name, " "), commands[i].name);
	puts("' ;;\n"
	     "\tesac\n"
	     "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
	     "}\n"
	     "complete -o default -F _rosterctl rosterctl");
	return CTL_GOOD;
}
