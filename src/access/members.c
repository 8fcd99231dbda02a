/* Team management: add_user, update_user and delete_user of customers and projects. */
#include "base/base.h"

#include "access/access_int.h"
#include "crypto/random.h"
#include "http/body.h"

#define NON_FIELD "non_field_errors"

struct member_body {
	struct text role;
	struct uuid user;
};

static const struct body_field member_fields[] = {
	BODY(member_body, role,
	    "The role: its name or uuid. It is one for what the path names, a customer or a project.",
	    "PROJECT.ADMIN", .required = true, .filled = true),
	BODY(member_body, user, "The user's uuid.", NULL, .required = true),
};

/* clang-format off */
static const struct shape expiration_members[] = {
	{ .name = "expiration_time", .kind = KIND_STAMP, .null = true, .optional = true,
	  .example = "2036-01-01T00:00:00Z",
	  .help = "When the role ends; null: never." },
	{ 0 },
};
/* clang-format on */

static const struct shape expiration_shape = { .kind = KIND_JSON, .members = expiration_members };

#define MEMBER_BODY \
	.body = member_fields, .nbody = countof(member_fields), .more = expiration_members

const struct action members_add_action = {
	MEMBER_BODY,
	.outcomes =
	    (const struct outcome[]){ { .status = 201, .shape = &expiration_shape }, { 0 } },
};

const struct action members_update_action = {
	MEMBER_BODY,
	.outcomes =
	    (const struct outcome[]){ { .status = 200, .shape = &expiration_shape }, { 0 } },
};

const struct action members_delete_action = { MEMBER_BODY, .outcomes = outcomes_nothing };

/* Whose team membership is changed. */
struct member {
	int64_t id;
	struct uuid uuid;
	struct text username;
};

static const struct db_column member_columns[] = {
	COLUMN(member, id),
	COLUMN(member, uuid),
	COLUMN(member, username),
};

static const struct db_stmt member_by_uuid = {
	.name = "member_by_uuid",
	.sql = "SELECT id, uuid, username FROM users WHERE uuid = ? AND is_active",
	.columns = member_columns,
	.ncolumns = countof(member_columns),
};

struct grant {
	int64_t id;
	struct uuid uuid;
	struct stamp expiration_time;
};

static const struct db_column grant_columns[] = {
	COLUMN(grant, id),
	COLUMN(grant, uuid),
	COLUMN(grant, expiration_time),
};

#define GRANTS_OF(column)                                                                \
	"SELECT g.id, g.uuid, g.expiration_time FROM role_grants g"                      \
	" WHERE g.user_id = ? AND g.role_id = ? AND g." column " = ? AND " GRANT_ACTIVE( \
	    "g") " ORDER BY g.expiration_time IS NULL, g.expiration_time, g.id"

/* The one that lasts longest comes last. */
static const struct db_stmt grants_of[] = {
	[SCOPE_CUSTOMER] = { .name = "grants_of_customer",
	    .sql = GRANTS_OF("customer_id"),
	    .columns = grant_columns,
	    .ncolumns = countof(grant_columns) },
	[SCOPE_PROJECT] = { .name = "grants_of_project",
	    .sql = GRANTS_OF("project_id"),
	    .columns = grant_columns,
	    .ncolumns = countof(grant_columns) },
};

static const struct db_stmt grant_insert = {
	.name = "grant_insert",
	.access = DB_WRITE,
	.sql =
	    "INSERT INTO role_grants (uuid, user_id, role_id, customer_id, project_id, created_by,"
	    "  expiration_time, created, modified) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
};

static const struct db_stmt grant_set_expiration = {
	.name = "grant_set_expiration",
	.access = DB_WRITE,
	.sql = "UPDATE role_grants SET expiration_time = ?, modified = ?, version = version + 1"
	       " WHERE id = ?",
};

static const struct db_stmt grant_end = {
	.name = "grant_end",
	.access = DB_WRITE,
	.sql = "UPDATE role_grants SET is_active = FALSE, modified = ?, version = version + 1,"
	       "  expiration_time = LEAST(?, COALESCE(expiration_time, ?)) WHERE id = ?",
};

/* One that has expired, and was not swept yet, ended then. */
static void
end_grant(struct request *rq, int64_t id)
{
	db_exec(rq->db, &grant_end, V(rq->now), V(rq->now), V(rq->now), V(id));
}

/* A request to change a team, checked. */
struct change {
	struct scope scope;
	struct role role;
	struct member member;
	struct stamp expiration; /* none: for ever */
	struct stamp former;     /* what it was before, of a grant that is updated */
};

/* Expiration: absent, null, a date, or a time with or without an offset; always in the future. */
static void
read_expiration(struct request *rq, struct change *c)
{
	const struct json *json = json_member(rq->body, T("expiration_time"));

	c->expiration = STAMP_NONE;
	if (json == NULL || json->type == JSON_NULL ||
	    (rq->body_is_form && json->type == JSON_TEXT && json->text.n == 0))
		return;
	if (json->type != JSON_TEXT || !stamp_parse(text_trim(json->text), &c->expiration))
		problem_add(rq, T("expiration_time"),
		    T("Datetime has wrong format. Use one of these formats instead: YYYY-MM-DD, "
		      "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."));
	else if (c->expiration.us <= rq->now.us)
		problem_add(rq, T("expiration_time"),
		    T("Expiration time should be greater than current time."));
}

/* 0, or the answer to what is wrong with the body. */
static int
read_change(struct request *rq, struct change *c)
{
	struct member_body in;
	bool good = body_read(rq, member_fields, countof(member_fields), &in);

	if (!good && rq->body == NULL)
		return body_trouble(rq);
	if (!text_is_none(in.role) && !role_find(rq, in.role, &c->role))
		problem_add(rq, T("role"), T("Role is not found."));
	/* A uuid of zeros is one that was read, too. */
	if ((good || !uuid_is_none(in.user)) &&
	    !db_row(rq->db, &member_by_uuid, &c->member, V(in.user)))
		problem_add(rq, T("user"), T("User is not found."));
	read_expiration(rq, c);
	return problems_found(rq) ? reply_invalid(rq) : 0;
}

/*
 * Whether the caller may: by the permission on the customer; by that on the project too, but then not about
 * himself. 0, or the status of the refusal.
 */
static int
check_right(struct request *rq, const char *verb, const struct change *c)
{
	const struct scope *s = &c->scope;
	const char *permission = arena_printf(
	    rq->arena, "%s.%s_PERMISSION", s->type == SCOPE_CUSTOMER ? "CUSTOMER" : "PROJECT", verb)
				     .s;

	if (access_has(rq, permission, SCOPE_CUSTOMER, s->customer_id))
		return 0;
	if (s->type != SCOPE_PROJECT || !access_has(rq, permission, SCOPE_PROJECT, s->id))
		return reply_forbidden(rq);
	if (c->member.id == rq->caller.id)
		return reply_field(rq, NON_FIELD, "User can not manage own role.");
	return 0;
}

/* All checks that the three actions share, in the API's order. The scope is locked: one change of a team at a time. */
static int
prepare(struct request *rq, const char *verb, struct change *c)
{
	const struct scope_kind *kind = rq->route->subject;
	struct row row;
	int status;

	if (!resource_find(rq, kind->resource, &row) ||
	    !scope_load(rq, kind->type, row.id, true, &c->scope))
		return resource_not_found(rq, kind->resource);
	if ((status = read_change(rq, c)) != 0)
		return status;
	if (c->scope.blocked || c->scope.archived)
		return reply_field(rq, NON_FIELD, "Customer is not available.");
	if (c->scope.is_removed)
		return reply_field(
		    rq, NON_FIELD, "Cannot manage team members for terminated projects.");
	return check_right(rq, verb, c);
}

static struct text
describe(struct request *rq, enum event event, const struct change *c)
{
	struct json_writer w;
	struct buf out;

	buf_init(&out, rq->arena);
	json_writer_init(&w, rq->arena, json_sink_buf, &out, rq->config->uuid_format);
	json_object(&w);
	json_member_text(&w, "role", c->role.name);
	json_member_text(&w, "scope_type", text_from(scope_type_name(c->scope.type)));
	json_member_value(&w, "scope_uuid", V(c->scope.uuid));
	json_member_text(&w, "scope_name", c->scope.name);
	json_member_text(&w, "username", c->member.username);
	json_member_value(&w, "expiration_time", V(c->expiration));
	if (event == EVENT_GRANT_UPDATED)
		json_member_value(&w, "former_expiration_time", V(c->former));
	json_object_end(&w);
	must(!json_failed(&w));
	return buf_text(&out);
}

static void
audit_change(struct request *rq, enum event event, const struct change *c)
{
	audit(rq, event, (struct subject){ "user", c->member.uuid }, describe(rq, event, c));
}

static int
answer_expiration(struct request *rq, int status, struct stamp expiration)
{
	json_object(reply_json(rq, status));
	json_member_value(&rq->reply.json, "expiration_time", V(expiration));
	json_object_end(&rq->reply.json);
	return reply_end(rq);
}

/* The active grant of the role that lasts longest; false when there is none. */
static bool
longest(struct request *rq, const struct change *c, struct grant *longest)
{
	struct grant g;
	bool any = false;

	db_query(
	    rq->db, &grants_of[c->scope.type], &g, V(c->member.id), V(c->role.id), V(c->scope.id));
	while (db_next(rq->db)) {
		*longest = g;
		any = true;
	}
	return any;
}

/* A message, or NULL when the role may be given. */
static const char *
check_grant(struct request *rq, const struct change *c)
{
	struct grant g;

	if (longest(rq, c, &g) &&
	    (stamp_is_none(g.expiration_time) ||
		(!stamp_is_none(c->expiration) && g.expiration_time.us >= c->expiration.us)))
		return "User has already the same role in this scope.";
	if (!text_eq(c->role.content_type, text_from(scope_type_name(c->scope.type))))
		return "Role is not valid for this scope.";
	if (!c->role.is_active)
		return "Role is not active.";
	return NULL;
}

int
members_add(struct request *rq)
{
	struct change c;
	const char *problem;
	struct maybe creator = { rq->caller.id != 0, rq->caller.id };
	int status = prepare(rq, "CREATE", &c);

	if (status != 0)
		return status;
	if ((problem = check_grant(rq, &c)) != NULL)
		return reply_field(rq, NON_FIELD, problem);
	db_exec(rq->db, &grant_insert, V(random_uuid()), V(c.member.id), V(c.role.id),
	    V(((struct maybe){ c.scope.type == SCOPE_CUSTOMER, c.scope.id })),
	    V(((struct maybe){ c.scope.type == SCOPE_PROJECT, c.scope.id })), V(creator),
	    V(c.expiration), V(rq->now), V(rq->now));
	audit_change(rq, EVENT_ROLE_GRANTED, &c);
	return answer_expiration(rq, 201, c.expiration);
}

int
members_update(struct request *rq)
{
	struct change c;
	struct grant g;
	int status = prepare(rq, "UPDATE", &c);

	if (status != 0)
		return status;
	if (!longest(rq, &c, &g))
		return reply_field(rq, NON_FIELD, "User has no such role in this scope.");
	c.former = g.expiration_time;
	if (c.former.us != c.expiration.us) {
		db_exec(rq->db, &grant_set_expiration, V(c.expiration), V(rq->now), V(g.id));
		audit_change(rq, EVENT_GRANT_UPDATED, &c);
	}
	return answer_expiration(rq, 200, c.expiration);
}

int
members_delete(struct request *rq)
{
	struct change c;
	struct grant g;
	int status = prepare(rq, "DELETE", &c);

	if (status != 0)
		return status;
	c.expiration = rq->now;
	while (longest(rq, &c, &g)) {
		end_grant(rq, g.id);
		audit_change(rq, EVENT_ROLE_REVOKED, &c);
	}
	return reply_empty(rq, 200);
}

/* What ends when its scope does. */
struct ending {
	int64_t id;
	struct uuid user;
	struct text role, username;
};

static const struct db_column ending_columns[] = {
	COLUMN(ending, id),
	COLUMN(ending, user),
	COLUMN(ending, role),
	COLUMN(ending, username),
};

static const struct db_stmt project_ending = {
	.name = "project_ending",
	.access = DB_LOCK,
	.sql = "SELECT g.id, u.uuid, r.name, u.username FROM role_grants g"
	       " JOIN users u ON u.id = g.user_id JOIN roles r ON r.id = g.role_id"
	       " WHERE g.project_id = ? AND g.is_active LIMIT 1 FOR UPDATE",
	.columns = ending_columns,
	.ncolumns = countof(ending_columns),
};

void
grants_end(struct request *rq, const struct scope *s)
{
	struct ending e;

	while (db_row(rq->db, &project_ending, &e, V(s->id))) {
		struct change c = {
			.scope = *s,
			.role.name = e.role,
			.member = { .uuid = e.user, .username = e.username },
			.expiration = rq->now,
		};

		end_grant(rq, e.id);
		audit_change(rq, EVENT_ROLE_REVOKED, &c);
	}
}

/* --- the sweep of expired grants */

#define SWEEP_BATCH 500

struct expired {
	int64_t id;
};

static const struct db_column expired_columns[] = { COLUMN(expired, id) };

/* Before anything is written: who sweeps on another host at the same moment waits, and finds them ended. */
static const struct db_stmt sweep_lock = {
	.name = "sweep_lock",
	.access = DB_LOCK,
	.sql = "SELECT id FROM role_grants WHERE is_active AND expiration_time <= ?"
	       " ORDER BY expiration_time, id LIMIT ? FOR UPDATE",
	.columns = expired_columns,
	.ncolumns = countof(expired_columns),
};

/* A version 4 UUID. */
#define NEW_UUID                                                  \
	"UNHEX(INSERT(INSERT(HEX(RANDOM_BYTES(16)), 13, 1, '4')," \
	" 17, 1, SUBSTR('89AB', 1 + (ORD(RANDOM_BYTES(1)) & 3), 1)))"

/* The scope's UUID and a time as JSON has them: see uuid_print() and stamp_print(). */
/* clang-format off */
#define SCOPE_HEX "LOWER(HEX(COALESCE(c.uuid, p.uuid)))"
#define SCOPE_DASHED "INSERT(INSERT(INSERT(INSERT(" SCOPE_HEX ", 9, 0, '-'), 14, 0, '-'), 19, 0, '-'), 24, 0, '-')"
#define STAMP(column) \
	"DATE_FORMAT(" column ", IF(MICROSECOND(" column ") = 0, '%Y-%m-%dT%H:%i:%sZ', '%Y-%m-%dT%H:%i:%s.%fZ'))"

/* The members of describe(), so that whoever reads events finds there the same. */
#define SWEEP_EVENTS(scope_uuid) \
	"INSERT INTO audit_events (uuid, created, request_id, event, subject_type, subject_uuid, changes)" \
	" SELECT " NEW_UUID ", UTC_TIMESTAMP(6), '', 'role_revoked', 'user', u.uuid," \
	"  JSON_OBJECT('role', r.name, 'scope_type', IF(c.id IS NULL, 'project', 'customer')," \
	"   'scope_uuid', " scope_uuid ", 'scope_name', COALESCE(c.name, p.name)," \
	"   'username', u.username, 'expiration_time', " STAMP("g.expiration_time") ", 'expired', TRUE)" \
	" FROM role_grants g JOIN users u ON u.id = g.user_id JOIN roles r ON r.id = g.role_id" \
	"  LEFT JOIN customers c ON c.id = g.customer_id LEFT JOIN projects p ON p.id = g.project_id" \
	" WHERE g.id IN "
/* clang-format on */

static const char *const sweep_events[] = {
	[UUID_HEX] = SWEEP_EVENTS(SCOPE_HEX),
	[UUID_DASHED] = SWEEP_EVENTS(SCOPE_DASHED),
};

#define SWEEP_GRANTS                                                             \
	"UPDATE role_grants SET is_active = FALSE, modified = UTC_TIMESTAMP(6)," \
	"  version = version + 1 WHERE id IN "

struct sweep {
	struct arena *arena;
	enum uuid_form format;
	struct stamp until;
	int64_t ids[SWEEP_BATCH];
	size_t ended;
};

/* With the grants that have ended. */
static void
sweep_step(struct db *db, const struct sweep *s, const char *name, const char *sql)
{
	struct sql q;
	size_t n = 0;

	sql_init(&q, s->arena);
	sql_add(&q, sql);
	while (n < s->ended)
		sql_list_value(&q, &n, V(s->ids[n]));
	sql_list_end(&q, n);
	(void)db_exec_sql(db, name, &q);
}

static bool
sweep_batch(struct db *db, void *ctx)
{
	struct sweep *s = ctx;
	struct expired expired;

	s->ended = 0;
	db_query(db, &sweep_lock, &expired, V(s->until), V((int64_t)SWEEP_BATCH));
	while (db_next(db))
		s->ids[s->ended++] = expired.id;
	if (s->ended > 0) {
		sweep_step(db, s, "sweep_events", sweep_events[s->format]);
		sweep_step(db, s, "sweep_grants", SWEEP_GRANTS);
	}
	return true;
}

void
grants_sweep(struct db *db, const struct config *config, struct arena *a)
{
	struct sweep s = {
		.arena = a,
		.format = config->uuid_format,
		.until = stamp_now(),
		.ended = SWEEP_BATCH,
	};

	while (s.ended == SWEEP_BATCH) {
		struct arena_mark mark = arena_mark(a);

		if (db_transaction(db, a, sweep_batch, &s) < DB_NONE)
			return;
		arena_rewind(a, mark);
	}
}
