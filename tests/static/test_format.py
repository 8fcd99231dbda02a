"""clang-format has nothing to change."""

import subprocess

import pytest

from tree import TOP, files


@pytest.mark.parametrize("source", files("src/*.[ch]", "tests/*.[ch]"))
def test_layout(source):
    command = ["clang-format-14", "--dry-run", "-Werror", source]
    result = subprocess.run(command, cwd=TOP, capture_output=True, text=True)
    assert result.returncode == 0, "run `make format`\n" + result.stderr
