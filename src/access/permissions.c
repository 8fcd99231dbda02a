#include "base/base.h"

#include "access/access_int.h"
#include "json/reader.h"

const char *const permission_names[] = {
	"CUSTOMER.UPDATE",
	"CUSTOMER.LIST_USERS",
	"CUSTOMER.CREATE_PERMISSION",
	"CUSTOMER.UPDATE_PERMISSION",
	"CUSTOMER.DELETE_PERMISSION",
	"PROJECT.CREATE",
	"PROJECT.UPDATE",
	"PROJECT.DELETE",
	"PROJECT.LIST_USERS",
	"PROJECT.CREATE_PERMISSION",
	"PROJECT.UPDATE_PERMISSION",
	"PROJECT.DELETE_PERMISSION",
	NULL,
};

/* The keys of an element of permissions[], in the order of the values in ACCESS_PERMISSIONS. */
/* clang-format off */
static const struct shape elements[] = {
	{ .name = "user_uuid", .kind = KIND_UUID, .help = "The user." },
	{ .name = "user_name", .kind = KIND_TEXT, .example = "Alice Example",
	  .help = "The user's full name." },
	{ .name = "user_slug", .kind = KIND_TEXT, .example = "alice", .help = "The user's slug." },
	{ .name = "created", .kind = KIND_STAMP, .help = "When it was granted." },
	{ .name = "expiration_time", .kind = KIND_STAMP, .null = true,
	  .help = "When it ends; null: never." },
	{ .name = "created_by_full_name", .kind = KIND_TEXT, .optional = true,
	  .example = "Sam Staff", .help = "Who granted it." },
	{ .name = "created_by_username", .kind = KIND_TEXT, .optional = true,
	  .example = "sam", .help = "Who granted it." },
	{ .name = "role_name", .kind = KIND_TEXT, .example = "PROJECT.ADMIN",
	  .help = "Name of the role." },
	{ .name = "role_description", .kind = KIND_TEXT, .example = "Project administrator",
	  .help = "Description of the role." },
	{ .name = "role_uuid", .kind = KIND_UUID, .help = "The role." },
	{ .name = "scope_type", .kind = KIND_TEXT, .choices = scope_type_names, .example = "project",
	  .help = "What it is granted in." },
	{ .name = "scope_uuid", .kind = KIND_UUID, .help = "The customer or project." },
	{ .name = "scope_name", .kind = KIND_TEXT, .example = "Climate", .help = "Its name." },
	{ .name = "customer_uuid", .kind = KIND_UUID, .optional = true,
	  .help = "Of a project: its customer." },
	{ .name = "customer_name", .kind = KIND_TEXT, .optional = true,
	  .example = "Example University", .help = "Of a project: its customer's name." },
	{ 0 },
};
/* clang-format on */

const struct shape access_permissions_shape = {
	.kind = KIND_JSON,
	.list = true,
	.members = elements,
};

static void
write_element(struct json_writer *w, enum kind kind, const struct json *json)
{
	struct uuid uuid;

	if (json->type == JSON_NULL)
		json_null(w);
	else if (kind == KIND_STAMP)
		json_value(w, V(((struct stamp){ json->integer })));
	else if (kind == KIND_UUID && uuid_parse(json->text, &uuid))
		json_value(w, V(uuid));
	else
		json_text(w, json->text);
}

static void
write_grant(struct json_writer *w, const struct json *grant)
{
	const struct json *json = grant->first;

	json_object(w);
	for (size_t i = 0; elements[i].name != NULL && json != NULL; i++, json = json->next) {
		if (elements[i].optional && json->type == JSON_NULL)
			continue;
		json_key(w, text_from(elements[i].name));
		write_element(w, elements[i].kind, json);
	}
	json_object_end(w);
}

/* A grant and what it is ordered by. */
struct held {
	int64_t created, id;
	const struct json *grant;
};

static struct held
read_held(const struct json *grant)
{
	struct held h = { .grant = grant };
	const struct json *json = grant->first;

	for (size_t i = 0; strcmp(elements[i].name, "created") != 0; i++)
		json = json->next;
	h.created = json->integer;
	must(text_to_int(grant->key, &h.id));
	return h;
}

static int
compare_held(const void *a, const void *b)
{
	const struct held *x = a, *y = b;

	if (x->created != y->created)
		return x->created < y->created ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

/* Oldest first. */
static void
write_grants(struct json_writer *w, const struct json *grants, struct arena *a)
{
	struct held *held = arena_alloc(a, grants->count * sizeof(*held));
	size_t n = 0;

	for (const struct json *g = grants->first; g != NULL; g = g->next)
		held[n++] = read_held(g);
	qsort(held, n, sizeof(*held), compare_held);
	for (size_t i = 0; i < n; i++)
		write_grant(w, held[i].grant);
}

void
access_write_permissions(struct request *rq, struct json_writer *w, const struct value *v)
{
	static const struct json_limits limits = { .depth = 2, .values = SIZE_MAX };
	struct text problem;
	const struct json *grants = v->null ? NULL : json_read(v->t, &limits, rq->arena, &problem);

	json_array(w);
	if (grants != NULL)
		write_grants(w, grants, rq->arena);
	json_array_end(w);
}
