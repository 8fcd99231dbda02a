#include "base/base.h"

#include "base/log.h"
#include "server/meter.h"
#include "server/server_int.h"

static int
reply_not_allowed(struct request *rq, const struct match *match)
{
	reply_header(rq, "Allow", route_allow(match->allowed, rq->arena));
	if (rq->method == METHOD_OPTIONS)
		return reply_empty(rq, 200);
	return reply_detail(rq, 405, "Method \"%.*s\" not allowed.", TEXT_ARGS(rq->method_name));
}

static int
reply_no_route(struct request *rq, const struct match *match)
{
	if (match->slash_missing && rq->method & (METHOD_GET | METHOD_HEAD))
		return reply_redirect(rq,
		    arena_printf(rq->arena, "%.*s/%s%.*s", TEXT_ARGS(request_url(rq)),
			rq->query.n > 0 ? "?" : "", TEXT_ARGS(rq->query)));
	return reply_not_found(rq);
}

/* 0, or the answer to a caller who is none of those. */
static int
refuse_who(struct request *rq, enum who who)
{
	if ((rq->caller.who & who) != 0)
		return 0;
	if (rq->caller.who == ANONYMOUS)
		return reply_unauthorized(rq, "Authentication credentials were not provided.");
	return reply_forbidden(rq);
}

/* Whom a path lets in: nobody needs a right to be told that there is nothing to read. */
static enum who
who_of_path(const struct request *rq, const struct match *match)
{
	if (match->route == NULL && (rq->method & METHODS_SAFE) != 0)
		return match->path->who | SIGNED_IN;
	return match->path->who;
}

static int
handle(struct worker *w, struct request *rq, const struct route *route)
{
	int status = w->app->before != NULL ? w->app->before(rq) : 0;

	if (status != 0)
		return status;
	status = route->handle(rq);
	if (status < 400 && w->app->after != NULL)
		w->app->after(rq);
	return status;
}

/* The order of the checks is the API's: who, then what the path's guard says, then the method. */
static int
dispatch(struct worker *w, struct request *rq, const struct match *match)
{
	int status;

	rq->caller = (struct caller){ .who = ANONYMOUS };
	if (match->path == NULL || rq->method == METHOD_OPTIONS)
		return match->path == NULL ? reply_no_route(rq, match)
					   : reply_not_allowed(rq, match);
	if (w->app->authenticate != NULL && !match->path->no_credentials &&
	    (status = w->app->authenticate(rq)) != 0)
		return status;
	if ((status = refuse_who(rq, who_of_path(rq, match))) != 0)
		return status;
	if (match->path->guard != NULL && (status = match->path->guard(rq)) != 0)
		return status;
	if (match->route == NULL)
		return reply_not_allowed(rq, match);
	if ((status = refuse_who(rq, match->route->who)) != 0)
		return status;
	if (!match->route->any_accept && !request_accepts_json(rq))
		return reply_not_acceptable(rq);
	if ((w->lanes & 1u << match->route->lane) == 0) {
		log_error("this route belongs to the %s lane; make nginx's map again with "
			  "rosterctl nginx",
		    lane_name(match->route->lane));
		reply_trouble(rq, DB_AGAIN);
		return rq->reply.status;
	}
	return handle(w, rq, match->route);
}

static bool
needs_no_database(const struct match *match)
{
	return match->route != NULL && match->route->without_database;
}

/* Runs the step that the handler has asked for, if it has. */
static bool
take_step(struct request *rq)
{
	void (*step)(struct request * rq) = rq->step;

	rq->step = NULL;
	if (step != NULL)
		step(rq);
	return step != NULL;
}

/* The one place that commits and retries. */
static int
transact(struct worker *w, struct request *rq, const struct match *match)
{
	bool may_write = (rq->method & METHODS_SAFE) == 0;
	int statements = 0;
	enum db_result end;
	int status;

	if (w->db == NULL) {
		(void)dispatch(w, rq, match);
		return 0;
	}
	for (int tries = 1;; tries++) {
		reply_clear(rq);
		rq->commit = false;
		rq->tallied = TALLY_NONE;
		rq->step = NULL;
		db_begin(w->db, rq->arena, may_write, rq->id);
		status = dispatch(w, rq, match);
		end = db_end(w->db, status < 400 || rq->commit);
		statements += db_statements(w->db);
		if (end == DB_NONE && take_step(rq)) {
			tries--;
			continue;
		}
		if (end != DB_AGAIN || tries == DB_TRIES || reply_started(rq) ||
		    needs_no_database(match))
			break;
		count(TALLY_DATABASE_RETRY);
		db_back_off(tries);
	}
	if (needs_no_database(match))
		return statements;
	if (end == DB_AGAIN && rq->idempotency_busy) {
		reply_clear(rq);
		(void)reply_detail(
		    rq, 409, "A request with the same Idempotency-Key is still being processed.");
	} else if (end != DB_NONE) {
		reply_trouble(rq, end);
	}
	return statements;
}

/* How long the request has waited for this worker, by nginx's clock, which has milliseconds. */
static void
count_wait(const struct request *rq, const struct route *route, int64_t took)
{
	struct text at = text_from(rq->transport.param(rq->transport.ctx, "REQUEST_QUEUED"));
	struct text seconds, rest = at;
	int64_t s, ms;

	if (text_is_none(at) || !text_split(&rest, '.', &seconds) || !text_to_int(seconds, &s) ||
	    !text_to_int(rest, &ms))
		return;
	count_time(route != NULL && route->lane == LANE_SLOW ? TIMING_QUEUE_SLOW : TIMING_QUEUE_API,
	    stamp_now().us - took - s * SECONDS - ms * 1000);
}

static void
count_answer(const struct request *rq, const struct route *route, int64_t took)
{
	meter_request(route, rq->method, rq->reply.status, took);
	if (rq->reply.status < 500)
		count(rq->tallied);
	count_wait(rq, route, took);
}

static void
log_answer(const struct request *rq, struct log_context *context, int64_t took, int statements)
{
	context->user = rq->caller.uuid;
	context->impersonator = rq->caller.impersonator;
	log_request(rq->reply.status, took, statements);
}

bool
serve(struct worker *w, const struct transport *transport)
{
	struct request rq = {
		.arena = w->arena,
		.db = w->db,
		.config = &w->setup->config,
		.keyring = w->setup->keyring,
		.tables = w->app->tables,
		.ntables = w->app->ntables,
		.transport = *transport,
		.reply.body = w->body,
	};
	struct log_context context = { 0 };
	int64_t began = stamp_monotonic(), took;
	struct match match = { 0 };
	int statements = 0;

	meter_busy(true);
	rq.now = stamp_now();
	log_set_context(&context);
	if (request_init(&rq)) {
		match = route_match(&rq, w->app->tables, w->app->ntables);
		rq.route = match.route != NULL ? match.route : match.path;
		context = (struct log_context){
			.request_id = rq.id,
			.method = rq.method_name,
			.route = text_from(rq.route != NULL ? rq.route->pattern : "-"),
		};
		statements = transact(w, &rq, &match);
	}
	reply_send(&rq);
	took = stamp_monotonic() - began;
	count_answer(&rq, match.route, took);
	log_answer(&rq, &context, took, statements);
	meter_busy(false);
	log_set_context(NULL);
	arena_reset(w->arena);
	return !rq.reply.aborted && !rq.reply.gone;
}
