"""/api/roles/: who changes them, what is wrong with them, what their events tell."""

import uuid

import pytest
from service import unique
from users import FORBIDDEN, MALFORMED, NO_CREDENTIALS, UNKNOWN, UUID, at_once, status_and_json

PATH = "/api/roles/"
NOT_FOUND = {"detail": "No Role matches the given query."}
REQUIRED = ["This field is required."]
BLANK = ["This field may not be blank."]
NULL = ["This field may not be null."]


def body(**changes):
    return {"name": unique("ROLE"), "content_type": "project", "permissions": ["PROJECT.UPDATE"], **changes}


@pytest.fixture
def role(staff):
    answer = staff.post(PATH, json=body(description="What it is for"))
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
def callers(staff, support, regular, nobody):
    return {"staff": staff, "support": support, "regular": regular, "nobody": nobody}


def path_of(role, action=""):
    return f"{PATH}{role['uuid']}/{action}"


@pytest.mark.parametrize("caller", ["staff", "support", "regular", "nobody"])
def test_everybody_reads(callers, role, caller):
    seen = {k: v for k, v in role.items() if k != "users_count" or caller in ("staff", "support")}
    client = callers[caller]
    assert status_and_json(client.get(path_of(role))) == (200, seen)
    assert list(client.get(path_of(role)).json()) == list(seen)
    assert status_and_json(client.get(f"{PATH}?name={role['name']}")) == (200, [seen])
    assert client.head(PATH).status_code == client.head(path_of(role)).status_code == 200
    assert UUID.fullmatch(role["uuid"])


@pytest.mark.parametrize("caller, status, refusal", [
    ("support", 403, FORBIDDEN), ("regular", 403, FORBIDDEN), ("nobody", 401, NO_CREDENTIALS)])
def test_only_staff_writes(callers, role, caller, status, refusal):
    client = callers[caller]
    answers = [client.post(PATH, json=body())]
    answers += [client.request(method, path_of(role), json=body()) for method in ("PUT", "PATCH", "DELETE")]
    answers += [client.post(path_of(role, action)) for action in ("enable/", "disable/")]
    assert [status_and_json(answer) for answer in answers] == [(status, refusal)] * 6
    assert callers["staff"].get(path_of(role)).json() == role


def test_methods(staff, role):
    for path, methods in ((PATH, ("PUT", "PATCH", "DELETE")), (path_of(role), ("POST",)),
                          (path_of(role, "enable/"), ("GET", "PUT", "PATCH", "DELETE")),
                          (path_of(role, "disable/"), ("GET", "PUT", "PATCH", "DELETE"))):
        for method in methods:
            assert staff.request(method, path, json={}).status_code == 405
    for uuid in (UNKNOWN, *MALFORMED[:4], "CUSTOMER.OWNER"):
        for method, action in (("GET", ""), ("PUT", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "enable/"),
                               ("POST", "disable/")):
            assert staff.request(method, f"{PATH}{uuid}/{action}", json=body()).status_code == 404
    assert status_and_json(staff.get(f"{PATH}{UNKNOWN}/")) == (404, NOT_FOUND)


WRONG = [
    ({"name": ""}, {"name": BLANK}),
    ({"name": None}, {"name": NULL}),
    ({"name": "x" * 151}, {"name": ["Ensure this field has no more than 150 characters."]}),
    ({"name": "CUSTOMER.OWNER"}, {"non_field_errors": ["Name should be unique."]}),
    ({"description": "x" * 2001}, {"description": ["Ensure this field has no more than 2000 characters."]}),
    ({"permissions": "PROJECT.UPDATE"}, {"permissions": ['Expected a list of items but got type "str".']}),
    ({"permissions": {}}, {"permissions": ['Expected a list of items but got type "dict".']}),
    ({"permissions": ["X", "PROJECT.UPDATE"]}, {"permissions": ["Invalid permissions X"]}),
    ({"permissions": ["project.update"]}, {"permissions": ["Invalid permissions project.update"]}),
    ({"permissions": [1]}, {"permissions": ["Invalid permissions 1"]}),
]


@pytest.mark.parametrize("change, expected", WRONG)
def test_what_is_wrong(staff, role, change, expected):
    before = staff.head(PATH).headers["X-Result-Count"]
    for answer in (staff.post(PATH, json=body(**change)), staff.put(path_of(role), json=body(**change)),
                   staff.patch(path_of(role), json=change)):
        assert status_and_json(answer) == (400, expected)
    assert staff.get(path_of(role)).json() == role
    assert staff.head(PATH).headers["X-Result-Count"] == before


def test_what_is_wrong_with_a_new_one(staff):
    required = {"name": REQUIRED, "content_type": REQUIRED, "permissions": REQUIRED}
    assert status_and_json(staff.post(PATH, json={})) == (400, required)
    for value, message in (("galaxy", ["Invalid content type."]), ("Project", ["Invalid content type."]), ("", BLANK),
                           (None, NULL)):
        assert status_and_json(staff.post(PATH, json=body(content_type=value))) == (400, {"content_type": message})
    answer = staff.post(PATH, json=body(name="", content_type="galaxy", permissions=["PROJECT.FLY"]))
    assert status_and_json(answer) == (400, {
        "name": BLANK, "content_type": ["Invalid content type."], "permissions": ["Invalid permissions PROJECT.FLY"]})
    for value in ([], "x", 5):
        assert staff.post(PATH, json=value).status_code == 400


def test_put_says_all_and_patch_some(staff, role):
    for name in ("name", "content_type", "permissions"):
        some = {k: v for k, v in body().items() if k != name}
        assert status_and_json(staff.put(path_of(role), json=some)) == (400, {name: REQUIRED})
    changed = staff.put(path_of(role), json=body(name=role["name"], permissions=[])).json()
    assert changed == {**role, "permissions": []}
    changed = staff.patch(path_of(role), json={"permissions": ["PROJECT.DELETE", "PROJECT.CREATE"]}).json()
    assert changed == {**role, "permissions": ["PROJECT.CREATE", "PROJECT.DELETE"]}
    # What kind of scope it is for, and whether it is the system's, stays.
    ignored = {"content_type": "customer", "is_system_role": True, "is_active": False, "users_count": 7}
    assert staff.patch(path_of(role), json=ignored).json() == changed


def test_names_in_another_case_are_taken(staff, role):
    taken = (400, {"non_field_errors": ["Name should be unique."]})
    other = staff.post(PATH, json=body()).json()
    for name in (role["name"], role["name"].lower(), role["uuid"]):
        assert status_and_json(staff.post(PATH, json=body(name=name))) == taken
        assert status_and_json(staff.patch(path_of(other), json={"name": name})) == taken
    # Its own name may change its case.
    assert staff.patch(path_of(role), json={"name": role["name"].lower()}).status_code == 200


def test_a_name_that_looks_like_a_uuid(staff):
    wanted = body(name=uuid.uuid4().hex)
    assert staff.post(PATH, json=wanted).status_code == 201
    assert status_and_json(staff.post(PATH, json=wanted)) == (400, {"non_field_errors": ["Name should be unique."]})


def test_equal_names_at_once(crowded):
    name = unique("ROLE")

    def post(staff, _):
        return staff.post(PATH, json=body(name=name))

    answers = at_once(post, crowded.staff, range(8), connections=8)
    assert sorted(answer.status_code for answer in answers) == [201] + [400] * 7
    refused = {answer.text for answer in answers if answer.status_code == 400}
    assert refused == {'{"non_field_errors":["Name should be unique."]}'}


def test_a_system_role_keeps_its_name_and_may_get_other_permissions(staff):
    member = staff.get(f"{PATH}?name=PROJECT.MEMBER").json()[0]
    assert member["permissions"] == []
    same = {"name": "PROJECT.MEMBER", "content_type": "project", "permissions": []}
    assert status_and_json(staff.put(path_of(member), json=same)) == (200, member)
    assert status_and_json(staff.put(path_of(member), json={**same, "name": "X"})) == (
        400, {"non_field_errors": ["Changing name for system role is not possible."]})
    assert status_and_json(staff.delete(path_of(member))) == (400, ["Destroying of system role is not available."])


def test_a_role_that_was_granted_is_not_deleted(service, staff, role):
    customer = staff.post("/api/customers/", json={"name": unique("Customer")}).json()
    project = staff.post("/api/projects/", json={"name": unique("P"), "customer": customer["url"]}).json()
    grant = {"role": role["name"], "user": service.create()["uuid"]}
    assert staff.post(f"/api/projects/{project['uuid']}/add_user/", json=grant).status_code == 201
    assert staff.get(path_of(role)).json()["users_count"] == 1
    assert status_and_json(staff.delete(path_of(role))) == (400, ["Role is still used."])
    assert staff.post(f"/api/projects/{project['uuid']}/delete_user/", json=grant).status_code == 200
    assert staff.get(path_of(role)).json()["users_count"] == 0


def test_enable_and_disable_can_be_repeated(staff, role):
    for action, word, active in (("disable/", "disabled", False), ("enable/", "enabled", True)):
        for _ in range(2):
            answer = staff.post(path_of(role, action))
            assert status_and_json(answer) == (200, {"detail": f"The role {role['name']} has been {word}"})
            assert staff.get(path_of(role)).json()["is_active"] is active
    events = [e["event_type"] for e in staff.get(f"/api/events/?subject_uuid={role['uuid']}").json()]
    assert events == ["role_enabled", "role_disabled", "role_creation_succeeded"]


def test_if_match(staff, role):
    etag = staff.get(path_of(role)).headers["ETag"]
    assert staff.patch(path_of(role), json={"permissions": []}).status_code == 200
    for method in ("PUT", "PATCH", "DELETE"):
        answer = staff.request(method, path_of(role), json=body(), headers={"If-Match": etag})
        assert answer.status_code == 412


def test_events_tell_the_permissions_before_and_after(staff, role):
    staff.patch(path_of(role), json={"permissions": ["PROJECT.DELETE"], "description": ""})
    staff.patch(path_of(role), json={"permissions": ["PROJECT.DELETE"], "description": "x"})
    for _ in range(2):
        staff.patch(path_of(role), json={"permissions": ["PROJECT.LIST_USERS"]})
    assert staff.delete(path_of(role)).status_code == 204
    events = staff.get(f"/api/events/?subject_uuid={role['uuid']}&subject_type=role").json()
    assert [(e["event_type"], e["changes"]) for e in events[:-1]] == [
        ("role_deletion_succeeded", {
            "uuid": [role["uuid"], None], "name": [role["name"], None], "description": ["x", None],
            "is_system_role": [False, None], "is_active": [True, None], "content_type": ["project", None],
            "permissions": [["PROJECT.LIST_USERS"], None]}),
        ("role_update_succeeded", {"permissions": [["PROJECT.DELETE"], ["PROJECT.LIST_USERS"]]}),
        ("role_update_succeeded", {"description": ["", "x"]}),
        ("role_update_succeeded", {
            "description": ["What it is for", ""], "permissions": [["PROJECT.UPDATE"], ["PROJECT.DELETE"]]}),
    ]
    assert events[-1]["event_type"] == "role_creation_succeeded"
    assert events[-1]["changes"]["permissions"] == [None, ["PROJECT.UPDATE"]]
    assert events[-1]["changes"]["name"] == [None, role["name"]]


def test_filters_and_order(staff, role):
    mine = f"{PATH}?name={role['name']}"
    for query, found in (("is_active=true", True), ("is_active=0", False), ("description=WHAT it", True),
                         ("description=zzz", False), ("is_active=perhaps", True)):
        assert (staff.get(f"{mine}&{query}").json() == [role]) is found
    names = [r["name"] for r in staff.get(f"{PATH}?page_size=300").json()]
    assert names == sorted(names, key=str.lower)
    assert [r["name"] for r in staff.get(f"{PATH}?page_size=300&o=-name").json()] == names[::-1]
    assert staff.get(f"{PATH}?o=x").status_code == 400
