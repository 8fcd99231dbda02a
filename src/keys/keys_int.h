/* Between the files of keys/. */
#ifndef ROSTER_KEYS_KEYS_INT_H
#define ROSTER_KEYS_KEYS_INT_H

#include "keys/keys.h"

/* A public key as OpenSSH writes it into a .pub file: "<type> <base64> <comment>". */
struct ssh_key {
	struct text type;
	struct text encoded;
	struct bytes blob; /* encoded, decoded */
};

/*
 * Reads a public key of a type that is taken (public_key.c): the blob (RFC 4253, 5656 and 8709; sk-*: OpenSSH's
 * PROTOCOL.u2f) is of that type and has all its fields and nothing else. false for everything else: options in
 * front, certificates, DSA, RSA below 2048 bits, base64 that is not canonical.
 */
bool ssh_key_parse(struct text line, struct arena *a, struct ssh_key *key) MUST_CHECK;

/* Cuts the next word, up to blanks, off *rest; "" at its end. */
struct text ssh_key_word(struct text *rest);

/* Is there a private key in it, in any of the forms that people have in files? */
bool ssh_key_is_private(struct text t);

/* How ssh-keygen -l prints a key's digests, of MD5 without its name. On the arena. */
struct text ssh_key_md5(struct bytes blob, struct arena *a);
struct text ssh_key_sha256(struct bytes blob, struct arena *a);
struct text ssh_key_sha512(struct bytes blob, struct arena *a);

/* Characters of a key, comment included. */
#define SSH_KEY_LENGTH_MAX 2000

/* Sets the columns that are made of a key. */
void ssh_key_derive(struct request *rq, struct draft *d, const struct ssh_key *key);

handler ssh_key_delete, ssh_keys_authorized;

#endif
