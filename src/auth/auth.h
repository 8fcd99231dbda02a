/* From a request's header to its caller; tokens; login and logout. */
#ifndef ROSTER_AUTH_AUTH_H
#define ROSTER_AUTH_AUTH_H

#include "config/config.h"
#include "crypto/seal.h"
#include "http/http.h"
#include "http/router.h"
#include "server/sealed.h"

/*
 * Finds the caller by "Authorization: Token <key>" (also Bearer <key> and Bearer Token <key>), and whom staff
 * impersonates by X-Impersonated-User-Uuid. Without credentials, or with another scheme, the
 * caller stays ANONYMOUS. 0, or the status of the 401 or 403 that it answered.
 */
handler authenticate;

/* Whose token. */
struct token_owner {
	int64_t id;
	struct uuid uuid;
};

/* A new key for the user; it replaces the one that there was. The key is on the request's arena. */
struct text token_issue(struct request *rq, struct token_owner owner);

/* A key for each of many users who have none yet, in one statement, which is sent; see db_send_sql(). */
void token_issue_first(struct request *rq, const struct token_owner *owners, size_t n);

/* Ends the user's token. */
void token_end(struct request *rq, int64_t user_id);

/* The key of a sealed copy, none when it cannot be opened (sealed under a key that is gone). */
struct text token_unseal(struct request *rq, struct bytes sealed, struct uuid owner);

/*
 * Do the keys belong to this database? The newest token tells; without any they do. Else, or when the database
 * does not answer, false and *problem says what to do. Outside a transaction.
 */
bool tokens_open(
    struct db *db, const struct keyring *keyring, struct arena *a, struct text *problem) MUST_CHECK;

/* Memory for the last uses of tokens, shared by all processes; see uses.c. */
void uses_share(const struct config *config);

/* Writes the last uses to the database, a token's at most once in 60 s; a chore of the keeper. */
void uses_flush(struct db *db, const struct config *config, struct arena *a);

/* The same for all of them, when the service stops. */
void uses_flush_all(struct db *db, const struct config *config, struct arena *a);

/* The network that an address counts for: IPv4 itself, of IPv6 the /64; "" when there is no address. */
struct text network_of(struct text address, struct arena *a);

/* 0 when a password may be tried for the username, else the status of the refusal that was answered. */
int throttle_refuse(struct request *rq, struct text username);

/* Counts a wrong password, and keeps the count though the answer is a refusal. */
void throttle_failed(struct request *rq, struct text username);

/* Clears the username's count from this network, which from now on is one that the user is known in. */
void throttle_succeeded(struct request *rq, struct text username, int64_t user_id);

/* Forgets what does not count any more; a chore of the keeper. */
void throttle_purge(struct db *db, const struct config *config, struct arena *a);

/* Signing in and out; what staff does with everybody's tokens. */
extern const struct route_table auth_routes, auth_token_routes;

/* The copies of tokens. */
extern const struct sealed_column sealed_tokens;

#endif
