#include "base/base.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include "base/secret.h"
#include "ctl/ctl.h"

#define PASSWORD_MAX 4096

/* The next line of what fd gives, without its end; nothing beyond it is read. false, with errno, when it cannot be read. */
static bool
read_line(int fd, struct arena *a, struct text *out)
{
	char *line = arena_alloc(a, PASSWORD_MAX);
	size_t n = 0;
	ssize_t got = 0;

	while (n < PASSWORD_MAX && (got = read(fd, line + n, 1)) == 1 && line[n] != '\n')
		n++;
	*out = (struct text){ line, n > 0 && line[n - 1] == '\r' ? n - 1 : n };
	return got >= 0;
}

static const int ends[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
static volatile sig_atomic_t ended_by;

static void
on_end(int number)
{
	ended_by = number;
}

/* What a signal that would end the program does, before and after it is held. */
struct held {
	sigset_t mask;
	struct sigaction actions[countof(ends)];
};

/* Such a signal only ends the waiting for a line, so that the terminal shows again what is typed afterwards. */
static void
hold_ends(struct held *before)
{
	struct sigaction hold = { .sa_handler = on_end };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < countof(ends); i++) {
		sigaddset(&set, ends[i]);
		sigaction(ends[i], &hold, &before->actions[i]);
		if (before->actions[i].sa_handler == SIG_IGN)
			sigaction(ends[i], &before->actions[i], NULL);
	}
	sigprocmask(SIG_BLOCK, &set, &before->mask);
}

static void
let_end(const struct held *before)
{
	for (size_t i = 0; i < countof(ends); i++)
		sigaction(ends[i], &before->actions[i], NULL);
	sigprocmask(SIG_SETMASK, &before->mask, NULL);
	if (ended_by != 0)
		raise(ended_by);
}

/* Waits for a line, or for a signal, which comes at no other moment. */
static bool
line_comes(int tty, const struct held *before)
{
	struct pollfd line = { .fd = tty, .events = POLLIN };

	return ppoll(&line, 1, NULL, &before->mask) > 0;
}

/* Asks at the terminal without showing what is typed. */
static struct text
ask(int tty, const char *prompt, struct arena *a)
{
	struct held before;
	struct termios shown, hidden;
	struct text answer;

	hold_ends(&before);
	tcgetattr(tty, &shown);
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(tty, TCSAFLUSH, &hidden); /* throws away what was typed before it was asked for */
	dprintf(tty, "%s: ", prompt);
	if (!line_comes(tty, &before) || !read_line(tty, a, &answer))
		answer = TEXT_NONE;
	tcsetattr(tty, TCSAFLUSH, &shown);
	dprintf(tty, "\n");
	let_end(&before);
	return answer;
}

static int
open_terminal(const char *what, const char *option)
{
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);

	if (tty < 0)
		(void)ctl_error(0,
		    "there is no terminal to ask for the %s; give it with "
		    "--%s-file FILE, or - for standard input",
		    what, option);
	return tty;
}

static bool
ask_twice(struct ctl *ctl, struct text *password)
{
	int tty = open_terminal("password", "password");
	struct text again;

	if (tty < 0)
		return false;
	*password = ask(tty, "Password", ctl->arena);
	again = ask(tty, "Again", ctl->arena);
	close(tty);
	if (!text_eq(*password, again)) {
		(void)ctl_error(0, "the two passwords differ");
		return false;
	}
	return true;
}

static bool
ask_once(struct ctl *ctl, const char *what, const char *option, struct text *secret)
{
	int tty = open_terminal(what, option);

	if (tty < 0)
		return false;
	*secret = ask(tty, what, ctl->arena);
	close(tty);
	return true;
}

static bool
read_file(struct ctl *ctl, struct text path, struct text *password)
{
	bool standard = text_eq(path, T("-"));
	int fd = standard ? STDIN_FILENO : open(path.s, O_RDONLY | O_CLOEXEC);
	bool got = true;

	if (fd < 0) {
		(void)ctl_error(0, "cannot open %s: %s", path.s, strerror(errno));
		return false;
	}
	if (!read_line(fd, ctl->arena, password)) {
		(void)ctl_error(0, "cannot read %s: %s", path.s, strerror(errno));
		got = false;
	}
	if (!standard)
		close(fd);
	return got;
}

/* Says what is wrong with a secret that was given; true when nothing is. */
static bool
is_usable(const char *what, struct text secret)
{
	if (secret.n == 0)
		(void)ctl_error(0, "the %s is empty", what);
	else if (!text_is_utf8(secret))
		(void)ctl_error(0, "the %s is not valid UTF-8", what);
	else if (text_find(secret, '\0', 0) < secret.n)
		(void)ctl_error(0, "the %s has a null character", what);
	else
		return true;
	return false;
}

bool
ctl_password(struct ctl *ctl, struct text *password)
{
	struct text file = ctl->options.password_file;

	return (text_is_none(file) ? ask_twice(ctl, password) : read_file(ctl, file, password)) &&
	    is_usable("password", *password);
}

bool
ctl_secret(
    struct ctl *ctl, const char *what, const char *option, struct text file, struct text *secret)
{
	return (text_is_none(file) ? ask_once(ctl, what, option, secret)
				   : read_file(ctl, file, secret)) &&
	    is_usable(what, *secret);
}
