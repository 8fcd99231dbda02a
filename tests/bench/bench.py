"""./dev bench: what the service gives, beside what its own server loop gives without a database.

Prints tables in Markdown. What is compared runs in turns (A B C A B C ...), and a figure is the median
of the rounds: so a noisy machine disturbs all of them alike. Exits with 1 when a bound is not kept.
"""

import contextlib
import functools
import itertools
import operator
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import Counter, namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

import images  # noqa: E402
import imports  # noqa: E402
import lists  # noqa: E402
import sync  # noqa: E402
import visibility  # noqa: E402
from service import BUILD, Service, eventually, free_port  # noqa: E402

WORKERS = 8
PEOPLE = 1000
SCOPES = 10
CONNECTIONS = (1, 16, 128)
ROUNDS = 5
SECONDS = 2
SYNC_SECONDS = 20

ME = "/api/users/me/"
LIST = "/api/users/?page_size=10"

# The slowest list is one of these; which, is found out by asking.
SLOW_LISTS = [
    "/api/users/?page_size=300",
    "/api/users/?page_size=300&page=last",
    "/api/users/?page_size=300&o=full_name",
    "/api/users/?page_size=300&o=-email&user_keyword=a",
    "/api/users/?page_size=300&page=last&o=full_name&user_keyword=e",
    "/api/users/?page_size=300&email=e&organization=e&native_name=e&job_title=e",
]
SLOW_CLIENTS = 3
SMALL_CLIENTS = 2

STATEMENTS_MAX = 2
BESIDE_MAX = 3  # times the p99 that the small request has alone
MEMORY_MAX = 8  # MiB
GROWTH_MAX = 0.5  # MiB
VISIBLE_MAX = 10  # times the p50 that a list has for staff

broken = []


def require(holds, what):
    if not holds:
        broken.append(what)


# --- tables ----------------------------------------------------------------------------------


def table(title, columns, rows):
    """Markdown that is a table to the eye, too."""
    lines = [columns] + [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines)]
    lines.insert(1, ["-" * width for width in widths])
    print(f"\n{title}\n")
    for line in lines:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |")
    sys.stdout.flush()


def ms(microseconds):
    return f"{microseconds / 1000:.2f}"


def mib(kib):
    return f"{kib / 1024:.2f}"


# --- load ------------------------------------------------------------------------------------

Load = namedtuple("Load", "requests rate p50 p99 failures")


def start_wrk(url, connections, seconds, token=None, mix=()):
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
    if token is not None:
        command += ["-H", f"Authorization: Token {token}"]
    command += ["-s", str(HERE / "load.lua"), url, "--", *mix]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def end_wrk(process):
    out = process.communicate()[0]
    found = re.search(r"^figures (\d+) (\d+) (\d+) (\d+) (\d+)$", out, re.MULTILINE)
    assert process.returncode == 0 and found, out
    requests, microseconds, p50, p99, failures = map(int, found.groups())
    return Load(requests, requests / microseconds * 1e6, p50, p99, failures)


def run_wrk(*args, **options):
    return end_wrk(start_wrk(*args, **options))


def in_turns(runs):
    """Calls the functions one after the other, ROUNDS times; their results by name."""
    results = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            results[name].append(run())
    return results


def median(loads, figure):
    return statistics.median(getattr(load, figure) for load in loads)


def factor(loads, others, figure):
    """The median of the quotients within one round."""
    return statistics.median(
        getattr(a, figure) / getattr(b, figure) for a, b in zip(loads, others)
    )


def failures(loads):
    return sum(load.failures for load in loads)


# --- what is measured ------------------------------------------------------------------------


class Hello:
    """The hello program behind nginx, which has the service's configuration but for paths and port."""

    def __init__(self, service, size):
        self.state = Path(tempfile.mkdtemp(prefix="roster-hello."))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/health/ready"
        for name in ("logs", "run", "nginx/tmp"):
            (self.state / name).mkdir(parents=True)
        for name in ("roster.conf", "nginx/nginx.conf", "nginx/site.conf", "nginx/upstreams.conf"):
            self.take(service, name)
        conf = self.state / "nginx" / "nginx.conf"
        log = self.state / "logs" / "nginx.log"
        self.processes = [
            self.start("hello", BUILD / "tests/bench/hello", self.state / "roster.conf", str(size)),
            self.start("nginx", "nginx", "-p", f"{conf.parent}/", "-c", conf, "-e", log),
        ]
        eventually(self.answers, what="hello's answer")

    def take(self, service, name):
        text = (service.state / name).read_text()
        text = text.replace(f"127.0.0.1:{service.port}", f"127.0.0.1:{self.port}")
        (self.state / name).write_text(text.replace(str(service.state), str(self.state)))

    def start(self, name, *command):
        with open(self.state / "logs" / f"{name}.log", "ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def answers(self):
        done = subprocess.run(["curl", "-fs", "-o", os.devnull, self.url])
        return done.returncode == 0

    def close(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait()
        shutil.rmtree(self.state)


def add_scopes(service):
    """Customers with a project each; where roles are granted, and which."""

    def made(path, body):
        answer = service.staff.post(path, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    scopes = []
    for n in range(SCOPES):
        customer = made("/api/customers/", {"name": f"Institute {n}"})
        body = {"name": f"Study {n}", "customer": customer["url"]}
        scopes.append((customer["url"], "CUSTOMER.MANAGER"))
        scopes.append((made("/api/projects/", body)["url"], "PROJECT.ADMIN"))
    return scopes


def add_people(service):
    """Accounts with as many fields filled as the many have, a picture and three roles."""
    scopes = add_scopes(service)
    picture = {"image": ("face.png", images.png(64, 64), "image/png")}

    def grant(user, scope, role):
        body = {"user": user["uuid"], "role": role}
        answer = service.staff.post(f"{scope}add_user/", json=body)
        assert answer.status_code == 201, answer.text

    def add(n):
        person = {
            "username": f"person{n:04}",
            "email": f"person{n:04}@example.org",
            "first_name": f"Jõgeva{n % 97}",
            "last_name": f"Ødegård-Meyer{n % 89}",
            "native_name": f"Юрий Петров {n % 83}",
            "job_title": f"Engineer, grade {n % 7}",
            "organization": f"Department of Example Studies {n % 13}",
            "phone_number": f"+372 555 {n:04}",
            "preferred_language": "et",
        }
        answer = service.staff.post("/api/users/", data=person, files=picture)
        assert answer.status_code == 201, answer.text
        for k in range(3):
            grant(answer.json(), *scopes[(n + k) % len(scopes)])
        return answer.json()

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(add, range(PEOPLE)))


def ask(service, path):
    answer = service.staff.get(path)
    assert answer.status_code == 200, answer.text
    return answer


def log_line(service, path):
    return service.request_line(ask(service, path).headers["X-Request-ID"])


def bench_statements(service, people):
    paths = {
        "me": ME,
        "retrieve": f"/api/users/{people[0]['uuid']}/",
        "list, page_size=1": "/api/users/?page_size=1",
        "list, page_size=10": LIST,
        "list, page_size=300": "/api/users/?page_size=300",
        "list, page=last": "/api/users/?page=last",
    }
    statements = {name: log_line(service, path)["db"] for name, path in paths.items()}
    table("Statements for one request", ["request", "statements"], statements.items())
    for name, n in statements.items():
        require(n <= STATEMENTS_MAX, f"{name}: {n} statements, not {STATEMENTS_MAX}")


def start_hello(service):
    """The ceiling, with answers of the size that me has; to be closed."""
    return contextlib.closing(Hello(service, len(ask(service, ME).content)))


def bench_speed(service, people):
    with start_hello(service) as hello:
        results = in_turns(speed_runs(service, hello))
    rows = [
        [
            connections,
            name,
            f"{median(loads, 'rate'):,.0f}",
            f"{factor(loads, results[connections, 'hello'], 'rate'):.2f}",
            ms(median(loads, "p50")),
            ms(median(loads, "p99")),
            failures(loads),
        ]
        for (connections, name), loads in results.items()
    ]
    columns = ["connections", "request", "requests/s", "of hello", "p50 ms", "p99 ms", "failed"]
    table(f"Requests a second, {WORKERS} workers, {PEOPLE:,} accounts", columns, rows)
    for (connections, name), loads in results.items():
        n = failures(loads)
        require(n == 0, f"{name} at {connections} connections: {n} requests failed")


def speed_runs(service, hello):
    """By connections and name of the request."""
    token = service.staff.token
    requests = {
        "hello": (hello.url, None),
        "me": (service.url + ME, token),
        "list of 10": (service.url + LIST, token),
    }
    return {
        (n, name): functools.partial(run_wrk, url, n, SECONDS, key)
        for n in CONNECTIONS
        for name, (url, key) in requests.items()
    }


def slowest_list(service):
    def microseconds(path):
        return statistics.median(log_line(service, path)["us"] for _ in range(5))

    return max(SLOW_LISTS, key=microseconds)


def bench_beside(service, people):
    """A small request beside slow ones; and hello, which shares nothing with those but the machine."""
    slowest = slowest_list(service)
    token = service.staff.token
    slow_loads = []

    def beside(small):
        slow = start_wrk(service.url + slowest, SLOW_CLIENTS, SECONDS + 1, token)
        load = small()
        slow_loads.append(end_wrk(slow))
        return load

    with start_hello(service) as hello:
        me = functools.partial(run_wrk, service.url + ME, SMALL_CLIENTS, SECONDS, token)
        greet = functools.partial(run_wrk, hello.url, SMALL_CLIENTS, SECONDS)
        results = in_turns(
            {
                "me, alone": me,
                "me, beside": functools.partial(beside, me),
                "hello, alone": greet,
                "hello, beside": functools.partial(beside, greet),
            }
        )
    me_factor = factor(results["me, beside"], results["me, alone"], "p99")
    hello_factor = factor(results["hello, beside"], results["hello, alone"], "p99")
    results["the slow list"] = slow_loads
    rows = [
        [
            name,
            SLOW_CLIENTS if loads is slow_loads else SMALL_CLIENTS,
            f"{median(loads, 'rate'):,.0f}",
            ms(median(loads, "p50")),
            ms(median(loads, "p99")),
            failures(loads),
        ]
        for name, loads in results.items()
    ]
    columns = ["request", "clients", "requests/s", "p50 ms", "p99 ms", "failed"]
    table(f"Small requests beside slow ones ({slowest}), {WORKERS} workers", columns, rows)
    print(f"\np99 beside the slow list, of that alone: me {me_factor:.2f}, hello {hello_factor:.2f}")
    require(me_factor <= BESIDE_MAX, f"p99 of me beside the slow list: {me_factor:.2f} of that alone")
    for name, loads in results.items():
        require(failures(loads) == 0, f"{name}: {failures(loads)} requests failed")


class Served:
    """Counts what each worker has served, by the log's lines."""

    line = re.compile(rb'"pid":(\d+),"process":"api \d+".*"message":"request"')

    def __init__(self, service):
        self.log = open(service.log_file, "rb")
        self.counts = Counter()

    def least(self):
        self.counts.update(int(pid) for pid in self.line.findall(self.log.read()))
        return min(self.counts.values(), default=0)


def private_kib(pid):
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(map(int, re.findall(r"^Private_(?:Clean|Dirty): +(\d+)", rollup, re.MULTILINE)))


def bench_memory(service, people):
    one = f"GET:/api/users/{people[0]['uuid']}/"
    small = [f"GET:{ME}", one, f"GET:{LIST}", f"HEAD:{LIST}", "GET:/api/users/?page=last"] * 10
    mix = small + [f"GET:{path}" for path in SLOW_LISTS[:1]]
    served = Served(service)
    kib = {}
    failed = 0
    for least in (10_000, 100_000):
        while served.least() < least:
            failed += run_wrk(service.url, 16, 1, service.staff.token, mix).failures
        kib[least] = {pid: private_kib(pid) for pid in served.counts}
    before, after = kib.values()
    rows = [[f"api {n}", mib(before[pid]), mib(after[pid])] for n, pid in enumerate(sorted(after))]
    table("Private memory, MiB", ["worker", *(f"after {n:,} requests" for n in kib)], rows)
    require(failed == 0, f"memory: {failed} requests failed")
    for pid in after:
        require(after[pid] <= MEMORY_MAX * 1024, f"a worker has {mib(after[pid])} MiB")
        growth = after[pid] - before[pid]
        require(growth <= GROWTH_MAX * 1024, f"a worker has grown by {mib(growth)} MiB")


def bench_lists(service, people):
    lists.fill(service)
    rows = [
        [name, page, f"{count:,}", ms(p50), ms(p99), plan]
        for name, page, count, p50, p99, plan in lists.rows(service)
    ]
    columns = ["list", "page", "found", "p50 ms", "p99 ms", "EXPLAIN"]
    table(f"Lists of 10 of {lists.PEOPLE:,} accounts", columns, rows)
    rows = [[name, ms(p50), ms(p99)] for name, p50, p99 in lists.deep_rows(service)]
    table("Deep pages of that", ["page", "p50 ms", "p99 ms"], rows)


def bench_organizations(service, people):
    visibility.fill(service)
    rows = list(visibility.rows(service))
    columns = ["list", "caller", "found", "statements", "p50 ms", "p99 ms"]
    table(
        f"{lists.PEOPLE:,} accounts, {visibility.CUSTOMERS:,} customers, {visibility.PROJECTS:,} projects,"
        f" {visibility.GRANTS:,} grants",
        columns,
        [[name, who, f"{count:,}", n, ms(p50), ms(p99)] for name, who, count, n, p50, p99 in rows],
    )
    p50_of = {(name, who): p50 for name, who, _, _, p50, _ in rows}
    for name, who, _, statements, p50, _ in rows:
        require(statements == 1, f"{name} for {who}: {statements} statements")
        times = p50 / p50_of[name, "staff"]
        require(times <= VISIBLE_MAX, f"{name} for {who} takes {times:.1f} times as long as for staff")


def bench_import(service, people):
    table(
        f"Files of {imports.PEOPLE:,} accounts",
        ["what", "accounts/s", "of INSERT ... SELECT", "peak MiB"],
        [
            [name, f"{rate:,.0f}", f"{share:.2f}" if share else "", mib(peak) if peak else ""]
            for name, rate, share, peak in imports.rows(service)
        ],
    )


def bench_sync(service, people):
    sync.fill(service)
    me = functools.partial(run_wrk, service.url + ME, SMALL_CLIENTS, SYNC_SECONDS, service.staff.token)
    rows = list(sync.rows(service, me, private_kib))
    table(
        f"{sync.PEOPLE:,} users compared with a provider that takes {sync.ANSWER * 1000:.0f} ms an answer,"
        f" and {SMALL_CLIENTS} clients of me, {WORKERS} workers",
        ["in flight", "users/s", "of possible", "compared", "MiB before", "after", "me p99 ms, alone", "beside", "failed"],
        [
            [
                row.in_flight,
                f"{row.rate:.1f}",
                f"{row.rate * sync.ANSWER / row.in_flight:.2f}",
                f"{row.compared:,}",
                mib(row.before),
                mib(row.after),
                ms(row.alone.p99),
                ms(row.beside.p99),
                row.alone.failures + row.beside.failures,
            ]
            for row in rows
        ],
    )
    for row in rows:
        n = row.alone.failures + row.beside.failures
        require(n == 0, f"me beside the sync: {n} requests failed")
        growth = row.after - row.before
        require(growth <= GROWTH_MAX * 1024, f"the sync process has grown by {mib(growth)} MiB")


# The workers that a part wants. Few for the memory, or the requests to each would take too long.
PARTS = {
    "statements": (WORKERS, bench_statements),
    "speed": (WORKERS, bench_speed),
    "beside": (WORKERS, bench_beside),
    "memory": (2, bench_memory),
    "lists": (1, bench_lists),
    "organizations": (2, bench_organizations),
    "import": (1, bench_import),
    "sync": (WORKERS, bench_sync),
}


def main(names):
    parts = [PARTS[name] for name in names or PARTS]
    for workers, group in itertools.groupby(parts, key=operator.itemgetter(0)):
        service = Service(workers=workers)
        try:
            people = add_people(service)
            for _, bench in group:
                bench(service, people)
        finally:
            service.close()
    for what in broken:
        print(f"not kept: {what}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
