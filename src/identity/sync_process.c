/* The process that walks over the users of each provider that has a schedule, in turns. */
#include "base/base.h"

#include <curl/curl.h>

#include "identity/sync_int.h"

#define POLL 1000          /* milliseconds */
#define POLL_TROUBLE 10000 /* ... when the database does not answer */
#define ENROL_EVERY (60 * SECONDS)
#define PROVIDERS_MAX 64

static bool
stays(const struct sync_job *job)
{
	return !process_is_leaving(job->ctx);
}

/* What is to be walked; print is another when that, or a setting, has changed. */
struct scheduled {
	struct text names[PROVIDERS_MAX];
	size_t n;
	uint64_t print;
};

static void
find_scheduled(struct process *p, struct scheduled *all)
{
	struct sync_scheduled row;

	*all = (struct scheduled){ 0 };
	db_begin(p->db, p->arena, false, TEXT_NONE);
	sync_schedule(p->db, &row);
	while (all->n < PROVIDERS_MAX && db_next(p->db)) {
		all->names[all->n++] = arena_text(p->arena, row.name);
		all->print = all->print * 31 + (uint64_t)(row.id * 17 + row.version);
	}
	if (db_end(p->db, false) != DB_NONE)
		all->n = 0;
}

/* Walks for each provider in turn; the milliseconds until the next time. */
static int64_t
walk_all(struct process *p, const struct scheduled *all, bool enrol)
{
	int64_t pause = POLL;

	for (size_t i = 0; i < all->n && !process_is_leaving(p); i++) {
		struct sync_job job = {
			.db = p->db,
			.config = &p->setup->config,
			.keyring = p->setup->keyring,
			.who = { .who = STAFF | OPERATOR, .username = T("sync") },
			.provider = all->names[i],
			.before = STAMP_NONE,
			.go_on = stays,
			.ctx = p,
		};
		enum sync_end end = enrol ? sync_look(&job) : SYNC_DONE;

		if (end == SYNC_DONE)
			end = sync_walk(&job);
		if (end == SYNC_STOPPED)
			pause = 0;
		else if (end == SYNC_FAILED)
			pause = POLL_TROUBLE;
	}
	return pause;
}

void
sync_run(struct process *p)
{
	int64_t pause = 0, enrolled = 0;
	uint64_t print = 0;
	struct scheduled all;

	must(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
	while (process_wait(p, pause)) {
		bool enrol;

		find_scheduled(p, &all);
		enrol = all.print != print || stamp_monotonic() - enrolled >= ENROL_EVERY;
		if (enrol)
			enrolled = stamp_monotonic();
		print = all.print;
		pause = walk_all(p, &all, enrol);
	}
}
