#include "base/base.h"
#include "base/uuid.h"

#include <criterion/criterion.h>

#define DASHED "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
#define HEX "a1b2c3d4e5f67890abcdef1234567890"

static const struct uuid sample = { { 0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6, 0x78, 0x90, 0xab, 0xcd,
    0xef, 0x12, 0x34, 0x56, 0x78, 0x90 } };

Test(uuid, prints_both_forms)
{
	char out[UUID_SIZE];

	cr_assert(text_eq(uuid_print(sample, UUID_DASHED, out), T(DASHED)));
	cr_assert_str_eq(out, DASHED);
	cr_assert(text_eq(uuid_print(sample, UUID_HEX, out), T(HEX)));
	cr_assert_str_eq(out, HEX);
}

Test(uuid, parses_either_form_in_any_case)
{
	static const char *const good[] = {
		DASHED,
		HEX,
		"A1B2C3D4-E5F6-7890-ABCD-EF1234567890",
		"A1B2c3d4E5F67890abcdEF1234567890",
	};
	struct uuid u;

	for (size_t i = 0; i < countof(good); i++) {
		cr_assert(uuid_parse(text_from(good[i]), &u), "%s", good[i]);
		cr_assert(uuid_eq(u, sample), "%s", good[i]);
	}
}

Test(uuid, refuses_everything_else)
{
	static const struct text bad[] = {
		{ NULL, 0 },
		TEXT_INIT(""),
		TEXT_INIT("a1b2c3d4-e5f6-7890-abcd-ef123456789"),
		TEXT_INIT("a1b2c3d4-e5f6-7890-abcd-ef12345678901"),
		TEXT_INIT("a1b2c3d4e5f67890abcdef123456789"),
		TEXT_INIT("a1b2c3d4e5f67890abcdef12345678901"),
		TEXT_INIT("a1b2c3d4e5f67890abcdef123456789g"),
		TEXT_INIT("a1b2c3d4e5f67890abcdef123456789@"),
		TEXT_INIT("a1b2c3d4e5f67890abcdef123456789\x11"),
		TEXT_INIT("a1b2c3d4e5f67890abcdef123456789\x81"),
		TEXT_INIT("a1b2c3d4e5f67890abcdef123456789\0"),
		TEXT_INIT("a1b2c3d4-e5f6-7890-abcd-ef123456789G"),
		TEXT_INIT("a1b2c3d4 e5f6 7890 abcd ef1234567890"),
		TEXT_INIT("a1b2c3d-4e5f6-7890-abcd-ef1234567890"),
		TEXT_INIT("a1b2c3d4e5f6-7890-abcd-ef1234567890-"),
		TEXT_INIT("------------------------------------"),
		TEXT_INIT("{a1b2c3d4-e5f6-7890-abcd-ef1234567890}"),
		TEXT_INIT(" a1b2c3d4e5f67890abcdef1234567890"),
		TEXT_INIT("a1b2c3d4e5f67890abcdef1234567890\n"),
	};
	struct uuid u;

	for (size_t i = 0; i < countof(bad); i++)
		cr_assert(!uuid_parse(bad[i], &u), "case %zu", i);
}

Test(uuid, none_is_all_zero)
{
	struct uuid u = { { 0 } };

	cr_assert(uuid_is_none(u));
	u.b[15] = 1;
	cr_assert(!uuid_is_none(u));
	cr_assert(!uuid_eq(u, sample));
	cr_assert(uuid_eq(sample, sample));
}

Test(uuid, version_4_keeps_the_other_bits)
{
	uint8_t bytes[16];
	char out[UUID_SIZE];

	memset(bytes, 0, sizeof(bytes));
	uuid_print(uuid_v4(bytes), UUID_DASHED, out);
	cr_assert_str_eq(out, "00000000-0000-4000-8000-000000000000");
	memset(bytes, 0xff, sizeof(bytes));
	uuid_print(uuid_v4(bytes), UUID_DASHED, out);
	cr_assert_str_eq(out, "ffffffff-ffff-4fff-bfff-ffffffffffff");
}

/* The example of RFC 9562, appendix A.6. */
Test(uuid, version_7)
{
	static const uint8_t bytes[8] = { 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f };
	uint64_t ms = UINT64_C(0x017f22e279b0);
	char out[UUID_SIZE];

	uuid_print(uuid_v7(ms << 12 | 0xcc3, bytes), UUID_DASHED, out);
	cr_assert_str_eq(out, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}
