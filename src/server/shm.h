/* Memory that the master, the workers and the keeper share. */
#ifndef ROSTER_SERVER_SHM_H
#define ROSTER_SERVER_SHM_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/base.h"

/* n zeroed bytes, shared with all later children, never unmapped. Ends the process when there is none. */
void *shm_map(size_t n) RETURNS_NONNULL;

/*
 * A lock in such memory, which a process that is killed lets go. What it has left half-written is not repaired:
 * each field has to be good on its own.
 */
void shm_lock_init(pthread_mutex_t *lock);
void shm_lock(pthread_mutex_t *lock);
void shm_unlock(pthread_mutex_t *lock);

#endif
