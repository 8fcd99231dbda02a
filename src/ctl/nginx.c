/* nginx's view of the service: an upstream a lane, and which requests go to the slow one. */
#include "base/base.h"

#include "base/buf.h"
#include "ctl/ctl.h"

/* KiB of shared memory that nginx gets for an upstream and for each of its servers. */
#define ZONE_BASE 64
#define ZONE_SERVER 4

/*
 * Connections that each of nginx's processes keeps open to a lane while they idle. A request that
 * finds none costs half as much again.
 */
#define KEPT 128

struct text
ctl_socket(struct ctl *ctl, const char *lane, int64_t worker)
{
	return arena_printf(ctl->arena, "%.*s/%s/%lld.sock",
	    TEXT_ARGS(ctl->setup.config.socket_dir), lane, (long long)worker);
}

static void
print_upstream(struct buf *out, struct ctl *ctl, const char *lane, int64_t workers)
{
	buf_printf(out,
	    "upstream roster_%s {\n"
	    "\tzone roster_%s %lldk;\n"
	    "\tleast_conn;\n",
	    lane, lane, ZONE_BASE + ZONE_SERVER * (long long)workers);
	for (int64_t i = 0; i < workers; i++)
		buf_printf(out, "\tserver unix:%s max_fails=0;\n", ctl_socket(ctl, lane, i).s);
	/*
	 * nginx alone can close a kept connection without losing a request, so it is nginx that
	 * ends those to a worker which hands over, and soon: when they idle, and when they are old.
	 */
	buf_printf(out,
	    "\tkeepalive %d;\n"
	    "\tkeepalive_requests 100000;\n"
	    "\tkeepalive_time 2s;\n"
	    "\tkeepalive_timeout 2s;\n"
	    "}\n\n",
	    KEPT);
}

/* A route's pattern as a regular expression of nginx. */
static struct text
pattern_regex(struct arena *a, const char *pattern)
{
	struct text rest = text_from(pattern), segment;
	struct buf regex;

	buf_init(&regex, a);
	while (text_split(&rest, '/', &segment)) {
		buf_add(&regex, text_starts(segment, T("{")) ? T("[^/]+") : segment);
		if (!text_is_none(rest))
			buf_add_char(&regex, '/');
	}
	return buf_text(&regex);
}

/* The next path of the slow lane as a regular expression of nginx; *table and *i are 0 at first. */
static bool
next_slow(size_t *table, size_t *i, struct arena *a, struct text *uri)
{
	for (; *table < roster.ntables; *i = 0, (*table)++)
		while (*i < roster.tables[*table]->n) {
			const struct route *r = &roster.tables[*table]->routes[(*i)++];

			if (r->lane != LANE_SLOW)
				continue;
			*uri = arena_printf(a, "^%s$", pattern_regex(a, r->pattern).s);
			return true;
		}
	return false;
}

static void
print_map(struct buf *out, struct arena *a)
{
	size_t table = 0, i = 0;
	struct text uri;

	buf_add(out,
	    T("map $uri $roster_upstream {\n"
	      "\tdefault roster_api;\n"));
	while (next_slow(&table, &i, a, &uri))
		buf_printf(out, "\t\"~%s\" roster_slow;\n", uri.s);
	buf_add(out, T("}\n"));
}

struct text
ctl_nginx_view(struct ctl *ctl)
{
	const struct config *c = &ctl->setup.config;
	struct buf out;

	buf_init(&out, ctl->arena);
	buf_add(&out,
	    T("# Made by rosterctl nginx from roster.conf: make it again when the number of workers "
	      "or\n# socket_dir changes. Belongs into nginx's http block.\n\n"));
	print_upstream(&out, ctl, "api", c->api_workers);
	print_upstream(&out, ctl, "slow", c->slow_workers);
	print_map(&out, ctl->arena);
	return buf_text(&out);
}

static void
begin_upstream(struct json_writer *w, struct ctl *ctl, const char *lane, int64_t workers)
{
	json_object(w);
	json_member_text(w, "upstream", arena_printf(ctl->arena, "roster_%s", lane));
	json_key(w, T("servers"));
	json_array(w);
	for (int64_t i = 0; i < workers; i++)
		json_text(w, arena_printf(ctl->arena, "unix:%s", ctl_socket(ctl, lane, i).s));
	json_array_end(w);
	json_key(w, T("uris"));
	json_array(w);
}

static void
end_upstream(struct json_writer *w)
{
	json_array_end(w);
	json_object_end(w);
}

static void
print_json(struct ctl *ctl)
{
	const struct config *c = &ctl->setup.config;
	size_t table = 0, i = 0;
	struct json_writer w;
	struct text uri;

	ctl_json_list(ctl, &w);
	begin_upstream(&w, ctl, "api", c->api_workers);
	end_upstream(&w);
	begin_upstream(&w, ctl, "slow", c->slow_workers);
	while (next_slow(&table, &i, ctl->arena, &uri))
		json_text(&w, uri);
	end_upstream(&w);
	ctl_json_list_end(ctl, &w);
}

int
ctl_nginx(struct ctl *ctl)
{
	if (ctl->options.json)
		print_json(ctl);
	else
		ctl_print(ctl_nginx_view(ctl));
	return CTL_GOOD;
}
