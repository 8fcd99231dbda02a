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

/* What an operation does, as the API's own clients call it; an action's path says that itself. */
static const char *
verb_of(const struct route *route)
{
	const struct engine_handler *e = schema_engine(route);

	if (e != NULL && e->list)
		return "_list";
	switch (route->method) {
	case METHOD_GET:
		return "_retrieve";
	case METHOD_PUT:
		return "_update";
	case METHOD_PATCH:
		return "_partial_update";
	case METHOD_DELETE:
		return "_destroy";
	default:
		return e != NULL ? "_create" : "";
	}
}

/* Is there the same path without the slash at its end? */
static bool
has_twin(const struct request *rq, const struct route *route)
{
	size_t n = strlen(route->pattern) - 1;

	if (route->pattern[n] != '/')
		return false;
	for (size_t t = 0; t < rq->ntables; t++)
		for (size_t i = 0; i < rq->tables[t]->n; i++) {
			const char *other = rq->tables[t]->routes[i].pattern;

			if (strlen(other) == n && strncmp(other, route->pattern, n) == 0)
				return true;
		}
	return false;
}

struct text
schema_operation(struct request *rq, const struct route *route)
{
	struct text rest = text_from(route->pattern), segment;
	struct buf b;
	bool any = false;

	buf_init(&b, rq->arena);
	while (text_split(&rest, '/', &segment)) {
		if (segment.n == 0 || segment.s[0] == '{' || text_eq(segment, T("api")))
			continue;
		if (any)
			buf_add_char(&b, '_');
		any = true;
		for (size_t i = 0; i < segment.n; i++)
			buf_add_char(&b, segment.s[i] == '-' ? '_' : segment.s[i]);
	}
	if (has_twin(rq, route))
		buf_add(&b, T("_slash"));
	buf_add(&b, text_from(verb_of(route)));
	return buf_text(&b);
}

bool
schema_has_action_body(const struct route *route)
{
	const struct action *action = schema_action(route);

	return schema_body_use(route) == USE_READ && (action->nbody > 0 || action->more != NULL);
}

struct text
schema_action_name(struct request *rq, const struct route *route)
{
	struct text rest = schema_operation(rq, route), word;
	struct buf b;

	buf_init(&b, rq->arena);
	while (text_split(&rest, '_', &word)) {
		buf_add_char(&b, (char)(word.s[0] - 'a' + 'A'));
		buf_add(&b, text_slice(word, 1, word.n));
	}
	buf_add(&b, T("Request"));
	return buf_text(&b);
}
