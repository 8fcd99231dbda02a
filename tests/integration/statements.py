"""The statements that the service sends for a request, and what the database makes of them."""

import contextlib

import pymysql


@contextlib.contextmanager
def logged(service):
    """Meanwhile statements are logged, with their values: those that are prepared meanwhile."""
    service.sql("SET GLOBAL log_output = 'TABLE', general_log = 1")
    service.renew()
    yield
    service.sql("SET GLOBAL general_log = 0")
    service.reload()


def statements_of(service, ask):
    """The statements that the service has sent for what ask() asks with a token, within logged()."""
    service.sql("TRUNCATE mysql.general_log")
    ask()
    # Of the connection that has looked the token up: other processes have chores at any time.
    rows = service.sql(
        "SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log"
        " WHERE command_type = 'Execute' AND thread_id IN (SELECT thread_id FROM mysql.general_log"
        " WHERE command_type = 'Execute' AND argument LIKE '%%FROM tokens%%') ORDER BY event_time"
    )
    return [text for (text,) in rows]


def plan(service, statement):
    """What EXPLAIN says of it, a table after the other: name, type of access, key, rows, the rest."""
    with contextlib.closing(service.connect()) as connection, connection.cursor(pymysql.cursors.DictCursor) as cursor:
        cursor.execute("EXPLAIN " + statement.replace("%", "%%"), ())
        return cursor.fetchall()
