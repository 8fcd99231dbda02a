#include "base/base.h"
#include "http/page.h"

/* No list has as many pages, and its first row has a number that is still an int64_t. */
#define PAGE_MAX (INT64_MAX / PAGE_SIZE_MAX)

/*
 * Of longer URLs only the next page has a link: that is what clients page by, and nginx takes no more
 * than its fastcgi_buffer_size for all headers together.
 */
#define LINK_URL_MAX ((size_t)6 * 1024)

/* A positive number; one that is too large for int64_t counts as the largest. */
static bool
positive(struct text t, int64_t *out)
{
	t = text_trim(t);
	for (size_t i = 0; i < t.n; i++)
		if (t.s[i] < '0' || t.s[i] > '9')
			return false;
	if (t.n > 0 && !text_to_int(t, out))
		*out = INT64_MAX;
	return t.n > 0 && *out > 0;
}

bool
page_read(const struct request *rq, struct page *page)
{
	struct text number = request_param(rq, T("page"));

	if (!positive(request_param(rq, T("page_size")), &page->size))
		page->size = PAGE_SIZE_DEFAULT;
	if (page->size > PAGE_SIZE_MAX)
		page->size = PAGE_SIZE_MAX;

	page->next_cursor = TEXT_NONE;
	page->number = 1;
	if (number.n == 0)
		return true;
	if (!text_eq(number, T("last")))
		return positive(number, &page->number) && page->number <= PAGE_MAX;
	page->number = 0;
	return true;
}

int
reply_invalid_page(struct request *rq)
{
	return reply_detail(rq, 404, "Invalid page.");
}

int64_t
page_count(const struct page *page, int64_t total)
{
	return total == 0 ? 1 : (total - 1) / page->size + 1;
}

/* The request's URL without page and cursor; *separator is what comes before another parameter. */
static struct text
url_without_page(struct request *rq, char *separator)
{
	struct buf url;

	buf_init(&url, rq->arena);
	buf_add(&url, request_url(rq));
	*separator = '?';
	for (size_t i = 0; i < rq->nparams; i++) {
		if (text_eq(rq->params[i].name, T("page")) ||
		    text_eq(rq->params[i].name, T("cursor")))
			continue;
		buf_add_char(&url, *separator);
		buf_add(&url, url_encode(rq->arena, rq->params[i].name));
		buf_add_char(&url, '=');
		buf_add(&url, url_encode(rq->arena, rq->params[i].value));
		*separator = '&';
	}
	return buf_text(&url);
}

void
page_headers(struct request *rq, const struct page *page, int64_t total)
{
	int64_t last = page_count(page, total);
	const struct {
		const char *rel;
		int64_t page; /* 0: there is none */
		struct text cursor;
	} links[] = {
		{ "first", 1, TEXT_NONE },
		{ "prev", page->number - 1, TEXT_NONE },
		{ "next", page->number < last ? page->number + 1 : 0, page->next_cursor },
		{ "last", last, TEXT_NONE },
	};
	struct buf header;
	struct text url;
	char separator;

	must(page->number > 0);
	url = url_without_page(rq, &separator);
	buf_init(&header, rq->arena);
	for (size_t i = 0; i < countof(links); i++) {
		if (links[i].page == 0)
			continue;
		if (url.n > LINK_URL_MAX && strcmp(links[i].rel, "next") != 0)
			continue;
		buf_printf(&header, "%s<%.*s", header.n > 0 ? ", " : "", TEXT_ARGS(url));
		if (links[i].page > 1)
			buf_printf(&header, "%cpage=%lld", separator, (long long)links[i].page);
		if (links[i].cursor.n > 0)
			buf_printf(&header, "&cursor=%.*s", TEXT_ARGS(links[i].cursor));
		buf_printf(&header, ">; rel=\"%s\"", links[i].rel);
	}
	reply_header(rq, "X-Result-Count", arena_printf(rq->arena, "%lld", (long long)total));
	if (header.n > 0)
		reply_header(rq, "Link", buf_text(&header));
}
