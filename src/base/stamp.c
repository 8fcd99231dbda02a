#include "base/base.h"
#include "base/stamp.h"

#define YEAR_MIN 1
#define YEAR_MAX 9999
#define DAY_SECONDS 86400

struct stamp
stamp_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (struct stamp){ now.tv_sec * SECONDS + now.tv_nsec / 1000 };
}

int64_t
stamp_monotonic(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * SECONDS + t.tv_nsec / 1000;
}

/*
 * Days are counted in years that begin in March, so that the leap day is a year's last, and in
 * eras of 400 years, which all have 146097 days. The months' first days follow a straight line.
 */
#define ERA_YEARS 400
#define ERA_DAYS 146097
#define EPOCH_DAY 719468 /* 1970-01-01 counted from 0000-03-01 */

/* Days since 1970-01-01. */
static int64_t
days_from_date(int year, int month, int day)
{
	int y = month > 2 ? year : year - 1;
	int era = y / ERA_YEARS, of_era = y % ERA_YEARS;
	int of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;

	return (int64_t)era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year -
	    EPOCH_DAY;
}

static struct calendar
date_from_days(int64_t days)
{
	int day = (int)(days + EPOCH_DAY);
	int era = day / ERA_DAYS, of_era = day % ERA_DAYS;
	int y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int of_year = of_era - (365 * y + y / 4 - y / 100);
	int month = (5 * of_year + 2) / 153; /* 0: March */
	struct calendar c = { .day = of_year - (153 * month + 2) / 5 + 1 };

	c.month = month < 10 ? month + 3 : month - 9;
	c.year = era * ERA_YEARS + y + (c.month <= 2);
	return c;
}

struct calendar
stamp_calendar(struct stamp s)
{
	int64_t us = s.us % SECONDS, second = s.us / SECONDS;
	struct calendar c;
	int64_t days;
	int of_day;

	if (us < 0) {
		us += SECONDS;
		second--;
	}
	of_day = (int)(second % DAY_SECONDS);
	days = second / DAY_SECONDS;
	if (of_day < 0) {
		of_day += DAY_SECONDS;
		days--;
	}
	must(days >= days_from_date(YEAR_MIN, 1, 1) && days <= days_from_date(YEAR_MAX, 12, 31));

	c = date_from_days(days);
	c.hour = of_day / 3600;
	c.minute = of_day / 60 % 60;
	c.second = of_day % 60;
	c.microsecond = (int)us;
	return c;
}

struct stamp
stamp_from_calendar(struct calendar c)
{
	int64_t second = days_from_date(c.year, c.month, c.day) * DAY_SECONDS + c.hour * 3600 +
	    c.minute * 60 + c.second;

	return (struct stamp){ second * SECONDS + c.microsecond };
}

/* Writes n as that many digits, with leading zeros; returns what follows them. */
static char *
put_digits(char *p, int digits, int n)
{
	for (int i = digits - 1; i >= 0; i--) {
		p[i] = (char)('0' + n % 10);
		n /= 10;
	}
	return p + digits;
}

static char *
put_date(char *p, int year, int month, int day)
{
	p = put_digits(p, 4, year);
	*p++ = '-';
	p = put_digits(p, 2, month);
	*p++ = '-';
	return put_digits(p, 2, day);
}

struct text
stamp_print(struct stamp s, char out[static STAMP_SIZE])
{
	struct calendar c = stamp_calendar(s);
	char *p = put_date(out, c.year, c.month, c.day);

	*p++ = 'T';
	p = put_digits(p, 2, c.hour);
	*p++ = ':';
	p = put_digits(p, 2, c.minute);
	*p++ = ':';
	p = put_digits(p, 2, c.second);
	if (c.microsecond != 0) {
		*p++ = '.';
		p = put_digits(p, 6, c.microsecond);
	}
	*p++ = 'Z';
	*p = '\0';
	return (struct text){ out, (size_t)(p - out) };
}

struct text
date_print(struct date d, char out[static DATE_SIZE])
{
	char *p = put_date(out, d.year, d.month, d.day);

	*p = '\0';
	return (struct text){ out, (size_t)(p - out) };
}

/* The readers below take what they look for off the front of *t, or leave it alone. */

static bool
take_char(struct text *t, char c)
{
	if (t->n == 0 || *t->s != c)
		return false;
	*t = text_slice(*t, 1, t->n);
	return true;
}

/* Exactly that many digits, whose number is between min and max. */
static bool
take_digits(struct text *t, size_t digits, int min, int max, int *out)
{
	int n = 0;

	if (t->n < digits)
		return false;
	for (size_t i = 0; i < digits; i++) {
		if (t->s[i] < '0' || t->s[i] > '9')
			return false;
		n = n * 10 + (t->s[i] - '0');
	}
	if (n < min || n > max)
		return false;
	*t = text_slice(*t, digits, t->n);
	*out = n;
	return true;
}

static int
days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

static bool
take_date(struct text *t, struct calendar *c)
{
	return take_digits(t, 4, YEAR_MIN, YEAR_MAX, &c->year) && take_char(t, '-') &&
	    take_digits(t, 2, 1, 12, &c->month) && take_char(t, '-') &&
	    take_digits(t, 2, 1, days_in_month(c->year, c->month), &c->day);
}

/* One to six digits after the point. */
static bool
take_fraction(struct text *t, int *microsecond)
{
	int digit, scale = 100000;

	*microsecond = 0;
	while (scale > 0 && take_digits(t, 1, 0, 9, &digit)) {
		*microsecond += digit * scale;
		scale /= 10;
	}
	return scale < 100000;
}

static bool
take_time(struct text *t, struct calendar *c)
{
	if (!take_digits(t, 2, 0, 23, &c->hour) || !take_char(t, ':') ||
	    !take_digits(t, 2, 0, 59, &c->minute))
		return false;
	if (!take_char(t, ':'))
		return true;
	if (!take_digits(t, 2, 0, 59, &c->second))
		return false;
	return !take_char(t, '.') || take_fraction(t, &c->microsecond);
}

/* Z, +HH:MM, +HHMM, +HH or nothing, as seconds east of UTC. */
static bool
take_offset(struct text *t, int *seconds)
{
	int hours, minutes = 0, sign;

	*seconds = 0;
	if (t->n == 0 || take_char(t, 'Z'))
		return true;
	sign = take_char(t, '-') ? -1 : 1;
	if (sign > 0 && !take_char(t, '+'))
		return false;
	if (!take_digits(t, 2, 0, 23, &hours))
		return false;
	if ((take_char(t, ':') || t->n > 0) && !take_digits(t, 2, 0, 59, &minutes))
		return false;
	*seconds = sign * (hours * 3600 + minutes * 60);
	return true;
}

static bool
stamp_in_range(struct stamp s)
{
	static const struct calendar first = { .year = YEAR_MIN, .month = 1, .day = 1 };
	static const struct calendar last = { YEAR_MAX, 12, 31, 23, 59, 59, 999999 };

	return s.us >= stamp_from_calendar(first).us && s.us <= stamp_from_calendar(last).us;
}

bool
stamp_parse(struct text t, struct stamp *out)
{
	struct calendar c = { 0 };
	struct stamp s;
	int offset = 0;

	if (!take_date(&t, &c))
		return false;
	if (t.n > 0) {
		if (!take_char(&t, 'T') && !take_char(&t, ' '))
			return false;
		if (!take_time(&t, &c) || !take_offset(&t, &offset) || t.n > 0)
			return false;
	}
	s = stamp_from_calendar(c);
	s.us -= offset * SECONDS;
	if (!stamp_in_range(s))
		return false;
	*out = s;
	return true;
}

bool
date_parse(struct text t, struct date *out)
{
	struct calendar c;

	if (!take_date(&t, &c) || t.n > 0)
		return false;
	*out = (struct date){ (int16_t)c.year, (uint8_t)c.month, (uint8_t)c.day };
	return true;
}
