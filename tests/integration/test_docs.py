"""
README.md and docs/: each command that they tell to type is typed, in their order, and has the effect that they promise.
A command that no test knows fails here, and so does one that a test knows and no page tells any more.
"""

import getpass
import json
import re
import subprocess

import pytest
from docs import Terminal, blocks, commands, pages
from identity import PROVIDERS, Remote, belongs_to
from service import BUILD, TOP, Client, eventually
from users import path_of

PAGES = pages()

# Commands that other tests run: where, and the words that stand there.
ELSEWHERE = {
    "./dev run": ("tests/integration/test_dev.py", "run"),
    "./dev check": (".ci/run", "check"),
    "./dev bench": ("tests/integration/test_dev.py", "bench"),
    "./dev deb": ("dev.d/deb.sh", "check_package"),
    "apt-get install ./package/roster_*.deb": ("debian/tests/lifecycle", 'type_docs "With a database on the same host"'),
    "rosterctl user password admin": (
        "tests/integration/test_rosterctl.py", "def test_a_password_asked_for_at_the_terminal"),
}

# What each command does, by page: a generator that prepares, yields while the command is typed, and looks.
STEPS = {name: {} for name in ("README.md", "docs/configuration.md", "docs/operating.md")}


def does(page, command):
    def note(step):
        STEPS[page][command] = step
        return step

    return note


def follow(page, terminal):
    """Types what a page says."""
    for command in commands(PAGES[page]):
        if command in ELSEWHERE:
            continue
        step = STEPS[page][command](terminal)
        next(step)
        terminal.type(command)
        assert next(step, None) is None


@pytest.fixture
def terminal(daemon, tmp_path):
    return Terminal(daemon(config="drain_timeout = 1\n"), tmp_path)


def says(words):
    """A command that prints these words."""

    def step(t):
        yield
        assert words in t.output

    return step


def works(t):
    yield
    assert t.service.staff.get("/api/users/me/").status_code == 200


# --- all pages


def test_each_command_is_known():
    for page, steps in STEPS.items():
        assert set(commands(PAGES[page])) - set(ELSEWHERE) == set(steps), page
    for page, text in PAGES.items():
        assert page in STEPS or page == "docs/install.md" or commands(text) == [], page
    typed = {command for text in PAGES.values() for command in commands(text)}
    for command, (file, words) in ELSEWHERE.items():
        assert command in typed and words in (TOP / file).read_text(), command


def test_blocks_say_what_they_are():
    """So that no command hides in one that is not looked at."""
    for page, text in PAGES.items():
        languages = re.findall(r"^ *```(\w*)\n.*?^ *```$", text, re.M | re.S)
        assert set(languages) <= {"sh", "sql", "ini", "sshd"}, page
        prose = re.sub(r"^( *)```.*?^\1```$", "", text, flags=re.M | re.S)
        assert not re.search(r"(?:^|\n)\n {4,}\S", prose), page


def test_the_package_types_install_md():
    lifecycle = (TOP / "debian/tests/lifecycle").read_text()
    for section in PAGES["docs/install.md"].split("\n## ")[1:]:
        heading = section.splitlines()[0]
        assert ("```sh" in section) == (f'type_docs "{heading}"' in lifecycle), heading


def test_links_lead_somewhere():
    for page, text in PAGES.items():
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert ((TOP / page).parent / target).is_file(), f"{page}: {target}"


def test_lines_of_roster_conf_are_taken(tmp_path):
    for page, text in PAGES.items():
        for block in blocks(text, "ini"):
            if block.startswith("["):
                continue
            file = tmp_path / "roster.conf"
            file.write_text(block)
            done = subprocess.run([BUILD / "rosterd", "--config", file, "--check-config"], capture_output=True, text=True)
            assert (done.returncode, done.stderr) == (0, ""), f"{page}\n{block}"


def test_each_option_is_in_one_group_of_configuration_md():
    printed = subprocess.run(
        [BUILD / "rosterd", "--config", "/dev/null", "--print-config"], capture_output=True, text=True, check=True).stdout
    options = re.findall(r"^#?(\w+) =", printed, re.M)
    assert len(options) > 40
    groups = re.findall(r"^## .*\n\n((?:`\w+`,?\s)+)\n", PAGES["docs/configuration.md"], re.M)
    assert sorted(re.findall(r"\w+", " ".join(groups))) == sorted(options)


# --- README.md

README = "README.md"
CURL = "curl -H 'Authorization: Token <token>' "


@does(README, CURL + "http://127.0.0.1:8000/api/users/me/")
def me(t):
    yield
    assert json.loads(t.output)["username"] == "staff"


@does(README, CURL + "http://127.0.0.1:8000/api/users/ -d username=alice -d email=alice@example.com")
def create_alice(t):
    yield
    alice = json.loads(t.output)
    assert (alice["username"], alice["email"]) == ("alice", "alice@example.com")
    t.places["<uuid>"] = alice["uuid"]


@does(README, CURL + "'http://127.0.0.1:8000/api/users/?username=alice'")
def find_alice(t):
    yield
    assert [user["uuid"] for user in json.loads(t.output)] == [t.places["<uuid>"]]


does(README, CURL + "-d new_password='correct horse battery' http://127.0.0.1:8000/api/users/<uuid>/change_password/")(
    says("password set"))


@does(README, "curl -d username=alice --data-urlencode 'password=correct horse battery' "
              "http://127.0.0.1:8000/api-auth/password/")
def sign_in_as_alice(t):
    yield
    assert json.loads(t.output) == {"token": t.service.token_of({"uuid": t.places["<uuid>"]})}


@does(README, "(umask 027; rosterctl key new >/etc/roster/keys)")
def make_keys(t):
    """Beside the instance's own."""
    t.places["/etc/roster/keys"] = str(t.folder / "keys")
    yield
    assert re.search(r"^1 [0-9a-f]{64}$", (t.folder / "keys").read_text(), re.M)
    assert (t.folder / "keys").stat().st_mode & 0o777 == 0o640


does(README, "rosterctl migrate")(works)


@does(README, "rosterctl user create admin --email admin@example.org --staff")
def create_admin(t):
    yield
    (admin,) = t.service.staff.get("/api/users/?username=admin").json()
    assert admin["is_staff"] is True


@does(README, "rosterctl user token admin")
def token_of_admin(t):
    yield
    assert Client(t.service, t.output.strip()).get("/api/users/me/").json()["username"] == "admin"


@does(README, "rosterctl user import --dry-run people.csv")
def look_at_an_import(t):
    (t.folder / "people.csv").write_text("username,email\nbob,bob@example.org\n")
    yield
    assert t.service.staff.get("/api/users/?username=bob").json() == []


@does(README, "rosterctl user import people.csv")
def import_people(t):
    yield
    assert [user["email"] for user in t.service.staff.get("/api/users/?username=bob").json()] == ["bob@example.org"]


does(README, "rosterctl user create ssh-hosts --email admin@example.org --token-lifetime never")(works)


@does(README, "rosterctl user token ssh-hosts")
def token_of_hosts(t):
    t.service.change_config("authorized_keys_readers = ssh-hosts")
    t.service.renew()
    yield
    (t.folder / "token").write_text(t.output)
    answer = Client(t.service, t.output.strip()).get("/api/keys/authorized/alice")
    assert answer.status_code == 200
    assert answer.text == ""


does(README, "useradd --system --no-create-home --shell /usr/sbin/nologin roster-keys")(works)


@does(README, "install -m 755 contrib/roster-authorized-keys /usr/local/libexec/")
def install_the_command(t):
    yield
    assert (t.folder / "roster-authorized-keys").stat().st_mode & 0o777 == 0o755


@does(README, "install -m 640 -g roster-keys token /etc/ssh/roster-token")
def install_the_token(t):
    yield
    words = [t.folder / "roster-authorized-keys", "-m", "0", t.service.url, t.folder / "roster-token", getpass.getuser()]
    done = eventually(lambda: (d := subprocess.run(words, capture_output=True, text=True)).returncode == 0 and d)
    assert (done.stdout, done.stderr) == ("", "")


def test_readme(terminal):
    follow(README, terminal)


# --- docs/configuration.md

CONFIGURATION = "docs/configuration.md"


@does(CONFIGURATION, "rosterd --print-config")
def print_config(t):
    yield
    file = t.folder / "roster.conf"
    file.write_text(t.output)
    again = subprocess.run([BUILD / "rosterd", "--config", file, "--print-config"], capture_output=True, text=True)
    assert (again.returncode, again.stdout) == (0, t.output)


@does(CONFIGURATION, "rosterd --set log_level=debug --set api_workers=8 --print-config")
def print_what_would_be(t):
    yield
    assert "\nlog_level = debug\n" in t.output and "\napi_workers = 8\n" in t.output


@does(CONFIGURATION, "rosterd --check-config")
def check_config(t):
    t.service.change_config("slow_workers = 3")
    yield


does(CONFIGURATION, "rosterd --check-start")(works)


@does(CONFIGURATION, "systemctl reload rosterd")
def reload_workers(t):
    yield
    assert (t.service.state / "run/slow/2.sock").exists()


@does(CONFIGURATION, "rosterctl nginx >/etc/roster/nginx-upstreams.conf")
def write_upstreams(t):
    yield
    assert "/slow/2.sock" in (t.service.state / "nginx/upstreams.conf").read_text()


@does(CONFIGURATION, "nginx -s reload")
def reload_nginx(t):
    with t.service.renewed_nginx():
        yield
    ready(t.service)


@does(CONFIGURATION, "rosterctl doctor")
def look_at_all(t):
    t.service.change_config("smtp_url =")
    yield
    assert re.search(r"^good +sockets +all workers listen$", t.output, re.M)
    assert "faulty" not in t.output


does(CONFIGURATION, "rosterctl calibrate")(says("OWASP"))


def test_configuration(terminal):
    follow(CONFIGURATION, terminal)


# --- docs/operating.md

OPERATING = "docs/operating.md"


def ready(service):
    eventually(lambda: service.nobody.get("/health/ready").status_code == 200, what="readiness")


does(OPERATING, "curl -fsS https://roster.example.org/health/live")(says("ok"))
does(OPERATING, "curl -fsS https://roster.example.org/health/ready")(says("ok"))
does(OPERATING, "curl -fsS https://roster.example.org/metrics")(says("roster_http_requests_total"))
does(OPERATING, "promtool check rules /usr/share/doc/roster/examples/prometheus-alerts.yml")(says("SUCCESS"))
EVENTS = "rosterctl audit list --since 2026-11-24"
does(OPERATING, f"{EVENTS} --until 2026-12-01")(works)
does(OPERATING, "rosterctl audit list --by rosterctl --event role_granted")(works)


@does(OPERATING, f"{EVENTS} --json --limit 1000000 >events.json")
def keep_events(t):
    yield
    kept = json.loads((t.folder / "events.json").read_text())
    assert len(kept) == t.service.sql("SELECT COUNT(*) FROM audit_events WHERE created >= '2026-11-24'")[0][0] > 0


OLD_EVENTS = "DELETE FROM audit_events WHERE created < UTC_TIMESTAMP() - INTERVAL 3 YEAR LIMIT 10000"


@does(OPERATING, f'mariadb roster -e "{OLD_EVENTS}"')
def delete_old_events(t):
    count = "SELECT COUNT(*) FROM audit_events"
    ((before,),) = t.service.sql(count)
    t.service.sql("UPDATE audit_events SET created = created - INTERVAL 1100 DAY ORDER BY id LIMIT 1")
    yield
    assert t.service.sql(count) == ((before - 1,),)


does(OPERATING, "rosterd --check-start")(works)
does(OPERATING, "systemctl reload rosterd")(works)


@does(OPERATING, "rosterctl nginx >/etc/roster/nginx-upstreams.conf")
def write_more_upstreams(t):
    t.service.change_config("api_workers = 3")
    t.service.reload()
    yield
    assert "/api/2.sock" in (t.service.state / "nginx/upstreams.conf").read_text()


@does(OPERATING, "nginx -s reload")
def reload_nginx_again(t):
    with t.service.renewed_nginx():
        yield
    ready(t.service)


does(OPERATING, "rosterctl migrate --status")(says("applied"))
does(OPERATING, "rosterctl migrate")(works)


@does(OPERATING, "rosterctl key new")
def make_a_key(t):
    """Something is sealed before."""
    t.account = t.service.account()
    yield
    t.key = re.search(r"^1 ([0-9a-f]{64})$", t.output, re.M)[1]
    t.done_by["editor /etc/roster/keys"] = lambda: edit(t.service.state / "keys", t.key)


def edit(file, key):
    """Adds the key below the old one, then puts it in front, then leaves nothing but it."""
    new, lines = f"2 {key}", [line for line in file.read_text().splitlines() if line[0] != "#"]
    if new not in lines:
        lines.append(new)
    elif lines[0] != new:
        lines.reverse()
    else:
        lines = [new]
    file.write_text("\n".join(lines) + "\n")


@does(OPERATING, "editor /etc/roster/keys")
def edit_keys(t):
    yield
    t.service.renew()
    assert t.account.get("/api/users/me/").json()["uuid"] == t.account.user["uuid"]


@does(OPERATING, "rosterctl key reseal --dry-run")
def see_what_is_old(t):
    yield
    ((tokens,),) = t.service.sql("SELECT COUNT(*) FROM tokens")
    assert f"tokens: {tokens} by an older key, resealed 0, left {tokens}\n" in t.output


@does(OPERATING, "rosterctl key reseal")
def reseal(t):
    yield
    assert t.service.sql("SELECT DISTINCT ORD(sealed) FROM tokens") == ((2,),)


@does(OPERATING, "rosterctl doctor")
def look_for_older(t):
    t.service.change_config("smtp_url =")
    yield
    assert re.search(r"^good +sealed +the keys open what is in the database$", t.output, re.M)


@does(OPERATING, "install -d -m 0700 /var/backups/roster")
def make_a_place(t):
    t.places["/var/backups/roster"] = str(t.folder / "backups")
    yield
    assert (t.folder / "backups").stat().st_mode & 0o777 == 0o700


@does(OPERATING, "roster-backup save /var/backups/roster")
def save(t):
    yield
    t.places["/var/backups/roster/roster-20261124T020000Z-4711.sql.gz"] = t.output.strip()


@does(OPERATING, "systemctl stop rosterd")
def stop(t):
    t.late = t.service.create()
    yield
    assert t.service.nobody.get("/api/users/me/").status_code == 502


@does(OPERATING, "roster-backup restore --replace /var/backups/roster/roster-20261124T020000Z-4711.sql.gz")
def restore(t):
    yield
    ((found,),) = t.service.sql("SELECT COUNT(*) FROM users WHERE username = %s", t.account.user["username"])
    assert found == 1


@does(OPERATING, "systemctl start rosterd")
def start(t):
    """After the restore; later after the lost key, when everybody has to sign in again."""
    yield
    if t.key_lost:
        sign_in_again(t)
        return
    assert t.account.get("/api/users/me/").json()["uuid"] == t.account.user["uuid"]
    assert t.service.staff.get(path_of(t.late)).status_code == 404


@does(OPERATING, "(umask 027; rosterctl key new >/etc/roster/keys)")
def make_new_keys(t):
    t.service.rosterctl("user", "create", "ssh-hosts", "--email", "admin@example.org")
    t.service.rosterctl(
        "provider", "create", "campus", "--client-secret-file", "-", "--refresh-token-file", "-", stdin="lost\nlost\n")
    (t.service.state / "keys").unlink()
    yield
    assert re.search(r"^1 [0-9a-f]{64}$", (t.service.state / "keys").read_text(), re.M)


@does(OPERATING, "chgrp roster /etc/roster/keys")
def give_keys(t):
    yield
    assert (t.service.state / "keys").stat().st_mode & 0o777 == 0o640


@does(OPERATING, "mariadb roster <lost-key.sql")
def drop_what_is_lost(t):
    (statements,) = blocks(PAGES[OPERATING], "sql")
    (t.folder / "lost-key.sql").write_text(statements)
    yield
    assert t.service.sql("SELECT * FROM tokens") == ()
    t.key_lost = True


def sign_in_again(t):
    assert t.service.staff.get("/api/users/me/").status_code == 401
    answer = t.service.nobody.post("/api-auth/password/", json=t.service.staff_credentials)
    assert answer.status_code == 200
    t.service.staff = Client(t.service, answer.json()["token"])
    t.places["<token>"] = t.service.staff.token


@does(OPERATING, "rosterctl user token --new ssh-hosts")
def new_token_of_hosts(t):
    yield
    assert Client(t.service, t.output.strip()).get("/api/users/me/").json()["username"] == "ssh-hosts"


def has_secrets(t):
    (provider,) = t.service.staff.get(f"{PROVIDERS}?name=campus").json()
    return [provider["has_client_secret"], provider["has_refresh_token"]]


@does(OPERATING, "rosterctl provider set campus --client-secret-file - --refresh-token-file - <secrets")
def set_secrets(t):
    (t.folder / "secrets").write_text("open sesame\nrefresh\n")
    assert has_secrets(t) == [False, False]
    yield
    assert has_secrets(t) == [True, True]


@does(OPERATING, "rosterctl provider set eduteams --sync-interval 86400 --sync-in-flight 4 --sync-rate 10")
def set_interval(t):
    """Of a provider that knows one user."""
    t.remote = Remote()
    assert t.service.staff.post(PROVIDERS, json=t.remote.settings(sync_interval=0)).status_code == 201
    t.user = t.service.create(first_name="Old")
    belongs_to(t.service, t.user, "eduteams")
    t.remote.users[t.user["username"]] = {"voperson_id": t.user["username"], "given_name": "New"}
    yield
    (provider,) = t.service.staff.get(f"{PROVIDERS}?name=eduteams").json()
    assert [provider[f"sync_{field}"] for field in ("interval", "in_flight", "rate")] == [86400, 4, 10]


does(OPERATING, "rosterctl sync status")(says("eduteams"))


@does(OPERATING, "rosterctl sync run eduteams --all")
def sync_all(t):
    yield
    # By this command, or by rosterd, which has learnt of the interval meanwhile.
    assert re.fullmatch(r"eduteams: synced [01], failed 0\n", t.output)
    eventually(lambda: t.service.staff.get(path_of(t.user)).json()["first_name"] == "New", what="the sync")
    t.remote.close()


def test_operating(terminal):
    follow(OPERATING, terminal)
