# Debian packages: what debian/control names, installed when it is missing.

# The names in Build-Depends, one a line. KIND is "run", "check" or "package"; the comment in debian/control
# says what belongs to which. debhelper only makes packages; build-essential is implied there.
control_packages() {
	echo build-essential
	awk -v kind="$1" '
		/^[^ #]/ { inside = /^Build-Depends:/; next }
		!inside || /^#/ || /^ dh-sequence-/ { next }
		kind != "package" && /^ debhelper|<pkg\.roster\.package>/ { next }
		kind != "check" && /<pkg\.roster\.check>/ { next }
		kind == "package" && /<!nocheck>/ { next }
		/^ debhelper/ { print "debhelper"; next }
		{ sub(/,$/, "", $1); print $1 }
	' "$top/debian/control"
}

missing_packages() {
	local wanted
	wanted=$(control_packages "$1")
	# shellcheck disable=SC2086
	dpkg-query -W -f='${db:Status-Status} ${Package}\n' $wanted 2>/dev/null |
		sed -n 's/^installed //p' | grep -vxFf - <(echo "$wanted") || true
}

# Runs a command as root.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		env "$@"
	else
		sudo -n env "$@"
	fi
}

# Debian starts the services that it installs; roster's own instances are all that is wanted here.
forbid_services() {
	policy=/usr/sbin/policy-rc.d
	[ ! -e $policy ] || return 0
	printf '#!/bin/sh\nexit 101\n' | as_root sh -c "cat >$policy && chmod 755 $policy"
	trap 'as_root rm -f $policy' EXIT
}

install_packages() {
	local missing log answers=yes
	missing=$(missing_packages "$1" | tr '\n' ' ')
	[ -n "$missing" ] || return 0
	[ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null ||
		fail "packages are missing, and this is neither root nor a user with sudo. As root: apt-get install $missing"

	say "installing: $missing"
	log=$(mktemp)
	(
		forbid_services
		as_root apt-get update -q -o APT::Update::Error-Mode=any -o Acquire::Retries=1 \
			-o Acquire::http::Timeout=20 >"$log" 2>&1 || answers=no
		# shellcheck disable=SC2086
		as_root DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
			-o DPkg::Lock::Timeout=120 $missing >>"$log" 2>&1 || {
			tail -n 15 "$log" >&2
			[ $answers = yes ] || fail "no package registry answers; missing are: $missing"
			fail "apt-get could not install: $missing"
		}
	)
	rm -f "$log"
}
