/* rosterctl role. */
#include "base/base.h"

#include "ctl/ctl.h"

const struct ctl_kind ctl_roles = { "role", "/api/roles/", "name" };

/* clang-format off */
static const struct ctl_setting settings[] = {
	{ "name", offsetof(struct ctl_options, name), false },
	{ "content_type", offsetof(struct ctl_options, type), false },
	{ "description", offsetof(struct ctl_options, description), false },
	{ "permissions", offsetof(struct ctl_options, permissions), true },
};
/* clang-format on */

static struct text
make_body(struct ctl *ctl)
{
	struct json_writer w;
	struct buf body;

	buf_init(&body, ctl->arena);
	json_writer_init(&w, ctl->arena, json_sink_buf, &body, UUID_DASHED);
	json_object(&w);
	ctl_write_settings(ctl, &w, settings, countof(settings));
	json_object_end(&w);
	return buf_text(&body);
}

static void
print_line(const struct json *object)
{
	const struct json *active = json_member(object, T("is_active"));

	printf("%.*s  %-10.*s  %-20.*s  %.*s%s\n", TEXT_ARGS(ctl_member(object, "uuid")),
	    TEXT_ARGS(ctl_member(object, "content_type")), TEXT_ARGS(ctl_member(object, "name")),
	    TEXT_ARGS(ctl_member(object, "description")),
	    active != NULL && active->boolean ? "" : " [disabled]");
}

int
ctl_role_list(struct ctl *ctl)
{
	return ctl_list(ctl, "/api/roles/?", INT64_MAX, print_line);
}

int
ctl_role_create(struct ctl *ctl)
{
	ctl->options.name = ctl->argument;
	return ctl_request(ctl, "POST", text_from(ctl_roles.path), make_body(ctl));
}

int
ctl_role_set(struct ctl *ctl)
{
	struct text body = make_body(ctl);

	if (text_eq(body, T("{}")))
		return ctl_error(
		    CTL_USAGE, "there is nothing to change; try 'rosterctl role set --help'");
	return ctl_act(ctl, &ctl_roles, "PATCH", "", body);
}

int
ctl_role_enable(struct ctl *ctl)
{
	return ctl_act(ctl, &ctl_roles, "POST", "enable/", TEXT_NONE);
}

int
ctl_role_disable(struct ctl *ctl)
{
	return ctl_act(ctl, &ctl_roles, "POST", "disable/", TEXT_NONE);
}

int
ctl_role_delete(struct ctl *ctl)
{
	return ctl_delete(ctl, &ctl_roles);
}
