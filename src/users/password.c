#include "base/base.h"

#include "crypto/password.h"
#include "crypto/weak.h"
#include "http/body.h"
#include "users/users_int.h"

struct change_password {
	struct text new_password, current_password;
};

static const struct body_field change_password_body[] = {
	BODY(change_password, new_password, "The new password.", "correct horse battery staple",
	    .required = true, .filled = true, .untrimmed = true),
	BODY(change_password, current_password, "The password that it replaces; staff need none.",
	    "Tr0ub4dor and three", .untrimmed = true),
};

static const struct shape set_members[] = {
	{ .name = "status", .kind = KIND_TEXT, .example = "password set", .help = "Always this." },
	{ .name = "token",
	    .kind = KIND_TEXT,
	    .optional = true,
	    .example = SHAPE_TOKEN,
	    .help = "The caller's new token, when the password is his own." },
	{ 0 },
};

static const struct shape set_shape = { .kind = KIND_JSON, .members = set_members };

const struct action user_change_password_action = {
	.body = change_password_body,
	.nbody = countof(change_password_body),
	.outcomes =
	    (const struct outcome[]){
		{ .status = 200, .shape = &set_shape },
		{ 0 },
	    },
};

/* What the rules about passwords compare with. */
struct person {
	int64_t id;
	struct uuid uuid;
	struct text username, email, first_name, last_name, password;
};

static const struct db_column person_columns[] = {
	COLUMN(person, id),
	COLUMN(person, uuid),
	COLUMN(person, username),
	COLUMN(person, email),
	COLUMN(person, first_name),
	COLUMN(person, last_name),
	COLUMN(person, password),
};

static const struct db_stmt person_by_uuid = {
	.name = "person_by_uuid",
	.sql = "SELECT id, uuid, username, email, first_name, last_name, password"
	       " FROM users WHERE uuid = ?",
	.columns = person_columns,
	.ncolumns = countof(person_columns),
};

/*
 * Only if the password is still the one that was shown to be known; none: whatever it is. With the version
 * instead, whoever else writes to the row would make us hash again and again.
 */
static const struct db_stmt person_set_password = {
	.name = "person_set_password",
	.access = DB_WRITE,
	.sql = "UPDATE users SET password = ?, password_changed = ?, version = version + 1"
	       " WHERE id = ? AND password = COALESCE(?, password)",
};

static void
check_new(struct request *rq, const struct person *p, struct secret password)
{
	const struct password_owner owner[] = {
		{ "username", p->username },
		{ "email address", p->email },
		{ "first name", p->first_name },
		{ "last name", p->last_name },
	};
	const struct password_rules rules = {
		.min_length = rq->config->password_min_length,
		.max_length = rq->config->password_max_length,
		.min_guesses = rq->config->password_min_guesses,
	};
	const struct text *weaknesses;
	size_t n;

	weaknesses = password_weaknesses(password, &rules, owner, countof(owner), rq->arena, &n);
	for (size_t i = 0; i < n; i++)
		problem_add(rq, T("new_password"), weaknesses[i]);
}

/*
 * Whoever is not staff shows that the account is still his by the password that it has. A wrong one counts as a
 * failed sign-in. 0, or the status of the refusal to look at one more.
 */
static int
check_current(struct request *rq, const struct person *p, struct text current)
{
	int refused;

	if ((rq->caller.who & STAFF) != 0)
		return 0;
	if (text_is_none(current)) {
		problem_add(rq, T("current_password"), T("This field is required."));
		return 0;
	}
	if ((refused = throttle_refuse(rq, p->username)) != 0)
		return refused;
	if (password_is_too_long(
		secret_from(current), rq->config->password_max_length, rq->arena) ||
	    !password_verify(secret_from(current), p->password, rq->arena)) {
		throttle_failed(rq, p->username);
		problem_add(rq, T("current_password"), T("Invalid password."));
	}
	return 0;
}

static int
answer_set(struct request *rq, const struct person *p, struct text key)
{
	struct json_writer *w = reply_json(rq, 200);

	json_object(w);
	json_member_text(w, "status", T("password set"));
	/* Whoever changed his own goes on with the new key. */
	if (p->id == rq->caller.id)
		json_member_text(w, "token", key);
	json_object_end(w);
	return reply_end(rq);
}

int
user_change_password(struct request *rq)
{
	struct change_password in;
	struct person p;
	bool by_staff = (rq->caller.who & STAFF) != 0;
	struct text phc, key, known;
	int refused;

	if (!body_read(rq, change_password_body, countof(change_password_body), &in))
		return body_trouble(rq);
	if (!db_row(rq->db, &person_by_uuid, &p, V(rq->uuid)))
		return resource_not_found(rq, &users);
	check_new(rq, &p, secret_from(in.new_password));
	if ((refused = check_current(rq, &p, in.current_password)) != 0)
		return refused;
	if (problems_found(rq))
		return reply_invalid(rq);
	phc = password_hash(secret_from(in.new_password), rq->arena);
	known = by_staff ? TEXT_NONE : p.password;

	if (db_exec(rq->db, &person_set_password, V(phc), V(rq->now), V(p.id), V(known)) == 0)
		db_again(rq->db);
	key = token_issue(rq, (struct token_owner){ p.id, p.uuid });
	if (by_staff)
		audit(rq, EVENT_PASSWORD_CHANGED_BY_STAFF, subject_user(p.uuid), TEXT_NONE);
	if (p.password.n > 0 || p.id == rq->caller.id)
		audit(rq, EVENT_PASSWORD_CHANGED, subject_user(p.uuid), TEXT_NONE);
	return answer_set(rq, &p, key);
}
