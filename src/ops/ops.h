/* What operators and their tools ask for: health, metrics and version. */
#ifndef ROSTER_OPS_OPS_H
#define ROSTER_OPS_OPS_H

#include "http/router.h"

extern const struct route_table ops_routes;

#endif
