"""Entity tags, conditional requests and Idempotency-Key."""

import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from service import unique

CHANGED = {"detail": "The object has changed since it was read."}


def path_of(user):
    return f"/api/users/{user['uuid']}/"


def etag(client, path):
    return client.get(path).headers["ETag"]


# --- entity tags


def test_an_object_has_a_strong_tag_which_reading_does_not_change(service, staff):
    path = path_of(service.create())
    tag = etag(staff, path)
    assert tag.startswith('"') and tag.endswith('"')
    assert etag(staff, path) == tag
    assert staff.head(path).headers["ETag"] == tag


def test_every_write_answers_with_the_new_tag(service, staff):
    username = unique("u")
    created = staff.post("/api/users/", json={"username": username, "email": "a@example.org"})
    path = path_of(created.json())
    assert etag(staff, path) == created.headers["ETag"]
    changed = staff.patch(path, json={"first_name": "A", "agree_with_policy": True})
    assert changed.headers["ETag"] != created.headers["ETag"]
    assert etag(staff, path) == changed.headers["ETag"]


def test_the_tag_is_of_what_the_reader_sees(service, staff):
    client = service.account()
    path = path_of(client.user)
    assert etag(staff, path) != etag(client, path)
    assert etag(staff, path) != etag(staff, path + "?field=username")


def test_a_list_has_no_tag(staff):
    assert "ETag" not in staff.get("/api/users/").headers


@pytest.mark.parametrize("path", ["/api/users/me/", "own"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_if_none_match_answers_304_without_a_body(service, method, path):
    client = service.account()
    path = path_of(client.user) if path == "own" else path
    tag = etag(client, path)
    for listed in (tag, f'"x", {tag}', f"W/{tag}", "*"):
        answer = client.request(method, path, headers={"If-None-Match": listed})
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)
    answer = client.request(method, path, headers={"If-None-Match": '"another"'})
    assert answer.status_code == 200


# --- If-Match


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_if_match_lets_through_who_has_seen_the_latest(service, staff, method):
    path = path_of(service.create())
    tag = etag(staff, path)
    answer = staff.request(method, path, json={"first_name": "A"}, headers={"If-Match": tag})
    assert answer.status_code == 200
    answer = staff.request(method, path, json={"first_name": "B"}, headers={"If-Match": tag})
    assert (answer.status_code, answer.json()) == (412, CHANGED)
    assert staff.get(path).json()["first_name"] == "A"
    answer = staff.request(method, path, json={"first_name": "C"}, headers={"If-Match": "*"})
    assert answer.status_code == 200


def test_if_match_takes_the_tag_of_any_view(service, staff):
    client = service.account()
    path = path_of(client.user)
    tag = etag(client, path + "?field=username")
    assert client.patch(path, json={"job_title": "x"}, headers={"If-Match": tag}).status_code == 200


@pytest.mark.parametrize("value", ['"', "", "rubbish", '"x"', '"1x-0"', "W/*", '"99-0000000000000000"'])
def test_if_match_with_anything_else_is_412(service, staff, value):
    path = path_of(service.create())
    answer = staff.patch(path, json={"first_name": "A"}, headers={"If-Match": value})
    assert (answer.status_code, answer.json()) == (412, CHANGED)


def test_if_match_does_not_take_weak_tags(service, staff):
    path = path_of(service.create())
    weak = "W/" + etag(staff, path)
    assert staff.patch(path, json={"first_name": "A"}, headers={"If-Match": weak}).status_code == 412


def test_delete_with_if_match(service, staff):
    path = path_of(service.create())
    tag = etag(staff, path)
    staff.patch(path, json={"first_name": "A"})
    assert staff.delete(path, headers={"If-Match": tag}).status_code == 412
    assert staff.get(path).status_code == 200
    assert staff.delete(path, headers={"If-Match": etag(staff, path)}).status_code == 204


def test_actions_with_if_match(service, staff):
    user = service.create()
    path = path_of(user)
    tag, key = etag(staff, path), service.token_of(user)
    staff.patch(path, json={"first_name": "A"})
    answer = staff.post(path + "refresh_token/", headers={"If-Match": tag})
    assert (answer.status_code, answer.json()) == (412, CHANGED)
    assert service.token_of(user) == key
    answer = staff.post(path + "refresh_token/", headers={"If-Match": etag(staff, path)})
    assert answer.status_code == 200


def test_of_many_writers_with_one_tag_one_wins(service, staff):
    path = path_of(service.create())
    headers = {"If-Match": etag(staff, path)}

    def write(i):
        return service.staff.__class__(service, staff.token).patch(
            path, json={"first_name": f"W{i}"}, headers=headers
        )

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(a.status_code for a in pool.map(write, range(8)))
    assert statuses == [200] + [412] * 7


# --- Idempotency-Key


def post(client, body, key, path="/api/users/", **options):
    return client.post(path, json=body, headers={"Idempotency-Key": key}, **options)


def new_user():
    username = unique("u")
    return {"username": username, "email": f"{username}@example.org"}


def test_the_same_request_again_gets_the_first_answer(service, staff):
    key, body = unique("key"), new_user()
    first = post(staff, body, key)
    again = post(staff, body, key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    for header in ("Location", "ETag", "Content-Type"):
        assert again.headers[header] == first.headers[header]
    assert staff.get(f"/api/users/?username={body['username']}").headers["X-Result-Count"] == "1"


def test_the_format_of_the_body_does_not_count(staff):
    key, body = unique("key"), new_user()
    headers = {"Idempotency-Key": key}
    first = staff.post("/api/users/", data=body, headers=headers)
    again = staff.post("/api/users/", files={k: (None, v) for k, v in body.items()}, headers=headers)
    assert (first.status_code, again.content) == (201, first.content)


def test_another_body_or_query_with_the_key_is_422(staff):
    key, body = unique("key"), new_user()
    assert post(staff, body, key).status_code == 201
    detail = {"detail": "This Idempotency-Key was used before with another request."}
    for other in (post(staff, new_user(), key), post(staff, body, key, path="/api/users/?field=uuid")):
        assert (other.status_code, other.json()) == (422, detail)


def test_a_key_belongs_to_its_caller_and_path(service, staff):
    key, user = unique("key"), service.create()
    second = service.account(is_staff=True)
    first = post(staff, {}, key, path=f"{path_of(user)}refresh_token/")
    other = post(second, {}, key, path=f"{path_of(user)}refresh_token/")
    another = post(staff, {}, key, path=f"{path_of(service.create())}refresh_token/")
    assert [a.status_code for a in (first, other, another)] == [200, 200, 200]
    assert len({a.json()["token"] for a in (first, other, another)}) == 3
    assert post(staff, {}, key, path=f"{path_of(user)}refresh_token/").json() == first.json()


def test_a_key_of_an_impersonator_is_not_the_user_s(service, staff):
    """Nor would it be good if he got an answer that was staff's."""
    person, key, body = service.account(), unique("key"), {"email": f"{unique('new')}@example.org"}
    path = f"{path_of(person.user)}change_email/"
    headers = {"Idempotency-Key": key, "X-Impersonated-User-Uuid": person.user["uuid"]}
    told = [staff.post(path, json=body, headers=headers).headers for _ in range(2)]
    assert ["Idempotent-Replayed" in h for h in told] == [False, True]
    assert all("X-impersonator-uuid" in h for h in told)
    own = post(person, body, key, path)
    assert own.status_code == 200
    assert not {"Idempotent-Replayed", "X-impersonator-uuid"} & set(own.headers)


def test_a_refused_request_may_be_corrected_under_its_key(staff):
    key, body = unique("key"), new_user()
    assert post(staff, {**body, "email": "x"}, key).status_code == 400
    assert post(staff, body, key).status_code == 201


def test_a_wrong_current_password_may_be_corrected_under_its_key(service, staff):
    """It counts as a failed sign-in: the refusal is committed."""
    key, client = unique("key"), service.account()
    path, body = f"{path_of(client.user)}change_password/", {"new_password": "two herons by the lake"}
    assert staff.post(path, json={"new_password": "a heron on the roof"}).status_code == 200
    client.token = service.token_of(client.user)
    assert post(client, {**body, "current_password": "a hen"}, key, path).status_code == 400
    assert post(client, {**body, "current_password": "a heron on the roof"}, key, path).status_code == 200


def test_after_a_day_the_key_is_free(service, staff):
    key, body = unique("key"), new_user()
    assert post(staff, body, key).status_code == 201
    service.sql("UPDATE idempotency_keys SET created = created - INTERVAL 25 HOUR")
    assert post(staff, body, key).status_code == 400  # run again: the username is taken


def test_many_at_once_are_done_once(service, staff):
    key, body = unique("key"), new_user()

    def send(_):
        return post(service.staff.__class__(service, staff.token), body, key)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    assert {a.status_code for a in answers} <= {201, 409}
    assert len({a.content for a in answers if a.status_code == 201}) == 1
    busy = {"detail": "A request with the same Idempotency-Key is still being processed."}
    assert all(a.json() == busy for a in answers if a.status_code == 409)
    assert staff.get(f"/api/users/?username={body['username']}").headers["X-Result-Count"] == "1"


def test_while_the_first_still_runs_the_second_gets_409(service, staff):
    key, body = unique("key"), new_user()
    assert post(staff, body, key).status_code == 201
    with contextlib.closing(service.connect()) as holder:
        holder.cursor().execute("SELECT id FROM idempotency_keys FOR UPDATE")
        answer = post(staff, body, key)
        holder.rollback()  # or it ends at some time after the connection
    assert answer.status_code == 409
    assert post(staff, body, key).status_code == 201


def test_stored_answers_are_sealed(service, staff):
    key, user = unique("key"), service.create()
    token = post(staff, {}, key, path=f"{path_of(user)}refresh_token/").json()["token"]
    rows = service.sql("SELECT answer FROM idempotency_keys WHERE answer IS NOT NULL")
    assert rows and not any(token.encode() in row[0] for row in rows)


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_that_is_none(staff, key):
    answer = post(staff, new_user(), key)
    assert (answer.status_code, answer.json()) == (
        400,
        {"detail": "Idempotency-Key must have 1 to 255 characters."},
    )


def test_other_methods_ignore_the_key(service, staff):
    path, key = path_of(service.create()), unique("key")
    for name in ("A", "B"):
        answer = staff.patch(path, json={"first_name": name}, headers={"Idempotency-Key": key})
        assert answer.json()["first_name"] == name


# --- problem details


def test_errors_as_problem_details(staff, nobody):
    headers = {"Accept": "application/problem+json"}
    answer = nobody.get("/api/users/", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "detail": "Authentication credentials were not provided.",
        "instance": "/api/users/",
    }
    answer = staff.post("/api/users/", json={"username": "UPPER", "email": "x"}, headers=headers)
    assert answer.json() == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "The request has invalid values.",
        "instance": "/api/users/",
        "errors": {
            "username": ["Enter a valid username."],
            "email": ["Enter a valid email address."],
        },
    }
    assert staff.get("/api/users/me/", headers=headers).headers["Content-Type"] == "application/json"
