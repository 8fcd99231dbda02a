"""FastCGI as nginx speaks it, for tests that talk to one worker directly."""

import json
import socket
import struct

BEGIN, END, PARAMS, STDIN, STDOUT = 1, 3, 4, 5, 6
RESPONDER, KEEP = 1, 1


class Answer:
    def __init__(self, raw):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        self.headers = dict(line.split(": ", 1) for line in lines)
        self.status = int(self.headers["Status"].split()[0])

    def json(self):
        return json.loads(self.body)


class Connection:
    """A connection to a worker's socket that carries one request after another."""

    def __init__(self, path, seconds=30):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(seconds)
        self.socket.connect(str(path))
        self.buffer = b""

    def close(self):
        self.socket.close()

    def send(self, method, path, body=None, token=None):
        """Sends a request and does not wait for the answer."""
        self.socket.sendall(request(method, path, body, token))

    def receive(self):
        """The next answer; None when the worker has closed the connection before its end."""
        output = b""
        while record := self.record():
            kind, content = record
            if kind == STDOUT:
                output += content
            elif kind == END:
                return Answer(output)
        return None

    def ask(self, *words, **options):
        self.send(*words, **options)
        return self.receive()

    def record(self):
        header = self.read(8)
        if header is None:
            return None
        _, kind, _, length, padding, _ = struct.unpack("!BBHHBB", header)
        content = self.read(length + padding)
        return None if content is None else (kind, content[:length])

    def read(self, n):
        while len(self.buffer) < n:
            try:
                part = self.socket.recv(65536)
            except ConnectionResetError:
                part = b""
            if not part:
                return None
            self.buffer += part
        taken, self.buffer = self.buffer[:n], self.buffer[n:]
        return taken


def request(method, path, body=None, token=None):
    """The bytes of a request; body is what JSON is made of."""
    data = b"" if body is None else json.dumps(body).encode()
    path, _, query = path.partition("?")
    params = {
        "REQUEST_METHOD": method,
        "REQUEST_SCHEME": "http",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(data)) if body is not None else "",
        "CONTENT_TYPE": "application/json" if body is not None else "",
    }
    if token is not None:
        params["HTTP_AUTHORIZATION"] = f"Token {token}"
    return (
        record_bytes(BEGIN, struct.pack("!HB5x", RESPONDER, KEEP))
        + stream_bytes(PARAMS, b"".join(map(pair_bytes, params, params.values())))
        + stream_bytes(STDIN, data)
    )


def record_bytes(kind, content):
    return struct.pack("!BBHHBB", 1, kind, 1, len(content), 0, 0) + content


def stream_bytes(kind, data):
    """The data in records, and the empty one that ends them."""
    parts = [data[i : i + 65535] for i in range(0, len(data), 65535)]
    return b"".join(record_bytes(kind, part) for part in [*parts, b""])


def pair_bytes(name, value):
    return b"".join(map(length_bytes, (name, value))) + name.encode() + value.encode()


def length_bytes(text):
    n = len(text.encode())
    return struct.pack("!B", n) if n < 128 else struct.pack("!I", n | 1 << 31)


def socket_of(daemon, lane, index):
    """The path of a worker's socket."""
    return daemon.state / "run" / lane / f"{index}.sock"


def worker_at(daemon, lane, index):
    """The process that answers at a socket."""
    connection = Connection(socket_of(daemon, lane, index))
    answer = connection.ask("GET", "/api/nothing/")
    connection.close()
    assert answer.status == 404
    return daemon.request_line(answer.headers["X-Request-ID"])["pid"]
