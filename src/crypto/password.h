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

/* What is refused as too weak, and what a stored hash may cost at most before it is not computed. */
#define PASSWORD_COST_MIN ((struct password_cost){ 19456, 2, 1 })
#define PASSWORD_COST_MAX ((struct password_cost){ 1048576, 16, 16 })

/*
 * Maps the hashing memory for this cost once, for the life of the process; each hash wipes it. A
 * stored hash of a higher cost gets memory of its own. Only processes of the slow lane and rosterctl
 * call this; without it hashing is our mistake and ends in must().
 */
void password_init(struct password_cost cost);

/* "$argon2id$v=19$m=19456,t=2,p=1$...$..." on the arena, at the cost of password_init(). */
struct text password_hash(struct secret password, struct arena *a);

/* false for a wrong password, and for a hash that is malformed, of another kind or too costly. */
bool password_verify(struct secret password, struct text phc, struct arena *a);

/* Takes the time of password_verify() at the set cost and says nothing: for users that are not there. */
void password_verify_dummy(struct secret password, struct arena *a);

/* Was it made at another cost than password_init()'s (or is it malformed)? */
bool password_needs_rehash(struct text phc);

#endif
