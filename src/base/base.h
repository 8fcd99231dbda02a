/*
 * The first include of every file: configuration, the standard types and the
 * few attributes and helpers that all of roster's C uses.
 */
#ifndef ROSTER_BASE_BASE_H
#define ROSTER_BASE_BASE_H

#ifdef HAVE_CONFIG_H
#include <config.h>
#endif

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define NORETURN __attribute__((noreturn))
#define RETURNS_NONNULL __attribute__((returns_nonnull))
#define PRINTF_LIKE(template, first) __attribute__((format(printf, template, first)))
#define UNUSED __attribute__((unused))

/* Elements of an array (not of a pointer). */
#define countof(array) (sizeof(array) / sizeof((array)[0]))

#include "base/assert.h"
#include "base/banned.h"

#endif
