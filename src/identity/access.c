/* Access tokens of providers: kept in the database for their lifetime, fetched by one of those who need them. */
#include "base/base.h"

#include <sodium.h>
#include <unistd.h>

#include "base/log.h"
#include "crypto/random.h"
#include "identity/identity_int.h"

#define TRANSPORT "Unable to get access token."
#define NOT_JSON "Unable to parse JSON in access token response."

#define LOOK_AGAIN 50   /* milliseconds, while somebody else fetches */
#define WAIT_EXTRA 6    /* seconds beyond what that may take */
#define REASON_MAX 1000 /* bytes of the service's own words */

/* Seals the tokens of an answer for keeping; the access token itself, none when the answer has none. */
static struct text
seal_tokens(const struct asker *who, const struct provider *p, struct text body, struct fetched *f)
{
	struct arena *a = who->arena;
	struct token_answer answer;
	struct text refresh;

	if (!token_answer_read(body, a, &answer))
		return TEXT_NONE;
	f->expires = (struct stamp){ stamp_now().us + answer.lifetime * SECONDS };
	f->access_token = provider_seal(who->keyring, ACCESS_TOKEN, &p->uuid, answer.access, a);
	refresh = provider_unseal(who->keyring, REFRESH_TOKEN, &p->uuid, p->refresh_token, a);
	if (!text_is_none(answer.refresh) && !text_eq(answer.refresh, refresh))
		f->refresh_token =
		    provider_seal(who->keyring, REFRESH_TOKEN, &p->uuid, answer.refresh, a);
	return answer.access;
}

/* Its letters and digits: what is left of a text in whichever way it is quoted and escaped. */
static struct text
bare(struct text t, struct arena *a)
{
	struct buf b;

	buf_init(&b, a);
	for (size_t i = 0; i < t.n; i++)
		if ((t.s[i] >= '0' && t.s[i] <= '9') || (t.s[i] >= 'a' && t.s[i] <= 'z') ||
		    (t.s[i] >= 'A' && t.s[i] <= 'Z'))
			buf_add_char(&b, t.s[i]);
	return text_lower(a, buf_text(&b));
}

static bool
repeats(struct text said, struct text secret, struct arena *a)
{
	struct text kept = bare(secret, a);

	return kept.n > 0 && memmem(said.s, said.n, kept.s, kept.n) != NULL;
}

/* As a client signs in (RFC 7617). */
static struct text
basic_credentials(struct text id, struct text secret, struct arena *a)
{
	struct text both = arena_printf(a, "%.*s:%.*s", TEXT_ARGS(id), TEXT_ARGS(secret));
	size_t room = sodium_base64_encoded_len(both.n, sodium_base64_VARIANT_ORIGINAL);

	return text_from(sodium_bin2base64(arena_alloc(a, room), room,
	    (const unsigned char *)both.s, both.n, sodium_base64_VARIANT_ORIGINAL));
}

/*
 * Why the service refuses, in its own words; not if they repeat one of the secrets that it was sent, as a service
 * does that shows what it got.
 */
static struct text
refusal(const struct question *q, struct text refresh, struct text body, struct arena *a)
{
	const struct text secrets[] = { refresh, url_encode(a, refresh), q->client_secret,
		basic_credentials(q->provider->client_id, q->client_secret, a) };
	struct text said = bare(body, a);

	for (size_t i = 0; i < countof(secrets); i++)
		if (repeats(said, secrets[i], a))
			return T(TRANSPORT);
	return arena_printf(a, TRANSPORT " Reason: %.*s",
	    TEXT_ARGS(python_bytes(text_slice(body, 0, REASON_MAX), a)));
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
		*problem = refusal(&q, refresh, reply.body, a);
		return TEXT_NONE;
	}
	token = seal_tokens(who, p, reply.body, f);
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
