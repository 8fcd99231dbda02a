#include "base/base.h"
#include "http/router.h"

struct args {
	struct text text[ROUTE_ARGS];
	size_t n;
	struct uuid uuid; /* the first {uuid} */
};

/*
 * Takes the path's segment at *at for the parameter at p, which points at its {. Returns what follows the }
 * in the pattern, NULL when the segment does not fit.
 */
static const char *
take_param(const char *p, struct text path, size_t *at, struct args *args)
{
	size_t end = text_find(path, '/', *at);
	struct text segment = text_slice(path, *at, end);
	bool uuid = strncmp(p, "{uuid}", 6) == 0;
	struct uuid value;

	if (segment.n == 0 || (uuid && !uuid_parse(segment, &value)))
		return NULL;
	if (uuid && uuid_is_none(args->uuid))
		args->uuid = value;
	must(args->n < ROUTE_ARGS);
	args->text[args->n++] = segment;
	*at = end;
	return strchr(p, '}') + 1;
}

static bool
pattern_match(const char *p, struct text path, struct args *args)
{
	size_t at = 0;

	*args = (struct args){ 0 };
	while (*p != '\0') {
		if (*p == '{') {
			p = take_param(p, path, &at, args);
			if (p == NULL)
				return false;
		} else if (at == path.n || path.s[at++] != *p++) {
			return false;
		}
	}
	return at == path.n;
}

/* Of two patterns that match one path: has a a literal where b first has a parameter? */
static bool
is_closer(const char *a, const char *b)
{
	while (*a == *b && *a != '\0') {
		a++;
		b++;
	}
	return *b == '{' && *a != '{';
}

/* The first row of the pattern that fits path best, NULL when there is none. */
static const struct route *
find_path(
    struct text path, const struct route_table *const *tables, size_t ntables, struct args *args)
{
	const struct route *best = NULL;
	struct args these;

	for (size_t t = 0; t < ntables; t++) {
		for (size_t i = 0; i < tables[t]->n; i++) {
			const struct route *row = &tables[t]->routes[i];

			if (!pattern_match(row->pattern, path, &these))
				continue;
			if (best != NULL && !is_closer(row->pattern, best->pattern))
				continue;
			best = row;
			*args = these;
		}
	}
	return best;
}

/* Fills in what the other rows of match->path's pattern tell. */
static void
find_methods(struct match *match, enum method method, const struct route_table *const *tables,
    size_t ntables)
{
	for (size_t t = 0; t < ntables; t++) {
		for (size_t i = 0; i < tables[t]->n; i++) {
			const struct route *row = &tables[t]->routes[i];
			enum method serves = row->method;

			if (strcmp(row->pattern, match->path->pattern) != 0)
				continue;
			if ((serves & METHOD_GET) != 0)
				serves |= METHOD_HEAD;
			if ((serves & method) != 0 && match->route == NULL)
				match->route = row;
			match->allowed |= serves | METHOD_OPTIONS;
		}
	}
}

static bool
slash_is_missing(struct request *rq, const struct route_table *const *tables, size_t ntables)
{
	struct text slashed = arena_printf(rq->arena, "%.*s/", TEXT_ARGS(rq->path));
	struct args args;

	return find_path(slashed, tables, ntables, &args) != NULL;
}

struct match
route_match(struct request *rq, const struct route_table *const *tables, size_t ntables)
{
	struct match match = { 0 };
	struct args args = { 0 };

	match.path = find_path(rq->path, tables, ntables, &args);
	if (match.path == NULL)
		match.slash_missing = slash_is_missing(rq, tables, ntables);
	else
		find_methods(&match, rq->method, tables, ntables);
	memcpy(rq->args, args.text, sizeof(rq->args));
	rq->uuid = args.uuid;
	return match;
}

struct text
route_allow(enum method allowed, struct arena *a)
{
	struct buf b;

	buf_init(&b, a);
	for (enum method m = METHOD_GET; m <= METHOD_OPTIONS; m <<= 1) {
		if ((allowed & m) == 0)
			continue;
		if (b.n > 0)
			buf_add(&b, T(", "));
		buf_add(&b, text_from(method_name(m)));
	}
	return buf_text(&b);
}
