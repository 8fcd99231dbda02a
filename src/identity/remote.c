/* libcurl as the client of a provider's service. */
#include "base/base.h"

#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "identity/identity_int.h"

/* Bytes of an answer. */
#define BODY_MAX (256 * 1024)

/* What is refused here is our mistake: libcurl copies texts but for the form, the rest are constants. */
#define SET(x, option, value) must(curl_easy_setopt((x)->curl, (option), (value)) == CURLE_OK)

/*
 * A process's connections, kept from one question to the next. They are those of one provider, with the
 * settings that it had: a connection that one may have is not lent to another.
 */
static struct {
	CURL *curl;   /* for a question that is waited for */
	CURLM *multi; /* for those that are on their way together */
	struct uuid provider;
	int64_t version;
} kept;

/* A question on its way. */
struct exchange {
	CURL *curl;
	const struct question *question;
	struct arena *arena;
	struct buf body;
	bool inward, too_long;
	char trouble[CURL_ERROR_SIZE];
	void *ctx; /* of remote_send() */
};

/* libcurl wants a NUL at the end. */
static const char *
string(const struct exchange *x, struct text t)
{
	return arena_text(x->arena, t).s;
}

static size_t
take_body(char *p, size_t size, size_t n, void *ctx)
{
	struct exchange *x = ctx;

	n *= size;
	x->too_long = x->body.n + n > BODY_MAX;
	if (x->too_long)
		return 0;
	buf_add(&x->body, (struct text){ p, n });
	return n;
}

/*
 * Whatever a name stands for is looked at when the connection is made, so that a name server which answers
 * differently the second time gains nothing.
 */
static curl_socket_t
open_socket(void *ctx, curlsocktype purpose UNUSED, struct curl_sockaddr *address)
{
	struct exchange *x = ctx;

	if (!x->question->provider->allow_internal && address_is_inward(&address->addr)) {
		x->inward = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Lets the connections go if they are another provider's. */
static void
keep_for(const struct provider *p)
{
	if (kept.version == p->version && uuid_eq(kept.provider, p->uuid))
		return;
	curl_easy_cleanup(kept.curl);
	if (kept.multi != NULL)
		must(curl_multi_cleanup(kept.multi) == CURLM_OK);
	kept.curl = NULL;
	kept.multi = NULL;
	kept.provider = p->uuid;
	kept.version = p->version;
}

/* The handle whose connections may be used for the provider. */
static CURL *
handle_for(const struct provider *p)
{
	keep_for(p);
	if (kept.curl == NULL)
		kept.curl = curl_easy_init();
	must(kept.curl != NULL);
	curl_easy_reset(kept.curl); /* connections stay */
	return kept.curl;
}

static void
set_limits(struct exchange *x)
{
	const struct provider *p = x->question->provider;

	SET(x, CURLOPT_PROTOCOLS_STR, p->allow_internal ? "http,https" : "https");
	SET(x, CURLOPT_PROXY, ""); /* whatever the environment says */
	SET(x, CURLOPT_NOSIGNAL, 1L);
	SET(x, CURLOPT_FOLLOWLOCATION, 0L);
	SET(x, CURLOPT_CONNECTTIMEOUT, (long)p->connect_timeout);
	SET(x, CURLOPT_TIMEOUT, (long)p->timeout);
	SET(x, CURLOPT_MAXFILESIZE, (long)BODY_MAX);
	SET(x, CURLOPT_SSL_VERIFYPEER, 1L);
	SET(x, CURLOPT_SSL_VERIFYHOST, 2L);
	if (p->ca_file.n > 0) {
		SET(x, CURLOPT_CAINFO, string(x, p->ca_file));
		SET(x, CURLOPT_CAPATH, NULL);
	}
	SET(x, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(x, CURLOPT_OPENSOCKETDATA, x);
	SET(x, CURLOPT_WRITEFUNCTION, take_body);
	SET(x, CURLOPT_WRITEDATA, x);
	SET(x, CURLOPT_ERRORBUFFER, x->trouble);
}

static void
set_question(struct exchange *x)
{
	const struct question *q = x->question;

	SET(x, CURLOPT_URL, string(x, q->url));
	SET(x, CURLOPT_PATH_AS_IS, 1L);
	SET(x, CURLOPT_USERAGENT, "roster/" PACKAGE_VERSION);
	SET(x, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	if (!text_is_none(q->bearer)) {
		SET(x, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
		SET(x, CURLOPT_XOAUTH2_BEARER, string(x, q->bearer));
	} else {
		SET(x, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		SET(x, CURLOPT_USERNAME, string(x, q->provider->client_id));
		SET(x, CURLOPT_PASSWORD, string(x, q->client_secret));
	}
	if (!text_is_none(q->form)) {
		SET(x, CURLOPT_POSTFIELDSIZE, (long)q->form.n);
		SET(x, CURLOPT_POSTFIELDS, q->form.s);
	}
}

static const char *
trouble_of(const struct exchange *x, CURLcode result)
{
	if (x->inward)
		return "its address is not a public one, and allow_internal is not set";
	if (x->too_long)
		return "its answer is too long";
	return x->trouble[0] != '\0' ? x->trouble : curl_easy_strerror(result);
}

/* What came of it. */
static struct reply_of_remote
read_reply(struct exchange *x, CURLcode result)
{
	struct reply_of_remote reply = { .body = buf_text(&x->body) };
	long status = 0;

	x->too_long = x->too_long || result == CURLE_FILESIZE_EXCEEDED;
	reply.too_long = x->too_long;

	if (result == CURLE_OK) {
		curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
	} else {
		reply.trouble = arena_printf(x->arena, "%s", trouble_of(x, result));
		log_warning("provider %.*s cannot be asked: %.*s",
		    TEXT_ARGS(x->question->provider->name), TEXT_ARGS(reply.trouble));
	}
	reply.status = status;
	return reply;
}

static void
prepare(struct exchange *x, const struct question *q, struct arena *a)
{
	x->question = q;
	x->arena = a;
	buf_init(&x->body, a);
	set_limits(x);
	set_question(x);
}

struct reply_of_remote
remote_ask(const struct question *q, struct arena *a)
{
	struct exchange x = { .curl = handle_for(q->provider) };
	struct reply_of_remote reply;

	prepare(&x, q, a);
	reply = read_reply(&x, curl_easy_perform(x.curl));
	/* Neither its address nor a secret stays behind in the handle. */
	curl_easy_reset(x.curl);
	return reply;
}

struct exchange *
remote_send(const struct question *q, struct arena *a, void *ctx)
{
	struct exchange *x = arena_alloc(a, sizeof(*x));

	keep_for(q->provider);
	if (kept.multi == NULL)
		kept.multi = curl_multi_init();
	x->curl = curl_easy_init();
	must(kept.multi != NULL && x->curl != NULL);
	x->ctx = ctx;
	prepare(x, q, a);
	SET(x, CURLOPT_PRIVATE, x);
	must(curl_multi_add_handle(kept.multi, x->curl) == CURLM_OK);
	return x;
}

void
remote_cancel(struct exchange *x)
{
	must(curl_multi_remove_handle(kept.multi, x->curl) == CURLM_OK);
	curl_easy_cleanup(x->curl);
}

bool
remote_take(struct reply_of_remote *reply, void **ctx)
{
	struct exchange *x;
	CURLMsg *message;
	int left;

	if (kept.multi == NULL)
		return false;
	must(curl_multi_perform(kept.multi, &left) == CURLM_OK);
	message = curl_multi_info_read(kept.multi, &left);
	if (message == NULL)
		return false;
	must(curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&x) == CURLE_OK);
	*reply = read_reply(x, message->data.result);
	*ctx = x->ctx;
	remote_cancel(x);
	return true;
}

void
remote_wait(int milliseconds)
{
	if (kept.multi == NULL)
		usleep((unsigned)milliseconds * 1000);
	else
		must(curl_multi_poll(kept.multi, NULL, 0, milliseconds, NULL) == CURLM_OK);
}
