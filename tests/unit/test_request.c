#include "base/base.h"
#include "fake_request.h"

TestSuite(request, .init = fake_set_up, .fini = fake_tear_down);

Test(request, methods)
{
	static const char *const names[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE",
		"OPTIONS" };

	for (size_t i = 0; i < countof(names); i++) {
		cr_assert_eq(method_parse(text_from(names[i])), 1 << i);
		cr_assert_str_eq(method_name(1 << i), names[i]);
	}
	cr_assert_eq(method_parse(T("get")), METHOD_OTHER);
	cr_assert_eq(method_parse(T("")), METHOD_OTHER);
	cr_assert_eq(method_parse(TEXT_NONE), METHOD_OTHER);
	cr_assert_str_eq(method_name(METHOD_OTHER), "OTHER");
}

Test(request, fields)
{
	fake_param("REQUEST_METHOD", "PATCH");
	fake_param("PATH_INFO", "/api/users/j\xc3\xb5gi/");
	fake_param("QUERY_STRING", "a=1&a=2");
	cr_assert(fake_begin());
	cr_assert_eq(fake.rq.method, METHOD_PATCH);
	assert_text(fake.rq.method_name, T("PATCH"));
	assert_text(fake.rq.path, T("/api/users/j\xc3\xb5gi/"));
	assert_text(fake.rq.query, T("a=1&a=2"));
	assert_text(fake.rq.base, T("https://roster.example"));
	assert_text(fake.rq.peer, T("192.0.2.7"));
	assert_text(fake.rq.id, T("0123456789abcdef0123456789abcdef"));
	cr_assert_eq(fake.rq.nparams, 2);
	cr_assert(fake.rq.now.us > 0);
}

Test(request, nothing_given)
{
	static const char *const names[] = { "REQUEST_ID", "REQUEST_METHOD", "REQUEST_SCHEME",
		"HTTP_HOST", "PATH_INFO", "QUERY_STRING", "REMOTE_ADDR" };

	for (size_t i = 0; i < countof(names); i++)
		fake_param(names[i], NULL);
	cr_assert(fake_begin());
	cr_assert_eq(fake.rq.method, METHOD_OTHER);
	assert_text(fake.rq.base, T("http://localhost"));
	cr_assert(text_is_none(fake.rq.peer));
	cr_assert_eq(fake.rq.nparams, 0);
	cr_assert_eq(fake.rq.path.n, 0);
}

Test(request, id_of_our_own)
{
	static const char *const bad[] = { "", "abc", "0123456789abcdef0123456789abcdef0",
		"0123456789abcdef0123456789abcdeg", "0123456789abcdef\r\nX: abcdef012345" };
	char first[32];

	for (size_t i = 0; i < countof(bad); i++) {
		fake_param("REQUEST_ID", bad[i]);
		cr_assert(fake_begin());
		cr_assert_eq(fake.rq.id.n, 32);
		for (size_t j = 0; j < fake.rq.id.n; j++)
			cr_assert(strchr("0123456789abcdef", fake.rq.id.s[j]) != NULL);
		cr_assert(i == 0 || memcmp(first, fake.rq.id.s, 32) != 0);
		memcpy(first, fake.rq.id.s, 32);
	}
}

Test(request, host)
{
	static const struct {
		const char *scheme, *host, *base;
	} cases[] = {
		{ "http", "127.0.0.1:8080", "http://127.0.0.1:8080" },
		{ "https", "[2001:db8::1]:443", "https://[2001:db8::1]:443" },
		{ "HTTPS", "a", "http://a" },
		{ "ftp", "Roster-1.example", "http://Roster-1.example" },
		{ "http", "", "http://localhost" },
		{ "http", "a/b", NULL },
		{ "http", "a\"b", NULL },
		{ "http", "a b", NULL },
		{ "http", "a<b>", NULL },
		{ "http", "user@host", NULL },
		{ "http", "a\r\nb", NULL },
		{ "http", "j\xc3\xb5gi", NULL },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		fake.nparams = 7;
		fake_param("REQUEST_SCHEME", cases[i].scheme);
		fake_param("HTTP_HOST", cases[i].host);
		cr_assert_eq(fake_begin(), cases[i].base != NULL, "%s", cases[i].host);
		if (cases[i].base != NULL)
			assert_text(fake.rq.base, text_from(cases[i].base));
		else
			assert_answer("400 Bad Request", "{\"detail\":\"Invalid Host header.\"}");
	}
}

Test(request, host_length)
{
	char host[262];

	memset(host, 'a', sizeof(host));
	host[261] = '\0';
	fake_param("HTTP_HOST", host);
	cr_assert(!fake_begin());
	host[260] = '\0';
	cr_assert(fake_begin());
}

Test(request, peer)
{
	static const struct {
		const char *given;
		struct text peer;
	} cases[] = {
		{ "2001:db8::1", TEXT_INIT("2001:db8::1") },
		{ "unix:", { NULL, 0 } },
		{ "", { NULL, 0 } },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		fake_param("REMOTE_ADDR", cases[i].given);
		cr_assert(fake_begin());
		assert_text(fake.rq.peer, cases[i].peer);
	}
}

Test(request, path_must_be_utf8)
{
	fake_param("PATH_INFO", "/api/\xff/");
	cr_assert(!fake_begin());
	assert_answer("404 Not Found", "{\"detail\":\"Not found.\"}");
	assert_text(fake.rq.path, T("/api/"));
}

Test(request, bad_queries)
{
	static const struct {
		const char *query, *detail;
	} cases[] = {
		{ "a=1&b=%4", "malformed escape at byte 6" },
		{ "a=%zz", "malformed escape at byte 2" },
		{ "%", "malformed escape at byte 0" },
		{ "a=1&b=%ff",
		    "the parameter at byte 4 is not valid UTF-8 or has a null character" },
		{ "a=%00", "the parameter at byte 0 is not valid UTF-8 or has a null character" },
		{ "a%00=", "the parameter at byte 0 is not valid UTF-8 or has a null character" },
		{ "a=\xc3", "the parameter at byte 0 is not valid UTF-8 or has a null character" },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct text expected;

		fake.nparams = 7;
		fake_param("QUERY_STRING", cases[i].query);
		cr_assert(!fake_begin(), "%s", cases[i].query);
		fake_answer();
		expected = arena_printf(fake.rq.arena,
		    "{\"detail\":\"Query string parse error - %s\"}", cases[i].detail);
		assert_text(fake_answer_body(), expected);
		assert_text(fake_answer_header("Status"), T("400 Bad Request"));
	}
}

Test(request, params)
{
	size_t at = 0;
	struct text value;

	fake_param("QUERY_STRING", "field=a&o=x%2Cy&field=b+c&&empty=&flag&field=%C3%B5");
	cr_assert(fake_begin());
	assert_text(request_param(&fake.rq, T("field")), T("\xc3\xb5"));
	assert_text(request_param(&fake.rq, T("o")), T("x,y"));
	assert_text(request_param(&fake.rq, T("empty")), T(""));
	assert_text(request_param(&fake.rq, T("flag")), T(""));
	assert_text(request_param(&fake.rq, T("none")), TEXT_NONE);
	cr_assert(request_param_each(&fake.rq, T("field"), &at, &value));
	assert_text(value, T("a"));
	cr_assert(request_param_each(&fake.rq, T("field"), &at, &value));
	assert_text(value, T("b c"));
	cr_assert(request_param_each(&fake.rq, T("field"), &at, &value));
	assert_text(value, T("\xc3\xb5"));
	cr_assert(!request_param_each(&fake.rq, T("field"), &at, &value));
	cr_assert(!request_param_each(&fake.rq, T("field"), &at, &value));
}

Test(request, headers)
{
	fake_param("HTTP_IF_MATCH", "\"1\"");
	fake_param("CONTENT_TYPE", "text/plain");
	fake_param("HTTP_CONTENT_TYPE", "forged");
	fake_param("CONTENT_LENGTH", "7");
	assert_text(request_header(&fake.rq, "If-Match"), T("\"1\""));
	assert_text(request_header(&fake.rq, "if-match"), T("\"1\""));
	assert_text(request_header(&fake.rq, "Content-Type"), T("text/plain"));
	assert_text(request_header(&fake.rq, "content-length"), T("7"));
	assert_text(request_header(&fake.rq, "X-Impersonated-User-Uuid"), TEXT_NONE);
}

Test(request, accept)
{
	static const struct {
		const char *accept;
		bool json;
	} cases[] = {
		{ NULL, true },
		{ "", true },
		{ "*/*", true },
		{ "application/*", true },
		{ "application/json", true },
		{ "Application/JSON", true },
		{ "application/problem+json", true },
		{ "application/json; indent=4", true },
		{ "application/json;q=0.1", true },
		{ "application/json, */*;q=0.5", true },
		{ "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true },
		{ "text/html", false },
		{ "text/html, image/*", false },
		{ "application/xml", false },
		{ "application/jsonp", false },
		{ "application/json;q=0", false },
		{ "application/json; q=0.000", false },
		{ "*/*;q=0", false },
		{ "*/*, application/json;q=0", false },
		{ "application/json;q=0, */*", false },
		{ "application/*;q=0, application/json", true },
		{ "text/html;q=\"", false },
		{ ",,;;,", false },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		fake.nparams = 7;
		fake_param("HTTP_ACCEPT", cases[i].accept);
		cr_assert_eq(request_accepts_json(&fake.rq), cases[i].json, "%s", cases[i].accept);
	}
}

Test(request, urls)
{
	struct uuid uuid;

	assert_text(url_encode(fake.rq.arena, T("")), T(""));
	assert_text(url_encode(fake.rq.arena, T("aZ09-._~")), T("aZ09-._~"));
	assert_text(url_encode(fake.rq.arena, T("a b,c/\xc3\xb5&=+\r\n")),
	    T("a%20b%2Cc%2F%C3%B5%26%3D%2B%0D%0A"));

	fake_param("PATH_INFO", "/api/a\r\nX: b\xc3\xb5/");
	cr_assert(fake_begin());
	assert_text(request_url(&fake.rq), T("https://roster.example/api/a%0D%0AX%3A%20b%C3%B5/"));

	cr_assert(uuid_parse(T("a1b2c3d4e5f67890abcdef1234567890"), &uuid));
	assert_text(url_of(&fake.rq, "/api/users/", uuid),
	    T("https://roster.example/api/users/a1b2c3d4-e5f6-7890-abcd-ef1234567890/"));
	fake.config.uuid_format = UUID_HEX;
	assert_text(url_of(&fake.rq, "/api/users/", uuid),
	    T("https://roster.example/api/users/a1b2c3d4e5f67890abcdef1234567890/"));
}
