"""rosterd and nginx alone, in a database of their own on another instance's server: quick to start, configure and break."""

import shutil
import tempfile
from pathlib import Path

from service import Service, free_port, unique


class Daemon(Service):
    """Another rosterd beside the one of host, with its own database, nginx and log."""

    def __init__(self, host, workers=2, config="", environment=None):
        self.host = host
        self.environment = environment or {}
        self.database = unique("roster").replace("-", "_")
        self.state = Path(tempfile.mkdtemp(prefix="roster-daemon."))
        self.port = free_port()
        self.workers = workers
        self.expected = []
        self.seen = 0
        self.make_database()
        self.configure(config)
        self.up()

    def make_database(self):
        self.host.add_database(self.database, self.state / "roster.cnf")

    def configure(self, config):
        """Lines of roster.conf besides those of ./dev; rosterd reads them at its next start."""
        (self.state / "roster.local").write_text(config)

    def up(self):
        self.run("start_rosterd", "start_nginx", "wait_for_answer", "write_env")
        self.read_env()
        self.settle()

    def down(self):
        self.run("stop_all")

    def close(self):
        try:
            super().close()
        finally:
            self.host.sql(f"DROP DATABASE {self.database}")

    @property
    def database_socket(self):
        return self.host.database_socket


class Sibling(Daemon):
    """Another host of a Daemon's service: its database and keys, with everything else of its own."""

    def __init__(self, first, **options):
        self.first = first
        super().__init__(first.host, **options)

    def make_database(self):
        self.database = self.first.database
        for name in ("roster.cnf", "keys", "staff-password"):
            shutil.copy(self.first.state / name, self.state)

    def close(self):
        Service.close(self)
