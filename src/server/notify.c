#include "base/base.h"

#include <inttypes.h>
#include <systemd/sd-daemon.h>

#include "base/stamp.h"
#include "server/notify.h"

void
notify_ready(void)
{
	(void)sd_notify(0, "READY=1");
}

void
notify_reloading(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
	    (int64_t)t.tv_sec * SECONDS + t.tv_nsec / 1000);
}

void
notify_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1");
}

int64_t
notify_watchdog(void)
{
	uint64_t microseconds;

	if (sd_watchdog_enabled(0, &microseconds) <= 0)
		return 0;
	/* Half of what systemd waits, as sd_watchdog_enabled(3) recommends, and not none. */
	return (int64_t)(microseconds / 2 / SECONDS) + 1;
}

void
notify_alive(void)
{
	(void)sd_notify(0, "WATCHDOG=1");
}
