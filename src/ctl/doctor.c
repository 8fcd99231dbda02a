/* rosterctl doctor: looks at all that the service needs, and says what to do about what is wrong. */
#include "base/base.h"

#include <dirent.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "auth/auth.h"
#include "ctl/ctl.h"
#include "ctl/memory.h"
#include "db/migrate.h"
#include "mail/mail.h"

/* Microseconds that the clocks of two hosts may differ by. */
#define CLOCK_TOLERANCE (2 * SECONDS)
#define MILLISECONDS (SECONDS / 1000)

/* Where the package and README.md put nginx's view. */
#define UPSTREAMS T(SYSCONFDIR "/roster/nginx-upstreams.conf")

/* A check says in *words what it has found, or what is wrong and what to do. */
enum health { GOOD, SKIPPED, FAULTY };
typedef enum health check(struct ctl *ctl, struct text *words);

/* The one value that a statement selects; false when the database did not tell. */
static bool
ask(struct ctl *ctl, const char *name, const char *select, struct value *answer)
{
	struct sql q;
	bool found;

	db_begin(ctl->db, ctl->arena, false, TEXT_NONE);
	sql_init(&q, ctl->arena);
	sql_add(&q, select);
	found = db_row_sql(ctl->db, name, DB_READ, &q, answer, 1);
	return db_end(ctl->db, false) == DB_NONE && found;
}

/* A replica, or what was one, answers and serves all that is only read. */
static bool
is_read_only(struct ctl *ctl)
{
	struct value read_only = { .kind = KIND_BOOL };

	return ask(ctl, "read_only", "SELECT @@read_only", &read_only) && read_only.b;
}

static enum health
check_database(struct ctl *ctl, struct text *words)
{
	*words = T("it answers");
	if (db_connect(ctl->db, ctl->arena, words) != DB_NONE)
		return FAULTY;
	if (!is_read_only(ctl))
		return GOOD;
	*words = T(
	    "it is read_only: name the server that takes writes in the option file, or make it one");
	return FAULTY;
}

static bool
has_database(struct ctl *ctl, struct text *words)
{
	struct text problem;

	*words = T("not looked at without the database");
	return db_connect(ctl->db, ctl->arena, &problem) == DB_NONE;
}

static enum health
check_schema(struct ctl *ctl, struct text *words)
{
	if (!has_database(ctl, words))
		return SKIPPED;
	if (migrate_check(ctl->db, ctl->arena, words) != SCHEMA_CURRENT)
		return FAULTY;
	*words = T("of this version");
	return GOOD;
}

/* The same of a schema of this version. */
static bool
has_schema(struct ctl *ctl, struct text *words)
{
	struct text problem;

	if (!has_database(ctl, words))
		return false;
	*words = T("not looked at without the schema");
	return migrate_check(ctl->db, ctl->arena, &problem) == SCHEMA_CURRENT;
}

/* What the time between the question and its answer does not explain. */
static int64_t
difference_of(struct stamp theirs, struct stamp asked, struct stamp answered)
{
	return theirs.us < asked.us   ? theirs.us - asked.us
	    : theirs.us > answered.us ? theirs.us - answered.us
				      : 0;
}

static enum health
check_clock(struct ctl *ctl, struct text *words)
{
	struct value theirs = { .kind = KIND_STAMP };
	struct stamp asked;
	int64_t difference;

	if (!has_database(ctl, words))
		return SKIPPED;
	asked = stamp_now();
	if (!ask(ctl, "clock", "SELECT UTC_TIMESTAMP(6)", &theirs))
		return SKIPPED;
	difference = difference_of(theirs.s, asked, stamp_now());
	*words = arena_printf(ctl->arena, "the database's differs by %.3f s%s",
	    (double)(difference / MILLISECONDS) / 1000,
	    llabs(difference) <= CLOCK_TOLERANCE
		? ""
		: ": tokens expire at the wrong time; let an NTP client keep the clocks of both hosts");
	return llabs(difference) <= CLOCK_TOLERANCE ? GOOD : FAULTY;
}

static enum health
check_keys(struct ctl *ctl, struct text *words)
{
	ctl->setup.keyring = keyring_read(ctl->setup.config.key_file, ctl->arena, words);
	if (ctl->setup.keyring == NULL)
		return FAULTY;
	*words = arena_printf(ctl->arena, "%zu in the file", keyring_count(ctl->setup.keyring));
	return GOOD;
}

/* How many values were sealed by other keys than the newest; false: not told. */
static bool
count_older(struct ctl *ctl, int64_t *n)
{
	int64_t some;

	*n = 0;
	for (size_t i = 0; i < roster.nsealed; i++) {
		if (!sealed_count(ctl->db, ctl->arena, ctl->setup.keyring, roster.sealed[i], &some))
			return false;
		*n += some;
	}
	return true;
}

/* Does the key file belong to this database? */
static enum health
check_sealed(struct ctl *ctl, struct text *words)
{
	struct text problem;
	int64_t older;

	if (!has_database(ctl, words))
		return SKIPPED;
	*words = T("not looked at without the key file or the schema");
	if (ctl->setup.keyring == NULL ||
	    migrate_check(ctl->db, ctl->arena, &problem) != SCHEMA_CURRENT)
		return SKIPPED;
	if (!tokens_open(ctl->db, ctl->setup.keyring, ctl->arena, words))
		return FAULTY;
	*words = T("the keys open what is in the database");
	if (count_older(ctl, &older) && older > 0)
		*words = arena_printf(ctl->arena,
		    "%.*s, of which %lld were sealed by an older one; rosterctl key reseal",
		    TEXT_ARGS(*words), (long long)older);
	return GOOD;
}

/* A connection to a worker; -1, with errno, when nobody listens. */
static int
dial(struct text path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), trouble;

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%.*s", TEXT_ARGS(path));
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	trouble = errno;
	close(fd);
	errno = trouble;
	return -1;
}

static enum health
check_sockets(struct ctl *ctl, struct text *words)
{
	const struct config *c = &ctl->setup.config;
	const struct {
		const char *lane;
		int64_t workers;
	} lanes[] = { { "api", c->api_workers }, { "slow", c->slow_workers } };

	for (size_t i = 0; i < countof(lanes); i++)
		for (int64_t j = 0; j < lanes[i].workers; j++) {
			struct text path = ctl_socket(ctl, lanes[i].lane, j);
			int fd = dial(path);

			if (fd >= 0) {
				close(fd);
				continue;
			}
			*words = arena_printf(ctl->arena,
			    "%s: %s; start rosterd, and look into its log if it does not stay",
			    path.s, strerror(errno));
			return FAULTY;
		}
	*words = T("all workers listen");
	return GOOD;
}

/* Is nginx's file what rosterctl nginx prints now? */
static enum health
check_nginx(struct ctl *ctl, struct text *words)
{
	struct text wanted = ctl_nginx_view(ctl), there;
	struct text path =
	    text_is_none(ctl->options.upstreams) ? UPSTREAMS : ctl->options.upstreams;
	FILE *f = fopen(path.s, "re");
	char *room = arena_alloc(ctl->arena, wanted.n + 1);

	if (f == NULL) {
		*words = arena_printf(ctl->arena,
		    "%s: %s; make it with rosterctl nginx, or name it with --upstreams", path.s,
		    strerror(errno));
		return SKIPPED;
	}
	there = (struct text){ room, fread(room, 1, wanted.n + 1, f) };
	fclose(f);
	*words = arena_printf(ctl->arena, "%s is of this configuration", path.s);
	if (text_eq(there, wanted))
		return GOOD;
	*words = arena_printf(ctl->arena,
	    "%s is of another configuration: make it again with rosterctl nginx, and reload nginx",
	    path.s);
	return FAULTY;
}

static enum health
check_mail(struct ctl *ctl, struct text *words)
{
	const struct config *c = &ctl->setup.config;
	struct text problem;

	*words = T("smtp_url is not set: no mail is delivered");
	if (c->smtp_url.n == 0)
		return SKIPPED;
	*words = arena_printf(ctl->arena, "%.*s takes us", TEXT_ARGS(c->smtp_url));
	if (mailer_check(c, ctl->arena, &problem))
		return GOOD;
	*words = arena_printf(ctl->arena,
	    "%.*s: %.*s; look at the options that begin with smtp_, and at the server",
	    TEXT_ARGS(c->smtp_url), TEXT_ARGS(problem));
	return FAULTY;
}

static enum health
check_templates(struct ctl *ctl, struct text *words)
{
	struct text folder = ctl->setup.config.mail_templates;
	DIR *d;

	*words = T("mail_templates is not set: the built-in ones");
	if (folder.n == 0)
		return GOOD;
	d = opendir(folder.s);
	*words = d != NULL
	    ? arena_printf(ctl->arena, "%s is there", folder.s)
	    : arena_printf(ctl->arena,
		  "%s: %s; make the folder, or correct mail_templates: the built-in ones are sent",
		  folder.s, strerror(errno));
	if (d == NULL)
		return FAULTY;
	closedir(d);
	return GOOD;
}

/* Mails that were given up are nobody's fault here, as a rule: an address that is none. */
static enum health
check_outbox(struct ctl *ctl, struct text *words)
{
	struct mail_counts n;

	if (!has_schema(ctl, words) || !mail_count(ctl->db, ctl->arena, &n))
		return SKIPPED;
	*words = arena_printf(ctl->arena, "%lld wait, %lld of them after a failure",
	    (long long)(n.waiting + n.retrying), (long long)n.retrying);
	if (n.given_up > 0)
		*words = arena_printf(ctl->arena,
		    "%.*s; %lld were given up: rosterctl mail list --failed says why, rosterctl mail "
		    "retry tries again",
		    TEXT_ARGS(*words), (long long)n.given_up);
	return GOOD;
}

static bool
is_user(struct ctl *ctl, struct text username)
{
	struct value one = { .kind = KIND_INT };
	struct sql q;

	sql_init(&q, ctl->arena);
	sql_add(&q, "SELECT 1 FROM users WHERE username = ");
	sql_value(&q, V(username));
	return db_row_sql(ctl->db, "user_named", DB_READ, &q, &one, 1);
}

/* Are those who may fetch everybody's SSH keys users? */
static enum health
check_readers(struct ctl *ctl, struct text *words)
{
	struct text names = ctl->setup.config.authorized_keys_readers, name;
	struct text unknown = TEXT_NONE;

	if (!has_schema(ctl, words))
		return SKIPPED;
	db_begin(ctl->db, ctl->arena, false, TEXT_NONE);
	while (text_is_none(unknown) && text_split(&names, ',', &name)) {
		name = text_trim(name);
		if (name.n > 0 && !is_user(ctl, name))
			unknown = name;
	}
	if (db_end(ctl->db, false) != DB_NONE)
		return SKIPPED;
	*words = T("authorized_keys_readers names users only");
	if (text_is_none(unknown))
		return GOOD;
	*words = arena_printf(ctl->arena,
	    "there is no user %.*s: correct authorized_keys_readers, or create the user",
	    TEXT_ARGS(unknown));
	return FAULTY;
}

/* The process that made the sockets, which is in rosterd's control group; 0 when nobody listens, or it is hidden. */
static pid_t
find_rosterd(struct ctl *ctl)
{
	struct ucred listener = { 0 };
	socklen_t size = sizeof(listener);
	int fd = dial(ctl_socket(ctl, "api", 0));

	if (fd < 0)
		return 0;
	(void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &listener, &size);
	close(fd);
	return listener.pid;
}

/* Is there room for the memory of all slow workers? A reload needs it beside that of the old ones. */
static enum health
check_memory(struct ctl *ctl, struct text *words)
{
	const struct config *c = &ctl->setup.config;
	struct memory there = memory_free(find_rosterd(ctl), ctl->arena);
	int64_t needed = c->slow_workers * c->argon2_memory;
	bool limited = !text_is_none(there.group);

	*words = T("the system does not tell how much there is");
	if (there.free < 0)
		return SKIPPED;
	*words = arena_printf(ctl->arena, "argon2 takes %lld MiB, %lld MiB are free",
	    (long long)needed / 1024, (long long)there.free / 1024);
	if (limited)
		*words = arena_printf(ctl->arena, "%.*s in the control group %.*s",
		    TEXT_ARGS(*words), TEXT_ARGS(there.group));
	if (needed <= there.free)
		return GOOD;
	*words = arena_printf(ctl->arena, "%.*s: lower slow_workers or argon2_memory%s",
	    TEXT_ARGS(*words),
	    limited ? ", or raise the group's limit, MemoryMax= of its unit" : "");
	return FAULTY;
}

static const struct {
	const char *name;
	check *run;
} checks[] = {
	{ "database", check_database },
	{ "schema", check_schema },
	{ "clock", check_clock },
	{ "key file", check_keys },
	{ "sealed", check_sealed },
	{ "sockets", check_sockets },
	{ "nginx", check_nginx },
	{ "mail", check_mail },
	{ "templates", check_templates },
	{ "outbox", check_outbox },
	{ "readers", check_readers },
	{ "memory", check_memory },
};

static void
write_found(struct json_writer *w, const char *name, const char *state, struct text words)
{
	json_object(w);
	json_member_text(w, "check", text_from(name));
	json_member_text(w, "state", text_from(state));
	json_member_text(w, "message", words);
	json_object_end(w);
}

int
ctl_doctor(struct ctl *ctl)
{
	static const char *const states[] = { "good", "skipped", "faulty" };
	struct db_options options = server_db_options(&roster, &ctl->setup.config);
	struct json_writer w;
	int status = CTL_GOOD;

	ctl->db = db_new(&options);
	ctl_json_list(ctl, &w);
	for (size_t i = 0; i < countof(checks); i++) {
		struct text words = TEXT_NONE;
		enum health health = checks[i].run(ctl, &words);

		if (ctl->options.json)
			write_found(&w, checks[i].name, states[health], words);
		else
			printf(
			    "%-8s %-9s %.*s\n", states[health], checks[i].name, TEXT_ARGS(words));
		if (health == FAULTY)
			status = CTL_FAILED;
	}
	ctl_json_list_end(ctl, &w);
	db_free(&ctl->db);
	return status;
}
