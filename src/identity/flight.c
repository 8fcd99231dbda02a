/*
 * Whose own pull is on its way, in memory that all workers share. A pull takes one of the few workers that also sign
 * people in, for as long as the provider's service likes: a user who asked again and again, at the same time, would
 * have them all.
 */
#include "base/base.h"

#include <pthread.h>

#include "base/stamp.h"
#include "identity/identity_int.h"
#include "server/shm.h"

/* More than there are slow workers, those that are leaving among them. */
#define FLIGHTS 1024

/* It counts no longer than until, should the worker be killed. */
struct flight {
	int64_t user_id;
	int64_t until; /* monotonic; 0: free */
};

struct table {
	pthread_mutex_t lock;
	struct flight flights[FLIGHTS];
};

static struct table *table;

void
flight_share(void)
{
	pthread_mutexattr_t how;

	table = shm_map(sizeof(*table));
	pthread_mutexattr_init(&how);
	pthread_mutexattr_setpshared(&how, PTHREAD_PROCESS_SHARED);
	/* A worker may be killed at any point, also here. */
	pthread_mutexattr_setrobust(&how, PTHREAD_MUTEX_ROBUST);
	must(pthread_mutex_init(&table->lock, &how) == 0);
	pthread_mutexattr_destroy(&how);
}

static void
lock(void)
{
	/* What a dead owner has left half-written ends by its time. */
	if (pthread_mutex_lock(&table->lock) == EOWNERDEAD)
		pthread_mutex_consistent(&table->lock);
}

/* Notes the flight; false when the user has one. */
static bool
take(int64_t user_id, int64_t now, int64_t until)
{
	struct flight *place = NULL;

	for (size_t i = 0; i < FLIGHTS; i++) {
		struct flight *f = &table->flights[i];

		if (f->until <= now)
			place = f;
		else if (f->user_id == user_id)
			return false;
	}
	if (place != NULL)
		*place = (struct flight){ user_id, until };
	return true;
}

bool
flight_begin(int64_t user_id, int64_t seconds)
{
	int64_t now = stamp_monotonic();
	bool taken;

	if (table == NULL)
		return true;
	lock();
	taken = take(user_id, now, now + seconds * SECONDS);
	pthread_mutex_unlock(&table->lock);
	return taken;
}

void
flight_end(int64_t user_id)
{
	if (table == NULL)
		return;
	lock();
	for (size_t i = 0; i < FLIGHTS; i++)
		if (table->flights[i].user_id == user_id)
			table->flights[i] = (struct flight){ 0 };
	pthread_mutex_unlock(&table->lock);
}
