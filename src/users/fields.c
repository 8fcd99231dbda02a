#include "base/base.h"

#include "access/access.h"
#include "resource/checks.h"
#include "users/users_int.h"

/* Who is written about may always read it, and so may everybody who sees him. */
#define ALL SIGNED_IN
#define TEAM (STAFF | SUPPORT)

enum { JOIN_TOKEN = 1u << 0, JOIN_PROVIDER = 1u << 1 };

static const char *const joins[] = {
	"LEFT JOIN tokens t ON t.user_id = u.id",
	"LEFT JOIN identity_providers ip ON ip.name = u.registration_method",
};

/* What a user's identity provider says; NULL: the account was made here, and roster.conf does. */
#define OF_PROVIDER(column) \
	"IF(u.registration_method = 'default', NULL, COALESCE(ip." column ", ''))"

static void
encode_token(struct request *rq, struct json_writer *w, const struct value *v)
{
	/* Only ever the caller's own. */
	json_text(w, token_unseal(rq, v->x, rq->caller.uuid));
}

static struct text
or_local(const struct value *v, struct text local)
{
	return v->null ? local : v->t;
}

static void
encode_idp_name(struct request *rq, struct json_writer *w, const struct value *v)
{
	json_text(w, or_local(v, rq->config->local_idp_name));
}

static void
encode_idp_label(struct request *rq, struct json_writer *w, const struct value *v)
{
	json_text(w, or_local(v, rq->config->local_idp_label));
}

static void
encode_idp_management_url(struct request *rq, struct json_writer *w, const struct value *v)
{
	json_text(w, or_local(v, rq->config->local_idp_management_url));
}

static void
encode_idp_fields(struct request *rq, struct json_writer *w, const struct value *v)
{
	struct text rest = or_local(v, rq->config->local_idp_protected_fields), name;

	json_array(w);
	while (text_split(&rest, ',', &name)) {
		name = text_trim(name);
		if (name.n > 0)
			json_text(w, name);
	}
	json_array_end(w);
}

/* clang-format off */
static const struct field fields[] = {
	{ .name = "url", .kind = KIND_UUID, .expression = "u.uuid", .url = "/api/users/",
	  .read = ALL,
	  .help = "Where this user is found." },
	{ .name = "uuid", .kind = KIND_UUID, .column = "uuid",
	  .read = ALL, .create = OPERATOR,
	  .unique = "user with this uuid already exists.",
	  .help = "Identifies the user for ever." },
	{ .name = "username", .kind = KIND_TEXT, .column = "username",
	  .read = ALL, .create = STAFF,
	  .input = { .max = 128, .required = true, .filled = true, .check = check_username },
	  .unique = "user with this username already exists.",
	  .filter = FILTER_EXACT, .order = { "u.username" },
	  .example = "alice",
	  .help = "Name to sign in with: lower-case letters, digits and @ . + - _, at most 128." },
	{ .name = "slug", .kind = KIND_TEXT, .column = "slug",
	  .read = ALL, .create = STAFF, .update = STAFF,
	  .input = { .max = 50, .check = check_slug },
	  .unique = "An object with this slug already exists.",
	  .example = "alice",
	  .help = "Short name for URLs; made from the username when left empty." },
	{ .name = "full_name", .kind = KIND_TEXT,
	  .expression = "TRIM(CONCAT(u.first_name, ' ', u.last_name))",
	  .read = ALL, .order = { "u.first_name", "u.last_name" },
	  .example = "Alice Example",
	  .help = "First and last name." },
	{ .name = "native_name", .kind = KIND_TEXT, .column = "native_name",
	  .read = ALL, .create = STAFF, .update = STAFF | SELF,
	  .input = { .max = 100 },
	  .filter = FILTER_CONTAINS, .order = { "u.native_name" },
	  .example = "Алиса",
	  .help = "Name in the person's own script." },
	{ .name = "job_title", .kind = KIND_TEXT, .column = "job_title",
	  .read = ALL, .create = STAFF, .update = STAFF | SELF,
	  .input = { .max = 120 },
	  .filter = FILTER_CONTAINS, .order = { "u.job_title" },
	  .example = "Researcher",
	  .help = "Job title." },
	{ .name = "email", .kind = KIND_TEXT, .column = "email",
	  .read = ALL, .create = STAFF, /* a user changes it through change_email */
	  .input = { .max = 320, .required = true, .filled = true, .check = check_email },
	  .may_be_blank = is_of_provider,
	  .filter = FILTER_CONTAINS, .order = { "u.email" },
	  .example = "alice@example.org",
	  .help = "E-mail address." },
	{ .name = "phone_number", .kind = KIND_TEXT, .column = "phone_number",
	  .read = ALL, .create = STAFF, .update = STAFF | SELF,
	  .input = { .max = 255, .check = check_phone_number },
	  .filter = FILTER_EXACT, .order = { "u.phone_number" },
	  .example = "+372 5555 1234",
	  .help = "Phone number: digits, blanks, hyphens and parentheses, perhaps a + before them." },
	{ .name = "organization", .kind = KIND_TEXT, .column = "organization",
	  .read = ALL, .create = STAFF, .update = STAFF | SELF,
	  .input = { .max = 255 },
	  .filter = FILTER_CONTAINS, .order = { "u.organization" },
	  .example = "Example University",
	  .help = "Organization that the person belongs to." },
	{ .name = "civil_number", .kind = KIND_TEXT, .column = "civil_number",
	  .read = ALL, .create = OPERATOR,
	  .input = { .max = 50, .nullable = true },
	  .unique = "user with this civil number already exists.",
	  .filter = FILTER_EXACT,
	  .example = "EE49005170011",
	  .help = "National identification number, from the identity provider." },
	{ .name = "description", .kind = KIND_TEXT, .column = "description",
	  .read = TEAM, .create = STAFF, .update = STAFF,
	  .input = { .max = 2000 },
	  .filter = FILTER_EXACT, .order = { "u.description" },
	  .example = "About this.",
	  .help = "Notes of the staff about the user." },
	{ .name = "is_staff", .kind = KIND_BOOL, .column = "is_staff",
	  .read = TEAM, .create = STAFF, .update = STAFF,
	  .filter = FILTER_BOOL, .order = { "u.is_staff" },
	  .example = "false",
	  .help = "May do everything." },
	{ .name = "is_active", .kind = KIND_BOOL, .column = "is_active",
	  .read = TEAM, .create = STAFF, .update = STAFF,
	  .filter = FILTER_BOOL, .order = { "u.is_active" },
	  .help = "May sign in; switch it off instead of deleting the account." },
	{ .name = "is_support", .kind = KIND_BOOL, .column = "is_support",
	  .read = TEAM, .create = STAFF, .update = STAFF,
	  .filter = FILTER_BOOL, .order = { "u.is_support" },
	  .example = "false",
	  .help = "May see everything." },
	{ .name = "token", .kind = KIND_BYTES, .expression = "t.sealed", .joins = JOIN_TOKEN,
	  .read = SELF, .encode = encode_token, .omit_null = true,
	  .shape = &shape_text, .example = SHAPE_TOKEN,
	  .help = "The caller's own token." },
	{ .name = "token_lifetime", .kind = KIND_MAYBE, .column = "token_lifetime",
	  .read = SELF | OPERATOR, .create = OPERATOR, .update = SELF | OPERATOR,
	  .input = { .nullable = true, .bounded = true, .min = 60, .max = INT32_MAX },
	  .help = "Seconds without use after which the token expires; null: never." },
	{ .name = "token_expires_at", .kind = KIND_STAMP, .joins = JOIN_TOKEN,
	  .expression = "t.created + INTERVAL u.token_lifetime SECOND",
	  .read = ALL, .null = true,
	  .help = "When the token expires if it is not used before." },
	{ .name = "registration_method", .kind = KIND_TEXT, .column = "registration_method",
	  .read = ALL, .create = OPERATOR,
	  .input = { .max = 50, .filled = true },
	  .filter = FILTER_EXACT, .order = { "u.registration_method" },
	  .example = "default",
	  .help = "How the account came to be: default, or the name of an identity provider." },
	{ .name = "date_joined", .kind = KIND_STAMP, .column = "date_joined",
	  .read = ALL, .create = OPERATOR,
	  .filter = FILTER_SINCE,
	  .help = "When the account was made." },
	{ .name = "agreement_date", .kind = KIND_STAMP, .column = "agreement_date",
	  .read = ALL, .create = OPERATOR,
	  .input = { .nullable = true },
	  .filter = FILTER_SINCE,
	  .help = "When the user has agreed with the policy." },
	{ .name = "notifications_enabled", .kind = KIND_BOOL, .column = "notifications_enabled",
	  .read = ALL, .create = STAFF, .update = STAFF,
	  .help = "May be sent e-mail." },
	{ .name = "preferred_language", .kind = KIND_TEXT, .column = "preferred_language",
	  .read = ALL, .create = STAFF, .update = STAFF | SELF,
	  .input = { .max = 10 },
	  .example = "en",
	  .help = "Language of e-mail, as en or et." },
	{ .name = "permissions", .kind = KIND_JSON, .expression = ACCESS_PERMISSIONS,
	  .encode = access_write_permissions,
	  .read = ALL, .shape = &access_permissions_shape,
	  .help = "Roles in organizations and projects." },
	{ .name = "requested_email", .kind = KIND_TEXT,
	  .expression = "(SELECT c.email FROM email_changes c WHERE c.user_id = u.id)",
	  .read = ALL, .null = true,
	  .example = "alice@example.net",
	  .help = "Address that waits for its confirmation." },
	{ .name = "affiliations", .kind = KIND_JSON, .column = "affiliations",
	  .read = ALL, .create = OPERATOR, .decode = decode_affiliations,
	  .shape = &shape_texts, .example = "staff",
	  .help = "Affiliations such as student or staff, from the identity provider." },
	{ .name = "first_name", .kind = KIND_TEXT, .column = "first_name",
	  .read = ALL, .create = STAFF, .update = STAFF | SELF,
	  .input = { .max = 100 },
	  .example = "Alice",
	  .help = "First name." },
	{ .name = "last_name", .kind = KIND_TEXT, .column = "last_name",
	  .read = ALL, .create = STAFF, .update = STAFF | SELF,
	  .input = { .max = 100 },
	  .example = "Example",
	  .help = "Last name." },
	{ .name = "birth_date", .kind = KIND_DATE, .column = "birth_date",
	  .read = ALL, .create = STAFF, .update = STAFF | SELF,
	  .input = { .nullable = true },
	  .help = "Date of birth." },
	{ .name = "identity_provider_name", .kind = KIND_TEXT, .joins = JOIN_PROVIDER,
	  .expression = OF_PROVIDER("label"), .encode = encode_idp_name,
	  .read = ALL,
	  .example = "eduTEAMS",
	  .help = "Name of the identity provider." },
	{ .name = "identity_provider_label", .kind = KIND_TEXT, .joins = JOIN_PROVIDER,
	  .expression = OF_PROVIDER("label"), .encode = encode_idp_label,
	  .read = ALL,
	  .example = "eduTEAMS",
	  .help = "Label of the identity provider." },
	{ .name = "identity_provider_management_url", .kind = KIND_TEXT, .joins = JOIN_PROVIDER,
	  .expression = OF_PROVIDER("management_url"), .encode = encode_idp_management_url,
	  .read = ALL,
	  .example = "https://idp.example.org/account",
	  .help = "Where the identity provider lets the user change his details." },
	{ .name = "identity_provider_fields", .kind = KIND_TEXT, .joins = JOIN_PROVIDER,
	  .expression = OF_PROVIDER("protected_fields"), .encode = encode_idp_fields,
	  .read = ALL, .shape = &shape_texts, .example = "email",
	  .help = "Fields that only the identity provider changes." },
	{ .name = "image", .kind = KIND_UUID, .column = "image", .url = "/api/media/",
	  .read = ALL, .create = STAFF, .update = STAFF | SELF,
	  .input = { .max = 100, .nullable = true }, .decode = decode_image,
	  .shape = &shape_file,
	  .help = "Where the user's picture is; sent as a file of a multipart form: PNG, JPEG, GIF or"
		  " WebP. In JSON, null takes it away." },
	{ .name = "identity_source", .kind = KIND_TEXT, .column = "identity_source",
	  .read = ALL, .create = OPERATOR,
	  .input = { .max = 50 },
	  .example = "eduteams",
	  .help = "Which identity provider the user came from." },
	{ .name = "has_active_session", .kind = KIND_BOOL, .joins = JOIN_TOKEN,
	  .expression = "t.id IS NOT NULL",
	  .read = TEAM,
	  .help = "Whether the user has a token." },

	/* In no answer. */
	{ .name = "agree_with_policy", .kind = KIND_BOOL,
	  .create = STAFF, .update = STAFF | SELF,
	  .help = "The user agrees with the policy. Until he has, the account is not changed, unless it is"
		  " staff's or is switched off." },
	{ .name = "password", .kind = KIND_TEXT, .column = "password",
	  .create = OPERATOR,
	  .input = { .max = 255, .check = check_password_hash },
	  .help = "Hash of the password: argon2 in PHC form, Django's pbkdf2_sha256 or argon2, or bcrypt. What begins "
		  "with !, as Django writes it, is none." },
	{ .name = "modified", .kind = KIND_STAMP, .column = "modified",
	  .filter = FILTER_SINCE,
	  .help = "When the user was changed." },
	{ .name = "full_name_folded", .kind = KIND_TEXT, .column = "full_name_folded",
	  .help = "The full name in lower case without accents, for searches." },
};
/* clang-format on */

const struct resource users = {
	.name = "user",
	.model = "User",
	.path = "/api/users/",
	.table = "users",
	.alias = "u",
	.owner = "u.id",
	.fields = fields,
	.nfields = countof(fields),
	.joins = joins,
	.njoins = countof(joins),
	.filters = user_filters,
	.order = "username",
	.slug_of = "username",
	.among = access_users_among,
	.visible = access_users_visible,
	.check = user_check,
	.before_create = user_before_create,
	.after_create = user_after_create,
	.before_update = user_before_update,
	.after_update = user_after_update,
	.before_delete = user_before_delete,
};
