/* Between the files of identity/. */
#ifndef ROSTER_IDENTITY_IDENTITY_INT_H
#define ROSTER_IDENTITY_IDENTITY_INT_H

#include <sys/socket.h>

#include "base/secret.h"
#include "crypto/seal.h"
#include "identity/identity.h"
#include "json/reader.h"

/* Users whom one process asks for at a time. */
#define SYNC_IN_FLIGHT_MAX 64

/* The one provider that there is a protocol for. */
#define EDUTEAMS T("eduteams")

/* A message, or NULL when it is good (checks.c). */
const char *check_provider_name(struct text t);
const char *check_http_url(struct text t);
const char *check_absolute_path(struct text t);

/* Is the URL one whose traffic everybody on the way can read? */
bool url_is_plain(struct text url);

/* secrets.c */

/* What a provider's secrets are sealed for, so that none can stand in for another. */
enum provider_secret { CLIENT_SECRET, REFRESH_TOKEN, ACCESS_TOKEN };

/* The sealed form of a secret; NULL in SQL for an empty one. */
struct bytes provider_seal(const struct keyring *keyring, enum provider_secret which,
    const struct uuid *provider, struct text secret, struct arena *a);

/* The secret itself; none when there is none, or its key is not in the key file. */
struct text provider_unseal(const struct keyring *keyring, enum provider_secret which,
    const struct uuid *provider, struct bytes sealed, struct arena *a);

/* provider.c */

/* A provider and how its service is asked. */
struct provider {
	int64_t id, version;
	struct uuid uuid;
	struct text name, token_url, userinfo_url, client_id, ca_file;
	struct bytes client_secret, refresh_token, access_token; /* sealed */
	struct stamp access_token_expires;
	int64_t connect_timeout, timeout; /* seconds */
	bool is_active, allow_internal, reactivate;
	int64_t sync_interval, sync_in_flight, sync_rate, sync_failures; /* see fields.c, sync.c */
};

/* false when there is none, or its service is not to be asked. Outside a transaction. */
bool provider_load(struct db *db, struct text name, struct provider *p) MUST_CHECK;

/* Is it still there, with the settings of p? */
bool provider_stays(struct db *db, const struct provider *p) MUST_CHECK;

/*
 * Takes it on to fetch a new access token, for as long as that may take; false when somebody else has,
 * or its tokens are not those of p any more.
 */
bool provider_claim(
    struct db *db, struct arena *a, const struct provider *p, struct uuid fetcher) MUST_CHECK;

/* What a fetch has brought; refresh_token is NULL when the old one stays. Sealed. */
struct fetched {
	struct bytes access_token, refresh_token;
	struct stamp expires;
};

/*
 * Ends the claim and, unless fetched is NULL, keeps what it has brought: the access token if the settings are still
 * those of p, the refresh token unless somebody has set another one.
 */
void provider_release(struct db *db, struct arena *a, const struct provider *p, struct uuid fetcher,
    const struct fetched *fetched);

/* inward.c */

/* Is it an address that is not on the public Internet: our own host, a private network, multicast, reserved? */
bool address_is_inward(const struct sockaddr *address);

/* remote.c */

/* What a provider's service is asked over HTTP. */
struct question {
	const struct provider *provider;
	struct text url;
	struct text bearer; /* none: as the client, by its secret */
	struct text client_secret;
	struct text form; /* sent by POST; none: GET */
};

/* What it says; on the arena. */
struct reply_of_remote {
	int64_t status; /* 0: there was no whole answer */
	struct text body;
	struct text trouble; /* why there was none */
	bool too_long;       /* ... that would have been read */
};

struct reply_of_remote remote_ask(const struct question *q, struct arena *a);

/*
 * The same for questions to one provider that are on their way together: remote_send() begins one, which stays where
 * it is until remote_take() gives its reply, with the ctx, or remote_cancel() ends it.
 */
struct exchange;
struct exchange *remote_send(const struct question *q, struct arena *a, void *ctx) RETURNS_NONNULL;
void remote_cancel(struct exchange *x);

/* The next reply that is there; false when there is none now. */
bool remote_take(struct reply_of_remote *reply, void **ctx) MUST_CHECK;

/* Until something comes, that long at most. */
void remote_wait(int milliseconds);

/* token_answer.c */

/* refresh is none when the one that was sent stays; lifetime: seconds that access may be used for. */
struct token_answer {
	struct text access, refresh;
	int64_t lifetime;
};

/* false when it is no JSON, has no token that can be sent, or one that is over. */
bool token_answer_read(struct text body, struct arena *a, struct token_answer *answer) MUST_CHECK;

/* Bytes as Python prints them: b'...'. It is how the API quotes them. */
struct text python_bytes(struct text t, struct arena *a);

/* access.c */

/* Who asks, from where: a request in the slow lane, or the process that compares all users. */
struct asker {
	struct db *db; /* in no transaction */
	struct arena *arena;
	const struct keyring *keyring;
};

/*
 * An access token for the provider: the one that is kept, or a new one when there is none, or when it is the refused
 * one. none and *problem, the API's words, when there is none to be had.
 */
struct text access_token(
    const struct asker *who, struct provider *p, struct text refused, struct text *problem);

/* The one that is kept, asking nobody; none when it is over, or the refused one. */
struct text access_token_kept(
    const struct asker *who, const struct provider *p, struct text refused);

/* claims.c */

/* What a provider says of a user. What is none is to stay as it is. */
struct claims {
	struct text username, first_name, last_name, email;
	struct text affiliations;    /* JSON */
	const struct json *ssh_keys; /* an array; NULL: it says nothing of them */
};

/* Reads user information; false when it is not what the protocol says, and *problem names what. */
bool claims_read(const struct json *json, struct arena *a, struct claims *claims,
    const char **problem) MUST_CHECK;

/* pull.c */

enum finding {
	FOUND,
	FOUND_NOBODY, /* the service does not know the identifier */
	FOUND_TROUBLE,
	FOUND_BUSY, /* it was not asked: the user's own pull is on its way */
};

/* What came of asking for a user. */
struct pull {
	struct text identifier;
	bool is_user;   /* the identifier is the name of one whom we had: he is not made anew */
	bool is_active; /* ... who was active: if somebody has switched him off, he stays so */
	struct provider provider;
	bool asked;
	struct stamp sent; /* when the service was asked */
	enum finding finding;
	struct text problem; /* FOUND_TROUBLE: the API's words */
	struct claims claims;
};

/* Asks the provider's service for pull->identifier. Takes as long as the provider's settings allow. */
void pull_ask(const struct asker *who, struct pull *pull);

/* The same in two parts: the address to ask at, and what the reply says, into pull. */
struct text pull_url(const struct pull *pull, struct arena *a);
void pull_read(struct pull *pull, const struct reply_of_remote *reply, struct arena *a);

/*
 * Writes what came of it, in the request's transaction. 0 and *uuid, whose it is (none: nobody's), or the status
 * of the refusal that was answered.
 */
int pull_apply(struct request *rq, const struct pull *pull, struct uuid *uuid);

/* flight.c */

/* The user's own pull begins, and lasts no longer than so many seconds; false while another one of his has not ended. */
bool flight_begin(int64_t user_id, int64_t seconds) MUST_CHECK;
void flight_end(int64_t user_id);

handler pull_remote_user, remote_eduteams;
extern const struct action remote_eduteams_action;

#endif
