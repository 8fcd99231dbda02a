/*
 * A new e-mail address is asked for, confirmed by the code that was sent to it, and set. The code is
 * 128 random bits; the database has only its keyed hash.
 */
#include "base/base.h"

#include "crypto/random.h"
#include "crypto/seal.h"
#include "http/body.h"
#include "mail/mail.h"
#include "resource/checks.h"
#include "users/users_int.h"

#define HOUR (INT64_C(3600) * SECONDS)

#define PROTECTED "The registration method does not allow direct email modification."

struct change_email {
	struct text email;
};

static const struct body_field change_email_body[] = {
	BODY(change_email, email, "The new address.", "alice@example.org", .max = 320,
	    .required = true, .filled = true, .check = check_email),
};

const struct action user_change_email_action = {
	.body = change_email_body,
	.nbody = countof(change_email_body),
	.outcomes =
	    (const struct outcome[]){
		{ .status = 200, .shape = &shape_detail },
		{ 0 },
	    },
};

const struct action user_cancel_change_email_action = { .outcomes = outcomes_detail };

static const struct shape code_members[] = {
	{ .name = "code",
	    .kind = KIND_TEXT,
	    .example = "0f8fad5bd9cb469fa16570867728950e",
	    .help = "The code that came by mail." },
	{ 0 },
};

const struct action user_confirm_email_action = {
	.more = code_members,
	.outcomes =
	    (const struct outcome[]){
		{ .status = 200, .shape = &shape_detail },
		{ .status = 404 },
		{ 0 },
	    },
};

/* Whose address is changed. */
struct mailbox {
	int64_t id;
	struct uuid uuid;
	struct text username, email, registration_method, preferred_language;
};

static const struct db_column mailbox_columns[] = {
	COLUMN(mailbox, id),
	COLUMN(mailbox, uuid),
	COLUMN(mailbox, username),
	COLUMN(mailbox, email),
	COLUMN(mailbox, registration_method),
	COLUMN(mailbox, preferred_language),
};

/* Requests and addresses of a user are written under the lock of his row. */
static const struct db_stmt mailbox_lock = {
	.name = "mailbox_lock",
	.access = DB_LOCK,
	.sql = "SELECT id, uuid, username, email, registration_method, preferred_language"
	       " FROM users WHERE uuid = ? FOR UPDATE",
	.columns = mailbox_columns,
	.ncolumns = countof(mailbox_columns),
};

/* requested_email belongs to the user's object. */
static const struct db_stmt mailbox_changed = {
	.name = "mailbox_changed",
	.access = DB_WRITE,
	.sql = "UPDATE users SET version = version + 1 WHERE id = ?",
};

static const struct db_stmt change_put = {
	.name = "change_put",
	.access = DB_WRITE,
	.sql = "INSERT INTO email_changes (user_id, email, lookup, created) VALUES (?, ?, ?, ?)"
	       " ON DUPLICATE KEY UPDATE email = VALUES(email), lookup = VALUES(lookup),"
	       "  created = VALUES(created)",
};

static const struct db_stmt change_delete = {
	.name = "change_delete",
	.access = DB_WRITE,
	.sql = "DELETE FROM email_changes WHERE user_id = ?",
};

static bool
is_protected(struct request *rq, const struct mailbox *m)
{
	return config_list_has(user_protected_fields(rq, m->registration_method), T("email"));
}

/* {"requested_email": [null, "new"]} */
static struct text
change_of(struct request *rq, const char *field, struct text old, struct text new)
{
	struct json_writer w;
	struct buf out;

	buf_init(&out, rq->arena);
	json_writer_init(&w, rq->arena, json_sink_buf, &out, UUID_DASHED);
	json_object(&w);
	json_key(&w, text_from(field));
	json_array(&w);
	json_text(&w, old);
	json_text(&w, new);
	json_array_end(&w);
	json_object_end(&w);
	must(!json_failed(&w));
	return buf_text(&out);
}

static struct bytes
code_lookup(const struct request *rq, size_t key, const struct uuid *code)
{
	struct secret secret = { code->b, sizeof(code->b) };

	return lookup_hash(rq->keyring, key, "email", secret, rq->arena);
}

/* 2026-11-24 02:33 UTC */
static struct text
moment(struct request *rq, struct stamp s)
{
	struct calendar c = stamp_calendar(s);

	return arena_printf(
	    rq->arena, "%04d-%02d-%02d %02d:%02d UTC", c.year, c.month, c.day, c.hour, c.minute);
}

/* The code to the new address. */
static void
send_code(struct request *rq, const struct mailbox *m, struct text email, struct uuid code)
{
	struct stamp until = { rq->now.us + rq->config->email_change_max_age * SECONDS };
	char printed[UUID_SIZE];
	const struct mail_value values[] = {
		{ "username", m->username },
		{ "code", uuid_print(code, UUID_HEX, printed) },
		{ "until", moment(rq, until) },
	};

	mail_add(rq,
	    &(struct mail){
		"email_change", m->id, email, m->preferred_language, values, countof(values) });
}

/* Word of it to the old one, which may be in other hands than the account is just now. */
static void
send_notice(struct request *rq, const struct mailbox *m, struct text email)
{
	const struct mail_value values[] = {
		{ "username", m->username },
		{ "new_email", email },
		{ "when", moment(rq, rq->now) },
	};

	if (m->email.n > 0 && !text_eq_nocase(m->email, email))
		mail_add(rq,
		    &(struct mail){ "email_change_notice", m->id, m->email, m->preferred_language,
			values, countof(values) });
}

/*
 * Microseconds until the user may ask again, since each request sends a mail to whatever address he names. His
 * requests are counted by their events, which stay when one is cancelled or replaced.
 */
static int64_t
wait_of(struct request *rq, const struct mailbox *m)
{
	struct stamp since = { rq->now.us - HOUR };
	struct stamp first = audit_nth_last(
	    rq, EVENT_EMAIL_CHANGE_REQUESTED, m->uuid, since, rq->config->email_change_requests);

	return stamp_is_none(first) ? 0 : first.us - since.us;
}

int
user_change_email(struct request *rq)
{
	struct change_email in;
	struct mailbox m;
	struct uuid code;
	int64_t wait;

	if (!db_row(rq->db, &mailbox_lock, &m, V(rq->uuid)))
		return resource_not_found(rq, &users);
	if (is_protected(rq, &m))
		return reply_detail(rq, 400, PROTECTED);
	if (!body_read(rq, change_email_body, countof(change_email_body), &in))
		return body_trouble(rq);
	if ((wait = wait_of(rq, &m)) > 0)
		return reply_throttled(rq, wait);

	random_bytes(code.b, sizeof(code.b));
	db_exec(rq->db, &mailbox_changed, V(m.id));
	db_exec(
	    rq->db, &change_put, V(m.id), V(in.email), V(code_lookup(rq, 0, &code)), V(rq->now));
	send_code(rq, &m, in.email, code);
	send_notice(rq, &m, in.email);
	audit(rq, EVENT_EMAIL_CHANGE_REQUESTED, subject_user(m.uuid),
	    change_of(rq, "requested_email", TEXT_NONE, in.email));
	return reply_detail(rq, 200, "The change email request has been successfully created.");
}

int
user_cancel_change_email(struct request *rq)
{
	struct mailbox m;

	if (!db_row(rq->db, &mailbox_lock, &m, V(rq->uuid)))
		return resource_not_found(rq, &users);
	if (db_exec(rq->db, &change_delete, V(m.id)) == 0)
		return reply_detail(rq, 200, "The change email request has not been found.");
	db_exec(rq->db, &mailbox_changed, V(m.id));
	audit(rq, EVENT_EMAIL_CHANGE_CANCELLED, subject_user(m.uuid), TEXT_NONE);
	return reply_detail(rq, 200, "The change email request has been successfully deleted.");
}

/* A request whose code somebody has. */
struct change {
	struct uuid user;
	struct text email;
	struct bytes lookup;
	struct stamp created;
};

static const struct db_column change_columns[] = {
	COLUMN(change, user),
	COLUMN(change, email),
	COLUMN(change, lookup),
	COLUMN(change, created),
};

/* A plain read: whoever guesses codes locks nothing. */
static const struct db_stmt change_by_lookup = {
	.name = "change_by_lookup",
	.sql = "SELECT u.uuid, c.email, c.lookup, c.created"
	       " FROM email_changes c JOIN users u ON u.id = c.user_id WHERE c.lookup = ?",
	.columns = change_columns,
	.ncolumns = countof(change_columns),
};

static const struct db_stmt change_take = {
	.name = "change_take",
	.access = DB_WRITE,
	.sql = "DELETE FROM email_changes WHERE user_id = ? AND lookup = ?",
};

/* Somebody else who has asked for the same address. */
struct rival {
	int64_t id;
	struct uuid uuid;
};

static const struct db_column rival_columns[] = { COLUMN(rival, id), COLUMN(rival, uuid) };

static const struct db_stmt rival_lock = {
	.name = "rival_lock",
	.access = DB_LOCK,
	.sql = "SELECT u.id, u.uuid FROM email_changes c JOIN users u ON u.id = c.user_id"
	       " WHERE c.email = ? LIMIT 1 FOR UPDATE",
	.columns = rival_columns,
	.ncolumns = countof(rival_columns),
};

static const struct db_stmt mailbox_set = {
	.name = "mailbox_set",
	.access = DB_WRITE,
	.sql = "UPDATE users SET email = ?, modified = ?, version = version + 1 WHERE id = ?",
};

static bool
read_code(const struct request *rq, struct uuid *code)
{
	const struct json *json = json_member(rq->body, T("code"));

	return json != NULL && json->type == JSON_TEXT && uuid_parse(text_trim(json->text), code);
}

static bool
find_change(struct request *rq, const struct uuid *code, struct change *c)
{
	for (size_t i = 0; i < keyring_count(rq->keyring); i++)
		if (db_row(rq->db, &change_by_lookup, c, V(code_lookup(rq, i, code))))
			return true;
	return false;
}

static int
no_such_request(struct request *rq)
{
	return reply_detail(rq, 404, "No ChangeEmailRequest matches the given query.");
}

/* The rules may have changed since the address was asked for: 0, or the status of the refusal. */
static int
check_again(struct request *rq, const struct mailbox *m, struct text email)
{
	const char *problem = check_email(email);

	if (is_protected(rq, m))
		return reply_detail(rq, 400, PROTECTED);
	return problem != NULL ? reply_field(rq, "email", problem) : 0;
}

/* Nobody else gets an address that is somebody's now; each of them has an event of his own that says so. */
static void
cancel_rivals(struct request *rq, struct text email)
{
	struct rival r;

	while (db_row(rq->db, &rival_lock, &r, V(email))) {
		db_exec(rq->db, &change_delete, V(r.id));
		db_exec(rq->db, &mailbox_changed, V(r.id));
		audit(rq, EVENT_EMAIL_CHANGE_CANCELLED, subject_user(r.uuid), TEXT_NONE);
	}
}

int
user_confirm_email(struct request *rq)
{
	struct mailbox m;
	struct change c;
	struct uuid code;
	int refused;

	if (!body_parse(rq))
		return body_trouble(rq);
	if (!read_code(rq, &code))
		return reply_list(rq, 400, "The confirmation code is required.");
	if (!find_change(rq, &code, &c))
		return no_such_request(rq);
	if (c.created.us < rq->now.us - rq->config->email_change_max_age * SECONDS)
		return reply_list(rq, 400, "Request has expired.");

	if (!db_row(rq->db, &mailbox_lock, &m, V(c.user)))
		return no_such_request(rq);
	if ((refused = check_again(rq, &m, c.email)) != 0)
		return refused;
	/* Of two at the same moment the second one finds the code used. */
	if (db_exec(rq->db, &change_take, V(m.id), V(c.lookup)) == 0)
		return no_such_request(rq);
	cancel_rivals(rq, c.email);
	db_exec(rq->db, &mailbox_set, V(c.email), V(rq->now), V(m.id));
	audit(rq, EVENT_EMAIL_CHANGED, subject_user(m.uuid),
	    change_of(rq, "email", m.email, c.email));
	return reply_detail(rq, 200, "Email has been successfully updated.");
}
