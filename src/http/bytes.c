/* Answers that are bytes of a known length: conditions and ranges, RFC 9110, sections 13 and 14. */
#include "base/base.h"
#include "http/etag.h"
#include "http/http_int.h"

#define DATE_FORMAT "%a, %d %b %Y %H:%M:%S GMT"

struct text
http_date(struct stamp s, struct arena *a)
{
	static const char days[] = "ThuFriSatSunMonTueWed"; /* from 1970-01-01 on */
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct calendar c = stamp_calendar(s);
	int64_t day = s.us / (24 * 3600 * SECONDS);

	must(s.us >= 0);
	return arena_printf(a, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3 * (day % 7),
	    c.day, months + 3 * (c.month - 1), c.year, c.hour, c.minute, c.second);
}

bool
http_date_parse(struct text t, struct stamp *out)
{
	/* Today's form and the two obsolete ones that a server must understand. */
	static const char *const forms[] = { DATE_FORMAT, "%A, %d-%b-%y %H:%M:%S GMT",
		"%a %b %e %H:%M:%S %Y" };
	char s[64];
	const char *end;
	struct tm tm;

	if (t.n >= sizeof(s))
		return false;
	snprintf(s, sizeof(s), "%.*s", TEXT_ARGS(t));
	for (size_t i = 0; i < countof(forms); i++) {
		tm = (struct tm){ 0 };
		end = strptime(s, forms[i], &tm);
		if (end == NULL || *end != '\0')
			continue;
		*out = stamp_from_calendar((struct calendar){ tm.tm_year + 1900, tm.tm_mon + 1,
		    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, 0 });
		return true;
	}
	return false;
}

/* Last-Modified has whole seconds. */
static struct stamp
last_modified(const struct served *s)
{
	return (struct stamp){ s->modified.us - s->modified.us % SECONDS };
}

/* Is the header a date, and the content not newer? */
static bool
not_newer(struct request *rq, const struct served *s, const char *header)
{
	struct stamp date;

	return http_date_parse(request_header(rq, header), &date) && last_modified(s).us <= date.us;
}

static bool
is_changed(struct request *rq, const struct served *s)
{
	struct text tags = request_header(rq, "If-Match"), date;

	if (!text_is_none(tags))
		return !etag_listed(tags, s->etag, ETAG_STRONG);
	date = request_header(rq, "If-Unmodified-Since");
	return !text_is_none(date) && http_date_parse(date, &(struct stamp){ 0 }) &&
	    !not_newer(rq, s, "If-Unmodified-Since");
}

static bool
is_known(struct request *rq, const struct served *s)
{
	struct text tags = request_header(rq, "If-None-Match");

	if (!text_is_none(tags))
		return etag_listed(tags, s->etag, ETAG_WEAK);
	return not_newer(rq, s, "If-Modified-Since");
}

/* Does If-Range say that the client has a part of just this content? */
static bool
range_holds(struct request *rq, const struct served *s)
{
	struct text condition = request_header(rq, "If-Range");

	return text_is_none(condition) ||
	    text_eq(condition, arena_printf(rq->arena, "\"%.*s\"", TEXT_ARGS(s->etag))) ||
	    text_eq(condition, http_date(last_modified(s), rq->arena));
}

enum range { RANGE_ALL, RANGE_PART, RANGE_OUTSIDE };

static bool
is_digits(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (t.s[i] < '0' || t.s[i] > '9')
			return false;
	return true;
}

/* A position of a range; what is too large for a number is far behind the end. */
static int64_t
position(struct text t)
{
	int64_t n;

	return text_to_int(t, &n) ? n : INT64_MAX;
}

/* "bytes=0-99", "bytes=100-", "bytes=-100"; several ranges, and what is none, are answered with all. */
static enum range
read_range(struct text header, int64_t size, int64_t *from, int64_t *to)
{
	struct text rest = header, unit, first;

	if (!text_split(&rest, '=', &unit) || !text_eq_nocase(unit, T("bytes")) ||
	    !text_split(&rest, '-', &first) || text_is_none(rest) || !is_digits(first) ||
	    !is_digits(rest) || first.n + rest.n == 0)
		return RANGE_ALL;
	*to = size - 1;
	if (first.n == 0) {
		*from = size - position(rest);
		if (*from < 0)
			*from = 0;
		return *from < size ? RANGE_PART : RANGE_OUTSIDE;
	}
	*from = position(first);
	if (rest.n > 0 && position(rest) < *from)
		return RANGE_ALL;
	if (rest.n > 0 && position(rest) < *to)
		*to = position(rest);
	return *from < size ? RANGE_PART : RANGE_OUTSIDE;
}

/* An error is not what may be stored for long. */
static int
refuse(struct request *rq, int status, const char *detail)
{
	reply_header(rq, "Cache-Control", T("no-store"));
	return reply_detail(rq, status, "%s", detail);
}

static int
send(struct request *rq, const struct served *s, int status, struct bytes content)
{
	reply_begin(rq, status, false);
	reply_header(rq, "Content-Type", s->type);
	reply_header(rq, "Content-Length", arena_printf(rq->arena, "%zu", content.n));
	reply_sink(rq, (const char *)content.p, content.n);
	return status;
}

static int
send_part(struct request *rq, const struct served *s, int64_t from, int64_t to)
{
	struct bytes part = { s->content.p + from, (size_t)(to - from + 1) };

	reply_header(rq, "Content-Range",
	    arena_printf(
		rq->arena, "bytes %lld-%lld/%zu", (long long)from, (long long)to, s->content.n));
	return send(rq, s, 206, part);
}

int
reply_bytes(struct request *rq, const struct served *s)
{
	int64_t size = (int64_t)s->content.n, from = 0, to = 0;
	enum range range = RANGE_ALL;

	if (is_changed(rq, s))
		return refuse(rq, 412, "The object has changed since it was read.");
	reply_header(rq, "ETag", arena_printf(rq->arena, "\"%.*s\"", TEXT_ARGS(s->etag)));
	reply_header(rq, "Last-Modified", http_date(last_modified(s), rq->arena));
	if (is_known(rq, s))
		return reply_empty(rq, 304);
	reply_header(rq, "Accept-Ranges", T("bytes"));
	if (rq->method == METHOD_GET && range_holds(rq, s))
		range = read_range(request_header(rq, "Range"), size, &from, &to);
	if (range == RANGE_PART)
		return send_part(rq, s, from, to);
	if (range == RANGE_ALL)
		return send(rq, s, 200, s->content);
	reply_header(rq, "Content-Range", arena_printf(rq->arena, "bytes */%zu", s->content.n));
	return refuse(rq, 416, "The range lies outside of the content.");
}
