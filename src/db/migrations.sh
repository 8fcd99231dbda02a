#!/bin/sh
# Turns sql/NNNN_name.sql, given in order, into the table that db/migrate.h declares.
# Every byte is written as an octal escape, so that the checksum is that of the file.
set -eu
LC_ALL=C
export LC_ALL

fail()
{
	echo "migrations.sh: $1" >&2
	exit 1
}

echo '/* Made from sql/ by src/db/migrations.sh. */'
echo '#include "base/base.h"'
echo '#include "db/migrate.h"'
echo
echo 'const struct migration migrations[] = {'
last=0
for file in "$@"; do
	base=${file##*/}
	case $base in
	[0-9][0-9][0-9][0-9]_[a-z]*.sql) ;;
	*) fail "$file: the name is not NNNN_name.sql" ;;
	esac
	number=$(expr "${base%%_*}" + 0)
	[ "$number" -eq $((last + 1)) ] || fail "$file: the number after $last is $((last + 1))"
	last=$number
	name=${base#*_}
	echo "	{ $number, \"${name%.sql}\","
	od -An -v -to1 "$file" | sed 's/ /\\/g; s/.*/	  "&"/'
	echo '	},'
done
echo '};'
echo
echo "const size_t nmigrations = $last;"
