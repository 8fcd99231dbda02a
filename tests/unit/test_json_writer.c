#include "base/base.h"
#include "json/reader.h"
#include "json/writer.h"

#include <criterion/criterion.h>
#include <signal.h>

static struct arena *a;
static struct buf out;
static struct json_writer w;

static void
set_up(void)
{
	a = arena_new((size_t)1024 * 1024);
	buf_init(&out, a);
	json_writer_init(&w, a, json_sink_buf, &out, UUID_DASHED);
}

static void
tear_down(void)
{
	arena_free(&a);
}

TestSuite(json_writer, .init = set_up, .fini = tear_down);

static void
expect(const char *json)
{
	cr_expect(!json_failed(&w), "%s", json);
	cr_expect(text_eq(buf_text(&out), text_from(json)), "%s", buf_text(&out).s);
}

Test(json_writer, everything_compact)
{
	json_object(&w);
	json_member_text(&w, "text", T("a\"b\\c\n\x01/\u00f5\U0001f600"));
	json_member_text(&w, "none", TEXT_NONE);
	json_member_text(&w, "", T(""));
	json_key(&w, T("list"));
	json_array(&w);
	json_int(&w, INT64_MIN);
	json_int(&w, INT64_MAX);
	json_bool(&w, true);
	json_bool(&w, false);
	json_null(&w);
	json_array(&w);
	json_array_end(&w);
	json_object(&w);
	json_object_end(&w);
	json_raw(&w, T("{\"raw\": [1]}"));
	json_array_end(&w);
	json_object_end(&w);
	expect("{\"text\":\"a\\\"b\\\\c\\n\\u0001/\u00f5\U0001f600\",\"none\":null,\"\":\"\","
	       "\"list\":[-9223372036854775808,9223372036854775807,true,false,null,[],{},"
	       "{\"raw\": [1]}]}");
}

Test(json_writer, one_value_is_a_document)
{
	json_text(&w, T("x"));
	expect("\"x\"");
}

Test(json_writer, values_by_kind)
{
	struct uuid uuid = { { 0xa1, 0xb2 } };
	int64_t i = -5;
	bool b = true;
	struct value json = { .kind = KIND_JSON, .t = T("[1]") };

	json_array(&w);
	json_value(&w, V(i));
	json_value(&w, V(((struct maybe){ true, 6 })));
	json_value(&w, V(b));
	json_value(&w, V(T("t")));
	json_value(&w, V(uuid));
	json_value(&w, V(((struct stamp){ INT64_C(1795487636123456) })));
	json_value(&w, V(((struct date){ 2026, 11, 24 })));
	json_value(&w, json);
	json_array_end(&w);
	expect("[-5,6,true,\"t\",\"a1b20000-0000-0000-0000-000000000000\","
	       "\"2026-11-24T02:33:56.123456Z\",\"2026-11-24\",[1]]");
}

Test(json_writer, what_was_read)
{
	static const struct json_limits limits = { .depth = 4, .values = 20 };
	const char *document = "{\"a\":[1,-2.50,true,false,null,\"\\u0001\"],\"b\":{},\"c\":[[]]}";
	struct text problem;
	const struct json *json = json_read(text_from(document), &limits, a, &problem);

	cr_assert_not_null(json);
	json_tree(&w, json);
	expect(document);
}

Test(json_writer, nulls_by_kind)
{
	json_object(&w);
	json_member_value(&w, "maybe", V(((struct maybe){ 0 })));
	json_member_value(&w, "text", V(TEXT_NONE));
	json_member_value(&w, "uuid", V(((struct uuid){ { 0 } })));
	json_member_value(&w, "stamp", V(STAMP_NONE));
	json_member_value(&w, "date", V(DATE_NONE));
	json_object_end(&w);
	expect("{\"maybe\":null,\"text\":null,\"uuid\":null,\"stamp\":null,\"date\":null}");
}

Test(json_writer, uuids_in_hex)
{
	struct uuid uuid = { { 0xa1, 0xb2 } };

	json_writer_init(&w, a, json_sink_buf, &out, UUID_HEX);
	json_value(&w, V(uuid));
	expect("\"a1b20000000000000000000000000000\"");
}

/* A script of calls, a letter each; see play(). */
static void
play(const char *script)
{
	for (; *script != '\0'; script++) {
		switch (*script) {
		case '{':
			json_object(&w);
			break;
		case '}':
			json_object_end(&w);
			break;
		case '[':
			json_array(&w);
			break;
		case ']':
			json_array_end(&w);
			break;
		case 'k':
			json_key(&w, T("k"));
			break;
		case 'n':
			json_key(&w, TEXT_NONE);
			break;
		case 't':
			json_text(&w, T("t"));
			break;
		case '1':
			json_int(&w, 1);
			break;
		case 'r':
			json_raw(&w, T(""));
			break;
		case 'u':
			json_text(&w, T("\xff"));
			break;
		case 'o':
			json_text(&w, T("\xc0\x80"));
			break;
		case 's':
			json_raw(&w, T("\"\xed\xa0\x80\""));
			break;
		case 'U':
			json_key(&w, T("\xff"));
			break;
		}
	}
}

Test(json_writer, what_is_no_json_fails_and_stays_failed)
{
	static const struct {
		const char *script, *written; /* written: up to the first wrong call */
	} cases[] = {
		{ "", "" },
		{ "[", "[" },
		{ "{k1", "{\"k\":1" },
		{ "]", "" },
		{ "}", "" },
		{ "[}1", "[" },
		{ "{]", "{" },
		{ "[1]]1", "[1]" },
		{ "11", "1" },
		{ "[][]", "[]" },
		{ "1k", "1" },
		{ "k1", "" },
		{ "[k1]", "[" },
		{ "{1}", "{" },
		{ "{tt}", "{" },
		{ "{[]}", "{" },
		{ "{k}", "{\"k\"" },
		{ "{kk1}", "{\"k\"" },
		{ "{k11}", "{\"k\":1" },
		{ "{n1}", "{" },
		{ "[r]", "[" },
		{ "[1u1]", "[1" },
		{ "[o]", "[" },
		{ "[s]", "[" },
		{ "{U1}", "{" },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		buf_init(&out, a);
		json_writer_init(&w, a, json_sink_buf, &out, UUID_DASHED);
		play(cases[i].script);
		cr_expect(json_failed(&w), "%s", cases[i].script);
		cr_expect(text_eq(buf_text(&out), text_from(cases[i].written)), "%s: %s",
		    cases[i].script, buf_text(&out).s);
	}
}

Test(json_writer, deep_but_not_endless)
{
	for (int i = 0; i < 100; i++)
		json_array(&w);
	for (int i = 0; i < 100; i++)
		json_array_end(&w);
	cr_assert(!json_failed(&w));

	json_writer_init(&w, a, json_sink_buf, &out, UUID_DASHED);
	for (int i = 0; i < 1000; i++)
		json_array(&w);
	for (int i = 0; i < 1000; i++)
		json_array_end(&w);
	cr_assert(json_failed(&w));
}

/* Bytes have no form in JSON: a field table that gives them to a client is our mistake. */
Test(json_writer, bytes, .signal = SIGABRT)
{
	json_value(&w, value_bytes((struct bytes){ (const uint8_t *)"x", 1 }));
}
