#include "base/base.h"

#include "users/users_int.h"

/* Characters of the name that a slug begins with. */
#define STEM 8

struct numbered {
	struct maybe largest;
};

static const struct db_column numbered_columns[] = { COLUMN(numbered, largest) };

static const struct db_stmt slug_largest = {
	.name = "slug_largest",
	.sql = "SELECT MAX(slug_number) FROM users WHERE slug_stem = ?",
	.columns = numbered_columns,
	.ncolumns = countof(numbered_columns),
};

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
slug_make(struct request *rq, struct text username)
{
	struct text stem =
	    arena_printf(rq->arena, "%.*s-", TEXT_ARGS(slugify(rq->arena, username)));
	struct numbered found = { 0 };

	if (!db_row(rq->db, &slug_largest, &found, V(stem)))
		found.largest.n = 0;
	return arena_printf(rq->arena, "%.*s%lld", TEXT_ARGS(stem), (long long)found.largest.n + 1);
}
