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
add_limit(struct sql *q, const struct page *page)
{
	sql_add(q, " LIMIT ");
	sql_value(q, V(page->size));
	if (page->number > 1) {
		sql_add(q, " OFFSET ");
		sql_value(q, V((page->number - 1) * page->size));
	}
}

/* A page by number, and the total, in one statement. */
static void
select_page(struct request *rq, struct selection *s, struct sql *where, const struct page *page,
    struct sql *q)
{
	const struct resource *r = s->resource;

	sql_add(q, "SELECT ");
	selection_add(s, q);
	sql_add(q, ", ");
	add_total(q, r, where);
	sql_add(q, " FROM ");
	selection_from(s, q);
	sql_append(q, where);
	order_add(rq, r, q, false);
	add_limit(q, page);
}

/*
 * The last page, whose number only the total tells: the page_size last rows, read from the end, of which those
 * with a rank that the last page has are kept and put in order again.
 */
static void
select_last(struct request *rq, struct selection *s, struct sql *where, const struct page *page,
    struct sql *q)
{
	const struct resource *r = s->resource;

	sql_add(q, "SELECT ");
	selection_add(s, q);
	sql_add(q, ", p.total FROM (SELECT ");
	sql_add(q, r->alias);
	sql_add(q, ".id, ");
	add_total(q, r, where);
	sql_add(q, " AS total, ROW_NUMBER() OVER (");
	order_add(rq, r, q, true);
	sql_add(q, ") AS place FROM ");
	sql_add(q, r->table);
	sql_add(q, " ");
	sql_add(q, r->alias);
	sql_append(q, where);
	order_add(rq, r, q, true);
	add_limit(q, page);
	sql_add(q, ") p JOIN ");
	selection_from(s, q);
	sql_add(q, " ON ");
	sql_add(q, r->alias);
	sql_add(q, ".id = p.id WHERE p.place <= (p.total - 1) % ");
	sql_value(q, V(page->size));
	sql_add(q, " + 1");
	order_add(rq, r, q, false);
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

/* Writes rows as they arrive; the first one has been read. */
static int
answer_rows(struct request *rq, struct selection *s, struct page *page)
{
	int64_t total = s->values[selection_width(s)].i;
	bool alone;
	struct json_writer *w;

	if (page->number == 0)
		page->number = page_count(page, total);
	alone = total == 1 || page->size == 1 || total - (page->number - 1) * page->size == 1;
	page_headers(rq, page, total);
	w = reply_json(rq, 200);
	json_array(w);
	do
		selection_write(s, rq, w, alone, NULL);
	while (db_next(rq->db));
	json_array_end(w);
	return reply_end(rq);
}

int
resource_list(struct request *rq)
{
	const struct resource *r = rq->route->subject;
	struct selection s;
	struct sql where, q;
	struct page page;
	bool page_good = page_read(rq, &page);

	where_visible(rq, r, &where);
	filters_add(rq, r, &where);
	selection_asked(&s, rq, r);
	sql_init(&q, rq->arena);
	if (page_good && page.number == 0)
		select_last(rq, &s, &where, &page, &q);
	else
		select_page(rq, &s, &where, &page, &q);
	if (problems_found(rq))
		return reply_invalid(rq);
	if (!page_good)
		return reply_invalid_page(rq);
	if (rq->method == METHOD_HEAD)
		return answer_count(rq, r, &where, &page);

	s.values[selection_width(&s)].kind = KIND_INT;
	db_query_sql(rq->db, r->name, DB_READ, &q, s.values, selection_width(&s) + 1);
	return db_next(rq->db) ? answer_rows(rq, &s, &page) : answer_empty(rq, &page);
}
