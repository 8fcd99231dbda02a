/*
 * The process: a master that listens, forks and supervises; workers that answer requests; and
 * beside them the processes that do what no request should wait for. It knows requests, not users:
 * what a service is made of reaches it as one constant struct app.
 */
#ifndef ROSTER_SERVER_SERVER_H
#define ROSTER_SERVER_SERVER_H

#include "base/arena.h"
#include "base/base.h"
#include "config/config.h"
#include "db/db.h"
#include "http/router.h"

/* A job of the keeper. It may fail: it logs why and is called again after the interval. */
typedef void chore_run(struct db *db, const struct config *config, struct arena *a);

struct chore {
	const char *name;
	int64_t interval; /* seconds */
	chore_run *run;
	chore_run *at_end; /* when the service stops; may be NULL */
};

struct process;

/* A process beside the workers, one of each row: it is forked at the start, and again whenever it has ended. */
struct app_process {
	const char *name; /* in the log */
	/* Works until process_wait() says that it is time to leave, then returns. */
	void (*run)(struct process *p);
	bool last; /* stops when all workers and the other processes have ended */
};

struct setup;

struct app {
	const struct route_table *const *tables;
	size_t ntables;
	/* Fills rq->caller from the request's headers. 0, or the status of the answer that it gave. NULL: all are ANONYMOUS. */
	handler *authenticate;
	/*
	 * Run inside the transaction around a handler: before it, after all checks (0 to go on, or the
	 * status of an answer that it gave), and after it when it has answered below 400. Both may be NULL.
	 */
	handler *before;
	void (*after)(struct request *rq);
	/* Maps shared memory for the capabilities, once, in the master before the first fork. May be NULL. */
	void (*share)(const struct config *config);
	/* Prepares a worker of the slow lane (hashing memory). May be NULL. */
	void (*prepare_slow)(const struct config *config);
	/*
	 * Run in a process of its own before the first worker, and before a reload: database, schema, keys.
	 * false after it has logged what is wrong and what to do; then the service does not start, or stays as
	 * it is. May be NULL.
	 */
	bool (*check)(const struct setup *setup);
	const struct app_process *processes;
	size_t nprocesses;
	const struct chore *chores; /* of keeper_run() */
	size_t nchores;
	const struct sealed_column *const *sealed; /* all columns of sealed values (sealed.h) */
	size_t nsealed;
	const struct db_stmt
	    *committed; /* see struct db_options; NULL: the service has no database */
};

/* What workers run on; constant once they are forked. */
struct setup {
	struct config config;
	struct keyring *keyring; /* NULL when the service has none */
	struct arena *arena;     /* holds the texts of config */
};

/* Reads the configuration and keys, at start and at each SIGHUP. false after it has logged what is wrong. */
typedef bool setup_load(struct setup *out, void *ctx);

/*
 * Runs the service until SIGTERM or SIGINT; returns the exit status. SIGHUP loads the
 * setup again: new workers take over, the old ones finish what they have and leave; a faulty setup changes nothing.
 * When the program's file was replaced, SIGHUP starts the new one in its place, with argv, if that
 * called with --check-start as one more argument exits with 0 (renew.h).
 */
int server_run(const struct app *app, setup_load *load, void *ctx, char *const *argv) MUST_CHECK;

/* What a process beside the workers runs on. */
struct process {
	const struct app *app;
	const struct setup *setup;
	struct arena *arena; /* of one piece of work; process_wait() resets it */
	struct db *db;
	bool leaving;   /* was told to leave ... */
	bool succeeded; /* ... because a successor has begun, after a reload */
};

/* Pauses. false when the process is to leave, and then without waiting for the end of the pause. */
bool process_wait(struct process *p, int64_t milliseconds) MUST_CHECK;

/* Is the process to leave? For what takes long between two pauses. */
bool process_is_leaving(struct process *p);

/* A process that runs the app's chores, for the app's table. */
void keeper_run(struct process *p);

/* What serves requests, one at a time. */
struct worker {
	const struct app *app;
	const struct setup *setup;
	unsigned lanes; /* bits: the routes of which lanes it serves */
	struct arena *arena;
	struct db *db; /* NULL: no database */
	char *body;    /* REPLY_BUFFER bytes */
};

/*
 * Serves one request: routing, handler, commit, retry, answer, log. false when the answer was cut
 * off and the connection must not be used again. rosterctl serves its own commands with it.
 */
bool serve(struct worker *w, const struct transport *transport) MUST_CHECK;

/* Options of the database connection that config asks for. */
struct db_options server_db_options(const struct app *app, const struct config *config);

#endif
