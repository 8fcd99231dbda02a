/*
 * What a child and the master tell each other, over a pair of connected sockets that each child
 * gets when it is started. Nobody ever waits for the other.
 */
#ifndef ROSTER_SERVER_CHANNEL_H
#define ROSTER_SERVER_CHANNEL_H

#include "base/base.h"

enum note_kind {
	NOTE_READY,    /* the worker serves */
	NOTE_RETIRING, /* the worker asks for a successor */
	NOTE_LENT,     /* a copy of the worker's connection id comes with this note */
	NOTE_ENDED,    /* the worker has closed its connection id */
	NOTE_ADOPT, /* to a worker: what comes with this note is the connection of one that died */
};

struct note {
	enum note_kind kind;
	int id;
};

/* Both ends; false (and errno) when there are none to be had. */
bool channel_open(int ends[static 2]) MUST_CHECK;

/* Sends a note and, unless fd is -1, a copy of fd. false: no room, or nobody at the other end. */
bool channel_send(int channel, struct note note, int fd);

enum channel_state {
	CHANNEL_NOTE, /* *note was filled in, and *fd: -1, or a descriptor that is now the caller's */
	CHANNEL_EMPTY, /* nothing there */
	CHANNEL_GONE,  /* the other end is closed, and all that it sent was read */
};

enum channel_state channel_receive(int channel, struct note *note, int *fd) MUST_CHECK;

#endif
