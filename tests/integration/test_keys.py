"""/api/keys/: SSH keys of users."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from service import Client, unique
from sshkeys import TYPES, blob_of, ed25519, line_of, make_pair, of_security_key, parts_of, printed_fingerprints
from users import FORBIDDEN, MALFORMED, NO_CREDENTIALS, UNKNOWN, UUID, path_of, statements, status_and_json

PATH = "/api/keys/"
NOT_FOUND = {"detail": "No SshPublicKey matches the given query."}
SHARED_IS_STAFFS = {"detail": "Only staff users are allowed to delete shared SSH public key."}
REQUIRED = ["This field is required."]
BLANK = ["This field may not be blank."]
INVALID = ["Invalid SSH public key."]
SEVERAL = ["Key is not valid: it should be single line."]
TAKEN = ["This field must be unique."]
PRIVATE = [
    "This is a private key, which nobody but you should ever see. It was not stored. Send the public key, from "
    "the file that ends in .pub, and make a new pair."
]
FIELDS = [
    "url",
    "uuid",
    "name",
    "public_key",
    "fingerprint_md5",
    "fingerprint_sha256",
    "fingerprint_sha512",
    "user_uuid",
    "is_shared",
    "type",
]


def add(client, name=None, line=None):
    """A new key of the client's, as it was answered."""
    answer = client.post(PATH, json={"name": name or unique("key"), "public_key": line or ed25519()})
    assert answer.status_code == 201, answer.text
    return answer.json()


def share(service, key):
    """Only the operator shares a key."""
    service.sql("UPDATE ssh_keys SET is_shared = TRUE WHERE uuid = UNHEX(%s)", key["uuid"].replace("-", ""))
    return {**key, "is_shared": True}


def names(answer):
    assert answer.status_code == 200, answer.text
    return [key["name"] for key in answer.json()]


def count(service, user):
    """How many keys of a user the database has."""
    sql = "SELECT COUNT(*) FROM ssh_keys WHERE user_id = (SELECT id FROM users WHERE username = %s)"
    return service.sql(sql, user["username"])[0][0]


@pytest.fixture
def other(service):
    """Another regular account."""
    return service.account()


@pytest.fixture
def callers(staff, support, regular, other, nobody):
    return {"staff": staff, "support": support, "owner": regular, "other": other, "nobody": nobody}


# --- adding


@pytest.mark.parametrize("caller", ["staff", "support", "owner"])
def test_everybody_adds_keys_of_his_own(service, callers, caller):
    client, line, name = callers[caller], ed25519(), unique("Läptop")
    answer = client.post(PATH, json={"name": f" {name} ", "public_key": f"\n {line} \n", "is_shared": True})
    assert answer.status_code == 201
    key = answer.json()
    assert UUID.fullmatch(key["uuid"])
    assert list(key.items()) == [
        ("url", f"{service.url}{PATH}{key['uuid']}/"),
        ("uuid", key["uuid"]),
        ("name", name),
        ("public_key", line),
        *printed_fingerprints(line).items(),
        ("user_uuid", client.get("/api/users/me/").json()["uuid"]),
        ("is_shared", False),
        ("type", "ssh-ed25519"),
    ]
    assert answer.headers["Location"] == key["url"]
    assert answer.headers["ETag"]
    assert status_and_json(client.get(key["url"])) == (200, key)


def test_staff_cannot_add_somebody_elses(staff, regular):
    body = {"name": unique("key"), "public_key": ed25519(), "user": regular.user["url"],
            "user_uuid": regular.user["uuid"]}
    key = staff.post(PATH, json=body).json()
    assert key["user_uuid"] == staff.get("/api/users/me/").json()["uuid"]


@pytest.mark.parametrize("kind", TYPES)
def test_fingerprints_are_those_of_ssh_keygen(regular, tmp_path, kind):
    line = make_pair(tmp_path, *TYPES[kind])[1]
    key = add(regular, line=line)
    expected = {"public_key": line, "type": line.split()[0], **printed_fingerprints(line)}
    assert {name: key[name] for name in expected} == expected


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa-256"])
def test_keys_of_security_keys(regular, tmp_path, kind):
    line = of_security_key(make_pair(tmp_path, *TYPES[kind])[1])
    key = add(regular, line=line)
    expected = {"public_key": line, "type": line.split()[0], **printed_fingerprints(line)}
    assert {name: key[name] for name in expected} == expected


@pytest.mark.parametrize("comment", ["", "alice@host", "two words", "Ülle's \"key\"", "no-pty ssh-rsa AAAA"])
def test_comments_are_free(regular, comment):
    line = ed25519(comment).strip()
    assert add(regular, line=line)["public_key"] == line


@pytest.mark.parametrize("form", ["data", "files"])
def test_forms(regular, form):
    name, line = unique("key"), ed25519()
    if form == "data":
        answer = regular.post(PATH, data={"name": name, "public_key": line})
    else:
        answer = regular.post(PATH, files={"name": (None, name), "public_key": (None, line)})
    assert answer.status_code == 201
    assert (answer.json()["name"], answer.json()["public_key"]) == (name, line)


def test_the_same_key_again_under_another_name_or_user(regular, other):
    line = ed25519()
    keys = [add(regular, line=line), add(regular, line=line), add(other, line=line)]
    assert len({key["fingerprint_sha256"] for key in keys}) == 1
    assert len({key["uuid"] for key in keys}) == 3


def test_a_name_is_taken_by_the_same_user_only(regular, other):
    name = unique("key")
    add(regular, name)
    body = {"name": name, "public_key": ed25519()}
    assert status_and_json(regular.post(PATH, json=body)) == (400, {"name": TAKEN})
    add(other, name)
    # To the letter: these are other names.
    add(regular, name.upper())
    add(regular, name.replace("e", "é", 1))


def test_equal_names_at_once(service, regular):
    name = unique("key")

    def post(_):
        client = Client(service, regular.token)
        return client.post(PATH, json={"name": name, "public_key": ed25519()}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(post, range(8))) == [201] + [400] * 7
    assert count(service, regular.user) == 1


# --- what is refused


def test_what_is_missing(regular):
    assert status_and_json(regular.post(PATH)) == (400, {"name": REQUIRED, "public_key": REQUIRED})
    assert status_and_json(regular.post(PATH, json={"name": " ", "public_key": "\n"})) == (
        400, {"name": BLANK, "public_key": BLANK})
    null = ["This field may not be null."]
    assert status_and_json(regular.post(PATH, json={"name": None, "public_key": None})) == (
        400, {"name": null, "public_key": null})
    text = ["Not a valid string."]
    assert status_and_json(regular.post(PATH, json={"name": [], "public_key": {}})) == (
        400, {"name": text, "public_key": text})


def test_long_names(regular):
    add(regular, unique("é") + "é" * (150 - len(unique("é"))))
    answer = regular.post(PATH, json={"name": "é" * 151, "public_key": ed25519()})
    assert status_and_json(answer) == (400, {"name": ["Ensure this field has no more than 150 characters."]})


def modulus(bits):
    return b"\0" + (2**bits - 1).to_bytes((bits + 7) // 8, "big") if bits % 8 == 0 else (
        2**bits - 1).to_bytes((bits + 7) // 8, "big")


GOOD = ed25519()
CUT = GOOD.split()[1]
REFUSED = {
    "no key": "hello",
    "one word": CUT,
    "no blob": "ssh-ed25519",
    "options in front": f"no-pty {GOOD}",
    "a command in front": f'command="/bin/sh" {GOOD}',
    "a host in front": f"host.example.org {GOOD}",
    "a comment": f"# {GOOD}",
    "another type's word": f"ssh-rsa {CUT}",
    "an unknown type": f"ssh-ed448 {CUT}",
    "upper case": GOOD.replace("ssh-ed25519", "SSH-ED25519"),
    "base64 that was cut": f"ssh-ed25519 {CUT[:-1]}",
    "a blob that was cut": f"ssh-ed25519 {CUT[:-4]}",
    "a blob with more behind it": f"ssh-ed25519 {CUT}AAAA",
    "too much padding": f"ssh-ed25519 {CUT}=",
    "characters that are not base64's": f"ssh-ed25519 {CUT[:-1]}-",
    "a control character": f"{GOOD}\x1b[2J",
    "the second field missing": line_of("ssh-rsa", b"\1\0\1"),
    "RSA of 1024 bits": line_of("ssh-rsa", b"\1\0\1", modulus(1024)),
    "RSA of 2047 bits": line_of("ssh-rsa", b"\1\0\1", modulus(2047)),
    "RSA in a longer form": line_of("ssh-rsa", b"\1\0\1", b"\0" + modulus(2048)),
    "RSA with the exponent 1": line_of("ssh-rsa", b"\1", modulus(2048)),
    "DSA": line_of("ssh-dss", modulus(1024), b"\1" * 20, b"\2" * 128, b"\3" * 128),
    "another curve": line_of("ecdsa-sha2-nistp256", "nistp384", b"\4" + b"\1" * 64),
    "a point of another curve": line_of("ecdsa-sha2-nistp256", "nistp256", b"\4" + b"\1" * 96),
    "a compressed point": line_of("ecdsa-sha2-nistp256", "nistp256", b"\2" + b"\1" * 32),
    "a certificate": line_of("ssh-ed25519-cert-v01@openssh.com", b"\1" * 32, b"\1" * 32),
    "a security key's without application": line_of("sk-ssh-ed25519@openssh.com", b"\1" * 32),
    "RFC 4716": f"---- BEGIN SSH2 PUBLIC KEY ----\n{CUT}\n---- END SSH2 PUBLIC KEY ----",
    "PEM": f"-----BEGIN PUBLIC KEY-----\n{CUT}\n-----END PUBLIC KEY-----",
    "two lines without a key": "hello\nworld",
    "2001 characters without a key": "x" * 2001,
}
# In the API's order: a key must be real, then short, then in one line.
REAL_BUT = {
    "two keys": (f"{GOOD}\n{GOOD}", SEVERAL),
    "two keys, as Windows has lines": (f"{GOOD}\r\n{GOOD}", SEVERAL),
    "a key that a terminal has wrapped": (GOOD[:40] + "\n" + GOOD[40:], SEVERAL),
    "a key and something else": (f"{GOOD}\nhello", SEVERAL),
    "a long key": (
        f"{GOOD} {'x' * 2000}",
        [f"Ensure this value has at most 2000 characters (it has {len(GOOD) + 2001})."],
    ),
    "a long comment with accents": (
        f"{GOOD} {'é' * 2000}",
        [f"Ensure this value has at most 2000 characters (it has {len(GOOD) + 2001})."],
    ),
    "RSA of 16384 bits": (
        line_of("ssh-rsa", b"\1\0\1", modulus(16384)),
        [f"Ensure this value has at most 2000 characters "
         f"(it has {len(line_of('ssh-rsa', b'', modulus(16384))) + 4})."],
    ),
    "many keys": (
        "\n".join([GOOD] * 40),
        [f"Ensure this value has at most 2000 characters (it has {len(GOOD) * 40 + 39})."],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_keys_that_are_none(service, regular, case):
    answer = regular.post(PATH, json={"name": "x", "public_key": REFUSED[case]})
    assert status_and_json(answer) == (400, {"public_key": INVALID})
    assert count(service, regular.user) == 0


@pytest.mark.parametrize("case", REAL_BUT)
def test_keys_that_are_too_much(service, regular, case):
    key, message = REAL_BUT[case]
    answer = regular.post(PATH, json={"name": "x", "public_key": key})
    assert status_and_json(answer) == (400, {"public_key": message})
    assert count(service, regular.user) == 0


def test_2000_characters_are_not_too_many(regular):
    line = f"{GOOD} {'é' * (1999 - len(GOOD))}"
    assert add(regular, line=line)["public_key"] == line


def test_a_taken_name_is_the_last_thing_to_be_told(regular):
    name = add(regular)["name"]
    answer = regular.post(PATH, json={"name": name, "public_key": "hello"})
    assert status_and_json(answer) == (400, {"public_key": INVALID})
    answer = regular.post(PATH, json={"name": "x" * 151, "public_key": "hello"})
    assert (answer.status_code, list(answer.json())) == (400, ["name", "public_key"])


@pytest.mark.parametrize("form", ["json", "data", "name"])
@pytest.mark.parametrize("options", [["-t", "ed25519"], ["-t", "rsa", "-m", "PEM"], ["-t", "ecdsa", "-m", "PKCS8"]])
def test_a_private_key_is_refused_and_kept_nowhere(service, regular, tmp_path, options, form):
    path, public = make_pair(tmp_path, *options)
    secret = path.read_text()
    if form == "name":
        body = {"name": secret[:140], "public_key": public}
        answer = regular.post(PATH, json=body, headers={"Idempotency-Key": unique()})
        assert status_and_json(answer) == (400, {"name": PRIVATE})
    else:
        body = {"name": "mine", "public_key": secret}
        answer = regular.post(PATH, **{form: body}, headers={"Idempotency-Key": unique()})
        assert status_and_json(answer) == (400, {"public_key": PRIVATE})
    service.request_line(answer.headers["X-Request-ID"])
    pieces = secret.splitlines()[1:4]
    logs = "".join(log.read_text("utf-8", "replace") for log in (service.state / "logs").iterdir())
    assert not any(piece in logs for piece in pieces)
    assert not any(piece in answer.text for piece in pieces)
    assert count(service, regular.user) == 0
    rows = service.sql(
        "SELECT COUNT(*) FROM audit_events WHERE request_id = %s", answer.headers["X-Request-ID"])
    assert rows == ((0,),)


@pytest.mark.parametrize("text", ["-----BEGIN PRIVATE KEY-----", "PuTTY-User-Key-File-3: ssh-ed25519\nx",
                                  "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU", f"{GOOD}\n-----BEGIN RSA PRIVATE KEY-----\n"],
                         ids=["PKCS #8", "PuTTY", "OpenSSH", "after a good one"])
def test_other_forms_of_private_keys(regular, text):
    answer = regular.post(PATH, json={"name": "x", "public_key": text})
    assert status_and_json(answer) == (400, {"public_key": PRIVATE})


# --- who may what

# The status of each caller for the owner's key and for one that is shared: what GET and DELETE say.
SEEN = {
    "staff": (200, 200),
    "support": (200, 200),
    "owner": (200, 200),
    "other": (404, 200),
    "nobody": (401, 401),
}
DELETED = {
    "staff": (204, 204, None),
    "support": (403, 403, SHARED_IS_STAFFS),
    "owner": (204, 403, SHARED_IS_STAFFS),
    "other": (404, 403, SHARED_IS_STAFFS),
    "nobody": (401, 401, NO_CREDENTIALS),
}
REFUSALS = {401: NO_CREDENTIALS, 403: FORBIDDEN, 404: NOT_FOUND}


@pytest.mark.parametrize("caller", SEEN)
def test_who_sees_a_key(service, callers, caller):
    client = callers[caller]
    own = add(callers["owner"])
    shared = share(service, add(callers["owner"]))
    for key, status in zip((own, shared), SEEN[caller]):
        assert status_and_json(client.get(key["url"])) == (status, REFUSALS.get(status, key))
        assert client.head(key["url"]).status_code == status
    if caller == "nobody":
        assert status_and_json(client.get(PATH)) == (401, NO_CREDENTIALS)
        return
    found = client.get(f"{PATH}?page_size=300&user_uuid={own['user_uuid']}").json()
    expected = [key for key, status in zip((own, shared), SEEN[caller]) if status == 200]
    assert sorted(found, key=lambda key: key["uuid"]) == sorted(expected, key=lambda key: key["uuid"])


@pytest.mark.parametrize("caller", DELETED)
def test_who_deletes_a_key(service, callers, caller):
    owner, client = callers["owner"], callers[caller]
    own, shared = add(owner), share(service, add(owner))
    private_status, shared_status, shared_refusal = DELETED[caller]
    for key, status, refusal in (
        (own, private_status, REFUSALS.get(private_status)),
        (shared, shared_status, shared_refusal),
    ):
        answer = client.delete(key["url"])
        assert answer.status_code == status
        assert (answer.json() if answer.content else None) == refusal
        assert callers["staff"].get(key["url"]).status_code == (404 if status == 204 else 200)


@pytest.mark.parametrize("caller", ["staff", "support", "owner", "other"])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST"])
def test_a_key_is_not_changed(callers, caller, method):
    key = add(callers["owner"])
    answer = callers[caller].request(method, key["url"], json={"name": "x"})
    assert status_and_json(answer) == (405, {"detail": f'Method "{method}" not allowed.'})
    assert answer.headers["Allow"] == "GET, HEAD, DELETE, OPTIONS"
    for other in ("PUT", "PATCH", "DELETE"):
        answer = callers[caller].request(other, PATH)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, POST, OPTIONS")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_nobody_is_401(nobody, method):
    for path in (PATH, f"{PATH}{UNKNOWN}/", f"{PATH}authorized/alice"):
        answer = nobody.request(method, path, json={})
        assert answer.status_code == 401
        assert method == "HEAD" or answer.json() == NO_CREDENTIALS


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_unknown_keys(staff, regular, method):
    for client in (staff, regular):
        assert status_and_json(client.request(method, f"{PATH}{UNKNOWN}/")) == (404, NOT_FOUND)
        for uuid in MALFORMED:
            assert client.request(method, f"{PATH}{uuid}/").status_code in (404, 400)


def test_staff_as_somebody(staff, regular):
    as_regular = {"X-Impersonated-User-Uuid": regular.user["uuid"]}
    body = {"name": unique("key"), "public_key": ed25519()}
    key = staff.post(PATH, json=body, headers=as_regular).json()
    assert key["user_uuid"] == regular.user["uuid"]
    event = staff.get(f"/api/events/?subject_uuid={regular.user['uuid']}").json()[0]
    assert event["event_type"] == "ssh_key_creation_succeeded"
    assert event["actor_uuid"] == regular.user["uuid"]
    assert event["impersonator_uuid"] == staff.get("/api/users/me/").json()["uuid"]


# --- lists


def test_filters(service, staff, regular):
    first = add(regular, unique("Esimene"), ed25519())
    second = add(regular, unique("teine 100%"), ed25519())
    third = share(service, add(regular, unique("kolmas"), ed25519()))
    everything = {key["name"] for key in (first, second, third)}

    def found(query):
        return set(names(regular.get(f"{PATH}?page_size=300&user_uuid={regular.user['uuid']}&{query}")))

    for query, expected in {
        "": everything,
        "name=ESIM": {first["name"]},
        "name=0%25": {second["name"]},
        "name=_": set(),
        f"name_exact={first['name']}": {first["name"]},
        f"name_exact={first['name'].upper()}": set(),
        f"name_exact={first['name'][:-1]}": set(),
        f"fingerprint_md5={first['fingerprint_md5']}": {first["name"]},
        f"fingerprint_md5={first['fingerprint_md5'].upper()}": set(),
        f"fingerprint_sha256={second['fingerprint_sha256'].replace('+', '%2B')}": {second["name"]},
        f"fingerprint_sha512={third['fingerprint_sha512'].replace('+', '%2B')}": {third["name"]},
        "fingerprint_sha256=SHA256:none": set(),
        f"uuid={first['uuid']}": {first["name"]},
        f"uuid={first['uuid'].replace('-', '')}": {first["name"]},
        f"uuid={UNKNOWN}": set(),
        "is_shared=true": {third["name"]},
        "is_shared=0": {first["name"], second["name"]},
        "is_shared=perhaps": everything,
        "created=2020-01-01": everything,
        "created=2100-01-01": set(),
        "modified=2020-01-01T00:00:00Z": everything,
        "modified=2100-01-01": set(),
        "name=&uuid=&is_shared=&created=": everything,
        "nonsense=1": everything,
        f"name=teine&is_shared=true": set(),
    }.items():
        assert found(query) == expected, query
    assert names(staff.get(f"{PATH}?user_uuid={UNKNOWN}")) == []


@pytest.mark.parametrize("query, message", [
    ("uuid=x", {"uuid": ["Enter a valid UUID."]}),
    ("user_uuid=x", {"user_uuid": ["Enter a valid UUID."]}),
    ("created=yesterday", {"created": ["Enter a valid date/time."]}),
    ("modified=yesterday", {"modified": ["Enter a valid date/time."]}),
    ("o=public_key", {"o": ["Select a valid choice. public_key is not one of the available choices."]}),
])
def test_filters_that_are_wrong(regular, query, message):
    assert status_and_json(regular.get(f"{PATH}?{query}")) == (400, message)


def test_order_and_pages(regular):
    for name in ("b", "C", "a", "D", "e"):
        add(regular, name)
    own = f"{PATH}?user_uuid={regular.user['uuid']}&page_size=2"
    assert names(regular.get(f"{own}&page_size=300")) == ["a", "b", "C", "D", "e"]
    assert names(regular.get(f"{own}&page_size=300&o=-name")) == ["e", "D", "C", "b", "a"]
    answer = regular.get(f"{own}&o=name")
    assert (answer.headers["X-Result-Count"], names(answer)) == ("5", ["a", "b"])
    answer = regular.get(answer.links["next"]["url"])
    assert names(answer) == ["C", "D"]
    assert names(regular.get(answer.links["next"]["url"])) == ["e"]
    assert names(regular.get(f"{own}&page=last")) == ["e"]
    assert regular.get(f"{own}&page=4").status_code == 404
    head = regular.head(own)
    assert (head.status_code, head.headers["X-Result-Count"], head.content) == (200, "5", b"")
    assert "Content-Type" not in head.headers


def test_keys_of_the_same_name_are_all_on_the_pages(staff, service):
    name = unique("same")
    owners = {add(service.account(), name)["user_uuid"] for _ in range(5)}
    url, seen = f"{service.url}{PATH}?name={name}&page_size=2&o=name", []
    while url:
        answer = staff.get(url)
        seen += [key["user_uuid"] for key in answer.json()]
        url = answer.links.get("next", {}).get("url")
    assert (len(seen), set(seen)) == (5, owners)


def test_field(regular):
    key = add(regular)
    assert regular.get(f"{key['url']}?field=name&field=uuid").json() == {"uuid": key["uuid"], "name": key["name"]}
    assert regular.get(f"{PATH}?field=type&uuid={key['uuid']}").json() == [{"type": "ssh-ed25519"}]
    assert regular.get(f"{key['url']}?field=user_id").json() == key
    assert list(key) == FIELDS


def test_a_page_takes_one_statement(service, regular):
    add(regular)
    first = regular.get(f"{PATH}?page_size=1")
    before = statements(service, first)
    for _ in range(10):
        add(regular)
    assert statements(service, regular.get(f"{PATH}?page_size=300")) == before


# --- safe writes


def test_if_match_on_delete(regular):
    key = add(regular)
    etag = regular.get(key["url"]).headers["ETag"]
    assert regular.get(key["url"], headers={"If-None-Match": etag}).status_code == 304
    assert regular.delete(key["url"], headers={"If-Match": '"0-x"'}).status_code == 412
    assert regular.get(key["url"]).status_code == 200
    assert regular.delete(key["url"], headers={"If-Match": etag}).status_code == 204
    assert regular.delete(key["url"]).status_code == 404


def test_idempotency_key(service, regular):
    body, headers = {"name": unique("key"), "public_key": ed25519()}, {"Idempotency-Key": unique()}
    first = regular.post(PATH, json=body, headers=headers)
    again = regular.post(PATH, json=body, headers=headers)
    assert status_and_json(first) == status_and_json(again) == (201, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert count(service, regular.user) == 1
    assert regular.post(PATH, json={**body, "name": "x"}, headers=headers).status_code == 422


# --- what else happens to keys


def test_events_of_a_key(service, staff, regular):
    answer = regular.post(PATH, json={"name": "mine", "public_key": ed25519()})
    key = answer.json()
    deleted = staff.delete(key["url"])
    events = regular.get("/api/events/").json()[:2]
    seen = [(e["event_type"], e["actor_username"], e["subject_uuid"], e["request_id"]) for e in events]
    own, about = regular.user["username"], regular.user["uuid"]
    assert seen == [
        ("ssh_key_deletion_succeeded", "staff", about, deleted.headers["X-Request-ID"]),
        ("ssh_key_creation_succeeded", own, about, answer.headers["X-Request-ID"]),
    ]
    for event in events:
        assert event["changes"] == {
            "ssh_key_uuid": key["uuid"],
            "username": own,
            "name": "mine",
            "type": "ssh-ed25519",
            "fingerprint_sha256": key["fingerprint_sha256"],
        }


def test_no_event_without_a_change(service, regular, other):
    key = add(regular)
    refused = [
        other.delete(key["url"]),
        regular.delete(key["url"], headers={"If-Match": '"0-x"'}),
        regular.post(PATH, json={"name": key["name"], "public_key": ed25519()}),
    ]
    assert [answer.status_code for answer in refused] == [404, 412, 400]
    for answer in refused:
        rows = service.sql("SELECT 1 FROM audit_events WHERE request_id = %s", answer.headers["X-Request-ID"])
        assert not rows


def test_keys_go_with_their_owner(service, staff, regular):
    keys = [add(regular), share(service, add(regular))]
    assert staff.delete(path_of(regular.user)).status_code == 204
    assert [staff.get(key["url"]).status_code for key in keys] == [404, 404]
    assert not service.sql("SELECT 1 FROM ssh_keys WHERE uuid = UNHEX(%s)", keys[0]["uuid"].replace("-", ""))


def test_keys_of_a_deactivated_user_stay(staff, regular):
    key = add(regular)
    assert staff.patch(path_of(regular.user), json={"is_active": False}).status_code == 200
    assert regular.get(PATH).status_code == 401
    assert status_and_json(staff.get(key["url"])) == (200, key)


# --- for sshd


def authorized(client, username, slash=""):
    return client.get(f"{PATH}authorized/{username}{slash}")


def test_authorized_keys(service, staff, support, regular, other):
    first, second = add(regular, "b", ed25519("a comment")), add(regular, "a", ed25519(""))
    add(other)
    expected = "".join(f"{' '.join(key['public_key'].split()[:2])} {key['uuid']}\n" for key in (first, second))
    for client in (staff, support):
        for slash in ("", "/"):
            answer = authorized(client, regular.user["username"], slash)
            assert (answer.status_code, answer.text) == (200, expected)
            assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
            assert answer.headers["Cache-Control"] == "no-store"
    head = staff.head(f"{PATH}authorized/{regular.user['username']}")
    assert (head.status_code, head.content) == (200, b"")


def test_regular_users_get_no_authorized_keys(regular, other):
    for username in (regular.user["username"], other.user["username"], "nobody-at-all"):
        assert status_and_json(authorized(regular, username)) == (403, FORBIDDEN)


def test_nobody_without_keys_is_an_error(staff, support, regular, other):
    add(regular)
    assert staff.patch(path_of(regular.user), json={"is_active": False}).status_code == 200
    for username in (regular.user["username"], other.user["username"], "nobody-at-all", "%C3%A9", "a%20b",
                     other.user["username"].upper()):
        answer = authorized(support, username)
        assert (answer.status_code, answer.text) == (200, "")
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert staff.patch(path_of(regular.user), json={"is_active": True}).status_code == 200
    assert authorized(support, regular.user["username"]).text.count("\n") == 1


def test_shared_keys_let_only_their_owner_in(service, support, regular, other):
    share(service, add(regular))
    assert authorized(support, regular.user["username"]).text.count("\n") == 1
    assert authorized(support, other.user["username"]).text == ""


def test_many_keys(service, support, regular):
    for _ in range(2):
        add(regular)
    service.sql(
        "INSERT INTO ssh_keys (uuid, user_id, name, public_key, type, fingerprint_md5, fingerprint_sha256,"
        " fingerprint_sha512, created, modified) SELECT RANDOM_BYTES(16), k.user_id, s.seq, k.public_key, k.type,"
        " '', '', '', k.created, k.modified FROM seq_1_to_3000 s JOIN (SELECT * FROM ssh_keys WHERE user_id ="
        " (SELECT id FROM users WHERE username = %s) LIMIT 1) k", regular.user["username"])
    answer = authorized(support, regular.user["username"])
    lines = answer.text.splitlines()
    assert (answer.status_code, len(lines)) == (200, 3002)
    assert all(len(line.split(" ")) == 3 for line in lines)


def test_accounts_that_the_configuration_names(own_service):
    service = own_service(config="authorized_keys_readers = door, gate\n")
    alice, door, window = service.account("alice"), service.account("door"), service.account("window")
    key = add(alice)
    answer = authorized(door, "alice")
    assert (answer.status_code, answer.text.split()[2]) == (200, key["uuid"])
    assert authorized(window, "alice").status_code == 403
    # ... and nothing else may they.
    assert door.get(key["url"]).status_code == 404
    assert door.get(path_of(alice.user)).status_code == 404


def test_the_accept_header_does_not_matter(support, regular):
    path = f"{PATH}authorized/{regular.user['username']}"
    for accept in ("text/plain", "application/json", "image/png"):
        assert support.get(path, headers={"Accept": accept}).status_code == 200
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert support.request(method, path).status_code == 405
