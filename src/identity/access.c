/* Access tokens of providers: kept in the database for their lifetime, fetched by one of those who need them. */
#include "base/base.h"

#include <unistd.h>

#include "base/log.h"
#include "crypto/random.h"
#include "identity/identity_int.h"

#define TRANSPORT "Unable to get access token."
#define NOT_JSON "Unable to parse JSON in access token response."

#define LIFETIME 1800 /* seconds, when the service does not say */
#define LIFETIME_MAX (24 * 3600)
#define LIFETIME_SPARE 30 /* seconds, and not more than a tenth: a token ends on its way, too */
#define LOOK_AGAIN 50     /* milliseconds, while somebody else fetches */
#define WAIT_EXTRA 6      /* seconds beyond what that may take */
#define REASON_MAX 1000   /* bytes of the service's own words */
#define TOKEN_MAX 8000

/* Bytes as Python prints them: b'...'. It is how the API quotes them. */
static struct text
python_bytes(struct text t, struct arena *a)
{
	bool single = text_find(t, '\'', 0) < t.n && text_find(t, '"', 0) == t.n;
	char quote = single ? '"' : '\'';
	struct buf b;

	buf_init(&b, a);
	buf_printf(&b, "b%c", quote);
	for (size_t i = 0; i < t.n; i++) {
		unsigned char c = (unsigned char)t.s[i];
		static const char plain[] = "\t\n\r", letters[] = "tnr";
		const char *escape = c != '\0' ? strchr(plain, c) : NULL;

		if (escape != NULL)
			buf_printf(&b, "\\%c", letters[escape - plain]);
		else if (c == '\\' || c == (unsigned char)quote)
			buf_printf(&b, "\\%c", c);
		else if (c < ' ' || c > '~')
			buf_printf(&b, "\\x%02x", c);
		else
			buf_add_char(&b, (char)c);
	}
	buf_add_char(&b, quote);
	return buf_text(&b);
}

/* A token that can be sent in a header (RFC 6750, section 2.1: visible characters). */
static bool
is_token(const struct json *json)
{
	if (json == NULL || json->type != JSON_TEXT || json->text.n == 0 ||
	    json->text.n > TOKEN_MAX)
		return false;
	for (size_t i = 0; i < json->text.n; i++)
		if (json->text.s[i] <= ' ' || json->text.s[i] > '~')
			return false;
	return true;
}

/* Seconds that a new token may be used for; 0: the service says something that is no lifetime. */
static int64_t
lifetime_of(const struct json *json)
{
	int64_t seconds = LIFETIME, spare;

	if (json != NULL && json->type == JSON_TEXT && !text_to_int(json->text, &seconds))
		return 0;
	if (json != NULL && json->type != JSON_TEXT && json->type != JSON_INT)
		return 0;
	if (json != NULL && json->type == JSON_INT)
		seconds = json->integer;
	seconds = seconds < LIFETIME_MAX ? seconds : LIFETIME_MAX;
	spare = seconds / 10 < LIFETIME_SPARE ? seconds / 10 : LIFETIME_SPARE;
	return seconds > 0 ? seconds - spare : 0;
}

/* The tokens of an answer; the access token itself, none when it is not one. */
static struct text
read_tokens(const struct asker *who, const struct provider *p, struct text body, struct fetched *f)
{
	static const struct json_limits limits = { .depth = 16, .values = 1000 };
	struct text problem, refresh;
	const struct json *json = json_read(body, &limits, who->arena, &problem), *access, *rotated;
	int64_t lifetime;

	if (json == NULL || json->type != JSON_OBJECT)
		return TEXT_NONE;
	access = json_member(json, T("access_token"));
	rotated = json_member(json, T("refresh_token"));
	lifetime = lifetime_of(json_member(json, T("expires_in")));
	if (!is_token(access) || lifetime == 0 || (rotated != NULL && !is_token(rotated)))
		return TEXT_NONE;
	f->expires = (struct stamp){ stamp_now().us + lifetime * SECONDS };
	f->access_token =
	    provider_seal(who->keyring, ACCESS_TOKEN, &p->uuid, access->text, who->arena);
	refresh =
	    provider_unseal(who->keyring, REFRESH_TOKEN, &p->uuid, p->refresh_token, who->arena);
	if (rotated != NULL && !text_eq(rotated->text, refresh))
		f->refresh_token =
		    provider_seal(who->keyring, REFRESH_TOKEN, &p->uuid, rotated->text, who->arena);
	return access->text;
}

/* Asks for a new token; none and *problem when there is none to be had. */
static struct text
fetch(const struct asker *who, const struct provider *p, struct fetched *f, struct text *problem)
{
	struct arena *a = who->arena;
	struct text refresh =
	    provider_unseal(who->keyring, REFRESH_TOKEN, &p->uuid, p->refresh_token, a);
	struct text secret =
	    provider_unseal(who->keyring, CLIENT_SECRET, &p->uuid, p->client_secret, a);
	struct question q = {
		.provider = p,
		.url = p->token_url,
		.client_secret = text_is_none(secret) ? T("") : secret,
	};
	struct reply_of_remote reply;
	struct text token;

	*problem = T(TRANSPORT);
	if (text_is_none(refresh)) {
		log_error(
		    "provider %.*s: the key that sealed its refresh token is not in the key file",
		    TEXT_ARGS(p->name));
		return TEXT_NONE;
	}
	q.form = arena_printf(a, "grant_type=refresh_token&refresh_token=%.*s&scope=openid",
	    TEXT_ARGS(url_encode(a, refresh)));
	reply = remote_ask(&q, a);
	if (reply.status == 0)
		return TEXT_NONE;
	if (reply.status != 200) {
		*problem = arena_printf(a, TRANSPORT " Reason: %.*s",
		    TEXT_ARGS(python_bytes(text_slice(reply.body, 0, REASON_MAX), a)));
		return TEXT_NONE;
	}
	token = read_tokens(who, p, reply.body, f);
	*problem = T(NOT_JSON);
	return token;
}

/* *p has what was fetched, too, for whoever goes on asking. */
static struct text
fetch_and_keep(
    const struct asker *who, struct provider *p, struct uuid fetcher, struct text *problem)
{
	struct fetched f = { 0 };
	struct text token = fetch(who, p, &f, problem);

	provider_release(who->db, who->arena, p, fetcher, text_is_none(token) ? NULL : &f);
	if (text_is_none(token))
		return TEXT_NONE;
	p->access_token = f.access_token;
	p->access_token_expires = f.expires;
	if (f.refresh_token.p != NULL)
		p->refresh_token = f.refresh_token;
	return token;
}

struct text
access_token_kept(const struct asker *who, const struct provider *p, struct text refused)
{
	struct text token;

	if (stamp_is_none(p->access_token_expires) || p->access_token_expires.us <= stamp_now().us)
		return TEXT_NONE;
	token = provider_unseal(who->keyring, ACCESS_TOKEN, &p->uuid, p->access_token, who->arena);
	return text_eq(token, refused) ? TEXT_NONE : token;
}

/* Reads the provider again; false when it is not to be asked any more. */
static bool
read_again(const struct asker *who, struct provider *p)
{
	struct text name = p->name;
	bool found;

	db_begin(who->db, who->arena, false, TEXT_NONE);
	found = provider_load(who->db, name, p);
	return db_end(who->db, false) == DB_NONE && found;
}

struct text
access_token(const struct asker *who, struct provider *p, struct text refused, struct text *problem)
{
	int64_t end = stamp_monotonic() + (p->timeout + WAIT_EXTRA) * SECONDS;
	struct uuid fetcher = random_uuid();
	struct text token;

	*problem = T(TRANSPORT);
	for (;;) {
		token = access_token_kept(who, p, refused);
		if (!text_is_none(token))
			return token;
		if (provider_claim(who->db, who->arena, p, fetcher))
			return fetch_and_keep(who, p, fetcher, problem);
		if (stamp_monotonic() >= end)
			return TEXT_NONE;
		usleep(LOOK_AGAIN * 1000);
		if (!read_again(who, p))
			return TEXT_NONE;
	}
}
