/* Lists of the API, page by page. */
#include "base/base.h"

#include "ctl/ctl.h"

#define PAGE 300
#define CURSOR_MAX 2048

/* A list on its way to standard output. */
struct list {
	struct ctl *ctl;
	const char *path;
	ctl_line *print;
	int64_t left;  /* objects to print still */
	int64_t total; /* that there are */
	int page_size;
	char cursor[CURSOR_MAX]; /* "&cursor=..." of the next page, or empty */
	struct json_writer json;
};

/* What stands in the head between the first mark and the next end. */
static struct text
find(struct text head, const char *mark, char end)
{
	const char *at = memmem(head.s, head.n, mark, strlen(mark));
	struct text rest = { at, at != NULL ? (size_t)(head.s + head.n - at) : 0 };

	return at != NULL ? text_slice(rest, 0, text_find(rest, end, 0)) : T("");
}

/* By its number alone, the next page would begin elsewhere as soon as somebody adds or deletes what is before it. */
static void
read_head(struct list *l, struct text head)
{
	static const char count[] = "X-Result-Count: ";
	struct text total = find(head, count, '\r');

	if (!text_to_int(text_slice(total, sizeof(count) - 1, total.n), &l->total))
		l->total = 0;
	(void)snprintf(
	    l->cursor, sizeof(l->cursor), "%.*s", TEXT_ARGS(find(head, "&cursor=", '>')));
}

/* Prints a page; *more is whether there may be another. */
static int
print_page(struct list *l, int page, bool *more)
{
	struct ctl *ctl = l->ctl;
	struct answer answer = ctl_call(ctl, "GET",
	    arena_printf(
		ctl->arena, "%s&page_size=%d&page=%d%s", l->path, l->page_size, page, l->cursor),
	    TEXT_NONE);

	*more = false;
	if (answer.status == 404 && page > 1)
		return CTL_GOOD; /* the page before was full and the last */
	if (answer.status != 200) {
		int status = ctl_refused(ctl, &answer);

		/* What a person may have got wrong about a list are the options. */
		return answer.status == 400 ? CTL_USAGE : status;
	}
	read_head(l, answer.head);
	if (!ctl->options.json)
		ctl_visible(ctl, answer.json);
	else if (page == 1)
		json_array(&l->json);
	for (const struct json *j = answer.json->first; j != NULL && l->left > 0; j = j->next) {
		if (ctl->options.json)
			json_tree(&l->json, j);
		else
			l->print(j);
		l->left--;
	}
	*more = answer.json->count == (size_t)l->page_size && l->left > 0;
	return CTL_GOOD;
}

int
ctl_list(struct ctl *ctl, const char *path, int64_t limit, ctl_line *print)
{
	struct list l = { .ctl = ctl,
		.path = path,
		.print = print,
		.left = limit,
		.page_size = limit < PAGE ? (int)limit : PAGE };
	struct arena_mark mark;
	int status = CTL_GOOD;
	bool more = true;

	ctl_json(ctl, &l.json);
	mark = arena_mark(ctl->arena);
	/* Until whoever reads has gone, too. */
	for (int page = 1; more && status == CTL_GOOD && !ferror(stdout); page++) {
		status = print_page(&l, page, &more);
		fflush(stdout);
		arena_rewind(ctl->arena, mark);
	}
	if (ctl->options.json && status == CTL_GOOD) {
		json_array_end(&l.json);
		ctl_json_end(&l.json);
	}
	if (status == CTL_GOOD && l.total > limit && text_is_none(ctl->options.limit))
		ctl_error(
		    0, "%lld of %lld; --limit takes more", (long long)limit, (long long)l.total);
	return status;
}
