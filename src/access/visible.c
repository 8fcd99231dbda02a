/*
 * Who sees what. m is always a grant of the caller, g one of somebody else's.
 *
 * A caller sees the customers in which he or one of whose projects he has a role, and the projects in which he has a
 * role or which belong to a customer in which he has one; and the people who have roles in what
 * he sees. Each way from his grants to a row is a SELECT of its own over indexes; their union is made
 * once, as a derived table, and not once for every row that is looked at.
 */
#include "base/base.h"

#include "access/access_int.h"

#define MINE " m.user_id = ? AND " GRANT_ACTIVE("m")

/* The table "way". A way to it: SQL that begins with SELECT and has one ?, the caller. */
static void
add_ways(struct request *rq, struct sql *q, const char *const *ways, size_t n)
{
	sql_add(q, "(");
	for (size_t i = 0; i < n; i++) {
		const char *mark = strchr(ways[i], '?');
		struct text before = { ways[i], (size_t)(mark - ways[i]) };

		sql_add(q, i > 0 ? " UNION " : "");
		sql_add(q, arena_text(rq->arena, before).s);
		sql_value(q, V(rq->caller.id));
		sql_add(q, mark + 1);
	}
	sql_add(q, ") way");
}

static void
add_in_ways(
    struct request *rq, struct sql *where, const char *column, const char *const *ways, size_t n)
{
	sql_add(where, " AND ");
	sql_add(where, column);
	sql_add(where, " IN (SELECT way.id FROM ");
	add_ways(rq, where, ways, n);
	sql_add(where, ")");
}

static bool
sees_all(const struct request *rq)
{
	return (rq->caller.who & (STAFF | SUPPORT)) != 0;
}

void
access_users_among(struct request *rq, struct sql *from)
{
	static const char *const ways[] = {
		"SELECT ? AS id",
		"SELECT g.user_id FROM role_grants m JOIN role_grants g ON g.customer_id = m.customer_id"
		" AND " GRANT_ACTIVE("g") " WHERE" MINE,
		"SELECT g.user_id FROM role_grants m JOIN projects mp ON mp.id = m.project_id"
		" JOIN role_grants g ON g.customer_id = mp.customer_id AND " GRANT_ACTIVE(
		    "g") " WHERE" MINE,
		"SELECT g.user_id FROM role_grants m JOIN role_grants g ON g.project_id = m.project_id"
		" AND " GRANT_ACTIVE("g") " WHERE" MINE,
		"SELECT g.user_id FROM role_grants m JOIN projects mp ON mp.customer_id = m.customer_id"
		" JOIN role_grants g ON g.project_id = mp.id AND " GRANT_ACTIVE("g") " WHERE" MINE,
	};

	if (sees_all(rq))
		return;
	sql_add(from, " JOIN ");
	add_ways(rq, from, ways, countof(ways));
	/* The sum, or MariaDB might read all users and look each of them up there. */
	sql_add(from, " ON u.id = way.id + 0");
}

void
access_users_visible(struct request *rq, struct sql *where)
{
	if (!sees_all(rq))
		sql_add(where, " AND u.is_active AND NOT u.is_staff");
}

void
access_customers_visible(struct request *rq, struct sql *where)
{
	static const char *const ways[] = {
		"SELECT m.customer_id AS id FROM role_grants m WHERE" MINE
		" AND m.customer_id IS NOT NULL",
		"SELECT mp.customer_id FROM role_grants m JOIN projects mp ON mp.id = m.project_id WHERE" MINE,
	};

	if (!sees_all(rq))
		add_in_ways(rq, where, "c.id", ways, countof(ways));
}

void
access_projects_visible(struct request *rq, struct sql *where)
{
	static const char *const ways[] = {
		"SELECT m.project_id AS id FROM role_grants m WHERE" MINE
		" AND m.project_id IS NOT NULL",
		"SELECT mp.id FROM role_grants m JOIN projects mp ON mp.customer_id = m.customer_id WHERE" MINE,
	};

	if (!sees_all(rq))
		add_in_ways(rq, where, "p.id", ways, countof(ways));
}
