#include "base/base.h"
#include "base/buf.h"
#include "config/config.h"
#include "config/options.h"

#include <criterion/criterion.h>
#include <unistd.h>

#define PATH_TEMPLATE "/tmp/roster-test-config-XXXXXX"

static struct arena *a;
static char path[sizeof(PATH_TEMPLATE)];

static void
set_up(void)
{
	memcpy(path, PATH_TEMPLATE, sizeof(path));
	close(mkstemp(path));
	a = arena_new((size_t)16 * 1024 * 1024);
}

static void
tear_down(void)
{
	unlink(path);
	arena_free(&a);
}

TestSuite(config, .init = set_up, .fini = tear_down);

/* Reads a file of this content. The problems come without the path, which differs each time. */
static bool
read_content(struct config *c, struct text content, struct text *problems)
{
	FILE *f = fopen(path, "w");
	struct text rest, line;
	struct buf b;
	bool good;

	cr_assert(f != NULL && fwrite(content.s, 1, content.n, f) == content.n && fclose(f) == 0);
	good = config_read(c, text_from(path), a, &rest);
	if (good)
		return true;
	buf_init(&b, a);
	while (text_split(&rest, '\n', &line)) {
		cr_assert(text_starts(line, text_from(path)), "%.*s", TEXT_ARGS(line));
		if (b.n > 0)
			buf_add_char(&b, '\n');
		buf_add(&b, text_slice(line, strlen(path), line.n));
	}
	*problems = buf_text(&b);
	return false;
}

Test(config, defaults)
{
	struct config c;
	struct text problems;

	cr_assert(config_read(&c, TEXT_NONE, a, &problems));
	cr_expect(text_eq(c.socket_dir, T("/run/roster")));
	cr_expect(text_eq(c.local_idp_name, T("Local DB")));
	cr_expect(text_eq(c.local_idp_management_url, T("")));
	cr_expect_eq(c.api_workers, 4);
	cr_expect_eq(c.token_lifetime, 3600);
	cr_expect_eq(c.token_max_age, 0);
	cr_expect_eq(c.argon2_memory, 19456);
	cr_expect_eq(c.log_level, LOG_INFO);
	cr_expect_eq(c.uuid_format, UUID_DASHED);
	cr_expect(c.local_signin);
}

Test(config, reads_values)
{
	static const struct text content = TEXT_INIT("# a comment = 1\n"
						     "; another\n"
						     "\n"
						     "api_workers = 8\n"
						     "  slow_workers=3\n"
						     "local_idp_name = J\u00f5gi ; # = : x\r\n"
						     "local_idp_management_url: https://a/b?c=d\n"
						     "\tlocal_signin\t=\tfalse\t\n"
						     "socket_group =\n"
						     "uuid_format = hex\n"
						     "log_level = error");
	struct config c;
	struct text problems = TEXT_NONE;

	cr_assert(read_content(&c, content, &problems), "%.*s", TEXT_ARGS(problems));
	cr_expect_eq(c.api_workers, 8);
	cr_expect_eq(c.slow_workers, 3);
	cr_expect(text_eq(c.local_idp_name, T("J\u00f5gi ; # = : x")));
	cr_expect(text_eq(c.local_idp_management_url, T("https://a/b?c=d")));
	cr_expect(!c.local_signin);
	cr_expect(text_eq(c.socket_group, T("")));
	cr_expect_eq(c.uuid_format, UUID_HEX);
	cr_expect_eq(c.log_level, LOG_ERROR);
	cr_expect_eq(c.token_lifetime, 3600);
}

Test(config, byte_order_mark_and_empty_file)
{
	struct config c;
	struct text problems;

	cr_expect(read_content(&c,
	    T("\xEF\xBB\xBF"
	      "api_workers = 9\n"),
	    &problems));
	cr_expect_eq(c.api_workers, 9);
	cr_expect(read_content(&c, T(""), &problems));
	cr_expect_eq(c.api_workers, 4);
}

/* clang-format off */
static const struct {
	struct text content;
	const char *problems;
} faults[] = {
	{ TEXT_INIT("api_workers = many"),
	  ":1: api_workers: \"many\" is not a number; allowed: 1 to 256" },
	{ TEXT_INIT("\n\napi_workers = 257"),
	  ":3: api_workers: \"257\" is out of range; allowed: 1 to 256" },
	{ TEXT_INIT("api_workers = 0"),
	  ":1: api_workers: \"0\" is out of range; allowed: 1 to 256" },
	{ TEXT_INIT("api_workers = 99999999999999999999"),
	  ":1: api_workers: \"99999999999999999999\" is not a number; allowed: 1 to 256" },
	{ TEXT_INIT("api_workers = 4 # four"),
	  ":1: api_workers: \"4 # four\" is not a number; allowed: 1 to 256" },
	{ TEXT_INIT("api_workers ="),
	  ":1: api_workers: \"\" is not a number; allowed: 1 to 256" },
	{ TEXT_INIT("api_workers 4"),
	  ":1: api_workers 4: the line is not name = value" },
	{ TEXT_INIT("api_workers"),
	  ":1: api_workers: the line has no \"=\"; allowed: 1 to 256" },
	{ TEXT_INIT("api_worker = 4"),
	  ":1: api_worker: there is no such option; did you mean api_workers?" },
	{ TEXT_INIT("listen = 4"),
	  ":1: listen: there is no such option" },
	{ TEXT_INIT("api_workers = 4\n# x\napi_workers = 5"),
	  ":3: api_workers: set before, on line 1" },
	{ TEXT_INIT("api_workers = x\napi_workers = 5"),
	  ":1: api_workers: \"x\" is not a number; allowed: 1 to 256\n"
	  ":2: api_workers: set before, on line 1" },
	{ TEXT_INIT("local_signin = yes"),
	  ":1: local_signin: \"yes\" is neither; allowed: true or false" },
	{ TEXT_INIT("uuid_format = Hex"),
	  ":1: uuid_format: \"Hex\" is not known; allowed: dashed or hex" },
	{ TEXT_INIT("key_file = keys"),
	  ":1: key_file: \"keys\" is not an absolute path; "
	  "allowed: an absolute path of at most 1000 bytes" },
	{ TEXT_INIT("local_idp_name ="),
	  ":1: local_idp_name: \"\" is too short; allowed: text of 1 to 128 bytes" },
	{ TEXT_INIT("socket_group = a-group-name-longer-than-linux-takes"),
	  ":1: socket_group: \"a-group-name-longer-than-linux-takes\" is too long; "
	  "allowed: text of 0 to 32 bytes" },
	{ TEXT_INIT("argon2_memory = 9216\nargon2_passes = 1"),
	  ":1: argon2_memory: \"9216\" is out of range; allowed: 19456 to 1048576 KiB\n"
	  ":2: argon2_passes: \"1\" is out of range; allowed: 2 to 16" },
	{ TEXT_INIT("[roster]\napi_workers = x"),
	  ":1: there are no sections: remove this line\n"
	  ":2: api_workers: \"x\" is not a number; allowed: 1 to 256" },
	{ TEXT_INIT("\xEF\xBB\xBF [roster]"),
	  ":1: there are no sections: remove this line" },
	{ TEXT_INIT("local_idp_name = a\0b"),
	  ":1: the line has control characters or is not UTF-8" },
	{ TEXT_INIT("local_idp_name = a\xffz"),
	  ":1: the line has control characters or is not UTF-8" },
	{ TEXT_INIT("local_idp_name = a\033[1m"),
	  ":1: the line has control characters or is not UTF-8" },
	{ TEXT_INIT("= 4"),
	  ":1: : there is no such option" },
	{ TEXT_INIT("argon2_memory = 65536"),
	  ": worker_memory: with argon2_memory = 65536 each sign-in would end its worker; "
	  "allowed: 0, or at least 96 MiB" },
};
/* clang-format on */

Test(config, faults)
{
	struct config c;
	struct text problems;

	for (size_t i = 0; i < countof(faults); i++) {
		problems = T("none");
		cr_expect(!read_content(&c, faults[i].content, &problems), "case %zu", i);
		cr_expect(text_eq(problems, text_from(faults[i].problems)), "case %zu: %.*s", i,
		    TEXT_ARGS(problems));
	}
}

/* content, one byte repeated so often, and more content. */
static struct text
padded(const char *before, size_t n, const char *after)
{
	struct buf b;

	buf_init(&b, a);
	buf_add(&b, text_from(before));
	for (size_t i = 0; i < n; i++)
		buf_add_char(&b, 'x');
	buf_add(&b, text_from(after));
	return buf_text(&b);
}

Test(config, long_lines_and_files)
{
	struct config c;
	struct text problems = TEXT_NONE;

	cr_expect(read_content(&c, padded("local_idp_protected_fields = ", 1000, "\n"), &problems));
	cr_expect_eq(c.local_idp_protected_fields.n, 1000);
	cr_expect(read_content(&c, padded("#", 2047, "\napi_workers = 7\n"), &problems));
	cr_expect_eq(c.api_workers, 7);

	cr_expect(!read_content(&c, padded("#", 2048, "\napi_workers = 0\n"), &problems));
	cr_expect(text_eq(problems,
		      T(":1: the line is longer than 2048 bytes\n"
			":2: api_workers: \"0\" is out of range; allowed: 1 to 256")),
	    "%.*s", TEXT_ARGS(problems));
	cr_expect(!read_content(&c, padded("#", 65536, ""), &problems));
	cr_expect(text_eq(problems, T(": larger than 65536 bytes")), "%.*s", TEXT_ARGS(problems));
}

Test(config, files_that_cannot_be_read)
{
	struct config c;
	struct text problems;

	cr_expect(!config_read(&c, T("/nowhere/roster.conf"), a, &problems));
	cr_expect(text_eq(problems, T("/nowhere/roster.conf: No such file or directory")), "%.*s",
	    TEXT_ARGS(problems));
	cr_expect(!config_read(&c, T("/tmp"), a, &problems));
	cr_expect(text_eq(problems, T("/tmp: Is a directory")), "%.*s", TEXT_ARGS(problems));
}

Test(config, set)
{
	static const struct {
		struct text name, value;
		const char *problem;
	} cases[] = {
		{ TEXT_INIT("api_workers"), TEXT_INIT(" 12 "), NULL },
		{ TEXT_INIT("local_idp_label"), TEXT_INIT("\u3000\u00c5land\u00a0"), NULL },
		{ TEXT_INIT("api_workers"), TEXT_INIT("x"),
		    "--set: api_workers: \"x\" is not a number; allowed: 1 to 256" },
		{ TEXT_INIT("api"), TEXT_INIT("1"), "--set: api: there is no such option" },
		{ TEXT_INIT("smtp_url"), TEXT_INIT(""), NULL },
		{ TEXT_INIT("smtp_url"), TEXT_INIT("smtps://mail.example.org"), NULL },
		{ TEXT_INIT("smtp_url"), TEXT_INIT("http://mail.example.org"),
		    "--set: smtp_url: \"http://mail.example.org\" is no such URL; allowed: a URL of at "
		    "most 1000 bytes that begins with smtp:// or smtps://, or nothing" },
		{ TEXT_INIT("mail_from"), TEXT_INIT(""), NULL },
		{ TEXT_INIT("mail_from"), TEXT_INIT("a@example.org"), NULL },
		{ TEXT_INIT("mail_from"), TEXT_INIT("nope"),
		    "--set: mail_from: \"nope\" is no address; allowed: an address of at most 320 "
		    "bytes, or nothing" },
		{ TEXT_INIT("smtp_ca_file"), TEXT_INIT(""), NULL },
		{ TEXT_INIT("key_file"), TEXT_INIT(""),
		    "--set: key_file: \"\" is not an absolute path; allowed: an absolute path of at most "
		    "1000 bytes" },
		{ TEXT_INIT("local_idp_name"), TEXT_INIT("a\nb"),
		    "--set: local_idp_name: the value has control characters or is not UTF-8; "
		    "allowed: text of 1 to 128 bytes" },
		{ TEXT_INIT("local_idp_name"), TEXT_INIT("\xc3"),
		    "--set: local_idp_name: the value has control characters or is not UTF-8; "
		    "allowed: text of 1 to 128 bytes" },
	};
	struct config c;
	struct text problem;

	cr_assert(config_read(&c, TEXT_NONE, a, &problem));
	for (size_t i = 0; i < countof(cases); i++) {
		problem = TEXT_NONE;
		cr_expect_eq(config_set(&c, cases[i].name, cases[i].value, T("--set"), a, &problem),
		    cases[i].problem == NULL, "case %zu", i);
		cr_expect(text_eq(problem, text_from(cases[i].problem)), "case %zu: %.*s", i,
		    TEXT_ARGS(problem));
	}
	cr_expect_eq(c.api_workers, 12);
	cr_expect(text_eq(c.local_idp_label, T("\u00c5land")));
	cr_expect(text_eq(c.local_idp_name, T("Local DB")));
}

Test(config, check_after_set)
{
	struct config c;
	struct text problem;

	cr_assert(config_read(&c, TEXT_NONE, a, &problem));
	cr_assert(config_set(&c, T("argon2_memory"), T("65536"), T("--set"), a, &problem));
	cr_expect(!config_check(&c, T("--set"), a, &problem));
	cr_assert(config_set(&c, T("worker_memory"), T("96"), T("--set"), a, &problem));
	cr_expect(config_check(&c, T("--set"), a, &problem));
	cr_assert(config_set(&c, T("worker_memory"), T("0"), T("--set"), a, &problem));
	cr_expect(config_check(&c, T("--set"), a, &problem));
}

Test(config, mail_needs_a_sender_and_links)
{
	struct config c;
	struct text problem;

	cr_assert(config_read(&c, TEXT_NONE, a, &problem));
	cr_assert(config_set(&c, T("smtp_url"), T("smtp://localhost"), T("--set"), a, &problem));
	cr_expect(!config_check(&c, T("--set"), a, &problem));
	cr_expect(text_starts(problem, T("--set: smtp_url: ")), "%.*s", TEXT_ARGS(problem));
	cr_assert(config_set(&c, T("mail_from"), T("a@example.org"), T("--set"), a, &problem));
	cr_expect(!config_check(&c, T("--set"), a, &problem));
	cr_assert(
	    config_set(&c, T("homeport_url"), T("https://example.org"), T("--set"), a, &problem));
	cr_expect(config_check(&c, T("--set"), a, &problem));
}

/* A value other than the default, for every option of the type. */
static struct text
another_value(const struct option *o)
{
	switch (o->type) {
	case OPTION_INT:
		return arena_printf(a, "%lld", (long long)o->maximum);
	case OPTION_BOOL:
		return text_eq(text_from(o->standard), T("true")) ? T("false") : T("true");
	case OPTION_TEXT:
		return T("# \u00e9 = \"x\" ; y: \\ '");
	case OPTION_PATH:
		return T("/srv/a b;c#d=e");
	case OPTION_ADDRESS:
		return T("a#b=c@example.org");
	case OPTION_URL:
		return arena_printf(a, "%slocalhost:25/x", o->choices[0]);
	case OPTION_CHOICE:
		return text_from(o->choices[1]);
	}
	unreachable();
}

static void
expect_same(const struct config *x, const struct config *y)
{
	cr_expect(text_eq(config_print(x, a), config_print(y, a)));
}

Test(config, printed_file_reads_back)
{
	struct config c, again;
	struct text problem = TEXT_NONE;

	cr_assert(config_read(&c, TEXT_NONE, a, &problem));
	cr_assert(read_content(&again, config_print(&c, a), &problem), "%.*s", TEXT_ARGS(problem));
	expect_same(&c, &again);

	for (size_t i = 0; i < noptions; i++)
		cr_assert(config_set(&c, text_from(options[i].name), another_value(&options[i]),
			      T("test"), a, &problem),
		    "%.*s", TEXT_ARGS(problem));
	cr_assert(read_content(&again, config_print(&c, a), &problem), "%.*s", TEXT_ARGS(problem));
	expect_same(&c, &again);
	cr_expect(text_eq(again.local_idp_name, T("# \u00e9 = \"x\" ; y: \\ '")));
	cr_expect(text_eq(again.key_file, T("/srv/a b;c#d=e")));
	cr_expect_eq(again.uuid_format, UUID_HEX);
}

Test(config, printed_file_explains)
{
	struct config c;
	struct text problem, printed, line;

	cr_assert(config_read(&c, TEXT_NONE, a, &problem));
	printed = config_print(&c, a);
	cr_assert(strstr(printed.s,
		      "\n# How long a start waits for a database server that is not up yet.\n"
		      "# Allowed: 0 to 3600 seconds. Default: 60\n"
		      "database_wait = 60\n") != NULL);
	cr_assert(strstr(printed.s, "Default: empty\nlocal_idp_management_url =\n") != NULL);
	while (text_split(&printed, '\n', &line))
		cr_expect(line.n <= 80, "%.*s", TEXT_ARGS(line));
}

Test(config, list_has)
{
	static const struct {
		struct text list, item;
		bool has;
	} cases[] = {
		{ TEXT_INIT("a,b"), TEXT_INIT("a"), true },
		{ TEXT_INIT("a, b ,c"), TEXT_INIT("b"), true },
		{ TEXT_INIT("a, b ,c"), TEXT_INIT("c"), true },
		{ TEXT_INIT("ab"), TEXT_INIT("a"), false },
		{ TEXT_INIT("a"), TEXT_INIT("A"), false },
		{ TEXT_INIT(""), TEXT_INIT(""), false },
		{ TEXT_INIT("a,,b"), TEXT_INIT(""), false },
		{ { NULL, 0 }, TEXT_INIT("a"), false },
	};

	for (size_t i = 0; i < countof(cases); i++)
		cr_expect_eq(
		    config_list_has(cases[i].list, cases[i].item), cases[i].has, "case %zu", i);
}
