/* Between the files of users/. */
#ifndef ROSTER_USERS_USERS_INT_H
#define ROSTER_USERS_USERS_INT_H

#include "audit/audit.h"
#include "auth/auth.h"
#include "users/users.h"

/* A message, or NULL when it is good (checks.c). */
const char *check_password_hash(struct text t);

/* Django's mark of an account without a password: "!", and what follows it. */
bool is_unusable_password(struct text t);

/* Rules over several fields, and what a write brings with it (hooks.c). */
draft_hook user_check, user_before_create, user_after_create, user_before_update, user_after_update,
    user_before_delete;

/* Query parameters that are more than one column (filters.c); ends with an empty row. */
extern const struct filter user_filters[];

/* The fields, separated by commas, that only the identity provider of this registration method changes (hooks.c). */
struct text user_protected_fields(struct request *rq, struct text registration_method);

/* Is the body an account that a provider has made, and an import brings? It may be without an address. */
bool is_of_provider(const struct request *rq);

/* A list of texts (affiliations.c). */
field_decoder decode_affiliations;

/*
 * The picture (image.c): what the body's file becomes in a draft, the row that a draft's picture needs, and
 * the picture itself.
 */
field_decoder decode_image;
draft_hook image_store;
handler image_serve;
extern const struct action image_serve_action;

/* Actions. */
handler user_me, user_change_password, user_token, user_refresh_token;
handler user_change_email, user_cancel_change_email, user_confirm_email;
extern const struct action user_me_action, user_change_password_action, user_token_action;
extern const struct action user_change_email_action, user_cancel_change_email_action,
    user_confirm_email_action;

static inline struct subject
subject_user(struct uuid uuid)
{
	return (struct subject){ "user", uuid };
}

#endif
