"""A new program in the place of the running one: nothing is lost, whatever happens on the way."""

import contextlib
import os
import shutil
import signal

import pytest
from fastcgi import Connection, socket_of
from load import Load, check_nothing_lost, create, read
from service import BUILD, eventually, put

# A program that is good, and is held up before it begins.
HELD = """#!/usr/bin/python3
import os, sys, time
if "--check-start" not in sys.argv:
    open("{here}/held", "w").close()
    while not os.path.exists("{here}/go"):
        time.sleep(0.02)
os.execv("{good}", sys.argv)
"""

GONE = """#!/bin/sh
rm "$0"
"""


@pytest.fixture
def renewable(daemon):
    """Starts a daemon that runs a copy of the program."""

    def start(**options):
        d = daemon(workers=2, **options)
        d.run("stop_rosterd")
        d.environment = {"program": str(d.state / "rosterd")}
        replace(d)
        with begins(d):
            d.run("launch_rosterd", "wait_for_answer")
        return d

    return start


def replace(d, script=None):
    """Puts another program, or a script, in the place of the one that runs."""
    new = d.state / "rosterd.new"
    if script is None:
        shutil.copy(BUILD / "rosterd", new)
    else:
        new.write_text(script)
        new.chmod(0o755)
    new.rename(d.state / "rosterd")


@contextlib.contextmanager
def begins(d):
    """Waits at its end until a program that was started in it is ready: its first worker answers before that."""

    def times():
        return [line["message"] for line in d.log() if "message" in line].count("ready")

    before = times()
    yield
    eventually(lambda: times() > before, what="the new program")


def renew(d):
    with begins(d):
        os.kill(d.master, signal.SIGHUP)


@contextlib.contextmanager
def held_up(d):
    """In it, the new program has taken over and has not begun."""
    replace(d, HELD.format(here=d.state, good=BUILD / "rosterd"))
    os.kill(d.master, signal.SIGHUP)
    eventually((d.state / "held").exists, what="the new program")
    yield
    (d.state / "go").touch()


def test_a_new_program_takes_over_under_load(renewable):
    d = renewable()
    master, before = d.master, set(d.children())
    with Load(d, *[create] * 3, *[read] * 3) as load:
        for _ in range(2):
            replace(d)
            renew(d)
        eventually(lambda: not before & set(d.children()), what="the end of the old processes")
    check_nothing_lost(d, load)
    assert d.master == master and len(d.messages("renews")) == 2


def test_a_database_that_goes_away_meanwhile_does_not_end_the_service(renewable):
    # The filter of system calls would hold for Python, too.
    d = renewable(config="seccomp = false\ndatabase_wait = 0")
    options = d.state / "roster.cnf"
    good = options.read_text()
    with begins(d), held_up(d):
        put(options, good.replace("mariadb.sock", "nothing.sock"))
    assert d.nobody.get("/health/live").status_code == 200
    put(options, good)
    assert read(d.staff) == (None, 200)


def test_processes_that_die_meanwhile_are_noticed(renewable):
    d = renewable(config="seccomp = false")
    d.expect_log("was ended by signal 9")
    before = d.children()
    with held_up(d):
        for pid in before:
            os.kill(pid, signal.SIGKILL)
    eventually(lambda: len(d.messages("was ended by signal 9")) == len(before), what="their end in the log")
    assert not set(before) & set(d.children())
    assert read(d.staff) == (None, 200)


def test_a_reload_that_is_asked_for_meanwhile_is_done(renewable):
    d = renewable(config="seccomp = false")
    with held_up(d):
        os.kill(d.master, signal.SIGHUP)
    eventually(lambda: d.messages("reloaded"), what="the reload")
    assert read(d.staff) == (None, 200)


def test_a_new_program_that_cannot_be_run_changes_nothing(renewable):
    d = renewable(config="seccomp = false")
    d.expect_log("the old program stays")
    before = d.children()
    replace(d, GONE)
    os.kill(d.master, signal.SIGHUP)
    eventually(lambda: d.messages("No such file or directory; the old program stays"))
    assert (read(d.staff), d.children()) == ((None, 200), before)
    replace(d)
    renew(d)
    assert read(d.staff) == (None, 200)


def test_what_the_old_program_has_in_memory_is_written_down(renewable):
    """Also when the next one comes before the old workers have gone: this one waits for its connection."""
    d = renewable()
    client = d.account(token_lifetime=3600)
    kept = Connection(socket_of(d, "api", 0))
    tokens = "tokens t JOIN users u ON u.id = t.user_id"
    d.sql(f"UPDATE {tokens} SET t.created = NOW(6) - INTERVAL 50 MINUTE WHERE u.username = %s", client.user["username"])
    assert kept.ask("GET", "/api/users/me/", token=client.token).status == 200
    for _ in range(2):
        replace(d)
        renew(d)
    query = f"SELECT t.created > NOW() - INTERVAL 5 MINUTE FROM {tokens} WHERE u.username = %s"
    eventually(lambda: d.sql(query, client.user["username"])[0][0], seconds=20, what="the note of the use")
    kept.close()
