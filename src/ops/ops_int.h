/* Between the files of ops/: the handlers. */
#ifndef ROSTER_OPS_OPS_INT_H
#define ROSTER_OPS_OPS_INT_H

#include "http/http.h"

/* The process answers: nothing else is looked at. */
handler health_live;

/* Requests can be served; else 503 and what is wrong. */
handler health_ready;

/* The numbers of server/meter.h in the text format of Prometheus, version 0.0.4. */
handler metrics;

/* The API as OpenAPI 3.1. */
handler schema;

#endif
