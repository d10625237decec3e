#include "db/sqlite_error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static int primary(int rc)
{
	return rc & 0xFF;
}

static enum status_code constraint_code(int rc)
{
	switch (rc) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
		return STATUS_ALREADY_EXISTS;
	default:
		return STATUS_FAILED_PRECONDITION;
	}
}

enum status_code sqlite_code(int rc)
{
	switch (primary(rc)) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return STATUS_OK;
	case SQLITE_CONSTRAINT:
		return constraint_code(rc);
	case SQLITE_FULL:
	case SQLITE_NOMEM:
		return STATUS_RESOURCE_EXHAUSTED;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PROTOCOL:
		return STATUS_UNAVAILABLE;
	case SQLITE_INTERRUPT:
		return STATUS_CANCELLED;
	case SQLITE_TOOBIG:
	case SQLITE_MISMATCH:
		return STATUS_INVALID_ARGUMENT;
	default:
		return STATUS_INTERNAL;
	}
}

/* In SQLite's words, but where it has none of its own. */
static const char *text_of(int rc)
{
	return rc == SQLITE_READONLY_DBMOVED
		       ? "the database file was moved or removed"
		       : sqlite3_errstr(rc);
}

enum status_code sqlite_fail(sqlite3 *db, int rc, struct status *reterr)
{
	bool known = db != NULL && sqlite3_extended_errcode(db) == rc;
	const char *text = known ? sqlite3_errmsg(db) : text_of(rc);
	int err = known ? sqlite3_system_errno(db) : 0;
	bool of_system =
		primary(rc) == SQLITE_IOERR || primary(rc) == SQLITE_CANTOPEN;

	if (of_system && err != 0) {
		return status_set_errno(reterr, sqlite_code(rc), err, "%s",
					text);
	}
	return status_set(reterr, sqlite_code(rc), "%s", text);
}

bool sqlite_is_busy(int rc)
{
	return primary(rc) == SQLITE_BUSY || primary(rc) == SQLITE_LOCKED;
}

bool sqlite_is_sync_failure(int rc)
{
	return rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC;
}

bool sqlite_is_group_failure(int rc)
{
	switch (primary(rc)) {
	case SQLITE_FULL:
	case SQLITE_IOERR:
	case SQLITE_NOMEM:
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_PROTOCOL:
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return true;
	default:
		return false;
	}
}

bool sqlite_leaves_frames(int rc)
{
	return rc == SQLITE_IOERR_SHMSIZE || rc == SQLITE_IOERR_SHMMAP ||
	       rc == SQLITE_IOERR_SHMOPEN || primary(rc) == SQLITE_NOMEM ||
	       rc == SQLITE_IOERR_NOMEM;
}

void sqlite_bug(const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) the line above */
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fprintf(stderr, "db: %s\n", text);
	abort();
}
