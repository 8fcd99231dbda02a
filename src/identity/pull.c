/* A user's details from the service of the provider that manages them: asked for outside of a transaction, applied inside. */
#include "base/base.h"

#include "base/log.h"
#include "http/body.h"
#include "identity/identity_int.h"
#include "keys/keys.h"
#include "users/users.h"

#define DISABLED "Remote eduTEAMS account synchronization extension is disabled."
#define SYNC_DISABLED "Remote eduTEAMS user sync is disabled."
#define NOT_MANAGED "User is not managed by eduTEAMS."
#define UNREADABLE "Unable to parse JSON in user info response."

struct text
pull_url(const struct pull *pull, struct arena *a)
{
	struct text base = pull->provider.userinfo_url;

	if (base.s[base.n - 1] == '/')
		base.n--;
	return arena_printf(
	    a, "%.*s/%.*s", TEXT_ARGS(base), TEXT_ARGS(url_encode(a, pull->identifier)));
}

/*
 * One question, with a new token when the service does not take the one that was kept. The settings are read again
 * while somebody else fetches that: the token goes where they say.
 */
static struct reply_of_remote
ask_info(const struct asker *who, struct pull *pull)
{
	struct question q = { .provider = &pull->provider };
	struct reply_of_remote reply = { 0 };
	struct text refused = TEXT_NONE, problem;

	for (int tries = 0; tries < 2; tries++) {
		q.bearer = access_token(who, &pull->provider, refused, &problem);
		if (text_is_none(q.bearer)) {
			pull->problem = problem;
			break;
		}
		q.url = pull_url(pull, who->arena);
		pull->sent = stamp_now();
		reply = remote_ask(&q, who->arena);
		if (reply.status != 401)
			break;
		refused = q.bearer;
	}
	return reply;
}

/* Reads the answer of 200. */
static enum finding
read_info(struct pull *pull, struct text body, struct arena *a)
{
	static const struct json_limits limits = { .depth = 32, .values = 20000 };
	struct text problem;
	const struct json *json = json_read(body, &limits, a, &problem);
	const char *claim = "it is not JSON";

	if (json != NULL && claims_read(json, a, &pull->claims, &claim))
		return FOUND;
	log_warning("provider %.*s: user information is not as agreed: %s",
	    TEXT_ARGS(pull->provider.name), claim);
	pull->problem = T(UNREADABLE);
	return FOUND_TROUBLE;
}

void
pull_read(struct pull *pull, const struct reply_of_remote *reply, struct arena *a)
{
	struct text url = pull_url(pull, a);

	pull->finding = FOUND_TROUBLE;
	if (text_is_none(pull->problem))
		pull->problem = arena_printf(a, "Unable to get user info for %.*s", TEXT_ARGS(url));
	if (reply->status == 200)
		pull->finding = read_info(pull, reply->body, a);
	else if (reply->status == 404)
		pull->finding = FOUND_NOBODY;
	pull->asked = true;
}

void
pull_ask(const struct asker *who, struct pull *pull)
{
	struct reply_of_remote reply = ask_info(who, pull);

	pull_read(pull, &reply, who->arena);
}

/* Seconds that a pull takes at most: two questions, and a token for each, which somebody else may fetch. */
static int64_t
longest(const struct provider *p)
{
	return 4 * p->timeout + 20;
}

/* Staff ask for as many users as they like; who asks for himself, once at a time. */
static void
step(struct request *rq)
{
	const struct asker who = { rq->db, rq->arena, rq->keyring };
	struct pull *pull = rq->outside;
	bool own = (rq->caller.who & STAFF) == 0;

	if (own && !flight_begin(rq->caller.id, longest(&pull->provider))) {
		pull->finding = FOUND_BUSY;
		pull->asked = true;
		return;
	}
	pull_ask(&who, pull);
	if (own)
		flight_end(rq->caller.id);
}

/* A user as far as it matters here. */
struct pulled {
	int64_t id;
	struct uuid uuid;
	struct text username, registration_method, identity_source;
	struct stamp last_sync;
	bool is_active;
};

static const struct db_column pulled_columns[] = {
	COLUMN(pulled, id),
	COLUMN(pulled, uuid),
	COLUMN(pulled, username),
	COLUMN(pulled, registration_method),
	COLUMN(pulled, identity_source),
	COLUMN(pulled, last_sync),
	COLUMN(pulled, is_active),
};

#define PULLED                                                                                  \
	"SELECT id, uuid, username, registration_method, identity_source, last_sync, is_active" \
	" FROM users WHERE "

static const struct db_stmt pulled_by_uuid = {
	.name = "pulled_by_uuid",
	.sql = PULLED "uuid = ?",
	.columns = pulled_columns,
	.ncolumns = countof(pulled_columns),
};

static const struct db_stmt pulled_by_username = {
	.name = "pulled_by_username",
	.access = DB_LOCK,
	.sql = PULLED "username = ? FOR UPDATE",
	.columns = pulled_columns,
	.ncolumns = countof(pulled_columns),
};

/* No part of the user's object: its version stays. */
static const struct db_stmt user_synced = {
	.name = "user_synced",
	.access = DB_WRITE,
	.sql = "UPDATE users SET last_sync = ? WHERE id = ?",
};

static bool
is_managed(const struct pulled *u, struct text provider)
{
	return text_eq(u->registration_method, provider) || text_eq(u->identity_source, provider);
}

/*
 * Has the answer to a later question been written, by another request or the sync? What ours says was changed since. A
 * time to come is no time: a clock was wrong.
 */
static bool
is_overtaken(const struct pulled *u, const struct pull *pull)
{
	return u->last_sync.us > pull->sent.us && u->last_sync.us <= stamp_now().us;
}

static void
set_text(struct draft *d, const char *field, struct text t)
{
	if (!text_is_none(t))
		draft_set(d, field, V(t));
}

static void
fill_details(struct draft *d, const struct claims *c)
{
	struct value affiliations = V(c->affiliations);

	set_text(d, "first_name", c->first_name);
	set_text(d, "last_name", c->last_name);
	set_text(d, "email", c->email);
	affiliations.kind = KIND_JSON;
	if (!affiliations.null)
		draft_set(d, "affiliations", affiliations);
}

static void
fill_change(struct request *rq UNUSED, struct draft *d, const void *ctx)
{
	fill_details(d, ctx);
	draft_set(d, "is_active", value_bool(true));
}

static void
fill_leave(struct request *rq UNUSED, struct draft *d, const void *ctx UNUSED)
{
	draft_set(d, "is_active", value_bool(false));
}

static void
fill_new(struct request *rq UNUSED, struct draft *d, const void *ctx)
{
	const struct claims *c = ctx;

	draft_set(d, "username", V(c->username));
	draft_set(d, "email", V(T("")));
	draft_set(d, "registration_method", V(EDUTEAMS));
	draft_set(d, "notifications_enabled", value_bool(false));
	fill_details(d, c);
}

/* The service does not know the user any more. */
static void
leave(struct request *rq, const struct pulled *u, const struct pull *pull)
{
	if (!resource_change(rq, &users, u->id, fill_leave, NULL))
		return;
	db_exec(rq->db, &user_synced, V(pull->sent), V(u->id));
}

static int
apply_nobody(struct request *rq, const struct pull *pull)
{
	struct pulled u;

	if (db_row(rq->db, &pulled_by_username, &u, V(pull->identifier)) && u.is_active &&
	    is_managed(&u, pull->provider.name) && !is_overtaken(&u, pull))
		leave(rq, &u, pull);
	return 0;
}

/* What belongs to a user whose details are written. */
static void
finish(struct request *rq, const struct pulled *u, const struct pull *pull)
{
	const struct claims *c = &pull->claims;

	if (c->ssh_keys != NULL)
		ssh_keys_mirror(rq, (struct key_owner){ u->id, u->uuid }, EDUTEAMS, c->ssh_keys);
	db_exec(rq->db, &user_synced, V(pull->sent), V(u->id));
}

static int
apply_new(struct request *rq, const struct pull *pull, struct uuid *uuid)
{
	const struct claims *c = &pull->claims;
	struct pulled u;

	if (check_username(c->username) != NULL)
		return reply_detail(rq, 400, UNREADABLE);
	(void)resource_add(rq, &users, fill_new, c);
	if (db_row(rq->db, &pulled_by_username, &u, V(c->username))) {
		finish(rq, &u, pull);
		*uuid = u.uuid;
	}
	return 0;
}

/* He was deleted while the service was asked for him. */
static bool
is_gone(const struct pull *pull)
{
	return pull->is_user && text_eq(pull->claims.username, pull->identifier);
}

static int
apply_found(struct request *rq, const struct pull *pull, struct uuid *uuid)
{
	const struct claims *c = &pull->claims;
	struct pulled u;

	if (text_is_none(c->username))
		return reply_unauthorized(rq,
		    "remote-eduteams error: Unable to match user because identity field is missing from "
		    "user profile.");
	if (!db_row(rq->db, &pulled_by_username, &u, V(c->username)))
		return is_gone(pull) ? 0 : apply_new(rq, pull, uuid);
	if (!is_managed(&u, pull->provider.name))
		return reply_list(rq, 400, NOT_MANAGED);
	*uuid = u.uuid;
	if (is_overtaken(&u, pull))
		return 0;
	if (!u.is_active && (pull->is_active || !pull->provider.reactivate))
		return reply_unauthorized(rq, "remote-eduteams error: User is deactivated.");
	if (resource_change(rq, &users, u.id, fill_change, c))
		finish(rq, &u, pull);
	return 0;
}

int
pull_apply(struct request *rq, const struct pull *pull, struct uuid *uuid)
{
	*uuid = (struct uuid){ 0 };
	/* It is done now, after all that others have done while the answer was on its way. */
	rq->now = stamp_now();
	switch (pull->finding) {
	case FOUND:
		return apply_found(rq, pull, uuid);
	case FOUND_NOBODY:
		return apply_nobody(rq, pull);
	case FOUND_TROUBLE:
		return reply_detail(rq, 400, "%.*s", TEXT_ARGS(pull->problem));
	case FOUND_BUSY:
		return reply_throttled(rq, SECONDS);
	}
	unreachable();
}

/* What the service was asked in the step before, with the settings of p; NULL: it has still to be. */
static const struct pull *
asked(struct request *rq, const struct provider *p)
{
	const struct pull *pull = rq->outside;

	if (pull == NULL || !pull->asked || pull->provider.id != p->id ||
	    pull->provider.version != p->version)
		return NULL;
	return pull;
}

/* u is whom the identifier is the name of; NULL: he may be new. */
static int
ask(struct request *rq, const struct provider *p, struct text identifier, const struct pulled *u)
{
	struct pull *pull = arena_alloc(rq->arena, sizeof(*pull));

	*pull = (struct pull){
		.identifier = identifier,
		.is_user = u != NULL,
		.is_active = u != NULL && u->is_active,
		.provider = *p,
	};
	rq->outside = pull;
	return request_step_outside(rq, step);
}

int
pull_remote_user(struct request *rq)
{
	struct provider p;
	struct pulled u;
	struct uuid found;
	int refused;

	if (!db_row(rq->db, &pulled_by_uuid, &u, V(rq->uuid)))
		return resource_not_found(rq, &users);
	if (!is_managed(&u, EDUTEAMS))
		return reply_list(rq, 400, NOT_MANAGED);
	if (!provider_load(rq->db, EDUTEAMS, &p))
		return reply_list(rq, 400, DISABLED);
	if (asked(rq, &p) == NULL)
		return ask(rq, &p, u.username, &u);
	refused = pull_apply(rq, asked(rq, &p), &found);
	return refused != 0 ? refused : reply_empty(rq, 200);
}

struct wanted {
	struct text cuid;
};

static const struct body_field wanted_body[] = {
	BODY(wanted, cuid, "The user's eduTEAMS identifier.", "d4c3b2a1@eduteams.org",
	    .required = true, .filled = true, .max = 256),
};

static const struct shape found_members[] = {
	{ .name = "uuid", .kind = KIND_UUID, .help = "The user." },
	{ 0 },
};

static const struct shape found_shape = { .kind = KIND_JSON, .members = found_members };

const struct action remote_eduteams_action = {
	.body = wanted_body,
	.nbody = countof(wanted_body),
	.outcomes =
	    (const struct outcome[]){
		{ .status = 200, .shape = &found_shape },
		{ .status = 403, .shape = &shape_text },
		{ .status = 404 },
		{ 0 },
	    },
};

static int
reply_string(struct request *rq, int status, const char *message)
{
	json_text(reply_json(rq, status), text_from(message));
	return reply_end(rq);
}

static int
answer_uuid(struct request *rq, struct uuid uuid)
{
	struct json_writer *w = reply_json(rq, 200);

	json_object(w);
	json_member_value(w, "uuid", V(uuid));
	json_object_end(w);
	return reply_end(rq);
}

int
remote_eduteams(struct request *rq)
{
	struct provider p;
	struct wanted in;
	struct uuid found;
	int refused;

	if ((rq->caller.who & STAFF) == 0)
		return reply_string(
		    rq, 403, "Only staff and identity manager are allowed to sync remote users.");
	if (!provider_load(rq->db, EDUTEAMS, &p))
		return reply_string(rq, 403, SYNC_DISABLED);
	if (!body_read(rq, wanted_body, countof(wanted_body), &in))
		return body_trouble(rq);
	if (asked(rq, &p) == NULL)
		return ask(rq, &p, in.cuid, NULL);
	if ((refused = pull_apply(rq, asked(rq, &p), &found)) != 0)
		return refused;
	if (uuid_is_none(found)) {
		/* The user whom it does not know any more is deactivated all the same. */
		rq->commit = true;
		return reply_detail(rq, 404, "User %.*s has not been found", TEXT_ARGS(in.cuid));
	}
	return answer_uuid(rq, found);
}
