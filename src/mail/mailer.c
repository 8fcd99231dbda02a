#include "base/base.h"

#include <curl/curl.h>
#include <locale.h>

#include "base/count.h"
#include "base/log.h"
#include "mail/mail_int.h"

/*
 * A mail is found by looking, not by being told of it: its transaction may commit long after the
 * statement that adds it, and with several hosts another host's mailer may be the idle one. To look is one
 * read of an index.
 */
#define POLL 500           /* milliseconds */
#define POLL_TROUBLE 10000 /* ... when the database does not answer */
#define NOTE_PAUSE 500     /* ... between tries to note that a mail was delivered */
#define CLAIM_EXTRA 60     /* seconds that a claim lasts beyond what a delivery may take */
#define PASSWORD_MAX 1024
#define OWN_MEMORY (64 * 1024)

#define PAUSE_FIRST 60 /* seconds, doubling ... */
#define PAUSE_MAX (4 * 3600)
#define TRIES 20 /* ... for two days in all */

struct mailer {
	struct process *p;
	struct text password;
	struct smtp smtp; /* open while there are mails */
};

int64_t
mailer_pause(int64_t attempts)
{
	int64_t pause = PAUSE_FIRST;

	if (attempts >= TRIES)
		return 0;
	for (int64_t i = 1; i < attempts && pause < PAUSE_MAX; i++)
		pause *= 2;
	return pause < PAUSE_MAX ? pause : PAUSE_MAX;
}

/* The first line of smtp_password_file; false and *problem when it cannot be read. */
static bool
read_password(const struct config *c, struct arena *a, struct text *password, struct text *problem)
{
	char *line = arena_alloc(a, PASSWORD_MAX);
	FILE *f;

	*password = T("");
	if (c->smtp_password_file.n == 0)
		return true;
	f = fopen(c->smtp_password_file.s, "re");
	if (f == NULL) {
		*problem = arena_printf(a, "cannot read smtp_password_file %s: %s",
		    c->smtp_password_file.s, strerror(errno));
		return false;
	}
	if (fgets(line, PASSWORD_MAX, f) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		*password = text_from(line);
	}
	fclose(f);
	return true;
}

/* Can mails be delivered with this configuration? false and *problem: they wait in the outbox then. */
static bool
is_configured(const struct config *c, struct arena *a, struct text *password, struct text *problem)
{
	*problem = T("smtp_url is not set");
	if (c->smtp_url.n == 0)
		return false;
	return read_password(c, a, password, problem);
}

/* The values that came with the mail, and those that each mail has. */
static struct mail_value *
add_common(const struct config *c, struct arena *a, const struct mail_value *values, size_t *n)
{
	struct mail_value *all = arena_alloc(a, (*n + 2) * sizeof(*all));
	bool slash = c->homeport_url.n > 0 && c->homeport_url.s[c->homeport_url.n - 1] == '/';

	for (size_t i = 0; i < *n; i++)
		all[i] = values[i];
	all[(*n)++] = (struct mail_value){ "service", c->mail_from_name };
	all[(*n)++] = (struct mail_value){ "homeport_url",
		arena_printf(a, "%.*s%s", TEXT_ARGS(c->homeport_url), slash ? "" : "/") };
	return all;
}

/* Writes the mail; NULL, or why it cannot be. */
static const char *
compose(const struct setup *setup, const struct claim *claim, struct arena *a, struct letter *l)
{
	const struct config *c = &setup->config;
	struct mail_value *values;
	struct mail_texts texts;
	size_t n;

	*l = (struct letter){
		.uuid = claim->uuid,
		.date = claim->created,
		.from = c->mail_from,
		.from_name = c->mail_from_name,
		.to = claim->recipient,
	};
	if (!text_is_address(claim->recipient))
		return "the recipient is not an address";
	if (!texts_find(c, claim->template, claim->language, a, &texts, &l->language))
		return "there are no texts of this name";
	if (!outbox_values(claim, setup->keyring, a, &values, &n))
		return "the key that sealed it is not in the key file";
	values = add_common(c, a, values, &n);
	l->subject = texts_fill(a, texts.subject, values, n, escape_line);
	l->plain = texts_fill(a, texts.plain, values, n, escape_line);
	l->html = texts_fill(a, texts.html, values, n, escape_html);
	return NULL;
}

/* What came of a try. */
struct outcome {
	enum delivery delivery;
	const char *trouble; /* for the log, where no address belongs */
	struct text error;   /* for the outbox: also the server's own words */
};

static struct outcome
try_to_deliver(struct mailer *m, const struct claim *claim)
{
	struct process *p = m->p;
	struct outcome o = { .delivery = DELIVERY_NEVER };
	struct letter letter;

	o.trouble = compose(p->setup, claim, p->arena, &letter);
	o.error = text_from(o.trouble);
	if (o.trouble != NULL)
		return o;
	o.delivery = smtp_send(&m->smtp, &letter, p->arena, &o.error);
	o.trouble = m->smtp.trouble;
	return o;
}

static void
note_failure(struct process *p, const struct claim *claim, const struct outcome *o)
{
	int64_t pause = o->delivery == DELIVERY_LATER ? mailer_pause(claim->attempts) : 0;
	struct stamp due = STAMP_NONE;

	if (pause > 0)
		due.us = stamp_now().us + pause * SECONDS;
	outbox_failed(p->db, p->arena, claim, due, o->error);
	count(stamp_is_none(due) ? TALLY_MAIL_FAILED : TALLY_MAIL_DEFERRED);
	if (stamp_is_none(due))
		log_warning("mail %lld (%.*s) is given up: %s", (long long)claim->id,
		    TEXT_ARGS(claim->template), o->trouble);
	else
		log_warning("mail %lld (%.*s) is tried again in %lld s: %s", (long long)claim->id,
		    TEXT_ARGS(claim->template), (long long)pause, o->trouble);
}

/* As long as it is not noted, it is going to be delivered again; a database that restarts is soon back. */
static void
note_success(struct process *p, const struct claim *claim, struct stamp until)
{
	bool noted;

	count(TALLY_MAIL_DELIVERED);
	log_info("mail %lld (%.*s) is delivered", (long long)claim->id, TEXT_ARGS(claim->template));
	do
		noted = outbox_delivered(p->db, p->arena, claim);
	while (!noted && stamp_now().us < until.us && process_wait(p, NOTE_PAUSE));
	if (!noted)
		log_warning("mail %lld was delivered and may be so again", (long long)claim->id);
}

/* Delivers a mail, which is ours until then, and notes what came of it. */
static void
deliver(struct mailer *m, const struct claim *claim, struct stamp until)
{
	struct process *p = m->p;
	struct outcome o = try_to_deliver(m, claim);

	if (o.delivery == DELIVERED)
		note_success(p, claim, until);
	else if (o.delivery == DELIVERY_INTERRUPTED)
		outbox_released(p->db, p->arena, claim);
	else
		note_failure(p, claim, &o);
}

/* Delivers all that is due; the milliseconds until the next look. */
static int64_t
deliver_due(struct mailer *m)
{
	struct process *p = m->p;
	int64_t lease = p->setup->config.smtp_timeout + CLAIM_EXTRA;
	enum db_result result = DB_NONE;
	struct claim claim;

	while (!process_is_leaving(p)) {
		struct stamp until = { stamp_now().us + lease * SECONDS };

		arena_reset(p->arena);
		result = outbox_claim(p->db, p->arena, until, &claim);
		if (result != DB_NONE || claim.id == 0)
			break;
		if (m->smtp.curl == NULL)
			smtp_open(&m->smtp, &p->setup->config, p, m->password);
		deliver(m, &claim, until);
	}
	smtp_close(&m->smtp);
	return result == DB_NONE ? POLL : POLL_TROUBLE;
}

void
mailer_run(struct process *p)
{
	struct arena *own = arena_new(OWN_MEMORY);
	struct mailer m = { .p = p };
	const struct config *c = &p->setup->config;
	struct text problem;
	bool configured = is_configured(c, own, &m.password, &problem);

	if (!configured)
		log_message(c->smtp_url.n == 0 ? LOG_WARNING : LOG_ERROR,
		    "%.*s: mails wait in the database", TEXT_ARGS(problem));
	/* In which libcurl reads domains that are not ASCII. */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	must(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
	while (process_wait(p, configured ? deliver_due(&m) : POLL_TROUBLE))
		;
	curl_global_cleanup();
	arena_free(&own);
}

bool
mailer_check(const struct config *c, struct arena *a, struct text *problem)
{
	struct text password;
	struct smtp smtp;
	bool good;

	if (!is_configured(c, a, &password, problem))
		return false;
	smtp_open(&smtp, c, NULL, password);
	good = smtp_try(&smtp, a, problem);
	smtp_close(&smtp);
	return good;
}
