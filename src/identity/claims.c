/* What a provider says of a user, as the protocol has it. */
#include "base/base.h"

#include "identity/identity_int.h"
#include "json/writer.h"
#include "resource/checks.h"
#include "users/users.h"

#define NAME_MAX_LENGTH 100
#define EMAIL_MAX_LENGTH 320
#define SSH_KEYS_MAX 100

static bool
is_missing(const struct json *json)
{
	return json == NULL || json->type == JSON_NULL ||
	    (json->type == JSON_TEXT && text_trim(json->text).n == 0) ||
	    (json->type == JSON_ARRAY && json->count == 0);
}

/* A text of at most so many characters into *out, which stays none when there is none. */
static bool
read_text(const struct json *json, size_t max, struct text *out)
{
	if (is_missing(json))
		return true;
	if (json->type != JSON_TEXT || text_find(json->text, '\0', 0) < json->text.n)
		return false;
	*out = text_trim(json->text);
	return text_length(*out) <= max;
}

/* An address: of a list its first, else the other claim's. */
static bool
read_email(const struct json *mail, const struct json *email, struct text *out)
{
	const struct json *json = is_missing(mail) ? email : mail;

	if (json != NULL && json->type == JSON_ARRAY)
		json = json->first;
	return read_text(json, EMAIL_MAX_LENGTH, out) &&
	    (text_is_none(*out) || check_email(*out) == NULL);
}

/* A text or a list of them as a list. */
static bool
read_affiliations(const struct json *json, struct arena *a, struct text *out)
{
	const struct json *first = json;
	struct json_writer w;
	struct buf list;
	bool good = true;

	if (is_missing(json))
		return true;
	if (json->type == JSON_ARRAY && json->count <= AFFILIATIONS_MAX)
		first = json->first;
	buf_init(&list, a);
	json_writer_init(&w, a, json_sink_buf, &list, UUID_DASHED);
	json_array(&w);
	for (const struct json *j = first; j != NULL && good; j = j == json ? NULL : j->next) {
		struct text affiliation = TEXT_NONE;

		good = read_text(j, AFFILIATION_LENGTH_MAX, &affiliation);
		if (good && !text_is_none(affiliation))
			json_text(&w, affiliation);
	}
	json_array_end(&w);
	*out = buf_text(&list);
	return good && !json_failed(&w);
}

/* The list is looked at key by key when it is mirrored. */
static bool
read_keys(const struct json *json, const struct json **out)
{
	if (json == NULL || json->type == JSON_NULL)
		return true;
	*out = json;
	return json->type == JSON_ARRAY && json->count <= SSH_KEYS_MAX;
}

bool
claims_read(const struct json *json, struct arena *a, struct claims *claims, const char **problem)
{
	const struct json *(*of)(const struct json *, struct text) = json_member;

	*claims = (struct claims){ 0 };
	*problem = "it is not an object";
	if (json->type != JSON_OBJECT)
		return false;
	*problem = "voperson_id";
	if (!read_text(of(json, T("voperson_id")), 128, &claims->username))
		return false;
	*problem = "given_name";
	if (!read_text(of(json, T("given_name")), NAME_MAX_LENGTH, &claims->first_name))
		return false;
	*problem = "family_name";
	if (!read_text(of(json, T("family_name")), NAME_MAX_LENGTH, &claims->last_name))
		return false;
	*problem = "mail";
	if (!read_email(of(json, T("mail")), of(json, T("email")), &claims->email))
		return false;
	*problem = "voperson_external_affiliation";
	if (!read_affiliations(
		of(json, T("voperson_external_affiliation")), a, &claims->affiliations))
		return false;
	*problem = "ssh_public_key";
	return read_keys(of(json, T("ssh_public_key")), &claims->ssh_keys);
}
