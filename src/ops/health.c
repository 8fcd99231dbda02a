#include "base/base.h"

#include "db/migrate.h"
#include "ops/ops_int.h"
#include "server/meter.h"

/* What this look has found: the same sentences for everybody, since anybody may ask. */
struct look {
	struct request *rq;
	const struct meter_totals *totals;
};

struct applied {
	int64_t number;
};

static const struct db_column applied_columns[] = { COLUMN(applied, number) };

static const struct db_stmt last_migration = {
	.name = "last_migration",
	.sql = "SELECT CAST(COALESCE(MAX(number), 0) AS SIGNED) FROM schema_migrations"
	       " WHERE applied_at IS NOT NULL",
	.columns = applied_columns,
	.ncolumns = countof(applied_columns),
};

/* A newer schema is good: this program runs on the next one while hosts are upgraded. */
static const char *
look_at_database(const struct look *l)
{
	struct applied applied = { 0 };

	if (!db_row(l->rq->db, &last_migration, &applied))
		return "The database does not answer.";
	if (applied.number < migrations[nmigrations - 1].number)
		return "Migrations are pending.";
	return NULL;
}

/* Is there a process for each kind of request? */
static const char *
look_at_workers(const struct look *l)
{
	for (size_t i = 0; l->totals != NULL && i < l->totals->nprocesses; i++)
		if (l->totals->processes[i].works && l->totals->processes[i].running == 0)
			return "A lane has no workers.";
	return NULL;
}

static const struct check {
	const char *name;
	const char *(*look)(const struct look *l); /* NULL, or what is wrong */
} checks[] = {
	{ "database", look_at_database },
	{ "workers", look_at_workers },
};

int
health_live(struct request *rq)
{
	json_object(reply_json(rq, 200));
	json_member_text(&rq->reply.json, "status", T("ok"));
	json_object_end(&rq->reply.json);
	return reply_end(rq);
}

/* {"status": "unavailable", "problems": {"database": "..."}} */
static int
answer_unavailable(struct request *rq, const char *const *problems)
{
	struct json_writer *w = reply_json(rq, 503);

	json_object(w);
	json_member_text(w, "status", T("unavailable"));
	json_key(w, T("problems"));
	json_object(w);
	for (size_t i = 0; i < countof(checks); i++)
		if (problems[i] != NULL)
			json_member_text(w, checks[i].name, text_from(problems[i]));
	json_object_end(w);
	json_object_end(w);
	return reply_end(rq);
}

int
health_ready(struct request *rq)
{
	const struct look look = { .rq = rq, .totals = meter_totals(rq->arena) };
	const char *problems[countof(checks)];
	bool good = true;

	for (size_t i = 0; i < countof(checks); i++) {
		problems[i] = checks[i].look(&look);
		good &= problems[i] == NULL;
	}
	return good ? health_live(rq) : answer_unavailable(rq, problems);
}
