/*
 * A request and its answer, as handlers see them. Nothing here knows FastCGI: the server fills
 * struct request through struct transport, and a unit test does the same with arrays.
 */
#ifndef ROSTER_HTTP_HTTP_H
#define ROSTER_HTTP_HTTP_H

#include "base/arena.h"
#include "base/base.h"
#include "base/buf.h"
#include "base/count.h"
#include "base/text.h"
#include "base/uuid.h"
#include "base/value.h"
#include "config/config.h"
#include "db/db.h"
#include "json/reader.h"
#include "json/writer.h"

struct action;
struct request;
struct keyring;

enum method {
	METHOD_GET = 1 << 0,
	METHOD_HEAD = 1 << 1,
	METHOD_POST = 1 << 2,
	METHOD_PUT = 1 << 3,
	METHOD_PATCH = 1 << 4,
	METHOD_DELETE = 1 << 5,
	METHOD_OPTIONS = 1 << 6,
	METHOD_OTHER = 1 << 7,
};

#define METHODS_SAFE (METHOD_GET | METHOD_HEAD | METHOD_OPTIONS)

/*
 * Who asks. A bit each, so that tables can name several. What a request has is computed by
 * authentication; SELF is added where the object is the caller himself.
 */
enum who {
	NOBODY = 0,         /* in a table: no one may */
	ANONYMOUS = 1 << 0, /* no credentials */
	REGULAR = 1 << 1,   /* signed in, neither staff nor support */
	SUPPORT = 1 << 2,
	STAFF = 1 << 3,
	SELF = 1 << 4,
	OPERATOR = 1 << 5, /* rosterctl; no request from outside is */
};

#define SIGNED_IN (REGULAR | SUPPORT | STAFF)
#define ANYONE (ANONYMOUS | SIGNED_IN)

/* The account behind the request's token; who == ANONYMOUS and id 0 when there is none. */
struct caller {
	enum who who;
	int64_t id;
	struct uuid uuid;
	struct text username;
	struct text registration_method;
	int64_t token_id;
	struct uuid impersonator; /* the staff user who asks as this caller, or none */
	int64_t impersonator_id;
};

enum lane { LANE_API, LANE_SLOW };

/* Where a request's bytes come from and its answer's go to. */
struct transport {
	/* A CGI parameter ("REQUEST_METHOD", "HTTP_ACCEPT"), NULL when absent. Valid during the request. */
	const char *(*param)(void *ctx, const char *name);
	/* Up to n bytes of the body; 0 at its end, -1 when the peer is gone. */
	ssize_t (*read)(void *ctx, char *p, size_t n);
	/* false when the peer is gone; what comes after is dropped. */
	bool (*write)(void *ctx, const char *p, size_t n);
	void *ctx;
};

/* The answer is kept back until this many bytes of body; so long an error can replace it. */
#define REPLY_BUFFER (32 * 1024)
#define REPLY_HEADERS_MAX 16

struct header {
	struct text name, value;
};

struct reply {
	int status;
	struct header headers[REPLY_HEADERS_MAX];
	size_t nheaders;
	char *body; /* REPLY_BUFFER bytes, kept by the worker between requests; more when held */
	size_t n, room; /* room 0: REPLY_BUFFER */
	bool hold;      /* nothing is sent before reply_send(), however long it gets */
	bool started;   /* the head was sent: too late for another answer */
	bool empty;     /* no body, no Content-Type */
	bool gone;      /* the client was not there any more */
	bool aborted;   /* broken off after it had started: the server must cut the connection */
	struct json_writer json;
};

/* Content that is not JSON; see reply_bytes(). */
struct served {
	struct bytes content;
	struct text type;      /* for Content-Type */
	struct text etag;      /* strong; without quotes */
	struct stamp modified; /* not before 1970 */
};

/* What is wrong with the input, by field, in the order found. See reply_invalid(). */
struct problem {
	struct text field;
	struct text message;
	struct problem *next;
};

struct param {
	struct text name, value;
	size_t at; /* where it begins in the form or query, in bytes */
};

/* The path parameters of a route: {uuid} in order of appearance, and others as text. */
#define ROUTE_ARGS 2

struct route;
struct route_table;

struct request {
	struct arena *arena;
	struct db *db;
	const struct config *config;
	const struct keyring *keyring;
	struct transport transport;

	struct text id; /* nginx's $request_id: 32 hex digits */
	enum method method;
	struct text method_name;
	struct text path;     /* decoded, as nginx normalised it */
	struct text query;    /* as it came */
	struct text base;     /* "https://host", what absolute URLs start with */
	struct text peer;     /* the client's address as nginx saw it; none if unknown */
	struct stamp now;     /* when the request began; all times of one request are this one */
	struct param *params; /* the query, decoded, in order */
	size_t nparams;

	const struct route *route;
	const struct route_table *const *tables; /* all routes, for what tells of them */
	size_t ntables;
	struct text args[ROUTE_ARGS];
	struct uuid uuid; /* the first {uuid} of the path */
	struct caller caller;

	struct json
	    *body; /* an object, after body_read(); what came in a form has the same shape */
	bool body_is_form;
	struct text body_bytes; /* as they came; none before they were read */
	struct problem *problems, **problems_end;
	void (*step)(struct request *rq); /* see request_step_outside() */
	void *outside;                    /* what the handler and its step share */
	int64_t idempotency_id;           /* the row that keeps the answer; 0: none does */
	bool commit;                      /* also when the status is 400 or more */
	enum tallied tallied;  /* counted once the answer stands, however often the handler ran */
	bool idempotency_busy; /* the same request is being served elsewhere */
	struct reply reply;
};

/*
 * Answers a request and returns the status of the answer. From status 400 on the transaction
 * is rolled back, else committed. It may run twice (a deadlock rolls back and calls it again), so it touches
 * nothing but the request's transaction and its answer. A failed statement turns the following
 * ones into nothing; the worker looks once, at the end, and answers 503 or 500 instead.
 */
typedef int handler(struct request *rq);

/* A route is a row: 404, 405 with Allow, OPTIONS, the lane and who may fall out of the table. */
struct route {
	enum method method;
	const char *
	    pattern; /* "/api/users/{uuid}/token/"; {uuid} matches a UUID in either form, {name} any one segment */
	enum lane lane;
	enum who who;        /* others get 401 (ANONYMOUS) or 403 */
	bool no_credentials; /* the caller's credentials are not even looked at: sign-in, health */
	bool any_accept;     /* nor Accept: the answer is no JSON, and there is no other */
	bool without_database; /* the answer stands also when the database has failed */
	handler *handle;
	/*
	 * Runs after who and before the method is looked at, for all methods of the path: 0 to go on, or
	 * the status of an answer that it gave. The first row of a path decides. May be NULL.
	 */
	handler *guard;
	const char *help;    /* one sentence, for the documentation */
	const void *subject; /* what a generic handler works on: the engine's struct resource */
	handler *as;         /* the engine's handler that this one ends in; NULL: none */
	const struct action *action; /* what it takes and answers besides, see http/shape.h */
};

/* request.c */

/* The row of a method by name; METHOD_OTHER for unknown names. */
enum method method_parse(struct text name);
const char *method_name(enum method m);

/*
 * Fills in method, path, query, id, base and peer from the transport's parameters. The request must be
 * zeroed but for arena, config, transport and reply.body. false after answering 404 to a path that is not
 * valid UTF-8, or 400: a query that is not or has %00, a malformed escape, or a Host that is none.
 */
bool request_init(struct request *rq) MUST_CHECK;

/* A request header by its HTTP name ("If-Match"); none when absent. */
struct text request_header(struct request *rq, const char *name);

/* The last query parameter of that name, none when absent. */
struct text request_param(const struct request *rq, struct text name);

/* The next query parameter of that name from position *at (start with 0); false at the end. */
bool request_param_each(const struct request *rq, struct text name, size_t *at, struct text *value);

/* Is a JSON answer acceptable (the Accept header; true without one)? Otherwise the server answers 406. */
bool request_accepts_json(struct request *rq);

/* Does Accept name exactly this type? */
bool request_accepts(struct request *rq, struct text type);

/* Does the client ask for errors as RFC 9457 has them: application/problem+json in Accept? */
bool request_wants_problem(struct request *rq);

/* "<base><path>", encoded: the request's own address without the query. */
struct text request_url(struct request *rq);

/*
 * For what waits on another host: `return request_step_outside(rq, step)` rolls the transaction back, runs step(rq)
 * with the database free for short transactions of its own, and then serves the request again from its
 * first check on. rq->outside stays in between: the handler keeps there what the step needs, and the
 * step what it has found, both on the arena.
 */
int request_step_outside(struct request *rq, void (*step)(struct request *rq));

/*
 * Decodes %XX and + of a form or query into name and value pairs on the arena, which may be any bytes.
 * false: a malformed escape or more than BODY_FIELDS_MAX pairs; *problem says which, and at which byte.
 */
bool form_decode(struct text form, struct arena *a, struct param **params, size_t *n,
    struct text *problem) MUST_CHECK;

/* t with everything but unreserved characters (RFC 3986) as %XX. */
struct text url_encode(struct arena *a, struct text t);

/* "<base>/api/users/<uuid>/"; path is "/api/users/". */
struct text url_of(struct request *rq, const char *path, struct uuid uuid);

/* reply.c */

/* Forgets the answer so far (status, headers, body, problems). Not once it has started. */
void reply_clear(struct request *rq);
static inline bool
reply_started(const struct request *rq)
{
	return rq->reply.started;
}

/* Adds a header. value must not contain CR or LF (must). Last wins for the same name. */
void reply_header(struct request *rq, const char *name, struct text value);

/* Begins a JSON body; write it with &rq->reply.json, end with reply_end(). */
struct json_writer *reply_json(struct request *rq, int status);
int reply_end(struct request *rq);

/* Begins a body of plain text, UTF-8; write it with reply_sink(). */
void reply_text(struct request *rq, int status);

/* Keeps the whole answer back, for what looks at it once more: an entity tag, a copy that is kept. */
void reply_hold(struct request *rq);

/*
 * Answers a GET or HEAD with bytes, or with as much of them as the request's conditions and Range ask for: 200,
 * 206, 304, 412 or 416.
 */
int reply_bytes(struct request *rq, const struct served *s);

/* An answer without body or Content-Type, Content-Length: 0. */
int reply_empty(struct request *rq, int status);

/* {"detail": "..."} */
int reply_detail(struct request *rq, int status, const char *format, ...) PRINTF_LIKE(3, 4);

/* 400 ["message"], how the API's actions complain. */
int reply_list(struct request *rq, int status, const char *message);

/* 400 {"field": ["message"]} */
int reply_field(struct request *rq, const char *field, const char *message);

/* 400 with all problems that were noted: {"field": ["message", ...], ...} */
int reply_invalid(struct request *rq);

/* Notes a problem with a field. message is on the arena or constant. */
void problem_add(struct request *rq, struct text field, struct text message);
void problem_printf(struct request *rq, struct text field, const char *format, ...)
    PRINTF_LIKE(3, 4);
static inline bool
problems_found(const struct request *rq)
{
	return rq->problems != NULL;
}

int reply_unauthorized(
    struct request *rq, const char *detail); /* 401 with WWW-Authenticate: Token */
int reply_throttled(
    struct request *rq, int64_t wait);        /* 429, until so many microseconds have passed */
int reply_forbidden(struct request *rq);      /* 403, the usual words */
int reply_not_found(struct request *rq);      /* 404, {"detail": "Not found."} */
int reply_not_acceptable(struct request *rq); /* 406 */
int reply_redirect(struct request *rq, struct text location); /* 301 */

/*
 * Replaces whatever was answered by what a failed transaction deserves: 503, with Retry-After where a
 * retry is safe, or 500. An answer that has started can't be replaced: it becomes aborted.
 */
void reply_trouble(struct request *rq, enum db_result result);

/* Sends what was not sent yet; nothing of an aborted answer. The worker calls it, once. */
void reply_send(struct request *rq);

/* The sink of reply.json; flushes when the buffer is full. */
void reply_sink(void *request, const char *s, size_t n);

/* All statuses that are ever answered. */
struct status {
	int code;
	const char *reason;
};

extern const struct status statuses[];
extern const size_t nstatuses;

/* "Not Found" for 404. */
const char *status_reason(int status);

#endif
