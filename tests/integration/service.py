"""The real thing for tests: an instance of ./dev up, clients that ask it, a look at its log and database."""

import contextlib
import email
import email.policy
import getpass
import itertools
import json
import os
import random
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pymysql
import requests
from pymysql.constants import ER

from contract import Contract

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("ROSTER_BUILD", TOP / "build"))

# What a sanitizer or the run-time library prints when something is wrong with our memory.
CRASH = re.compile(
    r"AddressSanitizer|LeakSanitizer|UndefinedBehaviorSanitizer|runtime error:"
    r"|stack smashing|double free|corrupted|Assertion|is_banned"
)


def eventually(condition, seconds=60, what="the condition"):
    """Waits until condition() is true and returns its value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come true within {seconds} s")
        time.sleep(0.02)


def own_ports():
    """Those of this pytest process: neither the others' nor of ./dev's SMTP sinks, and the kernel gives them to no client."""
    number, of = os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:], os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")
    ports = range(10000 + int(number), 20000, int(of))
    return itertools.cycle(random.sample(ports, len(ports)))


PORTS = own_ports()


def free_port():
    """A port that nobody listens on, and that nobody else is going to: who asked for it may take his time."""
    for port in PORTS:
        with contextlib.suppress(OSError), socket.socket() as s:
            s.bind(("127.0.0.1", port))
            return port


def put(file, text):
    """Writes a file that others may be reading."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.rename(file)


def rest_of(terminal):
    """What is still written to a terminal until nobody has its other side any more; ours is closed, too."""
    said = b""
    with contextlib.suppress(OSError):  # the end
        while part := os.read(terminal, 65536):
            said += part
    os.close(terminal)
    return said


def dev(*words, check=True, **options):
    """Runs ./dev; its output is in the result."""
    done = subprocess.run(
        [TOP / "dev", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=dict(os.environ, ROSTER_BUILD=str(BUILD)),
        **options,
    )
    if check and done.returncode != 0:
        raise AssertionError(f"./dev {' '.join(map(str, words))} failed:\n{done.stdout}")
    return done


# What ./dev does for an instance, a function a step.
STEPS = """
set -euo pipefail
say() { printf '%s\\n' "$*" >&2; }
fail() { say "dev: $*"; exit 1; }
PATH=$PATH:/usr/sbin:/sbin
. "$top/dev.d/build.sh"
. "$top/dev.d/service.sh"
stop_database() { stop mariadbd TERM 60; }
kill_database() { stop mariadbd KILL 60; }
stop_rosterd() { stop rosterd TERM 60; }
launch_rosterd() { start rosterd "${program:-$build/rosterd}" --config "$state/roster.conf"; }
base_url=http://127.0.0.1:$port
prepare_state
trap stop_all EXIT
for step in $steps; do $step; done
trap - EXIT
"""


class Service:
    """An instance of its own: a state folder, a port, a database."""

    environment = {}
    database = "roster"
    contract = None

    def __init__(self, workers=2, config=""):
        self.state = Path(tempfile.mkdtemp(prefix="roster-test."))
        self.port = free_port()
        self.workers = workers
        if config:
            (self.state / "roster.local").write_text(config)
        self.expected = []
        self.seen = 0
        self.up()

    def up(self):
        dev("up", "--state", self.state, "--port", str(self.port), "--workers", str(self.workers))
        self.read_env()
        self.settle()

    def read_env(self):
        self.env = dict(
            line.split("=", 1)
            for line in shlex.split((self.state / "env").read_text())
        )
        self.url = self.env["BASE_URL"]
        # All instances of a build promise the same, and not all of them will be asked what.
        if Service.contract is None:
            Service.contract = Contract(requests.get(f"{self.url}/api/schema/", timeout=30).json())
        self.staff = Client(self, self.env["STAFF_TOKEN"])
        self.nobody = Client(self, None)

    def run(self, *steps):
        """Runs functions of dev.d/service.sh on this instance."""
        done = subprocess.run(
            ["bash", "-c", STEPS],
            env=dict(
                os.environ,
                **self.environment,
                ROSTER_BUILD=str(BUILD),
                top=str(TOP),
                state=str(self.state),
                port=str(self.port),
                workers=str(self.workers),
                smtp_port=str(free_port()),  # nobody takes its mail
                steps=" ".join(steps),
            ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout

    def down(self):
        dev("down", "--state", self.state)

    def close(self):
        """Stops it and removes what it has left."""
        try:
            self.down()
            self.check_log()
        finally:
            shutil.rmtree(self.state, ignore_errors=True)

    # --- the process

    @property
    def master(self):
        return int((self.state / "pids" / "rosterd").read_text())

    def children(self, name=None):
        """Process ids of the master's children whose command name contains name."""
        pids = self.children_of(self.master)
        return [pid for pid in sorted(pids) if name is None or name in self.process_name(pid)]

    @staticmethod
    def children_of(pid):
        done = subprocess.run(["pgrep", "-P", str(pid)], stdout=subprocess.PIPE, text=True)
        return {int(child) for child in done.stdout.split()}

    @staticmethod
    def process_name(pid):
        try:
            return Path(f"/proc/{pid}/comm").read_text().strip()
        except OSError:
            return ""

    def settle(self):
        """
        Waits until each process is there by its own name, and none twice: the first worker answers before, and the
        last one after.
        """

        def is_settled():
            names = [self.process_name(pid) for pid in self.children()]
            own = {name for name in names if name.startswith("rosterd ")}
            return len(own) == len(names) and {"rosterd keeper", "rosterd mailer", "rosterd sync"} <= own

        eventually(is_settled, what="one process of each kind")

    def change_config(self, *lines):
        """Puts lines into roster.conf in place of those of the same options; their line numbers there."""
        file = self.state / "roster.conf"
        names = [line.split()[0] for line in lines]
        kept = [old for old in file.read_text().splitlines() if (old.split() or [""])[0] not in names]
        put(file, "\n".join([*kept, *lines, ""]))
        return range(len(kept) + 1, len(kept) + len(lines) + 1)

    def reload(self):
        """SIGHUP, and waits until the new workers have taken over."""
        before = len(self.messages("reloaded"))
        os.kill(self.master, signal.SIGHUP)
        eventually(lambda: len(self.messages("reloaded")) > before, what="the reload")

    def renew(self):
        """Reloads, and waits until those have gone who knew the old configuration; drain_timeout is how long they may."""
        before = set(self.children())
        self.reload()
        eventually(lambda: not before & set(self.children()), what="the end of the old workers")

    @contextlib.contextmanager
    def renewed_nginx(self):
        """
        nginx is told to reload meanwhile, by SIGHUP to the number or else; waits until its old workers have gone, and
        with them the connections that clients have kept: a request on one of those might come too late.
        """
        nginx = int((self.state / "pids" / "nginx").read_text())
        before = self.children_of(nginx)
        yield nginx

        def is_renewed():
            now = self.children_of(nginx)
            return now and not before & now

        eventually(is_renewed, what="nginx's new workers")

    def rosterctl(self, *words, stdin="", check=True):
        done = subprocess.run(
            [BUILD / "rosterctl", "--config", self.state / "roster.conf", *words],
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        if check:
            assert done.returncode == 0, done.stderr
        return done

    # --- the log

    @property
    def log_file(self):
        return self.state / "logs" / "rosterd.log"

    def log_bytes(self, start=0):
        """Whole lines: a file shows what is being written to it in part, when that goes on to another page."""
        with open(self.log_file, "rb") as f:
            f.seek(start)
            new = f.read()
        return new[: new.rfind(b"\n") + 1]

    def log(self, start=0):
        """The log's lines from byte start on, parsed; what is no JSON is {"raw": line}."""
        return self.parsed(self.log_bytes(start))

    @classmethod
    def parsed(cls, data):
        return [cls.parse(line) for line in data.decode("utf-8", "replace").split("\n") if line.strip()]

    @staticmethod
    def parse(line):
        try:
            return json.loads(line)
        except ValueError:
            return {"raw": line}

    def log_size(self):
        return self.log_file.stat().st_size if self.log_file.exists() else 0

    def messages(self, text):
        return [line for line in self.log() if text in line.get("message", "")]

    def request_line(self, request_id):
        """The log line of one request."""
        lines = eventually(
            lambda: [
                line
                for line in self.log()
                if line.get("request_id") == request_id and "status" in line
            ],
            what="the request's log line",
        )
        return lines[-1]

    def expect_log(self, pattern):
        """Announces an error-level line, or a raw one, that the running test brings about."""
        self.expected.append(re.compile(pattern))

    def check_log(self):
        """Fails on what no test has announced: errors, crashes, sanitizer reports."""
        new = self.log_bytes(self.seen)
        self.seen += len(new)
        bad = []
        for line in self.parsed(new):
            text = json.dumps(line, ensure_ascii=False)
            # ./dev asks until it is ready, and what keeps it from that has a line of its own.
            if line.get("route") == "/health/ready":
                continue
            wrong = line.get("level") == "error" or "raw" in line or CRASH.search(text)
            if wrong and not any(p.search(text) for p in self.expected):
                bad.append(text)
        self.expected.clear()
        assert not bad, "unannounced lines in the log:\n" + "\n".join(bad)

    # --- the database

    @property
    def database_socket(self):
        return self.env["DB_SOCKET"]

    def connect(self, **options):
        """A connection to the database as its own administrator, with the service's time zone."""
        return pymysql.connect(
            unix_socket=self.database_socket,
            user=getpass.getuser(),
            database=self.database,
            init_command="SET time_zone = '+00:00'",
            **options,
        )

    def transaction(self, run):
        """What run(cursor) returns; it runs again when the server gave up its transaction for one of the service's."""
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
            while True:
                try:
                    result = run(cursor)
                    connection.commit()
                    return result
                except pymysql.err.OperationalError as e:
                    if e.args[0] != ER.LOCK_DEADLOCK:
                        raise

    def sql(self, statement, *values):
        """Runs a statement as the database's own administrator; the rows as tuples."""

        def run(cursor):
            cursor.execute(statement, values)
            return cursor.fetchall()

        return self.transaction(run)

    def add_database(self, name, options):
        """Another database, empty, and an option file by which rosterctl and rosterd find it."""
        self.sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        self.sql(f"GRANT ALL ON {name}.* TO roster@localhost")
        options.touch(0o600)
        options.write_text((self.state / "roster.cnf").read_text().replace("database=roster", f"database={name}"))

    def lock_waits(self):
        """How many transactions wait for a lock."""
        return int(self.sql("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'")[0][1])

    def while_locked(self, asks, statement, *values):
        """The answers to asks, each of which waits for a lock of the statement until that has committed."""
        with contextlib.closing(self.connect()) as connection, ThreadPoolExecutor() as pool:
            connection.cursor().execute(statement, values)
            answers = [pool.submit(ask) for ask in asks]
            eventually(lambda: self.lock_waits() >= len(asks), what="the waiting")
            connection.commit()
            return [answer.result() for answer in answers]

    # --- mail

    def mails(self, to):
        """What the SMTP sink has taken for an address, the oldest first."""
        folder = Path(self.env["MAIL_DIR"]) / "new"
        files = sorted(folder.iterdir(), key=lambda f: f.stat().st_mtime_ns) if folder.is_dir() else []
        mails = [email.message_from_bytes(f.read_bytes(), policy=email.policy.default) for f in files]
        return [mail for mail in mails if mail["X-RcptTo"] == to]

    def mail(self, to, n=1):
        """The n-th mail to an address, once it is there."""
        return eventually(lambda: self.mails(to)[n - 1 :], what=f"mail {n} to {to}")[0]

    # --- accounts

    @property
    def staff_credentials(self):
        """What the staff account signs in with."""
        return {"username": self.env["STAFF_USERNAME"], "password": self.env["STAFF_PASSWORD"]}

    def create(self, username=None, **fields):
        """A new account, through the API; it has agreed with the policy unless told otherwise."""
        agreed = fields.pop("agreed", True)
        username = username or unique("u")
        body = {"username": username, "email": f"{username}@example.org", **fields}
        answer = self.staff.post("/api/users/", json=body)
        assert answer.status_code == 201, answer.text
        user = answer.json()
        if agreed:
            self.sql(
                "UPDATE users SET agreement_date = date_joined WHERE username = %s", username
            )
            user = self.staff.get(f"/api/users/{user['uuid']}/").json()
        return user

    def token_of(self, user):
        return self.staff.get(f"/api/users/{user['uuid']}/token/").json()["token"]

    def account(self, username=None, **fields):
        """A client that is signed in as a new account; .user is its object as staff sees it."""
        user = self.create(username, **fields)
        client = Client(self, self.token_of(user))
        client.user = user
        return client


class Client:
    """Asks the service with a token (None: without)."""

    def __init__(self, service, token):
        self.service = service
        self.token = token
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["User-Agent"] = "roster-tests"

    def request(self, method, path, **options):
        url = path if path.startswith("http") else self.service.url + path
        headers = {k: v for k, v in (options.pop("headers", None) or {}).items()}
        if self.token is not None and "Authorization" not in headers:
            headers["Authorization"] = f"Token {self.token}"
        options.setdefault("timeout", 90)  # nginx gives up after 60, and its answer tells more
        options.setdefault("allow_redirects", False)
        answer = self.session.request(method, url, headers=headers, **options)
        if not options.get("stream") and not options["allow_redirects"]:
            self.service.contract.check(method, unquote(urlsplit(url).path), answer)
        return answer

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def head(self, path, **options):
        return self.request("HEAD", path, **options)

    def post(self, path, **options):
        return self.request("POST", path, **options)

    def put(self, path, **options):
        return self.request("PUT", path, **options)

    def patch(self, path, **options):
        return self.request("PATCH", path, **options)

    def delete(self, path, **options):
        return self.request("DELETE", path, **options)

    def options(self, path, **options):
        return self.request("OPTIONS", path, **options)


def unique(prefix="x"):
    """A name that no other test has."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def raw_request(service, data, seconds=10):
    """Sends bytes to nginx as they are and returns all that comes back until it closes."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=seconds) as s:
        s.sendall(data)
        parts = []
        while part := s.recv(65536):
            parts.append(part)
    return b"".join(parts)
