#include "base/base.h"

#include "users/users_int.h"

/* A user and his token. */
struct holder {
	int64_t id;
	struct uuid uuid;
	struct stamp created;
	struct text first_name, last_name, username;
	bool is_active;
	struct maybe token_lifetime;
	struct bytes sealed;
};

static const struct db_column holder_columns[] = {
	COLUMN(holder, id),
	COLUMN(holder, uuid),
	COLUMN(holder, created),
	COLUMN(holder, first_name),
	COLUMN(holder, last_name),
	COLUMN(holder, username),
	COLUMN(holder, is_active),
	COLUMN(holder, token_lifetime),
	COLUMN(holder, sealed),
};

static const struct db_stmt holder_by_uuid = {
	.name = "holder_by_uuid",
	.sql = "SELECT u.id, u.uuid, t.created, u.first_name, u.last_name, u.username, u.is_active,"
	       "  u.token_lifetime, t.sealed"
	       " FROM users u LEFT JOIN tokens t ON t.user_id = u.id WHERE u.uuid = ?",
	.columns = holder_columns,
	.ncolumns = countof(holder_columns),
};

/* clang-format off */
static const struct shape token_members[] = {
	{ .name = "created", .kind = KIND_STAMP, .help = "When the token was last used." },
	{ .name = "user_first_name", .kind = KIND_TEXT, .example = "Alice", .help = "First name." },
	{ .name = "user_last_name", .kind = KIND_TEXT, .example = "Example", .help = "Last name." },
	{ .name = "user_username", .kind = KIND_TEXT, .example = "alice", .help = "Username." },
	{ .name = "user_is_active", .kind = KIND_BOOL, .help = "Whether the user may sign in." },
	{ .name = "user_token_lifetime", .kind = KIND_MAYBE, .null = true,
	  .help = "Seconds without use after which the token expires; null: never." },
	{ .name = "token", .kind = KIND_TEXT, .example = SHAPE_TOKEN, .help = "The token." },
	{ 0 },
};
/* clang-format on */

static const struct shape token_shape = { .kind = KIND_JSON, .members = token_members };

const struct action user_token_action = {
	.outcomes = (const struct outcome[]){ { .status = 200, .shape = &token_shape }, { 0 } },
};

static int
answer_token(struct request *rq, const struct holder *h, struct text key)
{
	struct json_writer *w = reply_json(rq, 200);

	json_object(w);
	json_member_value(w, "created", V(h->created));
	json_member_text(w, "user_first_name", h->first_name);
	json_member_text(w, "user_last_name", h->last_name);
	json_member_text(w, "user_username", h->username);
	json_member_value(w, "user_is_active", V(h->is_active));
	json_member_value(w, "user_token_lifetime", V(h->token_lifetime));
	json_member_text(w, "token", key);
	json_object_end(w);
	return reply_end(rq);
}

int
user_token(struct request *rq)
{
	struct holder h;
	struct text key;

	if (!db_row(rq->db, &holder_by_uuid, &h, V(rq->uuid)))
		return resource_not_found(rq, &users);
	key = token_unseal(rq, h.sealed, h.uuid);
	if (text_is_none(key))
		return reply_detail(rq, 404, "No Token matches the given query.");
	return answer_token(rq, &h, key);
}

int
user_refresh_token(struct request *rq)
{
	struct holder h;
	struct text key;

	if (!db_row(rq->db, &holder_by_uuid, &h, V(rq->uuid)))
		return resource_not_found(rq, &users);
	key = token_issue(rq, (struct token_owner){ h.id, h.uuid });
	audit(rq, EVENT_TOKEN_CREATED, subject_user(h.uuid), TEXT_NONE);
	h.created = rq->now;
	return answer_token(rq, &h, key);
}
