#define ROSTER_OWNS_MEMORY
#include "base/base.h"

#include <sys/mman.h>

#include "base/log.h"
#include "server/shm.h"

void *
shm_map(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		log_error("cannot map %zu bytes of shared memory: %s", n, strerror(errno));
		exit(1);
	}
	return p;
}

void
shm_lock_init(pthread_mutex_t *lock)
{
	pthread_mutexattr_t how;

	pthread_mutexattr_init(&how);
	pthread_mutexattr_setpshared(&how, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&how, PTHREAD_MUTEX_ROBUST);
	must(pthread_mutex_init(lock, &how) == 0);
	pthread_mutexattr_destroy(&how);
}

void
shm_lock(pthread_mutex_t *lock)
{
	if (pthread_mutex_lock(lock) == EOWNERDEAD)
		pthread_mutex_consistent(lock);
}

void
shm_unlock(pthread_mutex_t *lock)
{
	pthread_mutex_unlock(lock);
}
