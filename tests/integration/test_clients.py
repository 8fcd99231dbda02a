"""What clients made from the reference rely on, a test for each of their habits."""

import json
import re
import uuid

import pytest
from service import unique
from users import STAMP, path_of
from wire import Connection, exchange, request_bytes

USERS = "/api/users/"
ME = "/api/users/me/"
PASSWORD = "a heron on the roof"
TOKEN_KEYS = [
    "created", "user_first_name", "user_last_name", "user_username", "user_is_active",
    "user_token_lifetime", "token",
]  # fmt: skip


@pytest.fixture(scope="module")
def team(service, staff):
    """A customer with a project, and somebody who holds a role in each."""
    client = service.account(first_name="Ülle", last_name="Õun")
    customer = staff.post("/api/customers/", json={"name": unique("c")}).json()
    project = staff.post(
        "/api/projects/", json={"name": unique("p"), "customer": customer["url"]}
    ).json()
    for path, role in (("customers", "CUSTOMER.OWNER"), ("projects", "PROJECT.ADMIN")):
        scope = customer if path == "customers" else project
        grant = {"role": role, "user": client.user["uuid"]}
        answer = staff.post(f"/api/{path}/{scope['uuid']}/add_user/", json=grant)
        assert answer.status_code == 201
    client.customer, client.project = customer, project
    return client


def empty(answer):
    """Nothing to parse: JavaScript clients look at the length, and then at the type."""
    assert answer.content == b""
    assert answer.headers.get("Content-Length", "0") == "0"
    assert "Content-Type" not in answer.headers
    return True


# --- status codes


def test_success_has_one_status(service, staff, team):
    user = service.create()
    path = path_of(user)
    customer = f"/api/customers/{team.customer['uuid']}/"
    grant = {"role": "CUSTOMER.SUPPORT", "user": user["uuid"]}
    assert staff.get(USERS).status_code == 200
    assert staff.get(path).status_code == 200
    assert staff.patch(path, json={"last_name": "x"}).status_code == 200
    assert staff.put(path, json={"last_name": "y"}).status_code == 200
    assert staff.get(path + "token/").status_code == 200
    assert staff.post(path + "refresh_token/").status_code == 200
    assert staff.post(path + "change_password/", json={"new_password": PASSWORD}).status_code == 200
    assert staff.post(path + "change_email/", json={"email": "n@example.org"}).status_code == 200
    assert staff.post(path + "cancel_change_email/").status_code == 200
    assert staff.post(customer + "add_user/", json=grant).status_code == 201
    assert staff.post(customer + "update_user/", json=grant).status_code == 200
    answer = staff.post(customer + "delete_user/", json=grant)
    assert answer.status_code == 200 and empty(answer)
    fields = {"username": user["username"], "password": PASSWORD}
    answer = service.nobody.post("/api-auth/password/", json=fields)
    assert (answer.status_code, list(answer.json())) == (200, ["token"])
    answer = staff.delete(path)
    assert answer.status_code == 204 and answer.content == b""
    assert "Content-Type" not in answer.headers


# --- values and keys


NEVER_NULL = {"uuid", "date_joined", "created", "user_uuid", "role_uuid", "scope_uuid", "customer_uuid", "created_by_uuid"}


def never_null(value):
    if isinstance(value, dict):
        assert not [key for key in NEVER_NULL if value.get(key, 0) is None], value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            never_null(item)


def test_what_is_never_null(service, staff, support, team, nobody):
    """Also of somebody who has nothing, and of a role whose giver is gone."""
    giver = service.account(is_staff=True)
    user = service.create()
    scope = f"/api/customers/{team.customer['uuid']}/"
    grant = {"role": "CUSTOMER.MANAGER", "user": user["uuid"]}
    assert giver.post(scope + "add_user/", json=grant).status_code == 201
    assert staff.delete(path_of(giver.user)).status_code == 204
    for client in (staff, support, team):
        for path in (
            USERS + "?page_size=300",
            ME,
            path_of(user),
            "/api/user-permissions/?page_size=300",
            scope + "list_users/",
            scope + "users/",
            scope,
            f"/api/projects/{team.project['uuid']}/",
            f"/api/projects/{team.project['uuid']}/list_users/",
            "/api/customers/",
            "/api/projects/",
            "/api/user-agreements/",
        ):
            answer = client.get(path)
            if answer.status_code != 404:
                assert answer.status_code == 200, path
                never_null(answer.json())
    assert staff.get(scope).json()["country"] == ""
    assert staff.get(f"/api/projects/{team.project['uuid']}/").json()["kind"] == "default"
    roles = nobody.get("/api/roles/?page_size=300").json()
    assert {role["content_type"] for role in roles} == {"customer", "project"}


def test_required_keys(service, staff, team):
    user = service.create(token_lifetime=60)
    for answer in (
        staff.get(path_of(user, "token/")),
        staff.post(path_of(user, "refresh_token/")),
        staff.get(ME.replace("me", staff.get(ME).json()["uuid"]) + "token/"),
    ):
        assert list(answer.json()) == TOKEN_KEYS
    assert answer.json()["user_token_lifetime"] is None
    scope = f"/api/projects/{team.project['uuid']}/"
    grant = {"role": "PROJECT.MEMBER", "user": user["uuid"]}
    assert staff.post(scope + "add_user/", json=grant).json() == {"expiration_time": None}
    assert staff.post(scope + "update_user/", json=grant).json() == {"expiration_time": None}
    (item,) = staff.get("/api/auth-tokens/", params={"user_uuid": user["uuid"]}).json()
    assert set(item) >= {
        "url", "created", "user", "user_first_name", "user_last_name", "user_username",
        "user_is_active", "user_token_lifetime",
    }  # fmt: skip
    assert isinstance(staff.get("/api/version/").json()["version"], str)


def test_uuids_with_dashes_and_without(service, staff, team):
    user = service.create()
    plain = user["uuid"].replace("-", "")
    dashed = str(uuid.UUID(plain))
    for form in (plain, dashed, plain.upper(), dashed.upper()):
        assert staff.get(f"/api/users/{form}/").json()["username"] == user["username"]
        grant = {"role": "CUSTOMER.MANAGER", "user": form}
        customer = str(uuid.UUID(team.customer["uuid"]))
        for scope in (customer, customer.replace("-", "")):
            path = f"/api/customers/{scope}/"
            assert staff.post(path + "add_user/", json=grant).status_code == 201
            query = {"customer_uuid": scope, "username": user["username"]}
            assert len(staff.get(USERS, params=query).json()) == 1
            assert len(staff.get(path + "list_users/", params={"user": form}).json()) == 1
            assert staff.post(path + "delete_user/", json=grant).status_code == 200


# --- HEAD, Link, query


def test_head_of_a_list_counts(staff, team):
    for path in (USERS, "/api/customers/", "/api/projects/", "/api/roles/", "/api/user-permissions/",
                 "/api/auth-tokens/", "/api/user-agreements/", "/api/events/",
                 f"/api/customers/{team.customer['uuid']}/users/",
                 f"/api/customers/{team.customer['uuid']}/list_users/"):  # fmt: skip
        answer = staff.head(path)
        assert answer.status_code == 200 and empty(answer), path
        assert answer.headers["X-Result-Count"].isdigit(), path


def links(answer):
    """As clients take Link apart: at every comma."""
    found = {}
    for link in answer.headers["Link"].split(","):
        match = re.fullmatch(r' ?<([^<>, ]+)>; rel="(\w+)"', link)
        assert match, link
        found[match[2]] = match[1]
    return found


def test_link_can_be_split_at_commas(service, staff):
    name = unique("link")
    for _ in range(5):
        service.create(first_name=name, last_name="a,b")
    query = f"?full_name={name}%20a%2Cb&o=-full_name,username&page_size=2&field=uuid"
    answer = staff.get(USERS + query)
    seen, pages = [user["uuid"] for user in answer.json()], [1]
    while "next" in (found := links(answer)):
        pages.append(int(re.search(r"[?&]page=(\d+)", found["next"])[1]))
        answer = staff.get(found["next"])
        seen += [user["uuid"] for user in answer.json()]
    assert (pages, len(seen), len(set(seen))) == ([1, 2, 3], 5, 5)
    # Or by the page's number alone, as those do who build the address again.
    third = staff.get(USERS + query + "&page=3").json()
    assert [user["uuid"] for user in third] == seen[4:]


def test_values_in_queries(service, staff):
    name = unique("q")
    user = service.create(organization=name, is_support=True)
    joined = user["date_joined"]
    assert STAMP.fullmatch(joined)

    def found(query):
        answer = staff.get(f"{USERS}?organization={name}&field=username&{query}")
        assert answer.status_code == 200, answer.text
        return len(answer.json())

    for true in ("true", "True", "TRUE", "1"):
        assert found(f"is_support={true}") == 1
        assert found(f"is_staff={true}") == 0
    for false in ("false", "False", "0"):
        assert found(f"is_support={false}") == 0
    assert found("o=full_name&o=-email") == found("o=full_name,-email") == 1
    plain = joined[:-1]
    for same in (joined, plain, plain + "%2B00:00", plain.replace("T", "%20"), plain[:19], plain[:10]):
        assert found(f"date_joined={same}") == 1, same
    for later in ("2099-01-01T00:00:00.123456%2B00:00", "2099-01-01T02:00:00%2B02:00", "2099-01-01"):
        assert found(f"date_joined={later}") == 0
    # An offset is one: eight hours east, the same wall clock is eight hours earlier.
    assert found(f"date_joined={plain[:19]}%2B08:00") == 1
    assert found(f"date_joined={plain[:19]}-08:00") == 0
    answer = staff.get(f"{USERS}?username={user['username']}&field=email&field=username&field=none")
    assert answer.json() == [{"username": user["username"], "email": user["email"]}]
    assert list(answer.json()[0]) == ["username", "email"]


# --- bodies


def test_json_with_only_what_is_set(staff):
    name = unique("j")
    answer = staff.post(USERS, json={"username": name, "email": "j@example.org"})
    assert answer.status_code == 201
    answer = staff.patch(path_of(answer.json()), json={"first_name": "J", "agree_with_policy": True})
    assert (answer.status_code, answer.json()["first_name"]) == (200, "J")


@pytest.mark.parametrize("true, false", [("true", "false"), ("True", "False")])
def test_booleans_in_forms(service, staff, true, false):
    user = service.create()
    for ask in (
        lambda values: staff.patch(path_of(user), data=values),
        lambda values: staff.patch(
            path_of(user),
            files={k: (None, v.encode(), "text/plain") for k, v in values.items()},
        ),
    ):
        answer = ask({"is_support": true, "notifications_enabled": false})
        assert answer.status_code == 200, answer.text
        assert (answer.json()["is_support"], answer.json()["notifications_enabled"]) == (True, False)
        answer = ask({"is_support": false, "notifications_enabled": true})
        assert (answer.json()["is_support"], answer.json()["notifications_enabled"]) == (False, True)


def test_an_empty_part_is_null(service):
    client = service.account()
    path = path_of(client.user)
    client.patch(path, json={"birth_date": "2000-02-29", "token_lifetime": 100})
    for ask in (
        lambda names: client.patch(path, files={n: (None, b"", "text/plain") for n in names}),
        lambda names: client.patch(path, data={n: "" for n in names}),
    ):
        answer = client.patch(path, json={"birth_date": "2000-02-29", "token_lifetime": 100})
        assert (answer.json()["birth_date"], answer.json()["token_lifetime"]) == ("2000-02-29", 100)
        answer = ask(["birth_date", "token_lifetime", "image"])
        assert answer.status_code == 200, answer.text
        user = answer.json()
        assert (user["birth_date"], user["token_lifetime"], user["image"]) == (None, None, None)


def test_actions_without_a_body(service, staff):
    user = service.create()
    headers = [("Content-Length", "0")]
    for action, status in (
        ("refresh_token/", 200),
        ("cancel_change_email/", 200),
        ("pull_remote_user/", 400),
    ):
        data = request_bytes("POST", path_of(user, action), headers, token=staff.token)
        assert exchange(service, data).status_code == status, action
    client = service.account()
    data = request_bytes("POST", "/api-auth/logout/", headers, token=client.token)
    answer = exchange(service, data)
    assert (answer.status_code, answer.content) == (204, b"")


# --- Authorization


def test_ways_to_send_a_token(nobody, regular):
    key = regular.token
    for value in (f"Token {key}", f"token {key}", f"TOKEN  {key}", f"Bearer {key}", f"bearer {key}",
                  f"Bearer Token {key}", f"bearer token {key}"):  # fmt: skip
        answer = nobody.get(ME, headers={"Authorization": value})
        assert answer.status_code == 200, value
        assert answer.json()["username"] == regular.user["username"]


# --- dates, redirects, lists


def test_times_and_dates(service, staff):
    client = service.account(birth_date="2000-02-29")
    user = client.get(ME).json()
    assert user["birth_date"] == "2000-02-29"
    for key in ("date_joined", "agreement_date", "token_expires_at"):
        assert STAMP.fullmatch(user[key]), key
    assert STAMP.fullmatch(staff.get(path_of(client.user, "token/")).json()["created"])


def test_nothing_redirects_and_lists_are_arrays(staff, team):
    for path in (USERS, ME, "/api/customers/", "/api/projects/", "/api/roles/", "/api/user-permissions/",
                 "/api/auth-tokens/", "/api/user-agreements/"):  # fmt: skip
        answer = staff.get(path)
        assert answer.status_code == 200
        assert isinstance(answer.json(), dict if path == ME else list)
    assert staff.get(USERS + "?username=nobody-has-this-name").json() == []


def test_one_connection_for_all(service, staff):
    """As session pools do; answers of all kinds leave the connection usable."""
    with Connection(service) as connection:
        for method, path, body, status in (
            ("GET", ME, b"", 200),
            ("POST", USERS, b"{", 400),
            ("HEAD", USERS, b"", 200),
            ("OPTIONS", USERS, b"", 200),
            ("GET", "/api/none/", b"", 404),
            ("GET", USERS + "?page_size=300", b"", 200),
            ("PUT", USERS, json.dumps({"x": "y" * 100_000}).encode(), 405),
            ("GET", "/elsewhere/", b"", 404),
            ("GET", ME, b"", 200),
        ):
            headers = [("Content-Type", "application/json")]
            connection.send(request_bytes(method, path, headers, body, staff.token))
            assert connection.answer(method).status_code == status, path
