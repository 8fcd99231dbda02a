#include "base/base.h"

#include "audit/audit.h"
#include "auth/auth_int.h"
#include "crypto/password.h"
#include "crypto/weak.h"
#include "http/body.h"
#include "http/shape.h"

struct login {
	struct text username, password;
};

static const struct body_field login_body[] = {
	BODY(login, username, "The username.", "alice", .max = 128, .required = true,
	    .filled = true),
	BODY(login, password, "The password.", "correct horse battery staple", .required = true,
	    .filled = true, .untrimmed = true),
};

static const struct shape token_members[] = {
	{ .name = "token",
	    .kind = KIND_TEXT,
	    .example = SHAPE_TOKEN,
	    .help = "For Authorization." },
	{ 0 },
};

static const struct shape token_shape = { .kind = KIND_JSON, .members = token_members };

static const struct action login_action = {
	.body = login_body,
	.nbody = countof(login_body),
	.outcomes =
	    (const struct outcome[]){
		{ .status = 200, .shape = &token_shape },
		{ .status = 401 },
		{ 0 },
	    },
};

static const struct action logout_action = {
	.outcomes = (const struct outcome[]){ { .status = 204 }, { 0 } },
};

/* Who signs in. */
struct account {
	int64_t id;
	struct uuid uuid;
	struct text username, password;
	bool is_active;
	struct maybe token_lifetime;
};

static const struct db_column account_columns[] = {
	COLUMN(account, id),
	COLUMN(account, uuid),
	COLUMN(account, username),
	COLUMN(account, password),
	COLUMN(account, is_active),
	COLUMN(account, token_lifetime),
};

static const struct db_stmt account_by_username = {
	.name = "account_by_username",
	.sql = "SELECT id, uuid, username, password, is_active, token_lifetime"
	       " FROM users WHERE username = ?",
	.columns = account_columns,
	.ncolumns = countof(account_columns),
};

/*
 * Only while the password is the one that was compared with, which takes its time. last_login is no part of the
 * object: it does not raise the version.
 */
static const struct db_stmt account_logged_in = {
	.name = "account_logged_in",
	.access = DB_WRITE,
	.sql = "UPDATE users SET last_login = ?, password = COALESCE(?, password)"
	       " WHERE id = ? AND password = ?",
};

/* His token, read under the lock of his row: two who sign in at once get the same one. */
struct held {
	int64_t id;
	struct bytes sealed;
	struct stamp created, made;
};

static const struct db_column held_columns[] = {
	COLUMN(held, id),
	COLUMN(held, sealed),
	COLUMN(held, created),
	COLUMN(held, made),
};

static const struct db_stmt held_by_user = {
	.name = "token_held_by_user",
	.sql = "SELECT id, sealed, created, made FROM tokens WHERE user_id = ?",
	.columns = held_columns,
	.ncolumns = countof(held_columns),
};

static const struct db_stmt token_stamp = {
	.name = "token_stamp",
	.access = DB_WRITE,
	.sql = "UPDATE tokens SET created = ? WHERE id = ?",
};

/* The caller's; not one that was made for him since he was let in. */
static const struct db_stmt token_leave = {
	.name = "token_leave",
	.access = DB_WRITE,
	.sql = "DELETE FROM tokens WHERE id = ?",
};

/* Whether the password is right; takes the same time when there is nobody to compare with. */
static bool
is_password_right(struct request *rq, const struct account *a, bool found, struct secret password)
{
	if (found && a->is_active && a->password.n > 0)
		return password_verify(password, a->password, rq->arena);
	password_verify_dummy(password, rq->arena);
	return false;
}

/* The key of the token that still holds, or of a new one. */
static struct text
current_key(struct request *rq, const struct account *a)
{
	struct held held;
	struct stamp used;
	struct text key;

	if (!db_row(rq->db, &held_by_user, &held, V(a->id)))
		return token_issue(rq, (struct token_owner){ a->id, a->uuid });
	used = uses_last(held.id, held.created);
	key = token_unseal(rq, held.sealed, a->uuid);
	if (text_is_none(key) || token_expired(rq, used, held.made, a->token_lifetime))
		return token_issue(rq, (struct token_owner){ a->id, a->uuid });
	if (used.us < rq->now.us - TOKEN_STAMP_AGE)
		db_exec(rq->db, &token_stamp, V(rq->now), V(held.id));
	return key;
}

static bool
read_login(struct request *rq, struct login *in)
{
	int64_t max = rq->config->password_max_length;
	bool good = body_read(rq, login_body, countof(login_body), in);

	if (!password_is_too_long(secret_from(in->password), max, rq->arena))
		return good;
	problem_printf(rq, T("password"), "Ensure this field has no more than %lld characters.",
	    (long long)max);
	return false;
}

static int
login(struct request *rq)
{
	struct login in = { 0 };
	struct account a = { 0 };
	struct text rehashed = TEXT_NONE, key;
	bool found;
	int refused;

	if (!read_login(rq, &in))
		return body_trouble(rq);
	if (!rq->config->local_signin)
		return reply_unauthorized(rq,
		    "Authentication method is disabled. Please use another authentication method "
		    "or contact staff.");
	if ((refused = throttle_refuse(rq, in.username)) != 0)
		return refused;
	found = db_row(rq->db, &account_by_username, &a, V(in.username));
	if (!is_password_right(rq, &a, found, secret_from(in.password))) {
		throttle_failed(rq, in.username);
		return reply_unauthorized(rq, "Invalid username/password.");
	}
	if (password_needs_rehash(a.password))
		rehashed = password_hash(secret_from(in.password), rq->arena);

	if (db_exec(rq->db, &account_logged_in, V(rq->now), V(rehashed), V(a.id), V(a.password)) ==
	    0)
		db_again(rq->db);
	throttle_succeeded(rq, in.username, a.id);
	key = current_key(rq, &a);
	rq->caller =
	    (struct caller){ .who = ANONYMOUS, .id = a.id, .uuid = a.uuid, .username = a.username };
	audit(rq, EVENT_LOGGED_IN, (struct subject){ "user", a.uuid }, TEXT_NONE);

	json_object(reply_json(rq, 200));
	json_member_text(&rq->reply.json, "token", key);
	json_object_end(&rq->reply.json);
	return reply_end(rq);
}

static int
logout(struct request *rq)
{
	db_exec(rq->db, &token_leave, V(rq->caller.token_id));
	audit(rq, EVENT_LOGGED_OUT, (struct subject){ "user", rq->caller.uuid }, TEXT_NONE);
	return reply_empty(rq, 204);
}

/* clang-format off */
static const struct route routes[] = {
	{ .method = METHOD_POST, .pattern = "/api-auth/password/", .lane = LANE_SLOW,
	  .who = ANYONE, .no_credentials = true, .handle = login, .action = &login_action,
	  .help = "Signs in with username and password; the answer holds the token." },
	{ .method = METHOD_POST, .pattern = "/api-auth/logout/",
	  .who = SIGNED_IN, .handle = logout, .action = &logout_action,
	  .help = "Ends the caller's token." },
};
/* clang-format on */

static const struct tag tags[] = {
	{ "api-auth", "Signing in and out." },
	{ 0 },
};

const struct route_table auth_routes = { .routes = routes, .n = countof(routes), .tags = tags };
