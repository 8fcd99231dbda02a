/* Checks of values that several resources have: a message, or NULL when the value is good; see struct input. */
#ifndef ROSTER_RESOURCE_CHECKS_H
#define ROSTER_RESOURCE_CHECKS_H

#include "base/base.h"
#include "base/text.h"

const char *check_slug(struct text t);
const char *check_email(struct text t); /* RFC 5321, 4.1.2, without quoted local parts */
const char *check_phone_number(struct text t);

#endif
