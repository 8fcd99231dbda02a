#include "base/base.h"

#include <criterion/criterion.h>

#include "identity/identity_int.h"

static struct arena *a;

static void
set_up(void)
{
	a = arena_new(1 << 22);
}

static void
tear_down(void)
{
	arena_free(&a);
}

TestSuite(claims, .init = set_up, .fini = tear_down);

static bool
read_claims(struct text body, struct claims *claims, const char **problem)
{
	static const struct json_limits limits = { .depth = 32, .values = 20000 };
	struct text trouble;
	const struct json *json = json_read(body, &limits, a, &trouble);

	cr_assert(json != NULL, "%.*s: %.*s", TEXT_ARGS(body), TEXT_ARGS(trouble));
	return claims_read(json, a, claims, problem);
}

/* The value n times between a start and an end, with commas between. */
static struct text
repeated(const char *start, const char *value, size_t n, const char *comma, const char *end)
{
	struct buf b;

	buf_init(&b, a);
	buf_printf(&b, "%s", start);
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%s%s", i > 0 ? comma : "", value);
	buf_printf(&b, "%s", end);
	return buf_text(&b);
}

static struct text
text_claim(const char *name, const char *character, size_t n)
{
	return repeated(arena_printf(a, "{\"%s\":\"", name).s, character, n, "", "\"}");
}

static struct text
list_claim(const char *name, const char *value, size_t n)
{
	return repeated(arena_printf(a, "{\"%s\":[", name).s, value, n, ",", "]}");
}

static void
expect_claim(const char *body, const char *which, struct text got, const char *expected)
{
	cr_expect(text_eq(got, text_from(expected)), "%s: %s is %.*s, not %s", body, which,
	    TEXT_ARGS(got), expected != NULL ? expected : "none");
}

/* What is read of a body; NULL: none. */
struct reading {
	const char *body, *username, *first_name, *last_name, *email, *affiliations;
};

/* clang-format off */
static const struct reading readings[] = {
	{ .body = "{}" },
	{ .body = "{\"unknown\":{\"deep\":[1,2.5,null,true]}}" },
	{ .body = "{\"voperson_id\":\"ada\"}", .username = "ada" },
	{ .body = "{\"voperson_id\":\" ada\\n\"}", .username = "ada" },
	{ .body = "{\"voperson_id\":null}" },
	{ .body = "{\"voperson_id\":\"\"}" },
	{ .body = "{\"voperson_id\":[]}" },
	{ .body = "{\"given_name\":\"Ada\",\"family_name\":\"Lovelace\"}",
	  .first_name = "Ada", .last_name = "Lovelace" },
	{ .body = "{\"given_name\":\"\\u00a0J\\u00f5gi \",\"family_name\":\" \\t\"}", .first_name = "Jõgi" },
	{ .body = "{\"given_name\":null,\"family_name\":[]}" },
	{ .body = "{\"mail\":\"a@example.org\"}", .email = "a@example.org" },
	{ .body = "{\"mail\":[\"a@example.org\",\"b@example.org\"]}", .email = "a@example.org" },
	{ .body = "{\"mail\":[\"a@example.org\",7]}", .email = "a@example.org" },
	{ .body = "{\"email\":\"a@example.org\"}", .email = "a@example.org" },
	{ .body = "{\"email\":[\"a@example.org\"]}", .email = "a@example.org" },
	{ .body = "{\"mail\":\"a@example.org\",\"email\":\"b@example.org\"}", .email = "a@example.org" },
	{ .body = "{\"mail\":\"a@example.org\",\"email\":7}", .email = "a@example.org" },
	{ .body = "{\"mail\":\"\",\"email\":\"b@example.org\"}", .email = "b@example.org" },
	{ .body = "{\"mail\":null,\"email\":\"b@example.org\"}", .email = "b@example.org" },
	{ .body = "{\"mail\":[],\"email\":\"b@example.org\"}", .email = "b@example.org" },
	{ .body = "{\"mail\":[\" \"]}" },
	{ .body = "{\"mail\":[null]}" },
	{ .body = "{\"voperson_external_affiliation\":\"staff@a.org\"}", .affiliations = "[\"staff@a.org\"]" },
	{ .body = "{\"voperson_external_affiliation\":[\" x \",\"\\\"\"]}", .affiliations = "[\"x\",\"\\\"\"]" },
	{ .body = "{\"voperson_external_affiliation\":[\"x\",null,\"\",\"y\"]}", .affiliations = "[\"x\",\"y\"]" },
	{ .body = "{\"voperson_external_affiliation\":[null]}", .affiliations = "[]" },
	{ .body = "{\"voperson_external_affiliation\":[]}" },
	{ .body = "{\"voperson_external_affiliation\":\" \"}" },
	{ .body = "{\"voperson_external_affiliation\":null}" },
};
/* clang-format on */

Test(claims, forms_of_each)
{
	for (size_t i = 0; i < countof(readings); i++) {
		const struct reading *r = &readings[i];
		struct claims c;
		const char *problem;

		cr_expect(read_claims(text_from(r->body), &c, &problem), "%s", r->body);
		expect_claim(r->body, "username", c.username, r->username);
		expect_claim(r->body, "first_name", c.first_name, r->first_name);
		expect_claim(r->body, "last_name", c.last_name, r->last_name);
		expect_claim(r->body, "email", c.email, r->email);
		expect_claim(r->body, "affiliations", c.affiliations, r->affiliations);
		cr_expect(c.ssh_keys == NULL, "%s", r->body);
	}
}

/* A body that is refused, and the claim that is named. */
struct refusal {
	const char *body, *problem;
};

/* clang-format off */
static const struct refusal refusals[] = {
	{ "[]", "it is not an object" },
	{ "null", "it is not an object" },
	{ "\"ada\"", "it is not an object" },
	{ "{\"voperson_id\":7}", "voperson_id" },
	{ "{\"voperson_id\":[\"ada\"]}", "voperson_id" },
	{ "{\"voperson_id\":{}}", "voperson_id" },
	{ "{\"voperson_id\":7,\"given_name\":7}", "voperson_id" },
	{ "{\"given_name\":7}", "given_name" },
	{ "{\"given_name\":1.5}", "given_name" },
	{ "{\"given_name\":false}", "given_name" },
	{ "{\"given_name\":{}}", "given_name" },
	{ "{\"given_name\":[\"Ada\"]}", "given_name" },
	{ "{\"family_name\":0}", "family_name" },
	{ "{\"family_name\":[null]}", "family_name" },
	{ "{\"mail\":7}", "mail" },
	{ "{\"mail\":{}}", "mail" },
	{ "{\"mail\":[7,\"a@example.org\"]}", "mail" },
	{ "{\"mail\":[[\"a@example.org\"]]}", "mail" },
	{ "{\"mail\":\"no address\"}", "mail" },
	{ "{\"mail\":[\"no address\",\"a@example.org\"]}", "mail" },
	{ "{\"email\":\"no address\"}", "mail" },
	{ "{\"mail\":[],\"email\":7}", "mail" },
	{ "{\"voperson_external_affiliation\":7}", "voperson_external_affiliation" },
	{ "{\"voperson_external_affiliation\":{}}", "voperson_external_affiliation" },
	{ "{\"voperson_external_affiliation\":[\"x\",7]}", "voperson_external_affiliation" },
	{ "{\"voperson_external_affiliation\":[[\"x\"]]}", "voperson_external_affiliation" },
	{ "{\"ssh_public_key\":\"ssh-ed25519 AAAA\"}", "ssh_public_key" },
	{ "{\"ssh_public_key\":\"\"}", "ssh_public_key" },
	{ "{\"ssh_public_key\":false}", "ssh_public_key" },
	{ "{\"ssh_public_key\":{}}", "ssh_public_key" },
};
/* clang-format on */

Test(claims, other_types_are_named)
{
	for (size_t i = 0; i < countof(refusals); i++) {
		struct claims c;
		const char *problem;

		cr_expect(!read_claims(text_from(refusals[i].body), &c, &problem), "%s",
		    refusals[i].body);
		cr_expect_str_eq(problem, refusals[i].problem, "%s: %s", refusals[i].body, problem);
	}
}

/* How long a text may be, counted in characters. */
struct limit {
	const char *claim;
	size_t max;
};

static const struct limit limits[] = {
	{ "voperson_id", 128 },
	{ "given_name", 100 },
	{ "family_name", 100 },
	{ "voperson_external_affiliation", 500 },
};

Test(claims, limits_count_characters)
{
	static const char *const characters[] = { "x", "õ", "😀" };
	struct claims c;
	const char *problem;

	for (size_t i = 0; i < countof(limits); i++)
		for (size_t j = 0; j < countof(characters); j++) {
			const char *claim = limits[i].claim, *character = characters[j];

			cr_expect(
			    read_claims(text_claim(claim, character, limits[i].max), &c, &problem),
			    "%s of %zu %s", claim, limits[i].max, character);
			cr_expect(!read_claims(text_claim(claim, character, limits[i].max + 1), &c,
				      &problem),
			    "%s of %zu %s", claim, limits[i].max + 1, character);
			cr_expect_str_eq(problem, claim);
		}
}

Test(claims, addresses_that_are_too_long)
{
	struct claims c;
	const char *problem;

	cr_expect(!read_claims(repeated("{\"mail\":\"", "x", 321, "", "@a.org\"}"), &c, &problem));
	cr_expect_str_eq(problem, "mail");
}

Test(claims, limits_of_lists)
{
	static const char *const lists[] = { "voperson_external_affiliation", "ssh_public_key" };
	struct claims c;
	const char *problem;

	for (size_t i = 0; i < countof(lists); i++) {
		cr_expect(
		    read_claims(list_claim(lists[i], "\"x\"", 100), &c, &problem), "%s", lists[i]);
		cr_expect(
		    !read_claims(list_claim(lists[i], "\"x\"", 101), &c, &problem), "%s", lists[i]);
		cr_expect_str_eq(problem, lists[i]);
	}
}

Test(claims, keys_are_left_as_they_are)
{
	struct claims c;
	const char *problem;

	cr_assert(read_claims(T("{\"ssh_public_key\":[]}"), &c, &problem));
	cr_expect(c.ssh_keys != NULL && c.ssh_keys->count == 0);
	cr_assert(read_claims(T("{\"ssh_public_key\":[\" x\",7,null]}"), &c, &problem));
	cr_assert(c.ssh_keys != NULL && c.ssh_keys->count == 3);
	cr_expect(text_eq(c.ssh_keys->first->text, T(" x")));
	cr_assert(read_claims(T("{\"ssh_public_key\":null}"), &c, &problem));
	cr_expect(c.ssh_keys == NULL);
}
