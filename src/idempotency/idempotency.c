#include "base/base.h"

#include "crypto/digest.h"
#include "crypto/seal.h"
#include "http/body.h"
#include "idempotency/idempotency.h"

#define KEPT (24 * 3600 * SECONDS)
#define KEY_MAX 255

/* Rows that one run of the purge deletes at a time, so that no transaction gets long. */
#define PURGE_BATCH 1000

struct kept {
	int64_t id, status;
	struct bytes request, answer;
	struct stamp created;
};

static const struct db_column kept_columns[] = {
	COLUMN(kept, id),
	COLUMN(kept, status),
	COLUMN(kept, request),
	COLUMN(kept, answer),
	COLUMN(kept, created),
};

const struct sealed_column sealed_answers = {
	.name = "kept answers",
	.table = "idempotency_keys",
	.column = "answer",
	.context = "lookup",
};

static const struct db_stmt kept_lock = {
	.name = "idempotency_lock",
	.access = DB_LOCK,
	.sql = "SELECT id, status, request, answer, created FROM idempotency_keys WHERE lookup = ?"
	       " FOR UPDATE NOWAIT",
	.columns = kept_columns,
	.ncolumns = countof(kept_columns),
};

static const struct db_stmt kept_insert = {
	.name = "idempotency_insert",
	.access = DB_WRITE,
	.sql = "INSERT INTO idempotency_keys (lookup, request, created) VALUES (?, ?, ?)",
};

static const struct db_stmt kept_answer = {
	.name = "idempotency_answer",
	.access = DB_WRITE,
	.sql = "UPDATE idempotency_keys SET status = ?, answer = ? WHERE id = ?",
};

static const struct db_stmt kept_delete = {
	.name = "idempotency_delete",
	.access = DB_WRITE,
	.sql = "DELETE FROM idempotency_keys WHERE id = ?",
};

static const struct db_stmt kept_purge = {
	.name = "idempotency_purge",
	.access = DB_WRITE,
	.sql = "DELETE FROM idempotency_keys WHERE created < ? ORDER BY created LIMIT ?",
};

/* What a body says, whatever its format: {"a": 1} in JSON of any spacing is the same. */
static void
add_json(struct buf *b, const struct json *json)
{
	buf_printf(b, "%d %d %zu:", (int)json->type, (int)json->boolean, json->count);
	buf_printf(b, "%zu ", json->key.n);
	buf_add(b, json->key);
	buf_printf(b, "%zu ", json->text.n);
	buf_add(b, json->text);
	for (const struct json *j = json->first; j != NULL; j = j->next)
		add_json(b, j);
}

static struct bytes
request_digest(struct request *rq)
{
	struct buf body;
	struct text parts[2] = { rq->query };

	buf_init(&body, rq->arena);
	add_json(&body, rq->body);
	parts[1] = buf_text(&body);
	return digest(parts, countof(parts), rq->arena);
}

/* Of the caller, who asks in his name if another does, the path and the key. */
static struct bytes
lookup_of(struct request *rq, struct text key)
{
	const struct caller *c = &rq->caller;
	struct text parts[] = {
		{ (const char *)c->uuid.b, sizeof(c->uuid.b) },
		{ (const char *)c->impersonator.b, sizeof(c->impersonator.b) },
		rq->path,
		key,
	};

	return digest(parts, countof(parts), rq->arena);
}

/* The headers that belong to the answer, a line each, an empty line, the body. */
static struct text
print_answer(struct request *rq)
{
	const struct reply *r = &rq->reply;
	struct buf b;

	buf_init(&b, rq->arena);
	for (size_t i = 0; i < r->nheaders; i++)
		buf_printf(&b, "%.*s:%.*s\n", TEXT_ARGS(r->headers[i].name),
		    TEXT_ARGS(r->headers[i].value));
	buf_add_char(&b, '\n');
	if (!r->empty)
		buf_add(&b, (struct text){ r->body, r->n });
	return buf_text(&b);
}

static int
answer_again(struct request *rq, int status, struct text answer)
{
	struct text rest = answer, line;

	while (text_split(&rest, '\n', &line) && line.n > 0) {
		size_t colon = text_find(line, ':', 0);

		reply_header(rq, arena_text(rq->arena, text_slice(line, 0, colon)).s,
		    text_slice(line, colon + 1, line.n));
	}
	reply_header(rq, "Idempotent-Replayed", T("true"));
	if (rest.n == 0)
		return reply_empty(rq, status);
	json_raw(reply_json(rq, status), rest);
	return reply_end(rq);
}

/* Answers by the row that is there; 0 when what it holds can't be read any more. */
static int
answer_by(struct request *rq, const struct kept *k, struct bytes lookup, struct bytes asked)
{
	struct secret answer;

	if (k->request.n != asked.n || memcmp(k->request.p, asked.p, asked.n) != 0)
		return reply_detail(
		    rq, 422, "This Idempotency-Key was used before with another request.");
	if (!seal_open(rq->keyring, k->answer, lookup, rq->arena, &answer))
		return 0;
	return answer_again(
	    rq, (int)k->status, (struct text){ (const char *)answer.bytes, answer.n });
}

static void
claim(struct request *rq, struct bytes lookup, struct bytes asked)
{
	db_exec(rq->db, &kept_insert, V(lookup), V(asked), V(rq->now));
	rq->idempotency_id = db_last_id(rq->db);
	/* Somebody was faster: his answer is there in a moment. */
	if (!text_is_none(db_duplicate(rq->db)))
		db_again(rq->db);
	reply_hold(rq);
}

int
idempotency_begin(struct request *rq)
{
	struct text key = request_header(rq, "Idempotency-Key");
	struct bytes lookup, asked;
	struct kept k;
	bool found;
	int status = 0;

	rq->idempotency_id = 0;
	if (rq->method != METHOD_POST || text_is_none(key) || rq->caller.who == ANONYMOUS)
		return 0;
	if (key.n == 0 || key.n > KEY_MAX)
		return reply_detail(
		    rq, 400, "Idempotency-Key must have 1 to %d characters.", KEY_MAX);
	if (!body_parse(rq))
		return body_trouble(rq);
	lookup = lookup_of(rq, key);
	asked = request_digest(rq);
	found = db_row(rq->db, &kept_lock, &k, V(lookup));
	rq->idempotency_busy = db_locked(rq->db);
	if (db_failed(rq->db))
		return 503; /* which the worker answers, in its own words */
	/* Of a refusal that was committed, because it counts as a failed sign-in, no answer was kept. */
	if (found && k.status != 0 && k.created.us > rq->now.us - KEPT)
		status = answer_by(rq, &k, lookup, asked);
	if (status != 0)
		return status;
	if (found)
		db_exec(rq->db, &kept_delete, V(k.id));
	claim(rq, lookup, asked);
	return 0;
}

void
idempotency_end(struct request *rq)
{
	struct text key = request_header(rq, "Idempotency-Key");
	struct bytes sealed;

	if (rq->idempotency_id == 0)
		return;
	sealed = seal(rq->keyring, secret_from(print_answer(rq)), lookup_of(rq, key), rq->arena);
	db_exec(
	    rq->db, &kept_answer, V((int64_t)rq->reply.status), V(sealed), V(rq->idempotency_id));
}

void
idempotency_purge(struct db *db, const struct config *config UNUSED, struct arena *a)
{
	struct stamp before = { stamp_now().us - KEPT };
	int64_t deleted = PURGE_BATCH;

	while (deleted == PURGE_BATCH)
		if (db_exec_commit(
			db, a, &deleted, &kept_purge, V(before), V((int64_t)PURGE_BATCH)) < DB_NONE)
			return;
}
