/*
 * Functions that do not compile. Each has a better one: struct text and buf for
 * the string functions, stamp.h for the calendar, uuid and crypto for random,
 * the arena for memory, db for the database.
 *
 * The few files that own a resource (the arena, the database connection, the
 * process) define ROSTER_OWNS_MEMORY before the first include.
 */
#ifndef ROSTER_BASE_BANNED_H
#define ROSTER_BASE_BANNED_H

#define BANNED(function) use_of_##function##_is_banned

#undef strcpy
#define strcpy(...) BANNED(strcpy)
#undef strncpy
#define strncpy(...) BANNED(strncpy)
#undef strcat
#define strcat(...) BANNED(strcat)
#undef strncat
#define strncat(...) BANNED(strncat)
#undef sprintf
#define sprintf(...) BANNED(sprintf)
#undef vsprintf
#define vsprintf(...) BANNED(vsprintf)
#undef strtok
#define strtok(...) BANNED(strtok)
#undef atoi
#define atoi(...) BANNED(atoi)
#undef atol
#define atol(...) BANNED(atol)
#undef gmtime
#define gmtime(...) BANNED(gmtime)
#undef localtime
#define localtime(...) BANNED(localtime)
#undef ctime
#define ctime(...) BANNED(ctime)
#undef rand
#define rand(...) BANNED(rand)
#undef random
#define random(...) BANNED(random)
#undef mysql_query
#define mysql_query(...) BANNED(mysql_query)

#ifndef ROSTER_OWNS_MEMORY
#undef malloc
#define malloc(...) BANNED(malloc)
#undef calloc
#define calloc(...) BANNED(calloc)
#undef realloc
#define realloc(...) BANNED(realloc)
#undef strdup
#define strdup(...) BANNED(strdup)
#undef free
#define free(...) BANNED(free)
#endif

#endif
