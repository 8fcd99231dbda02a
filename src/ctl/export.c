/* rosterctl user export: all accounts as CSV, JSON Lines or one JSON list, in the fields that an import takes. */
#include "base/base.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/progress.h"
#include "ctl/records.h"
#include "users/users.h"

/* Accounts that one statement reads. */
#define PAGE 2000

struct export
{
	struct ctl *ctl;
	struct arena *page;
	const struct field *fields[FIELDS_MAX];
	size_t n;
	bool csv;
	const char *before; /* each account of a list */
	FILE *out;
	struct text path, temporary; /* none: standard output; none: written in place */
	int64_t total, done;
	struct progress progress;
};

bool
ctl_is_portable(const struct field *f)
{
	return f->column != NULL && f->url == NULL && (f->create & (STAFF | OPERATOR)) != 0;
}

static void
choose_fields(struct export *ex)
{
	for (size_t i = 0; i < users.nfields; i++) {
		const struct field *f = &users.fields[i];
		bool wanted = f->read != NOBODY || !ex->ctl->options.without_passwords;

		if (ctl_is_portable(f) && wanted)
			ex->fields[ex->n++] = f;
	}
}

/* The file. */

static bool
trouble(const struct export *ex, const char *what)
{
	(void)ctl_error(0, "%s: %s: %s", ex->path.s, what, strerror(errno));
	return false;
}

/* What is left of an export that a signal ends. */
static const char *unfinished;

static void
on_signal(int number)
{
	(void)unlink(unfinished);
	(void)raise(number); /* which ends the process, for it is caught only once */
}

/* Even in the midst of a question that the database does not answer. */
static void
remove_when_killed(const char *path)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND };

	unfinished = path;
	for (size_t i = 0; i < countof(signals); i++)
		sigaction(signals[i], &action, NULL);
}

/* A regular file is written beside its name and put there when it is whole; hashes are in it. */
static bool
open_file(struct export *ex)
{
	struct stat st;
	bool in_place = stat(ex->path.s, &st) == 0 && !S_ISREG(st.st_mode);
	int fd;

	if (!in_place) {
		ex->temporary =
		    arena_printf(ex->ctl->arena, "%s.%ld.new", ex->path.s, (long)getpid());
		remove_when_killed(ex->temporary.s);
	}
	fd = open(in_place ? ex->path.s : ex->temporary.s,
	    in_place ? O_WRONLY | O_CLOEXEC : O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ex->out = fd < 0 ? NULL : fdopen(fd, "w");
	return ex->out != NULL || trouble(ex, "cannot open");
}

static bool
close_file(struct export *ex)
{
	bool regular = !text_is_none(ex->temporary);
	FILE *out = ex->out;

	if (text_is_none(ex->path))
		return true; /* rosterctl looks at standard output when it ends */
	if (fflush(out) != 0 || ferror(out) || (regular && fsync(fileno(out)) != 0))
		return trouble(ex, "cannot write");
	ex->out = NULL;
	if (fclose(out) != 0)
		return trouble(ex, "cannot write");
	return !regular || rename(ex->temporary.s, ex->path.s) == 0 || trouble(ex, "cannot rename");
}

static void
drop_file(struct export *ex)
{
	if (ex->out != NULL && !text_is_none(ex->path))
		fclose(ex->out);
	if (!text_is_none(ex->temporary))
		(void)unlink(ex->temporary.s);
}

/* Rows. */

/* How a value is written in a cell. */
static struct text
cell(struct export *ex, const struct value *v)
{
	char *room = arena_alloc(ex->page, UUID_SIZE);

	_Static_assert(UUID_SIZE >= STAMP_SIZE && UUID_SIZE >= DATE_SIZE, "room for each");
	if (v->null)
		return T("");
	switch (v->kind) {
	case KIND_TEXT:
	case KIND_JSON:
		return csv_cell(v->t, ex->page);
	case KIND_BOOL:
		return v->b ? T("true") : T("false");
	case KIND_UUID:
		return uuid_print(v->u, ex->ctl->setup.config.uuid_format, room);
	case KIND_STAMP:
		return stamp_print(v->s, room);
	case KIND_DATE:
		return date_print(v->d, room);
	default:
		return arena_printf(ex->page, "%lld", (long long)v->i);
	}
}

static void
add_csv(struct export *ex, struct buf *line, const struct value *values)
{
	for (size_t i = 0; i < ex->n; i++) {
		if (i > 0)
			buf_add_char(line, ',');
		buf_add(line, cell(ex, &values[i]));
	}
}

static void
add_json(struct export *ex, struct buf *line, const struct value *values)
{
	struct json_writer w;

	json_writer_init(&w, ex->page, json_sink_buf, line, ex->ctl->setup.config.uuid_format);
	json_object(&w);
	for (size_t i = 0; i < ex->n; i++)
		json_member_value(&w, ex->fields[i]->name, values[i]);
	json_object_end(&w);
	must(!json_failed(&w));
}

static void
write_row(struct export *ex, const struct value *values)
{
	struct buf line;

	buf_init(&line, ex->page);
	if (ex->before != NULL) {
		buf_add(&line, text_from(ex->before));
		ex->before = ",\n";
	}
	if (ex->csv)
		add_csv(ex, &line, values);
	else
		add_json(ex, &line, values);
	if (ex->before == NULL)
		buf_add_char(&line, '\n');
	(void)fwrite(line.s, 1, line.n, ex->out);
}

static void
write_header(struct export *ex)
{
	for (size_t i = 0; i < ex->n; i++)
		fprintf(ex->out, "%s%s", i > 0 ? "," : "", ex->fields[i]->name);
	fputc('\n', ex->out);
}

/* Writes the accounts after *last; how many there were. */
static size_t
write_page(struct export *ex, int64_t *last)
{
	struct value values[1 + FIELDS_MAX] = { { .kind = KIND_INT } };
	struct arena_mark mark;
	struct sql q;
	size_t rows = 0;

	sql_init(&q, ex->page);
	sql_add(&q, "SELECT id");
	for (size_t i = 0; i < ex->n; i++) {
		sql_add(&q, ", ");
		sql_add(&q, ex->fields[i]->column);
		values[1 + i].kind = ex->fields[i]->kind;
	}
	sql_add(&q, " FROM users WHERE id > ");
	sql_value(&q, V(*last));
	sql_add(&q, " ORDER BY id LIMIT ");
	sql_value(&q, V((int64_t)PAGE));
	db_query_sql(ex->ctl->db, "users_export", DB_READ, &q, values, 1 + ex->n);
	mark = arena_mark(ex->page);
	for (; db_next(ex->ctl->db); rows++) {
		*last = values[0].i;
		write_row(ex, &values[1]);
		arena_rewind(ex->page, mark);
	}
	return rows;
}

static int64_t
count_users(struct export *ex)
{
	struct value n = { .kind = KIND_INT };
	struct sql q;

	sql_init(&q, ex->page);
	sql_add(&q, "SELECT COUNT(*) FROM users");
	return db_row_sql(ex->ctl->db, "users_count", DB_READ, &q, &n, 1) ? n.i : 0;
}

static bool
write_all(struct export *ex)
{
	int64_t last = 0;
	size_t rows = PAGE;

	db_begin(ex->ctl->db, ex->page, false, TEXT_NONE);
	ex->total = ex->progress.shown ? count_users(ex) : 0;
	if (ex->csv)
		write_header(ex);
	if (ex->before != NULL)
		fputc('[', ex->out);
	while (rows == PAGE && !ferror(ex->out)) {
		rows = write_page(ex, &last);
		ex->done += (int64_t)rows;
		progress_show(&ex->progress, ex->done, ex->total, ex->done);
		arena_reset(ex->page);
	}
	progress_clear(&ex->progress);
	if (db_end(ex->ctl->db, false) != DB_NONE) {
		(void)ctl_error(0, "the database could not be read");
		return false;
	}
	if (ex->before != NULL)
		fputs("]\n", ex->out);
	return true;
}

int
ctl_user_export(struct ctl *ctl)
{
	bool standard = text_eq(ctl->options.output, T("-"));
	struct export ex = {
		.ctl = ctl, .out = stdout, .path = standard ? TEXT_NONE : ctl->options.output
	};
	struct text format = ctl->options.format;
	int status = CTL_FAILED;

	ex.csv = text_eq(format, T("csv"));
	if (!ex.csv && !text_is_none(format) && !text_eq(format, T("jsonl")))
		return ctl_error(CTL_USAGE, "the formats are csv and jsonl");
	if (ctl->options.json && !text_is_none(format))
		return ctl_error(CTL_USAGE, "--json is a format of its own; leave --format out");
	ex.before = ctl->options.json ? "" : NULL;
	choose_fields(&ex);
	if (!text_is_none(ex.path) && !open_file(&ex))
		return CTL_FAILED;
	ex.page = arena_new((size_t)64 * 1024 * 1024);
	progress_begin(&ex.progress, "accounts");
	if (write_all(&ex) && close_file(&ex))
		status = CTL_GOOD;
	else
		drop_file(&ex);
	arena_free(&ex.page);
	return status;
}
