/* Inside json/: what reader and writer share. */
#ifndef ROSTER_JSON_JSON_INT_H
#define ROSTER_JSON_JSON_INT_H

#include "base/arena.h"
#include "base/base.h"

#include <yajl/yajl_common.h>

/* yajl's memory on the arena; it copies the struct. */
yajl_alloc_funcs json_memory(struct arena *a);

#endif
