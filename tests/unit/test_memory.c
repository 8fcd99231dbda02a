#include "base/base.h"
#include "ctl/memory.h"

#include <criterion/criterion.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (1024 * 1024LL)

/* A folder as the kernel would mount it, with groups of these limits. */
static struct arena *a;
static struct text root;

static void
set_up(void)
{
	char *path;

	a = arena_new((size_t)4 * 1024 * 1024);
	path = arena_alloc(a, 64);
	(void)snprintf(path, 64, "/tmp/roster-groups-XXXXXX");
	cr_assert_not_null(mkdtemp(path));
	root = text_from(path);
}

static void
write_file(const char *group, const char *name, struct text content)
{
	FILE *f = fopen(arena_printf(a, "%s%s/%s", root.s, group, name).s, "w");

	cr_assert_not_null(f);
	fwrite(content.s, 1, content.n, f);
	cr_assert_eq(fclose(f), 0);
}

/* limit -1: "max". */
static void
make_group(const char *path, long long limit, long long used, long long files)
{
	(void)mkdir(arena_printf(a, "%s%s", root.s, path).s, 0700);
	write_file(path, "memory.max", limit < 0 ? T("max\n") : arena_printf(a, "%lld\n", limit));
	write_file(path, "memory.current", arena_printf(a, "%lld\n", used));
	write_file(path, "memory.stat",
	    arena_printf(a, "anon 1\nactive_file 7\ninactive_file %lld\nslab 9\n", files));
}

static void
remove_groups(void)
{
	static const char *const groups[] = { "/a/b/c", "/a/b", "/a", "" };
	static const char *const files[] = { "memory.max", "memory.current", "memory.stat" };

	for (size_t i = 0; i < countof(groups); i++) {
		for (size_t j = 0; j < countof(files); j++)
			(void)unlink(arena_printf(a, "%s%s/%s", root.s, groups[i], files[j]).s);
		(void)rmdir(arena_printf(a, "%s%s", root.s, groups[i]).s);
	}
	arena_free(&a);
}

TestSuite(memory, .init = set_up, .fini = remove_groups);

static void
leaves(const char *membership, int64_t kib, struct text group)
{
	struct memory m = memory_of_groups(root, text_from(membership), a);

	cr_expect_eq(m.free, kib, "%s: %lld", membership, (long long)m.free);
	cr_expect(text_eq(m.group, group), "%s: %.*s", membership, TEXT_ARGS(m.group));
}

Test(memory, the_group_that_leaves_least_counts)
{
	make_group("/a", 100 * MIB, 10 * MIB, 0);
	make_group("/a/b", 60 * MIB, 5 * MIB, 0);
	make_group("/a/b/c", -1, 5 * MIB, 0);
	leaves("0::/a\n", 90 * 1024, T("/a"));
	leaves("0::/a/b\n", 55 * 1024, T("/a/b"));
	leaves("0::/a/b/c\n", 55 * 1024, T("/a/b"));
	make_group("/a", 100 * MIB, 99 * MIB, 0);
	leaves("0::/a/b/c\n", 1024, T("/a"));
	make_group("", 50 * MIB, 50 * MIB - 2048, 0);
	leaves("0::/a/b/c\n", 2, T("/"));
	leaves("0::/\n", 2, T("/"));
}

Test(memory, files_at_hand_make_room)
{
	make_group("/a", 100 * MIB, 100 * MIB, 30 * MIB);
	leaves("0::/a\n", 30 * 1024, T("/a"));
	make_group("/a", 100 * MIB, 101 * MIB, 0);
	leaves("0::/a\n", 0, T("/a"));
}

Test(memory, nothing_limits)
{
	make_group("/a", -1, 10 * MIB, 0);
	leaves("0::/a\n", -1, TEXT_NONE);
	leaves("0::/gone\n", -1, TEXT_NONE);
	leaves("0::/../a\n", -1, TEXT_NONE);
	leaves("", -1, TEXT_NONE);
	leaves("0::", -1, TEXT_NONE);
	leaves("4:memory:/a\n0::/\n", -1, TEXT_NONE);
	write_file("/a", "memory.max", T("many\n"));
	leaves("0::/a\n", -1, TEXT_NONE);
}

Test(memory, lines_of_other_hierarchies_are_passed_over)
{
	make_group("/a", 8 * MIB, 0, 0);
	leaves("9:name=systemd:/b\n0::/a\n", 8 * 1024, T("/a"));
	leaves("1:cpu:/0::/b\n0::/a", 8 * 1024, T("/a"));
}

Test(memory, this_process_has_some)
{
	struct memory self = memory_free(0, a), same = memory_free(getpid(), a);

	cr_expect_gt(self.free, 1024);
	cr_expect_gt(same.free, 1024);
	cr_expect(text_eq(self.group, same.group));
}
