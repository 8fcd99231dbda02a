"""HTTP around the resources: routes and methods, order of the checks, odd requests, what every answer has."""

import json
import os
import random
import re
import signal
import string

import pytest
from identity import PROVIDERS, provider_body
from service import TOP, Client, eventually, raw_request, unique
from users import FORBIDDEN, NO_CREDENTIALS, UNKNOWN, status_and_json
from wire import Connection, exchange, request_bytes

JSON = "application/json"
USERS = "/api/users/"
ME = "/api/users/me/"
VERSION = "/api/version/"
LOGIN = "/api-auth/password/"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
ONE = "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"
LIST = "GET, HEAD, POST, OPTIONS"
READ = "GET, HEAD, OPTIONS"
POST = "POST, OPTIONS"

# Every path and its methods.
ROUTES = {
    "/api-auth/logout/": POST,
    "/api-auth/password/": POST,
    "/api/auth-tokens/": READ,
    "/api/auth-tokens/{user}/": "GET, HEAD, DELETE, OPTIONS",
    "/api/customers/": LIST,
    "/api/customers/{uuid}/": ONE,
    "/api/customers/{uuid}/add_user/": POST,
    "/api/customers/{uuid}/delete_user/": POST,
    "/api/customers/{uuid}/list_users/": READ,
    "/api/customers/{uuid}/update_user/": POST,
    "/api/customers/{uuid}/users/": READ,
    "/api/customers/{uuid}/who_can/": READ,
    "/api/events/": READ,
    "/api/events/{uuid}/": READ,
    "/api/identity-providers/": LIST,
    "/api/identity-providers/{uuid}/": ONE,
    "/api/keys/": LIST,
    "/api/keys/authorized/{username}": READ,
    "/api/keys/authorized/{username}/": READ,
    "/api/keys/{uuid}/": "GET, HEAD, DELETE, OPTIONS",
    "/api/media/{uuid}/": READ,
    "/api/projects/": LIST,
    "/api/projects/{uuid}/": ONE,
    "/api/projects/{uuid}/add_user/": POST,
    "/api/projects/{uuid}/delete_user/": POST,
    "/api/projects/{uuid}/list_users/": READ,
    "/api/projects/{uuid}/update_user/": POST,
    "/api/projects/{uuid}/who_can/": READ,
    "/api/remote-eduteams/": POST,
    "/api/roles/": LIST,
    "/api/roles/{uuid}/": ONE,
    "/api/roles/{uuid}/disable/": POST,
    "/api/roles/{uuid}/enable/": POST,
    "/api/schema/": READ,
    "/api/user-agreements/": LIST,
    "/api/user-agreements/{uuid}/": ONE,
    "/api/user-permissions/": READ,
    "/api/user-permissions/{uuid}/": READ,
    "/api/users/": LIST,
    "/api/users/confirm_email/": POST,
    "/api/users/me/": READ,
    "/api/users/{uuid}/": ONE,
    "/api/users/{uuid}/access/": READ,
    "/api/users/{uuid}/cancel_change_email/": POST,
    "/api/users/{uuid}/change_email/": POST,
    "/api/users/{uuid}/change_password/": POST,
    "/api/users/{uuid}/pull_remote_user/": POST,
    "/api/users/{uuid}/refresh_token/": POST,
    "/api/users/{uuid}/token/": READ,
    "/api/version/": READ,
    "/health/live": READ,
    "/health/ready": READ,
    "/metrics": READ,
}

# Whoever has no token may ask these.
OPEN = {
    "/api-auth/password/",
    "/api/media/{uuid}/",
    "/api/roles/",
    "/api/roles/{uuid}/",
    "/api/schema/",
    "/api/users/confirm_email/",
    "/health/live",
    "/health/ready",
    "/metrics",
}

# And these do not even look at a token.
BLIND = OPEN - {"/api/roles/", "/api/roles/{uuid}/", "/api/users/confirm_email/"}


PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43


def source_routes():
    """Pattern and method of each row in the tables of routes."""
    for path in (TOP / "src").glob("*/*.c"):
        source = path.read_text()
        macros = dict(re.findall(r'^#define (\w+) "(/[^"]+)"$', source, re.M))
        row = r'\.method = METHOD_(\w+), \.pattern = (\w+)?\s*(?:"([^"]*)")?'
        for method, macro, literal in re.findall(row, source):
            yield macros.get(macro, "") + literal, method


def test_the_table_above_is_complete():
    rows = {}
    for pattern, method in source_routes():
        rows.setdefault(pattern, {"OPTIONS"}).update([method] + ["HEAD"] * (method == "GET"))
    assert {pattern: ", ".join(m for m in METHODS if m in rows[pattern]) for pattern in rows} == ROUTES


@pytest.fixture(scope="module")
def things(service):
    return make_things(service)


def make_things(service):
    """An object of each kind, to be left alone: the place of {uuid} in a pattern, by its first words."""
    staff = service.staff
    user = service.account(is_staff=True).user
    customer = staff.post("/api/customers/", json={"name": unique("c")}).json()
    project = {"name": unique("p"), "customer": customer["url"]}
    grant = {"role": "CUSTOMER.OWNER", "user": user["uuid"]}
    staff.post(f"/api/customers/{customer['uuid']}/add_user/", json=grant)
    role = {"name": unique("R"), "content_type": "customer", "permissions": []}
    ((permission,),) = service.sql("SELECT LOWER(HEX(uuid)) FROM role_grants ORDER BY id DESC LIMIT 1")
    ((numeric,),) = service.sql("SELECT id FROM users WHERE username = %s", user["username"])
    agreements = staff.get("/api/user-agreements/").json() or [
        staff.post("/api/user-agreements/", json={"agreement_type": "PP", "content": "x"}).json()
    ]
    key = service.account().post("/api/keys/", json={"name": "k", "public_key": PUBLIC_KEY}).json()
    return {
        "auth-tokens": str(numeric),
        "customers": customer["uuid"],
        "events": staff.get("/api/events/").json()[0]["uuid"],
        "identity-providers": staff.post(PROVIDERS, json=provider_body()).json()["uuid"],
        "keys": key["uuid"],
        "media": UNKNOWN,
        "projects": staff.post("/api/projects/", json=project).json()["uuid"],
        "roles": staff.post("/api/roles/", json=role).json()["uuid"],
        "user-agreements": agreements[0]["uuid"],
        "user-permissions": permission,
        "users": user["uuid"],
    }


def fill(pattern, things):
    pattern = pattern.replace("{username}", "staff")
    kind = pattern.split("/")[2] if pattern.count("/") > 2 else ""
    return re.sub(r"\{\w+\}", lambda _: things[kind], pattern)


# --- routes and methods


def test_options(nobody, things):
    for pattern, allowed in ROUTES.items():
        for headers in ({}, {"Access-Control-Request-Method": "PUT"}, {"Authorization": "Token x"}):
            answer = nobody.options(fill(pattern, things), headers=headers)
            assert (answer.status_code, answer.content) == (200, b"")
            assert answer.headers["Allow"] == allowed
            assert answer.headers["Content-Length"] == "0"
            assert "Content-Type" not in answer.headers


def test_methods_that_a_path_does_not_have(staff, things):
    for pattern, allowed in ROUTES.items():
        path = fill(pattern, things)
        for method in (*METHODS, "BREW", "PROPFIND"):
            if method in allowed.split(", "):
                continue
            answer = staff.request(method, path)
            assert answer.status_code == 405, (method, path)
            assert answer.headers["Allow"] == allowed
            if method != "HEAD":
                assert answer.json() == {"detail": f'Method "{method}" not allowed.'}


def test_head_is_get_without_its_body(staff, things):
    # Other tests make objects meanwhile: a list's count and last page are not the same for long. And the last of a
    # connection's thousand requests closes it.
    changing = {"Connection", "Date", "X-Request-ID", "Content-Type", "Content-Length", "ETag"}
    changing |= {"X-Result-Count", "Link", "Transfer-Encoding"}
    for pattern, allowed in ROUTES.items():
        if "HEAD" not in allowed:
            continue
        path = fill(pattern, things)
        get, head = staff.get(path), staff.head(path)
        assert (head.status_code, head.content) == (get.status_code, b""), path
        unlike = {k for k in {*get.headers, *head.headers} if get.headers.get(k) != head.headers.get(k)}
        assert unlike <= changing, path
        if "X-Result-Count" in get.headers:
            assert {"X-Result-Count", "Link"} <= set(head.headers), path
            assert "Content-Type" not in head.headers
            assert head.headers.get("Content-Length", "0") == "0"


def test_a_missing_slash(service, staff, nobody, things):
    for pattern in ROUTES:
        if not pattern.endswith("/") or pattern[:-1] in ROUTES:
            continue
        path = fill(pattern, things)
        for client in (staff, nobody):
            for query in ("", "?a=%20b&c=/"):
                answer = client.get(path[:-1] + query)
                assert (answer.status_code, answer.content) == (301, b"")
                assert answer.headers["Location"] == service.url + path + query
                assert client.head(path[:-1]).status_code == 301
            # Nothing that changes anything is sent elsewhere.
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                assert status_and_json(client.request(method, path[:-1])) == (
                    404,
                    {"detail": "Not found."},
                )


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/x",
        "/api",
        "/api/",
        "/api//users/",
        "//api/users/",
        "/api/users//",
        "/api/users/me//",
        "/api/users/me/x/",
        "/api/users/{uuid}/confirm_email/",
        "/api/Users/",
        "/API/users/",
        "/api/users/ME/",
        "/api/users/me/%2F",
        "/api/users%2F",
        "/api/users/..%2F..%2Fetc%2Fpasswd",
        "/api/users/%2e%2e/%2e%2e/etc/passwd",
        "/api/none/",
        "/api/users/me/?/",
        "/api-auth/",
        "/health/",
        "/health/live/",
        "/.roster-error",
        "/.roster-problem",
        "/favicon.ico",
        "/api/users/%F0%9F%91%BB/",
        "/api/users/me;x=1/",
        "/api/users/me/.",
        "/api/users/x/../me/",
    ],
)
def test_other_paths(service, staff, things, path):
    path = path.replace("{uuid}", things["users"])
    answer = exchange(service, request_bytes("GET", path, token=staff.token))
    if path in ("/api/users/me/?/", "/api/users/me/.", "/api/users/x/../me/"):
        assert answer.status_code == 200  # RFC 3986: these are /api/users/me/
    elif path in ("/api/users%2F",):
        assert answer.status_code == 200  # decoded once, as all of the path is
    else:
        assert status_and_json(answer) == (404, {"detail": "Not found."})
        assert answer.headers["Content-Type"] == JSON


# --- order of the checks


def test_authentication_then_permission_then_method(staff, nobody, regular, things):
    other = f"/api/users/{things['users']}/"
    own = f"/api/users/{regular.user['uuid']}/"
    not_allowed = {"detail": 'Method "PUT" not allowed.'}
    for path, by_regular in (
        (USERS, (403, FORBIDDEN)),
        ("/api/customers/", (403, FORBIDDEN)),
        ("/api/auth-tokens/", (403, FORBIDDEN)),
        ("/api/user-agreements/", (403, FORBIDDEN)),
        (other + "change_password/", (404, None)),
        (own + "change_email/", (405, not_allowed)),
        (own + "token/", (403, FORBIDDEN)),
        (own + "refresh_token/", (403, FORBIDDEN)),
        ("/api/version/", (405, not_allowed)),
    ):
        answer = nobody.put(path)
        assert status_and_json(answer) == (401, NO_CREDENTIALS), path
        assert answer.headers["WWW-Authenticate"] == "Token"
        answer = regular.put(path)
        assert answer.status_code == by_regular[0], path
        assert by_regular[1] is None or answer.json() == by_regular[1]
        assert status_and_json(staff.put(path)) == (405, not_allowed), path
    # Who only asks what is there needs no right to be told that there is nothing to read.
    for path in (own + "refresh_token/", f"/api/roles/{UNKNOWN}/enable/"):
        assert status_and_json(nobody.get(path)) == (401, NO_CREDENTIALS), path
        assert status_and_json(regular.get(path)) == (405, {"detail": 'Method "GET" not allowed.'}), path
        assert status_and_json(regular.post(path)) == (403, FORBIDDEN), path
    # Then the answer's kind, then the body's.
    html = {"Accept": "text/html", "Content-Type": "text/plain"}
    assert nobody.post(USERS, data="x", headers=html).status_code == 401
    assert regular.post(USERS, data="x", headers=html).status_code == 403
    assert staff.put(USERS, data="x", headers=html).status_code == 405
    assert staff.post(USERS, data="x", headers=html).status_code == 406
    assert staff.post(USERS, data="x", headers={"Content-Type": "text/plain"}).status_code == 415


def test_whoever_has_no_token(nobody, things):
    for pattern, allowed in ROUTES.items():
        for method in (*METHODS[:-1], "BREW"):
            answer = nobody.request(method, fill(pattern, things))
            if pattern not in OPEN:
                assert answer.status_code == 401, (method, pattern)
                assert answer.headers["WWW-Authenticate"] == "Token"
            elif method not in allowed.split(", "):
                assert answer.status_code == 405, (method, pattern)
            elif method in ("GET", "HEAD"):
                assert answer.status_code == (404 if "media" in pattern else 200), (method, pattern)


def test_a_bad_token_is_looked_at_first(nobody, things):
    bad = {"Authorization": "Token " + "0" * 40}
    for pattern in sorted(ROUTES.keys() - BLIND):
        for method in ("GET", "POST", "BREW"):
            answer = nobody.request(method, fill(pattern, things), headers=bad)
            assert status_and_json(answer) == (401, {"detail": "Invalid token."}), (method, pattern)
    for pattern in sorted(BLIND):
        assert nobody.get(fill(pattern, things), headers=bad).status_code in (200, 404, 405)


# --- what nginx answers by itself


def is_nginx_error(answer, status, detail):
    assert (answer.status_code, answer.json()) == (status, {"detail": detail})
    assert answer.headers["Content-Type"] == JSON
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-ID"])


BAD_REQUEST = (400, "The request could not be understood.")
HEADERS_TOO_LARGE = (431, "The request's headers are too large.")
NO_METHOD = (405, 'Method "TRACE" not allowed.')
NOT_SUPPORTED = (501, "The request uses a part of HTTP that is not supported.")


@pytest.mark.parametrize(
    "data, expected",
    [
        (b"get /api/users/ HTTP/1.1\r\nHost: x\r\n\r\n", BAD_REQUEST),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", BAD_REQUEST),
        (b"GET api/users/ HTTP/1.1\r\nHost: x\r\n\r\n", BAD_REQUEST),
        (b"GET /api/users/%zz HTTP/1.1\r\nHost: x\r\n\r\n", BAD_REQUEST),
        (b"GET /api/users/%00/ HTTP/1.1\r\nHost: x\r\n\r\n", BAD_REQUEST),
        (b"GET /api/../../x HTTP/1.1\r\nHost: x\r\n\r\n", BAD_REQUEST),
        (b"GET /api/users/\0 HTTP/1.1\r\nHost: x\r\n\r\n", BAD_REQUEST),
        (b"GET /api/users/ HTTP/1.1\r\n\r\n", BAD_REQUEST),
        (b"GET /api/users/ HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", BAD_REQUEST),
        (b"GET /api/users/ HTTP/1.1\r\nHost: a b\r\n\r\n", BAD_REQUEST),
        (b"GET /api/users/ HTTP/1.1\r\nHost: x\r\nX\0: y\r\n\r\n", BAD_REQUEST),
        (b"GET /api/users/ HTTP/1.1\r\nHost: x\r\nX y: z\r\n\r\n", BAD_REQUEST),
        (b"GET /api/users/ XTTP/1.1\r\nHost: x\r\n\r\n", BAD_REQUEST),
        (b"POST /api/users/ HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", BAD_REQUEST),
        (b"POST /api/users/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\n", BAD_REQUEST),
        (
            b"POST /api/users/ HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
            BAD_REQUEST,
        ),
        (
            b"POST /api/users/ HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            BAD_REQUEST,
        ),
        (
            b"POST /api/users/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
            NOT_SUPPORTED,
        ),
        (b"TRACE /api/users/ HTTP/1.1\r\nHost: x\r\n\r\n", NO_METHOD),
        (b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", BAD_REQUEST),
        (b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n", (404, "Not found.")),
        (
            b"GET /api/users/?" + b"x" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
            (414, "The request's address is too long."),
        ),
        (
            b"GET /api/users/ HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 9000 + b"\r\n\r\n",
            HEADERS_TOO_LARGE,
        ),
        (
            b"GET /api/users/ HTTP/1.1\r\nHost: x\r\n" + b"X: y%b\r\n" % (b"y" * 1000) * 40 + b"\r\n",
            HEADERS_TOO_LARGE,
        ),
        (
            b"GET /api/users/ HTTP/7.0\r\nHost: x\r\n\r\n",
            (505, "This version of HTTP is not supported."),
        ),
    ],
)
def test_requests_that_nginx_refuses(service, data, expected):
    is_nginx_error(exchange(service, data), *expected)


@pytest.mark.parametrize("line, status, title, detail", [
    ("TRACE /api/users/", 405, "Method Not Allowed", 'Method "TRACE" not allowed.'),
    ("GET /x", 404, "Not Found", "Not found."),
])
def test_nginx_knows_problem_details(service, line, status, title, detail):
    data = f"{line} HTTP/1.1\r\nHost: x\r\nAccept: application/problem+json\r\n\r\n".encode()
    answer = exchange(service, data)
    plain = exchange(service, data.replace(b"problem+json", b"json"))
    assert status_and_json(plain) == (status, {"detail": detail})
    assert status_and_json(answer) == (
        status, {"type": "about:blank", "title": title, "status": status, "detail": detail})
    assert answer.headers["Content-Type"] == "application/problem+json"
    allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" if status == 405 else None
    assert answer.headers.get("Allow") == plain.headers.get("Allow") == allow


def test_a_body_too_large_for_nginx(service):
    head = "POST /api/users/ HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n"
    answer = exchange(service, f"{head}Accept: application/problem+json\r\n\r\n".encode())
    assert status_and_json(answer) == (413, {
        "type": "about:blank",
        "title": "Content Too Large",
        "status": 413,
        "detail": "The request body is too large.",
    })


def test_nobody_behind_nginx(own_service):
    """rosterd is gone; then there, but does not answer."""
    service = own_service(workers=1)
    path = service.state / "nginx" / "site.conf"
    path.write_text(path.read_text().replace("fastcgi_read_timeout 60s", "fastcgi_read_timeout 1s"))
    with service.renewed_nginx() as nginx:
        os.kill(nginx, signal.SIGHUP)

    for pid in service.children():
        os.kill(pid, signal.SIGSTOP)
    try:
        answer = exchange(service, request_bytes("GET", VERSION))
        is_nginx_error(answer, 504, "The service did not answer in time.")
    finally:
        for pid in service.children():
            os.kill(pid, signal.SIGCONT)
    master = service.master
    os.kill(master, signal.SIGTERM)
    eventually(lambda: exchange(service, request_bytes("GET", VERSION)).status_code == 502)
    for method, request_path in (("GET", VERSION), ("POST", LOGIN), ("GET", "/health/ready")):
        answer = exchange(service, request_bytes(method, request_path))
        is_nginx_error(answer, 502, "The service could not answer. Please try again.")
        assert answer.headers["Retry-After"] == "1"
    eventually(lambda: service.process_name(master) == "", what="the end of rosterd")
    service.up()
    assert service.staff.get(VERSION).status_code == 200


# --- odd requests


@pytest.mark.parametrize(
    "query, problem",
    [
        ("%", "malformed escape at byte 0"),
        ("a=1&b=%4", "malformed escape at byte 6"),
        ("a=%zz", "malformed escape at byte 2"),
        ("a=1&b=%ff", "the parameter at byte 4 is not valid UTF-8 or has a null character"),
        ("%ff=1", "the parameter at byte 0 is not valid UTF-8 or has a null character"),
        ("a=%00", "the parameter at byte 0 is not valid UTF-8 or has a null character"),
        ("a=%c0%80", "the parameter at byte 0 is not valid UTF-8 or has a null character"),
        ("a=%ed%a0%80", "the parameter at byte 0 is not valid UTF-8 or has a null character"),
        ("a=\xff", "the parameter at byte 0 is not valid UTF-8 or has a null character"),
        ("&".join(f"k{i}=" for i in range(1001)), "more than 1000 fields at byte 5890"),
    ],
)
def test_malformed_queries(service, staff, query, problem):
    for path in (USERS, ME, "/api/none/", "/health/live"):
        answer = exchange(service, request_bytes("GET", f"{path}?{query}", token=staff.token))
        assert status_and_json(answer) == (400, {"detail": f"Query string parse error - {problem}"})


@pytest.mark.parametrize(
    "query",
    [
        "",
        "&&&",
        "=",
        "a",
        "=b",
        "a=b=c",
        "?a=b",
        "a=%C3%A9",
        "a=+%2B",
        "a[]=1&a[]=2",
        "unknown=1",
        "&".join(f"k{i}=" for i in range(1000)),
        "a=" + "x" * 8000,
        "x-auth-token=0000000000000000000000000000000000000000",
        "a=\xc3\xa9",
    ],
)
def test_queries_that_do_not_matter(service, staff, query):
    answer = exchange(service, request_bytes("GET", f"{ME}?{query}", token=staff.token))
    assert (answer.status_code, answer.json()["username"]) == (200, "staff")


def test_paths_that_are_no_text(service, staff):
    for path, valid in (("/api/%ff/", "/api/"), ("/api/users/%c0%80/", "/api/users/"), ("/api/users/\xff/", "/api/users/")):
        answer = exchange(service, request_bytes("GET", path, token=staff.token))
        assert status_and_json(answer) == (404, {"detail": "Not found."})
        headers = [("Accept", "application/problem+json")]
        answer = exchange(service, request_bytes("GET", path, headers, token=staff.token))
        assert status_and_json(answer) == (404, {
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "detail": "Not found.",
            "instance": valid,
        })


def test_a_host_is_checked(service, staff):
    for host, status in (("example.org", 200), ("[::1]:80", 200), ("a" * 260, 200), ("a" * 261, 400)):
        headers = [("Host", host)]
        answer = exchange(service, request_bytes("GET", ME, headers, token=staff.token))
        assert answer.status_code == status, host
        if status == 200:
            assert answer.json()["url"].startswith(f"http://{host}/api/users/")
    for host in ("a<b>", 'a"b', "a'b", "exa_mple.org", "é".encode().decode("latin-1")):
        headers = [("Host", host)]
        answer = exchange(service, request_bytes("GET", ME, headers, token=staff.token))
        assert status_and_json(answer) == (400, {"detail": "Invalid Host header."}), host


def test_an_absolute_address(service, staff):
    """RFC 9112, section 3.2.2: what clients send to a proxy."""
    line = "http://in.example.org" + ME
    headers = [("Host", "in.example.org")]
    answer = exchange(service, request_bytes("GET", line, headers, token=staff.token))
    assert answer.status_code == 200
    assert answer.json()["url"].startswith("http://in.example.org/api/users/")


def test_http_1_0(service, staff):
    head = f"GET {ME} HTTP/1.0\r\nAuthorization: Token {staff.token}\r\n"
    for more in ("", "Host: example.org\r\n"):
        text = raw_request(service, (head + more + "\r\n").encode())
        head_part, _, body = text.partition(b"\r\n\r\n")
        assert head_part.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"chunked" not in head_part
        host = "example.org" if more else "localhost"
        assert json.loads(body)["url"].startswith(f"http://{host}/api/users/")


def test_pipelined_requests(service, staff):
    """Answered in their order, whatever became of the ones before."""
    create = json.dumps({"username": "NO"}).encode()
    with Connection(service) as connection:
        connection.send(
            request_bytes("GET", ME, token=staff.token)
            + request_bytes("POST", USERS, [("Content-Type", JSON)], create, staff.token)
            + request_bytes("GET", "/api/none/", token=staff.token)
            + request_bytes("HEAD", USERS, token=staff.token)
            + request_bytes("GET", VERSION, token=staff.token)
        )
        statuses = [connection.answer(m).status_code for m in ("GET", "POST", "GET", "HEAD", "GET")]
    assert statuses == [200, 400, 404, 200, 200]


def test_headers_that_do_not_matter(service, staff):
    headers = [(f"X-{i}", "y" * 200) for i in range(100)]
    headers += [("X-Bytes", "\xff\xfe"), ("Cookie", "sessionid=x; csrftoken=y"), ("X-Empty", "")]
    headers += [("Forwarded", "for=192.0.2.1"), ("X-Forwarded-Proto", "https")]
    headers += [("X-Http-Method-Override", "DELETE"), ("Proxy", "x"), ("X_Under", "x")]
    headers += [("Request-Id", "z"), ("X-Request-ID", "z"), ("Remote-Addr", "192.0.2.1")]
    answer = exchange(service, request_bytes("GET", ME, headers, token=staff.token))
    assert answer.status_code == 200
    assert answer.json()["ip_address"] == "127.0.0.1"
    assert answer.json()["url"].startswith("http://localhost/api/")
    assert answer.headers["X-Request-ID"] != "z"


# --- what every answer has


def answers_of_all_kinds(service, staff, things):
    yield staff.get(ME)
    yield staff.get(USERS)
    yield staff.head(USERS)
    yield staff.options(USERS)
    yield staff.get(USERS[:-1])
    yield staff.get("/api/none/")
    yield staff.put(USERS)
    yield staff.post(USERS, json={})
    yield staff.post(USERS, data="x", headers={"Content-Type": "text/plain"})
    yield staff.get(ME, headers={"Accept": "text/html"})
    yield staff.get(USERS, params={"o": "x"})
    yield staff.get(f"/api/users/{UNKNOWN}/")
    yield staff.get(ME, headers={"If-None-Match": "*"})
    yield staff.delete(f"/api/users/{service.create()['uuid']}/")
    yield service.nobody.get(ME)
    yield service.nobody.post(LOGIN, json={"username": "x", "password": "y"})
    yield service.nobody.get("/api/roles/")
    yield service.nobody.get("/health/live")
    yield service.nobody.get("/health/ready")
    yield service.nobody.get(f"/api/media/{UNKNOWN}/")


def test_headers_of_every_answer(service, staff, things):
    ids = set()
    for answer in answers_of_all_kinds(service, staff, things):
        where = (answer.request.method, answer.request.url, answer.status_code)
        headers = answer.headers
        assert headers["X-Content-Type-Options"] == "nosniff", where
        assert re.fullmatch(r"[0-9a-f]{32}", headers["X-Request-ID"]), where
        assert "Accept" in headers["Vary"] and "Authorization" in headers["Vary"], where
        if "Authorization" in answer.request.headers or "/api-auth/" in answer.request.path_url:
            if answer.status_code not in (301, 404) and answer.request.method != "OPTIONS":
                assert headers["Cache-Control"] == "no-store", where
        if answer.content:
            assert headers["Content-Type"] == JSON, where
            answer.json()
        else:
            assert "Content-Type" not in headers, where
            assert headers.get("Content-Length", "0") == "0", where
        # Nothing that tells what runs here, and no cookie.
        assert "Set-Cookie" not in headers and "X-Powered-By" not in headers
        assert headers["Server"] == "nginx", where
        ids.add(headers["X-Request-ID"])
    assert len(ids) == 20


def test_the_request_id_is_in_the_log(service, staff):
    answer = staff.get("/api/users/?o=x")
    line = service.request_line(answer.headers["X-Request-ID"])
    assert (line["method"], line["route"], line["status"]) == ("GET", USERS, 400)
    assert staff.token not in service.log_file.read_text()


# --- garbage


def seeds(service, things):
    """A valid request of each route: method, path, query, headers, body."""
    fields = {"username": unique("f"), "email": "f@example.org", "first_name": "Zoë", "token_lifetime": 60}
    more = {"is_staff": False, "birth_date": "2000-02-29", "role": "PROJECT.ADMIN", "user": things["users"]}
    more |= {"name": "x", "permissions": [], "content_type": "project", "customer": "x", "code": UNKNOWN}
    more |= {"password": "x", "new_password": "y", "expiration_time": None, "content": "x"}
    query = "field=uuid&o=-email,username&page=2&page_size=3&full_name=%C3%A9&is_active=true"
    query += f"&date_joined=2025-11-24T02:31:00Z&customer_uuid={things['customers']}&user={things['users']}"
    form = "&".join(f"{name}={value}" for name, value in (fields | more).items())
    multipart = "".join(
        f'--X\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (fields | more).items()
    )
    bodies = (
        (JSON, json.dumps(fields | more)),
        ("application/x-www-form-urlencoded", form),
        ("multipart/form-data; boundary=X", multipart + "--X--\r\n"),
    )
    for pattern, allowed in ROUTES.items():
        if pattern == "/api-auth/logout/":
            continue
        for method in allowed.split(", "):
            for content_type, body in bodies if method[0] == "P" else ((JSON, ""),):
                headers = f"Accept: {JSON}, */*;q=0.5\r\nContent-Type: {content_type}\r\n"
                headers += 'If-None-Match: "x"\r\n' if method in ("GET", "HEAD") else 'If-Match: "x", *\r\n'
                if method == "POST":
                    headers += f"Idempotency-Key: {unique()}\r\n"
                yield method, fill(pattern, things), query, headers, body.encode()


WORDS = (
    b"%00", b"%ff", b"%", b"\0", b"\xff", b"\xed\xa0\x80", b"\xf0\x9f\x91\xbb", b"'", b'"', b"\\", b"\\u0000",
    b"\\ud800", b"{", b"[", b"]", b"}", b"[" * 40, b",", b":", b"null", b"true", b"-1", b"0", b"1e999",
    b"9223372036854775808", b"-9223372036854775809", b"NaN", b"", b" ", b"+", b"&", b"=", b";", b"--", b"/*",
    b"' OR 1=1 -- ", b"_%", b"../", b"%2e%2e/", b"last", b"field=", b"o=", b"\n", b"\t", b"A" * 3000, b"--X",
    b"--X--", b"Token ", b"*", b"W/", b"0000-00-00", b"9999-12-31T23:59:59.999999+23:59", b"\xef\xbb\xbf",
)  # fmt: skip


def mutate(rng, data):
    """data with a few bytes, words and stretches of it changed, doubled or lost."""
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        i, j = sorted(rng.randrange(len(data) + 1) for _ in range(2))
        how = rng.randrange(6)
        if how == 0 and i < len(data):
            data[i] = rng.randrange(256)
        elif how == 1:
            data[i:i] = rng.choice(WORDS)
        elif how == 2:
            data[i : min(j, i + 20)] = rng.choice(WORDS)
        elif how == 3:
            del data[i : min(j, i + 20)]
        elif how == 4:
            data[i:i] = data[i : min(j, i + 60)]
        elif i < len(data):
            data[i] ^= 1 << rng.randrange(8)
    return bytes(data)


def garbage(rng, seed, token):
    """The bytes of a request like seed with one of its parts spoilt."""
    method, path, query, headers, body = seed
    part = rng.choice(("method", "path", "query", "query", "headers", "body", "body", "body"))
    path, query, head = path.encode(), query.encode(), headers.encode()
    if part == "method":
        method = rng.choice(METHODS + ("BREW", "X" * 30, "".join(rng.choices(string.ascii_uppercase, k=5))))
    elif part == "path":
        path = b"/" + mutate(rng, path[1:]).translate(None, b" \r\n")
    elif part == "query" or not body:
        query = mutate(rng, query).translate(None, b" \r\n")
    elif part == "headers":
        head = b"\r\n".join(mutate(rng, head).translate(None, b"\n").split(b"\r")).rstrip() + b"\r\n"
    else:
        body = mutate(rng, body)
    target = path + (b"?" + query if rng.random() < 0.7 or part == "query" else b"")
    return b"".join(
        (
            b"%b %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" % (method.encode(), target),
            b"Authorization: Token %b\r\nContent-Length: %d\r\n" % (token.encode(), len(body)),
            head,
            b"\r\n",
            body,
        )
    )


def test_garbage(daemon):
    """
    A few thousand requests that are almost right: each is answered, none of them by a 5xx. What staff's make and
    delete is no other test's.
    """
    service = daemon()
    rng = random.Random(20261124)
    client = service.account(is_staff=True)
    start = service.log_size()
    all_seeds = list(seeds(service, make_things(service)))
    statuses = {}
    for i in range(3000):
        seed = all_seeds[i % len(all_seeds)]
        data = garbage(rng, seed, client.token)
        answer = exchange(service, data, data.split(b" ", 1)[0].decode("latin-1"))
        assert answer.status_code < 500, (answer.status_code, data)
        if answer.status_code >= 400 and answer.content:
            assert answer.headers["Content-Type"] == JSON, data
            assert answer.json(), data
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
    assert not [line for line in service.log(start) if "was ended by" in line.get("message", "")]
    assert statuses[200] > 300 and statuses[400] > 300, statuses
    assert statuses.get(401, 0) < 100, statuses
