/*
 * The log: one JSON object a line on standard error, written by one write(2) so that lines of
 * several processes do not mix. The one part of base that has an output and a global (the
 * request being served), because every folder above logs.
 *
 * {"time":"2026-11-24T02:33:56.123456Z","level":"info","pid":7,"message":"..."} and, during a
 * request, "request_id", "method", "route", "user", "impersonator". Never a secret, a body or a query string.
 */
#ifndef ROSTER_BASE_LOG_H
#define ROSTER_BASE_LOG_H

#include "base/base.h"
#include "base/text.h"
#include "base/uuid.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* What the lines of the current request carry. Texts may be none. */
struct log_context {
	struct text request_id;
	struct text method;
	struct text route; /* the pattern, not the path: no personal data */
	struct uuid user;
	struct uuid impersonator; /* the staff user who acts as that one */
};

/* Lines below this level are not written. Starts at LOG_INFO. */
void log_set_level(enum log_level level);

/* The name of a level and back; false for an unknown name. */
const char *log_level_name(enum log_level level);
bool log_level_parse(struct text name, enum log_level *out) MUST_CHECK;

/* The process's name in its lines ("master", "api 0", ...); copied. */
void log_set_process(const char *name);

/* From now on messages are for a person: the process's name, the message and no JSON; nor requests. */
void log_set_plain(void);

/* Sets the request that the next lines belong to; NULL for none. Not copied. */
void log_set_context(const struct log_context *context);

void log_message(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

/* The one line of an answered request, at level info (error from status 500 on). */
void log_request(int status, int64_t microseconds, int statements);

#define log_debug(...) log_message(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_message(LOG_INFO, __VA_ARGS__)
#define log_warning(...) log_message(LOG_WARNING, __VA_ARGS__)
#define log_error(...) log_message(LOG_ERROR, __VA_ARGS__)

#endif
