/*
 * A database of its own for a test, on the server whose option file ROSTER_TEST_DATABASE names
 * (group [roster]). The account there must be allowed to create and drop databases. Without the
 * variable the test is skipped.
 */
#ifndef ROSTER_TESTS_DATABASE_H
#define ROSTER_TESTS_DATABASE_H

#include <criterion/criterion.h>
#include <unistd.h>

#include "db/db_int.h"

struct database {
	struct arena *arena;
	MYSQL *admin; /* a second connection, not through db/ */
	char name[40];
	char dir[40];
	char option_file[64];
};

/* A statement on the second connection; the first column of its first row, or "". Not long. */
PRINTF_LIKE(2, 3)
static inline const char *
admin_ask(struct database *d, const char *format, ...)
{
	static char answer[256];
	char sql[1024];
	MYSQL_RES *rows;
	MYSQL_ROW row;
	va_list args;

	va_start(args, format);
	vsnprintf(sql, sizeof(sql), format, args);
	va_end(args);
	cr_assert_eq(
	    mysql_real_query(d->admin, sql, strlen(sql)), 0, "%s: %s", sql, mysql_error(d->admin));
	answer[0] = '\0';
	rows = mysql_store_result(d->admin);
	if (rows != NULL && (row = mysql_fetch_row(rows)) != NULL && row[0] != NULL)
		snprintf(answer, sizeof(answer), "%s", row[0]);
	mysql_free_result(rows);
	return answer;
}

/* An option file with these lines in group [roster] after those of ROSTER_TEST_DATABASE. */
static inline void
write_option_file(struct database *d, const char *lines)
{
	FILE *f = fopen(d->option_file, "w");

	cr_assert_not_null(f);
	fprintf(f, "!include %s\n[roster]\ndatabase = %s\n%s\n", getenv("ROSTER_TEST_DATABASE"),
	    d->name, lines);
	fclose(f);
}

static inline void
database_make(struct database *d)
{
	const char *option_file = getenv("ROSTER_TEST_DATABASE");

	*d = (struct database){ .arena = arena_new((size_t)32 * 1024 * 1024) };
	if (option_file == NULL)
		cr_skip_test("ROSTER_TEST_DATABASE names no option file; ./dev check sets it");

	d->admin = mysql_init(NULL);
	mysql_options(d->admin, MYSQL_READ_DEFAULT_FILE, option_file);
	mysql_options(d->admin, MYSQL_READ_DEFAULT_GROUP, "roster");
	cr_assert_not_null(mysql_real_connect(d->admin, NULL, NULL, NULL, NULL, 0, NULL, 0), "%s",
	    mysql_error(d->admin));

	snprintf(d->name, sizeof(d->name), "roster_unit_%d", (int)getpid());
	admin_ask(d, "DROP DATABASE IF EXISTS %s", d->name);
	admin_ask(d, "CREATE DATABASE %s COLLATE utf8mb4_uca1400_as_ci", d->name);
	admin_ask(d, "USE %s", d->name);

	snprintf(d->dir, sizeof(d->dir), "/tmp/roster-unit.XXXXXX");
	cr_assert_not_null(mkdtemp(d->dir));
	snprintf(d->option_file, sizeof(d->option_file), "%s/option-file", d->dir);
	write_option_file(d, "");
}

static inline struct db *
database_open(struct database *d, int64_t timeout, const struct db_stmt *committed)
{
	return db_new(&(struct db_options){
	    .option_file = text_from(d->option_file),
	    .timeout = timeout,
	    .committed = committed,
	});
}

static inline void
database_drop(struct database *d)
{
	if (d->admin != NULL) {
		admin_ask(d, "DROP DATABASE %s", d->name);
		mysql_close(d->admin);
		unlink(d->option_file);
		rmdir(d->dir);
	}
	arena_free(&d->arena);
}

#endif
