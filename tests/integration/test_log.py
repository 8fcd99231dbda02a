"""rosterd's log: one JSON object a line, a line a request, never a secret."""

import re

import pytest

from service import unique
from test_users_email import ask, confirm
from users import path_of

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(autouse=True)
def same_processes(service):
    """Who writes a line is there when it is read."""
    service.settle()


def line_of(service, answer):
    """The log line of a request, without what differs each time."""
    line = service.request_line(answer.headers["X-Request-ID"])
    assert TIME.fullmatch(line.pop("time"))
    assert line.pop("pid") in service.children(f"rosterd {line.pop('process').split()[0]}")
    assert 0 < line.pop("us") < 60_000_000
    assert line.pop("db") >= 0
    assert line.pop("request_id") == answer.headers["X-Request-ID"]
    return line


@pytest.mark.parametrize(
    "method, path, route, status",
    [
        ("GET", "/api/users/me/?field=uuid", "/api/users/me/", 200),
        ("GET", f"/api/users/{UNKNOWN}/", "/api/users/{uuid}/", 404),
        ("POST", "/api/users/", "/api/users/", 400),
        ("HEAD", "/api/users/?page_size=1", "/api/users/", 200),
        ("PUT", "/api/users/me/", "/api/users/me/", 405),
    ],
)
def test_request_has_a_line(service, staff, method, path, route, status):
    me = staff.get("/api/users/me/").json()["uuid"]
    answer = staff.request(method, path, json={} if method == "POST" else None)
    assert answer.status_code == status
    assert line_of(service, answer) == {
        "level": "info",
        "method": method,
        "route": route,
        "user": me,
        "status": status,
        "message": "request",
    }


def test_who_acts_in_anothers_name_is_in_the_log(service, staff, regular):
    acted = {"X-Impersonated-User-Uuid": regular.user["uuid"]}
    line = line_of(service, staff.get("/api/users/me/", headers=acted))
    assert line["user"] == regular.user["uuid"]
    assert line["impersonator"] == staff.get("/api/users/me/").json()["uuid"]


def test_request_of_nobody_has_a_line_without_user(service, nobody):
    answer = nobody.get("/api/users/me/")
    assert answer.status_code == 401
    assert line_of(service, answer) == {
        "level": "info",
        "method": "GET",
        "route": "/api/users/me/",
        "status": 401,
        "message": "request",
    }


def test_path_that_is_nowhere_is_not_in_the_log(service, nobody):
    word = unique("word")
    answer = nobody.get(f"/api/{word}/?query={word}")
    assert answer.status_code == 404
    assert line_of(service, answer) == {
        "level": "info",
        "method": "GET",
        "route": "-",
        "status": 404,
        "message": "request",
    }
    assert word not in service.log_file.read_text()


def test_each_line_is_an_object_with_time_level_and_message(service, regular):
    for text in '"', "\\", "\u0431", "%s%n", "\U0001f40d":
        regular.get("/api/users/", params={"query": text}, headers={"User-Agent": text.encode()})
    lines = service.log()
    assert len(lines) > 5
    for line in lines:
        assert TIME.fullmatch(line["time"])
        assert line["level"] in ("debug", "info", "warning", "error")
        assert isinstance(line["pid"], int) and line["process"] and line["message"]


def test_no_secret_gets_into_the_logs(own_service):
    s = own_service(config="log_level = debug")
    secrets = {word: f"{word} {unique()} of a heron" for word in ("first", "second", "wrong", "other")}
    account = s.account()
    user, former_token = account.user, account.token
    sign_in, path = "/api-auth/password/", path_of(user, "change_password/")

    assert s.staff.post(path, json={"new_password": secrets["first"]}).status_code == 200
    account.token = s.token_of(user)
    body = {"current_password": secrets["first"], "new_password": secrets["second"]}
    assert account.post(path, json={**body, "current_password": secrets["wrong"]}).status_code == 400
    assert account.post(path, data='{"new_password": "' + secrets["other"]).status_code in (400, 415)
    assert account.post(path, json=body).status_code == 200
    for password in secrets.values():
        s.nobody.post(sign_in, json={"username": user["username"], "password": password})
        s.nobody.post(sign_in, json={"username": password, "password": [password]})
        s.nobody.post(sign_in, data={"username": user["username"], "password": password})

    account.token = s.token_of(user)
    code = ask(s, account)
    assert confirm(account, code).status_code == 200
    for word in code, former_token, secrets["other"], f"{former_token} {code}":
        for scheme in "Token", "Bearer":
            s.nobody.get("/api/users/me/", headers={"Authorization": f"{scheme} {word}"})

    secrets |= {"code": code, "token": account.token, "former token": former_token, "staff": s.staff.token}
    secrets |= {"staff's password": s.env["STAFF_PASSWORD"]}
    secrets |= {"key": (s.state / "keys").read_text().split()[-1]}
    secrets |= {"database": re.search(r"(?m)^password=(.+)$", (s.state / "roster.cnf").read_text())[1]}
    logs = {file.name: file.read_text() for file in (s.state / "logs").iterdir()}
    assert "rosterd.log" in logs and "nginx.log" in logs
    found = [(name, log) for name, secret in secrets.items() for log in logs if secret in logs[log]]
    assert found == []
