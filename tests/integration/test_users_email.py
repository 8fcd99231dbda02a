"""POST change_email/, cancel_change_email/ and /api/users/confirm_email/: another e-mail address, confirmed by mail."""

import re
import secrets
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from service import Client, Service, unique
from users import FORBIDDEN, NO_CREDENTIALS, NOT_FOUND, UNKNOWN, path_of, statements, status_and_json

CONFIRM = "/api/users/confirm_email/"
REQUESTED = (200, {"detail": "The change email request has been successfully created."})
CANCELLED = (200, {"detail": "The change email request has been successfully deleted."})
NO_REQUEST = (200, {"detail": "The change email request has not been found."})
CONFIRMED = (200, {"detail": "Email has been successfully updated."})
NO_CODE = (400, ["The confirmation code is required."])
EXPIRED = (400, ["Request has expired."])
UNKNOWN_CODE = (404, {"detail": "No ChangeEmailRequest matches the given query."})
PROTECTED = (400, {"detail": "The registration method does not allow direct email modification."})
NO_EMAIL = (400, {"email": ["Enter a valid email address."]})


def new_address(prefix="new"):
    return f"{unique(prefix)}@example.net"


def change(client, user, address):
    return client.post(path_of(user, "change_email/"), json={"email": address})


def cancel(client, user):
    return client.post(path_of(user, "cancel_change_email/"))


def confirm(client, code):
    return client.post(CONFIRM, json={"code": code})


def code_in(service, mail):
    """The code of a mail; both of its parts have the whole link."""
    plain, html = parts(mail)
    link = re.escape(service.url) + "/user_email_change/([0-9a-f]{32})/"
    codes = set(re.findall(link, plain) + re.findall(link, html))
    assert len(codes) == 1
    return codes.pop()


def parts(mail):
    plain, html = mail.iter_parts()
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    return plain.get_content(), html.get_content()


def ask(service, client, user=None, address=None):
    """Asks for an address and returns the code that came there by mail."""
    address = address or new_address()
    assert status_and_json(change(client, user or client.user, address)) == REQUESTED
    return code_in(service, service.mail(address))


def age(service, user, seconds):
    """Makes a user's request older."""
    service.sql(
        "UPDATE email_changes c JOIN users u ON u.id = c.user_id"
        " SET c.created = c.created - INTERVAL %s SECOND WHERE u.uuid = %s",
        seconds,
        uuid.UUID(user["uuid"]).bytes,
    )


def seen(client, user):
    """What staff, or the user, sees of his addresses."""
    user = client.get(path_of(user)).json()
    return user["email"], user["requested_email"]


# --- the way from the request to the new address


def test_the_whole_way(service, staff, nobody, regular):
    old, new = regular.user["email"], new_address()
    assert status_and_json(change(regular, regular.user, new)) == REQUESTED
    assert seen(regular, regular.user) == (old, new)
    assert seen(staff, regular.user) == (old, new)

    code = code_in(service, service.mail(new))
    assert status_and_json(confirm(nobody, code)) == CONFIRMED
    assert seen(regular, regular.user) == (new, None)
    assert status_and_json(confirm(nobody, code)) == UNKNOWN_CODE
    assert len(service.mails(new)) == 1


def test_the_mail_with_the_code(service, regular):
    new = f"{unique('o')}'&x@example.net"
    change(regular, regular.user, new)
    mail = service.mail(new)
    assert mail["Subject"] == "Verify new email address."
    assert (mail["From"], mail["To"]) == ("roster <roster@example.org>", new)
    assert (mail["X-MailFrom"], mail["X-RcptTo"]) == ("roster@example.org", new)
    assert (mail["Content-Language"], mail["Auto-Submitted"]) == ("en", "auto-generated")
    assert re.fullmatch(r"<[0-9a-f-]{36}@example\.org>", mail["Message-ID"])
    assert mail.get_content_type() == "multipart/alternative"
    assert re.fullmatch(r"\w{3}, \d{1,2} \w{3} 20\d\d \d\d:\d\d:\d\d \+0000", mail["Date"])
    for part in mail.iter_parts():
        assert part.get_content_charset() == "utf-8"
    code_in(service, mail)
    plain, html = parts(mail)
    assert regular.user["username"] in plain and f"<b>{regular.user['username']}</b>" in html
    assert re.search(r"before 20\d\d-\d\d-\d\d \d\d:\d\d UTC", plain)
    assert '<html lang="en">' in html


def test_the_notice_to_the_old_address(service, regular):
    old, new = regular.user["email"], f"{unique('o')}'&x@example.net"
    change(regular, regular.user, new)
    mail = service.mail(old)
    assert mail["Subject"] == "Your email address is about to change."
    assert (mail["To"], mail["X-RcptTo"]) == (old, old)
    plain, html = parts(mail)
    assert new in plain
    assert new.replace("&", "&amp;").replace("'", "&#39;") in html and new not in html
    assert not re.search(r"[0-9a-f]{32}", plain + html)


def test_no_notice_when_the_address_stays(service, regular):
    old = regular.user["email"]
    ask(service, regular, address=old.upper())
    assert service.sql("SELECT id FROM mail_outbox WHERE recipient = %s", old) == ()
    assert service.mails(old) == []


@pytest.mark.parametrize(
    "preferred, language, subject",
    [
        ("en", "en", "Verify new email address."),
        ("et", "et", "Kinnitage uus e-posti aadress."),
        ("et-EE", "et", "Kinnitage uus e-posti aadress."),
        ("ET_ee", "et", "Kinnitage uus e-posti aadress."),
        ("fi", "en", "Verify new email address."),
        ("../et", "en", "Verify new email address."),
    ],
)
def test_the_language_is_the_users(service, preferred, language, subject):
    client = service.account(preferred_language=preferred)
    new = new_address()
    change(client, client.user, new)
    mail = service.mail(new)
    assert (mail["Content-Language"], mail["Subject"]) == (language, subject)
    assert f'<html lang="{language}">' in parts(mail)[1]


def test_notice_in_estonian(service):
    client = service.account(preferred_language="et")
    change(client, client.user, new_address())
    mail = service.mail(client.user["email"])
    assert mail["Subject"] == "Teie e-posti aadress on muutumas."
    assert "tühistage muudatus ja vahetage oma parool" in parts(mail)[0]


def test_international_domain(service, regular):
    local = unique("o")
    change(regular, regular.user, f"{local}@bücher.example")
    mail = service.mail(f"{local}@xn--bcher-kva.example")
    assert mail["To"] == "undisclosed-recipients:;"


def test_an_address_that_somebody_has_is_taken(service, nobody, regular):
    address = service.account().user["email"]
    code = ask(service, regular, address=address)
    assert status_and_json(confirm(nobody, code)) == CONFIRMED
    assert seen(regular, regular.user) == (address, None)


def test_forms_are_taken(service, nobody, regular):
    new = new_address()
    answer = regular.post(path_of(regular.user, "change_email/"), data={"email": f" {new} "})
    assert status_and_json(answer) == REQUESTED
    code = code_in(service, service.mail(new))
    assert status_and_json(nobody.post(CONFIRM, data={"code": code})) == CONFIRMED
    assert seen(regular, regular.user) == (new, None)


# --- how often


def age_events(service, user, seconds, limit=1000):
    """Makes the oldest of a user's events older."""
    service.sql(
        "UPDATE audit_events SET created = created - INTERVAL %s SECOND WHERE subject_uuid = %s ORDER BY id LIMIT %s",
        seconds,
        uuid.UUID(user["uuid"]).bytes,
        limit,
    )


def assert_throttled(answer, within):
    seconds = int(answer.headers["Retry-After"])
    assert 0 < seconds <= within
    plural = "" if seconds == 1 else "s"
    detail = f"Request was throttled. Expected available in {seconds} second{plural}."
    assert status_and_json(answer) == (429, {"detail": detail})


def test_ten_times_within_an_hour(service, staff, nobody):
    """Whoever asks for whom, and whether a request is cancelled or used; only what sends no mail does not count."""
    client = service.account()
    user = client.user
    assert status_and_json(change(client, user, "no address")) == NO_EMAIL
    assert [status_and_json(change(client, user, new_address())) for _ in range(7)] == [REQUESTED] * 7
    assert status_and_json(cancel(client, user)) == CANCELLED
    assert status_and_json(change(staff, user, new_address())) == REQUESTED
    used, last, refused = ask(service, client), new_address(), new_address()
    assert status_and_json(confirm(nobody, used)) == CONFIRMED
    assert status_and_json(change(client, user, last)) == REQUESTED

    before = staff.get(path_of(user)).headers["ETag"]
    assert_throttled(change(client, user, refused), 3600)
    assert_throttled(change(staff, user, refused), 3600)
    assert status_and_json(change(client, user, "no address")) == NO_EMAIL
    assert staff.get(path_of(user)).headers["ETag"] == before
    assert seen(client, user)[1] == last
    assert service.mail(last) and service.mails(refused) == []
    assert service.sql("SELECT id FROM mail_outbox WHERE recipient = %s", refused) == ()
    other = service.account()
    assert status_and_json(change(other, other.user, new_address())) == REQUESTED


def test_the_oldest_of_them_makes_room(service, regular):
    user = regular.user
    service.sql("DELETE FROM audit_events WHERE subject_uuid = %s", uuid.UUID(user["uuid"]).bytes)
    for _ in range(10):
        change(regular, user, new_address())
    age_events(service, user, 3000, limit=1)
    assert_throttled(change(regular, user, new_address()), 600)
    age_events(service, user, 600, limit=1)
    assert status_and_json(change(regular, user, new_address())) == REQUESTED
    assert_throttled(change(regular, user, new_address()), 3600)
    age_events(service, user, 3600)
    assert status_and_json(change(regular, user, new_address())) == REQUESTED


def test_many_at_once_count_each(service, regular):
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: change(regular, regular.user, new_address()), range(12)))
    assert sorted(answer.status_code for answer in answers) == [200] * 10 + [429] * 2


# --- who may


@pytest.mark.parametrize("action", ["change_email/", "cancel_change_email/"])
def test_callers(service, staff, support, regular, nobody, action):
    done = REQUESTED if action == "change_email/" else NO_REQUEST
    me = staff.get("/api/users/me/").json()
    cancel(staff, me)
    cancel(support, support.user)
    other = service.create()
    colleague = service.create(is_staff=True)
    cases = [
        (nobody, other, (401, NO_CREDENTIALS)),
        (staff, other, done),
        (staff, me, done),
        (staff, {"uuid": UNKNOWN}, (404, NOT_FOUND)),
        (support, support.user, done),
        (support, other, (403, FORBIDDEN)),
        (support, {"uuid": UNKNOWN}, (404, NOT_FOUND)),
        (regular, regular.user, done),
        (regular, other, (404, NOT_FOUND)),
        (regular, colleague, (404, NOT_FOUND)),
        (regular, {"uuid": UNKNOWN}, (404, NOT_FOUND)),
    ]
    for client, user, expected in cases:
        answer = client.post(path_of(user, action), json={"email": new_address()})
        assert status_and_json(answer) == expected, (client.token, user)
    assert seen(staff, colleague) == (colleague["email"], None)


def test_inactive_users(service, staff):
    user = service.create(is_active=False)
    assert status_and_json(change(staff, user, new_address())) == REQUESTED
    assert status_and_json(cancel(staff, user)) == CANCELLED


def test_anybody_confirms(service, support, nobody, regular):
    """The code is what counts; but credentials that are given must be good."""
    code = ask(service, regular)
    stranger = Client(service, "0" * 40)
    assert status_and_json(confirm(stranger, code)) == (401, {"detail": "Invalid token."})
    assert seen(support, regular.user)[0] == regular.user["email"]
    other = service.account()
    assert status_and_json(confirm(other, code)) == CONFIRMED


def test_impersonation(service, staff, regular):
    headers = {"X-Impersonated-User-Uuid": regular.user["uuid"]}
    path = path_of(regular.user, "change_email/")
    answer = staff.post(path, json={"email": new_address()}, headers=headers)
    assert status_and_json(answer) == REQUESTED
    other = service.create()
    answer = staff.post(path_of(other, "change_email/"), json={"email": new_address()}, headers=headers)
    assert status_and_json(answer) == (404, NOT_FOUND)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_methods(staff, nobody, method):
    me = staff.get("/api/users/me/").json()
    refused = (405, {"detail": f'Method "{method}" not allowed.'})
    for action in ("change_email/", "cancel_change_email/"):
        answer = nobody.request(method, path_of(me, action))
        assert status_and_json(answer) == (401, NO_CREDENTIALS)
        answer = staff.request(method, path_of(me, action))
        assert status_and_json(answer) == refused
        assert answer.headers["Allow"] == "POST, OPTIONS"
    assert status_and_json(nobody.request(method, CONFIRM)) == refused
    assert staff.post(path_of(me, "confirm_email/"), json={}).status_code == 404


# --- what is refused


@pytest.mark.parametrize(
    "body, expected",
    [
        ({}, (400, {"email": ["This field is required."]})),
        ({"email": None}, (400, {"email": ["This field may not be null."]})),
        ({"email": ""}, (400, {"email": ["This field may not be blank."]})),
        ({"email": " \t"}, (400, {"email": ["This field may not be blank."]})),
        ({"email": True}, (400, {"email": ["Not a valid string."]})),
        ({"email": ["a@example.org"]}, (400, {"email": ["Not a valid string."]})),
        ({"email": {"a": 1}}, (400, {"email": ["Not a valid string."]})),
        ({"email": 1}, NO_EMAIL),
        (
            {"email": "a@example.org\x00"},
            (400, {"detail": "JSON parse error - U+0000 in a string at byte 24"}),
        ),
        (
            ["email"],
            (400, {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
        ),
    ],
)
def test_bodies(staff, regular, body, expected):
    answer = regular.post(path_of(regular.user, "change_email/"), json=body)
    assert status_and_json(answer) == expected
    assert seen(staff, regular.user) == (regular.user["email"], None)


@pytest.mark.parametrize(
    "address",
    [
        "a",
        "a@",
        "@example.org",
        "a@b",
        "a@@example.org",
        "a b@example.org",
        "a@exa mple.org",
        "a@example.org, b@example.org",
        "a@example.org;b@example.org",
        "<a@example.org>",
        "A <a@example.org>",
        '"a b"@example.org',
        "a@[127.0.0.1]",
        "a@127.0.0.1",
        ".a@example.org",
        "a..b@example.org",
        "a@-example.org",
        "a@example.org.",
        # Nothing of it may get into a header or among the commands of SMTP.
        "a@example.org\r\nBcc: eve@example.com",
        "a@example.org\nBcc: eve@example.com",
        "a@example.org\rBcc: eve@example.com",
        "a\r\nBcc: eve@example.com\r\n\r\n@example.org",
        "a@example.org>\r\nRCPT TO:<eve@example.com",
        "a%0d%0aBcc:eve@example.com",
        "a@example.org\u2028Bcc: eve@example.com",
        "a@example.org\x85Bcc: eve@example.com",
        "a\t@example.org",
        "a\x01@example.org",
        "a\x7f@example.org",
        "=?utf-8?q?=0ABcc:eve?=@example.com@",
    ],
)
def test_addresses(service, staff, regular, address):
    assert status_and_json(change(regular, regular.user, address)) == NO_EMAIL
    assert seen(staff, regular.user) == (regular.user["email"], None)
    assert service.sql("SELECT id FROM mail_outbox WHERE recipient LIKE %s", "%eve@example.com%") == ()


def test_long_addresses(regular):
    labels = ".".join(["d" * 60] * 5)
    answer = change(regular, regular.user, f"{'l' * 64}@{labels}.example")
    too_long = "Ensure this field has no more than 320 characters."
    assert status_and_json(answer) == (400, {"email": ["Enter a valid email address.", too_long]})
    longest = f"{'l' * 64}@{'.'.join(['d' * 60] * 4)}.example"
    assert status_and_json(change(regular, regular.user, longest)) == REQUESTED
    assert seen(regular, regular.user)[1] == longest


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"code": None},
        {"code": ""},
        {"code": "  "},
        {"code": 1},
        {"code": True},
        {"code": []},
        {"code": {}},
        {"code": "x"},
        {"code": "0" * 31},
        {"code": "0" * 33},
        {"code": "g" * 32},
        {"code": "0" * 32 + "\n0"},
        {"code": "a1b2c3d4-e5f67890abcdef1234567890"},
        {"code": "' OR '1' = '1"},
    ],
)
def test_malformed_codes(nobody, body):
    assert status_and_json(nobody.post(CONFIRM, json=body)) == NO_CODE


def test_confirmation_without_a_body(nobody):
    assert status_and_json(nobody.post(CONFIRM)) == NO_CODE
    answer = nobody.post(CONFIRM, data=b"[]", headers={"Content-Type": "application/json"})
    expected = {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}
    assert status_and_json(answer) == (400, expected)
    answer = nobody.post(CONFIRM, data=b"{", headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


def test_guessed_codes(service, nobody, regular):
    code = ask(service, regular)
    near = code[:-1] + ("0" if code[-1] != "0" else "1")
    for guess in (near, code[::-1] if code != code[::-1] else near, secrets.token_hex(16), UNKNOWN, "0" * 32):
        assert status_and_json(confirm(nobody, guess)) == UNKNOWN_CODE
    assert status_and_json(confirm(nobody, code)) == CONFIRMED


@pytest.mark.parametrize("form", [str.upper, lambda code: str(uuid.UUID(code)), lambda code: f" {code} "])
def test_forms_of_a_code(service, nobody, regular, form):
    assert status_and_json(confirm(nobody, form(ask(service, regular)))) == CONFIRMED


# --- how long a code counts


def test_expiry(service, staff, nobody, regular):
    new = new_address()
    code = ask(service, regular, address=new)
    age(service, regular.user, 86400 - 60)
    age(service, regular.user, 120)
    assert status_and_json(confirm(nobody, code)) == EXPIRED
    assert seen(staff, regular.user) == (regular.user["email"], new)
    age(service, regular.user, -120)
    assert status_and_json(confirm(nobody, code)) == CONFIRMED


def test_only_the_newest_counts(service, staff, nobody, regular):
    first, second = new_address(), new_address()
    old_code = ask(service, regular, address=first)
    new_code = ask(service, regular, address=second)
    assert status_and_json(confirm(nobody, old_code)) == UNKNOWN_CODE
    assert seen(staff, regular.user) == (regular.user["email"], second)
    assert status_and_json(confirm(nobody, new_code)) == CONFIRMED
    assert seen(staff, regular.user) == (second, None)


def test_the_same_address_twice(service, nobody, regular):
    new = new_address()
    old_code = ask(service, regular, address=new)
    change(regular, regular.user, new)
    new_code = code_in(service, service.mail(new, 2))
    assert status_and_json(confirm(nobody, old_code)) == UNKNOWN_CODE
    assert status_and_json(confirm(nobody, new_code)) == CONFIRMED


def test_a_new_request_has_its_own_age(service, nobody, regular):
    new = new_address()
    ask(service, regular)
    age(service, regular.user, 2 * 86400)
    code = ask(service, regular, address=new)
    assert status_and_json(confirm(nobody, code)) == CONFIRMED


def test_cancel(service, staff, nobody, regular):
    code = ask(service, regular)
    assert status_and_json(cancel(regular, regular.user)) == CANCELLED
    assert seen(staff, regular.user) == (regular.user["email"], None)
    assert status_and_json(confirm(nobody, code)) == UNKNOWN_CODE
    assert status_and_json(cancel(regular, regular.user)) == NO_REQUEST
    code = ask(service, regular)
    assert status_and_json(cancel(staff, regular.user)) == CANCELLED
    assert status_and_json(confirm(nobody, code)) == UNKNOWN_CODE


def test_one_address_for_two_users(service, staff, nobody):
    """Whoever confirms first ends the requests of the others."""
    first, second, third = service.account(), service.account(), service.account()
    shared, other = new_address(), new_address()
    ask(service, first, address=shared)
    change(second, second.user, shared.upper())
    code = code_in(service, service.mail(shared.upper()))
    first_code = code_in(service, service.mail(shared))
    third_code = ask(service, third, address=other)
    tag = staff.get(path_of(first.user)).headers["ETag"]

    assert status_and_json(confirm(nobody, code)) == CONFIRMED
    assert seen(staff, second.user) == (shared.upper(), None)
    assert seen(staff, first.user) == (first.user["email"], None)
    assert staff.get(path_of(first.user)).headers["ETag"] != tag
    assert status_and_json(confirm(nobody, first_code)) == UNKNOWN_CODE
    assert status_and_json(confirm(nobody, third_code)) == CONFIRMED


def test_deleted_user(service, staff, nobody, regular):
    code = ask(service, regular)
    assert staff.delete(path_of(regular.user)).status_code == 204
    assert status_and_json(confirm(nobody, code)) == UNKNOWN_CODE


def test_two_at_the_same_moment(service, nobody):
    for _ in range(5):
        client = service.account()
        code = ask(service, client)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: status_and_json(confirm(Client(service, None), code)), range(8)))
        assert sorted(status for status, _ in answers) == [200] + [404] * 7
        assert CONFIRMED in answers and UNKNOWN_CODE in answers


def test_two_users_at_the_same_moment(service, staff):
    shared = new_address()
    clients = [service.account() for _ in range(4)]
    codes = []
    for client in clients:
        change(client, client.user, shared)
        codes.append(code_in(service, service.mail(shared, len(codes) + 1)))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda code: status_and_json(confirm(Client(service, None), code)), codes))
    assert sorted(status for status, _ in answers) == [200, 404, 404, 404]
    addresses = [seen(staff, client.user) for client in clients]
    assert sorted(address == shared for address, _ in addresses) == [False, False, False, True]
    assert {requested for _, requested in addresses} == {None}


def test_requests_at_the_same_moment(service, staff, nobody, regular):
    addresses = [new_address() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda a: change(Client(service, regular.token), regular.user, a), addresses))
    assert {status_and_json(answer)[0] for answer in answers} == {200}
    codes = {address: code_in(service, service.mail(address)) for address in addresses}
    requested = seen(staff, regular.user)[1]
    for address, code in codes.items():
        if address != requested:
            assert status_and_json(confirm(nobody, code)) == UNKNOWN_CODE
    assert status_and_json(confirm(nobody, codes[requested])) == CONFIRMED


# --- what is allowed when the code comes


def test_the_address_is_checked_again(service, staff, nobody, regular):
    code = ask(service, regular)
    service.sql("UPDATE email_changes SET email = 'a@localhost' WHERE email = %s", seen(staff, regular.user)[1])
    assert status_and_json(confirm(nobody, code)) == NO_EMAIL
    assert seen(staff, regular.user) == (regular.user["email"], "a@localhost")
    assert status_and_json(cancel(regular, regular.user)) == CANCELLED


@pytest.fixture(scope="module")
def changed():
    """An instance whose configuration and keys have changed since three users asked for addresses."""
    service = Service()
    clients = [service.account() for _ in range(3)]
    service.sql(
        "UPDATE users SET registration_method = 'eduteams' WHERE username IN (%s, %s)",
        *(client.user["username"] for client in clients[1:]),
    )
    for client in clients:
        client.code = ask(service, client)
    keys = service.state / "keys"
    keys.write_text(f"2 {secrets.token_hex(32)}\n{keys.read_text()}")
    (service.state / "roster.local").write_text(
        "local_idp_protected_fields = first_name, email\nemail_change_max_age = 3600\n"
    )
    service.down()
    service.up()
    yield service, clients
    service.close()


def test_protected_address(changed):
    """email among the fields of the identity provider: refused at the request, and at the confirmation."""
    service, (local, *_) = changed
    assert status_and_json(change(local, local.user, new_address())) == PROTECTED
    assert status_and_json(change(service.staff, local.user, new_address())) == PROTECTED
    assert status_and_json(change(local, local.user, "no address")) == PROTECTED
    assert status_and_json(confirm(service.nobody, local.code)) == PROTECTED
    assert seen(local, local.user)[0] == local.user["email"]
    assert status_and_json(cancel(local, local.user)) == CANCELLED


def test_codes_outlive_a_new_key(changed):
    service, (_, foreign, _) = changed
    assert status_and_json(confirm(service.nobody, foreign.code)) == CONFIRMED


def test_the_age_is_an_option(changed):
    service, (*_, foreign) = changed
    age(service, foreign.user, 3600 + 60)
    assert status_and_json(confirm(service.nobody, foreign.code)) == EXPIRED
    age(service, foreign.user, -3600)
    assert status_and_json(confirm(service.nobody, foreign.code)) == CONFIRMED


# --- what goes with it


def events_of(service, user):
    rows = service.sql(
        "SELECT event, actor_username, changes FROM audit_events WHERE subject_uuid = %s"
        " AND event LIKE 'user_email%%' ORDER BY id",
        uuid.UUID(user["uuid"]).bytes,
    )
    return list(rows)


def test_events(service, staff, nobody, regular):
    user, first, second = regular.user, new_address(), new_address()
    change(regular, user, first)
    cancel(staff, user)
    cancel(staff, user)
    code = ask(service, regular, address=second)
    confirm(nobody, code)
    confirm(nobody, code)
    name = user["username"]
    assert events_of(service, user) == [
        ("user_email_change_requested", name, f'{{"requested_email":[null,"{first}"]}}'),
        ("user_email_change_cancelled", "staff", None),
        ("user_email_change_requested", name, f'{{"requested_email":[null,"{second}"]}}'),
        ("user_email_changed", None, f'{{"email":["{user["email"]}","{second}"]}}'),
    ]


def test_who_has_asked_for_an_address_that_another_got_is_told(service, nobody, regular, staff):
    rivals, wanted = [service.create() for _ in range(2)], new_address()
    code = ask(service, regular, address=wanted)
    for user in rivals:
        change(staff, user, wanted)
    confirm(nobody, code)
    for user in rivals:
        assert events_of(service, user)[1:] == [("user_email_change_cancelled", None, None)]
        assert staff.get(path_of(user)).json()["requested_email"] is None


def test_versions_and_conditions(staff, regular):
    """What changes the object changes its tag; If-Match holds for the actions, too."""
    path = path_of(regular.user)
    tags = [staff.get(path).headers["ETag"]]
    headers = {"If-Match": tags[0]}
    answer = regular.post(path + "change_email/", json={"email": new_address()}, headers=headers)
    assert status_and_json(answer) == REQUESTED
    tags.append(staff.get(path).headers["ETag"])
    assert regular.post(path + "cancel_change_email/", headers=headers).status_code == 412
    answer = regular.post(path + "cancel_change_email/", headers={"If-Match": tags[1]})
    assert status_and_json(answer) == CANCELLED
    tags.append(staff.get(path).headers["ETag"])
    assert len({tag.split("-")[0] for tag in tags}) == 3


def test_the_code_is_in_the_mail_alone(service, staff, regular):
    start = service.log_size()
    new = new_address()
    answer = change(regular, regular.user, new)
    code = code_in(service, service.mail(new))
    dashed = str(uuid.UUID(code))
    raw = uuid.UUID(code).bytes
    texts = [answer.text, str(answer.headers), staff.get(path_of(regular.user)).text]
    texts += [str(line) for line in service.log(start)]
    texts += [str(service.sql(f"SELECT * FROM {table}")) for table in ("email_changes", "audit_events")]
    for text in texts:
        assert code not in text and dashed not in text and str(raw)[2:-1] not in text
    assert service.mails(new) and new not in "".join(str(line) for line in service.log(start))


def test_statements(service, staff, regular):
    """requested_email costs no statement of its own."""
    ask(service, regular)
    # Two more look up the token and its owner, and the reader's limits.
    for path in ("/api/users/?page_size=50", path_of(regular.user)):
        assert statements(service, staff.get(path)) <= 2
