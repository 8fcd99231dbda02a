"""For bench.py: what regular users see of each other where very many hold roles, beside what staff sees."""

import lists
from statements import logged, statements_of

CUSTOMERS, PROJECTS, GRANTS = 1_000, 10_000, 300_000

# One grant in eight is of a customer, one in ten was revoked, one in four ends some day.
FILL_SQL = [
    f"""
INSERT INTO customers (id, uuid, name, slug, created, modified)
SELECT {{first}} + seq, UNHEX(MD5(CONCAT('customer', seq))), CONCAT('Customer ', seq), CONCAT('customer', seq),
    '2026-01-01', '2026-01-01'
FROM seq_1_to_{CUSTOMERS}
""",
    f"""
INSERT INTO projects (id, uuid, name, slug, customer_id, created, modified)
SELECT {{first}} + seq, UNHEX(MD5(CONCAT('project', seq))), CONCAT('Project ', seq), CONCAT('project', seq),
    {{first}} + 1 + seq %% {CUSTOMERS}, '2026-01-01', '2026-01-01'
FROM seq_1_to_{PROJECTS}
""",
    f"""
INSERT INTO role_grants (uuid, user_id, role_id, customer_id, project_id, created_by, expiration_time, is_active,
    created, modified)
SELECT UNHEX(MD5(CONCAT('grant', seq))), p.id, r.id,
    IF(seq %% 8 = 0, {{first}} + 1 + CRC32(CONCAT('scope', seq)) %% {CUSTOMERS}, NULL),
    IF(seq %% 8 = 0, NULL, {{first}} + 1 + CRC32(CONCAT('scope', seq)) %% {PROJECTS}), p.id,
    IF(seq %% 4 = 0, '2099-01-01' + INTERVAL seq MINUTE, NULL), seq %% 10 <> 9,
    '2026-01-01' + INTERVAL seq SECOND, '2026-01-01' + INTERVAL seq SECOND
FROM seq_1_to_{GRANTS}
JOIN users p ON p.username = CONCAT('person', 1 + CRC32(CONCAT('user', seq)) %% {lists.PEOPLE})
JOIN roles r ON r.name = IF(seq %% 8 = 0, ELT(1 + seq %% 3, 'CUSTOMER.OWNER', 'CUSTOMER.MANAGER', 'CUSTOMER.SUPPORT'),
    ELT(1 + seq %% 3, 'PROJECT.ADMIN', 'PROJECT.MANAGER', 'PROJECT.MEMBER'))
""",
]
FIRST_ID = 1_000_000

CALLERS_SQL = """
SELECT LOWER(HEX(u.uuid)) FROM users u JOIN role_grants g ON g.user_id = u.id AND g.is_active
WHERE u.is_active AND NOT u.is_staff AND NOT u.is_support AND u.username LIKE 'person%%'
GROUP BY u.id {having} ORDER BY COUNT(*) DESC, u.id LIMIT 1
"""

PATHS = {
    "page of 10": "/api/users/?page_size=10",
    "page of 100": "/api/users/?page_size=100",
    "last page of 10": "/api/users/?page_size=10&page=last",
    "of a customer": "/api/users/?page_size=10&customer_uuid={customer}",
    "owners": "/api/users/?page_size=10&organization_roles=CUSTOMER.OWNER",
    "customers": "/api/customers/?page_size=10",
    "projects": "/api/projects/?page_size=10",
}


def fill(service):
    lists.fill(service)
    for statement in FILL_SQL:
        service.sql(statement.format(first=FIRST_ID))
    for name in ("customers", "projects", "role_grants"):
        service.sql(f"ANALYZE TABLE {name}")


def token_of(service, having):
    uuid = service.sql(CALLERS_SQL.format(having=having))[0][0]
    return service.staff.post(f"/api/users/{uuid}/refresh_token/").json()["token"]


def callers(service):
    return {
        "staff": service.staff.token,
        "regular, 4 roles": token_of(service, "HAVING COUNT(*) = 4 AND SUM(g.customer_id IS NOT NULL) = 1"),
        "regular, most roles": token_of(service, ""),
    }


def rows(service):
    """Of each list: its name, caller, count, statements that fetch it, p50 and p99 in microseconds."""
    customer = service.sql("SELECT LOWER(HEX(uuid)) FROM customers WHERE name = 'Customer 7'")[0][0]
    askers = {name: lists.Asker(service, token) for name, token in callers(service).items()}
    with logged(service):
        sent = {
            (name, who): statements_of(service, lambda: asker.ask(path.format(customer=customer)))
            for name, path in PATHS.items()
            for who, asker in askers.items()
        }
    for name, path in PATHS.items():
        for who, asker in askers.items():
            count, p50, p99 = asker.figures(path.format(customer=customer))
            fetching = sum("page_keys" in statement for statement in sent[name, who])
            yield name, who, count, fetching, p50, p99
