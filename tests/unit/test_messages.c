#include "base/base.h"
#include "mail/mail_int.h"

#include <criterion/criterion.h>

/* The mails that there are, and the values that each is sent with. */
static const struct {
	const char *name;
	const char *values[5];
} mails[] = {
	{ "email_change", { "username", "code", "until", "service", "homeport_url" } },
	{ "email_change_notice", { "username", "new_email", "when", "service", "homeport_url" } },
};

static const char *const languages[] = { "en", "et" };

static struct arena *a;

static void
set_up(void)
{
	a = arena_new((size_t)4 * 1024 * 1024);
}

static void
tear_down(void)
{
	arena_free(&a);
}

TestSuite(messages, .init = set_up, .fini = tear_down);

/* Fills a text with marks and expects each of them there, and nothing left open. */
static void
expect_filled(size_t mail, struct text template, text_escape *escape)
{
	struct mail_value values[countof(mails[0].values)];
	struct text got;

	for (size_t i = 0; i < countof(values); i++)
		values[i] = (struct mail_value){ mails[mail].values[i],
			arena_printf(a, "<%s>", mails[mail].values[i]) };
	got = texts_fill(a, template, values, countof(values), escape);
	for (size_t i = 0; i < countof(values); i++) {
		struct buf mark;

		buf_init(&mark, a);
		escape(&mark, values[i].value);
		cr_expect_not_null(
		    strstr(got.s, buf_text(&mark).s), "%s: %s", mails[mail].name, values[i].name);
	}
	cr_expect_null(strstr(got.s, "{{"));
}

Test(messages, each_mail_says_everything_in_each_language)
{
	for (size_t m = 0; m < countof(mails); m++) {
		for (size_t l = 0; l < countof(languages); l++) {
			struct mail_texts t =
			    texts_built_in(text_from(mails[m].name), text_from(languages[l]));

			cr_assert(t.subject.n > 0, "%s in %s", mails[m].name, languages[l]);
			expect_filled(m, t.plain, escape_line);
			expect_filled(m, t.html, escape_html);
			cr_expect_not_null(strstr(
			    t.html.s, arena_printf(a, "<html lang=\"%s\">", languages[l]).s));
		}
	}
}

Test(messages, subject_of_the_api)
{
	struct mail_texts t = texts_built_in(T("email_change"), T("en"));

	cr_expect(text_eq(t.subject, T("Verify new email address.")));
}

Test(messages, none)
{
	cr_expect(text_is_none(texts_built_in(T("email_change"), T("fi")).plain));
	cr_expect(text_is_none(texts_built_in(T("no_such_mail"), T("en")).plain));
}
