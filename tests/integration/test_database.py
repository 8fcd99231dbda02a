"""A database that restarts, goes away, hangs, ends connections, or loses the answer to a COMMIT."""

import contextlib
import os
import re
import select
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pymysql
import pytest

from fastcgi import Connection, socket_of, worker_at
from load import Load, check_nothing_lost, create, read, rows
from service import Service, eventually, unique

BUSY = {"detail": "The service is busy, try again later."}
UNSURE = {
    "detail": "The connection to the database was lost: the request may or may not have been carried out."
}


@pytest.fixture(scope="module")
def instance():
    """An instance whose MariaDB these tests stop."""
    service = Service(workers=2)
    yield service
    service.close()


@pytest.fixture
def own(instance):
    yield instance
    instance.check_log()


def new_user():
    username = unique("u")
    return {"username": username, "email": f"{username}@example.org"}


def reconfigure(service, line):
    """Changes an option, and waits until no process of the old configuration is left."""
    before = set(service.children())
    service.change_config(line)
    service.reload()
    eventually(lambda: not before & set(service.children()))


def is_busy(answer):
    """Was the client told to come again, and in JSON?"""
    return (answer.status_code, answer.json(), answer.headers["Retry-After"]) == (503, BUSY, "1")


# --- gone and back


@pytest.mark.parametrize("end", ["stop_database", "kill_database"])
def test_first_request_after_a_restart_is_answered(own, end):
    token = own.staff.token
    api = [Connection(socket_of(own, "api", i)) for i in range(2)]
    slow = Connection(socket_of(own, "slow", 0))
    for connection in api:
        assert connection.ask("GET", "/api/users/me/", token=token).status == 200
    assert slow.ask("POST", "/api-auth/password/", own.staff_credentials).status == 200
    user = new_user()
    own.run(end, "start_database")
    assert api[0].ask("GET", "/api/users/me/", token=token).json()["username"] == "staff"
    assert api[1].ask("POST", "/api/users/", user, token).status == 201
    assert slow.ask("POST", "/api-auth/password/", own.staff_credentials).json()["token"] == token
    assert user["username"] in rows(own)
    for connection in *api, slow:
        connection.close()


def test_requests_during_restarts_are_answered_or_asked_to_come_again(own):
    own.expect_log('"status": 503|audit_committed|COMMIT')
    with Load(own, *[create] * 3, *[read] * 3) as load:
        for end in "stop_database", "kill_database":
            own.run(end, "start_database")
            before = len(load.results)
            eventually(lambda: {200, 201} <= {status for _, status in load.results[before:]})
    assert load.failures == []
    assert {status for _, status in load.results} <= {200, 201, 503}
    assert {name for name, status in load.results if status == 201} <= rows(own)


def test_without_a_database_each_request_is_told_so(own):
    own.expect_log('"status": 503')
    workers = [worker_at(own, "api", i) for i in range(2)]
    user = new_user()
    own.run("stop_database")
    assert is_busy(own.staff.get("/api/users/me/"))
    assert is_busy(own.staff.get("/api/users/"))
    assert is_busy(own.staff.post("/api/users/", json=user))
    assert is_busy(own.nobody.post("/api-auth/password/", json=own.staff_credentials))
    live, ready = own.nobody.get("/health/live"), own.nobody.get("/health/ready")
    assert (live.status_code, live.json()) == (200, {"status": "ok"})
    assert ready.status_code == 503
    assert own.nobody.get("/api/nothing/").status_code == 404
    own.run("start_database")
    assert read(own.staff) == (None, 200)
    assert own.nobody.get("/health/ready").json() == {"status": "ok"}
    assert user["username"] not in rows(own)
    assert own.staff.post("/api/users/", json=user).status_code == 201
    assert [worker_at(own, "api", i) for i in range(2)] == workers


def test_hanging_database_is_not_waited_for_without_end(own):
    own.expect_log('"status": 503')
    reconfigure(own, "database_timeout = 1")
    server = int((own.state / "pids" / "mariadbd").read_text())
    os.kill(server, signal.SIGSTOP)
    try:
        assert is_busy(own.staff.get("/api/users/me/"))
        assert own.nobody.get("/health/live").status_code == 200
    finally:
        os.kill(server, signal.SIGCONT)
    assert read(own.staff) == (None, 200)
    reconfigure(own, "database_timeout = 10")


# --- conflicts


def sessions(service):
    return [
        id
        for id, user in service.sql("SELECT id, user FROM information_schema.processlist")
        if user == "roster"
    ]


def test_killed_connections_cost_no_request(own):
    with Load(own, *[create] * 3, *[read] * 3) as load:
        for _ in range(10):
            before = len(load.results)
            for session in sessions(own):
                with contextlib.suppress(pymysql.err.OperationalError):
                    own.sql(f"KILL {session}")
            eventually(lambda: len(load.results) > before + 6)
    check_nothing_lost(own, load)


@contextlib.contextmanager
def transaction(service):
    connection = service.connect()
    with connection.cursor() as cursor:
        yield cursor
    connection.rollback()
    connection.close()


def test_deadlock_runs_the_request_again(own):
    user = own.create()
    own.sql("CREATE OR REPLACE TABLE weight (n INT)")
    path = f"/api/users/{user['uuid']}/"
    answers = []
    request = threading.Thread(
        target=lambda: answers.append(own.staff.patch(path, json={"job_title": "heron"}))
    )
    with transaction(own) as cursor:
        # So much work that it is the other side which is given up.
        cursor.execute("INSERT INTO weight SELECT seq FROM seq_1_to_1000")
        cursor.execute("SELECT id FROM audit_events WHERE id > (SELECT MAX(id) FROM audit_events) FOR UPDATE")
        request.start()
        # The request has the user and waits for the place of its audit event.
        eventually(lambda: own.lock_waits() == 1)
        cursor.execute("SELECT id FROM users WHERE username = %s FOR UPDATE", user["username"])
    request.join()
    assert (answers[0].status_code, answers[0].json()["job_title"]) == (200, "heron")
    line = own.request_line(answers[0].headers["X-Request-ID"])
    words = [m["message"] for m in own.log() if m.get("request_id") == line["request_id"]]
    assert len([w for w in words if "deadlock (1213" in w]) == 1
    events = own.sql(
        "SELECT COUNT(*) FROM audit_events WHERE request_id = %s",
        answers[0].headers["X-Request-ID"],
    )
    assert events == ((1,),)


def test_a_deadlock_with_a_test_runs_the_test_again(own):
    """What tests do in the database meets the service's own processes there."""
    own.sql("CREATE OR REPLACE TABLE pair (n INT PRIMARY KEY, met INT)")
    own.sql("INSERT INTO pair VALUES (1, 0), (2, 0)")
    own.sql("CREATE OR REPLACE TABLE weight (n INT)")
    with transaction(own) as cursor, ThreadPoolExecutor() as pool:
        cursor.execute("INSERT INTO weight SELECT seq FROM seq_1_to_1000")
        cursor.execute("UPDATE pair SET met = 1 WHERE n = 2")
        both = pool.submit(own.sql, "UPDATE pair SET met = met + 2 ORDER BY n")
        eventually(lambda: own.lock_waits() == 1)
        cursor.execute("UPDATE pair SET met = 1 WHERE n = 1")
        cursor.connection.commit()
        both.result()
    assert own.sql("SELECT met FROM pair ORDER BY n") == ((3,), (3,))


# --- a COMMIT whose answer is lost


class Proxy:
    """
    Stands between rosterd and MariaDB. The fault strikes once, at the COMMIT after some text: "question"
    cuts the connection before the server has seen it, "answer" when the server has carried it out, "all" as
    "question", and nobody is let through any more.
    """

    COMMIT = b"\x03COMMIT"

    def __init__(self, path, server):
        self.server = str(server)
        self.fault = None
        self.after = self.victim = None
        self.open = True
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        self.socket.listen(50)
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def set(self, fault, after):
        self.after = after.encode()
        self.fault = fault

    def close(self):
        self.open = False
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.socket.accept()
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with client, socket.socket(socket.AF_UNIX) as server, contextlib.suppress(OSError):
            if not self.open:
                return
            server.connect(self.server)
            while self.open and self.pass_on(client, server):
                continue

    def pass_on(self, client, server):
        """Passes on what there is; False at the end."""
        for source in select.select([client, server], [], [], 1)[0]:
            data = source.recv(65536)
            if not data:
                return False
            if source is server:
                client.sendall(data)
            elif self.fault is not None and self.victim is client and self.COMMIT in data:
                return self.strike(server, data)
            else:
                self.watch(client, data)
                server.sendall(data)
        return True

    def watch(self, client, data):
        if self.fault is not None and self.after in data:
            self.victim = client

    def strike(self, server, data):
        fault, self.fault = self.fault, None
        self.open = fault != "all"
        if fault == "answer":
            server.sendall(data)
            server.recv(65536)
        return False


@pytest.fixture
def proxied(daemon, tmp_path):
    """A daemon whose connections to the database lead through .proxy."""
    d = daemon(workers=1)
    d.proxy = Proxy(tmp_path / "proxy", d.database_socket)
    options = d.state / "roster.cnf"
    options.write_text(re.sub(r"(?m)^socket=.*", f"socket={tmp_path}/proxy", options.read_text()))
    d.run("stop_rosterd", "launch_rosterd", "wait_for_answer")
    yield d
    d.proxy.close()


def made(daemon, user, answer):
    """How many accounts and events of them a request has left."""
    accounts = daemon.sql("SELECT COUNT(*) FROM users WHERE username = %s", user["username"])
    events = daemon.sql(
        "SELECT COUNT(*) FROM audit_events WHERE request_id = %s", answer.headers["X-Request-ID"]
    )
    return accounts[0][0], events[0][0]


@pytest.mark.parametrize(
    "fault, found", [("question", "COMMIT: it did not happen"), ("answer", "COMMIT: it happened")]
)
def test_commit_whose_answer_is_lost_is_looked_up(proxied, fault, found):
    user = new_user()
    proxied.proxy.set(fault, after=user["username"])
    answer = proxied.staff.post("/api/users/", json=user)
    assert proxied.proxy.fault is None, "it has struck"
    assert (answer.status_code, answer.json()["username"]) == (201, user["username"])
    assert made(proxied, user, answer) == (1, 1)
    assert [m["request_id"] for m in proxied.messages(found)] == [answer.headers["X-Request-ID"]]
    assert proxied.staff.get(answer.headers["Location"]).json()["username"] == user["username"]


def test_commit_that_cannot_be_looked_up_is_not_claimed(proxied):
    proxied.expect_log('"status": 503|COMMIT')
    reconfigure(proxied, "database_timeout = 1")  # for how long it is tried
    user = new_user()
    proxied.proxy.set("all", after=user["username"])
    answer = proxied.staff.post("/api/users/", json=user)
    assert (answer.status_code, answer.json()) == (503, UNSURE)
    assert "Retry-After" not in answer.headers
    assert made(proxied, user, answer) == (0, 0)
    proxied.proxy.open = True
    assert proxied.staff.post("/api/users/", json=user).status_code == 201
