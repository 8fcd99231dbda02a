# The build tree: configured once, then only what has changed is compiled.

build=${ROSTER_BUILD:-build}
[[ $build = /* ]] || build=$top/$build

# Runs a command quietly: its output goes to FILE, and its end to the terminal when it fails.
quietly() {
	local file=$1
	shift
	"$@" >"$file" 2>&1 </dev/null && return
	tail -n 40 "$file" >&2
	return 1
}

# Makes configure and Makefile.in, for whichever build tree comes first.
make_configure() {
	[ "$top/configure" -nt "$top/configure.ac" ] && [ "$top/Makefile.in" -nt "$top/Makefile.am" ] ||
		quietly autoreconf.out autoreconf -i "$top"
}

configure_tree() {
	(flock 7 && make_configure) 7<"$top/configure.ac" || return
	[ ! -e Makefile ] || return 0
	say "building in ${PWD#"$top"/}, once"
	quietly configure.out "$top/configure" --enable-developer-warnings "$@"
}

# build_tree DIR [CONFIGURE-OPTION...]
build_tree() {
	local dir=$1
	shift
	mkdir -p "$dir"
	(cd "$dir" && flock 8 && configure_tree "$@" && quietly make.out make -j"$(nproc)") 8>"$dir/.lock"
}
