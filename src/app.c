#include "base/base.h"

#include <fcntl.h>
#include <unistd.h>

#include "access/access.h"
#include "agreements/agreements.h"
#include "app.h"
#include "audit/audit.h"
#include "auth/auth.h"
#include "base/log.h"
#include "crypto/password.h"
#include "crypto/seal.h"
#include "customers/customers.h"
#include "db/migrate.h"
#include "idempotency/idempotency.h"
#include "identity/identity.h"
#include "keys/keys.h"
#include "mail/mail.h"
#include "ops/ops.h"
#include "projects/projects.h"
#include "users/users.h"

/* Memory for a configuration and its texts. */
#define SETUP_MEMORY (1024 * 1024)

static const struct route_table *const tables[] = {
	&access_routes,
	&audit_routes,
	&auth_routes,
	&customer_routes,
	&agreement_routes,
	&auth_token_routes,
	&identity_routes,
	&key_routes,
	&ops_routes,
	&project_routes,
	&user_routes,
};

static const struct sealed_column *const sealed[] = {
	&sealed_tokens,
	&sealed_secrets[0],
	&sealed_secrets[1],
	&sealed_secrets[2],
	&sealed_mails,
	&sealed_answers,
};

static const struct app_process processes[] = {
	/* Last: it writes down what the workers' last requests have left in memory. */
	{ .name = "keeper", .run = keeper_run, .last = true },
	{ .name = "mailer", .run = mailer_run },
	{ .name = "sync", .run = sync_run },
};

static const struct chore chores[] = {
	{ .name = "expired grants", .interval = 60, .run = grants_sweep },
	{ .name = "idempotency keys", .interval = 300, .run = idempotency_purge },
	{ .name = "mails", .interval = 5, .run = mail_measure },
	{ .name = "sign-in failures", .interval = 600, .run = throttle_purge },
	{ .name = "token uses", .interval = 10, .run = uses_flush, .at_end = uses_flush_all },
};

void
app_keep_streams(void)
{
	/* The wrong way round for each of them. */
	static const int flags[] = { O_WRONLY, O_RDONLY, O_RDONLY };

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			must(open("/dev/null", flags[fd]) == fd);
}

struct password_cost
app_password_cost(const struct config *c)
{
	return (struct password_cost){ (uint32_t)c->argon2_memory, (uint32_t)c->argon2_passes,
		(uint32_t)c->argon2_lanes };
}

static void
share(const struct config *c)
{
	uses_share(c);
	flight_share();
}

static void
prepare_slow(const struct config *c)
{
	password_init(app_password_cost(c));
}

/* Tries to connect until it works, the time is over, or there is nothing to wait for. */
static bool
wait_for_database(struct db *db, const struct config *config, struct arena *a)
{
	int64_t until = stamp_now().us + config->database_wait * SECONDS;
	enum db_result connected;
	struct text problem;

	while ((connected = db_connect(db, a, &problem)) != DB_NONE) {
		if (connected == DB_FAILED) {
			log_error("%.*s", TEXT_ARGS(problem));
			return false;
		}
		if (stamp_now().us >= until) {
			log_error("no database after %lld seconds: %.*s",
			    (long long)config->database_wait, TEXT_ARGS(problem));
			return false;
		}
		log_warning("waiting for the database: %.*s", TEXT_ARGS(problem));
		sleep(1);
	}
	return true;
}

bool
app_owns(struct db *db, const struct setup *setup, bool newer)
{
	struct text problem;
	enum schema_state schema = migrate_check(db, setup->arena, &problem);

	if (schema != SCHEMA_CURRENT && !(newer && schema == SCHEMA_NEWER)) {
		log_error("%.*s", TEXT_ARGS(problem));
		return false;
	}
	if (!tokens_open(db, setup->keyring, setup->arena, &problem)) {
		log_error("%.*s: %.*s", TEXT_ARGS(setup->config.key_file), TEXT_ARGS(problem));
		return false;
	}
	return true;
}

static bool
check(const struct setup *setup)
{
	struct db_options options = server_db_options(&roster, &setup->config);
	struct db *db = db_new(&options);
	bool good =
	    wait_for_database(db, &setup->config, setup->arena) && app_owns(db, setup, false);

	db_free(&db);
	return good;
}

const struct app roster = {
	.tables = tables,
	.ntables = countof(tables),
	.authenticate = authenticate,
	.before = idempotency_begin,
	.after = idempotency_end,
	.share = share,
	.prepare_slow = prepare_slow,
	.check = check,
	.processes = processes,
	.nprocesses = countof(processes),
	.chores = chores,
	.nchores = countof(chores),
	.sealed = sealed,
	.nsealed = countof(sealed),
	.committed = &audit_committed,
};

bool
app_config(
    struct config *config, const struct app_source *source, struct arena *a, struct text *problems)
{
	if (!config_read(config, source->path, a, problems))
		return false;
	for (size_t i = 0; i < source->nset; i++) {
		struct text set = source->set[i];
		size_t at = text_find(set, '=', 0);

		if (!config_set(config, text_slice(set, 0, at), text_slice(set, at + 1, set.n),
			T("--set"), a, problems))
			return false;
	}
	return config_check(config, T("--set"), a, problems);
}

static void
log_lines(struct text lines)
{
	struct text line;

	while (text_split(&lines, '\n', &line))
		if (line.n > 0)
			log_error("%.*s", TEXT_ARGS(line));
}

bool
app_load(struct setup *out, void *ctx)
{
	const struct app_source *source = ctx;
	struct arena *a = arena_new(SETUP_MEMORY);
	struct text problems;

	*out = (struct setup){ .arena = a };
	if (app_config(&out->config, source, a, &problems)) {
		if (source->without_keys)
			return true;
		out->keyring = keyring_read(out->config.key_file, a, &problems);
		if (out->keyring != NULL)
			return true;
	}
	log_lines(problems);
	arena_free(&out->arena);
	return false;
}
