#include "base/base.h"
#include "base/uuid.h"

#define HEX_DIGITS 32

/* The dashes stand before these bytes of the sixteen. */
#define DASH_BEFORE(byte) ((byte) == 4 || (byte) == 6 || (byte) == 8 || (byte) == 10)

bool
uuid_is_none(struct uuid u)
{
	return uuid_eq(u, (struct uuid){ { 0 } });
}

bool
uuid_eq(struct uuid a, struct uuid b)
{
	return memcmp(a.b, b.b, sizeof(a.b)) == 0;
}

/* The value of a hex digit, or -1. */
static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
uuid_parse(struct text t, struct uuid *out)
{
	bool dashed = t.n == UUID_SIZE - 1;
	const char *p = t.s;
	int high, low;

	if (!dashed && t.n != HEX_DIGITS)
		return false;
	for (size_t i = 0; i < sizeof(out->b); i++) {
		if (dashed && DASH_BEFORE(i) && *p++ != '-')
			return false;
		high = hex_value(*p++);
		low = hex_value(*p++);
		if (high < 0 || low < 0)
			return false;
		out->b[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

struct text
uuid_print(struct uuid u, enum uuid_form form, char out[static UUID_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	char *p = out;

	for (size_t i = 0; i < sizeof(u.b); i++) {
		if (form == UUID_DASHED && DASH_BEFORE(i))
			*p++ = '-';
		*p++ = digits[u.b[i] >> 4];
		*p++ = digits[u.b[i] & 0xf];
	}
	*p = '\0';
	return (struct text){ out, (size_t)(p - out) };
}

static void
mark(struct uuid *u, uint8_t version)
{
	u->b[6] = (uint8_t)((u->b[6] & 0x0f) | version << 4);
	u->b[8] = (u->b[8] & 0x3f) | 0x80; /* the variant of RFC 9562 */
}

struct uuid
uuid_v4(const uint8_t random_bytes[static 16])
{
	struct uuid u;

	memcpy(u.b, random_bytes, sizeof(u.b));
	mark(&u, 4);
	return u;
}

struct uuid
uuid_v7(uint64_t time, const uint8_t random_bytes[static 8])
{
	struct uuid u;

	for (size_t i = 0; i < 6; i++)
		u.b[i] = (uint8_t)(time >> (52 - 8 * i));
	u.b[6] = (uint8_t)(time >> 8);
	u.b[7] = (uint8_t)time;
	memcpy(&u.b[8], random_bytes, 8);
	mark(&u, 7);
	return u;
}
