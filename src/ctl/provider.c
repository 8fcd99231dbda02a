#include "base/base.h"

#include "ctl/ctl.h"

#define PROVIDERS "/api/identity-providers/"

/* A setting that is sent as the text that was typed: the service reads numbers and switches from text, too. */
struct setting {
	const char *field;
	size_t offset; /* in struct ctl_options */
};

/* clang-format off */
static const struct setting settings[] = {
	{ "label", offsetof(struct ctl_options, label) },
	{ "management_url", offsetof(struct ctl_options, management_url) },
	{ "is_active", offsetof(struct ctl_options, active) },
	{ "token_url", offsetof(struct ctl_options, token_url) },
	{ "userinfo_url", offsetof(struct ctl_options, userinfo_url) },
	{ "client_id", offsetof(struct ctl_options, client_id) },
	{ "connect_timeout", offsetof(struct ctl_options, connect_timeout) },
	{ "timeout", offsetof(struct ctl_options, timeout) },
	{ "ca_file", offsetof(struct ctl_options, ca_file) },
	{ "allow_internal", offsetof(struct ctl_options, allow_internal) },
	{ "reactivate", offsetof(struct ctl_options, reactivate) },
};
/* clang-format on */

static void
write_settings(struct ctl *ctl, struct json_writer *w)
{
	for (size_t i = 0; i < countof(settings); i++) {
		const struct text *t =
		    (const struct text *)((const char *)&ctl->options + settings[i].offset);

		if (!text_is_none(*t))
			json_member_text(w, settings[i].field, *t);
	}
}

static void
write_protected_fields(struct ctl *ctl, struct json_writer *w)
{
	struct text rest = ctl->options.protected_fields, name;

	if (text_is_none(rest))
		return;
	json_key(w, T("protected_fields"));
	json_array(w);
	while (text_split(&rest, ',', &name)) {
		name = text_trim(name);
		if (name.n > 0)
			json_text(w, name);
	}
	json_array_end(w);
}

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
	write_settings(ctl, &w);
	write_protected_fields(ctl, &w);
	if (!write_secret(ctl, &w, "client_secret", "client-secret", "client secret",
		o->client_secret, o->client_secret_file) ||
	    !write_secret(ctl, &w, "refresh_token", "refresh-token", "refresh token",
		o->refresh_token, o->refresh_token_file))
		return false;
	json_object_end(&w);
	*body = buf_text(&out);
	return true;
}

/* The path of the provider that the argument names; none after saying that there is none. */
static struct text
find_path(struct ctl *ctl)
{
	struct text query =
	    arena_printf(ctl->arena, PROVIDERS "?name=%s", url_encode(ctl->arena, ctl->argument).s);
	struct answer answer = ctl_call(ctl, "GET", query, TEXT_NONE);

	/* A blank name as a filter finds every one. */
	if (answer.status == 200 && answer.json->count == 1 &&
	    text_eq(ctl_member(answer.json->first, "name"), ctl->argument))
		return arena_printf(ctl->arena, PROVIDERS "%.*s/",
		    TEXT_ARGS(ctl_member(answer.json->first, "uuid")));
	if (answer.status == 200)
		(void)ctl_error(0, "there is no identity provider %s", ctl->argument.s);
	else
		(void)ctl_refused(&answer);
	return TEXT_NONE;
}

/* Asks something about the provider of the argument. */
static int
call_and_print(struct ctl *ctl, const char *method, struct text path, struct text body)
{
	struct answer answer = ctl_call(ctl, method, path, body);

	if (answer.status >= 300)
		return ctl_refused(&answer);
	return answer.status == 204 ? CTL_GOOD : ctl_print_object(ctl, &answer);
}

int
ctl_provider_list(struct ctl *ctl)
{
	struct answer answer = ctl_call(ctl, "GET", T(PROVIDERS "?page_size=300"), TEXT_NONE);

	if (answer.status != 200)
		return ctl_refused(&answer);
	for (const struct json *j = answer.json->first; j != NULL; j = j->next)
		printf("%-16.*s  %-24.*s  %.*s%s\n", TEXT_ARGS(ctl_member(j, "name")),
		    TEXT_ARGS(ctl_member(j, "label")), TEXT_ARGS(ctl_member(j, "userinfo_url")),
		    json_member(j, T("is_active"))->boolean ? "" : " [inactive]");
	return CTL_GOOD;
}

int
ctl_provider_show(struct ctl *ctl)
{
	struct text path = find_path(ctl);

	return text_is_none(path) ? CTL_NOT_FOUND : call_and_print(ctl, "GET", path, TEXT_NONE);
}

int
ctl_provider_create(struct ctl *ctl)
{
	struct text body;

	if (!make_body(ctl, ctl->argument, &body))
		return CTL_FAILED;
	return call_and_print(ctl, "POST", T(PROVIDERS), body);
}

int
ctl_provider_set(struct ctl *ctl)
{
	struct text path = find_path(ctl), body;

	if (text_is_none(path))
		return CTL_NOT_FOUND;
	if (!make_body(ctl, TEXT_NONE, &body))
		return CTL_FAILED;
	return call_and_print(ctl, "PATCH", path, body);
}

int
ctl_provider_delete(struct ctl *ctl)
{
	struct text path = find_path(ctl);

	return text_is_none(path) ? CTL_NOT_FOUND : call_and_print(ctl, "DELETE", path, TEXT_NONE);
}
