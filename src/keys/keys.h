/* SSH public keys of users: what the API shows of them, and what sshd asks for when somebody signs in. */
#ifndef ROSTER_KEYS_KEYS_H
#define ROSTER_KEYS_KEYS_H

#include "http/router.h"
#include "resource/resource.h"

extern const struct resource ssh_keys;

extern const struct route_table key_routes;

#endif
