"""What is listed by hand agrees with what is there, and nothing of one machine is in the tree."""

import re

from tree import files, read

# The owners of memory that is not a request's; see base/banned.h.
MEMORY_OWNERS = {
    "src/base/arena.c",
    "src/ctl/call.c",
    "src/db/conn.c",
    "src/db/stmt.c",
    "src/server/children.c",
    "src/server/fcgi.c",
    "src/server/master.c",
    "src/server/shm.c",
    "src/server/worker.c",
}


def listed(pattern):
    return set(re.findall(pattern, read("Makefile.am"), re.MULTILINE))


def test_every_source_is_in_the_makefile():
    sources = set(files("src/*.c", "src/*.h", "sql/*.sql"))
    assert sources == listed(r"\b((?:src|sql)/[\w./-]+\.(?:c|h|sql))\b") - {"src/db/migrations.c"}


def test_every_unit_test_is_in_the_makefile():
    programs = {name.removesuffix(".c") for name in files("tests/unit/test_*.c")}
    assert programs == listed(r"^\t(tests/unit/test_\w+)")


def test_every_library_is_a_build_dependency():
    named = set(re.findall(r"\[(lib[\w.+-]+-dev)\]", read("configure.ac")))
    assert named and named <= set(re.findall(r"^ ([\w.+-]+)", read("debian/control"), re.MULTILINE))


def test_only_owners_of_memory_allocate():
    owners = {name for name in files("src/*.c") if re.search(r"^#define ROSTER_OWNS_MEMORY", read(name), re.MULTILINE)}
    assert owners == MEMORY_OWNERS


def test_no_path_of_one_machine():
    machine = re.compile("|".join(["/" + "work/", "/" + "root/", "/" + r"home/\w"]))
    guilty = [name for name in files() if machine.search(read_any(name))]
    assert not guilty


def read_any(name):
    try:
        return read(name)
    except UnicodeDecodeError:
        return ""
