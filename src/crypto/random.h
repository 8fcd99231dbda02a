/* Random bytes of the operating system (libsodium). Never fails. */
#ifndef ROSTER_CRYPTO_RANDOM_H
#define ROSTER_CRYPTO_RANDOM_H

#include "base/base.h"
#include "base/uuid.h"

/* Prepares libsodium; call once in each program before anything else of crypto/. */
void crypto_init(void);

void random_bytes(void *out, size_t n);
struct uuid random_uuid(void);

/*
 * Each is larger than the one before, also of the last call: rows of many then go to the end of an index, which takes
 * less time and room than all over it. They tell when they were made.
 */
void ordered_uuids(struct uuid *out, size_t n);

/* Uniform in [0, bound). */
uint32_t random_below(uint32_t bound);

#endif
