/* A fingerprint of bytes that are no secret: BLAKE2b (RFC 7693), 16 bytes. */
#ifndef ROSTER_CRYPTO_DIGEST_H
#define ROSTER_CRYPTO_DIGEST_H

#include "base/arena.h"
#include "base/base.h"
#include "base/text.h"
#include "base/value.h"

#define DIGEST_SIZE 16

/* Of the parts one after the other, each with its length, so that ("ab", "c") is not ("a", "bc"). On the arena. */
struct bytes digest(const struct text *parts, size_t n, struct arena *a);

/* Of all that can be read from a file from where it stands; none, with errno, when reading fails. */
struct bytes digest_file(int fd, struct arena *a);

/* Lower-case hex digits of bytes, on the arena. */
struct text hex(struct bytes b, struct arena *a);

#endif
