"""Requests byte by byte, for what no client library would send, and their answers taken apart."""

import io
import json
import socket
from http.client import HTTPResponse


class Answer:
    """One answer: status, reason, headers, content."""

    def __init__(self, stream, method="GET"):
        response = HTTPResponse(_Stream(stream), method=method)
        response.begin()
        self.status_code = response.status
        self.reason = response.reason
        self.headers = response.headers
        self.content = response.read()

    def json(self):
        return json.loads(self.content)


class _Stream:
    """What HTTPResponse wants of a socket. It closes what it gets; the stream stays open."""

    def __init__(self, stream):
        self.stream = stream

    def makefile(self, mode):
        return _Unclosed(self.stream)


class _Unclosed(io.BufferedReader):
    def __init__(self, stream):
        super().__init__(io.BytesIO())
        self.stream = stream

    def read(self, n=-1):
        return self.stream.read(n)

    def readinto(self, b):
        return self.stream.readinto(b)

    def readline(self, limit=-1):
        return self.stream.readline(limit)

    def close(self):
        pass


class Connection:
    """A connection to nginx that carries any bytes."""

    def __init__(self, service, seconds=20):
        self.socket = socket.create_connection(("127.0.0.1", service.port), timeout=seconds)
        self.stream = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def send_end(self):
        self.socket.shutdown(socket.SHUT_WR)

    def answer(self, method="GET"):
        return Answer(self.stream, method)

    def rest(self):
        """What comes until the other side closes."""
        try:
            return self.stream.read()
        except ConnectionResetError:
            return b""


def request_bytes(method, path, headers=(), body=b"", token=None):
    """A request with Host, Content-Length when there is a body, and what else is wanted."""
    names = {name.lower() for name, _ in headers}
    lines = [f"{method} {path} HTTP/1.1"]
    if "host" not in names:
        lines.append("Host: localhost")
    if token is not None:
        lines.append(f"Authorization: Token {token}")
    lines += [f"{name}: {value}" for name, value in headers]
    if body and not names & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def exchange(service, data, method="GET", seconds=20):
    """The answer to what may be anything but a keep-alive."""
    with Connection(service, seconds) as connection:
        connection.send(data)
        return connection.answer(method)
