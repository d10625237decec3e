/*
 * What every integration test needs: a fresh folder that goes away with the
 * test, and how long to be patient.
 *
 * Everything in the harness stops the test (ck_abort_msg) when something that
 * it was asked to do can't be done, so that tests read as plain sentences.
 */
#ifndef RESCIND_TEST_SCRATCH_H
#define RESCIND_TEST_SCRATCH_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PATH_SIZE = 256,
	/* For an event that will come: only a failing test waits so long. */
	PATIENCE_MS = 30000,
};

/* Whether the programs run many times slower than they were built for. */
bool is_slow_build(void);
/* Programs run under valgrind when RESCIND_VALGRIND is set. */
bool is_under_valgrind(void);
/* CI=true: nothing that a test needs may be missing. */
bool is_ci(void);

/* A new folder below TMPDIR. */
void scratch_make(char ret_dir[PATH_SIZE]);
/* Remove it with all that is in it. */
void scratch_remove(const char *dir);
/* "<dir>/<name>" */
const char *scratch_path(char ret_path[PATH_SIZE], const char *dir,
			 const char *name);
bool path_exists(const char *path);
void file_write(const char *path, const void *data, size_t size);

/* CLOCK_MONOTONIC in ms. */
int64_t now_ms(void);
/* Nothing happens in between; for polling what tells nobody. */
void pause_ms(int ms);

/* Try @condition every few ms; stops the test when it never becomes true. */
#define UNTIL(condition)                                                       \
	do {                                                                   \
		int64_t until_end_ms_ = now_ms() + PATIENCE_MS;                \
		while (!(condition)) {                                         \
			ck_assert_msg(now_ms() < until_end_ms_,                \
				      "waited in vain: %s", #condition);       \
			pause_ms(5);                                           \
		}                                                              \
	} while (0)

#endif
