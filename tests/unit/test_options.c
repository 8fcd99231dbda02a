#include "base/base.h"
#include "base/log.h"
#include "config/options.h"
#include "crypto/password.h"

#include <criterion/criterion.h>

static struct arena *a;

static void
set_up(void)
{
	a = arena_new((size_t)1024 * 1024);
}

static void
tear_down(void)
{
	arena_free(&a);
}

TestSuite(options, .init = set_up, .fini = tear_down);

Test(options, every_row_is_complete)
{
	for (size_t i = 0; i < noptions; i++) {
		const struct option *o = &options[i];
		const char *end = strrchr(o->help, '\0') - 1;

		cr_expect(o->standard != NULL, "%s", o->name);
		cr_expect(*end == '.' && strchr(o->help, '\n') == NULL, "%s", o->name);
		cr_expect(o->type != OPTION_INT || o->minimum < o->maximum, "%s", o->name);
		cr_expect(o->type != OPTION_TEXT || o->maximum > 0, "%s", o->name);
		cr_expect(o->type != OPTION_PATH || o->maximum > 0, "%s", o->name);
		cr_expect(o->type != OPTION_ADDRESS || o->maximum > 0, "%s", o->name);
		cr_expect(o->type != OPTION_URL || o->maximum > 0, "%s", o->name);
		cr_expect_eq(o->type == OPTION_CHOICE || o->type == OPTION_URL, o->choices != NULL,
		    "%s", o->name);
		cr_expect(!o->optional || o->type == OPTION_PATH || o->type == OPTION_ADDRESS ||
			o->type == OPTION_URL,
		    "%s", o->name);
		cr_expect(o->unit == NULL || o->type == OPTION_INT, "%s", o->name);
		cr_expect_eq(option_find(text_from(o->name)), o, "%s", o->name);
	}
}

static size_t
member_size(const struct option *o)
{
	static const size_t sizes[] = {
		[OPTION_INT] = sizeof(int64_t),
		[OPTION_BOOL] = sizeof(bool),
		[OPTION_TEXT] = sizeof(struct text),
		[OPTION_PATH] = sizeof(struct text),
		[OPTION_ADDRESS] = sizeof(struct text),
		[OPTION_URL] = sizeof(struct text),
		[OPTION_CHOICE] = sizeof(enum log_level),
	};

	return sizes[o->type];
}

/* What no option sets is padding, which is shorter than any member that a row could have missed. */
Test(options, every_member_has_a_row)
{
	char set[sizeof(struct config)] = { 0 };
	size_t run = 0;

	for (size_t i = 0; i < noptions; i++)
		for (size_t j = 0; j < member_size(&options[i]); j++)
			cr_assert_eq(set[options[i].offset + j]++, 0, "%s", options[i].name);
	for (size_t i = 0; i < sizeof(set); i++) {
		run = set[i] ? 0 : run + 1;
		cr_assert_lt(run, sizeof(int64_t), "no row for the member at %zu", i - run + 1);
	}
}

Test(options, find)
{
	cr_assert_null(option_find(T("")));
	cr_assert_null(option_find(T("api_worker")));
	cr_assert_null(option_find(T("API_WORKERS")));
	cr_assert_null(option_find(TEXT_NONE));
}

Test(options, nearest)
{
	static const struct {
		const char *name, *meant;
	} cases[] = {
		{ "api_worker", "api_workers" },
		{ "api-workers", "api_workers" },
		{ "Api_Workers", "api_workers" },
		{ "apiworkers", "api_workers" },
		{ "slow_workrs", "slow_workers" },
		{ "databse", "database" },
		{ "database_timout", "database_timeout" },
		{ "keyfile", "key_file" },
		{ "log", NULL },
		{ "port", NULL },
		{ "workers", NULL },
		{ "", NULL },
		{ "a_name_that_is_much_longer_than_any_that_there_is", NULL },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		const struct option *o = option_nearest(text_from(cases[i].name), a);

		cr_expect(text_eq(text_from(o == NULL ? NULL : o->name), text_from(cases[i].meant)),
		    "%s: %s", cases[i].name, o == NULL ? "none" : o->name);
	}
}

Test(options, allowed)
{
	static const struct {
		const char *name, *allowed;
	} cases[] = {
		{ "api_workers", "1 to 256" },
		{ "drain_timeout", "1 to 3600 seconds" },
		{ "local_signin", "true or false" },
		{ "uuid_format", "dashed or hex" },
		{ "log_level", "debug, info, warning or error" },
		{ "socket_dir", "an absolute path of at most 90 bytes" },
		{ "local_idp_name", "text of 1 to 128 bytes" },
		{ "mail_templates", "an absolute path of at most 1000 bytes, or nothing" },
		{ "smtp_url",
		    "a URL of at most 1000 bytes that begins with smtp:// or smtps://, or nothing" },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct text got = option_allowed(option_find(text_from(cases[i].name)), a);

		cr_expect(text_eq(got, text_from(cases[i].allowed)), "%.*s", TEXT_ARGS(got));
	}
}

/* Numbers that the table has to repeat, because config includes no crypto. */
Test(options, limits_are_those_of_crypto)
{
	struct password_cost min = PASSWORD_COST_MIN, max = PASSWORD_COST_MAX;
	const struct {
		const char *name;
		uint32_t minimum, maximum;
	} cases[] = {
		{ "argon2_memory", min.memory, max.memory },
		{ "argon2_passes", min.passes, max.passes },
		{ "argon2_lanes", min.lanes, max.lanes },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		const struct option *o = option_find(text_from(cases[i].name));

		cr_expect_eq(o->minimum, cases[i].minimum, "%s", o->name);
		cr_expect_eq(o->maximum, cases[i].maximum, "%s", o->name);
	}
}

Test(options, choices_are_those_of_the_enums)
{
	const struct option *levels = option_find(T("log_level"));
	const struct option *forms = option_find(T("uuid_format"));
	const struct option *tls = option_find(T("smtp_tls"));

	for (enum log_level level = LOG_DEBUG; level <= LOG_ERROR; level++)
		cr_expect_str_eq(levels->choices[level], log_level_name(level));
	cr_expect_str_eq(forms->choices[UUID_DASHED], "dashed");
	cr_expect_str_eq(forms->choices[UUID_HEX], "hex");
	cr_expect_str_eq(tls->choices[SMTP_TLS_REQUIRED], "required");
	cr_expect_str_eq(tls->choices[SMTP_TLS_OPTIONAL], "optional");
	cr_expect_str_eq(tls->choices[SMTP_TLS_OFF], "off");
}
