#include "base/base.h"

#include "auth/auth_int.h"
#include "crypto/token.h"

/* A token and its owner. */
struct owner {
	int64_t token_id, id;
	struct uuid uuid;
	struct text username, registration_method;
	bool is_active, is_staff, is_support;
	struct maybe token_lifetime;
	struct stamp created, made;
};

static const struct db_column owner_columns[] = {
	COLUMN(owner, token_id),
	COLUMN(owner, id),
	COLUMN(owner, uuid),
	COLUMN(owner, username),
	COLUMN(owner, registration_method),
	COLUMN(owner, is_active),
	COLUMN(owner, is_staff),
	COLUMN(owner, is_support),
	COLUMN(owner, token_lifetime),
	COLUMN(owner, created),
	COLUMN(owner, made),
};

#define OWNER                                                                                    \
	"SELECT t.id, u.id, u.uuid, u.username, u.registration_method, u.is_active, u.is_staff," \
	"  u.is_support, u.token_lifetime, t.created, t.made"

static const struct db_stmt owner_by_lookup = {
	.name = "owner_by_lookup",
	.sql = OWNER " FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.lookup = ?",
	.columns = owner_columns,
	.ncolumns = countof(owner_columns),
};

/* Whom a staff user asks as; his token may be missing. */
struct target {
	int64_t id;
	struct uuid uuid;
	struct text username, registration_method;
	bool is_staff, is_support;
	struct maybe token_id;
};

static const struct db_column target_columns[] = {
	COLUMN(target, id),
	COLUMN(target, uuid),
	COLUMN(target, username),
	COLUMN(target, registration_method),
	COLUMN(target, is_staff),
	COLUMN(target, is_support),
	COLUMN(target, token_id),
};

static const struct db_stmt target_by_uuid = {
	.name = "target_by_uuid",
	.sql =
	    "SELECT u.id, u.uuid, u.username, u.registration_method, u.is_staff, u.is_support, t.id"
	    " FROM users u LEFT JOIN tokens t ON t.user_id = u.id WHERE u.uuid = ?",
	.columns = target_columns,
	.ncolumns = countof(target_columns),
};

/* What the Authorization header says. */
struct credentials {
	bool ours;           /* the scheme is Token or Bearer */
	const char *problem; /* NULL: key is there */
	struct text key;
};

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next word of a header, cut off *rest; empty when there is none. */
static struct text
next_word(struct text *rest)
{
	size_t start = 0, end;
	struct text word;

	while (start < rest->n && is_blank(rest->s[start]))
		start++;
	for (end = start; end < rest->n && !is_blank(rest->s[end]);)
		end++;
	word = text_slice(*rest, start, end);
	*rest = text_slice(*rest, end, rest->n);
	return word;
}

static bool
is_scheme(struct text word)
{
	return text_eq_nocase(word, T("Token")) || text_eq_nocase(word, T("Bearer"));
}

static struct credentials
read_credentials(struct request *rq)
{
	struct text rest = request_header(rq, "Authorization"), scheme = next_word(&rest);
	struct credentials c = { .ours = is_scheme(scheme), .key = next_word(&rest) };

	/* Generated clients put the reference's "Token <key>" behind a Bearer of their own. */
	if (text_eq_nocase(scheme, T("Bearer")) && text_eq_nocase(c.key, T("Token")))
		c.key = next_word(&rest);
	if (c.key.n == 0)
		c.problem = "Invalid token. No credentials provided.";
	else if (next_word(&rest).n > 0)
		c.problem = "Invalid token. Token string should not contain spaces.";
	else if (!text_is_utf8(c.key))
		c.problem = "Invalid token header. Token string should not contain invalid "
			    "characters.";
	return c;
}

/*
 * Normally the ring has one key; while one is replaced by another, both are tried: the older first, since a token that is
 * resealed between the two goes from that to the newer.
 */
static bool
find_owner(struct request *rq, struct text key, struct owner *owner)
{
	if (key.n != TOKEN_DIGITS)
		return false;
	for (size_t i = keyring_count(rq->keyring); i-- > 0;) {
		struct bytes lookup =
		    lookup_hash(rq->keyring, i, "token", secret_from(key), rq->arena);

		if (db_row(rq->db, &owner_by_lookup, owner, V(lookup)))
			return true;
	}
	return false;
}

static enum who
who_is(bool is_staff, bool is_support)
{
	if (is_staff)
		return STAFF | (is_support ? SUPPORT : NOBODY);
	return is_support ? SUPPORT : REGULAR;
}

/* Whom the request is to run as instead of its caller. All but staff who name a user are themselves. */
static bool
find_target(struct request *rq, struct target *t)
{
	struct text header = request_header(rq, "X-Impersonated-User-Uuid");
	struct uuid uuid;

	return (rq->caller.who & STAFF) != 0 && !text_is_none(header) &&
	    uuid_parse(header, &uuid) && db_row(rq->db, &target_by_uuid, t, V(uuid));
}

static int
impersonate(struct request *rq, const struct target *t)
{
	struct caller staff = rq->caller;
	char printed[UUID_SIZE];

	if (!t->token_id.is)
		return reply_detail(
		    rq, 403, "Unable to impersonate user that does not have an active session.");
	rq->caller = (struct caller){
		.who = who_is(t->is_staff, t->is_support),
		.id = t->id,
		.uuid = t->uuid,
		.username = t->username,
		.registration_method = t->registration_method,
		.token_id = t->token_id.n,
		.impersonator = staff.uuid,
		.impersonator_id = staff.id,
	};
	reply_header(rq, "X-impersonator-uuid",
	    arena_text(rq->arena, uuid_print(staff.uuid, rq->config->uuid_format, printed)));
	return 0;
}

static void
be(struct request *rq, const struct owner *o)
{
	rq->caller = (struct caller){
		.who = who_is(o->is_staff, o->is_support),
		.id = o->id,
		.uuid = o->uuid,
		.username = o->username,
		.registration_method = o->registration_method,
		.token_id = o->token_id,
	};
}

int
authenticate(struct request *rq)
{
	struct credentials c = read_credentials(rq);
	struct stamp used;
	struct target t;
	struct owner o;

	if (!c.ours)
		return 0;
	if (c.problem != NULL)
		return reply_unauthorized(rq, c.problem);
	if (!find_owner(rq, c.key, &o))
		return reply_unauthorized(rq, "Invalid token.");
	if (!o.is_active)
		return reply_unauthorized(rq, "User inactive or deleted.");
	used = uses_last(o.token_id, o.created);
	if (token_expired(rq, used, o.made, o.token_lifetime))
		return reply_unauthorized(rq, "Token has expired.");
	be(rq, &o);
	if (find_target(rq, &t))
		return impersonate(rq, &t);
	uses_note(o.token_id, rq->now, o.created);
	return 0;
}
