/* rosterctl sync: what the process sync of rosterd does by itself, told of and done by hand. */
#include "base/base.h"

#include "ctl/ctl.h"
#include "ctl/progress.h"
#include "identity/identity.h"

#define PROVIDERS_MAX 64

static void
print_standing(const struct sync_standing *s)
{
	char until[STAMP_SIZE];
	bool paused = !stamp_is_none(s->paused_until) && s->paused_until.us > stamp_now().us;

	printf("%-16.*s  users %lld, due %lld, synced %lld, failing %lld%s", TEXT_ARGS(s->provider),
	    (long long)s->users, (long long)s->due, (long long)s->synced, (long long)s->failing,
	    s->interval == 0 ? ", no schedule" : "");
	if (paused)
		printf(", paused until %s", stamp_print(s->paused_until, until).s);
	if (s->problem.n > 0)
		printf(": %.*s", TEXT_ARGS(s->problem));
	putchar('\n');
}

static void
write_standing(struct json_writer *w, const struct sync_standing *s)
{
	json_object(w);
	json_member_text(w, "provider", s->provider);
	json_member_value(w, "sync_interval", V(s->interval));
	json_member_value(w, "users", V(s->users));
	json_member_value(w, "due", V(s->due));
	json_member_value(w, "synced", V(s->synced));
	json_member_value(w, "failing", V(s->failing));
	json_member_value(w, "paused_until", V(s->paused_until));
	json_member_text(w, "problem", s->problem);
	json_object_end(w);
}

int
ctl_sync_status(struct ctl *ctl)
{
	struct sync_standing s;
	struct json_writer w;

	ctl_json_list(ctl, &w);
	db_begin(ctl->db, ctl->arena, false, TEXT_NONE);
	sync_standings(ctl->db, &s);
	while (db_next(ctl->db)) {
		if (ctl->options.json)
			write_standing(&w, &s);
		else
			print_standing(&s);
	}
	if (db_end(ctl->db, false) != DB_NONE)
		return ctl_error(CTL_FAILED, "the database could not be read");
	ctl_json_list_end(ctl, &w);
	return CTL_GOOD;
}

/* The providers of the argument, or all that there is something to do for. */
static size_t
find_providers(struct ctl *ctl, struct text names[static PROVIDERS_MAX])
{
	struct sync_standing s;
	size_t n = 0;

	db_begin(ctl->db, ctl->arena, false, TEXT_NONE);
	sync_standings(ctl->db, &s);
	while (n < PROVIDERS_MAX && db_next(ctl->db)) {
		bool named = text_eq(s.provider, ctl->argument);

		if (text_is_none(ctl->argument) ? s.interval > 0 || ctl->options.all : named)
			names[n++] = arena_text(ctl->arena, s.provider);
	}
	return db_end(ctl->db, false) == DB_NONE ? n : 0;
}

static bool
show(const struct sync_job *job)
{
	const struct sync_counts *c = &job->counts;
	int64_t done = c->synced + c->failed, all = done > c->due ? done : c->due;

	progress_show(job->ctx, done, all, done);
	return !ctl_interrupted(); /* those who were taken on are let go first */
}

static void
write_counts(struct json_writer *w, const struct sync_job *job)
{
	json_object(w);
	json_member_text(w, "provider", job->provider);
	json_member_value(w, "synced", V(job->counts.synced));
	json_member_value(w, "failed", V(job->counts.failed));
	json_object_end(w);
}

/* w: NULL when a line is to be printed. */
static int
report(struct json_writer *w, const struct sync_job *job, enum sync_end end)
{
	static const char *const problems[] = {
		[SYNC_STOPPED] = "interrupted",
		[SYNC_DOWN] = "its service is down, or refuses; see rosterctl sync status",
		[SYNC_NOBODY] =
		    "its service is not to be asked: inactive, or without address or token",
		[SYNC_UNDUE] = "it has no sync interval; --all compares every user",
		[SYNC_FAILED] = "the database failed",
	};

	progress_clear(job->ctx);
	if (w != NULL)
		write_counts(w, job);
	else
		printf("%.*s: synced %lld, failed %lld\n", TEXT_ARGS(job->provider),
		    (long long)job->counts.synced, (long long)job->counts.failed);
	if (end != SYNC_DONE)
		return ctl_error(CTL_FAILED, "%.*s: %s", TEXT_ARGS(job->provider), problems[end]);
	return job->counts.failed > 0 ? CTL_PARTLY : CTL_GOOD;
}

static int
run_one(struct ctl *ctl, struct text provider, struct json_writer *w)
{
	struct progress progress;
	struct sync_job job = {
		.db = ctl->db,
		.config = &ctl->setup.config,
		.keyring = ctl->setup.keyring,
		.who = ctl_operator(),
		.provider = provider,
		.before = ctl->options.all ? stamp_now() : STAMP_NONE,
		.go_on = show,
		.ctx = &progress,
	};
	enum sync_end end;

	progress_begin(&progress, "accounts");
	end = sync_look(&job);
	if (end == SYNC_DONE)
		do
			end = sync_walk(&job);
		while (end == SYNC_STOPPED && !ctl_interrupted());
	return report(w, &job, end);
}

int
ctl_sync_run(struct ctl *ctl)
{
	struct text names[PROVIDERS_MAX];
	size_t n = find_providers(ctl, names);
	int status = CTL_GOOD;
	struct json_writer w;

	if (n == 0 && !text_is_none(ctl->argument))
		return ctl_error(
		    CTL_NOT_FOUND, "there is no identity provider %s", ctl->argument.s);
	if (n == 0)
		return ctl_error(CTL_FAILED, "no identity provider has a sync interval");
	ctl_catch_interrupts();
	ctl_json_list(ctl, &w);
	for (size_t i = 0; i < n && !ctl_interrupted(); i++) {
		int one = run_one(ctl, names[i], ctl->options.json ? &w : NULL);

		status = status == CTL_GOOD || one == CTL_FAILED ? one : status;
	}
	ctl_json_list_end(ctl, &w);
	return status;
}
