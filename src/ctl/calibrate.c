/* What argon2id costs on this machine. */
#include "base/base.h"

#include "crypto/password.h"
#include "ctl/ctl.h"
#include "ctl/memory.h"

/* Hashes of each set, while they take less than a second; the fastest counts. */
#define ROUNDS 3

/* clang-format off */
static const struct set {
	const char *origin;
	struct password_cost cost;
} sets[] = {
	{ "OWASP", { 47104, 1, 1 } },
	{ "OWASP", { 19456, 2, 1 } },
	{ "OWASP", { 12288, 3, 1 } },
	{ "OWASP", { 9216, 4, 1 } },
	{ "OWASP", { 7168, 5, 1 } },
	{ "RFC 9106, second", { 65536, 3, 4 } },
	{ "RFC 9106, first", { 2097152, 1, 4 } },
};
/* clang-format on */

/* Microseconds of one hash; 0 when there is no memory for it. */
static int64_t
measure(struct ctl *ctl, const struct password_cost *cost)
{
	int64_t best = 0, sum = 0, there = memory_free(0, ctl->arena).free;

	if (there >= 0 && there < cost->memory)
		return 0;
	for (int i = 0; i < ROUNDS && sum < SECONDS; i++) {
		int64_t us = password_time(*cost);

		sum += us;
		if (us > 0 && (best == 0 || us < best))
			best = us;
	}
	return best;
}

static void
write_set(struct json_writer *w, const struct set *s, int64_t us)
{
	const struct maybe microseconds = { us > 0, us };

	json_object(w);
	json_member_text(w, "origin", text_from(s->origin));
	json_member_value(w, "argon2_memory", V((int64_t)s->cost.memory));
	json_member_value(w, "argon2_passes", V((int64_t)s->cost.passes));
	json_member_value(w, "argon2_lanes", V((int64_t)s->cost.lanes));
	json_member_value(w, "microseconds", V(microseconds));
	json_object_end(w);
}

static void
print_line(struct ctl *ctl, const struct set *s, int64_t us)
{
	int64_t workers = ctl->setup.config.slow_workers;

	printf("%-18s %8u KiB %6u %5u", s->origin, s->cost.memory, s->cost.passes, s->cost.lanes);
	if (us == 0)
		puts("  there is not that much memory");
	else
		printf(" %9.1f ms %9.1f %12lld MiB\n", (double)us / 1000.0,
		    (double)SECONDS / (double)us, (long long)(workers * s->cost.memory / 1024));
}

/* The i-th of the sets that are measured; NULL after the last. The first are the costs of roster.conf. */
static const struct set *
set_at(struct ctl *ctl, size_t i)
{
	struct set *own;

	if (i > 0)
		return i <= countof(sets) ? &sets[i - 1] : NULL;
	own = arena_alloc(ctl->arena, sizeof(*own));
	*own = (struct set){ "roster.conf", app_password_cost(&ctl->setup.config) };
	return own;
}

static void
print_json(struct ctl *ctl)
{
	const struct set *s;
	struct json_writer w;

	ctl_json_list(ctl, &w);
	for (size_t i = 0; (s = set_at(ctl, i)) != NULL; i++)
		write_set(&w, s, measure(ctl, &s->cost));
	ctl_json_list_end(ctl, &w);
}

static void
print_table(struct ctl *ctl)
{
	const struct set *s;

	printf("%-18s %12s %6s %5s %12s %9s %16s\n", "", "memory", "passes", "lanes", "a hash",
	    "sign-ins", "all workers");
	for (size_t i = 0; (s = set_at(ctl, i)) != NULL; i++) {
		print_line(ctl, s, measure(ctl, &s->cost));
		fflush(stdout);
	}
	printf("Sign-ins: a second, of one of the %lld slow workers.\n",
	    (long long)ctl->setup.config.slow_workers);
}

int
ctl_calibrate(struct ctl *ctl)
{
	(ctl->options.json ? print_json : print_table)(ctl);
	return CTL_GOOD;
}
