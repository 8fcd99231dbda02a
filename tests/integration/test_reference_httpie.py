"""The commands of the API's reference, as they stand there, run by httpie against the service.

data/reference-httpie.txt holds them; address, token and uuid are replaced, nothing else.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest
from service import Service
from users import NOT_FOUND, fields_seen, path_of

COMMANDS = (Path(__file__).parent / "data/reference-httpie.txt").read_text().split("\n\n")

BASE_URL = "https://api.example.com"
TOKEN = "YOUR_API_TOKEN"
UUID = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"

ANOTHER = fields_seen(team=True, own=False)
OWN = fields_seen(team=True, own=True)
TOKEN_FIELDS = [
    "created", "user_first_name", "user_last_name", "user_username", "user_is_active",
    "user_token_lifetime", "token",
]  # fmt: skip


@pytest.fixture(scope="module")
def service():
    """With a password rule that lets the password of the reference through: ********."""
    instance = Service(config="password_min_guesses = 0\n")
    yield instance
    instance.close()


@pytest.fixture
def http(service, tmp_path):
    """Runs a command in a shell; http has options that make it print what came and ask nothing."""
    options = ["--ignore-stdin", "--pretty=none", "--print=hb"]
    (tmp_path / "config.json").write_text(json.dumps({"default_options": options}))
    env = dict(os.environ, HTTPIE_CONFIG_DIR=str(tmp_path), NO_PROXY="127.0.0.1")

    def run(command):
        done = subprocess.run(
            ["sh", "-c", command],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert done.stdout.startswith("HTTP/1.1 "), done.stderr
        head, _, body = done.stdout.partition("\n\n")
        return int(head.split()[1]), json.loads(body) if body.strip() else None

    return run


# What each command does to a user: the status and what to say of the body, given the user before.


def listed(service, user, body):
    assert [list(each) for each in body] == [ANOTHER] * len(body)
    assert body == service.staff.get("/api/users/").json()


def unchanged(service, user, body):
    assert body == user


def created(service, user, body):
    assert list(body) == ANOTHER
    assert (body["username"], body["email"]) == ("alice", "alice@example.com")
    assert body == service.staff.get(path_of(body)).json()


def gone(service, user, body):
    assert body is None
    answer = service.staff.get(path_of(user))
    assert (answer.status_code, answer.json()) == (404, NOT_FOUND)


def oneself(service, user, body):
    assert list(body) == OWN + ["ip_address"]
    assert body == service.staff.get("/api/users/me/").json()
    assert (body["username"], body["token"]) == ("staff", service.staff.token)


def token(service, user, body):
    assert list(body) == TOKEN_FIELDS
    assert body["user_username"] == user["username"]
    assert body["token"] == service.token_of(user)


def password_set(service, user, body):
    assert body == {"status": "password set"}
    login = {"username": user["username"], "password": "********"}
    answer = service.nobody.post("/api-auth/password/", json=login)
    assert answer.json() == {"token": service.token_of(user)}


def email_requested(service, user, body):
    assert body == {"detail": "The change email request has been successfully created."}
    now = service.staff.get(path_of(user)).json()
    assert now == {**user, "requested_email": "alice@example.com"}


def no_request(service, user, body):
    assert body == {"detail": "The change email request has not been found."}


def no_code(service, user, body):
    assert body == ["The confirmation code is required."]


def not_managed(service, user, body):
    assert body == ["User is not managed by eduTEAMS."]


EXPECTED = {
    "GET /api/users/": (200, listed),
    "GET /api/users/UUID/": (200, unchanged),
    "POST /api/users/": (201, created),
    "PUT /api/users/UUID/": (200, unchanged),
    "PATCH /api/users/UUID/": (200, unchanged),
    "DELETE /api/users/UUID/": (204, gone),
    "GET /api/users/me/": (200, oneself),
    "GET /api/users/UUID/token/": (200, token),
    "POST /api/users/UUID/cancel_change_email/": (200, no_request),
    "POST /api/users/UUID/change_email/": (200, email_requested),
    "POST /api/users/UUID/change_password/": (200, password_set),
    "POST /api/users/confirm_email/": (400, no_code),
    "POST /api/users/UUID/pull_remote_user/": (400, not_managed),
    "POST /api/users/UUID/refresh_token/": (200, token),
}


def key_of(command):
    """The two words after http: the method and the address, without what is replaced."""
    _, method, url = command.replace("\\\n", "").split()[:3]
    return f"{method} {url.replace(BASE_URL, '').replace(UUID, 'UUID')}"


def test_each_command_is_expected_once():
    assert sorted(map(key_of, COMMANDS)) == sorted(EXPECTED)


@pytest.mark.parametrize("command", COMMANDS, ids=key_of)
def test_a_command(service, http, command):
    status, check = EXPECTED[key_of(command)]
    user = service.create(first_name="Alice", last_name="Example")
    for placeholder, value in (
        (BASE_URL, service.url),
        (TOKEN, service.staff.token),
        (UUID, user["uuid"]),
    ):
        command = command.replace(placeholder, value)
    answered, body = http(command)
    assert answered == status, body
    check(service, user, body)
