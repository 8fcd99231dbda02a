/* What completes the commands in a shell, made of the tables of commands and options at build time. */
#include "base/base.h"

#include "base/buf.h"
#include "config/flags.h"
#include "ctl/ctl.h"

/* After these words of a line, separated by blanks, these may come. */
struct offer {
	struct text after, words;
	bool whole; /* the line has no more words than those */
};

static void
add_word(struct buf *words, const char *prefix, struct text word)
{
	buf_printf(words, "%s%s%.*s", words->n > 0 ? " " : "", prefix, TEXT_ARGS(word));
}

/* "--help --email --json" */
static struct text
options_of(const struct command *c, struct arena *a)
{
	struct buf words;

	buf_init(&words, a);
	add_word(&words, "--", T("help"));
	for (size_t i = 0; i < nctl_options; i++)
		if (ctl_takes(c, &ctl_options[i]))
			add_word(&words, "--", text_from(ctl_options[i].name));
	return buf_text(&words);
}

static struct text
first_word(const struct command *c)
{
	return text_slice(text_from(c->name), 0, strcspn(c->name, " "));
}

static bool
is_in_group(const struct command *c)
{
	return strchr(c->name, ' ') != NULL;
}

/* Is its first word that of no command before it? */
static bool
is_first(size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (text_eq(first_word(&commands[j]), first_word(&commands[i])))
			return false;
	return true;
}

static struct text
words_of_group(struct text group, struct arena *a)
{
	struct buf words;

	buf_init(&words, a);
	add_word(&words, "--", T("help"));
	for (size_t i = 0; i < ncommands; i++)
		if (is_in_group(&commands[i]) && text_eq(first_word(&commands[i]), group))
			add_word(&words, "", text_from(commands[i].name + group.n + 1));
	return buf_text(&words);
}

static struct text
first_words(struct arena *a)
{
	struct buf words;

	buf_init(&words, a);
	for (const struct flag *f = rosterctl_flags; f->name != NULL; f++)
		add_word(&words, "--", text_from(f->name));
	for (size_t i = 0; i < ncommands; i++)
		if (is_first(i))
			add_word(&words, "", first_word(&commands[i]));
	return buf_text(&words);
}

/* All of them; those of a command stand before those of its group. */
static struct offer *
make_offers(struct arena *a, size_t *n)
{
	struct offer *offers = arena_alloc(a, (2 * ncommands + 1) * sizeof(*offers));

	*n = 0;
	for (size_t i = 0; i < ncommands; i++)
		offers[(*n)++] = (struct offer){ text_from(commands[i].name),
			options_of(&commands[i], a), false };
	for (size_t i = 0; i < ncommands; i++)
		if (is_in_group(&commands[i]) && is_first(i))
			offers[(*n)++] = (struct offer){ first_word(&commands[i]),
				words_of_group(first_word(&commands[i]), a), true };
	offers[(*n)++] = (struct offer){ T(""), first_words(a), true };
	return offers;
}

/*
 * Bash takes the words of a line apart at "=", too: the value of an option, "--set", "a", "=", "b", is more than
 * one of them.
 */
static void
print_bash(const struct offer *offers, size_t n)
{
	puts("# bash completion for rosterctl, made by rosterctl completion bash.\n"
	     "_rosterctl() {\n"
	     "\tlocal line words i\n"
	     "\tlocal current=${COMP_WORDS[COMP_CWORD]}\n"
	     "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	     "\t\tcase ${COMP_WORDS[i]} in\n"
	     "\t\t=) ((i++)) ;;\n"
	     "\t\t--config | -c | --set | -s) [[ ${COMP_WORDS[i + 1]} == = ]] || ((i++)) ;;\n"
	     "\t\t-*) ;;\n"
	     "\t\t*) line+=\"${COMP_WORDS[i]} \" ;;\n"
	     "\t\tesac\n"
	     "\tdone\n"
	     "\tcase $line in");
	for (size_t i = 0; i < n; i++)
		printf("\t\"%.*s%s\"%s) words='%.*s' ;;\n", TEXT_ARGS(offers[i].after),
		    offers[i].after.n > 0 ? " " : "", offers[i].whole ? "" : "*",
		    TEXT_ARGS(offers[i].words));
	puts("\tesac\n"
	     "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
	     "}\n"
	     "complete -o default -F _rosterctl rosterctl");
}

static void
print_json(struct ctl *ctl, const struct offer *offers, size_t n)
{
	struct json_writer w;

	ctl_json_list(ctl, &w);
	for (size_t i = 0; i < n; i++) {
		struct text words = offers[i].words, word;

		json_object(&w);
		json_member_text(&w, "after", offers[i].after);
		json_key(&w, T("words"));
		json_array(&w);
		while (text_split(&words, ' ', &word))
			json_text(&w, word);
		json_array_end(&w);
		json_object_end(&w);
	}
	ctl_json_list_end(ctl, &w);
}

int
ctl_completion(struct ctl *ctl)
{
	const struct offer *offers;
	size_t n;

	if (!text_eq(ctl->argument, T("bash")))
		return ctl_error(CTL_NOT_FOUND, "there is a completion for bash only");
	offers = make_offers(ctl->arena, &n);
	if (ctl->options.json)
		print_json(ctl, offers, n);
	else
		print_bash(offers, n);
	return CTL_GOOD;
}
