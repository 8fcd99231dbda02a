#include "base/base.h"

#include "http/shape.h"

static const struct shape detail_members[] = {
	{ .name = "detail", .kind = KIND_TEXT, .help = "What was done, or is wrong." },
	{ 0 },
};

const struct shape shape_any = { .kind = KIND_NONE };
const struct shape shape_file = { .kind = KIND_BYTES };
const struct shape shape_text = { .kind = KIND_TEXT };
const struct shape shape_texts = { .kind = KIND_TEXT, .list = true };
const struct shape shape_detail = { .kind = KIND_JSON, .members = detail_members };

const struct outcome outcomes_nothing[] = { { .status = 200 }, { 0 } };
const struct outcome outcomes_detail[] = { { .status = 200, .shape = &shape_detail }, { 0 } };
