"""pull_remote_user with the tokens of Glewlwyd: an OAuth 2 server whose refresh tokens are good for one use."""

import json

import pytest
import requests
from glewlwyd import CLIENT, Glewlwyd
from identity import PROVIDERS, Remote, belongs_to
from service import eventually, unique
from users import at_once, path_of

ACTION = "pull_remote_user/"
NO_TOKEN = "Unable to get access token."


@pytest.fixture(scope="module")
def glewlwyd():
    server = Glewlwyd()
    yield server
    server.close()


@pytest.fixture
def own_glewlwyd():
    """Starts servers that a test may stop: own_glewlwyd(lifetime=N)."""
    servers = []

    def start(**options):
        servers.append(Glewlwyd(**options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


class Resource(Remote):
    """User information for those whose access token Glewlwyd says is good."""

    def __init__(self, glewlwyd):
        super().__init__()
        self.glewlwyd = glewlwyd
        self.on_userinfo = self.checked

    def checked(self, handler):
        kind, _, token = handler.headers["Authorization"].partition(" ")
        with self.lock:
            self.tokens.append(token)
        if kind != "Bearer" or not self.glewlwyd.is_good(token):
            self.answer(handler, 401, {"error": "invalid_token"})
            return
        user = self.users.get(handler.path.removeprefix("/userinfo/"))
        self.answer(handler, 404 if user is None else 200, user or {})

    def forward(self, handler):
        """Asks Glewlwyd for a token in roster's place, to see what is said."""
        answer = requests.post(
            self.glewlwyd.token_url, data=handler.body, timeout=20,
            headers={name: handler.headers[name] for name in ("Authorization", "Content-Type")})
        self.seen += [answer.json()] if answer.ok else []
        self.answer(handler, answer.status_code, answer.content)

    def settings(self, **fields):
        return super().settings(**{
            "token_url": self.glewlwyd.token_url, "client_id": CLIENT[0], "client_secret": CLIENT[1],
            "refresh_token": self.glewlwyd.sign_in(), **fields,
        })

    def member(self, service):
        """A client who is signed in as a user of eduTEAMS."""
        client = service.account(unique("m"))
        belongs_to(service, client.user, "eduteams")
        self.users[client.user["username"]] = {"voperson_id": client.user["username"], "given_name": "Ada"}
        return client


@pytest.fixture
def provide():
    """Makes a Glewlwyd the provider eduteams of a service: its settings there, and who answers for its users."""
    made = []

    def create(service, glewlwyd, **fields):
        resource = Resource(glewlwyd)
        made.append([resource])
        answer = service.staff.post(PROVIDERS, json=resource.settings(**fields))
        assert answer.status_code == 201, answer.text
        made[-1] += [service, answer.json()["url"]]
        return answer.json(), resource

    yield create
    for resource, *provider in made:
        resource.close()
        for service, url in [provider] if provider else []:
            service.staff.delete(url)


@pytest.fixture
def remote(service, glewlwyd, provide):
    return provide(service, glewlwyd)[1]


@pytest.fixture
def member(service, remote):
    return remote.member(service)


def pull(member):
    answer = member.post(path_of(member.user, ACTION))
    return answer.status_code, answer.json() if answer.content else None


def refused(reason=""):
    return 400, {"detail": NO_TOKEN + reason}


def column(service, name):
    return service.sql(f"SELECT {name} FROM identity_providers WHERE name = 'eduteams'")[0][0]


def forget(service):
    """The access token is over."""
    service.sql("UPDATE identity_providers SET access_token_expires = NULL WHERE name = 'eduteams'")


def test_the_whole_path(service, glewlwyd, remote, member):
    assert pull(member) == (200, None)
    assert member.get("/api/users/me/").json()["first_name"] == "Ada"
    (method, path, headers, _, _), = remote.requests
    assert (method, path) == ("GET", f"/userinfo/{member.user['username']}")
    assert glewlwyd.is_good(headers["Authorization"].removeprefix("Bearer "))


def test_a_user_who_is_new_and_one_who_is_gone(service, glewlwyd, remote, member):
    name = unique("new")
    remote.users[name] = {"voperson_id": name}
    user = service.staff.post("/api/remote-eduteams/", json={"cuid": name}).json()
    assert service.staff.get(path_of(user)).json()["username"] == name
    remote.users.clear()
    assert pull(member) == (200, None)
    assert service.staff.get(path_of(member.user)).json()["is_active"] is False


def test_a_token_is_used_for_its_lifetime(service, glewlwyd, remote, member):
    before = glewlwyd.issued()
    for _ in range(5):
        assert pull(member) == (200, None)
    assert glewlwyd.issued() == before + 1
    assert len(remote.tokens) == 5 and len(set(remote.tokens)) == 1
    left = service.sql(
        "SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), access_token_expires) FROM identity_providers"
        " WHERE name = 'eduteams'")[0][0]
    assert 3500 <= left <= 3570


def test_a_token_that_is_over_is_replaced(service, own_glewlwyd, provide):
    glewlwyd = own_glewlwyd(lifetime=3)  # with less, one may be over before it is used
    _, remote = provide(service, glewlwyd)
    member = remote.member(service)

    def replaced(count):
        assert pull(member) == (200, None)
        return len(set(remote.tokens)) >= count

    for count in (2, 3):
        eventually(lambda count=count: replaced(count), what=f"token {count}")


def test_a_token_that_is_withdrawn_is_replaced_at_once(service, glewlwyd, remote, member):
    assert pull(member) == (200, None)
    before = glewlwyd.issued()
    glewlwyd.revoke(remote.tokens[-1], "access_token")
    assert pull(member) == (200, None)
    assert glewlwyd.issued() == before + 1
    assert remote.tokens[0] == remote.tokens[1] != remote.tokens[2]


def test_a_refresh_token_is_rotated(service, glewlwyd, remote, member):
    kept = [column(service, "refresh_token")]
    for _ in range(3):
        forget(service)
        assert pull(member) == (200, None)
        kept.append(column(service, "refresh_token"))
    assert len(set(kept)) == 4 and len(set(remote.tokens)) == 3


def test_a_rotated_refresh_token_outlives_a_restart(daemon, glewlwyd, provide):
    service = daemon()
    _, remote = provide(service, glewlwyd)
    member = remote.member(service)
    assert pull(member) == (200, None)
    service.run("stop_rosterd", "start_rosterd", "wait_for_answer")
    assert pull(member) == (200, None)
    assert len(set(remote.tokens)) == 1
    forget(service)
    assert pull(member) == (200, None)
    assert len(set(remote.tokens)) == 2


def test_no_secret_is_kept_or_logged_in_plain(service, glewlwyd, provide):
    """Seen by one who stands between roster and Glewlwyd; also those of a refusal are in no log."""
    start, first = service.log_size(), glewlwyd.sign_in()
    provider, remote = provide(service, glewlwyd, refresh_token=first)
    remote.seen, remote.on_token = [], remote.forward
    assert service.staff.patch(provider["url"], json={"token_url": remote.url("/token")}).status_code == 200
    member = remote.member(service)
    for _ in range(2):
        forget(service)
        assert pull(member) == (200, None)
    glewlwyd.revoke(remote.seen[-1]["refresh_token"], "refresh_token")
    forget(service)
    assert pull(member) == refused(" Reason: b''")
    told = [answer[kind] for answer in remote.seen for kind in ("access_token", "refresh_token")]
    secrets = {CLIENT[1], first, *told}
    row = str(service.sql("SELECT * FROM identity_providers WHERE name = 'eduteams'"))
    events = str(service.sql("SELECT changes FROM audit_events WHERE event LIKE 'identity_provider%%'"))
    log = json.dumps(service.log(start))
    for place in (row, events, log, service.staff.get(provider["url"]).text):
        assert not [secret for secret in secrets if secret in place]
    assert len(secrets) == 6


def test_a_revoked_refresh_token(service, glewlwyd, provide):
    token = glewlwyd.sign_in()
    provider, remote = provide(service, glewlwyd, refresh_token=token)
    member = remote.member(service)
    glewlwyd.revoke(token, "refresh_token")
    for _ in range(2):
        assert pull(member) == refused(" Reason: b''")
    assert remote.requests == []
    assert service.staff.patch(provider["url"], json={"refresh_token": glewlwyd.sign_in()}).status_code == 200
    assert pull(member) == (200, None)


def test_a_stolen_refresh_token(service, glewlwyd, provide):
    """Used a second time, it ends those that came of it: staff has to sign in again."""
    token = glewlwyd.sign_in()
    provider, remote = provide(service, glewlwyd, refresh_token=token)
    member = remote.member(service)
    assert pull(member) == (200, None)
    assert glewlwyd.of_client("/token", grant_type="refresh_token", refresh_token=token).status_code == 400
    assert pull(member) == (200, None)
    forget(service)
    assert pull(member) == refused(" Reason: b''")
    assert service.staff.patch(provider["url"], json={"refresh_token": glewlwyd.sign_in()}).status_code == 200
    assert pull(member) == (200, None)


@pytest.mark.parametrize("settings", [
    {"client_secret": "open barley"}, {"client_secret": ""}, {"client_id": "nobody"}, {"refresh_token": "x" * 128},
])
def test_wrong_settings(service, glewlwyd, provide, settings):
    """With a wrong secret the refresh token is gone, too: Glewlwyd does not take it any more."""
    provider, remote = provide(service, glewlwyd, **settings)
    member = remote.member(service)
    status, body = pull(member)
    assert status == 400 and body["detail"].startswith(NO_TOKEN + " Reason: b'"), body
    assert remote.requests == []
    right = {key: value for key, value in remote.settings().items() if key in {*settings, "refresh_token"}}
    assert service.staff.patch(provider["url"], json=right).status_code == 200
    assert pull(member) == (200, None)


def test_the_server_is_gone(service, own_glewlwyd, provide):
    glewlwyd = own_glewlwyd()
    _, remote = provide(service, glewlwyd)
    member = remote.member(service)
    glewlwyd.stop()
    assert pull(member) == refused()
    assert remote.requests == []
    glewlwyd.start()
    assert pull(member) == (200, None)


def test_many_pulls_at_once_fetch_one_token(crowded, glewlwyd, provide):
    before = glewlwyd.issued()
    _, remote = provide(crowded, glewlwyd)
    members = [remote.member(crowded) for _ in range(16)]
    signed_in = glewlwyd.issued() - before
    answers = at_once(lambda client, user: client.post(path_of(user, ACTION)), crowded.staff,
                      [member.user for member in members], 16)
    assert [answer.status_code for answer in answers] == [200] * 16
    assert glewlwyd.issued() == before + signed_in + 1
    assert len(remote.tokens) == 16 and len(set(remote.tokens)) == 1
