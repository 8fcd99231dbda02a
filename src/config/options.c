#include "base/base.h"

#include <inttypes.h>

#include "base/buf.h"
#include "config/options.h"

/* clang-format off */
/* A row's name, type and offset all come from the member, so that they cannot disagree. */
#define MEMBER(m) ((struct config *)NULL)->m
#define OPTION(m)                                         \
	.name = #m, .offset = offsetof(struct config, m), \
	.type = _Generic(MEMBER(m),                       \
	    int64_t: OPTION_INT,                          \
	    bool: OPTION_BOOL,                            \
	    struct text: OPTION_TEXT,                     \
	    unsigned: OPTION_CHOICE)
#define PATH(m)                                           \
	.name = #m, .offset = offsetof(struct config, m), \
	.type = _Generic(MEMBER(m), struct text: OPTION_PATH)
#define ADDRESS(m)                                        \
	.name = #m, .offset = offsetof(struct config, m), \
	.type = _Generic(MEMBER(m), struct text: OPTION_ADDRESS)
#define URL(m)                                            \
	.name = #m, .offset = offsetof(struct config, m), \
	.type = _Generic(MEMBER(m), struct text: OPTION_URL)
/* clang-format on */

#define INT31 INT64_C(2147483647)
#define NAME_LIMIT 40 /* longer names are near to none */

/* In the order of enum log_level, enum uuid_form and enum smtp_tls. */
static const char *const log_levels[] = { "debug", "info", "warning", "error", NULL };
static const char *const uuid_forms[] = { "dashed", "hex", NULL };
static const char *const smtp_tls[] = { "required", "optional", "off", NULL };

static const char *const web_schemes[] = { "https://", "http://", NULL };
static const char *const smtp_schemes[] = { "smtp://", "smtps://", NULL };

/* clang-format off */
const struct option options[] = {
	/* process */
	{ PATH(socket_dir), .standard = "/run/roster", .maximum = 90,
	  .help = "Folder of the sockets that nginx connects to: api/N.sock and slow/N.sock, one a "
	      "worker. A change takes a restart." },
	{ OPTION(socket_group), .standard = "www-data", .maximum = 32,
	  .help = "Group that may connect to the sockets: the one that nginx runs as. Empty: the "
	      "group of rosterd itself." },
	{ OPTION(api_workers), .standard = "4", .minimum = 1, .maximum = 256,
	  .help = "Processes that answer ordinary requests. Two for each processor core is a good "
	      "start; each takes one database connection." },
	{ OPTION(slow_workers), .standard = "2", .minimum = 1, .maximum = 256,
	  .help = "Processes for what takes long: sign-ins, password changes, calls to other hosts. "
	      "Each maps argon2_memory for itself." },
	{ OPTION(worker_requests), .standard = "1000000", .minimum = 0, .maximum = INT31,
	  .help = "A worker is replaced by a new one after as many requests. 0: never." },
	{ OPTION(worker_memory), .standard = "64", .minimum = 0, .maximum = 65536, .unit = "MiB",
	  .help = "A worker is replaced by a new one when its private memory grows past this. "
	      "argon2_memory counts. 0: never." },
	{ OPTION(drain_timeout), .standard = "30", .minimum = 1, .maximum = 3600, .unit = "seconds",
	  .help = "How long a worker that leaves waits for requests on connections that nginx keeps "
	      "open to it. nginx closes them within 4 seconds; a worker that does not wait so long may cost "
	      "a request, which is then answered 502." },
	{ OPTION(log_level), .standard = "info", .choices = log_levels,
	  .help = "Lines below this level are not logged. info has one line for each request." },

	{ OPTION(seccomp), .standard = "true",
	  .help = "Whether each process gives up the system calls that it does not need. false helps "
	      "to find out whether the filter is in the way of something. A change takes a restart." },

	/* database and keys */
	{ PATH(database), .standard = "/etc/roster/database.cnf", .maximum = 1000,
	  .help = "MariaDB option file. Its group [roster] holds host or socket, user, password, "
	      "database and TLS settings." },
	{ OPTION(database_wait), .standard = "60", .minimum = 0, .maximum = 3600, .unit = "seconds",
	  .help = "How long a start waits for a database server that is not up yet." },
	{ OPTION(database_timeout), .standard = "10", .minimum = 1, .maximum = 300,
	  .unit = "seconds",
	  .help = "Longest time for connecting to the database, and for one statement." },
	{ PATH(key_file), .standard = "/etc/roster/keys", .maximum = 1000,
	  .help = "Keys that seal tokens and clients' secrets in the database, one a line, the "
	      "newest first. Without it a copy of the database opens nothing: keep a backup apart." },

	/* requests */
	{ OPTION(body_limit), .standard = "1048576", .minimum = 1024, .maximum = 67108864,
	  .unit = "bytes",
	  .help = "Longest request body; above it the answer is 413. nginx has a limit of its own, "
	      "client_max_body_size." },
	{ OPTION(image_limit), .standard = "2097152", .minimum = 1024, .maximum = 8388608,
	  .unit = "bytes",
	  .help = "Longest file of a user's picture. A request that may carry one, a multipart form, "
	      "may be longer than body_limit by as much. nginx's client_max_body_size holds for both." },
	{ OPTION(image_pixels), .standard = "25000000", .minimum = 10000, .maximum = INT31,
	  .help = "Most pixels of a user's picture, width by height." },
	{ OPTION(uuid_format), .standard = "dashed", .choices = uuid_forms,
	  .help = "How UUIDs are printed: with dashes, or as 32 hex digits for clients that know "
	      "only these. Both are always accepted." },

	/* tokens and passwords */
	{ OPTION(token_lifetime), .standard = "3600", .minimum = 60, .maximum = INT31,
	  .unit = "seconds",
	  .help = "A new user's token ends when it was not used for as long. Each user may have a "
	      "lifetime of his own instead." },
	{ OPTION(token_max_age), .standard = "0", .minimum = 0, .maximum = INT31, .unit = "seconds",
	  .help = "A token ends at this age however much it is used. 0: it may live on." },
	{ OPTION(token_slots), .standard = "65536", .minimum = 1024, .maximum = 16777216,
	  .help = "Tokens whose last use is remembered in shared memory before it is written to the "
	      "database. A change takes a restart." },
	{ OPTION(argon2_memory), .standard = "19456", .minimum = 19456, .maximum = 1048576,
	  .unit = "KiB",
	  .help = "Memory for hashing a password with argon2id. The least that OWASP recommends is "
	      "19456 with 2 passes; more is safer and slower." },
	{ OPTION(argon2_passes), .standard = "2", .minimum = 2, .maximum = 16,
	  .help = "Passes of argon2id over its memory. The time to sign in grows with it." },
	{ OPTION(argon2_lanes), .standard = "1", .minimum = 1, .maximum = 16,
	  .help = "Lanes of argon2id. A worker computes them one after the other, so that more lanes "
	      "take no less time." },
	{ OPTION(password_min_length), .standard = "8", .minimum = 8, .maximum = 64,
	  .unit = "characters",
	  .help = "Shortest password that a user may choose." },
	{ OPTION(password_max_length), .standard = "128", .minimum = 64, .maximum = 1024,
	  .unit = "characters",
	  .help = "Longest password that a user may choose." },
	{ OPTION(password_min_guesses), .standard = "8", .minimum = 0, .maximum = 30,
	  .help = "Power of ten of the guesses that a password must withstand, as zxcvbn estimates "
	      "them. 8 refuses Summer2024! and accepts three unrelated words; 0 accepts everything." },
	{ OPTION(local_signin), .standard = "true",
	  .help = "Whether users sign in with a password. false: only tokens that exist already, or "
	      "that rosterctl makes, open the API." },

	{ OPTION(lockout_failures), .standard = "4", .minimum = 1, .maximum = INT31,
	  .help = "After as many wrong passwords for a username from one network (an IPv4 address, "
	      "an IPv6 /64), that username is locked out from there for lockout_time." },
	{ OPTION(lockout_time), .standard = "600", .minimum = 1, .maximum = 86400, .unit = "seconds",
	  .help = "How long a lock lasts, and how long a wrong password counts." },
	{ OPTION(account_failures), .standard = "10", .minimum = 1, .maximum = INT31,
	  .help = "After as many wrong passwords for a username from anywhere, networks from which "
	      "it has not signed in lately wait between tries: a second, doubling to throttle_wait." },
	{ OPTION(network_failures), .standard = "100", .minimum = 1, .maximum = INT31,
	  .help = "After as many wrong passwords from one network, for any username, that network "
	      "waits between tries: a second, doubling to throttle_wait." },
	{ OPTION(throttle_wait), .standard = "900", .minimum = 1, .maximum = 86400,
	  .unit = "seconds",
	  .help = "Longest wait between two tries." },
	{ OPTION(known_network_days), .standard = "90", .minimum = 1, .maximum = 3650,
	  .unit = "days",
	  .help = "A network from which a user has signed in within as many days does not wait for "
	      "the failures of others." },

	/* mail */
	{ URL(homeport_url), .standard = "", .maximum = 1000, .choices = web_schemes, .optional = true,
	  .help = "Where the web front-end is: links in mails begin with it. The page that confirms an "
	      "address is expected at user_email_change/CODE/ below it." },
	{ OPTION(email_change_max_age), .standard = "86400", .minimum = 60, .maximum = INT31,
	  .unit = "seconds",
	  .help = "How long the code that confirms a new e-mail address can be used." },
	{ OPTION(email_change_requests), .standard = "10", .minimum = 1, .maximum = 1000,
	  .help = "How often a new e-mail address can be asked for within an hour for the same user: each "
	      "time, a mail goes to whatever address is named." },
	{ ADDRESS(mail_from), .standard = "", .maximum = 320, .optional = true,
	  .help = "Address that mails come from, also the one that undeliverable ones return to." },
	{ OPTION(mail_from_name), .standard = "roster", .maximum = 200,
	  .help = "Name that mails come from, and that they call the service by." },
	{ OPTION(mail_language), .standard = "en", .minimum = 1, .maximum = 35,
	  .help = "Language of mails to users who prefer none, or one that there are no texts in. en "
	      "and et are there; mail_templates adds others." },
	{ PATH(mail_templates), .standard = "", .maximum = 1000, .optional = true,
	  .help = "Folder with texts that replace the built-in ones: LANGUAGE/NAME.subject, "
	      "LANGUAGE/NAME.txt and LANGUAGE/NAME.html. NAME is email_change for the mail with the "
	      "code, email_change_notice for the one to the old address." },
	{ URL(smtp_url), .standard = "", .maximum = 1000, .choices = smtp_schemes, .optional = true,
	  .help = "Server that takes mails for delivery: smtp://HOST:PORT, or smtps:// when it speaks "
	      "TLS from the first byte. Without it mails wait in the database. It needs mail_from and "
	      "homeport_url." },
	{ OPTION(smtp_tls), .standard = "required", .choices = smtp_tls,
	  .help = "STARTTLS on smtp://. optional takes what the server offers, so that whoever stands "
	      "between can switch it off; off is for a server on the same host." },
	{ PATH(smtp_ca_file), .standard = "", .maximum = 1000, .optional = true,
	  .help = "Certificates of the authorities that the server's certificate is checked against, "
	      "in PEM. Empty: the system's." },
	{ OPTION(smtp_user), .standard = "", .maximum = 320,
	  .help = "User to sign in as. Empty: the server takes mail without." },
	{ PATH(smtp_password_file), .standard = "", .maximum = 1000, .optional = true,
	  .help = "File whose first line is the password of smtp_user." },
	{ OPTION(smtp_timeout), .standard = "30", .minimum = 1, .maximum = 300, .unit = "seconds",
	  .help = "Longest time for delivering one mail, connecting included." },

	/* the identity provider of local accounts */
	{ OPTION(local_idp_name), .standard = "Local DB", .minimum = 1, .maximum = 128,
	  .help = "identity_provider_name of users whose accounts were made here." },
	{ OPTION(local_idp_label), .standard = "Local DB", .maximum = 128,
	  .help = "identity_provider_label of users whose accounts were made here." },
	{ OPTION(local_idp_management_url), .standard = "", .maximum = 1000,
	  .help = "identity_provider_management_url of users whose accounts were made here: where "
	      "they look after their accounts." },
	{ OPTION(local_idp_protected_fields), .standard = "", .maximum = 1000,
	  .help = "Fields that users whose accounts were made here cannot change, with commas "
	      "between them." },
	{ OPTION(protected_registration_methods), .standard = "", .maximum = 1000,
	  .help = "Users of these registration methods cannot change their names and other personal "
	      "details, which come from their identity provider. With commas between them." },

	/* SSH keys */
	{ OPTION(authorized_keys_readers), .standard = "", .maximum = 1000,
	  .help = "Usernames of accounts, besides those of staff and support, that may fetch "
	      "everybody's SSH keys for sshd. With commas between them." },
};
/* clang-format on */

const size_t noptions = countof(options);

const struct option *
option_find(struct text name)
{
	for (size_t i = 0; i < noptions; i++)
		if (text_eq(name, text_from(options[i].name)))
			return &options[i];
	return NULL;
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Insertions, deletions and replacements from a to b (Levenshtein); both at most NAME_LIMIT. */
static size_t
distance(struct text a, struct text b)
{
	size_t row[NAME_LIMIT + 1], diagonal, above;

	for (size_t j = 0; j <= b.n; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			above = row[j];
			row[j] = least(
			    least(above, row[j - 1]) + 1, diagonal + (a.s[i - 1] != b.s[j - 1]));
			diagonal = above;
		}
	}
	return row[b.n];
}

const struct option *
option_nearest(struct text name, struct arena *a)
{
	const struct option *found = NULL;
	size_t best = least(name.n / 3, 3) + 1, d;

	if (name.n > NAME_LIMIT)
		return NULL;
	name = text_lower(a, name);
	for (size_t i = 0; i < noptions; i++) {
		d = distance(name, text_from(options[i].name));
		if (d < best) {
			best = d;
			found = &options[i];
		}
	}
	return found;
}

/* "a", "a or b", "a, b or c" */
static struct text
list_choices(const char *const *choices, struct arena *a)
{
	struct buf b;

	buf_init(&b, a);
	for (size_t i = 0; choices[i] != NULL; i++) {
		if (i > 0)
			buf_add(&b, choices[i + 1] != NULL ? T(", ") : T(" or "));
		buf_add(&b, text_from(choices[i]));
	}
	return buf_text(&b);
}

struct text
option_allowed(const struct option *o, struct arena *a)
{
	const char *or_nothing = o->optional ? ", or nothing" : "";

	switch (o->type) {
	case OPTION_INT:
		return arena_printf(a, "%" PRId64 " to %" PRId64 "%s%s", o->minimum, o->maximum,
		    o->unit != NULL ? " " : "", o->unit != NULL ? o->unit : "");
	case OPTION_BOOL:
		return T("true or false");
	case OPTION_TEXT:
		return arena_printf(
		    a, "text of %" PRId64 " to %" PRId64 " bytes", o->minimum, o->maximum);
	case OPTION_PATH:
		return arena_printf(
		    a, "an absolute path of at most %" PRId64 " bytes%s", o->maximum, or_nothing);
	case OPTION_ADDRESS:
		return arena_printf(
		    a, "an address of at most %" PRId64 " bytes%s", o->maximum, or_nothing);
	case OPTION_URL:
		return arena_printf(a, "a URL of at most %" PRId64 " bytes that begins with %.*s%s",
		    o->maximum, TEXT_ARGS(list_choices(o->choices, a)), or_nothing);
	case OPTION_CHOICE:
		return list_choices(o->choices, a);
	}
	unreachable();
}
