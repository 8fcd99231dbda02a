"""For bench.py: accounts a second that rosterctl imports and exports, and the memory that it takes for it."""

import contextlib
import csv
import io
import json
import statistics
import subprocess
import time
from pathlib import Path

from service import BUILD

PEOPLE = 20_000  # of one file
ROUNDS = 3

# bcrypt's example: as long as a hash is.
HASH = "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"


def objects(tag, hashed):
    for n in range(PEOPLE):
        yield {
            "username": f"{tag}-{n}",
            "email": f"{tag}-{n}@example.org",
            "first_name": f"Jõgeva{n % 97}",
            "last_name": f"Ødegård-Meyer{n % 8999}",
            "organization": f"Department of Example Studies {n % 13}",
            "job_title": f"Engineer, grade {n % 7}",
            **({"password": HASH} if hashed else {}),
        }


def csv_table(rows):
    rows = list(rows)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def json_lines(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


WRITERS = {"csv": csv_table, "jsonl": json_lines}
NAMES = {"csv": "CSV", "jsonl": "JSON Lines"}


def run(service, *words):
    """Seconds, and the most memory in KiB that the process had."""
    command = [BUILD / "rosterctl", "--config", service.state / "roster.conf", "user", *words]
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    status = Path(f"/proc/{process.pid}/status")
    peak = 0
    while process.poll() is None:
        peak = max([peak, *(int(line.split()[1]) for line in status.read_text().splitlines() if "VmHWM" in line)])
        time.sleep(0.005)
    seconds = time.monotonic() - began
    assert process.returncode == 0, command
    return seconds, peak


def import_once(service, form, hashed, number):
    path = service.state / f"bench.{form}"
    path.write_text(WRITERS[form](objects(f"{form}{hashed:d}{number}", hashed)))
    seconds, peak = run(service, "import", path)
    return PEOPLE / seconds, peak


def export_once(service, form):
    count = service.sql("SELECT COUNT(*) FROM users")[0][0]
    seconds, peak = run(service, "export", "--format", form)
    return count / seconds, peak


@contextlib.contextmanager
def as_installed(service):
    """MariaDB has the memory and the log that Debian's package gives it, and not those of ./dev up."""
    megabytes = {"innodb_buffer_pool_size": 128, "innodb_log_file_size": 96}
    kept = {name: service.sql(f"SELECT @@{name}")[0][0] for name in megabytes}
    for name, value in megabytes.items():
        service.sql(f"SET GLOBAL {name} = {value * 1024 * 1024}")
    yield
    for name, value in kept.items():
        service.sql(f"SET GLOBAL {name} = {value}")


def rows(service):
    """What was done, accounts a second, KiB. The rounds run in turns."""
    with as_installed(service):
        yield from measure(service)


def measure(service):
    shapes = [(form, hashed) for form in WRITERS for hashed in (False, True)]
    done = {}
    for number in range(ROUNDS):
        for form, hashed in shapes:
            name = f"import of {NAMES[form]}{', with hashes' if hashed else ''}"
            done.setdefault(name, []).append(import_once(service, form, hashed, number))
    for _ in range(ROUNDS):
        for form in WRITERS:
            done.setdefault(f"export as {NAMES[form]}", []).append(export_once(service, form))
    for name, results in done.items():
        yield name, statistics.median(rate for rate, _ in results), max(peak for _, peak in results)
