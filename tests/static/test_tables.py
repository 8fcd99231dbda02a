"""The tables of fields against the migrations: each column is there, of the field's kind and length."""

import re
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]

KINDS = {
    "KIND_TEXT": r"(VAR)?CHAR\(\d+\)|(MEDIUM|LONG)?TEXT|ENUM",
    "KIND_BOOL": r"BOOLEAN",
    "KIND_INT": r"BIGINT|INT",
    "KIND_MAYBE": r"BIGINT|INT",
    "KIND_UUID": r"BINARY\(16\)",
    "KIND_BYTES": r"(VAR)?BINARY\(\d+\)|BLOB",
    "KIND_STAMP": r"DATETIME\(6\)",
    "KIND_DATE": r"DATE",
    "KIND_JSON": r"JSON|LONGTEXT",
}


TABLE = re.compile(r'\.table = "(?:[^"]* )?(\w+)"')


def columns():
    """Type of each column, by table and column, after all migrations."""
    found = {}
    for file in sorted((TOP / "sql").glob("*.sql")):
        text = re.sub(r"--.*", "", file.read_text())
        for table, body in re.findall(r"CREATE TABLE (\w+) \(\n(.*?)\n\)", text, re.S):
            for line in re.findall(r"^\t([a-z]\w*) ([A-Z]+(?:\(\d+\))?)", body, re.M):
                found[table, line[0]] = line[1]
        for table, body in re.findall(r"ALTER TABLE (\w+)(.*?);", text, re.S):
            for column, kind in re.findall(r"ADD COLUMN (\w+) ([A-Z]+(?:\(\d+\))?)", body):
                found[table, column] = kind
    return found


def fields():
    """File, table and row of each field that is a column."""
    for file in sorted((TOP / "src").glob("*/*.c")):
        source = file.read_text()
        arrays = {
            name: body
            for name, body in re.findall(
                r"^(?:static )?const struct field (\w+)\[\] = \{\n(.*?)^\};", source, re.M | re.S
            )
        }
        for resource in re.findall(r"^(?:static )?const struct resource \w+ = \{\n(.*?)^\};", source, re.M | re.S):
            # A macro of the file may say it for several resources; the rows' own table is the last word.
            table = (TABLE.search(resource) or TABLE.search(source)).group(1)
            array = re.search(r"\.fields = (\w+)", resource).group(1)
            for row in re.split(r"^\t\{", arrays[array], flags=re.M)[1:]:
                if column := re.search(r'\.column = "(\w+)"', row):
                    yield file.relative_to(TOP), table, column.group(1), row


COLUMNS = columns()
FIELDS = list(fields())


def test_tables_are_found():
    assert {"users", "customers", "projects", "roles", "ssh_keys"} <= {table for _, table, _, _ in FIELDS}


@pytest.mark.parametrize("file, table, column, row", FIELDS, ids=[f"{t}.{c}" for _, t, c, _ in FIELDS])
def test_a_field_is_its_column(file, table, column, row):
    kind = re.search(r"\.kind = (KIND_\w+)", row).group(1)
    column_type = COLUMNS[table, column]
    assert re.fullmatch(KINDS[kind], column_type), f"{file}: {table}.{column} is {column_type}"
    longest = re.search(r"\.max = (\d+)", row)
    room = re.fullmatch(r"VARCHAR\((\d+)\)", column_type)
    if kind == "KIND_TEXT" and longest and room:
        assert longest.group(1) == room.group(1), f"{file}: {table}.{column} has room for {room.group(1)}"


def test_letters_of_options_are_used_once():
    """rosterctl's commands name their options by letters: each is one option's, known, and named once in a command."""
    source = (TOP / "src/rosterctl.c").read_text()
    letters = re.findall(r"OPTION\('(.)',", source)
    assert len(letters) > 40 and len(set(letters)) == len(letters)
    names = re.findall(r'OPTION\(\'.\', "([\w-]+)"', source)
    assert len(set(names)) == len(names) == len(letters)
    used = re.findall(r'\.name = "([\w ]+)",[^}]*?\.options = "(\w*)"', source)
    assert len(used) == len(re.findall(r"\.options = ", source)) > 30
    for command, options in used:
        assert len(set(options)) == len(options) and set(options) <= set(letters), command
    assert set("".join(options for _, options in used)) == set(letters)
