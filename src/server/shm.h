/* Memory that the master, the workers and the keeper share. */
#ifndef ROSTER_SERVER_SHM_H
#define ROSTER_SERVER_SHM_H

#include <stdatomic.h>

#include "base/base.h"

/* n zeroed bytes, shared with all later children, never unmapped. Ends the process when there is none. */
void *shm_map(size_t n) RETURNS_NONNULL;

#endif
