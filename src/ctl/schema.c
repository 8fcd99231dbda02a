#include "base/base.h"

#include "ctl/ctl.h"
#include "db/migrate.h"

/* Seconds to wait for another rosterctl that migrates. */
#define LOCK_WAIT 60

/* All migrations as they are, as JSON. */
static int
print_migrations(struct ctl *ctl)
{
	struct migration_entry *entries;
	struct json_writer w;
	struct text problem;
	size_t n;

	if (!migrate_list(ctl->db, ctl->arena, &entries, &n, &problem))
		return ctl_error(CTL_FAILED, "%.*s", TEXT_ARGS(problem));
	ctl_json_list(ctl, &w);
	for (size_t i = 0; i < n; i++) {
		json_object(&w);
		json_member_text(&w, "name", entries[i].name);
		json_member_text(&w, "state", text_from(entries[i].state));
		json_member_value(&w, "statements", V(entries[i].statements));
		json_member_value(&w, "begun", V(entries[i].begun));
		json_member_value(&w, "applied", V(entries[i].ended));
		json_object_end(&w);
	}
	ctl_json_list_end(ctl, &w);
	return CTL_GOOD;
}

int
ctl_migrate(struct ctl *ctl)
{
	struct text report = TEXT_NONE;
	bool good;

	if (ctl->options.status)
		good = migrate_status(ctl->db, ctl->arena, &report);
	else
		good = migrate_apply(ctl->db, ctl->arena, ctl->options.dry_run, LOCK_WAIT, &report);
	if (good && ctl->options.json)
		return print_migrations(ctl);
	if (!text_is_none(report))
		fwrite(report.s, 1, report.n, good ? stdout : stderr);
	return good ? CTL_GOOD : CTL_FAILED;
}
