"""POST /api/users/: what is required, taken, ignored and refused; unique usernames and slugs."""

import re
import secrets

import pytest
from service import Client, unique
from users import (
    FORBIDDEN,
    NO_CREDENTIALS,
    STAMP,
    UUID,
    at_once,
    fields_seen,
    new_body,
    path_of,
    status_and_json,
)

PATH = "/api/users/"

REQUIRED = "This field is required."
BLANK = "This field may not be blank."
NULL = "This field may not be null."
NO_TEXT = "Not a valid string."
NO_BOOLEAN = "Must be a valid boolean."
NO_USERNAME = "Enter a valid username."
NO_EMAIL = "Enter a valid email address."
NO_SLUG = 'Enter a valid "slug" consisting of letters, numbers, underscores or hyphens.'
NO_PHONE = "Invalid phone number format."
NO_DATE = "Date has wrong format. Use one of these formats instead: YYYY-MM-DD."
USERNAME_TAKEN = "user with this username already exists."
SLUG_TAKEN = "An object with this slug already exists."


def too_long(limit):
    return f"Ensure this field has no more than {limit} characters."


# --- who


@pytest.mark.parametrize("body", [{}, {"username": "UPPER"}, "good"])
def test_only_staff_may(staff, support, regular, nobody, body):
    body = new_body() if body == "good" else body
    answer = nobody.post(PATH, json=body)
    assert status_and_json(answer) == (401, NO_CREDENTIALS)
    assert answer.headers["WWW-Authenticate"] == "Token"
    for client in (support, regular):
        assert status_and_json(client.post(PATH, json=body)) == (403, FORBIDDEN)
    if "email" in body:
        assert staff.get(f"{PATH}?username={body['username']}").json() == []


# --- what is taken


def test_the_whole_answer(service, staff):
    body = new_body()
    answer = staff.post(PATH, json=body)
    user = answer.json()
    assert answer.status_code == 201
    assert list(user) == fields_seen(team=True, own=False)
    assert UUID.fullmatch(user["uuid"])
    assert STAMP.fullmatch(user["date_joined"]) and STAMP.fullmatch(user["token_expires_at"])
    assert user == {
        "url": service.url + path_of(user),
        "uuid": user["uuid"],
        "username": body["username"],
        "slug": user["slug"],
        "full_name": "",
        "native_name": "",
        "job_title": "",
        "email": body["email"],
        "phone_number": "",
        "organization": "",
        "civil_number": None,
        "description": "",
        "is_staff": False,
        "is_active": True,
        "is_support": False,
        "token_expires_at": user["token_expires_at"],
        "registration_method": "default",
        "date_joined": user["date_joined"],
        "agreement_date": None,
        "notifications_enabled": True,
        "preferred_language": "",
        "permissions": [],
        "requested_email": None,
        "affiliations": [],
        "first_name": "",
        "last_name": "",
        "birth_date": None,
        "identity_provider_name": "Local DB",
        "identity_provider_label": "Local DB",
        "identity_provider_management_url": "",
        "identity_provider_fields": [],
        "image": None,
        "identity_source": "",
        "has_active_session": True,
    }
    assert answer.headers["Location"] == user["url"]
    assert staff.get(path_of(user)).json() == user


TAKEN = {
    "native_name": "नाम",
    "job_title": "Engineer",
    "phone_number": "+372 (5) 55-55",
    "organization": "Ö",
    "description": "line\nline\ttab",
    "is_staff": True,
    "is_active": False,
    "is_support": True,
    "notifications_enabled": False,
    "preferred_language": "et",
    "first_name": "Jõgi",
    "last_name": "O'Neil \U0001f600",
    "birth_date": "1900-01-31",
}


@pytest.mark.parametrize("encoding", ["json", "data", "files"])
def test_all_that_is_taken(staff, encoding):
    """As JSON, form or multipart alike."""
    body = new_body(**TAKEN, slug=unique("Slug_"))
    parts = {key: (None, str(value)) for key, value in body.items()}
    answer = staff.post(PATH, **{encoding: parts if encoding == "files" else body})
    assert answer.status_code == 201, answer.text
    assert {key: answer.json()[key] for key in body} == body
    assert answer.json()["full_name"] == "Jõgi O'Neil \U0001f600"


@pytest.mark.parametrize("encoding", ["json", "data"])
def test_what_is_ignored(staff, encoding):
    plain = staff.post(PATH, **{encoding: new_body()}).json()
    ignored = {
        "url": "http://x/",
        "uuid": plain["uuid"],
        "full_name": "Full Name",
        "civil_number": "1",
        "token": "x" * 40,
        "token_lifetime": "rubbish",
        "token_expires_at": "2000-01-01",
        "registration_method": "eduteams",
        "date_joined": "2000-01-01",
        "agreement_date": "2000-01-01",
        "agree_with_policy": "true",
        "permissions": "x",
        "requested_email": "x",
        "affiliations": "x",
        "identity_provider_name": "x",
        "identity_source": "x",
        "has_active_session": "x",
        "password": "x",
        "modified": "x",
        "full_name_folded": "x",
        "id": "1",
        "version": "7",
        "nonsense": "x",
    }
    answer = staff.post(PATH, **{encoding: new_body(**ignored)})
    user = answer.json()
    assert answer.status_code == 201
    own = {"url", "uuid", "username", "slug", "email", "date_joined", "token_expires_at"}
    assert {k: v for k, v in user.items() if k not in own} == {
        k: v for k, v in plain.items() if k not in own
    }
    assert user["uuid"] != plain["uuid"]


def test_what_comes_with_it(service, staff):
    """A token that lasts an hour, no password, no agreement, an event."""
    user = staff.post(PATH, json=new_body(token_lifetime=60, agree_with_policy=True)).json()
    token = staff.get(path_of(user, "token/")).json()
    assert token["user_token_lifetime"] == 3600
    assert Client(service, token["token"]).get("/api/users/me/").json()["uuid"] == user["uuid"]
    assert user["agreement_date"] is None
    for password in ("x", user["username"]):
        answer = service.nobody.post(
            "/api-auth/password/", json={"username": user["username"], "password": password}
        )
        assert answer.status_code == 401
    events = service.sql(
        "SELECT event, actor_username FROM audit_events WHERE subject_uuid = UNHEX(%s)",
        user["uuid"].replace("-", ""),
    )
    assert ("user_creation_succeeded", "staff") in events


def test_field_shapes_the_answer(staff):
    body = new_body()
    answer = staff.post(PATH + "?field=email&field=username", json=body)
    assert status_and_json(answer) == (201, body)


@pytest.mark.parametrize(
    "sent, kept",
    [
        ("  Ada ", "Ada"),
        ("\t\u3000Ada Lovelace\xa0\n", "Ada Lovelace"),
        (" ", ""),
        ("", ""),
        (5, "5"),
        (-1.5, "-1.5"),
        (12345678901234567890, "12345678901234567890"),
        ("e\u0301", "e\u0301"),
        ("é", "é"),
        ("\u200fשלום\u200f", "\u200fשלום\u200f"),
        ("\\ \" ' / % _ ; --", "\\ \" ' / % _ ; --"),
        ("<b>&amp;</b>", "<b>&amp;</b>"),
        ("\x01\x1f\x7f", "\x01\x1f\x7f"),
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
    ],
)
def test_text_is_trimmed_and_kept(staff, sent, kept):
    answer = staff.post(PATH, json=new_body(first_name=sent))
    assert answer.status_code == 201
    assert answer.json()["first_name"] == answer.json()["full_name"] == kept


def test_username_and_email_are_trimmed(staff):
    body = new_body()
    answer = staff.post(PATH, json={key: f" {value}\t" for key, value in body.items()})
    assert answer.status_code == 201
    assert {key: answer.json()[key] for key in body} == body


@pytest.mark.parametrize(
    "value, taken",
    [(v, True) for v in (True, "true", "TRUE", "True", "t", "T", "yes", "Y", "on", "1", 1)]
    + [(v, False) for v in (False, "false", "F", "no", "N", "off", "OFF", "0", 0)],
)
def test_booleans(staff, value, taken):
    body = new_body(is_support=value, notifications_enabled=value)
    user = staff.post(PATH, json=body).json()
    assert (user["is_support"], user["notifications_enabled"]) == (taken, taken)


LIMITS = [
    ("slug", 50, "s"),
    ("native_name", 100, "ö"),
    ("phone_number", 255, "1"),
    ("organization", 255, "本"),
    ("job_title", 120, "\U0001f600"),
    ("first_name", 100, "㎯"),  # folds to five letters
    ("last_name", 100, "ﷺ"),  # decomposes into eighteen
    ("description", 2000, "\U0001f600"),
    ("preferred_language", 10, "e"),
]


@pytest.mark.parametrize("name, limit, letter", LIMITS)
def test_length_limits(staff, name, limit, letter):
    longest = secrets.token_hex(limit // 2) if name == "slug" else letter * limit
    answer = staff.post(PATH, json=new_body(**{name: longest}))
    assert answer.status_code == 201, answer.text
    assert answer.json()[name] == longest
    answer = staff.post(PATH, json=new_body(**{name: longest + letter}))
    assert status_and_json(answer) == (400, {name: [too_long(limit)]})


def test_everything_at_its_limit_at_once(staff):
    body = {name: letter * limit for name, limit, letter in LIMITS}
    body.update(first_name="㎯" * 100, last_name="㎯" * 100, slug=secrets.token_hex(25))
    body["username"] = secrets.token_hex(64)
    body["email"] = "e" * 64 + "@" + ".".join(["d" * 49] * 5)
    answer = staff.post(PATH, json=body)
    assert answer.status_code == 201, answer.text
    assert {key: answer.json()[key] for key in body} == body
    folded = "rads2" * 100
    answer = staff.get(PATH, params={"full_name": f"{folded} {folded}", "slug": body["slug"]})
    assert body["username"] in [user["username"] for user in answer.json()]


# --- what is refused

REFUSED = [
    ("username", "", [BLANK]),
    ("username", "  ", [BLANK]),
    ("username", None, [NULL]),
    ("username", True, [NO_TEXT]),
    ("username", ["x"], [NO_TEXT]),
    ("username", {"x": 1}, [NO_TEXT]),
    ("username", "Upper", [NO_USERNAME]),
    ("username", "two words", [NO_USERNAME]),
    ("username", "a/b", [NO_USERNAME]),
    ("username", "é", [NO_USERNAME]),
    ("username", "a\nb", [NO_USERNAME]),
    ("username", "u" * 129, [too_long(128)]),
    ("username", "U" * 129, [NO_USERNAME, too_long(128)]),
    ("username", "staff", [USERNAME_TAKEN]),
    ("email", "", [BLANK]),
    ("email", None, [NULL]),
    ("email", False, [NO_TEXT]),
    ("email", "x", [NO_EMAIL]),
    ("email", "x@", [NO_EMAIL]),
    ("email", "@example.org", [NO_EMAIL]),
    ("email", "x@localhost", [NO_EMAIL]),
    ("email", "x@example", [NO_EMAIL]),
    ("email", "x y@example.org", [NO_EMAIL]),
    ("email", "x@exam ple.org", [NO_EMAIL]),
    ("email", "x@@example.org", [NO_EMAIL]),
    ("email", ".x@example.org", [NO_EMAIL]),
    ("email", "x..y@example.org", [NO_EMAIL]),
    ("email", "x@-example.org", [NO_EMAIL]),
    ("email", "x@example..org", [NO_EMAIL]),
    ("email", "x@example.org\nBcc: y@example.org", [NO_EMAIL]),
    ("email", "x@example.org, y@example.org", [NO_EMAIL]),
    ("email", "x" * 300 + "@" + "d" * 40 + ".org", [NO_EMAIL, too_long(320)]),
    ("slug", None, [NULL]),
    ("slug", "two words", [NO_SLUG]),
    ("slug", "é", [NO_SLUG]),
    ("slug", "a.b", [NO_SLUG]),
    ("slug", "é" * 51, [NO_SLUG, too_long(50)]),
    ("slug", "staff-1", [SLUG_TAKEN]),
    ("phone_number", "call me", [NO_PHONE]),
    ("phone_number", "++1", [NO_PHONE]),
    ("phone_number", "+", [NO_PHONE]),
    ("phone_number", "1+1", [NO_PHONE]),
    ("phone_number", "1\n2", [NO_PHONE]),
    ("phone_number", None, [NULL]),
    ("birth_date", "31.12.1999", [NO_DATE]),
    ("birth_date", "1999-02-29", [NO_DATE]),
    ("birth_date", "1999-12-31T00:00:00Z", [NO_DATE]),
    ("birth_date", "", [NO_DATE]),
    ("birth_date", 19991231, [NO_DATE]),
    ("birth_date", True, [NO_DATE]),
    *[
        (name, value, [message])
        for name in ("native_name", "job_title", "organization", "description",
                     "preferred_language", "first_name", "last_name")
        for value, message in ((None, NULL), (True, NO_TEXT), ([], NO_TEXT), ({}, NO_TEXT))
    ],
    *[
        (name, value, [message])
        for name in ("is_staff", "is_active", "is_support", "notifications_enabled",
                     "agree_with_policy")
        for value, message in (
            (None, NULL), ("", NO_BOOLEAN), ("maybe", NO_BOOLEAN), (2, NO_BOOLEAN),
            ([], NO_BOOLEAN), ({}, NO_BOOLEAN),
        )
    ],
]  # fmt: skip


@pytest.mark.parametrize("name, value, messages", REFUSED)
def test_a_value_is_refused(staff, name, value, messages):
    body = {**new_body(), name: value}
    answer = staff.post(PATH, json=body)
    assert status_and_json(answer) == (400, {name: messages})
    if name != "username":
        assert staff.get(f"{PATH}?username={body['username']}").json() == []


@pytest.mark.parametrize("encoding", ["json", "data", "files"])
def test_username_and_email_are_required(staff, encoding):
    missing = {"username": [REQUIRED], "email": [REQUIRED]}
    assert status_and_json(staff.post(PATH)) == (400, missing)
    part = {"first_name": (None, "x") if encoding == "files" else "x"}
    assert status_and_json(staff.post(PATH, **{encoding: part})) == (400, missing)


def test_all_problems_at_once(staff):
    body = {
        "username": "staff",
        "slug": "staff-1",
        "email": "nowhere",
        "native_name": "n" * 101,
        "phone_number": "x" * 256,
        "organization": None,
        "description": [],
        "is_staff": "perhaps",
        "birth_date": "yesterday",
        "first_name": "fine",
        "agree_with_policy": None,
        "civil_number": False,
    }
    assert status_and_json(staff.post(PATH, json=body)) == (
        400,
        {
            "username": [USERNAME_TAKEN],
            "slug": [SLUG_TAKEN],
            "email": [NO_EMAIL],
            "native_name": [too_long(100)],
            "phone_number": [NO_PHONE, too_long(255)],
            "organization": [NULL],
            "description": [NO_TEXT],
            "is_staff": [NO_BOOLEAN],
            "birth_date": [NO_DATE],
            "agree_with_policy": [NULL],
        },
    )


@pytest.mark.parametrize("encoding", ["data", "files"])
def test_what_a_form_leaves_blank_is_not_said(staff, encoding):
    body = new_body(is_active="", notifications_enabled="", birth_date="", phone_number="")
    parts = {key: (None, value) for key, value in body.items()}
    answer = staff.post(PATH, **{encoding: parts if encoding == "files" else body})
    assert answer.status_code == 201, answer.text
    fields = ("is_active", "notifications_enabled", "birth_date", "phone_number")
    assert [answer.json()[field] for field in fields] == [True, True, None, ""]


# --- uniqueness


@pytest.mark.parametrize("is_active", [True, False])
def test_a_username_is_taken_by_active_and_inactive(service, staff, is_active):
    username = service.create(is_active=is_active)["username"]
    answer = staff.post(PATH, json=new_body(username=username))
    assert status_and_json(answer) == (400, {"username": [USERNAME_TAKEN]})


def test_addresses_may_repeat(service, staff):
    user = service.create()
    answer = staff.post(PATH, json={**new_body(), "email": user["email"]})
    assert answer.status_code == 201


@pytest.mark.parametrize("odd", [".", "@", "+", "-", "_", "0", "a@b.c+d-e_f"])
def test_usernames_of_all_characters(staff, odd):
    username = odd + secrets.token_hex(8)
    body = {"username": username, "email": "x@example.org"}
    assert staff.post(PATH, json=body).status_code == 201
    assert staff.get(PATH, params={"username": username}).json()[0]["username"] == username


def post(client, body):
    return client.post(PATH, json=body)


def test_of_twenty_at_once_one_gets_the_username(crowded):
    body = new_body()
    answers = at_once(post, crowded.staff, [body] * 20)
    assert sorted(a.status_code for a in answers) == [201] + [400] * 19
    refused = [a.json() for a in answers if a.status_code == 400]
    assert refused == [{"username": [USERNAME_TAKEN]}] * 19
    assert len(crowded.staff.get(f"{PATH}?username={body['username']}").json()) == 1


def test_of_twenty_at_once_one_gets_the_slug(crowded):
    slug = unique("slug")
    answers = at_once(post, crowded.staff, [new_body(slug=slug) for _ in range(20)])
    assert sorted(a.status_code for a in answers) == [201] + [400] * 19
    assert [a.json() for a in answers if a.status_code == 400] == [{"slug": [SLUG_TAKEN]}] * 19


# --- slugs


@pytest.mark.parametrize(
    "username, stem",
    [
        ("al", "al"),
        ("longer-than-eight", "longer-t"),
        ("a.b@c+d_e-f", "abcd_e-f"),
        ("eight-ch-xyz", "eight-ch"),
        ("seventy-x", "seventy-"),
        ("--a---b--", "a-b"),
        ("_x_", "x"),
        ("123", "123"),
        ("@@@", ""),
    ],
)
def test_the_slug_is_made_of_the_username(service, staff, username, stem):
    service.sql("DELETE FROM users WHERE username = %s", username)
    user = staff.post(PATH, json={"username": username, "email": "x@example.org"}).json()
    assert re.fullmatch(re.escape(stem) + r"-[1-9][0-9]*", user["slug"])


def test_its_number_follows_the_largest(service, staff):
    stem = secrets.token_hex(4)

    def slug_of_next(**fields):
        body = new_body(username=stem + secrets.token_hex(4), **fields)
        return staff.post(PATH, json=body).json()["slug"]

    assert slug_of_next() == f"{stem}-1"
    assert slug_of_next() == f"{stem}-2"
    assert slug_of_next(slug="") == f"{stem}-3"
    assert slug_of_next(slug=" ") == f"{stem}-4"
    assert slug_of_next(slug=f"{stem}-99") == f"{stem}-99"
    assert slug_of_next(slug=f"{stem}-1234x") == f"{stem}-1234x"
    assert slug_of_next(slug=f"{stem}-x-777") == f"{stem}-x-777"
    assert slug_of_next(slug=f"{stem}x-888") == f"{stem}x-888"
    assert slug_of_next() == f"{stem}-100"
    assert slug_of_next(slug=f"{stem}-999999999999999999999999") == f"{stem}-" + "9" * 24
    assert slug_of_next() == f"{stem}-101"


@pytest.mark.parametrize("number", ["9" * 9, "9" * 18, "9" * 19, str(2**63 - 1)])
def test_a_large_number_is_no_end_of_the_stem(service, staff, number):
    """Neither one that is beyond those that are counted, nor the last of these."""
    stem = secrets.token_hex(4)

    def next_slug(**fields):
        answer = staff.post(PATH, json=new_body(username=stem + secrets.token_hex(4), **fields))
        assert answer.status_code == 201, answer.text
        return answer.json()["slug"]

    assert next_slug() == f"{stem}-1"
    assert next_slug(slug=f"{stem}-{number}") == f"{stem}-{number}"
    slugs = [next_slug(), next_slug()]
    if len(number) > 9:
        assert slugs == [f"{stem}-2", f"{stem}-3"]
    else:
        assert len({*slugs}) == 2 and all(re.fullmatch(rf"{stem}-[0-9]{{10,18}}", slug) for slug in slugs)


def test_a_stem_is_no_pattern(staff):
    stem = secrets.token_hex(3)
    for middle in ("-", "_", "x"):
        body = new_body(username=f"{stem}{middle}y{secrets.token_hex(4)}")
        assert staff.post(PATH, json=body).json()["slug"] == f"{stem}{middle}y-1"


@pytest.mark.parametrize("given", [{}, {"slug": ""}])
def test_of_many_at_once_each_gets_another_number(crowded, given):
    stem = secrets.token_hex(4)
    bodies = [new_body(username=stem + secrets.token_hex(4), **given) for _ in range(30)]
    answers = at_once(post, crowded.staff, bodies)
    assert {a.status_code for a in answers} == {201}
    assert {a.json()["slug"] for a in answers} == {f"{stem}-{n}" for n in range(1, 31)}
