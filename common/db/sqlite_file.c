#include "db/sqlite_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "db/sqlite_conn.h"
#include "db/sqlite_error.h"
#include "db/sqlite_schema.h"
#include "failpoint/failpoint.h"

/* At start only: later on nothing waits inside SQLite. */
enum { START_PATIENCE_MS = 5000 };

/* Whose fault it is, said to the person who starts the program. */
static enum status_code fail_at_start(sqlite3 *db, int rc,
				      struct status *reterr)
{
	(void)sqlite_fail(db, rc, reterr);
	switch (rc & 0xFF) {
	case SQLITE_CANTOPEN:
		reterr->code = STATUS_INVALID_ARGUMENT;
		break;
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
	case SQLITE_READONLY:
	case SQLITE_PERM:
		reterr->code = STATUS_FAILED_PRECONDITION;
		break;
	default:
		break;
	}
	return reterr->code;
}

/* ---- mode --------------------------------------------------------------- */

/*
 * SQLite answers with the mode first and commits the change afterwards: only
 * the end of the statement tells how that went.
 */
static int change_mode(sqlite3 *db, char *ret_mode, int size)
{
	sqlite3_stmt *stmt;
	const char *mode;
	int rc = sqlite3_prepare_v2(db, "PRAGMA journal_mode=WAL", -1, &stmt,
				    NULL);

	if (rc != SQLITE_OK) {
		return rc;
	}
	ret_mode[0] = '\0';
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		mode = (const char *)sqlite3_column_text(stmt, 0);
		sqlite3_snprintf(size, ret_mode, "%s", mode);
	}
	return sqlite3_finalize(stmt);
}

static enum status_code enter_wal(sqlite3 *db, struct status *reterr)
{
	char mode[16];
	int rc = change_mode(db, mode, (int)sizeof(mode));

	if (rc != SQLITE_OK) {
		return fail_at_start(db, rc, reterr);
	}
	if (strcmp(mode, "wal") != 0) {
		return status_set(reterr, STATUS_FAILED_PRECONDITION,
				  "its journal can't be a write-ahead log, "
				  "only '%s'",
				  mode);
	}
	return STATUS_OK;
}

static enum status_code set_up(sqlite3 *db, struct status *reterr)
{
	int rc;

	if (sqlite3_db_readonly(db, "main") == 1) {
		return status_set(reterr, STATUS_FAILED_PRECONDITION,
				  "no permission to write");
	}
	(void)sqlite3_busy_timeout(db, START_PATIENCE_MS);
	if (enter_wal(db, reterr) != STATUS_OK) {
		return reterr->code;
	}
	rc = conn_exec(db, "PRAGMA synchronous=FULL;"
			   "PRAGMA foreign_keys=ON;"
			   "PRAGMA wal_autocheckpoint=0;"
			   "PRAGMA temp_store=MEMORY");
	return rc == SQLITE_OK ? STATUS_OK : fail_at_start(db, rc, reterr);
}

/* ---- schema ------------------------------------------------------------- */

static int run_schema(sqlite3 *db, const char *schema)
{
	int rc = conn_exec(db, "BEGIN");

	if (rc == SQLITE_OK) {
		rc = conn_exec(db, schema);
	}
	if (rc == SQLITE_OK) {
		rc = conn_exec(db, "COMMIT");
	}
	return rc;
}

static enum status_code make_schema(sqlite3 *db, const char *schema,
				    struct status *reterr)
{
	enum status_code code = STATUS_OK;
	int rc = run_schema(db, schema);

	if (rc != SQLITE_OK) {
		code = fail_at_start(db, rc, reterr);
		if ((rc & 0xFF) == SQLITE_ERROR) {
			/* It ran on an image: what is here does not fit it. */
			code = STATUS_FAILED_PRECONDITION;
			reterr->code = code;
			status_wrap(reterr, "it has another schema");
		}
	}
	if (!sqlite3_get_autocommit(db)) {
		(void)conn_exec(db, "ROLLBACK");
	}
	return code;
}

static enum status_code compare_tables(sqlite3 *db, sqlite3 *image,
				       const struct db_sqlite_options *options,
				       struct status *reterr)
{
	const char *const *name = options->staged_tables;

	for (; name != NULL && *name != NULL; name++) {
		if (schema_compare(image, db, *name, reterr) != STATUS_OK) {
			return reterr->code;
		}
	}
	return STATUS_OK;
}

/* ---- on disk ------------------------------------------------------------ */

/*
 * Names of new files are on disk only when their directory was synced. SQLite
 * tries, but keeps it to itself when that fails.
 */
static enum status_code sync_directory(sqlite3 *db, struct status *reterr)
{
	const char *file = sqlite3_db_filename(db, "main");
	const char *slash = file == NULL ? NULL : strrchr(file, '/');
	char *directory;
	int fd;
	int err = 0;

	if (slash == NULL) {
		return STATUS_OK;
	}
	directory = sqlite3_mprintf("%.*s", (int)(slash - file) + 1, file);
	fd = directory == NULL
		     ? -1
		     : open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	sqlite3_free(directory);
	if (fd < 0) {
		return STATUS_OK; /* may be written to but not read: so be it */
	}
	if (fsync(fd) != 0 && errno != EINVAL) {
		err = errno;
	}
	(void)close(fd);
	return err == 0 ? STATUS_OK
			: status_set_errno(reterr, STATUS_INTERNAL, err,
					   "sync its directory");
}

/* ---- opening ------------------------------------------------------------ */

static enum status_code prepare_file(sqlite3 *db, sqlite3 *image,
				     const struct db_sqlite_options *options,
				     struct status *reterr)
{
	if (set_up(db, reterr) != STATUS_OK) { /* recovers the log */
		return reterr->code;
	}
	FAILPOINT("db.open.recovered");
	if (make_schema(db, options->schema, reterr) != STATUS_OK ||
	    compare_tables(db, image, options, reterr) != STATUS_OK ||
	    sync_directory(db, reterr) != STATUS_OK) {
		return reterr->code;
	}
	FAILPOINT("db.open.prepared");
	(void)sqlite3_busy_timeout(db, 0);
	return STATUS_OK;
}

static enum status_code open_file(const struct db_sqlite_options *options,
				  int flags, sqlite3 **ret_db,
				  struct status *reterr)
{
	enum status_code code =
		conn_open(options->path, flags | SQLITE_OPEN_READWRITE,
			  options->vfs, ret_db, reterr);

	if (code == STATUS_UNAVAILABLE) {
		/* No such directory, no permission: somebody's to mend. */
		reterr->code = STATUS_INVALID_ARGUMENT;
	}
	return code == STATUS_OK ? STATUS_OK : reterr->code;
}

enum status_code file_open_writer(const struct db_sqlite_options *options,
				  sqlite3 *image, sqlite3 **ret_db,
				  struct status *reterr)
{
	sqlite3 *db;

	FAILPOINT("db.open.before");
	if (open_file(options, SQLITE_OPEN_CREATE, &db, reterr) != STATUS_OK) {
		return reterr->code;
	}
	FAILPOINT("db.open.after");
	if (prepare_file(db, image, options, reterr) != STATUS_OK) {
		sqlite3_close(db);
		return reterr->code;
	}
	*ret_db = db;
	return STATUS_OK;
}

enum status_code file_open_reader(const struct db_sqlite_options *options,
				  sqlite3 **ret_db, struct status *reterr)
{
	return open_file(options, 0, ret_db, reterr);
}
