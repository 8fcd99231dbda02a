#include "base/base.h"

#include "crypto/password.h"
#include "crypto/weak.h"
#include "ctl/ctl.h"
#include "users/users.h"

const struct ctl_kind ctl_users = { "user", "/api/users/", "username" };

static bool
member_true(const struct json *object, struct text key)
{
	const struct json *member = json_member(object, key);

	return member != NULL && member->type == JSON_BOOL && member->boolean;
}

/* One line of a list. */
static void
print_line(const struct json *user)
{
	printf("%.*s  %-24.*s  %-32.*s  %.*s%s%s%s\n", TEXT_ARGS(ctl_member(user, "uuid")),
	    TEXT_ARGS(ctl_member(user, "username")), TEXT_ARGS(ctl_member(user, "email")),
	    TEXT_ARGS(ctl_member(user, "full_name")),
	    member_true(user, T("is_staff")) ? " [staff]" : "",
	    member_true(user, T("is_support")) ? " [support]" : "",
	    member_true(user, T("is_active")) ? "" : " [inactive]");
}

/* Says what is wrong with a password for the account that is made; true when nothing is. */
static bool
password_good(struct ctl *ctl, struct text password)
{
	const struct config *c = &ctl->setup.config;
	const struct ctl_options *o = &ctl->options;
	const struct password_rules rules = { c->password_min_length, c->password_max_length,
		c->password_min_guesses };
	const struct password_owner owner[] = {
		{ "username", ctl->argument },
		{ "email address", o->email },
		{ "first name", o->first_name },
		{ "last name", o->last_name },
	};
	size_t n;
	const struct text *weaknesses = password_weaknesses(
	    secret_from(password), &rules, owner, countof(owner), ctl->arena, &n);

	for (size_t i = 0; i < n; i++)
		(void)ctl_error(0, "password: %.*s", TEXT_ARGS(weaknesses[i]));
	return n == 0;
}

static void
write_text(struct json_writer *w, const char *key, struct text t)
{
	if (!text_is_none(t))
		json_member_text(w, key, t);
}

/* The body that creates the account of the options. */
static struct text
new_user(struct ctl *ctl, struct text phc)
{
	const struct ctl_options *o = &ctl->options;
	struct json_writer w;
	struct buf out;

	buf_init(&out, ctl->arena);
	json_writer_init(&w, ctl->arena, json_sink_buf, &out, UUID_DASHED);
	json_object(&w);
	json_member_text(&w, "username", ctl->argument);
	write_text(&w, "email", o->email);
	write_text(&w, "first_name", o->first_name);
	write_text(&w, "last_name", o->last_name);
	write_text(&w, "organization", o->organization);
	write_text(&w, "password", phc);
	json_member_value(&w, "is_staff", V(o->staff));
	json_member_value(&w, "is_support", V(o->support));
	if (text_eq(o->token_lifetime, T("never"))) {
		json_key(&w, T("token_lifetime"));
		json_null(&w);
	} else {
		write_text(&w, "token_lifetime", o->token_lifetime);
	}
	json_object_end(&w);
	return buf_text(&out);
}

int
ctl_user_create(struct ctl *ctl)
{
	struct text password = TEXT_NONE, phc = TEXT_NONE;
	struct answer answer;

	if (!text_is_none(ctl->options.password_file)) {
		if (!ctl_password(ctl, &password) || !password_good(ctl, password))
			return CTL_FAILED;
		phc = password_hash(secret_from(password), ctl->arena);
	}
	answer = ctl_call(ctl, "POST", T("/api/users/"), new_user(ctl, phc));
	return answer.status == 201 ? ctl_print_object(ctl, &answer) : ctl_refused(ctl, &answer);
}

int
ctl_user_list(struct ctl *ctl)
{
	struct text query =
	    text_is_none(ctl->options.query) ? T("") : url_encode(ctl->arena, ctl->options.query);

	return ctl_list(ctl,
	    arena_printf(ctl->arena,
		"/api/users/?field=uuid&field=username&field=email&field=full_name"
		"&field=is_staff&field=is_support&field=is_active&query=%.*s",
		TEXT_ARGS(query))
		.s,
	    INT64_MAX, print_line);
}

int
ctl_user_show(struct ctl *ctl)
{
	return ctl_act(ctl, &ctl_users, "GET", "", TEXT_NONE);
}

int
ctl_user_token(struct ctl *ctl)
{
	bool new = ctl->options.new_token;
	struct answer answer;
	struct text path;
	int status = ctl_path(ctl, &ctl_users, new ? "refresh_token/" : "token/", &path);

	if (status != CTL_GOOD)
		return status;
	answer = ctl_call(ctl, new ? "POST" : "GET", path, TEXT_NONE);
	if (answer.status != 200)
		return ctl_refused(ctl, &answer);
	if (ctl->options.json)
		return ctl_print_object(ctl, &answer);
	printf("%.*s\n", TEXT_ARGS(ctl_member(answer.json, "token")));
	return CTL_GOOD;
}

int
ctl_user_password(struct ctl *ctl)
{
	struct text path, password;
	struct answer answer;
	struct json_writer w;
	struct buf body;
	int status = ctl_path(ctl, &ctl_users, "change_password/", &path);

	if (status != CTL_GOOD)
		return status;
	if (!ctl_password(ctl, &password))
		return CTL_FAILED;
	buf_init(&body, ctl->arena);
	json_writer_init(&w, ctl->arena, json_sink_buf, &body, UUID_DASHED);
	json_object(&w);
	json_member_text(&w, "new_password", password);
	json_object_end(&w);
	answer = ctl_call(ctl, "POST", path, buf_text(&body));
	if (answer.status != 200)
		return ctl_refused(ctl, &answer);
	if (ctl->options.json)
		return ctl_print_object(ctl, &answer);
	puts("The password is set; the token was replaced.");
	return CTL_GOOD;
}

/* Adds "first_name=Ada" to a body; false after saying why not. */
static bool
add_change(struct json_writer *w, struct text change)
{
	size_t equals = text_find(change, '=', 0);
	struct text name = text_slice(change, 0, equals);
	struct text value = text_slice(change, equals + 1, change.n);
	int i = field_index(&users, name);

	if (equals == change.n || !text_is_utf8(change)) {
		(void)ctl_error(0, "%s is not FIELD=VALUE", change.s);
		return false;
	}
	if (i < 0 || (users.fields[i].update & (STAFF | OPERATOR)) == 0 ||
	    users.fields[i].decode != NULL) {
		(void)ctl_error(0, "there is no field %.*s to set", TEXT_ARGS(name));
		return false;
	}
	json_key(w, name);
	if (value.n == 0 && users.fields[i].input.nullable)
		json_null(w);
	else
		json_text(w, value);
	return true;
}

int
ctl_user_set(struct ctl *ctl)
{
	struct json_writer w;
	struct buf body;

	buf_init(&body, ctl->arena);
	json_writer_init(&w, ctl->arena, json_sink_buf, &body, UUID_DASHED);
	json_object(&w);
	for (char *const *change = ctl->more; *change != NULL; change++)
		if (!add_change(&w, text_from(*change)))
			return CTL_USAGE;
	json_object_end(&w);
	return ctl_act(ctl, &ctl_users, "PATCH", "", buf_text(&body));
}

int
ctl_user_deactivate(struct ctl *ctl)
{
	return ctl_act(ctl, &ctl_users, "PATCH", "", T("{\"is_active\":false}"));
}

int
ctl_user_delete(struct ctl *ctl)
{
	return ctl_delete(ctl, &ctl_users);
}
