"""contrib/roster-backup: a copy of the database is whole, and goes only where it should."""

import gzip
import os
import re
import shutil
import signal
import subprocess

import pytest
from service import BUILD, TOP, Client, Service, eventually, unique
from users import path_of

PASSWORD = "correct horse battery staple"


def backup(service, *words):
    return backup_by(service.state / "roster.conf", *words)


def backup_by(conf, *words):
    return subprocess.run(
        [TOP / "contrib/roster-backup", "--config", conf, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ, PATH=f"{BUILD}:{os.environ['PATH']}"),
    )


def save(service, folder):
    done = backup(service, "save", folder)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


@pytest.fixture(scope="module")
def other():
    """Where backups are restored."""
    instance = Service(workers=1)
    yield instance
    instance.close()


def test_a_backup_brings_everything_back(service, other, tmp_path):
    name = "Jõgeva 😀 'quoted' \\ \n"
    client = service.account(first_name=name)
    path = path_of(client.user)
    answer = service.staff.post(f"{path}change_password/", json={"new_password": PASSWORD})
    assert answer.status_code == 200
    file = save(service, tmp_path)
    assert re.fullmatch(rf"{tmp_path}/roster-\d{{8}}T\d{{6}}Z-\d+\.sql\.gz", file)
    assert [entry.name for entry in tmp_path.iterdir()] == [os.path.basename(file)]
    assert os.stat(file).st_mode & 0o777 == 0o600

    late = other.create()
    other.run("stop_rosterd")
    done = backup(other, "restore", "--replace", file)
    assert (done.returncode, done.stderr) == (0, "")
    shutil.copy(service.state / "keys", other.state / "keys")
    other.up()
    restored = Client(other, service.staff.token)
    assert restored.get(path_of(late)).status_code == 404
    users = [asker.get(path).json() for asker in (service.staff, restored)]
    for user in users:
        del user["url"]
    assert users[0] == users[1]
    assert users[1]["first_name"] == name.strip()
    body = {"username": client.user["username"], "password": PASSWORD}
    token = service.token_of(client.user)
    assert other.nobody.post("/api-auth/password/", json=body).json() == {"token": token}
    user = restored.post("/api/users/", json={"username": unique("u"), "email": "new@example.org"})
    assert user.status_code == 201


def test_what_is_there_is_not_overwritten(service, other, tmp_path):
    file = save(service, tmp_path)
    kept = other.sql("SELECT username FROM users")
    done = backup(other, "restore", file)
    assert done.returncode == 1
    message = "database roster is not empty; --replace throws away what it has"
    assert done.stderr == f"roster-backup: {message}\n"
    assert other.sql("SELECT username FROM users") == kept


def cut_in_gzip(data):
    return data[:-100]


def cut_before_gzip(data):
    return gzip.compress(gzip.decompress(data)[:-100])


def no_backup(data):
    return b"-- Dump completed\n"


@pytest.mark.parametrize(
    "damage, message",
    [
        (cut_in_gzip, "is damaged or no backup"),
        (cut_before_gzip, "is not complete"),
        (no_backup, "is damaged or no backup"),
    ],
)
def test_a_damaged_backup_changes_nothing(service, other, tmp_path, damage, message):
    file = tmp_path / "damaged.gz"
    with open(save(service, tmp_path), "rb") as f:
        file.write_bytes(damage(f.read()))
    kept = other.sql("SELECT username FROM users")
    done = backup(other, "restore", "--replace", file)
    assert done.returncode == 1
    assert done.stderr.endswith(f"roster-backup: {file} {message}\n")
    assert other.sql("SELECT username FROM users") == kept


def test_what_cannot_be_saved_leaves_no_file(service, tmp_path):
    done = backup(service, "save", tmp_path / "missing")
    assert (done.returncode, done.stderr) == (
        1,
        f"roster-backup: there is no directory {tmp_path}/missing\n",
    )
    state = tmp_path / "state"
    state.mkdir()
    text = (service.state / "roster.conf").read_text()
    (state / "roster.conf").write_text(text.replace(f"{service.state}/roster.cnf", f"{state}/cnf"))
    moved = (service.state / "roster.cnf").read_text()
    (state / "cnf").write_text(moved.replace("database=roster", "database=missing"))
    done = backup_by(state / "roster.conf", "save", tmp_path)
    assert done.returncode == 1
    assert re.search(rf"\nroster-backup: the database could not be read into {tmp_path}/roster-.*\.sql\n$", done.stderr)
    assert [entry.name for entry in tmp_path.iterdir()] == ["state"]


def interrupted(service, folder, end, program, script, *words):
    """What it says when a signal comes while the program hangs; the program is a script here."""
    shadow, scratch = folder / "bin", folder / "tmp"
    for new in shadow, scratch:
        new.mkdir(exist_ok=True)
    (shadow / program).write_text(f"#!/bin/sh\n{script}\ntouch {folder}/hangs\nexec sleep 60\n")
    (shadow / program).chmod(0o755)
    child = subprocess.Popen(
        # Whoever started us may ignore what a shell could not catch then.
        ["env", "--default-signal", TOP / "contrib/roster-backup", "--config", service.state / "roster.conf", *words],
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
        env=dict(os.environ, PATH=f"{shadow}:{BUILD}:{os.environ['PATH']}", TMPDIR=str(scratch)),
    )
    eventually((folder / "hangs").exists)
    os.killpg(child.pid, end)
    said = child.communicate()[1]
    assert child.returncode == 1
    assert list(scratch.iterdir()) == []
    return said


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_save_leaves_nothing(service, tmp_path, end):
    """Neither the dump nor the file with the password of the database."""
    target = tmp_path / "backups"
    target.mkdir()
    said = interrupted(service, tmp_path, end, "mariadb-dump", "echo half", "save", target)
    assert said.endswith("roster-backup: interrupted\n")
    assert list(target.iterdir()) == []


def test_an_interrupted_restore_says_so(service, other, tmp_path):
    file = save(service, tmp_path)
    other.run("stop_rosterd")
    only_queries = 'case " $* " in *" -e "*) PATH=${PATH#*:} exec mariadb "$@" ;; esac'
    said = interrupted(other, tmp_path, signal.SIGINT, "mariadb", only_queries, "restore", "--replace", file)
    assert said.endswith("roster-backup: interrupted: database roster is not whole now: restore again\n")
    done = backup(other, "restore", file)
    assert (done.returncode, done.stderr) == (0, "")
    shutil.copy(service.state / "keys", other.state / "keys")
    other.run("launch_rosterd", "wait_for_answer")


def test_the_name_of_the_database_may_be_quoted(service, tmp_path):
    """As in the option file that the package makes."""
    conf, cnf = tmp_path / "roster.conf", tmp_path / "cnf"
    conf.write_text((service.state / "roster.conf").read_text().replace(f"{service.state}/roster.cnf", str(cnf)))
    cnf.write_text((service.state / "roster.cnf").read_text().replace("database=roster", 'database = "roster"'))
    done = backup_by(conf, "save", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    with gzip.open(done.stdout.strip(), "rt") as dump:
        assert "CREATE TABLE `users`" in dump.read()


def test_a_configuration_that_cannot_be_read(tmp_path):
    done = backup_by(tmp_path / "roster.conf", "save", tmp_path)
    assert (done.returncode, done.stderr) == (1, f"{tmp_path}/roster.conf: No such file or directory\n")


@pytest.mark.parametrize("words", [[], ["save"], ["save", "a", "b"], ["restore"], ["drop", "it"]])
def test_wrong_usage(service, words):
    done = backup(service, *words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Usage: roster-backup ")
