#include "base/base.h"

#include <criterion/criterion.h>

#include "http/etag.h"

Test(etag, lists)
{
	static const struct {
		struct text header, tag;
		bool listed, strongly;
	} cases[] = {
		{ TEXT_INIT("\"a\""), TEXT_INIT("a"), true, true },
		{ TEXT_INIT("W/\"a\""), TEXT_INIT("a"), true, false },
		{ TEXT_INIT("\"b\", \"a\""), TEXT_INIT("a"), true, true },
		{ TEXT_INIT("\"b\",W/\"a\" "), TEXT_INIT("a"), true, false },
		{ TEXT_INIT("W/\"a\", \"a\""), TEXT_INIT("a"), true, true },
		{ TEXT_INIT("*"), TEXT_INIT("a"), true, true },
		{ TEXT_INIT("\"b\""), TEXT_INIT("a"), false, false },
		{ TEXT_INIT("a"), TEXT_INIT("a"), false, false },
		{ TEXT_INIT("\"a"), TEXT_INIT("a"), false, false },
		{ TEXT_INIT("\""), TEXT_INIT(""), false, false },
		{ TEXT_INIT("\"\""), TEXT_INIT(""), true, true },
		{ TEXT_INIT(""), TEXT_INIT("a"), false, false },
		{ TEXT_INIT("W/*"), TEXT_INIT("a"), false, false },
		{ TEXT_INIT(",,"), TEXT_INIT("a"), false, false },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		cr_assert_eq(etag_listed(cases[i].header, cases[i].tag, ETAG_WEAK), cases[i].listed,
		    "%s", cases[i].header.s);
		cr_assert_eq(etag_listed(cases[i].header, cases[i].tag, ETAG_STRONG),
		    cases[i].strongly, "%s", cases[i].header.s);
	}
}
