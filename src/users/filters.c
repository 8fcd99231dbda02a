#include "base/base.h"

#include "access/access.h"
#include "users/users_int.h"

/* Substring of the name without accents; what folds to nothing matches everybody. */
static void
add_full_name(struct request *rq, struct sql *where, struct text value)
{
	sql_add(where, "u.full_name_folded LIKE ");
	sql_value(where, V(sql_contains(rq->arena, text_fold(rq->arena, value))));
}

void
user_filter_full_name(struct request *rq, struct sql *where, struct text value)
{
	sql_add(where, " AND ");
	add_full_name(rq, where, value);
}

void
user_filter_keyword(struct request *rq, struct sql *where, struct text value)
{
	sql_add(where, " AND (");
	add_full_name(rq, where, value);
	sql_add(where, " OR ");
	sql_add_contains(where, "u.email", value);
	sql_add(where, " OR ");
	sql_add_contains(where, "u.username", value);
	sql_add(where, ")");
}

/* Up to two words of a text, cut at white space; how many there are. */
static size_t
two_words(struct text value, struct text words[2])
{
	struct text rest = value, word;
	size_t n = 0;

	while (n < 2 && text_split(&rest, ' ', &word)) {
		word = text_trim(word);
		if (word.n > 0)
			words[n++] = word;
	}
	return n;
}

/*
 * Whom staff and support alone see as a user, others may yet see in a team: by trying, they would find out his civil
 * number a digit at a time.
 */
void
user_filter_seen(struct request *rq, struct sql *where)
{
	if ((rq->caller.who & (STAFF | SUPPORT)) == 0)
		sql_add(where, " AND NOT u.is_staff");
}

void
user_filter_query(struct request *rq, struct sql *where, struct text value)
{
	static const char *const columns[] = { "u.first_name", "u.last_name", "u.username",
		"u.email" };
	struct text words[2];

	sql_add(where, " AND (");
	for (size_t i = 0; i < countof(columns); i++) {
		sql_add_contains(where, columns[i], value);
		sql_add(where, " OR ");
	}
	sql_add(where, "(");
	sql_add_contains(where, "u.civil_number", value);
	user_filter_seen(rq, where);
	sql_add(where, ")");
	if (two_words(value, words) == 2) {
		sql_add(where, " OR ");
		sql_add_contains(where, "u.first_name", words[0]);
		sql_add(where, " OR ");
		sql_add_contains(where, "u.last_name", words[1]);
	}
	sql_add(where, ")");
}

/* Exact usernames, separated by commas; unknown ones find nobody. */
static void
filter_username_list(struct request *rq UNUSED, struct sql *where, struct text value)
{
	struct text rest = value, name;
	size_t n = 0;

	sql_add(where, " AND u.username IN ");
	while (text_split(&rest, ',', &name)) {
		name = text_trim(name);
		if (name.n > 0)
			sql_list_value(where, &n, V(name));
	}
	sql_list_end(where, n);
}

/* clang-format off */
const struct filter user_filters[] = {
	{ .name = "full_name", .apply = user_filter_full_name,
	  .help = "Part of the full name; accents and case do not count." },
	{ .name = "user_keyword", .apply = user_filter_keyword,
	  .help = "Part of the full name, the e-mail address or the username." },
	{ .name = "query", .apply = user_filter_query,
	  .help = "Part of first name, last name, civil number, username or e-mail address; of two"
		  " words, also the first name and the last name." },
	{ .name = "username_list", .apply = filter_username_list,
	  .help = "Usernames, separated by commas." },
	{ .name = "customer_uuid", .apply = access_filter_customer_uuid, .kind = KIND_UUID,
	  .help = "Users with a role in the customer or one of its projects." },
	{ .name = "project_uuid", .apply = access_filter_project_uuid, .kind = KIND_UUID,
	  .help = "Users with a role in the project." },
	{ .name = "organization_roles", .apply = access_filter_organization_roles, .list = true,
	  .help = "Users who hold one of these roles in a customer." },
	{ .name = "project_roles", .apply = access_filter_project_roles, .list = true,
	  .help = "Users who hold one of these roles in a project." },
	{ 0 },
};
/* clang-format on */
