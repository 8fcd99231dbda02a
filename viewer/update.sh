#!/bin/bash
# Takes a release of swagger-ui-dist from npm: viewer/update.sh VERSION. README.md says what becomes of it.
set -euo pipefail

[ $# -eq 1 ] || { echo "Usage: viewer/update.sh VERSION" >&2; exit 2; }
version=$1
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
vendored=viewer/htdocs/swagger-ui
sources=debian/missing-sources/swagger-ui-bundle.js
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# npm compares what it has got with the registry's checksum.
fetch() {
	npm pack --silent --pack-destination "$work" "swagger-ui-dist@$version" >/dev/null
	tar -xzf "$work/swagger-ui-dist-$version.tgz" -C "$work"
}

take_files() {
	rm -rf "$vendored"
	mkdir "$vendored"
	for file in LICENSE NOTICE swagger-ui-bundle.js swagger-ui-bundle.js.LICENSE.txt swagger-ui.css; do
		install -m 644 "$work/package/$file" "$vendored/"
	done
}

# The map of the bundle without libraries holds Swagger UI's own source files, but those that only export others.
take_sources() {
	python3 - "$work" "$work/package/swagger-ui-es-bundle-core.js.map" <<-'EOT'
		import json
		import sys
		from pathlib import Path

		folder, name = sys.argv[1:]
		source_map = json.loads(Path(name).read_text())
		for source, content in zip(source_map["sources"], source_map["sourcesContent"]):
		    path = source.removeprefix("webpack://swagger-ui/./")
		    if path.startswith("src/") and ".." not in path:
		        file = Path(folder, path)
		        file.parent.mkdir(parents=True, exist_ok=True)
		        file.write_text(content)
	EOT
	rm -rf "$sources"
	mkdir -p "$sources"
	tar -cJf "$sources/swagger-ui-$version-src.tar.xz" -C "$work" --sort=name --owner=0 --group=0 \
		--numeric-owner --mtime=@0 --mode=u=rwX,go=rX src
}

write_sums() {
	echo "# swagger-ui-dist $version sha512-$(openssl dgst -sha512 -binary "$work/swagger-ui-dist-$version.tgz" | base64 -w 0)"
	sha256sum "$vendored"/* "$sources"/*
}

cd "$top"
fetch
take_files
take_sources
write_sums >viewer/SHA256SUMS
