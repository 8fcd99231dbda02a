#include "base/base.h"
#include "json/json_int.h"
#include "json/reader.h"

#include <yajl/yajl_parse.h>

#define SHOWN_KEY_BYTES 60 /* of a key in a message */

/* An array or object that is still open. */
struct level {
	struct level *outer;
	struct json *container, *last; /* last: its newest element or member, or NULL */
	size_t first_key;              /* its keys begin here among the reader's */
};

struct key {
	struct text name;
	size_t at;
};

struct reader {
	struct arena *arena;
	const struct json_limits *limits;
	yajl_handle yajl;
	struct text input; /* a copy, which the tree's texts point into */
	struct text problem;

	size_t at, end; /* the token that yajl has just found is input[at, end) */
	char separator; /* that may stand between it and the next one, or NUL */

	struct json *root;
	struct level *level;
	size_t depth, values;

	struct key *keys; /* of all open objects, outer ones first */
	size_t nkeys, keys_room;
};

static int
fail(struct reader *r, size_t at, const char *what)
{
	r->problem = arena_printf(r->arena, "%s at byte %zu", what, at);
	return 0;
}

static size_t
skip_space(struct text t, size_t at)
{
	while (at < t.n && memchr(" \t\r\n", t.s[at], 4) != NULL)
		at++;
	return at;
}

/*
 * Where the token after the last one begins. yajl tells only where tokens end, and that not
 * reliably when it refuses one.
 */
static size_t
next_token(const struct reader *r)
{
	size_t at = skip_space(r->input, r->end);

	if (r->separator != '\0' && at < r->input.n && r->input.s[at] == r->separator)
		at = skip_space(r->input, at + 1);
	return at;
}

static void
take_token(struct reader *r)
{
	r->at = next_token(r);
	r->end = yajl_get_bytes_consumed(r->yajl);
}

static void
append(struct reader *r, struct json *json)
{
	struct level *level = r->level;

	if (level == NULL) {
		r->root = json;
		return;
	}
	if (level->container->type == JSON_OBJECT)
		json->key = r->keys[r->nkeys - 1].name;
	if (level->last == NULL)
		level->container->first = json;
	else
		level->last->next = json;
	level->last = json;
	level->container->count++;
}

/* After a whole value. */
static void
expect_comma(struct reader *r)
{
	r->separator = r->level == NULL ? '\0' : ',';
}

/* Adds the value at the current token to the tree; NULL when there are too many. */
static struct json *
add_value(struct reader *r, enum json_type type)
{
	struct json *json;

	take_token(r);
	if (r->values == r->limits->values) {
		fail(r, r->at, "too many values");
		return NULL;
	}
	r->values++;
	json = arena_alloc(r->arena, sizeof(*json));
	json->type = type;
	append(r, json);
	expect_comma(r);
	return json;
}

static int
on_null(void *reader)
{
	return add_value(reader, JSON_NULL) != NULL;
}

static int
on_boolean(void *reader, int boolean)
{
	struct json *json = add_value(reader, JSON_BOOL);

	if (json == NULL)
		return 0;
	json->boolean = boolean != 0;
	return 1;
}

static int
on_number(void *reader, const char *s, size_t n)
{
	struct json *json = add_value(reader, JSON_NUMBER);

	if (json == NULL)
		return 0;
	json->text = (struct text){ s, n };
	if (text_to_int(json->text, &json->integer))
		json->type = JSON_INT;
	return 1;
}

/* The number in the four hex digits at p. */
static unsigned
hex4(const char *p)
{
	char digits[5] = { p[0], p[1], p[2], p[3] };

	return (unsigned)strtoul(digits, NULL, 16);
}

static bool
is_low_surrogate(unsigned unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

/*
 * The \u escape at position at of a string that yajl has accepted: its length together with a
 * low surrogate that belongs to it. 0 after a problem.
 */
static size_t
check_unicode(struct reader *r, struct text string, size_t at)
{
	unsigned unit = hex4(string.s + at + 2);
	struct text rest = text_slice(string, at + 6, string.n);
	size_t in_input = (size_t)(string.s - r->input.s) + at;

	if (unit == 0)
		return (size_t)fail(r, in_input, "U+0000 in a string");
	if (unit < 0xd800 || unit > 0xdfff)
		return 6;
	if (!is_low_surrogate(unit) && text_starts(rest, T("\\u")) &&
	    is_low_surrogate(hex4(rest.s + 2)))
		return 12;
	return (size_t)fail(r, in_input, "lone surrogate");
}

static bool
check_escapes(struct reader *r, struct text string)
{
	size_t at = 0, n;

	while ((at = text_find(string, '\\', at)) < string.n) {
		n = string.s[at + 1] == 'u' ? check_unicode(r, string, at) : 2;
		if (n == 0)
			return false;
		at += n;
	}
	return true;
}

/* The string at the current token, which yajl has decoded; none after a problem. */
static struct text
read_string(struct reader *r, const unsigned char *s, size_t n)
{
	struct text string = text_slice(r->input, r->at + 1, r->end - 1);

	if (text_find(string, '\\', 0) == string.n)
		return string;
	if (!check_escapes(r, string))
		return TEXT_NONE;
	return arena_text(r->arena, (struct text){ (const char *)s, n });
}

static int
on_string(void *reader, const unsigned char *s, size_t n)
{
	struct json *json = add_value(reader, JSON_TEXT);

	if (json == NULL)
		return 0;
	json->text = read_string(reader, s, n);
	return !text_is_none(json->text);
}

static int
open_container(struct reader *r, enum json_type type)
{
	struct level *level;
	struct json *json = add_value(r, type);

	if (json == NULL)
		return 0;
	if (r->depth == r->limits->depth)
		return fail(r, r->at, "nested too deeply");
	r->depth++;
	level = arena_alloc(r->arena, sizeof(*level));
	level->outer = r->level;
	level->container = json;
	level->first_key = r->nkeys;
	r->level = level;
	r->separator = '\0';
	return 1;
}

static int
close_container(void *reader)
{
	struct reader *r = reader;

	take_token(r);
	r->depth--;
	r->nkeys = r->level->first_key;
	r->level = r->level->outer;
	expect_comma(r);
	return 1;
}

static int
on_start_array(void *reader)
{
	return open_container(reader, JSON_ARRAY);
}

static int
on_start_map(void *reader)
{
	return open_container(reader, JSON_OBJECT);
}

static int
on_map_key(void *reader, const unsigned char *s, size_t n)
{
	struct reader *r = reader;
	size_t room = r->keys_room == 0 ? 16 : 2 * r->keys_room;
	struct text name;

	take_token(r);
	name = read_string(r, s, n);
	if (text_is_none(name))
		return 0;
	if (r->nkeys == r->keys_room) {
		r->keys = arena_grow(
		    r->arena, r->keys, r->nkeys * sizeof(*r->keys), room * sizeof(*r->keys));
		r->keys_room = room;
	}
	r->keys[r->nkeys++] = (struct key){ name, r->at };
	r->separator = ':';
	return 1;
}

/* By name, in any order that puts equal ones together, the earlier one first. */
static int
compare_keys(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	int order;

	if (x->name.n != y->name.n)
		return x->name.n < y->name.n ? -1 : 1;
	order = memcmp(x->name.s, y->name.s, x->name.n);
	return order != 0 ? order : (x->at > y->at) - (x->at < y->at);
}

static int
fail_duplicate(struct reader *r, const struct key *key)
{
	struct text shown = text_slice(key->name, 0, SHOWN_KEY_BYTES);

	shown.n = text_utf8_valid_to(shown);
	r->problem =
	    arena_printf(r->arena, "duplicate key \"%.*s\" at byte %zu", TEXT_ARGS(shown), key->at);
	return 0;
}

/* By sorting them, so that not each is compared with each. NULL when there is none. */
static const struct key *
find_duplicate(struct key *keys, size_t n)
{
	qsort(keys, n, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < n; i++)
		if (text_eq(keys[i - 1].name, keys[i].name))
			return &keys[i];
	return NULL;
}

static int
on_end_map(void *reader)
{
	struct reader *r = reader;
	size_t first = r->level->first_key, n = r->nkeys - first;
	const struct key *duplicate = n > 1 ? find_duplicate(r->keys + first, n) : NULL;

	return duplicate == NULL ? close_container(r) : fail_duplicate(r, duplicate);
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_start_map,
	.yajl_map_key = on_map_key,
	.yajl_end_map = on_end_map,
	.yajl_start_array = on_start_array,
	.yajl_end_array = close_container,
};

/* What yajl would let pass in the bytes themselves. */
static bool
check_bytes(struct reader *r)
{
	static const struct text mark = TEXT_INIT("\xef\xbb\xbf");
	size_t at;

	if (text_starts(r->input, mark))
		return fail(r, 0, "byte order mark");
	if ((at = text_utf8_valid_to(r->input)) < r->input.n)
		return fail(r, at, "invalid UTF-8");
	/* It takes the vertical tab and the form feed for white space. */
	if ((at = text_find(r->input, '\v', 0)) < r->input.n ||
	    (at = text_find(r->input, '\f', 0)) < r->input.n)
		return fail(r, at, "invalid character");
	return true;
}

/*
 * Where yajl has met what it refuses. It is exact inside strings, numbers and words; where none of
 * them begins, it has gone one too far or, by its state, anywhere.
 */
static size_t
error_position(const struct reader *r, bool lexical)
{
	size_t at = next_token(r);

	if (at < r->input.n && lexical && memchr("\"-0123456789tfn", r->input.s[at], 15) != NULL)
		return yajl_get_bytes_consumed(r->yajl);
	return at;
}

/* yajl's words are "lexical error: ...\n", some with a full stop. */
static void
explain(struct reader *r)
{
	const unsigned char *words = yajl_get_error(r->yajl, 0, NULL, 0);
	struct text what = text_trim(text_from((const char *)words));
	bool lexical = text_starts(what, T("lexical"));
	size_t at = error_position(r, lexical);

	if (at >= r->input.n) {
		fail(r, r->input.n, "unexpected end of input");
		return;
	}
	what = text_slice(what, text_find(what, ':', 0) + 2, what.n);
	if (what.n > 0 && what.s[what.n - 1] == '.')
		what.n--;
	fail(r, at, arena_text(r->arena, what).s);
}

/*
 * The input is copied with a line feed behind it. It ends any token, so that yajl sees the whole
 * text in one piece: its offsets count from the start, and its strings stay where they are.
 */
static void
copy_input(struct reader *r, struct text input)
{
	char *copy = arena_alloc(r->arena, input.n + 1);

	if (input.n > 0)
		memcpy(copy, input.s, input.n);
	copy[input.n] = '\n';
	r->input = (struct text){ copy, input.n };
}

static bool
parse(struct reader *r)
{
	yajl_alloc_funcs memory = json_memory(r->arena);
	yajl_status status;

	r->yajl = yajl_alloc(&callbacks, &memory, r);
	must(r->yajl != NULL);
	must(yajl_config(r->yajl, yajl_dont_validate_strings, 1)); /* check_bytes() has */
	status = yajl_parse(r->yajl, (const unsigned char *)r->input.s, r->input.n + 1);
	if (status == yajl_status_ok)
		status = yajl_complete_parse(r->yajl);
	if (status == yajl_status_error)
		explain(r);
	return status == yajl_status_ok;
}

struct json *
json_read(
    struct text input, const struct json_limits *limits, struct arena *a, struct text *problem)
{
	struct reader r = { .arena = a, .limits = limits };

	copy_input(&r, input);
	if (check_bytes(&r) && parse(&r))
		return r.root;
	*problem = r.problem;
	return NULL;
}

const struct json *
json_member(const struct json *object, struct text key)
{
	const struct json *member = object->first;

	while (member != NULL && !text_eq(member->key, key))
		member = member->next;
	return member;
}

const char *
json_type_name(enum json_type type)
{
	static const char *const names[] = {
		[JSON_NULL] = "null",
		[JSON_BOOL] = "bool",
		[JSON_INT] = "int",
		[JSON_NUMBER] = "float",
		[JSON_TEXT] = "str",
		[JSON_ARRAY] = "list",
		[JSON_OBJECT] = "dict",
		[JSON_FILE] = "file",
	};

	return names[type];
}
