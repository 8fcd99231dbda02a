#include "base/base.h"

#include <argon2.h>
#include <sodium.h>
#include <sys/mman.h>

#include "base/count.h"
#include "base/log.h"
#include "base/stamp.h"
#include "crypto/foreign.h"
#include "crypto/password.h"
#include "crypto/random.h"

/* What is written, and what is read: hashes that were made elsewhere have other sizes. */
#define SALT_SIZE 16
#define SALT_MIN 8
#define SALT_MAX 64
#define TAG_SIZE 32
#define TAG_MIN 16
#define TAG_MAX 64

#define BASE64 sodium_base64_VARIANT_ORIGINAL_NO_PADDING

/* A hash in PHC form, taken apart. */
struct phc {
	argon2_type type;
	uint32_t version;
	struct password_cost cost;
	uint8_t salt[SALT_MAX], tag[TAG_MAX];
	size_t salt_n, tag_n;
};

/* One a process: libargon2 passes no argument of ours to its callbacks. */
static struct hashing {
	struct password_cost cost;
	uint8_t *memory;
	size_t size;
} hashing;

/* Zeroed memory that no core dump shows; NULL when there is none. */
static uint8_t *
map_memory(size_t n)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, flags, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	(void)madvise(p, n, MADV_DONTDUMP);
	return p;
}

static int
take_memory(uint8_t **memory, size_t n)
{
	*memory = n <= hashing.size ? hashing.memory : map_memory(n);
	return *memory != NULL ? ARGON2_OK : ARGON2_MEMORY_ALLOCATION_ERROR;
}

/* libargon2 has wiped it (FLAG_clear_internal_memory is set from the start). */
static void
give_memory_back(uint8_t *memory, size_t n)
{
	if (memory != hashing.memory)
		munmap(memory, n);
}

static bool
cost_within(struct password_cost c, struct password_cost min, struct password_cost max)
{
	return c.memory >= min.memory && c.memory <= max.memory && c.passes >= min.passes &&
	    c.passes <= max.passes && c.lanes >= min.lanes && c.lanes <= max.lanes;
}

static bool
cost_eq(struct password_cost a, struct password_cost b)
{
	return cost_within(a, b, b);
}

void
password_set_cost(struct password_cost cost)
{
	must(cost_within(cost, PASSWORD_COST_MIN, PASSWORD_COST_MAX));
	if (hashing.memory != NULL)
		munmap(hashing.memory, hashing.size);
	hashing = (struct hashing){ .cost = cost };
}

void
password_init(struct password_cost cost)
{
	password_set_cost(cost);
	hashing.size = (size_t)cost.memory * 1024;
	hashing.memory = map_memory(hashing.size);
	must(hashing.memory != NULL);
}

static bool
take(struct text *t, struct text expected)
{
	if (!text_starts(*t, expected))
		return false;
	*t = text_slice(*t, expected.n, t->n);
	return true;
}

/* A number as argon2's own encoder writes it: digits without a leading zero. */
static bool
take_number(struct text *t, uint32_t *out)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < t->n && i < 10 && t->s[i] >= '0' && t->s[i] <= '9'; i++)
		n = n * 10 + (uint64_t)(t->s[i] - '0');
	if (i == 0 || t->s[0] == '0' || n > UINT32_MAX)
		return false;
	*out = (uint32_t)n;
	*t = text_slice(*t, i, t->n);
	return true;
}

/* Base64 without padding up to the next $ or the end. */
static bool
take_bytes(struct text *t, uint8_t *out, size_t room, size_t *n)
{
	size_t end = text_find(*t, '$', 0);

	if (sodium_base642bin(out, room, t->s, end, NULL, n, NULL, BASE64) != 0)
		return false;
	*t = text_slice(*t, end, t->n);
	return true;
}

/* "argon2id$v=19$", perhaps after a "$", or after the "argon2$" that Django begins with. */
static bool
take_type(struct text *t, struct phc *h)
{
	static const struct {
		struct text name;
		argon2_type type;
	} types[] = {
		{ TEXT_INIT("argon2id$"), Argon2_id },
		{ TEXT_INIT("argon2i$"), Argon2_i },
		{ TEXT_INIT("argon2d$"), Argon2_d },
	};

	if (!take(t, T("$")) && !take(t, T("argon2$")))
		return false;
	for (size_t i = 0; i < countof(types); i++) {
		if (take(t, types[i].name)) {
			h->type = types[i].type;
			h->version = take(t, T("v=19$")) ? ARGON2_VERSION_13 : ARGON2_VERSION_10;
			return h->version == ARGON2_VERSION_13 || take(t, T("v=16$")) ||
			    text_starts(*t, T("m="));
		}
	}
	return false;
}

/* Parses only what may be computed: a cost up to PASSWORD_COST_MAX. */
static bool
phc_parse(struct text t, struct phc *h)
{
	struct password_cost min = { 8, 1, 1 };

	if (!take_type(&t, h) || !take(&t, T("m=")) || !take_number(&t, &h->cost.memory) ||
	    !take(&t, T(",t=")) || !take_number(&t, &h->cost.passes) || !take(&t, T(",p=")) ||
	    !take_number(&t, &h->cost.lanes) || !take(&t, T("$")) ||
	    !take_bytes(&t, h->salt, sizeof(h->salt), &h->salt_n) || !take(&t, T("$")) ||
	    !take_bytes(&t, h->tag, sizeof(h->tag), &h->tag_n))
		return false;
	return t.n == 0 && h->salt_n >= SALT_MIN && h->tag_n >= TAG_MIN &&
	    cost_within(h->cost, min, PASSWORD_COST_MAX) && h->cost.memory >= 8 * h->cost.lanes;
}

static struct text
phc_print(const struct phc *h, struct arena *a)
{
	char salt[sodium_base64_ENCODED_LEN(SALT_SIZE, BASE64)];
	char tag[sodium_base64_ENCODED_LEN(TAG_SIZE, BASE64)];

	sodium_bin2base64(salt, sizeof(salt), h->salt, SALT_SIZE, BASE64);
	sodium_bin2base64(tag, sizeof(tag), h->tag, TAG_SIZE, BASE64);
	return arena_printf(a, "$argon2id$v=19$m=%u,t=%u,p=%u$%s$%s", h->cost.memory,
	    h->cost.passes, h->cost.lanes, salt, tag);
}

struct text
password_normal(struct secret password, struct arena *a)
{
	struct text t = { (const char *)password.bytes, password.n };

	return text_is_utf8(t) ? text_nfkc(a, t) : t;
}

/* The tag that these characters have with h's kind, cost, salt and sizes; false when there is no memory. */
static bool
compute(struct text password, const struct phc *h, uint8_t tag[static TAG_MAX])
{
	argon2_context context = {
		.out = tag,
		.outlen = (uint32_t)h->tag_n,
		.pwd = (uint8_t *)password.s,
		.pwdlen = (uint32_t)password.n,
		.salt = (uint8_t *)h->salt,
		.saltlen = (uint32_t)h->salt_n,
		.t_cost = h->cost.passes,
		.m_cost = h->cost.memory,
		.lanes = h->cost.lanes,
		.threads =
		    1, /* what runs side by side is the slow workers; a thread can fail to start */
		.version = h->version,
		.allocate_cbk = take_memory,
		.free_cbk = give_memory_back,
	};
	int64_t began;
	int result;

	must(hashing.cost.memory > 0);
	began = stamp_monotonic();
	result = argon2_ctx(&context, h->type);
	count_time(TIMING_HASH, stamp_monotonic() - began);
	if (result != ARGON2_OK)
		log_error("hashing a password: %s", argon2_error_message(result));
	return result == ARGON2_OK;
}

/* What is made here. */
static struct phc
phc_new(void)
{
	return (struct phc){
		.type = Argon2_id,
		.version = ARGON2_VERSION_13,
		.cost = hashing.cost,
		.salt_n = SALT_SIZE,
		.tag_n = TAG_SIZE,
	};
}

struct text
password_hash(struct secret password, struct arena *a)
{
	struct arena_mark mark = arena_mark(a);
	struct phc h = phc_new();

	random_bytes(h.salt, SALT_SIZE);
	must(compute(password_normal(password, a), &h, h.tag));
	arena_rewind(a, mark); /* wipes the normal form */
	return phc_print(&h, a);
}

/* Was the hash made of these characters? h is NULL when it is no argon2. */
static bool
form_matches(struct text password, const struct phc *h, struct text hash, struct arena *a)
{
	uint8_t tag[TAG_MAX];
	bool same;

	if (h == NULL)
		return foreign_matches(password, hash, a);
	same = compute(password, h, tag) &&
	    secret_eq((struct secret){ tag, h->tag_n }, (struct secret){ h->tag, h->tag_n });
	secret_wipe(tag, sizeof(tag));
	return same;
}

/* Looks at both forms of a password: ours, and as it was typed, which is what other systems have hashed. */
static bool
matches(struct secret password, const struct phc *h, struct text hash, struct arena *a)
{
	struct arena_mark mark = arena_mark(a);
	struct text typed = { (const char *)password.bytes, password.n };
	struct text normal = password_normal(password, a);
	bool same = form_matches(normal, h, hash, a);

	if (!same && !text_eq(normal, typed))
		same = form_matches(typed, h, hash, a);
	arena_rewind(a, mark);
	return same;
}

bool
password_verify(struct secret password, struct text hash, struct arena *a)
{
	struct phc h;

	if (phc_parse(hash, &h))
		return matches(password, &h, hash, a);
	if (foreign_is_known(hash))
		return matches(password, NULL, hash, a);
	password_verify_dummy(password, a);
	return false;
}

void
password_verify_dummy(struct secret password, struct arena *a)
{
	struct phc h = phc_new();

	(void)matches(password, &h, TEXT_NONE, a);
}

bool
password_is_known(struct text hash)
{
	struct phc h;

	return phc_parse(hash, &h) || foreign_is_known(hash);
}

bool
password_needs_rehash(struct text hash)
{
	struct phc h;

	return !text_starts(hash, T("$argon2id$v=19$")) || !phc_parse(hash, &h) ||
	    !cost_eq(h.cost, hashing.cost) || h.salt_n != SALT_SIZE || h.tag_n != TAG_SIZE;
}

int64_t
password_time(struct password_cost cost)
{
	const struct hashing kept = hashing;
	int64_t began, ended;
	struct phc h;

	hashing.size = (size_t)cost.memory * 1024;
	hashing.cost = cost;
	hashing.memory = map_memory(hashing.size);
	if (hashing.memory == NULL) {
		hashing = kept;
		return 0;
	}
	h = phc_new();
	began = stamp_monotonic();
	must(compute(T("correct horse battery staple"), &h, h.tag));
	ended = stamp_monotonic();
	munmap(hashing.memory, hashing.size);
	hashing = kept;
	return ended - began;
}
