/* The texts that users agree with: one of each type. */
#ifndef ROSTER_AGREEMENTS_AGREEMENTS_H
#define ROSTER_AGREEMENTS_AGREEMENTS_H

#include "http/router.h"
#include "resource/resource.h"

extern const struct resource agreements;

extern const struct route_table agreement_routes;

#endif
