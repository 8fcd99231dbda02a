"""rosterctl user set, deactivate, delete and list --json; role, grant and audit list."""

import json

import pytest

from service import unique


def run(service, *words, check=True):
    return service.rosterctl(*words, check=check)


def test_set_changes_what_the_api_would(service):
    user = service.create()
    done = run(service, "user", "set", user["username"], "first_name=Zoë", "is_support=yes", "token_lifetime=", "--json")
    shown = json.loads(done.stdout)
    assert (shown["first_name"], shown["is_support"], shown["token_lifetime"]) == ("Zoë", True, None)
    seen = service.staff.get(f"/api/users/{user['uuid']}/").json()
    assert (seen["first_name"], seen["is_support"]) == ("Zoë", True)
    event = service.staff.get(f"/api/events/?subject_uuid={user['uuid']}").json()[1]
    assert (event["event_type"], event["actor_username"]) == ("user_update_succeeded", "rosterctl")


@pytest.mark.parametrize(
    "change, status, message",
    [
        ("nickname=x", 2, "there is no field nickname to set"),
        ("username=x", 2, "there is no field username to set"),
        ("password=x", 2, "there is no field password to set"),
        ("image=x", 2, "there is no field image to set"),
        ("first_name", 2, "first_name is not FIELD=VALUE"),
        ("is_staff=perhaps", 1, "is_staff: Must be a valid boolean."),
        ("birth_date=now", 1, "birth_date: Date has wrong format. Use one of these formats instead: YYYY-MM-DD."),
    ],
)
def test_set_refuses(service, change, status, message):
    user = service.create()
    done = run(service, "user", "set", user["username"], change, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (status, "", f"rosterctl: {message}\n")
    assert service.staff.get(f"/api/users/{user['uuid']}/").json() == user


def test_set_without_a_change(service):
    done = run(service, "user", "set", "staff", check=False)
    assert (done.returncode, done.stderr) == (
        2, "rosterctl: FIELD=VALUE... is missing; try 'rosterctl user set --help'\n")


def test_deactivate(service):
    account = service.account()
    assert json.loads(run(service, "user", "deactivate", account.user["uuid"], "--json").stdout)["is_active"] is False
    assert account.get("/api/users/me/").json() == {"detail": "User inactive or deleted."}
    run(service, "user", "set", account.user["uuid"], "is_active=true")
    assert account.get("/api/users/me/").status_code == 200


def test_one_who_never_agreed_with_the_policy(service):
    """The operator may change him, as nobody may through the API."""
    name = unique("new")
    run(service, "user", "create", name, "--email", f"{name}@example.org")
    for words, field, value in (
        (["set", name, "first_name=Zoë"], "first_name", "Zoë"),
        (["deactivate", name], "is_active", False),
        (["deactivate", name], "is_active", False),
        (["set", name, "is_active=true"], "is_active", True),
        (["set", name, "agree_with_policy=no", "job_title=x"], "job_title", "x"),
    ):
        shown = json.loads(run(service, "user", *words, "--json").stdout)
        assert (shown[field], shown["agreement_date"]) == (value, None)
    answer = service.staff.patch(f"/api/users/{shown['uuid']}/", json={"first_name": "y"})
    assert (answer.status_code, answer.json()) == (
        400, {"agree_with_policy": ["User must agree with the policy."]})
    shown = json.loads(run(service, "user", "set", name, "agree_with_policy=yes", "--json").stdout)
    assert shown["agreement_date"] is not None


def test_delete(service):
    user = service.create()
    done = run(service, "user", "delete", user["username"])
    assert (done.stdout, done.stderr) == ("", "")
    done = run(service, "user", "delete", user["username"], check=False)
    assert (done.returncode, done.stderr) == (3, f"rosterctl: there is no user {user['username']}\n")


@pytest.mark.parametrize("words", [["set", "x", "first_name=y"], ["deactivate", "x"], ["delete", "x"]])
def test_nobody_of_that_name(service, words):
    name = unique("nobody")
    done = run(service, "user", *[name if word == "x" else word for word in words], check=False)
    assert (done.returncode, done.stderr) == (3, f"rosterctl: there is no user {name}\n")


def test_list_as_json(service):
    tag = unique("json")
    users = {service.create(first_name=tag)["uuid"] for _ in range(3)}
    listed = json.loads(run(service, "user", "list", "--query", tag, "--json").stdout)
    assert {user["uuid"] for user in listed} == users
    assert json.loads(run(service, "user", "list", "--query", unique(), "--json").stdout) == []


def test_names_do_not_command_the_terminal(service):
    """Users call themselves what they like; only JSON has it as it is."""
    account = service.account()
    name, uuid = account.user["username"], account.user["uuid"]
    first = "\x1b[2J\x9bZoë\nforged"
    assert account.patch(f"/api/users/{uuid}/", json={"first_name": first, "last_name": "X"}).status_code == 200
    shown = "\\x1b[2J\\xc2\\x9bZoë\\x0aforged"
    assert run(service, "user", "list", "--query", name).stdout == (
        f"{uuid}  {name:24}  {account.user['email']:32}  {shown} X\n")
    assert f"{'first_name':32} {shown}\n" in run(service, "user", "show", name).stdout
    assert json.loads(run(service, "user", "show", name, "--json").stdout)["first_name"] == first


def test_lists(service):
    roles = json.loads(run(service, "role", "list", "--json").stdout)
    assert "PROJECT.ADMIN" in {role["name"] for role in roles}
    assert "PROJECT.ADMIN" in run(service, "role", "list").stdout
    assert isinstance(json.loads(run(service, "grant", "list", "--json").stdout), list)
    user = service.create()
    run(service, "user", "deactivate", user["uuid"])
    events = json.loads(run(service, "audit", "list", "--json").stdout)
    assert "user_deactivated" in {e["event_type"] for e in events if e["subject_uuid"] == user["uuid"]}
    assert user["uuid"] in run(service, "audit", "list").stdout
    assert run(service, "audit", "list", "--since", "2999-01-01").stdout == ""
    done = run(service, "audit", "list", "--since", "yesterday", check=False)
    assert done.returncode == 2 and done.stderr.startswith("rosterctl: --since: ")
