#include "base/base.h"

#include <inttypes.h>
#include <systemd/sd-daemon.h>

#include "base/stamp.h"
#include "server/notify.h"

void
notify_starting(int64_t microseconds)
{
	(void)sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%" PRId64, microseconds);
}

void
notify_ready(void)
{
	(void)sd_notify(0, "READY=1");
}

void
notify_reloading(void)
{
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, stamp_monotonic());
}

void
notify_stopping(int64_t microseconds)
{
	(void)sd_notifyf(0, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRId64, microseconds);
}

int64_t
notify_watchdog(void)
{
	uint64_t microseconds;

	if (sd_watchdog_enabled(0, &microseconds) <= 0)
		return 0;
	return (int64_t)(microseconds / 2); /* as sd_watchdog_enabled(3) recommends */
}

void
notify_alive(void)
{
	(void)sd_notify(0, "WATCHDOG=1");
}
