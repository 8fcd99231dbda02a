#include "base/base.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/random.h"
#include "crypto/seal.h"

#define KEY_SIZE crypto_kdf_KEYBYTES
#define KEY_DIGITS (2 * KEY_SIZE)
#define FILE_LIMIT 8192

/* A sealed value: key id, nonce, box. */
#define NONCE_AT 1
#define BOX_AT (NONCE_AT + crypto_secretbox_NONCEBYTES)
#define SEALED_MIN (BOX_AT + crypto_secretbox_MACBYTES)

/* What a subkey is for; part of how it is derived. */
enum subkey { SUBKEY_LOOKUP = 1, SUBKEY_SEAL = 2 };

struct key {
	uint8_t id;
	uint8_t bytes[KEY_SIZE];
};

struct keyring {
	size_t n;
	struct key keys[KEYRING_MAX];
};

/* Is the open file fit to hold keys? *problem says why not. */
static bool
check_file(int fd, struct text path, struct arena *a, struct text *problem)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		*problem = arena_printf(a, "%.*s: %s", TEXT_ARGS(path), strerror(errno));
	else if (!S_ISREG(st.st_mode))
		*problem = arena_printf(a, "%.*s: not a regular file", TEXT_ARGS(path));
	else if ((st.st_mode & S_IRWXO) != 0)
		*problem = arena_printf(a,
		    "%.*s: open to other users (mode %04o); close it with \"chmod o= %.*s\"",
		    TEXT_ARGS(path), (unsigned)st.st_mode & 07777, TEXT_ARGS(path));
	else if (st.st_size > FILE_LIMIT)
		*problem = arena_printf(a, "%.*s: larger than %d bytes, so not a key file",
		    TEXT_ARGS(path), FILE_LIMIT);
	else
		return true;
	return false;
}

static void
report_open(struct text path, struct arena *a, struct text *problem)
{
	bool missing = errno == ENOENT;

	*problem = arena_printf(a, "%.*s: %s", TEXT_ARGS(path), strerror(errno));
	if (missing)
		*problem = arena_printf(a,
		    "%.*s; bring it back from a backup, or, if nothing was sealed with it yet, make "
		    "one with \"(umask 027; rosterctl key new > %.*s)\"",
		    TEXT_ARGS(*problem), TEXT_ARGS(path));
}

/* The file as it is, or none and *problem. */
static struct text
read_file(struct text path, struct arena *a, struct text *problem)
{
	/* Not to wait for a writer when the path is a FIFO. */
	int fd = open(arena_text(a, path).s, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct text file = TEXT_NONE;
	char *bytes;
	ssize_t n;

	if (fd < 0) {
		report_open(path, a, problem);
		return TEXT_NONE;
	}
	if (check_file(fd, path, a, problem)) {
		bytes = arena_alloc(a, FILE_LIMIT);
		n = read(fd, bytes, FILE_LIMIT);
		if (n >= 0)
			file = (struct text){ bytes, (size_t)n };
		else
			*problem = arena_printf(a, "%.*s: %s", TEXT_ARGS(path), strerror(errno));
	}
	close(fd);
	return file;
}

/* "id hex" */
static bool
parse_key(struct text line, struct key *out)
{
	struct text id;
	int64_t number;
	size_t n;

	if (!text_split(&line, ' ', &id) || !text_to_int(id, &number) || number < 1 || number > 255)
		return false;
	line = text_trim(line);
	out->id = (uint8_t)number;
	return line.n == KEY_DIGITS &&
	    sodium_hex2bin(out->bytes, KEY_SIZE, line.s, line.n, NULL, &n, NULL) == 0 &&
	    n == KEY_SIZE;
}

static const struct key *
find_key(const struct keyring *k, uint8_t id)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->keys[i].id == id)
			return &k->keys[i];
	return NULL;
}

/* Adds the key of a line. NULL, or what is wrong with it; never the line itself. */
static const char *
add_key(struct keyring *k, struct text line)
{
	struct key *new = &k->keys[k->n];

	if (k->n == KEYRING_MAX)
		return "there are more keys than the 8 that roster takes; remove the oldest";
	if (!text_is_utf8(line) || !parse_key(text_trim(line), new))
		return "not a key; a line is an id from 1 to 255, a blank and 64 hex digits";
	if (find_key(k, new->id) != NULL)
		return "a line above has the same id; each key needs its own";
	k->n++;
	return NULL;
}

static bool
add_keys(
    struct keyring *k, struct text file, struct text path, struct arena *a, struct text *problem)
{
	const char *wrong;
	struct text line;

	for (int number = 1; text_split(&file, '\n', &line); number++) {
		if (line.n == 0 || line.s[0] == '#')
			continue;
		if ((wrong = add_key(k, line)) != NULL) {
			*problem = arena_printf(a, "%.*s:%d: %s", TEXT_ARGS(path), number, wrong);
			return false;
		}
	}
	if (k->n == 0)
		*problem = arena_printf(a,
		    "%.*s: there is no key in it; a line is an id from 1 to 255, a blank and 64 hex "
		    "digits",
		    TEXT_ARGS(path));
	return k->n > 0;
}

struct keyring *
keyring_read(struct text path, struct arena *a, struct text *problem)
{
	struct text file = read_file(path, a, problem);
	struct keyring *k;
	bool good;

	if (text_is_none(file))
		return NULL;
	k = sodium_malloc(sizeof(*k));
	must(k != NULL);
	sodium_memzero(k, sizeof(*k));
	good = add_keys(k, file, path, a, problem);
	secret_wipe((char *)file.s, file.n);
	if (good)
		must(sodium_mprotect_readonly(k) == 0);
	else
		keyring_free(&k);
	return k;
}

void
keyring_free(struct keyring **k)
{
	sodium_free(*k);
	*k = NULL;
}

struct text
keyring_generate(struct arena *a)
{
	uint8_t key[KEY_SIZE];
	char hex[KEY_DIGITS + 1];
	struct text file;

	random_bytes(key, sizeof(key));
	sodium_bin2hex(hex, sizeof(hex), key, sizeof(key));
	file = arena_printf(a,
	    "# Keys of roster: an id and 64 hex digits a line, the newest first. Keep a backup, and\n"
	    "# not beside that of the database.\n"
	    "1 %s\n",
	    hex);
	secret_wipe(key, sizeof(key));
	secret_wipe(hex, sizeof(hex));
	return file;
}

size_t
keyring_count(const struct keyring *k)
{
	return k->n;
}

uint8_t
keyring_newest(const struct keyring *k)
{
	return k->keys[0].id;
}

static void
derive(const struct key *k, enum subkey what, const char *purpose, uint8_t out[static KEY_SIZE])
{
	char context[crypto_kdf_CONTEXTBYTES] = { 0 };

	memcpy(context, purpose, strnlen(purpose, sizeof(context)));
	crypto_kdf_derive_from_key(out, KEY_SIZE, what, context, k->bytes);
}

struct bytes
lookup_hash(
    const struct keyring *k, size_t index, const char *purpose, struct secret s, struct arena *a)
{
	uint8_t subkey[KEY_SIZE];
	uint8_t *hash = arena_alloc(a, LOOKUP_SIZE);

	must(index < k->n);
	derive(&k->keys[index], SUBKEY_LOOKUP, purpose, subkey);
	crypto_generichash(hash, LOOKUP_SIZE, s.bytes, s.n, subkey, sizeof(subkey));
	secret_wipe(subkey, sizeof(subkey));
	return (struct bytes){ hash, LOOKUP_SIZE };
}

/*
 * The key of a box: keyed BLAKE2b of the context, under the subkey for sealing. A context so has a
 * key of its own, and under another context's key Poly1305 refuses the box.
 */
static void
box_key(const struct key *k, struct bytes context, uint8_t out[static crypto_secretbox_KEYBYTES])
{
	uint8_t subkey[KEY_SIZE];

	derive(k, SUBKEY_SEAL, "seal", subkey);
	crypto_generichash(
	    out, crypto_secretbox_KEYBYTES, context.p, context.n, subkey, sizeof(subkey));
	secret_wipe(subkey, sizeof(subkey));
}

struct bytes
seal(const struct keyring *k, struct secret s, struct bytes context, struct arena *a)
{
	uint8_t key[crypto_secretbox_KEYBYTES];
	uint8_t *out = arena_alloc(a, SEALED_MIN + s.n);

	out[0] = k->keys[0].id;
	random_bytes(out + NONCE_AT, crypto_secretbox_NONCEBYTES);
	box_key(&k->keys[0], context, key);
	crypto_secretbox_easy(out + BOX_AT, s.bytes, s.n, out + NONCE_AT, key);
	secret_wipe(key, sizeof(key));
	return (struct bytes){ out, SEALED_MIN + s.n };
}

bool
seal_open(const struct keyring *k, struct bytes sealed, struct bytes context, struct arena *a,
    struct secret *out)
{
	uint8_t key[crypto_secretbox_KEYBYTES];
	const struct key *with;
	uint8_t *opened;
	bool good;

	if (sealed.n < SEALED_MIN || (with = find_key(k, sealed.p[0])) == NULL)
		return false;
	opened = arena_alloc(a, sealed.n - SEALED_MIN);
	box_key(with, context, key);
	good = crypto_secretbox_open_easy(
		   opened, sealed.p + BOX_AT, sealed.n - BOX_AT, sealed.p + NONCE_AT, key) == 0;
	secret_wipe(key, sizeof(key));
	if (good)
		*out = (struct secret){ opened, sealed.n - SEALED_MIN };
	return good;
}
