#include "base/base.h"

#include "ops/ops.h"

struct one {
	int64_t one;
};

static const struct db_column one_columns[] = { COLUMN(one, one) };

static const struct db_stmt ping = {
	.name = "ping",
	.sql = "SELECT CAST(1 AS SIGNED)",
	.columns = one_columns,
	.ncolumns = countof(one_columns),
};

static int
answer_word(struct request *rq, int status, const char *key, const char *word)
{
	json_object(reply_json(rq, status));
	json_member_text(&rq->reply.json, key, text_from(word));
	json_object_end(&rq->reply.json);
	return reply_end(rq);
}

/* The process answers: nothing else is looked at. */
static int
health_live(struct request *rq)
{
	return answer_word(rq, 200, "status", "ok");
}

/* Requests can be served. Without the database the worker answers 503 instead. */
static int
health_ready(struct request *rq)
{
	struct one one;

	if (!db_row(rq->db, &ping, &one))
		return answer_word(rq, 503, "status", "no database");
	return answer_word(rq, 200, "status", "ok");
}

static int
version(struct request *rq)
{
	return answer_word(rq, 200, "version", PACKAGE_VERSION);
}

/* clang-format off */
static const struct route routes[] = {
	{ .method = METHOD_GET, .pattern = "/health/live",
	  .who = ANYONE, .no_credentials = true, .handle = health_live,
	  .help = "Whether the service runs." },
	{ .method = METHOD_GET, .pattern = "/health/ready",
	  .who = ANYONE, .no_credentials = true, .handle = health_ready,
	  .help = "Whether the service can answer requests." },
	{ .method = METHOD_GET, .pattern = "/api/version/",
	  .who = SIGNED_IN, .handle = version,
	  .help = "The version of roster." },
};
/* clang-format on */

const struct route_table ops_routes = { routes, countof(routes) };
