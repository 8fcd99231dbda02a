/* User accounts: the table of their fields, their routes, and the rules that are more than a field's. */
#ifndef ROSTER_USERS_USERS_H
#define ROSTER_USERS_USERS_H

#include "http/router.h"
#include "resource/resource.h"

extern const struct resource users;

extern const struct route_table user_routes;

#endif
