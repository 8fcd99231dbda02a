#define ROSTER_OWNS_MEMORY
#include "base/base.h"

#include <signal.h>

#include "base/log.h"
#include "ctl/ctl.h"
#include "server/server.h"

#define CALL_MEMORY (64 * 1024 * 1024)

/* A request that never saw a network. */
struct call {
	const char *method, *path, *query, *length;
	struct text body;
	size_t read;
	struct buf out;
};

static const char *
call_param(void *ctx, const char *name)
{
	const struct call *c = ctx;
	const struct {
		const char *name, *value;
	} params[] = {
		{ "REQUEST_METHOD", c->method },
		{ "PATH_INFO", c->path },
		{ "QUERY_STRING", c->query },
		{ "CONTENT_LENGTH", c->length },
		{ "CONTENT_TYPE", "application/json" },
		{ "REQUEST_SCHEME", "http" },
		{ "HTTP_HOST", "localhost" },
	};

	for (size_t i = 0; i < countof(params); i++)
		if (strcmp(params[i].name, name) == 0)
			return params[i].value;
	return NULL;
}

static ssize_t
call_read(void *ctx, char *p, size_t n)
{
	struct call *c = ctx;
	size_t left = c->body.n - c->read;

	n = n < left ? n : left;
	if (n > 0)
		memcpy(p, c->body.s + c->read, n);
	c->read += n;
	return (ssize_t)n;
}

static bool
call_write(void *ctx, const char *p, size_t n)
{
	struct call *c = ctx;

	buf_add(&c->out, (struct text){ p, n });
	return true;
}

/* The operator needs no token: whoever can read the key file may do everything. */
struct caller
ctl_operator(void)
{
	return (struct caller){ .who = STAFF | OPERATOR, .username = T("rosterctl") };
}

static int
be_operator(struct request *rq)
{
	rq->caller = ctl_operator();
	return 0;
}

/* Splits "Status: 200 OK\r\n...\r\n\r\nbody". */
static struct answer
read_answer(struct ctl *ctl, struct text out)
{
	static const struct json_limits limits = { .depth = 32, .values = 1000000 };
	struct answer answer = { 0 };
	struct text problem;
	int64_t status = 0;
	size_t body = 0;

	must(text_starts(out, T("Status: ")) && text_to_int(text_slice(out, 8, 11), &status));
	while (body + 4 <= out.n && memcmp(out.s + body, "\r\n\r\n", 4) != 0)
		body++;
	answer.status = (int)status;
	answer.head = text_slice(out, 0, body + 2);
	answer.body = text_slice(out, body + 4, out.n);
	if (answer.body.n > 0)
		answer.json = json_read(answer.body, &limits, ctl->arena, &problem);
	return answer;
}

struct answer
ctl_call(struct ctl *ctl, const char *method, struct text path, struct text body)
{
	struct app app = roster;
	size_t query = text_find(path, '?', 0);
	struct call c = {
		.method = method,
		.path = arena_text(ctl->arena, text_slice(path, 0, query)).s,
		.query = arena_text(ctl->arena, text_slice(path, query + 1, path.n)).s,
		.length = arena_printf(ctl->arena, "%zu", body.n).s,
		.body = body,
	};
	struct transport transport = {
		.param = call_param, .read = call_read, .write = call_write, .ctx = &c
	};
	struct worker w = {
		.app = &app,
		.setup = &ctl->setup,
		.lanes = 1u << LANE_API | 1u << LANE_SLOW,
		.arena = arena_new(CALL_MEMORY),
		.db = ctl->db,
		.body = arena_alloc(ctl->arena, REPLY_BUFFER),
	};

	buf_init(&c.out, ctl->arena);
	app.authenticate = be_operator;
	must(serve(&w, &transport));
	arena_free(&w.arena);
	return read_answer(ctl, buf_text(&c.out));
}

int
ctl_error(int status, const char *format, ...)
{
	va_list args;

	fputs("rosterctl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return status;
}

static volatile sig_atomic_t interrupted;

static void
on_interrupt(int number UNUSED)
{
	interrupted = 1;
}

void
ctl_catch_interrupts(void)
{
	struct sigaction action = { .sa_handler = on_interrupt };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

bool
ctl_interrupted(void)
{
	return interrupted;
}

void
ctl_print(struct text t)
{
	fwrite(t.s, 1, t.n, stdout);
}

static void
sink_output(void *ctx UNUSED, const char *s, size_t n)
{
	ctl_print((struct text){ s, n });
}

void
ctl_json(struct ctl *ctl, struct json_writer *w)
{
	json_writer_init(w, ctl->arena, sink_output, NULL, ctl->setup.config.uuid_format);
}

void
ctl_json_end(struct json_writer *w)
{
	must(!json_failed(w));
	putchar('\n');
}

void
ctl_json_list(struct ctl *ctl, struct json_writer *w)
{
	ctl_json(ctl, w);
	if (ctl->options.json)
		json_array(w);
}

void
ctl_json_list_end(struct ctl *ctl, struct json_writer *w)
{
	if (!ctl->options.json)
		return;
	json_array_end(w);
	ctl_json_end(w);
}

/* Are messages of this name about a field? */
static bool
is_field(struct text name)
{
	return !text_eq(name, T("detail")) && !text_eq(name, T("non_field_errors"));
}

/* "first_name" of the option first-name? */
static bool
is_field_of(struct text field, const struct ctl_option *o)
{
	if (o->field != NULL)
		return text_eq(field, text_from(o->field));
	for (size_t i = 0; i < field.n; i++)
		if (o->name[i] != (field.s[i] == '_' ? '-' : field.s[i]))
			return false;
	return o->name[field.n] == '\0';
}

/* As who typed the command knows it: "--first-name", or the field itself. */
static struct text
name_of_field(struct ctl *ctl, struct text field)
{
	for (size_t i = 0; i < nctl_options; i++)
		if (ctl_takes(ctl->command, &ctl_options[i]) && is_field_of(field, &ctl_options[i]))
			return arena_printf(ctl->arena, "--%s", ctl_options[i].name);
	return field;
}

/* A message, or each of a list of them, after the name of their field. */
static void
print_messages(struct ctl *ctl, struct text field, const struct json *json)
{
	if (json->type == JSON_TEXT) {
		fprintf(stderr, "rosterctl: %.*s%s%.*s\n", TEXT_ARGS(field),
		    field.n > 0 ? ": " : "", TEXT_ARGS(json->text));
		return;
	}
	for (const struct json *j = json->first; j != NULL; j = j->next) {
		bool named = json->type == JSON_OBJECT && is_field(j->key);

		print_messages(ctl, named ? name_of_field(ctl, j->key) : field, j);
	}
}

int
ctl_refused(struct ctl *ctl, const struct answer *answer)
{
	if (answer->json != NULL)
		print_messages(ctl, T(""), answer->json);
	else
		ctl_error(0, "the service answered with status %d", answer->status);
	return answer->status == 404 ? CTL_NOT_FOUND : CTL_FAILED;
}

struct text
ctl_member(const struct json *object, const char *key)
{
	const struct json *member = json_member(object, text_from(key));

	return member != NULL && member->type == JSON_TEXT ? member->text : T("");
}

void
ctl_visible(struct ctl *ctl, struct json *json)
{
	if (json->type == JSON_TEXT)
		json->text = text_visible(ctl->arena, json->text);
	json->key = text_visible(ctl->arena, json->key);
	for (struct json *j = json->first; j != NULL; j = j->next)
		ctl_visible(ctl, j);
}

static void
print_value(const struct json *value)
{
	switch (value->type) {
	case JSON_NULL:
		putchar('-');
		break;
	case JSON_BOOL:
		fputs(value->boolean ? "yes" : "no", stdout);
		break;
	case JSON_ARRAY:
		for (const struct json *j = value->first; j != NULL; j = j->next)
			printf("%.*s%s", TEXT_ARGS(j->text), j->next != NULL ? ", " : "");
		break;
	default:
		ctl_print(value->text);
		break;
	}
}

/* All members, a line each. */
static void
print_members(const struct json *object)
{
	for (const struct json *j = object->first; j != NULL; j = j->next) {
		printf("%-32.*s ", TEXT_ARGS(j->key));
		print_value(j);
		putchar('\n');
	}
}

int
ctl_print_object(struct ctl *ctl, const struct answer *answer)
{
	struct text detail;

	if (ctl->options.json) {
		ctl_print(answer->body);
		putchar('\n');
		return CTL_GOOD;
	}
	ctl_visible(ctl, answer->json);
	detail = ctl_member(answer->json, "detail");
	if (answer->json->count == 1 && detail.n > 0) {
		printf("%.*s\n", TEXT_ARGS(detail));
	} else {
		print_members(answer->json);
	}
	return CTL_GOOD;
}
