"""Requests from several threads while a test does something to the service."""

import threading

from service import Client, unique


class Load:
    """
    Threads that each call work(client) again and again until the with block is left. A call's value is
    kept in results, an exception in failures.
    """

    def __init__(self, service, *works, token=None):
        self.results = []
        self.failures = []
        self.over = threading.Event()
        self.threads = [
            threading.Thread(target=self.run, args=(work, Client(service, token or service.staff.token)))
            for work in works
        ]

    def run(self, work, client):
        while not self.over.is_set():
            try:
                self.results.append(work(client))
            except Exception as e:
                self.failures.append(e)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


def create(client):
    """Creates an account; its name and the status."""
    username = unique("u")
    answer = client.post("/api/users/", json={"username": username, "email": f"{username}@example.org"})
    if answer.status_code == 201:
        assert answer.json()["username"] == username
    return username, answer.status_code


def read(client):
    """Reads the own account; no name, and the status."""
    answer = client.get("/api/users/me/")
    if answer.status_code == 200:
        assert answer.json()["username"] == "staff"
    return None, answer.status_code


def rows(daemon):
    """The names of all accounts."""
    return {name for (name,) in daemon.sql("SELECT username FROM users")}


def check_nothing_lost(daemon, load):
    """All requests of a load were answered well, and what was created is there."""
    assert load.failures == []
    assert {status for _, status in load.results} == {200, 201}
    assert {name for name, status in load.results if status == 201} <= rows(daemon)
