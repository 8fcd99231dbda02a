#include "base/base.h"
#include "fake_request.h"
#include "http/router.h"

TestSuite(router, .init = fake_set_up, .fini = fake_tear_down);

#define UUID "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
#define UUID_DIGITS "A1B2C3D4E5F67890ABCDEF1234567890"

/* The help is what the tests know a row by. */
static const struct route users[] = {
	{ .method = METHOD_GET, .pattern = "/api/users/", .help = "list" },
	{ .method = METHOD_POST, .pattern = "/api/users/", .help = "create" },
	{ .method = METHOD_GET, .pattern = "/api/users/{uuid}/", .help = "retrieve" },
	{ .method = METHOD_PUT | METHOD_PATCH, .pattern = "/api/users/{uuid}/", .help = "update" },
	{ .method = METHOD_POST, .pattern = "/api/users/{uuid}/token/", .help = "token" },
	{ .method = METHOD_GET, .pattern = "/api/things/{name}/", .help = "thing" },
	{ .method = METHOD_GET, .pattern = "/api/things/{uuid}/of/{name}/", .help = "two" },
};

static const struct route more[] = {
	{ .method = METHOD_GET, .pattern = "/api/users/me/", .help = "me" },
	{ .method = METHOD_DELETE, .pattern = "/api/users/{uuid}/", .help = "delete" },
	{ .method = METHOD_POST, .pattern = "/api/things/new/", .help = "new" },
	{ .method = METHOD_GET, .pattern = "/plain", .help = "plain" },
};

static const struct route_table users_table = { .routes = users, .n = countof(users) },
				empty = { 0 }, more_table = { .routes = more, .n = countof(more) };

static const struct route_table *const tables[] = { &users_table, &empty, &more_table };

static struct match
match(const char *method, const char *path)
{
	fake.nparams = 7;
	fake_param("REQUEST_METHOD", method);
	fake_param("PATH_INFO", path);
	cr_assert(fake_begin());
	return route_match(&fake.rq, tables, countof(tables));
}

Test(router, rows)
{
	static const struct {
		const char *method, *path;
		const char *row, *first; /* their help; NULL: none */
		const char *allow;
	} cases[] = {
		{ "GET", "/api/users/", "list", "list", "GET, HEAD, POST, OPTIONS" },
		{ "HEAD", "/api/users/", "list", "list", "GET, HEAD, POST, OPTIONS" },
		{ "POST", "/api/users/", "create", "list", "GET, HEAD, POST, OPTIONS" },
		{ "PUT", "/api/users/", NULL, "list", "GET, HEAD, POST, OPTIONS" },
		{ "BREW", "/api/users/", NULL, "list", "GET, HEAD, POST, OPTIONS" },
		{ "OPTIONS", "/api/users/", NULL, "list", "GET, HEAD, POST, OPTIONS" },
		{ "GET", "/api/users/" UUID "/", "retrieve", "retrieve",
		    "GET, HEAD, PUT, PATCH, DELETE, OPTIONS" },
		{ "PATCH", "/api/users/" UUID_DIGITS "/", "update", "retrieve",
		    "GET, HEAD, PUT, PATCH, DELETE, OPTIONS" },
		{ "DELETE", "/api/users/" UUID "/", "delete", "retrieve",
		    "GET, HEAD, PUT, PATCH, DELETE, OPTIONS" },
		{ "GET", "/api/users/" UUID "/token/", NULL, "token", "POST, OPTIONS" },
		{ "HEAD", "/api/users/" UUID "/token/", NULL, "token", "POST, OPTIONS" },
		{ "GET", "/api/users/me/", "me", "me", "GET, HEAD, OPTIONS" },
		{ "PATCH", "/api/users/me/", NULL, "me", "GET, HEAD, OPTIONS" },
		{ "GET", "/api/things/new/", NULL, "new", "POST, OPTIONS" },
		{ "GET", "/api/things/news/", "thing", "thing", "GET, HEAD, OPTIONS" },
		{ "GET", "/api/things/" UUID "/of/x/", "two", "two", "GET, HEAD, OPTIONS" },
		{ "GET", "/plain", "plain", "plain", "GET, HEAD, OPTIONS" },
		{ "GET", "/plain/", NULL, NULL, "" },
		{ "GET", "/api/users/you/", NULL, NULL, "" },
		{ "GET", "/api/users//", NULL, NULL, "" },
		{ "GET", "/api/users/" UUID "0/", NULL, NULL, "" },
		{ "GET", "/api/users/" UUID "/tokens/", NULL, NULL, "" },
		{ "GET", "/api/users/me/x", NULL, NULL, "" },
		{ "GET", "/api/things//", NULL, NULL, "" },
		{ "GET", "/api/things/a/b/", NULL, NULL, "" },
		{ "GET", "/API/users/", NULL, NULL, "" },
		{ "GET", "/api/things/{name}", NULL, NULL, "" },
		{ "GET", "/", NULL, NULL, "" },
		{ "GET", "", NULL, NULL, "" },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct match m = match(cases[i].method, cases[i].path);

		assert_text(m.route == NULL ? TEXT_NONE : text_from(m.route->help),
		    text_from(cases[i].row));
		assert_text(m.path == NULL ? TEXT_NONE : text_from(m.path->help),
		    text_from(cases[i].first));
		assert_text(route_allow(m.allowed, fake.rq.arena), text_from(cases[i].allow));
	}
}

Test(router, arguments)
{
	struct uuid uuid, other;

	cr_assert(uuid_parse(T(UUID), &uuid));
	match("GET", "/api/users/" UUID_DIGITS "/");
	cr_assert(uuid_eq(fake.rq.uuid, uuid));
	assert_text(fake.rq.args[0], T(UUID_DIGITS));
	assert_text(fake.rq.args[1], TEXT_NONE);

	match("GET", "/api/things/j\xc3\xb5gi/");
	cr_assert(uuid_is_none(fake.rq.uuid));
	assert_text(fake.rq.args[0], T("j\xc3\xb5gi"));

	match("GET", "/api/things/" UUID "/of/00000000000000000000000000000001/");
	cr_assert(uuid_parse(T("00000000000000000000000000000001"), &other));
	cr_assert(uuid_eq(fake.rq.uuid, uuid));
	assert_text(fake.rq.args[1], T("00000000000000000000000000000001"));

	match("GET", "/api/users/me/");
	cr_assert(uuid_is_none(fake.rq.uuid));
	assert_text(fake.rq.args[0], TEXT_NONE);
}

Test(router, missing_slash)
{
	static const struct {
		const char *path;
		bool missing;
	} cases[] = {
		{ "/api/users", true },
		{ "/api/users/" UUID, true },
		{ "/api/users/me", true },
		{ "/api/users/", false },
		{ "/api/users/you", false },
		{ "/api", false },
		{ "/plain", false },
		{ "", false },
	};

	for (size_t i = 0; i < countof(cases); i++)
		cr_assert_eq(match("GET", cases[i].path).slash_missing, cases[i].missing, "%s",
		    cases[i].path);
}
