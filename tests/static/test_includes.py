"""The direction of includes: a folder includes itself and what LEVELS and BESIDE allow, nothing above."""

import re

import pytest

from tree import files, read

# From the bottom up. A folder includes folders on lower lines.
LEVELS = [
    {"base"},
    {"config", "crypto", "db", "image", "json"},
    {"http"},
    {"resource", "server"},
    {"audit", "idempotency", "mail"},
    {"access", "auth"},
    {"agreements", "customers", "identity", "keys", "projects", "users"},
    {"ops"},
    {".", "ctl"},  # app.c, rosterd.c, rosterctl.c and its commands
]

# On its own line a folder includes only what is named here.
BESIDE = {
    ".": {"ctl"},
    "ctl": {"."},
    "db": {"config"},
    "auth": {"access"},
    "customers": {"users"},
    "identity": {"keys", "users"},
    "keys": {"users"},
    "projects": {"users"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
SOURCES = files("src/*.c", "src/*.h")


def folder(path):
    return path.split("/")[0] if "/" in path else "."


def level(name):
    found = [n for n, folders in enumerate(LEVELS) if name in folders]
    assert found, f"src/{name} has no place in LEVELS"
    return found[0]


def allowed(above, below):
    return above == below or level(below) < level(above) or below in BESIDE.get(above, ())


@pytest.mark.parametrize("source", SOURCES)
def test_includes_go_downwards(source):
    own = folder(source.removeprefix("src/"))
    upward = [path for path in INCLUDE.findall(read(source)) if not allowed(own, folder(path))]
    assert not upward


@pytest.mark.parametrize("source", SOURCES)
def test_internal_headers_stay_inside(source):
    own = folder(source.removeprefix("src/"))
    foreign = [path for path in INCLUDE.findall(read(source)) if path.endswith("_int.h") and folder(path) != own]
    assert not foreign


@pytest.mark.parametrize("source", [name for name in SOURCES if name.endswith(".c")])
def test_base_is_the_first_include(source):
    first = re.search(r"^\s*#\s*include\s+(\S+)", read(source), re.MULTILINE)
    assert first and first.group(1) == '"base/base.h"'
