"""contrib/roster-authorized-keys, and a real sshd that asks roster by it whom to let in."""

import getpass
import os
import shutil
import socket
import subprocess
import threading

import pytest
from service import TOP, eventually, free_port, unique
from sshkeys import TYPES, ed25519, make_pair

SCRIPT = TOP / "contrib" / "roster-authorized-keys"
LOGIN = getpass.getuser()


def write_token(path, token, mode=0o600):
    path.write_text(token + "\n")
    path.chmod(mode)
    return path


def run_script(*words, **options):
    return subprocess.run(
        ["/bin/sh", SCRIPT, *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, **options)


class Door:
    """sshd on a port of its own, with the rights of whoever runs the test; it lets in only that account."""

    def __init__(self, folder, url, token_file):
        self.port = free_port()
        self.host_key, public = make_pair(folder, "-t", "ed25519")
        self.known = folder / "known_hosts"
        self.known.write_text(f"[127.0.0.1]:{self.port} {public}\n")
        self.log = folder / "sshd.log"
        config = folder / "sshd_config"
        # By /bin/sh: sshd itself runs only what no one but root could have changed, and a checkout may lie
        # anywhere. 0: root may be who runs the test.
        config.write_text(
            f"""
            ListenAddress 127.0.0.1
            Port {self.port}
            HostKey {self.host_key}
            PidFile none
            UsePAM no
            StrictModes no
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            PermitRootLogin prohibit-password
            AuthorizedKeysFile none
            AuthorizedKeysCommand /bin/sh {SCRIPT} -m 0 {url} {token_file} %u
            AuthorizedKeysCommandUser {LOGIN}
            LogLevel VERBOSE
            """
        )
        if os.getuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        self.process = subprocess.Popen(
            ["/usr/sbin/sshd", "-D", "-f", config, "-E", self.log], stdin=subprocess.DEVNULL)
        eventually(self.answers, what="sshd")

    def answers(self):
        assert self.process.poll() is None, self.log.read_text()
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def let_in(self, key):
        """Does it let the holder of the private key run a command?"""
        done = subprocess.run(
            ["ssh", "-F", "none", "-i", key, "-p", str(self.port), "-o", "BatchMode=yes",
             "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "StrictHostKeyChecking=yes",
             "-o", f"UserKnownHostsFile={self.known}", f"{LOGIN}@127.0.0.1", "echo let-in"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        entered = "let-in" in done.stdout.split()
        assert entered or "Permission denied (publickey)" in done.stderr, done.stderr + self.log.read_text()
        return entered

    def close(self):
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture
def token_file(support, tmp_path):
    return write_token(tmp_path / "token", support.token)


@pytest.fixture
def owner(service):
    """An account named like whoever runs the test; sshd can let in nobody else."""
    client = service.account(LOGIN)
    yield client
    assert service.staff.delete(f"/api/users/{client.user['uuid']}/").status_code == 204


@pytest.fixture
def door(service, token_file, tmp_path):
    sshd = Door(tmp_path, service.url, token_file)
    yield sshd
    sshd.close()


def add(client, line):
    answer = client.post("/api/keys/", json={"name": unique("key"), "public_key": line})
    assert answer.status_code == 201, answer.text
    return answer.json()


# --- sshd


def test_sshd_lets_the_holder_of_a_key_in(service, staff, door, owner, tmp_path):
    pairs = {kind: make_pair(tmp_path, *TYPES[kind]) for kind in ("ed25519", "rsa-2048", "ecdsa-256")}
    stranger = make_pair(tmp_path, "-t", "ed25519")[0]
    keys = {kind: add(owner, line) for kind, (_, line) in pairs.items()}
    assert all(door.let_in(private) for private, _ in pairs.values())
    assert not door.let_in(stranger)

    # A key that is deleted opens nothing any more, the others do.
    assert owner.delete(keys["ed25519"]["url"]).status_code == 204
    assert not door.let_in(pairs["ed25519"][0])
    assert door.let_in(pairs["rsa-2048"][0])

    # Nor does one of a user who is deactivated, until he is back.
    path = f"/api/users/{owner.user['uuid']}/"
    assert staff.patch(path, json={"is_active": False}).status_code == 200
    assert not door.let_in(pairs["rsa-2048"][0])
    assert staff.patch(path, json={"is_active": True}).status_code == 200
    assert door.let_in(pairs["rsa-2048"][0])


def test_sshd_lets_nobody_in_when_roster_refuses(service, door, owner, token_file, tmp_path):
    private, line = make_pair(tmp_path, "-t", "ed25519")
    add(owner, line)
    assert door.let_in(private)
    token_file.chmod(0o644)
    assert not door.let_in(private)
    write_token(token_file, "0" * 40)
    assert not door.let_in(private)
    write_token(token_file, owner.token)
    assert not door.let_in(private)


# --- the script alone


def test_it_prints_what_roster_answers(service, support, owner, token_file):
    path = f"/api/keys/authorized/{LOGIN}"
    assert run_script("-m", 0, service.url, token_file, LOGIN).stdout == ""
    keys = [add(owner, ed25519(comment)) for comment in ("a", "b c")]
    done = run_script("-m", 0, service.url + "/", token_file, LOGIN)
    assert (done.returncode, done.stdout, done.stderr) == (0, support.get(path).text, "")
    assert [line.split()[2] for line in done.stdout.splitlines()] == [key["uuid"] for key in keys]


def test_no_keys_for_accounts_of_the_system(service, owner, token_file):
    """Whatever roster says of them; without an error, since sshd asks at each attempt."""
    add(owner, ed25519())
    done = run_script("-m", os.getuid() + 1, service.url, token_file, LOGIN)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = run_script(service.url, token_file, "daemon")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def refused(*words, **options):
    done = run_script(*words, **options)
    assert done.returncode == 1 and done.stdout == ""
    # Above it may be what curl says.
    name, _, reason = done.stderr.splitlines()[-1].partition(": ")
    assert name == "roster-authorized-keys"
    return reason


@pytest.mark.parametrize("username", [
    "", ".", "..", "../users", "-h", "--help", "a b", "a/b", "a?b", "a#b", "a%2fb", "Root", "é", "a\nb", "a;b", "$(id)",
    "a" * 129, ".hidden", "*",
])
def test_odd_usernames(service, token_file, username):
    assert refused("-m", 0, service.url, token_file, username).startswith("refused: ")


def test_unknown_accounts(service, token_file):
    assert refused(service.url, token_file, unique("x")).endswith("is no account of this host")


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o601, 0o620, 0o660, 0o644, 0o666, 0o777, 0o700])
def test_token_files_that_others_can_read_or_write(service, owner, token_file, mode):
    add(owner, ed25519())
    token_file.chmod(mode)
    assert "must be readable by its owner and group only" in refused("-m", 0, service.url, token_file, LOGIN)


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o440, 0o640])
def test_token_files_that_are_good(service, owner, token_file, mode):
    add(owner, ed25519())
    token_file.chmod(mode)
    assert run_script("-m", 0, service.url, token_file, LOGIN).stdout.startswith("ssh-ed25519 ")


@pytest.mark.parametrize("content", ["", "\n", "x", "0" * 39, "0" * 41, "0" * 39 + "g", "0" * 40 + '"', " " + "0" * 40])
def test_files_without_a_token(service, tmp_path, content):
    path = tmp_path / "token"
    path.write_text(content)
    path.chmod(0o600)
    refused("-m", 0, service.url, path, LOGIN)
    refused("-m", 0, service.url, tmp_path / "missing", LOGIN)
    refused("-m", 0, service.url, tmp_path, LOGIN)


@pytest.mark.parametrize("url", [
    "", "roster.example.org", "http://roster.example.org", "http://127.0.0.1.example.org", "http://127.0.0.1@example.org",
    "ftp://127.0.0.1", "file:///etc/passwd", "https://", "https://a b", "https://example.org/?x=", "http://localhost.evil",
])
def test_urls_that_tell_the_token_to_others(token_file, url):
    refused("-m", 0, url, token_file, LOGIN)


@pytest.mark.parametrize("words", [[], ["a"], ["a", "b"], ["a", "b", "c", "d"], ["-m", "x", "a", "b", "c"],
                                   ["-t", "0", "a", "b", "c"], ["-m", "", "a", "b", "c"]])
def test_wrong_usage(words):
    refused(*words)


def test_unknown_options():
    assert run_script("-x", "a", "b", "c").returncode != 0


def test_the_token_is_in_no_argument(service, token_file, tmp_path):
    """curl, as others on the host would see it."""
    seen = tmp_path / "arguments"
    folder = tmp_path / "bin"
    folder.mkdir()
    script = tmp_path / "script"
    script.write_text(SCRIPT.read_text().replace("PATH=/usr/sbin", f"PATH={folder}:/usr/sbin"))
    fake = folder / "curl"
    fake.write_text(f'#!/bin/sh\necho "$@" >{seen}\nexec {shutil.which("curl")} "$@"\n')
    fake.chmod(0o755)
    done = subprocess.run(["/bin/sh", script, "-m", "0", service.url, token_file, LOGIN], stdout=subprocess.PIPE)
    assert done.returncode == 0
    assert token_file.read_text().strip() not in seen.read_text()


# --- servers that are not roster, or not well


class Server:
    """Answers each request with the same bytes, and then nothing more."""

    def __init__(self, data, keep_open=False):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.data, self.keep_open, self.open = data, keep_open, []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.recv(65536)
            connection.sendall(self.data)
            if self.keep_open:
                self.open.append(connection)
            else:
                connection.close()

    def close(self):
        self.listener.close()
        for connection in self.open:
            connection.close()


LINE = "ssh-ed25519 AAAA x\n"


def answer(status="200 OK", kind="text/plain; charset=utf-8", length=None, body=LINE, extra=""):
    length = len(body) if length is None else length
    return (f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{extra}"
            f"Connection: close\r\n\r\n{body}").encode()


@pytest.mark.parametrize("data", [
    b"",
    answer(length=1000),
    answer(status="500 Internal Server Error"),
    answer(status="401 Unauthorized"),
    answer(status="301 Moved Permanently", extra="Location: http://127.0.0.1:1/\r\n"),
    answer(status="204 No Content", body=""),
    answer(kind="text/html"),
    answer(kind="application/json"),
    answer(length=1 << 30),
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n13\r\n" + LINE.encode() + b"\r\n",
    b"SSH-2.0-OpenSSH\r\n",
], ids=range(11))
def test_answers_that_are_not_whole_or_not_rosters(token_file, data):
    server = Server(data)
    refused("-m", 0, server.url, token_file, LOGIN)
    server.close()


def test_a_server_that_hangs(token_file):
    server = Server(answer(length=1000), keep_open=True)
    refused("-m", 0, "-t", 1, server.url, token_file, LOGIN)
    server.close()


def test_no_server(token_file):
    refused("-m", 0, f"http://127.0.0.1:{free_port()}", token_file, LOGIN)


def test_a_whole_answer(token_file):
    server = Server(answer(body=LINE + LINE))
    assert run_script("-m", 0, server.url, token_file, LOGIN).stdout == LINE + LINE
    server.close()
