/* API tokens: 40 hex digits from 20 random bytes. */
#ifndef ROSTER_CRYPTO_TOKEN_H
#define ROSTER_CRYPTO_TOKEN_H

#include "base/arena.h"
#include "base/base.h"
#include "base/text.h"

#define TOKEN_DIGITS 40

/* A new key, lower case, on the arena. */
struct text token_new(struct arena *a);

/* Many, with fewer calls of the operating system. */
void tokens_new(struct arena *a, struct text *out, size_t n);

#endif
