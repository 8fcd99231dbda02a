"""What the tests of users share: the fields of a user in their order, and ways to ask."""

import re
from concurrent.futures import ThreadPoolExecutor

from service import Client, unique

FIELDS = """
    url uuid username slug full_name native_name job_title email phone_number organization
    civil_number description is_staff is_active is_support token token_lifetime token_expires_at
    registration_method date_joined agreement_date notifications_enabled preferred_language
    permissions requested_email affiliations first_name last_name birth_date identity_provider_name
    identity_provider_label identity_provider_management_url identity_provider_fields image
    identity_source has_active_session
""".split()

# Seen by staff and support only, and in the caller's own record only.
TEAM = {"description", "is_staff", "is_active", "is_support", "has_active_session"}
OWN = {"token", "token_lifetime"}

FORBIDDEN = {"detail": "You do not have permission to perform this action."}
NOT_FOUND = {"detail": "No User matches the given query."}
NO_CREDENTIALS = {"detail": "Authentication credentials were not provided."}

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
STAMP = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")

# Well formed, but nobody's.
UNKNOWN = "00000000-0000-4000-8000-000000000000"

# What no uuid is, in a path.
MALFORMED = [
    "x",
    "0",
    "a1b2c3d4e5f67890abcdef123456789",
    "a1b2c3d4e5f67890abcdef12345678901",
    "a1b2c3d4-e5f6-7890-abcd-ef123456789",
    "a1b2c3d4-e5f6-7890-abcd-ef12345678901",
    "a1b2c3d4e5f6-7890-abcd-ef1234567890",
    "a1b2c3d4-e5f67890abcdef1234567890",
    "a1b2c3d4--e5f6-7890-abcd-ef1234567890",
    "a1b2c3d-4e5f6-7890-abcd-ef1234567890",
    "g1b2c3d4-e5f6-7890-abcd-ef1234567890",
    "{a1b2c3d4-e5f6-7890-abcd-ef1234567890}",
    "urn:uuid:a1b2c3d4-e5f6-7890-abcd-ef1234567890",
    "a1b2c3d4-e5f6-7890-abcd-ef1234567890%20",
    "%20a1b2c3d4-e5f6-7890-abcd-ef1234567890",
    "a1b2c3d4-e5f6-7890-abcd-ef1234567890.json",
    "a1b2c3d4-e5f6-7890-abcd-ef123456789%C3%A9",
    "-",
    "'%20OR%201=1%20--%20",
]


def fields_seen(team, own):
    """The keys of a user as the team, or somebody else, sees his own record or another's."""
    hidden = (set() if team else TEAM) | (set() if own else OWN)
    return [field for field in FIELDS if field not in hidden]


def path_of(user, action=""):
    return f"/api/users/{user['uuid']}/{action}"


def new_body(**fields):
    """The body of a create that succeeds."""
    username = fields.pop("username", None) or unique("u")
    return {"username": username, "email": f"{username}@example.org", **fields}


def status_and_json(answer):
    return answer.status_code, answer.json()


def statements(service, answer):
    """How many statements the database was sent for an answer."""
    return service.request_line(answer.headers["X-Request-ID"])["db"]


def at_once(ask, client, items, connections=20):
    """The answers of ask(client, item) for all items, asked by so many clients at the same time."""

    def one(item):
        return ask(Client(client.service, client.token), item)

    with ThreadPoolExecutor(connections) as pool:
        return list(pool.map(one, items))
