#include "base/base.h"

#include <fcntl.h>
#include <unistd.h>

#include "ctl/memory.h"

#define GROUPS T("/sys/fs/cgroup")
#define FILE_MAX (16 * 1024)

/* The first bytes of a file of the kernel's; "" when there is none. */
static struct text
read_file(struct text path, struct arena *a)
{
	int fd = open(path.s, O_RDONLY | O_CLOEXEC);
	char *bytes;
	ssize_t n;

	if (fd < 0)
		return T("");
	bytes = arena_alloc(a, FILE_MAX);
	n = read(fd, bytes, FILE_MAX);
	close(fd);
	return (struct text){ bytes, n > 0 ? (size_t)n : 0 };
}

/* What stands after the name on its line, "inactive_file 4096"; false when there is no such number. */
static bool
number_after(struct text file, struct text name, int64_t *n)
{
	struct text line;

	while (text_split(&file, '\n', &line))
		if (text_starts(line, name)) {
			line = text_trim(text_slice(line, name.n, line.n));
			return text_to_int(text_slice(line, 0, text_find(line, ' ', 0)), n);
		}
	return false;
}

static struct text
group_file(struct text root, struct text group, const char *name, struct arena *a)
{
	return read_file(
	    arena_printf(a, "%.*s%.*s/%s", TEXT_ARGS(root), TEXT_ARGS(group), name), a);
}

/* KiB that a group leaves to its processes; -1 when it has no limit. */
static int64_t
room_of(struct text root, struct text group, struct arena *a)
{
	int64_t limit, used, files = 0, room;

	if (!number_after(group_file(root, group, "memory.max", a), T(""), &limit) ||
	    !number_after(group_file(root, group, "memory.current", a), T(""), &used))
		return -1;
	(void)number_after(group_file(root, group, "memory.stat", a), T("inactive_file "), &files);
	room = limit - used + files;
	return room > 0 ? room / 1024 : 0;
}

/* "/a" of "/a/b", "" of "/a". */
static struct text
parent_of(struct text group)
{
	while (group.n > 0 && group.s[group.n - 1] != '/')
		group.n--;
	return text_slice(group, 0, group.n > 0 ? group.n - 1 : 0);
}

/* The group that "0::/a/b" names among the lines; the root's is "". */
static struct text
group_in(struct text membership)
{
	struct text line;

	while (text_split(&membership, '\n', &line))
		if (text_starts(line, T("0::/")))
			return line.n == 4 ? T("") : text_slice(line, 3, line.n);
	return T("");
}

struct memory
memory_of_groups(struct text root, struct text membership, struct arena *a)
{
	struct text group = group_in(membership);
	struct memory least = { .free = -1 };

	for (bool more = true; more; group = parent_of(group)) {
		int64_t room = room_of(root, group, a);

		if (room >= 0 && (least.free < 0 || room < least.free))
			least =
			    (struct memory){ room, group.n > 0 ? arena_text(a, group) : T("/") };
		more = group.n > 0;
	}
	return least;
}

struct memory
memory_free(pid_t pid, struct arena *a)
{
	struct memory machine = { .free = -1 }, groups;
	struct text membership = read_file(
	    pid == 0 ? T("/proc/self/cgroup") : arena_printf(a, "/proc/%ld/cgroup", (long)pid), a);

	(void)number_after(read_file(T("/proc/meminfo"), a), T("MemAvailable:"), &machine.free);
	groups = memory_of_groups(GROUPS, membership, a);
	return groups.free >= 0 && (machine.free < 0 || groups.free < machine.free) ? groups
										    : machine;
}
