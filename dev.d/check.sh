# ./dev check: every test there is, and one line that counts them.

passed=0 failed=0
check_parts=(unit static clang integration sanitizers dist package)

# count PASSED FAILED
count() {
	passed=$((passed + $1))
	failed=$((failed + $2))
}

# Runs a command that is one test.
count_command() {
	if "$@"; then count 1 0; else count 0 1; fi
}

command_check() {
	local part started parts=("$@")
	[ $# -gt 0 ] || parts=("${check_parts[@]}")
	for part in "${parts[@]}"; do
		[[ " ${check_parts[*]} " = *" $part "* ]] || fail "check: there is no part $part; ./dev --help"
	done
	install_packages check
	state=$(mktemp -d /tmp/roster-check.XXXXXX) # of the unit tests' database
	trap 'stop_all; rm -rf "$state"' EXIT
	for part in "${parts[@]}"; do
		started=$SECONDS
		say "== $part"
		"check_$part"
		say "== $part: $((SECONDS - started)) s"
	done
	echo "$passed passed, $failed failed"
	[ $failed -eq 0 ]
}

check_unit() {
	run_unit_tests "$build"
}

check_static() {
	run_pytest static "$top/tests/static"
}

check_clang() {
	count_command build_tree "$top/build-clang" CC=clang
}

check_integration() {
	run_integration_tests "$build"
}

check_sanitizers() {
	local tree=$top/build-sanitizers
	run_unit_tests "$tree" --enable-sanitizers
	run_integration_tests "$tree" --enable-sanitizers
}

check_dist() {
	count_command make_distcheck
}

make_distcheck() {
	build_tree "$build" && (cd "$build" && quietly distcheck.out make -j"$(nproc)" distcheck)
}

# --- unit tests ------------------------------------------------------------------------------

# run_unit_tests TREE [CONFIGURE-OPTION...]
run_unit_tests() {
	local tree=$1
	build_tree "$@" || { count 0 1; return; }
	unit_database
	(cd "$tree" && ROSTER_TEST_DATABASE=$state/unit-tests.cnf \
		quietly check.out make -k -j"$(nproc)" check) || true
	count_unit_tests "$tree"
}

# A server of its own; the tests log in as the account that may create databases.
unit_database() {
	! running mariadbd >/dev/null || return 0
	prepare_state
	start_database
	write "$state/unit-tests.cnf" <<-EOT
		[roster]
		socket=$run/mariadb.sock
		user=$(id -un)
	EOT
}

# Criterion counts each program's tests in its log. A program that failed without having counted a
# failure (it crashed, it did not compile) is one.
count_unit_tests() {
	local source program good bad
	for source in "$top"/tests/unit/test_*.c; do
		program=$1/tests/unit/$(basename "$source" .c)
		good=$(synthesis Passing "$program.log")
		bad=$(($(synthesis Tested "$program.log") - good))
		grep -q '^:test-result: PASS' "$program.trs" 2>/dev/null || [ $bad -gt 0 ] || bad=1
		count "$good" $bad
	done
}

synthesis() {
	sed -n "s/.*Synthesis:.*$1: *\([0-9]*\).*/\1/p" "$2" 2>/dev/null | grep . || echo 0
}

# --- pytest ----------------------------------------------------------------------------------

# Tests wait for about as long as they compute. A file stays together: what a module starts is started once.
run_integration_tests() {
	build_tree "$@" || { count 0 1; return; }
	ROSTER_BUILD=$1 run_pytest "integration-${1##*/}" "$top/tests/integration" -n $((2 * $(nproc))) --dist loadfile
}

# run_pytest NAME FOLDER [OPTION...]: no test at all is a failure, too.
run_pytest() {
	local report=$state/$1.xml
	shift
	(cd "$top" && $python -m pytest -q -p no:cacheprovider --junit-xml="$report" "$@") </dev/null || true
	# shellcheck disable=SC2046
	count $(count_pytest "$report")
}

count_pytest() {
	$python - "$1" <<-'EOT' || echo 0 1
		import sys
		import xml.etree.ElementTree as tree

		suite = tree.parse(sys.argv[1]).getroot().find("testsuite")
		tests, bad, skipped = (int(suite.get(key)) for key in ("tests", "failures", "skipped"))
		bad += int(suite.get("errors"))
		print(tests - bad - skipped, bad or int(tests == 0))
	EOT
}
