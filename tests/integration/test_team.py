"""Team management of customers and projects: who may, in which order it is checked, what is told."""

import contextlib

import pytest
from organizations import World, names, soon, usernames
from service import eventually, unique
from users import FORBIDDEN, MALFORMED, NO_CREDENTIALS, UNKNOWN, UUID, status_and_json

ACTIONS = ["add_user", "update_user", "delete_user"]
KINDS = {"customers": ("customer", "CUSTOMER.SUPPORT"), "projects": ("project", "PROJECT.MEMBER")}
REQUIRED = ["This field is required."]
BAD_TIME = [
    "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DD, "
    "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
]
PAST = ["Expiration time should be greater than current time."]
NO_ROLE, NO_USER = ["Role is not found."], ["User is not found."]
ZEROS = "00000000-0000-0000-0000-000000000000"


def refusal(message):
    return (400, {"non_field_errors": [message]})


@pytest.fixture(scope="module")
def world(service):
    w = World(service)
    w.support = service.account(is_support=True)
    w.nobody = service.nobody
    return w


@pytest.fixture
def target(service):
    return service.account()


def path_to(w, kind, action=""):
    scope = getattr(w, KINDS[kind][0])
    return f"/api/{kind}/{scope['uuid']}/{action}"


def ends(w, client):
    """When the user's active grants end, as he sees them."""
    return [p["expiration_time"] for p in client.get("/api/users/me/").json()["permissions"]]


def events(w, client):
    return w.staff.get("/api/events/", params={"subject_uuid": client.user["uuid"]}).json()


# Who may change the team of the customer, and of the project.
MAY = {
    "staff": (True, True),
    "owner": (True, True),
    "manager": (False, True),
    "member": (False, False),
    "neighbour": (False, None),
    "support": (False, False),
    "stranger": (None, None),
}
DONE = {"add_user": 201, "update_user": 200, "delete_user": 200}


@pytest.mark.parametrize("caller", MAY)
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_who_may(world, target, kind, action, caller):
    w = world
    client, may = getattr(w, caller), MAY[caller][list(KINDS).index(kind)]
    body = {"role": KINDS[kind][1], "user": target.user["uuid"]}
    if action != "add_user":
        assert w.staff.post(path_to(w, kind, "add_user/"), json=body).status_code == 201
    answer = client.post(path_to(w, kind, f"{action}/"), json=body)
    # Bad input is told before anybody is asked for rights, but not of what he does not see.
    bad = client.post(path_to(w, kind, f"{action}/"), json={**body, "role": "x"})
    if may is None:
        assert answer.status_code == bad.status_code == 404
        return
    assert status_and_json(bad) == (400, {"role": NO_ROLE})
    if not may:
        assert status_and_json(answer) == (403, FORBIDDEN)
    else:
        assert answer.status_code == DONE[action]
        assert answer.text == ("" if action == "delete_user" else '{"expiration_time":null}')
    held = action == "add_user" if may else action != "add_user"
    assert ends(w, target) == ([None] if held or (may and action == "update_user") else [])


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_methods(world, kind, action):
    path = path_to(world, kind, f"{action}/")
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        assert status_and_json(world.nobody.request(method, path)) == (401, NO_CREDENTIALS)
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        answer = world.owner.request(method, path)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST, OPTIONS")
    for uuid in (UNKNOWN, *MALFORMED[:4]):
        assert world.staff.post(f"/api/{kind}/{uuid}/{action}/", json={}).status_code == 404


# --- what is wrong with the body


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_bodies_that_are_none(world, kind, action):
    path = path_to(world, kind, f"{action}/")
    for body, kind_name in (([], "list"), ("x", "str"), (5, "int"), (True, "bool")):
        assert status_and_json(world.owner.post(path, json=body)) == refusal(
            f"Invalid data. Expected a dictionary, but got {kind_name}.")
    assert status_and_json(world.owner.post(path)) == (400, {"role": REQUIRED, "user": REQUIRED})
    json = {"Content-Type": "application/json"}
    assert world.owner.post(path, data="{", headers=json).status_code == 400
    assert world.owner.post(path, data='{"role":"a","role":"b"}', headers=json).status_code == 400
    assert world.owner.post(path, data="x", headers={"Content-Type": "text/plain"}).status_code == 415


@pytest.mark.parametrize("action", ACTIONS)
def test_fields_that_are_wrong(world, target, action):
    w, uuid = world, target.user["uuid"]
    inactive = w.service.account()
    assert w.staff.patch(f"/api/users/{inactive.user['uuid']}/", json={"is_active": False}).status_code == 200
    good = {"role": "PROJECT.MEMBER", "user": uuid}
    for change, expected in (
        ({"role": ""}, {"role": ["This field may not be blank."]}),
        ({"role": None}, {"role": ["This field may not be null."]}),
        ({"role": []}, {"role": ["Not a valid string."]}),
        ({"role": "NO.SUCH"}, {"role": NO_ROLE}),
        ({"role": "project.member"}, {"role": NO_ROLE}),
        ({"role": UNKNOWN}, {"role": NO_ROLE}),
        ({"user": "x"}, {"user": ["Must be a valid UUID."]}),
        ({"user": target.user["url"]}, {"user": ["Must be a valid UUID."]}),
        ({"user": None}, {"user": ["This field may not be null."]}),
        ({"user": UNKNOWN}, {"user": NO_USER}),
        ({"user": ZEROS}, {"user": NO_USER}),
        ({"user": inactive.user["uuid"]}, {"user": NO_USER}),
        ({"expiration_time": "soon"}, {"expiration_time": BAD_TIME}),
        ({"expiration_time": 5}, {"expiration_time": BAD_TIME}),
        ({"expiration_time": {}}, {"expiration_time": BAD_TIME}),
        ({"expiration_time": "2027-02-30"}, {"expiration_time": BAD_TIME}),
        ({"expiration_time": "2020-01-01"}, {"expiration_time": PAST}),
        ({"expiration_time": soon(seconds=-1)}, {"expiration_time": PAST}),
        ({"role": "NO.SUCH", "user": UNKNOWN, "expiration_time": "2020-01-01"},
         {"role": NO_ROLE, "user": NO_USER, "expiration_time": PAST}),
    ):
        answer = w.owner.post(path_to(w, "projects", f"{action}/"), json={**good, **change})
        assert status_and_json(answer) == (400, expected), change
    assert ends(w, target) == []


def test_what_is_deleted_meanwhile_is_not_found(world, target):
    w = world
    role = w.made("/api/roles/", name=unique("ROLE"), content_type="customer", permissions=[])

    def add():
        return w.team(w.staff, w.customer, "customers", "add_user", role["name"], target)

    [answer] = w.service.while_locked([add], "DELETE FROM users WHERE username = %s", target.user["username"])
    assert status_and_json(answer) == (400, {"user": NO_USER})
    target = w.service.account()
    [answer] = w.service.while_locked([add], "DELETE FROM roles WHERE name = %s", role["name"])
    assert status_and_json(answer) == (400, {"role": NO_ROLE})


def test_forms(world, target):
    w, uuid = world, target.user["uuid"]
    body = {"role": "PROJECT.MEMBER", "user": uuid.replace("-", ""), "expiration_time": ""}
    assert status_and_json(w.owner.post(path_to(w, "projects", "add_user/"), data=body)) == (
        201, {"expiration_time": None})
    parts = {"role": (None, "PROJECT.MEMBER"), "user": (None, uuid), "expiration_time": (None, "2099-01-01")}
    assert status_and_json(w.owner.post(path_to(w, "projects", "update_user/"), files=parts)) == (
        200, {"expiration_time": "2099-01-01T00:00:00Z"})
    assert w.owner.post(path_to(w, "projects", "delete_user/"), data=body).status_code == 200
    assert ends(w, target) == []


@pytest.mark.parametrize("sent, answered", [
    ("2099-01-01", "2099-01-01T00:00:00Z"),
    ("2099-01-01T10:20", "2099-01-01T10:20:00Z"),
    ("2099-01-01T10:20:30.123456+02:00", "2099-01-01T08:20:30.123456Z"),
    ("2099-01-01T10:20:30Z", "2099-01-01T10:20:30Z"),
    (None, None),
])
def test_forms_of_time(world, target, sent, answered):
    body = {"role": "PROJECT.MEMBER", "user": target.user["uuid"], "expiration_time": sent}
    answer = world.owner.post(path_to(world, "projects", "add_user/"), json=body)
    assert status_and_json(answer) == (201, {"expiration_time": answered})
    assert ends(world, target) == [answered]


# --- what is wrong with the scope or the role, in order


def test_the_order_of_what_is_told(service):
    w = World(service)
    target, other = service.account(), service.account()
    path = f"/api/projects/{w.project['uuid']}/"
    body = {"role": "PROJECT.MEMBER", "user": target.user["uuid"]}
    assert w.team(w.staff, w.project, "projects", "add_user", "PROJECT.MEMBER", target).status_code == 201
    wrong_type = {"role": "CUSTOMER.OWNER", "user": other.user["uuid"]}
    for state in ({"blocked": True}, {"blocked": False, "archived": True}):
        w.staff.patch(w.customer["url"], json=state)
        for action in ACTIONS:
            # A field comes first, then the customer, then rights and all the rest.
            assert w.member.post(f"{path}{action}/", json={}).json() == {"role": REQUIRED, "user": REQUIRED}
            for caller in (w.staff, w.owner, w.member):
                assert status_and_json(caller.post(f"{path}{action}/", json=body)) == refusal(
                    "Customer is not available.")
    w.staff.patch(w.customer["url"], json={"archived": False})
    assert status_and_json(w.member.post(f"{path}add_user/", json=wrong_type)) == (403, FORBIDDEN)
    assert status_and_json(w.owner.post(f"{path}add_user/", json=body)) == refusal(
        "User has already the same role in this scope.")
    assert status_and_json(w.owner.post(f"{path}add_user/", json=wrong_type)) == refusal(
        "Role is not valid for this scope.")
    for action in ("update_user", "delete_user"):
        expected = refusal("User has no such role in this scope.") if action == "update_user" else (200, None)
        answer = w.owner.post(f"{path}{action}/", json=wrong_type)
        assert (answer.status_code, answer.json() if answer.content else None) == expected
    assert w.owner.delete(w.project["url"]).status_code == 204
    for action in ACTIONS:
        assert status_and_json(w.staff.post(f"{path}{action}/", json=body)) == refusal(
            "Cannot manage team members for terminated projects.")


def test_a_role_that_is_disabled_is_taken_away_but_not_given(world, target):
    w = world
    role = w.made("/api/roles/", name=unique("ROLE"), content_type="project", permissions=[])
    other = w.service.account()
    body = {"role": role["uuid"], "user": target.user["uuid"]}
    assert w.owner.post(path_to(w, "projects", "add_user/"), json=body).status_code == 201
    assert w.staff.post(f"/api/roles/{role['uuid']}/disable/").status_code == 200
    assert status_and_json(
        w.owner.post(path_to(w, "projects", "add_user/"), json={**body, "user": other.user["uuid"]})
    ) == refusal("Role is not active.")
    for action in ("update_user", "delete_user"):
        assert w.owner.post(path_to(w, "projects", f"{action}/"), json=body).status_code == 200
    assert ends(w, target) == []


def test_the_end_of_an_expired_role_is_told_in_the_form_of_the_others(daemon):
    d = daemon(config="uuid_format = hex")
    user, customer = d.create(), d.staff.post("/api/customers/", json={"name": "Zoë's \"Hut\""}).json()
    body = {"role": "CUSTOMER.OWNER", "user": user["uuid"], "expiration_time": "2099-01-01"}
    assert d.staff.post(f"/api/customers/{customer['uuid']}/add_user/", json=body).status_code == 201
    d.sql("UPDATE role_grants SET expiration_time = '2020-01-01 00:00:00.25'")
    d.reload()
    told = eventually(lambda: d.staff.get(f"/api/events/?subject_uuid={user['uuid']}&event_type=role_revoked").json())
    granted = d.staff.get(f"/api/events/?subject_uuid={user['uuid']}&event_type=role_granted").json()
    assert [event["changes"] for event in told] == [
        {**granted[0]["changes"], "expiration_time": "2020-01-01T00:00:00.250000Z", "expired": True}]


def test_who_was_slower_to_end_an_expired_role_tells_nothing_of_it(world, target):
    """Each host's keeper ends them: here the service's, after another one."""
    w, other = world, world.service.account()
    for person in (target, other):
        w.team(w.staff, w.project, "projects", "add_user", "PROJECT.MEMBER", person)
    grant = "UPDATE role_grants g JOIN users u ON u.id = g.user_id SET g.{} WHERE u.username = %s"
    with contextlib.closing(w.service.connect()) as connection, connection.cursor() as cursor:
        for change in ("expiration_time = '2020-01-01'", "is_active = FALSE"):
            cursor.execute(grant.format(change), (target.user["username"],))
        w.service.sql(grant.format("expiration_time = '2020-01-01'"), other.user["username"])
        w.service.reload()
        eventually(w.service.lock_waits, what="the keeper's waiting")
        connection.commit()
    told = eventually(lambda: [e for e in events(w, other) if e["event_type"] == "role_revoked"])
    assert told[0]["changes"] == {
        "role": "PROJECT.MEMBER", "scope_type": "project", "scope_uuid": w.project["uuid"],
        "scope_name": w.project["name"], "username": other.user["username"],
        "expiration_time": "2020-01-01T00:00:00Z", "expired": True}
    assert UUID.fullmatch(told[0]["uuid"])
    assert [e["event_type"] for e in events(w, target)] == ["role_granted", "user_creation_succeeded"]


def test_several_roles_and_several_ends(world, target):
    """A longer grant stands beside a shorter one; the longest is changed, all are taken away."""
    w = world
    for expiration in ("2098-01-01", "2099-01-01"):
        assert w.team(w.owner, w.project, "projects", "add_user", "PROJECT.MEMBER", target,
                      expiration_time=expiration).status_code == 201
    assert w.team(w.owner, w.project, "projects", "add_user", "PROJECT.ADMIN", target).status_code == 201
    assert ends(w, target) == ["2098-01-01T00:00:00Z", "2099-01-01T00:00:00Z", None]
    assert w.team(w.owner, w.project, "projects", "update_user", "PROJECT.MEMBER", target,
                  expiration_time="2097-01-01").status_code == 200
    assert ends(w, target) == ["2098-01-01T00:00:00Z", "2097-01-01T00:00:00Z", None]
    assert w.team(w.owner, w.project, "projects", "delete_user", "PROJECT.MEMBER", target).status_code == 200
    assert ends(w, target) == [None]


def test_nobody_manages_himself_through_a_project(world):
    w = world
    for action in ACTIONS:
        assert status_and_json(
            w.team(w.manager, w.project, "projects", action, "PROJECT.MANAGER", w.manager)
        ) == refusal("User can not manage own role.")
    # ... but through a customer he may.
    assert w.team(w.owner, w.project, "projects", "add_user", "PROJECT.ADMIN", w.owner).status_code == 201
    assert w.team(w.owner, w.project, "projects", "delete_user", "PROJECT.ADMIN", w.owner).status_code == 200


# --- who is in it


LISTS = {
    # staff, support, owner, manager, member, neighbour, stranger
    "customers list_users": (200, 200, 200, 200, 200, 200, 404),
    "customers users": (200, 200, 200, 403, 403, 403, 404),
    "projects list_users": (200, 200, 200, 200, 200, 404, 404),
}


@pytest.mark.parametrize("which", LISTS)
def test_who_sees_the_team(world, which):
    w = world
    path = path_to(w, *which.split()) + "/"
    callers = ("staff", "support", "owner", "manager", "member", "neighbour", "stranger")
    for caller, status in zip(callers, LISTS[which]):
        client = getattr(w, caller)
        assert client.get(path).status_code == client.head(path).status_code == status, caller
    assert status_and_json(w.nobody.get(path)) == (401, NO_CREDENTIALS)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = w.owner.request(method, path)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert w.staff.get(path.replace(path.split("/")[3], UNKNOWN)).status_code == 404


def test_filters_of_a_team(service):
    w = World(service)
    w.staff.patch(f"/api/users/{w.member.user['uuid']}/", json={
        "first_name": "Jüri", "last_name": "Õunapuu", "native_name": "Юрий"})
    path = f"/api/projects/{w.project['uuid']}/list_users/?page_size=300"
    member, manager = w.member.user, w.manager.user
    both = {member["username"], manager["username"]}
    for query, expected in {
        "": both,
        "user=x": both,
        f"user={member['uuid']}": {member["username"]},
        f"user_url={member['url']}": {member["username"]},
        "role=PROJECT.MEMBER": {member["username"]},
        "role=PROJECT": set(),
        f"role={UNKNOWN}": set(),
        "search_string=õunap": {member["username"]},
        "search_string=ounap": set(),
        f"search_string={manager['email'][:-4]}": {manager["username"]},
        f"username={member['username']}": {member["username"]},
        f"username={member['username'][:-1]}": set(),
        "full_name=juri oun": {member["username"]},
        "native_name=юр": {member["username"]},
        f"user_slug={manager['slug'][:6]}": {u["username"] for u in (member, manager)
                                             if manager["slug"][:6] in u["slug"]},
    }.items():
        answer = w.owner.get(f"{path}&{query}")
        assert answer.status_code == 200
        assert {item["user_username"] for item in answer.json()} == expected, query
        assert answer.headers["X-Result-Count"] == str(len(expected))


def test_order_of_a_team(service):
    w = World(service)
    path = f"/api/projects/{w.project['uuid']}/list_users/"

    def ordered(o):
        return [item["role_name"] for item in w.owner.get(f"{path}?o={o}").json()]

    assert ordered("created") == ["PROJECT.MANAGER", "PROJECT.MEMBER"]
    assert ordered("-created") == ["PROJECT.MEMBER", "PROJECT.MANAGER"]
    assert ordered("role") == ["PROJECT.MANAGER", "PROJECT.MEMBER"]
    assert ordered("-role") == ["PROJECT.MEMBER", "PROJECT.MANAGER"]
    for name in ("username", "full_name", "native_name", "email", "expiration_time"):
        assert sorted(ordered(name)) == sorted(ordered(f"-{name}")) == ["PROJECT.MANAGER", "PROJECT.MEMBER"]
    answer = w.owner.get(f"{path}?o=uuid")
    assert status_and_json(answer) == (
        400, {"o": ["Select a valid choice. uuid is not one of the available choices."]})
    item = w.owner.get(f"{path}?field=role_name&page_size=1").json()
    assert item == [{"role_name": "PROJECT.MANAGER"}]


def test_filters_of_a_customers_people(service):
    w = World(service)
    w.staff.patch(f"/api/users/{w.member.user['uuid']}/", json={
        "first_name": "Jüri", "last_name": "Õunapuu", "native_name": "Юрий", "organization": "Aed",
        "job_title": "Aednik", "phone_number": "+372 5"})
    civil_number = unique("n")
    service.sql("UPDATE users SET civil_number = %s WHERE username = %s", civil_number, w.member.user["username"])
    path = f"{w.customer['url']}users/?page_size=300"
    people = {name: getattr(w, name).user["username"] for name in ("owner", "manager", "member", "neighbour")}
    member, everybody = {people["member"]}, set(people.values())
    for query, expected in {
        "": everybody,
        "full_name=juri oun": member,
        "user_keyword=JÜRI": member,
        "query=Jüri Õuna": member,
        "native_name=юр": member,
        "organization=aed": member,
        "job_title=aed": member,
        "phone_number=%2B372 5": member,
        "phone_number=%2B372": set(),
        f"civil_number={civil_number}": member,
        f"username={people['owner']}": {people["owner"]},
        f"email={people['owner']}@": {people["owner"]},
        "registration_method=default": everybody,
        "registration_method=x": set(),
        "is_staff=true": set(),
        "is_support=false": everybody,
        "organization_role=CUSTOMER.OWNER": {people["owner"]},
        "project_role=PROJECT.MEMBER": {people["member"], people["neighbour"]},
        "project_role=PROJECT.MEMBER&project_role=PROJECT.MANAGER": everybody - {people["owner"]},
        "organization_role=CUSTOMER.OWNER&project_role=PROJECT.MANAGER": {people["owner"], people["manager"]},
        "organization_role=PROJECT.MEMBER": set(),
    }.items():
        answer = w.owner.get(f"{path}&{query}")
        assert answer.status_code == 200
        assert {item["username"] for item in answer.json()} == expected, query
        assert answer.headers["X-Result-Count"] == str(len(expected))
    ordered = [item["full_name"] for item in w.owner.get(f"{path}&o=concatenated_name").json()]
    assert ordered == sorted(ordered)
    assert [item["full_name"] for item in w.owner.get(f"{path}&o=-concatenated_name").json()] == ordered[::-1]


def test_an_owner_cannot_find_out_the_civil_number_of_whom_he_does_not_see_as_a_user(service):
    w = World(service)
    support = service.account(is_support=True)
    civil_number = unique("n")
    for person, staff in ((w.member, False), (w.neighbour, True)):
        service.sql("UPDATE users SET civil_number = %s, is_staff = %s WHERE username = %s",
                    f"{civil_number}{staff:d}", staff, person.user["username"])
    path = f"{w.customer['url']}users/"
    assert w.owner.get(w.neighbour.user["url"]).status_code == 404
    assert w.neighbour.user["username"] in names(w.owner.get(path))
    for client, seen in ((w.owner, usernames(w.member)), (support, usernames(w.member, w.neighbour)),
                         (w.staff, usernames(w.member, w.neighbour))):
        assert names(client.get(path, params={"query": civil_number})) == seen
        assert usernames(w.member) == names(client.get(path, params={"civil_number": civil_number + "0"}))
        found = names(client.get(path, params={"civil_number": civil_number + "1"}))
        assert found == seen - usernames(w.member)
