#define ROSTER_OWNS_MEMORY
#include "base/base.h"
#include "base/count.h"
#include "base/log.h"
#include "db/db_int.h"

#include <errmsg.h>
#include <ini.h>
#include <mysqld_error.h>

#define GROUP "roster"

/*
 * A session's settings. The server ends a statement a second after a lock wait would have ended,
 * and the client stops listening some seconds after that, so that the most telling one comes first.
 */
#define SESSION                                                                                  \
	"SET NAMES utf8mb4 COLLATE utf8mb4_uca1400_as_ci, time_zone = '+00:00',"                 \
	" autocommit = 1, tx_isolation = 'READ-COMMITTED', lc_messages = 'en_US',"               \
	" sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ONLY_FULL_GROUP_BY,"        \
	"ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', wait_timeout = 31536000,"           \
	" innodb_lock_wait_timeout = %lld, lock_wait_timeout = %lld, max_statement_time = %lld," \
	" idle_transaction_timeout = %lld"
#define SERVER_GRACE 1
#define CLIENT_GRACE 5

/* What to do about a connection that was refused; DB_FAILED: no waiting mends it. */
static const struct advice {
	unsigned int number;
	enum db_result result;
	const char *words;
} advices[] = {
	{ CR_FILE_READ, DB_FAILED, "the option database in roster.conf names this file" },
	{ CR_CONNECTION_ERROR, DB_AGAIN,
	    "is MariaDB running there? Correct socket, or host and port" },
	{ CR_CONN_HOST_ERROR, DB_AGAIN, "is MariaDB running there? Correct host and port" },
	{ CR_UNKNOWN_HOST, DB_AGAIN, "correct host" },
	{ CR_SERVER_LOST, DB_AGAIN, "is it MariaDB that listens there, and not overloaded?" },
	{ CR_SSL_CONNECTION_ERROR, DB_AGAIN,
	    "a connection that is not a unix socket needs TLS with a "
	    "certificate that can be verified: correct ssl-ca and host" },
	{ ER_ACCESS_DENIED_ERROR, DB_FAILED, "correct user and password" },
	{ ER_ACCESS_DENIED_NO_PASSWORD_ERROR, DB_FAILED, "correct user and password" },
	{ ER_DBACCESS_DENIED_ERROR, DB_FAILED, "correct database, or GRANT the user access to it" },
	{ ER_BAD_DB_ERROR, DB_FAILED, "correct database, or CREATE it" },
	{ ER_HOST_NOT_PRIVILEGED, DB_AGAIN, "CREATE the user for the host that roster runs on" },
	{ ER_HOST_IS_BLOCKED, DB_AGAIN, "FLUSH HOSTS on the server" },
	{ ER_CON_COUNT_ERROR, DB_AGAIN,
	    "raise max_connections on the server, or lower the workers" },
	{ ER_UNKNOWN_COLLATION, DB_FAILED, "MariaDB 10.10 or later is needed" },
};
static const struct advice no_advice = { 0, DB_AGAIN, "see the server's error log" };

/* What has to be known of the option file before the client library reads it. */
struct option_file {
	bool has_group;
	bool remote; /* a host that is not reached through a unix socket */
};

void
error_set(struct db_error *e, unsigned int number, const char *format, ...)
{
	va_list args;

	e->number = number;
	memcpy(e->state, "HY000", sizeof("HY000"));
	va_start(args, format);
	vsnprintf(e->message, sizeof(e->message), format, args);
	va_end(args);
}

void
conn_error(struct db *db, MYSQL_STMT *st, struct db_error *e)
{
	bool stmt = st != NULL && mysql_stmt_errno(st) != 0;

	e->number = stmt ? mysql_stmt_errno(st) : mysql_errno(db->mysql);
	if (e->number == 0) {
		/* The library knows of a failure and not of its reason: nothing can be built on that. */
		error_set(e, CR_SERVER_LOST, "unknown failure");
		return;
	}
	snprintf(e->state, sizeof(e->state), "%s",
	    stmt ? mysql_stmt_sqlstate(st) : mysql_sqlstate(db->mysql));
	snprintf(e->message, sizeof(e->message), "%s",
	    stmt ? mysql_stmt_error(st) : mysql_error(db->mysql));
}

struct db *
db_new(const struct db_options *options)
{
	struct db *db = calloc(1, sizeof(*db));

	must(db != NULL);
	db->options = *options;
	db->option_file = strndup(options->option_file.s, options->option_file.n);
	must(db->option_file != NULL);
	db->options.option_file = text_from(db->option_file);
	cache_init(&db->cache);
	return db;
}

void
db_free(struct db **db)
{
	if (*db == NULL)
		return;
	conn_drop(*db);
	cursor_release(&(*db)->cursor);
	free((*db)->option_file);
	free(*db);
	*db = NULL;
}

static int
note_option(void *ctx, const char *section, const char *name, const char *value)
{
	struct option_file *f = ctx;

	if (strcmp(section, GROUP) != 0)
		return 1;
	f->has_group = true;
	if (strcmp(name, "host") == 0)
		f->remote = value[0] != '\0' && strcmp(value, "localhost") != 0;
	return 1;
}

/* The client library says nothing about a file or a group that is not there. */
static bool
read_option_file(struct db *db, struct option_file *f, struct db_error *e)
{
	*f = (struct option_file){ 0 };
	if (ini_parse(db->option_file, note_option, f) < 0) {
		error_set(e, CR_FILE_READ, "%s: %s", db->option_file, strerror(errno));
		return false;
	}
	if (!f->has_group) {
		error_set(e, CR_FILE_READ, "%s has no group [" GROUP "]", db->option_file);
		return false;
	}
	return true;
}

static void
set_options(struct db *db, bool remote)
{
	long long limit = db->options.timeout;
	unsigned int connect = (unsigned int)limit, off = 0;
	unsigned int io = db->patient ? 0 : (unsigned int)limit + CLIENT_GRACE;
	my_bool on = 1;
	char session[sizeof(SESSION) + 64];

	snprintf(session, sizeof(session), SESSION, limit, limit,
	    db->patient ? 0 : limit + SERVER_GRACE, db->patient ? 0 : (long long)db->options.idle);
	mysql_options(db->mysql, MYSQL_READ_DEFAULT_FILE, db->option_file);
	mysql_options(db->mysql, MYSQL_READ_DEFAULT_GROUP, GROUP);
	mysql_options(db->mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_options(db->mysql, MYSQL_INIT_COMMAND, session);
	mysql_options(db->mysql, MYSQL_OPT_LOCAL_INFILE, &off);
	mysql_options(db->mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect);
	mysql_options(db->mysql, MYSQL_OPT_READ_TIMEOUT, &io);
	mysql_options(db->mysql, MYSQL_OPT_WRITE_TIMEOUT, &io);
	if (remote) {
		mysql_options(db->mysql, MYSQL_OPT_SSL_ENFORCE, &on);
		mysql_options(db->mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on);
	}
}

/* The option file was read after our own options: it may not have loosened them. */
static bool
check_connection(struct db *db, struct db_error *e)
{
	const char *database = NULL;
	my_bool verified = 0;
	int type = -1;

	mariadb_get_infov(db->mysql, MARIADB_CONNECTION_SCHEMA, &database);
	if (database == NULL) {
		error_set(e, ER_BAD_DB_ERROR, "no database is named in group [" GROUP "]");
		return false;
	}
	mariadb_get_infov(db->mysql, MARIADB_CONNECTION_PVIO_TYPE, &type);
	if (type == MARIADB_CONNECTION_UNIXSOCKET)
		return true;
	mysql_get_option(db->mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verified);
	if (mysql_get_ssl_cipher(db->mysql) == NULL || !verified) {
		error_set(e, CR_SSL_CONNECTION_ERROR, "the option file turns TLS or its check off");
		return false;
	}
	return true;
}

bool
conn_up(struct db *db, struct db_error *e)
{
	struct option_file f;
	my_bool off = 0;

	if (db->mysql != NULL)
		return true;
	if (db->pinned) {
		error_set(e, CR_SERVER_GONE_ERROR, "the connection was lost, and its lock with it");
		return false;
	}
	if (!read_option_file(db, &f, e))
		return false;

	db->mysql = mysql_init(NULL);
	must(db->mysql != NULL);
	set_options(db, f.remote);
	if (mysql_real_connect(db->mysql, f.remote ? NULL : "localhost", NULL, NULL, NULL, 0, NULL,
		CLIENT_FOUND_ROWS) == NULL) {
		conn_error(db, NULL, e);
		conn_drop(db);
		return false;
	}
	count(TALLY_DATABASE_CONNECTION);
	mysql_options(db->mysql, MYSQL_OPT_RECONNECT, &off);
	if (!check_connection(db, e)) {
		conn_drop(db);
		return false;
	}
	log_debug("connected to the database (%s)", mysql_get_host_info(db->mysql));
	return true;
}

void
conn_drop(struct db *db)
{
	db->cursor.open = NULL;
	db->sent.st = NULL;
	db->may_send = false;
	if (db->mysql == NULL)
		return;
	mysql_close(db->mysql);
	db->mysql = NULL;
	cache_clear(&db->cache);
}

bool
conn_command(struct db *db, struct text sql, struct db_error *e)
{
	MYSQL_RES *rows;

	if (mysql_real_query(db->mysql, sql.s, sql.n) != 0) {
		conn_error(db, NULL, e);
		return false;
	}
	rows = mysql_store_result(db->mysql);
	if (rows == NULL && mysql_errno(db->mysql) != 0) {
		conn_error(db, NULL, e);
		return false;
	}
	mysql_free_result(rows);
	return true;
}

static const struct advice *
advice_for(const struct db_error *e)
{
	for (size_t i = 0; i < countof(advices); i++) {
		if (advices[i].number == e->number)
			return &advices[i];
	}
	return &no_advice;
}

enum db_result
db_connect(struct db *db, struct arena *a, struct text *problem)
{
	const struct advice *advice;
	struct db_error e;

	if (db->mysql != NULL && mysql_ping(db->mysql) != 0)
		conn_drop(db);
	if (conn_up(db, &e))
		return DB_NONE;
	advice = advice_for(&e);
	*problem = arena_printf(a,
	    "cannot connect to the database: %s (%u): %s (option file %s, group [" GROUP "])",
	    e.message, e.number, advice->words, db->option_file);
	return advice->result;
}
