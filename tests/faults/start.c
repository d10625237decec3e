/* What a program of tests does before main(): take the disk that fails. */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "vfs.h"

enum { EXIT_USAGE = 2 };

static uint64_t read_seed(const char *text)
{
	char *end;
	uint64_t seed;

	errno = 0;
	seed = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0) {
		fprintf(stderr, "RESCIND_FORGET: '%s' is not a number\n", text);
		_exit(EXIT_USAGE);
	}
	return seed;
}

__attribute__((constructor)) static void start(void)
{
	const char *seed = getenv("RESCIND_FORGET");

	/*
	 * To register a VFS starts SQLite, which then can't be configured any
	 * more: as common/db does it.
	 */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	(void)sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, -1);
	fault_vfs_register(true);
	if (seed != NULL && seed[0] != '\0') {
		fault_vfs_forget(read_seed(seed));
	}
}
