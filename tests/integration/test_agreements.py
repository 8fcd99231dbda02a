"""/api/user-agreements/: the texts that users agree with."""

import pytest
from service import unique
from users import FORBIDDEN, MALFORMED, NO_CREDENTIALS, STAMP, UNKNOWN, UUID, status_and_json

PATH = "/api/user-agreements/"
NOT_FOUND = {"detail": "No UserAgreement matches the given query."}
REQUIRED = ["This field is required."]
TAKEN = ["user agreement with this agreement type already exists."]


@pytest.fixture
def empty(service):
    service.sql("DELETE FROM user_agreements")
    yield
    service.sql("DELETE FROM user_agreements")


@pytest.fixture
def terms(empty, staff):
    answer = staff.post(PATH, json={"content": "Be kind.", "agreement_type": "TOS"})
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
def callers(service, staff, support, regular, nobody):
    return {"staff": staff, "support": support, "regular": regular, "nobody": nobody}


def events(service, agreement):
    rows = service.sql(
        "SELECT event, changes FROM audit_events WHERE subject_type = 'user_agreement'"
        " AND subject_uuid = UNHEX(%s) ORDER BY id",
        agreement["uuid"].replace("-", ""),
    )
    return [event for event, _ in rows]


def test_create(service, staff, empty):
    answer = staff.post(PATH, json={"content": " Be kind. ", "agreement_type": "PP"})
    assert answer.status_code == 201
    agreement = answer.json()
    assert UUID.fullmatch(agreement["uuid"]) and STAMP.fullmatch(agreement["created"])
    assert list(agreement.items()) == [
        ("url", f"{service.url}{PATH}{agreement['uuid']}/"),
        ("uuid", agreement["uuid"]),
        ("content", "Be kind."),
        ("agreement_type", "PP"),
        ("created", agreement["created"]),
        ("modified", agreement["created"]),
    ]
    assert answer.headers["Location"] == agreement["url"]
    assert events(service, agreement) == ["user_agreement_creation_succeeded"]


@pytest.mark.parametrize("caller", ["staff", "support", "regular"])
def test_everybody_who_is_signed_in_reads(callers, terms, caller):
    client = callers[caller]
    assert status_and_json(client.get(PATH)) == (200, [terms])
    assert status_and_json(client.get(terms["url"])) == (200, terms)
    assert client.head(PATH).headers["X-Result-Count"] == "1"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_nobody_is_401(nobody, terms, method):
    for path in (PATH, terms["url"]):
        answer = nobody.request(method, path, json={})
        assert answer.status_code == 401
        assert method == "HEAD" or answer.json() == NO_CREDENTIALS


@pytest.mark.parametrize("caller", ["support", "regular"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_only_staff_writes(callers, terms, caller, method):
    body = {"content": "Do as you like.", "agreement_type": "PP"}
    for path in (PATH, terms["url"], f"{PATH}{UNKNOWN}/"):
        assert status_and_json(callers[caller].request(method, path, json=body)) == (403, FORBIDDEN)
    assert status_and_json(callers["staff"].get(PATH)) == (200, [terms])


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_change(service, staff, terms, method):
    answer = staff.request(method, terms["url"], json={"content": "Be very kind."})
    assert answer.status_code == 200
    changed = answer.json()
    assert changed == {**terms, "content": "Be very kind.", "modified": changed["modified"]}
    assert changed["modified"] > terms["modified"]
    assert events(service, terms)[1:] == ["user_agreement_update_succeeded"]


def test_a_change_to_the_same_changes_nothing(service, staff, terms):
    answer = staff.put(terms["url"], json={"content": "Be kind.", "agreement_type": "TOS"})
    assert status_and_json(answer) == (200, terms)
    assert events(service, terms)[1:] == []


def test_delete(service, staff, terms):
    answer = staff.delete(terms["url"])
    assert (answer.status_code, answer.content) == (204, b"")
    assert status_and_json(staff.get(terms["url"])) == (404, NOT_FOUND)
    assert events(service, terms)[1:] == ["user_agreement_deletion_succeeded"]


def test_conditions(staff, terms):
    etag = staff.get(terms["url"]).headers["ETag"]
    assert staff.get(terms["url"], headers={"If-None-Match": etag}).status_code == 304
    assert staff.patch(terms["url"], json={"content": "x"}, headers={"If-Match": etag}).status_code == 200
    assert staff.patch(terms["url"], json={"content": "y"}, headers={"If-Match": etag}).status_code == 412
    assert staff.delete(terms["url"], headers={"If-Match": etag}).status_code == 412


@pytest.mark.parametrize(
    "body, problems",
    [
        ({}, {"content": REQUIRED, "agreement_type": REQUIRED}),
        ({"content": "x"}, {"agreement_type": REQUIRED}),
        ({"content": " ", "agreement_type": "PP"}, {"content": ["This field may not be blank."]}),
        ({"content": None, "agreement_type": None},
         {"content": ["This field may not be null."], "agreement_type": ["This field may not be null."]}),
        ({"content": ["x"], "agreement_type": ["PP"]},
         {"content": ["Not a valid string."], "agreement_type": ["Not a valid string."]}),
        ({"content": "x", "agreement_type": "tos"}, {"agreement_type": ['"tos" is not a valid choice.']}),
        ({"content": "x", "agreement_type": ""}, {"agreement_type": ['"" is not a valid choice.']}),
        ({"content": "x", "agreement_type": " PP"}, {"agreement_type": ['" PP" is not a valid choice.']}),
        ({"content": "x", "agreement_type": 7}, {"agreement_type": ['"7" is not a valid choice.']}),
        ({"content": "x", "agreement_type": "ß\"\n"}, {"agreement_type": ['"ß"\n" is not a valid choice.']}),
        ({"content": "x", "agreement_type": "TOS"}, {"agreement_type": TAKEN}),
    ],
)
def test_bad_bodies(staff, terms, body, problems):
    assert status_and_json(staff.post(PATH, json=body)) == (400, problems)


def test_a_change_to_a_type_that_is_taken(staff, terms):
    privacy = staff.post(PATH, json={"content": "None.", "agreement_type": "PP"}).json()
    answer = staff.patch(privacy["url"], json={"agreement_type": "TOS"})
    assert status_and_json(answer) == (400, {"agreement_type": TAKEN})


def test_what_is_not_to_be_written_is_ignored(staff, terms):
    body = {"uuid": UNKNOWN, "created": "2020-01-01T00:00:00Z", "url": "x", "nonsense": 1}
    assert status_and_json(staff.patch(terms["url"], json=body)) == (200, terms)


def test_list(staff, terms):
    privacy = staff.post(PATH, json={"content": "None.", "agreement_type": "PP"}).json()
    for query, found in [
        ("", [terms, privacy]),
        ("?agreement_type=PP", [privacy]),
        ("?agreement_type=TOS", [terms]),
        ("?agreement_type=", [terms, privacy]),
        ("?o=-created", [privacy, terms]),
        ("?page_size=1", [terms]),
        ("?page_size=1&page=2", [privacy]),
        ("?page=last", [terms, privacy]),
    ]:
        assert status_and_json(staff.get(PATH + query)) == (200, found), query
    assert status_and_json(staff.get(PATH + "?field=content")) == (
        200, [{"content": "Be kind."}, {"content": "None."}])
    for value in "pp", "x":
        assert status_and_json(staff.get(PATH + f"?agreement_type={value}")) == (
            400, {"agreement_type": [f"Select a valid choice. {value} is not one of the available choices."]})


@pytest.mark.parametrize("uuid", MALFORMED)
def test_malformed_ids_are_404(staff, uuid):
    for method in ("GET", "PATCH", "DELETE"):
        assert staff.request(method, f"{PATH}{uuid}/", json={}).status_code == 404


def test_unknown_ids_are_404(staff):
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        answer = staff.request(method, f"{PATH}{UNKNOWN}/", json={})
        assert status_and_json(answer) == (404, NOT_FOUND)


def test_wrong_methods_are_405(staff, terms):
    for method, path in [("PUT", PATH), ("PATCH", PATH), ("DELETE", PATH), ("POST", terms["url"])]:
        answer = staff.request(method, path, json={})
        assert status_and_json(answer) == (405, {"detail": f'Method "{method}" not allowed.'})


def test_a_long_text(staff, empty):
    content = unique() + "ä" * 100_000
    answer = staff.post(PATH, json={"content": content, "agreement_type": "TOS"})
    assert answer.status_code == 201
    assert staff.get(answer.json()["url"]).json()["content"] == content
