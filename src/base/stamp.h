/* Points in time and dates: UTC, microseconds, proleptic Gregorian calendar, years 1 to 9999. */
#ifndef ROSTER_BASE_STAMP_H
#define ROSTER_BASE_STAMP_H

#include "base/base.h"
#include "base/text.h"

/* Microseconds since 1970-01-01T00:00:00Z. */
struct stamp {
	int64_t us;
};

struct date {
	int16_t year; /* 0: no date */
	uint8_t month, day;
};

struct calendar {
	int year, month, day, hour, minute, second, microsecond;
};

#define STAMP_NONE ((struct stamp){ INT64_MIN })
#define DATE_NONE ((struct date){ 0, 0, 0 })
#define SECONDS INT64_C(1000000) /* microseconds in a second */

static inline bool
stamp_is_none(struct stamp s)
{
	return s.us == INT64_MIN;
}

static inline bool
date_is_none(struct date d)
{
	return d.year == 0;
}

/* The system's clock. This function and the next are the ones here that look outside. */
struct stamp stamp_now(void);

/* Microseconds of a clock that nobody sets, to measure how long something takes. */
int64_t stamp_monotonic(void);

struct calendar stamp_calendar(struct stamp s);
struct stamp stamp_from_calendar(struct calendar c);

/* Room for the printed forms and a NUL. */
#define STAMP_SIZE 28
#define DATE_SIZE 11

/* 2026-11-24T02:33:56.123456Z; without the fraction when it is zero. RFC 3339. */
struct text stamp_print(struct stamp s, char out[static STAMP_SIZE]);
/* 2026-11-24 */
struct text date_print(struct date d, char out[static DATE_SIZE]);

/*
 * Reads what the API's clients send: YYYY-MM-DD, or YYYY-MM-DD, T or a space, HH:MM with
 * optional :SS and .fraction (1 to 6 digits), then optional Z, +HH:MM, -HH:MM, +HHMM or +HH. No
 * offset means UTC; a date alone is its midnight. Impossible dates are refused.
 */
bool stamp_parse(struct text t, struct stamp *out) MUST_CHECK;
bool date_parse(struct text t, struct date *out) MUST_CHECK;

#endif
