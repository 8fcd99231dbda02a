/*
 * roster.conf: one struct filled from one table (options.h). Read once by the master and again
 * at SIGHUP; constant while workers run.
 */
#ifndef ROSTER_CONFIG_CONFIG_H
#define ROSTER_CONFIG_CONFIG_H

#include "base/arena.h"
#include "base/base.h"
#include "base/log.h"
#include "base/text.h"
#include "base/uuid.h"

/* Whether mail goes to the SMTP server over TLS; with smtps:// it always does. */
enum smtp_tls { SMTP_TLS_REQUIRED, SMTP_TLS_OPTIONAL, SMTP_TLS_OFF };

struct config {
	/* process */
	struct text socket_dir;   /* holds api/N.sock and slow/N.sock */
	struct text socket_group; /* group that may connect; "" for the process's own */
	int64_t api_workers, slow_workers;
	int64_t worker_requests; /* a worker retires after as many; 0: never */
	int64_t worker_memory;   /* ... or when its private memory passes this, MiB; 0: never */
	int64_t drain_timeout;   /* seconds that a leaving worker waits for kept connections */
	enum log_level log_level;
	bool seccomp; /* processes give up the system calls that they do not need */

	/* database and keys */
	struct text database;     /* MariaDB option file, group [roster] */
	int64_t database_wait;    /* seconds to wait for it at start */
	int64_t database_timeout; /* seconds to connect, and for one statement */
	struct text key_file;

	/* requests */
	int64_t body_limit;                /* bytes */
	int64_t image_limit, image_pixels; /* bytes of the file; of a picture and of each frame */
	enum uuid_form uuid_format;

	/* tokens and passwords */
	int64_t token_lifetime; /* seconds, of a new user */
	int64_t token_max_age;  /* absolute, seconds since the key was made; 0: none */
	int64_t token_slots;    /* tokens whose last use is kept in shared memory */
	int64_t argon2_memory, argon2_passes, argon2_lanes; /* KiB, -, - */
	int64_t password_min_length, password_max_length;   /* characters */
	int64_t password_min_guesses; /* base-10 exponent of the guesses that it must withstand */
	bool local_signin;
	int64_t lockout_failures, lockout_time;     /* of a username from a network; seconds */
	int64_t account_failures, network_failures; /* before strangers, and a network, wait */
	int64_t throttle_wait;                      /* longest, seconds */
	int64_t known_network_days;

	/* mail */
	struct text homeport_url;      /* "" or "https://portal.example.org/" */
	int64_t email_change_max_age;  /* seconds */
	int64_t email_change_requests; /* of a user within an hour */
	struct text mail_from;         /* address */
	struct text mail_from_name;    /* of a person or service; "" for none */
	struct text mail_language;     /* of users who prefer none that there are texts in */
	struct text mail_templates;    /* folder; "" for none */
	struct text smtp_url;          /* ""; smtp://host:port; smtps://host:port */
	enum smtp_tls smtp_tls;        /* of smtp:// */
	struct text smtp_ca_file;      /* "": the system's */
	struct text smtp_user;         /* "": no authentication */
	struct text smtp_password_file;
	int64_t smtp_timeout; /* seconds for a whole delivery */

	/* the identity provider of local accounts */
	struct text local_idp_name, local_idp_label, local_idp_management_url;
	struct text local_idp_protected_fields;     /* comma-separated */
	struct text protected_registration_methods; /* comma-separated */

	/* SSH keys */
	struct text authorized_keys_readers; /* usernames, comma-separated */
};

/*
 * Fills *c with the defaults and then from the file. Texts live on the arena, also those of
 * the message. On any fault *problems gets all of them, one a line, each as
 * "roster.conf:12: api_workers: "many" is not a number; allowed: 1 to 256", and the result is
 * false. A file that is not there is a fault; path none means defaults only.
 *
 * A line is name = value (or name: value), blank, or a comment from its first character, # or ;.
 * There are no sections, continued lines or comments after a value.
 */
bool config_read(
    struct config *c, struct text path, struct arena *a, struct text *problems) MUST_CHECK;

/* Changes one option by name, as --set name=value does. Same messages, origin for the file. */
bool config_set(struct config *c, struct text name, struct text value, struct text origin,
    struct arena *a, struct text *problem) MUST_CHECK;

/*
 * What options allow only together. config_read() has checked it already; whoever calls
 * config_set() checks once more after the last of them.
 */
bool config_check(
    const struct config *c, struct text origin, struct arena *a, struct text *problem) MUST_CHECK;

/* The whole configuration as a roster.conf, with each option's help above it. */
struct text config_print(const struct config *c, struct arena *a);

/* All options with their help, for --help. */
struct text config_help(struct arena *a);

/* Is item in a comma-separated list (blanks around items do not count)? */
bool config_list_has(struct text list, struct text item);

#endif
