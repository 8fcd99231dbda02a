/* Many users at once, as POST /api/users/ creates one: slugs, tokens and audit events as well. */
#include "base/base.h"

#include "users/users_int.h"

struct creation {
	struct bulk b;
	struct sql events;
};

/* Copies, so that what hooks set is not there at another try. */
static struct bulk
copy(struct request *rq, const struct bulk *asked)
{
	struct draft *drafts = arena_alloc(rq->arena, asked->n * sizeof(*drafts));
	struct bulk b = *asked;

	b.drafts = arena_alloc(rq->arena, asked->n * sizeof(*b.drafts));
	for (size_t i = 0; i < b.n; i++) {
		drafts[i] = *asked->drafts[i];
		b.drafts[i] = &drafts[i];
	}
	return b;
}

static void
issue_tokens(struct request *rq, const struct bulk *b)
{
	struct token_owner *owners = arena_alloc(rq->arena, b->n * sizeof(*owners));

	for (size_t i = 0; i < b->n; i++)
		owners[i] = (struct token_owner){ b->drafts[i]->id, b->drafts[i]->uuid };
	token_issue_first(rq, owners, b->n);
}

static struct sql
events_of(struct request *rq, const struct bulk *b)
{
	struct audited *what = arena_alloc(rq->arena, b->n * sizeof(*what));

	for (size_t i = 0; i < b->n; i++)
		what[i] = (struct audited){ subject_user(b->drafts[i]->uuid),
			audit_changes(rq, b->drafts[i]) };
	return audit_many(rq, EVENT_USER_CREATED, what, b->n);
}

struct creation *
users_create(struct request *rq, struct slugs *slugs, const struct bulk *asked)
{
	struct creation *c = arena_alloc(rq->arena, sizeof(*c));

	c->b = copy(rq, asked);
	bulk_insert(rq, slugs, &c->b);
	c->events = events_of(rq, &c->b); /* while the database is at work */
	return c;
}

struct text
users_created(struct request *rq, struct creation *c)
{
	struct text key = bulk_inserted(rq, &c->b);

	if (!text_is_none(key) || db_failed(rq->db))
		return key;
	audit_send(rq, &c->events);
	issue_tokens(rq, &c->b);
	return TEXT_NONE;
}

bool
users_imported(struct request *rq, struct text prefix)
{
	struct value one = { .kind = KIND_INT };
	struct sql q;

	sql_init(&q, rq->arena);
	sql_add(&q, "SELECT 1 FROM audit_events WHERE request_id LIKE CONCAT(");
	sql_value(&q, V(prefix));
	sql_add(&q, ", '%') LIMIT 1");
	return db_row_sql(rq->db, "users_imported", DB_READ, &q, &one, 1);
}

void
users_check_imported(struct request *rq, const struct bulk *b, struct text prefix,
    void (*tell)(void *ctx, size_t i), void *ctx)
{
	struct value username = { .kind = KIND_TEXT };
	struct sql q;
	size_t n = 0;

	sql_init(&q, rq->arena);
	sql_add(&q,
	    "SELECT u.username FROM users u JOIN audit_events e ON e.subject_uuid = u.uuid"
	    " WHERE e.request_id LIKE CONCAT(");
	sql_value(&q, V(prefix));
	sql_add(&q, ", '%') AND u.username IN ");
	while (n < b->n)
		sql_list_value(&q, &n, draft_value(b->drafts[n], "username"));
	sql_list_end(&q, n);
	db_query_sql(rq->db, "users_imported", DB_READ, &q, &username, 1);
	while (db_next(rq->db))
		for (size_t i = 0; i < b->n; i++)
			if (text_eq(draft_value(b->drafts[i], "username").t, username.t))
				tell(ctx, i);
}
