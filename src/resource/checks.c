#include "base/base.h"

#include "resource/checks.h"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_letter(char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool
is_slug_char(char c)
{
	return is_letter(c) || is_digit(c) || c == '_' || c == '-';
}

static bool
is_phone_char(char c)
{
	return is_digit(c) || (c != '\0' && strchr(" -()", c) != NULL);
}

static bool
all(struct text t, bool (*is)(char))
{
	for (size_t i = 0; i < t.n; i++)
		if (!is(t.s[i]))
			return false;
	return t.n > 0;
}

const char *
check_slug(struct text t)
{
	return all(t, is_slug_char)
	    ? NULL
	    : "Enter a valid \"slug\" consisting of letters, numbers, underscores or hyphens.";
}

const char *
check_phone_number(struct text t)
{
	struct text digits = text_starts(t, T("+")) ? text_slice(t, 1, t.n) : t;

	return all(digits, is_phone_char) ? NULL : "Invalid phone number format.";
}

/* RFC 5321, 4.1.2: a Dot-string; quoted local parts are not taken, as in most of the world. */
static bool
is_local_part(struct text t)
{
	struct text rest = t, atom;

	while (text_split(&rest, '.', &atom)) {
		if (atom.n == 0)
			return false;
		for (size_t i = 0; i < atom.n; i++) {
			char c = atom.s[i];

			if (!is_letter(c) && !is_digit(c) &&
			    (c == '\0' || strchr("!#$%&'*+-/=?^_`{|}~", c) == NULL))
				return false;
		}
	}
	return t.n > 0 && t.n <= 64;
}

/* A label of a domain name: RFC 1123, 2.1; or of its international form (RFC 5890), checked as UTF-8 only. */
static bool
is_label(struct text t)
{
	if (t.n == 0 || t.n > 63 || t.s[0] == '-' || t.s[t.n - 1] == '-')
		return false;
	for (size_t i = 0; i < t.n; i++)
		if (!is_letter(t.s[i]) && !is_digit(t.s[i]) && t.s[i] != '-' &&
		    (unsigned char)t.s[i] < 0x80)
			return false;
	return true;
}

static bool
is_domain(struct text t)
{
	struct text rest = t, label = TEXT_NONE;
	size_t labels = 0;

	while (text_split(&rest, '.', &label)) {
		if (!is_label(label))
			return false;
		labels++;
	}
	/* A top-level domain is never a number: 1.2.3.4 is an address, not a name. */
	return labels >= 2 && t.n <= 253 && label.n >= 2 && !all(label, is_digit);
}

const char *
check_email(struct text t)
{
	size_t at = text_find(t, '@', 0), next = at;

	while ((next = text_find(t, '@', next + 1)) < t.n)
		at = next;
	return at < t.n && is_local_part(text_slice(t, 0, at)) &&
		is_domain(text_slice(t, at + 1, t.n))
	    ? NULL
	    : "Enter a valid email address.";
}
