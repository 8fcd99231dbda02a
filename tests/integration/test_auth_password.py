"""POST /api/users/{uuid}/change_password/."""

import pytest
from service import Client, unique
from users import (
    FORBIDDEN,
    MALFORMED,
    NO_CREDENTIALS,
    NOT_FOUND,
    UNKNOWN,
    at_once,
    path_of,
    status_and_json,
)

ME = "/api/users/me/"
FIRST = "a heron on the roof"
SECOND = "two herons by the lake"
SET = {"status": "password set"}
INVALID_TOKEN = (401, {"detail": "Invalid token."})

REQUIRED = ["This field is required."]
BLANK = ["This field may not be blank."]
NULL = ["This field may not be null."]
NO_TEXT = ["Not a valid string."]
WRONG = ["Invalid password."]

SHORT = "This password is too short. It must contain at least 8 characters."
LONG = "This password is too long. It must contain at most 128 characters."
COMMON = "This password is too common."
EASY = "This password is too easy to guess."
SIMILAR = "The password is too similar to the {}.".format


def change(client, user, new=None, current=None, **options):
    body = {"new_password": new, "current_password": current}
    options.setdefault("json", {k: v for k, v in body.items() if v is not None})
    return client.post(path_of(user, "change_password/"), **options)


def works(service, user, password):
    answer = service.nobody.post(
        "/api-auth/password/", json={"username": user["username"], "password": password}
    )
    assert answer.status_code in (200, 401), answer.text
    return answer.status_code == 200


def secrets_of(service, user):
    """What no refused change touches."""
    return service.sql(
        "SELECT u.password, u.password_changed, u.version, t.id, t.lookup, t.created"
        " FROM users u JOIN tokens t ON t.user_id = u.id WHERE u.username = %s",
        user["username"],
    )


@pytest.fixture
def owner(service):
    """A regular account that has a password."""
    client = service.account()
    answer = change(service.staff, client.user, FIRST)
    assert status_and_json(answer) == (200, SET)
    client.token = service.token_of(client.user)
    return client


# --- who


def test_staff_sets_anyones(service, staff, support):
    for fields in ({}, {"is_support": True}, {"is_staff": True}, {"is_active": False}):
        user = service.create(**fields)
        old = Client(service, service.token_of(user))
        assert status_and_json(change(staff, user, FIRST)) == (200, SET)
        assert status_and_json(old.get(ME)) == INVALID_TOKEN
        assert service.token_of(user) != old.token
        if user["is_active"]:
            assert works(service, user, FIRST)
            assert Client(service, service.token_of(user)).get(ME).status_code == 200


def test_staff_need_not_know_the_current_one(service, staff, owner):
    assert status_and_json(change(staff, owner.user, SECOND, "wrong")) == (200, SET)
    assert works(service, owner.user, SECOND)
    assert not works(service, owner.user, FIRST)


def test_staffs_own(service):
    client = service.account(is_staff=True)
    old = Client(service, client.token)
    answer = change(client, client.user, FIRST)
    assert answer.status_code == 200
    key = service.token_of(client.user)
    assert answer.json() == {**SET, "token": key}
    assert status_and_json(old.get(ME)) == INVALID_TOKEN
    assert Client(service, key).get(ME).status_code == 200


def test_the_owner_shows_that_he_knows_the_current_one(service, owner):
    answer = change(owner, owner.user, SECOND, FIRST)
    assert answer.status_code == 200
    key = service.token_of(owner.user)
    assert list(answer.json()) == ["status", "token"]
    assert answer.json() == {**SET, "token": key}
    assert key != owner.token
    assert answer.headers["Cache-Control"] == "no-store"
    assert status_and_json(owner.get(ME)) == INVALID_TOKEN
    owner.token = key
    assert owner.get(ME).status_code == 200
    assert works(service, owner.user, SECOND)
    assert not works(service, owner.user, FIRST)
    # The way back needs the new one.
    assert status_and_json(change(owner, owner.user, FIRST, FIRST)) == (
        400,
        {"current_password": WRONG},
    )
    assert change(owner, owner.user, FIRST, SECOND).status_code == 200


def test_support_is_an_owner_like_others(service):
    client = service.account(is_support=True)
    change(service.staff, client.user, FIRST)
    client.token = service.token_of(client.user)
    assert status_and_json(change(client, client.user, SECOND)) == (
        400,
        {"current_password": REQUIRED},
    )
    assert change(client, client.user, SECOND, FIRST).status_code == 200


def test_others(service, staff, support, owner, regular):
    before = secrets_of(service, owner.user)
    staff_user = staff.get(ME).json()
    for client, user, expected in (
        (service.nobody, owner.user, (401, NO_CREDENTIALS)),
        (Client(service, "0" * 40), owner.user, INVALID_TOKEN),
        (support, owner.user, (403, FORBIDDEN)),
        (support, staff_user, (403, FORBIDDEN)),
        (support, {"uuid": UNKNOWN}, (404, NOT_FOUND)),
        (regular, owner.user, (404, NOT_FOUND)),
        (regular, staff_user, (404, NOT_FOUND)),
        (regular, {"uuid": UNKNOWN}, (404, NOT_FOUND)),
        (staff, {"uuid": UNKNOWN}, (404, NOT_FOUND)),
    ):
        assert status_and_json(change(client, user, SECOND, FIRST)) == expected
        # Who may not, is not told either what is wrong with the body.
        assert status_and_json(change(client, user)) == expected or client is staff
    assert secrets_of(service, owner.user) == before
    assert works(service, owner.user, FIRST)


def test_nobodys(staff, regular):
    for uuid in MALFORMED:
        for client in (staff, regular):
            assert change(client, {"uuid": uuid}, FIRST).status_code == 404, uuid


def test_impersonated_it_is_the_owners(service, staff, owner):
    headers = {"X-Impersonated-User-Uuid": owner.user["uuid"]}
    assert status_and_json(change(staff, owner.user, SECOND, headers=headers)) == (
        400,
        {"current_password": REQUIRED},
    )
    answer = change(staff, owner.user, SECOND, FIRST, headers=headers)
    assert status_and_json(answer) == (200, {**SET, "token": service.token_of(owner.user)})
    assert staff.get(ME).json()["username"] == "staff"


# --- what


@pytest.mark.parametrize(
    "body, new, current",
    [
        ({}, REQUIRED, REQUIRED),
        ({"new_password": SECOND}, None, REQUIRED),
        ({"current_password": FIRST}, REQUIRED, None),
        ({"new_password": "", "current_password": ""}, BLANK, None),
        ({"new_password": None, "current_password": None}, NULL, NULL),
        ({"new_password": True, "current_password": [FIRST]}, NO_TEXT, NO_TEXT),
        ({"new_password": SECOND, "current_password": ""}, None, WRONG),
        ({"new_password": SECOND, "current_password": SECOND}, None, WRONG),
        ({"new_password": SECOND, "current_password": FIRST + " "}, None, WRONG),
        ({"new_password": SECOND, "current_password": "x" * 500_000}, None, WRONG),
        ({"new_password": "short", "current_password": "x"}, [SHORT, COMMON, EASY], WRONG),
        ({"new_password": "short"}, [SHORT, COMMON, EASY], REQUIRED),
        ({"new_password": "elephant", "current_password": FIRST}, [COMMON, EASY], None),
    ],
)
def test_what_is_wrong_with_the_owners_body(service, owner, body, new, current):
    before = secrets_of(service, owner.user)
    answer = change(owner, owner.user, json=body)
    assert answer.status_code == 400
    problems = {"new_password": new, "current_password": current}
    found = answer.json()
    if new in (REQUIRED, BLANK, NULL, NO_TEXT) and current == REQUIRED:
        # What the fields hold is looked at when they are there.
        found.setdefault("current_password", REQUIRED)
    assert found == {field: m for field, m in problems.items() if m is not None}
    assert secrets_of(service, owner.user) == before
    assert owner.get(ME).status_code == 200


@pytest.mark.parametrize(
    "body, problems",
    [
        ({}, REQUIRED),
        ({"password": SECOND}, REQUIRED),
        ({"new_password": ""}, BLANK),
        ({"new_password": None}, NULL),
        ({"new_password": False}, NO_TEXT),
        ({"new_password": [SECOND]}, NO_TEXT),
        ({"new_password": {"a": SECOND}}, NO_TEXT),
        ({"new_password": "kX7#pQ2"}, [SHORT]),
        ({"new_password": "\u00e4\u00f6\u00fcXk7#"}, [SHORT]),
        ({"new_password": "a\u0308o\u0308u\u0308Xk7#"}, [SHORT]),
        ({"new_password": " "}, [SHORT, COMMON, EASY]),
        ({"new_password": "abc"}, [SHORT, COMMON, EASY]),
        ({"new_password": "kX7#pQ2v" * 16 + "x"}, [LONG]),
        ({"new_password": "kX7#pQ2v" * 100_000}, [LONG]),
        ({"new_password": "password"}, [COMMON, EASY]),
        ({"new_password": "PassWord"}, [COMMON, EASY]),
        ({"new_password": "P@ssw0rd"}, [COMMON, EASY]),
        ({"new_password": "12345678"}, [COMMON, EASY]),
        ({"new_password": 12345678}, [COMMON, EASY]),
        ({"new_password": "qwertyuiop"}, [COMMON, EASY]),
        ({"new_password": "Summer2024!"}, [EASY]),
    ],
)
def test_what_is_wrong_with_a_password(service, staff, owner, body, problems):
    before = secrets_of(service, owner.user)
    expected = (400, {"new_password": problems})
    assert status_and_json(change(staff, owner.user, json=body)) == expected
    assert secrets_of(service, owner.user) == before
    assert works(service, owner.user, FIRST)


@pytest.mark.parametrize(
    "password, what",
    [
        ("{username}", ["username"]),
        ("{username}!1", ["username"]),
        ("kolibri.vogelfrei@example.net", ["email address"]),
        ("brokkenheimer", ["first name"]),
        ("BRÖKKENHEIMER99", ["first name"]),
        ("van der quetschlik", ["last name"]),
    ],
)
def test_a_password_that_resembles_its_owner(service, staff, password, what):
    username = unique("zq")
    user = service.create(
        username,
        email="kolibri.vogelfrei@example.net",
        first_name="Brökkenheimer",
        last_name="van der Quetschlik",
    )
    answer = change(staff, user, password.replace("{username}", username))
    assert answer.status_code == 400
    found = answer.json()["new_password"]
    assert [m for m in found if m not in (COMMON, EASY)] == [SIMILAR(w) for w in what]


@pytest.mark.parametrize(
    "password",
    [
        "kX7#pQ2v",
        "correct horse battery",
        "  leading and trailing  ",
        "коровапьетчай",
        "鷺は屋根の上に二羽いる",
        'quotes " and \\ and \' and %s and \x01',
        "kX7#pQ2v" * 16,
    ],
)
def test_good_passwords(service, staff, owner, password):
    assert status_and_json(change(staff, owner.user, password)) == (200, SET)
    assert works(service, owner.user, password)
    assert not works(service, owner.user, password.strip()[:-1])


@pytest.mark.parametrize(
    "how",
    [
        {"data": {"new_password": SECOND, "current_password": FIRST}},
        {"files": {"new_password": (None, SECOND), "current_password": (None, FIRST)}},
        {"json": {"new_password": SECOND, "current_password": FIRST, "other": [1, {}]}},
    ],
)
def test_each_kind_of_body(service, owner, how):
    assert change(owner, owner.user, **how).json()["status"] == "password set"
    assert works(service, owner.user, SECOND)


def test_without_a_password_there_is_no_current_one(service, regular):
    for current in ("", " ", "x", FIRST):
        assert status_and_json(change(regular, regular.user, SECOND, current)) == (
            400,
            {"current_password": WRONG},
        )


def test_it_is_on_record(service, staff):
    user = service.create()

    def events():
        return [
            row[0]
            for row in service.sql(
                "SELECT event FROM audit_events e JOIN users u ON u.uuid = e.subject_uuid"
                " WHERE u.username = %s AND event LIKE %s ORDER BY e.id",
                user["username"],
                "user\\_password%",
            )
        ]

    assert events() == []
    change(staff, user, FIRST)
    assert events() == ["user_password_updated_by_staff"]
    change(staff, user, "short")
    change(staff, user, SECOND)
    assert events() == ["user_password_updated_by_staff"] * 2 + ["user_password_updated"]
    client = Client(service, service.token_of(user))
    change(client, user, FIRST, SECOND)
    assert events()[3:] == ["user_password_updated"]
    row = service.sql(
        "SELECT e.changes FROM audit_events e JOIN users u ON u.uuid = e.subject_uuid"
        " WHERE u.username = %s AND event LIKE %s",
        user["username"],
        "user\\_password%",
    )
    assert all(changes is None for (changes,) in row)


def test_changes_at_the_same_time(service, staff, owner):
    """Each is carried out, one after the other; what is left is the last one and one token."""
    passwords = [f"{n} herons on {n} roofs" for n in range(100, 112)]
    answers = at_once(lambda client, p: change(client, owner.user, p), staff, passwords, 6)
    assert [status_and_json(a) for a in answers] == [(200, SET)] * len(passwords)
    assert service.sql(
        "SELECT COUNT(*) FROM tokens t JOIN users u ON u.id = t.user_id WHERE u.username = %s",
        owner.user["username"],
    ) == ((1,),)
    assert Client(service, service.token_of(owner.user)).get(ME).status_code == 200


def test_one_current_password_is_good_for_one_change(service, owner):
    passwords = [f"{n} herons on {n} roofs" for n in range(100, 103)]
    answers = at_once(lambda client, p: change(client, owner.user, p, FIRST), owner, passwords, 3)
    good = [p for p, a in zip(passwords, answers) if a.status_code == 200]
    assert len(good) == 1
    for answer in answers:
        # By then the token is gone, or the password is another.
        assert answer.status_code == 200 or status_and_json(answer) in (
            INVALID_TOKEN,
            (400, {"current_password": WRONG}),
        )
    assert works(service, owner.user, good[0])
