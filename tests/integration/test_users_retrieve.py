"""GET and HEAD of /api/users/{uuid}/: who sees whom, and which fields of him."""

import uuid

import pytest
from service import unique
from users import (
    FIELDS,
    FORBIDDEN,
    MALFORMED,
    NO_CREDENTIALS,
    NOT_FOUND,
    STAMP,
    UNKNOWN,
    fields_seen,
    new_body,
    path_of,
    statements,
    status_and_json,
)


def test_the_whole_object(service, staff):
    body = new_body(
        slug=unique("s"),
        first_name="Åsa",
        last_name="Öberg",
        native_name="安娜",
        job_title="Engineer",
        phone_number="+46 (0)8 12-34",
        organization="Örebro",
        description="Likes \"quotes\", \\ and </script>\nand new lines",
        is_support=True,
        notifications_enabled=False,
        preferred_language="sv",
        birth_date="1988-02-29",
    )
    created = staff.post("/api/users/", json=body).json()
    answer = staff.get(path_of(created))
    user = answer.json()
    assert answer.status_code == 200
    assert list(user) == fields_seen(team=True, own=False)
    assert user == {
        **body,
        "url": service.url + path_of(created),
        "uuid": created["uuid"],
        "full_name": "Åsa Öberg",
        "civil_number": None,
        "is_staff": False,
        "is_active": True,
        "token_expires_at": created["token_expires_at"],
        "registration_method": "default",
        "date_joined": created["date_joined"],
        "agreement_date": None,
        "permissions": [],
        "requested_email": None,
        "affiliations": [],
        "identity_provider_name": "Local DB",
        "identity_provider_label": "Local DB",
        "identity_provider_management_url": "",
        "identity_provider_fields": [],
        "image": None,
        "identity_source": "",
        "has_active_session": True,
    }
    assert STAMP.fullmatch(user["date_joined"]) and STAMP.fullmatch(user["token_expires_at"])


def test_the_headers(staff, regular):
    answer = staff.get(path_of(regular.user))
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert len(answer.headers["X-Request-ID"]) == 32
    assert "Link" not in answer.headers and "X-Result-Count" not in answer.headers


# --- who sees whom


@pytest.fixture(scope="module")
def cast(service):
    """One of each kind, as clients."""
    return {
        "himself": service.account(),
        "another": service.account(),
        "inactive": service.account(is_active=False),
        "staff": service.account(is_staff=True),
        "support": service.account(is_support=True),
        "both": service.account(is_staff=True, is_support=True),
    }


@pytest.mark.parametrize("target", ["himself", "another", "inactive", "staff", "support", "both"])
@pytest.mark.parametrize("caller", ["staff", "support", "both"])
def test_staff_and_support_see_everybody(cast, caller, target):
    answer = cast[caller].get(path_of(cast[target].user))
    assert answer.status_code == 200
    assert list(answer.json()) == fields_seen(team=True, own=caller == target)


@pytest.mark.parametrize("target", ["another", "inactive", "staff", "support", "both"])
def test_a_regular_user_sees_nobody_else(cast, target):
    answer = cast["himself"].get(path_of(cast[target].user))
    assert status_and_json(answer) == (404, NOT_FOUND)


def test_a_regular_user_sees_himself_without_the_fields_of_the_team(cast):
    answer = cast["himself"].get(path_of(cast["himself"].user))
    assert answer.status_code == 200
    assert list(answer.json()) == fields_seen(team=False, own=True)
    assert answer.json()["token"] == cast["himself"].token


def test_own_record_has_the_token(cast):
    for caller in ("staff", "support", "both"):
        user = cast[caller].get(path_of(cast[caller].user)).json()
        assert (user["token"], user["token_lifetime"]) == (cast[caller].token, 3600)


@pytest.mark.parametrize("target", ["himself", "inactive", "staff"])
def test_nobody_sees_nobody(nobody, cast, target):
    answer = nobody.get(path_of(cast[target].user))
    assert status_and_json(answer) == (401, NO_CREDENTIALS)
    assert answer.headers["WWW-Authenticate"] == "Token"


# --- paths


def test_uuids_in_any_form(staff, regular):
    plain = regular.user["uuid"]
    bare = plain.replace("-", "")
    expected = staff.get(f"/api/users/{plain}/").json()
    assert expected["uuid"] == plain
    for form in (bare, plain.upper(), bare.upper()):
        assert status_and_json(staff.get(f"/api/users/{form}/")) == (200, expected)


def test_an_unknown_uuid_is_404_for_all(staff, support, regular):
    for client in (staff, support, regular):
        assert status_and_json(client.get(f"/api/users/{UNKNOWN}/")) == (404, NOT_FOUND)
        assert client.get(f"/api/users/{uuid.uuid4().hex}/").status_code == 404


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("malformed", MALFORMED)
def test_a_malformed_uuid_is_404(staff, malformed, method):
    answer = staff.request(method, f"/api/users/{malformed}/")
    assert answer.status_code == 404
    assert method == "HEAD" or set(answer.json()) == {"detail"}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("query", ["", "?field=uuid&field=slug", "?a=%2C%20%C3%A5"])
def test_without_the_last_slash_it_is_a_redirect(service, staff, regular, method, query):
    path = path_of(regular.user)
    answer = staff.request(method, path[:-1] + query)
    assert (answer.status_code, answer.content) == (301, b"")
    assert answer.headers["Location"] == service.url + path + query


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_writes_are_not_redirected(service, staff, regular, method):
    assert staff.request(method, path_of(regular.user)[:-1]).status_code == 404
    assert staff.get(path_of(regular.user)).status_code == 200


def test_url_is_made_of_the_host_that_was_asked(staff, regular):
    answer = staff.get(path_of(regular.user), headers={"Host": "people.example.org:8443"})
    assert answer.json()["url"] == "http://people.example.org:8443" + path_of(regular.user)


# --- methods


def test_head_is_get_without_the_body(staff, regular):
    get, head = (staff.request(method, path_of(regular.user)) for method in ("GET", "HEAD"))
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
    assert head.headers["ETag"] == get.headers["ETag"]


def test_options_tells_the_methods(staff, nobody, regular):
    for client in (staff, nobody):
        answer = client.options(
            path_of(regular.user), headers={"Access-Control-Request-Method": "PATCH"}
        )
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["Allow"] == "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"


@pytest.mark.parametrize(
    "caller, target, status",
    [
        ("nobody", "himself", 401),
        ("himself", "himself", 405),
        ("himself", "another", 404),
        ("support", "support", 405),
        ("support", "himself", 403),
        ("staff", "staff", 405),
        ("staff", "himself", 405),
    ],
)
def test_post_to_a_user(cast, nobody, caller, target, status):
    client = nobody if caller == "nobody" else cast[caller]
    answer = client.post(path_of(cast[target].user), json={})
    details = {
        401: NO_CREDENTIALS,
        403: FORBIDDEN,
        404: NOT_FOUND,
        405: {"detail": 'Method "POST" not allowed.'},
    }
    assert status_and_json(answer) == (status, details[status])
    if status == 405:
        assert answer.headers["Allow"] == "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"


# --- query


@pytest.mark.parametrize(
    "query, fields",
    [
        ("field=uuid", ["uuid"]),
        ("field=slug&field=url&field=username", ["url", "username", "slug"]),
        ("field=slug&field=slug", ["slug"]),
        ("field=slug&field=nonsense", ["slug"]),
        ("field=nonsense", FIELDS),
        ("field=", FIELDS),
        ("field=uuid,slug", FIELDS),
        ("field=UUID", FIELDS),
        ("field=agree_with_policy&field=password", FIELDS),
        ("FIELD=uuid", FIELDS),
        ("field=token", ["token"]),
        ("field=is_staff", ["is_staff"]),
        ("field=permissions&field=image&field=identity_provider_fields",
         ["permissions", "identity_provider_fields", "image"]),
    ],
)
def test_field_picks_fields_in_their_order(cast, query, fields):
    for caller in ("staff", "himself"):
        client = cast[caller]
        answer = client.get(f"{path_of(client.user)}?{query}")
        allowed = fields_seen(team=caller == "staff", own=True)
        assert answer.status_code == 200
        assert list(answer.json()) == [field for field in fields if field in allowed]


def test_field_of_another_with_only_what_is_hidden_is_an_empty_object(cast):
    answer = cast["support"].get(path_of(cast["himself"].user) + "?field=token")
    assert status_and_json(answer) == (200, {})


@pytest.mark.parametrize(
    "query, status",
    [
        ("is_staff=true", 404),
        ("is_staff=false", 200),
        ("username=x", 404),
        ("date_joined=2999-01-01", 404),
        ("page=7&page_size=0&o=nonsense", 200),
    ],
)
def test_filters_of_the_list_hold(staff, regular, query, status):
    assert staff.get(f"{path_of(regular.user)}?{query}").status_code == status


def test_an_invalid_filter_is_400(staff, regular):
    answer = staff.get(path_of(regular.user) + "?modified=soon")
    assert status_and_json(answer) == (400, {"modified": ["Enter a valid date/time."]})


# --- values


def test_whole_seconds_have_no_fraction(service, staff):
    user = service.create()
    service.sql(
        "UPDATE users SET date_joined = '2025-01-02 03:04:05', agreement_date = '2025-01-02"
        " 03:04:05.000100' WHERE username = %s",
        user["username"],
    )
    user = staff.get(path_of(user)).json()
    assert user["date_joined"] == "2025-01-02T03:04:05Z"
    assert user["agreement_date"] == "2025-01-02T03:04:05.000100Z"


def test_without_a_token_there_is_no_session_and_no_expiry(service, staff):
    client = service.account()
    assert client.post("/api-auth/logout/").status_code == 204
    user = staff.get(path_of(client.user)).json()
    assert (user["has_active_session"], user["token_expires_at"]) == (False, None)


def test_an_account_of_another_identity_provider(service, staff):
    user = service.create()
    service.sql(
        "UPDATE users SET registration_method = 'eduteams', identity_source = 'Home', civil_number"
        " = %s, affiliations = '[\"staff\", \"member\"]' WHERE username = %s",
        user["username"],
        user["username"],
    )
    user = staff.get(path_of(user)).json()
    assert user["registration_method"] == "eduteams"
    assert user["identity_source"] == "Home"
    assert user["civil_number"] == user["username"]
    assert user["affiliations"] == ["staff", "member"]
    for key in ("name", "label", "management_url"):
        assert user[f"identity_provider_{key}"] == ""
    assert user["identity_provider_fields"] == []


def test_at_most_two_statements(service, staff, regular):
    for client in (staff, regular):
        for query in ("", "?field=uuid", "?is_active=true"):
            answer = client.get(path_of(regular.user) + query)
            assert answer.status_code == 200
            assert statements(service, answer) <= 2
