"""Every statement of the source, prepared by the server against the schema that the migrations make."""

import re

from pymysql import MySQLError
from service import TOP

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\w+')


def macros(source):
    """Macros of a file that are text and nothing else."""
    joined = source.replace("\\\n", " ")
    return dict(re.findall(r'^#define (\w+)\s+((?:"(?:[^"\\]|\\.)*"|\s|\w)+)$', joined, re.M))


def text_of(expression, known):
    """The string that literals and macros beside each other make; None when it is more than that."""
    parts = []
    for token in TOKEN.findall(expression):
        if token[0] == '"':
            parts.append(token[1:-1].encode().decode("unicode_escape"))
        elif token in known and (inner := text_of(known[token], known)) is not None:
            parts.append(inner)
        else:
            return None
    return "".join(parts)


def statements():
    """Name and SQL of each constant struct db_stmt."""
    for folder in (path for path in (TOP / "src").iterdir() if path.is_dir()):
        sources = [path.read_text() for path in sorted(folder.glob("*.[ch]"))]
        known = {name: text for source in sources for name, text in macros(source).items()}
        for source in sources:
            for name, row in re.findall(r"const struct db_stmt (\w+) = \{(.*?)\n\};", source, re.S):
                row = re.sub(r"/\*.*?\*/", "", row, flags=re.S)
                sql = re.search(r"\.sql\s*=\s*(.*?),?\s*(?:\.\w+ = [^\"]*)?$", row, re.S)
                yield name, text_of(sql[1], known) if sql else None


def test_every_statement_can_be_prepared(service):
    found = list(statements())
    assert len(found) >= 80
    assert [name for name, sql in found if sql is None] == []
    wrong = {}
    for name, sql in found:
        try:
            service.sql("PREPARE s FROM %s", sql)
        except MySQLError as error:
            wrong[name] = str(error)
    assert wrong == {}
