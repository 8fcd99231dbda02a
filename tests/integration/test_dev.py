"""./dev: up and down, twice and side by side, and what it says when it cannot."""

import os
import re
import signal
import stat
from pathlib import Path

import pytest
from service import Client, dev, eventually, free_port

ENV = {
    "BASE_URL", "STAFF_USERNAME", "STAFF_PASSWORD", "STAFF_TOKEN", "DB_SOCKET", "MAIL_DIR", "ROSTERD_PID",
}  # fmt: skip


def parts(service):
    """The processes of an instance, by name."""
    return {file.name: int(file.read_text()) for file in (service.state / "pids").iterdir()}


def is_alive(pid):
    """A process that has ended and is still in the table has no command line any more."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except OSError:
        return False


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_env_says_how_to_reach_it(service, nobody):
    lines = (service.state / "env").read_text().splitlines()
    assert len(lines) == len(ENV) and {line.split("=")[0] for line in lines} == ENV
    env = service.env
    assert env["BASE_URL"] == f"http://127.0.0.1:{service.port}"
    assert int(env["ROSTERD_PID"]) == service.master == parts(service)["rosterd"]
    assert stat.S_ISSOCK(os.stat(env["DB_SOCKET"]).st_mode)
    assert env["MAIL_DIR"].startswith(str(service.state))
    staff = service.staff.get("/api/users/me/").json()
    assert (staff["username"], staff["is_staff"]) == (env["STAFF_USERNAME"], True)
    assert (staff["token_lifetime"], staff["token_expires_at"]) == (None, None)
    fields = {"username": env["STAFF_USERNAME"], "password": env["STAFF_PASSWORD"]}
    answer = nobody.post("/api-auth/password/", json=fields)
    assert answer.json() == {"token": env["STAFF_TOKEN"]}


def test_secrets_are_the_owners_alone(service):
    for name in ("env", "keys", "staff-password", "roster.conf", "roster.cnf", "mariadb-init.sql"):
        assert mode(service.state / name) == 0o600, name
    assert mode(service.state) == 0o700


def test_up_while_it_runs(service):
    before = parts(service)
    done = dev("up", "--state", service.state, "--port", str(service.port))
    assert f"roster is already running at {service.url}" in done.stdout
    assert parts(service) == before


def test_down_and_up_keep_the_data(own_service):
    """Also beside another one, on another port, after a crash; and down ends all that up has started."""
    service = own_service()
    user = service.create()
    key, database = service.env["STAFF_TOKEN"], service.env["DB_SOCKET"]
    pids = parts(service)
    assert pids.keys() == {"mariadbd", "nginx", "rosterd", "smtp"}

    done = dev("down", "--state", service.state)
    assert done.stdout.splitlines()[-1] == "stopped"
    assert not [name for name in pids if is_alive(pids[name])]
    assert not os.path.exists(database)
    done = dev("down", "--state", service.state)
    assert done.stdout == f"nothing runs in {service.state}\n"

    service.port = free_port()
    service.up()
    assert service.env["STAFF_TOKEN"] == key
    assert service.staff.get(f"/api/users/{user['uuid']}/").json()["username"] == user["username"]

    # The master is killed: up brings all of it back.
    master = service.master
    os.kill(master, signal.SIGKILL)
    eventually(lambda: not is_alive(master))
    service.up()
    assert service.staff.get(f"/api/users/{user['uuid']}/").status_code == 200


def test_two_side_by_side(service, own_service):
    other = own_service()
    assert other.env.keys() == service.env.keys()
    for name in ("BASE_URL", "STAFF_PASSWORD", "STAFF_TOKEN", "DB_SOCKET", "MAIL_DIR", "ROSTERD_PID"):
        assert other.env[name] != service.env[name], name
    user = other.create()
    assert service.staff.get(f"/api/users/{user['uuid']}/").status_code == 404
    assert Client(service, other.env["STAFF_TOKEN"]).get("/api/users/me/").status_code == 401


def test_a_port_in_use(service, tmp_path):
    done = dev("up", "--state", tmp_path / "st", "--port", str(service.port), check=False)
    assert done.returncode == 1
    assert f"dev: port {service.port} is in use; choose another with --port\n" in done.stdout
    assert not list((tmp_path / "st").glob("pids/*"))


def test_down_where_nothing_was(tmp_path):
    done = dev("down", "--state", tmp_path / "none")
    assert done.stdout == f"nothing runs in {tmp_path}/none\n"
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "words, message",
    [
        (["up", "--fly"], r"dev: --fly needs a value, or is no option here; \./dev --help"),
        (["up", "--fly", "1"], r"dev: there is no option --fly; \./dev --help"),
        (["up", "x"], r"dev: x needs a value, or is no option here; \./dev --help"),
        (["up", "--state"], r"dev: --state needs a value, or is no option here; \./dev --help"),
        (["up", "--port", "0"], "dev: --port: 1 to 65535, not 0"),
        (["up", "--port", "65536"], "dev: --port: 1 to 65535, not 65536"),
        (["up", "--port", "http"], "dev: --port: 1 to 65535, not http"),
        (["up", "--workers", "0"], "dev: --workers: 1 to 256, not 0"),
        (["up", "--workers", "-1"], "dev: --workers: 1 to 256, not -1"),
        (["up", "--workers", "257"], "dev: --workers: 1 to 256, not 257"),
        (["up", "--state", "a b"], r"dev: --state: the path may have letters, .*/a b"),
        (["down", "--fly", "1"], r"dev: there is no option --fly; \./dev --help"),
    ],
)
def test_options_that_are_none(words, message):
    done = dev(*words, check=False)
    assert done.returncode == 1
    assert re.fullmatch(message + "\n", done.stdout), done.stdout


def test_commands(service):
    text = dev("--help").stdout
    assert text.startswith("Usage: ./dev COMMAND\n") and dev("-h").stdout == dev().stdout == text
    for command in ("run", "up", "down", "check", "bench"):
        assert f"\n  {command} " in text
    done = dev("fly", check=False)
    assert (done.returncode, done.stdout) == (2, text)
