#include "base/base.h"
#include "mail/mail_int.h"

#include <criterion/criterion.h>
#include <sys/stat.h>
#include <unistd.h>

static struct arena *a;
static char folder[] = "/tmp/roster-test-texts-XXXXXX";
static struct config config = { .mail_language = TEXT_INIT("en") };

static void
set_up(void)
{
	a = arena_new((size_t)16 * 1024 * 1024);
	cr_assert_not_null(mkdtemp(folder));
	config.mail_templates = text_from(folder);
}

static void
tear_down(void)
{
	cr_assert_eq(system(arena_printf(a, "rm -r %s", folder).s), 0);
	arena_free(&a);
}

TestSuite(texts, .init = set_up, .fini = tear_down);

static void
write_file(const char *language, const char *name, const char *content)
{
	FILE *f;

	(void)mkdir(arena_printf(a, "%s/%s", folder, language).s, 0700);
	f = fopen(arena_printf(a, "%s/%s/%s", folder, language, name).s, "w");
	cr_assert(f != NULL && fputs(content, f) >= 0 && fclose(f) == 0);
}

/* The subject that is found for a preferred language, and in which it is. */
static void
expect_found(const char *preferred, const char *language, const char *subject)
{
	struct text found = TEXT_NONE;
	struct mail_texts t;

	cr_assert(texts_find(&config, T("email_change"), text_from(preferred), a, &t, &found));
	cr_expect(text_eq(found, text_from(language)), "%s: %.*s", preferred, TEXT_ARGS(found));
	cr_expect(
	    text_eq(t.subject, text_from(subject)), "%s: %.*s", preferred, TEXT_ARGS(t.subject));
}

#define ENGLISH "Verify new email address."
#define ESTONIAN "Kinnitage uus e-posti aadress."

Test(texts, languages)
{
	static const struct {
		const char *preferred, *language, *subject;
	} cases[] = {
		{ "en", "en", ENGLISH },
		{ "et", "et", ESTONIAN },
		{ "ET", "et", ESTONIAN },
		{ "et-EE", "et", ESTONIAN },
		{ "et_EE", "et", ESTONIAN },
		{ "", "en", ENGLISH },
		{ "fi", "en", ENGLISH },
		{ "-", "en", ENGLISH },
		{ "../et", "en", ENGLISH },
		{ "e/t", "en", ENGLISH },
		{ "\u00f5", "en", ENGLISH },
	};

	for (size_t i = 0; i < countof(cases); i++)
		expect_found(cases[i].preferred, cases[i].language, cases[i].subject);
	config.mail_language = T("et");
	expect_found("fi", "et", ESTONIAN);
	config.mail_language = T("no-such");
	expect_found("fi", "en", ENGLISH);
}

Test(texts, no_such_mail)
{
	struct mail_texts t;
	struct text language;

	cr_expect(!texts_find(&config, T("no_such_mail"), T("en"), a, &t, &language));
}

Test(texts, files_replace_what_is_built_in)
{
	struct mail_texts t, built_in = texts_built_in(T("email_change"), T("et"));
	struct text language;

	write_file("et", "email_change.subject", " Uus aadress\n");
	write_file("et", "email_change.txt", "{{code}}\n");
	cr_assert(texts_find(&config, T("email_change"), T("et"), a, &t, &language));
	cr_expect(text_eq(t.subject, T("Uus aadress")), "%.*s", TEXT_ARGS(t.subject));
	cr_expect(text_eq(t.plain, T("{{code}}\n")));
	cr_expect(text_eq(t.html, built_in.html));
}

Test(texts, a_new_language_needs_all_three)
{
	write_file("fi", "email_change.subject", "Uusi osoite");
	write_file("fi", "email_change.txt", "x");
	expect_found("fi-FI", "en", ENGLISH);
	write_file("fi", "email_change.html", "x");
	expect_found("fi-FI", "fi", "Uusi osoite");
}

Test(texts, files_that_are_not_taken)
{
	char *big = arena_alloc(a, 70000);

	memset(big, 'x', 69999);
	write_file("et", "email_change.subject", big);
	expect_found("et", "et", ESTONIAN);
	write_file("et", "email_change.subject", "\xff");
	expect_found("et", "et", ESTONIAN);
}

Test(texts, fill)
{
	static const struct {
		const char *template, *filled;
	} cases[] = {
		{ "", "" },
		{ "nothing", "nothing" },
		{ "{{a}}", "<1>" },
		{ "x{{ a }}y{{b}}z", "x<1>y2 3z" },
		{ "{{a}}{{a}}", "<1><1>" },
		{ "{{unknown}}.", "." },
		{ "{{a", "{{a" },
		{ "a}} {{b}}", "a}} 2 3" },
		{ "{a} {}", "{a} {}" },
		/* What a value says is not read again. */
		{ "{{c}}", "{{a}}" },
	};
	static const struct mail_value values[] = {
		{ "a", TEXT_INIT("<1>") },
		{ "b", TEXT_INIT("2\n3") },
		{ "c", TEXT_INIT("{{a}}") },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct text got = texts_fill(
		    a, text_from(cases[i].template), values, countof(values), escape_line);

		cr_expect(
		    text_eq(got, text_from(cases[i].filled)), "case %zu: %.*s", i, TEXT_ARGS(got));
	}
}

Test(texts, escapes)
{
	static const struct {
		text_escape *escape;
		const char *value, *escaped;
	} cases[] = {
		{ escape_line, "a\r\nb\tc\x7f", "a  b c " },
		{ escape_line, "\u00f5 <&>", "\u00f5 <&>" },
		{ escape_html, "<a href=\"x\">&'\u00f5",
		    "&lt;a href=&quot;x&quot;&gt;&amp;&#39;\u00f5" },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct text got;
		struct buf b;

		buf_init(&b, a);
		cases[i].escape(&b, text_from(cases[i].value));
		got = buf_text(&b);
		cr_expect(
		    text_eq(got, text_from(cases[i].escaped)), "case %zu: %.*s", i, TEXT_ARGS(got));
	}
}
