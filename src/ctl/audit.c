/* rosterctl audit. */
#include "base/base.h"

#include "ctl/ctl.h"

#define LIMIT 300

/* Options that are filters of the API. */
static const struct {
	size_t offset; /* in struct ctl_options */
	const char *filter;
} filters[] = {
	{ offsetof(struct ctl_options, since), "created" },
	{ offsetof(struct ctl_options, until), "until" },
	{ offsetof(struct ctl_options, event), "event_type" },
};

static struct text
or_dash(struct text t)
{
	return t.n > 0 ? t : T("-");
}

/* A user may be called rosterctl or sync, too: what is no account has its name in parentheses. */
static void
print_line(const struct json *event)
{
	struct text who = ctl_member(event, "actor_username");
	struct text acted = ctl_member(event, "impersonator_uuid");
	bool service = who.n > 0 && ctl_member(event, "actor_uuid").n == 0;
	char actor[200];

	(void)snprintf(actor, sizeof(actor), service ? "(%.*s)" : "%.*s", TEXT_ARGS(or_dash(who)));
	printf("%-27.*s  %-36.*s  %-16s  %.*s %.*s  %.*s", TEXT_ARGS(ctl_member(event, "created")),
	    TEXT_ARGS(ctl_member(event, "event_type")), actor,
	    TEXT_ARGS(ctl_member(event, "subject_type")),
	    TEXT_ARGS(or_dash(ctl_member(event, "subject_uuid"))),
	    TEXT_ARGS(or_dash(ctl_member(event, "ip_address"))));
	if (acted.n > 0)
		printf("  impersonated by %.*s", TEXT_ARGS(acted));
	printf("\n");
}

static void
add_filter(struct ctl *ctl, struct buf *path, const char *name, struct text value)
{
	if (!text_is_none(value))
		buf_printf(path, "&%s=%s", name, url_encode(ctl->arena, value).s);
}

/* The list with the options' filters; CTL_GOOD, or the status to end with. */
static int
make_path(struct ctl *ctl, struct buf *path)
{
	const struct ctl_options *o = &ctl->options;
	bool by_uuid = uuid_parse(o->by, &(struct uuid){ 0 });
	struct text user = TEXT_NONE;
	int status = CTL_GOOD;

	if (!text_is_none(o->by) && ctl_is_blank(o->by))
		return ctl_error(CTL_NOT_FOUND, "there is no user %s", o->by.s);
	if (!text_is_none(o->user))
		status = ctl_find(ctl, &ctl_users, o->user, &user);
	buf_add(path, T("/api/events/?"));
	for (size_t i = 0; i < countof(filters); i++)
		add_filter(ctl, path, filters[i].filter,
		    *(const struct text *)((const char *)o + filters[i].offset));
	add_filter(ctl, path, "subject_uuid", user);
	add_filter(ctl, path, by_uuid ? "actor_uuid" : "actor_username", o->by);
	return status;
}

int
ctl_audit_list(struct ctl *ctl)
{
	struct text given = ctl->options.limit;
	int64_t limit = LIMIT;
	struct buf path;
	int status;

	if (!text_is_none(given) && (!text_to_int(given, &limit) || limit < 1))
		return ctl_error(CTL_USAGE, "%s is not a number of events", given.s);
	buf_init(&path, ctl->arena);
	status = make_path(ctl, &path);
	return status == CTL_GOOD
	    ? ctl_list(ctl, arena_text(ctl->arena, buf_text(&path)).s, limit, print_line)
	    : status;
}
