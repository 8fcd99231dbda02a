"""/api/customers/: callers, fields, filters, what stands against a deletion."""

import pytest
from organizations import World, names
from service import unique
from users import FORBIDDEN, MALFORMED, NO_CREDENTIALS, UNKNOWN, status_and_json

PATH = "/api/customers/"
NOT_FOUND = {"detail": "No Customer matches the given query."}
REFUSALS = {401: NO_CREDENTIALS, 403: FORBIDDEN, 404: NOT_FOUND}
BLANK, NULL = ["This field may not be blank."], ["This field may not be null."]


def too_long(n):
    return [f"Ensure this field has no more than {n} characters."]


@pytest.fixture(scope="module")
def world(service):
    w = World(service)
    w.support = service.account(is_support=True)
    w.nobody = service.nobody
    return w


@pytest.fixture
def customer(staff):
    return staff.post(PATH, json={"name": unique("Customer")}).json()


# What each caller is answered: GET, HEAD, PUT, PATCH, DELETE of the customer; POST of a new one.
ANSWERS = {
    "support": (200, 200, 403, 403, 403, 403),
    "owner": (200, 200, 200, 200, 403, 403),
    "manager": (200, 200, 403, 403, 403, 403),
    "member": (200, 200, 403, 403, 403, 403),
    "stranger": (404, 404, 404, 404, 403, 403),
    "nobody": (401, 401, 401, 401, 401, 401),
}


@pytest.mark.parametrize("caller", ANSWERS)
def test_who_may_what(world, caller):
    client, path = getattr(world, caller), f"{PATH}{world.customer['uuid']}/"
    requests = [("GET", path), ("HEAD", path), ("PUT", path), ("PATCH", path), ("DELETE", path), ("POST", PATH)]
    for (method, url), status in zip(requests, ANSWERS[caller]):
        answer = client.request(method, url, json={"description": unique()} if method != "GET" else None)
        assert answer.status_code == status, (method, answer.text)
        if method != "HEAD" and status in REFUSALS:
            assert answer.json() == REFUSALS[status]


def test_methods_and_unknown_customers(world, staff):
    for method in ("PUT", "PATCH", "DELETE"):
        assert staff.request(method, PATH, json={}).status_code == 405
        assert world.owner.request(method, PATH, json={}).status_code == 403
    assert staff.post(f"{PATH}{world.customer['uuid']}/", json={}).status_code == 405
    for uuid in (UNKNOWN, *MALFORMED[:4]):
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            assert staff.request(method, f"{PATH}{uuid}/", json={}).status_code == 404
    assert status_and_json(staff.get(f"{PATH}{UNKNOWN}/")) == (404, NOT_FOUND)


WRONG = [
    ("name", "", BLANK),
    ("name", None, NULL),
    ("name", "é" * 151, too_long(150)),
    ("name", [], ["Not a valid string."]),
    ("slug", "a b", ['Enter a valid "slug" consisting of letters, numbers, underscores or hyphens.']),
    ("slug", "x" * 51, too_long(50)),
    ("native_name", "x" * 161, too_long(160)),
    ("native_name", None, NULL),
    ("abbreviation", "x" * 13, too_long(12)),
    ("description", "x" * 2001, too_long(2000)),
    ("email", "x", ["Enter a valid email address."]),
    ("phone_number", "call me", ["Invalid phone number format."]),
    ("contact_details", "x" * 2001, too_long(2000)),
    ("homepage", "example", ["Enter a valid URL."]),
    ("homepage", "javascript:alert(1)", ["Enter a valid URL."]),
    ("country", "ee", ["Enter a country code of two capital letters (ISO 3166)."]),
    ("country", None, NULL),
    ("registration_code", "x" * 161, too_long(160)),
    ("backend_id", "x" * 256, too_long(255)),
    ("blocked", "maybe", ["Must be a valid boolean."]),
    ("archived", None, NULL),
]


@pytest.mark.parametrize("field, value, message", WRONG)
def test_what_is_wrong(staff, customer, field, value, message):
    path = f"{PATH}{customer['uuid']}/"
    for answer in (staff.post(PATH, json={"name": unique(), field: value}),
                   staff.put(path, json={field: value}), staff.patch(path, json={field: value})):
        assert status_and_json(answer) == (400, {field: message})
    assert staff.get(path).json() == customer


def test_bodies_that_are_none(staff, customer):
    for method, path in (("POST", PATH), ("PUT", customer["url"]), ("PATCH", customer["url"])):
        for value in ([], "x", 5):
            assert staff.request(method, path, json=value).status_code == 400
        assert staff.request(method, path, data="x", headers={"Content-Type": "text/x"}).status_code == 415
    assert status_and_json(staff.post(PATH)) == (400, {"name": ["This field is required."]})


def test_what_an_owner_changes_and_what_only_staff(world):
    w = world
    path = f"{PATH}{w.customer['uuid']}/"
    before = w.staff.get(path).json()
    own = {"name": unique("Customer"), "native_name": "n", "abbreviation": "A", "description": "d",
           "email": "a@example.org", "phone_number": "1", "contact_details": "c", "homepage": "https://example.org/",
           "country": "FI", "registration_code": "r"}
    staffs = {"slug": unique("s"), "backend_id": "b", "blocked": True, "archived": True}
    fixed = {"uuid": UNKNOWN, "created": "2020-01-01T00:00:00Z", "url": "x"}
    assert status_and_json(w.owner.patch(path, json={**own, **staffs, **fixed})) == (200, {**before, **own})
    assert status_and_json(w.staff.put(path, json={**staffs, **fixed})) == (200, {**before, **own, **staffs})
    back = {name: before[name] for name in (*own, *staffs)}
    assert status_and_json(w.staff.put(path, json=back)) == (200, before)


def test_a_taken_slug(staff, customer):
    other = staff.post(PATH, json={"name": customer["name"]}).json()
    assert other["slug"] != customer["slug"]
    taken = (400, {"slug": ["An object with this slug already exists."]})
    assert status_and_json(staff.post(PATH, json={"name": "x", "slug": customer["slug"]})) == taken
    assert status_and_json(staff.patch(other["url"], json={"slug": customer["slug"]})) == taken


def test_safe_writes(staff, customer):
    etag = staff.get(customer["url"]).headers["ETag"]
    assert staff.get(customer["url"], headers={"If-None-Match": etag}).status_code == 304
    assert staff.patch(customer["url"], json={"description": "x"}, headers={"If-Match": etag}).status_code == 200
    for method in ("PUT", "PATCH", "DELETE"):
        answer = staff.request(method, customer["url"], json={}, headers={"If-Match": etag})
        assert answer.status_code == 412
    key, body = {"Idempotency-Key": unique()}, {"name": unique()}
    assert staff.post(PATH, json=body, headers=key).json() == staff.post(PATH, json=body, headers=key).json()
    assert staff.get(f"{PATH}?name={body['name']}").headers["X-Result-Count"] == "1"


def test_a_deletion_ends_the_roles_and_is_told(world, customer):
    w = world
    person = w.service.account()
    assert w.team(w.staff, customer, "customers", "add_user", "CUSTOMER.OWNER", person).status_code == 201
    assert w.staff.delete(customer["url"]).status_code == 204
    assert w.staff.get(customer["url"]).status_code == 404
    assert person.get("/api/users/me/").json()["permissions"] == []
    event = w.staff.get(f"/api/events/?subject_uuid={customer['uuid']}").json()[0]
    assert event["event_type"] == "customer_deletion_succeeded"
    assert event["changes"]["name"] == [customer["name"], None]


def test_filters(world):
    w = world
    mark = unique("Ülikool")
    a = w.made(PATH, name=mark, native_name="Юникум", abbreviation="ÜK", email="a@uk.example.org",
               registration_code=unique("r"), backend_id=unique("b"))
    b = w.made(PATH, name=mark + " 100%", blocked=True)
    person = w.person(a, "customers", "CUSTOMER.OWNER")
    w.staff.patch(a["url"], json={"archived": True})
    both = {a["name"], b["name"]}
    for query, expected in {
        "": both,
        f"name_exact={a['name']}": {a["name"]},
        "query=юник": {a["name"]},
        "query=A@UK.": {a["name"]},
        f"query={a['registration_code']}": {a["name"]},
        f"query={b['slug']}": {b["name"]},
        "query=0%25": {b["name"]},
        f"registration_code={a['registration_code']}": {a["name"]},
        f"backend_id={a['backend_id']}": {a["name"]},
        "blocked=true": {b["name"]},
        "archived=true": {a["name"]},
        "blocked=perhaps": both,
        f"user_uuid={person.user['uuid']}": {a["name"]},
        f"user_uuid={UNKNOWN}": set(),
        "created=2020-01-01": both,
        "created=2100-01-01": set(),
        "modified=2100-01-01": set(),
        "nonsense=x": both,
    }.items():
        answer = w.staff.get(f"{PATH}?page_size=300&name={mark}&{query}")
        assert names(answer, "name") == expected, query
        assert answer.headers["X-Result-Count"] == str(len(expected))
    for query, message in (("user_uuid=x", {"user_uuid": ["Enter a valid UUID."]}),
                           ("created=x", {"created": ["Enter a valid date/time."]}),
                           ("modified=x", {"modified": ["Enter a valid date/time."]}),
                           ("o=x", {"o": ["Select a valid choice. x is not one of the available choices."]})):
        assert status_and_json(w.staff.get(f"{PATH}?{query}")) == (400, message)
