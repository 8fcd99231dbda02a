#include "base/base.h"

#include "users/users_int.h"

/* The one field that only this answer has, and has whatever field= says. */
static void
write_ip_address(struct request *rq, struct json_writer *w)
{
	json_member_text(w, "ip_address", rq->peer);
}

int
user_me(struct request *rq)
{
	return resource_answer(rq, &users, 200, rq->caller.id, write_ip_address);
}
