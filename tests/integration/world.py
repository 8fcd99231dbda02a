"""A world of customers, projects, people and grants, and the rules by which they see and rule each other.

The same seed makes the same world but for its times, which are counted from now. Most of it is written by SQL,
some through the API. The rules are written from the API's description, not from the program.
"""

import random
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

CUSTOMERS, PROJECTS, PEOPLE, GRANTS = 50, 500, 5_000, 20_000
FIRST_ID = 100_000

ROLES = {
    "CUSTOMER.HELPDESK": ("customer", ["CUSTOMER.LIST_USERS", "PROJECT.CREATE_PERMISSION"]),
    "CUSTOMER.RETIRED": ("customer", ["CUSTOMER.DELETE_PERMISSION", "PROJECT.UPDATE_PERMISSION"]),
    "PROJECT.LEAD": ("project", ["PROJECT.DELETE_PERMISSION", "PROJECT.UPDATE"]),
    "PROJECT.EMPTY": ("project", []),
}
INACTIVE = {"CUSTOMER.RETIRED"}


def stamp(time):
    """As the API prints it."""
    if time is None:
        return None
    return time.strftime("%Y-%m-%dT%H:%M:%S" + (".%f" if time.microsecond else "") + "Z")


@dataclass(eq=False, repr=False)
class Role:
    name: str
    uuid: str
    type: str
    description: str
    is_active: bool
    permissions: set


@dataclass(eq=False, repr=False)
class Customer:
    id: int
    uuid: str
    name: str
    blocked: bool = False
    archived: bool = False
    grants: list = field(default_factory=list)
    projects: list = field(default_factory=list)
    type = "customer"

    @property
    def customer(self):
        return self


@dataclass(eq=False, repr=False)
class Project:
    id: int
    uuid: str
    name: str
    customer: Customer
    is_removed: bool = False
    grants: list = field(default_factory=list)
    type = "project"


@dataclass(eq=False, repr=False)
class User:
    id: int
    uuid: str
    username: str
    slug: str
    first_name: str = ""
    last_name: str = ""
    is_active: bool = True
    is_staff: bool = False
    is_support: bool = False
    grants: list = field(default_factory=list)

    @property
    def full_name(self):
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def email(self):
        return f"{self.username}@example.org"

    @property
    def sees_all(self):
        return self.is_staff or self.is_support


@dataclass(eq=False, repr=False)
class Grant:
    id: int
    uuid: str
    user: User
    role: Role
    scope: object
    created: datetime
    expires: datetime = None
    is_active: bool = True
    by: User = None

    def counts(self, at):
        """Revoked ones have expired when they were revoked."""
        return self.created <= at and (self.is_active if self.expires is None else at < self.expires)


class World:
    def __init__(self, service, seed=20261124):
        self.service = service
        self.rng = random.Random(seed)
        self.now = datetime.now(timezone.utc).replace(microsecond=0)
        self.customers, self.projects, self.users, self.grants = [], [], [], []
        self.read_roles()
        self.read_users()
        self.make_by_api()
        self.make_by_sql()

    # --- making it

    def uuid(self):
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def chance(self, share):
        return self.rng.random() < share

    def read_roles(self):
        for name, (kind, permissions) in ROLES.items():
            body = {"name": name, "content_type": kind, "permissions": permissions}
            self.made("/api/roles/", **body)
        roles = self.service.staff.get("/api/roles/?page_size=100").json()
        for name in INACTIVE:
            found = next(role for role in roles if role["name"] == name)
            self.made(f"/api/roles/{found['uuid']}/disable/", status=200)
        self.roles = {
            r["name"]: Role(
                r["name"],
                r["uuid"],
                r["content_type"],
                r["description"],
                r["name"] not in INACTIVE,
                set(r["permissions"]),
            )
            for r in roles
        }

    def made(self, path, status=201, **body):
        answer = self.service.staff.post(path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def sql(self, statement, *values):
        return self.service.sql(statement, *values)

    def id_of(self, table, uuid_):
        return self.sql(f"SELECT id FROM {table} WHERE uuid = UNHEX(%s)", uuid_.replace("-", ""))[0][0]

    def read_users(self):
        """Who is there from the start."""
        for user in self.service.staff.get("/api/users/?page_size=300").json():
            self.users.append(self.user_of(user))
        self.staff = next(user for user in self.users if user.username == "staff")

    def user_of(self, user):
        flags = (user["is_active"], user["is_staff"], user["is_support"])
        names = (user["username"], user["slug"], user["first_name"], user["last_name"])
        return User(self.id_of("users", user["uuid"]), user["uuid"], *names, *flags)

    def make_by_api(self):
        for n in range(3):
            made = self.made("/api/customers/", name=f"Made Customer {n}")
            self.customers.append(Customer(self.id_of("customers", made["uuid"]), made["uuid"], made["name"]))
        for n in range(10):
            parent = self.customers[n % 3]
            url = f"{self.service.url}/api/customers/{parent.uuid}/"
            made = self.made("/api/projects/", name=f"Made Project {n}", customer=url)
            project = Project(self.id_of("projects", made["uuid"]), made["uuid"], made["name"], parent)
            self.projects.append(project)
            parent.projects.append(project)
        for n in range(20):
            made = self.made("/api/users/", username=f"made{n}", email=f"made{n}@example.org", first_name="Made")
            self.users.append(self.user_of(made))
        people = [user for user in self.users if user.first_name == "Made"]
        for n in range(40):
            scope = (self.customers + self.projects)[n % 13]
            role = self.any_role(scope)
            if role.is_active and not any(g.role is role and g.user is people[n % 20] for g in scope.grants):
                self.grant_by_api(people[n % 20], role, scope)

    def grant_by_api(self, user, role, scope):
        self.made(f"/api/{scope.type}s/{scope.uuid}/add_user/", role=role.name, user=user.uuid)
        self.read_grant(user, role, scope)

    def read_grant(self, user, role, scope, by=None):
        """The newest grant, into the model."""
        row = self.sql(
            "SELECT id, HEX(uuid), created, expiration_time FROM role_grants WHERE user_id = %s"
            " ORDER BY id DESC LIMIT 1",
            user.id,
        )[0]
        created, expires = (time and time.replace(tzinfo=timezone.utc) for time in row[2:])
        self.add(
            Grant(row[0], str(uuid.UUID(row[1])), user, role, scope, created, expires, by=by or self.staff)
        )

    def end_of(self, grant):
        ((end,),) = self.sql("SELECT expiration_time FROM role_grants WHERE id = %s", grant.id)
        return end.replace(tzinfo=timezone.utc)

    def add(self, grant):
        for grants in (self.grants, grant.user.grants, grant.scope.grants):
            grants.append(grant)

    def any_role(self, scope):
        return self.rng.choice([role for role in self.roles.values() if role.type == scope.type])

    def make_by_sql(self):
        rng = self.rng
        for n in range(len(self.customers), CUSTOMERS):
            name = f"Customer {n:03}"
            self.customers.append(
                Customer(FIRST_ID + n, self.uuid(), name, self.chance(0.06), self.chance(0.06))
            )
        for n in range(len(self.projects), PROJECTS):
            parent = rng.choice(self.customers)
            project = Project(FIRST_ID + n, self.uuid(), f"Project {n:04}", parent, self.chance(0.05))
            self.projects.append(project)
            parent.projects.append(project)
        for n in range(len(self.users), PEOPLE):
            name = f"p{n:05}"
            names = (name, name, f"First{n % 50}", f"Last{n % 70}")
            flags = (self.chance(0.95), self.chance(0.01), self.chance(0.01))
            self.users.append(User(FIRST_ID + n, self.uuid(), *names, *flags))
        for n in range(len(self.grants), GRANTS):
            self.add(self.random_grant(n))
        self.write()

    def random_grant(self, n):
        rng = self.rng
        scope = rng.choice(self.customers if self.chance(0.15) else self.projects)
        # Some hold many roles, most few, one in seven none.
        user = self.users[int(len(self.users) * 0.85 * rng.random() ** 1.5)]
        created = self.now - timedelta(days=300) + timedelta(seconds=n // 2)
        expires = rng.choice([None, None, None, timedelta(days=30), timedelta(hours=1), timedelta(days=-2)])
        grant = Grant(FIRST_ID + n, self.uuid(), user, self.any_role(scope), scope, created)
        grant.expires = expires and self.now + expires * rng.randint(1, 20)
        grant.by = rng.choice([None, self.staff, rng.choice(self.users)])
        if self.chance(0.1) or (scope.type == "project" and scope.is_removed):
            grant.is_active = False
            grant.expires = self.now - timedelta(days=rng.randint(1, 200))
        return grant

    def write(self):
        times = [stamp(self.now - timedelta(days=300)).rstrip("Z")] * 2

        def sql_made(things):
            return [thing for thing in things if thing.id >= FIRST_ID]

        def raw(thing):
            return uuid.UUID(thing.uuid).bytes

        self.insert(
            "users",
            "id uuid username slug email first_name last_name full_name_folded is_active is_staff is_support"
            " token_lifetime agreement_date date_joined modified",
            [
                (u.id, raw(u), u.username, u.slug, u.email, u.first_name, u.last_name, u.full_name.lower())
                + (u.is_active, u.is_staff, u.is_support, 3600, times[0], *times)
                for u in sql_made(self.users)
            ],
        )
        self.insert(
            "customers",
            "id uuid name slug blocked archived created modified",
            [
                (c.id, raw(c), c.name, f"c-{c.id}", c.blocked, c.archived, *times)
                for c in sql_made(self.customers)
            ],
        )
        self.insert(
            "projects",
            "id uuid name slug customer_id is_removed created modified",
            [
                (p.id, raw(p), p.name, f"p-{p.id}", p.customer.id, p.is_removed, *times)
                for p in sql_made(self.projects)
            ],
        )
        ids = {name: self.id_of("roles", role.uuid) for name, role in self.roles.items()}
        self.insert(
            "role_grants",
            "id uuid user_id role_id customer_id project_id created_by expiration_time is_active created modified",
            [
                (g.id, raw(g), g.user.id, ids[g.role.name])
                + tuple(g.scope.id if g.scope.type == kind else None for kind in ("customer", "project"))
                + (g.by and g.by.id, g.expires and g.expires.replace(tzinfo=None), g.is_active)
                + (g.created.replace(tzinfo=None),) * 2
                for g in sql_made(self.grants)
            ],
        )

    def insert(self, table, columns, rows):
        columns = columns.split()
        marks = ", ".join(["%s"] * len(columns))
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
        self.service.transaction(lambda cursor: cursor.executemany(statement, rows))
        self.sql(f"ANALYZE TABLE {table}")

    # --- the rules

    def active(self, grants, at=None):
        return [grant for grant in grants if grant.counts(at or datetime.now(timezone.utc))]

    def visible_customers(self, user):
        if user.sees_all:
            return set(self.customers)
        return {grant.scope.customer for grant in self.active(user.grants)}

    def visible_projects(self, user):
        if user.sees_all:
            return set(self.projects)
        scopes = [grant.scope for grant in self.active(user.grants)]
        return {p for scope in scopes for p in ([scope] if scope.type == "project" else scope.projects)}

    def visible_users(self, user):
        if user.sees_all:
            return set(self.users)
        scopes = self.visible_customers(user) | self.visible_projects(user)
        people = {grant.user for scope in scopes for grant in self.active(scope.grants)} | {user}
        return {person for person in people if person.is_active and not person.is_staff}

    def sees_scope(self, user, scope):
        return scope in (self.visible_customers(user) if scope.type == "customer" else self.visible_projects(user))

    def holds(self, user, permission, scope):
        """Through a role on exactly this scope."""
        return user.is_staff or any(
            grant.scope is scope and permission in grant.role.permissions for grant in self.active(user.grants)
        )

    def reasons(self, permission, scope, at, users=None):
        """The grants that carry a permission over a scope, its own and its customer's."""
        grants = [g for s in {scope, scope.customer} for g in self.active(s.grants, at)]
        return [
            g
            for g in grants
            if permission in g.role.permissions and g.user.is_active and (users is None or g.user in users)
        ]
