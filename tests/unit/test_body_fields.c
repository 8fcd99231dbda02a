#include "base/base.h"
#include "fake_request.h"
#include "http/body.h"

TestSuite(body_fields, .init = fake_set_up, .fini = fake_tear_down);

static const char *
check_letter(struct text t)
{
	return t.s[0] == 'a' ? NULL : "Must begin with a.";
}

static const struct input plain = { .kind = KIND_TEXT };
static const struct input strict = {
	.kind = KIND_TEXT,
	.max = 4,
	.required = true,
	.filled = true,
	.check = check_letter,
};
static const struct input untrimmed = { .kind = KIND_TEXT, .untrimmed = true, .filled = true };
static const struct input nullable = { .kind = KIND_TEXT, .nullable = true };
static const char *const types[] = { "TOS", "PP", NULL };
static const struct input choice = { .kind = KIND_TEXT, .choices = types };
static const struct input picture = { .kind = KIND_UUID, .max = 5, .nullable = true };
static const struct input boolean = { .kind = KIND_BOOL };
static const struct input integer = { .kind = KIND_INT, .required = true };
static const struct input lifetime = {
	.kind = KIND_MAYBE,
	.nullable = true,
	.bounded = true,
	.min = 60,
	.max = 2147483647,
};
static const struct input date = { .kind = KIND_DATE, .nullable = true };
static const struct input stamp = { .kind = KIND_STAMP };
static const struct input uuid = { .kind = KIND_UUID };

/* A value as text, with its kind's first letter. */
static struct text
show(struct value v)
{
	static const char letters[] = "-imbt-usd";
	char s[UUID_SIZE > STAMP_SIZE ? UUID_SIZE : STAMP_SIZE];
	struct text t;

	if (v.null)
		return arena_printf(fake.rq.arena, "%c null", letters[v.kind]);
	switch (v.kind) {
	case KIND_INT:
	case KIND_MAYBE:
		t = arena_printf(fake.rq.arena, "%lld", (long long)v.i);
		break;
	case KIND_BOOL:
		t = v.b ? T("true") : T("false");
		break;
	case KIND_TEXT:
		cr_assert(!text_is_none(v.t));
		t = v.t;
		break;
	case KIND_UUID:
		t = uuid_print(v.u, UUID_DASHED, s);
		break;
	case KIND_STAMP:
		t = stamp_print(v.s, s);
		break;
	case KIND_DATE:
		t = date_print(v.d, s);
		break;
	default:
		unreachable();
	}
	return arena_printf(fake.rq.arena, "%c %.*s", letters[v.kind], TEXT_ARGS(t));
}

/* What input_read() makes of a value: itself, or the problems joined by " | ", or "" for neither. */
static struct text
result(const struct input *in, const struct json *json)
{
	struct value value;
	struct buf b;

	reply_clear(&fake.rq);
	if (input_read(&fake.rq, in, T("x"), json, &value)) {
		cr_assert(!problems_found(&fake.rq));
		cr_assert_eq(value.kind, in->kind);
		return show(value);
	}
	buf_init(&b, fake.rq.arena);
	for (struct problem *p = fake.rq.problems; p != NULL; p = p->next) {
		assert_text(p->field, T("x"));
		if (b.n > 0)
			buf_add(&b, T(" | "));
		buf_add(&b, p->message);
	}
	return buf_text(&b);
}

#define REQUIRED "This field is required."
#define NOT_NULL "This field may not be null."
#define NOT_BLANK "This field may not be blank."
#define NOT_TEXT "Not a valid string."
#define NOT_BOOL "Must be a valid boolean."
#define NOT_INT "A valid integer is required."
#define NOT_DATE "Date has wrong format. Use one of these formats instead: YYYY-MM-DD."
#define NOT_STAMP                                                       \
	"Datetime has wrong format. Use one of these formats instead: " \
	"YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
#define NOT_UUID "Must be a valid UUID."
#define AT_LEAST "Ensure this value is greater than or equal to "
#define AT_MOST "Ensure this value is less than or equal to "

static const struct {
	const struct input *in;
	const char *json; /* the member's value; NULL: absent */
	const char *result;
} json_cases[] = {
	{ &plain, NULL, "" },
	{ &plain, "\"a\"", "t a" },
	{ &plain, "\" \\t a b\\u00a0\\n\"", "t a b" },
	{ &plain, "\"\"", "t " },
	{ &plain, "\"  \"", "t " },
	{ &plain, "null", NOT_NULL },
	{ &plain, "7", "t 7" },
	{ &plain, "-7.50e3", "t -7.50e3" },
	{ &plain, "true", NOT_TEXT },
	{ &plain, "[\"a\"]", NOT_TEXT },
	{ &plain, "{}", NOT_TEXT },

	{ &strict, NULL, REQUIRED },
	{ &strict, "null", NOT_NULL },
	{ &strict, "\"\"", NOT_BLANK },
	{ &strict, "\" \\u3000 \"", NOT_BLANK },
	{ &strict, "\"aaaa\"", "t aaaa" },
	{ &strict, "\" aaaa \"", "t aaaa" },
	{ &strict, "\"a\\u00f5\\ud83d\\ude00z\"", "t a\xc3\xb5\xf0\x9f\x98\x80z" },
	{ &strict, "\"aaaaa\"", "Ensure this field has no more than 4 characters." },
	{ &strict, "\"b\"", "Must begin with a." },
	{ &strict, "\"bbbbb\"",
	    "Must begin with a. | Ensure this field has no more than 4 characters." },
	{ &strict, "12345",
	    "Must begin with a. | Ensure this field has no more than 4 characters." },
	{ &strict, "false", NOT_TEXT },

	{ &untrimmed, "\" a \"", "t  a " },
	{ &untrimmed, "\"  \"", "t   " },
	{ &untrimmed, "\"\"", NOT_BLANK },
	{ &nullable, "null", "t null" },
	{ &nullable, "\"\"", "t " },

	{ &boolean, NULL, "" },
	{ &boolean, "true", "b true" },
	{ &boolean, "false", "b false" },
	{ &boolean, "1", "b true" },
	{ &boolean, "0", "b false" },
	{ &boolean, "\"TRUE\"", "b true" },
	{ &boolean, "\"t\"", "b true" },
	{ &boolean, "\"Yes\"", "b true" },
	{ &boolean, "\"y\"", "b true" },
	{ &boolean, "\"on\"", "b true" },
	{ &boolean, "\"1\"", "b true" },
	{ &boolean, "\"False\"", "b false" },
	{ &boolean, "\"F\"", "b false" },
	{ &boolean, "\"no\"", "b false" },
	{ &boolean, "\"n\"", "b false" },
	{ &boolean, "\"oFF\"", "b false" },
	{ &boolean, "\"0\"", "b false" },
	{ &boolean, "2", NOT_BOOL },
	{ &boolean, "\"\"", NOT_BOOL },
	{ &boolean, "\"maybe\"", NOT_BOOL },
	{ &boolean, "[true]", NOT_BOOL },
	{ &boolean, "{}", NOT_BOOL },
	{ &boolean, "null", NOT_NULL },

	{ &integer, NULL, REQUIRED },
	{ &integer, "7", "i 7" },
	{ &integer, "\"7\"", "i 7" },
	{ &integer, "\" 7 \"", "i 7" },
	{ &integer, "\"+7\"", "i 7" },
	{ &integer, "7.0", "i 7" },
	{ &integer, "\"7.00\"", "i 7" },
	{ &integer, "\"7.\"", "i 7" },
	{ &integer, "-0", "i 0" },
	{ &integer, "1000", "i 1000" },
	{ &integer, "9223372036854775807", "i 9223372036854775807" },
	{ &integer, "-9223372036854775808", "i -9223372036854775808" },
	{ &integer, "9223372036854775808", AT_MOST "9223372036854775807." },
	{ &integer, "\"-9223372036854775809.0\"", AT_LEAST "-9223372036854775808." },
	{ &integer, "7.5", NOT_INT },
	{ &integer, "7.05", NOT_INT },
	{ &integer, "1e3", NOT_INT },
	{ &integer, "\"\"", NOT_INT },
	{ &integer, "\" \"", NOT_INT },
	{ &integer, "\".0\"", NOT_INT },
	{ &integer, "\"-\"", NOT_INT },
	{ &integer, "\"--7\"", NOT_INT },
	{ &integer, "\"0x7\"", NOT_INT },
	{ &integer, "\"7 7\"", NOT_INT },
	{ &integer, "\"seven\"", NOT_INT },
	{ &integer, "true", NOT_INT },
	{ &integer, "[7]", NOT_INT },
	{ &integer, "{}", NOT_INT },
	{ &integer, "null", NOT_NULL },

	{ &lifetime, NULL, "" },
	{ &lifetime, "null", "m null" },
	{ &lifetime, "60", "m 60" },
	{ &lifetime, "2147483647", "m 2147483647" },
	{ &lifetime, "59", AT_LEAST "60." },
	{ &lifetime, "-99999999999999999999", AT_LEAST "60." },
	{ &lifetime, "2147483648", AT_MOST "2147483647." },
	{ &lifetime, "99999999999999999999", AT_MOST "2147483647." },
	{ &lifetime, "\"\"", NOT_INT },

	{ &date, "\"2024-02-29\"", "d 2024-02-29" },
	{ &date, "null", "d null" },
	{ &date, "\"2023-02-29\"", NOT_DATE },
	{ &date, "\"2024-02-29T00:00:00Z\"", NOT_DATE },
	{ &date, "\"\"", NOT_DATE },
	{ &date, "20240229", NOT_DATE },
	{ &date, "[]", NOT_DATE },

	{ &stamp, "\"2025-11-24T02:31:00.123456+02:00\"", "s 2025-11-24T00:31:00.123456Z" },
	{ &stamp, "\"2025-11-24\"", "s 2025-11-24T00:00:00Z" },
	{ &stamp, "\"2025-11-24T25:00\"", NOT_STAMP },
	{ &stamp, "\"\"", NOT_STAMP },
	{ &stamp, "7", NOT_STAMP },
	{ &stamp, "null", NOT_NULL },

	{ &uuid, "\"A1B2C3D4E5F67890ABCDEF1234567890\"", "u a1b2c3d4-e5f6-7890-abcd-ef1234567890" },
	{ &uuid, "\"a1b2c3d4-e5f6-7890-abcd-ef1234567890\"",
	    "u a1b2c3d4-e5f6-7890-abcd-ef1234567890" },
	{ &uuid, "\"a1b2\"", NOT_UUID },
	{ &uuid, "\"\"", NOT_UUID },
	{ &uuid, "7", NOT_UUID },
	{ &uuid, "{}", NOT_UUID },

	{ &choice, "\"PP\"", "t PP" },
	{ &choice, "\"pp\"", "\"pp\" is not a valid choice." },
	{ &choice, "\" PP\"", "\" PP\" is not a valid choice." },
	{ &choice, "\"\"", "\"\" is not a valid choice." },
	{ &choice, "7", "\"7\" is not a valid choice." },
	{ &choice, "true", NOT_TEXT },
	{ &choice, "null", NOT_NULL },
};

Test(body_fields, json_values)
{
	static const struct json_limits limits = { 10, 100 };
	const struct json *json;
	struct text input, problem;

	for (size_t i = 0; i < countof(json_cases); i++) {
		input = arena_printf(
		    fake.rq.arena, "[%s]", json_cases[i].json != NULL ? json_cases[i].json : "");
		json = json_read(input, &limits, fake.rq.arena, &problem);
		cr_assert_not_null(json, "%s", json_cases[i].json);
		assert_text(result(json_cases[i].in, json->first), text_from(json_cases[i].result));
	}
}

static const struct {
	const struct input *in;
	struct text value; /* none: absent */
	const char *result;
} form_cases[] = {
	{ &plain, { NULL, 0 }, "" },
	{ &plain, TEXT_INIT(""), "t " },
	{ &plain, TEXT_INIT(" a "), "t a" },
	{ &plain, TEXT_INIT("a\0b"), "Null characters are not allowed." },
	{ &plain, TEXT_INIT("\0"), "Null characters are not allowed." },
	{ &strict, TEXT_INIT("b\0bbbb"), "Null characters are not allowed." },
	{ &strict, TEXT_INIT(""), NOT_BLANK },
	{ &nullable, TEXT_INIT(""), "t " },
	{ &boolean, TEXT_INIT("True"), "b true" },
	{ &boolean, TEXT_INIT("False"), "b false" },
	{ &boolean, TEXT_INIT("false"), "b false" },
	{ &boolean, TEXT_INIT(""), "" },
	{ &boolean, TEXT_INIT("t\0"), NOT_BOOL },
	{ &integer, TEXT_INIT("7"), "i 7" },
	{ &integer, TEXT_INIT("7\0"), NOT_INT },
	{ &integer, TEXT_INIT(""), NOT_INT },
	{ &lifetime, TEXT_INIT(""), "m null" },
	{ &lifetime, TEXT_INIT("null"), NOT_INT },
	{ &lifetime, TEXT_INIT("60"), "m 60" },
	{ &date, TEXT_INIT(""), "d null" },
	{ &date, TEXT_INIT("2024-02-29"), "d 2024-02-29" },
	{ &stamp, TEXT_INIT(""), "" },
};

Test(body_fields, form_values)
{
	fake.rq.body_is_form = true;
	for (size_t i = 0; i < countof(form_cases); i++) {
		struct json json = { .type = JSON_TEXT, .text = form_cases[i].value };
		bool absent = text_is_none(json.text);

		assert_text(result(form_cases[i].in, absent ? NULL : &json),
		    text_from(form_cases[i].result));
	}
}

Test(body_fields, files)
{
	static const struct {
		const struct input *in;
		const char *result;
	} cases[] = {
		{ &plain, NOT_TEXT },
		{ &boolean, NOT_BOOL },
		{ &integer, NOT_INT },
		{ &date, NOT_DATE },
		{ &stamp, NOT_STAMP },
		{ &uuid, NOT_UUID },
	};
	static const struct json file = { .type = JSON_FILE, .text = TEXT_INIT("1") };

	fake.rq.body_is_form = true;
	for (size_t i = 0; i < countof(cases); i++)
		assert_text(result(cases[i].in, &file), text_from(cases[i].result));
}

Test(body_fields, a_file_is_wanted)
{
	static const char not_a_file[] =
	    "The submitted data was not a file. Check the encoding type on the form.";
	static const struct {
		struct json json;
		bool form;
		bool file;
		const char *problem; /* NULL: none */
	} cases[] = {
		{ { .type = JSON_NULL }, false, false, NULL },
		{ { .type = JSON_TEXT, .text = TEXT_INIT("") }, true, false, NULL },
		{ { .type = JSON_TEXT, .text = TEXT_INIT("") }, false, false, not_a_file },
		{ { .type = JSON_TEXT, .text = TEXT_INIT("x") }, true, false, not_a_file },
		{ { .type = JSON_OBJECT }, false, false, not_a_file },
		{ { .type = JSON_FILE, .text = TEXT_INIT("x"), .filename = TEXT_INIT("a.png") },
		    true, true, NULL },
		{ { .type = JSON_FILE, .text = TEXT_INIT("x"), .filename = TEXT_INIT("ab.png") },
		    true, true, "Ensure this filename has at most 5 characters (it has 6)." },
		{ { .type = JSON_FILE, .text = TEXT_INIT("x"), .filename = TEXT_INIT("") }, true,
		    true, "No filename could be determined." },
		{ { .type = JSON_FILE, .text = TEXT_INIT(""), .filename = TEXT_INIT("a") }, true,
		    true, "The submitted file is empty." },
	};
	const struct json *file;

	for (size_t i = 0; i < countof(cases); i++) {
		reply_clear(&fake.rq);
		fake.rq.body_is_form = cases[i].form;
		cr_assert_eq(input_file(&fake.rq, &picture, T("x"), &cases[i].json, &file),
		    cases[i].problem == NULL);
		cr_assert_eq(file, cases[i].file ? &cases[i].json : NULL);
		cr_assert_eq(problems_found(&fake.rq), cases[i].problem != NULL);
		if (cases[i].problem != NULL)
			assert_text(fake.rq.problems->message, text_from(cases[i].problem));
	}
}

Test(body_fields, long_number)
{
	char s[1002];
	struct json json = { .type = JSON_TEXT, .text = { s, 1001 } };

	memset(s, '7', sizeof(s));
	assert_text(result(&integer, &json), T("String value too large."));
	json.text.n = 1000;
	assert_text(result(&integer, &json), T(AT_MOST "9223372036854775807."));
}

struct everything {
	struct text name, note;
	bool flag;
	int64_t number;
	struct maybe lifetime;
	struct date birth;
	struct stamp until;
	struct uuid user;
};

static const struct body_field everything_body[] = {
	BODY(everything, name, NULL, NULL, .required = true, .max = 5),
	BODY(everything, note, NULL, NULL, .nullable = true),
	BODY(everything, flag, NULL, NULL),
	BODY(everything, number, NULL, NULL, .required = true),
	BODY(everything, lifetime, NULL, NULL, .nullable = true, .bounded = true, .min = 60,
	    .max = 100),
	BODY(everything, birth, NULL, NULL, .nullable = true),
	BODY(everything, until, NULL, NULL),
	BODY(everything, user, NULL, NULL),
};

static bool
read_everything(const char *body, struct everything *out)
{
	fake.nparams = 7;
	fake.body = text_from(body);
	fake_param("CONTENT_TYPE", "application/json");
	cr_assert(fake_begin());
	memset(out, 0x55, sizeof(*out));
	return body_read(&fake.rq, everything_body, countof(everything_body), out);
}

Test(body_fields, whole_body)
{
	struct everything in;

	cr_assert(read_everything("{\"unknown\":[],\"name\":\" n \",\"note\":\"\",\"flag\":true,"
				  "\"number\":7,\"lifetime\":60,\"birth\":\"2024-02-29\","
				  "\"until\":\"1970-01-01T00:00:01Z\","
				  "\"user\":\"a1b2c3d4e5f67890abcdef1234567890\"}",
	    &in));
	assert_text(in.name, T("n"));
	assert_text(in.note, T(""));
	cr_assert(in.flag);
	cr_assert_eq(in.number, 7);
	cr_assert(in.lifetime.is && in.lifetime.n == 60);
	cr_assert(in.birth.year == 2024 && in.birth.month == 2 && in.birth.day == 29);
	cr_assert_eq(in.until.us, SECONDS);
	cr_assert_eq(in.user.b[15], 0x90);
}

Test(body_fields, absent_is_none)
{
	struct everything in;

	cr_assert(read_everything("{\"name\":\"n\",\"number\":0,\"birth\":null}", &in));
	cr_assert(text_is_none(in.note));
	cr_assert(!in.flag);
	cr_assert(!in.lifetime.is);
	cr_assert(date_is_none(in.birth));
	cr_assert(stamp_is_none(in.until));
	cr_assert(uuid_is_none(in.user));
}

Test(body_fields, all_problems_at_once)
{
	struct everything in;

	cr_assert(!read_everything("{\"name\":\"nnnnnn\",\"flag\":7,\"until\":[]}", &in));
	cr_assert_eq(body_trouble(&fake.rq), 400);
	assert_answer("400 Bad Request",
	    "{\"name\":[\"Ensure this field has no more than 5 characters.\"],"
	    "\"flag\":[\"" NOT_BOOL "\"],\"number\":[\"" REQUIRED "\"],"
	    "\"until\":[\"" NOT_STAMP "\"]}");
}

Test(body_fields, bad_body)
{
	struct everything in;

	cr_assert(!read_everything("[]", &in));
	cr_assert_eq(body_trouble(&fake.rq), 400);
	assert_answer("400 Bad Request",
	    "{\"non_field_errors\":[\"Invalid data. Expected a dictionary, but got list.\"]}");

	cr_assert(!read_everything("{", &in));
	cr_assert_eq(body_trouble(&fake.rq), 400);
	fake_answer();
	cr_assert(text_starts(fake_answer_body(), T("{\"detail\":\"JSON parse error - ")));
}

Test(body_fields, kind_without_reader, .signal = SIGABRT)
{
	static const struct input bytes = { .kind = KIND_BYTES };
	struct json json = { .type = JSON_TEXT, .text = T("") };

	result(&bytes, &json);
}
