/* A programmer's error: says so and stops. Of the files of twopc alone. */
#ifndef RESCIND_TWOPC_BUG_H
#define RESCIND_TWOPC_BUG_H

#include <stdio.h>
#include <stdlib.h>

#define twopc_bug(...)                                                         \
	do {                                                                   \
		fprintf(stderr, "bug: twopc: " __VA_ARGS__);                   \
		fputc('\n', stderr);                                           \
		abort();                                                       \
	} while (0)

#endif
