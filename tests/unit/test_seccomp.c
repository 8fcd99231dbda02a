#include "base/base.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/server_int.h"

enum { NOT_CONFINED = 77 };

static void
start_program(void)
{
	execl("/bin/true", "true", NULL);
}

static void
start_process(void)
{
	if (fork() == 0)
		_exit(0);
}

static void
trace(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static void
do_nothing(void)
{
}

/* How a process ends that is confined and then does that. */
static int
end_of(unsigned kind, bool wanted, void (*act)(void))
{
	const struct config config = { .seccomp = wanted };
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (!seccomp_confine(&config, kind))
			_exit(NOT_CONFINED);
		act();
		_exit(0);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return status;
}

/* Builds with sanitizers are never confined. */
static bool
can_confine(void)
{
	int status = end_of(CONFINED_MASTER, true, do_nothing);

	return !WIFEXITED(status) || WEXITSTATUS(status) != NOT_CONFINED;
}

static const struct {
	unsigned kind;
	void (*act)(void);
	int signal_number; /* that ends it; 0: it is allowed */
} cases[] = {
	{ CONFINED_WORKER, do_nothing, 0 },
	{ CONFINED_WORKER, start_program, SIGSYS },
	{ CONFINED_WORKER, start_process, SIGSYS },
	{ CONFINED_WORKER, trace, SIGSYS },
	{ CONFINED_PROCESS, do_nothing, 0 },
	{ CONFINED_PROCESS, start_program, SIGSYS },
	{ CONFINED_PROCESS, start_process, SIGSYS },
	{ CONFINED_MASTER, start_program, 0 },
	{ CONFINED_MASTER, start_process, 0 },
	{ CONFINED_MASTER, trace, SIGSYS },
};

Test(seccomp, ends_who_makes_another_call)
{
	bool can = can_confine();

	for (size_t i = 0; i < countof(cases); i++) {
		int status = end_of(cases[i].kind, true, cases[i].act);

		if (!can)
			cr_assert_eq(WEXITSTATUS(status), NOT_CONFINED);
		else if (cases[i].signal_number != 0)
			cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == cases[i].signal_number,
			    "case %zu", i);
		else
			cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "case %zu", i);
	}
}

Test(seccomp, can_be_switched_off)
{
	int status = end_of(CONFINED_WORKER, false, do_nothing);

	cr_assert_eq(WEXITSTATUS(status), NOT_CONFINED);
}
