#include "base/base.h"

#include "audit/audit.h"
#include "identity/identity_int.h"
#include "users/users.h"

/* The column's commas as a list. */
static void
encode_names(struct request *rq UNUSED, struct json_writer *w, const struct value *v)
{
	struct text rest = v->t, name;

	json_array(w);
	while (text_split(&rest, ',', &name))
		if (name.n > 0)
			json_text(w, name);
	json_array_end(w);
}

/* A list of names of users' fields. */
static bool
decode_names(struct request *rq, struct draft *d UNUSED, const struct field *f,
    const struct json *json, struct value *out)
{
	struct text name = text_from(f->name);
	struct buf list;

	if (json->type == JSON_NULL) {
		problem_add(rq, name, T("This field may not be null."));
		return false;
	}
	if (json->type != JSON_ARRAY) {
		problem_printf(rq, name, "Expected a list of items but got type \"%s\".",
		    json_type_name(json->type));
		return false;
	}
	buf_init(&list, rq->arena);
	buf_add(&list, T(""));
	for (const struct json *j = json->first; j != NULL; j = j->next) {
		if (j->type != JSON_TEXT || field_index(&users, j->text) < 0)
			problem_printf(
			    rq, name, "\"%.*s\" is not a field of a user.", TEXT_ARGS(j->text));
		if (list.n > 0)
			buf_add_char(&list, ',');
		buf_add(&list, j->text);
	}
	if ((int64_t)list.n > f->input.max)
		problem_add(rq, name, T("There are too many."));
	*out = V(buf_text(&list));
	return !problems_found(rq);
}

/* clang-format off */
static const struct field fields[] = {
	{ .name = "url", .kind = KIND_UUID, .expression = "ip.uuid", .url = "/api/identity-providers/",
	  .read = STAFF,
	  .help = "Where this provider is found." },
	{ .name = "uuid", .kind = KIND_UUID, .column = "uuid",
	  .read = STAFF,
	  .help = "Identifies the provider for ever." },
	{ .name = "name", .kind = KIND_TEXT, .column = "name",
	  .read = STAFF, .create = STAFF,
	  .input = { .max = 50, .required = true, .filled = true, .check = check_provider_name },
	  .unique = "identity provider with this name already exists.",
	  .filter = FILTER_EXACT, .order = { "ip.name" },
	  .example = "eduteams",
	  .help = "The registration_method of its users. What is asked as section eduTEAMS of the API"
		  " describes is called eduteams." },
	{ .name = "label", .kind = KIND_TEXT, .column = "label",
	  .read = STAFF, .create = STAFF, .update = STAFF,
	  .input = { .max = 128 },
	  .example = "eduTEAMS",
	  .help = "What people call it." },
	{ .name = "management_url", .kind = KIND_TEXT, .column = "management_url",
	  .read = STAFF, .create = STAFF, .update = STAFF,
	  .input = { .max = 1000, .check = check_http_url },
	  .example = "https://idp.example.org/account",
	  .help = "Where its users look after their accounts." },
	{ .name = "protected_fields", .kind = KIND_TEXT, .column = "protected_fields",
	  .read = STAFF, .create = STAFF, .update = STAFF,
	  .input = { .max = 1000 }, .encode = encode_names, .decode = decode_names,
	  .shape = &shape_texts, .example = "email",
	  .help = "Fields of its users that only the provider changes." },
	{ .name = "is_active", .kind = KIND_BOOL, .column = "is_active",
	  .read = STAFF, .create = STAFF, .update = STAFF,
	  .filter = FILTER_BOOL,
	  .help = "Whether its service is asked." },
	{ .name = "token_url", .kind = KIND_TEXT, .column = "token_url",
	  .read = STAFF, .create = STAFF, .update = STAFF,
	  .input = { .max = 1000, .check = check_http_url },
	  .example = "https://idp.example.org/token",
	  .help = "Where an access token is to be had for the refresh token." },
	{ .name = "userinfo_url", .kind = KIND_TEXT, .column = "userinfo_url",
	  .read = STAFF, .create = STAFF, .update = STAFF,
	  .input = { .max = 1000, .check = check_http_url },
	  .example = "https://idp.example.org/userinfo/",
	  .help = "What a user's identifier is added to, for his details." },
	{ .name = "client_id", .kind = KIND_TEXT, .column = "client_id",
	  .read = STAFF, .create = STAFF, .update = STAFF,
	  .input = { .max = 255 },
	  .example = "roster",
	  .help = "As whom the provider's service is asked." },
	{ .name = "has_client_secret", .kind = KIND_BOOL, .expression = "ip.client_secret IS NOT NULL",
	  .read = STAFF,
	  .help = "Whether client_secret is set, which no answer shows." },
	{ .name = "has_refresh_token", .kind = KIND_BOOL, .expression = "ip.refresh_token IS NOT NULL",
	  .read = STAFF,
	  .help = "Whether refresh_token is set, which no answer shows." },
	{ .name = "connect_timeout", .kind = KIND_INT, .column = "connect_timeout",
	  .read = STAFF, .create = STAFF, .update = STAFF,
	  .input = { .bounded = true, .min = 1, .max = 20 },
	  .example = "5",
	  .help = "Seconds until a connection to the service must stand." },
	{ .name = "timeout", .kind = KIND_INT, .column = "timeout",
	  .read = STAFF, .create = STAFF, .update = STAFF,
	  .input = { .bounded = true, .min = 1, .max = 20 },
	  .example = "10",
	  .help = "Seconds until the service must have answered, connecting included." },
	{ .name = "ca_file", .kind = KIND_TEXT, .column = "ca_file",
	  .read = STAFF, .create = STAFF, .update = STAFF,
	  .input = { .max = 1000, .check = check_absolute_path },
	  .example = "/etc/ssl/certs/idp.pem",
	  .help = "Certificates that the service's is checked against, in PEM. Empty: the system's." },
	{ .name = "allow_internal", .kind = KIND_BOOL, .column = "allow_internal",
	  .read = STAFF, .create = STAFF, .update = STAFF,
	  .example = "false",
	  .help = "Whether the service may be on an address that is not public, and be asked without"
		  " TLS." },
	{ .name = "reactivate", .kind = KIND_BOOL, .column = "reactivate",
	  .read = STAFF, .create = STAFF, .update = STAFF,
	  .help = "Whether a deactivated user whom the service knows becomes active again." },
	{ .name = "sync_interval", .kind = KIND_INT, .column = "sync_interval",
	  .read = STAFF, .create = STAFF, .update = STAFF,
	  .input = { .bounded = true, .min = 0, .max = 31536000 },
	  .example = "86400",
	  .help = "Seconds after which a user is compared with the provider again. 0: none is by schedule." },
	{ .name = "sync_in_flight", .kind = KIND_INT, .column = "sync_in_flight",
	  .read = STAFF, .create = STAFF, .update = STAFF,
	  .input = { .bounded = true, .min = 1, .max = SYNC_IN_FLIGHT_MAX },
	  .example = "4",
	  .help = "For how many users each host asks at a time." },
	{ .name = "sync_rate", .kind = KIND_INT, .column = "sync_rate",
	  .read = STAFF, .create = STAFF, .update = STAFF,
	  .input = { .bounded = true, .min = 1, .max = 1000 },
	  .example = "10",
	  .help = "For how many users a second all hosts together ask at most." },
	{ .name = "created", .kind = KIND_STAMP, .column = "created",
	  .read = STAFF, .order = { "ip.created" },
	  .help = "When the provider was added." },
	{ .name = "modified", .kind = KIND_STAMP, .column = "modified",
	  .read = STAFF,
	  .help = "When its settings were changed." },

	/* In no answer. */
	{ .name = "client_secret", .kind = KIND_TEXT,
	  .create = STAFF, .update = STAFF,
	  .input = { .max = 1000, .untrimmed = true },
	  .example = "secret",
	  .help = "Password of client_id." },
	{ .name = "refresh_token", .kind = KIND_TEXT,
	  .create = STAFF, .update = STAFF,
	  .input = { .max = 4000, .untrimmed = true },
	  .example = "secret",
	  .help = "What access tokens are to be had for; the service replaces it when the provider does." },
	{ .name = "sealed_client_secret", .kind = KIND_BYTES, .column = "client_secret",
	  .help = "client_secret, sealed." },
	{ .name = "sealed_refresh_token", .kind = KIND_BYTES, .column = "refresh_token",
	  .help = "refresh_token, sealed." },
	{ .name = "sealed_access_token", .kind = KIND_BYTES, .column = "access_token",
	  .help = "The access token that refresh_token has given, sealed." },
};
/* clang-format on */

static void
seal_field(struct request *rq, struct draft *d, enum provider_secret which, const char *field,
    const char *sealed)
{
	struct value secret = draft_value(d, field);

	if (secret.null || text_is_none(secret.t))
		return;
	draft_set(d, sealed, V(provider_seal(rq->keyring, which, &d->uuid, secret.t, rq->arena)));
}

static void
seal_secrets(struct request *rq, struct draft *d)
{
	seal_field(rq, d, CLIENT_SECRET, "client_secret", "sealed_client_secret");
	seal_field(rq, d, REFRESH_TOKEN, "refresh_token", "sealed_refresh_token");
}

/* Secrets travel to these. */
static void
check_plain(struct request *rq, const struct draft *d, const char *field)
{
	if (url_is_plain(draft_value(d, field).t))
		problem_add(rq, text_from(field),
		    T("It must begin with https:// unless allow_internal is true."));
}

static void
check(struct request *rq, struct draft *d)
{
	struct value internal = draft_value(d, "allow_internal");

	if (internal.null || !internal.b) {
		check_plain(rq, d, "token_url");
		check_plain(rq, d, "userinfo_url");
	}
	/* A new provider has no uuid yet, which they are sealed for. */
	if (d->old != NULL)
		seal_secrets(rq, d);
}

/* An access token ends with what it was made with. */
static void
before_update(struct request *rq UNUSED, struct draft *d)
{
	static const char *const made_with[] = { "token_url", "client_id", "sealed_client_secret",
		"sealed_refresh_token" };
	struct value none = { .kind = KIND_BYTES, .null = true };

	for (size_t i = 0; i < countof(made_with); i++)
		if (draft_changes(d, made_with[i]))
			draft_set(d, "sealed_access_token", none);
}

/* What may be told of the changes; of a secret only that it was set. */
static struct text
changes_of(struct request *rq, const struct draft *d)
{
	static const char *const secrets[][2] = {
		{ "client_secret", "sealed_client_secret" },
		{ "refresh_token", "sealed_refresh_token" },
	};
	struct text changes = audit_changes(rq, d);

	for (size_t i = 0; i < countof(secrets); i++)
		if (draft_changes(d, secrets[i][1]))
			changes = audit_changes_and(rq, changes, secrets[i][0], T("\"set\""));
	return changes;
}

static void
log_event(struct request *rq, struct draft *d, enum event event, struct text changes)
{
	audit(rq, event, (struct subject){ "identity_provider", d->uuid }, changes);
}

static void
after_create(struct request *rq, struct draft *d)
{
	log_event(rq, d, EVENT_PROVIDER_CREATED, changes_of(rq, d));
}

static void
after_update(struct request *rq, struct draft *d)
{
	log_event(rq, d, EVENT_PROVIDER_UPDATED, changes_of(rq, d));
}

static void
before_delete(struct request *rq, struct draft *d)
{
	log_event(rq, d, EVENT_PROVIDER_DELETED, audit_removed(rq, d));
}

const struct resource identity_providers = {
	.name = "identity provider",
	.model = "IdentityProvider",
	.path = "/api/identity-providers/",
	.table = "identity_providers",
	.alias = "ip",
	.fields = fields,
	.nfields = countof(fields),
	.order = "name",
	.check = check,
	.before_create = seal_secrets,
	.after_create = after_create,
	.before_update = before_update,
	.after_update = after_update,
	.before_delete = before_delete,
};
