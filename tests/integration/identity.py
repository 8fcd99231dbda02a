"""What the tests of identity providers share."""

import base64
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote

from service import unique

PROVIDERS = "/api/identity-providers/"


def provider_body(**fields):
    """The body of a create that succeeds."""
    return {"name": unique("idp"), **fields}


def belongs_to(service, user, method, source=""):
    """Makes a user one whom an identity provider has brought."""
    service.sql(
        "UPDATE users SET registration_method = %s, identity_source = %s WHERE username = %s",
        method, source, user["username"],
    )


class Remote:
    """
    The service of an identity provider: /token gives access tokens for the refresh token and /userinfo/NAME says what
    .users holds. A test replaces .on_token and .on_userinfo by faults; each takes the request handler.
    """

    def __init__(self, certificate=None):
        self.users, self.tokens, self.requests = {}, [], []
        self.refresh = "rt-0"
        self.lifetime, self.rotate = 3600, False
        self.on_token = self.on_userinfo = None
        self.lock = threading.Lock()
        remote = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or the body waits for the acknowledgement of the head: 40 ms

            def do_POST(self):
                remote.serve(self, remote.on_token or remote.token)

            def do_GET(self):
                remote.serve(self, remote.on_userinfo or remote.userinfo)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.scheme = "https" if certificate else "http"
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def url(self, path):
        return f"{self.scheme}://localhost:{self.port}{path}"

    def settings(self, **fields):
        return {
            "name": "eduteams", "label": "eduTEAMS", "token_url": self.url("/token"),
            "userinfo_url": self.url("/userinfo"), "client_id": "roster", "client_secret": "open sesame",
            "refresh_token": self.refresh, "allow_internal": True, **fields,
        }

    def serve(self, handler, what):
        handler.body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0)).decode()
        with self.lock:
            self.requests.append((handler.command, handler.path, dict(handler.headers), handler.body,
                                  handler.client_address))
        try:
            what(handler)
        except (OSError, ssl.SSLError):
            handler.close_connection = True  # the client has had enough

    def asked(self, path):
        return [request for request in self.requests if request[1].startswith(path)]

    @staticmethod
    def answer(handler, status, body, headers=()):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": len(body), **dict(headers)}.items():
            handler.send_header(name, str(value))
        handler.end_headers()
        handler.wfile.write(body)

    def token(self, handler):
        form = {name: values[0] for name, values in parse_qs(handler.body).items()}
        expected = {"grant_type": "refresh_token", "refresh_token": self.refresh, "scope": "openid"}
        basic = "Basic " + base64.b64encode(b"roster:open sesame").decode()
        if form != expected or handler.headers["Authorization"] != basic:
            self.answer(handler, 400, {"error": "invalid_grant"})
            return
        with self.lock:
            self.tokens.append(f"at-{len(self.tokens)}")
            body = {"access_token": self.tokens[-1], "token_type": "bearer", "expires_in": self.lifetime}
            if self.rotate:
                self.refresh = body["refresh_token"] = f"rt-{len(self.tokens)}"
        self.answer(handler, 200, body)

    def userinfo(self, handler):
        if not self.tokens or handler.headers["Authorization"] != f"Bearer {self.tokens[-1]}":
            self.answer(handler, 401, {"error": "invalid_token"})
            return
        user = self.users.get(unquote(handler.path.removeprefix("/userinfo/")))
        self.answer(handler, 404 if user is None else 200, user or {})


class Watched(Remote):
    """Notes which identifiers are asked for, in order, and how many at a time; .gate holds the answers back."""

    def __init__(self):
        super().__init__()
        self.order, self.now, self.most, self.twice = [], [], 0, []
        self.gate = threading.Event()
        self.gate.set()
        self.answers = {}  # status and body by identifier, instead of what .users has
        self.on_userinfo = self.watch

    def watch(self, handler):
        name = unquote(handler.path.removeprefix("/userinfo/"))
        with self.lock:
            if name in self.now:
                self.twice.append(name)
            self.order.append(name)
            self.now.append(name)
            self.most = max(self.most, len(self.now))
        self.gate.wait(20)
        with self.lock:
            self.now.remove(name)
        if name in self.answers:
            self.answer(handler, *self.answers[name])
        else:
            self.userinfo(handler)
