#include "base/base.h"

#include "agreements/agreements.h"
#include "audit/audit.h"

/* Terms of service, privacy policy. */
static const char *const types[] = { "TOS", "PP", NULL };

/* clang-format off */
static const struct field fields[] = {
	{ .name = "url", .kind = KIND_UUID, .expression = "a.uuid", .url = "/api/user-agreements/",
	  .read = SIGNED_IN,
	  .help = "Where this agreement is found." },
	{ .name = "uuid", .kind = KIND_UUID, .column = "uuid",
	  .read = SIGNED_IN,
	  .help = "Identifies the agreement for ever." },
	{ .name = "content", .kind = KIND_TEXT, .column = "content",
	  .read = SIGNED_IN, .create = STAFF, .update = STAFF,
	  .input = { .required = true, .filled = true },
	  .example = "The terms.",
	  .help = "The text." },
	{ .name = "agreement_type", .kind = KIND_TEXT, .column = "agreement_type",
	  .read = SIGNED_IN, .create = STAFF, .update = STAFF,
	  .input = { .required = true, .choices = types },
	  .unique = "user agreement with this agreement type already exists.",
	  .filter = FILTER_EXACT,
	  .help = "TOS: terms of service; PP: privacy policy." },
	{ .name = "created", .kind = KIND_STAMP, .column = "created",
	  .read = SIGNED_IN, .order = { "a.created" },
	  .help = "When the agreement was made." },
	{ .name = "modified", .kind = KIND_STAMP, .column = "modified",
	  .read = SIGNED_IN,
	  .help = "When the agreement was changed." },
};
/* clang-format on */

static struct subject
subject_of(const struct draft *d)
{
	return (struct subject){ "user_agreement", d->uuid };
}

static void
after_create(struct request *rq, struct draft *d)
{
	audit(rq, EVENT_AGREEMENT_CREATED, subject_of(d), audit_changes(rq, d));
}

static void
after_update(struct request *rq, struct draft *d)
{
	audit(rq, EVENT_AGREEMENT_UPDATED, subject_of(d), audit_changes(rq, d));
}

static void
before_delete(struct request *rq, struct draft *d)
{
	audit(rq, EVENT_AGREEMENT_DELETED, subject_of(d), audit_removed(rq, d));
}

const struct resource agreements = {
	.name = "user agreement",
	.model = "UserAgreement",
	.path = "/api/user-agreements/",
	.table = "user_agreements",
	.alias = "a",
	.fields = fields,
	.nfields = countof(fields),
	.order = "created",
	.after_create = after_create,
	.after_update = after_update,
	.before_delete = before_delete,
};
