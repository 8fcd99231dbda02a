"""/api/events/: who changed what, for staff; for others what is about themselves."""

import pytest
from organizations import World
from service import unique
from sshkeys import ed25519
from users import MALFORMED, NO_CREDENTIALS, STAMP, UNKNOWN, UUID, status_and_json

PATH = "/api/events/"
NOT_FOUND = {"detail": "No Event matches the given query."}


@pytest.fixture(scope="module")
def world(service):
    w = World(service)
    w.support = service.account(is_support=True)
    w.nobody = service.nobody
    return w


def about(client, uuid, **params):
    answer = client.get(PATH, params={"subject_uuid": uuid, "page_size": 300, **params})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_whole_event(world):
    w = world
    person = w.service.account()
    answer = w.team(w.owner, w.project, "projects", "add_user", "PROJECT.MEMBER", person, expiration_time="2099-01-01")
    event = about(w.staff, person.user["uuid"])[0]
    assert UUID.fullmatch(event["uuid"]) and STAMP.fullmatch(event["created"])
    assert list(event.items()) == [
        ("uuid", event["uuid"]),
        ("created", event["created"]),
        ("event_type", "role_granted"),
        ("actor_uuid", w.owner.user["uuid"]),
        ("actor_username", w.owner.user["username"]),
        ("impersonator_uuid", None),
        ("subject_type", "user"),
        ("subject_uuid", person.user["uuid"]),
        ("changes", {
            "role": "PROJECT.MEMBER",
            "scope_type": "project",
            "scope_uuid": w.project["uuid"],
            "scope_name": w.project["name"],
            "username": person.user["username"],
            "expiration_time": "2099-01-01T00:00:00Z",
        }),
        ("ip_address", "127.0.0.1"),
        ("request_id", answer.headers["X-Request-ID"]),
    ]
    assert status_and_json(w.staff.get(f"{PATH}{event['uuid']}/")) == (200, event)
    assert person.get(PATH).json() == [{**event, "ip_address": None}, *about(person, person.user["uuid"])[1:]]


def test_who_sees_what(world):
    w = world
    person = w.service.account()
    w.team(w.owner, w.project, "projects", "add_user", "PROJECT.MEMBER", person)
    event = about(w.staff, person.user["uuid"])[0]
    for client, seen in ((w.staff, event), (person, {**event, "ip_address": None})):
        assert status_and_json(client.get(f"{PATH}{event['uuid']}/")) == (200, seen)
    for client in (w.support, w.owner, w.member, w.stranger):
        assert status_and_json(client.get(f"{PATH}{event['uuid']}/")) == (404, NOT_FOUND)
        assert about(client, person.user["uuid"]) == []
        assert {e["subject_uuid"] for e in client.get(f"{PATH}?page_size=300").json()} <= {client.user["uuid"]}
    for path in (PATH, f"{PATH}{event['uuid']}/"):
        assert status_and_json(w.nobody.get(path)) == (401, NO_CREDENTIALS)
        for client in (w.staff, person):
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                answer = client.request(method, path, json={})
                assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    for uuid in (UNKNOWN, *MALFORMED[:4]):
        assert w.staff.get(f"{PATH}{uuid}/").status_code == 404


def test_every_change_is_told_and_no_refusal(world):
    """One event a change, in its order, with the values before and after."""
    w = world
    customer = w.made("/api/customers/", name=unique("Customer"))
    project = w.made("/api/projects/", name=unique("Project"), customer=customer["url"])
    w.staff.patch(customer["url"], json={"description": "d", "name": customer["name"]})
    w.staff.patch(customer["url"], json={"description": "d"})
    w.staff.patch(customer["url"], json={"country": "x"})
    w.staff.put(project["url"], json={"end_date": "2030-01-01"})
    w.stranger.delete(project["url"])
    w.staff.delete(project["url"])
    assert [(e["event_type"], e["changes"]) for e in about(w.staff, customer["uuid"])[:-1]] == [
        ("customer_update_succeeded", {"description": ["", "d"]})]
    assert [(e["event_type"], e["changes"]) for e in about(w.staff, project["uuid"])[:-1]] == [
        ("project_deletion_succeeded", {"is_removed": [False, True]}),
        ("project_update_succeeded", {"end_date": [None, "2030-01-01"]}),
    ]
    for scope, kind in ((customer, "customer"), (project, "project")):
        made = about(w.staff, scope["uuid"])[-1]
        assert (made["event_type"], made["subject_type"]) == (f"{kind}_creation_succeeded", kind)
        assert made["changes"]["name"] == [None, scope["name"]]


def test_what_a_user_finds_about_himself(world):
    w = world
    person = w.service.account()
    w.team(w.staff, w.project, "projects", "add_user", "PROJECT.MEMBER", person)
    w.team(w.staff, w.project, "projects", "update_user", "PROJECT.MEMBER", person, expiration_time="2099-01-01")
    w.team(w.owner, w.project, "projects", "delete_user", "PROJECT.MEMBER", person)
    w.team(w.owner, w.project, "projects", "delete_user", "PROJECT.MEMBER", person)
    key = person.post("/api/keys/", json={"name": "mine", "public_key": ed25519()}).json()
    person.delete(key["url"])
    seen = [e["event_type"] for e in person.get(f"{PATH}?page_size=300").json()]
    assert seen == ["ssh_key_deletion_succeeded", "ssh_key_creation_succeeded", "role_revoked", "role_updated",
                    "role_granted", "user_creation_succeeded"]


def test_when_a_role_ends_is_told_with_when_it_was_to_end(world):
    w = world
    person = w.service.account()
    w.team(w.staff, w.project, "projects", "add_user", "PROJECT.MEMBER", person)
    for end in ("2099-01-01", "2099-01-01", "2098-01-01", None, None):
        w.team(w.staff, w.project, "projects", "update_user", "PROJECT.MEMBER", person, expiration_time=end)
    told = [e["changes"] for e in about(w.staff, person.user["uuid"], event_type="role_updated")][::-1]
    first, second = "2099-01-01T00:00:00Z", "2098-01-01T00:00:00Z"
    assert [(c["former_expiration_time"], c["expiration_time"]) for c in told] == [
        (None, first), (first, second), (second, None)]


def test_what_a_user_does_not_see_of_himself_is_not_told_him(world):
    person, staff = world.service.account(description="A note"), world.staff
    for change in ({"description": "Another note", "job_title": "x"}, {"is_active": False}, {"is_active": True}):
        assert staff.patch(person.user["url"], json=change).status_code == 200
    changed = [e["changes"] for e in about(staff, person.user["uuid"], event_type="user_update_succeeded")]
    assert changed == [
        {"is_active": [False, True]}, {"is_active": [True, False]},
        {"description": ["A note", "Another note"], "job_title": ["", "x"]}]
    own = about(person, person.user["uuid"])
    assert [e["changes"] for e in own if e["event_type"] == "user_update_succeeded"] == [{}, {}, {"job_title": ["", "x"]}]
    assert {name for e in own for name in e["changes"] or ()} <= set(person.get("/api/users/me/").json())


def test_a_user_is_told_from_where_he_did_something_and_not_where_others_are(world):
    w = world
    person = w.service.account()
    w.team(w.owner, w.project, "projects", "add_user", "PROJECT.MEMBER", person)
    acted = {"X-Impersonated-User-Uuid": person.user["uuid"]}
    for headers in ({}, acted):
        assert w.staff.post(person.user["url"] + "change_email/", json={"email": "a@example.org"},
                            headers=headers).status_code == 200
    assert person.post(person.user["url"] + "cancel_change_email/").status_code == 200
    mine = "user_email_change_cancelled"
    assert {e["event_type"] for e in about(person, person.user["uuid"]) if e["ip_address"]} == {mine}
    assert all(e["ip_address"] == "127.0.0.1" for e in about(w.staff, person.user["uuid"]))
    # A filter would tell it, too.
    answer = person.get(f"{PATH}?ip_address=127.0.0.1")
    assert ([e["event_type"] for e in answer.json()], answer.headers["X-Result-Count"]) == ([mine], "1")


def test_events_outlive_what_they_tell_of(world):
    w = world
    person = w.service.account()
    assert w.staff.delete(person.user["url"]).status_code == 204
    event = about(w.staff, person.user["uuid"])[0]
    assert (event["event_type"], event["changes"]["username"]) == (
        "user_deletion_succeeded", [person.user["username"], None])


def test_filters(world):
    w = world
    person = w.service.account()
    answer = w.team(w.owner, w.project, "projects", "add_user", "PROJECT.MEMBER", person)
    request_id = answer.headers["X-Request-ID"]
    for query, expected in {
        "": {"role_granted", "user_creation_succeeded"},
        "event_type=role_granted": {"role_granted"},
        f"actor_uuid={w.owner.user['uuid']}": {"role_granted"},
        f"actor_username={w.owner.user['username']}": {"role_granted"},
        f"impersonator_uuid={w.owner.user['uuid']}": set(),
        "actor_username=nobody": set(),
        "subject_type=user": {"role_granted", "user_creation_succeeded"},
        "subject_type=project": set(),
        "ip_address=127.0.0.1": {"role_granted", "user_creation_succeeded"},
        "ip_address=127.0.0.2": set(),
        f"request_id={request_id}": {"role_granted"},
        "created=2020-01-01": {"role_granted", "user_creation_succeeded"},
        "created=2100-01-01": set(),
        "until=2100-01-01": {"role_granted", "user_creation_succeeded"},
        "until=2020-01-01": set(),
    }.items():
        answer = w.staff.get(f"{PATH}?subject_uuid={person.user['uuid']}&{query}")
        assert {e["event_type"] for e in answer.json()} == expected, query
        assert answer.headers["X-Result-Count"] == str(len(expected))
    acted = {"X-Impersonated-User-Uuid": person.user["uuid"]}
    change = {"first_name": "In his name", "agree_with_policy": True}
    path = f"/api/users/{person.user['uuid']}/"
    assert w.staff.patch(path, json=change, headers=acted).status_code == 200
    by_staff = about(w.staff, person.user["uuid"], impersonator_uuid=w.staff.get("/api/users/me/").json()["uuid"])
    assert [e["event_type"] for e in by_staff] == ["user_update_succeeded"]
    uuid, time = ["Enter a valid UUID."], ["Enter a valid date/time."]
    choice = ["Select a valid choice. role is not one of the available choices."]
    for query, message in (("event_type=role", {"event_type": choice}), ("impersonator_uuid=x", {"impersonator_uuid": uuid}), ("actor_uuid=x", {"actor_uuid": uuid}), ("subject_uuid=x", {"subject_uuid": uuid}),
                           ("created=x", {"created": time}), ("until=x", {"until": time}),
                           ("o=event_type", {"o": ["Select a valid choice. event_type is not one of the available "
                                                   "choices."]})):
        assert status_and_json(w.staff.get(f"{PATH}?{query}")) == (400, message)
    newest = [e["created"] for e in about(w.staff, person.user["uuid"])]
    assert newest == sorted(newest, reverse=True)
    assert [e["created"] for e in about(w.staff, person.user["uuid"], o="created")] == newest[::-1]
