# ./dev bench: how fast and how large the service is. tests/bench/bench.py says how that is measured.

bench_parts=(statements speed beside memory lists organizations import sync)

command_bench() {
	local part
	for part in "$@"; do
		[[ " ${bench_parts[*]} " = *" $part "* ]] || fail "bench: there is no part $part; ./dev --help"
	done
	install_packages check
	build_tree "$build" && make_hello || fail "the build in $build failed"
	ROSTER_BUILD=$build $python "$top/tests/bench/bench.py" "$@"
}

make_hello() {
	(cd "$build" && flock 8 && quietly make.out make tests/bench/hello) 8>"$build/.lock"
}
