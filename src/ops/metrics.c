#include "base/base.h"

#include "ops/ops_int.h"
#include "server/meter.h"

struct family;

/* Where the numbers come from and the text goes to. */
struct output {
	struct buf text;
	const struct meter_totals *totals;
};

enum type { TYPE_COUNTER, TYPE_GAUGE, TYPE_HISTOGRAM };

static const char *const type_names[] = { "counter", "gauge", "histogram" };

/* One number of a family: labels as they are printed, and which counter, gauge or timing. */
struct series {
	const char *labels;
	int index;
};

/* Metrics of one name. */
struct family {
	const char *name, *help;
	enum type type;
	const struct series *series; /* of meter_totals, by type ... */
	size_t nseries;
	void (*write)(struct output *p, const struct family *f); /* ... or others */
	size_t offset; /* of write_processes and write_lanes: a member of struct meter_process */
};

static void
write_number(struct output *p, const struct family *f, const char *labels, int64_t n)
{
	buf_printf(&p->text, "%s{%s} %lld\n", f->name, labels, (long long)n);
}

/* Microseconds as seconds. */
static void
write_seconds(struct output *p, uint64_t microseconds)
{
	buf_printf(&p->text, "%llu.%06llu\n", (unsigned long long)(microseconds / SECONDS),
	    (unsigned long long)(microseconds % SECONDS));
}

static void
write_histogram(
    struct output *p, const struct family *f, const char *labels, const struct meter_histogram *h)
{
	const char *comma = *labels != '\0' ? "," : "";
	unsigned long long below = 0;

	for (size_t i = 0; i < BUCKETS - 1; i++) {
		below += h->buckets[i];
		buf_printf(&p->text, "%s_bucket{%s%sle=\"%g\"} %llu\n", f->name, labels, comma,
		    (double)bucket_bounds[i] / SECONDS, below);
	}
	buf_printf(&p->text, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", f->name, labels, comma,
	    (unsigned long long)h->count);
	buf_printf(&p->text, "%s_count{%s} %llu\n", f->name, labels, (unsigned long long)h->count);
	buf_printf(&p->text, "%s_sum{%s} ", f->name, labels);
	write_seconds(p, h->sum);
}

static void
write_series(struct output *p, const struct family *f)
{
	for (size_t i = 0; i < f->nseries; i++) {
		const struct series *s = &f->series[i];

		if (f->type == TYPE_HISTOGRAM)
			write_histogram(p, f, s->labels, &p->totals->timings[s->index]);
		else if (f->type == TYPE_GAUGE)
			write_number(p, f, s->labels, p->totals->gauges[s->index]);
		else
			write_number(p, f, s->labels, (int64_t)p->totals->counters[s->index]);
	}
}

/* Only what was asked for: most rows times most statuses never are. */
static void
write_requests(struct output *p, const struct family *f)
{
	for (size_t i = 0; i < p->totals->nroutes; i++) {
		const struct meter_route *r = &p->totals->routes[i];

		for (size_t s = 0; s < nstatuses; s++)
			if (r->statuses[s] > 0)
				buf_printf(&p->text,
				    "%s{method=\"%s\",route=\"%s\",status=\"%d\"} %llu\n", f->name,
				    r->method, r->pattern, statuses[s].code,
				    (unsigned long long)r->statuses[s]);
	}
}

static void
write_durations(struct output *p, const struct family *f)
{
	for (size_t i = 0; i < p->totals->nroutes; i++) {
		const struct meter_route *r = &p->totals->routes[i];

		if (r->duration.count > 0)
			write_histogram(p, f,
			    arena_printf(
				p->text.arena, "method=\"%s\",route=\"%s\"", r->method, r->pattern)
				.s,
			    &r->duration);
	}
}

static void
write_process(struct output *p, const struct family *f, const char *label,
    const struct meter_process *process)
{
	const int64_t *n = (const int64_t *)(const void *)((const char *)process + f->offset);

	write_number(p, f, arena_printf(p->text.arena, "%s=\"%s\"", label, process->name).s, *n);
}

static void
write_processes(struct output *p, const struct family *f)
{
	for (size_t i = 0; i < p->totals->nprocesses; i++)
		write_process(p, f, "process", &p->totals->processes[i]);
}

static void
write_lanes(struct output *p, const struct family *f)
{
	for (size_t i = 0; i < p->totals->nprocesses; i++)
		if (p->totals->processes[i].works)
			write_process(p, f, "lane", &p->totals->processes[i]);
}

static void
write_endings(struct output *p, const struct family *f)
{
	static const char *const reasons[] = { "left", "failed", "killed" };

	for (size_t i = 0; i < p->totals->nprocesses; i++) {
		const struct meter_process *process = &p->totals->processes[i];
		const uint64_t n[] = { process->left, process->failed, process->killed };

		for (size_t r = 0; r < countof(reasons); r++)
			write_number(p, f,
			    arena_printf(p->text.arena, "process=\"%s\",reason=\"%s\"",
				process->name, reasons[r])
				.s,
			    (int64_t)n[r]);
	}
}

static void
write_build(struct output *p, const struct family *f)
{
	write_number(p, f, "version=\"" PACKAGE_VERSION "\"", 1);
}

static void
write_start(struct output *p, const struct family *f)
{
	buf_printf(&p->text, "%s ", f->name);
	write_seconds(p, (uint64_t)p->totals->started.us);
}

#define SERIES(table) .series = (table), .nseries = countof(table), .write = write_series

static const struct series signins[] = {
	{ "result=\"good\"", TALLY_SIGNIN_GOOD },
	{ "result=\"bad\"", TALLY_SIGNIN_BAD },
	{ "result=\"locked\"", TALLY_SIGNIN_LOCKED },
	{ "result=\"throttled\"", TALLY_SIGNIN_THROTTLED },
};

static const struct series database_errors[] = {
	{ "kind=\"again\"", TALLY_DATABASE_AGAIN },
	{ "kind=\"duplicate\"", TALLY_DATABASE_DUPLICATE },
	{ "kind=\"failed\"", TALLY_DATABASE_FAILED },
	{ "kind=\"unsure\"", TALLY_DATABASE_UNSURE },
};

static const struct series connections[] = { { "", TALLY_DATABASE_CONNECTION } };
static const struct series retries[] = { { "", TALLY_DATABASE_RETRY } };
static const struct series statements[] = { { "", TIMING_STATEMENT } };
static const struct series commits[] = { { "", TIMING_COMMIT } };
static const struct series hashes[] = { { "", TIMING_HASH } };

static const struct series queues[] = {
	{ "lane=\"api\"", TIMING_QUEUE_API },
	{ "lane=\"slow\"", TIMING_QUEUE_SLOW },
};

static const struct series mails[] = {
	{ "result=\"delivered\"", TALLY_MAIL_DELIVERED },
	{ "result=\"deferred\"", TALLY_MAIL_DEFERRED },
	{ "result=\"failed\"", TALLY_MAIL_FAILED },
};

static const struct series outbox[] = {
	{ "state=\"waiting\"", GAUGE_MAIL_WAITING },
	{ "state=\"retrying\"", GAUGE_MAIL_RETRYING },
	{ "state=\"given_up\"", GAUGE_MAIL_GIVEN_UP },
};

/* clang-format off */
static const struct family families[] = {
	{ .name = "roster_build_info", .type = TYPE_GAUGE, .write = write_build,
	  .help = "Always 1; the label is the version." },
	{ .name = "process_start_time_seconds", .type = TYPE_GAUGE, .write = write_start,
	  .help = "When the service started, since 1970." },

	{ .name = "roster_http_requests_total", .type = TYPE_COUNTER, .write = write_requests,
	  .help = "Answered requests by row of the route tables (HEAD counts as GET) and status; "
		  "route none: no row has answered." },
	{ .name = "roster_http_request_duration_seconds", .type = TYPE_HISTOGRAM,
	  .write = write_durations,
	  .help = "Time from a worker's start on a request to its answer's end." },
	{ .name = "roster_queue_duration_seconds", .type = TYPE_HISTOGRAM, SERIES(queues),
	  .help = "Time from nginx to a worker's start on the request." },
	{ .name = "roster_queue_requests", .type = TYPE_GAUGE, .write = write_lanes,
	  .offset = offsetof(struct meter_process, waiting),
	  .help = "Requests that busy workers have seen waiting for them." },
	{ .name = "roster_workers_busy", .type = TYPE_GAUGE, .write = write_lanes,
	  .offset = offsetof(struct meter_process, busy),
	  .help = "Workers that serve a request, this one among them." },
	{ .name = "roster_processes", .type = TYPE_GAUGE, .write = write_processes,
	  .offset = offsetof(struct meter_process, running),
	  .help = "Processes that run, those that hand over to a successor among them." },
	{ .name = "roster_process_private_memory_bytes", .type = TYPE_GAUGE,
	  .write = write_processes, .offset = offsetof(struct meter_process, memory),
	  .help = "Resident memory that the processes do not share." },
	{ .name = "roster_process_starts_total", .type = TYPE_COUNTER, .write = write_processes,
	  .offset = offsetof(struct meter_process, starts),
	  .help = "Processes that were started." },
	{ .name = "roster_process_exits_total", .type = TYPE_COUNTER, .write = write_endings,
	  .help = "Processes that have ended: left in order, failed, or were killed by a signal." },

	{ .name = "roster_database_statement_duration_seconds", .type = TYPE_HISTOGRAM,
	  SERIES(statements),
	  .help = "Time until a statement's result begins to arrive, connecting included." },
	{ .name = "roster_database_commit_duration_seconds", .type = TYPE_HISTOGRAM,
	  SERIES(commits), .help = "Time of a COMMIT." },
	{ .name = "roster_database_connections_total", .type = TYPE_COUNTER, SERIES(connections),
	  .help = "Connections that were made." },
	{ .name = "roster_database_retries_total", .type = TYPE_COUNTER, SERIES(retries),
	  .help = "Transactions that were run again." },
	{ .name = "roster_database_errors_total", .type = TYPE_COUNTER, SERIES(database_errors),
	  .help = "Failed transactions by what the failure means: to be run again, a duplicate, "
		  "permanent, or unsure whether it was committed." },

	{ .name = "roster_signins_total", .type = TYPE_COUNTER, SERIES(signins),
	  .help = "Passwords that were tried, and refusals to try one." },
	{ .name = "roster_password_hash_duration_seconds", .type = TYPE_HISTOGRAM, SERIES(hashes),
	  .help = "Time of hashing a password with argon2id." },

	{ .name = "roster_mails_total", .type = TYPE_COUNTER, SERIES(mails),
	  .help = "Tries to deliver a mail." },
	{ .name = "roster_mail_outbox", .type = TYPE_GAUGE, SERIES(outbox),
	  .help = "Mails in the database, looked at every few seconds." },
};
/* clang-format on */

static void
write_family(struct output *p, const struct family *f)
{
	buf_printf(&p->text, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name,
	    type_names[f->type]);
	f->write(p, f);
}

int
metrics(struct request *rq)
{
	struct output p = { .totals = meter_totals(rq->arena) };
	struct text text;

	if (p.totals == NULL)
		return reply_not_found(rq);
	buf_init(&p.text, rq->arena);
	for (size_t i = 0; i < countof(families); i++)
		write_family(&p, &families[i]);
	reply_header(rq, "Cache-Control", T("no-store"));
	reply_text(rq, 200);
	reply_header(rq, "Content-Type", T("text/plain; version=0.0.4; charset=utf-8"));
	text = buf_text(&p.text);
	reply_sink(rq, text.s, text.n);
	return rq->reply.status;
}
