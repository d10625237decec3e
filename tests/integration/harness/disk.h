/*
 * A small disk that can be full.
 *
 *	if (!disk_mount_small(dir)) {
 *		... not permitted here: there is nothing to test ...
 *	}
 *	disk_fill_up(path);	// a file on it takes all that is left
 *	... unlink(path) makes room again ...
 *	disk_unmount(dir);
 */
#ifndef RESCIND_TEST_DISK_H
#define RESCIND_TEST_DISK_H

#include "harness/scratch.h"

/* A disk of 2 MB at @dir, seen by this test's process and those that it starts,
 * and gone with them. False, and said so: not permitted. */
bool disk_mount_small(const char *dir);
void disk_unmount(const char *dir);
/* Write to @path until nothing more fits. */
void disk_fill_up(const char *path);

#endif
