#include "base/base.h"
#include "base/arena.h"
#include "base/log.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <yajl/yajl_tree.h>

#define LINE_MAX_BYTES 4096

/* Standard error goes into a pipe; lines() gives what arrived there. */
static int output[2];

static void
set_up(void)
{
	cr_assert_eq(pipe2(output, O_NONBLOCK), 0);
	cr_assert_eq(dup2(output[1], STDERR_FILENO), STDERR_FILENO);
}

TestSuite(log, .init = set_up);

static const char *
lines(void)
{
	static char s[4 * LINE_MAX_BYTES];
	ssize_t n = read(output[0], s, sizeof(s) - 1);

	s[n > 0 ? n : 0] = '\0';
	return s;
}

/* A member of the one line that was written: a string, the literal of a number, or NULL. */
static const char *
member(const char *line, const char *name)
{
	const char *path[] = { name, NULL };
	char problem[200];
	yajl_val tree = yajl_tree_parse(line, problem, sizeof(problem)), v;

	cr_assert(tree != NULL, "not JSON: %s: %s", problem, line);
	v = yajl_tree_get(tree, path, yajl_t_any);
	if (v == NULL)
		return NULL;
	return YAJL_IS_NUMBER(v) ? YAJL_GET_NUMBER(v) : YAJL_GET_STRING(v);
}

Test(log, a_line)
{
	const char *line;

	log_warning("%s is %d", "this", 1);
	line = lines();
	cr_assert_eq(strchr(line, '\n'), line + strlen(line) - 1, "one line");
	cr_assert_str_eq(member(line, "message"), "this is 1");
	cr_assert_str_eq(member(line, "level"), "warning");
	cr_assert_eq(strtol(member(line, "pid"), NULL, 10), getpid());
	cr_assert_eq(member(line, "time")[10], 'T');
	cr_assert(member(line, "request_id") == NULL);
	cr_assert(member(line, "process") == NULL);
}

Test(log, context_and_process)
{
	struct log_context context = {
		.request_id = T("0123456789abcdef0123456789abcdef"),
		.method = T("PA\"TCH"),
		.route = T("/api/users/{uuid}/"),
		.user = { { 0xa1 } },
		.impersonator = { { 0xb2 } },
	};
	const char *line;

	log_set_process("api 0");
	log_set_context(&context);
	log_info("x");
	line = lines();
	cr_assert_str_eq(member(line, "process"), "api 0");
	cr_assert_str_eq(member(line, "request_id"), "0123456789abcdef0123456789abcdef");
	cr_assert_str_eq(member(line, "method"), "PA\"TCH");
	cr_assert_str_eq(member(line, "route"), "/api/users/{uuid}/");
	cr_assert_str_eq(member(line, "user"), "a1000000-0000-0000-0000-000000000000");
	cr_assert_str_eq(member(line, "impersonator"), "b2000000-0000-0000-0000-000000000000");

	context = (struct log_context){ .method = T("GET") };
	log_info("x");
	line = lines();
	cr_assert_str_eq(member(line, "method"), "GET");
	cr_assert(member(line, "request_id") == NULL);
	cr_assert(member(line, "user") == NULL);
	cr_assert(member(line, "impersonator") == NULL);

	log_set_context(NULL);
	log_info("x");
	cr_assert(member(lines(), "method") == NULL);
}

Test(log, requests)
{
	const char *line;

	log_request(204, 1234, 2);
	line = lines();
	cr_assert_str_eq(member(line, "message"), "request");
	cr_assert_str_eq(member(line, "level"), "info");
	cr_assert_str_eq(member(line, "status"), "204");
	cr_assert_str_eq(member(line, "us"), "1234");
	cr_assert_str_eq(member(line, "db"), "2");

	log_request(500, INT64_MAX, -1);
	line = lines();
	cr_assert_str_eq(member(line, "level"), "error");
	cr_assert_str_eq(member(line, "us"), "9223372036854775807");
	cr_assert_str_eq(member(line, "db"), "-1");
	log_request(200, INT64_MIN, 0);
	cr_assert_str_eq(member(lines(), "us"), "-9223372036854775808");
}

Test(log, levels)
{
	static const char *const names[] = { "debug", "info", "warning", "error" };
	enum log_level level;

	for (size_t i = 0; i < countof(names); i++) {
		cr_assert(log_level_parse(text_from(names[i]), &level));
		cr_assert_eq((size_t)level, i);
		cr_assert_str_eq(log_level_name(level), names[i]);
	}
	cr_assert(!log_level_parse(T("Info"), &level));
	cr_assert(!log_level_parse(T(""), &level));
	cr_assert(!log_level_parse(TEXT_NONE, &level));

	log_debug("below info");
	cr_assert_str_eq(lines(), "");
	log_set_level(LOG_DEBUG);
	log_debug("x");
	cr_assert_str_eq(member(lines(), "level"), "debug");
	log_set_level(LOG_ERROR);
	log_warning("x");
	log_request(200, 1, 1);
	cr_assert_str_eq(lines(), "");
	log_request(503, 1, 1);
	cr_assert_str_eq(member(lines(), "level"), "error");
}

Test(log, for_a_person)
{
	char *end;

	log_set_process("rosterctl");
	log_set_plain();
	log_debug("below info");
	log_error("%s:%d: \"x\" is \033[1mJ\u00f5gi\n\x7f", "roster.conf", 7);
	cr_assert_str_eq(lines(), "rosterctl: roster.conf:7: \"x\" is ?[1mJ\u00f5gi??\n");

	log_request(503, 1, 1);
	cr_assert_str_eq(lines(), "");

	log_error("%0*d", 2 * LINE_MAX_BYTES, 1);
	end = strchr(lines(), '\n');
	cr_assert(end != NULL && end[1] == '\0', "one line");
}

Test(log, any_bytes_become_json)
{
	static const struct {
		const char *message, *read;
	} cases[] = {
		{ "", "" },
		{ "J\u00f5gi \U0001f600", "J\u00f5gi \U0001f600" },
		{ "a\"b\\c\n\t\r\x01\x1f\x7f", "a\"b\\c\n\t\r\x01\x1f\x7f" },
		{ "a\xff"
		  "b",
		    "a\uFFFDb" },
		{ "\xc3", "\uFFFD" },
		{ "\xc3(", "\uFFFD(" },
		{ "\xed\xa0\x80", "\uFFFD\uFFFD\uFFFD" },
		{ "\xf0\x9f\x98", "\uFFFD\uFFFD\uFFFD" },
		{ "\x80\u00f5", "\uFFFD\u00f5" },
	};
	const char *line;

	for (size_t i = 0; i < countof(cases); i++) {
		log_info("%s", cases[i].message);
		line = lines();
		cr_expect(text_is_utf8(text_from(line)), "case %zu", i);
		cr_expect_str_eq(member(line, "message"), cases[i].read, "case %zu", i);
	}
}

/* Whatever the characters and the context, a line has at most 4096 bytes and is whole JSON. */
Test(log, long_ones_are_cut)
{
	static const char *const units[] = { "x", "\u00f5", "\u20ac", "\U0001f600", "\x01", "\"",
		"\xff", "x\U0001f600" };
	char message[3 * LINE_MAX_BYTES];
	struct log_context context = { .request_id = { message, sizeof(message) - 1 },
		.method = { message, sizeof(message) - 1 },
		.route = { message, sizeof(message) - 1 } };
	const char *line;
	size_t n;

	for (size_t i = 0; i < 2 * countof(units); i++) {
		const char *unit = units[i / 2];

		for (n = 0; n + strlen(unit) < sizeof(message); n += strlen(unit))
			memcpy(message + n, unit, strlen(unit));
		message[n] = '\0';
		context.request_id.n = context.method.n = context.route.n = n;
		log_set_context(i % 2 == 0 ? NULL : &context);
		log_info("%s", message);
		line = lines();
		cr_expect(strlen(line) <= LINE_MAX_BYTES, "case %zu: %zu", i, strlen(line));
		cr_expect(strlen(line) > LINE_MAX_BYTES - 20, "case %zu: %zu", i, strlen(line));
		cr_expect(text_is_utf8(text_from(line)), "case %zu", i);
		cr_expect_str_eq(strrchr(member(line, "message"), '\xe2'), "\u2026", "case %zu", i);
	}
}

/* At the lengths around the cut, the line is whole. */
Test(log, cut_at_every_length)
{
	char message[LINE_MAX_BYTES];
	size_t longest = 0;
	const char *line;

	memset(message, 'x', sizeof(message));
	for (size_t n = LINE_MAX_BYTES - 120; n < sizeof(message); n++) {
		log_info("%.*s", (int)n, message);
		line = lines();
		cr_assert(strlen(line) <= LINE_MAX_BYTES);
		cr_assert(member(line, "message") != NULL);
		longest = strlen(line) > longest ? strlen(line) : longest;
	}
	cr_assert_eq(longest, LINE_MAX_BYTES);
}

Test(log, errno_is_kept)
{
	close(STDERR_FILENO);
	errno = ENOENT;
	log_error("%m");
	cr_assert_eq(errno, ENOENT);
	cr_assert_eq(dup2(output[1], STDERR_FILENO), STDERR_FILENO);
	errno = ENOENT;
	log_error("%m");
	cr_assert_str_eq(member(lines(), "message"), "No such file or directory");
}

Test(log, a_failed_assertion_names_the_request)
{
	struct log_context context = { .request_id = T("abc"), .method = T("GET") };
	const char *line;
	int status;
	pid_t pid;

	pid = fork();
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		log_set_context(&context);
		must(1 + 1 == 3);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	line = lines();
	cr_assert_str_eq(member(line, "level"), "error");
	cr_assert_str_eq(member(line, "request_id"), "abc");
	cr_assert(strstr(member(line, "message"), "1 + 1 == 3") != NULL);
	cr_assert(strstr(member(line, "message"), "test_log.c:") != NULL);
}

Test(log, must_keeps_side_effects)
{
	int n = 0;

	must(++n == 1);
	cr_assert_eq(n, 1);
}
