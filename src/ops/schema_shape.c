/* Shapes, fields of resources and fields of bodies as JSON Schema. */
#include "base/base.h"

#include "ops/schema_int.h"

#define EXAMPLE_HOST "https://roster.example.org"

/* What JSON Schema calls a kind, and what one looks like. */
static const struct {
	const char *type, *format, *example;
} kinds[] = {
	[KIND_INT] = { "integer", NULL, "60" },
	[KIND_MAYBE] = { "integer", NULL, "3600" },
	[KIND_BOOL] = { "boolean", NULL, "true" },
	[KIND_TEXT] = { "string", NULL, NULL },
	[KIND_UUID] = { "string", "uuid", "3f2b8e4d-9a51-4c07-8d6e-1b2c3d4e5f60" },
	[KIND_STAMP] = { "string", "date-time", "2026-11-24T02:33:56.123456Z" },
	[KIND_DATE] = { "string", "date", "1990-05-17" },
	[KIND_BYTES] = { "string", "binary", NULL },
	[KIND_JSON] = { "object", NULL, NULL },
};

/* How a component is called, and of which methods it is the body. */
static const struct {
	const char *suffix;
	enum method methods;
} uses[] = {
	[USE_READ] = { "", 0 },
	[USE_CREATE] = { "Create", METHOD_POST },
	[USE_REPLACE] = { "Replace", METHOD_PUT },
	[USE_UPDATE] = { "Update", METHOD_PUT | METHOD_PATCH },
	[USE_FIELD] = { "Field", 0 },
	[USE_ORDER] = { "Order", 0 },
};

void
schema_member(struct json_writer *w, const char *key, const char *value)
{
	json_member_text(w, key, text_from(value));
}

void
schema_member_true(struct json_writer *w, const char *key)
{
	json_key(w, text_from(key));
	json_bool(w, true);
}

void
schema_open(struct json_writer *w, const char *key)
{
	json_key(w, text_from(key));
	json_object(w);
}

void
schema_ref(struct json_writer *w, struct arena *a, const char *kind, struct text name)
{
	json_object(w);
	json_member_text(w, "$ref", arena_printf(a, "#/components/%s/%.*s", kind, TEXT_ARGS(name)));
	json_object_end(w);
}

/* "user agreement" and USE_CREATE as "UserAgreementCreate". */
struct text
schema_name(struct arena *a, const struct resource *r, enum use use)
{
	struct buf b;
	bool upper = true;

	buf_init(&b, a);
	for (const char *p = r->name; *p != '\0'; p++) {
		bool letter = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z');

		if (letter)
			buf_add_char(&b, upper && *p >= 'a' ? (char)(*p - 'a' + 'A') : *p);
		upper = !letter;
	}
	buf_add(&b, text_from(uses[use].suffix));
	return buf_text(&b);
}

static enum who
who_of(const struct field *f, enum use use)
{
	enum who who = use == USE_READ ? f->read : use == USE_CREATE ? f->create : f->update;

	return who & ~(enum who)OPERATOR;
}

static bool
is_used(const struct field *f, enum use use)
{
	return who_of(f, use) != 0 || (f->hooked & uses[use].methods) != 0 ||
	    (use == USE_REPLACE && f->input.required);
}

const char *const *
schema_choices(const struct field *f)
{
	if (f->input.choices != NULL)
		return f->input.choices;
	return f->shape != NULL ? f->shape->choices : NULL;
}

bool
schema_field(const struct field *f, enum use use, struct shape *s)
{
	bool sent = use != USE_READ;
	/* A picture is sent as a file, and found at a URL. */
	bool told = f->shape != NULL && (sent || f->url == NULL);

	*s = told ? *f->shape : (struct shape){ .kind = f->kind, .url = f->url };
	s->name = f->name;
	s->help = f->help;
	if (s->example == NULL)
		s->example = f->example;
	s->null = f->input.nullable || (!sent && (f->null || f->kind == KIND_MAYBE));
	s->optional = (use != USE_CREATE && use != USE_REPLACE) || !f->input.required;
	s->choices = schema_choices(f);
	s->input = sent ? &f->input : NULL;
	s->read_only = !is_used(f, USE_CREATE) && !is_used(f, USE_UPDATE);
	return is_used(f, use);
}

struct shape
schema_body_field(const struct body_field *f)
{
	return (struct shape){
		.name = f->name,
		.kind = f->input.kind,
		.null = f->input.nullable,
		.optional = !f->input.required,
		.choices = f->input.choices,
		.input = &f->input,
		.example = f->example,
		.help = f->help,
	};
}

static void
write_type(struct json_writer *w, const char *type, bool null)
{
	if (type == NULL) /* any */
		return;
	json_key(w, T("type"));
	if (!null) {
		json_text(w, text_from(type));
		return;
	}
	json_array(w);
	json_text(w, text_from(type));
	json_text(w, T("null"));
	json_array_end(w);
}

static void
write_choices(struct json_writer *w, const struct shape *s)
{
	json_key(w, T("enum"));
	json_array(w);
	for (const char *const *choice = s->choices; *choice != NULL; choice++)
		json_text(w, text_from(*choice));
	if (s->null)
		json_null(w);
	json_array_end(w);
}

static void
write_limits(struct json_writer *w, const struct shape *s)
{
	const struct input *in = s->input;

	if (s->choices != NULL)
		return;
	if (s->kind == KIND_TEXT && in->filled)
		json_member_value(w, "minLength", V((int64_t)1));
	if (s->kind == KIND_TEXT && in->max > 0)
		json_member_value(w, "maxLength", V(in->max));
	if (in->bounded) {
		json_member_value(w, "minimum", V(in->min));
		json_member_value(w, "maximum", V(in->max));
	}
}

/* None when there is nothing to show: an empty object, a file. One that may be null is, where JSON is shown. */
static struct text
example_of(struct arena *a, const struct shape *s)
{
	if (s->example != NULL)
		return text_from(s->example);
	if (s->url != NULL)
		return arena_printf(a, EXAMPLE_HOST "%s%s/", s->url, kinds[KIND_UUID].example);
	if (s->choices != NULL)
		return text_from(s->choices[0]);
	if (s->kind == KIND_BYTES && s->null)
		return T("null");
	return text_from(kinds[s->kind].example);
}

static void
write_example(struct json_writer *w, struct arena *a, const struct shape *s)
{
	struct text example = example_of(a, s);
	bool quoted;

	if (text_is_none(example))
		return;
	quoted = !text_eq(example, T("null")) && strcmp(kinds[s->kind].type, "string") == 0;
	json_key(w, T("examples"));
	json_array(w);
	if (quoted)
		json_text(w, example);
	else
		json_raw(w, example);
	json_array_end(w);
}

static void
write_members(struct json_writer *w, struct arena *a, const struct shape *members)
{
	for (const struct shape *m = members; m != NULL && m->name != NULL; m++) {
		json_key(w, text_from(m->name));
		schema_write(w, a, m);
	}
}

/* Names those that must be there; opens the list with the first of them. */
static void
write_required(struct json_writer *w, const struct shape *s, bool *any)
{
	if (s->optional)
		return;
	if (!*any) {
		json_key(w, T("required"));
		json_array(w);
	}
	*any = true;
	json_text(w, text_from(s->name));
}

static void
write_object(struct json_writer *w, struct arena *a, const struct shape *s)
{
	bool any = false;

	if (s->values != NULL) {
		json_key(w, T("additionalProperties"));
		schema_write(w, a, s->values);
	}
	if (s->members == NULL)
		return;
	schema_open(w, "properties");
	write_members(w, a, s->members);
	json_object_end(w);
	for (const struct shape *m = s->members; m->name != NULL; m++)
		write_required(w, m, &any);
	if (any)
		json_array_end(w);
}

static const char *
format_of(const struct json_writer *w, const struct shape *s)
{
	if (s->url != NULL)
		return "uri";
	/* The format is the one with dashes. */
	if (s->kind == KIND_UUID && w->uuid_form != UUID_DASHED)
		return NULL;
	return kinds[s->kind].format;
}

static void
write_value(struct json_writer *w, struct arena *a, const struct shape *s)
{
	const char *format = format_of(w, s);

	write_type(w, kinds[s->kind].type, s->null);
	if (format != NULL)
		schema_member(w, "format", format);
	if (s->choices != NULL)
		write_choices(w, s);
	if (s->input != NULL)
		write_limits(w, s);
	write_object(w, a, s);
	write_example(w, a, s);
}

static void
write_list(struct json_writer *w, struct arena *a, const struct shape *s)
{
	struct shape item = *s;

	item.list = item.null = item.read_only = false;
	item.help = NULL;
	item.input = NULL;
	write_type(w, "array", s->null);
	json_key(w, T("items"));
	schema_write(w, a, &item);
}

void
schema_write_whole(struct json_writer *w, struct arena *a, const struct shape *s)
{
	json_object(w);
	if (s->list)
		write_list(w, a, s);
	else
		write_value(w, a, s);
	if (s->read_only)
		schema_member_true(w, "readOnly");
	if (s->help != NULL)
		schema_member(w, "description", s->help);
	json_object_end(w);
}

void
schema_write(struct json_writer *w, struct arena *a, const struct shape *s)
{
	if (s == &shape_detail)
		schema_ref(w, a, "schemas", T("Detail"));
	else
		schema_write_whole(w, a, s);
}

void
schema_write_resource(struct json_writer *w, struct arena *a, const struct resource *r,
    enum use use, const struct shape *more)
{
	struct shape s;
	bool any = false;

	json_object(w);
	schema_member(w, "type", "object");
	if (use == USE_READ)
		schema_member(w, "description",
		    "Which fields are there depends on who asks, and on field in the query.");
	schema_open(w, "properties");
	for (size_t i = 0; i < r->nfields; i++) {
		if (!schema_field(&r->fields[i], use, &s))
			continue;
		json_key(w, text_from(s.name));
		schema_write(w, a, &s);
	}
	write_members(w, a, more);
	json_object_end(w);
	for (size_t i = 0; i < r->nfields; i++)
		if (schema_field(&r->fields[i], use, &s))
			write_required(w, &s, &any);
	if (any)
		json_array_end(w);
	json_object_end(w);
}

bool
schema_names(const struct field *f, enum use use)
{
	return use == USE_ORDER ? f->order[0] != NULL : f->read != NOBODY;
}

void
schema_write_names(struct json_writer *w, struct arena *a, const struct resource *r, enum use use)
{
	json_object(w);
	schema_member(w, "type", "string");
	json_key(w, T("enum"));
	json_array(w);
	for (size_t i = 0; i < r->nfields; i++) {
		const char *name = r->fields[i].name;

		if (!schema_names(&r->fields[i], use))
			continue;
		json_text(w, text_from(name));
		if (use == USE_ORDER)
			json_text(w, arena_printf(a, "-%s", name));
	}
	json_array_end(w);
	schema_member(w, "description",
	    use == USE_ORDER ? "Ascending; with - before it descending." : "Name of a field.");
	json_object_end(w);
}
