"""rosterctl key reseal: what an older key has sealed comes under the newest, and the older can go."""

import json
import os
import pty
import subprocess
import threading

import pytest
from docs import blocks, pages
from identity import PROVIDERS, belongs_to
from service import BUILD, Client, rest_of, unique
from users import path_of

DONE, FAILED, PARTLY = 0, 1, 4
SEALED = ["tokens", "client secrets", "refresh tokens", "access tokens", "mails", "kept answers"]


def new_key(number):
    text = subprocess.run([BUILD / "rosterctl", "key", "new"], capture_output=True, text=True, check=True).stdout
    return text.splitlines()[-1].replace("1 ", f"{number} ", 1) + "\n"


def keys_of(service):
    return [line for line in (service.state / "keys").read_text().splitlines(keepends=True) if line[0] != "#"]


def use_keys(service, *lines):
    (service.state / "keys").write_text("".join(lines))
    service.renew()


def reseal(service, *words, status=DONE):
    """What it found by column: older, resealed, lost, left."""
    done = service.rosterctl("key", "reseal", "--json", *words, check=False)
    assert done.returncode == status, done.stderr
    found = {column.pop("values"): list(column.values()) for column in json.loads(done.stdout)}
    assert list(found) == SEALED
    return found


def rows(service, table):
    return service.sql(f"SELECT COUNT(*) FROM {table}")[0][0]


@pytest.fixture
def host(daemon):
    return daemon(config="drain_timeout = 1\n")


def pull(host, user):
    answer = host.staff.post(path_of(user, "pull_remote_user/"))
    assert answer.status_code == 200, answer.text


def test_an_old_key_can_go(host, remote):
    """Tokens, a provider's secrets, a mail that waits and an answer that was kept, from one key to another."""
    clients = [host.account() for _ in range(3)]
    assert host.staff.post(PROVIDERS, json=remote.settings()).status_code == 201
    user = host.create()
    belongs_to(host, user, "eduteams")
    remote.users[user["username"]] = {"voperson_id": user["username"], "given_name": "First"}
    pull(host, user)
    answer = clients[0].post(path_of(clients[0].user, "change_email/"), json={"email": f"{unique('new')}@example.org"})
    assert answer.status_code == 200, answer.text
    kept = {"json": {"username": unique("kept"), "email": "kept@example.org"}, "headers": {"Idempotency-Key": unique()}}
    first = host.staff.post("/api/users/", **kept)
    assert first.status_code == 201

    (old,), key = keys_of(host), new_key(2)
    use_keys(host, key, old)
    older = {
        "tokens": rows(host, "tokens"), "client secrets": 1, "refresh tokens": 1, "access tokens": 1,
        "mails": rows(host, "mail_outbox"), "kept answers": 1,
    }
    assert older["mails"] > 0
    assert reseal(host, "--dry-run") == {name: [n, 0, 0, n] for name, n in older.items()}
    assert reseal(host) == {name: [n, n, 0, 0] for name, n in older.items()}
    assert reseal(host) == {name: [0, 0, 0, 0] for name in SEALED}
    assert "older" not in host.rosterctl("doctor", check=False).stdout

    use_keys(host, key)
    for client in [host.staff, *clients]:
        assert client.get("/api/users/me/").status_code == 200
        assert client.get("/api/users/me/?field=token").json()["token"] == client.token
    asked = len(remote.asked("/token"))
    remote.users[user["username"]]["given_name"] = "Second"
    pull(host, user)  # by the access token that was kept
    assert len(remote.asked("/token")) == asked
    host.sql("UPDATE identity_providers SET access_token = NULL, access_token_expires = NULL")
    remote.users[user["username"]]["given_name"] = "Third"
    pull(host, user)  # by the client's secret and the refresh token
    assert len(remote.asked("/token")) == asked + 1
    assert host.staff.get(path_of(user)).json()["first_name"] == "Third"
    again = host.staff.post("/api/users/", **kept)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (first.json(), "true")
    assert not any("not in the key file" in (error or "") for (error,) in host.sql("SELECT error FROM mail_outbox"))


def test_nobody_is_locked_out_meanwhile(daemon):
    """The old workers stay for as long as nginx keeps connections to them: 4 s, longer than those of other tests here."""
    host = daemon(config="drain_timeout = 5\n")
    clients = [host.account() for _ in range(4)]
    (old,), stop, codes = keys_of(host), threading.Event(), set()

    def ask(token):
        client = Client(host, token)
        while not stop.is_set():
            codes.add(client.get("/api/users/me/").status_code)

    threads = [threading.Thread(target=ask, args=[client.token]) for client in clients]
    for thread in threads:
        thread.start()
    try:
        for number in range(2, 4):
            new = new_key(number)
            use_keys(host, old, new)
            use_keys(host, new, old)
            assert reseal(host)["tokens"] == [rows(host, "tokens")] * 2 + [0, 0]
            old = new
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert codes == {200}


def test_more_than_a_batch(host):
    """With a terminal there is a bar, which is gone at the end."""
    file = host.state / "people.csv"
    file.write_text("username,email\n" + "".join(f"b{i},b{i}@example.org\n" for i in range(250)))
    host.rosterctl("user", "import", file)
    (old,) = keys_of(host)
    use_keys(host, new_key(2), old)
    ours, theirs = pty.openpty()
    words = [BUILD / "rosterctl", "--config", host.state / "roster.conf", "key", "reseal"]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=theirs, text=True)
    os.close(theirs)
    shown = rest_of(ours).decode()
    n = rows(host, "tokens")
    assert n > 250
    assert (done.returncode, done.stdout) == (DONE, f"tokens: {n} by an older key, resealed {n}, left 0\n")
    assert " values, " in shown and shown.endswith("\r\x1b[K")


def test_what_no_key_opens_is_left(host):
    lost = host.account()
    (old,) = keys_of(host)
    host.sql("UPDATE tokens SET sealed = CONCAT(x'09', SUBSTRING(sealed, 2))"
             " WHERE user_id = (SELECT id FROM users WHERE username = %s)", lost.user["username"])
    host.account()  # the newest token tells whether the keys are the database's
    use_keys(host, new_key(2), old)
    n = rows(host, "tokens")
    assert reseal(host, status=PARTLY)["tokens"] == [n, n - 1, 1, 1]
    done = host.rosterctl("key", "reseal", check=False)
    assert (done.returncode, done.stdout) == (PARTLY, "tokens: 1 by an older key, resealed 0, left 1\n")
    assert done.stderr == "rosterctl: no key of the file opens 1 of them\n"


def test_a_token_that_is_being_fetched_stays(host, remote):
    """Whoever fetches compares with what he has read, and a refresh token may be good for one use."""
    assert host.staff.post(PROVIDERS, json=remote.settings()).status_code == 201
    (old,) = keys_of(host)
    use_keys(host, new_key(2), old)
    host.sql("UPDATE identity_providers SET fetch_until = UTC_TIMESTAMP(6) + INTERVAL 1 HOUR")
    found = reseal(host, status=PARTLY)
    assert found["refresh tokens"] == found["client secrets"] == [1, 0, 0, 1]
    host.sql("UPDATE identity_providers SET fetch_until = UTC_TIMESTAMP(6)")
    version = host.sql("SELECT version FROM identity_providers")
    assert reseal(host)["refresh tokens"] == [1, 1, 0, 0]
    assert host.sql("SELECT version FROM identity_providers") > version


def test_without_a_database(daemon):
    host = daemon()
    done = host.rosterctl("--set", "database=/nowhere", "key", "reseal", check=False)
    assert (done.returncode, done.stdout) == (FAILED, "")


def test_a_lost_key_file(daemon, remote):
    """By operating.md: what was sealed is dropped, all else stays, and people sign in again."""
    host = daemon(config="drain_timeout = 1\nsmtp_url =\n")
    keys, client = host.state / "keys", host.account()
    assert host.staff.post(PROVIDERS, json=remote.settings()).status_code == 201
    user = host.create()
    belongs_to(host, user, "eduteams")
    remote.users[user["username"]] = {"voperson_id": user["username"], "given_name": "First"}
    pull(host, user)
    answer = client.post(path_of(client.user, "change_email/"), json={"email": f"{unique('new')}@example.org"})
    assert answer.status_code == 200, answer.text
    kept = {"json": {"username": unique("kept"), "email": "kept@example.org"}, "headers": {"Idempotency-Key": unique()}}
    assert host.staff.post("/api/users/", **kept).status_code == 201
    stays = ["SELECT id, uuid, username, email, password, first_name FROM users ORDER BY id",
             "SELECT id, event, subject_uuid FROM audit_events ORDER BY id"]
    before = [host.sql(statement) for statement in stays]

    keys.unlink()
    assert host.staff.get("/api/users/me/").status_code == 200
    missing = host.rosterctl("user", "list", check=False)
    assert (missing.returncode, missing.stdout) == (FAILED, "")
    assert f"{keys}: No such file or directory; bring it back from a backup" in missing.stderr
    host.run("stop_rosterd")
    keys.touch(0o640)
    keys.write_text(new_key(2))  # another number, so that reseal counts what the lost one has sealed
    refused = host.rosterctl("user", "list", check=False)
    assert (refused.returncode, refused.stdout, refused.stderr) == (
        FAILED, "",
        f"rosterctl: {keys}: the keys do not open what is in the database: put the key file back that belongs to it,"
        ' or add its keys to this one; "A lost key file" in operating.md says what to do when they are gone\n')
    assert all(lost == older == left > 0 for older, _, lost, left in reseal(host, status=PARTLY).values())

    (statements,) = blocks(pages()["docs/operating.md"], "sql")
    for statement in statements.split(";")[:-1]:
        host.sql(statement)
    assert reseal(host, "--dry-run") == {name: [0, 0, 0, 0] for name in SEALED}
    host.run("launch_rosterd", "wait_for_answer")
    assert [host.sql(statement) for statement in stays] == before

    for old in (host.staff, client):
        answer = old.get("/api/users/me/")
        assert (answer.status_code, answer.json()) == (401, {"detail": "Invalid token."})
    answer = host.nobody.post("/api-auth/password/", json=host.staff_credentials)
    assert answer.status_code == 200
    host.staff = Client(host, answer.json()["token"])
    again = Client(host, host.rosterctl("user", "token", "--new", client.user["username"]).stdout.strip())
    assert again.get("/api/users/me/").json()["requested_email"] is None
    answer = host.staff.post("/api/users/", **kept)
    assert (answer.status_code, "Idempotent-Replayed" in answer.headers) == (400, False)

    answer = host.staff.post(path_of(user, "pull_remote_user/"))
    assert (answer.status_code, answer.json()) == (
        400, ["Remote eduTEAMS account synchronization extension is disabled."])
    assert host.staff.get(path_of(user)).json()["is_active"] is True
    host.rosterctl(
        "provider", "set", "eduteams", "--client-secret-file", "-", "--refresh-token-file", "-",
        stdin=f"open sesame\n{remote.refresh}\n")
    remote.users[user["username"]]["given_name"] = "Second"
    pull(host, user)
    assert host.staff.get(path_of(user)).json()["first_name"] == "Second"
