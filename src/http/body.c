#include "base/base.h"
#include "http/body.h"
#include "http/http_int.h"

#define FIRST_READ 4096

static struct json *
read_json(struct text input, struct text content_type UNUSED, struct arena *a, struct text *problem)
{
	static const struct json_limits limits = { .depth = BODY_DEPTH_MAX,
		.values = BODY_FIELDS_MAX };

	return json_read(input, &limits, a, problem);
}

/* clang-format off */
static const struct media {
	const char *type;
	const char *name; /* in messages */
	body_reader *read;
	bool form;
	bool files; /* may have a picture in it, besides body_limit */
} media[] = {
	{ "application/json", "JSON", read_json, false, false },
	{ "application/x-www-form-urlencoded", "Form", form_read, true, false },
	{ "multipart/form-data", "Multipart form", multipart_read, true, true },
};
/* clang-format on */

/* The row of a Content-Type; NULL for one that is not there and for any charset but UTF-8. */
static const struct media *
find_media(struct request *rq, struct text content_type)
{
	struct text charset = header_param_named(content_type, T("charset"), rq->arena);
	struct text rest = content_type, type = header_word(&rest);

	if (!text_is_none(charset) && !text_eq_nocase(charset, T("utf-8")) &&
	    !text_eq_nocase(charset, T("utf8")))
		return NULL;
	for (size_t i = 0; i < countof(media); i++)
		if (text_eq_nocase(type, text_from(media[i].type)))
			return &media[i];
	return NULL;
}

static int64_t
limit_of(struct request *rq)
{
	const struct media *m = find_media(rq, request_header(rq, "Content-Type"));

	return rq->config->body_limit + (m != NULL && m->files ? rq->config->image_limit : 0);
}

static bool
too_large(struct request *rq, int64_t limit)
{
	reply_detail(rq, 413, "Request body is too large. At most %lld bytes are allowed.",
	    (long long)limit);
	return false;
}

/* Up to max bytes of the body, on the arena. */
static struct text
read_up_to(struct request *rq, size_t max)
{
	size_t n = 0, room = max < FIRST_READ ? max : FIRST_READ;
	char *bytes = arena_alloc(rq->arena, room);
	ssize_t got;

	while (n < max) {
		if (n == room) {
			size_t more = room < max / 2 ? 2 * room : max;

			bytes = arena_grow(rq->arena, bytes, room, more);
			room = more;
		}
		got = rq->transport.read(rq->transport.ctx, bytes + n, room - n);
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	return (struct text){ bytes, n };
}

/* Reads the body into rq->body_bytes, once. */
static bool
read_bytes(struct request *rq)
{
	int64_t limit = limit_of(rq), announced;
	bool known =
	    text_to_int(request_header(rq, "Content-Length"), &announced) && announced >= 0;
	struct text bytes;

	if (!text_is_none(rq->body_bytes))
		return true;
	if (known && announced > limit)
		return too_large(rq, limit);

	bytes = read_up_to(rq, (size_t)(known ? announced : limit + 1));
	if (known && bytes.n < (size_t)announced) {
		reply_detail(rq, 400, "Request body is incomplete: %zu of %lld bytes arrived.",
		    bytes.n, (long long)announced);
		return false;
	}
	if (bytes.n > (size_t)limit)
		return too_large(rq, limit);
	rq->body_bytes = bytes;
	return true;
}

static bool
unsupported(struct request *rq, struct text content_type)
{
	struct text echo = text_is_utf8(content_type) ? header_trim(content_type) : T("");

	reply_detail(rq, 415, "Unsupported media type \"%.*s\" in request.", TEXT_ARGS(echo));
	return false;
}

static bool
not_an_object(struct request *rq, enum json_type type)
{
	struct text message = type == JSON_NULL
	    ? T("No data provided")
	    : arena_printf(rq->arena, "Invalid data. Expected a dictionary, but got %s.",
		  json_type_name(type));

	reply_field(rq, "non_field_errors", message.s);
	return false;
}

bool
body_parse(struct request *rq)
{
	struct text content_type = request_header(rq, "Content-Type"), problem;
	const struct media *m;
	struct json *body;

	if (rq->body != NULL)
		return true;
	if (!read_bytes(rq))
		return false;
	if (rq->body_bytes.n == 0) {
		rq->body = arena_alloc(rq->arena, sizeof(*rq->body));
		rq->body->type = JSON_OBJECT;
		return true;
	}
	m = find_media(rq, content_type);
	if (m == NULL)
		return unsupported(rq, content_type);
	body = m->read(rq->body_bytes, content_type, rq->arena, &problem);
	if (body == NULL) {
		reply_detail(rq, 400, "%s parse error - %s", m->name, problem.s);
		return false;
	}
	if (body->type != JSON_OBJECT)
		return not_an_object(rq, body->type);
	rq->body = body;
	rq->body_is_form = m->form;
	return true;
}
