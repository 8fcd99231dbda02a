#include "base/base.h"
#include "base/buf.h"

#define BUF_FIRST 64

void
buf_init(struct buf *b, struct arena *a)
{
	*b = (struct buf){ .arena = a };
}

/* Room for more bytes and the NUL that buf_text() and vsnprintf() put behind them. */
static void
buf_reserve(struct buf *b, size_t more)
{
	size_t room = b->room == 0 ? BUF_FIRST : b->room;

	if (more < b->room - b->n)
		return;
	must(more < SIZE_MAX / 4);
	while (room - b->n <= more)
		room *= 2;
	b->s = arena_grow(b->arena, b->s, b->n, room);
	b->room = room;
}

void
buf_add(struct buf *b, struct text t)
{
	buf_reserve(b, t.n);
	if (t.n > 0)
		memcpy(b->s + b->n, t.s, t.n);
	b->n += t.n;
}

void
buf_add_char(struct buf *b, char c)
{
	buf_reserve(b, 1);
	b->s[b->n++] = c;
}

void
buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	int n;

	buf_reserve(b, BUF_FIRST / 2);
	va_start(args, format);
	n = vsnprintf(b->s + b->n, b->room - b->n, format, args);
	va_end(args);
	must(n >= 0);

	if ((size_t)n >= b->room - b->n) {
		buf_reserve(b, (size_t)n);
		va_start(args, format);
		vsnprintf(b->s + b->n, b->room - b->n, format, args);
		va_end(args);
	}
	b->n += (size_t)n;
}

struct text
buf_text(struct buf *b)
{
	buf_reserve(b, 0);
	b->s[b->n] = '\0';
	return (struct text){ b->s, b->n };
}
