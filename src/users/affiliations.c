#include "base/base.h"

#include "users/users_int.h"

static bool
is_affiliation(const struct json *json)
{
	return json->type == JSON_TEXT && json->text.n > 0 &&
	    text_length(json->text) <= AFFILIATION_LENGTH_MAX;
}

/* A cell of a table cannot hold a list: there it is a JSON document. */
static const struct json *
list_of(struct request *rq, const struct json *json)
{
	static const struct json_limits limits = { .depth = 2, .values = AFFILIATIONS_MAX + 2 };
	static const struct json none = { .type = JSON_ARRAY };
	struct text problem;

	if (json->type != JSON_TEXT)
		return json;
	return json->text.n == 0 ? &none : json_read(json->text, &limits, rq->arena, &problem);
}

static bool
is_list(const struct json *list)
{
	if (list == NULL || list->type != JSON_ARRAY || list->count > AFFILIATIONS_MAX)
		return false;
	for (const struct json *j = list->first; j != NULL; j = j->next)
		if (!is_affiliation(j))
			return false;
	return true;
}

static struct text
print_list(struct request *rq, const struct json *list)
{
	struct json_writer w;
	struct buf out;

	buf_init(&out, rq->arena);
	json_writer_init(&w, rq->arena, json_sink_buf, &out, UUID_DASHED);
	json_array(&w);
	for (const struct json *j = list->first; j != NULL; j = j->next)
		json_text(&w, j->text);
	json_array_end(&w);
	must(!json_failed(&w));
	return buf_text(&out);
}

bool
decode_affiliations(struct request *rq, struct draft *d UNUSED, const struct field *f,
    const struct json *json, struct value *out)
{
	const struct json *list = list_of(rq, json);

	if (!is_list(list)) {
		problem_printf(rq, text_from(f->name),
		    "Expected a list of at most %d texts of 1 to %d characters.", AFFILIATIONS_MAX,
		    AFFILIATION_LENGTH_MAX);
		return false;
	}
	*out = (struct value){ .kind = KIND_JSON, .t = print_list(rq, list) };
	return true;
}
