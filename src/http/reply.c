#include "base/base.h"
#include "http/http_int.h"

#include "base/log.h"

/* clang-format off */
const struct status statuses[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 206, "Partial Content" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 307, "Temporary Redirect" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Range Not Satisfiable" },
	{ 422, "Unprocessable Content" },
	{ 428, "Precondition Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
};
/* clang-format on */

const size_t nstatuses = countof(statuses);

const char *
status_reason(int status)
{
	for (size_t i = 0; i < nstatuses; i++)
		if (statuses[i].code == status)
			return statuses[i].reason;
	return "Unknown";
}

void
reply_clear(struct request *rq)
{
	struct reply *r = &rq->reply;

	must(!r->started);
	r->status = 0;
	r->nheaders = 0;
	r->n = 0;
	r->empty = false;
	r->hold = false;
	rq->problems = NULL;
	rq->problems_end = &rq->problems;
}

static struct header *
find_header(struct reply *r, struct text name)
{
	for (size_t i = 0; i < r->nheaders; i++)
		if (text_eq_nocase(r->headers[i].name, name))
			return &r->headers[i];
	return NULL;
}

static void
add_header(struct reply *r, struct text name, struct text value)
{
	must(r->nheaders < REPLY_HEADERS_MAX);
	r->headers[r->nheaders++] = (struct header){ name, value };
}

void
reply_header(struct request *rq, const char *name, struct text value)
{
	struct text key = text_from(name);
	struct header *there = find_header(&rq->reply, key);

	must(!rq->reply.started);
	must(text_find(value, '\r', 0) == value.n && text_find(value, '\n', 0) == value.n);
	if (there != NULL)
		there->value = value;
	else
		add_header(&rq->reply, key, value);
}

/* What every answer has; a handler that has set the header itself wins. */
static void
add_standard(struct request *rq, struct text name, struct text value)
{
	if (find_header(&rq->reply, name) == NULL)
		add_header(&rq->reply, name, value);
}

/* Does the answer belong to a person, so that nobody may store it? */
static bool
is_personal(const struct request *rq)
{
	return (rq->caller.who & SIGNED_IN) != 0 || text_starts(rq->path, T("/api-auth/"));
}

/* RFC 9110, section 8.6: 204 has no Content-Length, and that of 304 would be another answer's. */
static bool
has_length(int status)
{
	return status != 204 && status != 304;
}

static void
add_standard_headers(struct request *rq, bool whole)
{
	struct reply *r = &rq->reply;

	add_standard(rq, T("X-Content-Type-Options"), T("nosniff"));
	add_standard(rq, T("X-Request-ID"), rq->id);
	add_standard(rq, T("Vary"), T("Accept, Authorization"));
	if (is_personal(rq))
		add_standard(rq, T("Cache-Control"), T("no-store"));
	if (!r->empty)
		add_standard(rq, T("Content-Type"), T("application/json"));
	if (whole && has_length(r->status))
		add_standard(rq, T("Content-Length"), arena_printf(rq->arena, "%zu", r->n));
}

static void
send_bytes(struct request *rq, struct text t)
{
	struct reply *r = &rq->reply;

	if (!r->gone && t.n > 0)
		r->gone = !rq->transport.write(rq->transport.ctx, t.s, t.n);
}

/* whole: what is in the buffer is all of the body. */
static void
send_head(struct request *rq, bool whole)
{
	struct reply *r = &rq->reply;
	struct buf head;

	add_standard_headers(rq, whole);
	buf_init(&head, rq->arena);
	buf_printf(&head, "Status: %d %s\r\n", r->status, status_reason(r->status));
	for (size_t i = 0; i < r->nheaders; i++) {
		buf_add(&head, r->headers[i].name);
		buf_add(&head, T(": "));
		buf_add(&head, r->headers[i].value);
		buf_add(&head, T("\r\n"));
	}
	buf_add(&head, T("\r\n"));
	r->started = true;
	send_bytes(rq, buf_text(&head));
}

static void
flush_body(struct request *rq)
{
	struct reply *r = &rq->reply;

	if (rq->method != METHOD_HEAD)
		send_bytes(rq, (struct text){ r->body, r->n });
	r->n = 0;
}

/* Makes room in a full buffer: by sending what is in it, or by a larger one. */
static void
make_room(struct request *rq)
{
	struct reply *r = &rq->reply;
	char *larger;

	if (r->hold) {
		larger = arena_alloc(rq->arena, r->room * 2);
		memcpy(larger, r->body, r->n);
		r->body = larger;
		r->room *= 2;
		return;
	}
	if (!r->started)
		send_head(rq, false);
	flush_body(rq);
}

static void
append(struct reply *r, const char *s, size_t n)
{
	memcpy(r->body + r->n, s, n);
	r->n += n;
}

void
reply_sink(void *request, const char *s, size_t n)
{
	struct request *rq = request;
	struct reply *r = &rq->reply;
	size_t part;

	if (r->room == 0)
		r->room = REPLY_BUFFER;
	while (n > (part = r->room - r->n)) {
		append(r, s, part);
		make_room(rq);
		s += part;
		n -= part;
	}
	append(r, s, n);
}

void
reply_hold(struct request *rq)
{
	must(!rq->reply.started);
	rq->reply.hold = true;
}

void
reply_send(struct request *rq)
{
	if (rq->reply.aborted)
		return;
	if (!rq->reply.started)
		send_head(rq, true);
	flush_body(rq);
}

void
reply_begin(struct request *rq, int status, bool empty)
{
	struct reply *r = &rq->reply;

	must(!r->started);
	r->status = status;
	r->n = 0;
	r->empty = empty;
}

struct json_writer *
reply_json(struct request *rq, int status)
{
	reply_begin(rq, status, false);
	json_writer_init(&rq->reply.json, rq->arena, reply_sink, rq, rq->config->uuid_format);
	return &rq->reply.json;
}

int
reply_end(struct request *rq)
{
	if (json_failed(&rq->reply.json)) {
		log_error("the answer could not be written as JSON");
		reply_trouble(rq, DB_FAILED);
	}
	return rq->reply.status;
}

void
reply_text(struct request *rq, int status)
{
	reply_begin(rq, status, false);
	reply_header(rq, "Content-Type", T("text/plain; charset=utf-8"));
}

int
reply_empty(struct request *rq, int status)
{
	reply_begin(rq, status, true);
	return status;
}

static struct text PRINTF_LIKE(2, 0) print(struct arena *a, const char *format, va_list args)
{
	va_list again;
	char *s;
	int n;

	va_copy(again, args);
	n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	must(n >= 0);
	s = arena_alloc(a, (size_t)n + 1);
	vsnprintf(s, (size_t)n + 1, format, args);
	return (struct text){ s, (size_t)n };
}

/* {"type", "title", "status", "detail", ...}: RFC 9457. What comes after detail is the caller's, as is the end. */
static struct json_writer *
problem_begin(struct request *rq, int status, struct text detail)
{
	struct json_writer *w = reply_json(rq, status);

	reply_header(rq, "Content-Type", T("application/problem+json"));
	json_object(w);
	json_member_text(w, "type", T("about:blank"));
	json_member_text(w, "title", text_from(status_reason(status)));
	json_member_value(w, "status", V((int64_t)status));
	json_member_text(w, "detail", detail);
	if (!text_is_none(rq->path))
		json_member_text(w, "instance", rq->path);
	return w;
}

static int
problem_end(struct request *rq)
{
	json_object_end(&rq->reply.json);
	return reply_end(rq);
}

int
reply_detail(struct request *rq, int status, const char *format, ...)
{
	struct json_writer *w;
	struct text detail;
	va_list args;

	va_start(args, format);
	detail = print(rq->arena, format, args);
	va_end(args);
	if (status >= 400 && request_wants_problem(rq)) {
		problem_begin(rq, status, detail);
		return problem_end(rq);
	}
	w = reply_json(rq, status);
	json_object(w);
	json_member_text(w, "detail", detail);
	json_object_end(w);
	return reply_end(rq);
}

int
reply_list(struct request *rq, int status, const char *message)
{
	struct json_writer *w;

	if (status >= 400 && request_wants_problem(rq)) {
		problem_begin(rq, status, text_from(message));
		return problem_end(rq);
	}
	w = reply_json(rq, status);
	json_array(w);
	json_text(w, text_from(message));
	json_array_end(w);
	return reply_end(rq);
}

void
problem_add(struct request *rq, struct text field, struct text message)
{
	struct problem *p = arena_alloc(rq->arena, sizeof(*p));

	p->field = field;
	p->message = message;
	*rq->problems_end = p;
	rq->problems_end = &p->next;
}

void
problem_printf(struct request *rq, struct text field, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	problem_add(rq, field, print(rq->arena, format, args));
	va_end(args);
}

/* The first problem of p's field. */
static const struct problem *
first_of_field(const struct request *rq, const struct problem *p)
{
	const struct problem *first = rq->problems;

	while (!text_eq(first->field, p->field))
		first = first->next;
	return first;
}

/* {"field": ["message", ...], ...} */
static void
write_problems(struct request *rq, struct json_writer *w)
{
	json_object(w);
	for (const struct problem *p = rq->problems; p != NULL; p = p->next) {
		if (first_of_field(rq, p) != p)
			continue;
		json_key(w, p->field);
		json_array(w);
		for (const struct problem *q = p; q != NULL; q = q->next)
			if (text_eq(q->field, p->field))
				json_text(w, q->message);
		json_array_end(w);
	}
	json_object_end(w);
}

int
reply_invalid(struct request *rq)
{
	struct json_writer *w;

	if (request_wants_problem(rq)) {
		w = problem_begin(rq, 400, T("The request has invalid values."));
		json_key(w, T("errors"));
		write_problems(rq, w);
		return problem_end(rq);
	}
	write_problems(rq, reply_json(rq, 400));
	return reply_end(rq);
}

int
reply_field(struct request *rq, const char *field, const char *message)
{
	problem_add(rq, text_from(field), text_from(message));
	return reply_invalid(rq);
}

int
reply_unauthorized(struct request *rq, const char *detail)
{
	reply_header(rq, "WWW-Authenticate", T("Token"));
	return reply_detail(rq, 401, "%s", detail);
}

int
reply_throttled(struct request *rq, int64_t wait)
{
	int64_t seconds = (wait + SECONDS - 1) / SECONDS;

	reply_header(rq, "Retry-After", arena_printf(rq->arena, "%lld", (long long)seconds));
	return reply_detail(rq, 429, "Request was throttled. Expected available in %lld second%s.",
	    (long long)seconds, seconds == 1 ? "" : "s");
}

int
reply_forbidden(struct request *rq)
{
	return reply_detail(rq, 403, "You do not have permission to perform this action.");
}

int
reply_not_found(struct request *rq)
{
	return reply_detail(rq, 404, "Not found.");
}

int
reply_not_acceptable(struct request *rq)
{
	return reply_detail(rq, 406, "Could not satisfy the request Accept header.");
}

int
reply_redirect(struct request *rq, struct text location)
{
	reply_header(rq, "Location", location);
	return reply_empty(rq, 301);
}

/* clang-format off */
/* What a client is told of a transaction that failed, by -enum db_result. */
static const struct trouble {
	int status;
	bool retry; /* nothing has happened: the same request may be sent again */
	const char *detail;
} troubles[] = {
	[-DB_AGAIN] = { 503, true, "The service is busy, try again later." },
	[-DB_DUPLICATE] = { 500, false, "Internal server error." },
	[-DB_FAILED] = { 500, false, "Internal server error." },
	[-DB_UNSURE] = { 503, false, "The connection to the database was lost: "
			 "the request may or may not have been carried out." },
};
/* clang-format on */

void
reply_trouble(struct request *rq, enum db_result result)
{
	const struct trouble *t;

	must(result < 0 && (size_t)-result < countof(troubles));
	t = &troubles[-result];
	if (rq->reply.started) {
		rq->reply.status = t->status;
		rq->reply.aborted = true;
		return;
	}
	reply_clear(rq);
	if (t->retry)
		reply_header(rq, "Retry-After", T("1"));
	reply_detail(rq, t->status, "%s", t->detail);
}
