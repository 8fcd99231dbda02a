#include "base/base.h"

#include "http/shape.h"
#include "ops/ops.h"
#include "ops/ops_int.h"

static const char *const states[] = { "ok", "unavailable", NULL };

static const struct shape live_members[] = {
	{ .name = "status", .kind = KIND_TEXT, .choices = states, .help = "Whether it can." },
	{ .name = "problems",
	    .kind = KIND_JSON,
	    .optional = true,
	    .values = &shape_text,
	    .help = "What is wrong, by what was looked at." },
	{ 0 },
};

static const struct shape health_shape = { .kind = KIND_JSON, .members = live_members };

static const struct action health_action = {
	.outcomes =
	    (const struct outcome[]){
		{ .status = 200, .shape = &health_shape },
		{ .status = 503, .shape = &health_shape },
		{ 0 },
	    },
};

static const struct action metrics_action = {
	.outcomes =
	    (const struct outcome[]){
		{ .status = 200, .shape = &shape_text, .type = "text/plain" },
		{ .status = 403 }, /* nginx decides who reads them */
		{ 0 },
	    },
};

static const struct shape document_shape = { .kind = KIND_JSON, .values = &shape_any };

static const char *const formats[] = { "json", "yaml", NULL };

static const struct shape document_query[] = {
	{ .name = "format",
	    .kind = KIND_TEXT,
	    .optional = true,
	    .choices = formats,
	    .help = "Which form; else as Accept says." },
	{ 0 },
};

static const struct action schema_action = {
	.query = document_query,
	.outcomes =
	    (const struct outcome[]){
		{ .status = 200, .shape = &document_shape },
		{ .status = 200, .shape = &shape_text, .type = "application/yaml" },
		{ .status = 304 },
		{ .status = 406 },
		{ 0 },
	    },
};

static const struct shape version_members[] = {
	{ .name = "version", .kind = KIND_TEXT, .example = PACKAGE_VERSION, .help = "As 1.2.3." },
	{ 0 },
};

static const struct shape version_shape = { .kind = KIND_JSON, .members = version_members };

static const struct action version_action = {
	.outcomes = (const struct outcome[]){ { .status = 200, .shape = &version_shape }, { 0 } },
};

static int
version(struct request *rq)
{
	json_object(reply_json(rq, 200));
	json_member_text(&rq->reply.json, "version", T(PACKAGE_VERSION));
	json_object_end(&rq->reply.json);
	return reply_end(rq);
}

/* clang-format off */
static const struct route routes[] = {
	{ .method = METHOD_GET, .pattern = "/health/live",
	  .who = ANYONE, .no_credentials = true, .without_database = true, .handle = health_live,
	  .action = &health_action,
	  .help = "Whether the service runs." },
	{ .method = METHOD_GET, .pattern = "/health/ready",
	  .who = ANYONE, .no_credentials = true, .without_database = true, .handle = health_ready,
	  .action = &health_action,
	  .help = "Whether the service can answer requests, and what keeps it from it." },
	{ .method = METHOD_GET, .pattern = "/metrics",
	  .who = ANYONE, .no_credentials = true, .any_accept = true, .without_database = true,
	  .handle = metrics,
	  .action = &metrics_action,
	  .help = "Numbers about the service in the text format of Prometheus." },
	{ .method = METHOD_GET, .pattern = "/api/schema/",
	  .who = ANYONE, .no_credentials = true, .any_accept = true, .handle = schema,
	  .action = &schema_action,
	  .help = "This description of the API, in OpenAPI 3.1." },
	{ .method = METHOD_GET, .pattern = "/api/version/",
	  .who = SIGNED_IN, .handle = version,
	  .action = &version_action,
	  .help = "The version of roster." },
};
/* clang-format on */

static const struct tag tags[] = {
	{ "health", "Whether the service is well." },
	{ "metrics", "What the service counts, for monitoring." },
	{ "schema", "This description." },
	{ "version", "Which release runs." },
	{ 0 },
};

const struct route_table ops_routes = { .routes = routes, .n = countof(routes), .tags = tags };
