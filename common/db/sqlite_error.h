/*
 * SQLite's result codes in the vocabulary of status.h, and the two questions
 * that decide how far a failure reaches. Connections answer extended codes.
 */
#ifndef RESCIND_DB_SQLITE_ERROR_H
#define RESCIND_DB_SQLITE_ERROR_H

#include <sqlite3.h>
#include <stdbool.h>

#include "status/status.h"

/* The code that says @rc. */
enum status_code sqlite_code(int rc);

/*
 * Say @rc in @reterr, with what @db (may be NULL) knows about it where that was
 * its last failure. Answers the code.
 */
enum status_code sqlite_fail(sqlite3 *db, int rc, struct status *reterr);

/* Another connection has the lock: trying again may help. */
bool sqlite_is_busy(int rc);

/* A sync failed: what the disk holds is unknown. */
bool sqlite_is_sync_failure(int rc);

/* The fault is the file's or the machine's, so that no member can succeed. */
bool sqlite_is_group_failure(int rc);

/*
 * After a COMMIT that failed with @rc: its last frame may be complete in the
 * WAL file although the commit was undone, because the WAL's index is extended
 * after the frames were written and synced. A crash would bring it back.
 */
bool sqlite_leaves_frames(int rc);

/* A mistake of the caller's: say it on stderr and stop the process. */
_Noreturn void sqlite_bug(const char *fmt, ...) PRINTF_LIKE(1, 2);

#endif
