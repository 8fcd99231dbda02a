/* What systemd wants to know (sd_notify(3)); nothing happens when there is no systemd. */
#ifndef ROSTER_SERVER_NOTIFY_H
#define ROSTER_SERVER_NOTIFY_H

#include "base/base.h"

/* Beginning and end tell how many microseconds they may take: as long as the unit allows, or longer where we say so. */
void notify_starting(int64_t microseconds);
void notify_ready(void);
void notify_reloading(void);
void notify_stopping(int64_t microseconds);

/* Microseconds between two notify_alive() that keep the watchdog quiet; 0: there is no watchdog. */
int64_t notify_watchdog(void);
void notify_alive(void);

#endif
