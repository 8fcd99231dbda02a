/*
 * The key file, and what it is for: sealing what must be readable again (tokens, clients'
 * secrets) and hashing what is only looked up.
 *
 * A key file has one key a line, "id hex": a decimal id from 1 to 255 and 64 hex digits. The
 * first line seals; every line opens. Lines that start with # and empty lines are skipped.
 */
#ifndef ROSTER_CRYPTO_SEAL_H
#define ROSTER_CRYPTO_SEAL_H

#include "base/arena.h"
#include "base/base.h"
#include "base/secret.h"
#include "base/value.h"

#define KEYRING_MAX 8
#define LOOKUP_SIZE 32

struct keyring;

/*
 * Reads a key file. NULL and *problem (on the arena) when it is missing, not a regular file,
 * readable or writable by others (mode & 0007), empty or malformed; the message says what to do.
 * The keyring is locked memory (sodium_malloc) and lives until keyring_free().
 */
struct keyring *keyring_read(struct text path, struct arena *a, struct text *problem) MUST_CHECK;
void keyring_free(struct keyring **k);

/* The text of a new key file with one random key, id 1. */
struct text keyring_generate(struct arena *a);

/* Number of keys; index 0 is the newest, the one that seals. */
size_t keyring_count(const struct keyring *k);

/* The id of the newest key, which is the first byte of what it seals. */
uint8_t keyring_newest(const struct keyring *k);

/*
 * BLAKE2b-256 under a subkey of the index-th key, for a unique column: equal secrets give equal
 * hashes, and without the key file the hash tells nothing. purpose ("token", "email_code") keeps
 * hashes of different columns apart; at most 8 characters count.
 */
struct bytes lookup_hash(
    const struct keyring *k, size_t index, const char *purpose, struct secret s, struct arena *a);

/*
 * XSalsa20-Poly1305 (libsodium secretbox) under a subkey of the newest key: 1 byte key id, nonce,
 * box. context (the row's uuid, say) is bound in: opening with another one fails, so that sealed
 * values can't be swapped between rows. May be none.
 */
struct bytes seal(const struct keyring *k, struct secret s, struct bytes context, struct arena *a);

/* false when its key is not in the ring, when it was made for another context, or was changed. */
bool seal_open(const struct keyring *k, struct bytes sealed, struct bytes context, struct arena *a,
    struct secret *out) MUST_CHECK;

#endif
