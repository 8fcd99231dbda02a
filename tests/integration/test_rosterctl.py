"""rosterctl: its commands, what it says, how it ends, and where secrets come from."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import termios
import threading

import pytest
from service import BUILD, TOP, unique
from users import STAMP, UNKNOWN, UUID, path_of

ROSTERCTL = BUILD / "rosterctl"
PASSWORD = "a heron on the roof"
DONE, FAILED, USAGE, NOT_FOUND = 0, 1, 2, 3


def said(done, status, *words):
    """Ended with status; each of the words is in what it said, and nothing is on the other stream."""
    assert done.returncode == status, (done.stdout, done.stderr)
    text, other = (done.stdout, done.stderr) if status == DONE else (done.stderr, done.stdout)
    assert other == ""
    for word in words:
        assert word in text, text
    return text


def refuses(service, status, message, *words, **options):
    done = service.rosterctl(*words, check=False, **options)
    assert (done.returncode, done.stdout, done.stderr) == (status, "", message)


# --- help and usage


def commands(service):
    lines = service.rosterctl("--help").stdout.split("Commands:\n")[1].split("\n\n")[0].splitlines()
    return [re.match(r"  (\w+(?: [a-z]+)*)  ", line)[1] for line in lines]


def test_help(service):
    text = said(service.rosterctl("--help"), DONE, "Usage: rosterctl ", "Exit status: 0 done, 1 ")
    assert said(service.rosterctl("-h"), DONE) == text
    names = commands(service)
    assert {"migrate", "nginx", "key new", "user create", "user password", "mail list"} <= set(names)
    for name in names:
        said(service.rosterctl(*name.split(), "--help"), DONE, f"Usage: rosterctl {name}")
    version = said(service.rosterctl("--version"), DONE)
    assert re.fullmatch(r"rosterctl \d+\.\d+(\.\d+)?\n", version)


def test_help_of_a_group(service):
    lines = service.rosterctl("--help").stdout.splitlines()
    for group in {name.split()[0] for name in commands(service) if " " in name}:
        expected = [f"Usage: rosterctl {group} COMMAND [OPTION]...", "", "Commands:"]
        expected += [line for line in lines if line.startswith(f"  {group} ")]
        assert len(expected) > 3
        for word in ("--help", "-h"):
            assert said(service.rosterctl(group, word), DONE).splitlines() == expected


def test_no_secret_is_an_option(service):
    """The arguments of a process are for everyone to see: passwords and keys are never among them."""
    harmless = {"password-file FILE", "client-secret-file FILE", "refresh-token-file FILE",
                "token-lifetime SECONDS", "token-url URL"}
    for name in commands(service):
        text = service.rosterctl(*name.split(), "--help").stdout
        for option in re.findall(r"^      --(\S+ [A-Z]+)", text, re.M):
            if re.search("password|secret|token|key", option):
                assert option in harmless, (name, option)


@pytest.mark.parametrize(
    "words, message",
    [
        ([], "a command is missing; try 'rosterctl --help'"),
        (["fly"], "there is no command fly; try 'rosterctl --help'"),
        (["use"], "there is no command use; try 'rosterctl --help'"),
        (["user"], "a command is missing after user; try 'rosterctl user --help'"),
        (["user", "fly"], "there is no command user fly; try 'rosterctl user --help'"),
        (["user", "show"], "USERNAME|UUID is missing; try 'rosterctl user show --help'"),
        (["user", "show", ""], "USERNAME|UUID is missing; try 'rosterctl user show --help'"),
        (["user", "create", ""], "USERNAME is missing; try 'rosterctl user create --help'"),
        (["user", "show", "a", "b"], "unexpected argument 'b'; try 'rosterctl user show --help'"),
        (["user", "list", "a"], "unexpected argument 'a'; try 'rosterctl user list --help'"),
        (["migrate", "now"], "unexpected argument 'now'; try 'rosterctl migrate --help'"),
        (["mail", "retry"], "ID|all is missing; try 'rosterctl mail retry --help'"),
    ],
)
def test_wrong_usage(service, words, message):
    refuses(service, USAGE, f"rosterctl: {message}\n", *words)


@pytest.mark.parametrize(
    "words, option, hint",
    [
        (["--fly"], "--fly", "rosterctl --help"),
        (["user", "list", "--fly"], "--fly", "rosterctl user list --help"),
        (["user", "create", "x", "--email"], "--email", "rosterctl user create --help"),
        (["user", "show", "x", "--password=y"], "--password", "rosterctl user show --help"),
        (["user", "show", "x", "--json=y"], "--json", "rosterctl user show --help"),
    ],
)
def test_wrong_options(service, words, option, hint):
    done = service.rosterctl(*words, check=False)
    first, last = said(done, USAGE, option).splitlines()
    assert first.startswith(f"{ROSTERCTL}: ") and last == f"rosterctl: try '{hint}'"


def test_configurations_that_are_none(tmp_path):
    def run(*words):
        return subprocess.run([ROSTERCTL, *words], capture_output=True, text=True)

    missing = tmp_path / "none.conf"
    text = said(run("--config", missing, "user", "list"), FAILED)
    assert text == f"rosterctl: {missing}: No such file or directory\n"
    faulty = tmp_path / "roster.conf"
    faulty.write_text("api_workers = many\nfly = 1\n")
    text = said(run("--config", faulty, "nginx"), FAILED)
    first, second = text.splitlines()
    assert first.startswith(f"rosterctl: {faulty}:1: api_workers: \"many\" is ")
    assert second == f"rosterctl: {faulty}:2: fly: there is no such option"
    empty = tmp_path / "empty.conf"
    empty.write_text("")
    said(run("--config", empty, "--set", "api_workers=0", "nginx"), FAILED, "api_workers", "--set")
    said(run("--config", empty, "--set", "fly=0", "nginx"), FAILED, "fly", "--set")
    # What needs neither configuration nor database works without them.
    said(run("--config", missing, "key", "new"), DONE)


def test_a_database_that_is_away(service, tmp_path):
    options = tmp_path / "roster.cnf"
    options.touch(0o600)
    options.write_text("[roster]\nsocket=/nowhere/mariadb.sock\nuser=roster\ndatabase=roster\n")
    for words in (["user", "list"], ["migrate"], ["migrate", "--status"], ["migrate", "--dry-run"]):
        done = service.rosterctl("--set", f"database={options}", *words, check=False)
        text = said(done, FAILED)
        assert "/nowhere/mariadb.sock" in text


def test_a_key_file_of_another_database(service, tmp_path):
    """What is sealed with its keys nobody could open."""
    keys = tmp_path / "keys"
    keys.touch(0o600)
    keys.write_text("1 " + "5" * 64 + "\n")
    name, people = unique("sealed"), tmp_path / "people.csv"
    people.write_text(f"username,email\n{name},{name}@example.org\n")
    for words in (["create", name, "--email", f"{name}@example.org"], ["import", people], ["token", "staff"]):
        refuses(
            service, FAILED,
            f"rosterctl: {keys}: the keys do not open what is in the database: put the key file back that belongs"
            " to it, or add its keys to this one; \"A lost key file\" in operating.md says what to do when they are"
            " gone\n",
            "--set", f"key_file={keys}", "user", *words)
    assert service.staff.get(f"/api/users/?username={name}").json() == []


@pytest.mark.parametrize("words", [["user", "list"], ["user", "create", "x", "--email", "x@example.org"], ["user", "export"]])
def test_a_schema_that_is_pending(daemon, words):
    d = daemon(workers=1)
    d.sql("DELETE FROM schema_migrations ORDER BY number DESC LIMIT 1")
    done = d.rosterctl(*words, check=False)
    assert (done.returncode, done.stdout) == (FAILED, "")
    assert re.fullmatch(r"rosterctl: migration \d{4}_\w+ is pending: run rosterctl migrate\n", done.stderr)


def test_a_schema_of_tomorrow(daemon):
    """The version before goes on to run on it, and is looked after."""
    d = daemon(workers=1)
    d.sql("INSERT INTO schema_migrations SELECT 9999, 'of_tomorrow', checksum, statements, begun_at, applied_at"
          " FROM schema_migrations LIMIT 1")
    assert [user["username"] for user in json.loads(d.rosterctl("user", "list", "--json").stdout)] == ["staff"]


@pytest.mark.parametrize(
    "stream, words, message",
    [
        (0, ["user", "import", "-"], "rosterctl: standard input: cannot read: Bad file descriptor\n"),
        (1, ["user", "list"], "rosterctl: standard output: Bad file descriptor\n"),
        (2, ["user", "show", "nobody of this name"], ""),
    ],
)
def test_a_stream_that_is_closed(service, stream, words, message):
    """The connection to the database does not get its number."""
    config = ["--config", service.state / "roster.conf"]
    done = subprocess.run([ROSTERCTL, *config, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          preexec_fn=lambda: os.close(stream))
    assert (done.returncode, done.stderr) == (NOT_FOUND if stream == 2 else FAILED, message)


# --- users


def test_create_show_list(service, staff):
    name = unique("ctl")
    done = service.rosterctl(
        "user", "create", name, "--email", f"{name}@example.org", "--first-name", "Zoë",
        "--last-name", "Õun", "--organization", "Àcme", "--support", "--json",
    )  # fmt: skip
    user = json.loads(said(done, DONE))
    assert UUID.fullmatch(user["uuid"])
    assert (user["username"], user["full_name"], user["organization"]) == (name, "Zoë Õun", "Àcme")
    assert (user["is_staff"], user["is_support"], user["is_active"]) == (False, True, True)
    assert staff.get(path_of(user)).json()["uuid"] == user["uuid"]

    for argument in (name, user["uuid"], user["uuid"].replace("-", ""), user["uuid"].upper()):
        shown = json.loads(said(service.rosterctl("user", "show", argument, "--json"), DONE))
        assert shown["username"] == name
        text = said(service.rosterctl("user", "show", argument), DONE)
        assert re.search(rf"^username +{name}$", text, re.M)
        assert re.search(r"^is_support +yes$", text, re.M)

    text = said(service.rosterctl("user", "list", "--query", name), DONE)
    assert re.fullmatch(rf"{user['uuid']}  {name} +{name}@example.org +Zoë Õun \[support\]\n", text)
    assert said(service.rosterctl("user", "list", "--query", "nobody-has-this"), DONE) == ""
    assert name in service.rosterctl("user", "list").stdout


def test_create_refused(service):
    taken = service.create()["username"]
    refuses(
        service, FAILED,
        "rosterctl: username: user with this username already exists.\n",
        "user", "create", taken, "--email", "x@example.org",
    )  # fmt: skip
    refuses(
        service, FAILED,
        "rosterctl: username: Enter a valid username.\nrosterctl: --email: Enter a valid email address.\n",
        "user", "create", "NO", "--email", "x",
    )  # fmt: skip
    refuses(
        service, FAILED,
        "rosterctl: --token-lifetime: A valid integer is required.\n",
        "user", "create", unique(), "--email", "x@example.org", "--token-lifetime", "long",
    )  # fmt: skip
    refuses(service, FAILED, "rosterctl: --email: This field is required.\n", "user", "create", unique())


def test_nobody_by_that_name(service):
    """Not even when the name is blank, which as a filter would find everyone."""
    for name in (unique("none"), " ", "\t", "%", "_", "*", "' OR 1=1"):
        for command in ("show", "token"):
            refuses(
                service, NOT_FOUND, f"rosterctl: there is no user {name}\n", "user", command, name
            )
        refuses(
            service, NOT_FOUND, f"rosterctl: there is no user {name}\n",
            "user", "password", name, "--password-file", "-", stdin=PASSWORD,
        )  # fmt: skip
    said(service.rosterctl("user", "show", UNKNOWN, check=False), NOT_FOUND, "rosterctl: ")
    upper = service.create()["username"].upper()
    refuses(service, NOT_FOUND, f"rosterctl: there is no user {upper}\n", "user", "show", upper)


def test_the_token(service, nobody):
    user = service.create()
    key = service.token_of(user)
    assert said(service.rosterctl("user", "token", user["username"]), DONE) == key + "\n"
    new = said(service.rosterctl("user", "token", user["uuid"], "--new"), DONE).strip()
    assert re.fullmatch(r"[0-9a-f]{40}", new) and new != key
    for token, status in ((key, 401), (new, 200)):
        answer = nobody.get("/api/users/me/", headers={"Authorization": f"Token {token}"})
        assert answer.status_code == status
    name = unique("never")
    service.rosterctl("user", "create", name, "--email", "x@example.org", "--token-lifetime", "never")
    ((lifetime,),) = service.sql("SELECT token_lifetime FROM users WHERE username = %s", name)
    assert lifetime is None


def test_what_it_does_is_recorded(service):
    user = service.create()
    service.rosterctl("user", "token", user["username"], "--new")
    events = service.sql(
        "SELECT actor_uuid FROM audit_events WHERE subject_uuid = UNHEX(%s) AND event = 'token_created'",
        user["uuid"].replace("-", ""),
    )
    assert events


# --- passwords


def may_sign_in(service, user, password):
    answer = service.nobody.post(
        "/api-auth/password/", json={"username": user["username"], "password": password}
    )
    return answer.status_code == 200


def at_terminal(service, *words, types=()):
    """Runs it with a terminal of its own and types a line after each prompt; status and all that was shown."""
    pid, master = pty.fork()
    if pid == 0:
        os.execv(ROSTERCTL, [ROSTERCTL, "--config", service.state / "roster.conf", *words])
    shown, lines = b"", list(types)
    try:
        while select.select([master], [], [], 20)[0]:
            try:
                part = os.read(master, 4096)
            except OSError:  # its end has closed the terminal
                break
            shown += part
            if lines and shown.endswith(b": "):
                os.write(master, lines.pop(0).encode() + b"\n")
    finally:
        os.close(master)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


def test_a_password_asked_for_at_the_terminal(service):
    user = service.create()
    status, shown = at_terminal(service, "user", "password", user["username"], types=[PASSWORD, PASSWORD])
    assert status == DONE
    assert PASSWORD not in shown
    assert shown.split("\r\n") == [
        "Password: ", "Again: ", "The password is set; the token was replaced.", "",
    ]  # fmt: skip
    assert may_sign_in(service, user, PASSWORD)
    for typed, message in (
        (["one heron on it", "another heron"], "the two passwords differ"),
        (["", ""], "the password is empty"),
        (["short", "short"], "new_password: This password is too short. It must contain at least 8 characters."),
    ):
        status, shown = at_terminal(service, "user", "password", user["username"], types=typed)
        assert status == FAILED and f"rosterctl: {message}\r\n" in shown, shown
    assert may_sign_in(service, user, PASSWORD)


@pytest.mark.parametrize("key, end", [(b"\x03", signal.SIGINT), (b"\x1c", signal.SIGQUIT)])
def test_a_terminal_that_is_left_shows_again_what_is_typed(service, key, end):
    master, terminal = pty.openpty()
    # Whoever started us may ignore interrupts, and what is ignored stays so.
    alone = ["env", "--default-signal", "setsid", "--ctty"]
    words = [ROSTERCTL, "--config", service.state / "roster.conf", "user", "password", "staff"]
    with subprocess.Popen([*alone, *words], stdin=terminal, stdout=terminal, stderr=terminal) as child:
        assert os.read(master, 100) == b"Password: "
        assert not termios.tcgetattr(terminal)[3] & termios.ECHO
        os.write(master, key)
        assert child.wait(timeout=20) == -end
    assert termios.tcgetattr(terminal)[3] & termios.ECHO
    os.close(master)
    os.close(terminal)


def test_no_terminal_to_ask_at(service):
    done = subprocess.run(
        [ROSTERCTL, "--config", service.state / "roster.conf", "user", "password", "staff"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
    )
    said(done, FAILED, "there is no terminal to ask for the password", "--password-file")


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\nsecond line\n"])
def test_a_password_from_a_file_or_standard_input(service, tmp_path, end):
    user = service.create()
    file = tmp_path / "password"
    file.write_bytes((PASSWORD + " ä" + end).encode())
    words = ("user", "password", user["username"], "--password-file")
    said(service.rosterctl(*words, file), DONE, "The password is set")
    assert may_sign_in(service, user, PASSWORD + " ä")
    said(service.rosterctl(*words, "-", stdin=PASSWORD + " ö" + end), DONE)
    assert may_sign_in(service, user, PASSWORD + " ö")


def test_passwords_that_are_none(service, tmp_path):
    user = service.create()
    words = ("user", "password", user["username"], "--password-file")
    missing = tmp_path / "none"
    refuses(
        service, FAILED, f"rosterctl: cannot open {missing}: No such file or directory\n", *words, missing
    )
    refuses(service, FAILED, f"rosterctl: cannot read {tmp_path}: Is a directory\n", *words, tmp_path)
    for content, message in (
        (b"", "the password is empty"),
        (b"\n", "the password is empty"),
        (b"\xff" * 12, "the password is not valid UTF-8"),
        (b"a\0heron on the roof", "the password has a null character"),
        (os.urandom(2500).hex().encode(), "new_password: This password is too long. It must contain at most 128 characters."),
        (
            b"password",
            "new_password: This password is too common.\n"
            "rosterctl: new_password: This password is too easy to guess.",
        ),
    ):
        file = tmp_path / "password"
        file.write_bytes(content)
        refuses(service, FAILED, f"rosterctl: {message}\n", *words, file)


def test_a_password_for_a_new_account(service, tmp_path):
    name = unique("pw")
    words = ("user", "create", name, "--email", f"{name}@example.org", "--password-file", "-")
    done = service.rosterctl(*words, stdin="short\n", check=False)
    said(done, FAILED, "password: This password is too short.")
    assert service.sql("SELECT COUNT(*) FROM users WHERE username = %s", name) == ((0,),)
    said(service.rosterctl(*words, "--json", stdin=PASSWORD + "\n"), DONE)
    assert may_sign_in(service, {"username": name}, PASSWORD)


# --- what an administrator makes files of


def test_a_key_file(service, tmp_path):
    first, second = (said(service.rosterctl("key", "new"), DONE) for _ in range(2))
    assert first != second
    keys = tmp_path / "keys"
    keys.touch(0o600)
    keys.write_text(first.replace("\n1 ", "\n2 ") + (service.state / "keys").read_text())
    done = service.rosterctl("--set", f"key_file={keys}", "user", "show", "staff")
    said(done, DONE)
    keys.chmod(0o644)
    done = service.rosterctl("--set", f"key_file={keys}", "user", "show", "staff", check=False)
    said(done, FAILED, str(keys))
    keys.unlink()
    done = service.rosterctl("--set", f"key_file={keys}", "user", "show", "staff", check=False)
    said(done, FAILED, str(keys))


def test_nginx_takes_what_is_made_for_it(service, tmp_path):
    for workers in (1, 64, 256):
        sets = ["--set", f"api_workers={workers}", "--set", f"slow_workers={workers}"]
        text = said(service.rosterctl(*sets, "nginx"), DONE)
        (tmp_path / "upstreams.conf").write_text(text)
        (tmp_path / "nginx.conf").write_text(
            f"pid {tmp_path}/pid;\nevents {{}}\n"
            f"http {{\naccess_log off;\ninclude {tmp_path}/upstreams.conf;\n}}\n"
        )
        done = subprocess.run(
            ["/usr/sbin/nginx", "-t", "-q", "-p", tmp_path, "-c", tmp_path / "nginx.conf", "-e", "stderr"],
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, "")
        for lane in ("api", "slow"):
            assert len(re.findall(rf"\tserver unix:\S+/{lane}/\d+\.sock ", text)) == workers
    assert "upstream roster_api {" in text and "upstream roster_slow {" in text
    assert '"~^/api-auth/password/$" roster_slow;' in text
    assert '"~^/api/users/[^/]+/change_password/$" roster_slow;' in text


def test_mail_of_an_unknown_number(service):
    for number in ("999999999", "0", "-1", "x", "9" * 30):
        done = service.rosterctl("mail", "retry", "--", number, check=False)
        assert done.returncode in (FAILED, USAGE, NOT_FOUND)
        assert done.stderr.startswith("rosterctl: ") and done.stdout == ""
    said(service.rosterctl("mail", "list"), DONE)
    said(service.rosterctl("mail", "list", "--failed"), DONE)


# --- migrate


@pytest.fixture
def migrate(service, tmp_path):
    """rosterctl migrate in an empty database; its name is migrate.database."""
    name = unique("m").replace("-", "_")
    service.sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    service.sql(f"GRANT ALL ON {name}.* TO roster@localhost")
    options = tmp_path / "roster.cnf"
    options.touch(0o600)
    options.write_text(
        (service.state / "roster.cnf").read_text().replace("database=roster", f"database={name}")
    )

    def run(*words):
        return service.rosterctl("--set", f"database={options}", "migrate", *words, check=False)

    run.database = name
    yield run
    service.sql(f"DROP DATABASE {name}")


def files():
    return [path.stem for path in sorted((TOP / "sql").glob("*.sql"))]


def test_migrate_from_nothing(service, migrate):
    names = files()
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    lines = said(migrate("--status"), DONE).splitlines()
    assert [line.split() for line in lines] == [[name, "pending"] for name in names]
    lines = said(migrate("--dry-run"), DONE).splitlines()
    assert [line.split(" (")[0] for line in lines] == [f"{name}: would be applied" for name in names]
    assert service.sql(f"SHOW TABLES FROM {migrate.database}") == ()

    assert said(migrate(), DONE).splitlines() == [f"{name}: applied" for name in names]
    for line, name in zip(said(migrate("--status"), DONE).splitlines(), names):
        begun = re.fullmatch(rf"{name} +applied \((.*)\)", line)
        assert STAMP.fullmatch(begun[1]), line
    for words in ([], ["--dry-run"]):
        assert said(migrate(*words), DONE) == "the schema is current\n"
    rows = service.sql(f"SELECT number, name, LENGTH(checksum) FROM {migrate.database}.schema_migrations")
    assert [(f"{number:04}_{name}", n) for number, name, n in sorted(rows)] == [(x, 32) for x in names]


def test_migrate_refuses_what_is_not_its_own(service, migrate):
    names = files()
    said(migrate(), DONE)
    table = f"{migrate.database}.schema_migrations"
    row = "(9999, 'later', REPEAT('x', 32), 1, NOW(6), NOW(6))"
    service.sql(f"CREATE TABLE {migrate.database}.copy AS SELECT * FROM {table}")
    for change, words, advice in (
        (
            f"UPDATE {table} SET checksum = REPEAT('x', 32) WHERE number = 2",
            f"migration {names[1]} is not the one that was applied under this number",
            "an applied migration is never changed",
        ),
        (
            f"DELETE FROM {table} WHERE number = 1",
            f"migration {names[0]} is missing, though a later one is applied",
            "this is the schema of another program",
        ),
        (
            f"INSERT INTO {table} VALUES {row}",
            "migration 9999_later is applied, and newer than this program",
            "install the release that it came with",
        ),
        (
            f"UPDATE {table} SET applied_at = NULL WHERE number = {len(names)}",
            f"migration {names[-1]} is half applied",
            "bring to an end by hand",
        ),
    ):
        service.sql(change)
        for options in ([], ["--dry-run"]):
            said(migrate(*options), FAILED, words, advice)
        shown = said(migrate("--status"), DONE)
        assert words.split(" is ")[1] in shown
        service.sql(f"DELETE FROM {table}")
        service.sql(f"INSERT INTO {table} SELECT * FROM {migrate.database}.copy")
    assert said(migrate(), DONE) == "the schema is current\n"


def test_migrate_half_failed_and_helped(service, migrate):
    """A table is in the way of the last one: what was before stays, and the next run goes on there."""
    names = files()
    said(migrate(), DONE)
    database = migrate.database
    table = next(
        found[1]
        for name in names
        if (found := re.search(r"^CREATE TABLE (\w+)", (TOP / "sql" / f"{name}.sql").read_text(), re.M))
    )
    service.sql(f"DROP DATABASE {database}")
    service.sql(f"CREATE DATABASE {database} CHARACTER SET utf8mb4")
    service.sql(f"CREATE TABLE {database}.{table} (id INT)")
    done = migrate()
    assert done.returncode == FAILED
    assert f": failed at statement 1: Table '{table}' already exists" in done.stderr
    service.sql(f"DROP TABLE {database}.{table}")
    assert said(migrate(), DONE).splitlines()[-1] == f"{names[-1]}: applied"
    assert said(migrate(), DONE) == "the schema is current\n"


def test_two_migrate_at_once(migrate):
    """One of them does it all; the other waits and finds nothing to do."""
    results = []
    threads = [threading.Thread(target=lambda: results.append(migrate())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outputs = sorted(said(done, DONE) for done in results)
    assert outputs[0].splitlines() == [f"{name}: applied" for name in files()]
    assert outputs[1:] == ["the schema is current\n"] * 2
