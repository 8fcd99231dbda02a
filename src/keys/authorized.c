#include "base/base.h"

#include "keys/keys_int.h"

struct authorized {
	struct uuid uuid;
	struct text public_key;
};

static const struct db_column authorized_columns[] = {
	COLUMN(authorized, uuid),
	COLUMN(authorized, public_key),
};

static const struct db_stmt authorized_by_username = {
	.name = "keys_authorized",
	.sql = "SELECT k.uuid, k.public_key FROM users u JOIN ssh_keys k ON k.user_id = u.id"
	       " WHERE u.username = ? AND u.is_active ORDER BY k.id",
	.columns = authorized_columns,
	.ncolumns = countof(authorized_columns),
};

/* Type and base64; for a comment the key's uuid, since what its owner wrote is no business of sshd's. */
static void
write_line(struct request *rq, struct authorized *key)
{
	struct text rest = key->public_key, type = ssh_key_word(&rest),
		    encoded = ssh_key_word(&rest), uuid;
	char digits[UUID_SIZE];

	uuid = uuid_print(key->uuid, rq->config->uuid_format, digits);
	reply_sink(rq, type.s, type.n);
	reply_sink(rq, " ", 1);
	reply_sink(rq, encoded.s, encoded.n);
	reply_sink(rq, " ", 1);
	reply_sink(rq, uuid.s, uuid.n);
	reply_sink(rq, "\n", 1);
}

static bool
may_ask(const struct request *rq)
{
	return (rq->caller.who & (STAFF | SUPPORT)) != 0 ||
	    config_list_has(rq->config->authorized_keys_readers, rq->caller.username);
}

/*
 * Who has no keys, is deactivated or unknown is answered with none: whatever is not 200 so tells the
 * host that something does not work.
 */
int
ssh_keys_authorized(struct request *rq)
{
	struct authorized key;

	if (!may_ask(rq))
		return reply_forbidden(rq);
	reply_text(rq, 200);
	db_query(rq->db, &authorized_by_username, &key, V(rq->args[0]));
	while (db_next(rq->db))
		write_line(rq, &key);
	return rq->reply.status;
}
