/* libcurl as an SMTP client. One session carries many letters. */
#include "base/base.h"

#include <curl/curl.h>

#include "mail/mail_int.h"

_Static_assert(sizeof(((struct smtp *)NULL)->trouble) >= CURL_ERROR_SIZE, "libcurl writes as much");

/* What is refused here is our mistake: texts are copied, the rest are constants. */
#define SET(s, option, value) must(curl_easy_setopt((s)->curl, (option), (value)) == CURLE_OK)

/*
 * libcurl hands over the server's lines as those of a header. The last one that refuses something is
 * kept, and of it what is ASCII.
 */
static size_t
take_reply(char *line, size_t size, size_t n, void *ctx)
{
	struct smtp *s = ctx;
	size_t end = 0, i;

	n *= size;
	if (n == 0 || (line[0] != '4' && line[0] != '5'))
		return n;
	for (i = 0; i < n && i + 1 < sizeof(s->reply); i++) {
		s->reply[i] = line[i] >= ' ' && line[i] <= '~' ? line[i] : '?';
		if (line[i] > ' ')
			end = i + 1;
	}
	s->reply[end] = '\0';
	return n;
}

/* Whoever is to leave does not wait for a server, but does not break a mail off either. */
static int
look_up(void *ctx, curl_off_t to_come UNUSED, curl_off_t come UNUSED, curl_off_t to_go UNUSED,
    curl_off_t gone)
{
	struct smtp *s = ctx;

	return gone == 0 && s->process != NULL && process_is_leaving(s->process);
}

static void
set_tls(struct smtp *s, const struct config *c)
{
	static const long levels[] = {
		[SMTP_TLS_REQUIRED] = CURLUSESSL_ALL,
		[SMTP_TLS_OPTIONAL] = CURLUSESSL_TRY,
		[SMTP_TLS_OFF] = CURLUSESSL_NONE,
	};

	SET(s, CURLOPT_USE_SSL, levels[c->smtp_tls]);
	SET(s, CURLOPT_SSL_VERIFYPEER, 1L);
	SET(s, CURLOPT_SSL_VERIFYHOST, 2L);
	if (c->smtp_ca_file.n > 0) {
		SET(s, CURLOPT_CAINFO, c->smtp_ca_file.s);
		SET(s, CURLOPT_CAPATH, NULL);
	}
}

void
smtp_open(struct smtp *s, const struct config *c, struct process *p, struct text password)
{
	*s = (struct smtp){ .curl = curl_easy_init(), .process = p };
	must(s->curl != NULL);
	SET(s, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	SET(s, CURLOPT_URL, c->smtp_url.s);
	SET(s, CURLOPT_PROXY, ""); /* whatever the environment says */
	SET(s, CURLOPT_NOSIGNAL, 1L);
	SET(s, CURLOPT_TIMEOUT, (long)c->smtp_timeout);
	SET(s, CURLOPT_ERRORBUFFER, s->trouble);
	SET(s, CURLOPT_HEADERFUNCTION, take_reply);
	SET(s, CURLOPT_HEADERDATA, s);
	SET(s, CURLOPT_XFERINFOFUNCTION, look_up);
	SET(s, CURLOPT_XFERINFODATA, s);
	SET(s, CURLOPT_NOPROGRESS, 0L);
	set_tls(s, c);
	if (c->smtp_user.n > 0) {
		SET(s, CURLOPT_USERNAME, c->smtp_user.s);
		SET(s, CURLOPT_PASSWORD, password.s);
	}
}

void
smtp_close(struct smtp *s)
{
	if (s->curl != NULL)
		curl_easy_cleanup(s->curl);
	s->curl = NULL;
}

static void
append(struct curl_slist **list, const char *s)
{
	struct curl_slist *longer = curl_slist_append(*list, s);

	must(longer != NULL);
	*list = longer;
}

static void
add_part(curl_mime *mime, const char *type, struct text content)
{
	curl_mimepart *part = curl_mime_addpart(mime);

	must(part != NULL && curl_mime_data(part, content.s, content.n) == CURLE_OK &&
	    curl_mime_type(part, type) == CURLE_OK &&
	    curl_mime_encoder(part, "quoted-printable") == CURLE_OK);
}

/* Was it this mail that the server refused for good, and not the session: its sender, recipient or content? */
static bool
is_refused(struct smtp *s, CURLcode result)
{
	/* About us: the service closes, or wants us to sign in, or by other means. */
	static const long session[] = { 521, 530, 534, 535, 538 };
	curl_off_t uploaded = 0;
	long code = 0;

	curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &code);
	curl_easy_getinfo(s->curl, CURLINFO_SIZE_UPLOAD_T, &uploaded);
	for (size_t i = 0; i < countof(session); i++)
		if (code == session[i])
			return false;
	/* A greeting of 554 has another result than a refused command. */
	return code >= 500 && code < 600 && (result == CURLE_SEND_ERROR || uploaded > 0);
}

static enum delivery
verdict(struct smtp *s, CURLcode result)
{
	if (result == CURLE_OK)
		return DELIVERED;
	if (result == CURLE_ABORTED_BY_CALLBACK)
		return DELIVERY_INTERRUPTED;
	return is_refused(s, result) ? DELIVERY_NEVER : DELIVERY_LATER;
}

/* libcurl's own words, then the server's. */
static struct text
explain(struct smtp *s, CURLcode result, struct arena *a)
{
	if (s->trouble[0] == '\0')
		(void)snprintf(s->trouble, sizeof(s->trouble), "%s", curl_easy_strerror(result));
	return arena_printf(a, "%s%s%s", s->trouble, s->reply[0] != '\0' ? ": " : "", s->reply);
}

bool
smtp_try(struct smtp *s, struct arena *a, struct text *error)
{
	CURLcode result;

	SET(s, CURLOPT_CONNECT_ONLY, 1L);
	result = curl_easy_perform(s->curl);
	*error = result == CURLE_OK ? TEXT_NONE : explain(s, result, a);
	return result == CURLE_OK;
}

enum delivery
smtp_send(struct smtp *s, const struct letter *l, struct arena *a, struct text *error)
{
	curl_mime *mime = curl_mime_init(s->curl);
	struct curl_slist *header = NULL, *to = NULL;
	CURLcode result;

	must(mime != NULL);
	add_part(mime, "text/plain; charset=utf-8", letter_lines(l->plain, a));
	add_part(mime, "text/html; charset=utf-8", letter_lines(l->html, a));
	for (const struct text *line = letter_headers(l, a); line->s != NULL; line++)
		append(&header, line->s);
	append(&to, arena_printf(a, "<%.*s>", TEXT_ARGS(l->to)).s);
	s->trouble[0] = s->reply[0] = '\0';
	SET(s, CURLOPT_MAIL_FROM, arena_printf(a, "<%.*s>", TEXT_ARGS(l->from)).s);
	SET(s, CURLOPT_MAIL_RCPT, to);
	SET(s, CURLOPT_HTTPHEADER, header);
	SET(s, CURLOPT_MIMEPOST, mime);

	result = curl_easy_perform(s->curl);
	*error = result == CURLE_OK ? TEXT_NONE : explain(s, result, a);
	SET(s, CURLOPT_MIMEPOST, NULL);
	SET(s, CURLOPT_HTTPHEADER, NULL);
	SET(s, CURLOPT_MAIL_RCPT, NULL);
	curl_mime_free(mime);
	curl_slist_free_all(header);
	curl_slist_free_all(to);
	return verdict(s, result);
}
