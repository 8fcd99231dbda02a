/*
 * What staff does with everybody's tokens: /api/auth-tokens/.
 *
 * Since a user has one token at most, and it goes by the user's id, the resource is users: those that
 * have a token. A token's last use counts here once it is in the database, up to a minute late; who still
 * uses his token is signed in all the same.
 */
#include "base/base.h"

#include "audit/audit.h"
#include "auth/auth.h"
#include "http/etag.h"
#include "resource/resource.h"

#define PATH "/api/auth-tokens/"

enum { JOIN_TOKEN = 1u << 0 };

static const char *const joins[] = { "JOIN tokens t ON t.user_id = u.id" };

static void
encode_url(struct request *rq, struct json_writer *w, const struct value *v)
{
	json_text(
	    w, arena_printf(rq->arena, "%.*s" PATH "%lld/", TEXT_ARGS(rq->base), (long long)v->i));
}

static const struct shape url_shape = {
	.kind = KIND_TEXT,
	.url = PATH,
	.example = "https://roster.example.org" PATH "17/",
};

/* clang-format off */
static const struct field fields[] = {
	{ .name = "url", .kind = KIND_INT, .expression = "u.id", .encode = encode_url,
	  .shape = &url_shape,
	  .read = STAFF, .order = { "u.id" },
	  .help = "Where this token is found: by its user's number." },
	{ .name = "created", .kind = KIND_STAMP, .expression = "t.created", .joins = JOIN_TOKEN,
	  .read = STAFF,
	  .help = "When the token was last used." },
	{ .name = "user", .kind = KIND_UUID, .expression = "u.uuid", .url = "/api/users/",
	  .read = STAFF,
	  .help = "Whose token it is." },
	{ .name = "user_first_name", .kind = KIND_TEXT, .expression = "u.first_name",
	  .read = STAFF,
	  .example = "Alice",
	  .help = "The user's first name." },
	{ .name = "user_last_name", .kind = KIND_TEXT, .expression = "u.last_name",
	  .read = STAFF,
	  .example = "Example",
	  .help = "The user's last name." },
	{ .name = "user_username", .kind = KIND_TEXT, .expression = "u.username",
	  .read = STAFF,
	  .example = "alice",
	  .help = "The user's name to sign in with." },
	{ .name = "user_is_active", .kind = KIND_BOOL, .expression = "u.is_active",
	  .read = STAFF,
	  .help = "Whether the user may sign in." },
	{ .name = "user_token_lifetime", .kind = KIND_MAYBE, .expression = "u.token_lifetime",
	  .read = STAFF,
	  .help = "Seconds without use after which the token expires; null: never." },
};
/* clang-format on */

static void
filter_user_uuid(struct request *rq, struct sql *where, struct text value)
{
	struct uuid uuid;

	if (!filter_read_uuid(rq, "user_uuid", value, &uuid))
		return;
	sql_add(where, " AND u.uuid = ");
	sql_value(where, V(uuid));
}

static const struct filter filters[] = {
	{ .name = "user_uuid",
	    .apply = filter_user_uuid,
	    .kind = KIND_UUID,
	    .help = "Of this user." },
	{ 0 },
};

/* Tokens that still open the API, as token_expired() has it. */
static void
unexpired(struct request *rq, struct sql *where)
{
	int64_t max_age = rq->config->token_max_age;

	sql_add(where,
	    " AND EXISTS (SELECT 1 FROM tokens x WHERE x.user_id = u.id AND"
	    " (u.token_lifetime IS NULL OR x.created + INTERVAL u.token_lifetime SECOND >= ");
	sql_value(where, V(rq->now));
	sql_add(where, ")");
	if (max_age > 0) {
		sql_add(where, " AND x.made >= ");
		sql_value(where, V(((struct stamp){ rq->now.us - max_age * SECONDS })));
	}
	sql_add(where, ")");
}

static const struct resource auth_tokens = {
	.name = "auth token",
	.model = "Token",
	.path = PATH,
	.table = "users",
	.alias = "u",
	.fields = fields,
	.nfields = countof(fields),
	.joins = joins,
	.njoins = countof(joins),
	.filters = filters,
	.order = "url",
	.visible = unexpired,
};

/* A token's user. */
struct bearer {
	int64_t id, version;
	struct uuid uuid;
};

static const struct db_column bearer_columns[] = {
	COLUMN(bearer, id),
	COLUMN(bearer, version),
	COLUMN(bearer, uuid),
};

#define BEARER                           \
	"SELECT u.id, u.version, u.uuid" \
	" FROM users u JOIN tokens t ON t.user_id = u.id WHERE u.id = ?"

static const struct db_stmt bearer_by_id = {
	.name = "bearer_by_id",
	.sql = BEARER,
	.columns = bearer_columns,
	.ncolumns = countof(bearer_columns),
};

static const struct db_stmt bearer_lock = {
	.name = "bearer_lock",
	.access = DB_LOCK,
	.sql = BEARER " FOR UPDATE",
	.columns = bearer_columns,
	.ncolumns = countof(bearer_columns),
};

/* The path's user, when there is one and he has a token, expired or not. */
static bool
find_bearer(struct request *rq, const struct db_stmt *stmt, struct bearer *b)
{
	int64_t id;

	return text_to_int(rq->args[0], &id) && db_row(rq->db, stmt, b, V(id));
}

static int
retrieve(struct request *rq)
{
	struct bearer b;

	if (!find_bearer(rq, &bearer_by_id, &b))
		return resource_not_found(rq, &auth_tokens);
	return resource_answer(rq, &auth_tokens, 200, b.id, NULL);
}

static int delete (struct request *rq)
{
	struct bearer b;

	if (!find_bearer(rq, &bearer_lock, &b))
		return resource_not_found(rq, &auth_tokens);
	if (!etag_may_change(rq, b.version))
		return reply_changed_meanwhile(rq);
	token_end(rq, b.id);
	audit(rq, EVENT_TOKEN_DELETED, (struct subject){ "user", b.uuid }, TEXT_NONE);
	return reply_empty(rq, 204);
}

/* clang-format off */
static const struct route routes[] = {
	{ .method = METHOD_GET, .pattern = PATH, .who = STAFF,
	  .handle = resource_list, .subject = &auth_tokens,
	  .help = "Lists the tokens that have not expired." },
	{ .method = METHOD_GET, .pattern = PATH "{user}/", .who = STAFF, .handle = retrieve,
	  .as = resource_retrieve, .subject = &auth_tokens,
	  .help = "A user's token, without its key." },
	{ .method = METHOD_DELETE, .pattern = PATH "{user}/", .who = STAFF, .handle = delete,
	  .as = resource_delete, .subject = &auth_tokens,
	  .help = "Ends a user's token." },
};
/* clang-format on */

static const struct tag tags[] = {
	{ "auth-tokens", "The tokens of all, without their keys." },
	{ 0 },
};

const struct route_table auth_token_routes = {
	.routes = routes, .n = countof(routes), .tags = tags
};
