#include "base/base.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include "base/secret.h"
#include "ctl/ctl.h"

#define PASSWORD_MAX 4096

/* The first line of what fd gives, without its end. false, with errno, when it cannot be read. */
static bool
read_line(int fd, struct arena *a, struct text *out)
{
	char *line = arena_alloc(a, PASSWORD_MAX);
	size_t n = 0;
	ssize_t got = 0;

	while (n < PASSWORD_MAX && (got = read(fd, line + n, PASSWORD_MAX - n)) > 0) {
		n += (size_t)got;
		if (memchr(line, '\n', n) != NULL)
			break;
	}
	n = text_find((struct text){ line, n }, '\n', 0);
	*out = (struct text){ line, n > 0 && line[n - 1] == '\r' ? n - 1 : n };
	return got >= 0;
}

/* Asks at the terminal without showing what is typed. */
static struct text
ask(int tty, const char *prompt, struct arena *a)
{
	struct termios shown, hidden;
	struct text answer;

	dprintf(tty, "%s: ", prompt);
	tcgetattr(tty, &shown);
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(tty, TCSAFLUSH, &hidden);
	if (!read_line(tty, a, &answer))
		answer = TEXT_NONE;
	tcsetattr(tty, TCSAFLUSH, &shown);
	dprintf(tty, "\n");
	return answer;
}

static bool
ask_twice(struct ctl *ctl, struct text *password)
{
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
	struct text again;

	if (tty < 0) {
		(void)ctl_error(0,
		    "there is no terminal to ask for the password; give it with "
		    "--password-file FILE, or - for standard input");
		return false;
	}
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
read_file(struct ctl *ctl, struct text *password)
{
	struct text path = ctl->options.password_file;
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

bool
ctl_password(struct ctl *ctl, struct text *password)
{
	bool given = text_is_none(ctl->options.password_file) ? ask_twice(ctl, password)
							      : read_file(ctl, password);

	if (given && password->n == 0) {
		(void)ctl_error(0, "the password is empty");
		return false;
	}
	if (given && !text_is_utf8(*password)) {
		(void)ctl_error(0, "the password is not valid UTF-8");
		return false;
	}
	if (given && text_find(*password, '\0', 0) < password->n) {
		(void)ctl_error(0, "the password has a null character");
		return false;
	}
	return given;
}
