#include "base/base.h"

#include "ops/ops.h"
#include "ops/ops_int.h"

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
	  .help = "Whether the service runs." },
	{ .method = METHOD_GET, .pattern = "/health/ready",
	  .who = ANYONE, .no_credentials = true, .without_database = true, .handle = health_ready,
	  .help = "Whether the service can answer requests, and what keeps it from it." },
	{ .method = METHOD_GET, .pattern = "/metrics",
	  .who = ANYONE, .no_credentials = true, .any_accept = true, .without_database = true,
	  .handle = metrics,
	  .help = "Numbers about the service in the text format of Prometheus." },
	{ .method = METHOD_GET, .pattern = "/api/schema/",
	  .who = ANYONE, .no_credentials = true, .handle = schema,
	  .help = "This description of the API, in OpenAPI 3.1." },
	{ .method = METHOD_GET, .pattern = "/api/version/",
	  .who = SIGNED_IN, .handle = version,
	  .help = "The version of roster." },
};
/* clang-format on */

const struct route_table ops_routes = { routes, countof(routes) };
