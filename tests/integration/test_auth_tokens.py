"""/api/auth-tokens/: everybody's tokens, for staff."""

import pytest
from users import FORBIDDEN, NO_CREDENTIALS, STAMP, UNKNOWN, status_and_json

PATH = "/api/auth-tokens/"
NOT_FOUND = {"detail": "No Token matches the given query."}


@pytest.fixture
def callers(staff, support, regular, nobody):
    return {"staff": staff, "support": support, "regular": regular, "nobody": nobody}


def number_of(service, user):
    """The user's number, by which his token goes."""
    return service.sql("SELECT id FROM users WHERE username = %s", user["username"])[0][0]


def one(service, user):
    return f"{PATH}{number_of(service, user)}/"


def listed(staff, user):
    answer = staff.get(f"{PATH}?user_uuid={user['uuid']}")
    assert answer.status_code == 200
    assert answer.headers["X-Result-Count"] == str(len(answer.json()))
    return answer.json()


def test_an_item(service, staff, regular):
    user = regular.user
    token = staff.get(one(service, user)).json()
    assert STAMP.fullmatch(token["created"])
    assert list(token.items()) == [
        ("url", service.url + one(service, user)),
        ("created", token["created"]),
        ("user", user["url"]),
        ("user_first_name", "Regular"),
        ("user_last_name", "User"),
        ("user_username", user["username"]),
        ("user_is_active", True),
        ("user_token_lifetime", 3600),
    ]
    assert listed(staff, user) == [token]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "caller, status, body",
    [("nobody", 401, NO_CREDENTIALS), ("regular", 403, FORBIDDEN), ("support", 403, FORBIDDEN)],
)
def test_only_staff(service, callers, regular, method, caller, status, body):
    for path in (PATH, one(service, regular.user), f"{PATH}0/", f"{PATH}x/"):
        answer = callers[caller].request(method, path)
        assert answer.status_code == status
        assert method == "HEAD" or answer.json() == body


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_nothing_is_written(service, staff, regular, method):
    for path in (PATH, one(service, regular.user)):
        answer = staff.request(method, path, json={})
        assert status_and_json(answer) == (405, {"detail": f'Method "{method}" not allowed.'})


def test_the_list_itself_is_not_deleted(staff):
    assert staff.delete(PATH).status_code == 405


def test_delete(service, staff, regular):
    path = one(service, regular.user)
    answer = staff.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert status_and_json(regular.get("/api/users/me/")) == (401, {"detail": "Invalid token."})
    for method in ("GET", "DELETE"):
        assert status_and_json(staff.request(method, path)) == (404, NOT_FOUND)
    assert listed(staff, regular.user) == []
    events = service.sql(
        "SELECT event FROM audit_events WHERE subject_uuid = UNHEX(%s) ORDER BY id DESC LIMIT 1",
        regular.user["uuid"].replace("-", ""),
    )
    assert events == (("token_deleted",),)


def test_conditions(service, staff, regular):
    path = one(service, regular.user)
    etag = staff.get(path).headers["ETag"]
    assert staff.patch(regular.user["url"], json={"job_title": "Cook"}).status_code == 200
    assert staff.delete(path, headers={"If-Match": etag}).status_code == 412
    assert regular.get("/api/users/me/").status_code == 200


def set_token(service, user, age, lifetime):
    service.sql(
        "UPDATE tokens t JOIN users u ON u.id = t.user_id"
        " SET t.created = UTC_TIMESTAMP(6) - INTERVAL %s SECOND, u.token_lifetime = %s"
        " WHERE u.username = %s",
        age, lifetime, user["username"],
    )


@pytest.mark.parametrize(
    "age, lifetime, found",
    [(0, 60, True), (50, 60, True), (70, 60, False), (10_000_000, None, True), (3700, 3600, False)],
)
def test_only_tokens_that_have_not_expired_are_listed(service, staff, age, lifetime, found):
    user = service.create()
    set_token(service, user, age, lifetime)
    tokens = listed(staff, user)
    assert [token["user_token_lifetime"] for token in tokens] == ([lifetime] if found else [])


def test_an_expired_token_is_there_by_its_number(service, staff):
    user = service.create()
    set_token(service, user, 7200, 3600)
    assert staff.get(one(service, user)).json()["user_username"] == user["username"]
    assert staff.delete(one(service, user)).status_code == 204


def test_inactive_users_have_tokens_too(service, staff):
    user = service.create(is_active=False)
    assert [token["user_is_active"] for token in listed(staff, user)] == [False]


def test_ordered_by_user_and_paged(service, staff):
    for _ in range(3):
        service.create()
    answer = staff.get(PATH + "?page_size=300")
    numbers = [int(token["url"].rsplit("/", 2)[1]) for token in answer.json()]
    assert numbers == sorted(numbers)
    assert "token" not in answer.json()[0]

    first = staff.get(PATH + "?page_size=2")
    assert first.json() and [t["url"] for t in first.json()] == [t["url"] for t in answer.json()[:2]]
    second = staff.get(first.links["next"]["url"])
    assert [t["url"] for t in second.json()] == [t["url"] for t in answer.json()[2:4]]


@pytest.mark.parametrize("uuid, status, body", [
    (UNKNOWN, 200, []),
    ("x", 400, {"user_uuid": ["Enter a valid UUID."]}),
    ("1", 400, {"user_uuid": ["Enter a valid UUID."]}),
])
def test_filter_user_uuid(staff, uuid, status, body):
    assert status_and_json(staff.get(f"{PATH}?user_uuid={uuid}")) == (status, body)


def test_filter_takes_both_forms_of_a_uuid(staff, regular):
    uuid = regular.user["uuid"].replace("-", "").upper()
    assert len(staff.get(f"{PATH}?user_uuid={uuid}").json()) == 1
    assert len(staff.get(f"{PATH}?user_uuid=").json()) > 0


@pytest.mark.parametrize(
    "number",
    ["0", "-1", "999999999", "9223372036854775807", "9223372036854775808", "x", "1.0", "1e3", "0x1",
     "%20", "1%20", UNKNOWN, "%00", "'"],
)
def test_what_is_no_number_of_a_user_is_404_or_400(staff, number):
    for method in ("GET", "DELETE"):
        assert staff.request(method, f"{PATH}{number}/").status_code in (404, 400)
