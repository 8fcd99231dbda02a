/* Objects of the API as a person names them, and bodies made of options. */
#include "base/base.h"

#include "ctl/ctl.h"

#define PAGE 300

/* The object of that name among those of a page; NULL when it is not there. */
static const struct json *
named(const struct json *page, const char *key, struct text name)
{
	for (const struct json *j = page->first; j != NULL; j = j->next)
		if (text_eq(ctl_member(j, key), name))
			return j;
	return NULL;
}

static int
find_by_name(struct ctl *ctl, const struct ctl_kind *kind, struct text name, struct text *uuid)
{
	struct text filter = url_encode(ctl->arena, name);
	const struct json *found = NULL;
	struct answer answer;
	size_t n = PAGE;

	/* A filter may find more than what is called so. */
	for (int page = 1; n == PAGE && found == NULL; page++) {
		answer = ctl_call(ctl, "GET",
		    arena_printf(ctl->arena, "%s?field=uuid&field=%s&%s=%.*s&page_size=%d&page=%d",
			kind->path, kind->key, kind->key, TEXT_ARGS(filter), PAGE, page),
		    TEXT_NONE);
		if (answer.status == 404 && page > 1)
			break; /* the page before was full and the last */
		if (answer.status != 200)
			return ctl_refused(ctl, &answer);
		n = answer.json->count;
		found = named(answer.json, kind->key, name);
	}
	if (found == NULL)
		return ctl_error(CTL_NOT_FOUND, "there is no %s %s", kind->what, name.s);
	*uuid = ctl_member(found, "uuid");
	return CTL_GOOD;
}

bool
ctl_is_blank(struct text name)
{
	return text_is_utf8(name) && text_trim(name).n == 0;
}

int
ctl_find(struct ctl *ctl, const struct ctl_kind *kind, struct text name, struct text *uuid)
{
	if (uuid_parse(name, &(struct uuid){ 0 })) {
		*uuid = name;
		return CTL_GOOD;
	}
	if (ctl_is_blank(name))
		return ctl_error(CTL_NOT_FOUND, "there is no %s %s", kind->what, name.s);
	return find_by_name(ctl, kind, name, uuid);
}

int
ctl_path(struct ctl *ctl, const struct ctl_kind *kind, const char *action, struct text *path)
{
	struct text uuid;
	int status = ctl_find(ctl, kind, ctl->argument, &uuid);

	if (status == CTL_GOOD)
		*path = arena_printf(ctl->arena, "%s%.*s/%s", kind->path, TEXT_ARGS(uuid), action);
	return status;
}

int
ctl_request(struct ctl *ctl, const char *method, struct text path, struct text body)
{
	struct answer answer = ctl_call(ctl, method, path, body);

	if (answer.status >= 300)
		return ctl_refused(ctl, &answer);
	return answer.json == NULL ? CTL_GOOD : ctl_print_object(ctl, &answer);
}

int
ctl_act(struct ctl *ctl, const struct ctl_kind *kind, const char *method, const char *action,
    struct text body)
{
	struct text path;
	int status = ctl_path(ctl, kind, action, &path);

	return status == CTL_GOOD ? ctl_request(ctl, method, path, body) : status;
}

int
ctl_delete(struct ctl *ctl, const struct ctl_kind *kind)
{
	struct answer object = { .status = 200 };
	struct text path;
	int status = ctl_path(ctl, kind, "", &path);

	if (status != CTL_GOOD)
		return status;
	if (ctl->options.json)
		object = ctl_call(ctl, "GET",
		    arena_printf(ctl->arena, "%s?field=uuid&field=%s", path.s, kind->key),
		    TEXT_NONE);
	if (object.status != 200)
		return ctl_refused(ctl, &object);
	status = ctl_request(ctl, "DELETE", path, TEXT_NONE);
	return status == CTL_GOOD && ctl->options.json ? ctl_print_object(ctl, &object) : status;
}

/* "a, b" as a list. */
static void
write_list(struct json_writer *w, struct text list)
{
	struct text name;

	json_array(w);
	while (text_split(&list, ',', &name)) {
		name = text_trim(name);
		if (name.n > 0)
			json_text(w, name);
	}
	json_array_end(w);
}

void
ctl_write_settings(
    struct ctl *ctl, struct json_writer *w, const struct ctl_setting *settings, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct text *t =
		    (const struct text *)((const char *)&ctl->options + settings[i].offset);

		if (text_is_none(*t))
			continue;
		json_key(w, text_from(settings[i].field));
		if (settings[i].list)
			write_list(w, *t);
		else
			json_text(w, *t);
	}
}
