/* Manual pages, made of the tables of commands and options at build time. */
#include "base/base.h"

#include "config/flags.h"
#include "config/options.h"
#include "crypto/foreign.h"
#include "crypto/password.h"
#include "ctl/ctl.h"
#include "users/users.h"

struct page {
	const char *name;
	int section;
	const char *summary;
	const struct flag *flags;                                /* NULL: it is of no program */
	void (*print)(const struct page *page, struct arena *a); /* what comes after the heading */
	void (*write)(
	    struct json_writer *w, struct arena *a); /* ... as members; NULL: none but flags */
};

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

/* letter: another name of it; '\0': none. */
static void
print_option(char letter, const char *name, const char *value, const char *help)
{
	printf(".TP\n.BI ");
	if (letter != '\0')
		printf("\\-%c,", letter);
	printf("\\-\\-");
	roff(text_from(name));
	if (value != NULL)
		printf(" \" \" %s", value);
	putchar('\n');
	roff(text_from(help));
	putchar('\n');
}

static void
print_flags(const struct page *page)
{
	puts(".SH OPTIONS");
	for (const struct flag *f = page->flags; f->name != NULL; f++)
		print_option(
		    f->code < FLAG_VERSION ? (char)f->code : '\0', f->name, f->value, f->help);
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
	for (size_t i = 0; i < nctl_options; i++) {
		const struct ctl_option *o = &ctl_options[i];

		if (ctl_takes(c, o))
			print_option('\0', o->name, o->value, o->help);
	}
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
	    "Whoever has no uuid gets one of version 7 (RFC 9562), which tells when it was made.\n"
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
print_rosterctl(const struct page *page, struct arena *a UNUSED)
{
	puts(
	    ".SH SYNOPSIS\n.B rosterctl\n"
	    "[\\fB\\-\\-config\\fR \\fIFILE\\fR] [\\fB\\-\\-set\\fR \\fINAME\\fR=\\fIVALUE\\fR]...\n"
	    "\\fICOMMAND\\fR [\\fIOPTION\\fR]...\n"
	    ".SH DESCRIPTION\n"
	    "Asks the service's own handlers, so that rules, messages and audit events are those\n"
	    "of the API. Whoever may read roster.conf, the key file and the database's option file\n"
	    "may do everything. Secrets are read from files or the terminal, never from arguments.\n"
	    ".P\n\\-\\-json prints one JSON document: what the API answers, unless a command says below\n"
	    "what it is. What goes wrong is told on standard error, with it as without it; a document\n"
	    "is whole when the exit status is 0 or 4.");
	print_flags(page);
	puts(".SH COMMANDS");
	for (size_t i = 0; i < ncommands; i++)
		print_command(&commands[i]);
	print_import();
	puts(
	    ".SH \"EXIT STATUS\"\n"
	    ".TP\n0\nDone.\n"
	    ".TP\n1\nRefused or failed; standard error says why. Of doctor: something is faulty.\n"
	    ".TP\n2\nWrong usage.\n"
	    ".TP\n3\nNot found.\n"
	    ".TP\n4\nDone in part: an import has left lines out, a sync has failed for some users, or\n"
	    "values are left under an older key.\n"
	    ".SH FILES\n.I " SYSCONFDIR "/roster/roster.conf\n"
	    ".SH \"SEE ALSO\"\n.BR rosterd (8),\n.BR roster.conf (5)");
}

static void
print_rosterd(const struct page *page, struct arena *a UNUSED)
{
	puts(".SH SYNOPSIS\n.B rosterd\n[\\fIOPTION\\fR]...\n"
	     ".SH DESCRIPTION\n"
	     "Serves the Users API by FastCGI on unix sockets, one a worker, until SIGTERM.");
	print_flags(page);
	puts(
	    ".SH SIGNALS\n"
	    ".TP\nSIGHUP\nRead configuration and keys again; new workers take over, and no request\n"
	    "is lost. A faulty configuration changes nothing.\n"
	    ".TP\nSIGTERM, SIGINT\nFinish what was accepted, and stop.\n"
	    ".SH \"EXIT STATUS\"\n0 after SIGTERM, 1 when it could not start, 2 for wrong usage.\n"
	    ".SH \"SEE ALSO\"\n.BR rosterctl (8),\n.BR roster.conf (5)");
}

static void
print_roster_conf(const struct page *page UNUSED, struct arena *a)
{
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

/* As JSON. */

static void
write_option(struct json_writer *w, const char *name, const char *value, const char *help)
{
	json_object(w);
	json_member_text(w, "name", text_from(name));
	json_member_text(w, "value", text_from(value));
	json_member_text(w, "help", text_from(help));
	json_object_end(w);
}

static void
write_flags(struct json_writer *w, const struct flag *flags)
{
	json_key(w, T("options"));
	json_array(w);
	for (const struct flag *f = flags; f->name != NULL; f++)
		write_option(w, f->name, f->value, f->help);
	json_array_end(w);
}

static void
write_command(struct json_writer *w, const struct command *c)
{
	json_object(w);
	json_member_text(w, "name", text_from(c->name));
	json_member_text(w, "argument", text_from(c->argument));
	json_member_text(w, "more", text_from(c->more));
	json_member_text(w, "help", text_from(c->help));
	json_member_text(w, "json", text_from(c->json));
	json_key(w, T("options"));
	json_array(w);
	for (size_t i = 0; i < nctl_options; i++) {
		const struct ctl_option *o = &ctl_options[i];

		if (ctl_takes(c, o))
			write_option(w, o->name, o->value, o->help);
	}
	json_array_end(w);
	json_object_end(w);
}

static void
write_rosterctl(struct json_writer *w, struct arena *a UNUSED)
{
	json_key(w, T("commands"));
	json_array(w);
	for (size_t i = 0; i < ncommands; i++)
		write_command(w, &commands[i]);
	json_array_end(w);
}

static void
write_roster_conf(struct json_writer *w, struct arena *a)
{
	json_key(w, T("options"));
	json_array(w);
	for (size_t i = 0; i < noptions; i++) {
		json_object(w);
		json_member_text(w, "name", text_from(options[i].name));
		json_member_text(w, "help", text_from(options[i].help));
		json_member_text(w, "allowed", option_allowed(&options[i], a));
		json_member_text(w, "default", text_from(options[i].standard));
		json_object_end(w);
	}
	json_array_end(w);
}

static void
print_page(struct ctl *ctl, const struct page *p)
{
	printf(".TH %s %d \"\" \"roster " PACKAGE_VERSION "\" \"roster\"\n"
	       ".SH NAME\n%s \\- %s\n",
	    p->name, p->section, p->name, p->summary);
	p->print(p, ctl->arena);
}

static void
write_page(struct ctl *ctl, const struct page *p)
{
	struct json_writer w;

	ctl_json(ctl, &w);
	json_object(&w);
	json_member_text(&w, "name", text_from(p->name));
	json_member_value(&w, "section", V((int64_t)p->section));
	json_member_text(&w, "summary", text_from(p->summary));
	if (p->flags != NULL)
		write_flags(&w, p->flags);
	if (p->write != NULL)
		p->write(&w, ctl->arena);
	json_object_end(&w);
	ctl_json_end(&w);
}

int
ctl_man(struct ctl *ctl)
{
	static const struct page pages[] = {
		{ "rosterctl", 8, "look after roster", rosterctl_flags, print_rosterctl,
		    write_rosterctl },
		{ "rosterd", 8, "user-account service behind nginx", rosterd_flags, print_rosterd,
		    NULL },
		{ "roster.conf", 5, "configuration of roster", NULL, print_roster_conf,
		    write_roster_conf },
	};

	for (size_t i = 0; i < countof(pages); i++) {
		if (text_eq(ctl->argument, text_from(pages[i].name))) {
			(ctl->options.json ? write_page : print_page)(ctl, &pages[i]);
			return CTL_GOOD;
		}
	}
	return ctl_error(CTL_NOT_FOUND, "there is no page %s", ctl->argument.s);
}
