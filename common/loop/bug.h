/*
 * How programmer errors stop the process: with the place and a sentence.
 * Unlike assert() it stays in release builds: a program whose rules are broken
 * must not go on to commit.
 */
#ifndef RESCIND_BUG_H
#define RESCIND_BUG_H

#include <stdio.h>
#include <stdlib.h>

#define BUG_IF(condition, text)                                                \
	do {                                                                   \
		if (__builtin_expect(!!(condition), 0)) {                      \
			bug_stop(__FILE__, __LINE__, (text));                  \
		}                                                              \
	} while (0)

static inline _Noreturn void bug_stop(const char *file, int line,
				      const char *text)
{
	fprintf(stderr, "BUG %s:%d: %s\n", file, line, text);
	abort();
}

#endif
