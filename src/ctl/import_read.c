/* Accounts out of the records of a file, and what is said about those that are none. */
#include "base/base.h"

#include "ctl/import_int.h"

void
import_say(struct import *im, int64_t line, struct text field, struct text message)
{
	progress_clear(&im->progress);
	field = text_visible(im->rq.arena, field);
	message = text_visible(im->rq.arena, message);
	fprintf(stderr, "%s:%lld: %.*s%s%.*s\n", im->in.name, (long long)line, TEXT_ARGS(field),
	    field.n > 0 ? ": " : "", TEXT_ARGS(message));
}

void
import_refuse(struct import *im, const char *message)
{
	import_say(im, im->in.line, T(""), text_from(message));
	im->counts.refused++;
}

/* What a file may bring: what the operator may set, and what is stored as it is written. */
static bool
is_importable(struct text name)
{
	int i = field_index(&users, name);

	return i >= 0 && ctl_is_portable(&users.fields[i]);
}

/* What is wrong with a column; NULL when nothing is. */
static const char *
column_problem(const struct import *im, size_t i)
{
	struct text name = im->columns[i];

	if (name.n == 0)
		return "A column has no name.";
	for (size_t j = 0; j < i; j++)
		if (text_eq(im->columns[j], name))
			return "This column is there twice.";
	if (is_importable(name))
		return NULL;
	return strpbrk(arena_text(im->whole, name).s, ";\t") != NULL
	    ? "There is no such field to import; commas go between columns."
	    : "There is no such field to import.";
}

static void
check_column(struct import *im, size_t i)
{
	const char *problem = column_problem(im, i);

	if (problem == NULL)
		return;
	import_say(im, im->in.line, im->columns[i], text_from(problem));
	im->counts.refused++;
}

/* Refuses a record that is not UTF-8. */
static bool
is_utf8(struct import *im, struct text record)
{
	size_t valid = text_utf8_valid_to(record);

	if (valid == record.n)
		return true;
	import_refuse(im,
	    arena_printf(im->rq.arena, "byte %zu of the record is not valid UTF-8", valid + 1).s);
	return false;
}

bool
import_read_header(struct import *im)
{
	const char *problem = "the file is empty";
	struct text header;

	if (records_next(&im->in, &header) && is_utf8(im, header))
		im->ncolumns =
		    csv_split(arena_text(im->whole, header), im->whole, im->columns, &problem);
	if (im->ncolumns == 0 && im->counts.refused == 0)
		import_refuse(im, problem);
	for (size_t i = 0; i < im->ncolumns; i++) {
		im->columns[i] = text_trim(im->columns[i]);
		check_column(im, i);
	}
	im->headless = im->counts.refused > 0;
	im->counts.refused = 0; /* they were no accounts */
	return !im->headless;
}

static struct json *
read_cells(struct import *im, struct text record)
{
	struct text cells[CELLS_MAX];
	const char *problem = NULL;
	size_t n = csv_split(record, im->rq.arena, cells, &problem);
	struct json *object, *members;

	if (problem != NULL || n != im->ncolumns) {
		import_refuse(im,
		    problem != NULL ? problem
				    : arena_printf(im->rq.arena,
					  "%zu cells where the header has %zu", n, im->ncolumns)
					  .s);
		return NULL;
	}
	object = arena_alloc(im->rq.arena, sizeof(*object));
	members = arena_alloc(im->rq.arena, n * sizeof(*members));
	for (size_t i = 0; i < n; i++)
		members[i] = (struct json){ .type = JSON_TEXT,
			.key = im->columns[i],
			.text = arena_text(im->rq.arena, cells[i]),
			.next = i + 1 < n ? &members[i + 1] : NULL };
	*object = (struct json){ .type = JSON_OBJECT, .first = members, .count = n };
	return object;
}

static struct json *
read_json(struct import *im, struct text record)
{
	static const struct json_limits limits = { .depth = 4, .values = 1000 };
	struct text problem;
	struct json *json = json_read(record, &limits, im->rq.arena, &problem);
	bool known = true;

	if (json == NULL || json->type != JSON_OBJECT) {
		import_refuse(im, json == NULL ? problem.s : "not a JSON object");
		return NULL;
	}
	for (const struct json *j = json->first; j != NULL; j = j->next) {
		if (!is_importable(j->key)) {
			import_say(im, im->in.line, j->key, T("There is no such field to import."));
			known = false;
		}
	}
	im->counts.refused += known ? 0 : 1;
	return known ? json : NULL;
}

/* Notes a problem for each unique value that an earlier line had. */
static void
check_seen(struct import *im, const struct account *row)
{
	for (size_t i = 0; i < users.nfields; i++) {
		const struct field *f = &users.fields[i];
		char digits[UUID_SIZE];
		struct value v = row->draft.values[i];
		int64_t *line;
		bool is_new;

		if (f->unique == NULL || !row->draft.set[i] || v.null ||
		    (v.kind == KIND_TEXT && v.t.n == 0))
			continue;
		line = table_at(&im->seen,
		    arena_printf(im->rq.arena, "%s:%.*s", f->name,
			TEXT_ARGS(v.kind == KIND_UUID ? uuid_print(v.u, UUID_HEX, digits) : v.t)),
		    &is_new);
		if (is_new)
			*line = row->line;
		else
			problem_printf(&im->rq, text_from(f->name), "Line %lld has the same value.",
			    (long long)*line);
	}
}

bool
import_read(struct import *im, struct account *row, struct text record)
{
	struct json *object = !is_utf8(im, record) ? NULL
	    : im->in.csv                           ? read_cells(im, record)
						   : read_json(im, record);

	if (object == NULL)
		return false;
	*row = (struct account){ .line = im->in.line, .draft.resource = &users };
	im->rq.problems = NULL;
	im->rq.problems_end = &im->rq.problems;
	im->rq.body_is_form = im->in.csv;
	bulk_read(&im->rq, &row->draft, object);
	if (!problems_found(&im->rq))
		check_seen(im, row);
	for (const struct problem *p = im->rq.problems; p != NULL; p = p->next)
		import_say(im, row->line, p->field, p->message);
	im->counts.refused += problems_found(&im->rq) ? 1 : 0;
	return !problems_found(&im->rq);
}
