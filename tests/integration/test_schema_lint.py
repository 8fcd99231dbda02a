"""The description of the API, as somebody else's validator sees it: Redocly's, with all its rules and examples held
against their schemas."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from service import BUILD

SOURCE = Path(__file__).parent / "openapi"


@pytest.fixture(scope="module")
def lint():
    """Installed once a build tree, as its lock file has it; a new lock file is another installation."""
    version = hashlib.sha256((SOURCE / "package-lock.json").read_bytes()).hexdigest()[:12]
    place = BUILD / f"openapi-{version}"
    place.mkdir(exist_ok=True)
    with open(place / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shutil.copytree(SOURCE, place, dirs_exist_ok=True)
        if not (place / "node_modules" / ".package-lock.json").exists():  # npm writes it last
            command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=place)

    def problems(file):
        return command("node", place / "lint.mjs", file, cwd=place).splitlines()

    return problems


# Node brings authorities of its own; those of this host, which may have a mirror, count as well.
ENVIRONMENT = {"NODE_EXTRA_CA_CERTS": "/etc/ssl/certs/ca-certificates.crt", **os.environ}


def command(*words, cwd):
    done = subprocess.run(words, cwd=cwd, env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def document(nobody):
    return nobody.get("/api/schema/").json()


@pytest.mark.parametrize("format", ["json", "yaml"])
def test_it_is_accepted(nobody, lint, tmp_path, format):
    file = tmp_path / f"schema.{format}"
    file.write_bytes(nobody.get(f"/api/schema/?format={format}").content)
    assert lint(file) == []


def no_title(document):
    del document["info"]["title"]


def unknown_type(document):
    document["components"]["schemas"]["User"]["properties"]["email"]["type"] = "text"


def dangling_reference(document):
    document["paths"]["/api/users/"]["post"]["responses"]["201"]["content"]["application/json"]["schema"]["$ref"] += "s"


def parameter_not_named(document):
    document["paths"]["/api/users/{uuid}/"]["get"]["parameters"] = []


def wrong_example(document):
    document["components"]["schemas"]["User"]["properties"]["uuid"]["examples"] = [7]


def no_such_scheme(document):
    del document["components"]["securitySchemes"]["bearer"]


def same_operation(document):
    paths = document["paths"]
    paths["/api/users/"]["post"]["operationId"] = paths["/api/users/"]["get"]["operationId"]


@pytest.mark.parametrize(
    ("damage", "rule", "place"),
    [
        (no_title, "struct", "#/info"),
        (unknown_type, "struct", "#/components/schemas/User/properties/email/type"),
        (dangling_reference, "no-unresolved-refs", "#/paths/~1api~1users~1/post/responses/201/"),
        (parameter_not_named, "path-parameters-defined", "#/paths/~1api~1users~1{uuid}~1/get/parameters"),
        (wrong_example, "no-invalid-schema-examples", "#/components/schemas/User/properties/uuid/examples/0"),
        (no_such_scheme, "security-defined", "#/paths/~1api~1users~1/get/security"),
        (same_operation, "operation-operationId-unique", "#/paths/~1api~1users~1/"),
    ],
)
def test_damage_is_seen(lint, document, tmp_path, damage, rule, place):
    damage(document)
    file = tmp_path / "schema.json"
    file.write_text(json.dumps(document))
    assert any(problem.startswith(f"{rule}: {place}") for problem in lint(file))
