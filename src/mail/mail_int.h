/* Between the files of mail/. */
#ifndef ROSTER_MAIL_MAIL_INT_H
#define ROSTER_MAIL_MAIL_INT_H

#include "base/secret.h"
#include "mail/mail.h"

/* outbox.c */

/* A mail that this process has taken for one try. Nobody else takes it before the time that was set. */
struct claim {
	int64_t id;
	struct uuid uuid;
	struct stamp created;
	struct text recipient, template, language;
	struct bytes sealed;
	int64_t attempts; /* this one counts */
};

/* Takes a mail that is due, until a time; claim->id is 0 when there is none. Not DB_NONE: the database failed. */
enum db_result outbox_claim(
    struct db *db, struct arena *a, struct stamp until, struct claim *claim) MUST_CHECK;

/* The values that it was added with; false when the key that sealed them is gone. */
bool outbox_values(const struct claim *claim, const struct keyring *keyring, struct arena *a,
    struct mail_value **values, size_t *n) MUST_CHECK;

/* Takes a delivered mail out of the outbox. false: the database failed. */
bool outbox_delivered(struct db *db, struct arena *a, const struct claim *claim) MUST_CHECK;

/* Gives back a mail that was not tried to the end: it is due at once, and the try does not count. */
void outbox_released(struct db *db, struct arena *a, const struct claim *claim);

/* Notes a failed try, and when the next one is; none: never. */
void outbox_failed(
    struct db *db, struct arena *a, const struct claim *claim, struct stamp due, struct text error);

/* messages.c, texts.c */

/* The texts of a mail in one language, with {{name}} where values come. */
struct mail_texts {
	struct text subject, plain, html;
};

/* Those that are built in; none when there are none in the language. */
struct mail_texts texts_built_in(struct text name, struct text language);

/*
 * Finds the texts in the first language that has all three, in the folder mail_templates or built
 * in: the preferred one ("pt-br"), without its region ("pt"), mail_language, English. *language is
 * which. false: there is no mail of that name.
 */
bool texts_find(const struct config *c, struct text name, struct text preferred, struct arena *a,
    struct mail_texts *out, struct text *language) MUST_CHECK;

/* What a value becomes where it is put. */
typedef void text_escape(struct buf *b, struct text value);
text_escape escape_line; /* control characters as blanks: a value never begins a line */
text_escape escape_html;

/* The text with each {{name}} replaced; an unknown name gives nothing, and a line in the log. */
struct text texts_fill(struct arena *a, struct text template, const struct mail_value *values,
    size_t n, text_escape *escape);

/* letter.c */

/* A mail ready to go. */
struct letter {
	struct uuid uuid;
	struct stamp date;
	struct text from, from_name, to;
	struct text language, subject, plain, html;
};

/* The header's lines, without line ends; {NULL, 0} after the last. All on the arena, NUL-terminated. */
const struct text *letter_headers(const struct letter *l, struct arena *a);

/* A body with the line ends of mail, CR LF. */
struct text letter_lines(struct text body, struct arena *a);

/* smtp.c */

enum delivery {
	DELIVERED,
	DELIVERY_LATER,       /* the server's or the network's trouble: worth another try */
	DELIVERY_NEVER,       /* the server will not take this mail, now or later */
	DELIVERY_INTERRUPTED, /* the process is to leave */
};

/* A session with the SMTP server. */
struct smtp {
	void *curl;              /* CURL *; NULL: not open */
	struct process *process; /* that gives up when it is to leave; NULL: none */
	char trouble
	    [256]; /* why the last letter was not delivered, in libcurl's words: no address in it */
	char reply[256]; /* the last line that the server said */
};

/* Prepares a session by the configuration; it connects with the first letter. */
void smtp_open(
    struct smtp *s, const struct config *config, struct process *p, struct text password);
void smtp_close(struct smtp *s);

/* Connects and signs in, and no more; false and *error (on the arena). The session is to be closed then. */
bool smtp_try(struct smtp *s, struct arena *a, struct text *error) MUST_CHECK;

/* Sends a letter. *error (on the arena): what was wrong, with the server's words. */
enum delivery smtp_send(
    struct smtp *s, const struct letter *l, struct arena *a, struct text *error) MUST_CHECK;

/* mailer.c */

/* Seconds from the n-th failed try (1, 2, ...) to the next; 0: no more. */
int64_t mailer_pause(int64_t attempts);

#endif
