/* Password rules, with the messages of the API. */
#ifndef ROSTER_CRYPTO_WEAK_H
#define ROSTER_CRYPTO_WEAK_H

#include "base/arena.h"
#include "base/base.h"
#include "base/secret.h"
#include "base/text.h"

struct password_rules {
	int64_t min_length, max_length; /* code points after NFKC */
	/*
	 * Base-10 exponent of the guesses that find it, as zxcvbn estimates them: fewer are too easy.
	 * "Too common" is what falls within 10^5 without knowing the owner, which the words of
	 * zxcvbn's own lists do; a lower exponent lowers that as well, and 0 is neither rule.
	 */
	int64_t min_guesses;
};

/* What the password must not resemble: "username", "email address", "first name", "last name". */
struct password_owner {
	const char *what;
	struct text value; /* none or short (under 3 characters): not compared */
};

/*
 * All that is wrong with a password, none when it is good: *n messages on the arena. The same
 * password always gives the same messages in the order of the rules: length, common, similar, easy.
 */
const struct text *password_weaknesses(struct secret password, const struct password_rules *rules,
    const struct password_owner *owner, size_t nowner, struct arena *a, size_t *n);

/* Has it more characters than max_length, counted as password_weaknesses() does? */
bool password_is_too_long(struct secret password, int64_t max_length, struct arena *a);

#endif
