"""The Authorization header: schemes, messages, expiry, impersonation; the order of the checks."""

import pytest
from service import Client, eventually, unique
from users import FORBIDDEN, NO_CREDENTIALS, UNKNOWN, at_once, path_of, status_and_json

ME = "/api/users/me/"
PASSWORD = "a heron on the roof"


def ask(service, authorization, **headers):
    """GET me with an Authorization header as it stands; None: without one."""
    if authorization is not None:
        headers["Authorization"] = authorization
    return service.nobody.get(ME, headers=headers)


def refusal(answer):
    """The detail of a 401, which is complete."""
    assert answer.status_code == 401, answer.text
    assert answer.headers["WWW-Authenticate"] == "Token"
    assert answer.headers["Content-Type"] == "application/json"
    assert list(answer.json()) == ["detail"]
    return answer.json()["detail"]


def stamp_ago(service, client, seconds):
    """Makes the database say that the token was used last so many seconds ago."""
    service.sql(
        "UPDATE tokens t JOIN users u ON u.id = t.user_id"
        " SET t.created = UTC_TIMESTAMP(6) - INTERVAL %s SECOND WHERE u.username = %s",
        seconds,
        client.user["username"],
    )


def stamp(service, client):
    """The last use as the database knows it, and its age in seconds."""
    return service.sql(
        "SELECT t.created, TIMESTAMPDIFF(MICROSECOND, t.created, UTC_TIMESTAMP(6)) / 1e6"
        " FROM tokens t JOIN users u ON u.id = t.user_id WHERE u.username = %s",
        client.user["username"],
    )[0]


def set_lifetime(service, client, seconds):
    service.sql(
        "UPDATE users SET token_lifetime = %s WHERE username = %s",
        seconds,
        client.user["username"],
    )


def set_password(service, client):
    answer = service.staff.post(
        path_of(client.user, "change_password/"), json={"new_password": PASSWORD}
    )
    assert answer.status_code == 200, answer.text
    client.token = service.token_of(client.user)


def sign_in(service, client):
    answer = service.nobody.post(
        "/api-auth/password/",
        json={"username": client.user["username"], "password": PASSWORD},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["token"]


# --- schemes and messages


@pytest.mark.parametrize(
    "scheme",
    [
        "Token",
        "token",
        "TOKEN",
        "tOkEn",
        "Bearer",
        "bearer",
        "BEARER",
        "Bearer Token",
        "bearer token",
        "BEARER TOKEN",
        "Bearer  Token",
        "Token ",
        "Token\t",
    ],
)
def test_each_scheme_opens(service, regular, scheme):
    answer = ask(service, f"{scheme} {regular.token}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["uuid"] == regular.user["uuid"]


NO_KEY = "Invalid token. No credentials provided."
SPACES = "Invalid token. Token string should not contain spaces."
CHARACTERS = "Invalid token header. Token string should not contain invalid characters."
INVALID = "Invalid token."
EXPIRED = "Token has expired."
INACTIVE = "User inactive or deleted."


@pytest.mark.parametrize(
    "header, detail",
    [
        ("Token", NO_KEY),
        ("token", NO_KEY),
        ("Bearer", NO_KEY),
        ("Bearer Token", NO_KEY),
        ("bearer TOKEN", NO_KEY),
        ("Token a b", SPACES),
        ("Token a b c d", SPACES),
        ("Token\ta\tb", SPACES),
        ("Bearer a b", SPACES),
        ("Bearer Token a b", SPACES),
        ("Token Token a", SPACES),
        ("Token Bearer a", SPACES),
        (b"Token \xff b", SPACES),
        (b"Token \xff", CHARACTERS),
        (b"Token a\xc3", CHARACTERS),
        (b"Token \xed\xa0\x80", CHARACTERS),
        (b"Bearer \xfe\xff", CHARACTERS),
        (b"Bearer Token \x80", CHARACTERS),
        ("Token €".encode(), INVALID),
        ("Token a", INVALID),
        ("Token " + "0" * 40, INVALID),
        ("Bearer " + "0" * 40, INVALID),
        ("Bearer Token " + "0" * 40, INVALID),
        ("Token " + "0" * 39, INVALID),
        ("Token " + "0" * 41, INVALID),
        ("Token " + "0" * 4000, INVALID),
        ("Token '%20OR%201=1--", INVALID),
        ("Token Token", INVALID),
        ("Token %s", INVALID),
    ],
)
def test_each_fault_has_its_message(service, header, detail):
    assert refusal(ask(service, header)) == detail


def test_a_key_counts_as_a_whole_and_in_lower_case(service, regular):
    key = regular.token
    for wrong in (key[:-1], key + "0", key[1:], key.upper(), key + "\\n", f'"{key}"', f"{key},"):
        assert refusal(ask(service, f"Token {wrong}")) == INVALID


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "{key}",
        "Basic {key}",
        "Digest Token {key}",
        "Tokens {key}",
        "Token:{key}",
        "Token={key}",
        "Token,Bearer {key}",
        "Bearer-Token {key}",
        "ApiKey {key}",
        "\u00a0Token {key}",
        b"\xff \xfe",
        b"Token\xff abc",
    ],
)
def test_other_schemes_are_anonymous(service, regular, header):
    if isinstance(header, str):
        header = header.replace("{key}", regular.token).encode()
    answer = ask(service, header)
    assert refusal(answer) == NO_CREDENTIALS["detail"]


def test_no_token_is_taken_from_anywhere_else(service, regular):
    key = regular.token
    for name in ("x-auth-token", "token", "auth_token", "access_token", "Authorization"):
        answer = service.nobody.get(ME, params={name: key})
        assert (answer.status_code, answer.json()) == (401, NO_CREDENTIALS), name
        answer = service.nobody.get(ME, params={name: f"Token {key}"})
        assert (answer.status_code, answer.json()) == (401, NO_CREDENTIALS), name
        answer = service.nobody.get(ME, headers={"Cookie": f"{name}={key}; sessionid={key}"})
        assert (answer.status_code, answer.json()) == (401, NO_CREDENTIALS), name
        answer = service.nobody.get(ME, headers={"X-Auth-Token": key, "X-Authorization": f"Token {key}"})
        assert (answer.status_code, answer.json()) == (401, NO_CREDENTIALS), name
    answer = service.nobody.patch(path_of(regular.user), json={"token": key, "first_name": "x"})
    assert (answer.status_code, answer.json()) == (401, NO_CREDENTIALS)
    # Beside a header it changes nothing either.
    assert ask(service, f"Token {key}").status_code == 200
    assert service.nobody.get(
        ME, params={"x-auth-token": "0" * 40}, headers={"Authorization": f"Token {key}"}
    ).json()["uuid"] == regular.user["uuid"]


def test_the_checks_of_a_token_have_an_order(service, regular):
    stamp_ago(service, regular, 3601)
    assert refusal(regular.get(ME)) == EXPIRED
    service.staff.patch(path_of(regular.user), json={"is_active": False})
    assert refusal(regular.get(ME)) == INACTIVE
    stamp_ago(service, regular, 0)
    assert refusal(regular.get(ME)) == INACTIVE
    service.staff.patch(path_of(regular.user), json={"is_active": True})
    assert regular.get(ME).status_code == 200
    service.staff.delete(path_of(regular.user))
    assert refusal(regular.get(ME)) == INVALID


def test_a_bad_token_is_refused_before_anything_else(service):
    """Also where the method, the body, or the object would be."""
    bad = Client(service, "0" * 40)
    for method, path in (
        ("PUT", "/api/users/"),
        ("DELETE", "/api/users/"),
        ("GET", "/api-auth/logout/"),
        ("POST", f"/api/users/{UNKNOWN}/change_password/"),
        ("PATCH", f"/api/users/{UNKNOWN}/"),
    ):
        answer = bad.request(method, path, data=b"{", headers={"Content-Type": "application/json"})
        assert refusal(answer) == INVALID
    assert bad.head(ME).status_code == 401


# --- expiry


def test_a_token_expires_when_it_was_not_used_for_its_lifetime(service, regular):
    stamp_ago(service, regular, 3600 - 30)
    assert regular.get(ME).status_code == 200

    other = service.account()
    stamp_ago(service, other, 3601)
    for _ in range(2):
        assert refusal(other.get(ME)) == EXPIRED
    # A failed request neither moves the stamp nor ends the token.
    assert stamp(service, other)[1] > 3600
    set_lifetime(service, other, 7200)
    assert other.get(ME).status_code == 200


def test_reads_keep_a_token_alive(service):
    """The moment is in memory at once, whichever lifetime there is and however young the stamp was."""
    for lifetime in (60, 61, 3600):
        client = service.account()
        set_lifetime(service, client, lifetime)
        stamp_ago(service, client, lifetime - 20)
        assert client.get(ME).status_code == 200
        stamp_ago(service, client, lifetime + 20)
        for ask_again in (client.get, client.head):
            assert ask_again(ME).status_code == 200
    unused = service.account()
    set_lifetime(service, unused, 60)
    stamp_ago(service, unused, 61)
    assert refusal(unused.get(ME)) == EXPIRED


def test_a_refused_token_is_no_use(service, regular):
    stamp_ago(service, regular, 3500)
    service.sql("UPDATE users SET is_active = 0 WHERE username = %s", regular.user["username"])
    assert refusal(regular.get(ME)) == INACTIVE
    service.sql("UPDATE users SET is_active = 1 WHERE username = %s", regular.user["username"])
    stamp_ago(service, regular, 3601)
    assert refusal(regular.get(ME)) == EXPIRED


def test_reads_write_nothing(service, regular):
    """They are answered while the database takes no writes, and their stamps are written later."""
    stamp_ago(service, regular, 1000)
    stamp_before = stamp(service, regular)[0]
    service.expect_log("read.only|written later")
    service.sql("SET GLOBAL read_only = 1")
    try:
        for path in (ME, "/api/users/", path_of(regular.user), "/api/version/"):
            assert regular.get(path).status_code == 200
            assert regular.head(path).status_code == 200
            assert regular.options(path).status_code == 200
        assert service.staff.get(path_of(regular.user, "token/")).status_code == 200
        assert stamp(service, regular)[0] == stamp_before
    finally:
        service.sql("SET GLOBAL read_only = 0")
    eventually(lambda: stamp(service, regular)[0] > stamp_before, what="the stamp of a read")


def test_the_keeper_moves_a_stamp_at_most_once_a_minute(service):
    used = [service.account() for _ in range(5)]
    young, unused, marker = (service.account() for _ in range(3))
    for client in (*used, unused, marker):
        stamp_ago(service, client, 200)
    stamp_ago(service, young, 30)
    before = {client: stamp(service, client)[0] for client in (*used, young, unused)}
    for client in (*used, young):
        assert client.get(ME).status_code == 200

    def moved():
        return all(stamp(service, client)[1] < 60 for client in used)

    eventually(moved, what="the stamps")
    after = {client: stamp(service, client)[0] for client in used}
    assert stamp(service, young)[0] == before[young]
    assert stamp(service, unused)[0] == before[unused]

    # The next round, which writes what another token has to write, leaves these alone.
    for client in (*used, marker):
        assert client.get(ME).status_code == 200
    eventually(lambda: stamp(service, marker)[1] < 60, what="the marker's stamp")
    assert {client: stamp(service, client)[0] for client in used} == after


def test_signing_in_moves_a_stamp_that_is_older_than_a_minute(service, regular):
    set_password(service, regular)
    stamp_ago(service, regular, 50)
    before = stamp(service, regular)[0]
    assert sign_in(service, regular) == regular.token
    assert stamp(service, regular)[0] == before
    stamp_ago(service, regular, 70)
    assert sign_in(service, regular) == regular.token
    assert stamp(service, regular)[1] < 10


def test_a_new_sign_in_replaces_an_expired_token(service, regular):
    set_password(service, regular)
    stamp_ago(service, regular, 3601)
    assert refusal(regular.get(ME)) == EXPIRED
    key = sign_in(service, regular)
    assert key != regular.token and len(key) == 40
    assert refusal(regular.get(ME)) == INVALID
    assert Client(service, key).get(ME).json()["uuid"] == regular.user["uuid"]
    assert sign_in(service, regular) == key


def test_without_a_lifetime_a_token_never_expires(service, regular):
    set_lifetime(service, regular, None)
    stamp_ago(service, regular, 3 * 365 * 86400)
    me = regular.get(ME)
    assert me.status_code == 200
    assert me.json()["token_lifetime"] is None
    assert me.json()["token_expires_at"] is None


def test_token_max_age_and_a_restart(own_service):
    """Stamps survive a restart, also the youngest; and no use makes a token older than its limit."""
    service = own_service(config="token_max_age = 86400\n")
    used, short = service.account(), service.account()
    set_lifetime(service, short, 60)
    stamp_ago(service, used, 3500)
    stamp_ago(service, short, 40)
    before = {client: stamp(service, client)[0] for client in (used, short)}
    for client in (used, short):
        assert client.get(ME).status_code == 200
    service.down()
    service.up()
    for client in (used, short):
        assert stamp(service, client)[0] > before[client]
    assert used.get(ME).status_code == 200

    def make_ago(client, seconds):
        service.sql(
            "UPDATE tokens t JOIN users u ON u.id = t.user_id"
            " SET t.made = UTC_TIMESTAMP(6) - INTERVAL %s SECOND WHERE u.username = %s",
            seconds,
            client.user["username"],
        )

    for lifetime in (3600, None):
        client = service.account()
        set_lifetime(service, client, lifetime)
        set_password(service, client)
        make_ago(client, 86400 - 60)
        assert client.get(ME).status_code == 200
        assert sign_in(service, client) == client.token
        make_ago(client, 86400 + 1)
        assert refusal(client.get(ME)) == EXPIRED
        client.token = sign_in(service, client)
        assert client.get(ME).status_code == 200


# --- impersonation


@pytest.fixture
def other_staff(service):
    """A staff account of the test's own, whose token may be played with."""
    return service.account(is_staff=True)


def as_user(client, uuid, path=ME, method="GET", **options):
    return client.request(method, path, headers={"X-Impersonated-User-Uuid": uuid}, **options)


def test_staff_asks_as_somebody_else(service, staff, regular):
    staff_uuid = staff.get(ME).json()["uuid"]
    answer = as_user(staff, regular.user["uuid"])
    assert answer.status_code == 200
    assert answer.headers["X-impersonator-uuid"] == staff_uuid
    assert answer.json() == regular.get(ME).json()
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_targets_permissions_hold(service, staff, regular):
    staff_uuid = staff.get(ME).json()["uuid"]
    uuid, other = regular.user["uuid"], service.create()
    for method, path, status in (
        ("GET", "/api/users/", 200),
        ("GET", path_of(other), 404),
        ("POST", "/api/users/", 403),
        ("DELETE", path_of(regular.user), 403),
        ("GET", path_of(regular.user, "token/"), 403),
        ("PATCH", path_of(regular.user), 200),
    ):
        answer = as_user(staff, uuid, path, method, json={} if method != "GET" else None)
        assert answer.status_code == status, (method, path, answer.text)
        assert answer.headers["X-impersonator-uuid"] == staff_uuid
    assert [u["uuid"] for u in as_user(staff, uuid, "/api/users/").json()] == [uuid]


@pytest.mark.parametrize("form", [str, str.upper, lambda u: u.replace("-", "")])
def test_a_target_in_any_form(staff, regular, form):
    answer = as_user(staff, form(regular.user["uuid"]))
    assert answer.json()["uuid"] == regular.user["uuid"]


@pytest.mark.parametrize(
    "header", [UNKNOWN, "", "x", "1", "me", "staff", "'", "{uuid}x", "{uuid} {uuid}", b"\xff\xfe"]
)
def test_a_header_that_names_nobody_is_ignored(staff, regular, header):
    if isinstance(header, str):
        header = header.replace("{uuid}", regular.user["uuid"])
    answer = as_user(staff, header)
    assert answer.status_code == 200
    assert answer.json()["username"] == "staff"
    assert "X-impersonator-uuid" not in answer.headers


def test_only_staff_impersonates(service, support, regular):
    target = service.create()
    for client in (support, regular):
        answer = as_user(client, target["uuid"])
        assert answer.status_code == 200
        assert answer.json()["uuid"] == client.user["uuid"]
        assert "X-impersonator-uuid" not in answer.headers
    answer = service.nobody.get(ME, headers={"X-Impersonated-User-Uuid": target["uuid"]})
    assert refusal(answer) == NO_CREDENTIALS["detail"]


def test_staff_support_and_inactive_targets(service, staff, support, other_staff):
    staff_uuid = staff.get(ME).json()["uuid"]
    inactive = service.create(is_active=False)
    for target in (support.user, other_staff.user, inactive, staff.get(ME).json()):
        answer = as_user(staff, target["uuid"])
        assert answer.status_code == 200
        assert answer.json()["uuid"] == target["uuid"]
        assert answer.headers["X-impersonator-uuid"] == staff_uuid


def test_a_target_needs_a_token_though_not_a_fresh_one(service, staff, regular):
    stamp_ago(service, regular, 10000)
    assert as_user(staff, regular.user["uuid"]).status_code == 200
    assert refusal(regular.get(ME)) == EXPIRED
    service.sql(
        "DELETE t FROM tokens t JOIN users u ON u.id = t.user_id WHERE u.username = %s",
        regular.user["username"],
    )
    assert status_and_json(as_user(staff, regular.user["uuid"])) == (
        403,
        {"detail": "Unable to impersonate user that does not have an active session."},
    )


def test_impersonation_is_no_use_of_either_token(service, regular, other_staff):
    for client in (regular, other_staff):
        stamp_ago(service, client, 3500)
    assert as_user(other_staff, regular.user["uuid"]).status_code == 200
    for client in (regular, other_staff):
        stamp_ago(service, client, 3601)
        assert refusal(client.get(ME)) == EXPIRED
    assert refusal(as_user(other_staff, regular.user["uuid"])) == EXPIRED


def test_an_ignored_header_is_a_use_of_the_own_token(service, other_staff):
    stamp_ago(service, other_staff, 3500)
    assert as_user(other_staff, UNKNOWN).status_code == 200
    stamp_ago(service, other_staff, 3601)
    assert other_staff.get(ME).status_code == 200


# --- the order of the checks


@pytest.mark.parametrize(
    "method, path, by_regular, by_staff",
    [
        ("PUT", "/api/users/", 403, 405),
        ("PATCH", "/api/users/", 403, 405),
        ("DELETE", "/api/users/", 403, 405),
        ("POST", "/api/users/me/", 403, 405),
        ("PUT", "/api/users/me/", 403, 405),
        ("POST", "/api/users/{self}/", 405, 405),
        ("GET", "/api/users/{self}/change_password/", 405, 405),
        ("PUT", "/api/users/{self}/change_password/", 405, 405),
        ("DELETE", "/api/users/{self}/change_password/", 403, 405),
        ("GET", "/api/users/{self}/refresh_token/", 405, 405),
        ("POST", "/api/users/{self}/token/", 403, 405),
        ("POST", f"/api/users/{UNKNOWN}/", 404, 405),
        ("PATCH", f"/api/users/{UNKNOWN}/change_password/", 404, 405),
        ("GET", "/api-auth/logout/", 405, 405),
        ("DELETE", "/api-auth/logout/", 405, 405),
        ("POST", "/api/version/", 405, 405),
    ],
)
def test_who_before_method(service, staff, regular, method, path, by_regular, by_staff):
    path = path.replace("{self}", regular.user["uuid"])
    for client, status in ((service.nobody, 401), (regular, by_regular), (staff, by_staff)):
        answer = client.request(method, path)
        assert answer.status_code == status, answer.text
        assert ("Allow" in answer.headers) == (status == 405)
        assert ("WWW-Authenticate" in answer.headers) == (status == 401)
        expected = {
            401: NO_CREDENTIALS,
            403: FORBIDDEN,
            404: {"detail": "No User matches the given query."},
            405: {"detail": f'Method "{method}" not allowed.'},
        }
        assert answer.json() == expected[status]


def test_new_keys_at_the_same_time(service, staff, regular):
    answers = at_once(
        lambda client, n: client.post(path_of(regular.user, "refresh_token/")), staff, range(12), 6
    )
    assert [a.status_code for a in answers] == [200] * 12
    keys = {a.json()["token"] for a in answers}
    assert len(keys) == 12 and service.token_of(regular.user) in keys
    assert sum(Client(service, key).get(ME).status_code == 200 for key in keys) == 1


def test_two_first_keys_at_the_same_time(service, staff):
    user = service.create()
    assert Client(service, service.token_of(user)).post("/api-auth/logout/").status_code == 204

    def refresh():
        return Client(service, staff.token).post(path_of(user, "refresh_token/"))

    answers = service.while_locked(
        [refresh, refresh], "SELECT id FROM users WHERE username = %s FOR UPDATE", user["username"]
    )
    assert [a.status_code for a in answers] == [200, 200]
    assert service.token_of(user) in {a.json()["token"] for a in answers}


# --- a caller whose token somebody else ends or replaces before his request comes to it

ENDED = "DELETE t FROM tokens t JOIN users u ON u.id = t.user_id WHERE u.username = %s"
REPLACED = (
    "REPLACE INTO tokens (user_id, lookup, sealed, created, made)"
    " SELECT t.user_id, RANDOM_BYTES(32), t.sealed, t.created, t.made"
    " FROM tokens t JOIN users u ON u.id = t.user_id WHERE u.username = %s"
)


def secrets_of(service, user):
    return service.sql(
        "SELECT u.password, t.lookup FROM users u LEFT JOIN tokens t ON t.user_id = u.id WHERE u.username = %s",
        user["username"],
    )


@pytest.mark.parametrize("statement", [ENDED, REPLACED], ids=["ended", "replaced"])
@pytest.mark.parametrize("action", ["refresh_token", "change_password"])
def test_a_token_of_before_gets_no_other(service, action, statement):
    """Who changes his password, or has his token ended, is rid of whoever has the old token."""
    caller = service.account(is_staff=True)

    def ask():
        body = {"new_password": "nine bald herons on a roof"}
        return caller.post(path_of(caller.user, f"{action}/"), json=body)

    [answer] = service.while_locked([ask], statement, caller.user["username"])
    assert status_and_json(answer) == (401, {"detail": "Invalid token."})
    [(password, lookup)] = secrets_of(service, caller.user)
    assert password == "" and (lookup is None) == (statement == ENDED)
    assert caller.get(ME).status_code == 401


def test_to_sign_out_ends_no_token_but_the_callers(service):
    caller = service.account()
    [answer] = service.while_locked(
        [lambda: caller.post("/api-auth/logout/")], REPLACED, caller.user["username"]
    )
    assert answer.status_code == 204
    [(_, lookup)] = secrets_of(service, caller.user)
    assert lookup is not None
