/* UUIDs (RFC 9562): 16 bytes, printed with dashes or as 32 hex digits. */
#ifndef ROSTER_BASE_UUID_H
#define ROSTER_BASE_UUID_H

#include "base/base.h"
#include "base/text.h"

struct uuid {
	uint8_t b[16];
};

enum uuid_form {
	UUID_DASHED, /* a1b2c3d4-e5f6-7890-abcd-ef1234567890 */
	UUID_HEX,    /* a1b2c3d4e5f67890abcdef1234567890 */
};

/* Room for either form and a NUL. */
#define UUID_SIZE 37

/* All bytes zero: "no uuid" where a column may be NULL. */
bool uuid_is_none(struct uuid u);
bool uuid_eq(struct uuid a, struct uuid b);

/* Reads either form, any case, nothing before or after. */
bool uuid_parse(struct text t, struct uuid *out) MUST_CHECK;

/* Writes lower case and a NUL into out; returns the text without the NUL. */
struct text uuid_print(struct uuid u, enum uuid_form form, char out[static UUID_SIZE]);

/* A version 4 UUID of 16 random bytes. */
struct uuid uuid_v4(const uint8_t random[static 16]);

/*
 * A version 7 UUID: of a time, in 1/4096 milliseconds since 1970 (section 6.2, method 3), and 8 random bytes. Those of
 * later times are larger.
 */
struct uuid uuid_v7(uint64_t time, const uint8_t random[static 8]);

#endif
