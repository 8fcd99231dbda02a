/* Pages of a list: page and page_size in the query, X-Result-Count and Link in the answer. */
#ifndef ROSTER_HTTP_PAGE_H
#define ROSTER_HTTP_PAGE_H

#include "http/http.h"

#define PAGE_SIZE_DEFAULT 10
#define PAGE_SIZE_MAX 300

struct page {
	int64_t number; /* from 1; 0: the last */
	int64_t size;
	struct text next_cursor; /* goes with rel="next" beside page; none: nothing does */
};

/* Reads page and page_size. false when page is no page number ("abc", 0): reply_invalid_page() then. */
bool page_read(const struct request *rq, struct page *page) MUST_CHECK;

/* 404 {"detail":"Invalid page."} */
int reply_invalid_page(struct request *rq);

/* Pages of total rows; 1 for an empty list. */
int64_t page_count(const struct page *page, int64_t total);

/*
 * X-Result-Count and Link (first, prev, next, last; RFC 8288). Other query parameters are kept, commas
 * in them as %2C (clients split at commas); a link to page 1 has no page parameter. Of a very long URL
 * only the next page has a link. page->number must not be 0.
 */
void page_headers(struct request *rq, const struct page *page, int64_t total);

#endif
