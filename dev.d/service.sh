# A private instance: MariaDB, rosterd, an SMTP sink and nginx, all of them under one state folder and
# with the rights of whoever typed the command.

# --- processes -------------------------------------------------------------------------------

# Prints the pid of a part of this instance, if it runs. The command line of each part names the
# state folder, so a number that now belongs to another process is not mistaken for ours.
running() {
	local pid
	pid=$(cat "$state/pids/$1" 2>/dev/null) && [ -n "$pid" ] &&
		tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$state/" && echo "$pid"
}

# start NAME COMMAND...: in a session of its own, so that Ctrl-C reaches only this script.
start() {
	local name=$1
	shift
	setsid "$@" >>"$state/logs/$name.log" 2>&1 </dev/null 9>&- &
	echo $! >"$state/pids/$name"
	# Until it has become that command, running() does not know it.
	until running "$name" >/dev/null || ! kill -0 $! 2>/dev/null; do
		sleep 0.01
	done
}

# wait_for NAME SECONDS CONDITION...: until CONDITION holds; ends the command when NAME dies first.
wait_for() {
	local name=$1 end=$((SECONDS + $2))
	shift 2
	until "$@"; do
		running "$name" >/dev/null || fail_with_log "$name" "$name ended"
		[ $SECONDS -lt $end ] || fail_with_log "$name" "$name does not answer"
		sleep 0.05
	done
}

fail_with_log() {
	say "the end of $state/logs/$1.log:"
	tail -n 15 "$state/logs/$1.log" >&2
	fail "$2"
}

# stop NAME SIGNAL SECONDS: asks once, waits, and kills what does not listen.
stop() {
	local pid end=$((SECONDS + $3))
	pid=$(running "$1") || { rm -f "$state/pids/$1"; return 0; }
	kill "-$2" "$pid" 2>/dev/null || true
	while running "$1" >/dev/null; do
		if [ $SECONDS -ge $end ]; then
			say "$1 (pid $pid) did not stop within $3 seconds; killing it"
			kill -KILL "$pid" 2>/dev/null || true
			end=$((SECONDS + 5))
		fi
		sleep 0.05
	done
	rm -f "$state/pids/$1"
}

# In this order no request is lost, and the database closes last.
stop_all() {
	stop nginx QUIT 30
	stop rosterd TERM 60
	stop smtp TERM 5
	stop mariadbd TERM 60
	if [ -L "$state/run" ]; then
		rm -rf -- "$(readlink "$state/run")"
		rm -f "$state/run"
	fi
}

any_running() {
	local name
	for name in nginx rosterd smtp mariadbd; do
		running $name >/dev/null && return
	done
	return 1
}

# --- the state folder ------------------------------------------------------------------------

# Takes the folder for this command; file descriptor 9 is the lock.
lock_state() {
	mkdir -p -m 700 "$state"
	exec 9>"$state/lock"
	flock -w 120 9 || fail "another ./dev works on $state"
}

unlock_state() {
	exec 9>&-
}

prepare_state() {
	(umask 077 && mkdir -p "$state"/{logs,pids,mariadb-tmp,nginx/tmp})
	make_run_folder
}

# Sockets live in $run. The address of a unix socket has at most 107 characters: when the state
# folder's path is too long for that, $state/run leads to a short one.
make_run_folder() {
	local longest=$state/run/slow/999.sock
	if [ ${#longest} -gt 107 ] && [ ! -d "$state/run" ]; then
		ln -sfn "$(mktemp -d /tmp/roster.XXXXXX)" "$state/run"
	fi
	mkdir -p -m 700 "$state/run"
	run=$(realpath "$state/run")
}

# write FILE: a file that only its owner reads, from standard input, replaced at once.
write() {
	(umask 077 && cat >"$1.new" && mv "$1.new" "$1")
}

random_word() {
	head -c 18 /dev/urandom | base64 | tr '+/' 'xy'
}

# --- MariaDB ---------------------------------------------------------------------------------

# Starts the server and gives roster a user that has its own database and no other. Its temporary
# files are its own: a server that starts deletes those of all others in the same folder.
start_database() {
	local password
	password=$(random_word)
	write "$state/mariadb.cnf" <<-EOT
		[mariadbd]
		datadir=$state/mysql
		tmpdir=$state/mariadb-tmp
		socket=$run/mariadb.sock
		pid-file=$run/mariadb.pid
		init-file=$state/mariadb-init.sql
		skip-networking
		skip-name-resolve
		character-set-server=utf8mb4
		max_connections=300
		performance_schema=OFF
		innodb_buffer_pool_size=64M
		innodb_log_file_size=32M
		innodb_flush_log_at_trx_commit=1
	EOT
	write "$state/mariadb-init.sql" <<-EOT
		CREATE DATABASE IF NOT EXISTS roster CHARACTER SET utf8mb4;
		CREATE USER IF NOT EXISTS roster@localhost;
		ALTER USER roster@localhost IDENTIFIED BY '$password';
		GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES ON roster.* TO roster@localhost;
	EOT
	write "$state/roster.cnf" <<-EOT
		[roster]
		socket=$run/mariadb.sock
		user=roster
		password=$password
		database=roster
	EOT
	[ -d "$state/mysql" ] || install_database
	rm -f "$run/mariadb.sock"
	start mariadbd mariadbd --defaults-file="$state/mariadb.cnf" --user="$(id -un)"
	wait_for mariadbd 60 test -S "$run/mariadb.sock"
}

install_database() {
	say "creating the database"
	rm -rf "$state/mysql.new"
	quietly "$state/logs/mariadb-install.log" mariadb-install-db \
		--defaults-file="$state/mariadb.cnf" --datadir="$state/mysql.new" \
		--user="$(id -un)" --auth-root-authentication-method=socket \
		--auth-root-socket-user="$(id -un)" --skip-test-db ||
		fail "the database could not be created"
	mv "$state/mysql.new" "$state/mysql"
}

# --- rosterd ---------------------------------------------------------------------------------

rosterctl() {
	"$build/rosterctl" --config "$state/roster.conf" "$@"
}

# unless_local OPTION VALUE: prints the line of an option that roster.local does not set.
unless_local() {
	grep -qs "^$1[ =]" "$state/roster.local" || echo "$1 = $2"
}

configure_service() {
	write "$state/roster.conf" <<-EOT
		socket_dir = $run
		socket_group =
		database = $state/roster.cnf
		key_file = $state/keys
		# Test suites sign in hundreds of users from one address.
		$(unless_local network_failures 1000000)
		$(unless_local smtp_url "smtp://127.0.0.1:$smtp_port")
		$(unless_local smtp_tls off)
		$(unless_local mail_from roster@example.org)
		$(unless_local homeport_url "$base_url/")
		${workers:+api_workers = $workers}
		$(cat "$state/roster.local" 2>/dev/null)
	EOT
	[ -s "$state/keys" ] || "$build/rosterctl" key new | write "$state/keys" ||
		fail "rosterctl could not make a key file"
	rosterctl migrate >>"$state/logs/migrate.log" 2>&1 ||
		fail_with_log migrate "the database could not be migrated"
}

# The account is made at the first start, and again should someone have deleted it.
create_staff() {
	[ -s "$state/staff-password" ] || random_word | write "$state/staff-password"
	rosterctl user token staff >/dev/null 2>&1 ||
		rosterctl user create staff --email staff@example.org --staff \
			--password-file "$state/staff-password" --token-lifetime never \
			>>"$state/logs/staff.log" 2>&1 ||
		fail_with_log staff "the staff account could not be created"
}

start_rosterd() {
	configure_service
	create_staff
	start rosterd "$build/rosterd" --config "$state/roster.conf"
}

# --- the SMTP sink ---------------------------------------------------------------------------

port_is_taken() {
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

start_smtp() {
	# One that is the instance's like $port: others that start at the same time do not choose it.
	smtp_port=$((port + 10000))
	while [ $smtp_port -gt 65535 ] || port_is_taken "$smtp_port"; do
		smtp_port=$(shuf -i 20000-30000 -n 1)
	done
	start smtp $python -m aiosmtpd -n -l "127.0.0.1:$smtp_port" \
		-c aiosmtpd.handlers.Mailbox "$state/mail"
}

# --- nginx -----------------------------------------------------------------------------------

start_nginx() {
	local nginx=$state/nginx
	rosterctl nginx | write "$nginx/upstreams.conf" || fail "rosterctl could not write nginx's upstreams"
	sed -e "s|@listen@|127.0.0.1:$port|" -e 's|@server_name@|_|' \
		-e "s|@upstreams@|$nginx/upstreams.conf|" -e "s|@docs@|$top/viewer/htdocs|" \
		"$top/nginx/roster.conf.in" >"$nginx/site.conf"
	cat >"$nginx/nginx.conf" <<-EOT
		$([ "$(id -u)" -ne 0 ] || echo "user $(id -un);")
		daemon off;
		pid $run/nginx.pid;
		worker_processes 2;
		events {
			worker_connections 2048;
		}
		http {
			access_log $state/logs/access.log;
			client_body_temp_path $nginx/tmp/body;
			fastcgi_temp_path $nginx/tmp/fastcgi;
			proxy_temp_path $nginx/tmp/proxy;
			scgi_temp_path $nginx/tmp/scgi;
			uwsgi_temp_path $nginx/tmp/uwsgi;
			include $nginx/site.conf;
		}
	EOT
	start nginx nginx -p "$nginx/" -c "$nginx/nginx.conf" -e "$state/logs/nginx.log"
}

answers() {
	curl -fs -o /dev/null --max-time 2 "$base_url/health/ready"
}

# Waits for the whole path, and says which end of it is missing.
wait_for_answer() {
	local end=$((SECONDS + 30))
	until answers; do
		running nginx >/dev/null || fail_with_log nginx "nginx ended"
		running rosterd >/dev/null || fail_with_log rosterd "rosterd ended"
		[ $SECONDS -lt $end ] || fail_with_log rosterd "$base_url/health/ready does not answer"
		sleep 0.05
	done
}

write_env() {
	printf '%s=%q\n' \
		BASE_URL "$base_url" \
		STAFF_USERNAME staff \
		STAFF_PASSWORD "$(cat "$state/staff-password")" \
		STAFF_TOKEN "$(rosterctl user token staff)" \
		DB_SOCKET "$run/mariadb.sock" \
		MAIL_DIR "$state/mail" \
		ROSTERD_PID "$(running rosterd)" | write "$state/env"
}

# --- commands --------------------------------------------------------------------------------

# Everything from nothing to an answer. Whatever goes wrong, nothing that it started stays.
start_all() {
	base_url=http://127.0.0.1:$port
	! port_is_taken "$port" || fail "port $port is in use; choose another with --port"
	install_packages run
	build_tree "$build" || fail "the build in $build failed"
	trap stop_all EXIT
	prepare_state
	start_smtp
	start_database
	# A mail that it does not take at once would wait for a minute.
	wait_for smtp 30 port_is_taken "$smtp_port"
	start_rosterd
	start_nginx
	wait_for_answer
	write_env
	trap - EXIT
}

# True, and says where, when this state's instance answers already.
already_up() {
	running nginx >/dev/null && running rosterd >/dev/null && running mariadbd >/dev/null || return 1
	say "roster is already running at $(. "$state/env" && echo "$BASE_URL")"
}

command_up() {
	lock_state
	! already_up || return 0
	stop_all
	start_all
	echo "roster answers at $base_url; $state/env has the account and its token"
}

command_down() {
	[ -d "$state" ] || { say "nothing runs in $state"; return 0; }
	lock_state
	any_running || { say "nothing runs in $state"; return 0; }
	stop_all
	echo "stopped"
}

command_run() {
	lock_state
	! already_up || fail "stop that one first: ./dev down --state $state"
	stop_all
	trap 'exit 130' INT TERM HUP
	start_all
	unlock_state
	trap end_run EXIT
	tell_how_to_ask
	tail -q -n 0 -F "$state"/logs/{rosterd,nginx,mariadbd}.log 2>/dev/null &
	tail_pid=$!
	while running rosterd >/dev/null && running nginx >/dev/null && running mariadbd >/dev/null; do
		sleep 1
	done
	fail "a part of the service has ended"
}

end_run() {
	trap '' INT TERM HUP
	kill "$tail_pid" 2>/dev/null || true
	say "stopping"
	lock_state
	stop_all
	say "stopped"
}

tell_how_to_ask() {
	. "$state/env"
	cat <<-EOT

		roster answers at $BASE_URL
		  account   $STAFF_USERNAME
		  password  $STAFF_PASSWORD
		  token     $STAFF_TOKEN

		Try it in another terminal:
		  curl -H 'Authorization: Token $STAFF_TOKEN' $BASE_URL/api/users/me/

		Ctrl-C stops it; the next ./dev run finds its data again.

	EOT
}
