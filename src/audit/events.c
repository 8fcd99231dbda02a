#include "base/base.h"

#include "audit/audit.h"

/* The API's own names where it has one. */
const char *const event_names[] = {
	[EVENT_USER_CREATED] = "user_creation_succeeded",
	[EVENT_USER_UPDATED] = "user_update_succeeded",
	[EVENT_USER_ACTIVATED] = "user_activated",
	[EVENT_USER_DEACTIVATED] = "user_deactivated",
	[EVENT_USER_DELETED] = "user_deletion_succeeded",
	[EVENT_PASSWORD_CHANGED] = "user_password_updated",
	[EVENT_PASSWORD_CHANGED_BY_STAFF] = "user_password_updated_by_staff",
	[EVENT_TOKEN_CREATED] = "token_created",
	[EVENT_TOKEN_DELETED] = "token_deleted",
	[EVENT_TOKEN_LIFETIME_CHANGED] = "token_lifetime_updated",
	[EVENT_EMAIL_CHANGE_REQUESTED] = "user_email_change_requested",
	[EVENT_EMAIL_CHANGE_CANCELLED] = "user_email_change_cancelled",
	[EVENT_EMAIL_CHANGED] = "user_email_changed",
	[EVENT_LOGGED_IN] = "auth_logged_in_with_username",
	[EVENT_LOGGED_OUT] = "auth_logged_out",
	[EVENT_CUSTOMER_CREATED] = "customer_creation_succeeded",
	[EVENT_CUSTOMER_UPDATED] = "customer_update_succeeded",
	[EVENT_CUSTOMER_DELETED] = "customer_deletion_succeeded",
	[EVENT_PROJECT_CREATED] = "project_creation_succeeded",
	[EVENT_PROJECT_UPDATED] = "project_update_succeeded",
	[EVENT_PROJECT_DELETED] = "project_deletion_succeeded",
	[EVENT_ROLE_CREATED] = "role_creation_succeeded",
	[EVENT_ROLE_UPDATED] = "role_update_succeeded",
	[EVENT_ROLE_DELETED] = "role_deletion_succeeded",
	[EVENT_ROLE_ENABLED] = "role_enabled",
	[EVENT_ROLE_DISABLED] = "role_disabled",
	[EVENT_ROLE_GRANTED] = "role_granted",
	[EVENT_GRANT_UPDATED] = "role_updated",
	[EVENT_ROLE_REVOKED] = "role_revoked",
	[EVENT_SSH_KEY_CREATED] = "ssh_key_creation_succeeded",
	[EVENT_SSH_KEY_DELETED] = "ssh_key_deletion_succeeded",
	[EVENT_AGREEMENT_CREATED] = "user_agreement_creation_succeeded",
	[EVENT_AGREEMENT_UPDATED] = "user_agreement_update_succeeded",
	[EVENT_AGREEMENT_DELETED] = "user_agreement_deletion_succeeded",
	[EVENT_PROVIDER_CREATED] = "identity_provider_creation_succeeded",
	[EVENT_PROVIDER_UPDATED] = "identity_provider_update_succeeded",
	[EVENT_PROVIDER_DELETED] = "identity_provider_deletion_succeeded",
	[EVENTS] = NULL,
};

const char *
event_name(enum event event)
{
	must((size_t)event < EVENTS && event_names[event] != NULL);
	return event_names[event];
}
