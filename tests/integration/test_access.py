"""Explain access: /api/users/{uuid}/access/ and who_can/ of customers and projects."""

import pytest
from organizations import World, soon
from users import MALFORMED, NO_CREDENTIALS, NOT_FOUND, UNKNOWN, UUID, status_and_json

REQUIRED = ["This field is required."]
BAD_TIME = ["Enter a valid date/time."]


@pytest.fixture(scope="module")
def world(service):
    w = World(service)
    w.support = service.account(is_support=True)
    return w


def explain(client, user, permission, scope, at=None):
    params = {"permission": permission, "scope": scope, **({"at": at} if at else {})}
    return client.get(f"/api/users/{user['uuid']}/access/", params=params)


def test_the_whole_answer(world):
    w = world
    at = "2098-05-01T00:00:00Z"
    answer = explain(w.owner, w.manager.user, "PROJECT.UPDATE", w.project["url"], at)
    assert answer.status_code == 200
    told = answer.json()
    grant = told["grants"][0]
    assert UUID.fullmatch(grant["grant_uuid"])
    assert list(told.items()) == [
        ("permission", "PROJECT.UPDATE"),
        ("scope_type", "project"),
        ("scope_uuid", w.project["uuid"]),
        ("at", at),
        ("is_staff", False),
        ("grants", [grant]),
        ("allowed", True),
    ]
    assert list(grant.items()) == [
        ("grant_uuid", grant["grant_uuid"]),
        ("role_name", "PROJECT.MANAGER"),
        ("scope_type", "project"),
        ("scope_uuid", w.project["uuid"]),
        ("scope_name", w.project["name"]),
        ("granted_by_username", "staff"),
        ("granted", grant["granted"]),
        ("expiration_time", None),
    ]
    who = w.owner.get(f"/api/projects/{w.project['uuid']}/who_can/?permission=PROJECT.UPDATE").json()
    mine = next(g for g in who if g["user_uuid"] == w.manager.user["uuid"])
    assert list(mine.items()) == [
        ("user_uuid", w.manager.user["uuid"]),
        ("user_username", w.manager.user["username"]),
        ("user_full_name", w.manager.user["full_name"]),
        *grant.items(),
    ]


def test_a_customers_role_reaches_its_projects_and_not_back(world):
    w = world
    told = explain(w.staff, w.owner.user, "PROJECT.DELETE", w.project["uuid"]).json()
    assert (told["allowed"], [g["scope_type"] for g in told["grants"]]) == (True, ["customer"])
    told = explain(w.staff, w.manager.user, "PROJECT.UPDATE", w.customer["url"]).json()
    assert (told["allowed"], told["scope_type"], told["grants"]) == (False, "customer", [])
    assert explain(w.staff, w.manager.user, "PROJECT.UPDATE", w.sibling["uuid"]).json()["allowed"] is False


def test_staff_may_everything_while_active(world):
    w = world
    boss = w.service.account(is_staff=True)
    told = explain(w.staff, boss.user, "PROJECT.UPDATE", w.project["uuid"]).json()
    assert (told["is_staff"], told["allowed"], told["grants"]) == (True, True, [])
    assert w.staff.patch(boss.user["url"], json={"is_active": False}).status_code == 200
    told = explain(w.staff, boss.user, "PROJECT.UPDATE", w.project["uuid"]).json()
    assert (told["is_staff"], told["allowed"]) == (False, False)


def test_the_inactive_may_nothing(world):
    w = world
    gone = w.person(w.project, "projects", "PROJECT.MANAGER")
    assert w.staff.patch(gone.user["url"], json={"is_active": False}).status_code == 200
    assert explain(w.staff, gone.user, "PROJECT.UPDATE", w.project["uuid"]).json()["allowed"] is False


def test_the_future_and_the_past(world):
    w = world
    before = soon()
    person = w.service.account()
    w.team(w.staff, w.project, "projects", "add_user", "PROJECT.MANAGER", person, expiration_time="2099-01-01")

    def allowed(at=None):
        told = explain(w.staff, person.user, "PROJECT.UPDATE", w.project["uuid"], at).json()
        who = w.staff.get(f"/api/projects/{w.project['uuid']}/who_can/",
                          params={"permission": "PROJECT.UPDATE", **({"at": at} if at else {})}).json()
        assert (person.user["uuid"] in {g["user_uuid"] for g in who}) is told["allowed"]
        return told["allowed"]

    assert [allowed(at) for at in (before, None, "2098-12-31T23:59:59.999999Z", "2099-01-01")] == [
        False, True, True, False]
    meanwhile = soon()
    assert w.team(w.owner, w.project, "projects", "delete_user", "PROJECT.MANAGER", person).status_code == 200
    # What was revoked was allowed until then.
    assert [allowed(at) for at in (before, meanwhile, None, "2098-01-01")] == [False, True, False, False]


@pytest.mark.parametrize("params, expected", [
    ({}, {"permission": REQUIRED, "scope": REQUIRED}),
    ({"permission": "", "scope": ""}, {"permission": REQUIRED, "scope": REQUIRED}),
    ({"permission": "X.Y"}, {"permission": ["Invalid permissions X.Y"], "scope": REQUIRED}),
    ({"permission": "project.update", "scope": UNKNOWN},
     {"permission": ["Invalid permissions project.update"], "scope": ["Scope is not found."]}),
    ({"permission": "PROJECT.UPDATE", "scope": "x"}, {"scope": ["Scope is not found."]}),
    ({"permission": "PROJECT.UPDATE", "scope": "/"}, {"scope": ["Scope is not found."]}),
    ({"permission": "PROJECT.UPDATE", "scope": UNKNOWN, "at": "x"},
     {"scope": ["Scope is not found."], "at": BAD_TIME}),
])
def test_questions_that_are_wrong(world, params, expected):
    answer = world.staff.get(f"/api/users/{world.member.user['uuid']}/access/", params=params)
    assert (answer.status_code, answer.json()) == (400, expected)


def test_wrong_questions_who_can(world):
    for scope in ("customers", "projects"):
        path = f"/api/{scope}/{(world.customer if scope == 'customers' else world.project)['uuid']}/who_can/"
        assert status_and_json(world.staff.get(path)) == (400, {"permission": REQUIRED})
        assert status_and_json(world.staff.get(f"{path}?permission=x&at=x")) == (
            400, {"permission": ["Invalid permissions x"], "at": BAD_TIME})


def test_who_may_ask(world):
    w = world
    about = f"/api/users/{w.member.user['uuid']}/access/?permission=PROJECT.UPDATE&scope={w.project['uuid']}"
    can = [f"/api/{kind}/{scope['uuid']}/who_can/?permission=PROJECT.UPDATE"
           for kind, scope in (("customers", w.customer), ("projects", w.project))]
    for caller, statuses in {
        "staff": (200, 200, 200), "support": (200, 200, 200), "owner": (200, 200, 200), "member": (200, 200, 200),
        "neighbour": (404, 200, 404), "stranger": (404, 404, 404),
    }.items():
        client = getattr(w, caller)
        for path, status in zip((about, *can), statuses):
            assert client.get(path).status_code == client.head(path).status_code == status, (caller, path)
    assert w.stranger.get(about).json() == NOT_FOUND
    for path in (about, *can):
        assert status_and_json(w.service.nobody.get(path)) == (401, NO_CREDENTIALS)
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert w.staff.request(method, path).status_code == 405
    for uuid in (UNKNOWN, *MALFORMED[:3]):
        for path in (f"/api/users/{uuid}/access/", f"/api/customers/{uuid}/who_can/", f"/api/projects/{uuid}/who_can/"):
            assert w.staff.get(path).status_code == 404
