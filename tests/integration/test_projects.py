"""/api/projects/: callers, fields, filters, removal."""

import pytest
from organizations import World, names
from service import unique
from users import FORBIDDEN, MALFORMED, NO_CREDENTIALS, UNKNOWN, status_and_json

PATH = "/api/projects/"
NOT_FOUND = {"detail": "No Project matches the given query."}
REFUSALS = {401: NO_CREDENTIALS, 403: FORBIDDEN, 404: NOT_FOUND}
REQUIRED, NULL = ["This field is required."], ["This field may not be null."]
NO_MATCH, NO_OBJECT = ["Invalid hyperlink - No URL match."], ["Invalid hyperlink - Object does not exist."]
BAD_DATE = ["Date has wrong format. Use one of these formats instead: YYYY-MM-DD."]


@pytest.fixture(scope="module")
def world(service):
    w = World(service)
    w.support = service.account(is_support=True)
    w.nobody = service.nobody
    return w


@pytest.fixture
def project(world):
    return world.made(PATH, name=unique("Project"), customer=world.customer["url"])


# What each caller is answered about a project: GET, HEAD, PUT, PATCH, DELETE.
ANSWERS = {
    "support": (200, 200, 403, 403, 403),
    "manager": (200, 200, 200, 200, 403),
    "member": (200, 200, 403, 403, 403),
    "neighbour": (404, 404, 404, 404, 404),
    "stranger": (404, 404, 404, 404, 404),
    "nobody": (401, 401, 401, 401, 401),
    "owner": (200, 200, 200, 200, 204),
}


@pytest.mark.parametrize("caller", ANSWERS)
def test_who_may_what(world, project, caller):
    w, client = world, getattr(world, caller)
    if caller in ("manager", "member"):
        role = f"PROJECT.{caller.upper()}"
        assert w.team(w.staff, project, "projects", "add_user", role, client).status_code == 201
    for method, status in zip(("GET", "HEAD", "PUT", "PATCH", "DELETE"), ANSWERS[caller]):
        body = {"description": unique()} if method in ("PUT", "PATCH") else None
        answer = client.request(method, project["url"], json=body)
        assert answer.status_code == status, (method, answer.text)
        if method != "HEAD" and status in REFUSALS:
            assert answer.json() == REFUSALS[status]


def test_methods_and_unknown_projects(world, project):
    for client in (world.staff, world.owner, world.member):
        for method in ("PUT", "PATCH", "DELETE"):
            assert client.request(method, PATH, json={}).status_code == 405
    assert world.staff.post(project["url"], json={}).status_code == 405
    for uuid in (UNKNOWN, *MALFORMED[:4]):
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            for client in (world.staff, world.stranger):
                assert client.request(method, f"{PATH}{uuid}/", json={}).status_code == 404
    for method in ("GET", "POST", "PUT"):
        assert status_and_json(world.nobody.request(method, PATH)) == (401, NO_CREDENTIALS)


def test_a_project(world):
    w = world
    body = {"name": unique("Project"), "customer": w.customer["url"], "description": "d", "start_date": "2026-01-01",
            "end_date": "2026-01-01"}
    answer = w.owner.post(PATH, json={**body, "slug": "mine", "backend_id": "x", "is_removed": True})
    assert answer.status_code == 201
    project = answer.json()
    assert list(project.items()) == [
        ("url", f"{w.service.url}{PATH}{project['uuid']}/"),
        ("uuid", project["uuid"]),
        ("name", body["name"]),
        ("slug", project["slug"]),
        ("description", "d"),
        ("customer", w.customer["url"]),
        ("customer_uuid", w.customer["uuid"]),
        ("customer_name", w.customer["name"]),
        ("created", project["created"]),
        ("start_date", "2026-01-01"),
        ("end_date", "2026-01-01"),
        ("is_removed", False),
        ("backend_id", ""),
        ("kind", "default"),
    ]
    assert project["slug"].startswith("project-")
    assert answer.headers["Location"] == project["url"]
    for customer in (w.customer["uuid"], w.customer["uuid"].replace("-", "")):
        assert w.owner.post(PATH, json={"name": "x", "customer": customer}).status_code == 201


WRONG = [
    ({"name": ""}, {"name": ["This field may not be blank."]}),
    ({"name": None}, {"name": NULL}),
    ({"name": "é" * 501}, {"name": ["Ensure this field has no more than 500 characters."]}),
    ({"description": "x" * 2001}, {"description": ["Ensure this field has no more than 2000 characters."]}),
    ({"slug": "a b"}, {"slug": ['Enter a valid "slug" consisting of letters, numbers, underscores or hyphens.']}),
    ({"start_date": "soon"}, {"start_date": BAD_DATE}),
    ({"end_date": "2026-02-30"}, {"end_date": BAD_DATE}),
    ({"start_date": "2026-05-02", "end_date": "2026-05-01"},
     {"end_date": ["End date should not be before start date."]}),
    ({"backend_id": "x" * 256}, {"backend_id": ["Ensure this field has no more than 255 characters."]}),
]


@pytest.mark.parametrize("change, expected", WRONG)
def test_what_is_wrong(world, project, change, expected):
    new = {"name": unique(), "customer": world.customer["url"], **change}
    for answer in (world.staff.post(PATH, json=new), world.staff.put(project["url"], json=change),
                   world.staff.patch(project["url"], json=change)):
        assert status_and_json(answer) == (400, expected)
    assert world.staff.get(project["url"]).json() == project


@pytest.mark.parametrize("value, expected", [
    (None, REQUIRED), ("", NO_MATCH), ("x", NO_MATCH), (5, NO_MATCH), ([], NO_MATCH), (UNKNOWN, NO_OBJECT),
    (f"https://example.org/api/customers/{UNKNOWN}/", NO_OBJECT)])
def test_customers_that_are_none(world, value, expected):
    assert status_and_json(world.staff.post(PATH, json={"name": "x", "customer": value})) == (
        400, {"customer": expected})


def test_who_creates(world):
    w = world
    body = {"name": unique(), "customer": w.customer["url"]}
    assert w.owner.post(PATH, json=body).status_code == 201
    for caller in ("support", "manager", "member"):
        answer = getattr(w, caller).post(PATH, json=body)
        assert status_and_json(answer) == (403, REFUSALS[403]), caller
    assert status_and_json(w.stranger.post(PATH, json=body)) == (400, {"customer": NO_OBJECT})
    manager = w.person(w.customer, "customers", "CUSTOMER.MANAGER")
    assert manager.post(PATH, json=body).status_code == 201


@pytest.mark.parametrize("state", ["blocked", "archived"])
def test_no_project_in_a_closed_customer(world, state):
    customer = world.made("/api/customers/", name=unique("Closed"), **{state: True})
    body = {"name": "x", "customer": customer["url"]}
    assert status_and_json(world.staff.post(PATH, json=body)) == (
        400, {"non_field_errors": ["Customer is not available."]})


def test_dates_are_compared_with_what_is_there(world, project):
    wrong = (400, {"end_date": ["End date should not be before start date."]})
    assert world.owner.patch(project["url"], json={"start_date": "2026-05-01"}).status_code == 200
    assert status_and_json(world.owner.patch(project["url"], json={"end_date": "2026-04-30"})) == wrong
    assert world.owner.patch(project["url"], json={"end_date": "2026-05-01"}).status_code == 200
    assert status_and_json(world.owner.patch(project["url"], json={"start_date": "2026-05-02"})) == wrong
    assert world.owner.patch(project["url"], json={"start_date": None}).json()["start_date"] is None


def test_the_customer_of_a_project_stays(world, project):
    other = world.made("/api/customers/", name=unique("Other"))
    answer = world.staff.patch(project["url"], json={"customer": other["url"], "customer_uuid": other["uuid"]})
    assert status_and_json(answer) == (200, project)


def test_a_removal_leaves_the_end_of_a_role_that_had_expired(world, project):
    world.person(project, "projects", "PROJECT.MEMBER")
    of_it = "WHERE project_id = (SELECT id FROM projects WHERE uuid = UNHEX(%s))"
    uuid = project["uuid"].replace("-", "")
    world.service.sql(f"UPDATE role_grants SET expiration_time = '2020-01-01' {of_it}", uuid)
    assert world.staff.delete(f"{PATH}{project['uuid']}/").status_code == 204
    assert world.service.sql(f"SELECT is_active, YEAR(expiration_time) FROM role_grants {of_it}", uuid) == ((0, 2020),)


def test_a_removal_is_told_and_can_be_repeated(world, project):
    w = world
    person = w.person(project, "projects", "PROJECT.MEMBER")
    assert [w.owner.delete(project["url"]).status_code for _ in range(2)] == [204, 204]
    events = w.staff.get(f"/api/events/?subject_uuid={project['uuid']}").json()
    assert [(e["event_type"], e["changes"]) for e in events[:-1]] == [
        ("project_deletion_succeeded", {"is_removed": [False, True]})]
    assert person.get("/api/events/").json()[0]["event_type"] == "role_revoked"
    assert status_and_json(w.staff.get(project["url"])) == (200, {**project, "is_removed": True})


def test_safe_writes(world, project):
    etag = world.owner.get(project["url"]).headers["ETag"]
    assert world.owner.get(project["url"], headers={"If-None-Match": etag}).status_code == 304
    assert world.owner.patch(project["url"], json={"description": "x"}, headers={"If-Match": etag}).status_code == 200
    for method in ("PUT", "PATCH", "DELETE"):
        assert world.owner.request(method, project["url"], json={}, headers={"If-Match": etag}).status_code == 412
    assert world.owner.get(project["url"]).json()["is_removed"] is False


def test_if_match_sees_what_was_changed_meanwhile(world, project):
    headers = {"If-Match": world.owner.get(project["url"]).headers["ETag"]}
    [answer] = world.service.while_locked(
        [lambda: world.owner.delete(project["url"], headers=headers)],
        "UPDATE projects SET version = version + 1 WHERE slug = %s",
        project["slug"],
    )
    assert answer.status_code == 412
    assert world.owner.get(project["url"]).json() == project


def test_filters(service):
    w = World(service)
    removed = w.made(PATH, name="Removed", customer=w.customer["url"])
    assert w.staff.delete(removed["url"]).status_code == 204
    w.staff.patch(w.project["url"], json={"description": "Läbi 100%", "backend_id": "B-1"})
    a, b, base = w.project["name"], w.sibling["name"], f"{PATH}?page_size=300&customer={w.customer['uuid']}"
    for query, expected in {
        "": {a, b},
        "include_terminated=true": {a, b, "Removed"},
        "name=PROJ": {a},
        f"name_exact={a}": {a},
        "query=läbi": {a},
        "query=0%25": {a},
        f"query={w.sibling['slug']}": {b},
        "backend_id=B-1": {a},
        "backend_id=b-1": set(),
        f"customer_uuid={w.customer['uuid']}": {a, b},
        f"customer_uuid={UNKNOWN}": set(),
        f"user_uuid={w.member.user['uuid']}": {a},
        f"user_uuid={UNKNOWN}": set(),
        "created=2020-01-01": {a, b},
        "created=2100-01-01": set(),
        "modified=2100-01-01": set(),
    }.items():
        answer = w.owner.get(f"{base}&{query}")
        assert names(answer, "name") == expected, query
        assert answer.headers["X-Result-Count"] == str(len(expected))
    uuid = ["Enter a valid UUID."]
    for query, message in (("customer=x", {"customer": uuid}), ("customer_uuid=x", {"customer_uuid": uuid}),
                           ("user_uuid=x", {"user_uuid": uuid}), ("created=x", {"created": ["Enter a valid date/time."]}),
                           ("o=x", {"o": ["Select a valid choice. x is not one of the available choices."]})):
        assert status_and_json(w.owner.get(f"{PATH}?{query}")) == (400, message)
    for o in ("name", "created", "slug", "customer_name"):
        up = [p["uuid"] for p in w.owner.get(f"{base}&o={o},name").json()]
        assert sorted(up) == sorted(p["uuid"] for p in w.owner.get(f"{base}&o=-{o}").json())
