"""/api/users/me/: the caller himself, with the address that he calls from."""

import pytest
from users import (
    FORBIDDEN,
    NO_CREDENTIALS,
    UNKNOWN,
    fields_seen,
    path_of,
    statements,
    status_and_json,
)

ME = "/api/users/me/"


@pytest.fixture(scope="module")
def callers(service):
    return {
        "regular": service.account(),
        "support": service.account(is_support=True),
        "staff": service.account(is_staff=True),
    }


@pytest.mark.parametrize("caller", ["regular", "support", "staff"])
def test_own_object_and_the_address(callers, caller):
    client = callers[caller]
    answer = client.get(ME)
    assert answer.status_code == 200
    assert list(answer.json()) == fields_seen(team=caller != "regular", own=True) + ["ip_address"]
    assert answer.json() == {**client.get(path_of(client.user)).json(), "ip_address": "127.0.0.1"}
    assert answer.json()["token"] == client.token


def test_nobody_is_401(nobody):
    answer = nobody.get(ME)
    assert status_and_json(answer) == (401, NO_CREDENTIALS)
    assert answer.headers["WWW-Authenticate"] == "Token"


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-For", "X-Real-IP", "X-Client-IP", "Client-IP", "Remote-Addr", "REMOTE_ADDR",
     "True-Client-IP", "CF-Connecting-IP"],
)
def test_a_client_cannot_choose_his_address(callers, header):
    answer = callers["regular"].get(ME, headers={header: "203.0.113.9"})
    assert answer.json()["ip_address"] == "127.0.0.1"


def test_nor_by_the_standard_header(callers):
    answer = callers["regular"].get(ME, headers={"Forwarded": "for=203.0.113.9;host=evil.example"})
    assert answer.json()["ip_address"] == "127.0.0.1"
    assert "evil.example" not in answer.text


@pytest.mark.parametrize(
    "query, fields",
    [
        ("field=uuid", ["uuid", "ip_address"]),
        ("field=slug&field=uuid", ["uuid", "slug", "ip_address"]),
        ("field=ip_address", fields_seen(team=False, own=True) + ["ip_address"]),
        ("field=nonsense", fields_seen(team=False, own=True) + ["ip_address"]),
        ("field=is_staff", ["ip_address"]),
    ],
)
def test_the_address_is_there_whatever_field_says(callers, query, fields):
    answer = callers["regular"].get(f"{ME}?{query}")
    assert answer.status_code == 200
    assert list(answer.json()) == fields


def test_filters_do_not_hold(callers):
    answer = callers["regular"].get(f"{ME}?is_staff=true&username=x&date_joined=rubbish&page=9")
    assert answer.json() == callers["regular"].get(ME).json()


def test_head(callers):
    get, head = (callers["regular"].request(method, ME) for method in ("GET", "HEAD"))
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]


def test_options(nobody):
    answer = nobody.options(ME)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_it_can_only_be_read(callers, nobody, method):
    answers = {name: client.request(method, ME) for name, client in callers.items()}
    assert status_and_json(nobody.request(method, ME)) == (401, NO_CREDENTIALS)
    assert status_and_json(answers["regular"]) == (403, FORBIDDEN)
    assert status_and_json(answers["support"]) == (403, FORBIDDEN)
    assert status_and_json(answers["staff"]) == (405, {"detail": f'Method "{method}" not allowed.'})
    assert answers["staff"].headers["Allow"] == "GET, HEAD, OPTIONS"


def test_without_the_last_slash_it_is_a_redirect(service, callers):
    answer = callers["regular"].get("/api/users/me?field=uuid")
    assert (answer.status_code, answer.content) == (301, b"")
    assert answer.headers["Location"] == service.url + "/api/users/me/?field=uuid"


def test_impersonated_it_is_the_other(callers):
    target = callers["regular"].user["uuid"]
    answer = callers["staff"].get(ME, headers={"X-Impersonated-User-Uuid": target})
    assert answer.json() == callers["regular"].get(ME).json()
    assert answer.headers["X-impersonator-uuid"] == callers["staff"].user["uuid"]
    answer = callers["staff"].get(ME, headers={"X-Impersonated-User-Uuid": UNKNOWN})
    assert answer.json()["uuid"] == callers["staff"].user["uuid"]


def test_at_most_two_statements(service, callers):
    for client in callers.values():
        assert statements(service, client.get(ME)) <= 2
