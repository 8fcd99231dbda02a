#include "base/base.h"

#include "crypto/digest.h"
#include "http/etag.h"

/* Digits of the digest in a tag: enough for one object's history. */
#define DIGITS 16

/* The next tag of a list, without quotes; weak when it had W/ before it. false at the end. */
static bool
next_tag(struct text *list, struct text *tag, bool *weak)
{
	struct text part;

	while (text_split(list, ',', &part)) {
		part = text_trim(part);
		*weak = text_starts(part, T("W/"));
		if (text_eq(part, T("*"))) {
			*tag = part;
			return true;
		}
		if (*weak)
			part = text_slice(part, 2, part.n);
		if (part.n >= 2 && part.s[0] == '"' && part.s[part.n - 1] == '"') {
			*tag = text_slice(part, 1, part.n - 1);
			return true;
		}
	}
	return false;
}

bool
etag_listed(struct text header, struct text tag, enum etag_comparison comparison)
{
	struct text listed;
	bool weak;

	while (next_tag(&header, &listed, &weak))
		if (text_eq(listed, T("*")) ||
		    (text_eq(listed, tag) && !(weak && comparison == ETAG_STRONG)))
			return true;
	return false;
}

int
reply_etag(struct request *rq, int64_t version)
{
	struct text body = { rq->reply.body, rq->reply.n };
	struct text printed = hex(digest(&body, 1, rq->arena), rq->arena);
	struct text tag =
	    arena_printf(rq->arena, "%lld-%.*s", (long long)version, DIGITS, printed.s);
	struct text wanted = request_header(rq, "If-None-Match");

	must(!rq->reply.started);
	reply_header(rq, "ETag", arena_printf(rq->arena, "\"%.*s\"", TEXT_ARGS(tag)));
	if ((rq->method & (METHOD_GET | METHOD_HEAD)) != 0 && !text_is_none(wanted) &&
	    etag_listed(wanted, tag, ETAG_WEAK))
		return reply_empty(rq, 304);
	return rq->reply.status;
}

bool
etag_may_change(struct request *rq, int64_t version)
{
	struct text list = request_header(rq, "If-Match"), tag;
	int64_t known;
	bool weak;

	if (text_is_none(list))
		return true;
	while (next_tag(&list, &tag, &weak)) {
		if (text_eq(tag, T("*")))
			return true;
		if (!weak && text_to_int(text_slice(tag, 0, text_find(tag, '-', 0)), &known) &&
		    known == version)
			return true;
	}
	return false;
}

int
reply_changed_meanwhile(struct request *rq)
{
	return reply_detail(rq, 412, "The object has changed since it was read.");
}
