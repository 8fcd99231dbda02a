# ROSTER_LIBRARY(VARIABLE, MODULE, DEBIAN-PACKAGE)
# Finds a library by pkg-config, or ends with the name of the package to install.
AC_DEFUN([ROSTER_LIBRARY], [
PKG_CHECK_MODULES([$1], [$2], [],
	[AC_MSG_ERROR([$2 is missing. On Debian: apt-get install $3])])
])

# ROSTER_LIBRARY_PLAIN(VARIABLE, LIBRARY, FUNCTION, HEADER, DEBIAN-PACKAGE)
# The same for a library that comes without a pkg-config file; sets VARIABLE_LIBS.
AC_DEFUN([ROSTER_LIBRARY_PLAIN], [
AC_CHECK_HEADER([$4], [],
	[AC_MSG_ERROR([$4 is missing. On Debian: apt-get install $5])])
AC_CHECK_LIB([$2], [$3], [$1_LIBS=-l$2],
	[AC_MSG_ERROR([lib$2 is missing. On Debian: apt-get install $5])])
AC_SUBST([$1_LIBS])
])

# ROSTER_FLAG(VARIABLE, FLAG)
# Adds FLAG to VARIABLE when compiler and linker take it without a warning. It is tried together with
# the user's own flags, so that one which contradicts them is left out.
AC_DEFUN([ROSTER_FLAG], [
AC_MSG_CHECKING([whether the compiler takes $2])
roster_saved_cflags=$CFLAGS
CFLAGS="$2 $CFLAGS -Werror"
AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]])],
	[AC_MSG_RESULT([yes])
	 AS_VAR_APPEND([$1], [" $2"])],
	[AC_MSG_RESULT([no])])
CFLAGS=$roster_saved_cflags
])
