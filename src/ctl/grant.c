/* rosterctl grant: who has which role in which customer or project. */
#include "base/base.h"

#include "ctl/ctl.h"

static const struct scope_kind {
	const char *name, *path;
} scope_kinds[] = {
	{ "customer", "/api/customers/" },
	{ "project", "/api/projects/" },
};

/* What a command is about. */
struct grant {
	struct text user, role; /* their uuids */
	const struct scope_kind *kind;
	struct text scope; /* the uuid of the customer or project */
};

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

/* Asks for the uuid of an object by it, as the API writes it. */
static struct answer
ask_for(struct ctl *ctl, const char *path, struct text uuid)
{
	return ctl_call(ctl, "GET",
	    arena_printf(ctl->arena, "%s%.*s/?field=uuid", path, TEXT_ARGS(uuid)), TEXT_NONE);
}

/* The customer or project that a uuid or a url names; CTL_GOOD, or the status to end with. */
static int
find_scope(struct ctl *ctl, struct text scope, struct grant *g)
{
	struct answer answer;

	for (size_t i = 0; i < countof(scope_kinds); i++) {
		struct text uuid = uuid_in(scope, scope_kinds[i].path);

		if (!uuid_parse(uuid, &(struct uuid){ 0 }))
			continue;
		answer = ask_for(ctl, scope_kinds[i].path, uuid);
		if (answer.status == 404)
			continue;
		if (answer.status != 200)
			return ctl_refused(ctl, &answer);
		g->kind = &scope_kinds[i];
		g->scope = ctl_member(answer.json, "uuid");
		return CTL_GOOD;
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
	answer = ask_for(ctl, kind->path, *uuid);
	if (answer.status == 404)
		return ctl_error(CTL_NOT_FOUND, "there is no %s %s", kind->what, name.s);
	if (answer.status != 200)
		return ctl_refused(ctl, &answer);
	*uuid = ctl_member(answer.json, "uuid");
	return CTL_GOOD;
}

/* The grant that the argument and the words after it name; CTL_GOOD, or the status to end with. */
static int
find_grant(struct ctl *ctl, struct grant *g)
{
	int status = find_there(ctl, &ctl_users, ctl->argument, &g->user);

	if (status == CTL_GOOD)
		status = find_there(ctl, &ctl_roles, text_from(ctl->more[0]), &g->role);
	return status == CTL_GOOD ? find_scope(ctl, text_from(ctl->more[1]), g) : status;
}

static struct text
make_body(struct ctl *ctl, const struct grant *g)
{
	struct text expires = ctl->options.expires;
	struct json_writer w;
	struct buf body;

	buf_init(&body, ctl->arena);
	json_writer_init(&w, ctl->arena, json_sink_buf, &body, UUID_DASHED);
	json_object(&w);
	json_member_text(&w, "role", g->role);
	json_member_text(&w, "user", g->user);
	if (!text_is_none(expires) && !text_eq(expires, T("never")))
		json_member_text(&w, "expiration_time", expires);
	json_object_end(&w);
	return buf_text(&body);
}

static int
ask(struct ctl *ctl, const struct grant *g, const char *action)
{
	return ctl_request(ctl, "POST",
	    arena_printf(ctl->arena, "%s%.*s/%s", g->kind->path, TEXT_ARGS(g->scope), action),
	    make_body(ctl, g));
}

static int
change(struct ctl *ctl, const char *action)
{
	struct grant g;
	int status = find_grant(ctl, &g);

	return status == CTL_GOOD ? ask(ctl, &g, action) : status;
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

/* In the words of grant list. */
static void
print_json(struct ctl *ctl, const struct grant *g)
{
	struct json_writer w;

	ctl_json(ctl, &w);
	json_object(&w);
	json_member_text(&w, "user_uuid", g->user);
	json_member_text(&w, "role_uuid", g->role);
	json_member_text(&w, "scope_type", text_from(g->kind->name));
	json_member_text(&w, "scope_uuid", g->scope);
	json_object_end(&w);
	ctl_json_end(&w);
}

int
ctl_grant_remove(struct ctl *ctl)
{
	struct grant g;
	int status = find_grant(ctl, &g);

	if (status == CTL_GOOD)
		status = ask(ctl, &g, "delete_user/");
	if (status == CTL_GOOD && ctl->options.json)
		print_json(ctl, &g);
	return status;
}
