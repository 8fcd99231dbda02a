#include "base/base.h"

#include "ctl/ctl.h"
#include "db/migrate.h"

/* Seconds to wait for another rosterctl that migrates. */
#define LOCK_WAIT 60

int
ctl_migrate(struct ctl *ctl)
{
	struct text report = TEXT_NONE;
	bool good;

	if (ctl->options.status)
		good = migrate_status(ctl->db, ctl->arena, &report);
	else
		good = migrate_apply(ctl->db, ctl->arena, ctl->options.dry_run, LOCK_WAIT, &report);
	if (!text_is_none(report))
		fwrite(report.s, 1, report.n, good ? stdout : stderr);
	return good ? CTL_GOOD : CTL_FAILED;
}
