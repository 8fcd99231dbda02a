"""PUT and PATCH of /api/users/{uuid}/: who changes what, the policy, deactivation, many writers."""

import pytest
from service import unique
from users import (
    FORBIDDEN,
    MALFORMED,
    NO_CREDENTIALS,
    NOT_FOUND,
    STAMP,
    UNKNOWN,
    at_once,
    fields_seen,
    path_of,
    status_and_json,
)

DISAGREES = {"agree_with_policy": ["User must agree with the policy."]}
SLUG_TAKEN = {"slug": ["An object with this slug already exists."]}
PASSWORD = "nine bald herons on a roof"
BOTH = pytest.mark.parametrize("method", ["PUT", "PATCH"])


def version(service, user):
    return service.sql("SELECT version FROM users WHERE username = %s", user["username"])[0][0]


def events(service, user):
    rows = service.sql(
        "SELECT event FROM audit_events WHERE subject_uuid = UNHEX(%s) ORDER BY id",
        user["uuid"].replace("-", ""),
    )
    return [event for (event,) in rows]


# --- who


@pytest.fixture(scope="module")
def cast(service):
    return {
        "nobody": service.nobody,
        "himself": service.account(),
        "another": service.account(),
        "inactive": service.account(is_active=False),
        "support": service.account(is_support=True),
        "staff": service.account(is_staff=True),
    }


@BOTH
@pytest.mark.parametrize(
    "caller, target, status",
    [
        ("nobody", "himself", 401),
        ("himself", "himself", 200),
        ("himself", "another", 404),
        ("himself", "inactive", 404),
        ("himself", "staff", 404),
        ("himself", "support", 404),
        ("support", "support", 200),
        ("support", "himself", 403),
        ("support", "inactive", 403),
        ("support", "staff", 403),
        ("staff", "staff", 200),
        ("staff", "himself", 200),
        ("staff", "inactive", 200),
        ("staff", "support", 200),
    ],
)
def test_who_may_change_whom(service, cast, method, caller, target, status):
    title = unique("title")
    path = path_of(cast[target].user)
    answer = cast[caller].request(method, path, json={"job_title": title})
    assert answer.status_code == status
    refused = {401: NO_CREDENTIALS, 403: FORBIDDEN, 404: NOT_FOUND}
    if status in refused:
        assert answer.json() == refused[status]
    else:
        assert list(answer.json()) == fields_seen(team=caller != "himself", own=caller == target)
        assert answer.json() == cast[caller].get(path).json()
    assert (service.staff.get(path).json()["job_title"] == title) == (status == 200)


@BOTH
def test_a_bad_body_does_not_tell_who_is_there(cast, method):
    """Who may not is refused before the body is looked at."""
    for target in ("another", "staff"):
        answer = cast["himself"].request(method, path_of(cast[target].user), data="rubbish")
        assert status_and_json(answer) == (404, NOT_FOUND)
    answer = cast["support"].request(method, path_of(cast["another"].user), data="rubbish")
    assert status_and_json(answer) == (403, FORBIDDEN)


@BOTH
def test_an_unknown_uuid(cast, method):
    for caller in ("staff", "support", "himself"):
        answer = cast[caller].request(method, f"/api/users/{UNKNOWN}/", json={})
        assert status_and_json(answer) == (404, NOT_FOUND)


@BOTH
@pytest.mark.parametrize("malformed", MALFORMED[:3])
def test_a_malformed_uuid(staff, method, malformed):
    assert staff.request(method, f"/api/users/{malformed}/", json={}).status_code == 404


def test_uuids_in_any_form(service, staff):
    user = service.create()
    bare = user["uuid"].replace("-", "")
    for i, form in enumerate((bare, bare.upper(), user["uuid"].upper())):
        answer = staff.patch(f"/api/users/{form}/", json={"first_name": f"N{i}"})
        assert answer.json()["first_name"] == f"N{i}"


# --- what

EVERYBODYS = {
    "native_name": "नाम",
    "job_title": "Engineer",
    "phone_number": "+372 (5) 55",
    "organization": "Ö",
    "preferred_language": "et",
    "first_name": "Jõgi",
    "last_name": "O'Neil \U0001f600",
    "birth_date": "1988-02-29",
}
STAFFS = {
    "description": "line\nline",
    "is_staff": True,
    "is_active": False,
    "is_support": True,
    "notifications_enabled": False,
    "slug": "x",
}
NOBODYS = {
    "url": "http://x/",
    "uuid": UNKNOWN,
    "username": "other",
    "email": "other@example.org",
    "full_name": "Full Name",
    "civil_number": "1",
    "token": "x" * 40,
    "token_expires_at": "2000-01-01",
    "registration_method": "eduteams",
    "date_joined": "2000-01-01",
    "agreement_date": "2000-01-01",
    "permissions": "x",
    "requested_email": "x",
    "affiliations": "x",
    "identity_provider_fields": "x",
    "image_url": "x",
    "identity_source": "x",
    "has_active_session": "x",
    "password": "x",
    "modified": "2000-01-01",
    "full_name_folded": "x",
    "id": "1",
    "version": "7",
    "nonsense": "x",
}


def staffs():
    return {**STAFFS, "slug": unique("slug")}


@BOTH
@pytest.mark.parametrize("encoding", ["json", "data", "files"])
def test_staff_change_these(service, staff, method, encoding):
    user = service.create()
    body = {**EVERYBODYS, **staffs()}
    parts = {key: (None, str(value)) for key, value in {**body, **NOBODYS}.items()}
    sent = parts if encoding == "files" else {**body, **NOBODYS}
    answer = staff.request(method, path_of(user), **{encoding: sent})
    assert answer.status_code == 200, answer.text
    assert answer.json() == {**user, **body, "full_name": "Jõgi O'Neil \U0001f600"}
    assert staff.get(path_of(user)).json() == answer.json()


@BOTH
@pytest.mark.parametrize("encoding", ["json", "data", "files"])
@pytest.mark.parametrize("is_support", [False, True])
def test_others_change_these_of_their_own(service, method, encoding, is_support):
    client = service.account(is_support=is_support)
    before = client.get(path_of(client.user)).json()
    body = {**EVERYBODYS, **staffs(), **NOBODYS}
    parts = {key: (None, str(value)) for key, value in body.items()}
    sent = parts if encoding == "files" else body
    answer = client.request(method, path_of(client.user), **{encoding: sent})
    assert answer.status_code == 200, answer.text
    assert answer.json() == {**before, **EVERYBODYS, "full_name": "Jõgi O'Neil \U0001f600"}
    staff_sees = service.staff.get(path_of(client.user)).json()
    assert {key: staff_sees[key] for key in STAFFS} == {key: client.user[key] for key in STAFFS}


@BOTH
def test_what_is_ignored_is_not_looked_at(service, method):
    client = service.account()
    body = dict.fromkeys([*STAFFS, *NOBODYS], ["rubbish"])
    answer = client.request(method, path_of(client.user), json=body)
    assert status_and_json(answer) == (200, client.get(path_of(client.user)).json())


@BOTH
@pytest.mark.parametrize("encoding", ["json", "data"])
def test_what_is_absent_stays(service, staff, method, encoding):
    user = service.create(**{**EVERYBODYS, "description": "d"})
    answer = staff.request(method, path_of(user), **{encoding: {"job_title": "New"}})
    changed = {key: answer.json()[key] for key in user if answer.json()[key] != user[key]}
    boxes = {"is_active": False, "notifications_enabled": False}
    left_out = boxes if (method, encoding) == ("PUT", "data") else {}
    assert changed == {"job_title": "New", **left_out}


@pytest.mark.parametrize("encoding", ["data", "files"])
def test_a_form_that_is_put_says_false_by_leaving_out(service, staff, encoding):
    def form(**fields):
        parts = {key: (None, value) for key, value in fields.items()}
        return parts if encoding == "files" else fields

    user = service.create(is_support=True)
    path = path_of(user)
    answer = staff.put(path, **{encoding: form(is_active="on", notifications_enabled="")})
    seen = {key: answer.json()[key] for key in ("is_active", "is_support", "notifications_enabled")}
    assert seen == {"is_active": True, "is_support": False, "notifications_enabled": True}
    answer = staff.patch(path, **{encoding: form(is_support="True", is_active="")})
    seen = {key: answer.json()[key] for key in ("is_active", "is_support", "notifications_enabled")}
    assert seen == {"is_active": True, "is_support": True, "notifications_enabled": True}


@BOTH
@pytest.mark.parametrize("sent", [{}, {"json": {}}, {"json": {"nonsense": 1}}])
def test_nothing_to_change(service, staff, method, sent):
    user = service.create()
    before = version(service, user), events(service, user)
    answer = staff.request(method, path_of(user), **sent)
    assert status_and_json(answer) == (200, user)
    assert (version(service, user), events(service, user)) == before


def test_the_same_values_are_no_change(service, staff):
    user = service.create(**EVERYBODYS)
    before = version(service, user), events(service, user)
    answer = staff.patch(path_of(user), json={**EVERYBODYS, "job_title": " Engineer "})
    assert status_and_json(answer) == (200, user)
    assert (version(service, user), events(service, user)) == before


def test_case_accents_and_blanks_are_changes(service, staff):
    user = service.create(job_title="cook", native_name="a")
    for change in ({"job_title": "Cook"}, {"native_name": "å"}, {"native_name": "a\u030a"}):
        assert staff.patch(path_of(user), json=change).json() == {
            **staff.get(path_of(user)).json(), **change
        }


@pytest.mark.parametrize(
    "first, last, full",
    [("A", "B", "A B"), ("A", "", "A"), ("", "B", "B"), ("", "", ""), ("É e", "Ö", "É e Ö")],
)
def test_full_name_follows(service, staff, first, last, full):
    user = service.create(first_name="Old", last_name="Name", organization=unique("org"))
    answer = staff.patch(path_of(user), json={"first_name": first, "last_name": last})
    assert answer.json()["full_name"] == full
    query = {"organization": user["organization"], "full_name": full}
    assert [u["uuid"] for u in staff.get("/api/users/", params=query).json()] == [user["uuid"]]
    query["full_name"] = "old"
    assert staff.get("/api/users/", params=query).json() == []


def test_modified_follows(service, staff):
    user = service.create(organization=unique("org"))
    service.sql("UPDATE users SET modified = '2020-01-01' WHERE username = %s", user["username"])
    query = f"/api/users/?organization={user['organization']}&modified=2020-01-02"
    assert staff.get(query).json() == []
    staff.patch(path_of(user), json={"first_name": "A"})
    assert len(staff.get(query).json()) == 1


@BOTH
@pytest.mark.parametrize(
    "query, fields",
    [("field=slug&field=uuid", ["uuid", "slug"]), ("field=token", []), ("field=slug", ["slug"])],
)
def test_field_only_shapes_the_answer(service, staff, method, query, fields):
    user = service.create()
    answer = staff.request(method, f"{path_of(user)}?{query}", json={"first_name": "New"})
    assert answer.status_code == 200
    assert list(answer.json()) == fields
    assert staff.get(path_of(user)).json() == {**user, "first_name": "New", "full_name": "New"}


# --- what is refused

REFUSED = [
    ("first_name", None, "This field may not be null."),
    ("first_name", True, "Not a valid string."),
    ("last_name", "x" * 101, "Ensure this field has no more than 100 characters."),
    ("native_name", [], "Not a valid string."),
    ("phone_number", "call me", "Invalid phone number format."),
    ("preferred_language", "x" * 11, "Ensure this field has no more than 10 characters."),
    ("birth_date", "31.12.1999",
     "Date has wrong format. Use one of these formats instead: YYYY-MM-DD."),
    ("agree_with_policy", "perhaps", "Must be a valid boolean."),
    ("token_lifetime", 59, "Ensure this value is greater than or equal to 60."),
    ("token_lifetime", -1, "Ensure this value is greater than or equal to 60."),
    ("token_lifetime", 2147483648, "Ensure this value is less than or equal to 2147483647."),
    ("token_lifetime", 10**30, "Ensure this value is less than or equal to 2147483647."),
    ("token_lifetime", 60.5, "A valid integer is required."),
    ("token_lifetime", "an hour", "A valid integer is required."),
    ("token_lifetime", "", "A valid integer is required."),
    ("token_lifetime", True, "A valid integer is required."),
    ("token_lifetime", [60], "A valid integer is required."),
]  # fmt: skip


@BOTH
@pytest.mark.parametrize("name, value, message", REFUSED)
def test_a_value_is_refused(service, regular, method, name, value, message):
    before = version(service, regular.user)
    body = {name: value, "job_title": "New"}
    answer = regular.request(method, path_of(regular.user), json=body)
    assert status_and_json(answer) == (400, {name: [message]})
    assert version(service, regular.user) == before


def test_all_problems_at_once(service, staff):
    user = service.create()
    body = {
        "slug": "not a slug",
        "native_name": "n" * 101,
        "phone_number": "x" * 256,
        "organization": None,
        "description": [],
        "is_staff": "perhaps",
        "notifications_enabled": None,
        "birth_date": "yesterday",
        "first_name": "fine",
        "username": "UPPER",
        "email": "nowhere",
    }
    assert status_and_json(staff.patch(path_of(user), json=body)) == (
        400,
        {
            "slug": ['Enter a valid "slug" consisting of letters, numbers, underscores or hyphens.'],
            "native_name": ["Ensure this field has no more than 100 characters."],
            "phone_number": [
                "Invalid phone number format.",
                "Ensure this field has no more than 255 characters.",
            ],
            "organization": ["This field may not be null."],
            "description": ["Not a valid string."],
            "is_staff": ["Must be a valid boolean."],
            "notifications_enabled": ["This field may not be null."],
            "birth_date": ["Date has wrong format. Use one of these formats instead: YYYY-MM-DD."],
        },
    )
    assert staff.get(path_of(user)).json() == user


# --- token_lifetime


@BOTH
@pytest.mark.parametrize(
    "sent, kept",
    [(60, 60), ("3601", 3601), (120.0, 120), (2147483647, 2147483647), (None, None)],
)
def test_everybody_sets_his_own_token_lifetime(service, method, sent, kept):
    for fields in ({}, {"is_support": True}, {"is_staff": True}):
        client = service.account(**fields)
        answer = client.request(method, path_of(client.user), json={"token_lifetime": sent})
        assert answer.status_code == 200, answer.text
        assert answer.json()["token_lifetime"] == kept
        assert (answer.json()["token_expires_at"] is None) == (kept is None)
        assert "token_lifetime_updated" in events(service, client.user)


@pytest.mark.parametrize("encoding", ["data", "files"])
def test_a_blank_in_a_form_is_null(service, regular, encoding):
    body = {"token_lifetime": "", "birth_date": ""}
    parts = {key: (None, value) for key, value in body.items()}
    regular.patch(path_of(regular.user), json={"birth_date": "1999-12-31"})
    answer = regular.patch(
        path_of(regular.user), **{encoding: parts if encoding == "files" else body}
    )
    assert [answer.json()[key] for key in body] == [None, None]


@BOTH
@pytest.mark.parametrize("value", [60, None, "rubbish"])
def test_nobody_sets_the_token_lifetime_of_another(service, staff, method, value):
    user = service.create()
    answer = staff.request(method, path_of(user), json={"token_lifetime": value})
    assert status_and_json(answer) == (200, user)
    assert staff.get(path_of(user, "token/")).json()["user_token_lifetime"] == 3600


# --- the policy


@pytest.mark.parametrize("caller", ["himself", "staff"])
@BOTH
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"first_name": "New"},
        {"agree_with_policy": False},
        {"first_name": "New", "agree_with_policy": False},
        {"username": "ignored"},
        {"token_lifetime": 60},
    ],
)
def test_without_agreement_nothing_is_changed(service, method, caller, body):
    client = service.account(agreed=False)
    asks = client if caller == "himself" else service.staff
    answer = asks.request(method, path_of(client.user), json=body)
    assert status_and_json(answer) == (400, DISAGREES)
    assert service.staff.get(path_of(client.user)).json() == client.user


@pytest.mark.parametrize("caller", ["himself", "staff"])
@BOTH
@pytest.mark.parametrize("agrees", [True, "true", "on", 1])
def test_to_agree(service, method, caller, agrees):
    client = service.account(agreed=False)
    asks = client if caller == "himself" else service.staff
    body = {"agree_with_policy": agrees, "first_name": "New"}
    answer = asks.request(method, path_of(client.user), json=body)
    assert answer.status_code == 200
    agreed = answer.json()["agreement_date"]
    assert STAMP.fullmatch(agreed)
    assert service.staff.get(path_of(client.user)).json() == {
        **client.user, "agreement_date": agreed, "first_name": "New", "full_name": "New",
    }  # fmt: skip


def test_once_is_enough(service):
    client = service.account(agreed=False)
    path = path_of(client.user)
    agreed = client.patch(path, json={"agree_with_policy": True}).json()["agreement_date"]
    for body in ({"agree_with_policy": True}, {"agree_with_policy": False}, {"first_name": "New"}):
        assert client.patch(path, json=body).json()["agreement_date"] == agreed


def test_values_are_looked_at_before_the_policy(service):
    client = service.account(agreed=False)
    answer = client.patch(path_of(client.user), json={"birth_date": "x"})
    assert answer.status_code == 400 and list(answer.json()) == ["birth_date"]
    answer = client.patch(path_of(client.user), json={"birth_date": "x", "agree_with_policy": True})
    assert answer.status_code == 400 and list(answer.json()) == ["birth_date"]
    assert client.get(path_of(client.user)).json()["agreement_date"] is None


def test_staff_need_not_agree(service, staff):
    client = service.account(agreed=False, is_staff=True)
    for asks in (client, staff):
        answer = asks.patch(path_of(client.user), json={"first_name": unique("n")})
        assert (answer.status_code, answer.json()["agreement_date"]) == (200, None)


@pytest.mark.parametrize(
    "body, status",
    [
        ({"is_active": False}, 200),
        ({"is_active": False, "first_name": ""}, 200),
        ({"is_active": False, "username": "ignored", "token_lifetime": 60}, 200),
        ({"is_active": False, "agree_with_policy": False}, 200),
        ({"is_active": False, "first_name": "New"}, 400),
        ({"is_active": False, "is_staff": True}, 400),
        ({"is_active": True}, 400),
    ],
)
def test_only_to_switch_him_off_needs_no_agreement(service, staff, body, status):
    user = service.create(agreed=False)
    answer = staff.patch(path_of(user), json=body)
    expected = {**user, "is_active": False} if status == 200 else DISAGREES
    assert status_and_json(answer) == (status, expected)


def test_to_switch_him_on_again_does(service, staff):
    user = service.create(agreed=False, is_active=False)
    for is_active in (True, False):
        answer = staff.patch(path_of(user), json={"is_active": is_active})
        assert status_and_json(answer) == (400, DISAGREES)


# --- slugs


def test_a_slug_that_another_has(service, staff):
    taken, user = service.create()["slug"], service.create()
    answer = staff.patch(path_of(user), json={"slug": taken})
    assert status_and_json(answer) == (400, SLUG_TAKEN)
    answer = staff.patch(path_of(user), json={"slug": user["slug"], "first_name": "New"})
    assert (answer.status_code, answer.json()["slug"]) == (200, user["slug"])


@BOTH
@pytest.mark.parametrize("blank", ["", "  "])
def test_a_blank_slug_is_made_anew(service, staff, method, blank):
    user = service.create(slug=unique("given"))
    answer = staff.request(method, path_of(user), json={"slug": blank})
    stem = user["username"][:8]
    assert (answer.status_code, answer.json()["slug"]) == (200, f"{stem}-1")


# --- deactivation


def out_meanwhile(service, caller, change, **body):
    """The answer to a caller who changes his own account while staff changes what he may."""
    [answer] = service.while_locked(
        [lambda: caller.patch(path_of(caller.user), json=body)],
        f"UPDATE users SET {change}, version = version + 1 WHERE username = %s",
        caller.user["username"],
    )
    return answer


def test_who_is_no_staff_any_more_does_not_make_himself_staff_again(service):
    caller = service.account(is_staff=True)
    answer = out_meanwhile(service, caller, "is_staff = FALSE", is_staff=True, job_title="Owl")
    assert (answer.status_code, answer.json()["job_title"]) == (200, "Owl")
    assert service.staff.get(path_of(caller.user)).json()["is_staff"] is False


@pytest.mark.parametrize("right", ["is_staff", "is_support"])
def test_who_is_deactivated_meanwhile_changes_nothing_any_more(service, right):
    caller = service.account(**{right: True})
    answer = out_meanwhile(service, caller, "is_active = FALSE", is_active=True, job_title="Owl")
    assert status_and_json(answer) == (401, {"detail": "User inactive or deleted."})
    user = service.staff.get(path_of(caller.user)).json()
    assert (user["is_active"], user["job_title"]) == (False, "")


def test_staff_changes_in_the_name_of_one_who_is_not_active(service):
    user = service.create(is_active=False, is_staff=True)
    headers = {"X-Impersonated-User-Uuid": user["uuid"]}
    answer = service.staff.patch(path_of(user), json={"job_title": "Owl"}, headers=headers)
    assert (answer.status_code, answer.json()["job_title"]) == (200, "Owl")


def test_a_deactivated_user_is_out_at_once(service, staff):
    client = service.account()
    path = path_of(client.user)
    set_password = staff.post(path + "change_password/", json={"new_password": PASSWORD})
    assert set_password.status_code == 200
    client.token = service.token_of(client.user)
    login = {"username": client.user["username"], "password": PASSWORD}
    assert client.get("/api/users/me/").status_code == 200

    answer = staff.patch(path, json={"is_active": False})
    assert answer.json()["is_active"] is False
    for method, url in (("GET", "/api/users/me/"), ("GET", path), ("PATCH", path), ("POST", path)):
        answer = client.request(method, url)
        assert status_and_json(answer) == (401, {"detail": "User inactive or deleted."})
        assert answer.headers["WWW-Authenticate"] == "Token"
    answer = service.nobody.post("/api-auth/password/", json=login)
    assert status_and_json(answer) == (401, {"detail": "Invalid username/password."})

    staff.patch(path, json={"is_active": True})
    assert client.get("/api/users/me/").status_code == 200
    answer = service.nobody.post("/api-auth/password/", json=login)
    assert status_and_json(answer) == (200, {"token": client.token})
    assert events(service, client.user)[-5:] == [
        "user_update_succeeded",
        "user_deactivated",
        "user_update_succeeded",
        "user_activated",
        "auth_logged_in_with_username",
    ]


# --- what the configuration protects


def test_protected_fields(own_service):
    service = own_service(
        config="local_idp_protected_fields = first_name, birth_date,nonsense\n"
        "protected_registration_methods = saml2, eduteams\n"
    )
    client = service.account(first_name="Old")
    assert client.user["identity_provider_fields"] == ["first_name", "birth_date", "nonsense"]
    body = {"first_name": "New", "birth_date": "1999-12-31", "last_name": "New", "job_title": "New"}
    for asks in (client, service.staff):
        answer = asks.patch(path_of(client.user), json=body)
        assert answer.status_code == 200
        user = answer.json()
        seen = [user[key] for key in ("first_name", "birth_date", "last_name", "job_title")]
        assert seen == ["Old", None, "New", "New"]

    # Whoever came by these methods changes these details of nobody.
    details = dict.fromkeys(("native_name", "job_title", "organization"), "Details")
    details["phone_number"] = "123"
    staff = service.account(is_staff=True)
    service.sql(
        "UPDATE users SET registration_method = 'eduteams' WHERE username = %s",
        staff.user["username"],
    )
    answer = staff.patch(path_of(client.user), json={**details, "last_name": "Newer"})
    assert answer.status_code == 200
    seen = {key: answer.json()[key] for key in details}
    assert seen == {"native_name": "", "job_title": "New", "organization": "", "phone_number": ""}
    assert answer.json()["last_name"] == "Newer"
    answer = staff.patch(path_of(staff.user), json={**details, "first_name": "Mine"})
    assert [answer.json()[key] for key in details] == [""] * 4
    assert answer.json()["first_name"] == "Mine"
    answer = service.staff.patch(path_of(staff.user), json=details)
    assert {key: answer.json()[key] for key in details} == details


# --- many writers


def patch(client, change):
    path, body = change
    return client.patch(path, json=body)


def test_of_parallel_writes_to_different_fields_none_is_lost(crowded):
    user = crowded.create()
    values = {key: EVERYBODYS[key] for key in EVERYBODYS}
    values.update(description="d", is_support=True, notifications_enabled=False, slug=unique("s"))
    before = version(crowded, user)
    changes = [(path_of(user), {key: value}) for key, value in values.items()]
    answers = at_once(patch, crowded.staff, changes)
    assert [a.status_code for a in answers] == [200] * len(changes)
    assert crowded.staff.get(path_of(user)).json() == {
        **user, **values, "full_name": "Jõgi O'Neil \U0001f600",
    }  # fmt: skip
    assert version(crowded, user) == before + len(changes)
    for answer, (_, change) in zip(answers, changes):
        assert change.items() <= answer.json().items()


def test_parallel_writes_to_one_field_come_one_after_the_other(crowded):
    user = crowded.create()
    before = version(crowded, user)
    titles = [f"title {i}" for i in range(40)]
    answers = at_once(patch, crowded.staff, [(path_of(user), {"job_title": t}) for t in titles])
    assert [a.status_code for a in answers] == [200] * 40
    assert [a.json()["job_title"] for a in answers] == titles
    assert version(crowded, user) == before + 40
    assert len({a.headers["ETag"] for a in answers}) == 40
    assert events(crowded, user).count("user_update_succeeded") == 40


def test_of_parallel_claims_to_a_slug_one_wins(crowded):
    slug = unique("slug")
    users = [crowded.create() for _ in range(10)]
    answers = at_once(patch, crowded.staff, [(path_of(user), {"slug": slug}) for user in users])
    assert sorted(a.status_code for a in answers) == [200] + [400] * 9
    assert [a.json() for a in answers if a.status_code == 400] == [SLUG_TAKEN] * 9


def test_slugs_that_are_made_at_the_same_time_differ(crowded):
    stem = unique("")[1:9]
    users = [crowded.create(f"{stem}{i}", slug=unique("given")) for i in range(12)]
    answers = at_once(patch, crowded.staff, [(path_of(user), {"slug": ""}) for user in users])
    assert [a.status_code for a in answers] == [200] * 12
    assert {a.json()["slug"] for a in answers} == {f"{stem}-{n}" for n in range(1, 13)}


def test_a_write_and_a_delete_at_the_same_time(crowded):
    def ask(client, item):
        method, path = item
        return client.request(method, path, json={"job_title": "x"} if method == "PATCH" else None)

    for _ in range(5):
        path = path_of(crowded.create())
        answers = at_once(ask, crowded.staff, [("PATCH", path)] * 6 + [("DELETE", path)] * 2)
        assert {a.status_code for a in answers[:6]} <= {200, 404}
        assert sorted(a.status_code for a in answers[6:]) == [204, 404]
        assert crowded.staff.get(path).status_code == 404
