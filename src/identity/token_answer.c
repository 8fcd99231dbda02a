/* What a provider's service answers when an access token is asked for (RFC 6749, section 5.1). */
#include "base/base.h"

#include "identity/identity_int.h"

#define LIFETIME 1800 /* seconds, when the service does not say */
#define LIFETIME_MAX (24 * 3600)
#define LIFETIME_SPARE 30 /* seconds, and not more than a tenth: a token ends on its way, too */
#define TOKEN_MAX 8000

struct text
python_bytes(struct text t, struct arena *a)
{
	bool single = text_find(t, '\'', 0) < t.n && text_find(t, '"', 0) == t.n;
	char quote = single ? '"' : '\'';
	struct buf b;

	buf_init(&b, a);
	buf_printf(&b, "b%c", quote);
	for (size_t i = 0; i < t.n; i++) {
		unsigned char c = (unsigned char)t.s[i];
		static const char plain[] = "\t\n\r", letters[] = "tnr";
		const char *escape = c != '\0' ? strchr(plain, c) : NULL;

		if (escape != NULL)
			buf_printf(&b, "\\%c", letters[escape - plain]);
		else if (c == '\\' || c == (unsigned char)quote)
			buf_printf(&b, "\\%c", c);
		else if (c < ' ' || c > '~')
			buf_printf(&b, "\\x%02x", c);
		else
			buf_add_char(&b, (char)c);
	}
	buf_add_char(&b, quote);
	return buf_text(&b);
}

/* A token that can be sent in a header (RFC 6750, section 2.1: visible characters). */
static bool
is_token(const struct json *json)
{
	if (json == NULL || json->type != JSON_TEXT || json->text.n == 0 ||
	    json->text.n > TOKEN_MAX)
		return false;
	for (size_t i = 0; i < json->text.n; i++)
		if (json->text.s[i] <= ' ' || json->text.s[i] > '~')
			return false;
	return true;
}

/* Seconds that a new token may be used for; 0: the service says something that is no lifetime. */
static int64_t
lifetime_of(const struct json *json)
{
	int64_t seconds = LIFETIME, spare;

	if (json != NULL && json->type == JSON_TEXT && !text_to_int(json->text, &seconds))
		return 0;
	if (json != NULL && json->type != JSON_TEXT && json->type != JSON_INT)
		return 0;
	if (json != NULL && json->type == JSON_INT)
		seconds = json->integer;
	seconds = seconds < LIFETIME_MAX ? seconds : LIFETIME_MAX;
	spare = seconds / 10 < LIFETIME_SPARE ? seconds / 10 : LIFETIME_SPARE;
	return seconds > 0 ? seconds - spare : 0;
}

bool
token_answer_read(struct text body, struct arena *a, struct token_answer *answer)
{
	static const struct json_limits limits = { .depth = 16, .values = 1000 };
	struct text problem;
	const struct json *json = json_read(body, &limits, a, &problem), *access, *refresh;

	*answer = (struct token_answer){ 0 };
	if (json == NULL || json->type != JSON_OBJECT)
		return false;
	access = json_member(json, T("access_token"));
	refresh = json_member(json, T("refresh_token"));
	answer->lifetime = lifetime_of(json_member(json, T("expires_in")));
	if (!is_token(access) || answer->lifetime == 0)
		return false;
	answer->access = access->text;
	if (refresh == NULL || refresh->type == JSON_NULL)
		return true;
	answer->refresh = refresh->text;
	return is_token(refresh);
}
