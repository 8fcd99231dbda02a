#include "base/base.h"

#include <inttypes.h>
#include <utf8proc.h>
#include <zxcvbn.h>

#include "crypto/password.h"
#include "crypto/weak.h"

/* Beyond this a password is not looked at: zxcvbn's time grows with the square of its length. */
#define INSPECTED 128
#define BYTES_A_POINT 4 /* at most, in UTF-8 */

#define WORDS_MAX 64 /* of the owner, that zxcvbn gets */
#define WORD_MIN 3   /* code points of a word that is compared */

/* 10^5 guesses: about as many words as the lists of zxcvbn have. */
#define COMMON 5
#define TENS_A_BIT 0.30102999566398120 /* log10(2) */

/* Code points: compatibility and case folded, accents removed. "José" is jose. */
struct folded {
	int32_t *points;
	size_t n;
};

struct messages {
	struct arena *arena;
	struct text *list;
	size_t n;
};

static void
add(struct messages *m, struct text message)
{
	m->list[m->n++] = message;
}

/* The first bytes of t, whole code points of them. */
static struct text
cut(struct text t, size_t bytes)
{
	while (bytes < t.n && bytes > 0 && ((uint8_t)t.s[bytes] & 0xc0) == 0x80)
		bytes--;
	return text_slice(t, 0, bytes);
}

/* Of INSPECTED code points or more, if t has as many. */
static struct folded
fold(struct text t, struct arena *a)
{
	const utf8proc_option_t options =
	    UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK;
	const uint8_t *s = (const uint8_t *)t.s;
	struct folded f = { NULL, 0 };
	utf8proc_ssize_t bytes, n;

	bytes = (utf8proc_ssize_t)cut(t, (size_t)INSPECTED * BYTES_A_POINT).n;
	n = utf8proc_decompose(s, bytes, NULL, 0, options);
	if (n <= 0)
		return f;
	f.points = arena_alloc(a, (size_t)n * sizeof(*f.points));
	f.n = (size_t)utf8proc_decompose(s, bytes, f.points, n, options);
	return f;
}

/* Cuts the next run of letters, marks and digits off *rest into *word; false when there is none. */
static bool
next_word(struct text *rest, struct text *word)
{
	size_t start = 0, end = 0;
	utf8proc_category_t category;
	utf8proc_ssize_t n;
	int32_t point;

	for (size_t at = 0; at < rest->n; at += (size_t)n) {
		n = utf8proc_iterate(
		    (const uint8_t *)rest->s + at, (utf8proc_ssize_t)(rest->n - at), &point);
		if (n <= 0)
			break;
		category = utf8proc_category(point);
		if (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO)
			end = at + (size_t)n;
		else if (end > start)
			break;
		else
			start = end = at + (size_t)n;
	}
	*word = text_slice(*rest, start, end);
	*rest = text_slice(*rest, end, rest->n);
	return word->n > 0;
}

/* Length of the longest sequence of code points that both have, with others between or not. */
static size_t
common_sequence(struct folded a, struct folded b)
{
	size_t row[INSPECTED + 1] = { 0 }, diagonal, above;

	for (size_t i = 0; i < a.n; i++) {
		diagonal = 0;
		for (size_t j = 1; j <= b.n; j++) {
			above = row[j];
			if (a.points[i] == b.points[j - 1])
				row[j] = diagonal + 1;
			else if (row[j] < row[j - 1])
				row[j] = row[j - 1];
			diagonal = above;
		}
	}
	return row[b.n];
}

static bool
contains(struct folded whole, struct folded part)
{
	for (size_t i = 0; i + part.n <= whole.n; i++)
		if (memcmp(whole.points + i, part.points, part.n * sizeof(*part.points)) == 0)
			return true;
	return false;
}

/*
 * A password is similar to a word when it is a piece of it, or when seven tenths of the characters
 * of both are the same in the same order. That is Django's measure but for the order: without it
 * long passphrases are similar to long addresses by chance. A long password that has a short word
 * in it is not similar by that; zxcvbn gets the word as well and counts it as next to nothing.
 */
static bool
is_similar(struct folded password, struct folded word)
{
	if (password.n == 0 || word.n < WORD_MIN)
		return false;
	return contains(word, password) ||
	    20 * common_sequence(word, password) >= 7 * (password.n + word.n);
}

static bool
resembles(struct folded password, struct text value, struct arena *a)
{
	struct text word;

	if (is_similar(password, fold(value, a)))
		return true;
	while (next_word(&value, &word))
		if (is_similar(password, fold(word, a)))
			return true;
	return false;
}

/* What zxcvbn is told about the owner: a list that ends with NULL. */
struct words {
	size_t n;
	const char *list[WORDS_MAX + 1];
};

static void
add_word(struct words *w, struct text word, struct arena *a)
{
	if (w->n < WORDS_MAX && text_length(word) >= WORD_MIN)
		w->list[w->n++] = arena_text(a, word).s;
}

static void
add_words(struct words *w, struct text value, struct arena *a)
{
	struct text word;

	add_word(w, value, a);
	while (next_word(&value, &word))
		add_word(w, word, a);
}

/* Power of ten of the guesses that find the password, with words that are tried first (or NULL). */
static double
guesses(struct text password, const char **words, struct arena *a)
{
	struct text start = arena_text(a, text_slice(password, 0, INSPECTED));

	return ZxcvbnMatch(start.s, words, NULL) * TENS_A_BIT;
}

static void
check_length(struct messages *m, struct text password, const struct password_rules *rules)
{
	int64_t n = (int64_t)text_length(password);

	if (n < rules->min_length)
		add(m,
		    arena_printf(m->arena,
			"This password is too short. It must contain at least %" PRId64
			" characters.",
			rules->min_length));
	if (n > rules->max_length)
		add(m,
		    arena_printf(m->arena,
			"This password is too long. It must contain at most %" PRId64
			" characters.",
			rules->max_length));
}

static void
check_similar(
    struct messages *m, struct text password, const struct password_owner *owner, size_t nowner)
{
	struct folded f = fold(password, m->arena);

	if (f.n > INSPECTED)
		f.n = INSPECTED;
	for (size_t i = 0; i < nowner; i++)
		if (resembles(f, owner[i].value, m->arena))
			add(m,
			    arena_printf(
				m->arena, "The password is too similar to the %s.", owner[i].what));
}

/*
 * The normal form. Of what is far too long only so much that it still is: NFKC composes one code
 * point of at most four.
 */
static struct text
normal_start(struct secret password, int64_t max_length, struct arena *a)
{
	size_t enough = ((size_t)max_length + 1) * 4 * BYTES_A_POINT;
	struct text start = cut((struct text){ (const char *)password.bytes, password.n }, enough);

	return password_normal(secret_from(start), a);
}

const struct text *
password_weaknesses(struct secret password, const struct password_rules *rules,
    const struct password_owner *owner, size_t nowner, struct arena *a, size_t *n)
{
	struct messages m = { .arena = a };
	struct text normal = normal_start(password, rules->max_length, a);
	double common = rules->min_guesses < COMMON ? (double)rules->min_guesses : COMMON;
	struct words words = { 0 };

	for (size_t i = 0; i < nowner; i++)
		add_words(&words, owner[i].value, a);

	m.list = arena_alloc(a, (nowner + 3) * sizeof(*m.list));
	check_length(&m, normal, rules);
	if (guesses(normal, NULL, a) < common)
		add(&m, T("This password is too common."));
	check_similar(&m, normal, owner, nowner);
	if (guesses(normal, words.list, a) < (double)rules->min_guesses)
		add(&m, T("This password is too easy to guess."));
	*n = m.n;
	return m.list;
}

bool
password_is_too_long(struct secret password, int64_t max_length, struct arena *a)
{
	return (int64_t)text_length(normal_start(password, max_length, a)) > max_length;
}
