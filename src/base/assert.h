/*
 * Our own mistakes. An assertion stays in release builds; it costs one worker,
 * which prints the request that it was serving (never its body or a secret), and
 * the master starts another. What a client or an operator gets wrong is never
 * asserted: it is answered.
 */
#ifndef ROSTER_BASE_ASSERT_H
#define ROSTER_BASE_ASSERT_H

/* Ends the process through abort() unless the condition holds. Side effects are kept. */
#define must(condition) \
	((condition) ? (void)0 : assert_failed(#condition, __FILE__, __LINE__, __func__))

/* A place that no correct program reaches. */
#define unreachable() assert_failed("unreachable", __FILE__, __LINE__, __func__)

/* Logs the failure with the log's current request, then abort(). */
void assert_failed(const char *what, const char *file, int line, const char *function)
    __attribute__((noreturn));

#endif
