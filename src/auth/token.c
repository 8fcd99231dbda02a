#include "base/base.h"

#include "auth/auth_int.h"
#include "crypto/token.h"

struct sealed_token {
	struct bytes sealed;
	struct uuid owner;
};

static const struct db_column sealed_columns[] = {
	COLUMN(sealed_token, sealed),
	COLUMN(sealed_token, owner),
};

static const struct db_stmt token_newest = {
	.name = "token_newest",
	.sql = "SELECT t.sealed, u.uuid FROM tokens t JOIN users u ON u.id = t.user_id"
	       " ORDER BY t.id DESC LIMIT 1",
	.columns = sealed_columns,
	.ncolumns = countof(sealed_columns),
};

#define INTO_TOKENS " INTO tokens (user_id, lookup, sealed, created, made) VALUES "

/* In one statement: of two at once for a user who has no token, each would find none to delete. */
static const struct db_stmt token_put = {
	.name = "token_put",
	.access = DB_WRITE,
	.sql = "REPLACE" INTO_TOKENS "(?, ?, ?, ?, ?)",
};

static const struct db_stmt token_delete = {
	.name = "token_delete",
	.access = DB_WRITE,
	.sql = "DELETE FROM tokens WHERE user_id = ?",
};

struct own {
	int64_t id;
};

static const struct db_column own_columns[] = { COLUMN(own, id) };

static const struct db_stmt token_own = {
	.name = "token_own",
	.access = DB_LOCK,
	.sql = "SELECT id FROM tokens WHERE user_id = ? FOR UPDATE",
	.columns = own_columns,
	.ncolumns = countof(own_columns),
};

static struct bytes
context_of(const struct uuid *owner)
{
	return (struct bytes){ owner->b, sizeof(owner->b) };
}

const struct sealed_column sealed_tokens = {
	.name = "tokens",
	.table = "tokens",
	.column = "sealed",
	.context = "(SELECT u.uuid FROM users u WHERE u.id = tokens.user_id)",
	.lookup = "token",
};

bool
token_expired(const struct request *rq, struct stamp used, struct stamp made, struct maybe lifetime)
{
	int64_t max_age = rq->config->token_max_age;

	if (max_age > 0 && made.us < rq->now.us - max_age * SECONDS)
		return true;
	return lifetime.is && used.us < rq->now.us - lifetime.n * SECONDS;
}

void
token_end(struct request *rq, int64_t user_id)
{
	db_exec(rq->db, &token_delete, V(user_id));
}

/* Adds a token's row, in the order of INTO_TOKENS. */
static void
add_token(struct request *rq, struct sql *q, struct token_owner owner, struct text token)
{
	struct secret key = secret_from(token);
	const struct value values[] = {
		V(owner.id),
		V(lookup_hash(rq->keyring, 0, "token", key, rq->arena)),
		V(seal(rq->keyring, key, context_of(&owner.uuid), rq->arena)),
		V(rq->now),
		V(rq->now),
	};

	sql_row(q, values, countof(values));
}

void
token_issue_first(struct request *rq, const struct token_owner *owners, size_t n)
{
	struct text *tokens = arena_alloc(rq->arena, n * sizeof(*tokens));
	struct sql q;

	tokens_new(rq->arena, tokens, n);
	sql_init(&q, rq->arena);
	sql_add(&q, "INSERT" INTO_TOKENS);
	for (size_t i = 0; i < n; i++)
		add_token(rq, &q, owners[i], tokens[i]);
	db_send_sql(rq->db, "tokens_insert", &q);
}

/*
 * Whoever asks for another key of his own has to have the one that he was let in by: since then he may have been
 * shut out, by an owner who has changed his password.
 */
static void
check_own(struct request *rq, int64_t user_id)
{
	struct own own;

	if (user_id == rq->caller.id &&
	    (!db_row(rq->db, &token_own, &own, V(user_id)) || own.id != rq->caller.token_id))
		db_again(rq->db);
}

struct text
token_issue(struct request *rq, struct token_owner owner)
{
	struct text key = token_new(rq->arena);
	struct secret s = secret_from(key);
	struct bytes lookup = lookup_hash(rq->keyring, 0, "token", s, rq->arena);
	struct bytes sealed = seal(rq->keyring, s, context_of(&owner.uuid), rq->arena);

	check_own(rq, owner.id);
	db_exec(rq->db, &token_put, V(owner.id), V(lookup), V(sealed), V(rq->now), V(rq->now));
	return key;
}

struct text
token_unseal(struct request *rq, struct bytes sealed, struct uuid owner)
{
	struct secret s;

	if (sealed.p == NULL || !seal_open(rq->keyring, sealed, context_of(&owner), rq->arena, &s))
		return TEXT_NONE;
	return (struct text){ (const char *)s.bytes, s.n };
}

bool
tokens_open(struct db *db, const struct keyring *keyring, struct arena *a, struct text *problem)
{
	struct sealed_token newest;
	struct secret key;
	bool found;

	db_begin(db, a, false, TEXT_NONE);
	found = db_row(db, &token_newest, &newest);
	*problem = T("the database did not tell whether the keys are its own: see the log");
	if (db_end(db, false) != DB_NONE)
		return false;
	*problem =
	    T("the keys do not open what is in the database: put the key file back that "
	      "belongs to it, or add its keys to this one; \"A lost key file\" in operating.md "
	      "says what to do when they are gone");
	return !found || seal_open(keyring, newest.sealed, context_of(&newest.owner), a, &key);
}
