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
