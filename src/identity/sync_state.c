/* What is known of each user's sync, and who is at it: statements, each in a small transaction of its own. */
#include "base/base.h"

#include "crypto/random.h"
#include "identity/sync_int.h"

/* Users that are looked at beyond those that are wanted: others may have taken the first. */
#define SPARE 64
/* Users who are taken up in one statement. */
#define ENROL 100
/* Microseconds ahead that users are taken on for. */
#define AHEAD SECONDS
/* Seconds that a claim lasts beyond the answers that its user may have to wait for. */
#define CLAIM_EXTRA 60

#define DAWN ((struct stamp){ 0 })

struct found {
	int64_t user_id;
};

static const struct db_column found_columns[] = { COLUMN(found, user_id) };

struct missing {
	int64_t id;
	struct stamp last_sync;
};

static const struct db_column missing_columns[] = {
	COLUMN(missing, id),
	COLUMN(missing, last_sync),
};

static const struct db_stmt sync_missing = {
	.name = "sync_missing",
	.sql =
	    "SELECT u.id, u.last_sync FROM users u LEFT JOIN identity_syncs s ON s.user_id = u.id"
	    " WHERE u.id > ? AND u.is_active AND s.user_id IS NULL AND (u.registration_method = ?"
	    "   OR u.identity_source = CAST(? AS CHAR) COLLATE utf8mb4_nopad_bin)"
	    " ORDER BY u.id LIMIT ?",
	.columns = missing_columns,
	.ncolumns = countof(missing_columns),
};

/* IGNORE: another host may be at the same, and he may be deleted meanwhile. */
static const struct db_stmt sync_enrol_one = {
	.name = "sync_enrol_one",
	.access = DB_WRITE,
	.sql = "INSERT IGNORE INTO identity_syncs (user_id, provider_id, since, tried)"
	       " VALUES (?, ?, ?, ?)",
};

struct enrolment {
	const struct provider *p;
	int64_t after, last; /* users; the transaction may run twice */
	size_t n;
};

static bool
enrol(struct db *db, void *ctx)
{
	struct enrolment *e = ctx;
	struct text name = e->p->name;
	struct missing missing, all[ENROL];

	e->n = 0;
	db_query(db, &sync_missing, &missing, V(e->after), V(name), V(name), V((int64_t)ENROL));
	while (db_next(db))
		all[e->n++] = missing;
	for (size_t i = 0; i < e->n; i++) {
		struct stamp since = stamp_is_none(all[i].last_sync) ? DAWN : all[i].last_sync;

		db_exec(db, &sync_enrol_one, V(all[i].id), V(e->p->id), V(since), V(since));
	}
	e->last = e->n > 0 ? all[e->n - 1].id : e->after;
	return true;
}

enum db_result
sync_enrol(struct db *db, struct arena *a, const struct provider *p)
{
	struct enrolment e = { .p = p };
	enum db_result result;

	do {
		e.after = e.last;
		result = db_transaction(db, a, enrol, &e);
	} while (result == DB_NONE && e.n == ENROL);
	return result;
}

/* By the primary key alone are rows locked: a lock on a range would hold up those who add to it. */
#define DUE                         \
	" since <= ? AND tried < ?" \
	" AND (claimed_until IS NULL OR claimed_until < ?)"

static const struct db_stmt sync_due = {
	.name = "sync_due",
	.sql = "SELECT user_id FROM identity_syncs WHERE provider_id = ? AND" DUE
	       " ORDER BY since LIMIT ?",
	.columns = found_columns,
	.ncolumns = countof(found_columns),
};

struct census {
	int64_t n;
};

static const struct db_column census_columns[] = { COLUMN(census, n) };

static const struct db_stmt sync_due_count = {
	.name = "sync_due_count",
	.sql = "SELECT COUNT(*) FROM identity_syncs WHERE provider_id = ? AND" DUE,
	.columns = census_columns,
	.ncolumns = countof(census_columns),
};

enum db_result
sync_count(struct db *db, struct arena *a, const struct sync_wanted *w, int64_t *n)
{
	struct census c = { 0 };

	db_begin(db, a, false, TEXT_NONE);
	if (db_row(db, &sync_due_count, &c, V(w->provider->id), V(w->since), V(w->tried),
		V(stamp_now())))
		*n = c.n;
	return db_end(db, false);
}

struct locked {
	int64_t failures;
	struct stamp since;
};

static const struct db_column locked_columns[] = {
	COLUMN(locked, failures),
	COLUMN(locked, since),
};

static const struct db_stmt sync_lock = {
	.name = "sync_lock",
	.access = DB_LOCK,
	.sql = "SELECT failures, since FROM identity_syncs WHERE user_id = ? AND" DUE
	       " FOR UPDATE SKIP LOCKED",
	.columns = locked_columns,
	.ncolumns = countof(locked_columns),
};

struct member {
	struct text username, registration_method, identity_source;
	struct stamp last_sync;
	bool is_active;
};

static const struct db_column member_columns[] = {
	COLUMN(member, username),
	COLUMN(member, registration_method),
	COLUMN(member, identity_source),
	COLUMN(member, last_sync),
	COLUMN(member, is_active),
};

static const struct db_stmt sync_member = {
	.name = "sync_member",
	.sql = "SELECT username, registration_method, identity_source, last_sync, is_active"
	       " FROM users WHERE id = ?",
	.columns = member_columns,
	.ncolumns = countof(member_columns),
};

/* He comes back when he is the provider's and active again. */
static const struct db_stmt sync_leave = {
	.name = "sync_leave",
	.access = DB_WRITE,
	.sql = "DELETE FROM identity_syncs WHERE user_id = ?",
};

/* Somebody has asked for him meanwhile: a request. */
static const struct db_stmt sync_was_done = {
	.name = "sync_was_done",
	.access = DB_WRITE,
	.sql = "UPDATE identity_syncs SET since = ?, tried = ?, failures = 0, problem = ''"
	       " WHERE user_id = ?",
};

static const struct db_stmt sync_take = {
	.name = "sync_take",
	.access = DB_WRITE,
	.sql = "UPDATE identity_syncs SET claim = ?, claimed_until = ? WHERE user_id = ?",
};

struct turn {
	struct stamp next;
};

static const struct db_column turn_columns[] = { COLUMN(turn, next) };

static const struct db_stmt sync_turn = {
	.name = "sync_turn",
	.access = DB_LOCK,
	.sql = "SELECT sync_turn FROM identity_providers WHERE id = ? AND version = ? FOR UPDATE",
	.columns = turn_columns,
	.ncolumns = countof(turn_columns),
};

static const struct db_stmt sync_turn_set = {
	.name = "sync_turn_set",
	.access = DB_WRITE,
	.sql = "UPDATE identity_providers SET sync_turn = ? WHERE id = ?",
};

static bool
belongs(const struct member *m, struct text provider)
{
	return m->is_active &&
	    (text_eq(m->registration_method, provider) || text_eq(m->identity_source, provider));
}

/* Takes one user on, whom the row that is locked is about; false when there is nothing to do for him. */
static bool
take(struct db *db, const struct sync_wanted *w, struct sync_claim *c)
{
	const struct provider *p = w->provider;
	int64_t lease = 3 * p->timeout + CLAIM_EXTRA;
	struct member m;

	if (!db_row(db, &sync_member, &m, V(c->user_id)) || !belongs(&m, p->name)) {
		db_exec(db, &sync_leave, V(c->user_id));
		return false;
	}
	if (m.last_sync.us > w->since.us || m.last_sync.us >= w->tried.us) {
		db_exec(db, &sync_was_done, V(m.last_sync), V(m.last_sync), V(c->user_id));
		return false;
	}
	c->username = m.username;
	c->claim = random_uuid();
	c->until = (struct stamp){ c->at.us + lease * SECONDS };
	db_exec(db, &sync_take, V(c->claim), V(c->until), V(c->user_id));
	return true;
}

struct claiming {
	const struct sync_wanted *wanted;
	struct sync_claims *out;
};

static size_t
find_due(struct db *db, const struct sync_wanted *w, struct stamp now, int64_t *ids)
{
	struct found found;
	size_t n = 0;

	db_query(db, &sync_due, &found, V(w->provider->id), V(w->since), V(w->tried), V(now),
	    V((int64_t)(w->max + SPARE)));
	while (db_next(db))
		ids[n++] = found.user_id;
	return n;
}

static bool
claim_some(struct db *db, void *ctx)
{
	struct claiming *c = ctx;
	const struct sync_wanted *w = c->wanted;
	struct sync_claims *out = c->out;
	int64_t step = SECONDS / w->provider->sync_rate;
	int64_t ids[SYNC_IN_FLIGHT_MAX + SPARE];
	struct stamp now = stamp_now(), at = now;
	struct turn turn = { STAMP_NONE };
	struct locked locked;
	size_t n = find_due(db, w, now, ids);

	out->n = 0;
	out->any = n > 0;
	out->outdated =
	    n > 0 && !db_row(db, &sync_turn, &turn, V(w->provider->id), V(w->provider->version));
	if (n == 0 || out->outdated)
		return false;
	if (turn.next.us > now.us)
		at = turn.next;
	for (size_t i = 0; i < n && out->n < w->max && at.us < now.us + AHEAD; i++) {
		struct sync_claim *claim = &out->claims[out->n];

		*claim = (struct sync_claim){ .user_id = ids[i], .at = at };
		if (!db_row(db, &sync_lock, &locked, V(ids[i]), V(w->since), V(w->tried), V(now)))
			continue;
		claim->failures = locked.failures;
		if (!take(db, w, claim))
			continue;
		out->n++;
		at.us += step;
	}
	if (out->n > 0)
		db_exec(db, &sync_turn_set, V(at), V(w->provider->id));
	return true;
}

enum db_result
sync_claim(
    struct db *db, struct arena *a, const struct sync_wanted *wanted, struct sync_claims *out)
{
	struct claiming c = { wanted, out };

	return db_transaction(db, a, claim_some, &c);
}

static const struct db_stmt sync_done = {
	.name = "sync_done",
	.access = DB_WRITE,
	.sql =
	    "UPDATE identity_syncs SET since = ?, tried = ?, failures = ?, problem = LEFT(?, 500),"
	    "  claim = NULL, claimed_until = NULL"
	    " WHERE user_id = ? AND claim = ?",
};

void
sync_note(struct db *db, const struct sync_claim *c, struct stamp since, int64_t failures,
    struct text problem)
{
	db_exec(db, &sync_done, V(since), V(stamp_now()), V(failures), V(problem), V(c->user_id),
	    V(c->claim));
}

static const struct db_stmt sync_let_go = {
	.name = "sync_let_go",
	.access = DB_WRITE,
	.sql =
	    "UPDATE identity_syncs SET since = GREATEST(since, ?), claim = NULL, claimed_until = NULL"
	    " WHERE user_id = ? AND claim = ?",
};

struct letting_go {
	const struct sync_claim *claims;
	size_t n;
	struct stamp since;
};

static bool
let_go(struct db *db, void *ctx)
{
	const struct letting_go *l = ctx;

	for (size_t i = 0; i < l->n; i++)
		db_exec(
		    db, &sync_let_go, V(l->since), V(l->claims[i].user_id), V(l->claims[i].claim));
	return true;
}

enum db_result
sync_release(
    struct db *db, struct arena *a, const struct sync_claim *claims, size_t n, struct stamp since)
{
	struct letting_go l = { claims, n, stamp_is_none(since) ? DAWN : since };

	return n == 0 ? DB_NONE : db_transaction(db, a, let_go, &l);
}

/* failures: of several processes that find it down, one says so. */
static const struct db_stmt sync_pause_set = {
	.name = "sync_pause_set",
	.access = DB_WRITE,
	.sql = "UPDATE identity_providers SET sync_failures = sync_failures + 1,"
	       "  sync_paused_until = ?, sync_problem = LEFT(?, 500)"
	       " WHERE id = ? AND sync_failures = ?",
};

static const struct db_stmt sync_pause_end = {
	.name = "sync_pause_end",
	.access = DB_WRITE,
	.sql = "UPDATE identity_providers SET sync_failures = 0, sync_paused_until = NULL,"
	       "  sync_problem = '' WHERE id = ?",
};

enum db_result
sync_pause(struct db *db, struct arena *a, const struct provider *p, struct stamp until,
    struct text problem)
{
	return db_exec_commit(
	    db, a, NULL, &sync_pause_set, V(until), V(problem), V(p->id), V(p->sync_failures));
}

void
sync_is_up(struct db *db, const struct provider *p)
{
	db_exec(db, &sync_pause_end, V(p->id));
}

static const struct db_column scheduled_columns[] = {
	COLUMN(sync_scheduled, name),
	COLUMN(sync_scheduled, id),
	COLUMN(sync_scheduled, version),
};

static const struct db_stmt sync_scheduled_names = {
	.name = "sync_scheduled_names",
	.sql = "SELECT name, id, version FROM identity_providers"
	       " WHERE is_active AND sync_interval > 0"
	       "  AND (sync_paused_until IS NULL OR sync_paused_until <= ?) ORDER BY name",
	.columns = scheduled_columns,
	.ncolumns = countof(scheduled_columns),
};

void
sync_schedule(struct db *db, struct sync_scheduled *row)
{
	db_query(db, &sync_scheduled_names, row, V(stamp_now()));
}

static const struct db_column standing_columns[] = {
	COLUMN(sync_standing, provider),
	COLUMN(sync_standing, problem),
	COLUMN(sync_standing, paused_until),
	COLUMN(sync_standing, interval),
	COLUMN(sync_standing, users),
	COLUMN(sync_standing, due),
	COLUMN(sync_standing, synced),
	COLUMN(sync_standing, failing),
};

static const struct db_stmt sync_all_standings = {
	.name = "sync_all_standings",
	.sql =
	    "SELECT p.name, p.sync_problem, p.sync_paused_until, p.sync_interval, COUNT(s.user_id),"
	    "  COUNT(IF(p.sync_interval > 0 AND GREATEST(s.since, COALESCE(u.last_sync, s.since))"
	    "    <= ? - INTERVAL p.sync_interval SECOND, 1, NULL)),"
	    "  COUNT(IF(u.last_sync > ? - INTERVAL p.sync_interval SECOND, 1, NULL)),"
	    "  COUNT(IF(s.failures > 0, 1, NULL))"
	    " FROM identity_providers p LEFT JOIN identity_syncs s ON s.provider_id = p.id"
	    " LEFT JOIN users u ON u.id = s.user_id"
	    " GROUP BY p.name, p.sync_problem, p.sync_paused_until, p.sync_interval ORDER BY p.name",
	.columns = standing_columns,
	.ncolumns = countof(standing_columns),
};

void
sync_standings(struct db *db, struct sync_standing *row)
{
	struct stamp now = stamp_now();

	db_query(db, &sync_all_standings, row, V(now), V(now));
}
