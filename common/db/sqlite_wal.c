#include "db/sqlite_wal.h"

#include "db/sqlite_conn.h"
#include "failpoint/failpoint.h"

enum {
	FULL_BYTES = 4 << 20,
	/* A group may begin just before it is full. */
	LENGTH_BYTES = FULL_BYTES + (1 << 20),
	OVERSIZED_BYTES = 4 * FULL_BYTES,
};

static int on_commit(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct wal *wal = arg;

	(void)db;
	(void)name;
	wal->pages = pages;
	if (wal->pages > wal->pages_most) {
		wal->pages_most = wal->pages;
	}
	if (wal->pages < wal->pages_moved) {
		wal->pages_moved = 0; /* begun again at its start */
	}
	return SQLITE_OK;
}

void wal_init(struct wal *wal, sqlite3 *db)
{
	*wal = (struct wal){ .db = db, .page_size = 4096 };
	(void)conn_query_int(db, "PRAGMA page_size", &wal->page_size);
	(void)sqlite3_wal_hook(db, on_commit, wal);
}

/* ---- its length --------------------------------------------------------- */

static int write_zeros(sqlite3_file *file, sqlite3_int64 from)
{
	static const char zeros[64 << 10]; /* SQLite takes 128 KB at most */
	sqlite3_int64 at = from;
	int rc = SQLITE_OK;

	while (at < LENGTH_BYTES && rc == SQLITE_OK) {
		int n = (int)sizeof(zeros) - (int)(at % (int)sizeof(zeros));

		rc = file->pMethods->xWrite(file, zeros, n, at);
		at += n;
	}
	if (rc != SQLITE_OK) {
		(void)file->pMethods->xTruncate(file, from); /* as it was */
		return rc;
	}
	return file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
}

/* Zeros are no frames: whoever reads the log ends before them. */
int wal_lengthen(struct wal *wal)
{
	sqlite3_file *file = NULL;
	sqlite3_int64 size = 0;
	int rc = sqlite3_file_control(wal->db, "main",
				      SQLITE_FCNTL_JOURNAL_POINTER, &file);

	FAILPOINT("db.log.lengthen");
	wal->pages_most = 0;
	if (rc != SQLITE_OK || file == NULL || file->pMethods == NULL) {
		return rc;
	}
	rc = file->pMethods->xFileSize(file, &size);
	return rc == SQLITE_OK && size < LENGTH_BYTES ? write_zeros(file, size)
						      : rc;
}

/* ---- moving its pages --------------------------------------------------- */

int wal_checkpoint(struct wal *wal)
{
	int rc;

	FAILPOINT("db.checkpoint.before");
	rc = sqlite3_wal_checkpoint_v2(wal->db, NULL, SQLITE_CHECKPOINT_PASSIVE,
				       NULL, NULL);
	FAILPOINT("db.checkpoint.after");
	wal->pages_moved = wal->pages;
	return rc;
}

int wal_empty(struct wal *wal)
{
	int rc;

	FAILPOINT("db.log.empty.before");
	rc = sqlite3_wal_checkpoint_v2(wal->db, NULL,
				       SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	FAILPOINT("db.log.empty.after");
	wal->pages_moved = wal->pages;
	return rc;
}

bool wal_is_full(const struct wal *wal)
{
	return (wal->pages - wal->pages_moved) * wal->page_size >= FULL_BYTES;
}

bool wal_is_oversized(const struct wal *wal)
{
	return wal->pages_most * wal->page_size > OVERSIZED_BYTES;
}
