/*
 * Cursors: where a page began, so that the next one is found from there instead of from the start of the list.
 *
 * A cursor holds the number of a page and what its first row is ordered by. Any later page lies so many rows
 * after that row: following rel="next" costs the same on every page, and rows can be streamed,
 * since the first row is all that a cursor needs. It is sealed, so that a client can neither read nor
 * make one, and bound to the rest of the query. One that does not fit is ignored: page=N still works.
 */
#include "base/base.h"

#include <sodium.h>

#include "crypto/digest.h"
#include "crypto/seal.h"
#include "resource/resource_int.h"

#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

/* Longer ones (a list ordered by long texts) are not sent: nginx limits headers. */
#define CURSOR_MAX 1024

/* What the cursor is bound to: the list, its filters, its order and its page size. */
static struct bytes
list_digest(struct request *rq)
{
	struct text *parts = arena_alloc(rq->arena, (1 + 2 * rq->nparams) * sizeof(*parts));
	size_t n = 0;

	parts[n++] = rq->path;
	for (size_t i = 0; i < rq->nparams; i++) {
		if (text_eq(rq->params[i].name, T("page")) ||
		    text_eq(rq->params[i].name, T("cursor")))
			continue;
		parts[n++] = rq->params[i].name;
		parts[n++] = rq->params[i].value;
	}
	return digest(parts, n, rq->arena);
}

struct text
cursor_print(struct request *rq, const struct ordering *o, int64_t page, const struct value *first)
{
	struct json_writer w;
	struct bytes sealed;
	struct buf b;
	size_t size;
	char *out;

	buf_init(&b, rq->arena);
	json_writer_init(&w, rq->arena, json_sink_buf, &b, UUID_DASHED);
	json_array(&w);
	json_int(&w, page);
	for (size_t i = 0; i < o->n; i++)
		json_value(&w, first[i]);
	json_array_end(&w);
	must(!json_failed(&w));
	if (b.n > CURSOR_MAX / 2)
		return TEXT_NONE;
	sealed = seal(rq->keyring, secret_from(buf_text(&b)), list_digest(rq), rq->arena);
	size = sodium_base64_encoded_len(sealed.n, VARIANT);
	out = arena_alloc(rq->arena, size);
	return text_from(sodium_bin2base64(out, size, sealed.p, sealed.n, VARIANT));
}

/* The opened cursor as JSON, NULL when it is not one of ours for this list. */
static struct json *
open_cursor(struct request *rq, struct text printed)
{
	static const struct json_limits limits = { .depth = 1, .values = ORDER_MAX + 2 };
	uint8_t *sealed = arena_alloc(rq->arena, CURSOR_MAX);
	struct secret opened;
	struct text problem;
	size_t n;

	if (sodium_base642bin(sealed, CURSOR_MAX, printed.s, printed.n, NULL, &n, NULL, VARIANT) !=
		0 ||
	    !seal_open(
		rq->keyring, (struct bytes){ sealed, n }, list_digest(rq), rq->arena, &opened))
		return NULL;
	return json_read(
	    (struct text){ (const char *)opened.bytes, opened.n }, &limits, rq->arena, &problem);
}

/* A value of a cursor, by the kind of its term. */
static struct value
read_value(enum kind kind, const struct json *json)
{
	struct value v = { .kind = kind };

	if (kind == KIND_INT)
		v.i = json->integer;
	else if (kind == KIND_BOOL)
		v.b = json->boolean;
	else if (kind == KIND_STAMP)
		v.null = !stamp_parse(json->text, &v.s);
	else
		v.t = json->text;
	return v;
}

int64_t
cursor_read(struct request *rq, const struct ordering *o, struct value *first)
{
	struct text printed = request_param(rq, T("cursor"));
	const struct json *json;
	int64_t page;

	if (printed.n == 0 || (json = open_cursor(rq, printed)) == NULL || json->count != o->n + 1)
		return 0;
	json = json->first;
	page = json->integer;
	for (size_t i = 0; i < o->n; i++) {
		json = json->next;
		first[i] = read_value(o->terms[i].kind, json);
	}
	return page;
}
