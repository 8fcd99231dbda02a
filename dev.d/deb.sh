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
	live_in_roots "$root" "$first"
	rm -rf --one-file-system "$root"
}

same_packages() {
	local file
	for file in "$1"/*.deb "$1"/*.dsc "$1"/*.tar.*; do
		cmp "$file" "$2/${file##*/}" || return
	done
}

# The package's two lives at the same time, each in a bare Debian with a network of its own: without an init system, and
# with systemd.
live_in_roots() {
	local without=$1/without with=$1/with
	if ! quietly "$state/root.out" make_root "$without" || ! quietly "$state/download.out" fill_root "$without" "$2"; then
		count 0 1
		return
	fi
	cp -a "$without" "$with"
	in_root --net "$without" bash -c 'ip link set lo up; exec /srv/lifecycle' </dev/null &>"$state/without.out" &
	if boot 60 "$with" /bin/true; then
		boot 1200 "$with" /srv/lifecycle </dev/null &>"$state/with.out" || true
		count_life "$state/with.out"
	else
		say "systemd does not run in a container here: the package's life with it is left out"
	fi
	wait $! || true
	count_life "$state/without.out"
}

# count_life FILE: what lifecycle printed; its last line counts.
count_life() {
	cat "$1" >&2
	[[ $(tail -n 1 "$1") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]] || { count 0 1; return; }
	count "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
}

# Packages come from where this machine's do.
make_root() {
	local sources=/etc/apt/sources.list.d/debian.sources
	[ -e $sources ] || sources=/etc/apt/sources.list
	apt-config dump | grep '^Acquire::[^ ]* ".' >"$state/apt.conf"
	mmdebstrap --variant=apt --include=ca-certificates,curl,dbus,iproute2,systemd-sysv --aptopt="$state/apt.conf" \
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

# boot SECONDS ROOT COMMAND: systemd in namespaces of its own, until the command, a unit of it, ends or the time is
# over; then what that printed.
boot() {
	local seconds=$1 out=$2/srv/out status=0
	shift
	: >"$out"
	cat >"$1/etc/systemd/system/command.service" <<-EOT
		[Unit]
		SuccessAction=exit-force
		FailureAction=exit-force
		[Service]
		Environment=HOME=/root LC_ALL=C.UTF-8 TERM=dumb "ROSTER_DEB=$(cd "$1" && ls srv/roster_*.deb)"
		WorkingDirectory=/
		ExecStart=$2
		StandardOutput=append:/srv/out
		StandardError=inherit
		[Install]
		WantedBy=multi-user.target
	EOT
	in_root "$1" systemctl enable command.service 2>/dev/null
	timeout "$seconds" \
		unshare --mount --propagation unchanged --pid --uts --ipc --net --cgroup --fork --kill-child bash -euc '
		mount --make-rprivate / 2>/dev/null || true
		mount --bind "$1" "$1"
		cd "$1"
		mount -t proc proc proc
		mount -t sysfs sysfs sys
		mount -t tmpfs tmpfs run
		mount -t tmpfs tmpfs dev
		for node in null zero full random urandom tty; do
			: >dev/$node
			mount --bind /dev/$node dev/$node
		done
		mkdir dev/pts
		mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
		ln -s pts/ptmx dev/ptmx
		if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
			mount -t cgroup2 cgroup2 sys/fs/cgroup
		else
			mount -t tmpfs tmpfs sys/fs/cgroup
			mkdir sys/fs/cgroup/systemd
			mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
		fi
		hostname roster-test
		ip link set lo up
		mount --move . /
		exec chroot . env -i container=roster /lib/systemd/systemd
	' boot "$1" >/dev/null 2>&1 || status=$?
	cat "$out"
	return $status
}
