#include "base/base.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "server/server_int.h"

#define BACKLOG 511
#define PATH_ROOM 128 /* socket_dir has at most 90 bytes */

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

/* nginx has to pass through, whatever the umask. */
static bool
make_directory(const char *path)
{
	if (mkdir(path, 0755) == 0 ? chmod(path, 0755) == 0 : errno == EEXIST)
		return true;
	log_error("cannot make the directory %s: %s; make it for the user that rosterd runs as, or "
		  "correct socket_dir",
	    path, strerror(errno));
	return false;
}

int
socket_dir_take(const struct config *config)
{
	char path[PATH_ROOM];
	const struct text dir = config->socket_dir;
	int fd;

	(void)snprintf(path, sizeof(path), "%.*s", TEXT_ARGS(dir));
	if (!make_directory(path))
		return -1;
	(void)snprintf(path, sizeof(path), "%.*s/rosterd.lock", TEXT_ARGS(dir));
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		log_error("cannot write to socket_dir: %s: %s; give it to the user that rosterd "
			  "runs as, or correct socket_dir",
		    path, strerror(errno));
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		log_error("another rosterd uses socket_dir %.*s; stop it, or choose another "
			  "directory",
		    TEXT_ARGS(dir));
		close(fd);
		return -1;
	}
	return fd;
}

/* The folder of a lane's sockets. */
static bool
make_lane(const struct config *config, enum lane lane)
{
	char path[PATH_ROOM];

	(void)snprintf(
	    path, sizeof(path), "%.*s/%s", TEXT_ARGS(config->socket_dir), lane_names[lane]);
	return make_directory(path);
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

static bool
cannot_listen(const char *path)
{
	log_error("cannot listen on %s: %s", path, strerror(errno));
	return false;
}

static bool
set_up(const struct config *config, int fd, const struct sockaddr_un *address)
{
	const char *path = address->sun_path;

	if (fd < 0 || bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ||
	    chmod(path, 0660) < 0)
		return cannot_listen(path);
	return give_to_group(config, path) && (listen(fd, BACKLOG) == 0 || cannot_listen(path));
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
	if (!make_lane(config, lane))
		return -1;
	(void)unlink(address.sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (set_up(config, fd, &address))
		return fd;
	(void)unlink(address.sun_path);
	close(fd);
	return -1;
}

void
socket_remove(const struct config *config, enum lane lane, int index)
{
	struct sockaddr_un address;

	if (socket_path(config, lane, index, &address))
		(void)unlink(address.sun_path);
}
