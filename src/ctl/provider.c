#include "base/base.h"

#include "ctl/ctl.h"

#define PROVIDERS "/api/identity-providers/"

static const struct ctl_kind provider = { "identity provider", PROVIDERS, "name" };

/* clang-format off */
static const struct ctl_setting settings[] = {
	{ "label", offsetof(struct ctl_options, label), false },
	{ "management_url", offsetof(struct ctl_options, management_url), false },
	{ "is_active", offsetof(struct ctl_options, active), false },
	{ "token_url", offsetof(struct ctl_options, token_url), false },
	{ "userinfo_url", offsetof(struct ctl_options, userinfo_url), false },
	{ "client_id", offsetof(struct ctl_options, client_id), false },
	{ "connect_timeout", offsetof(struct ctl_options, connect_timeout), false },
	{ "timeout", offsetof(struct ctl_options, timeout), false },
	{ "ca_file", offsetof(struct ctl_options, ca_file), false },
	{ "allow_internal", offsetof(struct ctl_options, allow_internal), false },
	{ "reactivate", offsetof(struct ctl_options, reactivate), false },
	{ "sync_interval", offsetof(struct ctl_options, sync_interval), false },
	{ "sync_in_flight", offsetof(struct ctl_options, sync_in_flight), false },
	{ "sync_rate", offsetof(struct ctl_options, sync_rate), false },
	{ "protected_fields", offsetof(struct ctl_options, protected_fields), true },
};
/* clang-format on */

/* A secret that the options ask for; false when it was not to be had. */
static bool
write_secret(struct ctl *ctl, struct json_writer *w, const char *field, const char *option,
    const char *what, bool asked, struct text file)
{
	struct text secret;

	if (!asked && text_is_none(file))
		return true;
	if (!ctl_secret(ctl, what, option, file, &secret))
		return false;
	json_member_text(w, field, secret);
	return true;
}

/* The body that the options make; name is none when the provider is there already. */
static bool
make_body(struct ctl *ctl, struct text name, struct text *body)
{
	const struct ctl_options *o = &ctl->options;
	struct json_writer w;
	struct buf out;

	buf_init(&out, ctl->arena);
	json_writer_init(&w, ctl->arena, json_sink_buf, &out, UUID_DASHED);
	json_object(&w);
	if (!text_is_none(name))
		json_member_text(&w, "name", name);
	ctl_write_settings(ctl, &w, settings, countof(settings));
	if (!write_secret(ctl, &w, "client_secret", "client-secret", "client secret",
		o->client_secret, o->client_secret_file) ||
	    !write_secret(ctl, &w, "refresh_token", "refresh-token", "refresh token",
		o->refresh_token, o->refresh_token_file))
		return false;
	json_object_end(&w);
	*body = buf_text(&out);
	return true;
}

static void
print_line(const struct json *object)
{
	printf("%-16.*s  %-24.*s  %.*s%s\n", TEXT_ARGS(ctl_member(object, "name")),
	    TEXT_ARGS(ctl_member(object, "label")), TEXT_ARGS(ctl_member(object, "userinfo_url")),
	    json_member(object, T("is_active"))->boolean ? "" : " [inactive]");
}

int
ctl_provider_list(struct ctl *ctl)
{
	return ctl_list(ctl, PROVIDERS "?", INT64_MAX, print_line);
}

int
ctl_provider_show(struct ctl *ctl)
{
	return ctl_act(ctl, &provider, "GET", "", TEXT_NONE);
}

int
ctl_provider_create(struct ctl *ctl)
{
	struct text body;

	if (!make_body(ctl, ctl->argument, &body))
		return CTL_FAILED;
	return ctl_request(ctl, "POST", T(PROVIDERS), body);
}

int
ctl_provider_set(struct ctl *ctl)
{
	struct text path, body;
	int status = ctl_path(ctl, &provider, "", &path);

	if (status != CTL_GOOD)
		return status;
	if (!make_body(ctl, TEXT_NONE, &body))
		return CTL_FAILED;
	if (text_eq(body, T("{}")))
		return ctl_error(
		    CTL_USAGE, "there is nothing to change; try 'rosterctl provider set --help'");
	return ctl_request(ctl, "PATCH", path, body);
}

int
ctl_provider_delete(struct ctl *ctl)
{
	return ctl_delete(ctl, &provider);
}
