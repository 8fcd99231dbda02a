"""The page at /api/docs/: all of the release that was taken is installed, and our files ask no other host."""

import re

from tree import files, read

VENDORED = ("viewer/htdocs/swagger-ui/*", "debian/missing-sources/*")
SUMS = read("viewer/SHA256SUMS").splitlines()


def test_release_is_recorded():
    """The package, its version and what the registry says of its archive; the program knows its version, too."""
    version = re.fullmatch(r"# swagger-ui-dist (\d+\.\d+\.\d+) sha512-[A-Za-z0-9+/]{86}==", SUMS[0]).group(1)
    assert f'PACKAGE_VERSION:"{version}"' in read("viewer/htdocs/swagger-ui/swagger-ui-bundle.js")
    assert [name for name in files(VENDORED[1]) if name.endswith(f"/swagger-ui-{version}-src.tar.xz")]


def test_vendored_files_are_installed():
    names = {name.rsplit("/", 1)[1] for name in files(VENDORED[0])}
    assert names == set(re.findall(r"^\t\$\(swaggerui\)/(\S+?)(?: \\)?$", read("Makefile.am"), re.M)) - {
        "swagger-ui-bundle.js.gz",
        "swagger-ui.css.gz",
    }


def test_own_files_name_no_other_host():
    own = set(files("viewer/htdocs")) - set(files(VENDORED[0]))
    assert own and not [name for name in own if re.search(r"(?<!// )//\w", read(name))]
