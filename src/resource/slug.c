#include "base/base.h"

#include "resource/resource_int.h"

/* Characters of the name that a slug begins with. */
#define STEM 8

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

struct text
slug_make(struct request *rq, const struct resource *r, struct text name)
{
	struct text stem = arena_printf(rq->arena, "%.*s-", TEXT_ARGS(slugify(rq->arena, name)));
	struct value largest = { .kind = KIND_MAYBE };
	struct sql q;

	sql_init(&q, rq->arena);
	sql_add(&q, "SELECT MAX(slug_number) FROM ");
	sql_add(&q, r->table);
	sql_add(&q, " WHERE slug_stem = ");
	sql_value(&q, V(stem));
	if (!db_row_sql(rq->db, "slug_largest", DB_READ, &q, &largest, 1) || largest.null)
		largest.i = 0;
	return arena_printf(rq->arena, "%.*s%lld", TEXT_ARGS(stem), (long long)largest.i + 1);
}
