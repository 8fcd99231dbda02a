/* rosterctl grant: who has which role in which customer or project. */
#include "base/base.h"

#include "ctl/ctl.h"

static const char *const scopes[] = { "/api/customers/", "/api/projects/" };

static void
print_line(const struct json *grant)
{
	struct text until = ctl_member(grant, "expiration_time");

	printf("%-24.*s  %-20.*s  %-8.*s  %.*s  %.*s%s%.*s\n",
	    TEXT_ARGS(ctl_member(grant, "user_slug")), TEXT_ARGS(ctl_member(grant, "role_name")),
	    TEXT_ARGS(ctl_member(grant, "scope_type")), TEXT_ARGS(ctl_member(grant, "scope_uuid")),
	    TEXT_ARGS(ctl_member(grant, "scope_name")), until.n > 0 ? "  until " : "",
	    TEXT_ARGS(until));
}

int
ctl_grant_list(struct ctl *ctl)
{
	return ctl_list(ctl, "/api/user-permissions/?", INT64_MAX, print_line);
}

/* The uuid in a url of these objects; the text as it is when it is no such url. */
static struct text
uuid_in(struct text scope, const char *path)
{
	const char *at = strstr(scope.s, path);
	struct text rest;

	if (at == NULL)
		return scope;
	rest = text_from(at + strlen(path));
	return text_slice(rest, 0, text_find(rest, '/', 0));
}

/* The path of the customer or project that a uuid or a url names; CTL_GOOD, or the status to end with. */
static int
find_scope(struct ctl *ctl, struct text scope, struct text *path)
{
	struct answer answer;

	for (size_t i = 0; i < countof(scopes); i++) {
		struct text uuid = uuid_in(scope, scopes[i]);

		if (!uuid_parse(uuid, &(struct uuid){ 0 }))
			continue;
		*path = arena_printf(ctl->arena, "%s%.*s/", scopes[i], TEXT_ARGS(uuid));
		answer = ctl_call(
		    ctl, "GET", arena_printf(ctl->arena, "%s?field=uuid", path->s), TEXT_NONE);
		if (answer.status == 200)
			return CTL_GOOD;
		if (answer.status != 404)
			return ctl_refused(&answer);
	}
	return ctl_error(CTL_NOT_FOUND, "there is no customer or project %s", scope.s);
}

/* Like ctl_find(), and a uuid has to be that of something. */
static int
find_there(struct ctl *ctl, const struct ctl_kind *kind, struct text name, struct text *uuid)
{
	struct answer answer;
	int status = ctl_find(ctl, kind, name, uuid);

	if (status != CTL_GOOD || !uuid_parse(name, &(struct uuid){ 0 }))
		return status;
	answer = ctl_call(ctl, "GET",
	    arena_printf(ctl->arena, "%s%.*s/?field=uuid", kind->path, TEXT_ARGS(*uuid)),
	    TEXT_NONE);
	if (answer.status == 404)
		return ctl_error(CTL_NOT_FOUND, "there is no %s %s", kind->what, name.s);
	return answer.status == 200 ? CTL_GOOD : ctl_refused(&answer);
}

static struct text
make_body(struct ctl *ctl, struct text role, struct text user)
{
	struct text expires = ctl->options.expires;
	struct json_writer w;
	struct buf body;

	buf_init(&body, ctl->arena);
	json_writer_init(&w, ctl->arena, json_sink_buf, &body, UUID_DASHED);
	json_object(&w);
	json_member_text(&w, "role", role);
	json_member_text(&w, "user", user);
	if (!text_is_none(expires) && !text_eq(expires, T("never")))
		json_member_text(&w, "expiration_time", expires);
	json_object_end(&w);
	return buf_text(&body);
}

/* Asks for a change of the grant that the argument and the words after it name. */
static int
change(struct ctl *ctl, const char *action)
{
	struct text user, role, path = TEXT_NONE;
	int status = find_there(ctl, &ctl_users, ctl->argument, &user);

	if (status == CTL_GOOD)
		status = find_there(ctl, &ctl_roles, text_from(ctl->more[0]), &role);
	if (status == CTL_GOOD)
		status = find_scope(ctl, text_from(ctl->more[1]), &path);
	if (status != CTL_GOOD)
		return status;
	return ctl_request(ctl, "POST", arena_printf(ctl->arena, "%.*s%s", TEXT_ARGS(path), action),
	    make_body(ctl, role, user));
}

int
ctl_grant_add(struct ctl *ctl)
{
	return change(ctl, "add_user/");
}

int
ctl_grant_set(struct ctl *ctl)
{
	if (text_is_none(ctl->options.expires))
		return ctl_error(
		    CTL_USAGE, "--expires is missing; try 'rosterctl grant set --help'");
	return change(ctl, "update_user/");
}

int
ctl_grant_remove(struct ctl *ctl)
{
	return change(ctl, "delete_user/");
}
