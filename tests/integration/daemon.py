"""rosterd and nginx alone, in a database of their own on another instance's server: quick to start, configure and break."""

import getpass
import os
import subprocess
import tempfile
from pathlib import Path

import pymysql

from service import BUILD, TOP, Service, free_port, unique

# What ./dev does for an instance, a function a step.
STEPS = """
set -euo pipefail
say() { printf '%s\\n' "$*" >&2; }
fail() { say "dev: $*"; exit 1; }
PATH=$PATH:/usr/sbin:/sbin
. "$top/dev.d/build.sh"
. "$top/dev.d/service.sh"
stop_rosterd() { stop rosterd TERM 60; }
launch_rosterd() { start rosterd "$build/rosterd" --config "$state/roster.conf"; }
base_url=http://127.0.0.1:$port
prepare_state
trap stop_all EXIT
for step in $steps; do $step; done
trap - EXIT
"""


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
        self.host.sql(f"CREATE DATABASE {self.database} CHARACTER SET utf8mb4")
        self.host.sql(f"GRANT ALL ON {self.database}.* TO roster@localhost")
        options = (self.host.state / "roster.cnf").read_text()
        file = self.state / "roster.cnf"
        file.touch(0o600)
        file.write_text(options.replace("database=roster", f"database={self.database}"))

    def configure(self, config):
        """Lines of roster.conf besides those of ./dev; rosterd reads them at its next start."""
        (self.state / "roster.local").write_text(config)

    def run(self, *steps, check=True):
        done = subprocess.run(
            ["bash", "-c", STEPS],
            env=dict(
                os.environ,
                **self.environment,
                ROSTER_BUILD=str(BUILD),
                top=str(TOP),
                state=str(self.state),
                port=str(self.port),
                workers=str(self.workers),
                smtp_port=str(free_port()),  # nobody takes its mail
                steps=" ".join(steps),
            ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0 or not check, done.stdout
        return done

    def up(self):
        self.run("start_rosterd", "start_nginx", "wait_for_answer", "write_env")
        self.read_env()

    def down(self):
        self.run("stop_all")

    def close(self):
        try:
            super().close()
        finally:
            self.host.sql(f"DROP DATABASE {self.database}")

    def sql(self, statement, *values):
        connection = pymysql.connect(
            unix_socket=self.host.env["DB_SOCKET"],
            user=getpass.getuser(),
            database=self.database,
            autocommit=True,
        )
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall()
        finally:
            connection.close()
