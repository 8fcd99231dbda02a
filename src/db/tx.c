#include "base/base.h"
#include "base/count.h"
#include "base/log.h"
#include "db/db_int.h"

#include <errmsg.h>
#include <mysqld_error.h>
#include <unistd.h>

/* What a failure means. What is not listed goes by the class of its SQLSTATE, else it is permanent. */
struct verdict {
	unsigned int number;
	enum db_result result;
	bool lost;         /* the connection is of no more use */
	const char *words; /* for the log */
};

static const struct verdict verdicts[] = {
	{ ER_DUP_ENTRY, DB_DUPLICATE, false, "duplicate" },
	{ ER_DUP_ENTRY_WITH_KEY_NAME, DB_DUPLICATE, false, "duplicate" },

	{ ER_LOCK_DEADLOCK, DB_AGAIN, false, "deadlock" }, /* and Galera's failed certification */
	{ ER_LOCK_WAIT_TIMEOUT, DB_AGAIN, false, "lock wait timeout" },
	{ ER_LOCK_ABORTED, DB_AGAIN, false, "lock wait aborted" },
	{ ER_CHECKREAD, DB_AGAIN, false, "record changed since it was read" },
	{ ER_TABLE_DEF_CHANGED, DB_AGAIN, false, "table altered" },
	{ ER_QUERY_INTERRUPTED, DB_AGAIN, false, "interrupted" },
	{ ER_NEED_REPREPARE, DB_AGAIN, false, "to be prepared again" },
	/* Somebody was faster than a check that has just passed, and will not pass again. */
	{ ER_NO_REFERENCED_ROW_2, DB_AGAIN, false, "what it refers to was deleted" },
	{ ER_ROW_IS_REFERENCED_2, DB_AGAIN, false, "what it deletes was referred to" },

	{ CR_CONNECTION_ERROR, DB_AGAIN, true, "no connection" },
	{ CR_CONN_HOST_ERROR, DB_AGAIN, true, "no connection" },
	{ CR_UNKNOWN_HOST, DB_AGAIN, true, "no connection" },
	{ CR_SERVER_GONE_ERROR, DB_AGAIN, true, "connection lost" },
	{ CR_SERVER_LOST, DB_AGAIN, true, "connection lost" },
	{ CR_SERVER_LOST_EXTENDED, DB_AGAIN, true, "connection lost" },
	{ CR_ERR_NET_READ, DB_AGAIN, true, "connection lost" },
	{ CR_ERR_NET_WRITE, DB_AGAIN, true, "connection lost" },
	{ ER_CONNECTION_KILLED, DB_AGAIN, true, "connection killed" },
	{ ER_NORMAL_SHUTDOWN, DB_AGAIN, true, "server shutting down" },
	{ ER_SERVER_SHUTDOWN, DB_AGAIN, true, "server shutting down" },
	{ ER_CON_COUNT_ERROR, DB_AGAIN, true, "too many connections" },
	{ ER_TOO_MANY_USER_CONNECTIONS, DB_AGAIN, true, "too many connections" },
	{ ER_UNKNOWN_COM_ERROR, DB_AGAIN, true, "Galera node not ready" },

	{ CR_COMMANDS_OUT_OF_SYNC, DB_FAILED, true, "out of step with the server" },
	{ CR_MALFORMED_PACKET, DB_FAILED, true, "out of step with the server" },
	{ CR_SSL_CONNECTION_ERROR, DB_FAILED, true, "TLS failed" },
	{ CR_NET_PACKET_TOO_LARGE, DB_FAILED, true, "larger than max_allowed_packet" },
	{ ER_NET_PACKET_TOO_LARGE, DB_FAILED, true, "larger than max_allowed_packet" },
	{ ER_STATEMENT_TIMEOUT, DB_FAILED, false, "took longer than database_timeout" },
	{ ER_OPTION_PREVENTS_STATEMENT, DB_FAILED, false,
	    "the server is run with an option that forbids it, as read_only" },
	{ ER_DISK_FULL, DB_FAILED, false, "the server's disk is full" },
	{ ER_RECORD_FILE_FULL, DB_FAILED, false, "the server's disk is full" },
};

static const struct {
	char class[3];
	struct verdict verdict;
} classes[] = {
	{ "08", { 0, DB_AGAIN, true, "connection lost" } },
	{ "40", { 0, DB_AGAIN, false, "rolled back" } },
};

static const struct verdict permanent = { 0, DB_FAILED, false, NULL };

static const struct verdict *
verdict_of(const struct db_error *e)
{
	for (size_t i = 0; i < countof(verdicts); i++) {
		if (verdicts[i].number == e->number)
			return &verdicts[i];
	}
	for (size_t i = 0; i < countof(classes); i++) {
		if (strncmp(classes[i].class, e->state, 2) == 0)
			return &classes[i].verdict;
	}
	return &permanent;
}

/*
 * The server quotes values in some messages, and values do not belong in the log. It does not in
 * those about the SQL itself (class 42), nor does the client library in its own.
 */
static const char *
words_of(const struct db_error *e, const struct verdict *v)
{
	if (v->words != NULL)
		return v->words;
	if (e->number >= CR_MIN_ERROR || strncmp(e->state, "42", 2) == 0)
		return e->message;
	return "see this number in the server's documentation";
}

static enum tallied
counter_of(enum db_result result)
{
	return result == DB_AGAIN    ? TALLY_DATABASE_AGAIN
	    : result == DB_DUPLICATE ? TALLY_DATABASE_DUPLICATE
				     : TALLY_DATABASE_FAILED;
}

void
tx_fail(struct db *db, const char *name, const struct db_error *e)
{
	const struct verdict *v = verdict_of(e);

	if (v->lost)
		conn_drop(db);
	if (db->result < 0)
		return;
	db->result = v->result;
	db->failure = e->number;
	count(counter_of(v->result));
	if (v->result == DB_DUPLICATE) {
		db->duplicate = *e;
		db->duplicate_of = name;
		return;
	}
	log_message(v->result == DB_AGAIN ? LOG_WARNING : LOG_ERROR, "statement %s: %s (%u, %s)",
	    name, words_of(e, v), e->number, e->state);
}

bool
tx_attempt(struct db *db, const char *name, attempt *fn, void *ctx)
{
	struct db_error e;

	for (int tries = 1;; tries++) {
		if (!conn_up(db, &e))
			break;
		if (fn(db, ctx, &e))
			return true;
		if (tries == 2 || db->in_transaction || db->pinned || !verdict_of(&e)->lost)
			break;
		log_info("statement %s: %s, connecting anew", name, verdict_of(&e)->words);
		conn_drop(db);
	}
	tx_fail(db, name, &e);
	return false;
}

static bool
begin(struct db *db, UNUSED void *ctx, struct db_error *e)
{
	return conn_command(db, T("BEGIN"), e);
}

bool
tx_open(struct db *db)
{
	if (!db->in_transaction)
		db->in_transaction = tx_attempt(db, "BEGIN", begin, NULL);
	return db->in_transaction;
}

static int64_t
monotonic_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/*
 * Asks the database itself what became of an unsure COMMIT, as long as one statement may take:
 * a server that fell down in the middle of it is often back by then.
 */
static enum db_result
resolve(struct db *db)
{
	const struct db_stmt *committed = db->options.committed;
	int64_t end = monotonic_ms() + db->options.timeout * 1000;
	struct db_error e;
	bool found;

	if (committed == NULL || db->request_id.n == 0)
		return DB_UNSURE;
	for (int tries = 1; tries == 1 || monotonic_ms() < end; tries++) {
		if (conn_up(db, &e) && stmt_finds(db, committed, V(db->request_id), &found, &e)) {
			log_info("COMMIT: it %s", found ? "happened" : "did not happen");
			return found ? DB_NONE : DB_AGAIN;
		}
		if (verdict_of(&e)->lost)
			conn_drop(db);
		db_back_off(tries);
	}
	log_error("COMMIT: it could not be found out whether it happened: %s (%u, %s)",
	    words_of(&e, verdict_of(&e)), e.number, e.state);
	return DB_UNSURE;
}

/*
 * A failed COMMIT has surely not happened only when the server says that it rolled back. After
 * anything else (connection lost, server killed, a Galera node that left its cluster) it may have.
 */
static void
commit(struct db *db)
{
	int64_t began = stamp_monotonic();
	struct db_error e;
	bool good = conn_command(db, T("COMMIT"), &e);

	count_time(TIMING_COMMIT, stamp_monotonic() - began);
	if (good)
		return;
	if (strncmp(e.state, "40", 2) == 0) {
		tx_fail(db, "COMMIT", &e);
		return;
	}
	log_warning("COMMIT: %s (%u, %s): unsure whether it happened", words_of(&e, verdict_of(&e)),
	    e.number, e.state);
	conn_drop(db);
	count(TALLY_DATABASE_UNSURE);
	db->result = resolve(db);
}

/* "Duplicate entry 'x' for key 'username'": the last quoted word, without a table before it. */
static struct text
key_name(const char *message)
{
	const char *end = strrchr(message, '\''), *start;

	if (end == NULL || end == message)
		return T("");
	start = memrchr(message, '\'', (size_t)(end - message));
	if (start == NULL)
		return T("");
	for (const char *p = ++start; p < end; p++) {
		if (*p == '.')
			start = p + 1;
	}
	return (struct text){ start, (size_t)(end - start) };
}

static void
roll_back(struct db *db)
{
	struct db_error e;

	if (db->mysql != NULL && !conn_command(db, T("ROLLBACK"), &e))
		conn_drop(db);
}

void
db_begin(struct db *db, struct arena *a, bool may_write, struct text request_id)
{
	must(!db->in_transaction && db->cursor.open == NULL);
	cursor_trim(&db->cursor);
	db->arena = a;
	db->may_write = may_write;
	db->request_id = request_id;
	db->result = DB_NONE;
	db->statements = 0;
	db->last_id = 0;
}

enum db_result
db_end(struct db *db, bool do_commit)
{
	db_stop(db);
	if (db->in_transaction && do_commit && db->result == DB_NONE)
		commit(db);
	else if (db->in_transaction)
		roll_back(db);
	db->in_transaction = false;

	if (db->result == DB_DUPLICATE) {
		struct text key = key_name(db->duplicate.message);

		log_error("statement %s: unexpected duplicate of key %.*s", db->duplicate_of,
		    TEXT_ARGS(key));
	}
	return db->result;
}

enum db_result
db_transaction(struct db *db, struct arena *a, db_body *body, void *ctx)
{
	return db_transaction_of(db, a, TEXT_NONE, body, ctx);
}

enum db_result
db_transaction_of(struct db *db, struct arena *a, struct text request_id, db_body *body, void *ctx)
{
	for (int tries = 1;; tries++) {
		enum db_result end;

		db_begin(db, a, true, request_id);
		end = db_end(db, body(db, ctx));
		if (end != DB_AGAIN || tries == DB_TRIES)
			return end;
		count(TALLY_DATABASE_RETRY);
		db_back_off(tries);
	}
}

struct one {
	const struct db_stmt *stmt;
	const struct value *values;
	size_t nvalues;
	int64_t rows;
};

static bool
exec_one(struct db *db, void *ctx)
{
	struct one *one = ctx;

	one->rows = db_exec_values(db, one->stmt, one->values, one->nvalues);
	return true;
}

enum db_result
db_exec_commit_values(struct db *db, struct arena *a, int64_t *rows, const struct db_stmt *stmt,
    const struct value *v, size_t n)
{
	struct one one = { stmt, v, n, 0 };
	enum db_result result = db_transaction(db, a, exec_one, &one);

	if (rows != NULL)
		*rows = one.rows;
	return result;
}

void
db_back_off(int tries)
{
	uint32_t most = tries < 5 ? 6u << tries : 100;

	usleep((1 + arc4random_uniform(most)) * 1000);
}

struct text
db_duplicate(struct db *db)
{
	stmt_await(db);
	if (db->result != DB_DUPLICATE)
		return TEXT_NONE;
	db->result = DB_NONE;
	return key_name(db->duplicate.message);
}

void
db_again(struct db *db)
{
	if (db->result == DB_NONE)
		db->result = DB_AGAIN;
}

bool
db_locked(const struct db *db)
{
	return db->result == DB_AGAIN && db->failure == ER_LOCK_WAIT_TIMEOUT;
}

bool
db_failed(const struct db *db)
{
	return db->result < 0;
}

int
db_statements(const struct db *db)
{
	return db->statements;
}

int64_t
db_last_id(const struct db *db)
{
	return db->last_id;
}
