"""POST /api-auth/password/ and /api-auth/logout/."""

import re

import pytest
from service import Client, eventually, unique
from users import NO_CREDENTIALS, path_of, status_and_json

LOGIN = "/api-auth/password/"
LOGOUT = "/api-auth/logout/"
ME = "/api/users/me/"
PASSWORD = "a heron on the roof"
WRONG = (401, {"detail": "Invalid username/password."})
DISABLED = (
    401,
    {
        "detail": "Authentication method is disabled. "
        "Please use another authentication method or contact staff."
    },
)


def set_password(service, user, password=PASSWORD):
    answer = service.staff.post(
        path_of(user, "change_password/"), json={"new_password": password}
    )
    assert answer.status_code == 200, answer.text


def with_password(service, password=PASSWORD, **fields):
    user = service.create(**fields)
    set_password(service, user, password)
    return user


def try_to_sign_in(service, username, password=PASSWORD):
    return service.nobody.post(LOGIN, json={"username": username, "password": password})


def sign_in(service, user, password=PASSWORD):
    answer = try_to_sign_in(service, user["username"], password)
    assert answer.status_code == 200, answer.text
    return answer.json()["token"]


def stored(service, user, column):
    return service.sql(f"SELECT {column} FROM users WHERE username = %s", user["username"])[0][0]


def test_the_answer_is_the_accounts_token(service):
    user = with_password(service)
    answer = try_to_sign_in(service, user["username"])
    assert answer.status_code == 200
    assert answer.json() == {"token": service.token_of(user)}
    assert re.fullmatch("[0-9a-f]{40}", answer.json()["token"])
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert Client(service, answer.json()["token"]).get(ME).json()["uuid"] == user["uuid"]


def test_an_unexpired_token_stays_as_it_is(service):
    user = with_password(service)
    assert len({sign_in(service, user) for _ in range(3)}) == 1


def without_token(service):
    user = with_password(service)
    assert Client(service, service.token_of(user)).post(LOGOUT).status_code == 204
    return user


def test_two_first_sign_ins_at_the_same_time_get_one_token(service):
    user = without_token(service)

    def ask():
        answer = Client(service, None).post(LOGIN, json={"username": user["username"], "password": PASSWORD})
        return answer.json()["token"]

    keys = service.while_locked(
        [ask, ask], "SELECT id FROM users WHERE username = %s FOR UPDATE", user["username"]
    )
    assert keys == [service.token_of(user)] * 2


def test_a_password_that_was_replaced_meanwhile_opens_nothing(service):
    user = without_token(service)
    [answer] = service.while_locked(
        [lambda: try_to_sign_in(service, user["username"])],
        "UPDATE users SET password = '' WHERE username = %s",
        user["username"],
    )
    assert status_and_json(answer) == WRONG
    assert service.sql(
        "SELECT COUNT(*) FROM tokens t JOIN users u ON u.id = t.user_id WHERE u.username = %s",
        user["username"],
    ) == ((0,),)


def test_a_sign_in_is_noted(service):
    user = with_password(service)
    version = service.staff.get(path_of(user)).headers["ETag"]
    assert stored(service, user, "last_login") is None
    sign_in(service, user)
    assert stored(service, user, "last_login >= UTC_TIMESTAMP() - INTERVAL 1 MINUTE") == 1
    # It does not change the account.
    assert service.staff.get(path_of(user)).headers["ETag"] == version


def test_nothing_of_it_is_in_the_log(service):
    start = service.log_size()
    password = unique("a secret heron")
    user = with_password(service, password)
    key = sign_in(service, user, password)
    answer = try_to_sign_in(service, user["username"], password + "x")
    service.request_line(answer.headers["X-Request-ID"])
    with open(service.log_file, encoding="utf-8") as f:
        f.seek(start)
        log = f.read()
    assert password not in log and key not in log and user["username"] not in log


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
def test_only_post(service, staff, method):
    for client in (service.nobody, staff, Client(service, "0" * 40)):
        answer = client.request(method, LOGIN)
        assert answer.status_code == 405
        assert answer.headers["Allow"] == "POST, OPTIONS"
        if method != "HEAD":
            assert answer.json() == {"detail": f'Method "{method}" not allowed.'}


REQUIRED = ["This field is required."]
BLANK = ["This field may not be blank."]
NULL = ["This field may not be null."]
NO_TEXT = ["Not a valid string."]
LONG = ["Ensure this field has no more than 128 characters."]


@pytest.mark.parametrize(
    "body, problems",
    [
        ({}, {"username": REQUIRED, "password": REQUIRED}),
        ({"username": "x"}, {"password": REQUIRED}),
        ({"password": "x"}, {"username": REQUIRED}),
        ({"Username": "x", "PASSWORD": "x"}, {"username": REQUIRED, "password": REQUIRED}),
        ({"username": "", "password": ""}, {"username": BLANK, "password": BLANK}),
        ({"username": " \t\n", "password": "x"}, {"username": BLANK}),
        ({"username": None, "password": None}, {"username": NULL, "password": NULL}),
        ({"username": True, "password": [1]}, {"username": NO_TEXT, "password": NO_TEXT}),
        ({"username": {}, "password": {"a": 1}}, {"username": NO_TEXT, "password": NO_TEXT}),
        ({"username": "x" * 129, "password": "x" * 129}, {"username": LONG, "password": LONG}),
        ({"username": "é" * 129, "password": "x"}, {"username": LONG}),
        ({"username": "x", "password": "é" * 129}, {"password": LONG}),
        ({"username": "x", "password": "x" * 100_000}, {"password": LONG}),
        ({"username": "x", "password": "\ufdfa" * 150_000}, {"password": LONG}),
    ],
)
def test_what_is_wrong_with_the_fields(service, body, problems):
    assert status_and_json(service.nobody.post(LOGIN, json=body)) == (400, problems)
    assert status_and_json(service.staff.post(LOGIN, json=body)) == (400, problems)


def test_nobody_can_tell_why_it_was_refused(service):
    known = with_password(service)
    inactive = with_password(service, is_active=False)
    without = service.create()
    tries = [
        (known["username"], PASSWORD + "x"),
        (known["username"], PASSWORD.upper()),
        (known["username"], f" {PASSWORD}"),
        (known["username"].upper(), PASSWORD),
        (inactive["username"], PASSWORD),
        (without["username"], PASSWORD),
        (without["username"], " "),
        (unique("nobody"), PASSWORD),
        (unique("ñöbødy"), PASSWORD),
        ("x" * 128, "x" * 128),
        ("%", "%"),
    ]
    volatile = {"Date", "X-Request-ID"}
    answers = [try_to_sign_in(service, *pair) for pair in tries]
    for answer in answers:
        assert status_and_json(answer) == WRONG
        assert answer.headers["WWW-Authenticate"] == "Token"
    headers = [
        {k: v for k, v in answer.headers.items() if k not in volatile} for answer in answers
    ]
    assert all(h == headers[0] for h in headers)
    assert stored(service, known, "last_login") is None
    # And the right one still opens.
    sign_in(service, known)


def test_the_username_is_trimmed_and_credentials_are_not_looked_at(service):
    user = with_password(service)
    key = sign_in(service, user)
    assert status_and_json(try_to_sign_in(service, f"  {user['username']}\n")) == (
        200,
        {"token": key},
    )
    for header in ("Token " + "0" * 40, "Token", "Token a b", "Basic eDp4", b"Token \xff"):
        answer = service.nobody.post(
            LOGIN,
            json={"username": user["username"], "password": PASSWORD},
            headers={"Authorization": header},
        )
        assert status_and_json(answer) == (200, {"token": key})


@pytest.mark.parametrize(
    "chosen, typed",
    [
        ("un héron sur le toît", "un he\u0301ron sur le toi\u0302t"),
        ("un he\u0301ron sur le toi\u0302t", "un héron sur le toît"),
        ("grey heron №5 ﬁshing", "grey heron No5 fishing"),
        ("ｈｅｒｏｎ　ｏｎ　ｔｈｅ　ｒｏｏｆ", "heron on the roof"),
        ("  a heron on the roof  ", "  a heron on the roof  "),
        ("серая цапля на крыше 🐦", "серая цапля на крыше 🐦"),
    ],
)
def test_passwords_are_compared_in_normal_form(service, chosen, typed):
    user = with_password(service, chosen)
    sign_in(service, user, typed)
    assert status_and_json(try_to_sign_in(service, user["username"], typed[:-1])) == WRONG


def test_the_longest_password_however_it_is_typed(service):
    """128 characters are counted after normalisation."""
    password = "".join(chr(0xE0 + i * 7 % 6) + chr(0x61 + i * 11 % 26) for i in range(64))
    typed = "".join({"à": "a\u0300", "á": "a\u0301", "â": "a\u0302", "ã": "a\u0303",
                     "ä": "a\u0308", "å": "a\u030a"}.get(c, c) for c in password)
    assert len(password) == 128 and len(typed) == 192
    user = with_password(service, typed)
    sign_in(service, user, password)
    sign_in(service, user, typed)
    assert status_and_json(try_to_sign_in(service, user["username"], typed + "x")) == (
        400,
        {"password": LONG},
    )


def test_an_account_that_comes_back(service):
    user = with_password(service)
    service.staff.patch(path_of(user), json={"is_active": False})
    assert status_and_json(try_to_sign_in(service, user["username"])) == WRONG
    service.staff.patch(path_of(user), json={"is_active": True})
    sign_in(service, user)


# --- logout


def test_logout_ends_the_token(service):
    user = with_password(service)
    bystander = service.account()
    client = Client(service, sign_in(service, user))
    answer = client.post(LOGOUT)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "Content-Type" not in answer.headers
    for again in (client.post(LOGOUT), client.get(ME)):
        assert status_and_json(again) == (401, {"detail": "Invalid token."})
        assert again.headers["WWW-Authenticate"] == "Token"
    assert bystander.get(ME).status_code == 200
    assert service.staff.get(path_of(user, "token/")).status_code == 404
    assert service.staff.get(path_of(user)).json()["has_active_session"] is False

    key = sign_in(service, user)
    assert key != client.token
    assert Client(service, key).get(ME).status_code == 200


def test_logout_wants_no_body_and_takes_any(service):
    for options in (
        {"data": b""},
        {"data": b"{", "headers": {"Content-Type": "application/json"}},
        {"data": b"x", "headers": {"Content-Type": "text/plain"}},
        {"json": {"a": 1}},
        {"data": {"a": "b"}},
    ):
        client = service.account()
        assert client.post(LOGOUT, **options).status_code == 204
        assert client.get(ME).status_code == 401


def test_logout_is_for_those_who_are_in(service, regular):
    assert status_and_json(service.nobody.post(LOGOUT)) == (401, NO_CREDENTIALS)
    assert status_and_json(service.nobody.get(LOGOUT)) == (401, NO_CREDENTIALS)
    answer = regular.get(LOGOUT)
    assert status_and_json(answer) == (405, {"detail": 'Method "GET" not allowed.'})
    assert answer.headers["Allow"] == "POST, OPTIONS"
    assert regular.get(ME).status_code == 200


# --- options


def test_a_hash_is_made_anew_when_the_cost_has_changed_and_local_signin_closes(own_service):
    service = own_service()
    user = with_password(service)
    old, key = stored(service, user, "password"), sign_in(service, user)
    version = stored(service, user, "version")
    assert old.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert stored(service, user, "password") == old

    with open(service.state / "roster.conf", "a", encoding="utf-8") as f:
        f.write("argon2_passes = 3\n")
    service.reload()

    def new_hash():
        assert sign_in(service, user) == key
        now = stored(service, user, "password")
        return now != old and now

    new = eventually(new_hash, what="a new hash")
    assert new.startswith("$argon2id$v=19$m=19456,t=3,p=1$")
    assert stored(service, user, "version") == version
    assert sign_in(service, user) == key
    assert status_and_json(try_to_sign_in(service, user["username"], "x")) == WRONG

    with open(service.state / "roster.conf", "a", encoding="utf-8") as f:
        f.write("local_signin = false\n")
    service.reload()
    eventually(
        lambda: status_and_json(try_to_sign_in(service, user["username"])) == DISABLED,
        what="the end of sign-ins",
    )
    answer = try_to_sign_in(service, unique("nobody"), "x")
    assert answer.headers["WWW-Authenticate"] == "Token"
    assert Client(service, key).get(ME).status_code == 200
