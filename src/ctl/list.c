/* Lists of the API, page by page. */
#include "base/base.h"

#include "ctl/ctl.h"

#define PAGE 300

/* Prints a page; *n is how many objects were on it. */
static int
print_page(struct ctl *ctl, const char *path, int page, ctl_line *print, size_t *n)
{
	struct answer answer = ctl_call(ctl, "GET",
	    arena_printf(ctl->arena, "%s&page_size=%d&page=%d", path, PAGE, page), TEXT_NONE);

	*n = 0;
	if (answer.status == 404 && page > 1)
		return CTL_GOOD; /* the page before was full and the last */
	if (answer.status != 200)
		return ctl_refused(&answer);
	*n = answer.json->count;
	if (ctl->options.json) {
		fputs(page > 1 && *n > 0 ? "," : "", stdout);
		ctl_print(text_slice(answer.body, 1, answer.body.n - 1));
		return CTL_GOOD;
	}
	for (const struct json *j = answer.json->first; j != NULL; j = j->next)
		print(j);
	return CTL_GOOD;
}

int
ctl_list(struct ctl *ctl, const char *path, int pages, ctl_line *print)
{
	struct arena_mark mark = arena_mark(ctl->arena);
	int status = CTL_GOOD;
	size_t n = PAGE;

	if (ctl->options.json)
		putchar('[');
	/* Until whoever reads has gone, too. */
	for (int page = 1; page <= pages && n == PAGE && status == CTL_GOOD && !ferror(stdout);
	     page++) {
		status = print_page(ctl, path, page, print, &n);
		fflush(stdout);
		arena_rewind(ctl->arena, mark);
	}
	if (ctl->options.json)
		puts("]");
	return status;
}

static void
print_event(const struct json *event)
{
	printf("%-27.*s  %-32.*s  %-16.*s  %.*s %.*s\n", TEXT_ARGS(ctl_member(event, "created")),
	    TEXT_ARGS(ctl_member(event, "event_type")),
	    TEXT_ARGS(ctl_member(event, "actor_username")),
	    TEXT_ARGS(ctl_member(event, "subject_type")),
	    TEXT_ARGS(ctl_member(event, "subject_uuid")));
}

int
ctl_audit_list(struct ctl *ctl)
{
	struct text since = ctl->options.since;

	return ctl_list(ctl,
	    arena_printf(ctl->arena, "/api/events/?created=%s",
		text_is_none(since) ? "" : url_encode(ctl->arena, since).s)
		.s,
	    1, print_event);
}
