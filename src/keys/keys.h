/* SSH public keys of users: what the API shows of them, and what sshd asks for when somebody signs in. */
#ifndef ROSTER_KEYS_KEYS_H
#define ROSTER_KEYS_KEYS_H

#include "http/router.h"
#include "json/reader.h"
#include "resource/resource.h"

extern const struct resource ssh_keys;

extern const struct route_table key_routes;

struct key_owner {
	int64_t id;
	struct uuid uuid;
};

/*
 * Makes the owner's keys whose name begins with "<source>_" those of the list, an array, in the request's
 * transaction: what is new there is added as "<source>_key_<10 hex digits of the key's digest>", what is
 * missing there is deleted, each with the event of a key that its owner adds or deletes. Keys with other names
 * stay, and what is among them is not added again. What is no key, or none that is taken, is left out, with a
 * warning in the log. The owner's row is to be locked before.
 */
void ssh_keys_mirror(
    struct request *rq, struct key_owner owner, struct text source, const struct json *list);

#endif
