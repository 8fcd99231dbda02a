#include "base/base.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "server/server_int.h"

#define BACKLOG 511

static const char *const lane_names[] = { [LANE_API] = "api", [LANE_SLOW] = "slow" };

const char *
lane_name(enum lane lane)
{
	return lane_names[lane];
}

/* "<socket_dir>/api/0.sock"; false when it does not fit an address. */
static bool
socket_path(const struct config *config, enum lane lane, int index, struct sockaddr_un *address)
{
	int n = snprintf(address->sun_path, sizeof(address->sun_path), "%.*s/%s/%d.sock",
	    TEXT_ARGS(config->socket_dir), lane_names[lane], index);

	address->sun_family = AF_UNIX;
	return n > 0 && (size_t)n < sizeof(address->sun_path);
}

static bool
make_directory(const struct config *config, enum lane lane)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];

	(void)snprintf(path, sizeof(path), "%.*s", TEXT_ARGS(config->socket_dir));
	if (mkdir(path, 0755) < 0 && errno != EEXIST) {
		log_error("cannot make the directory %s: %s", path, strerror(errno));
		return false;
	}
	(void)snprintf(
	    path, sizeof(path), "%.*s/%s", TEXT_ARGS(config->socket_dir), lane_names[lane]);
	if (mkdir(path, 0755) < 0 && errno != EEXIST) {
		log_error("cannot make the directory %s: %s", path, strerror(errno));
		return false;
	}
	return true;
}

/* Lets nginx connect: the group of the socket is the one that the configuration names. */
static bool
give_to_group(const struct config *config, const char *path)
{
	char name[64];
	struct group *group;

	if (config->socket_group.n == 0)
		return true;
	(void)snprintf(name, sizeof(name), "%.*s", TEXT_ARGS(config->socket_group));
	group = getgrnam(name);
	if (group == NULL) {
		log_error("socket_group: there is no group %s", name);
		return false;
	}
	if (chown(path, (uid_t)-1, group->gr_gid) < 0) {
		log_error("cannot give %s to the group %s: %s; add rosterd's user to the group",
		    path, name, strerror(errno));
		return false;
	}
	return true;
}

int
socket_listen(const struct config *config, enum lane lane, int index)
{
	struct sockaddr_un address;
	int fd;

	if (!socket_path(config, lane, index, &address)) {
		log_error("socket_dir: %.*s is too long for the address of a socket",
		    TEXT_ARGS(config->socket_dir));
		return -1;
	}
	if (!make_directory(config, lane))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	(void)unlink(address.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    chmod(address.sun_path, 0660) < 0 || listen(fd, BACKLOG) < 0) {
		log_error("cannot listen on %s: %s", address.sun_path, strerror(errno));
		close(fd);
		return -1;
	}
	if (!give_to_group(config, address.sun_path)) {
		close(fd);
		return -1;
	}
	return fd;
}

void
socket_remove(const struct config *config, enum lane lane, int index)
{
	struct sockaddr_un address;

	if (socket_path(config, lane, index, &address))
		(void)unlink(address.sun_path);
}
