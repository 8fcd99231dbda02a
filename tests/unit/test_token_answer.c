#include "base/base.h"

#include <criterion/criterion.h>

#include "identity/identity_int.h"

static struct arena *a;

static void
set_up(void)
{
	a = arena_new(1 << 20);
}

static void
tear_down(void)
{
	arena_free(&a);
}

TestSuite(token_answer, .init = set_up, .fini = tear_down);

Test(token_answer, tokens)
{
	static const struct {
		const char *body, *access, *refresh;
	} cases[] = {
		{ "{\"access_token\":\"at\"}", "at", NULL },
		{ "{\"access_token\":\"at\",\"refresh_token\":\"rt\"}", "at", "rt" },
		{ "{\"access_token\":\"at\",\"refresh_token\":null}", "at", NULL },
		{ "{\"token_type\":\"Bearer\",\"access_token\":\"!~\",\"scope\":[]}", "!~", NULL },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct token_answer answer;
		const char *body = cases[i].body, *refresh = cases[i].refresh;

		cr_assert(token_answer_read(text_from(body), a, &answer), "%s", body);
		cr_expect(text_eq(answer.access, text_from(cases[i].access)), "%s", body);
		cr_expect_eq(text_is_none(answer.refresh), refresh == NULL, "%s", body);
		cr_expect(
		    refresh == NULL || text_eq(answer.refresh, text_from(refresh)), "%s", body);
	}
}

Test(token_answer, lifetimes)
{
	static const struct {
		const char *expires_in;
		int64_t seconds;
	} cases[] = {
		{ "3600", 3570 },
		{ "\"600\"", 570 },
		{ "300", 270 },
		{ "299", 270 },
		{ "100", 90 },
		{ "9", 9 },
		{ "1", 1 },
		{ "1000000000000000", 86370 },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct token_answer answer;
		struct text body = arena_printf(
		    a, "{\"access_token\":\"at\",\"expires_in\":%s}", cases[i].expires_in);

		cr_assert(token_answer_read(body, a, &answer), "%s", body.s);
		cr_expect_eq(answer.lifetime, cases[i].seconds, "%s: %lld", body.s,
		    (long long)answer.lifetime);
	}
}

Test(token_answer, what_is_none)
{
	static const char *const bodies[] = { "", "{", "[]", "null", "\"at\"", "{}",
		"{\"access_token\":\"\"}", "{\"access_token\":null}", "{\"access_token\":7}",
		"{\"access_token\":\"a t\"}", "{\"access_token\":\"a\\r\\nb\"}",
		"{\"access_token\":\"\\u00e9\"}", "{\"access_token\":\"\\u007f\"}",
		"{\"access_token\":\"at\",\"expires_in\":0}",
		"{\"access_token\":\"at\",\"expires_in\":-1}",
		"{\"access_token\":\"at\",\"expires_in\":\"\"}",
		"{\"access_token\":\"at\",\"expires_in\":\"soon\"}",
		"{\"access_token\":\"at\",\"expires_in\":1.5}",
		"{\"access_token\":\"at\",\"expires_in\":true}",
		"{\"access_token\":\"at\",\"refresh_token\":\"\"}",
		"{\"access_token\":\"at\",\"refresh_token\":{}}" };
	struct token_answer answer;

	for (size_t i = 0; i < countof(bodies); i++)
		cr_expect_not(token_answer_read(text_from(bodies[i]), a, &answer), "%s", bodies[i]);
}

Test(token_answer, the_longest_token)
{
	struct token_answer answer;

	for (int n = 8000; n <= 8001; n++) {
		struct text body = arena_printf(a, "{\"access_token\":\"%0*d\"}", n, 7);

		cr_expect_eq(token_answer_read(body, a, &answer), n == 8000);
	}
}

Test(token_answer, bytes_as_python_prints_them)
{
	static const struct {
		struct text bytes;
		const char *printed;
	} cases[] = {
		{ TEXT_INIT(""), "b''" },
		{ TEXT_INIT("plain ~"), "b'plain ~'" },
		{ TEXT_INIT("it's"), "b\"it's\"" },
		{ TEXT_INIT("\"x\""), "b'\"x\"'" },
		{ TEXT_INIT("'\"\\"), "b'\\'\"\\\\'" },
		{ TEXT_INIT("\t\r\n\0\x1f\x7f\xc3\xa9"), "b'\\t\\r\\n\\x00\\x1f\\x7f\\xc3\\xa9'" },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct text printed = python_bytes(cases[i].bytes, a);

		cr_expect(
		    text_eq(printed, text_from(cases[i].printed)), "%.*s", TEXT_ARGS(printed));
	}
}
