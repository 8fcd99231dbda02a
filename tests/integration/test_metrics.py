"""What operators look at: the numbers at /metrics, and whether the service is ready."""

import contextlib
import http.client
import os
import re
import signal
import subprocess

import pytest
import yaml
from service import TOP, Client, eventually, unique

SAMPLE = re.compile(r"(?P<name>[a-z_]+)(?:\{(?P<labels>.*)\})? (?P<value>[0-9.]+)")
ALERTS = TOP / "contrib/prometheus-alerts.yml"
LABEL = re.compile(r'([a-z_]+)="([^"]*)"')


@pytest.fixture(scope="module")
def instance():
    """One instance whose requests are this file's alone, with several workers a lane."""
    from service import Service

    service = Service(workers=3)
    yield service
    service.close()


def scrape(service):
    """{"name": {(("label", "value"), ...): number}}"""
    answer = Client(service, None).get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    families = {}
    for line in answer.text.splitlines():
        if line.startswith("#"):
            continue
        found = SAMPLE.fullmatch(line)
        assert found, line
        labels = tuple(sorted(LABEL.findall(found["labels"] or "")))
        family = families.setdefault(found["name"], {})
        assert labels not in family, line
        family[labels] = float(found["value"])
    return families


def number(families, name, **labels):
    return families.get(name, {}).get(tuple(sorted(labels.items())), 0)


class Growth:
    """What has been counted since this was made."""

    def __init__(self, service):
        self.service = service
        self.before = scrape(service)

    def of(self, name, **labels):
        return number(scrape(self.service), name, **labels) - number(self.before, name, **labels)

    def requests(self, method, route, status):
        return self.of("roster_http_requests_total", method=method, route=route, status=str(status))

    def durations(self, method, route):
        return self.of("roster_http_request_duration_seconds_count", method=method, route=route)


def version(service, times):
    for _ in range(times):
        assert service.staff.get("/api/version/").status_code == 200


def test_promtool_has_nothing_to_say(instance):
    done = subprocess.run(
        ["promtool", "check", "metrics"],
        input=Client(instance, None).get("/metrics").text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "")


def alerts():
    return yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]


# What a minute's scrapes have found, while all is well at first, then not, then again: numbers, in promtool's words.
REQUESTS = 'roster_http_requests_total{route="/api/users/",status="%s"}'
DURATIONS = 'roster_http_request_duration_seconds_bucket{route="%s",le="%s"}'
WAITS = 'roster_queue_duration_seconds_bucket{lane="slow",le="%s"}'
SICK = "0+0x10 0+60x20 1200+0x90"
WELL = "0+600x120"
NONE = "0+0x120"
CASES = [
    ("RosterErrors", {}, {REQUESTS % 500: SICK, REQUESTS % 200: WELL}),
    ("RosterErrors", None, {REQUESTS % 429: SICK, REQUESTS % 200: WELL}),
    *(("RosterSlow", fires, {DURATIONS % (route, le): NONE if le == "0.5" else SICK for le in ("0.5", "1", "+Inf")})
      for fires, route in (({}, "/api/users/"), (None, "/api-auth/password/"), (None, "/api/users/{uuid}/change_password/"),
                           (None, "/api/users/{uuid}/pull_remote_user/"), (None, "/api/remote-eduteams/"))),
    ("RosterQueue", {"lane": "slow"}, {WAITS % "1": NONE, WAITS % "2.5": SICK, WAITS % "+Inf": SICK}),
    ("RosterProcessMissing", {"process": "keeper"}, {'roster_processes{process="keeper"}': "1x10 0x20 1x90"}),
    ("RosterProcessCrashes", {"process": "api"},
     {'roster_process_exits_total{process="api",reason="killed"}': "0+0x10 0+1x20 20+0x90"}),
    ("RosterProcessCrashes", None, {'roster_process_exits_total{process="api",reason="left"}': SICK}),
    ("RosterDatabase", {}, {'roster_database_errors_total{kind="failed"}': SICK}),
    ("RosterDatabaseAway", {"instance": "a"},
     {'roster_database_errors_total{kind="again",instance="a"}': SICK,
      'roster_database_commit_duration_seconds_count{instance="a"}': NONE,
      'roster_database_errors_total{kind="again",instance="b"}': NONE,
      'roster_database_commit_duration_seconds_count{instance="b"}': WELL}),
    ("RosterDatabaseAway", None, {'roster_database_errors_total{kind="again"}': SICK,
                                  "roster_database_commit_duration_seconds_count": WELL}),
    ("RosterMailStuck", {}, {'roster_mail_outbox{state="retrying"}': "0x10 11x20 0x90"}),
    ("RosterMailStuck", {}, {'roster_mail_outbox{state="given_up"}': "0x10 1x110"}),
    ("RosterGuessing", {}, {'roster_signins_total{result="locked"}': "0+0x10 0+600x20 12000+0x90"}),
    ("RosterDown", {"job": "roster"}, {'up{job="roster"}': "1x10 0x20 1x90"}),
    ("RosterDown", {"job": "roster"}, {'up{job="roster"}': "1x10 _x20 1x90"}),
]


def seen(rule, labels, at, fires):
    said = rule["annotations"]["summary"]
    for label, value in labels.items():
        said = said.replace("{{ $labels.%s }}" % label, value)
    fired = {"exp_labels": {**rule["labels"], **labels}, "exp_annotations": {"summary": said}}
    return {"eval_time": at, "alertname": rule["alert"], "exp_alerts": [fired] if fires else []}


def test_alerts_fire_and_end(tmp_path):
    """promtool evaluates them: silent at 9 minutes, all that should firing at 29, and none at 100."""
    rules = {rule["alert"]: rule for rule in alerts()}
    assert set(rules) == {alert for alert, _, _ in CASES}
    tests = [
        {"interval": "1m",
         "input_series": [{"series": name, "values": values} for name, values in series.items()]
         + ([{"series": 'up{job="roster"}', "values": "1x120"}] if alert != "RosterDown" else []),
         "alert_rule_test": [seen(rules[alert], labels or {}, at, labels is not None and at == "29m")
                             for at in ("9m", "29m", "100m")]}
        for alert, labels, series in CASES
    ]
    file = tmp_path / "test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": tests}))
    done = subprocess.run(["promtool", "test", "rules", file], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout


def test_rules_for_alerts_ask_for_numbers_that_there_are(instance):
    """Also by labels that these have."""
    rules = alerts()
    instance.create()
    instance.nobody.post("/api-auth/password/", json={"username": "nobody", "password": "wrong"})
    families = scrape(instance)
    for rule in rules:
        asked = re.findall(r"(roster_\w+)(?:\{(.*?)\})?", rule["expr"])
        assert asked or rule["alert"] == "RosterDown"
        for name, labels in asked:
            assert name in families, rule["alert"]
            names = {label for key in families[name] for label, _ in key}
            assert set(re.findall(r"(\w+)[!=]", labels)) <= names, name
        for label in re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]):
            assert label in names | {"instance"}, rule["alert"]


def test_requests_are_counted_by_route_and_status(instance):
    growth = Growth(instance)
    user = instance.create()
    path = f"/api/users/{user['uuid']}/"
    ask = [
        ("GET", path, 200),
        ("GET", path, 200),
        ("HEAD", path, 200),
        ("GET", "/api/users/00000000000000000000000000000000/", 404),
        ("PATCH", path, 400),
        ("DELETE", path, 204),
        ("OPTIONS", path, 200),
        ("POST", path, 405),
        ("GET", "/api/nothing/", 404),
        ("BREW", path, 405),
    ]
    for method, where, status in ask:
        body = {"json": []} if method == "PATCH" else {}
        assert instance.staff.request(method, where, **body).status_code == status
    row = "/api/users/{uuid}/"
    assert growth.requests("GET", row, 200) == 4  # one by create(), and HEAD
    assert growth.requests("GET", row, 404) == 1
    assert growth.requests("PATCH", row, 400) == 1
    assert growth.requests("DELETE", row, 204) == 1
    assert growth.requests("OPTIONS", "none", 200) == 1
    assert growth.requests("POST", "none", 405) == 1
    assert growth.requests("GET", "none", 404) == 1
    assert growth.requests("OTHER", "none", 405) == 1
    assert growth.requests("POST", "/api/users/", 201) == 1
    assert growth.durations("GET", row) == 5


def test_no_path_that_was_asked_for_is_a_label(instance):
    for path in ["x", "users/x", "a/b/c", "users/%22%5C%0A"]:
        instance.staff.get(f"/api/{unique()}/{path}/")
    families = scrape(instance)
    routes = {dict(labels)["route"] for labels in families["roster_http_requests_total"]}
    assert all("{" in r or "x-" not in r for r in routes)
    assert routes == {
        dict(labels)["route"] for labels in families["roster_http_request_duration_seconds_count"]
    }


def test_all_workers_count_together(instance):
    growth = Growth(instance)
    clients = [Client(instance, instance.env["STAFF_TOKEN"]) for _ in range(4)]
    for _ in range(25):
        for client in clients:
            assert client.get("/api/version/").status_code == 200
    assert growth.requests("GET", "/api/version/", 200) == 100
    assert growth.durations("GET", "/api/version/") == 100
    families = scrape(instance)
    name = "roster_http_request_duration_seconds"
    labels = {"method": "GET", "route": "/api/version/"}
    buckets = [
        value
        for key, value in families[f"{name}_bucket"].items()
        if labels.items() <= dict(key).items()
    ]
    assert buckets == sorted(buckets)
    assert number(families, f"{name}_bucket", le="+Inf", **labels) == number(
        families, f"{name}_count", **labels
    )
    assert 0 < number(families, f"{name}_sum", **labels) < 100 * 30


def test_what_a_killed_worker_has_counted_stays(instance):
    """Also what its successor counts, in the same memory."""
    growth = Growth(instance)
    version(instance, 30)
    instance.expect_log("was ended by signal 9")
    for pid in instance.children("rosterd api")[:2]:
        os.kill(pid, signal.SIGKILL)
    eventually(
        lambda: growth.of("roster_process_exits_total", process="api", reason="killed") == 2,
        what="the count of killed processes",
    )
    version(instance, 30)
    assert growth.requests("GET", "/api/version/", 200) == 60
    eventually(
        lambda: number(scrape(instance), "roster_processes", process="api") == 3,
        what="all workers",
    )


def test_a_reload_loses_no_count(instance):
    growth = Growth(instance)
    for _ in range(3):
        version(instance, 10)
        instance.reload()
    version(instance, 10)
    assert growth.requests("GET", "/api/version/", 200) == 40
    assert growth.of("roster_process_starts_total", process="api") == 9
    eventually(
        lambda: growth.of("roster_process_exits_total", process="api", reason="left") == 9,
        what="the end of those that have handed over",
    )
    assert growth.of("roster_process_starts_total", process="master") == 0


def test_signins_and_hashes(instance):
    user = instance.create()
    instance.staff.post(
        f"/api/users/{user['uuid']}/change_password/", json={"new_password": "a heron on the roof"}
    )
    growth = Growth(instance)
    for password in ["wrong", "a heron on the roof", "wrong", "wrong", "wrong", "wrong", "wrong"]:
        Client(instance, None).post(
            "/api-auth/password/", json={"username": user["username"], "password": password}
        )
    assert growth.of("roster_signins_total", result="good") == 1
    assert growth.of("roster_signins_total", result="bad") == 5
    assert growth.of("roster_signins_total", result="locked") == 1
    assert growth.of("roster_password_hash_duration_seconds_count") == 6
    assert growth.of("roster_password_hash_duration_seconds_sum") > 0


def test_the_database_is_timed(instance):
    growth = Growth(instance)
    instance.create(agreed=False)
    assert growth.of("roster_database_statement_duration_seconds_count") >= 3
    assert growth.of("roster_database_commit_duration_seconds_count") >= 1
    assert number(scrape(instance), "roster_database_connections_total") >= 3


def test_failures_and_retries_of_the_database(instance):
    user = instance.create()
    growth = Growth(instance)
    connection_ids = instance.sql(
        "SELECT id FROM information_schema.processlist WHERE user = 'roster'"
    )
    for (connection,) in connection_ids:
        instance.sql(f"KILL {int(connection)}")
    assert instance.staff.get(f"/api/users/{user['uuid']}/").status_code == 200
    assert growth.of("roster_database_connections_total") >= 1


def test_the_outbox(instance):
    def waiting(**states):
        return all(
            number(scrape(instance), "roster_mail_outbox", state=state) == n
            for state, n in states.items()
        )

    for name, due, attempts in [("waiting", True, 0), ("retrying", True, 1), ("given_up", False, 20)]:
        instance.sql(
            "INSERT INTO mail_outbox (uuid, created, recipient, template, sealed, due, attempts)"
            " VALUES (UNHEX(REPLACE(UUID(), '-', '')), NOW(6), 'x@example.org', %s, '',"
            "  IF(%s, NOW(6) + INTERVAL 1 DAY, NULL), %s)",
            name,
            due,
            attempts,
        )
    eventually(lambda: waiting(waiting=1, retrying=1, given_up=1), what="the numbers of mails")
    instance.sql("DELETE FROM mail_outbox")
    eventually(lambda: waiting(waiting=0, retrying=0, given_up=0), what="the empty outbox")


def test_processes(instance):
    families = scrape(instance)
    assert number(families, "roster_workers_busy", lane="api") == 1  # the one that answers this
    assert number(families, "roster_workers_busy", lane="slow") == 0
    for process, n in [("master", 1), ("api", 3), ("slow", 1), ("keeper", 1), ("mailer", 1), ("sync", 1)]:
        assert number(families, "roster_processes", process=process) >= n
        assert number(families, "roster_process_private_memory_bytes", process=process) > 100_000
    assert number(families, "process_start_time_seconds") > 1_700_000_000
    assert list(families["roster_build_info"].values()) == [1]


def ask_from_elsewhere(service, path):
    connection = http.client.HTTPConnection("127.0.0.1", service.port, source_address=("127.0.0.2", 0))
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read()


REFUSED = (403, b'{"detail":"You do not have permission to perform this action."}')


def test_only_this_host_may_ask(instance):
    assert ask_from_elsewhere(instance, "/metrics") == REFUSED
    assert "403" in instance.nobody.get("/api/schema/").json()["paths"]["/metrics"]["get"]["responses"]
    assert ask_from_elsewhere(instance, "/health/ready") == (200, b'{"status":"ok"}')


def test_the_site_decides_who_may_ask_for_health(daemon):
    d = daemon(workers=1)
    site = d.state / "nginx/site.conf"
    text = site.read_text()
    assert text.count("allow all;") == 1
    site.write_text(text.replace("allow all;", "allow 127.0.0.1;\ndeny all;"))
    with d.renewed_nginx() as nginx:
        os.kill(nginx, signal.SIGHUP)
    assert ask_from_elsewhere(d, "/health/ready") == REFUSED
    assert ask_from_elsewhere(d, "/health/live") == REFUSED
    assert ask_from_elsewhere(d, "/api/version/")[0] == 401
    assert d.nobody.get("/health/ready").status_code == 200


def test_alive_and_ready(instance):
    for path in ["/health/live", "/health/ready"]:
        answer = Client(instance, None).get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_what_is_wrong_without_the_database(own_service):
    service = own_service(workers=1)
    service.expect_log("database|connection|statement")
    database = int((service.state / "pids" / "mariadbd").read_text())
    os.kill(database, signal.SIGKILL)
    eventually(
        lambda: service.nobody.get("/health/ready").status_code == 503,
        what="that it is not ready",
    )
    assert service.nobody.get("/health/ready").json() == {
        "status": "unavailable",
        "problems": {"database": "The database does not answer."},
    }
    assert service.nobody.get("/health/live").json() == {"status": "ok"}
    assert number(scrape(service), "roster_database_errors_total", kind="again") >= 1


def test_what_is_wrong_without_migrations(own_service):
    service = own_service(workers=1)
    service.sql(
        "UPDATE schema_migrations SET applied_at = NULL ORDER BY number DESC LIMIT 1"
    )
    ready = service.nobody.get("/health/ready")
    assert (ready.status_code, ready.json()) == (
        503,
        {"status": "unavailable", "problems": {"database": "Migrations are pending."}},
    )


def test_what_is_wrong_without_slow_workers(daemon):
    """Each dies as soon as it is there, so that the next one comes after a pause, and a longer one each time."""
    d = daemon(workers=1)
    d.expect_log("was ended by signal 9|keeps ending")

    def answers_without_slow_workers():
        for pid in d.children("rosterd slow"):
            with contextlib.suppress(ProcessLookupError):  # it was killed before
                os.kill(pid, signal.SIGKILL)
        ready = d.nobody.get("/health/ready")
        return ready.status_code == 503 and ready.json()

    assert eventually(answers_without_slow_workers) == {
        "status": "unavailable",
        "problems": {"workers": "A lane has no workers."},
    }
    eventually(lambda: d.nobody.get("/health/ready").status_code == 200, what="new workers")
