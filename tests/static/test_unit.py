"""The systemd unit says what it restricts, and restricts enough."""

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
