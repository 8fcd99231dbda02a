/*
 * Hashes of passwords that other systems made and roster takes as they are until their owner signs in:
 * Django's pbkdf2_sha256, and bcrypt, bare or as Django wraps it (bcrypt$, bcrypt_sha256$). argon2 is
 * password.c's own.
 */
#ifndef ROSTER_CRYPTO_FOREIGN_H
#define ROSTER_CRYPTO_FOREIGN_H

#include "base/arena.h"
#include "base/base.h"
#include "base/text.h"

/* What costs more is not computed: some two seconds. */
#define PBKDF2_ITERATIONS_MAX 4000000
#define BCRYPT_COST_MAX 14

/* Is it well formed, of a kind that is known, and not too costly? */
bool foreign_is_known(struct text hash);

/* Was it made of these characters? false as well for what is not known. */
bool foreign_matches(struct text password, struct text hash, struct arena *a) MUST_CHECK;

#endif
