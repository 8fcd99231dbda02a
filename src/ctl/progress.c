#include "base/base.h"

#include <unistd.h>

#include "ctl/progress.h"

#define INTERVAL (SECONDS / 5)
#define WIDTH 40

void
progress_begin(struct progress *p, const char *unit)
{
	*p = (struct progress){
		.unit = unit, .shown = isatty(STDERR_FILENO) == 1, .began = stamp_now()
	};
}

void
progress_show(struct progress *p, int64_t part, int64_t whole, int64_t n)
{
	static const char full[] = "########################################";
	struct stamp now = stamp_now();
	int64_t elapsed = now.us - p->began.us;
	int width = whole > 0 ? (int)(part * WIDTH / whole) : WIDTH;

	if (!p->shown || now.us - p->drawn.us < INTERVAL)
		return;
	p->drawn = now;
	fprintf(stderr, "\r[%-*.*s] %3lld %%  %lld %s, %lld a second\x1b[K", WIDTH, width, full,
	    (long long)(whole > 0 ? part * 100 / whole : 100), (long long)n, p->unit,
	    (long long)(elapsed > 0 ? n * SECONDS / elapsed : 0));
}

void
progress_clear(struct progress *p)
{
	if (p->drawn.us != 0)
		fputs("\r\x1b[K", stderr);
	p->drawn.us = 0;
}
