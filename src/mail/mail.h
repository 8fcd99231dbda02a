/*
 * Mail: put into an outbox in the transaction of the change that it tells of, and delivered over
 * SMTP by a process of its own. So no mail tells of what did not happen, none is lost, and no
 * request waits for a mail server.
 *
 * A mail is delivered at least once: when the mailer dies between the server's yes and its own note
 * of it, the server gets the mail again, under the same Message-ID.
 */
#ifndef ROSTER_MAIL_MAIL_H
#define ROSTER_MAIL_MAIL_H

#include "base/base.h"
#include "db/db.h"
#include "http/http.h"
#include "server/sealed.h"
#include "server/server.h"

/* What the texts of a mail call {{name}}. */
struct mail_value {
	const char *name;
	struct text value;
};

struct mail {
	const char *template; /* of the table in messages.c */
	int64_t user_id;      /* whom it is about: it goes when he goes; 0: nobody */
	struct text to;       /* an address that passed its check */
	struct text language; /* as the user prefers it, perhaps none that there are texts in */
	const struct mail_value *values;
	size_t nvalues;
};

/* Adds a mail to the outbox in the request's transaction. Its values are sealed: they may be secrets. */
void mail_add(struct request *rq, const struct mail *mail);

/* The process that delivers, for the app's table. */
void mailer_run(struct process *p);

/*
 * Does the server take us, asked as the process does: over TLS, with its certificate checked, signed in? false
 * and *problem, on the arena. Takes smtp_timeout at most.
 */
bool mailer_check(const struct config *config, struct arena *a, struct text *problem) MUST_CHECK;

/* A mail in the outbox, as an operator sees it. */
struct mail_entry {
	int64_t id;
	struct stamp created, due; /* due none: given up */
	struct text recipient, template, error;
	int64_t attempts;
};

/* Starts reading the outbox, the oldest first; each db_next() fills *entry. */
void mail_list(struct db *db, bool failed_only, struct mail_entry *entry);

/* Mails of the outbox by their state. */
struct mail_counts {
	int64_t waiting, retrying, given_up;
};

/* Counts them, in a transaction of its own; false when the database failed. */
bool mail_count(struct db *db, struct arena *a, struct mail_counts *counts) MUST_CHECK;

/* The same for the metrics; a chore of the keeper. */
void mail_measure(struct db *db, const struct config *config, struct arena *a);

/* Makes a mail (none: all of them) due now, also one that was given up; how many there were. */
int64_t mail_retry(struct db *db, struct maybe id);

/* What the texts of waiting mails are made with. */
extern const struct sealed_column sealed_mails;

#endif
