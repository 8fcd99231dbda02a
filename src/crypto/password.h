/*
 * Passwords: argon2id in PHC form (RFC 9106; OWASP Password Storage Cheat Sheet), 16 bytes of
 * salt, 32 bytes of tag. Passwords are brought to NFKC before they are hashed or compared.
 */
#ifndef ROSTER_CRYPTO_PASSWORD_H
#define ROSTER_CRYPTO_PASSWORD_H

#include "base/arena.h"
#include "base/base.h"
#include "base/secret.h"
#include "base/text.h"

struct password_cost {
	uint32_t memory; /* KiB */
	uint32_t passes;
	uint32_t lanes;
};

/* Less is refused as too weak; a stored hash that costs more is not computed. */
#define PASSWORD_COST_MIN ((struct password_cost){ 19456, 2, 1 })
#define PASSWORD_COST_MAX ((struct password_cost){ 1048576, 16, 16 })

/*
 * Sets the cost of new hashes, and maps the memory for it once, for the life of the process; each hash wipes
 * it. A stored hash of a higher cost gets memory of its own. Only processes of the slow lane call this; in
 * others hashing is our mistake and ends in must(). A second call changes the cost.
 */
void password_init(struct password_cost cost);

/* Sets the cost only: for rosterctl, which hashes once or never, each hash maps memory of its own. */
void password_set_cost(struct password_cost cost);

/* "$argon2id$v=19$m=19456,t=2,p=1$...$..." on the arena, at the cost of password_init(). */
struct text password_hash(struct secret password, struct arena *a);

/*
 * false for a wrong password, and for a hash that is none, malformed, of an unknown kind or too costly,
 * which takes the time of password_verify_dummy(). Besides what password_hash() makes it knows argon2 of
 * any kind, bare or after Django's "argon2$", and what foreign.h names.
 */
bool password_verify(struct secret password, struct text hash, struct arena *a);

/* Takes the time of password_verify() at the set cost: for users that are not there. */
void password_verify_dummy(struct secret password, struct arena *a);

/* Is it a hash that password_verify() computes? */
bool password_is_known(struct text hash);

/* Was it made elsewhere, at another cost than password_init()'s, or with other sizes, or is it malformed? */
bool password_needs_rehash(struct text hash);

/*
 * Microseconds that a hash of this cost takes on this machine; 0 when there is no memory for it. Any cost:
 * nothing is kept.
 */
int64_t password_time(struct password_cost cost);

/* The characters that are hashed and counted: NFKC. Bytes that are not UTF-8 stay as they are. */
struct text password_normal(struct secret password, struct arena *a);

#endif
