/*
 * Whose own pull is on its way, in memory that all workers share. A pull takes one of the few workers that also sign
 * people in, for as long as the provider's service likes: a user who asked again and again, at the same time, would
 * have them all.
 */
#include "base/base.h"

#include "base/stamp.h"
#include "identity/identity_int.h"
#include "server/shm.h"

/* More than there are slow workers, those that are leaving among them. */
#define FLIGHTS 1024

/* It counts no longer than until, should the worker be killed: also what that has left half-written. */
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
	table = shm_map(sizeof(*table));
	shm_lock_init(&table->lock);
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
	shm_lock(&table->lock);
	taken = take(user_id, now, now + seconds * SECONDS);
	shm_unlock(&table->lock);
	return taken;
}

void
flight_end(int64_t user_id)
{
	if (table == NULL)
		return;
	shm_lock(&table->lock);
	for (size_t i = 0; i < FLIGHTS; i++)
		if (table->flights[i].user_id == user_id)
			table->flights[i] = (struct flight){ 0 };
	shm_unlock(&table->lock);
}
