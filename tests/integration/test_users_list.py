"""GET and HEAD of /api/users/: visibility, filters, order, pages, fields."""

import re

import pytest
from service import unique
from users import (
    FIELDS,
    FORBIDDEN,
    NO_CREDENTIALS,
    OWN,
    TEAM,
    fields_seen,
    new_body,
    path_of,
    statements,
    status_and_json,
)

PATH = "/api/users/"


def names(answer):
    """What the test called the users of a list, in its order."""
    assert answer.status_code == 200, answer.text
    return [user["username"].rpartition("-")[2] for user in answer.json()]


def links(answer):
    """rel to URL; the cursor of next, which is no business of these tests, left out."""
    found = re.findall(r'<([^>]*)>; rel="([a-z]+)"', answer.headers["Link"])
    whole = ", ".join(f'<{url}>; rel="{rel}"' for url, rel in found)
    assert whole == answer.headers["Link"]
    assert answer.headers["Link"].count(",") == len(found) - 1
    return {rel: re.sub(r"&cursor=[A-Za-z0-9_-]+$", "", url) for url, rel in found}


# --- who sees whom


@pytest.fixture(scope="module")
def cast(service):
    tag = unique("cast")
    kinds = {
        "self": {},
        "another": {},
        "inactive": {"is_active": False},
        "staff": {"is_staff": True},
        "support": {"is_support": True},
    }
    clients = {
        kind: service.account(f"{tag}-{kind}", organization=tag, **fields)
        for kind, fields in kinds.items()
    }
    return tag, clients


@pytest.mark.parametrize("caller", ["staff", "support"])
def test_staff_and_support_see_everybody(cast, caller):
    tag, clients = cast
    answer = clients[caller].get(f"{PATH}?organization={tag}")
    assert names(answer) == ["another", "inactive", "self", "staff", "support"]
    assert answer.headers["X-Result-Count"] == "5"
    for user in answer.json():
        assert list(user) == fields_seen(team=True, own=False)
        alone = clients[caller].get(path_of(user)).json()
        assert user == {key: value for key, value in alone.items() if key not in OWN}


def test_a_regular_user_sees_himself(cast):
    client = cast[1]["self"]
    answer = client.get(PATH)
    assert answer.headers["X-Result-Count"] == "1"
    assert answer.json() == [client.get(path_of(client.user)).json()]
    assert list(answer.json()[0]) == fields_seen(team=False, own=True)


@pytest.mark.parametrize(
    "query, found",
    [
        ("is_active=true", ["self"]),
        ("is_active=false", []),
        ("is_staff=true", []),
        ("is_support=true", []),
        ("description=x", []),
    ],
)
def test_a_regular_user_may_filter_by_what_he_does_not_see(cast, query, found):
    assert names(cast[1]["self"].get(f"{PATH}?{query}")) == found


def test_nobody_is_401(nobody):
    answer = nobody.get(PATH)
    assert status_and_json(answer) == (401, NO_CREDENTIALS)
    assert answer.headers["WWW-Authenticate"] == "Token"


@pytest.mark.parametrize("caller", ["self", "support", "staff"])
def test_the_token_is_shown_when_the_caller_is_alone_on_the_page(cast, caller):
    tag, clients = cast
    client, mine = clients[caller], f"username={tag}-{caller}"
    alone = client.get(f"{PATH}?{mine}").json()
    assert [user["token"] for user in alone] == [client.token]
    assert [user["token_lifetime"] for user in alone] == [3600]
    assert client.get(f"{PATH}?{mine}&field=token").json() == [{"token": client.token}]


def test_the_token_is_not_shown_on_a_page_with_others(cast):
    tag, clients = cast
    for query in ("", "&page_size=4", "&page_size=3&page=2", "&page_size=5&page=last"):
        users = clients["staff"].get(f"{PATH}?organization={tag}{query}").json()
        assert not any("token" in user or "token_lifetime" in user for user in users)


def test_a_page_of_one_is_enough_for_it(cast):
    tag, clients = cast
    for page in range(1, 6):
        users = clients["staff"].get(f"{PATH}?organization={tag}&page_size=1&page={page}").json()
        own = users[0]["username"] == f"{tag}-staff"
        assert list(users[0]) == fields_seen(team=True, own=own)
    last = clients["support"].get(f"{PATH}?organization={tag}&page_size=4&page=2").json()
    assert [user["token"] for user in last] == [clients["support"].token]
    assert clients["support"].get(f"{PATH}?organization={tag}&page_size=4&page=last").json() == last


# --- filters

JOINED = {
    "asa": "2020-01-01 00:00:00.000001",
    "ana": "2020-01-02 00:00:00",
    "ivo": "2020-01-02 12:30:00.5",
    "yur": "2020-01-03 23:59:59.999999",
    "lee": "2020-01-04 00:00:00",
    "uma": "2020-01-05 00:00:00",
}

CROWD = {
    "asa": {
        "first_name": "Åsa", "last_name": "Öberg", "native_name": "Åsa Öberg",
        "job_title": "Engineer", "email": "Asa.Oberg@example.org", "phone_number": "+46 1",
        "description": "Quiet",
    },
    "ana": {
        "first_name": "Ana", "last_name": "de la Cruz", "native_name": "Ана",
        "job_title": "100% remote", "email": "a_a@example.net", "phone_number": "(1) 2-3",
        "description": "quiet",
    },
    "ivo": {
        "first_name": "Ivo Ján", "last_name": "Asa", "job_title": "1000 remote things",
        "email": "aba@example.org", "phone_number": "+46 10", "is_support": True,
    },
    "yur": {
        "first_name": "Юрий", "last_name": "Обергов", "native_name": "Юрий Обергов",
        "job_title": "back\\slash", "email": "y@example.com", "is_active": False,
    },
    "lee": {
        "first_name": "李", "last_name": "小龙", "native_name": "ÅSA", "is_staff": True,
        "job_title": "under_score", "email": "lee@example.com",
    },
    "uma": {
        "first_name": "Uma", "last_name": "Mü%ller", "native_name": "asa", "description": "Quiet ",
        "job_title": "underscore", "email": "uma@example.com",
    },
}  # fmt: skip

ALL = set(CROWD)


@pytest.fixture(scope="module")
def crowd(service):
    tag = unique("crowd")
    for name, fields in CROWD.items():
        body = new_body(username=f"{tag}-{name}", organization=f"Org {tag}!", **fields)
        assert service.staff.post(PATH, json=body).status_code == 201
        service.sql(
            "UPDATE users SET date_joined = %s, modified = date_joined + INTERVAL 1 YEAR"
            " WHERE username = %s",
            JOINED[name],
            body["username"],
        )
    service.sql(
        "UPDATE users SET agreement_date = date_joined, registration_method = 'eduteams',"
        " civil_number = CONCAT(username, '/7') WHERE username IN (%s, %s)",
        f"{tag}-asa",
        f"{tag}-uma",
    )
    return tag


# TAG stands for what these users' names begin with; unless the query has it, the organization has.
FILTERS = [
    # exact, with case
    ("username", "TAG-asa", {"asa"}),
    ("username", "TAG-ASA", set()),
    ("username", "TAG-as", set()),
    ("username", "TAG-as%", set()),
    ("civil_number", "TAG-asa/7", {"asa"}),
    ("civil_number", "TAG-asa", set()),
    ("phone_number", "+46 1", {"asa"}),
    ("phone_number", "(1) 2-3", {"ana"}),
    ("phone_number", "46 1", set()),
    ("description", "Quiet", {"asa", "uma"}),
    ("description", "quiet", {"ana"}),
    ("description", "QUIET", set()),
    ("registration_method", "eduteams", {"asa", "uma"}),
    ("registration_method", "Eduteams", set()),
    ("registration_method", "default", {"ana", "ivo", "yur", "lee"}),
    # part, without case, with accents
    ("native_name", "åsa", {"asa", "lee"}),
    ("native_name", "ASA", {"uma"}),
    ("native_name", "ЮРИЙ об", {"yur"}),
    ("native_name", "ана", {"ana"}),
    ("organization", "oRG TAG", ALL),
    ("organization", "TAG!", ALL),
    ("organization", "TAG?", set()),
    ("job_title", "ENG", {"asa"}),
    ("job_title", "0%", {"ana"}),
    ("job_title", "100% remote", {"ana"}),
    ("job_title", "%", {"ana"}),
    ("job_title", "_", {"lee"}),
    ("job_title", "under_", {"lee"}),
    ("job_title", "\\", {"yur"}),
    ("job_title", "back\\slash", {"yur"}),
    ("job_title", "\\s", {"yur"}),
    ("job_title", "\\%", set()),
    ("job_title", "'", set()),
    ("job_title", "' OR 1=1 -- ", set()),
    ("email", "asa.OBERG", {"asa"}),
    ("email", "@example.ORG", {"asa", "ivo"}),
    ("email", "a_a@", {"ana"}),
    # part of the folded name
    ("full_name", "asa oberg", {"asa"}),
    ("full_name", "ÅSA ÖBERG", {"asa"}),
    ("full_name", "A\u030asa", {"asa", "ivo"}),
    ("full_name", "ＡＳＡ", {"asa", "ivo"}),
    ("full_name", "jan asa", {"ivo"}),
    ("full_name", "Öberg Åsa", set()),
    ("full_name", "u%l", {"uma"}),
    ("full_name", "a%o", set()),
    ("full_name", "_", set()),
    ("full_name", "Юрий", ALL),
    # any of folded name, e-mail and username
    ("user_keyword", "oberg", {"asa"}),
    ("user_keyword", "EXAMPLE.net", {"ana"}),
    ("user_keyword", "TAG-yu", {"yur"}),
    ("user_keyword", "muller", set()),
    ("user_keyword", "mu%ller", {"uma"}),
    ("user_keyword", "李", ALL),
    # any of five, accents count
    ("query", "öberg", {"asa"}),
    ("query", "юрий", {"yur"}),
    ("query", "小", {"lee"}),
    ("query", "Ján", {"ivo"}),
    ("query", "Jan", set()),
    ("query", "A/7", {"asa", "uma"}),
    ("query", "TAG-UMA", {"uma"}),
    ("query", "a_a@", {"ana"}),
    ("query", "ana xyz", {"ana"}),
    ("query", "xyz cruz", {"ana"}),
    ("query", "iv öberg", {"ivo", "asa"}),
    ("query", "de la Cruz", {"ana"}),
    ("query", "cruz ana", set()),
    ("query", "%", {"uma"}),
    # booleans
    ("is_active", "false", {"yur"}),
    ("is_active", "FALSE", {"yur"}),
    ("is_active", "0", {"yur"}),
    ("is_active", "True", ALL - {"yur"}),
    ("is_active", "1", ALL - {"yur"}),
    ("is_active", "maybe", ALL),
    ("is_active", "yes", ALL),
    ("is_staff", "true", {"lee"}),
    ("is_staff", "false", ALL - {"lee"}),
    ("is_support", "tRUE", {"ivo"}),
    # not before
    ("date_joined", "2020-01-02", ALL - {"asa"}),
    ("date_joined", "2020-01-01", ALL),
    ("date_joined", "2020-01-02 12:30", {"ivo", "yur", "lee", "uma"}),
    ("date_joined", "2020-01-02 12:30:00.5", {"ivo", "yur", "lee", "uma"}),
    ("date_joined", "2020-01-02T12:30:00.500001", {"yur", "lee", "uma"}),
    ("date_joined", "2020-01-02T12:30:01Z", {"yur", "lee", "uma"}),
    ("date_joined", "2020-01-04T02:00:00+02:00", {"lee", "uma"}),
    ("date_joined", "2020-01-03T23:59:59.999999+00:00", {"yur", "lee", "uma"}),
    ("date_joined", "2020-01-03T19:00:01-05:00", {"uma"}),
    ("date_joined", "9999-12-31", set()),
    ("date_joined", "0001-01-01", ALL),
    ("modified", "2021-01-04", {"lee", "uma"}),
    ("agreement_date", "2000-01-01", {"asa", "uma"}),
    ("agreement_date", "2020-01-03", {"uma"}),
    # several names
    ("username_list", "TAG-asa", {"asa"}),
    ("username_list", " TAG-asa , TAG-uma,,TAG-nobody", {"asa", "uma"}),
    ("username_list", "TAG-ASA", set()),
    ("username_list", "TAG-as%", set()),
    ("username_list", ",", set()),
    ("username_list", " , ", set()),
]


@pytest.mark.parametrize("name, value, found", FILTERS)
def test_a_filter(staff, crowd, name, value, found):
    params = {"organization": crowd, name: value.replace("TAG", crowd), "page_size": 300}
    answer = staff.get(PATH, params=params)
    assert set(names(answer)) == found
    assert answer.headers["X-Result-Count"] == str(len(found))


FILTER_NAMES = sorted({name for name, _, _ in FILTERS})


@pytest.mark.parametrize("blank", ["", "%20", "%09%0A", "%C2%A0%E3%80%80"])
@pytest.mark.parametrize("name", FILTER_NAMES)
def test_an_empty_filter_is_none(staff, crowd, name, blank):
    answer = staff.get(f"{PATH}?organization={crowd}&query={crowd}&{name}={blank}")
    assert set(names(answer)) == ALL


@pytest.mark.parametrize(
    "query, found",
    [
        ("username=+TAG-asa++", {"asa"}),
        ("native_name=%E3%80%80%C3%A5sa%C2%A0", {"asa", "lee"}),
        ("is_staff=%20true%20", {"lee"}),
        ("date_joined=%202020-01-05%20", {"uma"}),
        ("username=TAG-asa&username=TAG-uma", {"uma"}),
        ("username=TAG-asa&username=", ALL),
        ("is_staff=true&is_staff=false", ALL - {"lee"}),
        ("date_joined=rubbish&date_joined=2020-01-05", {"uma"}),
        ("is_staff=false&is_active=true&registration_method=default", {"ana", "ivo"}),
        ("full_name=asa&email=asa", {"asa"}),
        ("nonsense=1&USERNAME=x&password=x&slug=x&id=1&version=1", ALL),
        ("first_name=x&last_name=x&token=x&birth_date=x&preferred_language=x", ALL),
        ("username", ALL),
        ("&&=&=x", ALL),
    ],
)
def test_queries(staff, crowd, query, found):
    answer = staff.get(f"{PATH}?organization={crowd}&{query.replace('TAG', crowd)}")
    assert set(names(answer)) == found


@pytest.mark.parametrize("name", ["date_joined", "modified", "agreement_date"])
@pytest.mark.parametrize(
    "value",
    ["soon", "2020", "2020-02-30", "2020-01-01T25:00", "2020-01-01T00:00:60", "01.02.2020", "0",
     "2020-01-01T00:00:00+00:00 x", "2020-01-01T", "0000-01-01", "10000-01-01",
     "2020-01-01T00:00:00+24:00", "9999-12-31T23:59:59-01:00", "'"],
)
def test_an_invalid_time(staff, name, value):
    answer = staff.get(PATH, params={name: value})
    assert status_and_json(answer) == (400, {name: ["Enter a valid date/time."]})


def test_all_problems_of_a_query_at_once(staff):
    answer = staff.get(f"{PATH}?modified=x&o=email,y,-username,-z&date_joined=x&page=0")
    assert status_and_json(answer) == (
        400,
        {
            "date_joined": ["Enter a valid date/time."],
            "modified": ["Enter a valid date/time."],
            "o": [
                "Select a valid choice. y is not one of the available choices.",
                "Select a valid choice. -z is not one of the available choices.",
            ],
        },
    )


# --- order

# In the order of their creation; values have ties, words differ in case, empty ones come first.
RANKED = [
    ("d", "Bea", "Xi", "b@x.org", "1", "Zed", "Cook", True, False, True),
    ("a", "ada", "Xi", "C@x.org", "", "alpha", "", False, False, True),
    ("g", "Bea", "", "a@x.org", "22", "Alpha", "cook", False, True, True),
    ("b", "", "Zu", "b@x.org", "1", "", "Baker", True, True, False),
    ("f", "Ada", "Xi", "d@x.org", "22", "mid", "cook", False, False, True),
    ("c", "Bea", "Ann", "A@x.org", "1", "zed", "", False, False, False),
    ("e", "cy", "Xi", "b@x.org", "", "MID", "Cook", True, False, True),
]
RANKED_KEYS = (
    "username first_name last_name email phone_number native_name job_title is_staff is_support"
    " is_active"
).split()


def by_text(*keys):
    return lambda user: [user[key].lower() for key in keys]


def by_value(key):
    return lambda user: user[key]


ORDERS = {
    "username": by_value("username"),
    "full_name": by_text("first_name", "last_name"),
    "native_name": by_text("native_name"),
    "email": by_text("email"),
    "phone_number": by_value("phone_number"),
    "description": by_text("job_title"),
    "organization": by_text("organization"),
    "job_title": by_text("job_title"),
    "registration_method": by_value("last_name"),
    "is_active": by_value("is_active"),
    "is_staff": by_value("is_staff"),
    "is_support": by_value("is_support"),
}


@pytest.fixture(scope="module")
def ranked(service):
    """The users of RANKED as they were sent, with a tag that finds them."""
    tag = unique("ranked")
    users = []
    for row in RANKED:
        user = dict(zip(RANKED_KEYS, row))
        user["organization"] = f"{'ABa'[len(users) % 3]} {tag}"
        user["description"] = user["job_title"]
        body = {**user, "username": f"{tag}-{user['username']}"}
        assert service.staff.post(PATH, json=body).status_code == 201
        service.sql(
            "UPDATE users SET registration_method = last_name WHERE username = %s", body["username"]
        )
        users.append(user)
    return tag, users


def sorted_names(users, order):
    """A stable sort by each name from the last to the first; ties in the direction of the last."""
    if order.split(",")[-1].startswith("-"):
        users = users[::-1]
    for name in reversed(order.split(",")):
        users = sorted(users, key=ORDERS[name.lstrip("-")], reverse=name.startswith("-"))
    return [user["username"] for user in users]


@pytest.mark.parametrize(
    "order",
    [sign + name for name in ORDERS for sign in ("", "-")]
    + [
        "is_staff,username",
        "-is_staff,-username",
        "is_active,-is_staff,full_name",
        "email,-full_name",
        "-organization,phone_number,-native_name,username",
        "is_staff,is_support,is_active,job_title,description,organization,email",
    ],
)
def test_order(staff, ranked, order):
    tag, users = ranked
    expected = sorted_names(users, order)
    assert names(staff.get(f"{PATH}?organization={tag}&o={order}")) == expected
    repeated = "".join(f"&o={name}" for name in order.split(","))
    assert names(staff.get(f"{PATH}?organization={tag}{repeated}")) == expected
    # Ties are broken, so that pages never overlap, however they are asked for.
    pages = f"{PATH}?organization={tag}&o={order}&page_size=2&page="
    assert sum((names(staff.get(pages + page)) for page in ("1", "2", "3", "last")), []) == expected


@pytest.mark.parametrize("order", ["", "o=", "o=,", "o=%20", "o=username", "o=%20username%20,"])
def test_the_usual_order_is_by_username(staff, ranked, order):
    tag, _ = ranked
    assert names(staff.get(f"{PATH}?organization={tag}&{order}")) == list("abcdefg")


def test_a_name_twice_counts_once(staff, ranked):
    tag, _ = ranked
    answer = staff.get(f"{PATH}?organization={tag}&o=-username,username,-username")
    assert names(answer) == list("gfedcba")


@pytest.mark.parametrize(
    "name",
    ["nonsense", "-nonsense", "--username", "-", "+username", "USERNAME", "uuid", "url", "slug",
     "id", "token", "first_name", "date_joined", "agree_with_policy", "password", "username;",
     "u.username", "username desc", "é", "%s", "%"],
)
def test_an_invalid_order(staff, name):
    answer = staff.get(PATH, params={"o": name})
    message = f"Select a valid choice. {name} is not one of the available choices."
    assert status_and_json(answer) == (400, {"o": [message]})


# --- pages


@pytest.fixture(scope="module")
def many(service):
    """23 users, made without the API: only their number and order matter."""
    tag = unique("many")
    for i in range(23):
        service.sql(
            "INSERT INTO users (uuid, username, slug, email, organization, date_joined, modified)"
            " VALUES (RANDOM_BYTES(16), %s, %s, 'x@example.org', %s, NOW(6), NOW(6))",
            f"{tag}-{i:02}",
            f"{tag}-{i:02}",
            tag,
        )
    return tag


def numbers(start, end):
    return [f"{i:02}" for i in range(start, end)]


# page, page_size, the users on it, and the pages that the links lead to (1: without page).
PAGES = [
    (None, None, (0, 10), {"first": 1, "next": 2, "last": 3}),
    ("1", None, (0, 10), {"first": 1, "next": 2, "last": 3}),
    ("", "", (0, 10), {"first": 1, "next": 2, "last": 3}),
    ("2", None, (10, 20), {"first": 1, "prev": 1, "next": 3, "last": 3}),
    ("3", None, (20, 23), {"first": 1, "prev": 2, "last": 3}),
    ("last", None, (20, 23), {"first": 1, "prev": 2, "last": 3}),
    ("01", None, (0, 10), {"first": 1, "next": 2, "last": 3}),
    ("3", "5", (10, 15), {"first": 1, "prev": 2, "next": 4, "last": 5}),
    ("last", "5", (20, 23), {"first": 1, "prev": 4, "last": 5}),
    (None, "1", (0, 1), {"first": 1, "next": 2, "last": 23}),
    ("last", "1", (22, 23), {"first": 1, "prev": 22, "last": 23}),
    (None, "22", (0, 22), {"first": 1, "next": 2, "last": 2}),
    ("last", "22", (22, 23), {"first": 1, "prev": 1, "last": 2}),
    (None, "23", (0, 23), {"first": 1, "last": 1}),
    ("last", "23", (0, 23), {"first": 1, "last": 1}),
    (None, "300", (0, 23), {"first": 1, "last": 1}),
    ("last", "301", (0, 23), {"first": 1, "last": 1}),
    (None, "99999999999999999999", (0, 23), {"first": 1, "last": 1}),
    (None, "0", (0, 10), {"first": 1, "next": 2, "last": 3}),
    (None, "-5", (0, 10), {"first": 1, "next": 2, "last": 3}),
    (None, "ten", (0, 10), {"first": 1, "next": 2, "last": 3}),
    (None, "5.5", (0, 10), {"first": 1, "next": 2, "last": 3}),
    ("last", "ten", (20, 23), {"first": 1, "prev": 2, "last": 3}),
]


def page_query(tag, page, size):
    params = {"organization": tag, "page_size": size, "page": page}
    return {name: value for name, value in params.items() if value is not None}


@pytest.mark.parametrize("page, size, users, leads_to", PAGES)
def test_a_page(service, staff, many, page, size, users, leads_to):
    query = page_query(many, page, size)
    answer = staff.get(PATH, params=query)
    assert names(answer) == numbers(*users)
    assert answer.headers["X-Result-Count"] == "23"
    base = f"{service.url}{PATH}?organization={many}"
    base += "" if size is None else f"&page_size={size}"
    assert links(answer) == {
        rel: base + (f"&page={page}" if page > 1 else "") for rel, page in leads_to.items()
    }

    head = staff.head(PATH, params=query)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["X-Result-Count"] == "23"
    assert "Content-Type" not in head.headers and head.headers["Content-Length"] == "0"
    assert links(head) == links(answer)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "page",
    ["0", "-1", "4", "24", "1000000", "LAST", "first", "x", "1.0", "1e1", "+1", "1 2", "0x1", "٣",
     "922337203685477581", "9223372036854775807", "9223372036854775808",
     "99999999999999999999999999"],
)
def test_an_invalid_page(staff, many, page, method):
    answer = staff.request(method, PATH, params=page_query(many, page, None))
    assert answer.status_code == 404
    assert method == "HEAD" or answer.json() == {"detail": "Invalid page."}
    assert "X-Result-Count" not in answer.headers and "Link" not in answer.headers


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("page", [None, "1", "last"])
def test_the_only_page_of_an_empty_list(service, staff, page, method):
    answer = staff.request(method, PATH, params=page_query("nowhere", page, None))
    assert (answer.status_code, answer.content) == (200, b"[]" if method == "GET" else b"")
    assert answer.headers["X-Result-Count"] == "0"
    url = f"{service.url}{PATH}?organization=nowhere"
    assert links(answer) == {"first": url, "last": url}


@pytest.mark.parametrize("page", ["2", "0", "x"])
def test_another_page_of_an_empty_list(staff, page):
    answer = staff.get(PATH, params=page_query("nowhere", page, None))
    assert status_and_json(answer) == (404, {"detail": "Invalid page."})


def test_link_to_the_letter(service, staff, many):
    answer = staff.get(f"{PATH}?page=2&organization={many}&page_size=10")
    url = f"{service.url}{PATH}?organization={many}&page_size=10"
    assert re.sub(r"&cursor=[A-Za-z0-9_-]+", "", answer.headers["Link"]) == (
        f'<{url}>; rel="first", <{url}>; rel="prev", '
        f'<{url}&page=3>; rel="next", <{url}&page=3>; rel="last"'
    )


def test_link_without_a_query(service, staff, many):
    answer = staff.get(f"{PATH}?page=2")
    assert links(answer)["first"] == service.url + PATH
    assert links(answer)["next"] == f"{service.url}{PATH}?page=3"


@pytest.mark.parametrize(
    "sent, kept",
    [
        ("o=full_name,-email", "o=full_name%2C-email"),
        ("o=full_name%2C-email&o=username", "o=full_name%2C-email&o=username"),
        ("field=uuid&field=username", "field=uuid&field=username"),
        ("x=a+b%20c", "x=a%20b%20c"),
        ("x=%C3%A5%26%3D%3C%3E%22", "x=%C3%A5%26%3D%3C%3E%22"),
        ("x=<>;\"rel='", "x=%3C%3E%3B%22rel%3D%27"),
        ("y%2C=1", "y%2C=1"),
        ("x=-._~*", "x=-._~%2A"),
        ("page_size=10&page=1&page=2", "page_size=10"),
    ],
)
def test_links_keep_the_query(service, staff, many, sent, kept):
    answer = staff.get(f"{PATH}?organization={many}&{sent}")
    base = f"{service.url}{PATH}?organization={many}&{kept}"
    assert links(answer)["first"] == base
    assert links(answer)["last"] == base + "&page=3"


def test_links_are_made_of_the_host_that_was_asked(staff):
    answer = staff.get(PATH, headers={"Host": "people.example.org:8443"})
    assert links(answer)["first"] == "http://people.example.org:8443" + PATH


# --- fields


@pytest.mark.parametrize(
    "query, fields",
    [
        ("field=slug&field=uuid", ["uuid", "slug"]),
        ("field=slug&field=nonsense&field=slug", ["slug"]),
        ("field=nonsense", FIELDS),
        ("field=", FIELDS),
        ("field=uuid,slug", FIELDS),
        ("field=token", []),
        ("field=token&field=uuid&field=token_lifetime", ["uuid"]),
        ("field=is_staff", ["is_staff"]),
    ],
)
def test_field_picks_fields_in_their_order(staff, ranked, query, fields):
    answer = staff.get(f"{PATH}?organization={ranked[0]}&{query}")
    seen = [field for field in fields if field in fields_seen(team=True, own=False)]
    assert answer.status_code == 200
    assert [list(user) for user in answer.json()] == [seen] * 7


@pytest.mark.parametrize("field", sorted(TEAM))
def test_only_what_is_hidden_is_an_empty_object(regular, field):
    assert status_and_json(regular.get(f"{PATH}?field={field}")) == (200, [{}])


# --- methods


def test_options(staff, nobody):
    for client in (staff, nobody):
        answer = client.options(PATH, headers={"Access-Control-Request-Method": "POST"})
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["Allow"] == "GET, HEAD, POST, OPTIONS"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_method_that_the_list_has_not(staff, support, regular, nobody, method):
    assert status_and_json(nobody.request(method, PATH)) == (401, NO_CREDENTIALS)
    for client in (support, regular):
        assert status_and_json(client.request(method, PATH)) == (403, FORBIDDEN)
    answer = staff.request(method, PATH)
    assert status_and_json(answer) == (405, {"detail": f'Method "{method}" not allowed.'})
    assert answer.headers["Allow"] == "GET, HEAD, POST, OPTIONS"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_without_the_last_slash_it_is_a_redirect(service, staff, method):
    answer = staff.request(method, "/api/users?page_size=1&o=a,b")
    assert (answer.status_code, answer.content) == (301, b"")
    assert answer.headers["Location"] == f"{service.url}/api/users/?page_size=1&o=a,b"


# --- the database


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "query",
    ["", "page=2&page_size=4", "page=last", "page=last&page_size=300", "page_size=300", "page=999",
     "organization=nowhere", "user_keyword=a&query=b c&o=full_name,-email&is_staff=false",
     "field=permissions&field=token&page_size=300"],
)
def test_at_most_two_statements(service, staff, regular, many, query, method):
    for client in (staff, regular):
        answer = client.request(method, f"{PATH}?{query}")
        assert answer.status_code in (200, 404)
        assert statements(service, answer) <= 2
