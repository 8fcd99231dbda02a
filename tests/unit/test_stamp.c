#include "base/base.h"
#include "base/stamp.h"

#include <criterion/criterion.h>
#include <signal.h>

#define FIRST_US INT64_C(-62135596800000000) /* 0001-01-01T00:00:00Z */
#define LAST_US INT64_C(253402300799999999)  /* 9999-12-31T23:59:59.999999Z */

Test(stamp, prints)
{
	static const struct {
		int64_t us;
		const char *printed;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ 1, "1970-01-01T00:00:00.000001Z" },
		{ -1, "1969-12-31T23:59:59.999999Z" },
		{ -SECONDS, "1969-12-31T23:59:59Z" },
		{ INT64_C(1795487636123456), "2026-11-24T02:33:56.123456Z" },
		{ INT64_C(1795487636000000), "2026-11-24T02:33:56Z" },
		{ INT64_C(951782400000000), "2000-02-29T00:00:00Z" },
		{ INT64_C(4107542400000000), "2100-03-01T00:00:00Z" },
		{ FIRST_US, "0001-01-01T00:00:00Z" },
		{ LAST_US, "9999-12-31T23:59:59.999999Z" },
	};
	char out[STAMP_SIZE];
	struct text t;

	for (size_t i = 0; i < countof(cases); i++) {
		t = stamp_print((struct stamp){ cases[i].us }, out);
		cr_expect(text_eq(t, text_from(cases[i].printed)), "case %zu: %s", i, out);
		cr_expect_eq(strlen(out), t.n);
	}
}

/* Every day from year 1 to 9999, once in each direction. */
Test(stamp, calendar_and_back)
{
	int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	struct calendar c = { 1, 1, 1, 23, 59, 58, 7 }, back;
	struct stamp s = { FIRST_US + 86398 * SECONDS + 7 };

	for (; c.year <= 9999; s.us += 86400 * SECONDS) {
		cr_assert_eq(stamp_from_calendar(c).us, s.us);
		back = stamp_calendar(s);
		cr_assert(memcmp(&back, &c, sizeof(c)) == 0, "%d-%d-%d", c.year, c.month, c.day);
		days[1] = c.year % 4 == 0 && (c.year % 100 != 0 || c.year % 400 == 0) ? 29 : 28;
		if (++c.day > days[c.month - 1]) {
			c.day = 1;
			c.month++;
		}
		if (c.month > 12) {
			c.month = 1;
			c.year++;
		}
	}
	cr_assert_eq(s.us, LAST_US + 86400 * SECONDS - 1 * SECONDS - 999999 + 7);
}

Test(stamp, parses)
{
	static const struct {
		const char *t, *printed;
	} cases[] = {
		{ "2026-11-24", "2026-11-24T00:00:00Z" },
		{ "2026-11-24T02:33", "2026-11-24T02:33:00Z" },
		{ "2026-11-24 02:33:56", "2026-11-24T02:33:56Z" },
		{ "2026-11-24T02:33:56Z", "2026-11-24T02:33:56Z" },
		{ "2026-11-24T02:33:56.1Z", "2026-11-24T02:33:56.100000Z" },
		{ "2026-11-24T02:33:56.123Z", "2026-11-24T02:33:56.123000Z" },
		{ "2026-11-24T02:33:56.123456", "2026-11-24T02:33:56.123456Z" },
		{ "2026-11-24T02:33:56.000001Z", "2026-11-24T02:33:56.000001Z" },
		{ "2026-11-24T02:33:56+02:00", "2026-11-24T00:33:56Z" },
		{ "2026-11-24T02:33:56-0330", "2026-11-24T06:03:56Z" },
		{ "2026-11-24T02:33+14", "2026-11-23T12:33:00Z" },
		{ "2026-11-24T02:33:56.5-00:00", "2026-11-24T02:33:56.500000Z" },
		{ "2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z" },
		{ "0001-01-01", "0001-01-01T00:00:00Z" },
		{ "0001-01-01T05:00+05", "0001-01-01T00:00:00Z" },
		{ "9999-12-31T23:59:59.999999", "9999-12-31T23:59:59.999999Z" },
	};
	char out[STAMP_SIZE];
	struct stamp s;

	for (size_t i = 0; i < countof(cases); i++) {
		cr_expect(stamp_parse(text_from(cases[i].t), &s), "%s", cases[i].t);
		stamp_print(s, out);
		cr_expect_str_eq(out, cases[i].printed, "%s: %s", cases[i].t, out);
	}
}

Test(stamp, refuses)
{
	static const struct text cases[] = {
		{ NULL, 0 },
		TEXT_INIT(""),
		TEXT_INIT("2026"),
		TEXT_INIT("2026-11"),
		TEXT_INIT("2026-11-2"),
		TEXT_INIT("2026-1-24"),
		TEXT_INIT("26-11-24"),
		TEXT_INIT("2026/11/24"),
		TEXT_INIT("2026-11-24 "),
		TEXT_INIT(" 2026-11-24"),
		TEXT_INIT("2026-11-24\0"),
		TEXT_INIT("2026-11-24T"),
		TEXT_INIT("2026-11-24Z"),
		TEXT_INIT("2026-11-24+02:00"),
		TEXT_INIT("2026-11-24t02:33"),
		TEXT_INIT("2026-11-24  02:33"),
		TEXT_INIT("2026-11-24T02"),
		TEXT_INIT("2026-11-24T2:33"),
		TEXT_INIT("2026-11-24T02:33:"),
		TEXT_INIT("2026-11-24T02:33:5"),
		TEXT_INIT("2026-11-24T02:33.5"),
		TEXT_INIT("2026-11-24T02:33:56."),
		TEXT_INIT("2026-11-24T02:33:56.Z"),
		TEXT_INIT("2026-11-24T02:33:56.1234567"),
		TEXT_INIT("2026-11-24T02:33:56z"),
		TEXT_INIT("2026-11-24T02:33:56Zx"),
		TEXT_INIT("2026-11-24T02:33:56 +02:00"),
		TEXT_INIT("2026-11-24T02:33:56+"),
		TEXT_INIT("2026-11-24T02:33:56+2"),
		TEXT_INIT("2026-11-24T02:33:56+02:"),
		TEXT_INIT("2026-11-24T02:33:56+02:0"),
		TEXT_INIT("2026-11-24T02:33:56+020"),
		TEXT_INIT("2026-11-24T02:33:56+02000"),
		TEXT_INIT("2026-11-24T02:33:56+24:00"),
		TEXT_INIT("2026-11-24T02:33:56+02:60"),
		TEXT_INIT("2026-11-24T02:33:56+-2:00"),
		TEXT_INIT("2026-11-24T24:00"),
		TEXT_INIT("2026-11-24T23:60"),
		TEXT_INIT("2026-11-24T23:59:60"),
		TEXT_INIT("2026-02-29"),
		TEXT_INIT("2100-02-29"),
		TEXT_INIT("2026-04-31"),
		TEXT_INIT("2026-00-10"),
		TEXT_INIT("2026-13-10"),
		TEXT_INIT("2026-11-00"),
		TEXT_INIT("0000-01-01"),
		TEXT_INIT("10000-01-01"),
		TEXT_INIT("-026-01-01"),
		TEXT_INIT("+026-01-01"),
		TEXT_INIT("0001-01-01T00:00:00+00:01"),
		TEXT_INIT("9999-12-31T23:59:59-00:01"),
		TEXT_INIT("\u0662026-11-24"),
	};
	struct stamp s;

	for (size_t i = 0; i < countof(cases); i++)
		cr_expect(!stamp_parse(cases[i], &s), "%.*s", TEXT_ARGS(cases[i]));
}

Test(stamp, dates)
{
	static const char *const bad[] = { "", "2026-11-24T00:00", "2026-11-24 ", "2026-02-29",
		"2026-2-9", "0000-00-00", "24.11.2026" };
	char out[DATE_SIZE];
	struct date d;

	cr_assert(date_parse(T("2024-02-29"), &d));
	cr_assert(d.year == 2024 && d.month == 2 && d.day == 29);
	cr_assert(text_eq(date_print(d, out), T("2024-02-29")));
	cr_assert(date_parse(T("0001-01-01"), &d));
	cr_assert(text_eq(date_print(d, out), T("0001-01-01")));
	cr_assert(!date_is_none(d));
	cr_assert(date_is_none(DATE_NONE));
	for (size_t i = 0; i < countof(bad); i++)
		cr_expect(!date_parse(text_from(bad[i]), &d), "%s", bad[i]);
}

Test(stamp, now_is_now)
{
	time_t before = time(NULL);
	struct stamp s = stamp_now();

	cr_assert(!stamp_is_none(s));
	cr_assert(stamp_is_none(STAMP_NONE));
	cr_assert(s.us / SECONDS >= before && s.us / SECONDS <= before + 5);
}

/* Printing what is no time is our mistake. */

Test(stamp, printing_none, .signal = SIGABRT)
{
	char out[STAMP_SIZE];

	stamp_print(STAMP_NONE, out);
}

Test(stamp, printing_a_year_that_does_not_fit, .signal = SIGABRT)
{
	char out[STAMP_SIZE];

	stamp_print((struct stamp){ LAST_US + 1 }, out);
}
