/*
 * struct text: characters with a length. It is how roster passes strings: UTF-8,
 * not NUL-terminated unless a function says so, never owned by the struct itself.
 * s == NULL is "no text" (SQL's NULL); an empty text has s != NULL and n == 0.
 */
#ifndef ROSTER_BASE_TEXT_H
#define ROSTER_BASE_TEXT_H

#include "base/base.h"

struct arena;

struct text {
	const char *s;
	size_t n;
};

/* A text from a string literal; TEXT_INIT where C wants a constant expression. */
#define TEXT_INIT(literal)                         \
	{                                          \
		"" literal "", sizeof(literal) - 1 \
	}
#define T(literal) ((struct text)TEXT_INIT(literal))

#define TEXT_NONE ((struct text){ NULL, 0 })

/* For printf's "%.*s". */
#define TEXT_ARGS(t) (int)(t).n, (t).s

static inline bool
text_is_none(struct text t)
{
	return t.s == NULL;
}

/* The text of a C string; none for NULL. */
struct text text_from(const char *s);

/* Byte for byte. None equals only none. */
bool text_eq(struct text a, struct text b);

/* Is it one of those? NULL ends them. */
bool text_is_among(struct text t, const char *const *names);

/* The same as text_eq(), ASCII letters of either case. */
bool text_eq_nocase(struct text a, struct text b);

bool text_starts(struct text t, struct text prefix);

/* Position of the first c at or after from, or t.n. */
size_t text_find(struct text t, char c, size_t from);

/* t[from, to). from and to are cut to the length. */
struct text text_slice(struct text t, size_t from, size_t to);

/*
 * t without white space at both ends, as Python's str.strip() sees it: ASCII and
 * Unicode spaces alike. t must be valid UTF-8.
 */
struct text text_trim(struct text t);

/*
 * Cuts the next part, up to the separator, off *rest into *part; false when *rest is
 * none. "a,,b" has three parts, "" has one.
 */
bool text_split(struct text *rest, char separator, struct text *part);

/* Valid UTF-8 (RFC 3629: no surrogates, nothing over U+10FFFF, no overlong forms)? NUL is valid. */
bool text_is_utf8(struct text t);

/*
 * An e-mail address that is fit for an envelope and a header: one @ with something on both sides, nothing that
 * ends or splits an address?
 */
bool text_is_address(struct text t);

/* Byte offset of the first byte that makes t invalid UTF-8, or t.n. */
size_t text_utf8_valid_to(struct text t);

/* Code points. t must be valid UTF-8. */
size_t text_length(struct text t);

/* A decimal number, optional sign, nothing else, within int64_t. */
bool text_to_int(struct text t, int64_t *out) MUST_CHECK;

/*
 * t for a terminal, which would do what control characters say: each byte of one as \x1b. On the arena when there are
 * any.
 */
struct text text_visible(struct arena *a, struct text t);

/* ASCII letters in lower case, on the arena. */
struct text text_lower(struct arena *a, struct text t);

/*
 * NFKC (UAX #15); t must be valid UTF-8. On the arena. The time grows with the square of a run of
 * combining marks (16,000 of them: half a second), so limit the length before.
 */
struct text text_nfkc(struct arena *a, struct text t);

/*
 * NFKD with everything outside ASCII dropped and letters in lower case: what remains of
 * "Jõgi" is "jogi", of "Юрий" nothing. t must be valid UTF-8. On the arena.
 */
struct text text_fold(struct arena *a, struct text t);

#endif
