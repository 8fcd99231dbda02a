/* What systemd wants to know (sd_notify(3)); nothing happens when there is no systemd. */
#ifndef ROSTER_SERVER_NOTIFY_H
#define ROSTER_SERVER_NOTIFY_H

#include "base/base.h"

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);

/* Microseconds between two notify_alive() that keep the watchdog quiet; 0: there is no watchdog. */
int64_t notify_watchdog(void);
void notify_alive(void);

#endif
