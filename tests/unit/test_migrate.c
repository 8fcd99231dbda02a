#include "base/base.h"
#include "db/migrate.h"

#include "database.h"

#include <criterion/criterion.h>
#include <pthread.h>

#define TIMEOUT 2 /* seconds */

static struct database d;
static struct db *db;

/* Instead of the real ones. The last fails at its second statement until there is a table gate. */
const struct migration migrations[] = {
	{ 1, "fruits",
	    "-- Why; and a ; at the end of a comment;\n"
	    "CREATE TABLE fruits (\n"
	    "\tname VARCHAR(40) PRIMARY KEY -- a \"name\"\n"
	    ");\n" },
	{ 2, "first_fruits",
	    "INSERT INTO fruits VALUES ('\xc3\xb5un;');\n"
	    "# more\n"
	    "INSERT INTO fruits VALUES ('pear');\n" },
	{ 3, "gates", "CREATE TABLE gates (n INT);\nINSERT INTO gate VALUES (1);\n" },
};
const size_t nmigrations = countof(migrations);

static void
set_up(void)
{
	database_make(&d);
	db = database_open(&d, TIMEOUT, NULL);
}

static void
tear_down(void)
{
	db_free(&db);
	database_drop(&d);
}

TestSuite(migrate, .init = set_up, .fini = tear_down, .timeout = 60);

/* The text of a migration. */

Test(migrate_text, statements_end_with_a_semicolon_at_the_end_of_a_line)
{
	static const struct {
		const char *text;
		const char *statements[4];
	} cases[] = {
		{ "", { NULL } },
		{ "\n \n\t\n", { NULL } },
		{ "-- nothing;\n# at all;\n", { NULL } },
		{ "A;\nB;\n", { "A", "B" } },
		{ "A;", { "A" } },
		{ "A", { "A" } },
		{ "A;  \t\r\nB;\n", { "A", "B" } },
		{ "A; B\nC;\n", { "A; B\nC" } },
		{ "-- why\n\n  A\n-- and\n\n  B;\n-- end\n", { "A\n-- and\n\n  B" } },
		{ "A (';',\n'b')\n;\nC;\n", { "A (';',\n'b')\n", "C" } },
		{ "A;\n;\nB;\n", { "A", "", "B" } },
		{ "A \xc3\xb5;\n", { "A \xc3\xb5" } },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct text rest = text_from(cases[i].text), statement;

		for (size_t j = 0; cases[i].statements[j] != NULL; j++) {
			cr_assert(migration_statement(&rest, &statement), "%s", cases[i].text);
			cr_expect(text_eq(statement, text_from(cases[i].statements[j])), "%s: %.*s",
			    cases[i].text, TEXT_ARGS(statement));
		}
		cr_expect_not(migration_statement(&rest, &statement), "%s: %.*s", cases[i].text,
		    TEXT_ARGS(statement));
	}
}

/* Against a database. */

static void
expect_in(struct text t, const char *words)
{
	cr_expect_not_null(strstr(t.s, words), "\"%s\" is not in: %.*s", words, TEXT_ARGS(t));
}

static void
expect_state(enum schema_state state, const char *words)
{
	struct text detail;

	cr_expect_eq(migrate_check(db, d.arena, &detail), state, "%.*s", TEXT_ARGS(detail));
	expect_in(detail, words);
}

static struct text
apply(bool expected)
{
	struct text report;

	cr_expect_eq(migrate_apply(db, d.arena, false, 1, &report), expected, "%s", report.s);
	return report;
}

/* All three, and nothing left to complain of. */
static void
apply_all(void)
{
	admin_ask(&d, "CREATE TABLE gate (n INT)");
	apply(true);
	expect_state(SCHEMA_CURRENT, "is current");
}

Test(migrate, an_empty_database_gets_all)
{
	struct text report;

	expect_state(SCHEMA_EMPTY, "run rosterctl migrate");
	admin_ask(&d, "CREATE TABLE gate (n INT)");
	report = apply(true);
	expect_in(
	    report, "0001_fruits: applied\n0002_first_fruits: applied\n0003_gates: applied\n");
	cr_expect_str_eq(admin_ask(&d, "SELECT GROUP_CONCAT(name ORDER BY name) FROM fruits"),
	    "\xc3\xb5un;,pear");
	cr_expect_str_eq(admin_ask(&d,
			     "SELECT GROUP_CONCAT(statements ORDER BY number)"
			     " FROM schema_migrations WHERE applied_at IS NOT NULL"),
	    "1,2,2");
	expect_state(SCHEMA_CURRENT, "is current");

	report = apply(true);
	expect_in(report, "is current");
	cr_expect_str_eq(admin_ask(&d, "SELECT COUNT(*) FROM fruits"), "2", "nothing runs twice");
}

Test(migrate, the_status_has_a_line_each)
{
	struct text report;

	cr_assert(migrate_status(db, d.arena, &report));
	expect_in(report, "0001_fruits");
	expect_in(report, "pending\n0002_first_fruits");
	apply_all();
	cr_assert(migrate_status(db, d.arena, &report));
	expect_in(report, "0003_gates");
	expect_in(report, "applied (20");
}

Test(migrate, a_dry_run_changes_nothing)
{
	struct text report;

	cr_expect(migrate_apply(db, d.arena, true, 1, &report));
	expect_in(report, "0001_fruits: would be applied (1 statements)\n");
	expect_in(report, "0002_first_fruits: would be applied (2 statements)\n");
	cr_expect_str_eq(admin_ask(&d, "SHOW TABLES"), "");
	apply_all();
	cr_expect(migrate_apply(db, d.arena, true, 1, &report));
	expect_in(report, "is current");
}

Test(migrate, what_fails_half_way_is_seen_and_named)
{
	struct text report = apply(false);

	expect_in(report, "0002_first_fruits: applied\n");
	expect_in(report, "0003_gates: failed at statement 2: Table");
	expect_state(SCHEMA_CHANGED, "migration 0003_gates is half applied");
	cr_assert(migrate_status(db, d.arena, &report));
	expect_in(report, "half applied (begun 20");
	expect_in(report, "1 statements known to have run)");
	expect_in(apply(false), "0003_gates is half applied");

	admin_ask(&d, "DROP TABLE gates");
	admin_ask(&d, "DELETE FROM schema_migrations WHERE number = 3");
	expect_state(SCHEMA_OLDER, "0003_gates is pending");
	apply_all();
}

Test(migrate, what_fails_at_once_is_pending)
{
	struct text report;

	admin_ask(&d, "CREATE TABLE fruits (id INT)");
	report = apply(false);
	expect_in(report, "0001_fruits: failed at statement 1: Table 'fruits' already exists");
	cr_expect_str_eq(admin_ask(&d, "SELECT COUNT(*) FROM schema_migrations"), "0");
	admin_ask(&d, "DROP TABLE fruits");
	apply_all();
}

Test(migrate, a_schema_that_is_not_ours_is_refused)
{
	static const struct {
		const char *change;
		enum schema_state state;
		const char *words;
	} cases[] = {
		{ "UPDATE schema_migrations SET checksum = REPEAT('x', 32) WHERE number = 2",
		    SCHEMA_CHANGED, "0002_first_fruits is not the one" },
		{ "UPDATE schema_migrations SET name = 'other' WHERE number = 1", SCHEMA_CHANGED,
		    "0001_fruits is not the one" },
		{ "DELETE FROM schema_migrations WHERE number = 2", SCHEMA_CHANGED,
		    "0002_first_fruits is missing" },
		{ "INSERT INTO schema_migrations VALUES (0, 'old', '', 1, NOW(), NOW())",
		    SCHEMA_CHANGED, "0000_old is applied, and unknown" },
		{ "INSERT INTO schema_migrations VALUES (4, 'new', '', 1, NOW(), NOW())",
		    SCHEMA_NEWER, "0004_new is applied, and newer" },
		{ "INSERT INTO schema_migrations VALUES (4, 'new', '', 1, NOW(), NULL)",
		    SCHEMA_NEWER, "0004_new is applied, and newer" },
	};
	struct text report;

	apply_all();
	admin_ask(&d, "CREATE TABLE kept LIKE schema_migrations");
	admin_ask(&d, "INSERT INTO kept SELECT * FROM schema_migrations");
	for (size_t i = 0; i < countof(cases); i++) {
		admin_ask(&d, "%s", cases[i].change);
		expect_state(cases[i].state, cases[i].words);
		expect_in(apply(false), cases[i].words);
		cr_expect_not(migrate_apply(db, d.arena, true, 1, &report));
		cr_expect(migrate_status(db, d.arena, &report));
		admin_ask(&d, "DELETE FROM schema_migrations");
		admin_ask(&d, "INSERT INTO schema_migrations SELECT * FROM kept");
		expect_state(SCHEMA_CURRENT, "is current");
	}
}

Test(migrate, one_at_a_time)
{
	admin_ask(&d, "SELECT GET_LOCK(CONCAT('roster.', SHA1(DATABASE())), 0)");
	expect_in(
	    apply(false), "another process has been migrating this database for over 1 seconds");
	cr_expect_str_eq(admin_ask(&d, "SHOW TABLES"), "");
	admin_ask(&d, "SELECT RELEASE_LOCK(CONCAT('roster.', SHA1(DATABASE())))");
	apply_all();
	cr_expect_str_eq(admin_ask(&d, "SELECT IS_FREE_LOCK(CONCAT('roster.', SHA1(DATABASE())))"),
	    "1", "it is given back");
}

static void *
apply_beside(void *arg)
{
	struct db *other = database_open(&d, TIMEOUT, NULL);
	struct arena *arena = arena_new((size_t)1024 * 1024);
	struct text report;
	bool done = migrate_apply(other, arena, false, 30, &report);

	db_free(&other);
	arena_free(&arena);
	return done ? arg : NULL;
}

Test(migrate, two_processes_do_it_once)
{
	pthread_t thread;
	void *done;

	admin_ask(&d, "CREATE TABLE gate (n INT)");
	cr_assert_eq(pthread_create(&thread, NULL, apply_beside, &d), 0);
	apply(true);
	pthread_join(thread, &done);
	cr_expect_not_null(done);
	cr_expect_str_eq(admin_ask(&d, "SELECT COUNT(*) FROM gate"), "1");
}

Test(migrate, a_database_that_does_not_answer_is_told)
{
	struct text report;

	write_option_file(&d, "socket = /nonexistent/socket");
	expect_state(SCHEMA_UNKNOWN, "is MariaDB running");
	expect_in(apply(false), "is MariaDB running");
	cr_expect_not(migrate_apply(db, d.arena, true, 1, &report));
	expect_in(report, "is MariaDB running");
	cr_expect_not(migrate_status(db, d.arena, &report));
	expect_in(report, "is MariaDB running");
}

/* A kill between the statements takes the lock away: the rest must not run without it. */
Test(migrate, nothing_goes_on_without_the_lock)
{
	struct text report;

	admin_ask(&d, "CREATE TABLE gate (n INT)");
	admin_ask(
	    &d, "CREATE TRIGGER bite BEFORE INSERT ON gate FOR EACH ROW KILL CONNECTION_ID()");
	report = apply(false);
	expect_in(report, "0003_gates: failed at statement 2");
	expect_state(SCHEMA_CHANGED, "0003_gates is half applied");
}

Test(migrate, a_statement_may_take_longer_than_the_timeout)
{
	admin_ask(&d, "CREATE TABLE gate (n INT)");
	admin_ask(&d, "CREATE TRIGGER wait BEFORE INSERT ON gate FOR EACH ROW SET @x = SLEEP(%d)",
	    TIMEOUT + 6);
	apply(true);
	expect_state(SCHEMA_CURRENT, "is current");
}
