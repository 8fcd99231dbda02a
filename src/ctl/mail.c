#include "base/base.h"

#include "ctl/ctl.h"
#include "mail/mail.h"

static void
write_entry(struct json_writer *w, const struct mail_entry *e)
{
	json_object(w);
	json_member_value(w, "id", V(e->id));
	json_member_value(w, "created", V(e->created));
	json_member_text(w, "template", e->template);
	json_member_text(w, "recipient", e->recipient);
	json_member_value(w, "attempts", V(e->attempts));
	json_member_value(w, "due", V(e->due));
	json_member_text(w, "error", e->error.n > 0 ? e->error : TEXT_NONE);
	json_object_end(w);
}

static void
print_entry(struct ctl *ctl, const struct mail_entry *e)
{
	struct text error = text_visible(ctl->arena, e->error);
	char created[STAMP_SIZE], due[STAMP_SIZE];

	printf("%lld  %s  %-20.*s  %.*s  tries %lld, %s%s%s%.*s\n", (long long)e->id,
	    stamp_print(e->created, created).s, TEXT_ARGS(e->template), TEXT_ARGS(e->recipient),
	    (long long)e->attempts, stamp_is_none(e->due) ? "given up" : "next ",
	    stamp_is_none(e->due) ? "" : stamp_print(e->due, due).s, error.n > 0 ? ": " : "",
	    TEXT_ARGS(error));
}

int
ctl_mail_list(struct ctl *ctl)
{
	struct mail_entry entry;
	struct json_writer w;

	if (ctl->setup.config.smtp_url.n == 0)
		(void)ctl_error(0, "smtp_url is not set: no mail is delivered");
	ctl_json_list(ctl, &w);
	db_begin(ctl->db, ctl->arena, false, TEXT_NONE);
	mail_list(ctl->db, ctl->options.failed, &entry);
	while (db_next(ctl->db)) {
		if (ctl->options.json)
			write_entry(&w, &entry);
		else
			print_entry(ctl, &entry);
	}
	if (db_end(ctl->db, false) != DB_NONE)
		return ctl_error(CTL_FAILED, "the database could not be read");
	ctl_json_list_end(ctl, &w);
	return CTL_GOOD;
}

struct retry {
	struct maybe id; /* none: all */
	int64_t n;
};

static bool
retry(struct db *db, void *ctx)
{
	struct retry *r = ctx;

	r->n = mail_retry(db, r->id);
	return true;
}

int
ctl_mail_retry(struct ctl *ctl)
{
	struct retry r = { .id.is = !text_eq(ctl->argument, T("all")) };

	if (r.id.is && !text_to_int(ctl->argument, &r.id.n))
		return ctl_error(
		    CTL_USAGE, "%s is neither a number from mail list nor all", ctl->argument.s);
	if (db_transaction(ctl->db, ctl->arena, retry, &r) != DB_NONE)
		return ctl_error(CTL_FAILED, "the database could not be written");
	if (r.id.is && r.n == 0)
		return ctl_error(CTL_NOT_FOUND, "there is no mail %s", ctl->argument.s);
	if (ctl->options.json)
		printf("{\"due\":%lld}\n", (long long)r.n);
	else
		printf("Due now: %lld.\n", (long long)r.n);
	return CTL_GOOD;
}
