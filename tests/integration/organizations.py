"""What the tests of organisations share: a customer with projects and people in all places."""

from datetime import datetime, timedelta, timezone

from service import Client, unique


def soon(**delta):
    return (datetime.now(timezone.utc) + timedelta(**delta)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class World:
    """A customer with two projects and people in all places."""

    def __init__(self, service):
        self.service = service
        self.staff = service.staff
        self.customer = self.made("/api/customers/", name=unique("Customer"))
        self.project = self.made("/api/projects/", name=unique("Project"), customer=self.customer["url"])
        self.sibling = self.made("/api/projects/", name=unique("Sibling"), customer=self.customer["url"])
        self.owner = self.person(self.customer, "customers", "CUSTOMER.OWNER")
        self.manager = self.person(self.project, "projects", "PROJECT.MANAGER")
        self.member = self.person(self.project, "projects", "PROJECT.MEMBER")
        self.neighbour = self.person(self.sibling, "projects", "PROJECT.MEMBER")
        self.stranger = service.account(first_name="Stranger")

    def made(self, path, **body):
        answer = self.staff.post(path, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def person(self, scope, kind, role):
        client = self.service.account(first_name=role)
        answer = self.team(self.staff, scope, kind, "add_user", role, client)
        assert answer.status_code == 201, answer.text
        return client

    def team(self, caller, scope, kind, action, role, target, **more):
        user = target.user["uuid"] if isinstance(target, Client) else target
        path = f"/api/{kind}/{scope['uuid']}/{action}/"
        return caller.post(path, json={"role": role, "user": user, **more})


def names(answer, key="username"):
    assert answer.status_code == 200, answer.text
    return {item[key] for item in answer.json()}


def usernames(*clients):
    return {client.user["username"] for client in clients}
