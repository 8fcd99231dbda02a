"""For bench.py: each filter, each order and each of their ends in a list of very many accounts."""

import re
import statistics
import time
from http.client import HTTPConnection
from urllib.parse import quote

from statements import logged, plan, statements_of

PEOPLE = 100_000
SAMPLES = (20, 200)  # at least and at most so many of each request,
SECONDS = 1.5  # and for so long between these

# Every account has a value of its own or of a few in each column. By SQL, which is what is not measured.
PEOPLE_SQL = """
INSERT INTO users (uuid, username, slug, email, first_name, last_name, native_name, full_name_folded,
    phone_number, organization, job_title, civil_number, description, is_staff, is_support,
    is_active, registration_method, agreement_date, date_joined, modified, token_lifetime)
SELECT UNHEX(MD5(CONCAT('person', seq))), CONCAT('person', seq), CONCAT('person', seq),
    CONCAT('person', seq, '@example.org'), CONCAT('Jõgeva', seq %% 97),
    CONCAT('Ødegård-Meyer', seq %% 8999), CONCAT('Юрий Петров ', seq %% 83),
    CONCAT('jogeva', seq %% 97, ' odegard-meyer', seq %% 8999),
    CONCAT('+372 555 ', seq %% 9973), CONCAT('Department of Example Studies ', seq %% 13),
    CONCAT('Engineer, grade ', seq %% 7), CONCAT('EE', seq), CONCAT('Note ', seq %% 17),
    seq %% 997 = 0, seq %% 101 = 0, seq %% 11 <> 0, IF(seq %% 3 = 0, 'eduteams', 'default'),
    '2026-01-01' + INTERVAL seq MINUTE, '2026-01-01' + INTERVAL seq MINUTE,
    '2026-02-01' + INTERVAL seq MINUTE, 3600
FROM seq_1_to_{people}
"""

UNFILTERED = "(none)"

# A value that finds some and, where there is one, a value that finds next to none.
FILTERS = {
    UNFILTERED: [""],
    "username": ["username=person777"],
    "username_list": ["username_list=person1,person50000,nobody"],
    "email": ["email=person77", "email=person77777"],
    "full_name": ["full_name=gard-meyer77", "full_name=odegard"],
    "native_name": ["native_name=Петров 77"],
    "job_title": ["job_title=grade 3"],
    "organization": ["organization=Studies 12"],
    "phone_number": ["phone_number=%2B372 555 77"],
    "civil_number": ["civil_number=EE777"],
    "description": ["description=Note 3"],
    "registration_method": ["registration_method=eduteams"],
    "is_active": ["is_active=false"],
    "is_staff": ["is_staff=true"],
    "is_support": ["is_support=true"],
    "date_joined": ["date_joined=2026-03-10T00:00:00Z"],
    "modified": ["modified=2026-04-10T00:00:00Z"],
    "agreement_date": ["agreement_date=2026-03-10T00:00:00Z"],
    "user_keyword": ["user_keyword=meyer77"],
    "query": ["query=person77", "query=Jõgeva7 Meyer77"],
    "customer_uuid": ["customer_uuid=00000000-0000-4000-8000-000000000000"],
    "project_uuid": ["project_uuid=00000000-0000-4000-8000-000000000000"],
    "organization_roles": ["organization_roles=CUSTOMER.OWNER"],
    "project_roles": ["project_roles=PROJECT.ADMIN"],
}
ORDERS = [
    "username", "full_name", "native_name", "email", "phone_number", "description", "job_title",
    "organization", "is_active", "is_staff", "is_support", "registration_method",
]  # fmt: skip


def fill(service):
    service.sql(PEOPLE_SQL.format(people=PEOPLE))
    service.sql("ANALYZE TABLE users")


class Asker:
    """One kept connection through nginx."""

    def __init__(self, service, token=None):
        self.headers = {"Authorization": f"Token {token or service.staff.token}"}
        self.connection = HTTPConnection("127.0.0.1", service.port)

    def ask(self, path):
        """Microseconds until the whole answer is there, and its headers."""
        start = time.perf_counter()
        self.connection.request("GET", quote(path, safe="/?&=-%"), headers=self.headers)
        answer = self.connection.getresponse()
        body = answer.read()
        took = (time.perf_counter() - start) * 1e6
        assert answer.status == 200, body
        return took, answer.headers

    def figures(self, path):
        """Count, p50 and p99 in microseconds."""
        took, end = [], time.monotonic() + SECONDS
        while len(took) < SAMPLES[0] or (time.monotonic() < end and len(took) < SAMPLES[1]):
            microseconds, headers = self.ask(path)
            took.append(microseconds)
        return int(headers["X-Result-Count"]), statistics.median(took), statistics.quantiles(took, n=100)[98]


def brief(rows):
    """
    Where rows are looked for and put in order: for the page, then for the count. What is looked up by a key for
    each row is left out, and the page itself, once it is found.
    """
    parts = []
    for row in rows:
        sort = ", sorted" if "filesort" in (row["Extra"] or "") else ""
        if row["table"] is None:
            parts.append(row["Extra"])
        elif row["type"] not in ("eq_ref", "const", "system") and not row["table"].startswith(("g", "<derived")):
            parts.append(f"{row['table']} {row['type']} {row['key'] or '-'} {row['rows']}{sort}")
    return "; ".join(parts) or "by key"


def requests():
    """Name and query of each list that is asked for."""
    for name, queries in FILTERS.items():
        for query in queries:
            yield query or name, query
    for order in ORDERS:
        yield f"o={order}", f"o={order}"
        yield f"o=-{order}", f"o=-{order}"


def pages():
    """Name, page and path of each request."""
    for name, query in requests():
        for page in ("1", "last"):
            yield name, page, f"/api/users/?{query}{'&' if query else ''}page_size=10&page={page}"


def rows(service):
    """Of each request: name, page, count, p50 and p99 in microseconds, the plan."""
    asker = Asker(service)
    plans = {}
    with logged(service):
        for _, _, path in pages():
            longest = max(statements_of(service, lambda path=path: asker.ask(path)), key=len)
            plans[path] = brief(plan(service, longest))
    for name, page, path in pages():
        yield name, page, *asker.figures(path), plans[path]


DEEP = "/api/users/?page_size=10&page="


def deep_rows(service):
    """The first page, a deep one by its number, and the one after it by the link to it."""
    asker = Asker(service)
    deep = PEOPLE // 10 - 1000
    _, headers = asker.ask(f"{DEEP}{deep}")
    link = re.search(r'<https?://[^/]+([^>]+)>; rel="next"', headers["Link"]).group(1)
    paths = {"page=1": f"{DEEP}1", f"page={deep}": f"{DEEP}{deep}", f"the link to page {deep + 1}": link}
    for name, path in paths.items():
        yield name, *asker.figures(path)[1:]
