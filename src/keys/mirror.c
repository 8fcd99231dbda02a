/* Keys that an identity provider says a user has. */
#include "base/base.h"

#include <sodium.h>

#include "base/log.h"
#include "keys/keys_int.h"

#define NAME_DIGEST 5 /* bytes */

/* A key of the list. */
struct wanted {
	struct text name, line, fingerprint;
	struct ssh_key key;
	int64_t owner;
	bool is_there;
};

/* Of the list what is to be there, each once. */
struct wants {
	struct wanted *keys;
	size_t n, nbad;
};

/* A key that is to go. */
struct gone {
	int64_t id;
	struct gone *next;
};

struct held {
	int64_t id;
	struct text name, fingerprint_sha256;
};

static const struct db_column held_columns[] = {
	COLUMN(held, id),
	COLUMN(held, name),
	COLUMN(held, fingerprint_sha256),
};

static const struct db_stmt held_by_owner = {
	.name = "keys_held_by_owner",
	.access = DB_LOCK,
	.sql = "SELECT id, name, fingerprint_sha256 FROM ssh_keys WHERE user_id = ? FOR UPDATE",
	.columns = held_columns,
	.ncolumns = countof(held_columns),
};

/* The same for the same key at all times, so that it says in the log and to its owner which one it is. */
static struct text
name_of(struct bytes blob, struct text source, struct arena *a)
{
	uint8_t digest[crypto_hash_sha256_BYTES];
	char digits[2 * NAME_DIGEST + 1];

	crypto_hash_sha256(digest, blob.p, blob.n);
	sodium_bin2hex(digits, sizeof(digits), digest, NAME_DIGEST);
	return arena_printf(a, "%.*s_key_%s", TEXT_ARGS(source), digits);
}

static bool
read_wanted(const struct json *json, struct text source, struct arena *a, struct wanted *w)
{
	*w = (struct wanted){ 0 };
	if (json->type != JSON_TEXT)
		return false;
	w->line = text_trim(json->text);
	if (ssh_key_is_private(w->line) || text_length(w->line) > SSH_KEY_LENGTH_MAX ||
	    !ssh_key_parse(w->line, a, &w->key))
		return false;
	w->fingerprint = ssh_key_sha256(w->key.blob, a);
	w->name = name_of(w->key.blob, source, a);
	return true;
}

static struct wanted *
find(const struct wants *wants, struct text name)
{
	for (size_t i = 0; i < wants->n; i++)
		if (text_eq(wants->keys[i].name, name))
			return &wants->keys[i];
	return NULL;
}

static struct wants
read_list(const struct json *list, struct text source, int64_t owner, struct arena *a)
{
	struct wants wants = { .keys = arena_alloc(a, list->count * sizeof(*wants.keys)) };

	for (const struct json *json = list->first; json != NULL; json = json->next) {
		struct wanted *w = &wants.keys[wants.n];

		if (!read_wanted(json, source, a, w))
			wants.nbad++;
		else if (find(&wants, w->name) == NULL)
			wants.n++;
		w->owner = owner;
	}
	return wants;
}

/* Marks what is there already; does the held key stay? */
static bool
compare(struct wants *wants, const struct held *held, struct text prefix)
{
	bool stays = !text_starts(held->name, prefix);
	struct wanted *same_name = find(wants, held->name);

	for (size_t i = 0; i < wants->n; i++)
		if (text_eq(wants->keys[i].fingerprint, held->fingerprint_sha256))
			stays = wants->keys[i].is_there = true;
	/* Its owner may have given it the name that another key would get. */
	if (stays && same_name != NULL)
		same_name->is_there = true;
	return stays;
}

/* Compares with what the owner has; which of it is to go. */
static struct gone *
compare_all(struct request *rq, struct wants *wants, int64_t owner, struct text prefix)
{
	struct gone *first = NULL, *gone;
	struct held held;

	db_query(rq->db, &held_by_owner, &held, V(owner));
	while (db_next(rq->db)) {
		if (compare(wants, &held, prefix))
			continue;
		gone = arena_alloc(rq->arena, sizeof(*gone));
		*gone = (struct gone){ held.id, first };
		first = gone;
	}
	return first;
}

static void
fill_new(struct request *rq, struct draft *d, const void *ctx)
{
	const struct wanted *w = ctx;

	draft_set(d, "user_id", V(w->owner));
	draft_set(d, "name", V(w->name));
	draft_set(d, "public_key", V(w->line));
	ssh_key_derive(rq, d, &w->key);
}

static void
log_bad(size_t nbad, const struct json *list, struct key_owner owner, struct text source)
{
	char uuid[UUID_SIZE];

	log_warning("%zu of the %zu SSH keys that %.*s has of user %.*s are none that are taken",
	    nbad, list->count, TEXT_ARGS(source),
	    TEXT_ARGS(uuid_print(owner.uuid, UUID_DASHED, uuid)));
}

void
ssh_keys_mirror(
    struct request *rq, struct key_owner owner, struct text source, const struct json *list)
{
	struct wants wants = read_list(list, source, owner.id, rq->arena);
	struct text prefix = arena_printf(rq->arena, "%.*s_", TEXT_ARGS(source));
	struct gone *gone = compare_all(rq, &wants, owner.id, prefix);

	if (wants.nbad > 0)
		log_bad(wants.nbad, list, owner, source);
	/* First, since one of them may have the name of a new one. */
	for (; gone != NULL; gone = gone->next)
		resource_remove(rq, &ssh_keys, gone->id);
	for (size_t i = 0; i < wants.n; i++)
		if (!wants.keys[i].is_there)
			(void)resource_add(rq, &ssh_keys, fill_new, &wants.keys[i]);
}
