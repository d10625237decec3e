/*
 * A SQLite VFS for tests: the system's own, with failpoints, and one that can
 * forget.
 *
 * Each kind of call is a point (common/failpoint) that is passed before it is
 * done, and can fail, with any of SQLite's result codes:
 *
 *	vfs.open	fails with SQLITE_CANTOPEN where the order says no code
 *	vfs.read	SQLITE_IOERR_READ
 *	vfs.write	SQLITE_IOERR_WRITE
 *	vfs.truncate	SQLITE_IOERR_TRUNCATE
 *	vfs.sync	SQLITE_IOERR_FSYNC
 *	vfs.delete	SQLITE_IOERR_DELETE
 *	vfs.shm_grow	SQLITE_IOERR_SHMSIZE; the log's index, beyond its first
 *			part
 *
 * and vfs.write.after, vfs.truncate.after and vfs.sync.after are passed when it
 * is done. RESCIND_FAILPOINTS=vfs.write=fail:13@5+ is a disk that is full from
 * the 5th write on.
 *
 * The programs in tests/faulty have it as their default VFS. With
 * RESCIND_FORGET=<seed> in their environment what is not synced is lost when
 * they are killed (0), or much of it (any other number): unsynced.h. What
 * happens to files when they exit in order is what happens on any system.
 *
 * The log's index (-shm) is memory, shared as ever, which whoever opens the
 * file first after a death makes anew. So nobody else may have the file open
 * over a death that is to be a power cut.
 *
 * While a program forgets, others see just what it has synced, and a checkpoint
 * that a reader keeps from its end is not. So read its files when it is at
 * rest, or gone.
 *
 * Thread-safety: all functions, any thread.
 */
#ifndef RESCIND_TEST_VFS_H
#define RESCIND_TEST_VFS_H

#include <stdbool.h>
#include <stdint.h>

#define FAULT_VFS "fault"

/* As one among others, or as the one that is taken where none is named. */
void fault_vfs_register(bool as_default);

/* From now on, files that are opened are such that forget. */
void fault_vfs_forget(uint64_t seed);

/* ---- in the process of a unit test -------------------------------------- */

/* The @nth pass (from 1) of @point fails with @rc, and all later ones if
 * @onwards. */
void fault_arm(const char *point, unsigned nth, int rc, bool onwards);
/* What was armed last is off. */
void fault_disarm(void);
/* Whether what was armed last has struck since. */
bool fault_struck(void);

#endif
