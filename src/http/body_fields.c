#include "base/base.h"
#include "http/body.h"

/* Characters that a number in a string may have, so that nobody spends time on more. */
#define NUMBER_MAX 1000

typedef bool input_reader(struct request *rq, const struct input *in, struct text name,
    const struct json *json, struct value *out);

static bool
refuse(struct request *rq, struct text name, const char *message)
{
	problem_add(rq, name, text_from(message));
	return false;
}

static bool
is_text_or_number(const struct json *json)
{
	return json->type == JSON_TEXT || json->type == JSON_INT || json->type == JSON_NUMBER;
}

static bool
check_text(struct request *rq, const struct input *in, struct text name, struct text t)
{
	const char *message = in->check == NULL ? NULL : in->check(t);
	bool too_long = in->max > 0 && text_length(t) > (size_t)in->max;

	if (message != NULL)
		refuse(rq, name, message);
	if (too_long)
		problem_printf(rq, name, "Ensure this field has no more than %lld characters.",
		    (long long)in->max);
	return message == NULL && !too_long;
}

static bool
read_text(struct request *rq, const struct input *in, struct text name, const struct json *json,
    struct value *out)
{
	if (!is_text_or_number(json))
		return refuse(rq, name, "Not a valid string.");
	out->t = in->untrimmed ? json->text : text_trim(json->text);
	if (out->t.n == 0) {
		out->t = T(""); /* never none */
		return !in->filled || refuse(rq, name, "This field may not be blank.");
	}
	if (text_find(out->t, '\0', 0) < out->t.n)
		return refuse(rq, name, "Null characters are not allowed.");
	return check_text(rq, in, name, out->t);
}

static bool
read_choice(struct request *rq, const struct input *in, struct text name, const struct json *json,
    struct value *out)
{
	if (!is_text_or_number(json))
		return refuse(rq, name, "Not a valid string.");
	if (!text_is_among(json->text, in->choices)) {
		problem_printf(rq, name, "\"%.*s\" is not a valid choice.", TEXT_ARGS(json->text));
		return false;
	}
	out->t = json->text;
	return true;
}

static bool
read_bool(struct request *rq, const struct input *in UNUSED, struct text name,
    const struct json *json, struct value *out)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{ "true", true },
		{ "false", false },
		{ "1", true },
		{ "0", false },
		{ "t", true },
		{ "f", false },
		{ "yes", true },
		{ "no", false },
		{ "y", true },
		{ "n", false },
		{ "on", true },
		{ "off", false },
	};

	if (json->type == JSON_BOOL) {
		out->b = json->boolean;
		return true;
	}
	for (size_t i = 0; is_text_or_number(json) && i < countof(words); i++) {
		if (text_eq_nocase(json->text, text_from(words[i].word))) {
			out->b = words[i].value;
			return true;
		}
	}
	return refuse(rq, name, "Must be a valid boolean.");
}

/* t without blanks around it and without a fraction of zeros, as in "7.0". */
static struct text
whole_part(struct text t)
{
	size_t end;

	t = text_trim(t);
	end = t.n;
	while (end > 0 && t.s[end - 1] == '0')
		end--;
	return end > 0 && t.s[end - 1] == '.' ? text_slice(t, 0, end - 1) : t;
}

static bool
is_integer(struct text t)
{
	size_t digits = 0;

	if (t.n > 0 && (t.s[0] == '-' || t.s[0] == '+'))
		t = text_slice(t, 1, t.n);
	while (digits < t.n && t.s[digits] >= '0' && t.s[digits] <= '9')
		digits++;
	return digits > 0 && digits == t.n;
}

static bool
read_int(struct request *rq, const struct input *in, struct text name, const struct json *json,
    struct value *out)
{
	int64_t min = in->bounded ? in->min : INT64_MIN, max = in->bounded ? in->max : INT64_MAX;
	struct text t;
	bool fits;

	if (is_text_or_number(json) && json->text.n > NUMBER_MAX)
		return refuse(rq, name, "String value too large.");
	if (!is_text_or_number(json) || !is_integer(t = whole_part(json->text)))
		return refuse(rq, name, "A valid integer is required.");

	fits = text_to_int(t, &out->i);
	if (fits ? out->i > max : t.s[0] != '-') {
		problem_printf(
		    rq, name, "Ensure this value is less than or equal to %lld.", (long long)max);
		return false;
	}
	if (fits ? out->i < min : t.s[0] == '-') {
		problem_printf(rq, name, "Ensure this value is greater than or equal to %lld.",
		    (long long)min);
		return false;
	}
	return true;
}

static bool
read_date(struct request *rq, const struct input *in UNUSED, struct text name,
    const struct json *json, struct value *out)
{
	return (json->type == JSON_TEXT && date_parse(json->text, &out->d)) ||
	    refuse(
		rq, name, "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.");
}

static bool
read_stamp(struct request *rq, const struct input *in UNUSED, struct text name,
    const struct json *json, struct value *out)
{
	return (json->type == JSON_TEXT && stamp_parse(json->text, &out->s)) ||
	    refuse(rq, name,
		"Datetime has wrong format. Use one of these formats instead: "
		"YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].");
}

static bool
read_uuid(struct request *rq, const struct input *in UNUSED, struct text name,
    const struct json *json, struct value *out)
{
	return (json->type == JSON_TEXT && uuid_parse(json->text, &out->u)) ||
	    refuse(rq, name, "Must be a valid UUID.");
}

static input_reader *const readers[] = {
	[KIND_TEXT] = read_text,
	[KIND_BOOL] = read_bool,
	[KIND_INT] = read_int,
	[KIND_MAYBE] = read_int,
	[KIND_DATE] = read_date,
	[KIND_STAMP] = read_stamp,
	[KIND_UUID] = read_uuid,
};

/* A form cannot say null or leave a field of a page out: an empty value means one of the two. */
static bool
is_form_blank(const struct request *rq, const struct input *in, const struct json *json)
{
	return rq->body_is_form && in->kind != KIND_TEXT && json->type == JSON_TEXT &&
	    json->text.n == 0;
}

bool
input_read(struct request *rq, const struct input *in, struct text name, const struct json *json,
    struct value *out)
{
	bool blank = json != NULL && is_form_blank(rq, in, json);

	must(in->kind < countof(readers) && readers[in->kind] != NULL);
	if (json == NULL || (blank && !in->nullable && !in->required))
		return in->required && refuse(rq, name, "This field is required.");

	*out = (struct value){ .kind = in->kind };
	if (json->type == JSON_NULL || (blank && in->nullable)) {
		out->null = true;
		return in->nullable || refuse(rq, name, "This field may not be null.");
	}
	return in->choices != NULL ? read_choice(rq, in, name, json, out)
				   : readers[in->kind](rq, in, name, json, out);
}

/* A file that somebody has sent, under a name. */
static bool
check_file(struct request *rq, const struct input *in, struct text name, const struct json *file)
{
	size_t length = text_length(file->filename);

	if (length == 0)
		return refuse(rq, name, "No filename could be determined.");
	if (file->text.n == 0)
		return refuse(rq, name, "The submitted file is empty.");
	if (length <= (size_t)in->max)
		return true;
	problem_printf(rq, name, "Ensure this filename has at most %lld characters (it has %zu).",
	    (long long)in->max, length);
	return false;
}

bool
input_file(struct request *rq, const struct input *in, struct text name, const struct json *json,
    const struct json **file)
{
	*file = NULL;
	if (json->type == JSON_NULL || is_form_blank(rq, in, json))
		return in->nullable || refuse(rq, name, "This field may not be null.");
	if (json->type != JSON_FILE)
		return refuse(rq, name,
		    "The submitted data was not a file. Check the encoding type on the form.");
	*file = json;
	return check_file(rq, in, name, json);
}

bool
body_read(struct request *rq, const struct body_field *fields, size_t n, void *out)
{
	if (!body_parse(rq))
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct body_field *f = &fields[i];
		struct text name = text_from(f->name);
		struct value value;

		if (!input_read(rq, &f->input, name, json_member(rq->body, name), &value))
			value = (struct value){ .kind = f->input.kind, .null = true };
		value_store(value, (char *)out + f->offset);
	}
	return !problems_found(rq);
}

int
body_trouble(struct request *rq)
{
	return problems_found(rq) ? reply_invalid(rq) : rq->reply.status;
}
