"""The process that compares users with their provider by itself, rosterctl sync, and both beside each other."""

import contextlib
import json
import os
import pty
import signal
import threading
from datetime import timedelta

import pytest
from daemon import Daemon
from identity import PROVIDERS, Watched, belongs_to
from service import BUILD, eventually, rest_of, unique
from users import path_of

DAY = 86400


@pytest.fixture(scope="module")
def host(service):
    instance = Daemon(service, workers=1)
    yield instance
    instance.close()


@pytest.fixture
def remote():
    server = Watched()
    yield server
    server.gate.set()
    server.close()


@pytest.fixture
def provide(host, remote):
    """Makes the remote the provider eduteams of the host, in a hurry; afterwards neither it nor its users are left."""

    def create(**fields):
        fast = {"sync_interval": DAY, "sync_rate": 1000, "timeout": 20, **fields}
        answer = host.staff.post(PROVIDERS, json=remote.settings(**fast))
        assert answer.status_code == 201, answer.text
        return answer.json()

    yield create
    remote.gate.set()
    host.sql("DELETE FROM identity_providers")
    host.sql("UPDATE users SET registration_method = 'default'")
    host.check_log()


@pytest.fixture
def people(host, remote):
    """Makes users of eduTEAMS; the first one was compared the longest ago."""

    def create(n):
        made = [host.create(unique("p"), first_name="Old") for _ in range(n)]
        for i, user in enumerate(made):
            belongs_to(host, user, "eduteams")
            host.sql("UPDATE users SET last_sync = NOW(6) - INTERVAL %s HOUR WHERE username = %s",
                     2000 - i, user["username"])
            remote.users[user["username"]] = {"voperson_id": user["username"], "given_name": "New"}
        return [user["username"] for user in made]

    return create


def states(host):
    """By username: failures, problem, whether somebody has him."""
    rows = host.sql(
        "SELECT username, failures, problem, claim IS NOT NULL FROM identity_syncs s JOIN users u ON u.id = s.user_id")
    return {name: rest for name, *rest in rows}


def synced(host):
    """Who was compared in the last hour."""
    return {name for (name,) in host.sql("SELECT username FROM users WHERE last_sync > NOW() - INTERVAL 1 HOUR")}


def all_synced(host, names):
    eventually(lambda: synced(host) >= set(names), what="the sync of all")
    eventually(lambda: not any(claimed for *_, claimed in states(host).values()), what="the end of all claims")


def provider_row(host, *columns):
    return host.sql(f"SELECT {', '.join(columns)} FROM identity_providers")[0]


def make_due(host, *names):
    """As if sync_interval had passed since."""
    for name in names:
        host.sql(
            "UPDATE identity_syncs s JOIN users u ON u.id = s.user_id SET s.since = '2020-01-01', u.last_sync = '2020-01-01'"
            " WHERE username = %s", name)


def end_pause(host):
    host.sql("UPDATE identity_providers SET sync_paused_until = NOW(6) - INTERVAL 1 SECOND")


def sync_process(host):
    return host.children("rosterd sync")


# --- rosterd


def test_all_are_compared_the_least_recently_synced_first(host, remote, provide, people):
    names = people(12)
    provide(sync_in_flight=1)
    all_synced(host, names)
    assert remote.order == names
    assert states(host) == {name: [0, "", 0] for name in names}
    assert len(remote.asked("/token")) == 1
    assert len({request[4] for request in remote.asked("/userinfo")}) == 1  # the connection is kept
    event = host.sql(
        "SELECT e.event, e.actor_username, e.actor_id, e.changes FROM audit_events e JOIN users u"
        " ON u.uuid = e.subject_uuid WHERE u.username = %s AND e.event = 'user_update_succeeded'", names[0])
    assert event == (("user_update_succeeded", "sync", None, '{"first_name":["Old","New"]}'),)


def test_one_who_never_was_comes_first_and_one_who_is_not_due_does_not(host, remote, provide, people):
    names = people(3)
    host.sql("UPDATE users SET last_sync = NOW(6) WHERE username = %s", names[0])
    host.sql("UPDATE users SET last_sync = NULL WHERE username = %s", names[2])
    provide(sync_in_flight=1)
    all_synced(host, names)
    assert remote.order == [names[2], names[1]]


@pytest.mark.parametrize("in_flight", [1, 5])
def test_so_many_are_in_flight_and_no_more(host, remote, provide, people, in_flight):
    names = people(12)
    remote.gate.clear()
    provide(sync_in_flight=in_flight)
    eventually(lambda: len(remote.now) == in_flight)
    remote.gate.set()
    all_synced(host, names)
    assert remote.most == in_flight
    assert sorted(remote.order) == sorted(names)


def test_the_rate_spaces_them_out(host, remote, provide, people):
    """The turns are dealt in the database, whoever takes them."""
    names = people(6)
    ((before,),) = host.sql("SELECT UTC_TIMESTAMP(6)")
    provide(sync_in_flight=16, sync_rate=2)
    eventually(lambda: provider_row(host, "sync_turn") != (None,))
    # By the clock after the row was read; NOW() is that before.
    ahead = "sync_turn - INTERVAL 500000 MICROSECOND <= SYSDATE(6) + INTERVAL 1 SECOND"
    while not synced(host) >= set(names):
        assert provider_row(host, ahead) == (1,)
    # Also when the process is held up, none comes before his turn.
    times = host.sql("SELECT last_sync FROM users WHERE username IN %s ORDER BY last_sync", names)
    assert all(time >= before + n * timedelta(seconds=0.5) for n, (time,) in enumerate(times))


def test_nobody_is_asked_for_without_a_schedule(host, remote, provide, people):
    names = people(2)
    provider = provide(sync_interval=0)
    answer = host.staff.patch(provider["url"], json={"sync_interval": DAY})
    assert answer.json()["sync_interval"] == DAY
    all_synced(host, names)
    assert host.staff.patch(provider["url"], json={"is_active": False}).status_code == 200
    make_due(host, *names)
    assert len(remote.order) == 2


def test_one_failing_user_does_not_stop_the_others(host, remote, provide, people):
    names = people(8)
    bad = {
        names[0]: (200, b"{"),
        names[1]: (200, {"voperson_id": names[1], "mail": 7}),
        names[2]: (418, {}),
        names[3]: (200, {"voperson_id": "somebody-else"}),
        names[4]: (200, b" " * 300000),
        names[5]: (503, {}),
    }
    remote.answers = bad
    provide(sync_in_flight=2)
    all_synced(host, names[6:])
    eventually(lambda: all(states(host)[name][0] == 1 for name in bad), what="a failure of each")
    assert {name: states(host)[name] for name in bad} == {
        names[0]: [1, "Unable to parse JSON in user info response.", 0],
        names[1]: [1, "Unable to parse JSON in user info response.", 0],
        names[2]: [1, "It answers with status 418.", 0],
        names[3]: [1, "The answer is about somebody else.", 0],
        names[4]: [1, "its answer is too long", 0],
        names[5]: [1, "It answers with status 503.", 0],
    }
    assert provider_row(host, "sync_failures", "sync_paused_until") == (0, None)
    assert host.staff.get("/api/users/?username=somebody-else").json() == []
    remote.answers = {names[0]: (200, b"{")}
    make_due(host, *bad)
    all_synced(host, names[1:])
    eventually(lambda: states(host)[names[0]][0] == 2)
    assert states(host) == {name: [2 if name == names[0] else 0, *states(host)[name][1:]] for name in names}
    later = host.sql("SELECT since > NOW() + INTERVAL 23 HOUR FROM identity_syncs WHERE failures = 2")
    assert later == ((1,),)  # twice the interval


def test_whom_the_remote_does_not_know_is_deactivated_and_then_left(host, remote, provide, people):
    gone, stays = people(2)
    del remote.users[gone]
    provide()
    all_synced(host, [gone, stays])
    assert set(remote.order) == {gone, stays}
    assert host.staff.get(f"/api/users/?username={gone}").json()[0]["is_active"] is False
    make_due(host, gone, stays)
    eventually(lambda: remote.order.count(stays) == 2)
    eventually(lambda: gone not in states(host))
    assert remote.order.count(gone) == 1
    eventually(lambda: synced(host) >= {stays}, what="the sync of who stays")


def test_whoever_pulls_by_hand_saves_the_sync_a_question(host, remote, provide, people):
    names = people(2)
    provide()
    all_synced(host, names)
    make_due(host, names[1])
    host.sql("UPDATE users SET last_sync = NOW(6) WHERE username = %s", names[0])
    host.sql("UPDATE identity_syncs s JOIN users u ON u.id = s.user_id SET since = '2020-01-01' WHERE username = %s", names[0])
    eventually(lambda: remote.order.count(names[1]) == 2)
    eventually(lambda: host.sql("SELECT COUNT(*) FROM identity_syncs WHERE since < '2021-01-01'") == ((0,),))
    assert remote.order.count(names[0]) == 1


@pytest.mark.parametrize("fault", ["status", "closed", "token"])
def test_back_off_while_the_remote_is_down(host, remote, provide, people, fault):
    names = people(8)

    def refuse(handler):
        if fault == "closed":
            handler.close_connection = True
        else:
            remote.answer(handler, 503, {})

    watch = remote.on_userinfo
    remote.on_userinfo = refuse
    if fault == "token":
        remote.on_token = refuse
    provide()
    eventually(lambda: provider_row(host, "sync_failures") == (1,))
    assert provider_row(host, "sync_problem != ''") == (1,)
    for failures, seconds in [(2, 60), (3, 120)]:
        end_pause(host)
        eventually(lambda: provider_row(host, "sync_failures") == (failures,))
        left = provider_row(host, "TIMESTAMPDIFF(SECOND, NOW(), sync_paused_until)")[0]
        assert seconds // 2 < left <= seconds
    eventually(lambda: [f for f in states(host).values() if f[2]] == [])
    assert states(host) == {name: [0, "", 0] for name in names}  # it is not their fault
    remote.on_userinfo, remote.on_token = watch, None
    end_pause(host)
    all_synced(host, names)
    assert provider_row(host, "sync_failures", "sync_paused_until", "sync_problem") == (0, None, "")


def test_a_token_that_is_over_is_replaced_once_for_all(host, remote, provide, people):
    names = people(10)
    remote.gate.clear()
    provide(sync_in_flight=4)
    eventually(lambda: len(remote.now) == 4)
    remote.tokens.append("at-unknown")
    remote.gate.set()
    all_synced(host, names)
    assert len(remote.asked("/token")) == 2
    assert states(host) == {name: [0, "", 0] for name in names}


def test_a_restart_keeps_what_is_known(host, remote, provide, people):
    names = people(4)
    remote.answers = {names[0]: (418, {})}
    provide()
    all_synced(host, names[1:])
    eventually(lambda: states(host)[names[0]][0] == 1)
    before = states(host)
    host.run("stop_rosterd", "launch_rosterd", "wait_for_answer")
    make_due(host, names[3])
    eventually(lambda: remote.order.count(names[3]) == 2)
    assert [remote.order.count(name) for name in names] == [1, 1, 1, 2]
    eventually(lambda: states(host) == before)


def test_a_stop_lets_those_go_who_were_taken_on(host, remote, provide, people):
    names = people(6)
    remote.gate.clear()
    provide(sync_in_flight=4)
    eventually(lambda: len(remote.now) == 4)
    host.run("stop_rosterd")
    assert states(host) == {name: [0, "", 0] for name in names}
    assert synced(host).isdisjoint(names)
    remote.gate.set()
    host.run("launch_rosterd", "wait_for_answer")
    all_synced(host, names)


def test_a_killed_process_loses_nothing(host, remote, provide, people):
    names = people(8)
    remote.gate.clear()
    provide(sync_in_flight=4)
    eventually(lambda: len(remote.now) == 4)
    (victim,) = sync_process(host)
    host.expect_log("was ended by signal 9")
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: sync_process(host) not in ([], [victim]))
    remote.gate.set()
    host.sql("UPDATE identity_syncs SET claimed_until = NOW() - INTERVAL 1 SECOND WHERE claim IS NOT NULL")
    all_synced(host, names)
    assert states(host) == {name: [0, "", 0] for name in names}


def test_a_deleted_user_or_provider_is_no_trouble(host, remote, provide, people):
    names = people(3)
    remote.gate.clear()
    provider = provide()
    eventually(lambda: len(remote.now) == 3)
    user = host.staff.get(f"/api/users/?username={names[0]}").json()[0]
    assert host.staff.delete(path_of(user)).status_code == 204
    with contextlib.ExitStack() as stack:
        stack.callback(remote.gate.set)
        assert host.staff.delete(provider["url"]).status_code == 204
    assert host.sql("SELECT COUNT(*) FROM identity_syncs") == ((0,),)
    eventually(lambda: remote.now == [])
    assert host.staff.get("/api/users/me/").status_code == 200


def test_a_user_who_is_deleted_while_he_is_asked_for_stays_so(host, remote, provide, people):
    gone, stays = people(2)
    remote.gate.clear()
    provide(sync_in_flight=1)
    eventually(lambda: remote.now == [gone])
    user = host.staff.get(f"/api/users/?username={gone}").json()[0]
    assert host.staff.delete(path_of(user)).status_code == 204
    remote.gate.set()
    all_synced(host, [stays])
    assert host.staff.get(f"/api/users/?username={gone}").json() == []


def test_a_user_whom_staff_deactivates_while_he_is_asked_for_stays_so(host, remote, provide, people):
    """By schedule nobody is asked for who is inactive, and nobody becomes active."""
    left, stays = people(2)
    remote.gate.clear()
    provide(sync_in_flight=1, reactivate=True)
    eventually(lambda: remote.now == [left])
    user = host.staff.get(f"/api/users/?username={left}").json()[0]
    assert host.staff.patch(path_of(user), json={"is_active": False}).status_code == 200
    remote.gate.set()
    all_synced(host, [stays])
    assert host.staff.get(path_of(user)).json()["is_active"] is False


@pytest.mark.parametrize("older", [200, 404])
def test_an_answer_that_a_later_question_has_overtaken_changes_nothing(host, remote, provide, people, older):
    (name,) = people(1)
    go_on = threading.Event()

    def first_slowly(handler):
        remote.order.append(name)
        if len(remote.order) == 1:
            go_on.wait(20)
            remote.answer(handler, older, {"voperson_id": name, "given_name": "Older"})
        else:
            remote.answer(handler, 200, {"voperson_id": name, "given_name": "Newer"})

    remote.on_userinfo = first_slowly
    with contextlib.ExitStack() as stack:
        stack.callback(go_on.set)
        provide()
        eventually(lambda: remote.order == [name])
        user = host.staff.get(f"/api/users/?username={name}").json()[0]
        assert host.staff.post(path_of(user, "pull_remote_user/")).status_code == 200
    all_synced(host, [name])
    user = host.staff.get(path_of(user)).json()
    assert (user["first_name"], user["is_active"]) == ("Newer", True)
    assert states(host) == {name: [0, "", 0]}


@pytest.mark.parametrize("method, body", [("PATCH", {"is_active": False}), ("DELETE", None)])
def test_the_answers_of_a_provider_that_is_switched_off_change_nobody(host, remote, provide, people, method, body):
    names = people(8)
    remote.users.clear()
    remote.gate.clear()
    provider = provide(sync_in_flight=2)
    eventually(lambda: len(remote.now) == 2)
    assert host.staff.request(method, provider["url"], json=body).status_code < 300
    remote.gate.set()
    eventually(lambda: not any(claimed for *_, claimed in states(host).values()), what="the end of all claims")
    eventually(lambda: remote.now == [])
    assert host.sql("SELECT COUNT(*) FROM users WHERE username IN %s AND is_active", names) == ((8,),)
    assert len(remote.order) == 2


def test_a_pause_is_not_for_settings_that_have_not_failed(host, remote, provide, people):
    names = people(2)
    asked, go_on = threading.Event(), threading.Event()

    def refuse(handler):
        asked.set()
        go_on.wait(20)
        remote.answer(handler, 400, {"error": "invalid_grant"})

    remote.on_token = refuse
    with contextlib.ExitStack() as stack:
        stack.callback(go_on.set)
        provider = provide(refresh_token="over")
        assert asked.wait(20)
        assert host.staff.patch(provider["url"], json={"refresh_token": remote.refresh}).status_code == 200
        remote.on_token = None
    eventually(lambda: synced(host) >= set(names) or provider_row(host, "sync_paused_until") != (None,))
    assert provider_row(host, "sync_failures", "sync_paused_until", "sync_problem") == (0, None, "")


# --- rosterctl


def sync_run(host, *words):
    done = host.rosterctl("sync", "run", *words, check=False)
    return done.returncode, done.stdout.splitlines()


def test_run_does_what_is_due_and_then_nothing(host, remote, provide, people):
    provide(sync_interval=0)
    names = people(5)
    paused = "UPDATE identity_providers SET sync_interval = %s, sync_paused_until = '2100-01-01'"  # for rosterd
    host.sql(paused, DAY)
    assert sync_run(host) == (0, ["eduteams: synced 5, failed 0"])
    assert sorted(remote.order) == sorted(names)
    assert sync_run(host, "eduteams") == (0, ["eduteams: synced 0, failed 0"])
    assert sync_run(host, "--json") == (0, ['[{"provider":"eduteams","synced":0,"failed":0}]'])
    assert len(remote.order) == 5
    event = host.sql("SELECT DISTINCT actor_username FROM audit_events e JOIN users u ON u.uuid = e.subject_uuid"
                     " WHERE username IN %s AND event = 'user_update_succeeded'", names)
    assert event == (("rosterctl",),)


def test_run_all(host, remote, provide, people):
    provide(sync_interval=0)
    names = people(3)
    remote.answers = {names[1]: (418, {})}
    for n in (1, 2):
        code, lines = sync_run(host, "eduteams", "--all")
        assert (code, lines[-1]) == (4, "eduteams: synced 2, failed 1")
        assert all(remote.order.count(name) == n for name in names)
        assert states(host)[names[1]] == [n, "It answers with status 418.", 0]


def test_run_beside_rosterd_and_others_asks_for_nobody_twice(host, remote, provide, people):
    names = people(40)
    remote.gate.clear()
    provide(sync_in_flight=3)
    eventually(lambda: len(remote.now) == 3)
    results = []
    runs = [threading.Thread(target=lambda: results.append(sync_run(host, "eduteams"))) for _ in range(3)]
    for run in runs:
        run.start()
    eventually(lambda: len(remote.now) == 12)
    remote.gate.set()
    for run in runs:
        run.join()
    all_synced(host, names)
    assert remote.twice == [] and sorted(remote.order) == sorted(names)
    assert [code for code, _ in results] == [0, 0, 0]


def test_run_says_what_is_wrong(host, remote, provide, people):
    assert host.rosterctl("sync", "run", check=False).stderr == "rosterctl: no identity provider has a sync interval\n"
    done = host.rosterctl("sync", "run", "nosuch", check=False)
    assert (done.returncode, done.stderr) == (3, "rosterctl: there is no identity provider nosuch\n")
    provide(sync_interval=0)
    people(1)
    done = host.rosterctl("sync", "run", "eduteams", check=False)
    assert done.returncode == 1 and "--all compares every user" in done.stderr
    remote.on_userinfo = lambda handler: remote.answer(handler, 503, {})
    done = host.rosterctl("sync", "run", "eduteams", "--all", check=False)
    assert done.returncode == 1 and "its service is down" in done.stderr
    host.sql("UPDATE identity_providers SET is_active = FALSE")
    done = host.rosterctl("sync", "run", "eduteams", "--all", check=False)
    assert done.returncode == 1 and "its service is not to be asked" in done.stderr


def test_run_on_a_terminal_draws_a_bar(host, remote, provide, people):
    provide(sync_interval=0)
    people(3)
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(BUILD / "rosterctl", [
            "rosterctl", "--config", str(host.state / "roster.conf"), "sync", "run", "eduteams", "--all"])
    said = rest_of(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert b"accounts," in said and b"eduteams: synced 3, failed 0" in said


def test_status(host, remote, provide, people):
    names = people(4)
    remote.answers = {names[0]: (418, {})}
    provide()
    all_synced(host, names[1:])
    eventually(lambda: states(host)[names[0]][0] == 1)
    host.sql("UPDATE identity_providers SET sync_paused_until = '2100-01-01', sync_problem = 'Down.'")
    make_due(host, names[3])
    (status,) = json.loads(host.rosterctl("sync", "status", "--json").stdout)
    assert status.pop("due") in (0, 1)  # he may have been compared once more before the pause
    assert status.pop("synced") in (2, 3)
    assert status == {
        "provider": "eduteams", "sync_interval": DAY, "users": 4, "failing": 1, "paused_until": "2100-01-01T00:00:00Z",
        "problem": "Down.",
    }
    line = host.rosterctl("sync", "status").stdout
    assert line.startswith("eduteams          users 4, due ")
    assert line.endswith(", failing 1, paused until 2100-01-01T00:00:00Z: Down.\n")


def test_settings_by_rosterctl(host, provide):
    provide()
    host.rosterctl(
        "provider", "set", "eduteams", "--sync-interval", "3600", "--sync-in-flight", "8", "--sync-rate", "50")
    assert provider_row(host, "sync_interval", "sync_in_flight", "sync_rate") == (3600, 8, 50)
