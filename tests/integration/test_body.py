"""Request bodies of the three kinds: what is wrong with them, and that nothing comes of it."""

import json

import pytest
from daemon import Daemon
from service import Client, unique
from users import FORBIDDEN, NO_CREDENTIALS, path_of, status_and_json
from wire import Connection, exchange, request_bytes

LOGIN = "/api-auth/password/"
USERS = "/api/users/"
ME = "/api/users/me/"
PASSWORD = "a heron on the roof"

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=X"
KINDS = (JSON, FORM, MULTIPART)

LIMIT = 1048576  # body_limit
LIMITS = {JSON: LIMIT, FORM: LIMIT, MULTIPART: LIMIT + 2097152}  # which may hold a picture
NGINX_LIMIT = 16 * 1024 * 1024  # client_max_body_size

TOO_LARGE_FOR_NGINX = {"detail": "The request body is too large."}
REQUIRED = ["This field is required."]


@pytest.fixture(scope="module")
def service(service):
    """One of these tests' own: no mail, role or provider of others is seen to by its processes while nothing may change."""
    instance = Daemon(service)
    yield instance
    instance.close()


@pytest.fixture(scope="module")
def support(service):
    return service.account(is_support=True)


@pytest.fixture(scope="module")
def person(service):
    """A staff account that has a password, for what these tests change."""
    client = service.account(is_staff=True)
    answer = client.post(path_of(client.user, "change_password/"), json={"new_password": PASSWORD})
    client.token = answer.json()["token"]
    return client


@pytest.fixture(scope="module", autouse=True)
def same_processes(service):
    """Whatever these tests send, the workers that see it live on, until they are old: large, with sanitizers."""
    before = set(service.children())
    yield
    retired = {line["pid"] for line in service.messages("retires after")}
    assert before - set(service.children()) <= retired


def contents(service):
    """A number a table that changes with its rows. The keeper moves the stamps of tokens when it likes."""
    tables = service.sql(
        "SELECT table_name FROM information_schema.tables"
        " WHERE table_schema = DATABASE() AND table_name <> 'tokens'"
    )
    names = ", ".join(name for (name,) in tables)
    return service.sql(f"CHECKSUM TABLE {names}"), service.sql(
        "SELECT COUNT(*), MAX(id) FROM tokens"
    )


@pytest.fixture
def nothing_changes(service, person):
    before = contents(service)
    yield
    assert contents(service) == before


def targets(person):
    """Ways to hand in a body: create, change, sign in."""
    return (
        ("POST", USERS, person),
        ("PATCH", path_of(person.user), person),
        ("PUT", path_of(person.user), person),
        ("POST", LOGIN, Client(person.service, None)),
        ("POST", path_of(person.user, "change_password/"), person),
    )


def hand_in(target, data, content_type, **headers):
    method, path, client = target
    if content_type is not None:
        headers["Content-Type"] = content_type
    return client.request(method, path, data=data, headers=headers)


def too_large(kind):
    return {"detail": f"Request body is too large. At most {LIMITS[kind]} bytes are allowed."}


def part(name, value, *more, disposition="form-data"):
    lines = [f'Content-Disposition: {disposition}; name="{name}"', *more]
    return b"--X\r\n" + "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + value + b"\r\n"


def multipart(*parts):
    return b"".join(parts) + b"--X--\r\n"


def body(kind, **fields):
    """A good body with these fields."""
    if kind == JSON:
        return json.dumps(fields).encode()
    if kind == FORM:
        return "&".join(f"{name}={value}" for name, value in fields.items()).encode()
    return multipart(*(part(name, value.encode()) for name, value in fields.items()))


# --- malformed


MALFORMED_JSON = [
    # cut off, or too much
    (b"{", "unexpected end of input at byte 1"),
    (b" \r\n\t", "unexpected end of input at byte 4"),
    (b"[1,2", "unexpected end of input at byte 4"),
    (b'{"a":"abc', "unexpected end of input at byte 9"),
    (b'{"a":1}x', "trailing garbage at byte 7"),
    (b'{"a":1} {}', "trailing garbage at byte 8"),
    (b"{}//", "trailing garbage at byte 2"),
    (b"{}\0", "trailing garbage at byte 2"),
    # no JSON
    (b"\0", "at byte 0"),
    (b"hello", "at byte 0"),
    (b"NaN", "at byte 0"),
    (b'{"a":Infinity}', "at byte 5"),
    (b"/* */{}", "at byte 0"),
    (b"\xc2\xa0{}", "at byte 0"),
    (b"\x0b{}", "invalid character at byte 0"),
    (b"{'a':1}", "at byte 1"),
    (b"{a:1}", "at byte 1"),
    (b'{"a" 1}', "at byte 5"),
    (b'{"a":1,}', "at byte 7"),
    (b"{,}", "at byte 1"),
    (b'{"a":}', "at byte 5"),
    (b'{"a":[1,2}', "at byte 9"),
    (b"}", "at byte 0"),
    # numbers
    (b'{"a":01}', "at byte 6"),
    (b'{"a":+1}', "at byte 5"),
    (b'{"a":.5}', "at byte 5"),
    (b'{"a":1.}', "at byte 7"),
    (b'{"a":1e}', "at byte 7"),
    (b'{"a":-}', "at byte 6"),
    (b'{"a":0x10}', "at byte 6"),
    # strings
    (b'{"a":"\x01"}', "at byte 6"),
    (b'{"a":"\n"}', "at byte 6"),
    (b'{"a":"\0"}', "at byte 6"),
    (b'{"a":"\\q"}', "at byte 7"),
    (b'{"a":"\\u12"}', "at byte 10"),
    (b'{"a":"\\u0000"}', "U+0000 in a string at byte 6"),
    (b'{"\\u0000":1}', "U+0000 in a string at byte 2"),
    (b'{"a":"\\ud800"}', "lone surrogate at byte 6"),
    (b'{"a":"x\\udc00"}', "lone surrogate at byte 7"),
    (b'{"a":"\\ud83d\\u0041"}', "lone surrogate at byte 6"),
    (b'{"a":"\\udc00\\ud800"}', "lone surrogate at byte 6"),
    (b'{"\\ud800":1}', "lone surrogate at byte 2"),
    # UTF-8
    (b"\xef\xbb\xbf{}", "byte order mark at byte 0"),
    (b"\xff\xfe{\0}\0", "invalid UTF-8 at byte 0"),
    (b'{"a":"\xff"}', "invalid UTF-8 at byte 6"),
    (b'{"a":"\xc3"}', "invalid UTF-8 at byte 6"),
    (b'{"a":"\xc0\x80"}', "invalid UTF-8 at byte 6"),
    (b'{"a":"\xed\xa0\x80"}', "invalid UTF-8 at byte 6"),
    (b'{"a":"\xf4\x90\x80\x80"}', "invalid UTF-8 at byte 6"),
    (b'{"\xe9":1}', "invalid UTF-8 at byte 2"),
    # duplicate keys
    (b'{"a":1,"a":2}', 'duplicate key "a" at byte 7'),
    (b'{"a":1,"\\u0061":2}', 'duplicate key "a" at byte 7'),
    (b'{"x":{"a":1,"b":2,"a":3}}', 'duplicate key "a" at byte 18'),
    (b'{"username":"x","username":"y"}', 'duplicate key "username" at byte 16'),
    # too much of it
    (b"[" * 100_000, "nested too deeply at byte 32"),
    (b'{"a":' + b"[" * 32 + b"]" * 32 + b"}", "nested too deeply at byte 36"),
    (b'{"a":' * 33 + b"1" + b"}" * 33, "nested too deeply at byte 160"),
    (b'{"a":[' + b",".join([b"1"] * 999) + b"]}", "too many values at byte 2002"),
]


def test_malformed_json(person, nothing_changes):
    for data, problem in MALFORMED_JSON:
        for target in targets(person):
            answer = hand_in(target, data, JSON)
            assert answer.status_code == 400
            assert list(answer.json()) == ["detail"]
            detail = answer.json()["detail"]
            assert detail.startswith("JSON parse error - ") and detail.endswith(problem), detail


NO_OBJECTS = [
    (b"[]", "Invalid data. Expected a dictionary, but got list."),
    (b'[{"username":"x"}]', "Invalid data. Expected a dictionary, but got list."),
    (b'"x"', "Invalid data. Expected a dictionary, but got str."),
    (b"1", "Invalid data. Expected a dictionary, but got int."),
    (b"1.5", "Invalid data. Expected a dictionary, but got float."),
    (b"1e999", "Invalid data. Expected a dictionary, but got float."),
    (b"true", "Invalid data. Expected a dictionary, but got bool."),
    (b"null", "No data provided"),
]


def test_json_that_is_no_object(person, nothing_changes):
    for data, message in NO_OBJECTS:
        for target in targets(person):
            answer = hand_in(target, data, JSON)
            assert status_and_json(answer) == (400, {"non_field_errors": [message]})


MALFORMED_FORMS = [
    (b"a=%", "malformed escape at byte 2"),
    (b"a=1&b=%4", "malformed escape at byte 6"),
    (b"a=%zz&b=1", "malformed escape at byte 2"),
    (b"a=%u0041", "malformed escape at byte 2"),
    (b"a%=1", "malformed escape at byte 1"),
    (b"x=1&first_name=%ff", 'field "first_name" is not valid UTF-8 at byte 4'),
    (b"first_name=\xff", 'field "first_name" is not valid UTF-8 at byte 0'),
    (b"first_name=%c0%80", 'field "first_name" is not valid UTF-8 at byte 0'),
    (b"first_name=%ed%a0%80", 'field "first_name" is not valid UTF-8 at byte 0'),
    (b"x=1&%ff=1", "a name that is not valid UTF-8 at byte 4"),
    (b"a=1&b=2&a=3", 'duplicate field "a" at byte 8'),
    (b"a=1&%61=2", 'duplicate field "a" at byte 4'),
    (b"\xef\xbb\xbfa=1", "byte order mark at byte 0"),
    (b"&".join(b"k%d=" % i for i in range(1001)), "more than 1000 fields at byte 5890"),
]


def test_malformed_forms(person, nothing_changes):
    for data, problem in MALFORMED_FORMS:
        for target in targets(person):
            answer = hand_in(target, data, FORM)
            assert status_and_json(answer) == (400, {"detail": f"Form parse error - {problem}"})


NAME = part("first_name", b"x")
DISPOSITION = b"Content-Disposition: form-data; "


MALFORMED_MULTIPART = [
    ("multipart/form-data", multipart(NAME), "no boundary in Content-Type at byte 0"),
    (MULTIPART[:-1], multipart(NAME), "no boundary in Content-Type at byte 0"),
    (MULTIPART[:-1] + '"X', multipart(NAME), "no boundary in Content-Type at byte 0"),
    (MULTIPART + "X" * 70, multipart(NAME), "invalid boundary in Content-Type at byte 0"),
    (MULTIPART[:-1] + "Y", multipart(NAME), "boundary not found at byte 68"),
    (MULTIPART[:-1] + "x", multipart(NAME), "boundary not found at byte 68"),
    (MULTIPART, b"junk", "boundary not found at byte 4"),
    (MULTIPART, b"--X", "malformed boundary line at byte 3"),
    (MULTIPART, NAME, "truncated: no closing boundary at byte 61"),
    (MULTIPART, NAME[:-2], "truncated: no closing boundary at byte 59"),
    (MULTIPART, NAME + b"--X", "malformed boundary line at byte 64"),
    (MULTIPART, NAME + b"--X-", "malformed boundary line at byte 64"),
    (MULTIPART, NAME[:20], "truncated in part headers at byte 20"),
    (MULTIPART, multipart(NAME).replace(b"\r\n", b"\n"), "malformed boundary line at byte 3"),
    (MULTIPART, multipart(NAME, NAME), 'duplicate field "first_name" at byte 66'),
    (MULTIPART, multipart(b"--X\r\n\r\nx\r\n"), "part without Content-Disposition: form-data at byte 5"),
    (MULTIPART, multipart(part("a", b"x", disposition="attachment")), "part without Content-Disposition: form-data at byte 5"),
    (MULTIPART, multipart(part("", b"x")), "part without a name at byte 5"),
    (MULTIPART, multipart(b"--X\r\n" + DISPOSITION + b'name="a\r\n\r\nx\r\n'), "malformed Content-Disposition at byte 5"),
    (MULTIPART, multipart(b"--X\r\n" + DISPOSITION + b'name="a"; name="b"\r\n\r\nx\r\n'), "repeated Content-Disposition parameter at byte 5"),
    (MULTIPART, multipart(b"--X\r\n" + DISPOSITION + b"name=\"a\"; filename*=UTF-8''b\r\n\r\nx\r\n"), "filename* is not allowed at byte 5"),
    (MULTIPART, multipart(part("a", b"x", "Content-Disposition: form-data")), "repeated part header at byte 47"),
    (MULTIPART, multipart(part("a", b"x", " folded")), "malformed part header at byte 47"),
    (MULTIPART, multipart(part("a", b"x", "no colon")), "malformed part header at byte 47"),
    (MULTIPART, multipart(part("a", b"x", "X: " + "y" * 9000)), "part headers too long at byte 5"),
    (MULTIPART, multipart(part("a", b"eA==", "Content-Transfer-Encoding: base64")), "Content-Transfer-Encoding other than 7bit, 8bit or binary at byte 5"),
    (MULTIPART, multipart(part("first_name", b"\xff")), 'field "first_name" is not valid UTF-8 at byte 5'),
    (MULTIPART, multipart(part("\xff", b"x")), "malformed part header at byte 5"),
    (MULTIPART, multipart(*(part(f"k{i}", b"") for i in range(1001))), "more than 1000 fields at byte 53895"),
]


def test_malformed_multipart(person, nothing_changes):
    for content_type, data, problem in MALFORMED_MULTIPART:
        for target in targets(person):
            answer = hand_in(target, data, content_type)
            assert answer.status_code == 400
            assert answer.json() == {"detail": f"Multipart form parse error - {problem}"}


# --- wrong values


WRONG_VALUES = [
    ("first_name", True, "Not a valid string."),
    ("first_name", [], "Not a valid string."),
    ("first_name", {"a": 1}, "Not a valid string."),
    ("first_name", None, "This field may not be null."),
    ("first_name", "x" * 101, "Ensure this field has no more than 100 characters."),
    ("is_support", "maybe", "Must be a valid boolean."),
    ("is_support", 2, "Must be a valid boolean."),
    ("is_support", [True], "Must be a valid boolean."),
    ("is_support", None, "This field may not be null."),
    ("token_lifetime", "abc", "A valid integer is required."),
    ("token_lifetime", True, "A valid integer is required."),
    ("token_lifetime", 60.5, "A valid integer is required."),
    ("token_lifetime", [60], "A valid integer is required."),
    ("token_lifetime", 59, "Ensure this value is greater than or equal to 60."),
    ("token_lifetime", -(2**63) - 1, "Ensure this value is greater than or equal to 60."),
    ("token_lifetime", 2**31, "Ensure this value is less than or equal to 2147483647."),
    ("token_lifetime", 2**63, "Ensure this value is less than or equal to 2147483647."),
    ("token_lifetime", 10**900, "Ensure this value is less than or equal to 2147483647."),
    ("token_lifetime", "9" * 1001, "String value too large."),
    ("birth_date", 20200101, "Date has wrong format. Use one of these formats instead: YYYY-MM-DD."),
    ("birth_date", "2020-02-30", "Date has wrong format. Use one of these formats instead: YYYY-MM-DD."),
    ("birth_date", "10000-01-01", "Date has wrong format. Use one of these formats instead: YYYY-MM-DD."),
]


def test_a_wrong_value_is_named(person, nothing_changes):
    for field, value, message in WRONG_VALUES:
        answer = person.patch(path_of(person.user), json={field: value, "last_name": "x"})
        assert status_and_json(answer) == (400, {field: [message]})


def test_numbers_of_any_size(person, nothing_changes):
    """As JSON they are well formed; no field takes them."""
    for number in ("1e999", "-1e999", "1e-999", "6e1", "1" * 5000, "0.0", "60.5"):
        data = f'{{"token_lifetime": {number}, "last_name": "x"}}'
        answer = hand_in(("PATCH", path_of(person.user), person), data, JSON)
        assert answer.status_code == 400
        assert list(answer.json()) == ["token_lifetime"]


NUL_IN_FORMS = [
    (FORM, b"first_name=a%00b"),
    (FORM, b"first_name=a\0b"),
    (MULTIPART, multipart(part("first_name", b"a\0b"))),
]


def test_nul_in_a_form(person, nothing_changes):
    for content_type, data in NUL_IN_FORMS:
        answer = hand_in(("PATCH", path_of(person.user), person), data, content_type)
        assert status_and_json(answer) == (400, {"first_name": ["Null characters are not allowed."]})


def test_a_file_where_a_text_belongs(person, nothing_changes):
    answer = person.patch(path_of(person.user), files={"first_name": ("a.txt", b"x", "text/plain")})
    assert status_and_json(answer) == (400, {"first_name": ["Not a valid string."]})


# --- kinds


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_creates_changes_and_signs_in(service, person, kind):
    username = unique("b")
    fields = {"username": username, "email": f"{username}@example.org", "first_name": "Zoë"}
    created = hand_in(("POST", USERS, person), body(kind, **fields), kind)
    assert created.status_code == 201, created.text
    user = created.json()
    assert (user["username"], user["first_name"]) == (username, "Zoë")
    changed = hand_in(
        ("PATCH", path_of(user), person),
        body(kind, first_name="Ælla", is_active="true", agree_with_policy="true"),
        kind,
    )
    assert (changed.status_code, changed.json()["first_name"]) == (200, "Ælla")
    target = ("POST", path_of(user, "change_password/"), person)
    assert hand_in(target, body(kind, new_password=PASSWORD), kind).status_code == 200
    data = body(kind, username=username, password=PASSWORD)
    signed_in = hand_in(("POST", LOGIN, service.nobody), data, kind)
    assert signed_in.json() == {"token": service.token_of(user)}


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        'application/json; charset="utf-8"',
        "application/json; charset=utf8; x=y",
        "APPLICATION/JSON",
        "Application/Json ; q=1",
    ],
)
def test_ways_to_write_json(person, content_type):
    answer = hand_in(("PATCH", path_of(person.user), person), b'{"last_name": "J"}', content_type)
    assert (answer.status_code, answer.json()["last_name"]) == (200, "J")


UNSUPPORTED = [
    (None, ""),
    ("", ""),
    ("text/plain", None),
    ("text/json", None),
    ("application/jsonx", None),
    ("application/x-json", None),
    ("application", None),
    ("json", None),
    ("application/json, text/plain", None),
    ("application/json; charset=iso-8859-1", None),
    ("application/json; charset=utf-16", None),
    ("application/x-www-form-urlencoded; charset=latin1", None),
    ("multipart/mixed; boundary=X", None),
    ("application/xml", None),
    ('a"b\\c', None),
    ("x/" + "y" * 1000, None),
    (b"application/\xff", ""),
    ("application/é".encode(), "application/é"),
]


def test_unsupported_media_types(person, nothing_changes):
    for content_type, shown in UNSUPPORTED:
        if shown is None:
            shown = content_type
        for target in targets(person):
            answer = hand_in(target, b'{"first_name": "x"}', content_type)
            assert status_and_json(answer) == (
                415,
                {"detail": f'Unsupported media type "{shown}" in request.'},
            )


# --- no body


@pytest.mark.parametrize("content_type", [None, *KINDS, "text/plain", "x"])
@pytest.mark.parametrize("length", [(), (("Content-Length", "0"),)])
def test_no_body_is_an_empty_one(service, person, content_type, length):
    headers = [("Connection", "close"), *length]
    if content_type is not None:
        headers.append(("Content-Type", content_type))

    def ask(target):
        method, path, client = target
        return exchange(service, request_bytes(method, path, headers, token=client.token))

    create, patch, put, login, password = targets(person)
    before = person.get(path_of(person.user)).json()
    assert status_and_json(ask(create)) == (400, {"username": REQUIRED, "email": REQUIRED})
    assert status_and_json(ask(login)) == (400, {"username": REQUIRED, "password": REQUIRED})
    assert status_and_json(ask(password)) == (400, {"new_password": REQUIRED})
    for target in (patch, put):
        answer = ask(target)
        assert answer.status_code == 200
    after = person.get(path_of(person.user)).json()
    assert {**before, "token_expires_at": 0} == {**after, "token_expires_at": 0}
    assert ask(("GET", ME, person)).status_code == 200


def test_bodies_that_nobody_asked_for(service, person):
    """GET, HEAD, OPTIONS and DELETE with a body: it is left alone, whatever it is."""
    for data in (b"{", b"x" * 70_000, b"\xff" * 2_000_000):
        with Connection(service) as connection:
            for method, path, status in (
                ("GET", ME, 200),
                ("HEAD", ME, 200),
                ("OPTIONS", USERS, 200),
                ("GET", ME, 200),
                ("GET", "/api/none/", 404),
                ("PUT", USERS, 405),
                ("GET", ME, 200),
            ):
                headers = [("Content-Type", JSON)]
                connection.send(request_bytes(method, path, headers, data, person.token))
                assert connection.answer(method).status_code == status
        user = service.create()
        assert person.delete(path_of(user), data=data).status_code == 204


# --- how it arrives


def chunks(*parts):
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in parts) + b"0\r\n\r\n"


@pytest.mark.parametrize("kind", KINDS)
def test_chunked_bodies(person, kind):
    target = ("PATCH", path_of(person.user), person)
    whole = body(kind, last_name="Chunked")
    for size in (1, 7, len(whole)):
        pieces = (whole[i : i + size] for i in range(0, len(whole), size))
        answer = hand_in(target, pieces, kind)
        assert (answer.status_code, answer.json()["last_name"]) == (200, "Chunked")


def test_chunked_bodies_with_faults(service, person, nothing_changes):
    target = ("PATCH", path_of(person.user), person)
    assert status_and_json(hand_in(target, iter([b'{"last_name"', b': "x"']), JSON)) == (
        400,
        {"detail": "JSON parse error - unexpected end of input at byte 17"},
    )
    assert status_and_json(hand_in(target, iter([b"x" * 65536] * 17), JSON)) == (
        413,
        too_large(JSON),
    )

    def ask(data):
        headers = [
            ("Content-Type", JSON),
            ("Transfer-Encoding", "chunked"),
            ("Connection", "close"),
        ]
        return exchange(service, request_bytes("PATCH", target[1], headers, data, person.token))

    for data in (b"zz\r\n\r\n", b"-1\r\n\r\n0\r\n\r\n", b"2\r\n{}x\r\n0\r\n\r\n"):
        answer = ask(data)
        assert answer.status_code == 400 and list(answer.json()) == ["detail"]
    # More than nginx takes, announced and not even sent.
    answer = ask(b"7fffffff\r\n{}")
    assert status_and_json(answer) == (413, TOO_LARGE_FOR_NGINX)
    # An empty one is no body.
    assert ask(b"0\r\n\r\n").status_code == 200


def test_an_upload_that_breaks_off(service, person, nothing_changes):
    """Nobody is there to be answered, and nobody waits for the rest."""
    path = path_of(person.user)
    for kind in KINDS:
        whole = body(kind, last_name="x" * 50)
        for sent in (whole[:-1], whole[:10], b""):
            headers = [("Content-Type", kind), ("Content-Length", str(len(whole)))]
            with Connection(service) as connection:
                connection.send(request_bytes("PATCH", path, headers, sent, person.token))
                connection.send_end()
                assert connection.rest() == b""
    headers = [("Content-Type", JSON), ("Transfer-Encoding", "chunked")]
    with Connection(service) as connection:
        connection.send(request_bytes("PATCH", path, headers, b"2\r\n{}\r\n", person.token))
        connection.send_end()
        assert connection.rest() == b""


def test_a_client_that_waits_for_100_continue(service, person):
    headers = [("Content-Type", JSON), ("Content-Length", "22"), ("Expect", "100-continue")]
    with Connection(service) as connection:
        connection.send(request_bytes("PATCH", path_of(person.user), headers, token=person.token))
        assert connection.stream.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert connection.stream.readline() == b"\r\n"
        connection.send(b'{"last_name": "Waits"}')
        assert connection.answer().json()["last_name"] == "Waits"


# --- size


def padded(kind, size, **fields):
    """A good body of exactly this size."""
    if kind == JSON:
        return body(kind, **fields).ljust(size)
    room = size - len(body(kind, **fields, padding=""))
    return body(kind, **fields, padding="x" * room)


@pytest.mark.parametrize("kind", KINDS)
def test_the_longest_body(service, person, kind):
    data = padded(kind, LIMITS[kind], last_name="Long")
    assert len(data) == LIMITS[kind]
    answer = hand_in(("PATCH", path_of(person.user), person), data, kind)
    assert (answer.status_code, answer.json()["last_name"]) == (200, "Long")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1, 4 * LIMIT, NGINX_LIMIT])
def test_a_longer_one(person, nothing_changes, kind, size):
    size = max(size, LIMITS[kind] + 1)
    for target in targets(person):
        answer = hand_in(target, padded(kind, size, last_name="x"), kind)
        assert status_and_json(answer) == (413, too_large(kind))


def test_more_than_nginx_takes(service, person, nothing_changes):
    for method, path, client in targets(person):
        headers = [("Content-Type", JSON), ("Content-Length", str(NGINX_LIMIT + 1))]
        answer = exchange(service, request_bytes(method, path, headers, b"{", client.token))
        assert status_and_json(answer) == (413, TOO_LARGE_FOR_NGINX)
        assert answer.headers["Content-Type"] == JSON
        assert answer.headers["X-Request-ID"]


def test_who_may_not_is_told_that_first(service, person, support, nothing_changes):
    data = b"x" * (LIMIT + 1)
    for client, method, path, status, message in (
        (service.nobody, "POST", USERS, 401, NO_CREDENTIALS),
        (service.nobody, "PATCH", path_of(person.user), 401, NO_CREDENTIALS),
        (support, "POST", USERS, 403, FORBIDDEN),
        (support, "PATCH", path_of(person.user), 403, FORBIDDEN),
        (person, "PATCH", USERS, 405, {"detail": 'Method "PATCH" not allowed.'}),
        (person, "POST", "/api/none/", 404, {"detail": "Not found."}),
    ):
        for content_type in (JSON, "text/plain"):
            assert status_and_json(hand_in((method, path, client), data, content_type)) == (
                status,
                message,
            )


@pytest.mark.parametrize(
    "data",
    [
        b'{"last_name": "Deep", "x":' + b"[" * 31 + b"]" * 31 + b"}",
        b'{"last_name": "Deep", "x":[' + b",".join([b"1"] * 997) + b"]}",
    ],
    ids=["deep", "many"],
)
def test_as_deep_and_as_many_as_may_be(person, data):
    answer = hand_in(("PATCH", path_of(person.user), person), data, JSON)
    assert (answer.status_code, answer.json()["last_name"]) == (200, "Deep")


# --- 406


@pytest.mark.parametrize(
    "accept",
    [
        None,
        "",
        "*/*",
        "application/json",
        "APPLICATION/JSON",
        "application/*",
        "application/json;q=0.1",
        "application/json; indent=4; q=1.0",
        "text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8",
        "text/plain, application/json",
        "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
        "application/json, */*;q=0",
        "*/*;q=0, application/json",
        "application/problem+json, application/json",
    ],
)
def test_answers_that_are_acceptable(person, accept):
    headers = {"Accept": accept}
    assert person.get(ME, headers=headers).status_code == 200
    assert person.head(ME, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "application/xml",
        "application/jsonx",
        "text/*",
        "*/*;q=0",
        "application/json;q=0",
        "application/json;q=0.0, text/plain",
        "*/*, application/json;q=0",
        "nonsense",
    ],
)
def test_answers_that_are_not(person, nothing_changes, accept):
    for method, path, client in (("GET", ME, person), *targets(person)):
        answer = client.request(method, path, headers={"Accept": accept})
        assert status_and_json(answer) == (
            406,
            {"detail": "Could not satisfy the request Accept header."},
        )
