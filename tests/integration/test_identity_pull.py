"""pull_remote_user and remote-eduteams against a service that follows the protocol, and breaks it in every way."""

import contextlib
import json
import socket
import subprocess
import threading
import time

import pytest
from identity import PROVIDERS, Remote, belongs_to
from service import eventually, unique
from users import FORBIDDEN, NOT_FOUND, at_once, path_of, status_and_json

ACTION = "pull_remote_user/"
SYNC = "/api/remote-eduteams/"
NO_TOKEN = "Unable to get access token."
NO_JSON = "Unable to parse JSON in user info response."
NO_TOKEN_JSON = "Unable to parse JSON in access token response."
DEACTIVATED = {"detail": "remote-eduteams error: User is deactivated."}
UNMATCHED = {"detail": "remote-eduteams error: Unable to match user because identity field is missing from user profile."}
AUTHORIZED = "Only staff and identity manager are allowed to sync remote users."
DETAILS = ("username", "email", "first_name", "last_name", "affiliations", "is_active", "registration_method",
           "notifications_enabled")


@pytest.fixture
def provide(staff):
    """Makes a Remote the provider eduteams; with fields of one's own."""
    made = []

    def create(remote, **fields):
        answer = staff.post(PROVIDERS, json=remote.settings(**fields))
        assert answer.status_code == 201, answer.text
        made.append(answer.json())
        return made[-1]

    yield create
    for provider in made:
        staff.delete(provider["url"])


@pytest.fixture
def provider(remote, provide):
    return provide(remote)


def claims(name, **others):
    return {
        "voperson_id": name, "given_name": "Ada", "family_name": "Lovelace", "mail": ["ada@example.org", "b@example.org"],
        "voperson_external_affiliation": ["staff@example.org", "member@example.org"], **others,
    }


@pytest.fixture
def member(service, remote):
    """A client who is signed in as a user of eduTEAMS, whom the remote knows."""
    client = service.account(unique("m"), first_name="Old", last_name="Name")
    belongs_to(service, client.user, "eduteams")
    remote.users[client.user["username"]] = claims(client.user["username"])
    return client


def details(staff, user):
    user = staff.get(path_of(user)).json()
    return {key: user[key] for key in DETAILS}


def pull(client, user):
    answer = client.post(path_of(user, ACTION))
    return answer.status_code, answer.json() if answer.content else None


def last_sync(service, user):
    return service.sql("SELECT last_sync FROM users WHERE username = %s", user["username"])[0][0]


def column(service, name):
    return service.sql(f"SELECT {name} FROM identity_providers WHERE name = 'eduteams'")[0][0]


# --- what works


def test_the_details_are_taken_over(service, staff, remote, provider, member):
    for client in (member, staff):
        answer = client.post(path_of(member.user, ACTION), headers={"Content-Type": "x/y"}, data=b"{")
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["Content-Length"] == "0" and "Content-Type" not in answer.headers
    assert details(staff, member.user) == {
        "username": member.user["username"], "email": "ada@example.org", "first_name": "Ada", "last_name": "Lovelace",
        "affiliations": ["staff@example.org", "member@example.org"], "is_active": True,
        "registration_method": "eduteams", "notifications_enabled": True,
    }
    assert last_sync(service, member.user) is not None
    assert staff.get(f"/api/users/?full_name=lovelace&username={member.user['username']}").json() != []
    token, info, again = remote.requests
    assert token[:2] == ("POST", "/token") and info[0] == again[0] == "GET"
    assert info[1] == f"/userinfo/{member.user['username']}"
    assert info[2]["Authorization"] == again[2]["Authorization"] == "Bearer at-0"
    changes = service.sql(
        "SELECT event, changes FROM audit_events WHERE subject_uuid = UNHEX(%s) AND event = 'user_update_succeeded'",
        member.user["uuid"].replace("-", ""),
    )
    assert len(changes) == 1 and '"first_name":["Old","Ada"]' in changes[0][1]


@pytest.mark.parametrize("info, expected", [
    ({}, {}),
    ({"given_name": "", "family_name": None, "mail": [], "voperson_external_affiliation": []}, {}),
    ({"given_name": " Grace "}, {"first_name": "Grace"}),
    ({"mail": "one@example.org"}, {"email": "one@example.org"}),
    ({"email": "two@example.org"}, {"email": "two@example.org"}),
    ({"mail": [], "email": "two@example.org"}, {"email": "two@example.org"}),
    ({"mail": ["one@example.org"], "email": "two@example.org"}, {"email": "one@example.org"}),
    ({"voperson_external_affiliation": "staff"}, {"affiliations": ["staff"]}),
    ({"unknown": {"deep": [1, 2.5, None]}}, {}),
])
def test_claims(staff, remote, provider, member, info, expected):
    before = details(staff, member.user)
    remote.users[member.user["username"]] = {"voperson_id": member.user["username"], **info}
    assert pull(staff, member.user) == (200, None)
    assert details(staff, member.user) == {**before, **expected}


def test_a_protected_field_is_the_providers(service, staff, remote, provide, member):
    provide(remote, protected_fields=["first_name", "last_name", "email"])
    assert pull(member, member.user) == (200, None)
    assert details(staff, member.user)["first_name"] == "Ada"
    assert member.patch(path_of(member.user), json={"first_name": "X"}).json()["first_name"] == "Ada"


def test_whom_the_remote_does_not_know_is_deactivated(service, staff, remote, provider, member):
    before = details(staff, member.user)
    del remote.users[member.user["username"]]
    assert pull(staff, member.user) == (200, None)
    assert details(staff, member.user) == {**before, "is_active": False}
    assert last_sync(service, member.user) is not None
    assert member.get("/api/users/me/").status_code == 401
    assert pull(staff, member.user) == (200, None)


@pytest.mark.parametrize("reactivate", [False, True])
def test_a_deactivated_user(service, staff, remote, provide, member, reactivate):
    provide(remote, reactivate=reactivate)
    service.sql("UPDATE users SET is_active = FALSE WHERE username = %s", member.user["username"])
    before = details(staff, member.user)
    assert pull(staff, member.user) == ((200, None) if reactivate else (401, DEACTIVATED))
    after = details(staff, member.user)
    assert (after == before) is not reactivate and after["is_active"] is reactivate


def test_another_provider_than_that_which_is_asked(service, staff, remote, member):
    disabled = ["Remote eduTEAMS account synchronization extension is disabled."]
    assert pull(staff, member.user) == (400, disabled)
    assert status_and_json(staff.post(SYNC, json={"cuid": "x"})) == (403, "Remote eduTEAMS user sync is disabled.")
    assert remote.requests == []


@pytest.mark.parametrize("settings", [{"is_active": False}, {"refresh_token": ""}, {"token_url": ""}, {"userinfo_url": ""}])
def test_a_provider_that_is_not_to_be_asked(staff, remote, provide, member, settings):
    provide(remote, **settings)
    assert pull(staff, member.user)[0] == 400
    assert remote.requests == []


def test_identifiers_are_encoded(staff, remote, provider, service):
    name = unique("a") + "+b@example.org"
    user = service.create(name, email="b@example.org")
    belongs_to(service, user, "eduteams")
    remote.users[name] = claims(name)
    assert pull(staff, user) == (200, None)
    assert remote.requests[-1][1] == "/userinfo/" + name.replace("+", "%2B").replace("@", "%40")


# --- remote-eduteams


def test_a_new_user_is_made(service, staff, remote, provider):
    name = unique("new")
    remote.users["cuid/1"] = claims(name)
    answer = staff.post(SYNC, json={"cuid": "cuid/1"})
    assert answer.status_code == 200, answer.text
    assert details(staff, answer.json()) == {
        "username": name, "email": "ada@example.org", "first_name": "Ada", "last_name": "Lovelace",
        "affiliations": ["staff@example.org", "member@example.org"], "is_active": True,
        "registration_method": "eduteams", "notifications_enabled": False,
    }
    assert remote.requests[-1][1] == "/userinfo/cuid%2F1"
    again = staff.post(SYNC, json={"cuid": "cuid/1"})
    assert status_and_json(again) == (200, answer.json())
    login = service.nobody.post("/api-auth/password/", json={"username": name, "password": "x"})
    assert login.status_code == 401


def test_the_same_new_user_many_times_at_once(crowded):
    remote, name = Remote(), unique("new")
    remote.users["x"] = claims(name)
    provider = crowded.staff.post(PROVIDERS, json=remote.settings()).json()
    try:
        answers = at_once(lambda client, _: client.post(SYNC, json={"cuid": "x"}), crowded.staff, range(12), 12)
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.json()["uuid"] for answer in answers}) == 1
        assert len(remote.asked("/token")) == 1
    finally:
        crowded.staff.delete(provider["url"])
        remote.close()


def test_nobody_is_found(staff, remote, provider):
    answer = staff.post(SYNC, json={"cuid": "no one"})
    assert status_and_json(answer) == (404, {"detail": "User no one has not been found"})


def test_a_cuid_that_is_gone_deactivates(staff, remote, provider, member):
    del remote.users[member.user["username"]]
    assert staff.post(SYNC, json={"cuid": member.user["username"]}).status_code == 404
    assert details(staff, member.user)["is_active"] is False


@pytest.mark.parametrize("body, problems", [
    ({}, ["This field is required."]),
    ({"cuid": None}, ["This field may not be null."]),
    ({"cuid": " "}, ["This field may not be blank."]),
    ({"cuid": "x" * 257}, ["Ensure this field has no more than 256 characters."]),
    ({"cuid": ["x"]}, ["Not a valid string."]),
])
def test_bad_cuids(staff, remote, provider, body, problems):
    assert status_and_json(staff.post(SYNC, json=body)) == (400, {"cuid": problems})
    assert remote.requests == []


def test_only_staff_syncs(staff, support, regular, nobody, remote, provider):
    for client in (support, regular):
        assert status_and_json(client.post(SYNC, json={"cuid": "x"})) == (403, AUTHORIZED)
    assert nobody.post(SYNC, json={"cuid": "x"}).status_code == 401
    assert staff.get(SYNC).status_code == 405
    assert remote.requests == []


def test_only_self_and_staff_pull(support, regular, remote, provider, member):
    assert pull(support, member.user) == (403, FORBIDDEN)
    assert pull(regular, member.user) == (404, NOT_FOUND)
    assert remote.requests == []


@pytest.mark.parametrize("info, answer", [
    ({}, (401, UNMATCHED)),
    ({"voperson_id": ""}, (401, UNMATCHED)),
    ({"voperson_id": "Not A Username"}, (400, {"detail": NO_JSON})),
])
def test_who_cannot_be_matched(staff, remote, provider, member, info, answer):
    before = details(staff, member.user)
    remote.users[member.user["username"]] = {**claims("x"), **{"voperson_id": None}, **info}
    assert pull(staff, member.user) == answer
    assert details(staff, member.user) == before


def test_a_local_account_is_not_taken_over(service, staff, remote, provider, member):
    local = service.create()
    before = details(staff, local)
    remote.users[member.user["username"]] = claims(local["username"])
    assert pull(member, member.user) == (400, ["User is not managed by eduTEAMS."])
    assert details(staff, local) == before
    assert staff.post(SYNC, json={"cuid": local["username"]}).status_code == 404
    assert details(staff, local) == before


# --- access tokens


def test_a_token_is_kept_sealed(service, remote, provider, member):
    pull(member, member.user)
    assert column(service, "access_token") and b"at-0" not in column(service, "access_token")
    assert column(service, "fetcher") is None and column(service, "fetch_until") is None


def test_a_token_that_is_over_is_replaced(service, remote, provider, member):
    pull(member, member.user)
    service.sql("UPDATE identity_providers SET access_token_expires = UTC_TIMESTAMP(6) WHERE name = 'eduteams'")
    assert pull(member, member.user) == (200, None)
    assert len(remote.tokens) == 2


@pytest.mark.parametrize("lifetime, seconds", [(3600, 3570), ("600", 570), (100, 90), (10**15, 86370), (None, 1770)])
def test_how_long_a_token_is_kept(service, remote, provider, member, lifetime, seconds):
    remote.lifetime = lifetime
    if lifetime is None:
        remote.on_token = lambda handler: (remote.tokens.append("at"), remote.answer(handler, 200, {"access_token": "at"}))
    assert pull(member, member.user) == (200, None)
    left = service.sql(
        "SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), access_token_expires) FROM identity_providers"
        " WHERE name = 'eduteams'")[0][0]
    assert seconds - 20 <= left <= seconds


def test_a_token_that_the_service_has_forgotten_is_replaced_once(remote, provider, member):
    pull(member, member.user)
    remote.tokens.append("at-unknown")
    assert pull(member, member.user) == (200, None)
    assert len(remote.asked("/token")) == 2
    remote.on_userinfo = lambda handler: remote.answer(handler, 401, {})
    status, body = pull(member, member.user)
    assert status == 400 and body["detail"].startswith("Unable to get user info for ")
    assert len(remote.asked("/token")) == 3


def test_a_rotated_refresh_token_is_kept(service, remote, provider, member):
    remote.rotate = True
    old = column(service, "refresh_token")
    for n in range(3):
        service.sql("UPDATE identity_providers SET access_token_expires = NULL WHERE name = 'eduteams'")
        assert pull(member, member.user) == (200, None)
        assert len(remote.tokens) == n + 1
    assert column(service, "refresh_token") != old and b"rt-3" not in column(service, "refresh_token")
    assert column(service, "version") == 1


@contextlib.contextmanager
def held_back(remote, answer, ask):
    """In it the remote holds back an answer, token or userinfo, to ask(), whose result is in the list afterwards."""
    asked, go_on, results = threading.Event(), threading.Event(), []

    def slowly(handler):
        asked.set()
        go_on.wait(60)
        getattr(remote, answer)(handler)

    setattr(remote, f"on_{answer}", slowly)
    thread = threading.Thread(target=lambda: results.append(ask()))
    thread.start()
    try:
        assert asked.wait(60)
        yield results
    finally:
        go_on.set()
        thread.join()


def test_a_refresh_token_that_staff_sets_meanwhile_stays(service, staff, remote, provider, member):
    remote.rotate = True
    with held_back(remote, "token", lambda: pull(member, member.user)):
        assert staff.patch(provider["url"], json={"refresh_token": "by hand"}).status_code == 200
        by_hand = column(service, "refresh_token")
    assert column(service, "refresh_token") == by_hand and column(service, "access_token") is None


@pytest.mark.parametrize("change", [{"client_secret": "another"}, {"client_id": "another"}])
def test_an_access_token_that_was_made_with_other_settings_is_not_kept(
        service, staff, remote, provider, member, change):
    remote.rotate = True
    old = column(service, "refresh_token")
    with held_back(remote, "token", lambda: pull(member, member.user)):
        assert staff.patch(provider["url"], json=change).status_code == 200
    assert column(service, "access_token") is None
    assert column(service, "refresh_token") != old


def test_a_refresh_token_that_another_fetch_has_replaced_is_not_sent(service, staff, remote, provider, member):
    remote.refresh = "rt-1"
    assert staff.patch(provider["url"], json={"refresh_token": "rt-1"}).status_code == 200
    replaced = column(service, "refresh_token")
    assert staff.patch(provider["url"], json={"refresh_token": "rt-0"}).status_code == 200
    replace = "UPDATE identity_providers SET refresh_token = %s"
    assert service.while_locked([lambda: pull(member, member.user)], replace, replaced) == [(200, None)]
    assert len(remote.asked("/token")) == 1


def test_a_token_is_not_sent_to_where_the_service_was_before(service, remote, provider, member):
    name = member.user["username"]
    remote.users[f"/other/{name}"] = claims(name)
    move = "UPDATE identity_providers SET userinfo_url = %s, version = version + 1"
    assert service.while_locked([lambda: pull(member, member.user)], move, remote.url("/other")) == [(200, None)]
    assert [request[1] for request in remote.requests] == ["/token", f"/other/{name}"]


def test_an_answer_of_other_settings_is_not_applied(staff, remote, provider, member):
    name = member.user["username"]
    remote.users[f"/other/{name}"] = claims(name, given_name="Grace")
    with held_back(remote, "userinfo", lambda: pull(staff, member.user)) as results:
        assert staff.patch(provider["url"], json={"userinfo_url": remote.url("/other")}).status_code == 200
        del remote.users[name]
    assert results == [(200, None)]
    assert details(staff, member.user)["first_name"] == "Grace"
    assert [request[1] for request in remote.requests if request[0] == "GET"] == [f"/userinfo/{name}", f"/other/{name}"]


def test_an_answer_that_a_later_question_has_overtaken_changes_nothing(staff, remote, provider, member):
    name = member.user["username"]
    with held_back(remote, "userinfo", lambda: pull(staff, member.user)) as results:
        remote.on_userinfo = None
        remote.users[name] = claims(name, given_name="Newer")
        assert pull(staff, member.user) == (200, None)
        remote.users[name] = claims(name, given_name="Older")
    assert results == [(200, None)]
    assert details(staff, member.user)["first_name"] == "Newer"


def test_what_an_answer_changes_is_done_when_it_is_there(service, staff, remote, provider, member):
    with held_back(remote, "userinfo", lambda: pull(staff, member.user)):
        assert staff.patch(path_of(member.user), json={"job_title": "meanwhile"}).status_code == 200
    changes = service.sql(
        "SELECT changes FROM audit_events WHERE subject_uuid = UNHEX(%s) AND event = 'user_update_succeeded'"
        " ORDER BY created", member.user["uuid"].replace("-", ""))
    assert ["first_name" in change for (change,) in changes] == [False, True]


def test_a_user_whom_staff_deactivates_while_he_is_asked_for_stays_so(staff, remote, provide, member):
    provide(remote, reactivate=True)
    with held_back(remote, "userinfo", lambda: pull(staff, member.user)) as results:
        assert staff.patch(path_of(member.user), json={"is_active": False}).status_code == 200
    assert results == [(401, DEACTIVATED)]
    assert details(staff, member.user)["is_active"] is False


def test_workers_fetch_one_token(crowded):
    remote = Remote()
    provider = crowded.staff.post(PROVIDERS, json=remote.settings()).json()
    users = [crowded.create(unique("m")) for _ in range(8)]
    for user in users:
        belongs_to(crowded, user, "eduteams")
        remote.users[user["username"]] = claims(user["username"])

    def slowly(handler):
        time.sleep(0.3)
        remote.token(handler)

    remote.on_token = slowly
    try:
        answers = at_once(lambda client, user: client.post(path_of(user, ACTION)), crowded.staff, users, 8)
        assert [answer.status_code for answer in answers] == [200] * 8
        assert len(remote.tokens) == 1
    finally:
        crowded.staff.delete(provider["url"])
        remote.close()


def test_no_transaction_is_open_while_the_remote_is_asked(service, staff, remote, provider, member):
    """Also not with headers that lock rows before the handler runs."""
    etag = member.get(path_of(member.user)).headers["ETag"]
    headers = {"Idempotency-Key": unique("k"), "If-Match": etag}

    def ask():
        return member.post(path_of(member.user, ACTION), headers=headers).status_code

    with held_back(remote, "userinfo", ask) as results:
        # Those of other processes are over at once; this would last until the remote goes on.
        eventually(lambda: service.sql("SELECT COUNT(*) FROM information_schema.innodb_trx") == ((0,),))
    assert results == [200]


def test_a_users_own_pulls_leave_a_worker_for_those_who_sign_in(service, staff, remote, provider, member):
    with held_back(remote, "userinfo", lambda: pull(member, member.user)) as first:
        for _ in range(3):
            answer = member.post(path_of(member.user, ACTION), timeout=20)
            assert status_and_json(answer) == (
                429, {"detail": "Request was throttled. Expected available in 1 second."})
            assert answer.headers["Retry-After"] == "1"
    assert first == [(200, None)]
    assert pull(member, member.user) == (200, None)


def test_connections_are_used_again(service, staff, remote, provider, member):
    for _ in range(10):
        assert pull(staff, member.user) == (200, None)
    assert len({request[4] for request in remote.requests}) <= 2  # as many as there are slow workers


# --- faults


def drip(remote, handler, seconds=30):
    """An answer that does not end in time, though something always comes."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    for _ in range(seconds * 20):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


def endless(remote, handler):
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    while True:
        handler.wfile.write(b"2710\r\n" + b"[" * 10000 + b"\r\n")


def truncated(remote, handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"access_token": "x", "voperson_id": "x"}')
    handler.close_connection = True


def refusing(remote, handler):
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def garbage(remote, handler):
    handler.wfile.write(b"\x00\xff\r\n\r\n")
    handler.close_connection = True


def large(remote, handler):
    remote.answer(handler, 200, b" " * 300000)


NO_ANSWER = {"drip": drip, "endless": endless, "truncated": truncated, "refusing": refusing, "garbage": garbage,
             "large": large}


@pytest.fixture
def same(service, staff, member, remote):
    """Afterwards nothing must have changed, and the log must have no secret."""
    before, start = details(staff, member.user), service.log_size()
    yield
    assert details(staff, member.user) == before
    assert last_sync(service, member.user) is None
    assert column(service, "fetcher") is None
    log = str(service.log(start))
    for secret in ("rt-0", "open sesame", *remote.tokens, "at-secret"):
        assert secret not in log


@pytest.mark.parametrize("fault", NO_ANSWER)
def test_no_token(service, staff, remote, provide, member, same, fault):
    provide(remote, timeout=1)
    remote.on_token = lambda handler: NO_ANSWER[fault](remote, handler)
    assert pull(staff, member.user) == (400, {"detail": NO_TOKEN})
    assert remote.asked("/userinfo") == []


@pytest.mark.parametrize("fault", NO_ANSWER)
def test_no_user_information(service, staff, remote, provider, member, same, fault):
    url = remote.url(f"/userinfo/{member.user['username']}")
    unable = (400, {"detail": f"Unable to get user info for {url}"})
    remote.on_userinfo = lambda handler: remote.answer(handler, 503, {})
    assert pull(staff, member.user) == unable
    # The token is there now: so little time is for the answer alone.
    assert staff.patch(provider["url"], json={"timeout": 1}).status_code == 200
    remote.on_userinfo = lambda handler: NO_ANSWER[fault](remote, handler)
    assert pull(staff, member.user) == unable
    assert len(remote.asked("/token")) == 1 and len(remote.asked("/userinfo")) >= 2
    assert column(service, "access_token") is not None


@pytest.mark.parametrize("status, body, reason", [
    (500, b"", "b''"),
    (503, b"Down for 'maintenance'", 'b"Down for \'maintenance\'"'),
    (400, b'{"error":"invalid_grant"}', "b'{\"error\":\"invalid_grant\"}'"),
    (400, b"'\"\\\t\r\n\x00\xc3\xa9", "b'\\'\"\\\\\\t\\r\\n\\x00\\xc3\\xa9'"),
    (302, b"", "b''"),
    (204, b"", "b''"),
    (404, b"x" * 2000, "b'" + "x" * 1000 + "'"),
])
def test_a_token_that_is_refused(service, staff, remote, provider, member, same, status, body, reason):
    remote.on_token = lambda handler: remote.answer(handler, status, body, {"Location": remote.url("/token2")})
    assert pull(staff, member.user) == (400, {"detail": f"{NO_TOKEN} Reason: {reason}"})
    assert len(remote.requests) == 1


@pytest.mark.parametrize("words", [
    lambda handler: handler.body,
    lambda handler: handler.body.replace("%2F", "%2f"),
    lambda handler: json.dumps({"error": "invalid_grant", "refresh_token": "rt-0/+x="}),
    lambda handler: json.dumps({"error": "invalid_grant", "refresh_token": "rt-0/+x="}).replace("/", "\\/"),
    lambda handler: " " * 995 + "rt-0/+x=",
    lambda handler: "not the secret of roster: open sesame",
    lambda handler: str(handler.headers),
])
def test_a_refusal_that_repeats_a_secret_is_not_quoted(service, staff, remote, provide, member, same, words):
    remote.refresh = "rt-0/+x="
    provide(remote)
    remote.on_token = lambda handler: remote.answer(handler, 400, words(handler).encode())
    assert pull(staff, member.user) == (400, {"detail": NO_TOKEN})
    assert len(remote.requests) == 1


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b"null", b'"at"', b"{}", b"\xff", b'{"access_token": ""}', b'{"access_token": null}',
    b'{"access_token": 7}', b'{"access_token": ["at-secret"]}', b'{"access_token": "at secret"}',
    b'{"access_token": "at\\r\\nX: y"}', b'{"access_token": "at\\u00e9"}',
    b'{"access_token": "at-secret", "expires_in": "soon"}', b'{"access_token": "at-secret", "expires_in": -1}',
    b'{"access_token": "at-secret", "expires_in": 0}', b'{"access_token": "at-secret", "expires_in": {}}',
    b'{"access_token": "at-secret", "refresh_token": 7}', b'{"access_token": "at-secret", "refresh_token": ""}',
    b'{"access_token": "at-secret", "access_token": "b"}', b"[" * 100000,
])
def test_a_token_answer_that_is_none(service, staff, remote, provider, member, same, body):
    refresh = column(service, "refresh_token")
    remote.on_token = lambda handler: remote.answer(handler, 200, body)
    assert pull(staff, member.user) == (400, {"detail": NO_TOKEN_JSON})
    assert column(service, "access_token") is None and column(service, "refresh_token") == refresh


@pytest.mark.parametrize("status", [201, 204, 301, 302, 400, 403, 410, 418, 500, 503])
def test_user_information_with_another_status(staff, remote, provider, member, same, status):
    remote.on_userinfo = lambda handler: remote.answer(
        handler, status, b"" if status == 204 else claims("x"), {"Location": remote.url("/userinfo2/")})
    status, body = pull(staff, member.user)
    assert status == 400 and body["detail"].startswith("Unable to get user info for ")
    assert len(remote.requests) == 2


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"7", b'"x"', b"\xff", b'{"a": 1, "a": 2}', b"[" * 100000])
def test_user_information_that_is_none(staff, remote, provider, member, same, body):
    remote.on_userinfo = lambda handler: remote.answer(handler, 200, body)
    assert pull(staff, member.user) == (400, {"detail": NO_JSON})


@pytest.mark.parametrize("info", [
    {"given_name": 7}, {"given_name": ["Ada"]}, {"given_name": {}}, {"given_name": True}, {"given_name": "x" * 101},
    {"family_name": 7}, {"family_name": "x" * 101}, {"mail": 7}, {"mail": {}}, {"mail": [7]}, {"mail": [["a@b.org"]]},
    {"mail": ["not an address"]}, {"mail": "not an address"}, {"mail": [], "email": 7}, {"mail": ["x" * 320 + "@b.org"]},
    {"voperson_external_affiliation": 7}, {"voperson_external_affiliation": [7]}, {"voperson_external_affiliation": {}},
    {"voperson_external_affiliation": ["x"] * 101}, {"voperson_external_affiliation": ["x" * 501]},
    {"voperson_id": 7}, {"voperson_id": ["x"]}, {"ssh_public_key": "x"}, {"ssh_public_key": {}},
])
def test_claims_of_other_types(staff, remote, provider, member, same, info):
    remote.users[member.user["username"]] = claims(member.user["username"], **info)
    assert pull(staff, member.user) == (400, {"detail": NO_JSON})


def test_an_old_token_outlives_a_refused_refresh(service, staff, remote, provider, member):
    pull(staff, member.user)
    kept = column(service, "access_token")
    remote.on_token = lambda handler: remote.answer(handler, 500, b"")
    remote.on_userinfo = lambda handler: remote.answer(handler, 401, b"")
    assert pull(staff, member.user) == (400, {"detail": f"{NO_TOKEN} Reason: b''"})
    assert column(service, "access_token") == kept
    remote.on_userinfo = None
    assert pull(staff, member.user) == (200, None)


def test_a_closed_port(service, staff, remote, provide, member, same):
    provide(remote)
    remote.server.shutdown()
    remote.server.server_close()
    assert pull(staff, member.user) == (400, {"detail": NO_TOKEN})


def test_addresses_that_point_inwards(service, staff, remote, provide, member, same):
    for host in ("localhost", "127.0.0.1", "[::1]", "0.0.0.0", "169.254.169.254", "10.0.0.1", "[::ffff:127.0.0.1]",
                 "0x7f.1", "2130706433"):
        url = f"https://{host}:{remote.port}/"
        made = provide(remote, allow_internal=False, token_url=url, userinfo_url=url, connect_timeout=2)
        assert pull(staff, member.user) == (400, {"detail": NO_TOKEN})
        assert "its address is not a public one" in service.messages("cannot be asked")[-1]["message"], host
        if host != "2130706433":
            staff.delete(made["url"])
    assert remote.requests == []


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """One for localhost, one for another host; both sign themselves."""
    folder = tmp_path_factory.mktemp("certificates")

    def make(name):
        key, file = folder / f"{name}.key", folder / f"{name}.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-keyout", key, "-out", file, "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"],
            check=True, capture_output=True,
        )
        return file, key

    return {name: make(name) for name in ("localhost", "elsewhere.example.org")}


def test_a_good_certificate(staff, provide, member, certificates, remote):
    secure = Remote(certificate=certificates["localhost"])
    secure.users = remote.users
    provide(secure, ca_file=str(certificates["localhost"][0]))
    assert pull(staff, member.user) == (200, None)
    secure.close()


@pytest.mark.parametrize("certificate, ca", [
    ("localhost", None),
    ("localhost", "elsewhere.example.org"),
    ("elsewhere.example.org", "elsewhere.example.org"),
])
def test_wrong_certificates(service, staff, provide, member, certificates, same, certificate, ca):
    secure = Remote(certificate=certificates[certificate])
    provide(secure, ca_file=str(certificates[ca][0]) if ca else "")
    assert pull(staff, member.user) == (400, {"detail": NO_TOKEN})
    assert secure.requests == []
    secure.close()


def test_a_ca_file_that_is_not_there(service, staff, provide, member, certificates, same):
    secure = Remote(certificate=certificates["localhost"])
    provide(secure, ca_file="/nonexistent.pem")
    assert pull(staff, member.user) == (400, {"detail": NO_TOKEN})
    secure.close()
