#include "base/base.h"

#include "audit/audit.h"
#include "keys/keys_int.h"

#define ALL SIGNED_IN

#define PRIVATE                                                                                 \
	"This is a private key, which nobody but you should ever see. It was not stored. Send " \
	"the public key, from the file that ends in .pub, and make a new pair."

enum { JOIN_OWNER = 1u << 0 };

static const char *const joins[] = { "JOIN users o ON o.id = k.user_id" };

/* A name is shown and logged. */
static const char *
check_name(struct text t)
{
	return ssh_key_is_private(t) ? PRIVATE : NULL;
}

/* clang-format off */
static const struct field fields[] = {
	{ .name = "url", .kind = KIND_UUID, .expression = "k.uuid", .url = "/api/keys/",
	  .read = ALL, .help = "Where this key is found." },
	{ .name = "uuid", .kind = KIND_UUID, .column = "uuid", .read = ALL,
	  .help = "Identifies the key." },
	{ .name = "name", .kind = KIND_TEXT, .column = "name", .read = ALL, .create = ALL,
	  .input = { .max = 150, .required = true, .filled = true, .check = check_name },
	  .unique = "This field must be unique.", .unique_in_part = true,
	  .filter = FILTER_CONTAINS, .order = { "k.name" },
	  .example = "laptop",
	  .help = "What its owner calls it; no two of his keys have the same name." },
	{ .name = "public_key", .kind = KIND_TEXT, .column = "public_key", .read = ALL, .create = ALL,
	  .input = { .required = true, .filled = true },
	  .example = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKeZteWuJhGCoOgW1roXE450dUboj1luAVCIFnsazeyS"
		     " alice@example",
	  .help = "The key as it stands in a .pub file: one line with type, base64 and a comment, at most 2000"
		  " characters." },
	{ .name = "fingerprint_md5", .kind = KIND_TEXT, .column = "fingerprint_md5", .read = ALL,
	  .filter = FILTER_EXACT,
	  .example = "99:f1:c6:e2:7c:bc:6e:a5:0f:61:41:5f:cd:41:ab:c9",
	  .help = "MD5 of the key: 16 bytes in hex with colons between them." },
	{ .name = "fingerprint_sha256", .kind = KIND_TEXT, .column = "fingerprint_sha256", .read = ALL,
	  .filter = FILTER_EXACT,
	  .example = "SHA256:YsPHI+3pnc88HoXLa5EoxLtId0DhmUPtp5hrGfClFvs",
	  .help = "SHA-256 of the key as OpenSSH prints it." },
	{ .name = "fingerprint_sha512", .kind = KIND_TEXT, .column = "fingerprint_sha512", .read = ALL,
	  .filter = FILTER_EXACT,
	  .example = "SHA512:NRQVPjzs7UVVROO8sg1w7Lnhf91+UJ2BOIurfmxxe0jI8Q685AIV9T8YFVg/Wrmhep3BQIes+xG1fEklOQW+kw",
	  .help = "SHA-512 of the key as OpenSSH prints it." },
	{ .name = "user_uuid", .kind = KIND_UUID, .expression = "o.uuid", .joins = JOIN_OWNER,
	  .read = ALL, .help = "Whose key it is." },
	{ .name = "is_shared", .kind = KIND_BOOL, .column = "is_shared", .read = ALL,
	  .filter = FILTER_BOOL,
	  .help = "Whether everybody may see and use it." },
	{ .name = "type", .kind = KIND_TEXT, .column = "type", .read = ALL,
	  .example = "ssh-ed25519",
	  .help = "The key's first word: ssh-ed25519, ssh-rsa, ..." },

	{ .name = "user_id", .kind = KIND_INT, .column = "user_id", .help = "Whose key it is." },
	{ .name = "created", .kind = KIND_STAMP, .column = "created", .filter = FILTER_SINCE,
	  .help = "When it was added." },
	{ .name = "modified", .kind = KIND_STAMP, .column = "modified", .filter = FILTER_SINCE,
	  .help = "When it was changed." },
};
/* clang-format on */

static void
filter_name_exact(struct request *rq UNUSED, struct sql *where, struct text value)
{
	sql_add(where, " AND k.name_exact = ");
	sql_value(where, V(value));
}

/* " AND <column>?", with the parameter's uuid; one that is none is a problem. */
static void
by_uuid(
    struct request *rq, struct sql *where, const char *name, const char *column, struct text value)
{
	struct uuid uuid;

	if (!filter_read_uuid(rq, name, value, &uuid))
		return;
	sql_add(where, column);
	sql_value(where, V(uuid));
	sql_add(where, ")");
}

static void
filter_uuid(struct request *rq, struct sql *where, struct text value)
{
	by_uuid(rq, where, "uuid", " AND (k.uuid = ", value);
}

static void
filter_user_uuid(struct request *rq, struct sql *where, struct text value)
{
	by_uuid(
	    rq, where, "user_uuid", " AND k.user_id = (SELECT id FROM users WHERE uuid = ", value);
}

/* clang-format off */
static const struct filter filters[] = {
	{ .name = "name_exact", .apply = filter_name_exact, .help = "The whole name." },
	{ .name = "uuid", .apply = filter_uuid, .kind = KIND_UUID, .help = "The key." },
	{ .name = "user_uuid", .apply = filter_user_uuid, .kind = KIND_UUID, .help = "Keys of this user." },
	{ 0 },
};
/* clang-format on */

/* One's own and those that are shared. */
static void
visible(struct request *rq, struct sql *where)
{
	if ((rq->caller.who & (STAFF | SUPPORT)) != 0)
		return;
	sql_add(where, " AND (k.is_shared = TRUE OR k.user_id = ");
	sql_value(where, V(rq->caller.id));
	sql_add(where, ")");
}

static bool
is_break(char c)
{
	return c == '\n' || c == '\r';
}

/* The text up to its first line break; all of it when there is none. */
static struct text
first_line(struct text t)
{
	size_t n = 0;

	while (n < t.n && !is_break(t.s[n]))
		n++;
	return (struct text){ t.s, n };
}

/* The text without its line breaks. */
static struct text
in_one_line(struct text t, struct arena *a)
{
	struct buf out;

	buf_init(&out, a);
	for (size_t i = 0; i < t.n; i++)
		if (!is_break(t.s[i]))
			buf_add_char(&out, t.s[i]);
	return buf_text(&out);
}

/*
 * Says what is wrong with a key, in the API's order: only the first of it. Several keys, or one that a terminal
 * has wrapped, are real keys.
 */
static void
check_key(struct request *rq, struct text t, struct ssh_key *key)
{
	struct text name = T("public_key"), line = first_line(t);
	size_t length = text_length(t);

	if (ssh_key_is_private(t))
		problem_add(rq, name, T(PRIVATE));
	else if (!ssh_key_parse(line, rq->arena, key) &&
	    !ssh_key_parse(in_one_line(t, rq->arena), rq->arena, key))
		problem_add(rq, name, T("Invalid SSH public key."));
	else if (length > SSH_KEY_LENGTH_MAX)
		problem_printf(rq, name,
		    "Ensure this value has at most %d characters (it has %zu).", SSH_KEY_LENGTH_MAX,
		    length);
	else if (line.n < t.n)
		problem_add(rq, name, T("Key is not valid: it should be single line."));
}

void
ssh_key_derive(struct request *rq, struct draft *d, const struct ssh_key *key)
{
	draft_set(d, "type", V(key->type));
	draft_set(d, "fingerprint_md5", V(ssh_key_md5(key->blob, rq->arena)));
	draft_set(d, "fingerprint_sha256", V(ssh_key_sha256(key->blob, rq->arena)));
	draft_set(d, "fingerprint_sha512", V(ssh_key_sha512(key->blob, rq->arena)));
}

static void
check(struct request *rq, struct draft *d)
{
	struct value public_key = draft_value(d, "public_key");
	struct ssh_key key;

	if (public_key.null)
		return;
	check_key(rq, public_key.t, &key);
	if (problems_found(rq))
		return;
	ssh_key_derive(rq, d, &key);
}

static void
before_create(struct request *rq, struct draft *d)
{
	if (!draft_changes(d, "user_id"))
		draft_set(d, "user_id", V(rq->caller.id));
}

struct owner {
	struct uuid uuid;
	struct text username;
};

static const struct db_column owner_columns[] = { COLUMN(owner, uuid), COLUMN(owner, username) };

static const struct db_stmt owner_by_id = {
	.name = "key_owner_by_id",
	.sql = "SELECT uuid, username FROM users WHERE id = ?",
	.columns = owner_columns,
	.ncolumns = countof(owner_columns),
};

static struct text
describe(struct request *rq, const struct draft *d, struct text username)
{
	static const char *const shown[] = { "name", "type", "fingerprint_sha256" };
	struct json_writer w;
	struct buf out;

	buf_init(&out, rq->arena);
	json_writer_init(&w, rq->arena, json_sink_buf, &out, rq->config->uuid_format);
	json_object(&w);
	json_member_value(&w, "ssh_key_uuid", V(d->uuid));
	json_member_text(&w, "username", username);
	for (size_t i = 0; i < countof(shown); i++)
		json_member_value(&w, shown[i], draft_value(d, shown[i]));
	json_object_end(&w);
	must(!json_failed(&w));
	return buf_text(&out);
}

/* An event about the key's owner, who so finds it among those about himself. */
static void
log_event(struct request *rq, const struct draft *d, enum event event)
{
	struct owner owner;

	if (db_row(rq->db, &owner_by_id, &owner, draft_value(d, "user_id")))
		audit(rq, event, (struct subject){ "user", owner.uuid },
		    describe(rq, d, owner.username));
}

static void
after_create(struct request *rq, struct draft *d)
{
	log_event(rq, d, EVENT_SSH_KEY_CREATED);
}

static void
before_delete(struct request *rq, struct draft *d)
{
	log_event(rq, d, EVENT_SSH_KEY_DELETED);
}

const struct resource ssh_keys = {
	.name = "ssh key",
	.model = "SshPublicKey",
	.path = "/api/keys/",
	.table = "ssh_keys",
	.alias = "k",
	.owner = "k.user_id",
	.fields = fields,
	.nfields = countof(fields),
	.joins = joins,
	.njoins = countof(joins),
	.filters = filters,
	.order = "name",
	.visible = visible,
	.check = check,
	.before_create = before_create,
	.after_create = after_create,
	.before_delete = before_delete,
};
