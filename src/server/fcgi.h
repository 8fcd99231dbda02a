/*
 * FastCGI connections from nginx (libfcgi). A connection is kept and carries one request after
 * another; which of many has the next one is the worker's epoll to say.
 */
#ifndef ROSTER_SERVER_FCGI_H
#define ROSTER_SERVER_FCGI_H

#include "base/base.h"
#include "http/http.h"

struct fcgi;

/* Descriptors that a connection takes. */
#define FCGI_DESCRIPTORS 2

/* Prepares libfcgi; call before installing signal handlers, because it installs its own. */
void fcgi_init(void);

/*
 * Takes over a connected socket; its reads and writes give up after timeout seconds. NULL, and the
 * socket is closed, when descriptors are short.
 */
struct fcgi *fcgi_new(int fd, int timeout);

/* Ends the connection, also where others have copies of its descriptor. */
void fcgi_free(struct fcgi **f);

/* Stays open and the same as long as f. */
int fcgi_fd(const struct fcgi *f);

enum fcgi_state {
	FCGI_IDLE,    /* nothing there */
	FCGI_WAITING, /* bytes of a request */
	FCGI_GONE,    /* nginx has hung up */
};

/* Looks without waiting. */
enum fcgi_state fcgi_peek(const struct fcgi *f);

/*
 * Reads the next request up to its parameters and says where its bytes are. Waits for nginx to
 * finish sending them. false: the connection is of no use any more.
 */
bool fcgi_read(struct fcgi *f, struct transport *transport) MUST_CHECK;

/*
 * Ends the answer. true: the connection stays for the next request. whole false cuts the connection
 * without the end mark, so that nginx does not take half an answer for all of it.
 */
bool fcgi_finish(struct fcgi *f, bool whole) MUST_CHECK;

#endif
