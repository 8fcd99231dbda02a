"""The systemd unit says what it restricts, and restricts enough."""

import re
import shutil
import subprocess

from tree import TOP

UNIT = TOP / "debian/roster.rosterd.service"


def test_unit_is_hardened(tmp_path):
    """Exposure of at most 1.5 of 10, as systemd counts it."""
    shutil.copy(UNIT, tmp_path / "rosterd.service")
    analysis = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=15", tmp_path / "rosterd.service"],
        capture_output=True, text=True)
    assert analysis.returncode == 0, analysis.stdout


def test_restrictions_say_what_they_break():
    """Each group of lines below [Service] that takes something away has a comment above it."""
    block, missing = "", []
    restrictions = UNIT.read_text().split("What follows takes away", 1)[1].split("[Install]")[0].splitlines()[1:]
    for line in restrictions:
        if line.startswith("#"):
            block = line
        elif not line:
            block = ""
        elif not block:
            missing.append(line)
    assert not missing


def calls_of(name, sets):
    """The system calls of a name in SystemCallFilter=: a set, which may name others, or a call."""
    if not name.startswith("@"):
        return {name}
    return set().union(*(calls_of(member, sets) for member in sets[name]))


def test_the_unit_leaves_the_calls_that_the_program_leaves_itself():
    """On machines of each kind: what seccomp.c names and the unit does not let through would fail there."""
    listed = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], capture_output=True, text=True, check=True)
    sets = {
        name: re.findall(r"^    (@?\w[\w-]*)$", members, re.M)
        for name, members in re.findall(r"^(@[\w-]+)\n((?:    .*\n)+)", listed.stdout, re.M)
    }
    left = calls_of("@default", sets)
    for words in re.findall(r"^SystemCallFilter=(.+)$", UNIT.read_text(), re.M):
        calls = set().union(*(calls_of(word, sets) for word in words.lstrip("~").split()))
        left = left - calls if words.startswith("~") else left | calls
    needed = set(re.findall(r"SCMP_SYS\((\w+)\), (?:EVERY|CONFINED)", (TOP / "src/server/seccomp.c").read_text()))
    assert len(needed) > 100
    assert needed - left == set()


def test_no_line_of_the_log_is_dropped():
    """operating.md promises one for each request."""
    assert "LogRateLimitIntervalSec=0" in UNIT.read_text().splitlines()
