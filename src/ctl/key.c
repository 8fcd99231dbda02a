/* rosterctl key: keys, and what they have sealed. */
#include "base/base.h"

#include "crypto/seal.h"
#include "ctl/ctl.h"
#include "ctl/progress.h"
#include "server/sealed.h"

#define BATCH_MEMORY \
	((size_t)2 * 1024 * 1024 * 1024) /* of address space: kept answers may be long */

/* The key of a file's line, "id hex", after its comments. */
static void
print_key(struct ctl *ctl, struct text file)
{
	struct json_writer w;
	struct text line, id;
	int64_t number = 0;

	while (text_split(&file, '\n', &line) && text_starts(line, T("#")))
		;
	must(text_split(&line, ' ', &id) && text_to_int(id, &number));
	ctl_json(ctl, &w);
	json_object(&w);
	json_member_value(&w, "id", V(number));
	json_member_text(&w, "key", line);
	json_object_end(&w);
	ctl_json_end(&w);
}

int
ctl_key_new(struct ctl *ctl)
{
	struct text file = keyring_generate(ctl->arena);

	if (ctl->options.json)
		print_key(ctl, file);
	else
		ctl_print(file);
	return CTL_GOOD;
}

/* What was found in a column, and what is left of it. */
struct found {
	int64_t older, left;
	struct reseal walk;
};

/* Of all columns. */
struct resealing {
	struct ctl *ctl;
	struct arena *batch;
	struct progress progress;
	int64_t done, all;
	struct found *found;
};

static bool
count_all(struct resealing *r)
{
	const struct ctl *ctl = r->ctl;

	for (size_t i = 0; i < roster.nsealed; i++) {
		struct found *f = &r->found[i];

		if (!sealed_count(
			ctl->db, ctl->arena, ctl->setup.keyring, roster.sealed[i], &f->older))
			return false;
		f->left = f->older;
		r->all += f->older;
	}
	return true;
}

static bool
reseal_column(struct resealing *r, size_t i)
{
	const struct ctl *ctl = r->ctl;
	struct found *f = &r->found[i];
	int64_t n = 1;

	f->walk = (struct reseal){ roster.sealed[i], ctl->setup.keyring, .after = 0 };
	while (n > 0 && !ctl_interrupted()) {
		n = reseal_batch(ctl->db, r->batch, &f->walk);
		arena_reset(r->batch);
		r->done += n;
		progress_show(&r->progress, r->done, r->done > r->all ? r->done : r->all, r->done);
	}
	return n >= 0 &&
	    sealed_count(ctl->db, ctl->arena, ctl->setup.keyring, roster.sealed[i], &f->left);
}

static bool
reseal_all(struct resealing *r)
{
	bool good = true;

	ctl_catch_interrupts();
	r->batch = arena_new(BATCH_MEMORY);
	progress_begin(&r->progress, "values");
	for (size_t i = 0; i < roster.nsealed && good; i++)
		good = reseal_column(r, i);
	progress_clear(&r->progress);
	arena_free(&r->batch);
	return good;
}

static void
print_found(const struct resealing *r, int64_t *left)
{
	bool json = r->ctl->options.json;
	struct json_writer w;

	ctl_json_list(r->ctl, &w);
	for (size_t i = 0; i < roster.nsealed; i++) {
		const struct found *f = &r->found[i];
		const char *name = roster.sealed[i]->name;

		*left += f->left;
		if (json) {
			json_object(&w);
			json_member_text(&w, "values", text_from(name));
			json_member_value(&w, "older", V(f->older));
			json_member_value(&w, "resealed", V(f->walk.resealed));
			json_member_value(&w, "lost", V(f->walk.lost));
			json_member_value(&w, "left", V(f->left));
			json_object_end(&w);
		} else if (f->older > 0) {
			printf("%s: %lld by an older key, resealed %lld, left %lld\n", name,
			    (long long)f->older, (long long)f->walk.resealed, (long long)f->left);
		}
	}
	ctl_json_list_end(r->ctl, &w);
}

/* Why some are left. */
static int
report_left(const struct resealing *r, int64_t left)
{
	int64_t lost = 0;

	for (size_t i = 0; i < roster.nsealed; i++)
		lost += r->found[i].walk.lost;
	if (ctl_interrupted())
		return ctl_error(CTL_FAILED, "interrupted; run it again for the rest");
	if (lost > 0)
		(void)ctl_error(0, "no key of the file opens %lld of them", (long long)lost);
	if (left > lost)
		(void)ctl_error(0,
		    "%lld are in use, or rosterd still seals with an older key: reload it on each "
		    "host, and run this again",
		    (long long)(left - lost));
	return CTL_PARTLY;
}

int
ctl_key_reseal(struct ctl *ctl)
{
	struct resealing r = {
		.ctl = ctl,
		.found = arena_alloc(ctl->arena, roster.nsealed * sizeof(struct found)),
	};
	bool good = count_all(&r) && (ctl->options.dry_run || reseal_all(&r));
	int64_t left = 0;

	if (!good)
		return ctl_error(CTL_FAILED, "the database failed; run it again for the rest");
	print_found(&r, &left);
	return left == 0 || ctl->options.dry_run ? CTL_GOOD : report_left(&r, left);
}
