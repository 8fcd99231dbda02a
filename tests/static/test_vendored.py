"""Files that others wrote are theirs, to the byte."""

import hashlib

import pytest

from tree import TOP, files, read

# Where the checksums are, and what they are of.
VENDORED = {
    "tests/integration/openapi/SHA256SUMS": ("tests/integration/openapi/*.json", "tests/integration/openapi/LICENSE"),
    "viewer/SHA256SUMS": ("viewer/htdocs/swagger-ui/*", "debian/missing-sources/*"),
}


@pytest.mark.parametrize("sums", VENDORED)
def test_files_are_as_they_came(sums):
    recorded = dict(reversed(line.split("  ")) for line in read(sums).splitlines() if not line.startswith("#"))
    names = files(*VENDORED[sums])
    assert {name: hashlib.sha256((TOP / name).read_bytes()).hexdigest() for name in names} == recorded
