import contextlib
import json
import os
import resource
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest

from fastcgi import Connection, socket_of, worker_at
from load import Load, check_nothing_lost, create, read, rows
from service import BUILD, Client, eventually, put


def workers(daemon, lane="api"):
    """Process ids of a lane's workers."""
    return daemon.children(f"rosterd {lane}")


# --- workers and lanes


def test_each_worker_has_its_socket_and_its_lane(daemon):
    d = daemon(workers=3, config="slow_workers = 2")
    for lane, number in ("api", 3), ("slow", 2):
        pids = [worker_at(d, lane, i) for i in range(number)]
        assert sorted(pids) == sorted(workers(d, lane))
        assert not socket_of(d, lane, number).exists()


def test_one_worker_serves_many_kept_connections(daemon):
    d = daemon(workers=1)
    connections = [Connection(socket_of(d, "api", 0)) for _ in range(200)]
    for turn in range(3):
        for connection in connections if turn % 2 else reversed(connections):
            connection.send("GET", "/health/live")
        answers = [connection.receive() for connection in connections]
        assert [answer.status for answer in answers] == [200] * len(connections)
    assert len({answer.headers["X-Request-ID"] for answer in answers}) == len(connections)
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: Client(d, d.staff.token).get("/api/users/me/"), range(120)))
    assert [answer.status_code for answer in answers] == [200] * 120
    for connection in connections:
        connection.close()


def test_new_connections_take_turns_with_kept_ones(daemon):
    d = daemon(workers=1, config="slow_workers = 1")

    def connect():
        return Connection(socket_of(d, "slow", 0))

    def sign_in_at(connection):
        return connection.ask("POST", "/api-auth/password/", d.staff_credentials).status

    kept = [connect() for _ in range(8)]
    with Load(d, *[lambda _, c=c: sign_in_at(c) for c in kept]) as load:
        eventually(lambda: len(load.results) >= 16)
        before = len(load.results)
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(lambda _: sign_in_at(connect()), range(8))) == {200}
        others = len(load.results) - before
    assert load.failures == [] and set(load.results) == {200}
    assert others <= 4 * len(kept), "each new one has waited for at most a few of each kept one"


def test_flood_of_the_slow_lane_does_not_delay_the_other(daemon):
    d = daemon(workers=1, config="slow_workers = 1")
    slow = [Connection(socket_of(d, "slow", 0)) for _ in range(40)]
    started = time.monotonic()
    for connection in slow:
        connection.send("POST", "/api-auth/password/", d.staff_credentials)
    times = []
    for _ in range(10):
        asked = time.monotonic()
        assert read(d.staff) == (None, 200)
        times.append(time.monotonic() - asked)
    assert [connection.receive().status for connection in slow] == [200] * len(slow)
    whole = time.monotonic() - started
    assert sorted(times)[5] < whole / 10, "a request waits for itself and not for the sign-ins"
    for connection in slow:
        connection.close()


def test_each_process_is_confined(daemon):
    d = daemon(workers=2)
    # A build with sanitizers needs more calls than the filter leaves.
    mode = 0 if b"__asan_init" in (BUILD / "rosterd").read_bytes() else 2
    eventually(lambda: {d.process_name(pid).split()[1] for pid in d.children()} >= {"api", "slow", "keeper", "mailer", "sync"})
    for pid in [d.master, *d.children()]:
        assert f"\nSeccomp:\t{mode}\n" in Path(f"/proc/{pid}/status").read_text(), d.process_name(pid)


def test_request_of_the_other_lane_is_refused(daemon):
    d = daemon(workers=1)
    d.expect_log('"route": "/health/live"')
    connection = Connection(socket_of(d, "slow", 0))
    answer = connection.ask("GET", "/health/live")
    assert answer.status == 503
    assert len(d.messages("make nginx's map again with rosterctl nginx")) == 1


# --- death and succession


def test_killed_worker_is_replaced_without_a_failed_request(daemon):
    d = daemon(workers=1)
    d.expect_log("was ended by signal 9")
    before = workers(d)
    os.kill(before[0], signal.SIGKILL)
    assert read(d.staff) == (None, 200)
    assert len(workers(d)) == 1 and workers(d) != before


def test_killed_worker_costs_at_most_its_request(daemon):
    d = daemon(workers=2)
    d.expect_log("was ended by signal 9")
    kills = 4
    eventually(lambda: len(workers(d)) == 2, what="the workers' start")
    with Load(d, *[create] * 6, *[read] * 2) as load:
        for i in range(kills):
            victim = workers(d)[i % 2]
            os.kill(victim, signal.SIGKILL)
            eventually(lambda: victim not in workers(d) and len(workers(d)) == 2)
    assert load.failures == []
    lost = [name for name, status in load.results if status == 502]
    assert {status for _, status in load.results} <= {200, 201, 502}
    assert len(lost) <= kills, f"{len(lost)} of {len(load.results)}"
    assert {name for name, status in load.results if status == 201} <= rows(d)


def test_requests_that_wait_for_a_killed_worker_are_answered_by_its_successor(daemon):
    d = daemon(workers=1, config="slow_workers = 1")
    d.expect_log("was ended by signal 9")
    kept = [Connection(socket_of(d, "slow", 0)) for _ in range(4)]
    for connection in kept:
        assert connection.ask("GET", "/api/nothing/").status == 404
    for connection in kept:
        connection.send("POST", "/api-auth/password/", d.staff_credentials)
    os.kill(workers(d, "slow")[0], signal.SIGKILL)
    answers = [connection.receive() for connection in kept]
    assert [answer.status for answer in answers if answer] == [200] * 4 or answers.count(None) == 1
    again = [connection for connection, answer in zip(kept, answers) if answer]
    assert {connection.ask("GET", "/api/nothing/").status for connection in again} == {404}


def test_worker_that_keeps_dying_is_started_after_growing_pauses(daemon):
    d = daemon(workers=2)
    d.expect_log("was ended by signal 9")
    steady = worker_at(d, "api", 0)
    eventually(lambda: len(workers(d)) == 2, what="the other worker's start")
    pauses, least, born = [], 0, time.monotonic()
    while least <= 1.6:
        victim = next(pid for pid in workers(d) if pid != steady)
        died = time.monotonic()
        os.kill(victim, signal.SIGKILL)
        eventually(lambda: len(workers(d)) == 2 and victim not in workers(d))
        seen = time.monotonic()
        if seen - born >= 5:  # the machine stood still, and this one may not have died young
            pauses, least = [], 0
        pauses.append(seen - died)
        assert pauses[-1] >= least
        born = died + least  # at the earliest
        least = 2 * least or 0.1
        assert read(d.staff) == (None, 200)
    assert pauses[0] < pauses[-1]


def test_worker_that_could_not_be_started_is_soon_tried_again(daemon):
    d = daemon(workers=1)
    d.expect_log("was ended by signal 9|cannot start a process: Too many open files")
    few, most = resource.prlimit(d.master, resource.RLIMIT_NOFILE)
    resource.prlimit(d.master, resource.RLIMIT_NOFILE, (3, most))
    os.kill(workers(d)[0], signal.SIGKILL)
    failures = eventually(lambda: (lines := d.messages("cannot start a process")) and len(lines) > 1 and lines)
    first, second = (datetime.fromisoformat(line["time"]) for line in failures[:2])
    assert 0.9 < (second - first).total_seconds() < 5
    resource.prlimit(d.master, resource.RLIMIT_NOFILE, (few, most))
    assert read(d.staff) == (None, 200)


def test_killed_processes_beside_the_workers_are_replaced(daemon):
    d = daemon(workers=1)
    d.expect_log("was ended by signal 9")
    for name in "keeper", "mailer", "sync":
        (victim,) = d.children(f"rosterd {name}")
        os.kill(victim, signal.SIGKILL)
        eventually(lambda: d.children(f"rosterd {name}") not in ([], [victim]))


def test_workers_end_with_a_killed_master(daemon):
    d = daemon(workers=2)
    children = d.children()
    os.kill(d.master, signal.SIGKILL)
    eventually(lambda: not any(d.process_name(pid).startswith("rosterd") for pid in children))
    d.run("start_rosterd", "wait_for_answer")
    assert read(d.staff) == (None, 200)


def test_worker_retires_after_its_requests(daemon):
    d = daemon(workers=2, config="worker_requests = 40")
    before = workers(d)
    with Load(d, *[create] * 3, *[read] * 3) as load:
        eventually(lambda: len(d.messages("retires after 40 requests")) >= 6)
    check_nothing_lost(d, load)
    eventually(lambda: not set(before) & set(workers(d)), what="the end of the first ones")


def test_worker_may_retire_after_each_request(daemon):
    d = daemon(workers=1, config="worker_requests = 1")
    with Load(d, create, read) as load:
        eventually(lambda: len(d.messages("retires after 1 requests")) >= 12)
    check_nothing_lost(d, load)


def test_worker_retires_when_its_memory_has_grown(daemon):
    d = daemon(
        workers=1,
        config="worker_memory = 51\nbody_limit = 33554432",
        # So that what a request has freed stays with the process, as a leak would.
        environment={
            "GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=1073741824:"
            "glibc.malloc.trim_threshold=1073741824"
        },
    )
    before = workers(d)
    large = Connection(socket_of(d, "api", 0))
    answer = large.ask("POST", "/api/users/", {"first_name": "x" * 2**24}, d.staff.token)
    assert answer.status == 400
    with Load(d, *[read] * 2, create) as load:
        eventually(lambda: d.messages("retires after 256 requests"), seconds=60)
        eventually(lambda: not set(before) & set(workers(d)) or not large.close())
    check_nothing_lost(d, load)


def test_large_bodies_up_to_the_limit_fit_in_a_workers_memory(daemon):
    d = daemon(workers=1, config="body_limit = 33554432")
    connection = Connection(socket_of(d, "api", 0))
    for body in (
        {"first_name": "x" * (2**25 - 100)},
        {"affiliations": ["\u0431" * 2**21, "\\" * 2**22]},
    ):
        answer = connection.ask("POST", "/api/users/", body, d.staff.token)
        assert answer.status == 400
        assert answer.json()["username"] == ["This field is required."]


# --- reload


def test_reload_under_load_loses_nothing_and_takes_effect(daemon):
    d = daemon(workers=2)
    uuid = d.staff.get("/api/users/me/").json()["uuid"]
    with Load(d, *[create] * 4, *[read] * 4) as load:
        for form in "hex", "dashed", "hex":
            d.change_config(f"uuid_format = {form}")
            d.reload()
        eventually(lambda: len(workers(d)) == 2, what="the end of the old workers")
    check_nothing_lost(d, load)
    for _ in range(8):
        assert d.staff.get("/api/users/me/").json()["uuid"] == uuid.replace("-", "")


def test_reload_while_another_one_goes_on(daemon):
    d = daemon(workers=2)
    with Load(d, create, create, read, read) as load:
        for form in ["dashed", "hex"] * 5:
            d.change_config(f"uuid_format = {form}")
            os.kill(d.master, signal.SIGHUP)
        eventually(lambda: d.messages("reloaded") and len(workers(d)) == 2)
        eventually(lambda: "-" not in d.staff.get("/api/users/me/").json()["uuid"])
    check_nothing_lost(d, load)


def test_worker_that_is_never_idle_hands_over(daemon):
    """There is always another connection that has a request waiting."""
    d = daemon(workers=1, config="slow_workers = 1\ndrain_timeout = 1")
    before = workers(d, "slow")
    kept = {i: Connection(socket_of(d, "slow", 0)) for i in range(6)}

    def sign_in(i):
        with contextlib.suppress(OSError):
            if answer := kept[i].ask("POST", "/api-auth/password/", d.staff_credentials):
                return answer.status
        kept[i].close()
        kept[i] = Connection(socket_of(d, "slow", 0))  # the old worker has left

    with Load(d, *[lambda _, i=i: sign_in(i) for i in kept]) as load:
        eventually(lambda: len(load.results) >= 12)
        d.reload()
        eventually(lambda: not set(before) & set(workers(d, "slow")), what="the end of the old worker")
    assert load.failures == [] and set(load.results) <= {200, None}
    assert load.results.count(None) <= len(kept)


def test_reload_with_more_and_with_fewer_workers(daemon):
    d = daemon(workers=2)
    with Load(d, create, create, read, read) as load:
        for number in 4, 2:
            d.change_config(f"api_workers = {number}")
            d.reload()
            eventually(lambda: len(workers(d)) == number)
            assert len(list((d.state / "run" / "api").iterdir())) == number
    check_nothing_lost(d, load)


@pytest.mark.parametrize(
    "line, message",
    [
        ("api_workers = many", 'api_workers: "many" is not a number; allowed: 1 to 256'),
        ("api_worker = 3", "api_worker: there is no such option; did you mean api_workers?"),
    ],
)
def test_reload_of_a_faulty_file_keeps_the_old_configuration(daemon, line, message):
    d = daemon(workers=1)
    d.expect_log(r"roster.conf:\d+: api_worker|the configuration is not taken")
    before = d.children()
    _, number = d.change_config("uuid_format = hex", line)
    os.kill(d.master, signal.SIGHUP)
    eventually(lambda: d.messages("the configuration is not taken; the old one stays"))
    assert [m["message"] for m in d.messages("roster.conf:")] == [
        f"{d.state}/roster.conf:{number}: {message}"
    ]
    assert "-" in d.staff.get("/api/users/me/").json()["uuid"]
    assert d.children() == before


def test_reload_without_the_key_file_keeps_the_old_keys(daemon):
    d = daemon(workers=1)
    d.expect_log("No such file or directory; bring it back|the configuration is not taken")
    (d.state / "keys").rename(d.state / "keys.away")
    os.kill(d.master, signal.SIGHUP)
    eventually(lambda: d.messages("the configuration is not taken"))
    assert read(d.staff) == (None, 200)
    (d.state / "keys.away").rename(d.state / "keys")


def test_reload_with_the_keys_of_another_database_keeps_the_old_ones(daemon):
    d = daemon(workers=1)
    message = f"{d.state}/keys: the keys do not open what is in the database"
    d.expect_log(f"{message}|the configuration is not taken")
    good = (d.state / "keys").read_text()
    before = workers(d)
    (d.state / "keys").write_text("1 " + "5" * 64 + "\n")
    os.kill(d.master, signal.SIGHUP)
    eventually(lambda: d.messages("the configuration is not taken"))
    assert d.messages(message)
    assert (read(d.staff), workers(d)) == ((None, 200), before)
    (d.state / "keys").write_text(good)
    d.reload()
    assert read(d.staff) == (None, 200)


def test_reload_for_a_database_that_is_not_there_keeps_the_old_one(daemon):
    d = daemon(workers=1)
    d.expect_log("no database after 1 seconds|waiting for the database|the configuration is not taken")
    options = d.state / "roster.cnf"
    good = options.read_text()
    d.change_config("database_wait = 1")
    put(options, good.replace("mariadb.sock", "nothing.sock"))
    os.kill(d.master, signal.SIGHUP)
    os.kill(d.master, signal.SIGHUP)  # it waits for the end of what goes on
    eventually(lambda: len(d.messages("the configuration is not taken")) > 0)
    put(options, good)
    assert read(d.staff) == (None, 200)
    d.reload()
    assert read(d.staff) == (None, 200)


# --- stop


def test_stop_answers_what_was_accepted(daemon):
    d = daemon(workers=1, config="slow_workers = 1")
    waiting = [Connection(socket_of(d, "slow", 0)) for _ in range(6)]
    for connection in waiting:
        connection.send("POST", "/api-auth/password/", d.staff_credentials)
    late = Connection(socket_of(d, "api", 0))
    idle = Connection(socket_of(d, "api", 0))
    assert idle.ask("GET", "/health/live").status == 200
    master = d.master
    os.kill(master, signal.SIGTERM)
    eventually(lambda: not socket_of(d, "api", 0).exists())
    late.send("GET", "/api/users/me/", token=d.staff.token)
    assert late.receive().json()["username"] == "staff"
    assert idle.receive() is None
    answers = [connection.receive() for connection in waiting]
    assert [answer.status for answer in answers] == [200] * len(waiting)
    assert {answer.json()["token"] for answer in answers} == {d.staff.token}
    eventually(lambda: d.process_name(master) == "")
    assert d.messages("stopped")


def test_stop_under_load_ends_no_answer_halfway(daemon):
    d = daemon(workers=2)
    with Load(d, *[create] * 4, *[read] * 4) as load:
        eventually(lambda: len(load.results) > 50)
        os.kill(d.master, signal.SIGTERM)
        eventually(lambda: d.messages("stopped"))
    assert load.failures == []
    assert {status for _, status in load.results} <= {200, 201, 502}
    d.run("start_rosterd", "wait_for_answer")
    there = rows(d)
    for name, status in load.results:
        assert name is None or (name in there) == (status == 201)


def test_stop_while_a_reload_is_examined(daemon):
    """A terminal's Ctrl-C reaches all processes: that the examination ends by it is no fault of the configuration."""
    d = daemon(workers=1, config="database_timeout = 60")
    waits = "SELECT COUNT(*) FROM information_schema.processlist WHERE db = %s AND state LIKE 'Waiting for table%%'"
    with contextlib.closing(d.connect()) as connection:
        connection.cursor().execute("LOCK TABLES schema_migrations WRITE")
        os.kill(d.master, signal.SIGHUP)
        eventually(lambda: d.host.sql(waits, d.database) == ((1,),), what="the examination")
        os.killpg(d.master, signal.SIGINT)
        eventually(lambda: d.messages("stopped"))
    assert not d.messages("the configuration is not taken")


def test_second_rosterd_on_the_same_socket_dir_refuses(daemon):
    d = daemon(workers=1)
    done = subprocess.run(
        [BUILD / "rosterd", "--config", d.state / "roster.conf"],
        stderr=subprocess.PIPE,
        text=True,
        timeout=30,
    )
    assert done.returncode == 1
    assert [json.loads(line)["message"] for line in done.stderr.splitlines()] == [
        f"another rosterd uses socket_dir {(d.state / 'run').resolve()}; stop it, or choose another directory"
    ]
    assert read(d.staff) == (None, 200)
