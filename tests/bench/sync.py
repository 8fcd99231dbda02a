"""For bench.py: how fast users are compared with an identity provider whose service takes a while for each."""

import contextlib
import time
from collections import namedtuple
from urllib.parse import unquote

from identity import PROVIDERS, Remote
from service import eventually

PEOPLE = 10_000
ANSWER = 0.05  # seconds
IN_FLIGHT = (1, 4, 16)

# By SQL, which is what is not measured.
PEOPLE_SQL = """
INSERT INTO users (uuid, username, slug, email, first_name, registration_method, agreement_date, date_joined, modified)
SELECT UNHEX(MD5(CONCAT('member', seq))), CONCAT('member', seq), CONCAT('member', seq),
    CONCAT('member', seq, '@example.org'), 'Old', 'eduteams', NOW(6), NOW(6), NOW(6)
FROM seq_1_to_{people}
"""

Row = namedtuple("Row", "in_flight rate compared before after alone beside")


class Slow(Remote):
    """Knows everybody, and answers after ANSWER."""

    def __init__(self):
        super().__init__()
        self.on_userinfo = self.answer_slowly

    def answer_slowly(self, handler):
        name = unquote(handler.path.removeprefix("/userinfo/"))
        time.sleep(ANSWER)
        self.answer(handler, 200, {"voperson_id": name, "given_name": f"New {time.monotonic_ns() % 997}"})


def fill(service):
    service.sql(PEOPLE_SQL.format(people=PEOPLE))
    service.sql("ANALYZE TABLE users")


@contextlib.contextmanager
def provided(service, remote, in_flight):
    """Meanwhile the remote is the provider, and all users are due."""
    service.sql("UPDATE users SET last_sync = NULL")
    body = remote.settings(sync_interval=86400, sync_rate=1000, sync_in_flight=in_flight)
    provider = service.staff.post(PROVIDERS, json=body)
    assert provider.status_code == 201, provider.text
    yield
    assert service.staff.delete(provider.json()["url"]).status_code == 204


def compared(service):
    rows = service.sql("SELECT COUNT(*), COALESCE(SUM(failures), 0) FROM identity_syncs WHERE tried > '2000-01-01'")
    assert rows[0][1] == 0, "a user could not be compared"
    return rows[0][0]


def rows(service, ask_me, kib_of):
    """A row for each number in flight; ask_me() loads the service for a while and says how that went."""
    (process,) = service.children("rosterd sync")
    remote = Slow()
    try:
        for in_flight in IN_FLIGHT:
            alone = ask_me()
            with provided(service, remote, in_flight):
                eventually(lambda: compared(service) > in_flight, seconds=60)
                began, done, before = time.monotonic(), compared(service), kib_of(process)
                beside = ask_me()
                rate = (compared(service) - done) / (time.monotonic() - began)
                if in_flight == IN_FLIGHT[-1]:
                    eventually(lambda: compared(service) == PEOPLE, seconds=300)
                yield Row(in_flight, rate, compared(service), before, kib_of(process), alone, beside)
    finally:
        remote.close()
