#include "base/base.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "server/renew.h"

/*
 * What is left, in the environment: socket_dir and the lock's descriptor, then a line for each
 * place: what it is, index, listener, and its child's process.
 */
#define VARIABLE "ROSTER_LEFT"
#define MEMORY (256 * 1024)
#define ARGUMENTS_MAX 256

void
renew_remember(struct master *m, char *const *argv)
{
	ssize_t n = readlink("/proc/self/exe", m->program.path, sizeof(m->program.path) - 1);

	m->program.argv = argv;
	m->program.path[n > 0 ? n : 0] = '\0';
	if (stat("/proc/self/exe", &m->program.file) < 0)
		m->program.path[0] = '\0'; /* no /proc: it is never renewed */
}

bool
renew_due(const struct master *m)
{
	struct stat now;

	return m->program.path[0] != '\0' && stat(m->program.path, &now) == 0 &&
	    (now.st_ino != m->program.file.st_ino || now.st_dev != m->program.file.st_dev);
}

/* In a child. */
NORETURN static void
run_examination(struct master *m)
{
	char *arguments[ARGUMENTS_MAX + 2];
	size_t n = 0;

	sigprocmask(SIG_UNBLOCK, &m->signals, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	while (n < ARGUMENTS_MAX && m->program.argv[n] != NULL) {
		arguments[n] = m->program.argv[n];
		n++;
	}
	arguments[n++] = (char[]){ "--check-start" };
	arguments[n] = NULL;
	execv(m->program.path, arguments);
	log_error("cannot run %s: %s", m->program.path, strerror(errno));
	_exit(CHILD_FAILED);
}

pid_t
renew_examine(struct master *m)
{
	pid_t pid;

	log_info("the program was replaced: the new one is examined");
	pid = fork();
	if (pid == 0)
		run_examination(m);
	if (pid < 0)
		log_error("cannot start a process: %s", strerror(errno));
	return pid;
}

static void
keep_open(int fd, bool open)
{
	if (fd >= 0)
		(void)fcntl(fd, F_SETFD, open ? 0 : FD_CLOEXEC);
}

static void
keep_all_open(struct master *m, bool open)
{
	keep_open(m->lock, open);
	for (int lane = 0; lane < LANES; lane++)
		for (int i = 0; i < m->nworkers[lane]; i++)
			keep_open(m->lanes[lane][i].post.listener, open);
}

static void
leave_place(struct buf *left, const struct place *p)
{
	const struct post *post = &p->post;

	buf_printf(left, "\n%s %d %d %d",
	    post->process != NULL ? post->process->name : lane_name(post->lane), post->index,
	    post->listener, p->child != NULL ? (int)p->child->pid : 0);
}

static struct text
all_that_is_left(struct master *m, struct arena *a)
{
	struct buf left;

	buf_init(&left, a);
	buf_printf(&left, "%.*s\n%d", TEXT_ARGS(m->setup.config.socket_dir), m->lock);
	for (int lane = 0; lane < LANES; lane++)
		for (int i = 0; i < m->nworkers[lane]; i++)
			leave_place(&left, &m->lanes[lane][i]);
	for (size_t i = 0; i < m->app->nprocesses; i++)
		leave_place(&left, &m->processes[i]);
	return buf_text(&left);
}

/* Who is being succeeded already is not left to the new program. */
static void
dismiss_old(struct master *m UNUSED, struct place *p)
{
	if (p->old != NULL)
		place_dismiss_old(p);
}

void
renew(struct master *m)
{
	struct arena *a = arena_new(MEMORY);

	each_place(m, dismiss_old);
	setenv(VARIABLE, all_that_is_left(m, a).s, 1);
	keep_all_open(m, true);
	log_info("renews: the new program takes over");
	execv(m->program.path, m->program.argv);
	log_error("cannot run %s: %s; the old program stays", m->program.path, strerror(errno));
	keep_all_open(m, false);
	unsetenv(VARIABLE);
	arena_free(&a);
}

/* The place of a line, NULL if this program has none of the kind. */
static struct place *
find_place(struct master *m, struct text name, int64_t index)
{
	for (int lane = 0; lane < LANES; lane++)
		if (text_eq(name, text_from(lane_name((enum lane)lane))) && index < WORKERS_MAX) {
			m->nworkers[lane] = (int)index + 1;
			m->lanes[lane][index].post =
			    (struct post){ .lane = (enum lane)lane, .index = (int)index };
			return &m->lanes[lane][index];
		}
	for (size_t i = 0; i < m->app->nprocesses; i++)
		if (text_eq(name, text_from(m->app->processes[i].name)))
			return &m->processes[i];
	return NULL;
}

/* "api 0 7 1234" */
static void
inherit_line(struct master *m, struct text line)
{
	struct text name = TEXT_NONE, word = TEXT_NONE;
	int64_t numbers[3] = { 0, -1, 0 };
	struct place *p;

	(void)text_split(&line, ' ', &name);
	for (size_t i = 0; i < countof(numbers) && text_split(&line, ' ', &word); i++)
		must(text_to_int(word, &numbers[i]));
	p = find_place(m, name, numbers[0]);
	if (p == NULL && numbers[2] > 0)
		kill((pid_t)numbers[2], SIGNAL_STOP);
	if (p == NULL)
		return;
	p->post.listener = (int)numbers[1];
	keep_open(p->post.listener, false);
	if (numbers[2] > 0)
		p->old = child_inherit(&m->children, (pid_t)numbers[2], &p->post);
}

bool
renew_inherit(struct master *m)
{
	struct text left = text_from(getenv(VARIABLE)), dir, word;
	int64_t lock;

	m->lock = -1;
	if (text_is_none(left) || !text_split(&left, '\n', &dir) || !text_split(&left, '\n', &word))
		return false;
	must(text_to_int(word, &lock));
	m->lock = (int)lock;
	keep_open(m->lock, false);
	m->setup.config.socket_dir = arena_text(m->setup.arena, dir);
	while (text_split(&left, '\n', &word))
		inherit_line(m, word);
	unsetenv(VARIABLE);
	return true;
}
