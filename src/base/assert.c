#include "base/base.h"
#include "base/log.h"

void
assert_failed(const char *what, const char *file, int line, const char *function)
{
	log_error("assertion failed: %s (%s:%d, %s)", what, file, line, function);
	abort();
}
