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

/* The next word of a header, cut off *rest; false when there is none. */
static bool
next_word(struct text *rest, struct text *word)
{
	*rest = text_trim(*rest);
	if (rest->n == 0)
		return false;
	*word = text_slice(*rest, 0, text_find(*rest, ' ', 0));
	*rest = text_slice(*rest, word->n, rest->n);
	return true;
}

static bool
is_scheme(struct text word)
{
	return text_eq_nocase(word, T("Token")) || text_eq_nocase(word, T("Bearer"));
}

static struct credentials
read_credentials(struct request *rq)
{
	struct text rest = request_header(rq, "Authorization"), word;
	struct credentials c = { 0 };

	if (text_is_none(rest))
		return c;
	if (!text_is_utf8(rest)) {
		c.ours = is_scheme(text_slice(rest, 0, text_find(rest, ' ', 0)));
		c.problem = "Invalid token header. Token string should not contain invalid "
			    "characters.";
		return c;
	}
	if (!next_word(&rest, &word) || !is_scheme(word))
		return c;
	c.ours = true;
	if (!next_word(&rest, &c.key))
		c.problem = "Invalid token. No credentials provided.";
	/* Generated clients put the reference's "Token <key>" behind a Bearer of their own. */
	else if (text_eq_nocase(word, T("Bearer")) && text_eq_nocase(c.key, T("Token")) &&
	    !next_word(&rest, &c.key))
		c.problem = "Invalid token. No credentials provided.";
	else if (text_trim(rest).n > 0)
		c.problem = "Invalid token. Token string should not contain spaces.";
	return c;
}

/* Normally the ring has one key; while one is replaced by another, both are tried. */
static bool
find_owner(struct request *rq, struct text key, struct owner *owner)
{
	if (key.n != TOKEN_DIGITS)
		return false;
	for (size_t i = 0; i < keyring_count(rq->keyring); i++) {
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

/* Lets a staff user ask as somebody else. Anything but the uuid of a user is ignored, as is the header of others. */
static int
impersonate(struct request *rq, struct uuid uuid)
{
	struct caller staff = rq->caller;
	char printed[UUID_SIZE];
	struct target t;

	if (!db_row(rq->db, &target_by_uuid, &t, V(uuid)))
		return 0;
	if (!t.token_id.is)
		return reply_detail(
		    rq, 403, "Unable to impersonate user that does not have an active session.");
	rq->caller = (struct caller){
		.who = who_is(t.is_staff, t.is_support),
		.id = t.id,
		.uuid = t.uuid,
		.username = t.username,
		.registration_method = t.registration_method,
		.token_id = t.token_id.n,
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
	struct text header;
	struct stamp used;
	struct uuid other;
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
	header = request_header(rq, "X-Impersonated-User-Uuid");
	if ((rq->caller.who & STAFF) != 0 && !text_is_none(header) &&
	    uuid_parse(text_trim(header), &other))
		return impersonate(rq, other);
	if (used.us < rq->now.us - TOKEN_STAMP_AGE)
		uses_note(o.token_id, rq->now);
	return 0;
}
