"""The mailer against SMTP servers of the test's own: TLS, authentication, refusals, absence; rosterctl mail."""

import asyncio
import contextlib
import email
import email.policy
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from service import Service, eventually, free_port, unique
from users import path_of

# Of aiosmtpd, which is right; but here nobody listens between.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

# Options that a test may set; the rest of the file is that of ./dev up.
OURS = re.compile(r"^(smtp_|mail_|homeport_url)")


@pytest.fixture(scope="module")
def instance():
    """One instance whose mail options each test sets anew. All mails are one user's."""
    service = Service(workers=1, config="email_change_requests = 1000\n")
    service.client = service.account()
    # Without an old address there is no notice to it, and each request is one mail.
    service.sql("UPDATE users SET email = '' WHERE username = %s", service.client.user["username"])
    yield service
    service.close()


@pytest.fixture
def post(instance):
    """Sets the mail options of the instance, adds mails and looks at the outbox, which begins empty."""
    instance.sql("DELETE FROM mail_outbox")
    yield Post(instance)
    instance.check_log()


class Post:
    def __init__(self, service):
        self.service = service
        self.conf = service.state / "roster.conf"

    def configure(self, server=None, **options):
        """Sets the options and waits until the mailer runs with them."""
        base = {"mail_from": "roster@example.org", "homeport_url": "https://portal.example.org"}
        if server is not None:
            base |= {"smtp_url": server.url, "smtp_tls": "off"}
        lines = [line for line in self.conf.read_text().splitlines() if not OURS.match(line)]
        lines += [f"{name} = {value}" for name, value in (base | options).items()]
        self.conf.write_text("\n".join(lines) + "\n")
        self.service.reload()

    def add(self, to=None):
        """Queues the mail with the code of a change of address."""
        to = to or f"{unique('m')}@example.net"
        client = self.service.client
        answer = client.post(path_of(client.user, "change_email/"), json={"email": to})
        assert answer.status_code == 200
        return to

    def row(self, to):
        """The tries of a mail, the seconds until the next (None: given up) and the error; None once delivered."""
        rows = self.service.sql(
            "SELECT id, attempts, TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), due), error"
            " FROM mail_outbox WHERE recipient = %s",
            to,
        )
        return SimpleNamespace(**dict(zip(("id", "attempts", "due", "error"), rows[0]))) if rows else None

    def tried(self, to, attempts=1):
        """The row once a try has failed."""
        eventually(lambda: (row := self.row(to)) and row.attempts >= attempts and row.error, what="a failed try")
        return self.row(to)

    def delivered(self, server, to):
        """The mails that a server has for an address, once none is left in the outbox."""
        eventually(lambda: self.row(to) is None, what="the delivery")
        return server.mails(to)

    def retry(self, what="all"):
        return self.service.rosterctl("mail", "retry", str(what))


class Server:
    """An SMTP server. replies["RCPT"] = ["450 later"] refuses once; hold makes it wait before its yes."""

    def __init__(self, port=None, ssl_context=None, **options):
        self.port = port or free_port()
        self.envelopes, self.commands = [], []
        self.replies = {}
        self.hold = None
        self.holding = threading.Event()
        scheme = "smtps" if ssl_context else "smtp"
        self.url = f"{scheme}://localhost:{self.port}"
        self.controller = Controller(
            self, hostname="localhost", port=self.port, ssl_context=ssl_context, **options
        )
        self.controller.start()

    def stop(self):
        self.controller.stop()

    def reply(self, command, otherwise):
        self.commands.append(command)
        queued = self.replies.get(command)
        return queued.pop(0) if queued else otherwise

    async def handle_MAIL(self, server, session, envelope, address, options):
        envelope.mail_from = address
        return self.reply("MAIL", "250 OK")

    async def handle_RCPT(self, server, session, envelope, address, options):
        reply = self.reply("RCPT", "250 OK")
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server, session, envelope):
        reply = self.reply("DATA", "250 taken")
        if reply.startswith("250"):
            self.envelopes.append((session, envelope))
        if self.hold is not None:
            self.holding.set()
            while not self.hold.is_set():
                await asyncio.sleep(0.02)
        return reply

    def sessions(self):
        """The connections over which mails came."""
        return {id(session) for session, _ in self.envelopes}

    def mails(self, to):
        return [
            email.message_from_bytes(envelope.content, policy=email.policy.default)
            for _, envelope in self.envelopes
            if to in envelope.rcpt_tos
        ]


@pytest.fixture
def server():
    """Starts servers; stops them at the end."""
    servers = []

    def start(**options):
        servers.append(Server(**options))
        return servers[-1]

    yield start
    for one in servers:
        if one.hold is not None:
            one.hold.set()
        one.stop()


# --- certificates


class Authority:
    """A test CA; certificate(name) is a server's TLS context."""

    def __init__(self, folder, name):
        self.folder = folder / name
        self.folder.mkdir()
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                     "-keyout", "ca.key", "-out", "ca.pem")  # fmt: skip
        self.file = self.folder / "ca.pem"

    def openssl(self, *words):
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)

    def certificate(self, name, days="2"):
        (self.folder / "san").write_text(f"subjectAltName = DNS:{name}\n")
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key",
                     "-out", "csr")  # fmt: skip
        self.openssl("x509", "-req", "-in", "csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                     "-days", days, "-extfile", "san", "-out", f"{name}.pem")  # fmt: skip
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        return context


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"), "trusted")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"), "stranger")


# --- TLS


def test_starttls(post, server, authority):
    s = server(tls_context=authority.certificate("localhost"), require_starttls=True)
    post.configure(s, smtp_tls="required", smtp_ca_file=authority.file)
    to = post.add()
    assert len(post.delivered(s, to)) == 1
    assert s.envelopes[0][0].ssl is not None


def test_tls_from_the_first_byte(post, server, authority):
    s = server(ssl_context=authority.certificate("localhost"))
    post.configure(s, smtp_tls="required", smtp_ca_file=authority.file)
    assert len(post.delivered(s, post.add())) == 1


@pytest.mark.parametrize("tls", ["required", "optional"])
def test_unknown_authority(post, server, stranger, authority, tls):
    s = server(tls_context=stranger.certificate("localhost"))
    post.configure(s, smtp_tls=tls, smtp_ca_file=authority.file)
    row = post.tried(post.add())
    assert row.due > 0 and "certificate" in row.error
    assert "MAIL" not in s.commands


def test_certificate_of_another_host(post, server, authority):
    s = server(tls_context=authority.certificate("mail.example.org"))
    post.configure(s, smtp_tls="required", smtp_ca_file=authority.file)
    row = post.tried(post.add())
    assert row.due > 0 and "localhost" in row.error
    assert "MAIL" not in s.commands


def test_system_authorities_by_default(post, server, authority):
    s = server(tls_context=authority.certificate("localhost"))
    post.configure(s, smtp_tls="required")
    assert "certificate" in post.tried(post.add()).error


def test_server_without_tls(post, server):
    s = server()
    post.configure(s, smtp_tls="required")
    to = post.add()
    row = post.tried(to)
    assert row.due > 0 and "STARTTLS" in row.error
    assert "MAIL" not in s.commands
    post.configure(s, smtp_tls="optional")
    post.retry()
    assert len(post.delivered(s, to)) == 1


def test_tls_is_taken_where_it_is_offered(post, server, authority):
    s = server(tls_context=authority.certificate("localhost"))
    post.configure(s, smtp_tls="optional", smtp_ca_file=authority.file)
    post.delivered(s, post.add())
    post.configure(s, smtp_tls="off")
    post.delivered(s, post.add())
    assert [session.ssl is not None for session, _ in s.envelopes] == [True, False]


# --- authentication


def only_alice(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"alice", b"the secret")
    return AuthResult(success=good, handled=False)


def alice_s(server, authority):
    """A server that takes mail from alice alone, and her password over TLS alone."""
    return server(
        tls_context=authority.certificate("localhost"),
        require_starttls=True,
        auth_required=True,
        authenticator=only_alice,
    )


@pytest.fixture
def password_file(tmp_path):
    file = tmp_path / "password"
    file.write_text("the secret\nanother line\n")
    return file


def test_authentication(post, server, authority, password_file):
    s = alice_s(server, authority)
    options = {
        "smtp_tls": "required",
        "smtp_ca_file": authority.file,
        "smtp_user": "alice",
        "smtp_password_file": password_file,
    }
    post.configure(s, **options)
    to = post.add()
    assert len(post.delivered(s, to)) == 1
    assert s.envelopes[0][0].authenticated

    password_file.write_text("wrong\n")
    post.configure(s, **options)
    to = post.add()
    row = post.tried(to)
    assert row.due > 0, "a wrong password is not the mail's fault"
    assert "the secret" not in row.error and "wrong" not in row.error

    password_file.write_text("the secret\r\n")
    post.configure(s, **options)
    post.retry(row.id)
    assert len(post.delivered(s, to)) == 1


def test_no_authentication_where_it_is_wanted(post, server):
    s = server(auth_required=True, auth_require_tls=False, authenticator=only_alice)
    post.configure(s)
    row = post.tried(post.add())
    assert row.due > 0 and "530" in row.error


def test_no_password_file(post, server, password_file):
    s = server(auth_required=True, auth_require_tls=False, authenticator=only_alice)
    missing = password_file.with_name("missing")
    post.service.expect_log("cannot read smtp_password_file .*missing: No such file or directory")
    post.configure(s, smtp_user="alice", smtp_password_file=missing)
    eventually(lambda: post.service.messages("cannot read smtp_password_file"), what="the mailer's complaint")
    to = post.add()
    post.configure(s, smtp_user="alice", smtp_password_file=password_file)
    assert len(post.delivered(s, to)) == 1


def test_doctor_asks_as_the_mailer_does(service, server, authority, password_file):
    s = alice_s(server, authority)
    good = {"smtp_url": s.url, "smtp_tls": "required", "smtp_ca_file": authority.file,
            "smtp_user": "alice", "smtp_password_file": password_file}  # fmt: skip

    def look(**options):
        words = [word for name, value in (good | options).items() for word in ("--set", f"{name}={value}")]
        checks = json.loads(service.rosterctl(*words, "doctor", "--json", check=False).stdout)
        return next((c["state"], c["message"]) for c in checks if c["check"] == "mail")

    assert look() == ("good", f"{s.url} takes us")
    assert s.envelopes == []
    wrong, missing = password_file.with_name("wrong"), password_file.with_name("missing")
    wrong.write_text("wrong\n")
    for options, reason in [
        ({"smtp_ca_file": ""}, "certificate"),
        ({"smtp_password_file": wrong}, "Login denied: 535 "),
        ({"smtp_password_file": missing}, f"cannot read smtp_password_file {missing}: No such file or directory; "),
    ]:
        state, message = look(**options)
        assert state == "faulty" and message.startswith(f"{s.url}: ") and reason in message
        assert message.endswith("; look at the options that begin with smtp_, and at the server")

    plain = server()
    state, message = look(smtp_url=plain.url, smtp_user="", smtp_password_file="")
    assert state == "faulty" and "STARTTLS" in message


# --- what the server says


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_refused_for_now(post, server, command):
    s = server()
    s.replies[command] = ["450 4.2.1 try later"]
    post.configure(s)
    to = post.add()
    row = post.tried(to)
    assert row.attempts == 1 and 50 < row.due <= 60
    assert "450" in row.error and "4.2.1 try later" in row.error
    assert post.retry(row.id).stdout == "Due now: 1.\n"
    assert len(post.delivered(s, to)) == 1


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_refused_for_good(post, server, command):
    s = server()
    s.replies[command] = ["550 5.1.1 no such mailbox"]
    post.configure(s)
    to = post.add()
    row = post.tried(to)
    assert row.due is None and row.attempts == 1
    assert "550 5.1.1 no such mailbox" in row.error
    line = post.service.rosterctl("mail", "list", "--failed").stdout
    assert to in line and "given up" in line and "no such mailbox" in line
    assert to not in str(post.service.messages("mail"))

    other = post.add()
    assert len(post.delivered(s, other)) == 1
    assert post.row(to).due is None
    post.retry(row.id)
    assert len(post.delivered(s, to)) == 1


def test_a_session_that_is_refused_is_no_mail_that_is(post):
    with socket.create_server(("localhost", 0)) as listener:
        url = f"smtp://localhost:{listener.getsockname()[1]}"
        thread = threading.Thread(target=greet, args=(listener, b"554 5.3.2 not today\r\n"))
        thread.start()
        post.configure(smtp_url=url, smtp_tls="off")
        row = post.tried(post.add())
        thread.join()
    assert row.due > 0 and "554" in row.error


def greet(listener, line):
    connection, _ = listener.accept()
    with connection:
        connection.sendall(line)
        connection.recv(100)


def test_pauses_double(post, server):
    s = server()
    s.replies["RCPT"] = ["450 later"] * 20
    post.configure(s)
    to = post.add()
    post.tried(to)
    dues = []
    for attempts in (3, 9, 19, 20):
        post.service.sql(
            "UPDATE mail_outbox SET attempts = %s, due = UTC_TIMESTAMP(6), error = NULL", attempts - 1
        )
        dues.append(post.tried(to, attempts).due)
    assert [due and round(due / 60) for due in dues] == [4, 240, 240, None]
    assert "450 later" in post.row(to).error


def test_unreadable_reply(post, server):
    s = server(enable_SMTPUTF8=True)
    s.replies["RCPT"] = ["550 \xe9\x07 " + "x" * 400]
    post.configure(s)
    row = post.tried(post.add())
    assert row.due is None and re.search(r"550 [ -~]{100,}", row.error)


def test_one_session_for_many(post, server):
    s = server()
    post.configure(smtp_url="")
    addresses = [post.add() for _ in range(5)]
    post.configure(s)
    for to in addresses:
        assert len(post.delivered(s, to)) == 1
    assert len(s.sessions()) == 1


# --- the server or the mailer is away


def test_server_away_and_back(post, server):
    port = free_port()
    post.configure(smtp_url=f"smtp://localhost:{port}", smtp_tls="off")
    to = post.add()
    row = post.tried(to)
    assert 50 < row.due <= 60 and "connect" in row.error
    s = server(port=port)
    # The time of the next try, not the operator, brings it out.
    post.service.sql("UPDATE mail_outbox SET due = UTC_TIMESTAMP(6)")
    assert len(post.delivered(s, to)) == 1


def test_server_that_says_nothing(post, server):
    with socket.create_server(("localhost", 0)) as listener:
        url = f"smtp://localhost:{listener.getsockname()[1]}"
        post.configure(smtp_url=url, smtp_tls="off", smtp_timeout=1)
        row = post.tried(post.add())
    assert row.due > 0 and "timed out" in row.error


def test_leaving_does_not_wait_for_a_server(post, server):
    """A reload while the server says nothing: the mail is due at once, as if it had not been tried."""
    with socket.create_server(("localhost", 0)) as listener:
        url = f"smtp://localhost:{listener.getsockname()[1]}"
        post.configure(smtp_url=url, smtp_tls="off", smtp_timeout=300)
        to = post.add()
        connection, _ = listener.accept()
        assert post.row(to).attempts == 1
        post.configure(smtp_url="")
        eventually(lambda: post.row(to).attempts == 0, what="the end of the try")
        row = post.row(to)
        assert row.due <= 0 and row.error is None
        connection.close()
    s = server()
    post.configure(s)
    assert len(post.delivered(s, to)) == 1


def held_mail(post, server):
    """A server that has a mail and holds back its yes until its hold is set; and to whom the mail is."""
    s = server()
    s.hold = threading.Event()
    post.configure(s)
    to = post.add()
    assert s.holding.wait(20)
    return s, to


def test_a_reload_has_ended_when_the_mailer_is_told(post, server):
    """One in the middle of a mail ends it, and begins none with the old configuration."""
    s, to = held_mail(post, server)
    told = Path(f"/proc/{mailer_pid(post.service, s.port)}/status")
    other = server()
    post.configure(other)
    pending = int(re.search(r"^ShdPnd:\t(\w+)$", told.read_text(), re.MULTILINE)[1], 16)
    assert pending & 1 << signal.SIGHUP - 1
    second = post.add()
    assert len(post.delivered(other, second)) == 1
    s.hold.set()
    assert len(post.delivered(s, to)) == 1 and s.mails(second) == []


def test_a_database_that_restarts_meanwhile_does_not_double_a_mail(post, server):
    """The server takes the mail while there is no database to note that in."""
    s, to = held_mail(post, server)
    post.service.run("stop_database")
    start = post.service.log_size()
    s.hold.set()

    def was_tried():
        lines = [line["message"] for line in post.service.log(start) if line.get("process") == "mailer"]
        return any("no connection" in line for line in lines)

    eventually(was_tried, what="the try to note it")
    post.service.run("start_database")
    assert len(post.delivered(s, to)) == 1


def test_mailer_that_dies(post, server):
    """Killed between the server's yes and its own note of it: the mail comes again, under the same id."""
    s, to = held_mail(post, server)
    claimed = post.row(to)
    assert claimed.attempts == 1 and claimed.due > 30

    post.service.expect_log(r"mailer \(process \d+\) was ended by signal 9")
    os.kill(mailer_pid(post.service, s.port), signal.SIGKILL)
    eventually(lambda: post.service.messages("was ended by signal 9"), what="the end of the mailer")
    s.hold.set()
    assert post.row(to).error is None
    post.service.sql("UPDATE mail_outbox SET due = UTC_TIMESTAMP(6)")
    first, second = post.delivered(s, to)
    assert first["Message-ID"] == second["Message-ID"]


def mailer_pid(service, port):
    """The child of the master that is connected to a port."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        for words in map(str.split, open(f"/proc/net/{table}")):
            if words[2].endswith(f":{port:04X}"):
                inodes.add(f"socket:[{words[9]}]")
    for pid in service.children():
        # The children of a configuration before this one may end meanwhile.
        with contextlib.suppress(OSError):
            if any(os.readlink(fd) in inodes for fd in Path(f"/proc/{pid}/fd").iterdir()):
                return pid
    raise AssertionError(f"no child is connected to port {port}")


def test_a_mail_that_another_mailer_has(post, server):
    """FOR UPDATE SKIP LOCKED: a locked row holds up neither the mailer nor the requests."""
    s = server()
    post.configure(smtp_url="")
    first, second = post.add(), post.add()
    with contextlib.closing(post.service.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM mail_outbox WHERE id = %s FOR UPDATE", (post.row(first).id,))
        post.configure(s)
        assert len(post.delivered(s, second)) == 1
        assert len(post.delivered(s, post.add())) == 1
        assert s.mails(first) == []
    assert len(post.delivered(s, first)) == 1


def test_without_a_server(post, server):
    """Mail is optional: what is queued waits, and both the log and rosterctl say so."""
    warnings = len(post.service.messages("smtp_url is not set: mails wait in the database"))
    post.configure(smtp_url="")
    eventually(
        lambda: len(post.service.messages("smtp_url is not set: mails wait in the database")) > warnings,
        what="the warning",
    )
    to = post.add()
    listed = post.service.rosterctl("mail", "list")
    assert to in listed.stdout and "tries 0" in listed.stdout
    assert listed.stderr == "rosterctl: smtp_url is not set: no mail is delivered\n"
    assert post.service.rosterctl("mail", "list", "--failed").stdout == ""
    s = server()
    post.configure(s)
    assert len(post.delivered(s, to)) == 1
    assert post.service.rosterctl("mail", "list").stdout == ""


# --- rosterctl


def test_rosterctl_retry(post):
    ctl = post.service.rosterctl
    unknown = ctl("mail", "retry", "999999999", check=False)
    assert (unknown.returncode, unknown.stderr) == (3, "rosterctl: there is no mail 999999999\n")
    wrong = ctl("mail", "retry", "x", check=False)
    assert wrong.returncode == 2 and "neither a number from mail list nor all" in wrong.stderr
    assert ctl("mail", "retry", check=False).returncode == 2
    assert ctl("mail", "retry", "all").stdout == "Due now: 0.\n"


def test_rosterctl_lists(post):
    post.configure(smtp_url="")
    addresses = [post.add() for _ in range(3)]
    post.service.sql("UPDATE mail_outbox SET due = NULL, error = 'no' WHERE recipient = %s", addresses[1])
    lines = post.service.rosterctl("mail", "list").stdout.splitlines()
    pattern = r"\d+  20\S+Z  email_change {10}(\S+)  tries 0, (next 20\S+Z|given up: no)"
    found = [re.fullmatch(pattern, line).groups() for line in lines]
    assert [to for to, _ in found] == addresses
    assert [state == "given up: no" for _, state in found] == [False, True, False]
    (failed,) = post.service.rosterctl("mail", "list", "--failed").stdout.splitlines()
    assert addresses[1] in failed


def test_the_outbox_holds_no_secret(post):
    """What a mail says is sealed; and it goes with the user whom it is about."""
    post.configure(smtp_url="")
    service = post.service
    user = service.create()
    new = f"{unique('m')}@example.net"
    answer = service.staff.post(path_of(user, "change_email/"), json={"email": new})
    assert answer.status_code == 200
    rows = service.sql("SELECT sealed FROM mail_outbox WHERE recipient IN (%s, %s)", new, user["email"])
    assert len(rows) == 2
    for (sealed,) in rows:
        assert user["username"].encode() not in sealed and b"code" not in sealed
    assert service.staff.delete(path_of(user)).status_code == 204
    assert service.sql("SELECT id FROM mail_outbox WHERE recipient IN (%s, %s)", new, user["email"]) == ()


# --- what the mail says


def test_texts_of_the_operator(post, server, tmp_path):
    folder = tmp_path / "en"
    folder.mkdir()
    (folder / "email_change.subject").write_text("Kood: õige & vale\n")
    (folder / "email_change.txt").write_text("{{service}} {{homeport_url}}c/{{code}} {{nothing}}.\n")
    (folder / "email_change.html").write_text("<p>{{service}} {{username}} {{code}}</p>\n")
    s = server()
    post.configure(s, mail_templates=tmp_path, mail_from_name="Õige <b>&</b>")
    (mail,) = post.delivered(s, post.add())
    assert mail["Subject"] == "Kood: õige & vale"
    assert mail["From"] == '"Õige <b>&</b>" <roster@example.org>'
    plain, html = (part.get_content().replace("\r\n", "\n") for part in mail.iter_parts())
    assert re.fullmatch(r"Õige <b>&</b> https://portal\.example\.org/c/[0-9a-f]{32} \.\n", plain)
    username = post.service.client.user["username"]
    assert re.fullmatch(rf"<p>Õige &lt;b&gt;&amp;&lt;/b&gt; {username} [0-9a-f]{{32}}</p>\n", html)


def test_language_of_those_who_prefer_none(post, server):
    s = server()
    post.configure(s, mail_language="et")
    (mail,) = post.delivered(s, post.add())
    assert (mail["Content-Language"], mail["Subject"]) == ("et", "Kinnitage uus e-posti aadress.")


@pytest.mark.parametrize(
    "column, value, error",
    [
        ("recipient", "a@example.net>\r\nRCPT TO:<eve@example.com", "the recipient is not an address"),
        ("template", "no_such_mail", "there are no texts of this name"),
        ("sealed", b"\x01" + b"x" * 60, "the key that sealed it is not in the key file"),
    ],
)
def test_rows_that_cannot_be_sent(post, server, column, value, error):
    """They are given up, and hold up no other mail."""
    post.configure(smtp_url="")
    to = post.add()
    mail_id = post.row(to).id
    post.service.sql(f"UPDATE mail_outbox SET {column} = %s", value)
    s = server()
    post.configure(s)
    eventually(lambda: post.service.sql("SELECT error FROM mail_outbox")[0][0] == error, what="the error")
    assert post.service.sql("SELECT id, due FROM mail_outbox") == ((mail_id, None),)
    assert len(post.delivered(s, post.add())) == 1
    assert s.commands == ["MAIL", "RCPT", "DATA"]


@pytest.mark.parametrize(
    "line, problem",
    [
        ("smtp_url = http://localhost", "smtp_url: \"http://localhost\" is no such URL"),
        ("smtp_tls = maybe", "smtp_tls: \"maybe\" is not known; allowed: required, optional or off"),
        ("mail_from = nobody", "mail_from: \"nobody\" is no address; allowed: an address of at most 320 bytes, or nothing"),
        ("mail_from =", "smtp_url: mails have no sender without mail_from"),
        ("homeport_url =", "no links without homeport_url"),
        ("homeport_url = portal.example.org", "is no such URL"),
        ("smtp_ca_file = ca.pem", "is not an absolute path"),
    ],
)
def test_faulty_options(post, line, problem):
    lines = {
        "smtp_url": "smtp_url = smtp://localhost",
        "mail_from": "mail_from = a@example.org",
        "homeport_url": "homeport_url = https://portal.example.org",
    }
    lines[line.split(" ")[0]] = line
    file = post.service.state / "faulty.conf"
    file.write_text("\n".join(lines.values()) + "\n")
    done = post.service.rosterctl("--config", file, "mail", "list", check=False)
    assert done.returncode == 1 and problem in done.stderr.replace('\\"', '"')
