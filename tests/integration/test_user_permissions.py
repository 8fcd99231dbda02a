"""/api/user-permissions/: grants that are active, one's own or, for staff and support, all."""

import pytest
from organizations import World, soon
from users import MALFORMED, NO_CREDENTIALS, UNKNOWN, status_and_json

PATH = "/api/user-permissions/"
NOT_FOUND = {"detail": "No UserRole matches the given query."}


@pytest.fixture(scope="module")
def world(service):
    w = World(service)
    w.support = service.account(is_support=True)
    w.nobody = service.nobody
    w.staff.patch(w.owner.user["url"], json={"first_name": "Jüri", "last_name": "Õun", "native_name": "Юрий"})
    return w


def grant_of(w, client):
    """The uuid of a member's grant."""
    items = w.staff.get(f"/api/projects/{w.project['uuid']}/list_users/?user={client.user['uuid']}").json()
    return items[0]["uuid"]


def test_items_are_those_of_a_users_permissions(world):
    w = world
    for client in (w.owner, w.manager, w.member):
        own = client.get("/api/users/me/").json()["permissions"]
        assert status_and_json(client.get(PATH)) == (200, own)
        for caller in (w.staff, w.support):
            assert status_and_json(caller.get(f"{PATH}?user={client.user['uuid']}")) == (200, own)
    assert status_and_json(w.stranger.get(PATH)) == (200, [])


def test_who_sees_a_grant(world):
    w = world
    path = f"{PATH}{grant_of(w, w.member)}/"
    item = w.member.get("/api/users/me/").json()["permissions"][0]
    for caller in ("staff", "support", "member"):
        client = getattr(w, caller)
        assert status_and_json(client.get(path)) == (200, item)
        assert client.head(path).status_code == 200
    for caller in ("owner", "manager", "stranger"):
        assert status_and_json(getattr(w, caller).get(path)) == (404, NOT_FOUND)
        assert getattr(w, caller).head(path).status_code == 404
    for url in (PATH, path):
        assert status_and_json(w.nobody.get(url)) == (401, NO_CREDENTIALS)
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            for client in (w.staff, w.member):
                answer = client.request(method, url, json={})
                assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    for uuid in (UNKNOWN, *MALFORMED[:4]):
        assert w.staff.get(f"{PATH}{uuid}/").status_code == 404


def test_grants_that_ended_are_gone(world):
    w = world
    person = w.person(w.project, "projects", "PROJECT.MEMBER")
    path = f"{PATH}{grant_of(w, person)}/"
    assert person.get(path).status_code == 200
    assert w.team(w.owner, w.project, "projects", "delete_user", "PROJECT.MEMBER", person).status_code == 200
    assert [client.get(path).status_code for client in (person, w.staff, w.support)] == [404] * 3
    w.team(w.owner, w.project, "projects", "add_user", "PROJECT.MEMBER", person, expiration_time=soon(hours=1))
    w.service.sql("UPDATE role_grants SET expiration_time = UTC_TIMESTAMP(6) WHERE user_id ="
                  " (SELECT id FROM users WHERE username = %s)", person.user["username"])
    assert person.get(PATH).json() == w.staff.get(f"{PATH}?user={person.user['uuid']}").json() == []


def test_filters(world):
    w = world
    person = w.service.account()
    w.team(w.staff, w.customer, "customers", "add_user", "CUSTOMER.SUPPORT", person)
    w.team(w.staff, w.project, "projects", "add_user", "PROJECT.ADMIN", person, expiration_time="2098-01-01")
    roles = {r["name"]: r for r in w.staff.get("/api/roles/?page_size=300").json()}
    both, customer, project = {"CUSTOMER.SUPPORT", "PROJECT.ADMIN"}, {"CUSTOMER.SUPPORT"}, {"PROJECT.ADMIN"}
    for query, expected in {
        "": both,
        "scope_type=customer": customer,
        "scope_type=project": project,
        "scope_type=galaxy": set(),
        f"scope_uuid={w.project['uuid']}": project,
        f"scope_uuid={w.customer['uuid']}": customer,
        f"scope_uuid={UNKNOWN}": set(),
        f"scope_name={w.customer['name'][1:].upper()}": customer,
        "role_name=admin": project,
        f"role_uuid={roles['PROJECT.ADMIN']['uuid']}": project,
        f"role_uuid={UNKNOWN}": set(),
        f"user_url={person.user['url']}": both,
        f"username={person.user['username']}": both,
        f"username={person.user['username'][:-1]}": set(),
        f"user_slug={person.user['slug']}": both,
        "full_name=nobody": set(),
        "native_name=nobody": set(),
        "created=2020-01-01": both,
        "created=2100-01-01": set(),
        "modified=2100-01-01": set(),
        "expiration_time=2097-01-01": project,
        "expiration_time=2099-01-01": set(),
    }.items():
        answer = w.staff.get(f"{PATH}?page_size=300&user={person.user['uuid']}&{query}")
        assert answer.status_code == 200, answer.text
        assert {item["role_name"] for item in answer.json()} == expected, query
        assert answer.headers["X-Result-Count"] == str(len(expected))
    named = w.staff.get(f"{PATH}?page_size=300&full_name=juri oun&native_name=юр&scope_uuid={w.customer['uuid']}")
    assert [item["user_uuid"] for item in named.json()] == [w.owner.user["uuid"]]
    for query, message in (("scope_uuid=x", {"scope_uuid": ["Enter a valid UUID."]}),
                           ("created=x", {"created": ["Enter a valid date/time."]}),
                           ("modified=x", {"modified": ["Enter a valid date/time."]}),
                           ("expiration_time=x", {"expiration_time": ["Enter a valid date/time."]}),
                           ("o=x", {"o": ["Select a valid choice. x is not one of the available choices."]})):
        assert status_and_json(w.staff.get(f"{PATH}?{query}")) == (400, message)


def test_order_and_pages(world):
    w = world
    base = f"{PATH}?scope_uuid={w.project['uuid']}&page_size=300"
    created = [item["created"] for item in w.staff.get(base).json()]
    assert created == sorted(created)
    for o in ("username", "full_name", "native_name", "email", "expiration_time", "created", "role"):
        assert len(w.staff.get(f"{base}&o={o}").json()) == len(w.staff.get(f"{base}&o=-{o}").json()) == len(created)
    head = w.staff.head(base)
    assert (head.headers["X-Result-Count"], head.content) == (str(len(created)), b"")
