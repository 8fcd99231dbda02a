/*
 * Bytes that must not be seen: passwords, keys, tokens. The type has no way to a
 * printf; whoever needs the bytes takes them and the reviewer sees where. The memory
 * is on an arena, which wipes it at reset, or in a static that secret_wipe() clears.
 */
#ifndef ROSTER_BASE_SECRET_H
#define ROSTER_BASE_SECRET_H

#include "base/arena.h"
#include "base/base.h"
#include "base/text.h"

struct secret {
	const uint8_t *bytes; /* NULL: none */
	size_t n;
};

/* The same bytes under the secret's type; not copied. */
static inline struct secret
secret_from(struct text t)
{
	return (struct secret){ (const uint8_t *)t.s, t.n };
}

/* Overwrites n bytes in a way that the compiler keeps. */
void secret_wipe(void *p, size_t n);

/* Equal in time that depends on the lengths only. None equals nothing, not even none. */
bool secret_eq(struct secret a, struct secret b);

#endif
