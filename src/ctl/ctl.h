/* The commands of rosterctl. */
#ifndef ROSTER_CTL_CTL_H
#define ROSTER_CTL_CTL_H

#include "app.h"
#include "json/reader.h"
#include "resource/resource.h"

/* Exit statuses, as documented in rosterctl --help. */
enum ctl_exit { CTL_GOOD = 0, CTL_FAILED = 1, CTL_USAGE = 2, CTL_NOT_FOUND = 3, CTL_PARTLY = 4 };

/* Options of all commands; each command's row says which it takes. */
struct ctl_options {
	struct text email, first_name, last_name, organization;
	struct text password_file, token_lifetime, query;
	struct text format, output, upstreams;
	struct text since, until, user, by, event, limit;
	bool staff, support, json, dry_run, status, new_token, failed;
	bool skip_errors, without_passwords;

	/* of roles and grants */
	struct text name, type, description, permissions, expires;

	/* of an identity provider */
	struct text label, management_url, protected_fields, active, token_url, userinfo_url,
	    client_id, client_secret_file, refresh_token_file, connect_timeout, timeout, ca_file,
	    allow_internal, reactivate, sync_interval, sync_in_flight, sync_rate;
	bool client_secret, refresh_token;
	bool all;
};

/* A run of rosterctl. */
struct ctl {
	const struct command *command;
	struct arena *arena; /* lives as long as the run */
	struct setup setup;
	struct db *db;
	struct ctl_options options;
	struct text argument; /* what comes after the command's words; none when there is nothing */
	char *const *more;    /* ... and after that, for commands with .more; ends with NULL */
};

/* A command's words, what it takes, and what it does. Returns an exit status. */
struct command {
	const char *name;     /* "user create" */
	const char *argument; /* "USERNAME", NULL: takes none */
	bool optional;        /* ... which may be missing */
	const char
	    *more; /* "FIELD=VALUE...", one or more after it; "ROLE SCOPE", two; NULL: none */
	const char *options; /* letters of its options in the table of rosterctl.c */
	bool offline;        /* needs neither database nor key file */
	bool without_config; /* ... nor a configuration */
	bool any_database;   /* works on one of another schema, or that other keys belong to */
	int (*run)(struct ctl *ctl);
	const char *help;
	const char *json; /* what --json prints; NULL: what the API answers */
};

extern const struct command commands[];
extern const size_t ncommands;

/* Options of commands; the letter is how a command's row names them, none: every command takes it. */
struct ctl_option {
	char letter;
	const char *name;
	const char *value; /* what its value is called; NULL: it is a switch */
	size_t offset;     /* in struct ctl_options */
	const char *field; /* what the API calls it; NULL: the same, with _ for - */
	const char *help;
};

extern const struct ctl_option ctl_options[];
extern const size_t nctl_options;

bool ctl_takes(const struct command *c, const struct ctl_option *o);

/* An answer of the service. */
struct answer {
	int status;
	struct text head;  /* its lines, "X-Result-Count: 7\r\n..." */
	struct text body;  /* as it came */
	struct json *json; /* NULL when there is no body */
};

/*
 * Asks the service's own handlers, as the operator and without a network: the same rules, messages and
 * audit events as through nginx. path has the query after "?". body is a JSON document or none.
 */
struct answer ctl_call(struct ctl *ctl, const char *method, struct text path, struct text body);

/* Objects of the API that have a uuid and a name. */
struct ctl_kind {
	const char *what; /* "user" */
	const char *path; /* "/api/users/" */
	const char *key;  /* the member with the name, which the list can be filtered by */
};

extern const struct ctl_kind ctl_users, ctl_roles;

/* Is it a name that nothing has? As a filter it would be none, and find everything. */
bool ctl_is_blank(struct text name);

/*
 * The uuid of the object that a person calls so: by uuid, whether there is one or not, or by name. CTL_GOOD, or the
 * status to end with after saying why: CTL_NOT_FOUND only when there is none.
 */
int ctl_find(struct ctl *ctl, const struct ctl_kind *kind, struct text name, struct text *uuid);

/* The same of the command's argument, as the path of an action: "enable/", or "" for the object itself. */
int ctl_path(struct ctl *ctl, const struct ctl_kind *kind, const char *action, struct text *path);

/* Asks, and prints the object of the answer. Returns the exit status. */
int ctl_request(struct ctl *ctl, const char *method, struct text path, struct text body);

/* The same about the object that the command's argument names. */
int ctl_act(struct ctl *ctl, const struct ctl_kind *kind, const char *method, const char *action,
    struct text body);

/* Deletes the object that the command's argument names; --json prints what it was: its uuid and its name. */
int ctl_delete(struct ctl *ctl, const struct ctl_kind *kind);

/* A member of a body that is sent as it was typed: the service reads numbers and switches from text, too. */
struct ctl_setting {
	const char *field;
	size_t offset; /* in struct ctl_options, of a text */
	bool list;     /* typed with commas between */
};

/* Adds the members whose options were given. */
void ctl_write_settings(
    struct ctl *ctl, struct json_writer *w, const struct ctl_setting *settings, size_t n);

/*
 * Prints so many objects of a list of the API, a line each, or with --json as a list. path has a query to
 * which more can be added with "&". Without --limit it says when there are more.
 */
typedef void ctl_line(const struct json *object);
int ctl_list(struct ctl *ctl, const char *path, int64_t limit, ctl_line *print);

/* A writer of the one document that a command prints with --json, and its end. */
void ctl_json(struct ctl *ctl, struct json_writer *w);
void ctl_json_end(struct json_writer *w);

/* The same of a document that is a list; without --json nothing is printed. */
void ctl_json_list(struct ctl *ctl, struct json_writer *w);
void ctl_json_list_end(struct ctl *ctl, struct json_writer *w);

/* Makes all texts of an answer fit for a terminal: text_visible(). */
void ctl_visible(struct ctl *ctl, struct json *json);

/* A text member of an object, "" when there is none. */
struct text ctl_member(const struct json *object, const char *key);

/* The path of a worker's socket; lane is "api" or "slow". */
struct text ctl_socket(struct ctl *ctl, const char *lane, int64_t worker);

/* What rosterctl nginx prints. */
struct text ctl_nginx_view(struct ctl *ctl);

/* Whom the audit events of rosterctl name. */
struct caller ctl_operator(void);

/* Does the field go into an export, and may an import bring it? */
bool ctl_is_portable(const struct field *f);

/*
 * Prints what a refusal says, a line a field, which is named by the command's option for it where there is one.
 * Returns the exit status.
 */
int ctl_refused(struct ctl *ctl, const struct answer *answer);

/* Reads a password from the file ("-": standard input), or at the terminal, twice. false after saying why. */
bool ctl_password(struct ctl *ctl, struct text *password) MUST_CHECK;

/*
 * The same for another secret, "client secret": from the file, or, when that is none, asked for once. option is
 * what the file's option is called, without -file.
 */
bool ctl_secret(struct ctl *ctl, const char *what, const char *option, struct text file,
    struct text *secret) MUST_CHECK;

/* Prints an object, a member a line, or its one sentence, or as it came with --json. Returns CTL_GOOD. */
int ctl_print_object(struct ctl *ctl, const struct answer *answer);

/* Says on standard error what went wrong and returns status. */
int ctl_error(int status, const char *format, ...) PRINTF_LIKE(2, 3);

/* From now on Ctrl-C and SIGTERM only set what ctl_interrupted() tells: what was begun is finished first. */
void ctl_catch_interrupts(void);
bool ctl_interrupted(void);

/* Prints a text on standard output. */
void ctl_print(struct text t);

/* user.c, import.c, export.c, provider.c, role.c, grant.c, audit.c, calibrate.c, doctor.c, manual.c, completion.c, mail.c, sync.c, schema.c, nginx.c, key.c */
int ctl_user_create(struct ctl *ctl), ctl_user_list(struct ctl *ctl),
    ctl_user_show(struct ctl *ctl), ctl_user_token(struct ctl *ctl),
    ctl_user_password(struct ctl *ctl), ctl_user_import(struct ctl *ctl),
    ctl_user_export(struct ctl *ctl), ctl_user_set(struct ctl *ctl),
    ctl_user_deactivate(struct ctl *ctl), ctl_user_delete(struct ctl *ctl);
int ctl_provider_list(struct ctl *ctl), ctl_provider_show(struct ctl *ctl),
    ctl_provider_create(struct ctl *ctl), ctl_provider_set(struct ctl *ctl),
    ctl_provider_delete(struct ctl *ctl);
int ctl_role_list(struct ctl *ctl), ctl_role_create(struct ctl *ctl), ctl_role_set(struct ctl *ctl),
    ctl_role_enable(struct ctl *ctl), ctl_role_disable(struct ctl *ctl),
    ctl_role_delete(struct ctl *ctl);
int ctl_grant_list(struct ctl *ctl), ctl_grant_add(struct ctl *ctl), ctl_grant_set(struct ctl *ctl),
    ctl_grant_remove(struct ctl *ctl);
int ctl_audit_list(struct ctl *ctl);
int ctl_calibrate(struct ctl *ctl), ctl_doctor(struct ctl *ctl);
int ctl_man(struct ctl *ctl), ctl_completion(struct ctl *ctl);
int ctl_mail_list(struct ctl *ctl), ctl_mail_retry(struct ctl *ctl);
int ctl_sync_status(struct ctl *ctl), ctl_sync_run(struct ctl *ctl);
int ctl_migrate(struct ctl *ctl);
int ctl_nginx(struct ctl *ctl);
int ctl_key_new(struct ctl *ctl), ctl_key_reseal(struct ctl *ctl);

#endif
