"""Thousands of random questions to a large world, and what its rules say; see world.py."""

import json
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from http.client import HTTPConnection
from urllib.parse import urlencode

import pytest
from service import Service
from statements import logged, plan, statements_of
from world import World, stamp

THREADS = 4
FORBIDDEN = {"detail": "You do not have permission to perform this action."}
PERMISSIONS = [
    f"{kind}.{verb}"
    for kind in ("CUSTOMER", "PROJECT")
    for verb in ("UPDATE", "LIST_USERS", "CREATE_PERMISSION", "UPDATE_PERMISSION", "DELETE_PERMISSION")
] + ["PROJECT.CREATE", "PROJECT.DELETE"]


@pytest.fixture(scope="module")
def world():
    service = Service(workers=4)
    try:
        world = World(service)
        world.callers = choose_callers(world)
        world.connections = threading.local()
        yield world
    finally:
        service.close()


def choose_callers(world):
    """People who may do much, little and nothing, and their tokens."""
    rng = random.Random(7)
    active = [user for user in world.users if user.is_active]
    plain = [user for user in active if not user.sees_all]
    strong = [user for user in plain if len(world.active(user.grants)) > 6]
    without = [user for user in plain if not world.active(user.grants)]
    callers = rng.sample(strong, 12) + rng.sample(plain, 20) + rng.sample(without, 3)
    callers += rng.sample([user for user in active if user.is_staff and user is not world.staff], 3)
    callers += rng.sample([user for user in active if user.is_support and not user.is_staff], 2)
    callers += [user for user in plain if user.first_name == "Made"][:4]
    tokens = {world.staff: world.service.staff.token}
    for user in callers:
        answer = world.service.staff.post(f"/api/users/{user.uuid}/refresh_token/")
        assert answer.status_code == 200
        tokens[user] = answer.json()["token"]
    return tokens


# --- asking


def ask(world, caller, method, path, body=None):
    """Status, headers and content of an answer, over this thread's connection."""
    if not hasattr(world.connections, "own"):
        world.connections.own = HTTPConnection("127.0.0.1", world.service.port, timeout=30)
    headers = {"Authorization": f"Token {world.callers[caller]}"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    world.connections.own.request(method, path, body and json.dumps(body), headers)
    answer = world.connections.own.getresponse()
    content = answer.read()
    return answer.status, answer.headers, json.loads(content) if content else None


@dataclass(repr=False)
class Question:
    """What a caller asks, and the answer that the rules give: a page of a list when there is a count."""

    caller: object
    path: str
    status: int
    body: object
    count: int = None


def check(world, question):
    status, headers, body = ask(world, question.caller, "GET", question.path)
    told = (f"{question.caller.username}: {question.path}", status, body)
    assert told == (told[0], question.status, question.body)
    if question.count is not None:
        assert (told[0], int(headers["X-Result-Count"])) == (told[0], question.count)


def check_all(world, questions):
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(lambda question: check(world, question), questions):
            pass


def not_found(model):
    return 404, {"detail": f"No {model} matches the given query."}


def hit_or_miss(rng, seen, everything):
    """One of those that the caller sees, or of all."""
    seen = seen if seen and rng.random() < 0.6 else everything
    return rng.choice(seen)


class Asker:
    """Makes a caller's questions."""

    def __init__(self, world, caller, seed):
        self.world = world
        self.caller = caller
        self.rng = random.Random(f"{seed} {caller.username}")
        self.users = sorted(world.visible_users(caller), key=lambda user: user.username)
        self.customers = sorted(world.visible_customers(caller), key=lambda customer: customer.name)
        self.projects = sorted(world.visible_projects(caller), key=lambda project: project.name)

    def page(self, path, things, item, **params):
        """A random page of a list, as long as at most 300."""
        size = self.rng.choice([1, 10, 10, 50, 300])
        page = self.rng.randint(1, max(1, -(-len(things) // size)))
        params = {**params, "page_size": size, "page": self.rng.choice([page, page, "last"])}
        if params["page"] == "last":
            page = max(1, -(-len(things) // size))
        shown = [item(thing) for thing in things[(page - 1) * size : page * size]]
        return Question(self.caller, f"{path}?{urlencode(params, doseq=True)}", 200, shown, len(things))

    def one(self, model, path, seen, field, value):
        answer = (200, {field: value}) if seen else not_found(model)
        return Question(self.caller, f"{path}?field={field}", *answer)

    # --- users

    def list_of_users(self):
        return self.page("/api/users/", self.users, lambda user: {"uuid": user.uuid}, field="uuid")

    def user(self):
        user = hit_or_miss(self.rng, self.users, self.world.users)
        return self.one("User", f"/api/users/{user.uuid}/", user in self.users, "username", user.username)

    def users_with_permissions(self):
        def item(user):
            return {"username": user.username, "permissions": permissions_of(self.world, user)}

        return self.page("/api/users/", self.users, item, field=["permissions", "username"])

    def me(self):
        permissions = permissions_of(self.world, self.caller)
        return Question(
            self.caller,
            f"/api/users/{self.caller.uuid}/?field=permissions",
            200 if self.caller in self.users else 404,
            {"permissions": permissions},
        )

    def filtered_users(self):
        """By one to three of the four filters on roles."""
        rng, grants, params = self.rng, self.world.active, {}
        found = self.users
        filters = ["customer_uuid", "project_uuid", "organization_roles", "project_roles"]
        for name in rng.sample(filters, rng.choice([1, 1, 1, 2, 3])):
            if name == "customer_uuid":
                customer = hit_or_miss(rng, self.customers, self.world.customers)
                params[name] = customer.uuid

                def fits(grant):
                    return grant.scope.customer is customer
            elif name == "project_uuid":
                project = hit_or_miss(rng, self.projects, self.world.projects)
                params[name] = project.uuid.replace("-", "")

                def fits(grant):
                    return grant.scope is project
            else:
                kind = "customer" if name == "organization_roles" else "project"
                names = rng.sample(list(self.world.roles), rng.choice([1, 2])) + rng.choice([[], ["NO.ROLE"]])
                params[name] = names

                def fits(grant):
                    return grant.scope.type == kind and grant.role.name in names

            found = [user for user in found if any(map(fits, grants(user.grants)))]
        return self.page("/api/users/", found, lambda user: {"uuid": user.uuid}, field="uuid", **params)

    # --- customers and projects

    def list_of_customers(self):
        return self.page("/api/customers/", self.customers, lambda c: {"name": c.name}, field="name")

    def list_of_projects(self):
        def item(project):
            return {"name": project.name, "customer_uuid": project.customer.uuid}

        params = {"field": ["name", "customer_uuid"]}
        shown = [project for project in self.projects if not project.is_removed]
        if self.rng.random() < 0.3:
            shown, params["include_terminated"] = self.projects, "true"
        if self.rng.random() < 0.3:
            customer = hit_or_miss(self.rng, self.customers, self.world.customers)
            shown, params["customer"] = [p for p in shown if p.customer is customer], customer.uuid
        return self.page("/api/projects/", shown, item, **params)

    def customer(self):
        customer = hit_or_miss(self.rng, self.customers, self.world.customers)
        seen = customer in self.customers
        return self.one("Customer", f"/api/customers/{customer.uuid}/", seen, "name", customer.name)

    def project(self):
        project = hit_or_miss(self.rng, self.projects, self.world.projects)
        seen = project in self.projects
        return self.one("Project", f"/api/projects/{project.uuid}/", seen, "name", project.name)

    # --- grants

    def user_permissions(self):
        """Own ones, or all for the team, by up to two filters."""
        rng, params = self.rng, {}
        grants = self.world.grants if self.caller.sees_all else self.caller.grants
        grants = self.world.active(grants)
        some = rng.choice(grants or self.world.grants)
        filters = {
            "user": (some.user.uuid, lambda g: g.user is some.user),
            "user_url": (f"{self.world.service.url}/api/users/{some.user.uuid}/", lambda g: g.user is some.user),
            "username": (some.user.username, lambda g: g.user is some.user),
            "role_uuid": (some.role.uuid, lambda g: g.role is some.role),
            "role_name": (some.role.name[4:12], lambda g: some.role.name[4:12] in g.role.name),
            "scope_type": (some.scope.type, lambda g: g.scope.type == some.scope.type),
            "scope_uuid": (some.scope.uuid, lambda g: g.scope is some.scope),
            "scope_name": (some.scope.name[2:11], lambda g: some.scope.name[2:11] in g.scope.name),
            "full_name": (some.user.full_name[1:8], lambda g: some.user.full_name[1:8] in g.user.full_name),
            "created": (stamp(some.created), lambda g: g.created >= some.created),
        }
        for name in rng.sample(list(filters), rng.choice([0, 1, 1, 2])):
            params[name], fits = filters[name]
            grants = [grant for grant in grants if fits(grant)]
        return self.page("/api/user-permissions/", in_order(grants), permission, **params)

    def team(self):
        """Who holds what in a scope itself."""
        scope = self.scope()
        path = f"/api/{scope.type}s/{scope.uuid}/list_users/"
        if not self.sees(scope):
            return Question(self.caller, path, *not_found(scope.type.title()))
        grants = [grant for grant in self.world.active(scope.grants) if grant.user.is_active]
        return self.page(path, in_order(grants), team_member, field=TEAM_FIELDS)

    def people_of_customer(self):
        """Everybody in the customer and its projects, for who may list them."""
        customer = hit_or_miss(self.rng, self.customers, self.world.customers)
        path = f"/api/customers/{customer.uuid}/users/"
        if customer not in self.customers:
            return Question(self.caller, path, *not_found("Customer"))
        if not self.caller.is_support and not self.world.holds(self.caller, "CUSTOMER.LIST_USERS", customer):
            return Question(self.caller, path, 403, FORBIDDEN)
        grants = [g for scope in [customer, *customer.projects] for g in self.world.active(scope.grants)]
        people = {grant.user for grant in grants if grant.user.is_active}

        def item(user):
            return {"username": user.username, **in_customer(self.world, user, customer)}

        people = sorted(people, key=lambda user: user.username)
        fields = ["username", "role_name", "projects", "expiration_time"]
        return self.page(path, people, item, field=fields)

    def scope(self):
        seen, everything = self.rng.choice(
            [(self.customers, self.world.customers), (self.projects, self.world.projects)]
        )
        return hit_or_miss(self.rng, seen, everything)

    def sees(self, scope):
        return scope in (self.customers if scope.type == "customer" else self.projects)

    # --- explanations

    def when(self):
        return self.world.now + timedelta(days=self.rng.choice([-250, -100, -20, -1, 0, 0, 0, 10, 100]), minutes=1)

    def access(self):
        """Whether somebody may do something somewhere at some time."""
        user, scope, at = hit_or_miss(self.rng, self.users, self.world.users), self.scope(), self.when()
        if user.grants and self.rng.random() < 0.6:
            scope = self.rng.choice(user.grants).scope
        permission = self.rng.choice(PERMISSIONS)
        named = self.rng.choice([scope.uuid, f"{self.world.service.url}/api/{scope.type}s/{scope.uuid}/"])
        query = urlencode({"permission": permission, "scope": named, "at": stamp(at)})
        path = f"/api/users/{user.uuid}/access/?{query}"
        if user not in self.users:
            return Question(self.caller, path, *not_found("User"))
        if not self.sees(scope):
            return Question(self.caller, path, 400, {"scope": ["Scope is not found."]})
        grants = in_order(self.world.reasons(permission, scope, at, {user}))
        is_staff = user.is_staff and user.is_active
        body = {
            "permission": permission,
            "scope_type": scope.type,
            "scope_uuid": scope.uuid,
            "at": stamp(at),
            "is_staff": is_staff,
            "grants": [reason(grant) for grant in grants],
            "allowed": is_staff or bool(grants),
        }
        return Question(self.caller, path, 200, body)

    def who_can(self):
        scope, at, permission = self.scope(), self.when(), self.rng.choice(PERMISSIONS)
        query = urlencode({"permission": permission, "at": stamp(at)})
        path = f"/api/{scope.type}s/{scope.uuid}/who_can/?{query}"
        if not self.sees(scope):
            return Question(self.caller, path, *not_found(scope.type.title()))
        grants = self.world.reasons(permission, scope, at)
        grants.sort(key=lambda grant: (grant.user.username, grant.created, grant.id))
        return Question(self.caller, path, 200, [{**holder(grant.user), **reason(grant)} for grant in grants])


# How many questions of each kind a caller asks.
KINDS = {
    Asker.list_of_users: 4,
    Asker.user: 12,
    Asker.users_with_permissions: 2,
    Asker.me: 1,
    Asker.filtered_users: 8,
    Asker.list_of_customers: 2,
    Asker.list_of_projects: 4,
    Asker.customer: 7,
    Asker.project: 8,
    Asker.user_permissions: 6,
    Asker.team: 6,
    Asker.people_of_customer: 3,
    Asker.access: 10,
    Asker.who_can: 5,
}


# --- what answers look like


def in_order(grants):
    return sorted(grants, key=lambda grant: (grant.created, grant.id))


def permissions_of(world, user):
    return [permission(grant) for grant in in_order(world.active(user.grants))]


def permission(grant):
    """An element of permissions[], and of /api/user-permissions/."""
    creator = {} if grant.by is None else {
        "created_by_full_name": grant.by.full_name,
        "created_by_username": grant.by.username,
    }  # fmt: skip
    parent = {} if grant.scope.type == "customer" else {
        "customer_uuid": grant.scope.customer.uuid,
        "customer_name": grant.scope.customer.name,
    }  # fmt: skip
    return {
        "user_uuid": grant.user.uuid,
        "user_name": grant.user.full_name,
        "user_slug": grant.user.slug,
        "created": stamp(grant.created),
        "expiration_time": stamp(grant.expires),
        **creator,
        "role_name": grant.role.name,
        "role_description": grant.role.description,
        "role_uuid": grant.role.uuid,
        "scope_type": grant.scope.type,
        "scope_uuid": grant.scope.uuid,
        "scope_name": grant.scope.name,
        **parent,
    }


TEAM_FIELDS = """
    uuid created expiration_time role_name role_uuid user_email user_full_name user_username user_uuid
    created_by_full_name created_by_uuid
""".split()


def team_member(grant):
    creator = {} if grant.by is None else {
        "created_by_full_name": grant.by.full_name,
        "created_by_uuid": grant.by.uuid,
    }  # fmt: skip
    return {
        "uuid": grant.uuid,
        "created": stamp(grant.created),
        "expiration_time": stamp(grant.expires),
        "role_name": grant.role.name,
        "role_uuid": grant.role.uuid,
        "user_email": grant.user.email,
        "user_full_name": grant.user.full_name,
        "user_username": grant.user.username,
        "user_uuid": grant.user.uuid,
        **creator,
    }


def in_customer(world, user, customer):
    """The oldest role in the customer itself, and the roles in its projects."""
    grants = in_order(grant for grant in world.active(user.grants) if grant.scope.customer is customer)
    own = next((grant for grant in grants if grant.scope is customer), None)
    inside = sorted((grant for grant in grants if grant.scope is not customer), key=lambda g: (g.scope.name, g.id))
    return {
        "role_name": own and own.role.name,
        "projects": [
            {
                "url": f"{world.service.url}/api/projects/{grant.scope.uuid}/",
                "uuid": grant.scope.uuid,
                "name": grant.scope.name,
                "role_name": grant.role.name,
                "expiration_time": stamp(grant.expires),
            }
            for grant in inside
        ],
        "expiration_time": own and stamp(own.expires),
    }


def holder(user):
    return {"user_uuid": user.uuid, "user_username": user.username, "user_full_name": user.full_name}


def reason(grant):
    return {
        "grant_uuid": grant.uuid,
        "role_name": grant.role.name,
        "scope_type": grant.scope.type,
        "scope_uuid": grant.scope.uuid,
        "scope_name": grant.scope.name,
        "granted_by_username": grant.by and grant.by.username,
        "granted": stamp(grant.created),
        "expiration_time": stamp(grant.expires),
    }


# --- changes of teams

VERBS = {"add_user": "CREATE", "update_user": "UPDATE", "delete_user": "DELETE"}
REQUIRED = ["This field is required."]
NO_TIME = [
    "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DD, "
    "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
]
EXPIRATIONS = {
    None: (None, None),
    "2099-01-31": (datetime(2099, 1, 31, tzinfo=timezone.utc), None),
    "2098-01-31T12:00:00.000001Z": (datetime(2098, 1, 31, 12, 0, 0, 1, tzinfo=timezone.utc), None),
    "2097-06-01T01:30+03:00": (datetime(2097, 5, 31, 22, 30, tzinfo=timezone.utc), None),
    "2020-01-01": (None, ["Expiration time should be greater than current time."]),
    "soon": (None, NO_TIME),
    "2099-02-30": (None, NO_TIME),
}


class Refused(Exception):
    def __init__(self, status, body):
        self.answer = (status, body)


def refuse(message):
    raise Refused(400, {"non_field_errors": [message]})


class Change:
    """One random request that changes a team."""

    def __init__(self, world, caller, rng):
        self.world = world
        self.caller = caller
        self.action = rng.choice(list(VERBS))
        self.scope = self.any_scope(rng)
        role, user = self.held(rng) if rng.random() < 0.5 else (self.any_role(rng), self.any_user(rng))
        self.body = {"role": role, "user": user, "expiration_time": rng.choice([None, None, *EXPIRATIONS])}
        for name, share in {"role": 0.03, "user": 0.03, "expiration_time": 0.3}.items():
            if rng.random() < share:
                del self.body[name]

    def any_scope(self, rng):
        own = [grant.scope for grant in self.world.active(self.caller.grants)]
        inside = [project for scope in own if scope.type == "customer" for project in scope.projects]
        removed = [project for project in self.world.projects if project.is_removed]
        choices = [own, own, own, inside, inside, self.world.customers, self.world.projects, removed]
        return rng.choice(rng.choice([choice for choice in choices if choice]))

    def any_role(self, rng):
        roles = list(self.world.roles.values())
        if rng.random() < 0.8:
            roles = [role for role in roles if role.type == self.scope.type]
        inactive = [role for role in roles if not role.is_active]
        role = rng.choice(inactive if inactive and rng.random() < 0.1 else roles)
        return rng.choice([role.name, role.name, role.uuid] if rng.random() < 0.97 else ["NO.ROLE", self.scope.uuid])

    def any_user(self, rng):
        strangers = [rng.choice(self.world.users).uuid] * 20
        return rng.choice([*strangers, *[self.caller.uuid] * 3, "x", self.scope.uuid])

    def held(self, rng):
        """Somebody and a role that he has here."""
        grants = self.world.active(self.scope.grants)
        if not grants:
            return self.any_role(rng), self.any_user(rng)
        grant = rng.choice(grants)
        return grant.role.name, grant.user.uuid

    def send(self):
        path = f"/api/{self.scope.type}s/{self.scope.uuid}/{self.action}/"
        return ask(self.world, self.caller, "POST", path, self.body)

    def __repr__(self):
        return f"{self.action} by {self.caller.username} in {self.scope.name}: {self.body}"

    # --- what the rules say

    def expected(self):
        """The status and body of the answer; done changes the model."""
        try:
            self.check_scope_is_seen()
            self.read_body()
            self.check_scope_is_open()
            self.check_right()
            return {"add_user": self.add, "update_user": self.update, "delete_user": self.delete}[self.action]()
        except Refused as refused:
            return refused.answer

    def check_scope_is_seen(self):
        if not self.world.sees_scope(self.caller, self.scope):
            raise Refused(*not_found(self.scope.type.title()))

    def read_body(self):
        problems = {}
        role, user = self.body.get("role"), self.body.get("user")
        self.role = next((r for r in self.world.roles.values() if role in (r.name, r.uuid)), None)
        self.user = next((u for u in self.world.users if u.uuid == user and u.is_active), None)
        self.expires, messages = EXPIRATIONS[self.body.get("expiration_time")]
        if self.role is None:
            problems["role"] = REQUIRED if role is None else ["Role is not found."]
        if self.user is None:
            problems["user"] = REQUIRED if user is None else ["Must be a valid UUID."]
            if user not in (None, "x"):
                problems["user"] = ["User is not found."]
        if messages:
            problems["expiration_time"] = messages
        if problems:
            raise Refused(400, problems)

    def check_scope_is_open(self):
        if self.scope.customer.blocked or self.scope.customer.archived:
            refuse("Customer is not available.")
        if self.scope.type == "project" and self.scope.is_removed:
            refuse("Cannot manage team members for terminated projects.")

    def check_right(self):
        permission = f"{self.scope.type.upper()}.{VERBS[self.action]}_PERMISSION"
        if self.world.holds(self.caller, permission, self.scope.customer):
            return
        if not self.world.holds(self.caller, permission, self.scope):
            raise Refused(403, FORBIDDEN)
        if self.user is self.caller:
            refuse("User can not manage own role.")

    def same(self):
        """The active grants of the role to the user in this scope, the one that lasts longest at the end."""
        never = datetime.max.replace(tzinfo=timezone.utc)
        grants = [g for g in self.world.active(self.scope.grants) if g.user is self.user and g.role is self.role]
        return sorted(grants, key=lambda g: (g.expires or never, g.id))

    def add(self):
        for grant in self.same():
            if grant.expires is None or (self.expires is not None and grant.expires >= self.expires):
                refuse("User has already the same role in this scope.")
        if self.role.type != self.scope.type:
            refuse("Role is not valid for this scope.")
        if not self.role.is_active:
            refuse("Role is not active.")
        return 201, {"expiration_time": stamp(self.expires)}

    def update(self):
        if not self.same():
            refuse("User has no such role in this scope.")
        return 200, {"expiration_time": stamp(self.expires)}

    def delete(self):
        return 200, None

    def done(self, status):
        """Changes the model as the service has changed its world."""
        if status == 201:
            self.world.read_grant(self.user, self.role, self.scope, by=self.caller)
        elif status == 200 and self.action == "update_user":
            self.same()[-1].expires = self.expires
        elif status == 200:
            for grant in self.same():
                grant.is_active = False
                grant.expires = self.world.end_of(grant)


def grants_in_database(world):
    """Each grant that counts: its uuid, user, scope, role, end and maker."""
    rows = world.sql(
        "SELECT HEX(g.uuid), g.user_id, COALESCE(g.customer_id, g.project_id), r.name,"
        " g.expiration_time, g.created_by FROM role_grants g JOIN roles r ON r.id = g.role_id"
        " WHERE g.is_active AND (g.expiration_time IS NULL OR g.expiration_time > UTC_TIMESTAMP(6))"
    )
    return {(row[0].lower(), *row[1:]) for row in rows}


def grants_in_model(world):
    return {
        (g.uuid.replace("-", ""), g.user.id, g.scope.id, g.role.name)
        + (g.expires and g.expires.replace(tzinfo=None), g.by and g.by.id)
        for g in world.active(world.grants)
    }


# Each of these is among the answers to the changes of the test.
ANSWERS = [
    *[f"{action} {status}" for action in VERBS for status in (403, 404)],
    "add_user 201",
    "update_user 200",
    "delete_user 200",
    "Role is not found.",
    "User is not found.",
    "Must be a valid UUID.",
    "This field is required.",
    "Datetime has wrong format.",
    "Expiration time should be greater than current time.",
    "Customer is not available.",
    "Cannot manage team members for terminated projects.",
    "User can not manage own role.",
    "User has already the same role in this scope.",
    "Role is not valid for this scope.",
    "Role is not active.",
    "User has no such role in this scope.",
]


# --- the tests


def test_the_world_is_as_the_api_makes_it(world):
    """Rows written by SQL have in every column what the API writes, but for what is each row's own."""
    own = {
        "users": "id uuid username slug slug_stem slug_number email first_name last_name full_name_folded"
        " agreement_date date_joined modified last_login password_changed is_active is_staff is_support",
        "customers": "id uuid name slug slug_stem slug_number created modified blocked archived",
        "projects": "id uuid name slug slug_stem slug_number customer_id created modified is_removed",
        "role_grants": "id uuid user_id role_id customer_id project_id created_by expiration_time created modified"
        " is_active version",
    }
    for table, but in own.items():
        columns = {name for (name, *_) in world.sql(f"SHOW COLUMNS FROM {table}")} - set(but.split())
        columns = ["1", *sorted(columns)]  # of a grant, there is nothing else so far
        made_by = [f"id {sign} 100000" for sign in ("<", ">=")]
        rows = [
            world.sql(f"SELECT DISTINCT {', '.join(columns)} FROM {table} WHERE {which}"
                      + (" AND username LIKE 'made%%'" if table == "users" and "<" in which else ""))
            for which in made_by
        ]  # fmt: skip
        assert len(rows[0]) == 1 and rows[0] == rows[1], table
    assert grants_in_database(world) == grants_in_model(world)


def test_thousands_of_questions(world):
    questions = []
    for caller in world.callers:
        asker = Asker(world, caller, 1)
        questions += [ask_for(asker) for ask_for, n in KINDS.items() for _ in range(n)]
    assert len(questions) > 3000
    random.Random(2).shuffle(questions)
    check_all(world, questions)


def test_changes_of_teams(world):
    rng = random.Random(3)
    callers = [*world.callers, *[caller for caller in world.callers if caller.is_staff] * 3]
    told = set()
    for _ in range(1000):
        change = Change(world, rng.choice(callers), rng)
        expected = change.expected()
        status, _, body = change.send()
        assert (repr(change), status, body) == (repr(change), *expected)
        change.done(status)
        told.add(json.dumps(body) if status == 400 else f"{change.action} {status}")
    missing = [answer for answer in ANSWERS if not any(answer in text for text in told)]
    assert missing == []
    assert grants_in_database(world) == grants_in_model(world)
    askers = [Asker(world, caller, 4) for caller in world.callers]
    kinds = (Asker.team, Asker.list_of_users, Asker.user_permissions)
    check_all(world, [kind(asker) for asker in askers for kind in kinds])


def test_a_regular_caller_scans_neither_users_nor_grants(world):
    """One statement for a page and its count; it begins with the caller's grants and goes on by keys."""
    callers = [caller for caller in world.callers if not caller.sees_all][:5]
    queries = ["", "page=2&page_size=10", "page=last", "o=full_name", "full_name=first1", "email=p0"]
    with logged(world.service):
        for caller in callers:
            for query in queries:
                path = f"/api/users/?{query}"
                sent = statements_of(world.service, lambda path=path: ask(world, caller, "GET", path))
                lists = [statement for statement in sent if "page_keys" in statement]
                assert (path, len(lists)) == (path, 1)
                scans = [
                    row
                    for row in plan(world.service, lists[0])
                    if row["type"] in ("ALL", "index") and row["table"] in ("u", "g", "m", "mp")
                ]
                assert (path, scans) == (path, [])


def test_permissions_of_a_hundred_users_take_no_statement_more(world):
    with logged(world.service):
        path = "/api/users/?page_size=100&page=2"
        sent = statements_of(world.service, lambda: ask(world, world.staff, "GET", path))
    assert len([statement for statement in sent if "role_grants" in statement]) == 1
