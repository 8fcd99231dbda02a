"""rosterctl --json, one document of every command, and the filters of audit list."""

import array
import fcntl
import json
import re
import subprocess
import termios
from uuid import uuid4

import pytest
from service import BUILD, TOP, eventually, unique
from test_rosterctl_man import complete
from users import STAMP, UNKNOWN
from organizations import World

FAILED, USAGE, NOT_FOUND = 1, 2, 3

def run(service, *words):
    done = service.rosterctl(*words, "--json")
    assert done.stderr == ""
    return json.loads(done.stdout)


def refuses(service, status, message, *words):
    done = service.rosterctl(*words, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (status, "", f"rosterctl: {message}\n")


def test_every_command_has_it(service):
    lines = service.rosterctl("--help").stdout.split("Commands:\n")[1].split("\n\n")[0].splitlines()
    names = [re.match(r"  (\w+(?: [a-z]+)*)  ", line)[1] for line in lines]
    assert len(names) > 35
    for name in names:
        assert "\n      --json                     print JSON\n" in service.rosterctl(*name.split(), "--help").stdout
    assert "\nJSON: an object: due," in service.rosterctl("mail", "retry", "--help").stdout


def test_migrate(service):
    names = [path.stem for path in sorted((TOP / "sql").glob("*.sql"))]
    listed = run(service, "migrate", "--status")
    assert [entry["name"] for entry in listed] == names
    for entry in listed:
        assert list(entry) == ["name", "state", "statements", "begun", "applied"]
        assert entry["state"] == "applied" and entry["statements"] > 0
        assert STAMP.fullmatch(entry["begun"]) and STAMP.fullmatch(entry["applied"])
    assert run(service, "migrate", "--dry-run") == run(service, "migrate") == listed


def test_migrate_what_is_pending(service, tmp_path):
    database = unique("m").replace("-", "_")
    options = tmp_path / "roster.cnf"
    options.touch(0o600)
    service.sql(f"CREATE DATABASE {database} CHARACTER SET utf8mb4")
    service.sql(f"GRANT ALL ON {database}.* TO roster@localhost")
    text = (service.state / "roster.cnf").read_text()
    options.write_text(text.replace("database=roster", f"database={database}"))
    other = ["--set", f"database={options}", "migrate"]
    pending = {"state": "pending", "statements": 0, "begun": None, "applied": None}
    for word in ("--status", "--dry-run"):
        assert all({**entry, **pending} == entry for entry in run(service, *other, word))
    assert {entry["state"] for entry in run(service, *other)} == {"applied"}
    service.sql(f"UPDATE {database}.schema_migrations SET checksum = REPEAT('x', 32) WHERE number = 2")
    assert run(service, *other, "--status")[1]["state"] == "changed"
    done = service.rosterctl(*other, "--json", check=False)
    assert (done.returncode, done.stdout) == (FAILED, "") and "migration 0002_" in done.stderr
    service.sql(f"DROP DATABASE {database}")


def test_the_token_and_the_password(service, tmp_path):
    user = service.create()
    shown = run(service, "user", "token", user["username"])
    assert shown == service.staff.get(f"/api/users/{user['uuid']}/token/").json()
    assert run(service, "user", "token", user["username"], "--new")["token"] != shown["token"]
    file = tmp_path / "password"
    file.write_text("a heron on the roof")
    assert run(service, "user", "password", user["username"], "--password-file", file) == {
        "status": "password set"}


def test_providers(service):
    names = [unique("json") for _ in range(2)]
    for name in names:
        service.rosterctl("provider", "create", name, "--label", "For JSON")
    listed = run(service, "provider", "list")
    answer = service.staff.get("/api/identity-providers/?page_size=300").json()
    assert listed == [{**p, "url": f"http://localhost/api/identity-providers/{p['uuid']}/"} for p in answer]
    assert set(names) <= {provider["name"] for provider in listed}
    text = service.rosterctl("provider", "list").stdout
    for name in names:
        assert f"{name}  For JSON " in text
        service.rosterctl("provider", "delete", name)


def test_settings_without_one(service):
    name = unique("json")
    service.rosterctl("provider", "create", name)
    message = "there is nothing to change; try 'rosterctl provider set --help'"
    refuses(service, USAGE, message, "provider", "set", name, "--json")
    service.rosterctl("provider", "delete", name)


def test_mails(own_service):
    service = own_service(config="smtp_url =")
    assert service.rosterctl("mail", "list", "--json").stdout == "[]\n"
    user = service.account()
    answer = user.post(f"/api/users/{user.user['uuid']}/change_email/", json={"email": "new@example.org"})
    assert answer.status_code == 200
    mails = json.loads(service.rosterctl("mail", "list", "--json").stdout)
    (mail,) = [mail for mail in mails if mail["recipient"] == "new@example.org"]
    assert list(mail) == ["id", "created", "template", "recipient", "attempts", "due", "error"]
    assert (mail["attempts"], mail["error"]) == (0, None)
    assert STAMP.fullmatch(mail["created"]) and STAMP.fullmatch(mail["due"])
    assert run(service, "mail", "retry", str(mail["id"])) == {"due": 1}
    assert run(service, "mail", "retry", "all") == {"due": len(mails)}
    service.sql("UPDATE mail_outbox SET due = NULL, attempts = 9, error = 'no such box' WHERE id = %s", mail["id"])
    (mail,) = json.loads(service.rosterctl("mail", "list", "--failed", "--json").stdout)
    assert (mail["due"], mail["attempts"], mail["error"]) == (None, 9, "no such box")


def test_deletions_name_what_is_gone(service):
    user, role, provider = service.create(), unique("ROLE").upper(), unique("gone")
    assert run(service, "user", "delete", user["username"]) == {k: user[k] for k in ("uuid", "username")}
    for kind, name, *options in (("role", role, "--type", "project", "--permissions", "PROJECT.UPDATE"),
                                 ("provider", provider)):  # fmt: skip
        made = run(service, kind, "create", name, *options)
        assert run(service, kind, "delete", made["uuid"].replace("-", "").upper()) == {"uuid": made["uuid"], "name": name}
        refuses(service, NOT_FOUND, f"there is no {'role' if kind == 'role' else 'identity provider'} {name}",
                kind, "delete", name, "--json")  # fmt: skip
    missing = service.rosterctl("user", "delete", UNKNOWN, check=False)
    assert missing.returncode == NOT_FOUND
    refuses(service, NOT_FOUND, missing.stderr[len("rosterctl: "):-1], "user", "delete", UNKNOWN, "--json")
    refuses(service, FAILED, "Destroying of system role is not available.", "role", "delete", "PROJECT.ADMIN", "--json")


def test_a_grant_that_ended(service):
    user, world = service.create(), World(service)
    grant = [user["username"], "PROJECT.ADMIN", world.project["url"]]
    service.rosterctl("grant", "add", *grant)
    (listed,) = [g for g in run(service, "grant", "list") if g["user_uuid"] == user["uuid"]]
    ended = {key: listed[key] for key in ("user_uuid", "role_uuid", "scope_type", "scope_uuid")}
    assert run(service, "grant", "remove", *grant) == ended
    names = [user["uuid"].upper(), listed["role_uuid"].replace("-", ""), listed["scope_uuid"].upper()]
    assert run(service, "grant", "remove", *names) == ended
    assert [g for g in run(service, "grant", "list") if g["user_uuid"] == user["uuid"]] == []


def test_a_key(service):
    key = run(service, "key", "new")
    assert list(key) == ["id", "key"] and key["id"] == 1
    assert re.fullmatch("[0-9a-f]{64}", key["key"])
    assert run(service, "key", "new")["key"] != key["key"]


def test_nginx(service):
    api, slow = run(service, "nginx")
    text = service.rosterctl("nginx").stdout
    assert list(api) == list(slow) == ["upstream", "servers", "uris"]
    assert (api["upstream"], slow["upstream"], api["uris"]) == ("roster_api", "roster_slow", [])
    assert api["servers"] + slow["servers"] == re.findall(r"^\tserver (\S+) ", text, re.M)
    assert slow["uris"] == re.findall(r'^\t"~(\S+)" roster_slow;$', text, re.M) and len(slow["uris"]) > 3


def test_an_export(service, tmp_path):
    service.create(first_name="Zoë")
    # Not splitlines(): names may have other characters that end a line. By value, for they may have control
    # characters, of which there are several ways to write them.
    lines = [json.loads(line) for line in service.rosterctl("user", "export").stdout.rstrip("\n").split("\n")]
    accounts = run(service, "user", "export")
    assert [a for a in accounts if a not in lines] == []
    assert len(accounts) >= len(lines) > 1
    file = tmp_path / "people.json"
    assert service.rosterctl("user", "export", "--json", "--without-passwords", "--output", file).stdout == ""
    assert not any("password" in account for account in json.loads(file.read_text()))
    for form in ("csv", "jsonl"):
        refuses(service, USAGE, "--json is a format of its own; leave --format out",
                "user", "export", "--json", "--format", form)  # fmt: skip
    done = service.rosterctl("user", "import", file, check=False)
    assert (done.returncode, done.stderr) == (
        FAILED,
        f"{file}:1: this is a JSON list; JSON Lines have an object a line: jq -c '.[]' makes them\n"
        "rosterctl: nothing was imported\n",
    )


def test_an_export_of_nobody(own_service):
    service = own_service()
    service.sql("DELETE FROM users")
    assert service.rosterctl("user", "export", "--json").stdout == "[]\n"


def options_of(service, *words):
    """What --help names, with the names of the values."""
    text = service.rosterctl(*words, "--help").stdout
    return [(name, value or None, words) for name, value, words in re.findall(r"^ .* --([a-z-]+) ?(\S*)  +(.*)$", text, re.M)]


def test_manual_pages(service):
    page = run(service, "man", "rosterctl")
    assert list(page) == ["name", "section", "summary", "options", "commands"]
    assert (page["name"], page["section"], page["summary"]) == ("rosterctl", 8, "look after roster")
    assert [(o["name"], o["value"], o["help"]) for o in page["options"]] == options_of(service)
    for command in page["commands"]:
        assert list(command) == ["name", "argument", "more", "help", "json", "options"]
        words = command["name"].split()
        usage, text, *_ = service.rosterctl(*words, "--help").stdout.splitlines()
        assert usage.split() == ["Usage:", "rosterctl", *words, *(command["argument"] or "").split(),
                                 *(command["more"] or "").split(), "[OPTION]..."]  # fmt: skip
        assert text == command["help"]
        assert [(o["name"], o["value"], o["help"]) for o in command["options"]] == options_of(service, *words)
    page = run(service, "man", "rosterd")
    help_text = subprocess.run([BUILD / "rosterd", "--help"], capture_output=True, text=True).stdout
    named = re.findall(r"^ .* --([a-z-]+) ", help_text, re.M)
    assert [option["name"] for option in page["options"]] == named and len(named) == 7
    page = run(service, "man", "roster.conf")
    assert (page["section"], list(page["options"][0])) == (5, ["name", "help", "allowed", "default"])
    printed = service.rosterctl("man", "roster.conf").stdout
    assert [option["name"] for option in page["options"]] == re.findall(r"^\.B (\w+)$", printed, re.M)


def test_what_completes(service):
    offers = run(service, "completion", "bash")
    for offer in offers:
        assert list(offer) == ["after", "words"]
        assert complete(f"rosterctl {offer['after']} ".replace("  ", " ")) == offer["words"]
    assert {"user", "user export", ""} < {offer["after"] for offer in offers}


# --- audit list


@pytest.fixture(scope="module")
def watched(service):
    """A user about whom there are four events, and what the API says of them."""
    user = service.create()
    for name in ("Ada", "Zoë"):
        service.rosterctl("user", "set", user["username"], f"first_name={name}")
    service.rosterctl("user", "token", user["username"], "--new")
    return user, service.staff.get("/api/events/", params={"subject_uuid": user["uuid"]}).json()


def test_events_as_the_api_tells_them(service, watched):
    user, events = watched
    assert len(events) >= 4
    for name in (user["username"], user["uuid"]):
        assert run(service, "audit", "list", "--user", name) == events
    assert user["uuid"] in service.rosterctl("audit", "list", "--user", user["uuid"]).stdout
    about = ["audit", "list", "--user", user["uuid"]]
    assert run(service, *about, "--event", "user_update_succeeded") == [
        event for event in events if event["event_type"] == "user_update_succeeded"]
    assert run(service, *about, "--event", "user_update_succeeded", "--limit", "1") == [
        event for event in events if event["event_type"] == "user_update_succeeded"][:1]
    assert run(service, *about, "--by", "rosterctl") == [
        event for event in events if event["actor_username"] == "rosterctl"]
    staff = service.staff.get("/api/users/me/").json()["uuid"]
    assert run(service, *about, "--by", staff) == [e for e in events if e["actor_uuid"] == staff]
    when = events[1]["created"]
    assert run(service, *about, "--since", when) == [e for e in events if e["created"] >= when]
    assert run(service, *about, "--until", when) == [e for e in events if e["created"] < when]
    assert run(service, *about, "--until", "2001-01-01") == []
    refuses(service, USAGE, "--event: Select a valid choice. x is not one of the available choices.",
            *about, "--event", "x")


def test_who_it_was_for_people(service, staff):
    """Whoever acts in another's name is named, and an account that is called like a service is not taken for it."""
    user = service.create(username=unique("rosterctl"))
    acted = {"X-Impersonated-User-Uuid": user["uuid"]}
    change = {"agree_with_policy": True, "first_name": "x"}
    assert staff.patch(user["url"], json=change, headers=acted).status_code == 200
    run(service, "user", "set", user["username"], "first_name=y")
    mine, others, made = [
        re.split(r"\s{2,}", line)
        for line in service.rosterctl("audit", "list", "--user", user["uuid"]).stdout.splitlines()
    ]
    subject, changed = f"user {user['uuid']}", "user_update_succeeded"
    me = staff.get("/api/users/me/").json()["uuid"]
    assert mine[1:] == [changed, "(rosterctl)", subject, "-"]
    assert others[1:] == [changed, user["username"], subject, "127.0.0.1", f"impersonated by {me}"]
    assert made[1:] == ["user_creation_succeeded", "staff", subject, "127.0.0.1"]


def waiting_in(pipe):
    n = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, n)
    return n[0]


def add_events(service, subject, n):
    row = f"(RANDOM_BYTES(16), NOW(6), '', 'user_activated', 'user', UNHEX('{subject.replace('-', '')}'))"
    values = ", ".join([row] * n)
    service.sql(f"INSERT INTO audit_events (uuid, created, request_id, event, subject_type, subject_uuid) VALUES {values}")


def test_limits_beyond_a_page(service):
    """Pages of 300 are cut where the limit ends; that there are more is said, unless somebody wanted no more."""
    subject = str(uuid4())
    add_events(service, subject, 650)
    for words, said in (((), "rosterctl: 300 of 650; --limit takes more\n"), (("--limit", "300"), "")):
        assert service.rosterctl("audit", "list", "--user", subject, *words).stderr == said
    for limit, n in (("1", 1), ("300", 300), ("301", 301), ("600", 600), ("1000", 650)):
        words = ["audit", "list", "--user", subject, "--limit", limit]
        assert len({e["uuid"] for e in run(service, *words)}) == n
    assert len(service.rosterctl("audit", "list", "--user", subject, "--limit", "301").stdout.splitlines()) == 301


def test_what_is_added_meanwhile_moves_no_page(service):
    """It waits for its reader at the end of its first page, and the next one follows what it has printed."""
    subject = str(uuid4())
    add_events(service, subject, 650)
    before = {e["uuid"] for e in run(service, "audit", "list", "--user", subject, "--limit", "650")}
    command = [BUILD / "rosterctl", "--config", service.state / "roster.conf"]
    with subprocess.Popen([*command, "audit", "list", "--user", subject, "--limit", "650", "--json"],
                          stdout=subprocess.PIPE) as child:
        eventually(lambda: waiting_in(child.stdout) > 60000, what="a full pipe")
        add_events(service, subject, 100)
        found = [e["uuid"] for e in json.load(child.stdout)]
    assert len(found) == len(set(found)) == 650 and set(found) == before


def test_filters_refused(service):
    for limit in ("0", "-1", "x", "", "9" * 30):
        refuses(service, USAGE, f"{limit} is not a number of events", "audit", "list", f"--limit={limit}")
    nobody = unique("nobody")
    for option, name in (("--user", nobody), ("--user", " "), ("--by", " ")):
        refuses(service, NOT_FOUND, f"there is no user {name}", "audit", "list", option, name)
    assert run(service, "audit", "list", "--user", UNKNOWN) == run(service, "audit", "list", "--by", nobody) == []
    for option in ("--since", "--until"):
        done = service.rosterctl("audit", "list", option, "yesterday", "--json", check=False)
        assert (done.returncode, done.stdout) == (USAGE, "")
        assert done.stderr.startswith(f"rosterctl: {option}: ")
