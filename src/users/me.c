#include "base/base.h"

#include "users/users_int.h"

static const struct shape ip_address[] = {
	{ .name = "ip_address",
	    .kind = KIND_TEXT,
	    .null = true,
	    .example = "192.0.2.7",
	    .help = "The address that the caller calls from." },
	{ 0 },
};

static const struct shape me_shape = { .members = ip_address };

const struct action user_me_action = {
	.outcomes = (const struct outcome[]){ { .status = 200, .shape = &me_shape }, { 0 } },
};

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
