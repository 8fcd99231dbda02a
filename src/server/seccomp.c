/*
 * What is left to a process once it has begun its work: the system calls below and no others. What
 * breaks in cannot start a program, trace another process, load a module or mount a file system.
 */
#include "base/base.h"

#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <unistd.h>

#include "base/log.h"
#include "server/server_int.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* The master's filter holds for its children, too, and for the program that takes its place. */
#define EVERY (CONFINED_WORKER | CONFINED_PROCESS | CONFINED_MASTER)

struct allowed {
	int call;
	unsigned kinds;
};

/* clang-format off */
static const struct allowed allowed[] = {
	/* descriptors */
	{ SCMP_SYS(read), EVERY }, { SCMP_SYS(write), EVERY }, { SCMP_SYS(readv), EVERY },
	{ SCMP_SYS(writev), EVERY }, { SCMP_SYS(pread64), EVERY }, { SCMP_SYS(close), EVERY },
	{ SCMP_SYS(lseek), EVERY }, { SCMP_SYS(dup), EVERY }, { SCMP_SYS(fcntl), EVERY },
	{ SCMP_SYS(ioctl), EVERY }, { SCMP_SYS(pipe2), EVERY }, { SCMP_SYS(eventfd2), EVERY },

	/* files: the log, option files, certificates, zones, the database of libmagic */
	{ SCMP_SYS(openat), EVERY }, { SCMP_SYS(open), EVERY }, { SCMP_SYS(stat), EVERY },
	{ SCMP_SYS(fstat), EVERY }, { SCMP_SYS(lstat), EVERY }, { SCMP_SYS(newfstatat), EVERY },
	{ SCMP_SYS(statx), EVERY }, { SCMP_SYS(access), EVERY }, { SCMP_SYS(faccessat), EVERY },
	{ SCMP_SYS(faccessat2), EVERY }, { SCMP_SYS(readlink), EVERY },
	{ SCMP_SYS(readlinkat), EVERY }, { SCMP_SYS(getcwd), EVERY },
	{ SCMP_SYS(getdents64), EVERY }, { SCMP_SYS(fadvise64), EVERY },

	/* memory */
	{ SCMP_SYS(brk), EVERY }, { SCMP_SYS(mmap), EVERY }, { SCMP_SYS(munmap), EVERY },
	{ SCMP_SYS(mremap), EVERY }, { SCMP_SYS(mprotect), EVERY }, { SCMP_SYS(madvise), EVERY },
	{ SCMP_SYS(mlock), EVERY }, { SCMP_SYS(mlock2), EVERY }, { SCMP_SYS(munlock), EVERY },

	/* waiting */
	{ SCMP_SYS(poll), EVERY }, { SCMP_SYS(ppoll), EVERY }, { SCMP_SYS(select), EVERY },
	{ SCMP_SYS(pselect6), EVERY }, { SCMP_SYS(epoll_create1), EVERY },
	{ SCMP_SYS(epoll_ctl), EVERY }, { SCMP_SYS(epoll_wait), EVERY },
	{ SCMP_SYS(epoll_pwait), EVERY }, { SCMP_SYS(epoll_pwait2), EVERY },
	{ SCMP_SYS(futex), EVERY }, { SCMP_SYS(nanosleep), EVERY },
	{ SCMP_SYS(clock_nanosleep), EVERY }, { SCMP_SYS(sched_yield), EVERY },
	{ SCMP_SYS(restart_syscall), EVERY },

	/* sockets: the master's channels, nginx, the database, SMTP and identity providers */
	{ SCMP_SYS(socket), EVERY }, { SCMP_SYS(socketpair), EVERY }, { SCMP_SYS(bind), EVERY },
	{ SCMP_SYS(connect), EVERY }, { SCMP_SYS(getsockname), EVERY },
	{ SCMP_SYS(getpeername), EVERY }, { SCMP_SYS(getsockopt), EVERY },
	{ SCMP_SYS(setsockopt), EVERY }, { SCMP_SYS(sendto), EVERY }, { SCMP_SYS(sendmsg), EVERY },
	{ SCMP_SYS(sendmmsg), EVERY }, { SCMP_SYS(recvfrom), EVERY }, { SCMP_SYS(recvmsg), EVERY },
	{ SCMP_SYS(recvmmsg), EVERY }, { SCMP_SYS(shutdown), EVERY },
	{ SCMP_SYS(accept), CONFINED_WORKER | CONFINED_MASTER },
	{ SCMP_SYS(accept4), CONFINED_WORKER | CONFINED_MASTER },

	/* itself */
	{ SCMP_SYS(getpid), EVERY }, { SCMP_SYS(gettid), EVERY }, { SCMP_SYS(getppid), EVERY },
	{ SCMP_SYS(getuid), EVERY }, { SCMP_SYS(geteuid), EVERY }, { SCMP_SYS(getgid), EVERY },
	{ SCMP_SYS(getegid), EVERY }, { SCMP_SYS(getresuid), EVERY },
	{ SCMP_SYS(getresgid), EVERY }, { SCMP_SYS(getrlimit), EVERY },
	{ SCMP_SYS(getrusage), EVERY }, { SCMP_SYS(uname), EVERY }, { SCMP_SYS(sysinfo), EVERY },
	{ SCMP_SYS(sched_getaffinity), EVERY }, { SCMP_SYS(getcpu), EVERY },
	{ SCMP_SYS(getrandom), EVERY }, { SCMP_SYS(time), EVERY },
	{ SCMP_SYS(gettimeofday), EVERY }, { SCMP_SYS(clock_gettime), EVERY },
	{ SCMP_SYS(clock_getres), EVERY }, { SCMP_SYS(prctl), EVERY }, { SCMP_SYS(umask), EVERY },
	{ SCMP_SYS(prlimit64), EVERY },

	/* signals; tgkill is abort() */
	{ SCMP_SYS(rt_sigaction), EVERY }, { SCMP_SYS(rt_sigprocmask), EVERY },
	{ SCMP_SYS(rt_sigreturn), EVERY }, { SCMP_SYS(rt_sigtimedwait), EVERY },
	{ SCMP_SYS(rt_sigpending), EVERY }, { SCMP_SYS(rt_sigsuspend), EVERY },
	{ SCMP_SYS(sigaltstack), EVERY }, { SCMP_SYS(tgkill), EVERY },

	/* threads, in which libcurl looks up names; see also confine() */
	{ SCMP_SYS(set_robust_list), EVERY }, { SCMP_SYS(rseq), EVERY },
	{ SCMP_SYS(exit), EVERY }, { SCMP_SYS(exit_group), EVERY },

	/* children, their filters, sockets and their directory, and the new program */
	{ SCMP_SYS(clone), CONFINED_MASTER }, { SCMP_SYS(fork), CONFINED_MASTER },
	{ SCMP_SYS(vfork), CONFINED_MASTER }, { SCMP_SYS(wait4), CONFINED_MASTER },
	{ SCMP_SYS(waitid), CONFINED_MASTER }, { SCMP_SYS(kill), CONFINED_MASTER },
	{ SCMP_SYS(signalfd4), CONFINED_MASTER }, { SCMP_SYS(seccomp), CONFINED_MASTER },
	{ SCMP_SYS(listen), CONFINED_MASTER }, { SCMP_SYS(flock), CONFINED_MASTER },
	{ SCMP_SYS(mkdir), CONFINED_MASTER }, { SCMP_SYS(mkdirat), CONFINED_MASTER },
	{ SCMP_SYS(chmod), CONFINED_MASTER }, { SCMP_SYS(fchmodat), CONFINED_MASTER },
	{ SCMP_SYS(chown), CONFINED_MASTER }, { SCMP_SYS(fchownat), CONFINED_MASTER },
	{ SCMP_SYS(unlink), CONFINED_MASTER }, { SCMP_SYS(unlinkat), CONFINED_MASTER },
	{ SCMP_SYS(execve), CONFINED_MASTER }, { SCMP_SYS(arch_prctl), CONFINED_MASTER },
	{ SCMP_SYS(set_tid_address), CONFINED_MASTER },
};
/* clang-format on */

/* In the process that made another call, wherever in it: nothing but write() is safe here. */
static void
on_refused(int number UNUSED, siginfo_t *info, void *context UNUSED)
{
	char line[160];
	int n = snprintf(line, sizeof(line),
	    "{\"level\":\"error\",\"pid\":%d,\"message\":\"ends: system call %d is not among "
	    "those that seccomp.c allows\"}\n",
	    (int)getpid(), info->si_syscall);

	(void)!write(STDERR_FILENO, line, (size_t)n);
	signal(SIGSYS, SIG_DFL);
	raise(SIGSYS);
}

/* Threads, but no processes. clone3() keeps its flags where no filter sees them: without it, glibc takes clone(). */
static int
allow_threads(scmp_filter_ctx filter, unsigned kind)
{
	int error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

	if (error == 0 && kind != CONFINED_MASTER)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
		    SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	return error;
}

static int
confine(scmp_filter_ctx filter, unsigned kind)
{
	int error = allow_threads(filter, kind);

	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* search, do not walk */
	for (size_t i = 0; i < countof(allowed) && error == 0; i++)
		if ((allowed[i].kinds & kind) != 0)
			error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i].call, 0);
	return error == 0 ? seccomp_load(filter) : error;
}

bool
seccomp_confine(const struct config *config, unsigned kind)
{
	struct sigaction action = { .sa_sigaction = on_refused, .sa_flags = SA_SIGINFO };
	scmp_filter_ctx filter;
	int error = -ENOMEM;

	if (SANITIZED || !config->seccomp)
		return false; /* a sanitizer's own threads and traces need more */
	sigaction(SIGSYS, &action, NULL);
	filter = seccomp_init(SCMP_ACT_TRAP);
	if (filter != NULL) {
		error = confine(filter, kind);
		seccomp_release(filter);
	}
	if (error != 0)
		log_warning("no system call filter: %s", strerror(-error));
	return error == 0;
}
