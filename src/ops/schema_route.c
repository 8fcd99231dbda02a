/* What the description knows of a route: whether the engine serves it, what it says of itself, what it heeds. */
#include "base/base.h"

#include "ops/schema_int.h"

static const struct engine_handler engine[] = {
	{ .handle = resource_list, .status = 200, .list = true },
	{ .handle = resource_retrieve, .status = 200, .tagged = true },
	{ .handle = resource_create, .status = 201, .tagged = true, .body = USE_CREATE },
	{ .handle = resource_update, .status = 200, .tagged = true, .body = USE_UPDATE },
	{ .handle = resource_delete, .status = 204 },
};

const struct engine_handler *
schema_engine(const struct route *route)
{
	handler *handle = route->as != NULL ? route->as : route->handle;

	for (size_t i = 0; i < countof(engine); i++)
		if (engine[i].handle == handle)
			return &engine[i];
	return NULL;
}

enum use
schema_body_use(const struct route *route)
{
	const struct engine_handler *e = schema_engine(route);
	const struct resource *r = route->subject;

	if (e == NULL)
		return USE_READ;
	return e->body == USE_UPDATE && route->method == METHOD_PUT && r->whole ? USE_REPLACE
										: e->body;
}

const struct action *
schema_action(const struct route *route)
{
	static const struct action none;

	return route->action != NULL ? route->action : &none;
}

const struct outcome *
schema_outcome(const struct route *route, int status)
{
	for (const struct outcome *a = schema_action(route)->outcomes; a != NULL && a->status != 0;
	     a++)
		if (a->status == status)
			return a;
	return NULL;
}

unsigned
schema_traits(const struct route *route)
{
	const struct engine_handler *e = schema_engine(route);
	bool named = strchr(route->pattern, '{') != NULL;
	bool writes = (route->method & METHODS_SAFE) == 0;
	unsigned traits = ALWAYS;

	traits |= route->no_credentials ? 0 : SIGNED;
	traits |= named || (e != NULL && e->list) ? NAMED : 0;
	traits |= writes && route->method != METHOD_DELETE ? SENT : 0;
	traits |= route->method == METHOD_POST && !route->no_credentials ? IDEMPOTENT : 0;
	traits |= writes && named ? CHANGED : 0;
	traits |= !writes && e != NULL && e->tagged ? CACHED : 0;
	traits |= schema_outcome(route, 304) != NULL ? CACHED : 0;
	traits |= schema_outcome(route, 206) != NULL ? RANGED : 0;
	traits |= route->any_accept ? 0 : JSON;
	return traits;
}
