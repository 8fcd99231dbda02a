#include "base/base.h"

#include "http/page.h"
#include "resource/resource_int.h"

/* "(SELECT COUNT(*) FROM users u WHERE ...)" */
static void
add_total(struct sql *q, const struct resource *r, struct sql *where)
{
	sql_add(q, "(SELECT COUNT(*) FROM ");
	sql_add(q, r->table);
	sql_add(q, " ");
	sql_add(q, r->alias);
	sql_append(q, where);
	sql_add(q, ")");
}

static void
add_limit(struct sql *q, int64_t rows, int64_t skipped)
{
	sql_add(q, " LIMIT ");
	sql_value(q, V(rows));
	if (skipped > 0) {
		sql_add(q, " OFFSET ");
		sql_value(q, V(skipped));
	}
}

/* A list that is being read. */
struct listing {
	struct selection s;
	struct ordering order;
	struct sql where;
	struct page page;
};

/* Adds what the rows are ordered by, for the cursor of the next page. */
static void
add_order_values(const struct ordering *o, struct sql *q)
{
	for (size_t i = 0; i < o->n; i++) {
		sql_add(q, ", ");
		sql_add(q, o->terms[i].expression);
	}
}

/* Adds the values as columns o0, o1, ... and returns the order by these in a table page_keys. */
static struct ordering
add_named_values(struct request *rq, const struct ordering *o, struct sql *q)
{
	struct ordering named = *o;

	for (size_t i = 0; i < o->n; i++) {
		sql_add(q, ", ");
		sql_add(q, o->terms[i].expression);
		sql_add(q, arena_printf(rq->arena, " AS o%zu", i).s);
		named.terms[i].expression = arena_printf(rq->arena, "page_keys.o%zu", i).s;
	}
	return named;
}

/*
 * The keys of a page's rows, and the total; returns their order in a table page_keys. By number, from the cursor
 * on if there is one; of the last page, whose number only the total tells, as many from the end as a page may
 * have: the first of them may belong to the page before.
 */
static struct ordering
select_keys(struct request *rq, struct listing *l, struct sql *q)
{
	const struct resource *r = l->s.resource;
	bool last = l->page.number == 0;
	struct value first[ORDER_MAX];
	int64_t from = last ? 0 : cursor_read(rq, &l->order, first);
	struct ordering named;

	sql_add(q, "SELECT ");
	sql_add(q, r->alias);
	sql_add(q, ".id, ");
	add_total(q, r, &l->where);
	sql_add(q, " AS total");
	named = add_named_values(rq, &l->order, q);
	sql_add(q, " FROM ");
	sql_add(q, r->table);
	sql_add(q, " ");
	sql_add(q, r->alias);
	sql_append(q, &l->where);
	if (from > 0 && from <= l->page.number)
		ordering_from(&l->order, q, first);
	else
		from = 1;
	ordering_add(&l->order, q, last);
	add_limit(q, l->page.size, last ? 0 : (l->page.number - from) * l->page.size);
	return named;
}

/* A page in one statement: which rows it has is known, and in which order, before they get wide. */
static void
select_page(struct request *rq, struct listing *l, struct sql *q)
{
	struct ordering named;
	struct sql keys;

	sql_init(&keys, rq->arena);
	named = select_keys(rq, l, &keys);

	sql_add(q, "SELECT ");
	selection_add(&l->s, q);
	sql_add(q, ", page_keys.total");
	add_order_values(&named, q);
	sql_add(q, " FROM (");
	sql_append(q, &keys);
	sql_add(q, ") page_keys JOIN ");
	selection_from(&l->s, q);
	sql_add(q, " ON ");
	sql_add(q, l->s.resource->alias);
	sql_add(q, ".id = page_keys.id");
	if (l->s.resource->beside != NULL)
		l->s.resource->beside(rq, q);
	ordering_add(&named, q, false);
}

/* HEAD: the count is all that is asked for. */
static int
answer_count(struct request *rq, const struct resource *r, struct sql *where, struct page *page)
{
	struct value total = { .kind = KIND_INT };
	struct sql q;

	sql_init(&q, rq->arena);
	sql_add(&q, "SELECT ");
	add_total(&q, r, where);
	if (!db_row_sql(rq->db, r->name, DB_READ, &q, &total, 1))
		return reply_invalid_page(rq); /* a failure, which the worker answers instead */
	if (page->number == 0)
		page->number = page_count(page, total.i);
	if (page->number > page_count(page, total.i))
		return reply_invalid_page(rq);
	page_headers(rq, page, total.i);
	return reply_empty(rq, 200);
}

static int
answer_empty(struct request *rq, struct page *page)
{
	if (page->number > 1)
		return reply_invalid_page(rq);
	page->number = 1;
	page_headers(rq, page, 0);
	json_array(reply_json(rq, 200));
	json_array_end(&rq->reply.json);
	return reply_end(rq);
}

/* Becomes the last page; leaves out what select_keys() has found of the page before. */
static void
turn_to_last(struct request *rq, struct page *page, int64_t total)
{
	int64_t rows = total < page->size ? total : page->size, before;

	page->number = page_count(page, total);
	before = rows - (total - (page->number - 1) * page->size);
	while (before-- > 0 && db_next(rq->db))
		continue;
}

/* Writes rows as they arrive; the first one has been read. */
static int
answer_rows(struct request *rq, struct listing *l)
{
	const struct value *after = &l->s.values[selection_width(&l->s)];
	int64_t total = after[0].i, left;
	struct arena_mark mark;
	struct json_writer *w;

	if (l->page.number == 0)
		turn_to_last(rq, &l->page, total);
	left = total - (l->page.number - 1) * l->page.size;
	if (left > l->page.size)
		l->page.next_cursor = cursor_print(rq, &l->order, l->page.number, &after[1]);
	page_headers(rq, &l->page, total);
	w = reply_json(rq, 200);
	json_array(w);
	mark = arena_mark(rq->arena);
	do {
		selection_write(&l->s, rq, w, left == 1 || l->page.size == 1, NULL);
		arena_rewind(rq->arena, mark); /* a page takes the memory of one row */
	} while (db_next(rq->db));
	json_array_end(w);
	return reply_end(rq);
}

/* Runs the statement; true when there is a first row. */
static bool
query(struct request *rq, struct listing *l, struct sql *q)
{
	size_t n = selection_width(&l->s);

	l->s.values[n++].kind = KIND_INT;
	for (size_t i = 0; i < l->order.n; i++)
		l->s.values[n++].kind = l->order.terms[i].kind;
	db_query_sql(rq->db, l->s.resource->name, DB_READ, q, l->s.values, n);
	return db_next(rq->db);
}

int
resource_list(struct request *rq)
{
	const struct resource *r = rq->route->subject;
	struct listing l;
	struct sql q;
	bool page_good = page_read(rq, &l.page);

	where_visible(rq, r, &l.where);
	filters_add(rq, r, &l.where);
	ordering_read(&l.order, rq, r);
	if (problems_found(rq))
		return reply_invalid(rq);
	if (!page_good)
		return reply_invalid_page(rq);
	if (rq->method == METHOD_HEAD)
		return answer_count(rq, r, &l.where, &l.page);

	selection_asked(&l.s, rq, r);
	sql_init(&q, rq->arena);
	select_page(rq, &l, &q);
	return query(rq, &l, &q) ? answer_rows(rq, &l) : answer_empty(rq, &l.page);
}
