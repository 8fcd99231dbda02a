"""rosterctl user import and export: accounts from and to files, whole or not at all."""

import csv
import hashlib
import base64
import contextlib
import io
import json
import os
import pty
import re
import resource
import signal
import subprocess
import uuid
import warnings

import pytest

from people import people
from service import BUILD, Client, eventually, rest_of, unique
from users import STAMP

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import crypt

COLUMNS = """
    uuid username slug native_name job_title email phone_number organization civil_number description
    is_staff is_active is_support token_lifetime registration_method date_joined agreement_date
    notifications_enabled preferred_language affiliations first_name last_name birth_date
    identity_source password
""".split()


def json_lines(objects):
    return "".join(json.dumps(o, ensure_ascii=False) + "\n" for o in objects)


def csv_table(objects):
    """CSV with the keys of the first object as its header."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(objects[0]), lineterminator="\n")
    writer.writeheader()
    for o in objects:
        writer.writerow({k: "" if v is None else str(v).lower() if isinstance(v, bool) else v for k, v in o.items()})
    return out.getvalue()


# Version 7 (RFC 9562).
UUID_IN_ORDER = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

FORMATS = {"csv": csv_table, "jsonl": json_lines}


def new(prefix="i", **fields):
    name = unique(prefix)
    return {"username": name, "email": f"{name}@example.org", **fields}


def run(service, *words, stdin="", check=True):
    return service.rosterctl("user", *words, stdin=stdin, check=check)


def counts(done):
    return json.loads(done.stdout)


def imported(service, text, *words):
    """What an import of a text from standard input says."""
    return counts(run(service, "import", "-", "--json", *words, stdin=text))


def users_of(service, objects):
    """The accounts as staff sees them, by username; those that are there."""
    found = [service.staff.get(f"/api/users/?username={o['username']}").json() for o in objects]
    return {user["username"]: user for page in found for user in page}


def count_users(service):
    return service.sql("SELECT COUNT(*) FROM users")[0][0]


def pbkdf2(password, iterations=1000, salt="seasalt"):
    made = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), iterations)
    return f"pbkdf2_sha256${iterations}${salt}${base64.b64encode(made).decode()}"


def sign_in(service, username, password):
    return service.nobody.post("/api-auth/password/", json={"username": username, "password": password})


# --- good files ------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
def test_names_of_many_scripts_arrive_as_they_were_sent(service, form):
    tag = unique("import")
    crowd = [{**p, "username": f"{p['username']}.{tag}"} for p in people(700, tag)]
    assert imported(service, FORMATS[form](crowd)) == {"imported": 700, "present": 0, "refused": 0}
    seen = {}
    for page in (1, 2, 3):
        answer = service.staff.get(f"/api/users/?organization={tag}&page_size=300&page={page}")
        seen.update({user["username"]: user for user in answer.json()})
    assert len(seen) == 700
    for person in crowd:
        user = seen[person["username"]]
        assert {key: user[key] for key in person} == person


def test_an_account_is_what_the_api_would_have_made(service):
    """Slug, token, audit event and defaults are those of POST /api/users/."""
    fields = {"first_name": "Ada", "last_name": "Lovelace", "organization": "Analytical Engines"}
    one, other = new("adalovelace", **fields), new("adalovelace", **fields)
    service.rosterctl("user", "import", "-", stdin=json_lines([one]))
    by_import = users_of(service, [one])[one["username"]]
    by_api = service.staff.post("/api/users/", json=other).json()
    own = {"url", "uuid", "username", "slug", "email", "date_joined", "token_expires_at"}
    assert {k: v for k, v in by_import.items() if k not in own} == {k: v for k, v in by_api.items() if k not in own}
    assert by_import["slug"].rpartition("-")[0] == by_api["slug"].rpartition("-")[0]
    assert UUID_IN_ORDER.fullmatch(by_import["uuid"]) and STAMP.fullmatch(by_import["date_joined"])
    token = service.rosterctl("user", "token", one["username"]).stdout.strip()
    me = Client(service, token).get("/api/users/me/").json()
    assert me["username"] == one["username"] and me["token"] == token

    events = [service.staff.get(f"/api/events/?subject_uuid={u['uuid']}").json() for u in (by_import, by_api)]
    assert [len(e) for e in events] == [1, 1]
    (event,), (api_event,) = events
    assert event["event_type"] == api_event["event_type"] == "user_creation_succeeded"
    assert (event["actor_username"], event["actor_uuid"], event["ip_address"]) == ("rosterctl", None, None)
    assert event["subject_type"] == "user" and len(event["request_id"]) == 32
    assert event["changes"].keys() == api_event["changes"].keys()
    assert event["changes"]["email"] == [None, one["email"]]


@pytest.mark.parametrize("form", FORMATS)
def test_uuids_go_up_from_line_to_line(service, form):
    """Of the accounts and of their events, so that all go to the end of an index; those that a file brings stay."""
    crowd = [new() for _ in range(1100)]
    own = str(uuid.uuid4())
    crowd.append({**new(), "uuid": own})
    cells = [{key: one.get(key, "") for key in crowd[-1]} for one in crowd]
    imported(service, FORMATS[form](cells if form == "csv" else crowd))
    rows = service.sql(
        "SELECT u.username, u.uuid, e.uuid FROM users u JOIN audit_events e ON e.subject_uuid = u.uuid"
        " WHERE u.username IN %s", [one["username"] for one in crowd],
    )
    uuids = {name: [str(uuid.UUID(bytes=bytes)) for bytes in both] for name, *both in rows}
    made = [uuids[one["username"]] for one in crowd]
    assert made.pop()[0] == own
    for column in zip(*made):
        assert list(column) == sorted({*column}) and all(map(UUID_IN_ORDER.fullmatch, column))


def test_slugs_go_on_where_others_have_stopped(service):
    stem = unique("s").replace("-", "")[:8]
    service.create(f"{stem}.x", slug=f"{stem}-41")
    crowd = [new() for _ in range(4)]
    for i, account in enumerate(crowd):
        account["username"] = f"{stem}{i}x"
    crowd[2]["slug"] = f"{stem}-43"
    service.rosterctl("user", "import", "-", stdin=json_lines(crowd))
    slugs = {name: user["slug"] for name, user in users_of(service, crowd).items()}
    assert slugs == {
        f"{stem}0x": f"{stem}-44",
        f"{stem}1x": f"{stem}-45",
        f"{stem}2x": f"{stem}-43",
        f"{stem}3x": f"{stem}-46",
    }


@pytest.mark.parametrize("number", ["9" * 9, "9" * 18, str(2**63 - 1)])
@pytest.mark.parametrize("where", ["database", "file"])
def test_slugs_after_a_large_number(service, number, where):
    """One that is too large to be counted, or the last of those that are; there before, or in the file itself."""
    stem = unique("s").replace("-", "")[:8]
    crowd = [new() for _ in range(4)]
    for i, account in enumerate(crowd):
        account["username"] = f"{stem}{i}x"
    if where == "database":
        service.create(f"{stem}.x", slug=f"{stem}-{number}")
    else:
        crowd[0]["slug"] = f"{stem}-{number}"
    service.rosterctl("user", "import", "-", stdin=json_lines(crowd[:2]))
    service.rosterctl("user", "import", "-", stdin=json_lines(crowd[2:]))
    slugs = [user["slug"] for user in users_of(service, crowd).values() if user["slug"] != f"{stem}-{number}"]
    if len(number) > 9:
        assert sorted(slugs) == [f"{stem}-{i + 1}" for i in range(len(slugs))]
    else:
        assert len({*slugs}) == len(slugs) and all(re.fullmatch(rf"{stem}-[0-9]{{10,18}}", slug) for slug in slugs)


def test_line_ends_blank_lines_and_a_byte_order_mark(service):
    one, two = new(), new()
    lines = ["\ufeffusername,email", "", f"{one['username']},{one['email']}", " \t",
             f"{two['username']},{two['email']}", "", " "]
    assert imported(service, "\r\n".join(lines))["imported"] == 2
    assert users_of(service, [one, two]).keys() == {one["username"], two["username"]}


def test_a_column_order_of_the_files_own_and_a_cell_of_several_lines(service):
    account = new(description='first "line"\nand, second')
    account = dict(reversed(account.items()))
    assert imported(service, csv_table([account]))["imported"] == 1
    assert users_of(service, [account])[account["username"]]["description"] == account["description"]


def test_fields_that_only_an_import_brings(service):
    account = new(
        uuid="0b0e4f1a-7a3c-4c0d-9a55-" + unique("").removeprefix("-"),
        civil_number=unique("38001010"),
        registration_method="eduteams",
        identity_source="example-idp",
        affiliations=["staff@example.org", "Jõgi & Co"],
        date_joined="2019-03-31T02:03:04.000005Z",
        agreement_date="2019-04-01T00:00:00Z",
        token_lifetime=None,
    )
    assert imported(service, json_lines([account]))["imported"] == 1
    user = users_of(service, [account])[account["username"]]
    mine = {key: account[key] for key in account if key != "token_lifetime"}
    assert {key: user[key] for key in mine} == mine
    assert service.sql("SELECT token_lifetime FROM users WHERE username = %s", account["username"]) == ((None,),)


# --- passwords -------------------------------------------------------------------------------

PASSWORD = "correct horse bättery staple"

HASHES = {
    "django pbkdf2": pbkdf2(PASSWORD),
    "bcrypt": crypt.crypt(PASSWORD, "$2b$05$abcdefghijklmnopqrstuu"),
    "django bcrypt": "bcrypt$" + crypt.crypt(PASSWORD, "$2b$05$abcdefghijklmnopqrstuu"),
    "django bcrypt_sha256": "bcrypt_sha256$"
    + crypt.crypt(hashlib.sha256(PASSWORD.encode()).hexdigest(), "$2b$05$abcdefghijklmnopqrstuu"),
}


@pytest.mark.parametrize("kind", HASHES)
def test_a_foreign_hash_lets_in_and_becomes_ours(service, kind):
    account = new(password=HASHES[kind])
    assert imported(service, json_lines([account]))["imported"] == 1

    def stored():
        return service.sql("SELECT password FROM users WHERE username = %s", account["username"])[0][0]

    assert stored() == HASHES[kind]
    assert sign_in(service, account["username"], PASSWORD + "!").status_code == 401
    assert stored() == HASHES[kind]
    assert sign_in(service, account["username"], PASSWORD).status_code == 200
    ours = stored()
    assert ours.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert sign_in(service, account["username"], PASSWORD).status_code == 200
    assert stored() == ours


def test_djangos_argon2_lets_in_and_becomes_ours(service):
    """Of a hash of our own, as Django would write it."""
    account = new()
    service.rosterctl("user", "create", account["username"], "--email", account["email"], "--password-file", "-",
                      stdin=PASSWORD + "\n")
    ours = service.sql("SELECT password FROM users WHERE username = %s", account["username"])[0][0]
    moved = new(password="argon2" + ours)
    assert imported(service, json_lines([moved]))["imported"] == 1
    assert sign_in(service, moved["username"], PASSWORD).status_code == 200
    kept = service.sql("SELECT password FROM users WHERE username = %s", moved["username"])[0][0]
    assert kept.startswith("$argon2id$") and kept != ours


@pytest.mark.parametrize(
    "password",
    [
        "plain text",
        pbkdf2(PASSWORD, iterations=1).replace("$1$", "$4000001$"),
        "$2b$31$" + "a" * 53,
        "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$SSVcNAoOUC0jCWQnMw4XYBPkf9ClYTuO",
        "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO",
        "pbkdf2_sha256$1000$salt",
        "x" * 300,
    ],
)
def test_a_hash_that_is_none_or_costs_too_much_is_refused(service, password):
    done = run(service, "import", "-", stdin=json_lines([new(password=password)]), check=False)
    assert done.returncode == 1
    assert "standard input:1: password: Not a hash of a known kind (argon2, pbkdf2_sha256, bcrypt)" in done.stderr
    assert password not in done.stderr


# --- bad files -------------------------------------------------------------------------------

BAD_CSV = [
    ("Bad Name,{0}@example.org", "username: Enter a valid username."),
    ("{0},nobody", "email: Enter a valid email address."),
    ("{0},", "email: This field may not be blank."),
    ("{0}", "1 cells where the header has 2"),
    ("{0},a@example.org,x", "3 cells where the header has 2"),
    ('{0},"a"@example.org', "there is something between a closing quote and the comma"),
    ('{0},a"@example.org', "a quote is in the middle of a cell that does not begin with one"),
    ("{0},a@example.org\x00", "email: Null characters are not allowed."),
    ("staff,a@example.org", "username: user with this username already exists."),
]


@pytest.mark.parametrize("line, message", BAD_CSV)
def test_a_bad_line_is_named_and_nothing_is_imported(service, tmp_path, line, message):
    good = [new(), new()]
    file = tmp_path / "people.csv"
    lines = [line.format(unique()) if o is None else f"{o['username']},{o['email']}" for o in (good[0], None, good[1])]
    file.write_text("\n".join(["username,email", *lines]) + "\n")
    done = run(service, "import", file, check=False)
    assert (done.returncode, done.stdout) == (1, "Imported: 0; there already: 0; refused: 1.\n")
    assert done.stderr.splitlines()[0] == f"{file}:3: {message}"
    assert not users_of(service, good)

    done = run(service, "import", file, "--skip-errors", check=False)
    assert (done.returncode, done.stdout) == (4, "Imported: 2; there already: 0; refused: 1.\n")
    assert users_of(service, good).keys() == {o["username"] for o in good}


BAD_JSON = [
    ("{", "unexpected end of input at byte 1"),
    ("[]", "not a JSON object"),
    ("7", "not a JSON object"),
    ('{"username":"a","username":"b"}', 'duplicate key "username" at byte 16'),
    ('{"username":"x","email":"x@example.org","nickname":"y"}', "nickname: There is no such field to import."),
    ('{"username":"x","email":"x@example.org","full_name":"y"}', "full_name: There is no such field to import."),
    ('{"username":"x"}', "email: This field is required."),
    ('{"username":"x","email":"","registration_method":"default"}', "email: This field may not be blank."),
    ('{"username":"x","email":"x@example.org","token_lifetime":1}',
     "token_lifetime: Ensure this value is greater than or equal to 60."),
    ('{"username":"x","email":"x@example.org","uuid":"1"}', "uuid: Must be a valid UUID."),
    ('{"username":"x","email":"x@example.org","affiliations":"x"}',
     "affiliations: Expected a list of at most 100 texts of 1 to 500 characters."),
    ('{"username":"x","email":"x@example.org","affiliations":[1]}',
     "affiliations: Expected a list of at most 100 texts of 1 to 500 characters."),
    ('{"username":"x","email":"x@example.org","is_staff":null}', "is_staff: This field may not be null."),
    ('{"username":"x","email":"x@example.org","date_joined":"yesterday"}',
     "date_joined: Datetime has wrong format. Use one of these formats instead: "
     "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."),
]


@pytest.mark.parametrize("line, message", BAD_JSON)
def test_a_bad_object_is_named(service, line, message):
    good = [new(), new()]
    text = json_lines(good[:1]) + line + "\n" + json_lines(good[1:])
    done = run(service, "import", "-", stdin=text, check=False)
    assert done.returncode == 1
    assert f"standard input:2: {message}" in done.stderr.splitlines()
    assert not users_of(service, good)


def test_all_that_is_wrong_is_said_at_once(service):
    text = json_lines([{"username": "Ü", "email": "x", "phone_number": "x"}, {"email": "a@example.org"}])
    done = run(service, "import", "-", stdin=text, check=False)
    assert done.stderr.splitlines() == [
        "standard input:1: username: Enter a valid username.",
        "standard input:1: email: Enter a valid email address.",
        "standard input:1: phone_number: Invalid phone number format.",
        "standard input:2: username: This field is required.",
        "rosterctl: nothing was imported",
    ]
    done = run(service, "import", "-", stdin=text + json_lines([new()]), check=False)
    assert done.stderr.splitlines()[-1] == "rosterctl: nothing was imported; --skip-errors imports the rest"


@pytest.mark.parametrize(
    "header, messages",
    [
        ("username,mail", ["mail: There is no such field to import."]),
        ("username,email,username", ["username: This column is there twice."]),
        ("username,email,image,token", [
            "image: There is no such field to import.", "token: There is no such field to import."]),
        ("username,e\x1b[2J\x00\u009bä,\x7f", [
            r"e\x1b[2J\x00\xc2\x9bä: There is no such field to import.",
            r"\x7f: There is no such field to import."]),
        ('username,"email', ["a quote is not closed"]),
        ("username,email,", ["A column has no name."]),
        ("username;email", ["username;email: There is no such field to import; commas go between columns."]),
        ("username\temail", [
            r"username\x09email: There is no such field to import; commas go between columns."]),
        ("", ["the file is empty"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("words", [[], ["--skip-errors"], ["--dry-run"]])
def test_a_bad_header(service, header, messages, words):
    text = header + "\nx,x@example.org,y,z\n" if header else ""
    done = run(service, "import", "-", "--json", *words, stdin=text, check=False)
    assert done.returncode == 1
    assert counts(done) == {"imported": 0, "present": 0, "refused": 0}
    assert done.stderr.splitlines() == [
        *(f"standard input:1: {message}" for message in messages),
        f"rosterctl: nothing {'would be' if '--dry-run' in words else 'was'} imported",
    ]


@pytest.mark.parametrize("form", FORMATS)
def test_passwords_that_django_made_unusable_are_none(service, form):
    crowd = [new(password=password) for password in ("!", "!" + "kqXaPkWd" * 5, "")]
    assert imported(service, FORMATS[form](crowd))["imported"] == 3
    names = [one["username"] for one in crowd]
    assert service.sql("SELECT DISTINCT password FROM users WHERE username IN %s", names) == (("",),)
    assert sign_in(service, names[0], "!").status_code == 401


def import_bytes(service, tmp_path, data, *words):
    file = tmp_path / "file"
    file.write_bytes(data)
    return run(service, "import", file, *words, check=False)


@pytest.mark.parametrize(
    "broken, byte",
    [(b"\xff\xfe", 1), (b"ab\xc3(", 3), (b"\xed\xa0\x80", 1), (b"\xf4\x90\x80\x80", 1), (b"\xc0\x80", 1)],
)
def test_broken_encoding_is_named(service, tmp_path, broken, byte):
    good = new()
    data = b"username,email\n" + broken + b",a@example.org\n" + f"{good['username']},{good['email']}\n".encode()
    done = import_bytes(service, tmp_path, data)
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == f"{tmp_path}/file:2: byte {byte} of the record is not valid UTF-8"
    assert import_bytes(service, tmp_path, data, "--skip-errors").returncode == 4
    assert good["username"] in users_of(service, [good])


def test_a_header_in_another_encoding(service, tmp_path):
    done = import_bytes(service, tmp_path, "username,email\nä,b\n".encode("utf-16"))
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == f"{tmp_path}/file:1: byte 1 of the record is not valid UTF-8"


def test_a_record_longer_than_memory(service, tmp_path):
    done = import_bytes(service, tmp_path, b'username,email\n"' + b"x" * (2 << 20) + b'",a\n', "--skip-errors")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == f"{tmp_path}/file:2: the record is longer than 1 MiB"


def test_duplicates_within_the_file(service):
    one = new(slug=unique("s"), civil_number=unique("n"), uuid="5f0e4f1a-7a3c-4c0d-9a55-" + unique("").removeprefix("-"))
    twin = {**one, "email": "other@example.org"}
    done = run(service, "import", "-", stdin=json_lines([one, new(), twin]), check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[:-1] == [
        f"standard input:3: {field}: Line 1 has the same value."
        for field in ("uuid", "username", "slug", "civil_number")
    ]
    assert not users_of(service, [one])


def test_duplicates_of_what_is_there(service):
    taken = service.create(slug=unique("s"))
    crowd = [new() for _ in range(1200)]
    crowd[3]["slug"], crowd[700]["uuid"], crowd[1100]["username"] = taken["slug"], taken["uuid"], taken["username"]
    expected = [
        "standard input:4: slug: An object with this slug already exists.",
        "standard input:701: uuid: user with this uuid already exists.",
        "standard input:1101: username: user with this username already exists.",
    ]
    before = count_users(service)
    for words in ([], ["--dry-run"]):
        done = run(service, "import", "-", *words, stdin=json_lines(crowd), check=False)
        assert done.returncode == 1
        assert [line for line in done.stderr.splitlines() if line.startswith("standard")] == expected
    done = run(service, "import", "-", "--skip-errors", stdin=json_lines(crowd), check=False)
    assert done.stderr.splitlines() == expected
    assert (done.returncode, done.stdout) == (4, "Imported: 1197; there already: 0; refused: 3.\n")
    assert count_users(service) >= before + 1197


def test_a_dry_run_changes_nothing(service):
    crowd = [new() for _ in range(10)]
    assert imported(service, json_lines(crowd), "--dry-run") == {"imported": 10, "present": 0, "refused": 0}
    assert not users_of(service, crowd)


def test_a_dry_run_says_what_would_be_done(service):
    text = json_lines([new(), new(email="x"), new()])
    done = run(service, "import", "-", "--dry-run", stdin=text, check=False)
    assert (done.returncode, done.stdout) == (1, "Would be imported: 0; there already: 0; refused: 1.\n")
    assert done.stderr.splitlines() == [
        "standard input:2: email: Enter a valid email address.",
        "rosterctl: nothing would be imported; --skip-errors imports the rest",
    ]
    done = run(service, "import", "-", "--dry-run", "--skip-errors", stdin=text, check=False)
    assert (done.returncode, done.stdout) == (4, "Would be imported: 2; there already: 0; refused: 1.\n")
    assert done.stderr == "standard input:2: email: Enter a valid email address.\n"


@pytest.mark.parametrize(
    "path, message",
    [("nothere", "cannot open: No such file or directory"), ("/tmp", "not a regular file; - reads standard input")],
)
def test_a_file_that_cannot_be_read(service, path, message):
    done = run(service, "import", path, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"rosterctl: {path}: {message}\n"


# --- going on --------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [[], ["--skip-errors"]])
def test_the_same_import_once_more_finds_its_accounts(service, words):
    crowd = [new() for _ in range(600)]
    text = json_lines(crowd)
    assert imported(service, text, *words) == {"imported": 600, "present": 0, "refused": 0}
    assert imported(service, text, *words) == {"imported": 0, "present": 600, "refused": 0}
    # Somebody else's of that name is a duplicate, as ever.
    done = run(service, "import", "-", stdin=json_lines(crowd[:1]), check=False)
    assert "standard input:1: username: user with this username already exists." in done.stderr


@contextlib.contextmanager
def importing(service, file, *words, until):
    """An import that has come as far as this account, and waits in the database while the block lasts."""
    command = [BUILD / "rosterctl", "--config", service.state / "roster.conf", "user", "import", *words, file]
    with contextlib.closing(service.connect()) as connection:
        # Whether the name is taken is told when this transaction ends.
        connection.cursor().execute(
            "INSERT INTO users (uuid, username, slug, email, date_joined, modified)"
            " VALUES (RANDOM_BYTES(16), %s, %s, '', NOW(6), NOW(6))", (until["username"], unique("held")))
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        eventually(lambda: service.lock_waits() == 1, what="the import's waiting")
        yield process
        connection.rollback()


def test_an_import_that_was_killed_goes_on(service, tmp_path):
    """All that was committed stays, and the next run adds what is missing."""
    crowd = [new("k") for _ in range(8000)]
    file = tmp_path / "crowd.jsonl"
    file.write_text(json_lines(crowd))

    def there():
        first, last = crowd[0]["username"], crowd[-1]["username"]
        return [len(users_of(service, [{"username": name}])) for name in (first, last)]

    with importing(service, file, "--skip-errors", until=crowd[4000]) as process:
        process.kill()
        process.communicate()
    assert there() == [1, 0]
    again = counts(run(service, "import", file, "--skip-errors", "--json"))
    assert again["imported"] + again["present"] == 8000 and again["refused"] == 0
    assert again["present"] >= 500 and again["present"] % 500 == 0
    assert there() == [1, 1]
    rows = service.sql("SELECT COUNT(*), COUNT(t.id) FROM users u LEFT JOIN tokens t ON t.user_id = u.id"
                       " WHERE u.username LIKE 'k-%%'")
    assert rows[0][0] == rows[0][1]


def test_killed_without_skip_errors_nothing_is_there(service, tmp_path):
    crowd = [new("w") for _ in range(8000)]
    file = tmp_path / "crowd.jsonl"
    file.write_text(json_lines(crowd))
    with importing(service, file, until=crowd[-1]) as process:
        process.kill()
        process.communicate()
    assert not users_of(service, crowd[:1] + crowd[-1:])


def test_a_lost_connection_costs_another_try_only(service, tmp_path):
    crowd = [new("l") for _ in range(8000)]
    file = tmp_path / "crowd.jsonl"
    file.write_text(json_lines(crowd))
    writing = "SELECT id FROM information_schema.processlist WHERE info LIKE 'INSERT INTO users %% RETURNING id'"
    with importing(service, file, "--json", until=crowd[-1]) as process:
        ((thread,),) = service.sql(writing)
        service.sql(f"KILL {thread}")
    stdout, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert json.loads(stdout) == {"imported": 8000, "present": 0, "refused": 0}


@pytest.mark.parametrize("words, ending", [
    ([], "nothing was imported"),
    (["--skip-errors"], "the same import goes on where this one has ended"),
])  # fmt: skip
def test_a_full_disk_of_the_database(daemon, tmp_path, words, ending):
    one = daemon()
    crowd = [new() for _ in range(1500)]
    file = tmp_path / "crowd.jsonl"
    file.write_text(json_lines(crowd))
    one.sql("CREATE TRIGGER full BEFORE INSERT ON users FOR EACH ROW IF (SELECT COUNT(*) FROM users) > 700 THEN"
            " SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1114; END IF")
    done = run(one, "import", file, *words, check=False)
    assert (done.returncode, done.stderr) == (
        1,
        "rosterctl: statement user: the server's disk is full (1114, HY000)\n"
        f"rosterctl: the database failed; {ending}\n",
    )
    assert (count_users(one) > 1) == bool(words)
    one.sql("DROP TRIGGER full")
    assert sum(counts(run(one, "import", file, "--json", *words)).values()) == 1500
    assert count_users(one) == 1501


# --- the terminal ----------------------------------------------------------------------------


def on_a_terminal(command):
    """What the command writes to a terminal that is its standard error, and its status."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    return rest_of(ours).decode(), process.wait()


def test_a_bar_on_a_terminal_only(service, tmp_path):
    file = tmp_path / "crowd.jsonl"
    file.write_text(json_lines([new() for _ in range(3000)]))
    command = [BUILD / "rosterctl", "--config", service.state / "roster.conf", "user", "import", file]
    said, status = on_a_terminal(command)
    assert status == 0
    assert "\r[####" in said and "accounts, " in said and said.endswith("\r\x1b[K")
    assert run(service, "import", file).stderr == ""


# --- export ----------------------------------------------------------------------------------


def export(service, *words):
    done = run(service, "export", *words)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("form", FORMATS)
def test_importing_an_export_is_the_identity(own_service, form):
    one = own_service()
    crowd = people(1500, unique("x"))
    assert imported(one, json_lines(crowd))["imported"] == 1500
    one.sql("UPDATE users SET civil_number = CONCAT('c', id), affiliations = '[\"a\",\"ü\"]',"
            " agreement_date = NOW(6), token_lifetime = IF(id %% 2, NULL, 7200) WHERE id %% 3 = 0")
    one.sql("UPDATE users SET password = %s WHERE id %% 5 = 0", pbkdf2("x"))
    # As an identity provider may make them.
    one.sql("UPDATE users SET registration_method = 'eduteams', email = '', affiliations = JSON_ARRAY(REPEAT('ä', 500))"
            " WHERE id %% 7 = 0")
    whole = export(one, "--format", form)
    # Without the account that every instance has.
    *header, _staff, rest = whole.split("\n", 2 if form == "csv" else 1)
    text = "\n".join([*header, rest])

    other = own_service()
    assert imported(other, text) == {"imported": 1500, "present": 0, "refused": 0}
    again = export(other, "--format", form)
    assert again.split("\n", 2 if form == "csv" else 1)[-1] == rest


def test_what_an_export_has(service):
    user = service.create(first_name="Ada", description='a "b"\nc')
    table = list(csv.DictReader(io.StringIO(export(service, "--format", "csv"))))
    assert list(table[0]) == COLUMNS
    (row,) = [row for row in table if row["username"] == user["username"]]
    (line,) = [json.loads(x) for x in export(service).splitlines() if f'"{user["username"]}"' in x]
    assert list(line) == COLUMNS
    assert {key: line[key] for key in COLUMNS if key in user and key != "token_lifetime"} == {
        key: user[key] for key in COLUMNS if key in user and key != "token_lifetime"
    }
    assert (row["first_name"], row["description"], row["is_active"]) == ("Ada", 'a "b"\nc', "true")
    assert (row["civil_number"], row["affiliations"], row["password"]) == ("", "[]", "")


def test_without_passwords(service):
    text = export(service, "--without-passwords")
    assert "argon2id" not in text and "password" not in json.loads(text.splitlines()[0])


def test_a_file_appears_when_it_is_whole(service, tmp_path):
    file = tmp_path / "people.jsonl"
    file.write_text("old")
    assert export(service, "--output", file) == ""
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text().splitlines()[0])["username"] == "staff"
    assert [f.name for f in tmp_path.iterdir()] == ["people.jsonl"]


def test_standard_output_by_its_usual_name(service, tmp_path):
    command = [BUILD / "rosterctl", "--config", service.state / "roster.conf", "user", "export", "--output", "-"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[0])["username"] == "staff"
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk(service, tmp_path):
    with open("/dev/full", "w") as full:
        command = [BUILD / "rosterctl", "--config", service.state / "roster.conf", "user", "export"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (1, "rosterctl: standard output: No space left on device\n")
    done = run(service, "export", "--output", "/dev/full", check=False)
    assert (done.returncode, done.stderr) == (1, "rosterctl: /dev/full: cannot write: No space left on device\n")


def test_a_disk_that_gets_full_leaves_the_old_file(service, tmp_path):
    imported(service, json_lines([new() for _ in range(300)]))
    file = tmp_path / "people.csv"
    file.write_text("old")

    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))

    command = [BUILD / "rosterctl", "--config", service.state / "roster.conf", "user", "export", "--output", file]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, preexec_fn=small_files)
    assert (done.returncode, done.stderr) == (1, f"rosterctl: {file}: cannot write: File too large\n")
    assert file.read_text() == "old"
    assert [f.name for f in tmp_path.iterdir()] == ["people.csv"]


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_an_export_that_is_interrupted_leaves_the_old_file(daemon, tmp_path, number):
    """At once, though the database does not answer."""
    one = daemon()
    file = tmp_path / "people.csv"
    file.write_text("old")
    one.run("stop_rosterd")
    for statement in (
        "DELETE FROM tokens",  # the look at the newest of them finds nobody to wait for
        "RENAME TABLE users TO people",
        "CREATE VIEW users AS SELECT * FROM people WHERE SLEEP(600 + id) = 0",
    ):
        one.sql(statement)
    command = [BUILD / "rosterctl", "--config", one.state / "roster.conf", "user", "export", "--output", file]
    process = subprocess.Popen(command)
    eventually(lambda: len(list(tmp_path.iterdir())) == 2)
    process.send_signal(number)
    assert process.wait() == -number
    assert file.read_text() == "old"
    assert [f.name for f in tmp_path.iterdir()] == ["people.csv"]


@pytest.mark.parametrize("words, message", [
    (["--format", "xml"], "the formats are csv and jsonl"),
    (["--output"], "option '--output' requires an argument"),
    (["x"], "unexpected argument 'x'"),
])  # fmt: skip
def test_wrong_usage(service, words, message):
    done = run(service, "export", *words, check=False)
    assert done.returncode == 2 and message in done.stderr
