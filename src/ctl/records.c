#include "base/base.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "ctl/ctl.h"
#include "ctl/records.h"

#define PIECE (64 * 1024)
#define BOM T("\xef\xbb\xbf")

static bool
trouble(const struct records *r, const char *what)
{
	(void)ctl_error(0, "%s: %s: %s", r->name, what, strerror(errno));
	return false;
}

static bool
write_all(int fd, const char *p, size_t n)
{
	ssize_t written;

	for (; n > 0; p += written, n -= (size_t)written)
		if ((written = write(fd, p, n)) < 0)
			return false;
	return true;
}

/* A nameless file with all that comes from standard input. */
static bool
copy_input(struct records *r, char *piece)
{
	const char *folder = getenv("TMPDIR");
	ssize_t n = 0;

	r->fd = open(folder != NULL ? folder : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (r->fd < 0)
		return trouble(r, "cannot make a temporary file");
	while ((n = read(STDIN_FILENO, piece, PIECE)) > 0)
		if (!write_all(r->fd, piece, (size_t)n))
			return trouble(r, "cannot write a temporary file");
	return n == 0 || trouble(r, "cannot read");
}

/* What reading fails with is kept for records_next(). */
static void
fill(struct records *r)
{
	ssize_t n;

	memmove(r->buffer, r->buffer + r->at, r->n - r->at);
	r->n -= r->at;
	r->at = 0;
	n = read(r->fd, r->buffer + r->n, RECORD_MAX - r->n);
	if (n < 0)
		r->problem = strerror(errno);
	r->ended = n <= 0;
	r->n += n > 0 ? (size_t)n : 0;
}

static struct text
rest(const struct records *r)
{
	return (struct text){ r->buffer + r->at, r->n - r->at };
}

/* Passes over a byte order mark, and looks whether the first record is an object. A list is neither. */
static void
look(struct records *r)
{
	struct text t;

	fill(r);
	if (text_starts(rest(r), BOM))
		r->at += BOM.n;
	t = rest(r);
	while (t.n > 0 && strchr(" \t\r\n", t.s[0]) != NULL)
		t = text_slice(t, 1, t.n);
	r->csv = !text_starts(t, T("{")) && !text_starts(t, T("["));
	if (text_starts(t, T("[")))
		r->problem =
		    "this is a JSON list; JSON Lines have an object a line: jq -c '.[]' makes them";
}

void
records_rewind(struct records *r)
{
	must(lseek(r->fd, 0, SEEK_SET) == 0);
	r->at = r->n = 0;
	r->done = r->line = 0;
	r->next_line = 1;
	r->problem = NULL;
	look(r);
}

bool
records_open(struct records *r, struct text path, struct arena *a)
{
	bool standard = text_eq(path, T("-"));
	struct stat st;

	*r = (struct records){ .name = standard ? "standard input" : path.s, .fd = -1 };
	r->buffer = arena_alloc(a, RECORD_MAX);
	if (standard) {
		if (!copy_input(r, r->buffer))
			return false;
	} else if ((r->fd = open(path.s, O_RDONLY | O_CLOEXEC)) < 0) {
		return trouble(r, "cannot open");
	}
	if (fstat(r->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		(void)ctl_error(0, "%s: not a regular file; - reads standard input", r->name);
		return false;
	}
	r->size = st.st_size;
	records_rewind(r);
	return true;
}

void
records_close(struct records *r)
{
	if (r->fd >= 0)
		close(r->fd);
}

struct text
records_digest(struct records *r, struct arena *a)
{
	struct bytes bytes;

	must(lseek(r->fd, 0, SEEK_SET) == 0);
	bytes = digest_file(r->fd, a);
	if (bytes.p == NULL) {
		(void)trouble(r, "cannot read");
		return TEXT_NONE;
	}
	records_rewind(r);
	return hex(bytes, a);
}

/* The rest's first record with its line feed, as far as it is in the buffer; complete says whether all of it is. */
static struct text
first_record(const struct records *r, bool *complete)
{
	struct text t = rest(r);
	size_t end = r->csv ? csv_end(t) : text_find(t, '\n', 0);

	*complete = end < t.n;
	return text_slice(t, 0, end + 1);
}

static int64_t
count_lines(struct text t)
{
	int64_t n = 0;

	for (size_t at = 0; (at = text_find(t, '\n', at)) < t.n; at++)
		n++;
	return n;
}

/* Without the line's end. */
static struct text
strip(struct text t)
{
	if (t.n > 0 && t.s[t.n - 1] == '\n')
		t.n--;
	if (t.n > 0 && t.s[t.n - 1] == '\r')
		t.n--;
	return t;
}

/* Reads on until a whole record is there; false when there is none any more, or it is too long. */
static bool
have_record(struct records *r, struct text *record)
{
	bool complete;

	*record = first_record(r, &complete);
	while (!complete && !r->ended) {
		if (r->at == 0 && r->n == RECORD_MAX) {
			r->problem = "the record is longer than 1 MiB";
			return false;
		}
		fill(r);
		*record = first_record(r, &complete);
	}
	return r->problem == NULL && record->n > 0;
}

/* Nothing but blanks, as a person leaves behind in an editor. */
static bool
is_blank(struct text t)
{
	size_t i = 0;

	while (i < t.n && (t.s[i] == ' ' || t.s[i] == '\t'))
		i++;
	return i == t.n;
}

bool
records_next(struct records *r, struct text *record)
{
	do {
		r->line = r->next_line;
		if (!have_record(r, record))
			return false;
		r->at += record->n;
		r->done += (int64_t)record->n;
		r->next_line += count_lines(*record);
		*record = strip(*record);
	} while (is_blank(*record));
	return true;
}
