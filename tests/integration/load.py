"""Requests from several threads while a test does something to the service."""

import threading

from service import Client


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
