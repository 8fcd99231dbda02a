/* Between sync.c, which asks and applies, sync_state.c, which knows whose turn it is, and sync_process.c. */
#ifndef ROSTER_IDENTITY_SYNC_INT_H
#define ROSTER_IDENTITY_SYNC_INT_H

#include "identity/identity_int.h"

/* A user whom this process has taken on. */
struct sync_claim {
	int64_t user_id, failures;
	struct uuid claim;
	struct text username;
	struct stamp at;    /* when he may be asked for, by the provider's rate */
	struct stamp until; /* then another may take him on */
};

/* Whom to take on: those who were not compared since then, not asked for since then, and so many at most. */
struct sync_wanted {
	const struct provider *provider;
	struct stamp since, tried;
	size_t max;
};

struct sync_claims {
	struct sync_claim claims[SYNC_IN_FLIGHT_MAX];
	size_t n;
	bool
	    any; /* there are such, though perhaps not yet by the rate, or they were not needed after all */
	bool outdated; /* the provider has other settings, or is gone: nobody is taken on */
};

/* Takes up users who have become the provider's. */
enum db_result sync_enrol(struct db *db, struct arena *a, const struct provider *p) MUST_CHECK;

/* How many there are. */
enum db_result sync_count(
    struct db *db, struct arena *a, const struct sync_wanted *wanted, int64_t *n) MUST_CHECK;

/* Takes users on, the least recently compared first; their names are on the arena. */
enum db_result sync_claim(struct db *db, struct arena *a, const struct sync_wanted *wanted,
    struct sync_claims *out) MUST_CHECK;

/*
 * In a transaction: the claim ends, and the interval to the next turn runs from since; failures is how many
 * answers in a row were no good.
 */
void sync_note(struct db *db, const struct sync_claim *c, struct stamp since, int64_t failures,
    struct text problem);

/* Ends claims as if they had not been; with since, they come after all whose interval runs from before. */
enum db_result sync_release(struct db *db, struct arena *a, const struct sync_claim *claims,
    size_t n, struct stamp since) MUST_CHECK;

/* Nobody is asked for until then, because of the problem. */
enum db_result sync_pause(struct db *db, struct arena *a, const struct provider *p,
    struct stamp until, struct text problem) MUST_CHECK;

/* In a transaction: the pauses are over. */
void sync_is_up(struct db *db, const struct provider *p);

/* Seconds to the next try: of a provider after so many failures, and of a user for that interval. */
int64_t sync_pause_of(int64_t failures);
int64_t sync_delay_of(int64_t interval, int64_t failures);

/* Starts reading the providers that are to be walked now. */
struct sync_scheduled {
	struct text name;
	int64_t id, version;
};
void sync_schedule(struct db *db, struct sync_scheduled *row);

#endif
