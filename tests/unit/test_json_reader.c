#include "base/base.h"
#include "base/buf.h"
#include "json/reader.h"

#include <criterion/criterion.h>

static const struct json_limits limits = { .depth = 4, .values = 12 };
static const struct json_limits wide = { .depth = 1000, .values = 1000000 };

static struct arena *a;
static struct text problem;

static void
set_up(void)
{
	a = arena_new((size_t)256 * 1024 * 1024);
	problem = TEXT_NONE;
}

static void
tear_down(void)
{
	arena_free(&a);
}

TestSuite(json_reader, .init = set_up, .fini = tear_down);

/* The tree in a notation of its own: what was read and not only what was written. */
static void
dump(struct buf *b, const struct json *json)
{
	size_t n = 0;

	buf_printf(b, "%s", json_type_name(json->type));
	if (json->type == JSON_BOOL)
		buf_printf(b, " %d", json->boolean);
	else if (json->type == JSON_INT)
		buf_printf(b, " %jd", (intmax_t)json->integer);
	else if (json->type == JSON_NUMBER || json->type == JSON_TEXT)
		buf_printf(b, " <%.*s>", TEXT_ARGS(json->text));
	if (json->type != JSON_ARRAY && json->type != JSON_OBJECT)
		return;
	buf_add_char(b, '(');
	for (const struct json *j = json->first; j != NULL; j = j->next) {
		if (n++ > 0)
			buf_add_char(b, ' ');
		if (json->type == JSON_OBJECT)
			buf_printf(b, "%.*s=", TEXT_ARGS(j->key));
		else
			cr_assert(text_is_none(j->key));
		dump(b, j);
	}
	cr_assert_eq(n, json->count);
	buf_add_char(b, ')');
}

static struct text
read_and_dump(struct text input)
{
	const struct json *json = json_read(input, &limits, a, &problem);
	struct buf b;

	buf_init(&b, a);
	if (json == NULL)
		return problem;
	dump(&b, json);
	return buf_text(&b);
}

static const struct {
	struct text input;
	const char *tree;
} good[] = {
	{ TEXT_INIT("null"), "null" },
	{ TEXT_INIT("true"), "bool 1" },
	{ TEXT_INIT(" \t\r\nfalse \t\r\n"), "bool 0" },
	{ TEXT_INIT("0"), "int 0" },
	{ TEXT_INIT("-0"), "int 0" },
	{ TEXT_INIT("-12"), "int -12" },
	{ TEXT_INIT("9223372036854775807"), "int 9223372036854775807" },
	{ TEXT_INIT("-9223372036854775808"), "int -9223372036854775808" },
	{ TEXT_INIT("9223372036854775808"), "float <9223372036854775808>" },
	{ TEXT_INIT("1.0"), "float <1.0>" },
	{ TEXT_INIT("1e2"), "float <1e2>" },
	{ TEXT_INIT("-1.5E+30"), "float <-1.5E+30>" },
	{ TEXT_INIT("1e999"), "float <1e999>" },
	{ TEXT_INIT("\"\""), "str <>" },
	{ TEXT_INIT("\"a b\""), "str <a b>" },
	{ TEXT_INIT("\"J\u00f5gi \U0001f600 \uFFFD\""), "str <J\u00f5gi \U0001f600 \uFFFD>" },
	{ TEXT_INIT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), "str <\"\\/\b\f\n\r\t>" },
	{ TEXT_INIT("\"J\\u00f5\\u20AC\\ud83d\\uDE00!\""), "str <J\u00f5\u20ac\U0001f600!>" },
	{ TEXT_INIT("\"\\\\u0000 \\\\ud800\""), "str <\\u0000 \\ud800>" },
	{ TEXT_INIT("[]"), "list()" },
	{ TEXT_INIT("{}"), "dict()" },
	{ TEXT_INIT("[1, \"a\" ,[ ],{}\n]"), "list(int 1 str <a> list() dict())" },
	{ TEXT_INIT("{\"a\":1,\"b\" : {\"a\":[true,null]} , \"\":\"\"}"),
	    "dict(a=int 1 b=dict(a=list(bool 1 null)) =str <>)" },
	{ TEXT_INIT("{\"\\u0061\":{\"a\":1},\"A\":2,\"aa\":3}"),
	    "dict(a=dict(a=int 1) A=int 2 aa=int 3)" },
	{ TEXT_INIT("{\"x\":{\"k\":1},\"y\":{\"k\":1},\"k\":[{\"k\":1},{\"k\":1}]}"),
	    "dict(x=dict(k=int 1) y=dict(k=int 1) k=list(dict(k=int 1) dict(k=int 1)))" },
	{ TEXT_INIT("[[[[1]]]]"), "list(list(list(list(int 1))))" },
	{ TEXT_INIT("[1,2,3,4,5,6,7,8,9,10,11]"),
	    "list(int 1 int 2 int 3 int 4 int 5 int 6 int 7 int 8 int 9 int 10 int 11)" },
};

Test(json_reader, reads)
{
	struct text tree;

	for (size_t i = 0; i < countof(good); i++) {
		tree = read_and_dump(good[i].input);
		cr_expect(text_eq(tree, text_from(good[i].tree)), "case %zu: %s", i, tree.s);
	}
}

static const struct {
	struct text input;
	const char *problem;
} bad[] = {
	/* the end comes too early */
	{ { NULL, 0 }, "unexpected end of input at byte 0" },
	{ TEXT_INIT(""), "unexpected end of input at byte 0" },
	{ TEXT_INIT(" \n"), "unexpected end of input at byte 2" },
	{ TEXT_INIT("tru"), "unexpected end of input at byte 3" },
	{ TEXT_INIT("-"), "unexpected end of input at byte 1" },
	{ TEXT_INIT("1."), "unexpected end of input at byte 2" },
	{ TEXT_INIT("1e+"), "unexpected end of input at byte 3" },
	{ TEXT_INIT("\"abc"), "unexpected end of input at byte 4" },
	{ TEXT_INIT("\"abc\\"), "unexpected end of input at byte 5" },
	{ TEXT_INIT("\"\\u12"), "unexpected end of input at byte 5" },
	{ TEXT_INIT("[1, "), "unexpected end of input at byte 4" },
	{ TEXT_INIT("{\"a\" : "), "unexpected end of input at byte 7" },

	/* no JSON */
	{ TEXT_INIT("[1,,2]"), "unallowed token at this point in JSON text at byte 3" },
	{ TEXT_INIT("[1 , ]"), "unallowed token at this point in JSON text at byte 5" },
	{ TEXT_INIT("[1,\"ab\" \"cd\"]"), "after array element, I expect ',' or ']' at byte 8" },
	{ TEXT_INIT("[01]"), "after array element, I expect ',' or ']' at byte 2" },
	{ TEXT_INIT("[1:2]"), "after array element, I expect ',' or ']' at byte 2" },
	{ TEXT_INIT("[1}"), "after array element, I expect ',' or ']' at byte 2" },
	{ TEXT_INIT("]"), "unallowed token at this point in JSON text at byte 0" },
	{ TEXT_INIT(" ,"), "unallowed token at this point in JSON text at byte 1" },
	{ TEXT_INIT("{\"a\":1,}"), "invalid object key (must be a string) at byte 7" },
	{ TEXT_INIT("{ab:1}"), "invalid char in json text at byte 1" },
	{ TEXT_INIT("{1:1}"), "invalid object key (must be a string) at byte 1" },
	{ TEXT_INIT("{\"a\",1}"),
	    "object key and value must be separated by a colon (':') at byte 4" },
	{ TEXT_INIT("{\"a\" \"b\"}"),
	    "object key and value must be separated by a colon (':') at byte 5" },
	{ TEXT_INIT("{\"a\"::1}"), "unallowed token at this point in JSON text at byte 5" },
	{ TEXT_INIT("{\"a\":\"b\" \"c\":1}"),
	    "after key and value, inside map, I expect ',' or '}' at byte 9" },
	{ TEXT_INIT("{\"a\":1:2}"),
	    "after key and value, inside map, I expect ',' or '}' at byte 6" },
	{ TEXT_INIT("['a']"), "invalid char in json text at byte 1" },
	{ TEXT_INIT("[1, \u00f5]"), "invalid char in json text at byte 4" },
	{ TEXT_INIT("[nul]"), "invalid string in json text at byte 4" },
	{ TEXT_INIT("[True]"), "invalid char in json text at byte 1" },
	{ TEXT_INIT("[NaN, Infinity]"), "invalid char in json text at byte 1" },
	{ TEXT_INIT("[+1]"), "invalid char in json text at byte 1" },
	{ TEXT_INIT("[.5]"), "invalid char in json text at byte 1" },
	{ TEXT_INIT("[-a]"),
	    "malformed number, a digit is required after the minus sign at byte 2" },
	{ TEXT_INIT("[1.]"),
	    "malformed number, a digit is required after the decimal point at byte 3" },
	{ TEXT_INIT("[1e]"), "malformed number, a digit is required after the exponent at byte 3" },
	{ TEXT_INIT("[0x1]"), "invalid char in json text at byte 2" },
	{ TEXT_INIT("[1, /* x */ 2]"),
	    "probable comment found in input text, comments are not enabled at byte 4" },
	{ TEXT_INIT("[\"a\\qb\"]"),
	    "inside a string, '\\' occurs before a character which it may not at byte 4" },
	{ TEXT_INIT("[\"a\\u12x4\"]"),
	    "invalid (non-hex) character occurs after '\\u' inside string at byte 7" },
	{ TEXT_INIT("[\"a\nb\"]"), "invalid character inside string at byte 3" },
	{ TEXT_INIT("{\"a\tb\":1}"), "invalid character inside string at byte 3" },

	/* trailing garbage */
	{ TEXT_INIT("{} x"), "trailing garbage at byte 3" },
	{ TEXT_INIT("{} {}"), "trailing garbage at byte 3" },
	{ TEXT_INIT("{},"), "trailing garbage at byte 2" },
	{ TEXT_INIT("1 2"), "trailing garbage at byte 2" },
	{ TEXT_INIT("1 \"abc\""), "trailing garbage at byte 2" },
	{ TEXT_INIT("null\n\n\"ab"), "trailing garbage at byte 6" },
	{ TEXT_INIT("[]]"), "trailing garbage at byte 2" },

	/* what yajl would let pass */
	{ TEXT_INIT("\xef\xbb\xbf{}"), "byte order mark at byte 0" },
	{ TEXT_INIT("{}\0"), "trailing garbage at byte 2" },
	{ TEXT_INIT("[\0]"), "invalid char in json text at byte 1" },
	{ TEXT_INIT("[\"\0\"]"), "invalid character inside string at byte 2" },
	{ TEXT_INIT("[1,\v2]"), "invalid character at byte 3" },
	{ TEXT_INIT("\f[]"), "invalid character at byte 0" },
	{ TEXT_INIT("[\"ab\xff\"]"), "invalid UTF-8 at byte 4" },
	{ TEXT_INIT("[\"\xc0\x80\"]"), "invalid UTF-8 at byte 2" },
	{ TEXT_INIT("[\"\xed\xa0\x80\"]"), "invalid UTF-8 at byte 2" },
	{ TEXT_INIT("[\"\xf4\x90\x80\x80\"]"), "invalid UTF-8 at byte 2" },
	{ TEXT_INIT("[\"abc\", \"de\\u0000\"]"), "U+0000 in a string at byte 11" },
	{ TEXT_INIT("{\"\\\\a\\u0000\":1}"), "U+0000 in a string at byte 5" },
	{ TEXT_INIT("\"\\ud800\""), "lone surrogate at byte 1" },
	{ TEXT_INIT("\"\\uDFFF\""), "lone surrogate at byte 1" },
	{ TEXT_INIT("\"\\ud83d\\ude00\\ude00\""), "lone surrogate at byte 13" },
	{ TEXT_INIT("\"\\ud83d\\ud83d\\ude00\""), "lone surrogate at byte 1" },
	{ TEXT_INIT("\"\\ud83dx\\ude00\""), "lone surrogate at byte 1" },
	{ TEXT_INIT("\"\\ud83d\\n\\ude00\""), "lone surrogate at byte 1" },
	{ TEXT_INIT("\"\\ud83d\\u0041\""), "lone surrogate at byte 1" },
	{ TEXT_INIT("{\"\\ud800\":1}"), "lone surrogate at byte 2" },

	/* duplicate keys, however they are written */
	{ TEXT_INIT("{\"a\":1,\"a\":1}"), "duplicate key \"a\" at byte 7" },
	{ TEXT_INIT("{\"a\":1, \"b\":2, \"\\u0061\":3}"), "duplicate key \"a\" at byte 15" },
	{ TEXT_INIT("[{\"\":1,\"\":[]}]"), "duplicate key \"\" at byte 7" },
	{ TEXT_INIT("{\"k\":{\"a\":1},\"b\":1,\"k\":2}"), "duplicate key \"k\" at byte 19" },
	{ TEXT_INIT("{\"b\":{\"a\":1,\"b\":2,\"a\":3},\"b\":4}"),
	    "duplicate key \"a\" at byte 18" },
	{ TEXT_INIT("{\"a23456789 123456789 123456789 123456789 123456789 12345678\u00f5\":1,"
		    "\"a23456789 123456789 123456789 123456789 123456789 12345678\u00f5\":1}"),
	    "duplicate key \"a23456789 123456789 123456789 123456789 123456789 12345678\u00f5\" at byte 66" },
	{ TEXT_INIT("{\"a23456789 123456789 123456789 123456789 123456789 123456789\u00f5\":1,"
		    "\"a23456789 123456789 123456789 123456789 123456789 123456789\u00f5\":1}"),
	    "duplicate key \"a23456789 123456789 123456789 123456789 123456789 123456789\" at byte 67" },

	/* limits */
	{ TEXT_INIT("[[[[[1]]]]]"), "nested too deeply at byte 4" },
	{ TEXT_INIT("{\"a\":[{\"b\": [[]]}]}"), "nested too deeply at byte 13" },
	{ TEXT_INIT("[1,2,3,4,5,6,7,8,9,10,11,12]"), "too many values at byte 25" },
	{ TEXT_INIT("[[],{},[],{},[],{},[],{},[],{},[],{}]"), "too many values at byte 34" },
};

Test(json_reader, refuses_with_the_byte)
{
	struct text said;

	for (size_t i = 0; i < countof(bad); i++) {
		said = read_and_dump(bad[i].input);
		cr_expect(text_eq(said, text_from(bad[i].problem)), "case %zu: %s", i, said.s);
	}
}

/* Cut anywhere, a document is not whole, and the byte is where it was cut. */
Test(json_reader, cut_anywhere)
{
	static const struct text whole = TEXT_INIT(
	    "{\"a\": [1, -2.5e3, true, null], \"b\\u00f5\": {\"\\ud83d\\ude00\": \"x\\n\"}}");
	struct text said;

	cr_assert(json_read(whole, &limits, a, &problem) != NULL);
	for (size_t n = 0; n < whole.n; n++) {
		said = read_and_dump(text_slice(whole, 0, n));
		cr_expect(text_eq(said, arena_printf(a, "unexpected end of input at byte %zu", n)),
		    "%zu: %s", n, said.s);
	}
}

/* Any byte in any place is read or refused, at a byte of the input. */
Test(json_reader, any_byte_anywhere)
{
	static const char whole[] =
	    "{\"a\": [1, -2.5e3, true, null], \"b\\u00f5\": {\"\\ud83d\\ude00\": \"x\\n\"}}";
	struct arena_mark mark = arena_mark(a);
	char changed[sizeof(whole) - 1];
	struct text at, said;
	int64_t byte;

	for (size_t i = 0; i < sizeof(changed); i++) {
		for (int c = 0; c < 256; c++) {
			memcpy(changed, whole, sizeof(changed));
			changed[i] = (char)c;
			if (json_read((struct text){ changed, sizeof(changed) }, &limits, a,
				&said) == NULL) {
				at = said;
				while (text_find(at, ' ', 0) < at.n)
					at = text_slice(at, text_find(at, ' ', 0) + 1, at.n);
				cr_assert(text_to_int(at, &byte), "%s", said.s);
				cr_assert(byte <= (int64_t)sizeof(changed), "%s", said.s);
			}
			arena_rewind(a, mark);
		}
	}
}

Test(json_reader, a_million_levels)
{
	static char deep[1000000];
	struct text input = { deep, sizeof(deep) };

	memset(deep, '[', sizeof(deep));
	cr_assert(json_read(input, &limits, a, &problem) == NULL);
	cr_assert(text_eq(problem, T("nested too deeply at byte 4")));
	for (size_t i = 0; i < sizeof(deep); i += 5)
		memcpy(deep + i, "{\"a\":", 5);
	cr_assert(json_read(input, &wide, a, &problem) == NULL);
	cr_assert(text_eq(problem, T("nested too deeply at byte 5000")));
}

/* With a comparison of each key with each this would take minutes. */
Test(json_reader, many_keys, .timeout = 30)
{
	struct buf b;
	struct json *json;

	buf_init(&b, a);
	buf_add_char(&b, '{');
	for (int i = 0; i < 200000; i++)
		buf_printf(&b, "\"key-%06d\":%d,", i, i);
	buf_add(&b, T("\"last\":0}"));
	json = json_read(buf_text(&b), &wide, a, &problem);
	cr_assert(json != NULL, "%s", problem.s);
	cr_assert_eq(json->count, 200001);

	b.n -= strlen("last\":0}");
	buf_add(&b, T("key-000000\":0}"));
	cr_assert(json_read(buf_text(&b), &wide, a, &problem) == NULL);
	cr_assert(
	    text_eq(problem, arena_printf(a, "duplicate key \"key-000000\" at byte %zu", b.n - 15)),
	    "%s", problem.s);
}

/* The tree is the arena's: what was read may change afterwards. */
Test(json_reader, keeps_its_own_copy)
{
	char input[] = "{\"key\":\"text\",\"n\":1.5}";
	struct json *json = json_read(text_from(input), &limits, a, &problem);

	memset(input, 'x', sizeof(input));
	cr_assert(text_eq(json_member(json, T("key"))->text, T("text")));
	cr_assert(text_eq(json_member(json, T("n"))->text, T("1.5")));
}

Test(json_reader, members)
{
	struct json *json = json_read(T("{\"a\":1,\"b\":{\"c\":3},\"\":4}"), &limits, a, &problem);

	cr_assert_eq(json_member(json, T("a"))->integer, 1);
	cr_assert_eq(json_member(json, T(""))->integer, 4);
	cr_assert_eq(json_member(json_member(json, T("b")), T("c"))->integer, 3);
	cr_assert(json_member(json, T("c")) == NULL);
	cr_assert(json_member(json_member(json, T("a")), T("x")) == NULL);
	cr_assert_str_eq(json_type_name(JSON_FILE), "file");
}
