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

static void
print_upstream(struct buf *out, const struct config *c, const char *lane, int64_t workers)
{
	buf_printf(out,
	    "upstream roster_%s {\n"
	    "\tzone roster_%s %lldk;\n"
	    "\tleast_conn;\n",
	    lane, lane, ZONE_BASE + ZONE_SERVER * (long long)workers);
	for (int64_t i = 0; i < workers; i++)
		buf_printf(out, "\tserver unix:%.*s/%s/%lld.sock max_fails=0;\n",
		    TEXT_ARGS(c->socket_dir), lane, (long long)i);
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

static void
print_map(struct buf *out, struct arena *a)
{
	buf_add(out,
	    T("map $uri $roster_upstream {\n"
	      "\tdefault roster_api;\n"));
	for (size_t t = 0; t < roster.ntables; t++)
		for (size_t i = 0; i < roster.tables[t]->n; i++) {
			const struct route *r = &roster.tables[t]->routes[i];

			if (r->lane == LANE_SLOW)
				buf_printf(out, "\t\"~^%s$\" roster_slow;\n",
				    pattern_regex(a, r->pattern).s);
		}
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
	print_upstream(&out, c, "api", c->api_workers);
	print_upstream(&out, c, "slow", c->slow_workers);
	print_map(&out, ctl->arena);
	return buf_text(&out);
}

int
ctl_nginx(struct ctl *ctl)
{
	ctl_print(ctl_nginx_view(ctl));
	return CTL_GOOD;
}
