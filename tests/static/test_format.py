"""clang-format has nothing to change."""

import subprocess

from tree import TOP, files


def test_layout():
    command = ["clang-format-14", "--dry-run", "-Werror", *files("src/*.[ch]", "tests/*.[ch]")]
    result = subprocess.run(command, cwd=TOP, capture_output=True, text=True)
    assert result.returncode == 0, "run `make format`\n" + result.stderr
