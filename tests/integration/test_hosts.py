"""Several hosts, as docs/operating.md has them: two rosterd on one database, each with processes and memory of its own."""

import contextlib
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from daemon import Daemon, Sibling
from identity import PROVIDERS, Watched, belongs_to
from service import Client, eventually, unique
from test_auth_throttle import LOCKED, WRONG, sign_in
from test_users_email import REQUESTED, change, new_address
from users import path_of, status_and_json


@pytest.fixture(scope="module")
def hosts(service):
    """Both deliver their mails to where those of service arrive."""
    lines = (service.state / "roster.conf").read_text().splitlines()
    config = next(line for line in lines if line.startswith("smtp_url")) + "\n"
    with contextlib.closing(Daemon(service, workers=1, config=config)) as first:
        with contextlib.closing(Sibling(first, workers=1, config=config)) as second:
            yield first, second


@pytest.fixture(autouse=True)
def watch_hosts(hosts):
    yield
    for host in hosts:
        host.check_log()


def there(client, host):
    """The same caller, asking another host."""
    return Client(host, client.token)


def test_what_one_host_has_done_is_there_on_the_other(hosts):
    first, second = hosts
    client = first.account(first_name="Ada")
    assert there(client, second).get("/api/users/me/").json()["first_name"] == "Ada"
    read = second.staff.get(path_of(client.user))
    assert first.staff.patch(path_of(client.user), json={"first_name": "Eda"}).status_code == 200
    assert there(client, second).get("/api/users/me/").json()["first_name"] == "Eda"
    late = second.staff.patch(path_of(client.user), json={"last_name": "L"}, headers={"If-Match": read.headers["ETag"]})
    assert status_and_json(late) == (412, {"detail": "The object has changed since it was read."})


def test_a_token_begins_and_ends_on_both(hosts):
    first, second = hosts
    signed_in = Client(first, None).post("/api-auth/password/", json=first.staff_credentials).json()
    assert signed_in == Client(second, None).post("/api-auth/password/", json=second.staff_credentials).json()
    client = first.account()
    assert there(client, second).post("/api-auth/logout/").status_code == 204
    for host in hosts:
        answer = there(client, host).get("/api/users/me/")
        assert status_and_json(answer) == (401, {"detail": "Invalid token."})


def test_a_use_on_one_host_keeps_the_token_for_the_other(hosts):
    """The last use waits in the memory of the host where it was, for a while."""
    first, second = hosts
    client = first.account(token_lifetime=3600)
    tokens = "tokens t JOIN users u ON u.id = t.user_id"
    first.sql(
        f"UPDATE {tokens} SET t.created = NOW(6) - INTERVAL 50 MINUTE WHERE u.username = %s", client.user["username"])
    assert there(client, second).get("/api/users/me/").status_code == 200
    second.reload()  # its keeper begins with what is to be written down
    query = f"SELECT t.created > NOW() - INTERVAL 5 MINUTE FROM {tokens} WHERE u.username = %s"
    eventually(lambda: first.sql(query, client.user["username"])[0][0], what="the note of the use")
    assert client.get("/api/users/me/").status_code == 200


def test_wrong_passwords_are_counted_together(hosts):
    username = unique("nobody")
    tries = [sign_in(hosts[i % 2], username) for i in range(6)]
    assert tries == [WRONG] * 4 + [LOCKED] * 2


def test_a_request_again_on_the_other_host_gets_the_first_answer(hosts):
    username = unique("u")
    asked = {
        "json": {"username": username, "email": f"{username}@example.org"},
        "headers": {"Idempotency-Key": unique("key"), "Host": "roster.example.org"},
    }
    answers = [host.staff.post("/api/users/", **asked) for host in hosts]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert [answer.headers.get("Idempotent-Replayed") for answer in answers] == [None, "true"]


def test_a_page_goes_on_where_the_other_host_has_stopped(hosts):
    first, _ = hosts
    mark = unique("page")
    made = [first.create(first_name=mark)["username"] for _ in range(5)]
    seen, page, turn = [], f"/api/users/?full_name={mark}&page_size=2", 0
    while page:
        answer = hosts[turn % 2].staff.get(page)
        seen += [user["username"] for user in answer.json()]
        link = answer.links.get("next")
        page, turn = link and "{0.path}?{0.query}".format(urlsplit(link["url"])), turn + 1
    assert sorted(seen) == sorted(made) and turn == 3


def test_each_mail_goes_out_once(hosts, service):
    """Both mailers find all of them waiting at the same moment."""
    for host in hosts:
        host.settle()  # a reload may have left one that is about to go
    mailers = [pid for host in hosts for pid in host.children("rosterd mailer")]
    assert len(mailers) == 2
    addresses = [new_address() for _ in range(40)]
    clients = [hosts[0].account() for _ in range(4)]
    for pid in mailers:
        os.kill(pid, signal.SIGSTOP)
    try:
        for i, address in enumerate(addresses):
            client = there(clients[i % 4], hosts[i % 2])
            assert status_and_json(change(client, clients[i % 4].user, address)) == REQUESTED
    finally:
        for pid in mailers:
            os.kill(pid, signal.SIGCONT)
    eventually(lambda: hosts[0].sql("SELECT COUNT(*) FROM mail_outbox") == ((0,),), what="the end of the outbox")
    assert [len(service.mails(address)) for address in addresses] == [1] * len(addresses)


def path_of_ends(user):
    return f"/api/events/?subject_uuid={user['uuid']}&event_type=role_revoked"


def test_expired_roles_end_once(hosts):
    """Both keepers wait for the same rows."""
    first = hosts[0]
    customer = first.staff.post("/api/customers/", json={"name": unique("Customer")}).json()
    members = [first.create() for _ in range(20)]
    for user in members:
        body = {"role": "CUSTOMER.OWNER", "user": user["uuid"]}
        assert first.staff.post(f"/api/customers/{customer['uuid']}/add_user/", json=body).status_code == 201
    with contextlib.closing(first.connect()) as connection, ThreadPoolExecutor() as pool:
        connection.cursor().execute("UPDATE role_grants SET expiration_time = '2020-01-01' WHERE is_active")
        list(pool.map(lambda host: host.reload(), hosts))
        eventually(lambda: first.lock_waits() >= 2, what="both keepers' waiting")
        connection.commit()
    for user in members:
        told = eventually(lambda: first.staff.get(path_of_ends(user)).json(), what="the end of a role")
        assert [event["changes"]["expired"] for event in told] == [True]
    open_ones = "SELECT COUNT(*) FROM information_schema.innodb_trx"
    eventually(lambda: first.sql(open_ones) == ((0,),), what="the end of both keepers' work")
    for user in members:
        assert first.staff.get(path_of_ends(user)).headers["X-Result-Count"] == "1"


def test_more_expired_roles_than_a_keeper_ends_at_once(hosts):
    """A user cannot have so many of a kind, but a copy of one in the database does."""
    first = hosts[0]
    customer = first.staff.post("/api/customers/", json={"name": unique("Customer")}).json()
    user = first.create()
    body = {"role": "CUSTOMER.MANAGER", "user": user["uuid"]}
    assert first.staff.post(f"/api/customers/{customer['uuid']}/add_user/", json=body).status_code == 201
    first.sql(
        "INSERT INTO role_grants (uuid, user_id, role_id, customer_id, expiration_time, created, modified)"
        " SELECT RANDOM_BYTES(16), g.user_id, g.role_id, g.customer_id, '2020-01-01', g.created, g.modified"
        " FROM role_grants g JOIN users u ON u.id = g.user_id, seq_1_to_1000 WHERE u.username = %s", user["username"])
    first.reload()
    active = "SELECT COUNT(*) FROM role_grants g JOIN users u ON u.id = g.user_id WHERE u.username = %s AND g.is_active"
    eventually(lambda: first.sql(active, user["username"]) == ((1,),), what="the end of all but one")
    assert first.staff.get(path_of_ends(user)).headers["X-Result-Count"] == "1000"


def test_users_are_compared_once(hosts):
    """Each host asks for one at a time: never for the same one, and with the same access token."""
    first, remote = hosts[0], Watched()
    with contextlib.closing(remote):
        made = [first.create(first_name="Old") for _ in range(20)]
        for user in made:
            belongs_to(first, user, "eduteams")
            remote.users[user["username"]] = {"voperson_id": user["username"], "given_name": "New"}
        remote.gate.clear()
        settings = remote.settings(sync_interval=86400, sync_rate=1000, sync_in_flight=1, timeout=20)
        assert first.staff.post(PROVIDERS, json=settings).status_code == 201
        eventually(lambda: remote.most == 2, what="both hosts' questions")
        remote.gate.set()
        names = {user["username"] for user in made}
        query = "SELECT username FROM users WHERE first_name = 'New'"
        eventually(lambda: {name for (name,) in first.sql(query)} == names, what="the sync of all")
    assert sorted(remote.order) == sorted(names) and remote.twice == []
    assert remote.most == 2 and len(remote.asked("/token")) == 1


def test_one_host_stops_and_the_other_goes_on(hosts):
    first, second = hosts
    client, stop, codes = first.account(), threading.Event(), set()

    def ask():
        while not stop.is_set():
            codes.add(client.get("/api/users/me/").status_code)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        second.down()
        second.up()
    finally:
        stop.set()
        asking.join()
    assert codes == {200}
    assert there(client, second).get("/api/users/me/").status_code == 200
