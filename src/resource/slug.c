#include "base/base.h"

#include "base/table.h"
#include "crypto/random.h"
#include "json/writer.h"
#include "resource/resource_int.h"

/* Characters of the name that a slug begins with. */
#define STEM 8

/*
 * Numbers from here on, which somebody has chosen, are none that the next would follow. One that follows the last
 * below is any of these, so that no number can block a stem.
 */
#define NUMBERS_END INT64_C(1000000000)

static bool
is_kept(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* Letters, digits and _; runs of hyphens and blanks as one hyphen, none at the ends; cut to the stem. */
static struct text
slugify(struct arena *a, struct text name)
{
	struct text folded = text_fold(a, name);
	char *s = arena_alloc(a, folded.n + 1);
	size_t n = 0, from = 0;

	for (size_t i = 0; i < folded.n; i++) {
		char c = folded.s[i];

		if (is_kept(c))
			s[n++] = c;
		else if ((c == '-' || c == ' ') && n > 0 && s[n - 1] != '-')
			s[n++] = '-';
	}
	while (n > 0 && (s[n - 1] == '-' || s[n - 1] == '_'))
		n--;
	while (from < n && (s[from] == '-' || s[from] == '_'))
		from++;
	return text_slice((struct text){ s, n }, from, from + STEM < n ? from + STEM : n);
}

/* "alice-" */
static struct text
stem_of(struct arena *a, struct text name)
{
	return arena_printf(a, "%.*s-", TEXT_ARGS(slugify(a, name)));
}

static int64_t
next_number(int64_t last)
{
	if (last + 1 < NUMBERS_END)
		return last + 1;
	return NUMBERS_END * (1 + random_below(NUMBERS_END - 1)) + random_below(NUMBERS_END);
}

struct text
slug_make(struct request *rq, const struct resource *r, struct text name)
{
	struct text stem = stem_of(rq->arena, name);
	struct value largest = { .kind = KIND_MAYBE };
	struct sql q;

	sql_init(&q, rq->arena);
	sql_add(&q, "SELECT MAX(slug_number) FROM ");
	sql_add(&q, r->table);
	sql_add(&q, " WHERE slug_stem = ");
	sql_value(&q, V(stem));
	sql_add(&q, " AND slug_number < ");
	sql_value(&q, V(NUMBERS_END));
	if (!db_row_sql(rq->db, "slug_largest", DB_READ, &q, &largest, 1) || largest.null)
		largest.i = 0;
	return arena_printf(
	    rq->arena, "%.*s%lld", TEXT_ARGS(stem), (long long)next_number(largest.i));
}

struct slugs {
	struct table
	    last; /* by stem: the largest number that was in the database, or was made since */
	struct table
	    given; /* by stem: the largest number of the slugs that drafts brought with them */
};

struct slugs *
slugs_new(struct arena *a)
{
	struct slugs *s = arena_alloc(a, sizeof(*s));

	table_init(&s->last, a);
	table_init(&s->given, a);
	return s;
}

void
slugs_forget(struct slugs *s)
{
	table_init(&s->last, s->last.arena);
}

static bool
has_slug(const struct draft *d)
{
	struct value slug = draft_value(d, "slug");

	return !slug.null && slug.t.n > 0;
}

/* Takes note of "alice-12". */
static void
note_given(struct slugs *s, struct text slug)
{
	size_t at = slug.n;
	int64_t number, *largest;

	while (at > 0 && slug.s[at - 1] != '-')
		at--;
	if (!text_to_int(text_slice(slug, at, slug.n), &number) || number >= NUMBERS_END)
		return;
	largest = table_at(&s->given, text_slice(slug, 0, at), NULL);
	if (number > *largest)
		*largest = number;
}

/*
 * Fills in the largest numbers of stems, a JSON array of them: as a table that the other is joined with, which takes
 * the server a quarter of the time of an IN with so many values, and has one text.
 */
static void
read_last(struct request *rq, struct slugs *s, const struct resource *r, struct text stems)
{
	struct value row[] = { { .kind = KIND_TEXT }, { .kind = KIND_INT } };
	struct sql q;

	sql_init(&q, rq->arena);
	sql_add(&q, "SELECT s.stem, (SELECT r.slug_number FROM ");
	sql_add(&q, r->table);
	sql_add(&q, " r WHERE r.slug_stem = s.stem AND r.slug_number < ");
	sql_value(&q, V(NUMBERS_END));
	sql_add(&q, " ORDER BY r.slug_number DESC LIMIT 1) AS largest FROM JSON_TABLE(");
	sql_value(&q, V(stems));
	sql_add(&q,
	    ", '$[*]' COLUMNS (stem VARCHAR(50) COLLATE utf8mb4_nopad_bin PATH '$')) s"
	    " HAVING largest IS NOT NULL");
	db_query_sql(rq->db, "slugs_largest", DB_READ, &q, row, countof(row));
	while (db_next(rq->db))
		*table_at(&s->last, row[0].t, NULL) = row[1].i;
}

/* Asks for the numbers of those stems that are new here. */
static void
learn_stems(struct request *rq, struct slugs *s, const struct bulk *b, const struct text *stems)
{
	struct json_writer w;
	struct buf list;
	bool is_new, any = false;

	buf_init(&list, rq->arena);
	json_writer_init(&w, rq->arena, json_sink_buf, &list, UUID_DASHED);
	json_array(&w);
	for (size_t i = 0; i < b->n; i++) {
		if (text_is_none(stems[i]))
			continue;
		(void)table_at(&s->last, stems[i], &is_new);
		if (is_new)
			json_text(&w, stems[i]);
		any = any || is_new;
	}
	json_array_end(&w);
	if (any)
		read_last(rq, s, b->resource, buf_text(&list));
}

/* The next number of the stem, in all that is known. */
static struct text
next_slug(struct request *rq, struct slugs *s, struct text stem)
{
	int64_t given = *table_at(&s->given, stem, NULL);
	int64_t *last = table_at(&s->last, stem, NULL);
	int64_t number = next_number(given > *last ? given : *last);

	if (number < NUMBERS_END)
		*last = number;
	return arena_printf(rq->arena, "%.*s%lld", TEXT_ARGS(stem), (long long)number);
}

void
slugs_make(struct request *rq, struct slugs *s, const struct bulk *b)
{
	const char *name = b->resource->slug_of;
	struct text *stems = arena_alloc(rq->arena, b->n * sizeof(*stems));

	for (size_t i = 0; i < b->n; i++) {
		if (has_slug(b->drafts[i]))
			note_given(s, draft_value(b->drafts[i], "slug").t);
		else
			stems[i] = stem_of(rq->arena, draft_value(b->drafts[i], name).t);
	}
	learn_stems(rq, s, b, stems);
	for (size_t i = 0; i < b->n; i++)
		if (!text_is_none(stems[i]))
			draft_set(b->drafts[i], "slug", V(next_slug(rq, s, stems[i])));
}
