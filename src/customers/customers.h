/* Organisations: their fields, who may change them, and their teams. */
#ifndef ROSTER_CUSTOMERS_CUSTOMERS_H
#define ROSTER_CUSTOMERS_CUSTOMERS_H

#include "http/router.h"
#include "resource/resource.h"

extern const struct resource customers;
extern const struct route_table customer_routes;

#endif
