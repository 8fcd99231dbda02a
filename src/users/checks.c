#include "base/base.h"

#include "crypto/password.h"
#include "users/users_int.h"

static bool
is_username_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	    (c != '\0' && strchr("_.@+-", c) != NULL);
}

const char *
check_username(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (!is_username_char(t.s[i]))
			return "Enter a valid username.";
	return NULL;
}

bool
is_unusable_password(struct text t)
{
	return t.n > 0 && t.s[0] == '!';
}

const char *
check_password_hash(struct text t)
{
	return is_unusable_password(t) || password_is_known(t)
	    ? NULL
	    : "Not a hash of a known kind (argon2, pbkdf2_sha256, bcrypt), or one that costs too much.";
}

bool
is_of_provider(const struct request *rq)
{
	const struct json *method = json_member(rq->body, T("registration_method"));

	return (rq->caller.who & OPERATOR) != 0 && method != NULL && method->type == JSON_TEXT &&
	    !text_eq(text_trim(method->text), T("default"));
}
