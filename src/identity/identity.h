/*
 * Identity providers: where accounts come from that were not made here, which of their fields only the
 * provider changes, and how the provider's service is asked.
 */
#ifndef ROSTER_IDENTITY_IDENTITY_H
#define ROSTER_IDENTITY_IDENTITY_H

#include "http/router.h"
#include "resource/resource.h"

extern const struct resource identity_providers;

extern const struct route_table identity_routes;

#endif
