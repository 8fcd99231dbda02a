/*
 * Against guessing passwords; the rules are in docs of the options and in the first table of the API's
 * description. Three counters: a username from a network locks that pair; a username from
 * anywhere makes strange networks wait; a network with any usernames waits itself. Whether the account
 * exists makes no difference to any of them. Nobody waits inside a worker: the answer says how long.
 */
#include "base/base.h"

#include <arpa/inet.h>

#include "auth/auth_int.h"
#include "crypto/digest.h"

/* Waits double from a second on. */
#define DOUBLINGS_MAX 20

enum counter { COUNTER_PAIR, COUNTER_ACCOUNT, COUNTER_NETWORK, COUNTERS };

static const char *const counter_kinds[COUNTERS] = { "pair", "account", "network" };

/* A counter's row. */
struct failure {
	struct text kind;
	int64_t failures;
	struct stamp last;
};

static const struct db_column failure_columns[] = {
	COLUMN(failure, kind),
	COLUMN(failure, failures),
	COLUMN(failure, last),
};

static const struct db_stmt failures_read = {
	.name = "failures_read",
	.sql = "SELECT kind, failures, last FROM login_failures"
	       " WHERE subject IN (?, ?, ?)",
	.columns = failure_columns,
	.ncolumns = countof(failure_columns),
};

static const struct db_stmt failure_count = {
	.name = "failure_count",
	.access = DB_WRITE,
	.sql = "INSERT INTO login_failures (kind, subject, failures, last) VALUES (?, ?, 1, ?)"
	       " ON DUPLICATE KEY UPDATE failures = IF(last < ?, 1, failures + 1),"
	       "  last = VALUES(last)",
};

static const struct db_stmt failure_clear = {
	.name = "failure_clear",
	.access = DB_WRITE,
	.sql = "DELETE FROM login_failures WHERE kind = ? AND subject = ?",
};

struct known {
	int64_t id;
};

static const struct db_column known_columns[] = { COLUMN(known, id) };

static const struct db_stmt network_known = {
	.name = "network_known",
	.sql = "SELECT n.id FROM login_networks n JOIN users u ON u.id = n.user_id"
	       " WHERE u.username = ? AND n.network = ? AND n.last >= ?",
	.columns = known_columns,
	.ncolumns = countof(known_columns),
};

static const struct db_stmt network_note = {
	.name = "network_note",
	.access = DB_WRITE,
	.sql = "INSERT INTO login_networks (user_id, network, last) VALUES (?, ?, ?)"
	       " ON DUPLICATE KEY UPDATE last = VALUES(last)",
};

static const struct db_stmt failures_purge = {
	.name = "failures_purge",
	.access = DB_WRITE,
	.sql = "DELETE FROM login_failures WHERE last < ?",
};

static const struct db_stmt networks_purge = {
	.name = "networks_purge",
	.access = DB_WRITE,
	.sql = "DELETE FROM login_networks WHERE last < ?",
};

struct text
network_of(struct text address, struct arena *a)
{
	struct in6_addr six;
	char printed[INET6_ADDRSTRLEN];

	if (text_is_none(address))
		return T("");
	if (inet_pton(AF_INET6, arena_text(a, address).s, &six) != 1)
		return address;
	if (IN6_IS_ADDR_V4MAPPED(&six))
		return arena_printf(
		    a, "%s", inet_ntop(AF_INET, &six.s6_addr[12], printed, sizeof(printed)));
	memset(&six.s6_addr[8], 0, 8); /* a /64: what one customer has to choose from */
	return arena_printf(a, "%s/64", inet_ntop(AF_INET6, &six, printed, sizeof(printed)));
}

/* What a counter counts, as it is stored. */
static struct bytes
subject_of(struct request *rq, enum counter counter, struct text username)
{
	struct text parts[] = {
		text_from(counter_kinds[counter]),
		counter == COUNTER_NETWORK ? T("") : username,
		counter == COUNTER_ACCOUNT ? T("") : network_of(rq->peer, rq->arena),
	};

	return digest(parts, countof(parts), rq->arena);
}

/* From how many failures on a counter makes wait. */
static int64_t
limit_of(const struct config *c, enum counter counter)
{
	return counter == COUNTER_PAIR   ? c->lockout_failures
	    : counter == COUNTER_ACCOUNT ? c->account_failures
					 : c->network_failures;
}

/* Microseconds that the next try has to wait after the last failure: the lock, or a second, doubling. */
static int64_t
wait_of(const struct config *c, enum counter counter, int64_t failures)
{
	int64_t over = failures - limit_of(c, counter), seconds;

	if (over < 0)
		return 0;
	if (counter == COUNTER_PAIR)
		return c->lockout_time * SECONDS;
	seconds = INT64_C(1) << (over < DOUBLINGS_MAX ? over : DOUBLINGS_MAX);
	return (seconds < c->throttle_wait ? seconds : c->throttle_wait) * SECONDS;
}

/* How long a failure counts when no other follows: at least as long as it makes wait. */
static int64_t
memory_of(const struct config *c, enum counter counter)
{
	return (counter != COUNTER_PAIR && c->throttle_wait > c->lockout_time ? c->throttle_wait
									      : c->lockout_time) *
	    SECONDS;
}

/* Reads the microseconds that each counter still makes wait. */
static void
read_waits(struct request *rq, struct text username, int64_t waits[COUNTERS])
{
	struct failure f;

	db_query(rq->db, &failures_read, &f, V(subject_of(rq, COUNTER_PAIR, username)),
	    V(subject_of(rq, COUNTER_ACCOUNT, username)),
	    V(subject_of(rq, COUNTER_NETWORK, username)));
	while (db_next(rq->db))
		for (enum counter i = 0; i < COUNTERS; i++)
			if (text_eq(f.kind, text_from(counter_kinds[i])))
				waits[i] =
				    f.last.us + wait_of(rq->config, i, f.failures) - rq->now.us;
}

static bool
is_known_network(struct request *rq, struct text username)
{
	struct stamp since = { rq->now.us - rq->config->known_network_days * 24 * 3600 * SECONDS };
	struct known known;

	return db_row(rq->db, &network_known, &known, V(username),
	    V(network_of(rq->peer, rq->arena)), V(since));
}

static int
reply_locked_out(struct request *rq)
{
	int64_t minutes = (rq->config->lockout_time + 59) / 60;

	rq->tallied = TALLY_SIGNIN_LOCKED;
	return reply_unauthorized(rq,
	    arena_printf(
		rq->arena, "Username is locked out. Try in %lld minutes.", (long long)minutes)
		.s);
}

static int
reply_waits(struct request *rq, int64_t wait)
{
	rq->tallied = TALLY_SIGNIN_THROTTLED;
	return reply_throttled(rq, wait);
}

int
throttle_refuse(struct request *rq, struct text username)
{
	int64_t waits[COUNTERS] = { 0 };

	read_waits(rq, username, waits);
	if (waits[COUNTER_PAIR] > 0)
		return reply_locked_out(rq);
	if (waits[COUNTER_NETWORK] > 0)
		return reply_waits(rq, waits[COUNTER_NETWORK]);
	if (waits[COUNTER_ACCOUNT] > 0 && !is_known_network(rq, username))
		return reply_waits(rq, waits[COUNTER_ACCOUNT]);
	return 0;
}

void
throttle_failed(struct request *rq, struct text username)
{
	for (enum counter i = 0; i < COUNTERS; i++) {
		struct stamp since = { rq->now.us - memory_of(rq->config, i) };

		db_exec(rq->db, &failure_count, V(text_from(counter_kinds[i])),
		    V(subject_of(rq, i, username)), V(rq->now), V(since));
	}
	rq->tallied = TALLY_SIGNIN_BAD;
	rq->commit = true; /* though the answer is a refusal */
}

void
throttle_succeeded(struct request *rq, struct text username, int64_t user_id)
{
	rq->tallied = TALLY_SIGNIN_GOOD;
	db_exec(rq->db, &failure_clear, V(text_from(counter_kinds[COUNTER_PAIR])),
	    V(subject_of(rq, COUNTER_PAIR, username)));
	db_exec(rq->db, &network_note, V(user_id), V(network_of(rq->peer, rq->arena)), V(rq->now));
}

static bool
purge(struct db *db, void *ctx)
{
	const struct config *c = ctx;
	int64_t now = stamp_now().us;
	struct stamp failures = { now - memory_of(c, COUNTER_NETWORK) -
		memory_of(c, COUNTER_PAIR) };
	struct stamp networks = { now - c->known_network_days * 24 * 3600 * SECONDS };

	db_exec(db, &failures_purge, V(failures));
	db_exec(db, &networks_purge, V(networks));
	return true;
}

void
throttle_purge(struct db *db, const struct config *config, struct arena *a)
{
	struct config c = *config;

	if (db_transaction(db, a, purge, &c) < DB_NONE)
		return; /* what is old is no danger: the next run deletes it */
}
