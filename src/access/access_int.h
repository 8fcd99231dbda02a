/* Between the files of access/. */
#ifndef ROSTER_ACCESS_ACCESS_INT_H
#define ROSTER_ACCESS_ACCESS_INT_H

#include "access/access.h"
#include "audit/audit.h"

/* The permissions that there are; ends with NULL. */
extern const char *const permission_names[];

/* "customer" or "project" */
extern const struct shape scope_type_shape;

/* A role as the rules look at it. */
struct role {
	int64_t id;
	struct uuid uuid;
	struct text name, content_type;
	bool is_active, is_system_role;
};

/* By uuid or name; false when there is none. */
bool role_find(struct request *rq, struct text name, struct role *role) MUST_CHECK;

extern const struct resource roles, user_permissions;

/* Query filters that teams and user-permissions share; g is the grant, u its user, r its role. */
extern const struct filter grant_filters[];

handler role_delete, role_enable, role_disable;
extern const struct action role_switch_action;

#endif
