#include "base/base.h"

#include "access/access_int.h"
#include "json/reader.h"

static const char *const permissions[] = {
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
};

bool
permission_exists(struct text name)
{
	for (size_t i = 0; i < countof(permissions); i++)
		if (text_eq(name, text_from(permissions[i])))
			return true;
	return false;
}

enum form {
	FORM_TEXT,
	FORM_UUID,
	FORM_STAMP,
};

/* The keys of an element of permissions[], in the order of the values in ACCESS_PERMISSIONS. */
static const struct {
	const char *key;
	enum form form;
	bool omit_null;
} elements[] = {
	{ "user_uuid", FORM_UUID, false },
	{ "user_name", FORM_TEXT, false },
	{ "user_slug", FORM_TEXT, false },
	{ "created", FORM_STAMP, false },
	{ "expiration_time", FORM_STAMP, false },
	{ "created_by_full_name", FORM_TEXT, true },
	{ "created_by_username", FORM_TEXT, true },
	{ "role_name", FORM_TEXT, false },
	{ "role_description", FORM_TEXT, false },
	{ "role_uuid", FORM_UUID, false },
	{ "scope_type", FORM_TEXT, false },
	{ "scope_uuid", FORM_UUID, false },
	{ "scope_name", FORM_TEXT, false },
	{ "customer_uuid", FORM_UUID, true },
	{ "customer_name", FORM_TEXT, true },
};

static void
write_element(struct json_writer *w, enum form form, const struct json *json)
{
	struct uuid uuid;

	if (json->type == JSON_NULL)
		json_null(w);
	else if (form == FORM_STAMP)
		json_value(w, V(((struct stamp){ json->integer })));
	else if (form == FORM_UUID && uuid_parse(json->text, &uuid))
		json_value(w, V(uuid));
	else
		json_text(w, json->text);
}

static void
write_grant(struct json_writer *w, const struct json *grant)
{
	const struct json *json = grant->first;

	json_object(w);
	for (size_t i = 0; i < countof(elements) && json != NULL; i++, json = json->next) {
		if (elements[i].omit_null && json->type == JSON_NULL)
			continue;
		json_key(w, text_from(elements[i].key));
		write_element(w, elements[i].form, json);
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

	for (size_t i = 0; strcmp(elements[i].key, "created") != 0; i++)
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
