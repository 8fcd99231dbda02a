#include "base/base.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "server/meter.h"
#include "server/server_int.h"

#define METERS_MAX 2048 /* processes at the same time, those that are leaving among them */
#define NAMES_MAX 16
#define STATUSES_MAX 40
#define METHODS 8

/* Counts of one row of the route tables. */
struct route_meter {
	struct histogram duration;
	_Atomic uint64_t statuses[STATUSES_MAX];
};

/* What one process counts, and what it is doing. */
struct meter {
	_Atomic pid_t pid; /* 0: free */
	_Atomic int name;  /* in names[] */
	_Atomic int busy, waiting;
	struct tally tally;
	struct route_meter routes[]; /* the rows, and then a row for each method */
};

/* How processes have ended. */
enum ending { ENDING_LEFT, ENDING_FAILED, ENDING_KILLED, ENDINGS };

/* Shared. Starts and endings are counted by the master alone. */
struct shared {
	_Atomic int64_t gauges[GAUGES];
	_Atomic uint64_t starts[NAMES_MAX];
	_Atomic uint64_t endings[NAMES_MAX][ENDINGS];
	_Atomic size_t used; /* meters that ever had a process; the others are not touched */
	struct stamp started;
};

/* Set before the first fork and the same in all processes. */
static const struct app *app;
static struct shared *shared;
static char *meters;
static size_t meter_size, nrows;
static const char *names[NAMES_MAX];
static size_t nnames;

static struct meter *own; /* this process's; NULL: it counts for itself */

static struct meter *
meter_at(size_t i)
{
	return (struct meter *)(void *)(meters + i * meter_size);
}

static size_t
count_rows(void)
{
	size_t n = 0;

	for (size_t t = 0; t < app->ntables; t++)
		n += app->tables[t]->n;
	return n;
}

static void
list_names(void)
{
	names[nnames++] = "master";
	names[nnames++] = lane_name(LANE_API);
	names[nnames++] = lane_name(LANE_SLOW);
	must(nnames + app->nprocesses <= NAMES_MAX);
	for (size_t i = 0; i < app->nprocesses; i++)
		names[nnames++] = app->processes[i].name;
}

void
meter_map(const struct app *the_app)
{
	must(nstatuses <= STATUSES_MAX);
	app = the_app;
	nrows = count_rows();
	list_names();
	meter_size = sizeof(struct meter) + (nrows + METHODS) * sizeof(struct route_meter);
	meters = shm_map(METERS_MAX * meter_size);
	shared = shm_map(sizeof(*shared));
	shared->started = stamp_now();
}

static int
name_index(const char *name)
{
	for (size_t i = 0; i < nnames; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	unreachable();
}

static void
raise_used(size_t n)
{
	size_t used = atomic_load(&shared->used);

	while (used < n && !atomic_compare_exchange_weak(&shared->used, &used, n))
		continue;
}

void
meter_enter(const char *name)
{
	for (size_t i = 0; i < METERS_MAX; i++) {
		struct meter *m = meter_at(i);
		pid_t none = 0;

		if (!atomic_compare_exchange_strong(&m->pid, &none, getpid()))
			continue;
		raise_used(i + 1);
		m->name = name_index(name);
		own = m;
		count_into(&m->tally, shared->gauges);
		atomic_fetch_add(&shared->starts[m->name], 1);
		return;
	}
	own = NULL;
	log_warning("there are too many processes: this one is not counted");
}

static enum ending
ending_of(int status)
{
	if (!WIFEXITED(status))
		return ENDING_KILLED;
	return WEXITSTATUS(status) == CHILD_LEFT ? ENDING_LEFT : ENDING_FAILED;
}

void
meter_ended(pid_t pid, int status)
{
	for (size_t i = 0; i < atomic_load(&shared->used); i++) {
		struct meter *m = meter_at(i);

		if (atomic_load(&m->pid) != pid)
			continue;
		atomic_fetch_add(&shared->endings[m->name][ending_of(status)], 1);
		atomic_store(&m->busy, 0);
		atomic_store(&m->waiting, 0);
		atomic_store(&m->pid, 0);
		return;
	}
}

void
meter_busy(bool busy)
{
	if (own != NULL)
		atomic_store_explicit(&own->busy, busy, memory_order_relaxed);
}

void
meter_waiting(int n)
{
	if (own != NULL)
		atomic_store_explicit(&own->waiting, n, memory_order_relaxed);
}

/* A row's number over all tables; after the last row, the method's. */
static size_t
row_of(const struct route *route, enum method method)
{
	size_t before = 0;

	for (size_t t = 0; route != NULL && t < app->ntables; t++) {
		const struct route_table *table = app->tables[t];

		if (route >= table->routes && route < table->routes + table->n)
			return before + (size_t)(route - table->routes);
		before += table->n;
	}
	return nrows + (size_t)__builtin_ctz(method);
}

static size_t
status_index(int status)
{
	size_t i = 0;

	while (i < nstatuses && statuses[i].code != status)
		i++;
	must(i < nstatuses);
	return i;
}

void
meter_request(const struct route *route, enum method method, int status, int64_t microseconds)
{
	struct route_meter *r;

	if (own == NULL)
		return;
	r = &own->routes[row_of(route, method)];
	histogram_add(&r->duration, microseconds);
	atomic_fetch_add_explicit(&r->statuses[status_index(status)], 1, memory_order_relaxed);
}

static void
add_histogram(struct meter_histogram *to, const struct histogram *h)
{
	to->sum += atomic_load_explicit(&h->sum, memory_order_relaxed);
	for (size_t i = 0; i < BUCKETS; i++) {
		uint64_t n = atomic_load_explicit(&h->buckets[i], memory_order_relaxed);

		to->buckets[i] += n;
		to->count += n;
	}
}

static void
add_route(struct meter_route *to, const struct route_meter *r)
{
	add_histogram(&to->duration, &r->duration);
	for (size_t i = 0; i < nstatuses; i++)
		to->statuses[i] += atomic_load_explicit(&r->statuses[i], memory_order_relaxed);
}

int64_t
private_memory(pid_t pid)
{
	char path[64];
	long resident = 0, shared_pages = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	if (fscanf(f, "%*d %ld %ld", &resident, &shared_pages) != 2)
		resident = shared_pages = 0;
	fclose(f);
	return (int64_t)(resident - shared_pages) * sysconf(_SC_PAGESIZE);
}

static void
add_process(struct meter_process *to, struct meter *m)
{
	pid_t pid = atomic_load(&m->pid);

	if (pid == 0)
		return;
	to->running++;
	to->busy += atomic_load(&m->busy);
	to->waiting += atomic_load(&m->waiting);
	to->memory += private_memory(pid);
}

static void
add_meter(struct meter_totals *t, struct meter *m)
{
	for (size_t i = 0; i < TALLIES; i++)
		t->counters[i] += atomic_load_explicit(&m->tally.counters[i], memory_order_relaxed);
	for (size_t i = 0; i < TIMINGS; i++)
		add_histogram(&t->timings[i], &m->tally.timings[i]);
	for (size_t i = 0; i < t->nroutes; i++)
		add_route(&t->routes[i], &m->routes[i]);
	add_process(&t->processes[m->name], m);
}

static void
list_routes(struct meter_totals *t, struct arena *a)
{
	size_t n = 0;

	t->nroutes = nrows + METHODS;
	t->routes = arena_alloc(a, t->nroutes * sizeof(*t->routes));
	for (size_t i = 0; i < app->ntables; i++)
		for (size_t k = 0; k < app->tables[i]->n; k++) {
			const struct route *r = &app->tables[i]->routes[k];

			t->routes[n++] = (struct meter_route){ .method = method_name(r->method),
				.pattern = r->pattern };
		}
	for (size_t i = 0; i < METHODS; i++)
		t->routes[n++] =
		    (struct meter_route){ .method = method_name(1 << i), .pattern = "none" };
	for (size_t i = 0; i < n; i++)
		t->routes[i].statuses = arena_alloc(a, nstatuses * sizeof(uint64_t));
}

static void
list_processes(struct meter_totals *t, struct arena *a)
{
	t->nprocesses = nnames;
	t->processes = arena_alloc(a, nnames * sizeof(*t->processes));
	for (size_t i = 0; i < nnames; i++)
		t->processes[i] = (struct meter_process){
			.name = names[i],
			.works = i == (size_t)LANE_API + 1 || i == (size_t)LANE_SLOW + 1,
			.starts = atomic_load(&shared->starts[i]),
			.left = atomic_load(&shared->endings[i][ENDING_LEFT]),
			.failed = atomic_load(&shared->endings[i][ENDING_FAILED]),
			.killed = atomic_load(&shared->endings[i][ENDING_KILLED]),
		};
}

const struct meter_totals *
meter_totals(struct arena *a)
{
	struct meter_totals *t;

	if (shared == NULL)
		return NULL;
	t = arena_alloc(a, sizeof(*t));
	t->started = shared->started;
	list_routes(t, a);
	list_processes(t, a);
	for (size_t i = 0; i < GAUGES; i++)
		t->gauges[i] = atomic_load(&shared->gauges[i]);
	for (size_t i = 0; i < atomic_load(&shared->used); i++)
		add_meter(t, meter_at(i));
	return t;
}
