"""SSH keys that the remote says a user has, mirrored at each pull into those named eduteams_..."""

import hashlib
import json
import os

import pytest
from identity import PROVIDERS, Remote, belongs_to
from service import Client, unique
from sshkeys import blob_of, ed25519, line_of, printed_fingerprints
from users import at_once, path_of

ACTION = "pull_remote_user/"
SYNC = "/api/remote-eduteams/"
KEYS = "/api/keys/"
PRIVATE = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----"


@pytest.fixture
def remote(staff):
    """The provider eduteams."""
    server = Remote()
    answer = staff.post(PROVIDERS, json=server.settings())
    assert answer.status_code == 201, answer.text
    yield server
    staff.delete(answer.json()["url"])
    server.close()


@pytest.fixture
def member(service, remote):
    """A client who is signed in as a user of eduTEAMS, whom the remote knows with these details."""
    client = service.account(unique("m"), first_name="Ada", last_name="Lovelace")
    belongs_to(service, client.user, "eduteams")
    remote.users[client.user["username"]] = {"voperson_id": client.user["username"]}
    return client


def says(remote, member, keys):
    """The remote names these keys from now on."""
    remote.users[member.user["username"]]["ssh_public_key"] = keys


def pull(member):
    answer = member.post(path_of(member.user, ACTION))
    assert (answer.status_code, answer.content) == (200, b""), answer.text
    return answer


def add(client, name, line):
    answer = client.post(KEYS, json={"name": name, "public_key": line})
    assert answer.status_code == 201, answer.text
    return answer.json()


def keys_of(client, user=None):
    """A user's keys, by name."""
    answer = client.get(KEYS, params={"user_uuid": (user or client.user)["uuid"], "page_size": 200})
    assert answer.status_code == 200
    return {key["name"]: key for key in answer.json()}


def lines(client):
    return {name: key["public_key"] for name, key in keys_of(client).items()}


def mirrored(*keys):
    """What lines() says when just these were mirrored."""
    return {f"eduteams_key_{hashlib.sha256(blob_of(line)).hexdigest()[:10]}": line for line in keys}


def authorized(staff, user):
    """What sshd gets, without the comments."""
    answer = staff.get(f"{KEYS}authorized/{user['username']}")
    assert answer.status_code == 200
    return [line.rsplit(" ", 1)[0] for line in answer.text.splitlines()]


def without_comment(*keys):
    return [" ".join(line.split()[:2]) for line in keys]


def events(service, user, name="ssh_key_%"):
    """The user's events, the oldest first: name, whose doing, details."""
    rows = service.sql(
        "SELECT event, actor_username, changes FROM audit_events WHERE subject_uuid = UNHEX(%s) AND event LIKE %s"
        " ORDER BY id", user["uuid"].replace("-", ""), name)
    return [(event, actor, json.loads(changes) if changes else None) for event, actor, changes in rows]


def versions(service, user):
    """What a write would change."""
    return service.sql(
        "SELECT u.version, k.id, k.version, k.modified FROM users u LEFT JOIN ssh_keys k ON k.user_id = u.id"
        " WHERE u.username = %s ORDER BY k.id", user["username"])


def test_new_keys_are_added(service, staff, remote, member):
    one, two = ed25519("one"), ed25519("")
    says(remote, member, [f" {one}\n", two])
    pull(member)
    assert lines(member) == {**mirrored(one), **mirrored(two.strip())}
    name, = mirrored(one)
    key = keys_of(member)[name]
    assert key == {
        "url": f"{service.url}{KEYS}{key['uuid']}/", "uuid": key["uuid"], "name": name, "public_key": one,
        **printed_fingerprints(one), "user_uuid": member.user["uuid"], "is_shared": False, "type": "ssh-ed25519",
    }
    assert authorized(staff, member.user) == without_comment(one, two)


def test_they_are_the_users_whoever_pulls(staff, remote, member):
    line = ed25519()
    says(remote, member, [line])
    assert staff.post(path_of(member.user, ACTION)).status_code == 200
    assert lines(member) == mirrored(line)


def test_a_new_user_has_them_at_once(service, staff, remote):
    name, one, two = unique("new"), ed25519(), ed25519()
    remote.users["cuid"] = {"voperson_id": name, "ssh_public_key": [one, two]}
    user = staff.post(SYNC, json={"cuid": "cuid"}).json()
    keys = {key["name"]: key["public_key"] for key in keys_of(staff, user).values()}
    assert keys == mirrored(one, two)
    assert authorized(staff, {"username": name}) == without_comment(one, two)
    last_sync = service.sql("SELECT last_sync FROM users WHERE username = %s", name)
    assert last_sync[0][0] is not None


def test_vanished_keys_are_deleted(service, staff, remote, member):
    one, two, three = ed25519(), ed25519(), ed25519()
    says(remote, member, [one, two])
    pull(member)
    kept = keys_of(member)[next(iter(mirrored(two)))]
    says(remote, member, [three, two])
    pull(member)
    assert lines(member) == mirrored(two, three)
    assert kept in keys_of(member).values()
    assert authorized(staff, member.user) == without_comment(two, three)


@pytest.mark.parametrize("nothing", [[], ["ssh-ed25519 AAAA"], [None]])
def test_a_list_without_keys_deletes_all_of_them(staff, remote, member, nothing):
    says(remote, member, [ed25519(), ed25519()])
    pull(member)
    says(remote, member, nothing)
    pull(member)
    assert lines(member) == {} and authorized(staff, member.user) == []


@pytest.mark.parametrize("silence", [{}, {"ssh_public_key": None}])
def test_nothing_said_changes_nothing(service, remote, member, silence):
    one = ed25519()
    says(remote, member, [one])
    pull(member)
    before = versions(service, member.user)
    remote.users[member.user["username"]] = {"voperson_id": member.user["username"], **silence}
    pull(member)
    assert versions(service, member.user) == before and lines(member) == mirrored(one)


def test_the_same_again_changes_nothing(service, remote, member):
    one, two = ed25519(), ed25519()
    says(remote, member, [one, two])
    pull(member)
    before, told = versions(service, member.user), events(service, member.user, "%")
    says(remote, member, [f"{two} another comment", one, one])
    pull(member)
    assert versions(service, member.user) == before
    assert events(service, member.user, "%") == told


def test_other_names_stay(remote, member):
    mine = {name: ed25519() for name in ("laptop", "Eduteams_x", "eduteams", "my eduteams_key", "EDUTEAMS_KEY_1")}
    for name, line in mine.items():
        add(member, name, line)
    for keys in ([ed25519()], []):
        says(remote, member, keys)
        pull(member)
        assert lines(member) == {**mine, **mirrored(*keys)}


def test_every_name_with_the_prefix_is_the_remotes(remote, member):
    line = ed25519()
    add(member, "eduteams_mine", ed25519())
    add(member, "eduteams_kept", line)
    says(remote, member, [line])
    pull(member)
    assert lines(member) == {"eduteams_kept": line}


def test_a_key_that_is_there_by_hand_is_not_added(service, remote, member):
    mine, other = ed25519("mine"), ed25519()
    key = add(member, "laptop", mine)
    says(remote, member, [f"{mine} theirs", other])
    pull(member)
    assert lines(member) == {"laptop": mine, **mirrored(other)}
    assert member.delete(key["url"]).status_code == 204
    pull(member)
    assert lines(member) == mirrored(f"{mine} theirs", other)


def test_a_mirrored_key_may_be_added_by_hand_besides(remote, member):
    line = ed25519()
    says(remote, member, [line])
    pull(member)
    add(member, "laptop", line)
    pull(member)
    assert lines(member) == {"laptop": line, **mirrored(line)}
    says(remote, member, [])
    pull(member)
    assert lines(member) == {"laptop": line}


def test_a_name_that_another_key_has(remote, member):
    """By hand: the other key goes, or stays when the remote names it, too."""
    line, other = ed25519(), ed25519()
    name, = mirrored(line)
    add(member, name, other)
    says(remote, member, [line, other])
    pull(member)
    assert lines(member) == {name: other}
    says(remote, member, [line])
    pull(member)
    assert lines(member) == {name: line}


def test_two_users_with_the_same_key(service, remote, member):
    other, line = service.account(unique("m")), ed25519()
    belongs_to(service, other.user, "eduteams")
    remote.users[other.user["username"]] = {"voperson_id": other.user["username"]}
    for client in (member, other):
        says(remote, client, [line])
        pull(client)
    assert lines(member) == lines(other) == mirrored(line)
    says(remote, other, [])
    pull(other)
    assert lines(member) == mirrored(line) and lines(other) == {}


INVALID = [
    "", " ", "x", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-dss AAAAB3NzaC1kc3M=", PRIVATE, 7, None, True, {}, [], ["x"],
    f"{ed25519()}\n{ed25519()}", f"no-pty {ed25519()}", f"{ed25519('x' * 2000)}", f"{ed25519()} {PRIVATE[:35]}",
    f"{ed25519()}\x1b[2J", line_of("ssh-ed25519", os.urandom(31)),
]


def test_invalid_keys_are_left_out(service, remote, member):
    good, start = ed25519(), service.log_size()
    says(remote, member, [*INVALID[:9], good, *INVALID[9:]])
    request_id = pull(member).headers["X-Request-ID"]
    assert lines(member) == mirrored(good)
    told = [line for line in service.log(start) if line.get("request_id") == request_id]
    warnings = [line for line in told if line["level"] == "warning"]
    assert [line["message"] for line in warnings] == [
        f"{len(INVALID)} of the {len(INVALID) + 1} SSH keys that eduteams has of user {member.user['uuid']}"
        " are none that are taken"
    ]
    assert "AAAA" not in str(service.log(start)) and "PRIVATE" not in str(service.log(start))
    pull(member)
    assert lines(member) == mirrored(good)


def test_how_many_keys_there_may_be(service, staff, remote, member):
    many = [ed25519() for _ in range(100)]
    says(remote, member, many)
    pull(member)
    assert lines(member) == mirrored(*many)
    says(remote, member, [*many[:99], ed25519(), ed25519()])
    answer = staff.post(path_of(member.user, ACTION))
    assert (answer.status_code, answer.json()) == (400, {"detail": "Unable to parse JSON in user info response."})
    assert lines(member) == mirrored(*many)


@pytest.mark.parametrize("who", ["member", "staff"])
def test_events(service, staff, remote, member, who):
    one, two = ed25519(), ed25519()
    client = Client(service, {"member": member, "staff": staff}[who].token)
    client.user = member.user
    says(remote, member, [one])
    pull(client)
    first = keys_of(member)
    says(remote, member, [two])
    pull(client)
    actor = staff.get("/api/users/me/").json()["username"] if who == "staff" else member.user["username"]

    def details(key):
        return {"ssh_key_uuid": key["uuid"], "username": member.user["username"], "name": key["name"],
                "type": "ssh-ed25519", "fingerprint_sha256": key["fingerprint_sha256"]}

    (old,), (new,) = first.values(), keys_of(member).values()
    assert events(service, member.user) == [
        ("ssh_key_creation_succeeded", actor, details(old)),
        ("ssh_key_deletion_succeeded", actor, details(old)),
        ("ssh_key_creation_succeeded", actor, details(new)),
    ]


def fails_to_parse(remote, user):
    user["given_name"] = 7


def has_no_identity(remote, user):
    user["voperson_id"] = None


def is_somebody_local(remote, user):
    user["voperson_id"] = remote.local["username"]


def is_gone(remote, user):
    remote.users.clear()


def has_no_token(remote, user):
    remote.refresh = "another"
    remote.tokens.clear()
    remote.on_userinfo = lambda handler: remote.answer(handler, 401, b"")


@pytest.mark.parametrize("fault, status", [
    (fails_to_parse, 400), (has_no_identity, 401), (is_somebody_local, 400), (is_gone, 200), (has_no_token, 400),
])
def test_a_pull_that_fails_changes_no_key(service, staff, remote, member, fault, status):
    one = ed25519()
    remote.local = service.create()
    says(remote, member, [one])
    pull(member)
    told = events(service, member.user)
    says(remote, member, [ed25519()])
    fault(remote, remote.users[member.user["username"]])
    assert staff.post(path_of(member.user, ACTION)).status_code == status
    assert {key["public_key"] for key in keys_of(staff, member.user).values()} == {one}
    assert keys_of(staff, remote.local) == {}
    assert events(service, member.user) == told


def test_whom_the_remote_does_not_know_opens_nothing(staff, remote, member):
    """His account is switched off and with it his keys, which come back with it."""
    line = ed25519()
    says(remote, member, [line])
    pull(member)
    gone = remote.users.pop(member.user["username"])
    assert staff.post(path_of(member.user, ACTION)).status_code == 200
    assert authorized(staff, member.user) == []
    remote.users[member.user["username"]] = gone
    assert staff.patch(path_of(member.user), json={"is_active": True}).status_code == 200
    pull(member)
    assert authorized(staff, member.user) == without_comment(line)


def test_a_shared_key_goes_like_any_other(service, staff, remote, member):
    says(remote, member, [ed25519()])
    pull(member)
    service.sql("UPDATE ssh_keys SET is_shared = TRUE WHERE user_id = (SELECT id FROM users WHERE username = %s)",
                member.user["username"])
    says(remote, member, [])
    pull(member)
    assert keys_of(staff, member.user) == {}


def test_pulls_at_the_same_time(crowded):
    """Two workers mirror the same list: each key is added once."""
    remote, keys = Remote(), [ed25519() for _ in range(5)]
    provider = crowded.staff.post(PROVIDERS, json=remote.settings()).json()
    member = crowded.account(unique("m"))
    belongs_to(crowded, member.user, "eduteams")
    remote.users[member.user["username"]] = {"voperson_id": member.user["username"], "ssh_public_key": keys}
    try:
        answers = at_once(lambda client, _: client.post(path_of(member.user, ACTION)), crowded.staff, range(8), 8)
        assert {answer.status_code for answer in answers} == {200}
        assert lines(member) == mirrored(*keys)
        assert [event for event, _, _ in events(crowded, member.user)] == ["ssh_key_creation_succeeded"] * 5
    finally:
        crowded.staff.delete(provider["url"])
        remote.close()
