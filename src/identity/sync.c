/* Compares users with their providers: several are asked for at a time, and each answer is applied when it comes. */
#include "base/base.h"

#include "base/log.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "identity/sync_int.h"

#define SLICE (10 * SECONDS) /* of one provider, before it is another's turn */
#define TICK 100             /* milliseconds between two looks around, at most */

#define WALK_MEMORY (64 * 1024 * 1024)
#define FLIGHT_MEMORY (16 * 1024 * 1024)

/* Answers in a row that say that the provider, and not the user, is in trouble. */
#define DOWN_AFTER 3
#define PAUSE_FIRST 30 /* seconds, doubling */
#define PAUSE_MAX 3600
#define DELAY_DOUBLES 5

/* A user who is being asked for. */
struct flight {
	struct exchange *exchange; /* NULL: none is */
	struct arena *arena;
	struct sync_claim claim;
	struct pull pull;
	struct question question;
};

/* One whose answer may be his fault, or the provider's. */
struct doubt {
	struct sync_claim claim;
	struct text problem;
};

struct walk {
	struct sync_job *job;
	struct arena *arena;
	struct provider provider;
	struct stamp until;
	struct text refused; /* the access token that the service did not take */
	struct flight flights[SYNC_IN_FLIGHT_MAX];
	size_t flying;
	struct sync_claims
	    queue; /* who are taken on; from next on they are still to be asked for */
	size_t next;
	struct stamp look; /* when there was nobody to take on, the next try */
	struct doubt doubts[DOWN_AFTER + SYNC_IN_FLIGHT_MAX];
	size_t ndoubts;
	bool up;   /* the provider has answered */
	bool over; /* nobody else is asked for: the last answers are waited for */
	bool ended;
	enum sync_end end;
	struct text problem; /* SYNC_DOWN */
};

int64_t
sync_pause_of(int64_t failures)
{
	int64_t pause = PAUSE_FIRST;

	for (int64_t i = 1; i < failures && pause < PAUSE_MAX; i++)
		pause *= 2;
	return pause < PAUSE_MAX ? pause : PAUSE_MAX;
}

int64_t
sync_delay_of(int64_t interval, int64_t failures)
{
	int64_t doubles = failures <= 1 ? 0 : failures - 1;

	return interval << (doubles < DELAY_DOUBLES ? doubles : DELAY_DOUBLES);
}

static void
end_walk(struct walk *w, enum sync_end end)
{
	if (!w->ended)
		w->end = end;
	w->ended = true;
}

static void
check(struct walk *w, enum db_result result)
{
	if (result != DB_NONE)
		end_walk(w, SYNC_FAILED);
}

static void
find_down(struct walk *w, struct text problem)
{
	w->problem = arena_text(w->arena, problem);
	end_walk(w, SYNC_DOWN);
}

/* What came of one. */

static void
note_failure(struct walk *w, const struct sync_claim *c, struct text problem)
{
	int64_t interval = w->provider.sync_interval, failures = c->failures + 1;
	int64_t later = sync_delay_of(interval, failures) - interval;

	sync_note(
	    w->job->db, c, (struct stamp){ stamp_now().us + later * SECONDS }, failures, problem);
}

struct failure {
	struct walk *w;
	const struct sync_claim *claim;
	struct text problem;
};

static bool
write_failure(struct db *db UNUSED, void *ctx)
{
	const struct failure *f = ctx;

	note_failure(f->w, f->claim, f->problem);
	return true;
}

/* The user's own answer was no good: others go on, and he is tried later. */
static void
blame(struct walk *w, struct arena *a, const struct sync_claim *c, struct text problem)
{
	struct failure f = { w, c, problem };

	log_warning("provider %.*s: user %lld could not be compared: %.*s",
	    TEXT_ARGS(w->provider.name), (long long)c->user_id, TEXT_ARGS(problem));
	check(w, db_transaction(w->job->db, a, write_failure, &f));
	w->job->counts.failed++;
}

/* A flight whose answer is applied as a request would. */
struct application {
	struct walk *w;
	const struct flight *f;
	struct request rq;
	bool accepted;
};

static bool
apply(struct db *db, void *ctx)
{
	struct application *a = ctx;
	const struct provider *p = &a->w->provider;
	struct uuid uuid;

	reply_clear(&a->rq);
	a->accepted = pull_apply(&a->rq, &a->f->pull, &uuid) == 0;
	if (!a->accepted)
		return false;
	sync_note(db, &a->f->claim, stamp_now(), 0, T(""));
	if (p->sync_failures > 0)
		sync_is_up(db, p);
	return true;
}

static const char *
no_param(void *ctx UNUSED, const char *name UNUSED)
{
	return NULL;
}

static enum db_result
apply_and_commit(struct walk *w, struct flight *f, bool *accepted)
{
	struct uuid id = random_uuid();
	struct application a = {
		.w = w,
		.f = f,
		.rq = {
			.id = hex((struct bytes){ id.b, sizeof(id.b) }, f->arena),
			.arena = f->arena,
			.db = w->job->db,
			.config = w->job->config,
			.keyring = w->job->keyring,
			.caller = w->job->who,
			.transport.param = no_param,
			.reply.body = arena_alloc(f->arena, REPLY_BUFFER),
		},
	};
	enum db_result end = db_transaction_of(a.rq.db, f->arena, a.rq.id, apply, &a);

	*accepted = a.accepted;
	return end;
}

/* The provider answers: whoever got no good answer before has himself to blame. */
static void
find_up(struct walk *w, struct arena *a)
{
	size_t n = w->ndoubts;

	w->up = true;
	w->ndoubts = 0;
	for (size_t i = 0; i < n; i++)
		blame(w, a, &w->doubts[i].claim, w->doubts[i].problem);
}

static struct text
problem_of(const struct reply_of_remote *reply, struct arena *a)
{
	if (!text_is_none(reply->trouble))
		return arena_text(a, reply->trouble);
	return arena_printf(a, "It answers with status %lld.", (long long)reply->status);
}

/* What the answer says of the user; false when that is no good, and *problem is why. */
static bool
read_answer(struct flight *f, const struct reply_of_remote *reply, struct text *problem)
{
	struct pull *pull = &f->pull;

	pull_read(pull, reply, f->arena);
	*problem = T("The answer is about somebody else.");
	if (pull->finding == FOUND)
		return text_eq(pull->claims.username, f->claim.username);
	*problem = reply->status == 200 ? pull->problem : problem_of(reply, f->arena);
	return pull->finding == FOUND_NOBODY;
}

static void
take_answer(struct walk *w, struct flight *f, const struct reply_of_remote *reply)
{
	struct text problem;
	enum db_result end;
	bool accepted;

	if (!read_answer(f, reply, &problem)) {
		blame(w, f->arena, &f->claim, problem);
		return;
	}
	end = apply_and_commit(w, f, &accepted);
	if (end == DB_AGAIN || end == DB_UNSURE) {
		end_walk(w, SYNC_FAILED);
	} else if (end != DB_NONE || !accepted) {
		blame(w, f->arena, &f->claim, T("What it says could not be applied."));
	} else {
		w->job->counts.synced++;
		w->provider.sync_failures = 0;
	}
}

static bool
is_of_provider(const struct reply_of_remote *reply)
{
	return (reply->status == 0 && !reply->too_long) || reply->status == 401 ||
	    reply->status == 403 || reply->status == 429 || reply->status >= 500;
}

static void
doubt(struct walk *w, const struct flight *f, const struct reply_of_remote *reply)
{
	struct text problem = problem_of(reply, w->arena);

	w->doubts[w->ndoubts++] = (struct doubt){ f->claim, problem };
	if (w->ndoubts >= DOWN_AFTER)
		find_down(w, problem);
}

/* A token that was good and is so no more: another is fetched before the next is asked for. */
static bool
is_old_token(const struct walk *w, const struct flight *f, const struct reply_of_remote *reply)
{
	return reply->status == 401 &&
	    (text_is_none(w->refused) || text_eq(w->refused, f->question.bearer));
}

/* What other settings have brought says nothing, neither of the user nor of the provider. */
static bool
is_outdated(struct walk *w, struct arena *a)
{
	struct db *db = w->job->db;
	bool stays;

	db_begin(db, a, false, TEXT_NONE);
	stays = provider_stays(db, &w->provider);
	check(w, db_end(db, false));
	return !stays;
}

static void
land(struct walk *w, struct flight *f, const struct reply_of_remote *reply)
{
	f->exchange = NULL;
	w->flying--;
	if (is_outdated(w, f->arena)) {
		check(w, sync_release(w->job->db, f->arena, &f->claim, 1, STAMP_NONE));
		end_walk(w, SYNC_STOPPED);
	} else if (is_old_token(w, f, reply)) {
		w->refused = arena_text(w->arena, f->question.bearer);
		check(w, sync_release(w->job->db, f->arena, &f->claim, 1, STAMP_NONE));
	} else if (is_of_provider(reply)) {
		doubt(w, f, reply);
	} else {
		find_up(w, f->arena);
		take_answer(w, f, reply);
	}
	arena_reset(f->arena);
}

/* Asking. */

static struct flight *
free_flight(struct walk *w)
{
	for (size_t i = 0; i < (size_t)w->provider.sync_in_flight; i++)
		if (w->flights[i].exchange == NULL)
			return &w->flights[i];
	return NULL;
}

/* The access token to ask with; none: not now. A new one is fetched, which takes a while, when nobody is in flight. */
static struct text
bearer(struct walk *w, struct arena *a)
{
	struct asker who = { w->job->db, a, w->job->keyring };
	struct text token = access_token_kept(&who, &w->provider, w->refused), problem;

	if (!text_is_none(token) || w->flying > 0)
		return token;
	who.arena = w->arena;
	token = access_token(&who, &w->provider, w->refused, &problem);
	if (text_is_none(token))
		find_down(w, problem);
	return token;
}

/* Asks for the next one of the queue; false when he has to wait. */
static bool
launch(struct walk *w)
{
	const struct sync_claim *c = &w->queue.claims[w->next];
	struct flight *f = free_flight(w);
	struct text token;

	if (f == NULL || c->at.us > stamp_now().us)
		return false;
	token = bearer(w, f->arena);
	if (text_is_none(token))
		return false;
	w->next++;
	if (c->until.us - w->provider.timeout * SECONDS < stamp_now().us)
		return true; /* it has taken too long, and another may have him */
	f->claim = *c;
	f->pull = (struct pull){
		.identifier = c->username,
		.is_user = true,
		.is_active = true,
		.provider = w->provider,
		.sent = stamp_now(),
	};
	f->question = (struct question){
		.provider = &w->provider,
		.url = pull_url(&f->pull, f->arena),
		.bearer = token,
	};
	f->exchange = remote_send(&f->question, f->arena, f);
	w->flying++;
	return true;
}

/* Whose turn it is. */
static struct sync_wanted
wanted(const struct walk *w)
{
	int64_t interval = w->provider.sync_interval;
	struct stamp now = stamp_now(), before = w->job->before;
	bool every = !stamp_is_none(before);

	return (struct sync_wanted){
		.provider = &w->provider,
		.since = { every ? now.us + sync_delay_of(interval, INT64_MAX) * SECONDS
				 : now.us - interval * SECONDS },
		.tried = every ? before : now,
		.max = (size_t)w->provider.sync_in_flight,
	};
}

/* Takes the next ones on. */
static void
refill(struct walk *w)
{
	struct sync_wanted next = wanted(w);

	w->next = 0;
	check(w, sync_claim(w->job->db, w->arena, &next, &w->queue));
	if (w->queue.n == 0)
		w->look.us = stamp_now().us + TICK * 1000;
	if (w->queue.outdated)
		end_walk(w, SYNC_STOPPED);
	else if (!w->queue.any && w->flying == 0)
		end_walk(w, SYNC_DONE);
}

/* Milliseconds until there may be something to do, answers apart. */
static int
until_next(const struct walk *w)
{
	int64_t left = TICK;

	if (!w->over && w->next < w->queue.n && w->flying < (size_t)w->provider.sync_in_flight)
		left = (w->queue.claims[w->next].at.us - stamp_now().us) / 1000 + 1;
	return left < 1 ? 1 : left > TICK ? TICK : (int)left;
}

static void
step(struct walk *w)
{
	struct reply_of_remote reply;
	void *flight;

	if (!w->over && w->next == w->queue.n && w->look.us <= stamp_now().us)
		refill(w);
	while (!w->ended && !w->over && w->next < w->queue.n && launch(w))
		;
	if (w->ended)
		return;
	if (!remote_take(&reply, &flight)) {
		remote_wait(until_next(w));
		return;
	}
	do
		land(w, flight, &reply);
	while (remote_take(&reply, &flight));
}

/* The end. */

/* Lets go of all who were taken on; whom the doubt is about comes after all who are due. */
static void
release(struct walk *w)
{
	struct db *db = w->job->db;
	struct stamp last = { stamp_now().us - w->provider.sync_interval * SECONDS };

	for (size_t i = 0; i < SYNC_IN_FLIGHT_MAX; i++) {
		struct flight *f = &w->flights[i];

		if (f->exchange != NULL) {
			remote_cancel(f->exchange);
			check(w, sync_release(db, w->arena, &f->claim, 1, STAMP_NONE));
		}
		arena_free(&f->arena);
	}
	check(w,
	    sync_release(
		db, w->arena, w->queue.claims + w->next, w->queue.n - w->next, STAMP_NONE));
	for (size_t i = 0; i < w->ndoubts; i++)
		check(w, sync_release(db, w->arena, &w->doubts[i].claim, 1, last));
}

static void
pause_provider(struct walk *w)
{
	int64_t pause = sync_pause_of(w->provider.sync_failures + 1);
	struct stamp until = { stamp_now().us + pause * SECONDS };

	log_warning("provider %.*s: nobody is compared for %lld s: %.*s",
	    TEXT_ARGS(w->provider.name), (long long)pause, TEXT_ARGS(w->problem));
	check(w, sync_pause(w->job->db, w->arena, &w->provider, until, w->problem));
}

/* Nobody else is left to tell whether it was they or the provider. */
static void
judge(struct walk *w)
{
	if (w->up) {
		find_up(w, w->arena);
		return;
	}
	w->end = SYNC_DOWN;
	w->problem = w->doubts[0].problem;
}

static bool
load(struct walk *w)
{
	struct db *db = w->job->db;
	bool found;

	db_begin(db, w->arena, false, TEXT_NONE);
	found = provider_load(db, w->job->provider, &w->provider);
	check(w, db_end(db, false));
	if (!found)
		end_walk(w, SYNC_NOBODY);
	else if (w->provider.sync_interval == 0 && stamp_is_none(w->job->before))
		end_walk(w, SYNC_UNDUE);
	return !w->ended;
}

static void
walk(struct walk *w)
{
	for (size_t i = 0; i < SYNC_IN_FLIGHT_MAX; i++)
		w->flights[i].arena = arena_new(FLIGHT_MEMORY);
	while (!w->ended) {
		step(w);
		w->over = stamp_now().us >= w->until.us;
		if ((w->over && w->flying == 0) || !w->job->go_on(w->job))
			end_walk(w, SYNC_STOPPED);
	}
	if (w->end == SYNC_DONE && w->ndoubts > 0)
		judge(w);
	release(w);
	if (w->end == SYNC_DOWN && is_outdated(w, w->arena))
		w->end = SYNC_STOPPED;
	if (w->end == SYNC_DOWN)
		pause_provider(w);
}

static void
look(struct walk *w)
{
	struct sync_wanted due = wanted(w);

	check(w, sync_enrol(w->job->db, w->arena, &w->provider));
	check(w, sync_count(w->job->db, w->arena, &due, &w->job->counts.due));
}

/* Does something with the job's provider. */
static enum sync_end
with_provider(struct sync_job *job, void (*what)(struct walk *w))
{
	struct arena *a = arena_new(WALK_MEMORY);
	struct walk *w = arena_alloc(a, sizeof(*w));
	enum sync_end end;

	w->job = job;
	w->arena = a;
	w->until = (struct stamp){ stamp_now().us + SLICE };
	if (load(w))
		what(w);
	end = w->end;
	arena_free(&a);
	return end;
}

enum sync_end
sync_look(struct sync_job *job)
{
	return with_provider(job, look);
}

enum sync_end
sync_walk(struct sync_job *job)
{
	return with_provider(job, walk);
}
