/* Between the files of customers/. */
#ifndef ROSTER_CUSTOMERS_CUSTOMERS_INT_H
#define ROSTER_CUSTOMERS_CUSTOMERS_INT_H

#include "access/access.h"
#include "customers/customers.h"

/* The people of a customer and of its projects, each once. */
extern const struct resource customer_users;

#endif
