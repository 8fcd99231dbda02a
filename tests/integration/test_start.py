"""How rosterd starts, what it says when it cannot, and what it tells systemd."""

import contextlib
import json
import os
import re
import resource
import signal
import socket
import subprocess
import time

import pytest

from service import BUILD, eventually

HELP_OPTION = re.compile(r"^  ([a-z0-9_]+)$", re.M)
PRINTED_OPTION = re.compile(r"^([a-z0-9_]+) =", re.M)


def run(*words, **environment):
    """rosterd until it ends by itself."""
    return subprocess.run(
        [BUILD / "rosterd", *map(str, words)],
        env=dict(os.environ, **environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )


@pytest.fixture
def beside(service, tmp_path):
    """Words for a second rosterd on the service's database, with sockets of its own."""
    return [
        "--config",
        service.state / "roster.conf",
        "--set",
        f"socket_dir={tmp_path / 'run'}",
        "--set",
        "api_workers=1",
        "--set",
        "slow_workers=1",
    ]


def refusal(words):
    """The lines of a rosterd that does not start; it leaves no socket behind."""
    done = run(*words)
    assert done.returncode == 1
    assert done.stdout == ""
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    folder = next(str(word) for word in words if str(word).startswith("socket_dir=")).split("=")[1]
    assert not [name for _, _, names in os.walk(folder) for name in names if name.endswith(".sock")]
    return lines


def errors(lines):
    return [line["message"] for line in lines if line["level"] == "error"]


# --- options


def test_help_explains_each_option():
    done = run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for word in "--config", "--set", "--check-config", "--print-config", "--help", "--version":
        assert word in done.stdout
    printed = run("--print-config", "--config", "/dev/null")
    names = PRINTED_OPTION.findall(printed.stdout)
    assert HELP_OPTION.findall(done.stdout) == names
    for name in names:
        paragraph = done.stdout.split(f"\n  {name}\n")[1].split("\n\n")[0]
        assert re.search(r"Allowed: .+ Default: ", " ".join(paragraph.split())), name


def test_version_is_one_line():
    done = run("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"rosterd \S+\n", done.stdout)


def test_printed_configuration_is_a_configuration(service, tmp_path):
    printed = run(
        "--print-config", "--config", service.state / "roster.conf", "--set", "body_limit=4096"
    )
    assert (printed.returncode, printed.stderr) == (0, "")
    assert "\nbody_limit = 4096\n" in printed.stdout
    file = tmp_path / "roster.conf"
    file.write_text(printed.stdout)
    again = run("--print-config", "--config", file)
    assert again.stdout == printed.stdout
    checked = run("--check-config", "--config", file)
    assert (checked.returncode, checked.stdout, checked.stderr) == (
        0,
        "The configuration is good.\n",
        "",
    )


def test_all_faults_of_a_file_are_named_at_once(tmp_path):
    file = tmp_path / "roster.conf"
    file.write_text(
        "api_workers = 2\n"
        "api_worker = 3\n"
        "\n"
        "# a comment\n"
        "slow_workers = many\n"
        "body_limit = 5\n"
        "uuid_format = braces\n"
        "local_signin = yes\n"
        "socket_dir = run\n"
        "api_workers = 3\n"
        "zebra = 1\n"
        "just words\n"
        "[roster]\n"
    )
    faults = [
        (2, "api_worker: there is no such option; did you mean api_workers?"),
        (5, 'slow_workers: "many" is not a number; allowed: 1 to 256'),
        (6, 'body_limit: "5" is out of range; allowed: 1024 to 67108864 bytes'),
        (7, 'uuid_format: "braces" is not known; allowed: dashed or hex'),
        (8, 'local_signin: "yes" is neither; allowed: true or false'),
        (9, 'socket_dir: "run" is not an absolute path; allowed: an absolute path of at most 90 bytes'),
        (10, "api_workers: set before, on line 1"),
        (11, "zebra: there is no such option"),
        (12, "just words: the line is not name = value"),
        (13, "there are no sections: remove this line"),
    ]
    expected = [f"{file}:{line}: {words}" for line, words in faults]
    checked = run("--check-config", "--config", file)
    assert (checked.returncode, checked.stdout) == (1, "")
    assert checked.stderr.splitlines() == expected
    started = run("--config", file)
    assert started.returncode == 1
    assert errors(map(json.loads, started.stderr.splitlines())) == expected


@pytest.mark.parametrize(
    "words, status, message",
    [
        (["--set", "api_workers=0"], 1, '--set: api_workers: "0" is out of range; allowed: 1 to 256'),
        (["--set", "api_workers"], 1, '--set: api_workers: "" is not a number; allowed: 1 to 256'),
        (["--set", "bodylimit=1"], 1, "--set: bodylimit: there is no such option; did you mean body_limit?"),
        (
            ["--set", "worker_memory=1"],
            1,
            "--set: worker_memory: with argon2_memory = 19456 each sign-in would end its worker; "
            "allowed: 0, or at least 51 MiB",
        ),
        (["--config", "/nowhere/roster.conf"], 1, "/nowhere/roster.conf: No such file or directory"),
        (["now"], 2, "rosterd: unexpected argument 'now'; try 'rosterd --help'."),
    ],
)
def test_faults_of_the_command_line(words, status, message):
    done = run("--config", "/dev/null", *words, "--check-config")
    assert (done.returncode, done.stdout, done.stderr) == (status, "", message + "\n")


def test_unknown_words_beginning_with_a_dash_are_refused():
    done = run("--faster")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == "Try 'rosterd --help'."
    assert "--faster" in done.stderr


# --- refusals


def test_database_that_stays_away(service, beside, tmp_path):
    file = tmp_path / "database.cnf"
    file.touch(0o600)
    file.write_text(f"[roster]\nsocket={tmp_path}/nothing.sock\nuser=roster\ndatabase=roster\n")
    began = time.monotonic()
    lines = refusal([*beside, "--set", f"database={file}", "--set", "database_wait=2"])
    assert time.monotonic() - began >= 2
    assert {line["process"] for line in lines} == {"check"}
    *waits, last = lines
    assert {line["level"] for line in waits} == {"warning"}
    for line in waits:
        assert line["message"].startswith("waiting for the database: cannot connect to the database: ")
    assert last["level"] == "error"
    assert last["message"].startswith("no database after 2 seconds: ")
    assert "is MariaDB running there? Correct socket, or host and port" in last["message"]
    assert f"(option file {file}, group [roster])" in last["message"]


@pytest.mark.parametrize(
    "pattern, other, message",
    [
        (r"(?m)^password=.*", "password=wrong", "Access denied for user .*: correct user and password"),
        (r"(?m)^user=.*", "user=nobody", "Access denied for user .*: correct user and password"),
        (r"(?m)^database=.*", "database=nothing", "(Access denied|Unknown database).*: correct database, or .*"),
        (r"\[roster\]", "[rooster]", r".*/database\.cnf has no group \[roster\] .*: the option database in .*"),
        (r"(?s).*", None, r".*/database\.cnf: No such file or directory .*: the option database in .*"),
    ],
)  # fmt: skip
def test_database_that_no_waiting_mends(service, beside, tmp_path, pattern, other, message):
    file = tmp_path / "database.cnf"
    if other:
        file.touch(0o600)
        file.write_text(re.sub(pattern, other, (service.state / "roster.cnf").read_text()))
    words = [*beside, "--set", f"database={file}"]
    checked = run(*words, "--check-start")
    assert (checked.returncode, checked.stdout) == (1, "")
    for lines in refusal(words), [json.loads(line) for line in checked.stderr.splitlines()]:
        assert {line["level"] for line in lines} == {"error"}, "nothing was waited for"
        (problem,) = errors(lines)
        assert re.fullmatch("cannot connect to the database: " + message + re.escape(
            f" (option file {file}, group [roster])"), problem)  # fmt: skip


def test_database_that_comes_late_is_waited_for(daemon, tmp_path):
    d = daemon(workers=1, config="database_wait = 60")
    d.run("stop_rosterd")
    options = d.state / "roster.cnf"
    good = options.read_text()
    options.write_text(re.sub(r"(?m)^socket=.*", f"socket={tmp_path}/link.sock", good))
    start = len(d.messages("waiting for the database"))
    d.run("launch_rosterd")
    eventually(lambda: len(d.messages("waiting for the database")) > start)
    (tmp_path / "link.sock").symlink_to(d.database_socket)
    d.run("wait_for_answer")
    assert d.staff.get("/api/users/me/").status_code == 200


def test_reload_that_is_asked_for_while_the_database_is_waited_for(daemon, tmp_path):
    d = daemon(workers=1, config="database_wait = 60")
    d.run("stop_rosterd")
    options = d.state / "roster.cnf"
    options.write_text(re.sub(r"(?m)^socket=.*", f"socket={tmp_path}/link.sock", options.read_text()))
    start = len(d.messages("waiting for the database"))
    d.run("launch_rosterd")
    eventually(lambda: len(d.messages("waiting for the database")) > start)
    d.change_config("uuid_format = hex")
    os.kill(d.master, signal.SIGHUP)
    (tmp_path / "link.sock").symlink_to(d.database_socket)
    eventually(lambda: d.messages("reloaded"), what="the reload")
    d.run("wait_for_answer")
    assert "-" not in d.staff.get("/api/users/me/").json()["uuid"]


def test_stop_while_the_database_is_waited_for(beside, tmp_path):
    file = tmp_path / "database.cnf"
    file.touch(0o600)
    file.write_text(f"[roster]\nsocket={tmp_path}/nothing.sock\nuser=roster\ndatabase=roster\n")
    words = [*beside, "--set", f"database={file}"]
    with subprocess.Popen([BUILD / "rosterd", *map(str, words)], stderr=subprocess.PIPE, text=True) as process:
        assert "waiting for the database" in process.stderr.readline()
        process.terminate()
        *_, last = process.stderr
    assert process.returncode == 0, "a stop that was asked for is no failure"
    assert json.loads(last)["message"] == "stopped before it was ready"


@pytest.mark.parametrize(
    "change, message",
    [
        (
            "DELETE FROM schema_migrations ORDER BY number DESC LIMIT 1",
            r"migration \d{4}_\w+ is pending: run rosterctl migrate",
        ),
        (
            "INSERT INTO schema_migrations SELECT 9999, 'of_tomorrow', checksum, statements, begun_at,"
            " applied_at FROM schema_migrations LIMIT 1",
            "migration 9999_of_tomorrow is applied, and newer than this program: "
            "install the release that it came with",
        ),
    ],
)
def test_schema_of_another_version(daemon, change, message):
    d = daemon(workers=1)
    d.run("stop_rosterd")
    d.sql(change)
    lines = refusal(["--config", d.state / "roster.conf", "--set", f"socket_dir={d.state / 'run'}"])
    assert len(errors(lines)) == 1
    assert re.fullmatch(message, errors(lines)[0])


def test_key_file_that_is_missing(beside, tmp_path):
    file = tmp_path / "keys"
    assert errors(refusal([*beside, "--set", f"key_file={file}"])) == [
        f"{file}: No such file or directory; bring it back from a backup, or, if nothing was sealed with it "
        f'yet, make one with "(umask 027; rosterctl key new > {file})"'
    ]


def test_key_file_that_others_can_read(service, beside, tmp_path):
    file = tmp_path / "keys"
    file.write_text((service.state / "keys").read_text())
    file.chmod(0o644)
    lines = refusal([*beside, "--set", f"key_file={file}"])
    assert errors(lines) == [
        f'{file}: open to other users (mode 0644); close it with "chmod o= {file}"'
    ]
    assert file.read_text().split()[-1] not in str(lines)


def test_key_file_of_another_database(daemon):
    d = daemon(workers=1)
    d.run("stop_rosterd")
    file = d.state / "keys"
    good, other = file.read_text(), "5" * 64
    file.write_text(f"1 {other}\n")
    lines = refusal(["--config", d.state / "roster.conf", "--set", f"socket_dir={d.state / 'run'}"])
    assert errors(lines) == [
        f"{file}: the keys do not open what is in the database: put the key file back that belongs to it, or add"
        ' its keys to this one; "A lost key file" in operating.md says what to do when they are gone'
    ]
    file.write_text(f"2 {other}\n{good}")
    d.run("launch_rosterd")
    d.run("wait_for_answer")
    assert d.staff.get("/api/users/me/").status_code == 200


@pytest.mark.parametrize("word", ["--help", "--version", "--print-config", "--check-config"])
def test_what_cannot_be_printed_is_an_error(word):
    with open("/dev/full", "w") as full:
        command = [BUILD / "rosterd", "--config", "/dev/null", word]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (1, "rosterd: standard output: No space left on device\n")


def test_folder_that_cannot_be_made(beside, tmp_path):
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "run"
    assert errors(refusal([*beside, "--set", f"socket_dir={folder}"])) == [
        f"cannot make the directory {folder}: Not a directory; make it for the user that rosterd runs as, or "
        "correct socket_dir"
    ]


def test_group_that_does_not_exist(beside):
    assert errors(refusal([*beside, "--set", "socket_group=nobodys-group"])) == [
        "socket_group: there is no group nobodys-group"
    ]


# --- systemd


class Systemd:
    """What systemd is to a service: a socket that hears how it is."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(30)

    def hear(self):
        """The lines of the next message that is no sign of life."""
        while (message := self.socket.recv(4096).decode()) == "WATCHDOG=1":
            continue
        return message.split("\n")

    def sign_of_life(self):
        while self.socket.recv(4096) != b"WATCHDOG=1":
            continue


@pytest.fixture
def systemd(tmp_path):
    manager = Systemd(tmp_path / "notify")
    yield manager
    manager.socket.close()


@pytest.fixture
def supervised(beside, systemd, tmp_path):
    """Starts rosterd as systemd does; its standard error is in a file."""
    started = []

    def start(**environment):
        with open(tmp_path / "log", "w") as log:
            process = subprocess.Popen(
                [BUILD / "rosterd", *map(str, beside)],
                env=dict(os.environ, NOTIFY_SOCKET=str(systemd.path), **environment),
                stdin=subprocess.DEVNULL,
                stderr=log,
            )
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()
        assert process.wait(60) == 0
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert errors(lines) == []


def test_systemd_hears_of_each_state(supervised, systemd, tmp_path):
    process = supervised()
    assert systemd.hear() == ["EXTEND_TIMEOUT_USEC=100000000"]
    assert systemd.hear() == ["READY=1"]
    assert (tmp_path / "run" / "api" / "0.sock").is_socket()
    assert (tmp_path / "run" / "slow" / "0.sock").is_socket()
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    process.send_signal(signal.SIGHUP)
    word, since = systemd.hear()
    assert word == "RELOADING=1"
    name, microseconds = since.split("=")
    assert name == "MONOTONIC_USEC"
    assert before <= int(microseconds) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert systemd.hear() == ["READY=1"]
    process.send_signal(signal.SIGTERM)
    assert systemd.hear() == ["STOPPING=1", "EXTEND_TIMEOUT_USEC=45000000"]
    assert process.wait(60) == 0
    assert not (tmp_path / "run" / "api" / "0.sock").exists()


def test_systemd_hears_of_the_end_of_the_last_reload_only(daemon, systemd):
    d = daemon(workers=1, config="database_timeout = 60", environment={"NOTIFY_SOCKET": str(systemd.path)})
    d.expect_log("assertion failed|was ended by signal 6|no such option|the configuration is not taken")
    assert systemd.hear() == ["EXTEND_TIMEOUT_USEC=300000000"]
    assert systemd.hear() == ["READY=1"]
    before = set(d.children())
    few, most = resource.prlimit(d.master, resource.RLIMIT_NOFILE)

    def reload():
        os.kill(d.master, signal.SIGHUP)
        assert systemd.hear()[0] == "RELOADING=1"

    resource.prlimit(d.master, resource.RLIMIT_NOFILE, (32, most))  # with so few, no worker starts
    reload()
    eventually(lambda: d.messages("new workers take over"))
    good = d.state / "roster.conf"
    text = good.read_text()
    d.change_config("uuid_fromat = hex")
    reload()
    eventually(lambda: d.messages("the old one stays"))
    good.write_text(text)
    with contextlib.closing(d.connect()) as connection:
        connection.cursor().execute("LOCK TABLES schema_migrations WRITE")
        reload()
        resource.prlimit(d.master, resource.RLIMIT_NOFILE, (few, most))
        eventually(lambda: not before & set(d.children()), what="the end of the old workers")
    assert systemd.hear() == ["READY=1"]
    eventually(lambda: d.messages("reloaded"))
    os.kill(d.master, signal.SIGTERM)
    assert systemd.hear() == ["STOPPING=1", "EXTEND_TIMEOUT_USEC=45000000"]


def test_systemd_hears_signs_of_life_twice_in_each_interval(supervised, systemd):
    process = supervised(WATCHDOG_USEC="400000")
    systemd.hear()
    assert systemd.hear() == ["READY=1"]
    began = time.monotonic()
    process.send_signal(signal.SIGHUP)
    assert systemd.hear()[0] == "RELOADING=1"
    # What comes now was sent since.
    for _ in range(6):
        systemd.sign_of_life()
    assert time.monotonic() - began >= 0.9, "one each 0.2 s and no more"
