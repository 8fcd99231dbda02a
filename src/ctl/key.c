#include "base/base.h"

#include "crypto/seal.h"
#include "ctl/ctl.h"

int
ctl_key_new(struct ctl *ctl)
{
	ctl_print(keyring_generate(ctl->arena));
	return CTL_GOOD;
}
