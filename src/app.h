/* The service: all capabilities put together. */
#ifndef ROSTER_APP_H
#define ROSTER_APP_H

#include "crypto/password.h"
#include "server/server.h"

extern const struct app roster;

/* Reads configuration and key file for rosterd and rosterctl; ctx is a struct app_source. */
setup_load app_load;

/* Where the configuration comes from. */
struct app_source {
	struct text path;       /* roster.conf; none: defaults only */
	const struct text *set; /* "name=value", after the file */
	size_t nset;
	bool without_keys; /* the key file is not read */
};

/*
 * The configuration alone, with texts on the arena. false and *problems, one a line.
 */
bool app_config(struct config *config, const struct app_source *source, struct arena *a,
    struct text *problems) MUST_CHECK;

/*
 * Does the database belong to this program and its keys? newer: so does one on a newer schema, on which a program
 * that runs already goes on. false after logging why not.
 */
bool app_owns(struct db *db, const struct setup *setup, bool newer) MUST_CHECK;

/*
 * Opens /dev/null for what was closed of standard input, output and error, so that no file or connection gets its
 * number. Reading and writing there fails, as it would have. Before anything is opened.
 */
void app_keep_streams(void);

/* What a password that is set costs to hash. */
struct password_cost app_password_cost(const struct config *config);

#endif
