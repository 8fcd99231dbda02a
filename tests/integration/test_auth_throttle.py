"""What stands against guessing passwords."""

import math
from concurrent.futures import ThreadPoolExecutor

import pytest
from service import Client, unique

WRONG = (401, {"detail": "Invalid username/password."})
LOCKED = (401, {"detail": "Username is locked out. Try in 10 minutes."})
PASSWORD = "a heron on the roof"


@pytest.fixture(scope="module")
def service():
    """An instance with the limits that hold by default, and one network for all of its clients."""
    from service import Service

    instance = Service(config="network_failures = 1000\n")
    yield instance
    instance.close()


@pytest.fixture
def person(service):
    user = service.create(unique("p"))
    answer = service.staff.post(
        f"/api/users/{user['uuid']}/change_password/", json={"new_password": PASSWORD}
    )
    assert answer.status_code == 200, answer.text
    return user


def sign_in(service, username, password="wrong"):
    answer = Client(service, None).post(
        "/api-auth/password/", json={"username": username, "password": password}
    )
    return answer.status_code, answer.json()


def strangers_fail(service, username, failures):
    """Failures of the account as if from elsewhere: the counter is what one of here is, moved."""
    sign_in(service, username)
    service.sql(
        "UPDATE login_failures SET failures = %s WHERE kind = 'account' ORDER BY id DESC LIMIT 1", failures
    )


def has_to_wait(service, username, counter, wait):
    """Signing in is throttled for so many seconds after the last failure, which is moved ahead: this may take longer."""

    newest = "WHERE kind = %s ORDER BY id DESC LIMIT 1"

    def left():
        ((seconds,),) = service.sql(
            f"SELECT TIMESTAMPDIFF(MICROSECOND, UTC_TIMESTAMP(6), last) / 1e6 FROM login_failures {newest}", counter)
        return math.ceil(seconds + wait)

    service.sql(f"UPDATE login_failures SET last = last + INTERVAL 100 SECOND {newest}", counter)
    most = left()
    answer = Client(service, None).post("/api-auth/password/", json={"username": username, "password": PASSWORD})
    assert answer.status_code == 429
    seconds = int(answer.headers["Retry-After"])
    assert left() <= seconds <= most
    assert answer.json() == {"detail": f"Request was throttled. Expected available in {seconds} seconds."}


def test_at_once_no_more_get_through_than_workers_compare(service, person):
    """lockout_failures + slow_workers - 1, as docs/security.md says."""
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: sign_in(service, person["username"]), range(16)))
    wrong = answers.count(WRONG)
    assert 4 <= wrong <= 5 and answers.count(LOCKED) == 16 - wrong


@pytest.mark.parametrize("kind", ["known", "unknown", "inactive"])
def test_the_fifth_try_is_locked_out_whoever_it_is(service, person, kind):
    username = person["username"] if kind != "unknown" else unique("nobody")
    if kind == "inactive":
        service.staff.patch(f"/api/users/{person['uuid']}/", json={"is_active": False})
    assert [sign_in(service, username) for _ in range(6)] == [WRONG] * 4 + [LOCKED] * 2


def test_the_right_password_does_not_open_the_lock_and_tries_do_not_extend_it(service, person):
    for _ in range(4):
        sign_in(service, person["username"])
    before = service.sql("SELECT MAX(last) FROM login_failures")
    assert sign_in(service, person["username"], PASSWORD) == LOCKED
    assert service.sql("SELECT MAX(last) FROM login_failures") == before


def test_the_lock_ends(service, person):
    for _ in range(4):
        sign_in(service, person["username"])
    service.sql("UPDATE login_failures SET last = last - INTERVAL 601 SECOND")
    assert sign_in(service, person["username"]) == WRONG
    assert sign_in(service, person["username"], PASSWORD)[0] == 200


def test_success_clears_the_count(service, person):
    for _ in range(3):
        sign_in(service, person["username"])
    assert sign_in(service, person["username"], PASSWORD)[0] == 200
    assert [sign_in(service, person["username"]) for _ in range(5)] == [WRONG] * 4 + [LOCKED]


def test_a_wrong_current_password_counts_too(service, person):
    client = Client(service, service.token_of(person))
    path = f"/api/users/{person['uuid']}/change_password/"
    body = {"new_password": "three grey herons", "current_password": "wrong"}
    for _ in range(4):
        answer = client.post(path, json=body)
        assert (answer.status_code, answer.json()) == (
            400,
            {"current_password": ["Invalid password."]},
        )
    answer = client.post(path, json=body)
    assert (answer.status_code, answer.json()) == LOCKED
    assert sign_in(service, person["username"], PASSWORD) == LOCKED


@pytest.mark.parametrize("failures, wait", [(10, 1), (11, 2), (14, 16), (30, 900)])
def test_strangers_wait_longer_and_longer(service, person, failures, wait):
    strangers_fail(service, person["username"], failures)
    has_to_wait(service, person["username"], "account", wait)


def test_the_owner_is_let_in_from_where_he_has_signed_in_before(service, person):
    assert sign_in(service, person["username"], PASSWORD)[0] == 200
    strangers_fail(service, person["username"], 30)
    assert sign_in(service, person["username"], PASSWORD)[0] == 200
    service.sql("UPDATE login_networks SET last = last - INTERVAL 91 DAY")
    assert sign_in(service, person["username"], PASSWORD)[0] == 429


def test_unknown_users_wait_as_known_ones_do(service):
    username = unique("nobody")
    strangers_fail(service, username, 30)
    assert sign_in(service, username)[0] == 429


def test_who_waits_is_not_counted(service, person):
    strangers_fail(service, person["username"], 30)
    before = service.sql("SELECT SUM(failures) FROM login_failures")
    assert sign_in(service, person["username"])[0] == 429
    assert service.sql("SELECT SUM(failures) FROM login_failures") == before


def test_a_network_with_many_failures_waits(own_service):
    service = own_service(config="network_failures = 3\nlockout_failures = 100\n")
    user = service.create()
    assert [sign_in(service, unique("n")) for _ in range(3)] == [WRONG] * 3
    has_to_wait(service, user["username"], "network", 1)


def test_nothing_typed_is_stored(service):
    typed = unique("my-password-by-mistake")
    sign_in(service, typed)
    assert not service.sql(
        "SELECT 1 FROM login_failures WHERE INSTR(subject, %s)", typed
    )
    assert typed not in service.log_file.read_text()
