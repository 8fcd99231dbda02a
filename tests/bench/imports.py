"""For bench.py: accounts a second that rosterctl imports and exports, and the memory that it takes for it."""

import contextlib
import csv
import io
import json
import statistics
import subprocess
import time
from pathlib import Path

from service import BUILD, unique

PEOPLE = 20_000  # of one file
MANY = 200_000  # that are there before
ROUNDS = 5

# bcrypt's example: as long as a hash is.
HASH = "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"


def objects(tag, hashed, people=PEOPLE):
    for n in range(people):
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


def run(config, *words):
    """Seconds, and the most memory in KiB that the process had."""
    command = [BUILD / "rosterctl", "--config", config, *words]
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


@contextlib.contextmanager
def database(service):
    """A database of its own, with the schema and without accounts: what rosterctl finds it by, and its name."""
    name = unique("bench").replace("-", "_")
    options, config = service.state / f"{name}.cnf", service.state / f"{name}.conf"
    service.add_database(name, options)
    config.write_text((service.state / "roster.conf").read_text().replace("roster.cnf", options.name))
    try:
        run(config, "migrate")
        yield config, name
    finally:
        service.sql(f"DROP DATABASE {name}")


def import_file(config, form, hashed, tag, people=PEOPLE):
    """Accounts a second, and KiB."""
    path = config.with_suffix(f".{form}")
    path.write_text(WRITERS[form](objects(tag, hashed, people)))
    seconds, peak = run(config, "user", "import", path)
    path.unlink()
    return people / seconds, peak


def copy(service, name):
    """Accounts a second when the server itself puts the rows of an import into tables like theirs."""
    with service.connect(autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute(f"USE {name}")
        statements = []
        for table in ("users", "audit_events", "tokens"):
            cursor.execute(f"CREATE TABLE {table}_copy LIKE {table}")
            cursor.execute(
                "SELECT GROUP_CONCAT(column_name) FROM information_schema.columns"
                " WHERE table_schema = %s AND table_name = %s AND generation_expression IS NULL",
                (name, table),
            )
            columns = cursor.fetchone()[0]
            statements.append(f"INSERT INTO {table}_copy ({columns}) SELECT {columns} FROM {table}")
        cursor.execute("SET check_constraint_checks = 0")
        began = time.monotonic()
        for statement in statements:
            cursor.execute(statement)
        connection.commit()
        return PEOPLE / (time.monotonic() - began)


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
    """What was done, accounts a second, the quotient with the copies of the same rounds, KiB. The rounds run in turns."""
    with as_installed(service):
        yield from into_none(service)
        yield from into_many(service)


def title(form, hashed):
    return f"import of {NAMES[form]}{', with hashes' if hashed else ''}"


def into_none(service):
    shapes = [(form, hashed) for form in WRITERS for hashed in (False, True)]
    done = {shape: [] for shape in shapes}
    copies = []
    for _ in range(ROUNDS):
        for form, hashed in shapes:
            with database(service) as (config, name):
                done[form, hashed].append(import_file(config, form, hashed, "some"))
                if (form, hashed) == shapes[0]:
                    copies.append(copy(service, name))
    for shape, results in done.items():
        yield summary(title(*shape), results, copies)
    yield "INSERT ... SELECT of the same rows", statistics.median(copies), 1, None


def into_many(service):
    imports, exports = [], {form: [] for form in WRITERS}
    with database(service) as (config, _):
        import_file(config, "csv", False, "many", MANY)
        for number in range(ROUNDS):
            imports.append(import_file(config, "csv", False, f"more{number}"))
            for form in WRITERS:
                seconds, peak = run(config, "user", "export", "--format", form)
                exports[form].append(((MANY + (number + 1) * PEOPLE) / seconds, peak))
    yield summary(f"{title('csv', False)}, beside {MANY:,} accounts and more", imports)
    for form, results in exports.items():
        yield summary(f"export as {NAMES[form]}", results)


def summary(name, results, copies=None):
    rates = [rate for rate, _ in results]
    share = copies and statistics.median(rate / copied for rate, copied in zip(rates, copies))
    return name, statistics.median(rates), share, max(peak for _, peak in results)
