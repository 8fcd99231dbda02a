#include "base/base.h"
#include "json/json_int.h"
#include "json/reader.h"
#include "json/writer.h"

#include <yajl/yajl_gen.h>

/*
 * What yajl does not check: that a key is followed by a value, that only a member has a key, that
 * what is closed was open, that all was closed, and UTF-8 to the letter.
 */
struct generator {
	yajl_gen yajl;
	size_t depth;
	bool in_object[YAJL_MAX_DEPTH]; /* by depth; 0 is the document itself */
	bool keyed;                     /* a key was written and waits for its value */
	bool complete;
};

void
json_writer_init(
    struct json_writer *w, struct arena *a, json_sink *sink, void *ctx, enum uuid_form form)
{
	yajl_alloc_funcs memory = json_memory(a);
	struct generator *g = arena_alloc(a, sizeof(*g));

	g->yajl = yajl_gen_alloc(&memory);
	must(g->yajl != NULL);
	must(yajl_gen_config(g->yajl, yajl_gen_print_callback, sink, ctx));
	*w = (struct json_writer){ .gen = g, .sink = sink, .ctx = ctx, .uuid_form = form };
}

void
json_sink_buf(void *buf, const char *s, size_t n)
{
	buf_add(buf, (struct text){ s, n });
}

/* Keeps the first thing that went wrong; false when something has. */
static bool
keep(struct json_writer *w, bool good)
{
	w->failed = w->failed || !good;
	return !w->failed;
}

static bool
value_fits(struct json_writer *w)
{
	const struct generator *g = w->gen;

	return keep(w, !g->complete && g->keyed == g->in_object[g->depth]);
}

static void
value_written(struct json_writer *w, yajl_gen_status status)
{
	struct generator *g = w->gen;

	keep(w, status == yajl_gen_status_ok);
	g->keyed = false;
	g->complete = g->depth == 0;
}

static void
enter(struct json_writer *w, yajl_gen_status (*write)(yajl_gen), bool object)
{
	struct generator *g = w->gen;

	if (!value_fits(w) || !keep(w, write(g->yajl) == yajl_gen_status_ok))
		return;
	g->in_object[++g->depth] = object;
	g->keyed = false;
}

static void
leave(struct json_writer *w, yajl_gen_status (*write)(yajl_gen), bool object)
{
	struct generator *g = w->gen;

	if (!keep(w, g->depth > 0 && g->in_object[g->depth] == object && !g->keyed))
		return;
	g->depth--;
	value_written(w, write(g->yajl));
}

void
json_object(struct json_writer *w)
{
	enter(w, yajl_gen_map_open, true);
}

void
json_object_end(struct json_writer *w)
{
	leave(w, yajl_gen_map_close, true);
}

void
json_array(struct json_writer *w)
{
	enter(w, yajl_gen_array_open, false);
}

void
json_array_end(struct json_writer *w)
{
	leave(w, yajl_gen_array_close, false);
}

static yajl_gen_status
write_string(struct generator *g, struct text t)
{
	return yajl_gen_string(g->yajl, (const unsigned char *)t.s, t.n);
}

void
json_key(struct json_writer *w, struct text key)
{
	struct generator *g = w->gen;
	bool fits = g->in_object[g->depth] && !g->keyed && !text_is_none(key);

	if (!keep(w, fits && text_is_utf8(key)))
		return;
	keep(w, write_string(g, key) == yajl_gen_status_ok);
	g->keyed = true;
}

void
json_text(struct json_writer *w, struct text t)
{
	if (text_is_none(t)) {
		json_null(w);
		return;
	}
	if (value_fits(w) && keep(w, text_is_utf8(t)))
		value_written(w, write_string(w->gen, t));
}

void
json_int(struct json_writer *w, int64_t i)
{
	struct generator *g = w->gen;

	if (value_fits(w))
		value_written(w, yajl_gen_integer(g->yajl, i));
}

void
json_bool(struct json_writer *w, bool b)
{
	struct generator *g = w->gen;

	if (value_fits(w))
		value_written(w, yajl_gen_bool(g->yajl, b));
}

void
json_null(struct json_writer *w)
{
	struct generator *g = w->gen;

	if (value_fits(w))
		value_written(w, yajl_gen_null(g->yajl));
}

void
json_raw(struct json_writer *w, struct text json)
{
	struct generator *g = w->gen;

	/* yajl writes a number as it is given, whatever that is. */
	if (value_fits(w) && keep(w, json.n > 0 && text_is_utf8(json)))
		value_written(w, yajl_gen_number(g->yajl, json.s, json.n));
}

static void
write_value(struct json_writer *w, struct value v)
{
	_Static_assert(UUID_SIZE >= STAMP_SIZE && UUID_SIZE >= DATE_SIZE, "all must fit");
	char out[UUID_SIZE];

	switch (v.kind) {
	case KIND_INT:
	case KIND_MAYBE:
		json_int(w, v.i);
		return;
	case KIND_BOOL:
		json_bool(w, v.b);
		return;
	case KIND_TEXT:
		json_text(w, v.t);
		return;
	case KIND_JSON:
		json_raw(w, v.t);
		return;
	case KIND_UUID:
		json_text(w, uuid_print(v.u, w->uuid_form, out));
		return;
	case KIND_STAMP:
		json_text(w, stamp_print(v.s, out));
		return;
	case KIND_DATE:
		json_text(w, date_print(v.d, out));
		return;
	case KIND_BYTES:
	case KIND_NONE:
		break;
	}
	unreachable();
}

void
json_value(struct json_writer *w, struct value v)
{
	if (v.null)
		json_null(w);
	else
		write_value(w, v);
}

void
json_member_text(struct json_writer *w, const char *key, struct text t)
{
	json_key(w, text_from(key));
	json_text(w, t);
}

void
json_member_value(struct json_writer *w, const char *key, struct value v)
{
	json_key(w, text_from(key));
	json_value(w, v);
}

bool
json_failed(const struct json_writer *w)
{
	const struct generator *g = w->gen;

	return w->failed || !g->complete;
}

void
json_tree(struct json_writer *w, const struct json *json)
{
	bool object = json->type == JSON_OBJECT;

	switch (json->type) {
	case JSON_NULL:
		json_null(w);
		break;
	case JSON_BOOL:
		json_bool(w, json->boolean);
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		(object ? json_object : json_array)(w);
		for (const struct json *j = json->first; j != NULL; j = j->next) {
			if (object)
				json_key(w, j->key);
			json_tree(w, j);
		}
		(object ? json_object_end : json_array_end)(w);
		break;
	case JSON_TEXT:
		json_text(w, json->text);
		break;
	default:
		json_raw(w, json->text);
		break;
	}
}
