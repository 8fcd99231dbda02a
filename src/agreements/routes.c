#include "base/base.h"

#include "agreements/agreements.h"

#define LIST "/api/user-agreements/"
#define ONE "/api/user-agreements/{uuid}/"

/* clang-format off */
static const struct route routes[] = {
	{ .method = METHOD_GET, .pattern = LIST, .who = SIGNED_IN,
	  .guard = resource_staff_writes, .handle = resource_list, .subject = &agreements,
	  .help = "Lists the texts that users agree with." },
	{ .method = METHOD_POST, .pattern = LIST, .who = STAFF,
	  .handle = resource_create, .subject = &agreements,
	  .help = "Adds the text of a type." },
	{ .method = METHOD_GET, .pattern = ONE, .who = SIGNED_IN,
	  .guard = resource_staff_writes, .handle = resource_retrieve, .subject = &agreements,
	  .help = "One text that users agree with." },
	{ .method = METHOD_PUT, .pattern = ONE, .who = STAFF,
	  .handle = resource_update, .subject = &agreements,
	  .help = "Changes a text; fields that are left out keep their value." },
	{ .method = METHOD_PATCH, .pattern = ONE, .who = STAFF,
	  .handle = resource_update, .subject = &agreements,
	  .help = "Changes some fields of a text." },
	{ .method = METHOD_DELETE, .pattern = ONE, .who = STAFF,
	  .handle = resource_delete, .subject = &agreements,
	  .help = "Deletes a text." },
};
/* clang-format on */

static const struct tag tags[] = {
	{ "user-agreements", "Texts that users agree with." },
	{ 0 },
};

const struct route_table agreement_routes = {
	.routes = routes, .n = countof(routes), .tags = tags
};
