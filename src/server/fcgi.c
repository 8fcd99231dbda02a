#define ROSTER_OWNS_MEMORY
#include "base/base.h"

#include <fcgiapp.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "server/fcgi.h"

struct fcgi {
	FCGX_Request fcgx;
	int fd; /* libfcgi has a copy, which it closes when it likes */
};

void
fcgi_init(void)
{
	must(FCGX_Init() == 0);
}

struct fcgi *
fcgi_new(int fd, int timeout)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	struct timeval limit = { .tv_sec = timeout };
	struct fcgi *f;

	if (copy < 0) {
		close(fd);
		return NULL;
	}
	f = calloc(1, sizeof(*f));
	must(f != NULL);
	/* We accept connections ourselves: without a socket, libfcgi fails instead of accepting one. */
	must(FCGX_InitRequest(&f->fcgx, -1, FCGI_FAIL_ACCEPT_ON_INTR) == 0);
	f->fd = fd;
	f->fcgx.ipcFd = copy;
	f->fcgx.keepConnection = 1;
	/* Else libfcgi waits for the peer before it closes its copy, and by select(). */
	f->fcgx.detached = 1;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	return f;
}

void
fcgi_free(struct fcgi **f)
{
	FCGX_Free(&(*f)->fcgx, 1);
	(void)shutdown((*f)->fd, SHUT_RDWR);
	close((*f)->fd);
	free(*f);
	*f = NULL;
}

int
fcgi_fd(const struct fcgi *f)
{
	return f->fd;
}

enum fcgi_state
fcgi_peek(const struct fcgi *f)
{
	char c;
	ssize_t n = recv(f->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n == 1)
		return FCGI_WAITING;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return FCGI_IDLE;
	return FCGI_GONE;
}

static const char *
fcgi_param(void *ctx, const char *name)
{
	const struct fcgi *f = ctx;

	return FCGX_GetParam(name, f->fcgx.envp);
}

static ssize_t
fcgi_read_body(void *ctx, char *p, size_t n)
{
	struct fcgi *f = ctx;
	int got = FCGX_GetStr(p, (int)n, f->fcgx.in);

	return got == 0 && FCGX_GetError(f->fcgx.in) != 0 ? -1 : got;
}

static bool
fcgi_write(void *ctx, const char *p, size_t n)
{
	struct fcgi *f = ctx;

	return FCGX_PutStr(p, (int)n, f->fcgx.out) == (int)n;
}

bool
fcgi_read(struct fcgi *f, struct transport *transport)
{
	if (FCGX_Accept_r(&f->fcgx) != 0)
		return false;
	*transport = (struct transport){
		.param = fcgi_param,
		.read = fcgi_read_body,
		.write = fcgi_write,
		.ctx = f,
	};
	return true;
}

/*
 * What is left of the body must not be taken for the next request; and nginx, which has all of it and bounds
 * it, makes a 502 of whatever it is answered before it could send it.
 */
static bool
skip_body(struct fcgi *f)
{
	char skipped[16384];
	ssize_t n;

	do
		n = fcgi_read_body(f, skipped, sizeof(skipped));
	while (n > 0);
	return n == 0;
}

bool
fcgi_finish(struct fcgi *f, bool whole)
{
	bool keep = whole && skip_body(f);

	if (whole)
		FCGX_Finish_r(&f->fcgx);
	if (!keep)
		FCGX_Free(&f->fcgx, 1);
	return f->fcgx.ipcFd >= 0;
}
