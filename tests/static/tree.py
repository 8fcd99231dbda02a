"""The files of the project, for the tests that read them."""

import pathlib
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]


def files(*patterns):
    """Paths below TOP that git knows or would add, as text, sorted."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    out = subprocess.run(command, cwd=TOP, check=True, capture_output=True, text=True).stdout
    return sorted(name for name in set(out.splitlines()) if (TOP / name).is_file())


def read(name):
    return (TOP / name).read_text(encoding="utf-8")
