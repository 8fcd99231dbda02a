#include "base/base.h"
#include "fake_request.h"
#include "http/body.h"
#include "http/http_int.h"

#define TYPE "multipart/form-data; boundary=b"
#define PART "--b\r\nContent-Disposition: form-data; "
#define END "\r\n--b--\r\n"

static struct arena *a;

static void
set_up(void)
{
	a = arena_new((size_t)16 * 1024 * 1024);
}

static void
tear_down(void)
{
	arena_free(&a);
}

TestSuite(multipart, .init = set_up, .fini = tear_down);

/* The tree as "name=[text] name=<filename|type|bytes>", in order. */
static struct text
show(const struct json *form)
{
	struct buf b;

	buf_init(&b, a);
	for (const struct json *m = form->first; m != NULL; m = m->next) {
		if (b.n > 0)
			buf_add_char(&b, ' ');
		if (m->type == JSON_TEXT)
			buf_printf(&b, "%.*s=[%.*s]", TEXT_ARGS(m->key), TEXT_ARGS(m->text));
		else
			buf_printf(&b, "%.*s=<%.*s|%.*s|%.*s>", TEXT_ARGS(m->key),
			    TEXT_ARGS(m->filename), TEXT_ARGS(m->content_type), TEXT_ARGS(m->text));
	}
	return buf_text(&b);
}

static const struct {
	const char *type;
	struct text body;
	const char *tree;
} good[] = {
	{ TYPE, TEXT_INIT(PART "name=\"a\"\r\n\r\n1" END), "a=[1]" },
	{ TYPE, TEXT_INIT(PART "name=a\r\n\r\n1\r\n" PART "name=c\r\n\r\n2" END), "a=[1] c=[2]" },
	/* No trailing CRLF, an epilogue, a preamble, padding. */
	{ TYPE, TEXT_INIT(PART "name=a\r\n\r\n1\r\n--b--"), "a=[1]" },
	{ TYPE, TEXT_INIT(PART "name=a\r\n\r\n1" END "rubbish\r\n--b\r\n"), "a=[1]" },
	{ TYPE, TEXT_INIT("rubbish --b\r\n" PART "name=a\r\n\r\n1" END), "a=[1]" },
	{ TYPE, TEXT_INIT("\r\n" PART "name=a\r\n\r\n1" END), "a=[1]" },
	{ TYPE,
	    TEXT_INIT("--b \t\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b-- \r\n"),
	    "a=[1]" },
	{ TYPE, TEXT_INIT("--b--"), "" },
	/* Empty contents, also with one CRLF for the end of the headers and the boundary's. */
	{ TYPE, TEXT_INIT(PART "name=a\r\n\r\n" END), "a=[]" },
	{ TYPE, TEXT_INIT(PART "name=a\r\n\r\n" PART "name=c\r\n\r\n2" END), "a=[] c=[2]" },
	{ TYPE, TEXT_INIT(PART "name=a\r\n\r\n--b--"), "a=[]" },
	/* Line ends and near-boundaries belong to the content. */
	{ TYPE, TEXT_INIT(PART "name=a\r\n\r\n\r\n1\n--b\r--b\r\n--c\r\n" END),
	    "a=[\r\n1\n--b\r--b\r\n--c\r\n]" },
	/* Headers: any case, any order, others ignored. */
	{ TYPE,
	    TEXT_INIT("--b\r\nX-Other: \tx\r\ncontent-TYPE: text/plain; charset=utf-8\r\n"
		      "CONTENT-DISPOSITION:FORM-DATA;NAME=\"a\";x=y\r\n"
		      "Content-Transfer-Encoding: 8BIT\r\n\r\n1" END),
	    "a=[1]" },
	/* Names. */
	{ TYPE, TEXT_INIT(PART "name=\"a\\\"\\\\;\xc3\xb5\"\r\n\r\n1" END), "a\"\\;\xc3\xb5=[1]" },
	/* Files. */
	{ TYPE,
	    TEXT_INIT(PART "name=a; filename=\"x.png\"\r\nContent-Type: image/png\r\n\r\n"
			   "\xff" END),
	    "a=<x.png|image/png|\xff>" },
	{ TYPE, TEXT_INIT(PART "name=a; filename=x\r\n\r\n" END), "a=<x||>" },
	{ TYPE, TEXT_INIT(PART "name=a; filename=\"/etc/pass\\\"wd\"\r\n\r\n1" END),
	    "a=<pass\"wd||1>" },
	{ TYPE, TEXT_INIT(PART "name=a; filename=\"C:\\dir\\x.png\"\r\n\r\n1" END),
	    "a=<x.png||1>" },
	{ TYPE, TEXT_INIT(PART "name=a; filename=\"../..\"\r\n\r\n1" END), "a=<||1>" },
	{ TYPE, TEXT_INIT(PART "name=a; filename=\"x/\"\r\n\r\n1" END), "a=<||1>" },
	{ TYPE, TEXT_INIT(PART "name=a; filename=\"\"\r\n\r\n1" END), "a=<||1>" },
	{ TYPE,
	    TEXT_INIT(PART "name=a; filename=\"\"\r\nContent-Type: application/octet-stream"
			   "\r\n\r\n\r\n" PART "name=c\r\n\r\n2" END),
	    "c=[2]" },
	/* Boundaries. */
	{ "multipart/form-data; charset=utf-8; boundary=\"a b'()+_,-./:=?\"",
	    TEXT_INIT("--a b'()+_,-./:=?\r\nContent-Disposition: form-data; name=a\r\n\r\n1"
		      "\r\n--a b'()+_,-./:=?--"),
	    "a=[1]" },
	{ "multipart/form-data; Boundary=--b",
	    TEXT_INIT("----b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n----b--"),
	    "a=[1]" },
};

Test(multipart, good)
{
	struct text problem;

	for (size_t i = 0; i < countof(good); i++) {
		struct json *form =
		    multipart_read(good[i].body, text_from(good[i].type), a, &problem);

		cr_assert_not_null(form, "%zu: %.*s", i, TEXT_ARGS(problem));
		cr_assert_eq(form->type, JSON_OBJECT);
		assert_text(show(form), text_from(good[i].tree));
	}
}

static const struct {
	const char *type;
	struct text body;
	const char *problem;
} bad[] = {
	/* The boundary. */
	{ "multipart/form-data", TEXT_INIT("--b--"), "no boundary in Content-Type at byte 0" },
	{ "multipart/form-data; boundary=", TEXT_INIT("--b--"),
	    "no boundary in Content-Type at byte 0" },
	{ "multipart/form-data; boundary=\"\"", TEXT_INIT("--b--"),
	    "invalid boundary in Content-Type at byte 0" },
	{ "multipart/form-data; boundary=\"b \"", TEXT_INIT("--b --"),
	    "invalid boundary in Content-Type at byte 0" },
	{ "multipart/form-data; boundary=\"b\xff\"", TEXT_INIT("--b\xff--"),
	    "invalid boundary in Content-Type at byte 0" },
	{ "multipart/form-data; boundary="
	  "12345678901234567890123456789012345678901234567890123456789012345678901",
	    TEXT_INIT("x"), "invalid boundary in Content-Type at byte 0" },
	{ TYPE, TEXT_INIT(""), "boundary not found at byte 0" },
	{ TYPE, TEXT_INIT("--c\r\n"), "boundary not found at byte 5" },
	{ TYPE, TEXT_INIT("x--b--"), "boundary not found at byte 6" },
	{ TYPE, TEXT_INIT("\n--b--"), "boundary not found at byte 6" },
	{ TYPE, TEXT_INIT("x" PART "name=a\r\n\r\n1" END),
	    "closing boundary before any part at byte 49" },
	{ TYPE, TEXT_INIT("\xef\xbb\xbf" PART "name=a\r\n\r\n1" END),
	    "closing boundary before any part at byte 51" },
	/* Its line. */
	{ TYPE, TEXT_INIT("--b"), "malformed boundary line at byte 3" },
	{ TYPE, TEXT_INIT("--b-"), "malformed boundary line at byte 3" },
	{ TYPE, TEXT_INIT("--bc\r\n"), "malformed boundary line at byte 3" },
	{ TYPE, TEXT_INIT("--b \n"), "malformed boundary line at byte 4" },
	{ TYPE, TEXT_INIT(PART "name=a\r\n\r\n1\r\n--bx" END),
	    "malformed boundary line at byte 53" },
	/* Truncated at each step. */
	{ TYPE, TEXT_INIT("--b\r\n"), "truncated in part headers at byte 5" },
	{ TYPE, TEXT_INIT(PART "name=a"), "truncated in part headers at byte 43" },
	{ TYPE, TEXT_INIT(PART "name=a\r\n"), "truncated in part headers at byte 45" },
	{ TYPE, TEXT_INIT(PART "name=a\r\n\r\n"), "truncated: no closing boundary at byte 47" },
	{ TYPE, TEXT_INIT(PART "name=a\r\n\r\n1"), "truncated: no closing boundary at byte 48" },
	{ TYPE, TEXT_INIT(PART "name=a\r\n\r\n1\r\n--"),
	    "truncated: no closing boundary at byte 52" },
	{ TYPE, TEXT_INIT(PART "name=a\r\n\r\n1\r\n--b"), "malformed boundary line at byte 53" },
	{ TYPE, TEXT_INIT(PART "name=a\r\n\r\n1\r\n--b\r\n"),
	    "truncated in part headers at byte 55" },
	/* Headers. */
	{ TYPE, TEXT_INIT("--b\r\n\r\n1" END),
	    "part without Content-Disposition: form-data at byte 5" },
	{ TYPE, TEXT_INIT("--b\r\nContent-Disposition: attachment; name=a\r\n\r\n1" END),
	    "part without Content-Disposition: form-data at byte 5" },
	{ TYPE, TEXT_INIT("--b\r\nContent-Disposition: form-data\r\n\r\n1" END),
	    "part without a name at byte 5" },
	{ TYPE, TEXT_INIT(PART "name=\"\"\r\n\r\n1" END), "part without a name at byte 5" },
	{ TYPE, TEXT_INIT(PART "filename=x\r\n\r\n1" END), "part without a name at byte 5" },
	{ TYPE, TEXT_INIT(PART "name\r\n\r\n1" END), "malformed Content-Disposition at byte 5" },
	{ TYPE, TEXT_INIT(PART "name=\"a\r\n\r\n1" END),
	    "malformed Content-Disposition at byte 5" },
	{ TYPE, TEXT_INIT(PART "name=a; name=c\r\n\r\n1" END),
	    "repeated Content-Disposition parameter at byte 5" },
	{ TYPE, TEXT_INIT(PART "name=a; filename=c; FILENAME=\"\"\r\n\r\n1" END),
	    "repeated Content-Disposition parameter at byte 5" },
	{ TYPE, TEXT_INIT(PART "name=a; filename*=UTF-8''x\r\n\r\n1" END),
	    "filename* is not allowed at byte 5" },
	{ TYPE, TEXT_INIT(PART "name=a\r\nContent-Disposition: form-data; name=c\r\n\r\n1" END),
	    "repeated part header at byte 45" },
	{ TYPE, TEXT_INIT("--b\r\nContent-Disposition: form-data;\r\n name=a\r\n\r\n1" END),
	    "malformed part header at byte 38" },
	{ TYPE, TEXT_INIT(PART "name=a\r\nX\r\n\r\n1" END), "malformed part header at byte 45" },
	{ TYPE, TEXT_INIT(PART "name=a\r\nX : y\r\n\r\n1" END),
	    "malformed part header at byte 45" },
	{ TYPE, TEXT_INIT(PART "name=a\r\n: y\r\n\r\n1" END), "malformed part header at byte 45" },
	{ TYPE, TEXT_INIT(PART "name=a\nX: y\r\n\r\n1" END), "malformed part header at byte 5" },
	{ TYPE, TEXT_INIT(PART "name=\"a\0\"\r\n\r\n1" END), "malformed part header at byte 5" },
	{ TYPE, TEXT_INIT(PART "name=\"a\rb\"\r\n\r\n1" END), "malformed part header at byte 5" },
	{ TYPE, TEXT_INIT(PART "name=\"\xff\"\r\n\r\n1" END), "malformed part header at byte 5" },
	{ TYPE, TEXT_INIT(PART "name=a; filename=\"\x7f\"\r\n\r\n1" END),
	    "malformed part header at byte 5" },
	{ TYPE, TEXT_INIT(PART "name=a\r\nContent-Transfer-Encoding: base64\r\n\r\n1" END),
	    "Content-Transfer-Encoding other than 7bit, 8bit or binary at byte 5" },
	{ TYPE, TEXT_INIT(PART "name=a\r\nContent-Transfer-Encoding:\r\n\r\n1" END),
	    "Content-Transfer-Encoding other than 7bit, 8bit or binary at byte 5" },
	/* Contents. */
	{ TYPE, TEXT_INIT(PART "name=a\r\n\r\n\xc3" END),
	    "field \"a\" is not valid UTF-8 at byte 5" },
	{ TYPE, TEXT_INIT(PART "name=a\r\n\r\n1\r\n" PART "name=\"a\"\r\n\r\n2" END),
	    "duplicate field \"a\" at byte 55" },
	{ TYPE, TEXT_INIT(PART "name=a\r\n\r\n1\r\n" PART "name=a;filename=x\r\n\r\n2" END),
	    "duplicate field \"a\" at byte 55" },
};

Test(multipart, bad)
{
	for (size_t i = 0; i < countof(bad); i++) {
		struct text problem = TEXT_NONE;

		cr_assert_null(
		    multipart_read(bad[i].body, text_from(bad[i].type), a, &problem), "%zu", i);
		assert_text(problem, text_from(bad[i].problem));
	}
}

Test(multipart, null_characters_stay)
{
	struct text problem;
	struct json *form = multipart_read(T(PART "name=a\r\n\r\nx\0y" END), T(TYPE), a, &problem);

	cr_assert_not_null(form);
	assert_text(form->first->text, T("x\0y"));
}

Test(multipart, header_size)
{
	struct text problem;
	struct buf b;

	for (size_t n = 8100; n < 8300; n += 100) {
		buf_init(&b, a);
		buf_add(&b, T(PART "name=a\r\nX: "));
		for (size_t i = 0; i < n; i++)
			buf_add_char(&b, 'x');
		buf_add(&b, T("\r\n\r\n1" END));
		if (n == 8100) {
			cr_assert_not_null(multipart_read(buf_text(&b), T(TYPE), a, &problem));
			continue;
		}
		cr_assert_null(multipart_read(buf_text(&b), T(TYPE), a, &problem));
		assert_text(problem, T("part headers too long at byte 5"));
	}
}

/* n parts. */
static struct text
many(int n)
{
	struct buf b;

	buf_init(&b, a);
	for (int i = 0; i < n; i++)
		buf_printf(&b, PART "name=f%d\r\n\r\n%d\r\n", i, i);
	buf_add(&b, T("--b--"));
	return buf_text(&b);
}

Test(multipart, too_many)
{
	struct text problem;
	struct json *form = multipart_read(many(BODY_FIELDS_MAX), T(TYPE), a, &problem);

	cr_assert_not_null(form);
	cr_assert_eq(form->count, BODY_FIELDS_MAX);
	cr_assert_null(multipart_read(many(BODY_FIELDS_MAX + 1), T(TYPE), a, &problem));
	cr_assert(text_starts(problem, T("more than 1000 fields at byte ")));
}

/* Copies t to memory of its very size, so that a sanitizer sees a read past its end. */
static struct text
exact(struct text t)
{
	char *s = arena_alloc(a, t.n);

	memcpy(s, t.s, t.n);
	return (struct text){ s, t.n };
}

/* Every prefix of every body, and every byte of it replaced: a tree or a problem, nothing else. */
Test(multipart, mangled)
{
	static const char bytes[] = { '\0', '\r', '\n', '-', '"', '\\', ';', ':', ' ', '\xff' };

	for (size_t i = 0; i < countof(good) + countof(bad); i++) {
		bool is_good = i < countof(good);
		struct text body = is_good ? good[i].body : bad[i - countof(good)].body;
		struct text type = text_from(is_good ? good[i].type : bad[i - countof(good)].type);

		for (size_t n = 0; n < body.n; n++) {
			struct text problem = TEXT_NONE, cut = exact(text_slice(body, 0, n));

			cr_assert(multipart_read(cut, type, a, &problem) != NULL || problem.n > 0);
			for (size_t j = 0; j < countof(bytes); j++) {
				struct text changed = exact(body);

				problem = TEXT_NONE;
				((char *)(uintptr_t)changed.s)[n] = bytes[j];
				cr_assert(multipart_read(changed, type, a, &problem) != NULL ||
				    (problem.n > 0 && text_is_utf8(problem)));
			}
		}
		arena_reset(a);
	}
}
