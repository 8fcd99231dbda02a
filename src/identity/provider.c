#include "base/base.h"

#include "base/log.h"
#include "identity/identity_int.h"

/* Seconds that a claim lasts beyond what the service may take. */
#define CLAIM_EXTRA 5
/* Tries to keep a token that was replaced: the service does not take the old one any more. */
#define KEEP_TRIES 3

static const struct db_column provider_columns[] = {
	COLUMN(provider, id),
	COLUMN(provider, version),
	COLUMN(provider, uuid),
	COLUMN(provider, name),
	COLUMN(provider, token_url),
	COLUMN(provider, userinfo_url),
	COLUMN(provider, client_id),
	COLUMN(provider, ca_file),
	COLUMN(provider, client_secret),
	COLUMN(provider, refresh_token),
	COLUMN(provider, access_token),
	COLUMN(provider, access_token_expires),
	COLUMN(provider, connect_timeout),
	COLUMN(provider, timeout),
	COLUMN(provider, is_active),
	COLUMN(provider, allow_internal),
	COLUMN(provider, reactivate),
	COLUMN(provider, sync_interval),
	COLUMN(provider, sync_in_flight),
	COLUMN(provider, sync_rate),
	COLUMN(provider, sync_failures),
};

static const struct db_stmt provider_by_name = {
	.name = "provider_by_name",
	.sql = "SELECT id, version, uuid, name, token_url, userinfo_url, client_id, ca_file,"
	       "  client_secret, refresh_token, access_token, access_token_expires,"
	       "  connect_timeout, timeout, is_active, allow_internal, reactivate,"
	       "  sync_interval, sync_in_flight, sync_rate, sync_failures"
	       " FROM identity_providers WHERE name = ?",
	.columns = provider_columns,
	.ncolumns = countof(provider_columns),
};

bool
provider_load(struct db *db, struct text name, struct provider *p)
{
	return db_row(db, &provider_by_name, p, V(name)) && p->is_active && p->token_url.n > 0 &&
	    p->userinfo_url.n > 0 && p->refresh_token.p != NULL;
}

struct staying {
	int64_t id;
};

static const struct db_column staying_columns[] = { COLUMN(staying, id) };

static const struct db_stmt provider_by_version = {
	.name = "provider_by_version",
	.sql = "SELECT id FROM identity_providers WHERE id = ? AND version = ?",
	.columns = staying_columns,
	.ncolumns = countof(staying_columns),
};

bool
provider_stays(struct db *db, const struct provider *p)
{
	struct staying s;

	return db_row(db, &provider_by_version, &s, V(p->id), V(p->version));
}

static const struct db_stmt token_claim = {
	.name = "token_claim",
	.access = DB_WRITE,
	.sql = "UPDATE identity_providers SET fetcher = ?, fetch_until = ?"
	       " WHERE id = ? AND version = ? AND access_token <=> ? AND refresh_token = ?"
	       "  AND (fetch_until IS NULL OR fetch_until < ?)",
};

/* What it was made with may have been changed, and it would go where it does not belong. */
static const struct db_stmt token_keep = {
	.name = "token_keep",
	.access = DB_WRITE,
	.sql = "UPDATE identity_providers SET access_token = ?, access_token_expires = ?"
	       " WHERE id = ? AND version = ?",
};

/* The version need not be that of p: only who has changed the refresh token knows better than we do. */
static const struct db_stmt refresh_token_keep = {
	.name = "refresh_token_keep",
	.access = DB_WRITE,
	.sql = "UPDATE identity_providers SET refresh_token = ? WHERE id = ? AND refresh_token = ?",
};

static const struct db_stmt token_release = {
	.name = "token_release",
	.access = DB_WRITE,
	.sql = "UPDATE identity_providers SET fetcher = NULL, fetch_until = NULL"
	       " WHERE id = ? AND fetcher = ?",
};

bool
provider_claim(struct db *db, struct arena *a, const struct provider *p, struct uuid fetcher)
{
	struct stamp now = stamp_now(), until = { now.us + (p->timeout + CLAIM_EXTRA) * SECONDS };
	int64_t rows;

	return db_exec_commit(db, a, &rows, &token_claim, V(fetcher), V(until), V(p->id),
		   V(p->version), V(p->access_token), V(p->refresh_token), V(now)) == DB_NONE &&
	    rows == 1;
}

struct release {
	const struct provider *p;
	struct uuid fetcher;
	const struct fetched *fetched;
};

static bool
release(struct db *db, void *ctx)
{
	const struct release *r = ctx;
	const struct fetched *f = r->fetched;
	const struct provider *p = r->p;

	if (f != NULL)
		db_exec(
		    db, &token_keep, V(f->access_token), V(f->expires), V(p->id), V(p->version));
	if (f != NULL && f->refresh_token.p != NULL)
		db_exec(
		    db, &refresh_token_keep, V(f->refresh_token), V(p->id), V(p->refresh_token));
	db_exec(db, &token_release, V(p->id), V(r->fetcher));
	return true;
}

void
provider_release(struct db *db, struct arena *a, const struct provider *p, struct uuid fetcher,
    const struct fetched *fetched)
{
	struct release r = { p, fetcher, fetched };
	enum db_result result = DB_AGAIN;

	for (int i = 0; i < KEEP_TRIES && result != DB_NONE; i++)
		result = db_transaction(db, a, release, &r);
	if (result != DB_NONE)
		log_error("provider %.*s: its tokens could not be kept", TEXT_ARGS(p->name));
}
