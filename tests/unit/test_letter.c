#include "base/base.h"
#include "mail/mail_int.h"

#include <criterion/criterion.h>

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

TestSuite(letter, .init = set_up, .fini = tear_down);

static const struct letter plain = {
	.uuid = { { 0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6, 0x78, 0x90, 0xab, 0xcd, 0xef, 0x12, 0x34,
	    0x56, 0x78, 0x90 } },
	.date = { INT64_C(1795487636123456) },
	.from = TEXT_INIT("roster@example.org"),
	.from_name = TEXT_INIT("roster"),
	.to = TEXT_INIT("alice@example.net"),
	.language = TEXT_INIT("en"),
	.subject = TEXT_INIT("Verify new email address."),
};

/* The header line of that name. */
static struct text
line_of(const struct letter *l, const char *name)
{
	struct text prefix = arena_printf(a, "%s: ", name);

	for (const struct text *line = letter_headers(l, a); line->s != NULL; line++) {
		cr_expect_eq(line->s[line->n], '\0');
		if (text_starts(*line, prefix))
			return text_slice(*line, prefix.n, line->n);
	}
	return TEXT_NONE;
}

static void
expect_line(const struct letter *l, const char *name, const char *value)
{
	struct text got = line_of(l, name);

	cr_expect(text_eq(got, text_from(value)), "%s: %.*s", name, TEXT_ARGS(got));
}

Test(letter, header)
{
	expect_line(&plain, "Date", "Tue, 24 Nov 2026 02:33:56 +0000");
	expect_line(&plain, "From", "\"roster\" <roster@example.org>");
	expect_line(&plain, "To", "alice@example.net");
	expect_line(&plain, "Subject", "Verify new email address.");
	expect_line(&plain, "Message-ID", "<a1b2c3d4-e5f6-7890-abcd-ef1234567890@example.org>");
	expect_line(&plain, "Content-Language", "en");
	expect_line(&plain, "Auto-Submitted", "auto-generated");
	expect_line(&plain, "Content-Type", "multipart/alternative");
}

Test(letter, days_of_the_week)
{
	static const struct {
		int64_t seconds;
		const char *date;
	} cases[] = {
		{ 0, "Thu, 1 Jan 1970 00:00:00 +0000" },
		{ INT64_C(951782400), "Tue, 29 Feb 2000 00:00:00 +0000" },
		{ INT64_C(4102444799), "Thu, 31 Dec 2099 23:59:59 +0000" },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct letter l = plain;

		l.date.us = cases[i].seconds * SECONDS;
		expect_line(&l, "Date", cases[i].date);
	}
}

Test(letter, subject)
{
	static const struct {
		const char *subject, *line;
	} cases[] = {
		{ "", "" },
		{ "  plain ", "plain" },
		{ "Teie e-posti aadress on muutumas.", "Teie e-posti aadress on muutumas." },
		{ "p\u00e4ev", "=?UTF-8?Q?p=C3=A4ev?=" },
		{ "a=?b", "=?UTF-8?Q?a=3D=3Fb?=" },
		{ "one two?\u00e4_", "=?UTF-8?Q?one_two=3F=C3=A4=5F?=" },
		/* Nothing in it begins another line of the header. */
		{ "a\r\nBcc: eve@example.com\r\n\r\nbody", "a  Bcc: eve@example.com    body" },
		/* A character is not split between two words, and no word is longer than 75. */
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\u20ac\u20ac",
		    "=?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?=\r\n"
		    " =?UTF-8?Q?=E2=82=AC=E2=82=AC?=" },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct letter l = plain;

		l.subject = text_from(cases[i].subject);
		expect_line(&l, "Subject", cases[i].line);
	}
}

Test(letter, long_subjects_are_folded)
{
	struct letter l = plain;
	struct text rest, line;
	struct buf b;

	buf_init(&b, a);
	for (int i = 0; i < 100; i++)
		buf_add(&b, T("\u00f5ige "));
	l.subject = buf_text(&b);
	rest = line_of(&l, "Subject");
	while (text_split(&rest, '\n', &line))
		cr_expect(line.n <= 77, "%.*s", TEXT_ARGS(line));
}

Test(letter, sender)
{
	static const struct {
		const char *name, *line;
	} cases[] = {
		{ "", "roster@example.org" },
		{ "A \"B\" \\ C", "\"A \\\"B\\\" \\\\ C\" <roster@example.org>" },
		{ "J\u00f5gi, \u00dclle",
		    "=?UTF-8?Q?J=C3=B5gi=2C_=C3=9Clle?= <roster@example.org>" },
		{ "x\r\nBcc: y", "\"x  Bcc: y\" <roster@example.org>" },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct letter l = plain;

		l.from_name = text_from(cases[i].name);
		expect_line(&l, "From", cases[i].line);
	}
}

Test(letter, recipient_outside_ascii)
{
	struct letter l = plain;

	l.to = T("alice@b\u00fccher.example");
	expect_line(&l, "To", "undisclosed-recipients:;");
}

Test(letter, lines)
{
	static const struct {
		const char *body, *lines;
	} cases[] = {
		{ "", "" },
		{ "a", "a" },
		{ "a\n", "a\r\n" },
		{ "a\nb\n\nc", "a\r\nb\r\n\r\nc" },
		{ "a\r\nb\n", "a\r\nb\r\n" },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct text got = letter_lines(text_from(cases[i].body), a);

		cr_expect(
		    text_eq(got, text_from(cases[i].lines)), "case %zu: %.*s", i, TEXT_ARGS(got));
	}
}
