"""rosterctl doctor and calibrate."""

import contextlib
import json
import re
import subprocess
import time

from service import BUILD, TOP, unique
from test_database import Proxy


def look(service, *words, **options):
    """The checks' states and messages, and the exit status, with other options of the configuration."""
    sets = [word for name, value in options.items() for word in ("--set", f"{name}={value}")]
    done = service.rosterctl(*sets, "doctor", "--json", *words, check=False)
    checks = json.loads(done.stdout)
    return {check["check"]: (check["state"], check["message"]) for check in checks}, done.returncode


def test_all_is_well(service, tmp_path):
    view = tmp_path / "upstreams.conf"
    view.write_text(service.rosterctl("nginx").stdout)
    found, status = look(service, "--upstreams", view)
    assert status == 0
    assert list(found) == [
        "database", "schema", "clock", "key file", "sealed", "sockets", "nginx", "mail",
        "templates", "outbox", "readers", "memory",
    ]
    assert {state for state, _ in found.values()} == {"good"}
    assert service.rosterctl("doctor", "--upstreams", view).stdout.startswith("good     database  it answers\n")


def test_nginx_has_its_file_where_the_package_puts_it(service):
    state, message = look(service)[0]["nginx"]
    path, reason = message.split(": ", 1)
    assert state == "skipped" and reason.startswith("No such file or directory; make it with rosterctl nginx")
    assert path.endswith("/etc/roster/nginx-upstreams.conf") and path in service.rosterctl("doctor", "--help").stdout
    for file in ("debian/rules", "README.md"):
        assert "/etc/roster/nginx-upstreams.conf" in (TOP / file).read_text()


def test_each_fault_is_named(own_service, tmp_path):
    service = own_service()
    view = tmp_path / "upstreams.conf"
    view.write_text("old")
    key = subprocess.run([BUILD / "rosterctl", "key", "new"], capture_output=True, text=True, check=True).stdout
    (service.state / "keys").write_text(key)
    service.sql("DELETE FROM schema_migrations ORDER BY number DESC LIMIT 1")
    found, status = look(service, "--upstreams", view, "--upstreams", view)
    assert status == 1
    assert found["schema"][0] == "faulty" and "run rosterctl migrate" in found["schema"][1]
    assert found["sealed"] == ("skipped", "not looked at without the key file or the schema")
    assert found["nginx"] == (
        "faulty",
        f"{view} is of another configuration: make it again with rosterctl nginx, and reload nginx",
    )


def test_a_database_that_is_only_read(own_service):
    """A replica answers, and serves what is only read."""
    service = own_service()
    service.sql("SET GLOBAL read_only = 1")
    try:
        found, status = look(service)
        assert (found["database"], status) == (
            ("faulty", "it is read_only: name the server that takes writes in the option file, or make it one"), 1)
        done = service.rosterctl("user", "create", unique("u"), "--email", "u@example.org", check=False)
        assert done.returncode == 1
        assert "the server is run with an option that forbids it, as read_only (1290, HY000)" in done.stderr
    finally:
        service.sql("SET GLOBAL read_only = 0")
    assert look(service)[0]["database"] == ("good", "it answers")


def test_keys_of_another_database(own_service):
    service = own_service()
    key = subprocess.run([BUILD / "rosterctl", "key", "new"], capture_output=True, text=True, check=True).stdout
    (service.state / "keys").write_text(key)
    found, status = look(service)
    assert (status, found["sealed"][0]) == (1, "faulty")
    assert found["sealed"][1].startswith("the keys do not open what is in the database: put the key file back")
    (service.state / "keys").chmod(0o644)
    found, status = look(service)
    assert (status, found["key file"][0], found["sealed"][0]) == (1, "faulty", "skipped")


def test_what_an_older_key_has_sealed(own_service):
    service = own_service()
    user = service.create()
    keys = service.state / "keys"
    new = subprocess.run([BUILD / "rosterctl", "key", "new"], capture_output=True, text=True, check=True).stdout
    keys.write_text(new.splitlines()[-1].replace("1 ", "2 ", 1) + "\n" + keys.read_text())
    ((tokens,),) = service.sql("SELECT COUNT(*) FROM tokens")
    ((mails,),) = service.sql("SELECT COUNT(*) FROM mail_outbox")
    old = tokens + mails
    words = "the keys open what is in the database, of which {} were sealed by an older one; rosterctl key reseal"
    assert look(service)[0]["sealed"] == ("good", words.format(old))
    service.rosterctl("user", "token", user["username"], "--new")
    assert look(service)[0]["sealed"] == ("good", words.format(old - 1))


def test_without_a_service(own_service):
    service = own_service()
    service.down()
    found, status = look(service)
    assert status == 1
    assert {name: state for name, (state, _) in found.items()} == {
        "database": "faulty",
        "schema": "skipped",
        "clock": "skipped",
        "key file": "good",
        "sealed": "skipped",
        "sockets": "faulty",
        "nginx": "skipped",
        "mail": "faulty",
        "templates": "good",
        "outbox": "skipped",
        "readers": "skipped",
        "memory": "good",
    }
    assert "start rosterd" in found["sockets"][1] and "Couldn't connect to server; look at the options" in found["mail"][1]


def test_the_clock_of_the_database(service, tmp_path):
    """Its sessions begin with a time of their own, which stands still, as if the host's clock were so much off."""
    for seconds, state in ((0, "good"), (3600, "faulty"), (-3600, "faulty")):
        options = tmp_path / "roster.cnf"
        options.touch(0o600)
        command = f"init-command='SET timestamp = UNIX_TIMESTAMP(SYSDATE(6)) + {seconds}'\n" if seconds else ""
        options.write_text((service.state / "roster.cnf").read_text() + command)
        began = time.monotonic()
        found, status = look(service, database=options)
        took = time.monotonic() - began
        assert (found["clock"][0], status) == (state, int(state == "faulty"))
        words = re.fullmatch(r"the database's differs by (-?[0-9.]+) s(.*)", found["clock"][1])
        assert abs(float(words[1]) - seconds) < took and words[1] != "-0.000"
        advice = ": tokens expire at the wrong time; let an NTP client keep the clocks of both hosts"
        assert words[2] == (advice if seconds else "")


class Late(Proxy):
    """Its fault is that the answer to what follows the text is late."""

    COMMIT = b"\x17"  # the execution of what was prepared

    def strike(self, server, data):
        self.fault = None
        server.sendall(data)
        time.sleep(2.2)
        return True


def test_a_late_answer_is_no_wrong_clock(service, tmp_path):
    with contextlib.closing(Late(tmp_path / "late", service.database_socket)) as proxy:
        options = tmp_path / "roster.cnf"
        options.touch(0o600)
        own = (service.state / "roster.cnf").read_text()
        options.write_text(re.sub(r"(?m)^socket=.*", f"socket={tmp_path}/late", own))
        proxy.set("late", after="UTC_TIMESTAMP")
        found, _ = look(service, database=options)
        assert proxy.fault is None, "it has struck"
    assert found["clock"] == ("good", "the database's differs by 0.000 s")


def test_the_folder_of_templates(service, tmp_path):
    assert look(service)[0]["templates"] == ("good", "mail_templates is not set: the built-in ones")
    assert look(service, mail_templates=tmp_path)[0]["templates"] == ("good", f"{tmp_path} is there")
    folder = tmp_path / "nothing"
    found, status = look(service, mail_templates=folder)
    assert (status, found["templates"]) == (
        1,
        (
            "faulty",
            f"{folder}: No such file or directory; make the folder, or correct mail_templates: "
            "the built-in ones are sent",
        ),
    )


def test_readers_of_keys(service):
    user, nobody = service.create()["username"], unique("nobody")
    good = ("good", "authorized_keys_readers names users only")
    for readers in ("", user, f" {user} , staff,"):
        assert look(service, authorized_keys_readers=readers)[0]["readers"] == good
    for unknown in (nobody, user.upper()):
        found, status = look(service, authorized_keys_readers=f"{user}, {unknown}")
        assert (status, found["readers"]) == (
            1,
            ("faulty", f"there is no user {unknown}: correct authorized_keys_readers, or create the user"),
        )


def test_memory_for_all_who_hash(service):
    """More than any host has; and what is enough."""
    needs = "argon2 takes {} MiB, [0-9]+ MiB are free( in the control group /.*)?"
    found, status = look(service, argon2_memory=1048576, slow_workers=256, worker_memory=0)
    assert (found["memory"][0], status) == ("faulty", 1)
    assert re.fullmatch(needs.format(262144) + ": lower slow_workers or argon2_memory"
                        "(, or raise the group's limit, MemoryMax= of its unit)?", found["memory"][1])  # fmt: skip
    found, status = look(service)
    assert (found["memory"][0], status) == ("good", 0)
    workers = len(json.loads(service.rosterctl("nginx", "--json").stdout)[1]["servers"])
    assert re.fullmatch(needs.format(workers * 19456 // 1024), found["memory"][1])


def test_mails_that_were_given_up(own_service):
    service = own_service(config="smtp_url =")
    assert look(service)[0]["outbox"] == ("good", "0 wait, 0 of them after a failure")
    user = service.account()
    path = f"/api/users/{user.user['uuid']}/change_email/"
    for name in ("a", "b", "c"):
        assert user.post(path, json={"email": f"{name}@example.org"}).status_code == 200
    ((n,),) = service.sql("SELECT COUNT(*) FROM mail_outbox")
    assert look(service)[0]["outbox"] == ("good", f"{n} wait, 0 of them after a failure")
    service.sql("UPDATE mail_outbox SET attempts = 2 WHERE recipient = 'a@example.org'")
    assert look(service)[0]["outbox"] == ("good", f"{n} wait, 1 of them after a failure")
    service.sql("UPDATE mail_outbox SET due = NULL, attempts = 9, error = 'no such box' WHERE recipient <> 'a@example.org'")
    given_up = n - 1
    assert look(service)[0]["outbox"] == (
        "good",
        f"1 wait, 1 of them after a failure; {given_up} were given up: rosterctl mail list --failed says why, "
        "rosterctl mail retry tries again",
    )
    assert len(service.rosterctl("mail", "list", "--failed").stdout.splitlines()) == given_up
    service.rosterctl("mail", "retry", "all")
    assert look(service)[0]["outbox"] == ("good", f"{n} wait, 1 of them after a failure")


def test_calibrate(service):
    sets = json.loads(service.rosterctl("calibrate", "--json").stdout)
    assert [(s["origin"], s["argon2_memory"], s["argon2_passes"], s["argon2_lanes"]) for s in sets] == [
        ("roster.conf", 19456, 2, 1),
        ("OWASP", 47104, 1, 1),
        ("OWASP", 19456, 2, 1),
        ("OWASP", 12288, 3, 1),
        ("OWASP", 9216, 4, 1),
        ("OWASP", 7168, 5, 1),
        ("RFC 9106, second", 65536, 3, 4),
        ("RFC 9106, first", 2097152, 1, 4),
    ]
    assert all(s["microseconds"] > 0 for s in sets[:-1])
