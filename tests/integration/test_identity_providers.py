"""/api/identity-providers/, what users show of them, and rosterctl provider."""

import json
import os
import pty
import subprocess

import pytest
from identity import PROVIDERS, belongs_to, provider_body
from service import BUILD, rest_of, unique
from users import FORBIDDEN, MALFORMED, NO_CREDENTIALS, STAMP, UNKNOWN, UUID, path_of, status_and_json

NOT_FOUND = {"detail": "No IdentityProvider matches the given query."}
TAKEN = {"name": ["identity provider with this name already exists."]}
SECRETS = {"client_secret": "open sesame", "refresh_token": "rt-0123456789"}
WRONG_URL = ["Enter a valid URL."]
PLAIN = ["It must begin with https:// unless allow_internal is true."]


@pytest.fixture
def provider(staff):
    answer = staff.post(PROVIDERS, json=provider_body(label="Home", **SECRETS))
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
def callers(staff, support, regular, nobody):
    return {"staff": staff, "support": support, "regular": regular, "nobody": nobody}


def events(service, provider):
    return service.sql(
        "SELECT event, changes FROM audit_events WHERE subject_type = 'identity_provider'"
        " AND subject_uuid = UNHEX(%s) ORDER BY id",
        provider["uuid"].replace("-", ""),
    )


def sealed(service, provider):
    return service.sql(
        "SELECT client_secret, refresh_token, access_token FROM identity_providers WHERE name = %s",
        provider["name"],
    )[0]


def test_create(service, staff):
    body = provider_body(
        label=" eduTEAMS ", management_url="https://my.example.org/me", protected_fields=["email", "first_name"],
        token_url="https://proxy.example.org/OIDC/token", userinfo_url="https://proxy.example.org/api/userinfo",
        client_id="roster", connect_timeout=3, timeout=7, ca_file="/etc/ssl/own.pem", reactivate=True, **SECRETS,
    )
    answer = staff.post(PROVIDERS, json=body)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert UUID.fullmatch(made["uuid"]) and STAMP.fullmatch(made["created"])
    assert list(made.items()) == [
        ("url", f"{service.url}{PROVIDERS}{made['uuid']}/"),
        ("uuid", made["uuid"]),
        ("name", body["name"]),
        ("label", "eduTEAMS"),
        ("management_url", "https://my.example.org/me"),
        ("protected_fields", ["email", "first_name"]),
        ("is_active", True),
        ("token_url", "https://proxy.example.org/OIDC/token"),
        ("userinfo_url", "https://proxy.example.org/api/userinfo"),
        ("client_id", "roster"),
        ("has_client_secret", True),
        ("has_refresh_token", True),
        ("connect_timeout", 3),
        ("timeout", 7),
        ("ca_file", "/etc/ssl/own.pem"),
        ("allow_internal", False),
        ("reactivate", True),
        ("sync_interval", 0),
        ("sync_in_flight", 4),
        ("sync_rate", 10),
        ("created", made["created"]),
        ("modified", made["created"]),
    ]
    assert answer.headers["Location"] == made["url"]
    assert status_and_json(staff.get(made["url"])) == (200, made)


def test_defaults(staff):
    made = staff.post(PROVIDERS, json=provider_body()).json()
    keys = ("label", "management_url", "protected_fields", "is_active", "token_url", "has_client_secret",
            "has_refresh_token", "connect_timeout", "timeout", "ca_file", "allow_internal", "reactivate")
    assert [made[key] for key in keys] == ["", "", [], True, "", False, False, 5, 10, "", False, False]


def test_secrets_are_in_no_answer_log_or_event(service, staff, provider):
    start = service.log_size()
    answers = [
        staff.get(PROVIDERS),
        staff.get(provider["url"]),
        staff.get(provider["url"] + "?field=client_secret&field=refresh_token&field=sealed_client_secret"),
        staff.patch(provider["url"], json=SECRETS),
        staff.patch(provider["url"], json={"client_secret": ["open sesame"]}),
    ]
    said = "".join(answer.text for answer in answers) + str(service.log(start)) + str(events(service, provider))
    for secret in SECRETS.values():
        assert secret not in said
        assert all(secret.encode() not in (column or b"") for column in sealed(service, provider))


def test_secrets_are_replaced_kept_and_cleared(service, staff, provider):
    before = sealed(service, provider)
    assert before[0] and before[1]
    assert staff.patch(provider["url"], json={"label": "New"}).status_code == 200
    assert sealed(service, provider) == before
    answer = staff.patch(provider["url"], json={"client_secret": "other"})
    assert answer.json()["has_client_secret"] is True
    after = sealed(service, provider)
    assert after[0] != before[0] and after[1] == before[1]
    answer = staff.patch(provider["url"], json={"client_secret": "", "refresh_token": ""})
    assert (answer.json()["has_client_secret"], answer.json()["has_refresh_token"]) == (False, False)
    assert sealed(service, provider)[:2] == (None, None)


@pytest.mark.parametrize("change, kept", [
    ({"client_secret": "other"}, False),
    ({"refresh_token": "other"}, False),
    ({"client_id": "other"}, False),
    ({"token_url": "https://other.example.org/token"}, False),
    ({"label": "other"}, True),
])
def test_an_access_token_ends_with_what_it_was_made_with(service, staff, provider, change, kept):
    service.sql("UPDATE identity_providers SET access_token = 'x' WHERE name = %s", provider["name"])
    assert staff.patch(provider["url"], json=change).status_code == 200
    assert sealed(service, provider)[2] == (b"x" if kept else None)


@pytest.mark.parametrize("caller", ["support", "regular", "nobody"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_only_staff(callers, provider, caller, method):
    for path in (PROVIDERS, provider["url"], f"{PROVIDERS}{UNKNOWN}/"):
        answer = callers[caller].request(method, path, json=provider_body())
        expected = (401, NO_CREDENTIALS) if caller == "nobody" else (403, FORBIDDEN)
        assert answer.status_code == expected[0]
        assert method == "HEAD" or answer.json() == expected[1]
    assert status_and_json(callers["staff"].get(provider["url"])) == (200, provider)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_change(service, staff, provider, method):
    answer = staff.request(method, provider["url"], json={"label": "Away", "name": "ignored", "is_active": False})
    assert answer.status_code == 200
    changed = answer.json()
    assert changed == {**provider, "label": "Away", "is_active": False, "modified": changed["modified"]}
    assert changed["modified"] > provider["modified"]
    event, changes = events(service, provider)[-1]
    assert event == "identity_provider_update_succeeded"
    assert '"label":["Home","Away"]' in changes and '"is_active":[true,false]' in changes


def test_a_change_to_the_same_changes_nothing(service, staff, provider):
    assert status_and_json(staff.put(provider["url"], json={"label": "Home"})) == (200, provider)
    assert [event for event, _ in events(service, provider)] == ["identity_provider_creation_succeeded"]


@pytest.mark.parametrize("secret", ["client_secret", "refresh_token"])
def test_of_a_secret_events_tell_only_that_it_was_set(service, staff, provider, secret):
    assert staff.patch(provider["url"], json={secret: "a heron"}).status_code == 200
    (_, made), (_, changed) = events(service, provider)
    assert '"client_secret":"set","refresh_token":"set"' in made
    assert set(json.loads(changed)) == {"modified", secret}
    assert json.loads(changed)[secret] == "set"
    for changes in made, changed:
        assert not any(word in changes for word in ("a heron", *SECRETS.values()))


def test_delete(service, staff, provider):
    user = service.create()
    belongs_to(service, user, provider["name"])
    answer = staff.delete(provider["url"])
    assert (answer.status_code, answer.content) == (204, b"")
    assert status_and_json(staff.get(provider["url"])) == (404, NOT_FOUND)
    assert status_and_json(staff.delete(provider["url"])) == (404, NOT_FOUND)
    event, changes = events(service, provider)[-1]
    assert event == "identity_provider_deletion_succeeded"
    assert json.loads(changes)["name"] == [provider["name"], None]
    assert json.loads(changes)["label"] == ["Home", None]
    assert staff.get(path_of(user)).json()["identity_provider_label"] == ""


def test_conditions(staff, provider):
    etag = staff.get(provider["url"]).headers["ETag"]
    assert staff.get(provider["url"], headers={"If-None-Match": etag}).status_code == 304
    assert staff.patch(provider["url"], json={"label": "x"}, headers={"If-Match": etag}).status_code == 200
    assert staff.patch(provider["url"], json={"label": "y"}, headers={"If-Match": etag}).status_code == 412


def test_unknown_and_malformed_ids(staff):
    assert status_and_json(staff.get(f"{PROVIDERS}{UNKNOWN}/")) == (404, NOT_FOUND)
    for uuid in MALFORMED:
        assert staff.get(f"{PROVIDERS}{uuid}/").status_code == 404


def test_list(staff, provider):
    assert status_and_json(staff.get(f"{PROVIDERS}?name={provider['name']}")) == (200, [provider])
    assert status_and_json(staff.get(f"{PROVIDERS}?name={provider['name']}&is_active=false")) == (200, [])
    names = [p["name"] for p in staff.get(f"{PROVIDERS}?page_size=300").json()]
    assert provider["name"] in names and names == sorted(names)
    assert staff.get(f"{PROVIDERS}?o=nonsense").status_code == 400


@pytest.mark.parametrize(
    "body, problems",
    [
        ({"name": None}, {"name": ["This field may not be null."]}),
        ({"name": " "}, {"name": ["This field may not be blank."]}),
        ({"name": "default"}, {"name": ["This is how accounts are called that were made here."]}),
        ({"name": "Edu Teams"}, {"name": ["Enter lower-case letters, digits, hyphens and underscores."]}),
        ({"name": "x" * 51}, {"name": ["Ensure this field has no more than 50 characters."]}),
        ({"label": "x" * 129}, {"label": ["Ensure this field has no more than 128 characters."]}),
        ({"label": ["x"]}, {"label": ["Not a valid string."]}),
        ({"protected_fields": "email"},
         {"protected_fields": ['Expected a list of items but got type "str".']}),
        ({"protected_fields": None}, {"protected_fields": ["This field may not be null."]}),
        ({"protected_fields": ["email", "shoe_size", 7]},
         {"protected_fields": ['"shoe_size" is not a field of a user.', '"7" is not a field of a user.']}),
        ({"protected_fields": ["requested_email"] * 80}, {"protected_fields": ["There are too many."]}),
        ({"is_active": "perhaps"}, {"is_active": ["Must be a valid boolean."]}),
        ({"client_id": "x" * 256}, {"client_id": ["Ensure this field has no more than 255 characters."]}),
        ({"client_secret": "x" * 1001},
         {"client_secret": ["Ensure this field has no more than 1000 characters."]}),
        ({"refresh_token": "x" * 4001},
         {"refresh_token": ["Ensure this field has no more than 4000 characters."]}),
        ({"refresh_token": None}, {"refresh_token": ["This field may not be null."]}),
        ({"timeout": 0}, {"timeout": ["Ensure this value is greater than or equal to 1."]}),
        ({"timeout": 21}, {"timeout": ["Ensure this value is less than or equal to 20."]}),
        ({"sync_interval": -1}, {"sync_interval": ["Ensure this value is greater than or equal to 0."]}),
        ({"sync_interval": 31536001}, {"sync_interval": ["Ensure this value is less than or equal to 31536000."]}),
        ({"sync_interval": None}, {"sync_interval": ["This field may not be null."]}),
        ({"sync_in_flight": 0}, {"sync_in_flight": ["Ensure this value is greater than or equal to 1."]}),
        ({"sync_in_flight": 65}, {"sync_in_flight": ["Ensure this value is less than or equal to 64."]}),
        ({"sync_rate": 0}, {"sync_rate": ["Ensure this value is greater than or equal to 1."]}),
        ({"sync_rate": 1001}, {"sync_rate": ["Ensure this value is less than or equal to 1000."]}),
        ({"sync_rate": "fast"}, {"sync_rate": ["A valid integer is required."]}),
        ({"connect_timeout": "soon"}, {"connect_timeout": ["A valid integer is required."]}),
        ({"ca_file": "own.pem"}, {"ca_file": ["Enter an absolute path."]}),
        ({"token_url": "http://proxy.example.org/"}, {"token_url": PLAIN}),
        ({"userinfo_url": "http://proxy.example.org/"}, {"userinfo_url": PLAIN}),
    ],
)
def test_bad_bodies(staff, provider, body, problems):
    assert status_and_json(staff.post(PROVIDERS, json={"name": unique("idp"), **body})) == (400, problems)
    if "name" not in body:
        assert status_and_json(staff.patch(provider["url"], json=body)) == (400, problems)
        assert status_and_json(staff.get(provider["url"])) == (200, provider)


@pytest.mark.parametrize("field", ["management_url", "token_url", "userinfo_url"])
@pytest.mark.parametrize("url", [
    "x", "ftp://example.org/", "file:///etc/passwd", "javascript:alert(1)", "https://", "https:///path",
    "https://user:password@example.org/", "https://user@example.org/", "https://example.org/#part",
    "https://exa mple.org/", "https://example.org:99999/", "https://example.org/\n", "https://exämple.org/",
    "https://example.org/<script>", "gopher://example.org/", "https://" + "x" * 1000 + "/",
])
def test_bad_urls(staff, field, url):
    if url == "https://example.org/\n":
        url = "https://example.org/\nx"
    problems = staff.post(PROVIDERS, json=provider_body(**{field: url})).json()
    assert problems[field][0] == WRONG_URL[0]


def test_plain_urls_where_internal_ones_are_allowed(staff):
    plain = {"token_url": "http://[::1]:80/token", "userinfo_url": "http://localhost/"}
    made = staff.post(PROVIDERS, json=provider_body(allow_internal=True, **plain)).json()
    assert {key: made[key] for key in plain} == plain
    answer = staff.patch(made["url"], json={"allow_internal": False})
    assert status_and_json(answer) == (400, {"token_url": PLAIN, "userinfo_url": PLAIN})


def test_a_name_that_is_taken(staff, provider):
    assert status_and_json(staff.post(PROVIDERS, json={"name": provider["name"]})) == (400, TAKEN)
    assert staff.post(PROVIDERS, json={}).json() == {"name": ["This field is required."]}


# --- users


def test_what_users_show(service, staff, regular):
    provider = staff.post(PROVIDERS, json=provider_body(
        label="Home", management_url="https://my.example.org/", protected_fields=["email", "last_name"],
        is_active=False,
    )).json()
    belongs_to(service, regular.user, provider["name"])
    for answer in (staff.get(path_of(regular.user)), regular.get("/api/users/me/"),
                   staff.get(f"/api/users/?username={regular.user['username']}")):
        user = answer.json()[0] if isinstance(answer.json(), list) else answer.json()
        assert [user[f"identity_provider_{key}"] for key in ("name", "label", "management_url", "fields")] == [
            "Home", "Home", "https://my.example.org/", ["email", "last_name"],
        ]


def test_protected_fields_are_dropped_whoever_writes(service, staff, regular):
    provider = staff.post(PROVIDERS, json=provider_body(protected_fields=["first_name", "native_name"])).json()
    belongs_to(service, regular.user, provider["name"])
    for client in (staff, regular):
        answer = client.patch(path_of(regular.user), json={
            "first_name": "Changed", "native_name": "Changed", "last_name": f"By {client is staff}",
        })
        assert answer.status_code == 200
        assert [answer.json()[key] for key in ("first_name", "native_name", "last_name")] == [
            "Regular", "", f"By {client is staff}",
        ]


def test_a_protected_address(service, staff, regular):
    provider = staff.post(PROVIDERS, json=provider_body(protected_fields=["email"])).json()
    belongs_to(service, regular.user, provider["name"])
    answer = regular.post(path_of(regular.user, "change_email/"), json={"email": "new@example.org"})
    assert status_and_json(answer) == (
        400, {"detail": "The registration method does not allow direct email modification."})
    staff.delete(provider["url"])
    answer = regular.post(path_of(regular.user, "change_email/"), json={"email": "new@example.org"})
    assert answer.status_code == 200


# --- rosterctl


def test_rosterctl(service, staff):
    name = unique("idp")
    done = service.rosterctl(
        "provider", "create", name, "--label", "Home", "--protected-fields", "email, first_name",
        "--token-url", "https://x.example.org/token", "--client-id", "roster", "--timeout", "9",
        "--reactivate", "yes", "--client-secret-file", "-", "--refresh-token-file", "-",
        stdin="open sesame\nrt-0123456789\n",
    )
    assert "open sesame" not in done.stdout and "rt-0123456789" not in done.stdout
    made = staff.get(f"{PROVIDERS}?name={name}").json()[0]
    assert made["protected_fields"] == ["email", "first_name"]
    keys = ("label", "client_id", "has_client_secret", "has_refresh_token", "timeout", "reactivate")
    assert [made[key] for key in keys] == ["Home", "roster", True, True, 9, True]

    refused = service.rosterctl("provider", "set", name, "--active", "maybe", check=False)
    assert (refused.returncode, refused.stderr) == (1, "rosterctl: --active: Must be a valid boolean.\n")
    service.rosterctl("provider", "set", name, "--active", "no", "--label", "")
    assert "[inactive]" in [
        line for line in service.rosterctl("provider", "list").stdout.splitlines() if line.startswith(name)
    ][0]
    shown = service.rosterctl("provider", "show", name, "--json").stdout
    assert '"is_active":false' in shown and '"label":""' in shown
    assert "client_id" in service.rosterctl("provider", "show", name).stdout
    service.rosterctl("provider", "delete", name)
    assert service.rosterctl("provider", "show", name, check=False).returncode == 3
    assert service.rosterctl("provider", "set", name, check=False).returncode == 3


def test_rosterctl_with_a_secret_file(service, staff, tmp_path):
    name = unique("idp")
    file = tmp_path / "secret"
    file.write_text("one\r\n")
    service.rosterctl("provider", "create", name, "--client-secret-file", file)
    assert staff.get(f"{PROVIDERS}?name={name}").json()[0]["has_client_secret"] is True


@pytest.mark.parametrize("words, stdin, status, said", [
    (["create", "Bad Name"], "", 1, "name: Enter lower-case letters"),
    (["create", "x", "--client-secret-file", "-"], "\n", 1, "the client secret is empty"),
    (["create", "x", "--client-secret-file", "/nonexistent"], "", 1, "cannot open /nonexistent"),
    (["create", "x", "--client-secret", "word"], "", 2, "unexpected argument 'word'"),
    (["create", "x", "--refresh-token"], "", 1, "give it with --refresh-token-file FILE"),
    (["create", "x", "--timeout", "soon"], "", 1, "timeout: A valid integer is required."),
    (["show", "nosuch"], "", 3, "there is no identity provider nosuch"),
    (["create"], "", 2, "NAME is missing"),
])
def test_rosterctl_refusals(service, words, stdin, status, said):
    done = subprocess.run(
        ["setsid", BUILD / "rosterctl", "--config", service.state / "roster.conf", "provider", *words],
        input=stdin, capture_output=True, text=True,
    )
    assert done.returncode == status
    assert said in done.stderr


def test_rosterctl_asks_without_showing(service, staff):
    name = unique("idp")
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(BUILD / "rosterctl", [
            "rosterctl", "--config", str(service.state / "roster.conf"), "provider", "create", name, "--client-secret",
        ])
    said = b""
    while b"client secret: " not in said:
        said += os.read(terminal, 1000)
    os.write(terminal, b"open sesame\n")
    said += rest_of(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert b"open sesame" not in said
    assert staff.get(f"{PROVIDERS}?name={name}").json()[0]["has_client_secret"] is True
