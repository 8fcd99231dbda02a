"""Random users, good and bad, sent by all kinds of callers; whole answers compared with a model of the rules.

ROSTER_EXAMPLES=N runs N examples of each property with another seed each time.
"""

import json
import os
import re
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from service import unique
from users import FORBIDDEN, NO_CREDENTIALS, NOT_FOUND, STAMP, UUID, fields_seen, path_of

PATH = "/api/users/"

EXAMPLES = int(os.environ.get("ROSTER_EXAMPLES", "0"))

property_test = settings(
    max_examples=EXAMPLES or 200,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)

# --- the rules: what is read of a value, or the messages about it


class Refused(Exception):
    """A value's messages."""

    def __init__(self, *messages):
        self.messages = list(messages)


ABSENT = object()

REQUIRED = "This field is required."
BLANK = "This field may not be blank."
NULL = "This field may not be null."
NO_TEXT = "Not a valid string."
NO_BOOLEAN = "Must be a valid boolean."
NO_INTEGER = "A valid integer is required."
NO_DATE = "Date has wrong format. Use one of these formats instead: YYYY-MM-DD."
NO_FILE = "The submitted data was not a file. Check the encoding type on the form."
NO_NUL = "Null characters are not allowed."
USERNAME_TAKEN = "user with this username already exists."
SLUG_TAKEN = "An object with this slug already exists."

NUMBER = (int, float)


def too_long(limit):
    return f"Ensure this field has no more than {limit} characters."


def matches(pattern, message):
    return lambda text: None if re.fullmatch(pattern, text, re.ASCII) else message


LOCAL_PART = r"[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*"
LABEL = r"(?!-)([a-zA-Z0-9-]|[^\x00-\x7f])+(?<!-)"


def check_email(text):
    """A dot-string of at most 64 bytes, a domain of at most 253 with labels of at most 63."""
    local, at, domain = text.rpartition("@")
    labels = domain.split(".")
    good = (
        at
        and len(local) <= 64
        and re.fullmatch(LOCAL_PART, local, re.ASCII)
        and len(labels) > 1
        and len(domain.encode()) <= 253
        and all(re.fullmatch(LABEL, label) and len(label.encode()) <= 63 for label in labels)
        and len(labels[-1].encode()) > 1
        and not re.fullmatch(r"[0-9]+", labels[-1])
    )
    return None if good else "Enter a valid email address."


class Text:
    def __init__(self, limit, check=None, filled=False):
        self.limit = limit
        self.check = check
        self.filled = filled

    def read(self, value):
        if value is None:
            raise Refused(NULL)
        if isinstance(value, bool) or not isinstance(value, (str, *NUMBER)):
            raise Refused(NO_TEXT)
        text = str(value).strip()
        if not text:
            if self.filled:
                raise Refused(BLANK)
            return ""
        if "\0" in text:
            raise Refused(NO_NUL)
        messages = [self.check(text)] if self.check else []
        messages += [too_long(self.limit)] if len(text) > self.limit else []
        messages = [message for message in messages if message]
        if messages:
            raise Refused(*messages)
        return text

    read_blank = read


class Boolean:
    WORDS = {
        True: {"true", "t", "yes", "y", "on", "1"},
        False: {"false", "f", "no", "n", "off", "0"},
    }

    def read(self, value):
        if value is None:
            raise Refused(NULL)
        for answer, words in self.WORDS.items():
            if isinstance(value, (str, int)) and str(value).lower() in words:
                return answer
        raise Refused(NO_BOOLEAN)

    def read_blank(self, _):
        return ABSENT


class Nullable:
    """Null is null, and so is an empty part of a form."""

    def read(self, value):
        return None if value is None else self.parse(value)

    def read_blank(self, _):
        return None


class Integer(Nullable):
    LEAST, MOST = 60, 2147483647

    def parse(self, value):
        if isinstance(value, bool) or not isinstance(value, (str, *NUMBER)):
            raise Refused(NO_INTEGER)
        if not re.fullmatch(r"\s*[+-]?[0-9]+(\.0*)?\s*", str(value)):
            raise Refused(NO_INTEGER)
        number = int(str(value).partition(".")[0])
        if number < self.LEAST:
            raise Refused(f"Ensure this value is greater than or equal to {self.LEAST}.")
        if number > self.MOST:
            raise Refused(f"Ensure this value is less than or equal to {self.MOST}.")
        return number


class Day(Nullable):
    def parse(self, value):
        try:
            if not re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
                raise Refused(NO_DATE)
            return date.fromisoformat(value).isoformat()
        except (TypeError, ValueError):
            raise Refused(NO_DATE) from None


class Picture(Nullable):
    """No test sends one here; what is sent instead of one is no file."""

    def parse(self, _):
        raise Refused(NO_FILE)


# Who writes a field when it is created and when it is changed: the staff, the user himself.
STAFF, SELF = "staff", "self"


class Rule:
    def __init__(self, kind, create=(STAFF,), update=(STAFF, SELF), required=False):
        self.kind = kind
        self.writers = {"POST": set(create), "PUT": set(update), "PATCH": set(update)}
        self.required = required


check_username = matches(r"[0-9a-z_.@+-]+", "Enter a valid username.")
check_slug = matches(
    r"[-a-zA-Z0-9_]+",
    'Enter a valid "slug" consisting of letters, numbers, underscores or hyphens.',
)
check_phone = matches(r"\+?[\d ()-]+", "Invalid phone number format.")

RULES = {
    "username": Rule(Text(128, check_username, filled=True), update=(), required=True),
    "slug": Rule(Text(50, check_slug), update=(STAFF,)),
    "native_name": Rule(Text(100)),
    "job_title": Rule(Text(120)),
    "email": Rule(Text(320, check_email, filled=True), update=(), required=True),
    "phone_number": Rule(Text(255, check_phone)),
    "organization": Rule(Text(255)),
    "description": Rule(Text(2000), update=(STAFF,)),
    "is_staff": Rule(Boolean(), update=(STAFF,)),
    "is_active": Rule(Boolean(), update=(STAFF,)),
    "is_support": Rule(Boolean(), update=(STAFF,)),
    "token_lifetime": Rule(Integer(), create=(), update=(SELF,)),
    "notifications_enabled": Rule(Boolean(), update=(STAFF,)),
    "preferred_language": Rule(Text(10)),
    "first_name": Rule(Text(100)),
    "last_name": Rule(Text(100)),
    "birth_date": Rule(Day()),
    "image": Rule(Picture()),
    "agree_with_policy": Rule(Boolean()),
}
IGNORED = """
    url uuid full_name civil_number token token_expires_at registration_method date_joined agreement_date
    permissions requested_email affiliations identity_provider_name identity_provider_fields identity_source
    has_active_session ip_address password modified full_name_folded id version nonsense
""".split()


def read_body(request, writer):
    """What the caller, who may, says; raises the messages about all fields."""
    values, problems = {}, {}
    if not isinstance(request.body, dict):
        kind = type(request.body).__name__
        message = f"Invalid data. Expected a dictionary, but got {kind}."
        raise Refused({"non_field_errors": [message]})
    if not request.is_form and any("\0" in str(value) for value in request.body.values()):
        raise Refused({"detail": Like("JSON parse error - .*")})
    for name, rule in RULES.items():
        if not rule.writers[request.method] & writer:
            continue
        value = request.body.get(name, ABSENT)
        if value is ABSENT and request.is_form and request.method == "PUT" and type(rule.kind) is Boolean:
            value = False
        try:
            if value is ABSENT:
                if rule.required and request.method == "POST":
                    raise Refused(REQUIRED)
                continue
            read = rule.kind.read_blank if request.is_form and value == "" else rule.kind.read
            value = read(value)
            if value is not ABSENT:
                values[name] = value
        except Refused as refused:
            problems[name] = refused.messages
    return values, problems


# --- the rules: what becomes of a user


def slug_for(username, slugs):
    stem = re.sub(r"[-\s]+", "-", re.sub(r"[^a-z0-9_\s-]", "", username)).strip("-_")[:8] + "-"
    ends = [slug.removeprefix(stem) for slug in slugs if slug.startswith(stem)]
    return stem + str(1 + max((int(end) for end in ends if re.fullmatch("[0-9]{1,18}", end)), default=0))


def created(world, request):
    values, problems = read_body(request, {STAFF})
    if values.get("username") in world.usernames:
        problems["username"] = [USERNAME_TAKEN]
    if values.get("slug") in world.slugs:
        problems["slug"] = [SLUG_TAKEN]
    if problems:
        raise Refused(problems)
    user = {**NEW, "date_joined": Moment(), **{k: v for k, v in values.items() if k != "agree_with_policy"}}
    user["slug"] = user["slug"] or slug_for(user["username"], world.slugs)
    return user


def check_policy(old, values, changes):
    """Nobody who has not agreed is changed, except staff and who is only switched off."""
    if old["agreement_date"] is not None:
        return
    if values.get("agree_with_policy"):
        changes["agreement_date"] = Moment()
    elif not old["is_staff"] and not (old["is_active"] and changes == {"is_active": False}):
        raise Refused({"agree_with_policy": ["User must agree with the policy."]})


def updated(world, request):
    old = world.target
    values, problems = read_body(request, world.writers(request.caller))
    if values.get("slug") in world.slugs:
        problems["slug"] = [SLUG_TAKEN]
    if problems:
        raise Refused(problems)
    changes = {name: value for name, value in values.items() if name in old and old[name] != value}
    check_policy(old, values, changes)
    if changes.get("slug") == "":
        changes["slug"] = slug_for(old["username"], world.slugs | {old["slug"]})
    return {**old, **changes}


class Like:
    """Equals each text that a pattern matches."""

    def __init__(self, pattern):
        self.pattern = pattern

    def __eq__(self, text):
        return isinstance(text, str) and bool(re.fullmatch(self.pattern, text))


class Moment:
    """Equals each printed time from its making on, as much later as is told."""

    def __init__(self, after=0):
        self.after = timedelta(seconds=after)
        self.since = datetime.now(timezone.utc)

    def __eq__(self, text):
        if not isinstance(text, str) or not STAMP.fullmatch(text):
            return False
        time = datetime.fromisoformat(text.replace("Z", "+00:00")) - self.after
        return self.since <= time <= datetime.now(timezone.utc)

    def __repr__(self):
        return f"Moment({self.after}, since {self.since})"


NEW = {
    "slug": "",
    "native_name": "",
    "job_title": "",
    "phone_number": "",
    "organization": "",
    "civil_number": None,
    "description": "",
    "is_staff": False,
    "is_active": True,
    "is_support": False,
    "token_lifetime": 3600,
    "registration_method": "default",
    "agreement_date": None,
    "notifications_enabled": True,
    "preferred_language": "",
    "permissions": [],
    "affiliations": [],
    "first_name": "",
    "last_name": "",
    "birth_date": None,
    "image": None,
    "identity_source": "",
}


def shown(url, user, team=True, token=None):
    """The object that the team, or who has the token, is shown of a user."""
    full_name = f"{user['first_name']} {user['last_name']}".strip()
    provider = "Local DB" if user["registration_method"] == "default" else ""
    lifetime = user["token_lifetime"]
    everything = {
        **user,
        "url": f"{url}{path_of(user)}",
        "full_name": full_name,
        "token": token,
        "token_expires_at": None if lifetime is None else Lasting(lifetime),
        "requested_email": None,
        "permissions": [
            {**grant, "user_name": full_name, "user_slug": user["slug"]} for grant in user["permissions"]
        ],
        "identity_provider_name": provider,
        "identity_provider_label": provider,
        "identity_provider_management_url": "",
        "identity_provider_fields": [],
        "has_active_session": True,
    }
    return {name: everything[name] for name in fields_seen(team, own=token is not None)}


def Lasting(lifetime):
    """When a token ends that was used a moment ago."""
    moment = Moment(lifetime)
    moment.since -= timedelta(seconds=60)
    return moment


# --- what is sent

LETTERS = ["a", "ö", "本", "\U0001f600", "e\u0301", "ﷺ", "ab ", "\u200f", "\x01", "\\\"<%_'", "'--", "\ufeff"]
PADS = ["", "", " ", "\t\u3000", "\x1c\x85\xa0\u2028"]
ODD = st.sampled_from(
    [None, True, False, [], ["x"], {}, {"x": 1}, 0, 5, -1.5, 60.0, 12345678901234567890]
    + ["", " ", "\t\u3000", "a\0b", "null", "1.0"]
)


def texts(letters, lengths):
    """So many letters, perhaps with blanks around them that do not count."""
    return st.builds(
        lambda letter, n, before, after: before + (letter * n)[:n] + after,
        st.sampled_from(letters),
        st.sampled_from(lengths),
        st.sampled_from(PADS),
        st.sampled_from(PADS),
    )


def around(limit, letters=LETTERS, least=0):
    return texts(letters, [least, 1, 2, 9, limit - 1, limit])


def beyond(limit, letters=LETTERS):
    return texts(letters, [limit + 1, limit + 2])


def words(*choices):
    return st.sampled_from(choices)


SPELLED = [word for words in Boolean.WORDS.values() for word in words]
SPELLINGS = sorted({f(word) for word in SPELLED for f in (str.lower, str.upper, str.title)})

LONG_DOMAIN = ".".join(["d" * 49] * 5)
GOOD_EMAILS = words(
    "a@b.co", "A.B+c@Example.ORG", "o'neil@x-y.example", "x@bücher.example", "x@例え.テスト", " a@b.co\t",
    "l" * 64 + "@b.co", "x@" + "d" * 63 + ".org", "x@" + LONG_DOMAIN + ".orgs", "!#$%&'*+-/=?^_`{|}~@b.co",
)  # fmt: skip
BAD_EMAILS = words(
    "", "x", "x@", "@b.co", "x@b", "x@localhost", "x y@b.co", "x@b c.co", "x@@b.co", ".x@b.co", "x.@b.co",
    "x..y@b.co", "x@-b.co", "x@b-.co", "x@b..co", "x@.co", "x@b.co.", "x@1.2.3.4", "x@[1.2.3.4]", "x@b.c",
    "x@b.co\nBcc: y@b.co", "x@b.co, y@b.co", "<x@b.co>", "ö@b.co", "l" * 65 + "@b.co", "x@b_c.co",
    "x@" + "d" * 64 + ".org", "x@" + LONG_DOMAIN + ".orgsx", "x" * 300 + "@" + "d" * 40 + ".org",
)  # fmt: skip

# For each field what is good and what is not, most of the time: the model tells.
VALUES = {
    "username": (
        around(128, ["az09_.@+-", "a", "-", "._", "0", "u-v"], least=1),
        beyond(128, ["a", "A"]) | words("Upper", "two words", "a/b", "é", "ı", "a\nb", "STAFF")
        | words("staff", " staff\n"),
    ),
    "slug": (
        around(50, ["azAZ09_-", "s", "-", "7", "staff-9"]),
        beyond(50, ["s", "é"]) | words("two words", "é", "a.b", "a\nb", "STAFF-1")
        | words("staff-1", " staff-1 "),
    ),
    "email": (GOOD_EMAILS, BAD_EMAILS),
    "phone_number": (
        around(255, ["1", "+1", "(0) 1-2", "-"]),
        beyond(255, ["1", "x"]) | words("call me", "++1", "+", "1+1", "1\n2", "1.2", "1/2", "+ 1", "()"),
    ),
    **{
        name: (around(rule.kind.limit), beyond(rule.kind.limit))
        for name, rule in RULES.items()
        if type(rule.kind) is Text and rule.kind.check is None
    },
    **{
        name: (words(True, False, 1, 0, *SPELLINGS), words(2, -1, 10, 1.5, "2", "tru", "maybe", "yess", "00"))
        for name, rule in RULES.items()
        if type(rule.kind) is Boolean
    },
    "token_lifetime": (
        words(None, 60, 61, 3600, 2147483646, 2147483647, "60", " 3600 ", "+61", "60.0", 60.0, "060"),
        words(59, 0, -60, 2147483648, 10**30, -(10**30), "59", "6e1", "0x60", "60.5", 60.5, "1_000", "9" * 30),
    ),
    "birth_date": (
        st.none() | st.dates().map(date.isoformat) | words("2000-02-29", "0001-01-01", "9999-12-31"),
        words("1999-02-29", "1900-02-29", "2000-13-01", "2000-00-10", "2000-01-00", "2000-04-31", "0000-01-01")
        | words("10000-01-01", "2000-01-01T00:00:00Z", "31.12.1999", "2000/01/01", "٢٠٠٠-01-01", "today", 20000101),
    ),
    "image": (st.none(), words("x", "http://example.org/x.png", 1)),
}
RUBBISH = ODD | words("staff", "2000-01-01", "x" * 40, "eduteams")


@st.composite
def bodies(draw, needed=()):
    names = draw(st.permutations(list(RULES)))[: draw(words(0, 1, 1, 2, 4, 8, len(RULES)))]
    names += [name for name in needed if name not in names and draw(words(*[True] * 9, False))]
    wrong = draw(st.permutations(names))[: draw(words(0, 0, 0, 1, 1, 1, 2, 3, len(RULES)))]
    body = draw(st.dictionaries(st.sampled_from(IGNORED), RUBBISH, max_size=3))
    for name in names:
        good, bad = VALUES[name]
        body[name] = draw(bad | ODD if name in wrong else good)
    return body


class Request:
    def __init__(self, caller, method, encoding, body):
        self.caller = caller
        self.method = method
        self.is_form = encoding != "json" and isinstance(body, dict)
        self.body = self.as_form(body) if self.is_form else body
        self.encoding = encoding if self.is_form else "json"

    @staticmethod
    def as_form(body):
        """Forms have texts only, and have at least one."""
        texts = {name: "" if v is None else str(v) for name, v in body.items() if not isinstance(v, (list, dict))}
        return texts or {"nonsense": ""}

    def send(self, client, path):
        parts = {name: (None, value) for name, value in self.body.items()} if self.encoding == "files" else self.body
        return client.request(self.method, path, **{self.encoding: parts})

    def __repr__(self):
        return f"{self.method} by {self.caller} as {self.encoding}: {self.body!r}"


ENCODINGS = words("json", "json", "json", "data", "files")
NO_OBJECTS = words([], [1], "x", 5, 1.5, True)


@st.composite
def requests_of(draw, callers, methods, content):
    body = draw(NO_OBJECTS if draw(words(*range(30))) == 29 else content)
    return Request(draw(words(*callers)), draw(words(*methods)), draw(ENCODINGS), body)


POSTS = requests_of(
    ["staff"] * 12 + ["himself", "support", "colleague", "stranger", "nobody"],
    ["POST"],
    bodies(needed=["username", "email"]),
)
CHANGES = requests_of(
    ["staff"] * 10 + ["himself"] * 12 + ["support", "colleague", "stranger", "nobody"], ["PUT", "PATCH"], bodies()
)
FRESH = {
    **{name: NEW[name] for name in NEW if name in RULES and name != "image"},
    **{name: NEW[name] for name in ("civil_number", "registration_method", "agreement_date")},
    **{name: NEW[name] for name in ("affiliations", "identity_source")},
}
FLAGS = {
    "is_staff": words(False, False, False, True),
    "is_support": words(False, False, True),
    "is_active": words(*[True] * 7, False),
}
TARGETS = st.fixed_dictionaries(
    {
        **{name: st.just(value) for name, value in FRESH.items()},
        **FLAGS,
        **{name: words("", "old", "ö" * RULES[name].kind.limit) for name in ("first_name", "last_name", "job_title")},
        "slug": words("", "-1", "-7", "_A", "-x-3"),
        "notifications_enabled": words(True, False),
        "civil_number": words(None, None, "38001010000", "x"),
        "token_lifetime": words(60, 3600, 3600, 2147483647, None),
        "registration_method": words("default", "default", "default", "elsewhere"),
        "agreement_date": words(None, None, *["2024-02-29T12:00:00.000001Z"] * 4),
        "affiliations": words([], [], ["staff"], ["stúdent", '{"at": [1, null]}']),
        "birth_date": words(None, "1900-01-31"),
    }
)
CALLERS = st.fixed_dictionaries({**{name: st.just(value) for name, value in FRESH.items()}, **FLAGS})


# --- the world


class World:
    """Callers of all kinds, and a target that each example puts into a state of its own."""

    def __init__(self, service):
        self.service = service
        self.clients = {
            "nobody": service.nobody,
            "staff": service.staff,
            "support": service.account(is_support=True),
            "himself": service.account(),
            "colleague": service.account(),
            "stranger": service.account(),
        }
        self.user = self.clients["himself"].user
        self.stem = unique("slug")
        self.share_a_customer()
        self.database = service.connect(autocommit=True)
        rows = self.sql("SELECT username, slug FROM users")
        self.usernames = {username for username, _ in rows}
        self.slugs = {slug for _, slug in rows} - {self.user["slug"]}

    def share_a_customer(self):
        staff = self.service.staff
        customer = staff.post("/api/customers/", json={"name": unique("Customer")}).json()
        for client in (self.clients["himself"], self.clients["colleague"]):
            body = {"role": "CUSTOMER.SUPPORT", "user": client.user["uuid"]}
            assert staff.post(f"/api/customers/{customer['uuid']}/add_user/", json=body).status_code == 201
        self.permissions = staff.get(path_of(self.user)).json()["permissions"]
        assert len(self.permissions) == 1

    def sql(self, statement, *values):
        with self.database.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall()

    def put(self, state):
        """The target in this state."""
        state = {**state, "slug": self.stem + state["slug"]}
        row = {**state, "affiliations": json.dumps(state["affiliations"])}
        if row["agreement_date"]:
            row["agreement_date"] = row["agreement_date"].rstrip("Z")
        columns = ", ".join(f"{name} = %s" for name in row)
        self.sql(f"UPDATE users SET {columns}, version = version + 1 WHERE username = %s",
                 *row.values(), self.user["username"])  # fmt: skip
        self.sql("UPDATE tokens SET created = UTC_TIMESTAMP(6) WHERE user_id = (SELECT id FROM users"
                 " WHERE username = %s)", self.user["username"])  # fmt: skip
        kept = ("uuid", "username", "email", "date_joined")
        self.target = {
            **NEW,
            **{name: self.user[name] for name in kept},
            **state,
            "permissions": self.permissions,
        }

    def writers(self, caller):
        own = {SELF} if caller == "himself" else set()
        return own | ({STAFF} if self.is_staff(caller) else set())

    def is_staff(self, caller):
        return caller == "staff" or (caller == "himself" and self.target["is_staff"])

    def refusal(self, request):
        """Who may not is told so before anything is read."""
        caller, target = request.caller, self.target
        if caller == "nobody":
            return 401, NO_CREDENTIALS
        if caller == "himself" and not target["is_active"]:
            return 401, {"detail": "User inactive or deleted."}
        if self.is_staff(caller):
            return None
        if request.method == "POST":
            return 403, FORBIDDEN
        if caller == "himself":
            return None
        sees = caller == "support" or (caller == "colleague" and target["is_active"] and not target["is_staff"])
        return (403, FORBIDDEN) if sees else (404, NOT_FOUND)

    def seen_by(self, caller, user):
        """The user as the caller is shown him, who himself is what he was before the request."""
        team = self.is_staff(caller) or (caller == "himself" and self.target["is_support"])
        return shown(self.service.url, user, team, self.clients["himself"].token if caller == "himself" else None)

    def target_now(self):
        answer = self.service.staff.get(path_of(self.user))
        assert answer.status_code == 200
        return answer.json(), answer.headers["ETag"]

    def how_many(self):
        return self.sql("SELECT COUNT(*) FROM users")[0][0]


@pytest.fixture(scope="module")
def world(service):
    world = World(service)
    yield world
    world.database.close()


def expected(world, request, becomes):
    """The refusal of a request, or the user that it leaves."""
    refusal = world.refusal(request)
    if refusal:
        return refusal, None
    try:
        return None, becomes(world, request)
    except Refused as refused:
        return (400, refused.messages[0]), None


@property_test
@given(state=TARGETS, request_=CHANGES)
@example(state=FRESH, request_=Request("staff", "PATCH", "json", {"slug": "staff-1"}))
def test_change_a_user(world, state, request_):
    world.put(state)
    before, etag = world.target_now()
    assert before == shown(world.service.url, world.target)

    refusal, user = expected(world, request_, updated)
    answer = request_.send(world.clients[request_.caller], path_of(world.user))
    after, new_etag = world.target_now()
    if refusal:
        assert (answer.status_code, answer.json()) == refusal
        assert (after, new_etag) == (before, etag)
    else:
        assert (answer.status_code, answer.json()) == (200, world.seen_by(request_.caller, user))
        assert after == shown(world.service.url, user)
        assert (new_etag == etag) == (user == world.target)


@property_test
@given(state=CALLERS, request_=POSTS)
def test_create_a_user(world, state, request_):
    world.put(state)
    many = world.how_many()
    refusal, user = expected(world, request_, created)
    answer = request_.send(world.clients[request_.caller], PATH)
    if refusal:
        assert (answer.status_code, answer.json()) == refusal
        assert world.how_many() == many
        return

    assert answer.status_code == 201, answer.text
    user["uuid"] = answer.json()["uuid"]
    assert UUID.fullmatch(user["uuid"])
    assert answer.json() == shown(world.service.url, user)
    assert world.service.staff.get(path_of(user)).json() == answer.json()
    assert world.service.staff.delete(path_of(user)).status_code == 204
    assert world.how_many() == many
