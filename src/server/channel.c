#include "base/base.h"

#include <sys/socket.h>

#include "server/channel.h"

/* Room for one descriptor beside a note. */
union passenger {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

bool
channel_open(int ends[static 2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0;
}

static void
attach(struct msghdr *message, union passenger *passenger, int fd)
{
	struct cmsghdr *header;

	message->msg_control = passenger->bytes;
	message->msg_controllen = sizeof(passenger->bytes);
	header = CMSG_FIRSTHDR(message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
}

bool
channel_send(int channel, struct note note, int fd)
{
	struct iovec bytes = { &note, sizeof(note) };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1 };
	union passenger passenger = { 0 };

	if (fd >= 0)
		attach(&message, &passenger, fd);
	return sendmsg(channel, &message, MSG_NOSIGNAL) == (ssize_t)sizeof(note);
}

enum channel_state
channel_receive(int channel, struct note *note, int *fd)
{
	union passenger passenger;
	struct iovec bytes = { note, sizeof(*note) };
	struct msghdr message = {
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = passenger.bytes,
		.msg_controllen = sizeof(passenger.bytes),
	};
	ssize_t n = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
	struct cmsghdr *header = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;

	*fd = -1;
	if (header != NULL && header->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(header), sizeof(*fd));
	if (n == (ssize_t)sizeof(*note))
		return CHANNEL_NOTE;
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? CHANNEL_EMPTY : CHANNEL_GONE;
}
