# ./dev deb: the Debian packages of HEAD, in package/. ./dev check package: whether they are good.

packages=$top/package

command_deb() {
	[ $# -eq 0 ] || fail "deb takes no arguments; ./dev --help"
	install_packages package
	build_packages "$packages"
	look_at_packages "$packages"
	say "built:"
	ls "$packages"/*.deb "$packages"/*.dsc
}

# build_packages DIR: source and binary packages, in a clean tree. Their tests are check's.
build_packages() {
	local tree=$1/roster
	rm -rf "$1"
	mkdir -p "$tree"
	git -C "$top" archive HEAD | tar -x -C "$tree"
	(
		cd "$tree"
		unset CFLAGS CPPFLAGS CXXFLAGS LDFLAGS
		quietly ../build.out env DEB_BUILD_PROFILES=nocheck DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" \
			dpkg-buildpackage --no-sign
	) || return
	rm -rf "$tree"
}

look_at_packages() {
	lintian -EviIL +pedantic --fail-on error,warning "$1"/*.changes
}

# --- ./dev check package ---------------------------------------------------------------------

check_package() {
	local first=$state/first second=$state/second root
	install_packages package
	count_command build_packages "$first"
	count_command build_packages "$second"
	count_command same_packages "$first" "$second"
	count_command quietly "$state/lintian.out" look_at_packages "$first"
	root=$(mktemp -d /var/tmp/roster-root.XXXXXX)
	live_in_root "$root" "$first"
	rm -rf --one-file-system "$root"
}

same_packages() {
	local file
	for file in "$1"/*.deb "$1"/*.dsc "$1"/*.tar.*; do
		cmp "$file" "$2/${file##*/}" || return
	done
}

# The package's life, in a bare Debian with a network of its own.
live_in_root() {
	local root=$1 answer
	if ! quietly "$state/root.out" make_root "$root" || ! quietly "$state/download.out" fill_root "$root" "$2"; then
		count 0 1
		return
	fi
	in_root --net "$root" bash -c 'ip link set lo up; exec /srv/lifecycle' </dev/null |& tee "$state/lifecycle.out" >&2 || true
	answer=$(tail -n 1 "$state/lifecycle.out")
	[[ $answer =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]] || { count 0 1; return; }
	count "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
}

# Packages come from where this machine's do.
make_root() {
	local sources=/etc/apt/sources.list.d/debian.sources
	[ -e $sources ] || sources=/etc/apt/sources.list
	apt-config dump | grep '^Acquire::[^ ]* ".' >"$state/apt.conf"
	mmdebstrap --variant=apt --include=ca-certificates,curl,iproute2 --aptopt="$state/apt.conf" \
		bookworm "$1" $sources
}

# fill_root ROOT PACKAGES: what is going to be installed there, so that it takes no network. Without an init
# system, services start only where a policy says so.
fill_root() {
	printf '#!/bin/sh\nexit 104\n' >"$1/usr/sbin/policy-rc.d"
	chmod 755 "$1/usr/sbin/policy-rc.d"
	cp -L /etc/resolv.conf /etc/hosts "$1/etc/"
	cp "$2"/roster_*.deb "$top/debian/tests/lifecycle" "$1/srv/"
	in_root "$1" bash -c 'apt-get update && apt-get install -y --download-only /srv/roster_*.deb &&
		apt-get install -y --download-only dbconfig-no-thanks'
}

# in_root [--net] ROOT COMMAND...: in namespaces of its own, and all that it started ends with it.
in_root() {
	local net=
	[ "$1" != --net ] || { net=--net; shift; }
	unshare --mount --propagation unchanged --pid --uts --fork --kill-child $net bash -c '
		root=$1
		shift
		# In a chroot / is no mount point, and what is mounted below it has to be private already.
		mount --make-rprivate / 2>/dev/null
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		mount -t tmpfs tmpfs "$root/run"
		mkdir "$root/run/lock"
		hostname roster-test
		exec chroot "$root" env -i HOME=/root LC_ALL=C.UTF-8 TERM=dumb DEBIAN_FRONTEND=noninteractive \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin ROSTER_DEB="$(cd "$root" && ls srv/roster_*.deb)" \
			"$@"
	' in_root "$@"
}
