#include "base/base.h"
#include "http/body.h"
#include "http/http_int.h"

#include "crypto/random.h"

#define REQUEST_ID_DIGITS 32

/* A name of 253 characters (RFC 1035), a port; it is repeated in every URL of an answer. */
#define HOST_MAX 260

/* clang-format off */
static const struct {
	enum method method;
	const char *name;
} methods[] = {
	{ METHOD_GET, "GET" },
	{ METHOD_HEAD, "HEAD" },
	{ METHOD_POST, "POST" },
	{ METHOD_PUT, "PUT" },
	{ METHOD_PATCH, "PATCH" },
	{ METHOD_DELETE, "DELETE" },
	{ METHOD_OPTIONS, "OPTIONS" },
};
/* clang-format on */

enum method
method_parse(struct text name)
{
	for (size_t i = 0; i < countof(methods); i++)
		if (text_eq(name, text_from(methods[i].name)))
			return methods[i].method;
	return METHOD_OTHER;
}

const char *
method_name(enum method m)
{
	for (size_t i = 0; i < countof(methods); i++)
		if (methods[i].method == m)
			return methods[i].name;
	return "OTHER";
}

static struct text
transport_param(struct request *rq, const char *name)
{
	return text_from(rq->transport.param(rq->transport.ctx, name));
}

/* Does t consist of characters of set (and at least one)? */
static bool
made_of(struct text t, const char *set)
{
	for (size_t i = 0; i < t.n; i++)
		if (t.s[i] == '\0' || strchr(set, t.s[i]) == NULL)
			return false;
	return t.n > 0;
}

/* The id that nginx gave the request, or one of our own when it gave none. */
static struct text
request_id(struct request *rq)
{
	struct text id = transport_param(rq, "REQUEST_ID");
	char *digits;

	if (id.n == REQUEST_ID_DIGITS && made_of(id, "0123456789abcdefABCDEF"))
		return id;
	digits = arena_alloc(rq->arena, UUID_SIZE);
	return uuid_print(random_uuid(), UUID_HEX, digits);
}

static bool
set_base(struct request *rq)
{
	bool https = text_eq(transport_param(rq, "REQUEST_SCHEME"), T("https"));
	struct text host = transport_param(rq, "HTTP_HOST");

	if (host.n == 0)
		host = T("localhost"); /* HTTP/1.0 does without */
	if (host.n > HOST_MAX ||
	    !made_of(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.:-[]")) {
		reply_detail(rq, 400, "Invalid Host header.");
		return false;
	}
	rq->base = arena_printf(rq->arena, "%s://%.*s", https ? "https" : "http", TEXT_ARGS(host));
	return true;
}

/* The path up to what is no text: an answer may tell it. Nothing has a path that is no text. */
static bool
set_path(struct request *rq)
{
	struct text path = transport_param(rq, "PATH_INFO");

	rq->path = text_slice(path, 0, text_utf8_valid_to(path));
	if (rq->path.n < path.n) {
		reply_not_found(rq);
		return false;
	}
	return true;
}

static bool
is_clean(struct text t)
{
	return text_is_utf8(t) && text_find(t, '\0', 0) == t.n;
}

static bool
set_query(struct request *rq)
{
	struct text problem;

	rq->query = transport_param(rq, "QUERY_STRING");
	if (!form_decode(rq->query, rq->arena, &rq->params, &rq->nparams, &problem)) {
		reply_detail(rq, 400, "Query string parse error - %s", problem.s);
		return false;
	}
	for (size_t i = 0; i < rq->nparams; i++) {
		if (is_clean(rq->params[i].name) && is_clean(rq->params[i].value))
			continue;
		reply_detail(rq, 400,
		    "Query string parse error - "
		    "the parameter at byte %zu is not valid UTF-8 or has a null character",
		    rq->params[i].at);
		return false;
	}
	return true;
}

bool
request_init(struct request *rq)
{
	struct text peer = transport_param(rq, "REMOTE_ADDR");

	reply_clear(rq);
	rq->now = stamp_now();
	rq->id = request_id(rq);
	rq->method_name = transport_param(rq, "REQUEST_METHOD");
	rq->method = method_parse(rq->method_name);
	/* Of a client on a unix socket nginx says "unix:". */
	rq->peer = made_of(peer, "0123456789abcdefABCDEF.:") ? peer : TEXT_NONE;
	return set_base(rq) && set_path(rq) && set_query(rq);
}

struct text
request_header(struct request *rq, const char *name)
{
	char key[64];
	struct text plain = text_from(name);
	bool cgi = text_eq_nocase(plain, T("Content-Type")) ||
	    text_eq_nocase(plain, T("Content-Length")); /* RFC 3875: without HTTP_ */
	int n = snprintf(key, sizeof(key), "%s%s", cgi ? "" : "HTTP_", name);

	must(n > 0 && (size_t)n < sizeof(key));
	for (char *p = key; *p != '\0'; p++) {
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
		else if (*p == '-')
			*p = '_';
	}
	return transport_param(rq, key);
}

struct text
request_param(const struct request *rq, struct text name)
{
	for (size_t i = rq->nparams; i-- > 0;)
		if (text_eq(rq->params[i].name, name))
			return rq->params[i].value;
	return TEXT_NONE;
}

bool
request_param_each(const struct request *rq, struct text name, size_t *at, struct text *value)
{
	while (*at < rq->nparams) {
		const struct param *param = &rq->params[(*at)++];

		if (text_eq(param->name, name)) {
			*value = param->value;
			return true;
		}
	}
	return false;
}

/* The ranges of Accept that cover our answers, the vaguest first: a more exact one overrules it. */
static const struct text json_ranges[] = {
	TEXT_INIT("*/*"),
	TEXT_INIT("application/*"),
	TEXT_INIT("application/problem+json"),
	TEXT_INIT("application/json"),
};

static bool
is_refused(struct text range, struct arena *a)
{
	return made_of(header_param_named(range, T("q"), a), "0.");
}

bool
request_accepts_json(struct request *rq)
{
	struct text rest = request_header(rq, "Accept"), range, type;
	bool accepted = rest.n == 0;
	size_t exact = 0;

	while (text_split(&rest, ',', &range)) {
		struct text after = range;

		type = header_word(&after);
		for (size_t i = exact; i < countof(json_ranges); i++) {
			if (!text_eq_nocase(type, json_ranges[i]))
				continue;
			exact = i;
			accepted = !is_refused(range, rq->arena);
		}
	}
	return accepted;
}

bool
request_accepts(struct request *rq, struct text type)
{
	struct text rest = request_header(rq, "Accept"), range;

	while (text_split(&rest, ',', &range)) {
		struct text after = range;

		if (text_eq_nocase(header_word(&after), type))
			return !is_refused(range, rq->arena);
	}
	return false;
}

bool
request_wants_problem(struct request *rq)
{
	return request_accepts(rq, T("application/problem+json"));
}

static bool
is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	    c == '-' || c == '.' || c == '_' || c == '~';
}

/* Everything but unreserved characters and kept as %XX. */
static struct text
encode(struct arena *a, struct text t, char kept)
{
	static const char hex[] = "0123456789ABCDEF";
	char *s = arena_alloc(a, 3 * t.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < t.n; i++) {
		uint8_t byte = (uint8_t)t.s[i];

		if (is_unreserved(t.s[i]) || t.s[i] == kept) {
			s[n++] = t.s[i];
			continue;
		}
		s[n++] = '%';
		s[n++] = hex[byte >> 4];
		s[n++] = hex[byte & 15];
	}
	return (struct text){ s, n };
}

struct text
url_encode(struct arena *a, struct text t)
{
	return encode(a, t, '-');
}

struct text
request_url(struct request *rq)
{
	struct text path = encode(rq->arena, rq->path, '/');

	return arena_printf(rq->arena, "%.*s%.*s", TEXT_ARGS(rq->base), TEXT_ARGS(path));
}

struct text
url_of(struct request *rq, const char *path, struct uuid uuid)
{
	char digits[UUID_SIZE];

	uuid_print(uuid, rq->config->uuid_format, digits);
	return arena_printf(rq->arena, "%.*s%s%s/", TEXT_ARGS(rq->base), path, digits);
}

int
request_step_outside(struct request *rq, void (*step)(struct request *rq))
{
	rq->step = step;
	return reply_empty(rq, 503); /* never sent; an answer of 400 and more rolls back */
}
