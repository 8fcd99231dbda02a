"""POST /api/users/{uuid}/pull_remote_user/ while the extension is disabled."""

import pytest
from users import FORBIDDEN, MALFORMED, NO_CREDENTIALS, NOT_FOUND, UNKNOWN, path_of, status_and_json

ACTION = "pull_remote_user/"
NOT_MANAGED = ["User is not managed by eduTEAMS."]
DISABLED = ["Remote eduTEAMS account synchronization extension is disabled."]


def manage(service, user, method="default", source=""):
    service.sql(
        "UPDATE users SET registration_method = %s, identity_source = %s WHERE username = %s",
        method, source, user["username"],
    )


@pytest.mark.parametrize(
    "method, source, answer",
    [
        ("default", "", NOT_MANAGED),
        ("tara", "keycloak", NOT_MANAGED),
        ("EDUTEAMS", "eduteams2", NOT_MANAGED),
        ("eduteams", "", DISABLED),
        ("default", "eduteams", DISABLED),
    ],
)
def test_staff_and_self(service, staff, regular, method, source, answer):
    manage(service, regular.user, method, source)
    for client in (staff, regular):
        assert status_and_json(client.post(path_of(regular.user, ACTION))) == (400, answer)


@pytest.mark.parametrize("options", [
    {"data": b"{", "headers": {"Content-Type": "application/json"}},
    {"data": b"x", "headers": {"Content-Type": "x/y"}},
    {"json": [1]},
    {"data": b"", "headers": {"Content-Length": "0"}},
])
def test_the_body_is_ignored(regular, options):
    assert status_and_json(regular.post(path_of(regular.user, ACTION), **options)) == (400, NOT_MANAGED)


def test_others(service, support, nobody, regular):
    other = service.create()
    assert status_and_json(nobody.post(path_of(other, ACTION))) == (401, NO_CREDENTIALS)
    assert status_and_json(support.post(path_of(other, ACTION))) == (403, FORBIDDEN)
    assert status_and_json(regular.post(path_of(other, ACTION))) == (404, NOT_FOUND)


def test_unknown_and_malformed_ids(staff):
    assert status_and_json(staff.post(f"/api/users/{UNKNOWN}/{ACTION}")) == (404, NOT_FOUND)
    for uuid in MALFORMED:
        assert staff.post(f"/api/users/{uuid}/{ACTION}").status_code == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_only_post(staff, regular, method):
    answer = staff.request(method, path_of(regular.user, ACTION))
    assert status_and_json(answer) == (405, {"detail": f'Method "{method}" not allowed.'})
