/*
 * Identity providers: where accounts come from that were not made here, which of their fields only the
 * provider changes, and how the provider's service is asked.
 */
#ifndef ROSTER_IDENTITY_IDENTITY_H
#define ROSTER_IDENTITY_IDENTITY_H

#include "http/router.h"
#include "resource/resource.h"
#include "server/sealed.h"
#include "server/server.h"

extern const struct resource identity_providers;

extern const struct route_table identity_routes;

/* Maps shared memory, in the master before the first fork. */
void flight_share(void);

/* Their secrets: of the client, refresh tokens and access tokens. */
#define SEALED_OF_PROVIDERS 3
extern const struct sealed_column sealed_secrets[SEALED_OF_PROVIDERS];

/* The process that compares users with their providers, the least recently compared first; for the app's table. */
void sync_run(struct process *p);

/* What came of it, in users. */
struct sync_counts {
	int64_t synced; /* deactivated ones included */
	int64_t failed; /* those whose own answer was no good */
	int64_t due;    /* who are to be asked for, by sync_look() */
};

/* A walk over the users of a provider. */
struct sync_job {
	struct db *db;
	const struct config *config;
	const struct keyring *keyring;
	struct caller who; /* whom the audit events name */
	struct text provider;
	struct stamp before; /* who was not asked for since then; none: whose turn it is */
	/* Asked several times a second; false ends the walk. */
	bool (*go_on)(const struct sync_job *job);
	void *ctx;
	struct sync_counts counts; /* so far */
};

enum sync_end {
	SYNC_DONE,    /* nobody is left */
	SYNC_STOPPED, /* some may be left: it has taken long, or was not to go on */
	SYNC_DOWN,    /* the provider does not answer, and is paused */
	SYNC_NOBODY,  /* there is no such provider, or it is not to be asked */
	SYNC_UNDUE,   /* it has no sync_interval by which it would be anybody's turn */
	SYNC_FAILED,  /* the database has failed */
};

/* Takes up users who have become the provider's, and counts those who are due. Outside a transaction. */
enum sync_end sync_look(struct sync_job *job) MUST_CHECK;

/* Walks for some seconds. Outside a transaction. */
enum sync_end sync_walk(struct sync_job *job) MUST_CHECK;

/* How it stands with a provider's users. */
struct sync_standing {
	struct text provider, problem;
	struct stamp paused_until;
	int64_t interval, users, due, synced, failing;
};

/* Starts reading that of each provider; each db_next() fills *row. */
void sync_standings(struct db *db, struct sync_standing *row);

#endif
