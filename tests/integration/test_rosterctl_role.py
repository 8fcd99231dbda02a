"""rosterctl role and grant: the same rules, messages and events as the API's."""

import json
from datetime import datetime, timedelta, timezone

import pytest
from organizations import World
from service import unique
from users import UNKNOWN

DONE, FAILED, USAGE, NOT_FOUND = 0, 1, 2, 3


def run(service, *words):
    done = service.rosterctl(*words)
    assert done.stderr == ""
    return done.stdout


def refuses(service, status, message, *words):
    done = service.rosterctl(*words, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (status, "", f"rosterctl: {message}\n")


def role_of(service, uuid):
    return service.staff.get(f"/api/roles/{uuid}/").json()


def newest_event(service, uuid):
    event = service.staff.get("/api/events/", params={"subject_uuid": uuid}).json()[0]
    return event["event_type"], event["actor_username"], event["actor_uuid"], event["changes"]


def create(service, **options):
    given = {"type": "project", "permissions": "PROJECT.UPDATE", **options}
    words = [word for name, value in given.items() for word in (f"--{name}", value)]
    return json.loads(run(service, "role", "create", unique("ROLE"), *words, "--json"))


# --- role


def test_create(service):
    name = unique("ROLE")
    words = ["--type", "customer", "--description", "What it is for", "--permissions",
             "PROJECT.UPDATE, PROJECT.CREATE,", "--json"]
    role = json.loads(run(service, "role", "create", name, *words))
    assert role == role_of(service, role["uuid"])
    assert (role["name"], role["content_type"], role["description"], role["is_active"]) == (
        name, "customer", "What it is for", True)
    assert role["permissions"] == ["PROJECT.CREATE", "PROJECT.UPDATE"]
    kind, actor, uuid, _ = newest_event(service, role["uuid"])
    assert (kind, actor, uuid) == ("role_creation_succeeded", "rosterctl", None)
    name = unique("ROLE")
    text = run(service, "role", "create", name, "--type", "project", "--permissions", "")
    assert f"\nname                             {name}\n" in text
    assert name in run(service, "role", "list")


@pytest.mark.parametrize(
    "words, message",
    [
        (["--type", "project"], "--permissions: This field is required."),
        (["--permissions", "PROJECT.UPDATE"], "--type: This field is required."),
        (["--type", "planet", "--permissions", ""], "--type: Invalid content type."),
        (["--type", "project", "--permissions", "FLY"], "--permissions: Invalid permissions FLY"),
    ],
)
def test_create_refused(service, words, message):
    name = unique("ROLE")
    refuses(service, FAILED, message, "role", "create", name, *words)
    assert service.staff.get("/api/roles/", params={"name": name}).json() == []


def test_a_name_that_is_taken(service):
    role = create(service)
    message = "Name should be unique."
    words = ["--type", "project", "--permissions", ""]
    refuses(service, FAILED, message, "role", "create", role["name"].lower(), *words)
    refuses(service, FAILED, message, "role", "set", role["uuid"], "--name", "PROJECT.ADMIN")
    refuses(
        service, FAILED, "Changing name for system role is not possible.",
        "role", "set", "PROJECT.ADMIN", "--name", unique(),
    )  # fmt: skip


def test_set(service):
    role = create(service, description="old")
    name = unique("ROLE")
    words = ["--name", name, "--description", "", "--permissions", "PROJECT.CREATE", "--json"]
    changed = json.loads(run(service, "role", "set", role["name"], *words))
    assert changed == role_of(service, role["uuid"])
    assert changed == {**role, "name": name, "description": "", "permissions": ["PROJECT.CREATE"]}
    assert newest_event(service, role["uuid"]) == ("role_update_succeeded", "rosterctl", None, {
        "name": [role["name"], name],
        "description": ["old", ""],
        "permissions": [["PROJECT.UPDATE"], ["PROJECT.CREATE"]],
    })
    refuses(service, FAILED, "--permissions: Invalid permissions FLY", "role", "set", name, "--permissions", "FLY")
    assert role_of(service, role["uuid"]) == changed


def test_set_nothing(service):
    refuses(
        service, USAGE, "there is nothing to change; try 'rosterctl role set --help'",
        "role", "set", "PROJECT.ADMIN",
    )  # fmt: skip


def test_disable_and_enable(service):
    role = create(service)
    for word, is_active in (("disable", False), ("disable", False), ("enable", True)):
        text = run(service, "role", word, role["name"])
        assert text == f"The role {role['name']} has been {word}d\n"
        assert role_of(service, role["uuid"])["is_active"] is is_active
        assert newest_event(service, role["uuid"]) == (f"role_{word}d", "rosterctl", None, None)
    text = run(service, "role", "enable", role["uuid"], "--json")
    assert json.loads(text) == {"detail": f"The role {role['name']} has been enabled"}


def test_delete(service):
    role = create(service)
    assert run(service, "role", "delete", role["name"]) == ""
    assert newest_event(service, role["uuid"])[:2] == ("role_deletion_succeeded", "rosterctl")
    refuses(service, NOT_FOUND, f"there is no role {role['name']}", "role", "delete", role["name"])
    refuses(service, NOT_FOUND, "No Role matches the given query.", "role", "delete", role["uuid"])
    refuses(service, FAILED, "Destroying of system role is not available.", "role", "delete", "PROJECT.ADMIN")


def test_a_role_in_use_stays(service):
    world, role = World(service), create(service)
    run(service, "grant", "add", world.stranger.user["username"], role["name"], world.project["uuid"])
    refuses(service, FAILED, "Role is still used.", "role", "delete", role["name"])


@pytest.mark.parametrize("word", ["set", "enable", "disable", "delete"])
def test_no_such_role(service, word):
    more = ["--description", "x"] if word == "set" else []
    for name in ("PROJECT.ADMI", "project.admin", " ", "%"):
        refuses(service, NOT_FOUND, f"there is no role {name}", "role", word, name, *more)
    refuses(service, NOT_FOUND, "No Role matches the given query.", "role", word, UNKNOWN, *more)


# --- grant


@pytest.fixture(scope="module")
def world(service):
    return World(service)


def team(world, scope, kind):
    found = world.staff.get(f"/api/{kind}/{scope['uuid']}/list_users/").json()
    return {(g["user_username"], g["role_name"]): g["expiration_time"] for g in found}


def in_days(n):
    return (datetime.now(timezone.utc) + timedelta(days=n)).strftime("%Y-%m-%d")


def test_grant_add_set_remove(service, world):
    user = service.create()
    name, words = user["username"], ["PROJECT.ADMIN", world.project["uuid"]]
    first, second = in_days(7), in_days(14)

    text = run(service, "grant", "add", name, *words, "--expires", first, "--json")
    assert json.loads(text) == {"expiration_time": f"{first}T00:00:00Z"}
    assert team(world, world.project, "projects")[name, "PROJECT.ADMIN"] == f"{first}T00:00:00Z"
    kind, actor, uuid, changes = newest_event(service, user["uuid"])
    assert (kind, actor, uuid) == ("role_granted", "rosterctl", None)
    assert (changes["role"], changes["scope_uuid"]) == (words[0], words[1])

    assert run(service, "grant", "set", user["uuid"], *words, "--expires", second) == (
        f"expiration_time                  {second}T00:00:00Z\n")
    text = run(service, "grant", "set", user["uuid"], *words, "--expires", "never", "--json")
    assert json.loads(text) == {"expiration_time": None}
    assert team(world, world.project, "projects")[name, "PROJECT.ADMIN"] is None
    assert newest_event(service, user["uuid"])[:2] == ("role_updated", "rosterctl")

    for _ in range(2):
        assert run(service, "grant", "remove", name, *words) == ""
    assert (name, "PROJECT.ADMIN") not in team(world, world.project, "projects")
    assert newest_event(service, user["uuid"])[:2] == ("role_revoked", "rosterctl")


def test_scopes_by_uuid_and_url(service, world):
    for kind, scope, role in (
        ("customers", world.customer, "CUSTOMER.OWNER"),
        ("projects", world.project, "PROJECT.ADMIN"),
    ):
        path = f"/api/{kind}/{scope['uuid']}"
        for name in (scope["uuid"], scope["uuid"].replace("-", "").upper(), scope["url"], path, path + "/"):
            user = service.create()
            text = run(service, "grant", "add", user["username"], role, name)
            assert text == "expiration_time                  -\n"
            assert (user["username"], role) in team(world, scope, kind)


def test_grants_refused(service, world):
    user, project = service.create(), world.project["uuid"]
    words = [user["username"], "PROJECT.ADMIN", project]
    run(service, "grant", "add", *words)
    for message, *given in (
        ("User has already the same role in this scope.", "add", *words),
        ("Role is not valid for this scope.", "add", words[0], "CUSTOMER.OWNER", project),
        ("--expires: Expiration time should be greater than current time.",
         "set", *words, "--expires", "2001-01-01"),
        ("--expires: Datetime has wrong format. Use one of these formats instead: YYYY-MM-DD, "
         "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].", "add", *words, "--expires", "soon"),
        ("User has no such role in this scope.",
         "set", words[0], "PROJECT.MANAGER", project, "--expires", "never"),
    ):
        refuses(service, FAILED, message, "grant", *given)
    assert newest_event(service, user["uuid"])[0] == "role_granted"


@pytest.mark.parametrize("word", ["add", "set", "remove"])
def test_grants_of_what_is_not_there(service, world, word):
    name, role, project = world.member.user["username"], "PROJECT.MEMBER", world.project["uuid"]
    more = ["--expires", "never"] if word == "set" else []
    nobody = unique("nobody")
    for user in (nobody, UNKNOWN):
        refuses(service, NOT_FOUND, f"there is no user {user}", "grant", word, user, role, project, *more)
    for unknown in ("PROJECT.PILOT", UNKNOWN, " "):
        refuses(service, NOT_FOUND, f"there is no role {unknown}", "grant", word, name, unknown, project, *more)
    for scope in (UNKNOWN, f"/api/projects/{UNKNOWN}/", f"/api/customers/{project}/", "/api/projects/", "x", ""):
        message = f"there is no customer or project {scope}"
        refuses(service, NOT_FOUND, message, "grant", word, name, role, scope, *more)


@pytest.mark.parametrize(
    "words, message",
    [
        (["add"], "USERNAME|UUID is missing; try 'rosterctl grant add --help'"),
        (["add", "x"], "ROLE SCOPE is missing; try 'rosterctl grant add --help'"),
        (["add", "x", "y"], "ROLE SCOPE is missing; try 'rosterctl grant add --help'"),
        (["add", "x", "y", "z", "a"], "unexpected argument 'a'; try 'rosterctl grant add --help'"),
        (["set", "x", "y", "z"], "--expires is missing; try 'rosterctl grant set --help'"),
    ],
)
def test_grant_usage(service, words, message):
    refuses(service, USAGE, message, "grant", *words)


def test_what_is_refused_is_not_called_not_found(service):
    """An argument that the service does not take is refused, whatever looks for its object."""
    for words in (["user", "show"], ["role", "enable"], ["provider", "show"]):
        done = service.rosterctl(*words, b"\xff", check=False)
        assert (done.returncode, done.stdout) == (FAILED, ""), (words, done.stderr)
        assert done.stderr.startswith("rosterctl: ")
