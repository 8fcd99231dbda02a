"""Customers, projects, roles and the teams in them."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from images import png, upload
from organizations import World, names, soon, usernames
from service import Client, unique
from users import FORBIDDEN


@pytest.fixture(scope="module")
def world(service):
    return World(service)


# --- visibility


def test_who_sees_whom(service):
    w = World(service)
    everyone = usernames(w.owner, w.manager, w.member, w.neighbour)
    path = "/api/users/?page_size=300"
    assert names(w.owner.get(path)) == everyone
    assert names(w.manager.get(path)) == usernames(w.owner, w.manager, w.member)
    assert names(w.member.get(path)) == usernames(w.owner, w.manager, w.member)
    assert names(w.neighbour.get(path)) == usernames(w.owner, w.neighbour)
    assert names(w.stranger.get(path)) == usernames(w.stranger)


def test_the_invisible_is_404_the_visible_403(world):
    w = world
    path = f"/api/users/{w.neighbour.user['uuid']}/"
    assert w.member.get(path).status_code == 404
    assert w.member.patch(path, json={}).status_code == 404
    assert w.owner.get(path).status_code == 200
    answer = w.owner.patch(path, json={"first_name": "x"})
    assert (answer.status_code, answer.json()) == (403, FORBIDDEN)


def test_who_sees_which_customer_and_project(service):
    w = World(service)
    for client, customers, projects in (
        (w.owner, {w.customer["name"]}, {w.project["name"], w.sibling["name"]}),
        (w.member, {w.customer["name"]}, {w.project["name"]}),
        (w.stranger, set(), set()),
    ):
        assert names(client.get("/api/customers/"), "name") == customers
        assert names(client.get("/api/projects/"), "name") == projects
    assert w.member.get(f"/api/projects/{w.sibling['uuid']}/").status_code == 404
    assert w.stranger.get(f"/api/customers/{w.customer['uuid']}/").status_code == 404


def test_a_grant_stops_counting_when_it_expires(world):
    w = world
    client = w.service.account()
    assert w.team(w.staff, w.project, "projects", "add_user", "PROJECT.MEMBER", client,
                  expiration_time=soon(hours=1)).status_code == 201
    assert w.project["name"] in names(client.get("/api/projects/"), "name")
    w.service.sql(
        "UPDATE role_grants SET expiration_time = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND WHERE user_id ="
        " (SELECT id FROM users WHERE username = %s)", client.user["username"],
    )
    assert names(client.get("/api/projects/"), "name") == set()
    assert client.get("/api/users/me/").json()["permissions"] == []
    assert client.user["username"] not in names(w.owner.get("/api/users/?page_size=300"))


# --- permissions[]


def test_permissions_of_a_user(world):
    w = world
    me = w.member.get("/api/users/me/").json()
    assert len(me["permissions"]) == 1
    grant = dict(me["permissions"][0])
    assert grant.pop("created").endswith("Z")
    roles = {r["name"]: r for r in w.staff.get("/api/roles/?page_size=50").json()}
    assert grant == {
        "user_uuid": me["uuid"],
        "user_name": "PROJECT.MEMBER",
        "user_slug": me["slug"],
        "expiration_time": None,
        "created_by_full_name": "",
        "created_by_username": "staff",
        "role_name": "PROJECT.MEMBER",
        "role_description": "Works in the project",
        "role_uuid": roles["PROJECT.MEMBER"]["uuid"],
        "scope_type": "project",
        "scope_uuid": w.project["uuid"],
        "scope_name": w.project["name"],
        "customer_uuid": w.customer["uuid"],
        "customer_name": w.customer["name"],
    }
    owner = w.owner.get("/api/users/me/").json()["permissions"][0]
    assert owner["scope_type"] == "customer"
    assert "customer_uuid" not in owner and "customer_name" not in owner
    own = w.member.get("/api/user-permissions/").json()
    assert own == me["permissions"]


def test_permissions_of_who_has_very_many(world):
    """More than a megabyte of them, the newest written first."""
    w = world
    client = w.service.account()
    customer = w.made("/api/customers/", name=unique("Customer"))
    project = w.made("/api/projects/", name=unique("Full"), customer=customer["url"])
    role = w.made(
        "/api/roles/", name=unique("LONG"), description="ä" * 2000, content_type="project",
        permissions=["PROJECT.UPDATE"],
    )
    w.service.sql(
        "INSERT INTO role_grants (uuid, user_id, role_id, project_id, created, modified)"
        " SELECT RANDOM_BYTES(16), u.id, r.id, p.id, g.time, g.time"
        " FROM (SELECT UTC_TIMESTAMP(6) - INTERVAL seq DIV 2 SECOND AS time FROM seq_1_to_800) g,"
        " users u, roles r, projects p WHERE u.username = %s AND r.name = %s AND p.slug = %s",
        client.user["username"], role["name"], project["slug"],
    )
    permissions = client.get("/api/users/me/").json()["permissions"]
    assert len(permissions) == 800
    assert {p["role_description"] for p in permissions} == {"ä" * 2000}
    created = [p["created"] for p in permissions]
    assert created == sorted(created)
    assert len(set(created)) == 401


def test_permissions_take_no_statement_more(world):
    answer = world.staff.get("/api/users/?page_size=100")
    line = world.service.request_line(answer.headers["X-Request-ID"])
    assert line["db"] <= 2


# --- teams

VERBS = [("add_user", "CREATE"), ("update_user", "UPDATE"), ("delete_user", "DELETE")]


@pytest.mark.parametrize("action, verb", VERBS)
def test_who_may_change_a_team(world, action, verb):
    w = world
    for caller, status in (
        (w.service.nobody, 401), (w.stranger, 404), (w.neighbour, 404), (w.member, 403),
        (w.manager, None), (w.owner, None), (w.staff, None),
    ):
        target = w.service.account()
        if action != "add_user":
            w.team(w.staff, w.project, "projects", "add_user", "PROJECT.ADMIN", target)
        answer = w.team(caller, w.project, "projects", action, "PROJECT.ADMIN", target)
        expected = status or {"add_user": 201}.get(action, 200)
        assert answer.status_code == expected, (answer.text, expected)
        if status is None and action == "delete_user":
            assert answer.content == b""
            assert w.staff.get(f"/api/users/{target.user['uuid']}/").json()["permissions"] == []


def test_nobody_manages_his_own_role_through_the_project(world):
    w = world
    answer = w.team(w.manager, w.project, "projects", "add_user", "PROJECT.ADMIN", w.manager)
    assert (answer.status_code, answer.json()) == (
        400, {"non_field_errors": ["User can not manage own role."]})


def test_what_is_wrong_with_a_grant(world):
    w = world
    target = w.service.account()

    def add(scope=None, kind="projects", **body):
        path = f"/api/{kind}/{(scope or w.project)['uuid']}/add_user/"
        answer = w.staff.post(path, json=body)
        return answer.status_code, answer.json()

    user = target.user["uuid"]
    required = ["This field is required."]
    assert add() == (400, {"role": required, "user": required})
    assert add(role="NO.SUCH", user="x", expiration_time="soon") == (400, {
        "user": ["Must be a valid UUID."],
        "role": ["Role is not found."],
        "expiration_time": ["Datetime has wrong format. Use one of these formats instead: YYYY-MM-DD, "
                            "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."],
    })
    assert add(role="PROJECT.MEMBER", user="0" * 31 + "1", expiration_time="2020-01-01") == (400, {
        "user": ["User is not found."],
        "expiration_time": ["Expiration time should be greater than current time."],
    })
    assert add(role="CUSTOMER.OWNER", user=user) == (
        400, {"non_field_errors": ["Role is not valid for this scope."]})
    assert add(role="PROJECT.MEMBER", user=user) == (201, {"expiration_time": None})
    assert add(role="PROJECT.MEMBER", user=user, expiration_time=soon(days=1)) == (
        400, {"non_field_errors": ["User has already the same role in this scope."]})
    inactive = w.service.create(is_active=False)
    assert add(role="PROJECT.MEMBER", user=inactive["uuid"]) == (400, {"user": ["User is not found."]})


def test_same_role_with_expirations(world):
    w = world
    target = w.service.account()
    same = {"non_field_errors": ["User has already the same role in this scope."]}

    def add(**more):
        answer = w.team(w.staff, w.project, "projects", "add_user", "PROJECT.MEMBER", target, **more)
        return answer.status_code, answer.json()

    day = soon(days=1)
    assert add(expiration_time=day) == (201, {"expiration_time": day})
    assert add(expiration_time=day) == (400, same)
    assert add(expiration_time=soon(hours=1)) == (400, same)
    assert add(expiration_time=soon(days=2))[0] == 201
    assert add() == (201, {"expiration_time": None})
    assert add() == (400, same)


def test_update_changes_only_the_expiration(world):
    w = world
    target = w.service.account()
    answer = w.team(w.staff, w.project, "projects", "update_user", "PROJECT.MEMBER", target)
    assert (answer.status_code, answer.json()) == (
        400, {"non_field_errors": ["User has no such role in this scope."]})
    w.team(w.staff, w.project, "projects", "add_user", "PROJECT.MEMBER", target)
    day = soon(days=1)
    answer = w.team(w.staff, w.project, "projects", "update_user", "PROJECT.MEMBER", target,
                    expiration_time=day)
    assert (answer.status_code, answer.json()) == (200, {"expiration_time": day})
    answer = w.team(w.staff, w.project, "projects", "update_user", "PROJECT.MEMBER", target)
    assert (answer.status_code, answer.json()) == (200, {"expiration_time": None})


def test_a_blocked_customer_is_closed_before_anybody_is_asked_for_rights(service):
    w = World(service)
    w.staff.patch(f"/api/customers/{w.customer['uuid']}/", json={"blocked": True})
    for caller in (w.staff, w.owner, w.member):
        answer = w.team(caller, w.project, "projects", "add_user", "PROJECT.MEMBER", w.stranger)
        assert (answer.status_code, answer.json()) == (
            400, {"non_field_errors": ["Customer is not available."]})


def test_two_equal_grants_at_once(world):
    w = world
    target = w.service.account()

    def add(_):
        staff = Client(w.service, w.staff.token)
        return w.team(staff, w.project, "projects", "add_user", "PROJECT.MEMBER", target).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(add, range(8))) == [201] + [400] * 7


def test_list_users_of_a_project(world):
    w = world
    items = w.member.get(f"/api/projects/{w.project['uuid']}/list_users/?page_size=300").json()
    mine = [i for i in items if i["user_uuid"] == w.member.user["uuid"]]
    assert len(mine) == 1
    assert list(mine[0]) == [
        "uuid", "created", "expiration_time", "role_name", "role_uuid", "user_email", "user_full_name",
        "user_username", "user_uuid", "user_image", "created_by_full_name", "created_by_uuid",
    ]
    assert w.stranger.get(f"/api/projects/{w.project['uuid']}/list_users/").status_code == 404
    found = w.owner.get(
        f"/api/projects/{w.project['uuid']}/list_users/?role=PROJECT.MANAGER&o=-username").json()
    assert {i["role_name"] for i in found} == {"PROJECT.MANAGER"}


def test_users_of_a_customer(world):
    w = world
    path = f"/api/customers/{w.customer['uuid']}/users/?page_size=300"
    people = {p["username"]: p for p in w.owner.get(path).json()}
    assert usernames(w.owner, w.manager, w.member, w.neighbour) <= set(people)
    member = people[w.member.user["username"]]
    assert list(member) == ["url", "uuid", "username", "full_name", "email", "role_name", "projects",
                            "expiration_time", "image"]
    assert member["role_name"] is None
    assert member["projects"] == [{
        "url": w.project["url"], "uuid": w.project["uuid"], "name": w.project["name"],
        "role_name": "PROJECT.MEMBER", "expiration_time": None,
    }]
    assert people[w.owner.user["username"]]["role_name"] == "CUSTOMER.OWNER"
    assert w.member.get(path).status_code == 403
    assert w.stranger.get(path).status_code == 404


def test_pictures_of_a_team(service):
    w = World(service)
    answer = w.member.patch(f"/api/users/{w.member.user['uuid']}/", files=upload(png()))
    image = answer.json()["image"]
    assert answer.status_code == 200 and image.startswith(f"{service.url}/api/media/")
    w.team(w.staff, w.customer, "customers", "add_user", "CUSTOMER.SUPPORT", w.member)
    for path, key, whose in (
        (f"/api/projects/{w.project['uuid']}/list_users/", "user_image", "user_uuid"),
        (f"/api/customers/{w.customer['uuid']}/list_users/", "user_image", "user_uuid"),
        (f"/api/customers/{w.customer['uuid']}/users/", "image", "uuid"),
    ):
        seen = {item[whose]: item[key] for item in w.owner.get(path).json()}
        assert seen.pop(w.member.user["uuid"]) == image
        assert set(seen.values()) == {None}


# --- customers and projects


def test_a_customer(service, staff):
    name = unique("Ülikool")
    answer = staff.post("/api/customers/", json={
        "name": name, "country": "EE", "email": "info@example.org", "phone_number": "+372 5",
        "homepage": "https://example.org", "abbreviation": "ÜK"})
    assert answer.status_code == 201
    customer = answer.json()
    assert list(customer) == [
        "url", "uuid", "name", "slug", "native_name", "abbreviation", "description", "email",
        "phone_number", "contact_details", "homepage", "country", "registration_code", "created",
        "backend_id", "blocked", "archived"]
    assert customer["url"] == f"{service.url}/api/customers/{customer['uuid']}/"
    assert (customer["country"], customer["blocked"]) == ("EE", False)
    bad = staff.post("/api/customers/", json={"country": "Estonia", "homepage": "x", "email": "x"})
    assert (bad.status_code, sorted(bad.json())) == (400, ["country", "email", "homepage", "name"])


def test_who_changes_a_customer(world):
    w = world
    path = f"/api/customers/{w.customer['uuid']}/"
    for client, status in ((w.service.nobody, 401), (w.stranger, 404), (w.member, 403), (w.owner, 200)):
        answer = client.patch(path, json={"description": "d", "blocked": True})
        assert answer.status_code == status, answer.text
    assert w.staff.get(path).json()["blocked"] is False
    assert w.owner.delete(path).status_code == 403
    assert w.owner.post("/api/customers/", json={"name": "x"}).status_code == 403


def test_a_customer_with_projects_is_not_deleted(world):
    w = world
    path = f"/api/customers/{w.customer['uuid']}/"
    answer = w.staff.delete(path)
    assert (answer.status_code, answer.json()) == (
        400, {"non_field_errors": ["Cannot delete organization with existing projects."]})
    empty = w.made("/api/customers/", name=unique("Empty"))
    assert w.staff.delete(f"/api/customers/{empty['uuid']}/").status_code == 204


def test_projects_are_created_by_those_who_may(world):
    w = world
    body = {"name": unique("New"), "customer": w.customer["url"]}
    assert w.owner.post("/api/projects/", json=body).status_code == 201
    answer = w.member.post("/api/projects/", json=body)
    assert (answer.status_code, answer.json()) == (
        403, {"detail": "You do not have permission to perform this action."})
    answer = w.stranger.post("/api/projects/", json=body)
    assert (answer.status_code, answer.json()) == (
        400, {"customer": ["Invalid hyperlink - Object does not exist."]})
    answer = w.staff.post("/api/projects/", json={"name": "x", "customer": "nonsense"})
    assert answer.json() == {"customer": ["Invalid hyperlink - No URL match."]}
    answer = w.staff.post("/api/projects/", json={
        **body, "start_date": "2026-05-02", "end_date": "2026-05-01"})
    assert answer.json() == {"end_date": ["End date should not be before start date."]}


def test_a_removed_project_stays_and_its_roles_end(service):
    w = World(service)
    path = f"/api/projects/{w.project['uuid']}/"
    assert w.member.delete(path).status_code == 403
    assert w.owner.delete(path).status_code == 204
    assert w.project["name"] not in names(w.staff.get("/api/projects/?page_size=300"), "name")
    assert w.owner.get(path).json()["is_removed"] is True
    assert w.member.get(path).status_code == 404
    assert w.member.get("/api/users/me/").json()["permissions"] == []
    answer = w.team(w.staff, w.project, "projects", "add_user", "PROJECT.MEMBER", w.stranger)
    assert (answer.status_code, answer.json()) == (
        400, {"non_field_errors": ["Cannot manage team members for terminated projects."]})


# --- roles


def test_roles_are_open_to_all_and_changed_by_staff(world):
    w = world
    anonymous = w.service.nobody.get("/api/roles/?page_size=50").json()
    system = [r["name"] for r in anonymous if r["is_system_role"]]
    assert system == ["CUSTOMER.MANAGER", "CUSTOMER.OWNER", "CUSTOMER.SUPPORT", "PROJECT.ADMIN",
                      "PROJECT.MANAGER", "PROJECT.MEMBER"]
    assert "users_count" not in anonymous[0]
    assert len(next(r for r in anonymous if r["name"] == "CUSTOMER.OWNER")["permissions"]) == 12
    name = unique("ROLE")
    body = {"name": name, "content_type": "project", "permissions": ["PROJECT.UPDATE"]}
    assert w.member.post("/api/roles/", json=body).status_code == 403
    assert w.service.nobody.post("/api/roles/", json=body).status_code == 401
    role = w.staff.post("/api/roles/", json=body)
    assert role.status_code == 201, role.text
    assert role.json() == {
        "uuid": role.json()["uuid"], "name": name, "description": "", "permissions": ["PROJECT.UPDATE"],
        "is_system_role": False, "is_active": True, "users_count": 0, "content_type": "project"}
    path = f"/api/roles/{role.json()['uuid']}/"
    answer = w.staff.put(path, json={**body, "permissions": []})
    assert (answer.status_code, answer.json()["permissions"]) == (200, [])
    assert w.staff.post(path + "disable/").json() == {"detail": f"The role {name} has been disabled"}
    answer = w.team(w.staff, w.project, "projects", "add_user", name, w.stranger)
    assert answer.json() == {"non_field_errors": ["Role is not active."]}
    assert w.staff.post(path + "enable/").json() == {"detail": f"The role {name} has been enabled"}
    assert w.staff.delete(path).status_code == 204


def test_what_is_wrong_with_a_role(staff):
    answer = staff.post("/api/roles/", json={})
    required = ["This field is required."]
    assert answer.json() == {"name": required, "content_type": required, "permissions": required}
    body = {"name": unique("R"), "content_type": "galaxy", "permissions": ["X.Y"]}
    assert staff.post("/api/roles/", json=body).json() == {
        "content_type": ["Invalid content type."], "permissions": ["Invalid permissions X.Y"]}
    body["permissions"] = []
    assert staff.post("/api/roles/", json=body).json() == {"content_type": ["Invalid content type."]}
    body.update(name="PROJECT.MEMBER", content_type="project")
    assert staff.post("/api/roles/", json=body).json() == {"non_field_errors": ["Name should be unique."]}
    owner = staff.get("/api/roles/?name=CUSTOMER.OWNER").json()[0]
    path = f"/api/roles/{owner['uuid']}/"
    assert staff.patch(path, json={"name": "X"}).json() == {
        "non_field_errors": ["Changing name for system role is not possible."]}
    answer = staff.delete(path)
    assert (answer.status_code, answer.json()) == (400, ["Destroying of system role is not available."])


# --- filters, explanations, events


def test_filters_of_users_by_roles(world):
    w = world
    path = "/api/users/?page_size=300&"
    team = usernames(w.owner, w.manager, w.member, w.neighbour)
    assert team <= names(w.staff.get(f"{path}customer_uuid={w.customer['uuid']}"))
    found = names(w.staff.get(f"{path}project_uuid={w.sibling['uuid']}"))
    assert found == usernames(w.neighbour)
    both = f"{path}customer_uuid={w.customer['uuid']}&organization_roles=CUSTOMER.OWNER"
    assert names(w.staff.get(both)) == usernames(w.owner)
    for parameter in ("customer_uuid", "project_uuid"):
        answer = w.staff.get(f"{path}{parameter}=x")
        assert (answer.status_code, answer.json()) == (400, {parameter: ["Enter a valid UUID."]})
        assert w.staff.get(f"{path}{parameter}={'0' * 31}1").json() == []
    assert w.staff.get(f"{path}project_roles=NO.SUCH").json() == []


def test_access_is_explained(world):
    w = world
    path = f"/api/users/{w.manager.user['uuid']}/access/"
    answer = w.staff.get(f"{path}?permission=PROJECT.UPDATE&scope={w.project['url']}").json()
    assert (answer["allowed"], answer["is_staff"]) == (True, False)
    assert [g["role_name"] for g in answer["grants"]] == ["PROJECT.MANAGER"]
    assert answer["grants"][0]["granted_by_username"] == "staff"
    answer = w.staff.get(f"{path}?permission=PROJECT.DELETE&scope={w.project['uuid']}").json()
    assert (answer["allowed"], answer["grants"]) == (False, [])
    answer = w.staff.get(f"{path}?permission=PROJECT.UPDATE&scope={w.project['uuid']}&at=2020-01-01").json()
    assert answer["allowed"] is False
    answer = w.staff.get(path)
    assert (answer.status_code, sorted(answer.json())) == (400, ["permission", "scope"])
    who = w.owner.get(f"/api/projects/{w.project['uuid']}/who_can/?permission=PROJECT.UPDATE").json()
    assert usernames(w.owner, w.manager) <= {g["user_username"] for g in who}
    assert w.member.user["username"] not in {g["user_username"] for g in who}


def test_every_change_leaves_an_event(world):
    w = world
    target = w.service.account()
    answer = w.team(w.owner, w.project, "projects", "add_user", "PROJECT.MEMBER", target)
    events = w.staff.get(f"/api/events/?subject_uuid={target.user['uuid']}").json()
    assert events[0]["event_type"] == "role_granted"
    assert events[0]["actor_username"] == w.owner.user["username"]
    assert events[0]["request_id"] == answer.headers["X-Request-ID"]
    assert events[0]["changes"]["scope_name"] == w.project["name"]
    own = target.get("/api/events/").json()
    assert {e["subject_uuid"] for e in own} == {target.user["uuid"]}
    assert w.service.nobody.get("/api/events/").status_code == 401
