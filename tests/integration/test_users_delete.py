"""DELETE /api/users/{uuid}/: who may, and what goes with the user."""

import pytest
from service import unique
from users import (
    FORBIDDEN,
    NO_CREDENTIALS,
    NOT_FOUND,
    UNKNOWN,
    at_once,
    new_body,
    path_of,
    status_and_json,
)

INVALID_TOKEN = {"detail": "Invalid token."}


@pytest.fixture(scope="module")
def cast(service):
    return {
        "himself": service.account(),
        "another": service.account(),
        "inactive": service.account(is_active=False),
        "support": service.account(is_support=True),
        "staff": service.account(is_staff=True),
    }


@pytest.mark.parametrize("target", ["himself", "another", "inactive", "support", "staff"])
def test_only_staff_may(service, cast, nobody, target):
    path = path_of(cast[target].user)
    assert status_and_json(nobody.delete(path)) == (401, NO_CREDENTIALS)
    for caller in ("himself", "support"):
        assert status_and_json(cast[caller].delete(path)) == (403, FORBIDDEN)
    assert service.staff.get(path).json() == cast[target].user


def test_others_are_not_told_who_is_there(cast):
    for caller in ("himself", "support"):
        answer = cast[caller].delete(f"/api/users/{UNKNOWN}/")
        assert status_and_json(answer) == (403, FORBIDDEN)


def test_the_answer_is_empty(service, staff):
    user = service.create()
    answer = staff.delete(path_of(user))
    assert (answer.status_code, answer.content) == (204, b"")
    assert "Content-Type" not in answer.headers and "Content-Length" not in answer.headers
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
        answer = staff.request(method, path_of(user))
        assert answer.status_code == 404
        assert method == "HEAD" or answer.json() == NOT_FOUND
    assert staff.get(f"/api/users/?username={user['username']}").json() == []


@pytest.mark.parametrize(
    "fields",
    [{}, {"is_active": False}, {"is_support": True}, {"is_staff": True}, {"agreed": False}],
)
def test_staff_delete_anyone(service, staff, fields):
    user = service.create(**fields)
    assert staff.delete(path_of(user)).status_code == 204
    assert staff.get(path_of(user)).status_code == 404


def test_staff_delete_even_themselves(service):
    client = service.account(is_staff=True)
    assert client.delete(path_of(client.user)).status_code == 204
    assert status_and_json(client.get("/api/users/me/")) == (401, INVALID_TOKEN)


def test_uuids_in_any_form(service, staff):
    for form in (str.upper, lambda uuid: uuid.replace("-", "")):
        user = service.create()
        assert staff.delete(f"/api/users/{form(user['uuid'])}/").status_code == 204
        assert staff.get(path_of(user)).status_code == 404


def test_an_unknown_uuid(staff):
    assert status_and_json(staff.delete(f"/api/users/{UNKNOWN}/")) == (404, NOT_FOUND)


def test_a_body_is_not_looked_at(service, staff):
    user = service.create()
    headers = {"Content-Type": "application/json"}
    assert staff.delete(path_of(user), data="rubbish", headers=headers).status_code == 204


def test_field_and_filters_do_not_matter(service, staff):
    user = service.create()
    assert staff.delete(path_of(user) + "?field=uuid&is_staff=true").status_code == 204


def test_token_and_password_are_gone(service, staff):
    client = service.account()
    path = path_of(client.user)
    password = {"new_password": "nine bald herons on a roof"}
    assert staff.post(path + "change_password/", json=password).status_code == 200
    client.token = service.token_of(client.user)
    assert client.get("/api/users/me/").status_code == 200
    assert staff.delete(path).status_code == 204
    assert status_and_json(client.get("/api/users/me/")) == (401, INVALID_TOKEN)
    login = {"username": client.user["username"], "password": password["new_password"]}
    answer = service.nobody.post("/api-auth/password/", json=login)
    assert status_and_json(answer) == (401, {"detail": "Invalid username/password."})


def rows_of_user(service, user_id):
    """How many rows refer to a user, by table and column."""
    columns = service.sql(
        "SELECT table_name, column_name FROM information_schema.key_column_usage"
        " WHERE table_schema = DATABASE() AND referenced_table_name = 'users'"
    )
    assert ("tokens", "user_id") in columns
    return {
        (table, column): service.sql(f"SELECT COUNT(*) FROM `{table}` WHERE `{column}` = %s", user_id)[0][0]
        for table, column in columns
    }


def test_nothing_that_was_his_stays(service, staff):
    user = service.create()
    ((user_id,),) = service.sql("SELECT id FROM users WHERE username = %s", user["username"])
    assert any(rows_of_user(service, user_id).values())
    assert staff.delete(path_of(user)).status_code == 204
    assert not any(rows_of_user(service, user_id).values())


def test_others_keep_what_is_theirs(service, staff):
    client, user = service.account(), service.create()
    before = client.get("/api/users/me/").json()
    assert staff.delete(path_of(user)).status_code == 204
    assert client.get("/api/users/me/").json() == before


def test_the_events_stay(service, staff):
    user = service.create()
    staff.delete(path_of(user))
    events = service.sql(
        "SELECT event, actor_username, changes FROM audit_events"
        " WHERE subject_uuid = UNHEX(%s) ORDER BY id",
        user["uuid"].replace("-", ""),
    )
    assert events[0][0] == "user_creation_succeeded"
    assert events[-1][:2] == ("user_deletion_succeeded", "staff")
    assert user["username"] in events[-1][2]


def test_the_names_are_free_again(service, staff):
    body = new_body(slug=unique("slug"))
    first = staff.post("/api/users/", json=body).json()
    staff.delete(path_of(first))
    second = staff.post("/api/users/", json=body)
    assert second.status_code == 201
    assert second.json()["slug"] == body["slug"]
    assert second.json()["uuid"] != first["uuid"]


def test_of_many_at_once_one_deletes(crowded):
    for _ in range(5):
        path = path_of(crowded.create())
        answers = at_once(lambda client, url: client.delete(url), crowded.staff, [path] * 10)
        assert sorted(a.status_code for a in answers) == [204] + [404] * 9


def test_without_the_last_slash_nothing_is_deleted(service, staff):
    user = service.create()
    assert staff.delete(path_of(user)[:-1]).status_code == 404
    assert staff.get(path_of(user)).json() == user
