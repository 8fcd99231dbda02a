#include "base/base.h"

#include "users/users_int.h"

static bool
old_is(const struct draft *d, const char *field)
{
	struct value v = draft_old(d, field);

	return !v.null && v.b;
}

/* Is switching the account off all that the draft does? */
static bool
only_deactivates(const struct draft *d)
{
	for (size_t i = 0; i < d->resource->nfields; i++) {
		const char *name = d->resource->fields[i].name;
		bool is_active = strcmp(name, "is_active") == 0;

		if (d->resource->fields[i].column != NULL && draft_changes(d, name) != is_active)
			return false;
	}
	return old_is(d, "is_active");
}

/*
 * Nobody's account is changed before he has agreed with the policy, unless he is staff or leaves, or by the
 * operator, who would have to agree in his name.
 */
static void
check_policy(struct request *rq, struct draft *d)
{
	struct value agrees = draft_value(d, "agree_with_policy");

	if (!draft_old(d, "agreement_date").null)
		return;
	if (!agrees.null && agrees.b)
		draft_set(d, "agreement_date", V(rq->now));
	else if ((rq->caller.who & OPERATOR) == 0 && !old_is(d, "is_staff") && !only_deactivates(d))
		problem_add(rq, T("agree_with_policy"), T("User must agree with the policy."));
}

struct protection {
	struct text fields;
};

static const struct db_column protection_columns[] = { COLUMN(protection, fields) };

static const struct db_stmt protection_by_name = {
	.name = "protection_by_name",
	.sql = "SELECT protected_fields FROM identity_providers WHERE name = ?",
	.columns = protection_columns,
	.ncolumns = countof(protection_columns),
};

struct text
user_protected_fields(struct request *rq, struct text registration_method)
{
	struct protection p;

	if (text_eq(registration_method, T("default")))
		return rq->config->local_idp_protected_fields;
	return db_row(rq->db, &protection_by_name, &p, V(registration_method)) ? p.fields : T("");
}

/* Takes back what only the target's identity provider changes. */
static void
drop_protected(struct request *rq, struct draft *d)
{
	struct text rest = user_protected_fields(rq, draft_old(d, "registration_method").t), name;

	while (text_split(&rest, ',', &name)) {
		int i = field_index(d->resource, text_trim(name));

		if (i >= 0)
			d->set[i] = false;
	}
}

/* Callers who registered by certain methods do not change these details, whoever's they are. */
static void
drop_details(struct request *rq, struct draft *d)
{
	static const char *const details[] = { "native_name", "job_title", "phone_number",
		"organization" };

	if (!config_list_has(
		rq->config->protected_registration_methods, rq->caller.registration_method))
		return;
	for (size_t i = 0; i < countof(details); i++)
		draft_drop(d, details[i]);
}

static bool
caller_is(const struct request *rq, enum who who)
{
	return (rq->caller.who & who) != 0;
}

/*
 * Did somebody else change, while this request waited for him, what its caller may? Then it is no request that was
 * let in, and would undo that. Staff may ask in the name of one who is not active.
 */
static bool
rights_changed(const struct request *rq, const struct draft *d)
{
	if (d->old == NULL || d->id != rq->caller.id)
		return false;
	return old_is(d, "is_staff") != caller_is(rq, STAFF) ||
	    old_is(d, "is_support") != caller_is(rq, SUPPORT) ||
	    (!old_is(d, "is_active") && uuid_is_none(rq->caller.impersonator));
}

void
user_check(struct request *rq, struct draft *d)
{
	if (rights_changed(rq, d)) {
		db_again(rq->db);
		return;
	}
	if (is_unusable_password(draft_value(d, "password").t))
		draft_set(d, "password", V(T("")));
	if (d->old == NULL || problems_found(rq))
		return;
	check_policy(rq, d);
	drop_protected(rq, d);
	drop_details(rq, d);
}

/* Keeps the columns that are made of others in step with them. */
static void
derive(struct request *rq, struct draft *d)
{
	struct text first = draft_value(d, "first_name").t, last = draft_value(d, "last_name").t;
	struct text name = arena_printf(rq->arena, "%.*s %.*s", TEXT_ARGS(first), TEXT_ARGS(last));

	draft_set(d, "full_name_folded", V(text_fold(rq->arena, text_trim(name))));
}

/* An empty text is no number: two people may have none. */
static void
drop_empty(struct draft *d, const char *field)
{
	struct value v = draft_value(d, field);

	if (!v.null && v.t.n == 0)
		draft_drop(d, field);
}

void
user_before_create(struct request *rq, struct draft *d)
{
	struct maybe lifetime = { true, rq->config->token_lifetime };

	if (draft_value(d, "date_joined").null)
		draft_set(d, "date_joined", V(rq->now));
	drop_empty(d, "civil_number");
	if (!draft_changes(d, "token_lifetime"))
		draft_set(d, "token_lifetime", V(lifetime));
	derive(rq, d);
}

void
user_after_create(struct request *rq, struct draft *d)
{
	(void)token_issue(rq, (struct token_owner){ d->id, d->uuid });
	image_store(rq, d);
	audit(rq, EVENT_USER_CREATED, subject_user(d->uuid), audit_changes(rq, d));
}

void
user_before_update(struct request *rq, struct draft *d)
{
	derive(rq, d);
}

void
user_after_update(struct request *rq, struct draft *d)
{
	struct subject subject = subject_user(d->uuid);

	image_store(rq, d);
	audit(rq, EVENT_USER_UPDATED, subject, audit_changes(rq, d));
	if (draft_changes(d, "is_active"))
		audit(rq,
		    draft_value(d, "is_active").b ? EVENT_USER_ACTIVATED : EVENT_USER_DEACTIVATED,
		    subject, TEXT_NONE);
	if (draft_changes(d, "token_lifetime"))
		audit(rq, EVENT_TOKEN_LIFETIME_CHANGED, subject, TEXT_NONE);
}

void
user_before_delete(struct request *rq, struct draft *d)
{
	struct value username = draft_old(d, "username");
	struct text changes =
	    arena_printf(rq->arena, "{\"username\":[\"%.*s\",null]}", TEXT_ARGS(username.t));

	audit(rq, EVENT_USER_DELETED, subject_user(d->uuid), changes);
}
