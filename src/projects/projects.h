/* Projects of organisations: their fields, who may change them, and their teams. */
#ifndef ROSTER_PROJECTS_PROJECTS_H
#define ROSTER_PROJECTS_PROJECTS_H

#include "http/router.h"
#include "resource/resource.h"

extern const struct resource projects;

/* POST: in a customer that the caller sees, by who may create projects there. */
int project_create(struct request *rq);

extern const struct route_table project_routes;

#endif
