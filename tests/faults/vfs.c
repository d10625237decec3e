#include "vfs.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failpoint/failpoint.h"
#include "unsynced.h"

FAILPOINT_DEFINE(at_open, "vfs.open", true);
FAILPOINT_DEFINE(at_read, "vfs.read", true);
FAILPOINT_DEFINE(at_write, "vfs.write", true);
FAILPOINT_DEFINE(at_truncate, "vfs.truncate", true);
FAILPOINT_DEFINE(at_sync, "vfs.sync", true);
FAILPOINT_DEFINE(at_delete, "vfs.delete", true);
FAILPOINT_DEFINE(at_shm_grow, "vfs.shm_grow", true);

struct fault_file {
	sqlite3_file base; /* first */
	sqlite3_file *real;
	struct unsynced *unsynced; /* NULL: it does not forget */
};

static sqlite3_vfs fault_vfs;
static sqlite3_vfs *system_vfs;
static atomic_bool forgets;

/* ---- a file ------------------------------------------------------------- */

static sqlite3_file *real(sqlite3_file *file)
{
	return ((struct fault_file *)file)->real;
}

static struct unsynced *unsynced(sqlite3_file *file)
{
	return ((struct fault_file *)file)->unsynced;
}

static int file_close(sqlite3_file *file)
{
	if (unsynced(file) != NULL) {
		unsynced_put(unsynced(file));
	}
	return real(file)->pMethods->xClose(real(file));
}

static int file_read(sqlite3_file *file, void *to, int n, sqlite3_int64 at)
{
	int rc = failpoint_pass(&at_read, SQLITE_IOERR_READ);

	if (rc != SQLITE_OK) {
		return rc;
	}
	return unsynced(file) != NULL
		       ? unsynced_read(unsynced(file), real(file), to, n, at)
		       : real(file)->pMethods->xRead(real(file), to, n, at);
}

static int file_write(sqlite3_file *file, const void *from, int n,
		      sqlite3_int64 at)
{
	int rc = failpoint_pass(&at_write, SQLITE_IOERR_WRITE);

	if (rc != SQLITE_OK) {
		return rc;
	}
	rc = unsynced(file) != NULL
		     ? unsynced_write(unsynced(file), real(file), from, n, at)
		     : real(file)->pMethods->xWrite(real(file), from, n, at);
	FAILPOINT("vfs.write.after");
	return rc;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	int rc = failpoint_pass(&at_truncate, SQLITE_IOERR_TRUNCATE);

	if (rc != SQLITE_OK) {
		return rc;
	}
	rc = unsynced(file) != NULL
		     ? unsynced_truncate(unsynced(file), real(file), size)
		     : real(file)->pMethods->xTruncate(real(file), size);
	FAILPOINT("vfs.truncate.after");
	return rc;
}

static int file_sync(sqlite3_file *file, int flags)
{
	int rc = failpoint_pass(&at_sync, SQLITE_IOERR_FSYNC);

	if (rc != SQLITE_OK && unsynced(file) != NULL) {
		unsynced_lose(unsynced(file));
	}
	if (rc != SQLITE_OK) {
		return rc;
	}
	rc = unsynced(file) != NULL
		     ? unsynced_sync(unsynced(file), real(file), flags)
		     : real(file)->pMethods->xSync(real(file), flags);
	FAILPOINT("vfs.sync.after");
	return rc;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
	int64_t size = 0;
	int rc;

	if (unsynced(file) == NULL) {
		return real(file)->pMethods->xFileSize(real(file), ret_size);
	}
	rc = unsynced_size(unsynced(file), real(file), &size);
	*ret_size = size;
	return rc;
}

static int file_lock(sqlite3_file *file, int level)
{
	return real(file)->pMethods->xLock(real(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
	return real(file)->pMethods->xUnlock(real(file), level);
}

static int file_check_lock(sqlite3_file *file, int *out)
{
	return real(file)->pMethods->xCheckReservedLock(real(file), out);
}

static int file_control(sqlite3_file *file, int op, void *arg)
{
	if (op == SQLITE_FCNTL_SIZE_HINT && unsynced(file) != NULL) {
		return SQLITE_OK; /* it would make the file longer */
	}
	return real(file)->pMethods->xFileControl(real(file), op, arg);
}

static int file_sector(sqlite3_file *file)
{
	return real(file)->pMethods->xSectorSize(real(file));
}

static int file_traits(sqlite3_file *file)
{
	return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

static int file_shm_map(sqlite3_file *file, int region, int size, int extend,
			void volatile **out)
{
	int rc = SQLITE_OK;

	if (region > 0 && extend) {
		rc = failpoint_pass(&at_shm_grow, SQLITE_IOERR_SHMSIZE);
	}
	return rc != SQLITE_OK ? rc
			       : real(file)->pMethods->xShmMap(
					 real(file), region, size, extend, out);
}

static int file_shm_lock(sqlite3_file *file, int at, int n, int flags)
{
	return real(file)->pMethods->xShmLock(real(file), at, n, flags);
}

static void file_shm_barrier(sqlite3_file *file)
{
	real(file)->pMethods->xShmBarrier(real(file));
}

static int file_shm_unmap(sqlite3_file *file, int remove)
{
	return real(file)->pMethods->xShmUnmap(real(file), remove);
}

/* Version 2: no pages of the file are mapped, past us. */
static const sqlite3_io_methods file_methods = {
	.iVersion = 2,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_check_lock,
	.xFileControl = file_control,
	.xSectorSize = file_sector,
	.xDeviceCharacteristics = file_traits,
	.xShmMap = file_shm_map,
	.xShmLock = file_shm_lock,
	.xShmBarrier = file_shm_barrier,
	.xShmUnmap = file_shm_unmap,
};

/* ---- the VFS ------------------------------------------------------------ */

/* A file that is gone when it is closed has nothing to survive. */
static bool may_forget(const char *name, int flags)
{
	return name != NULL && (flags & SQLITE_OPEN_DELETEONCLOSE) == 0 &&
	       atomic_load(&forgets);
}

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *out,
		    int flags, int *out_flags)
{
	struct fault_file *file = (struct fault_file *)out;
	int rc = failpoint_pass(&at_open, SQLITE_CANTOPEN);

	(void)vfs;
	file->base.pMethods = NULL;
	if (rc != SQLITE_OK) {
		return rc;
	}
	file->real = (sqlite3_file *)(file + 1);
	memset(file->real, 0, (size_t)system_vfs->szOsFile);
	rc = system_vfs->xOpen(system_vfs, name, file->real, flags, out_flags);
	if (rc == SQLITE_OK) {
		file->base.pMethods = &file_methods;
		file->unsynced =
			may_forget(name, flags) ? unsynced_get(name) : NULL;
	}
	return rc;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_directory)
{
	int rc = failpoint_pass(&at_delete, SQLITE_IOERR_DELETE);

	(void)vfs;
	if (rc != SQLITE_OK) {
		return rc;
	}
	rc = system_vfs->xDelete(system_vfs, name, sync_directory);
	if (rc == SQLITE_OK) {
		unsynced_delete(name);
	}
	return rc;
}

/* To SQLite, an empty file does not exist. */
static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags,
		      int *ret_can)
{
	int64_t size;

	(void)vfs;
	if (flags == SQLITE_ACCESS_EXISTS && unsynced_find(name, &size)) {
		*ret_can = size > 0;
		return SQLITE_OK;
	}
	return system_vfs->xAccess(system_vfs, name, flags, ret_can);
}

void fault_vfs_register(bool as_default)
{
	if (system_vfs == NULL) {
		system_vfs = sqlite3_vfs_find(NULL);
		/* The other methods are the system's, as are the data they
		 * work on. */
		fault_vfs = *system_vfs;
		fault_vfs.zName = FAULT_VFS;
		fault_vfs.xOpen = vfs_open;
		fault_vfs.xDelete = vfs_delete;
		fault_vfs.xAccess = vfs_access;
		fault_vfs.szOsFile =
			(int)sizeof(struct fault_file) + system_vfs->szOsFile;
	}
	sqlite3_vfs_register(&fault_vfs, as_default);
}

void fault_vfs_forget(uint64_t seed)
{
	unsynced_seed(seed);
	if (!atomic_exchange(&forgets, true)) {
		(void)atexit(unsynced_write_out);
	}
}

/* ---- arming ------------------------------------------------------------- */

static struct failpoint_cell *armed;
static uint32_t struck_before;

void fault_arm(const char *point, unsigned nth, int rc, bool onwards)
{
	const struct failpoint_order order = {
		.action = FAILPOINT_FAIL,
		.nth = nth,
		.onwards = onwards,
		.value = rc,
	};

	armed = failpoint_cell(point);
	if (armed == NULL || !armed->answers) {
		fprintf(stderr, "no point '%s' that can fail\n", point);
		abort();
	}
	struck_before = atomic_load(&armed->struck);
	failpoint_cell_arm(armed, &order);
}

void fault_disarm(void)
{
	if (armed != NULL) {
		failpoint_cell_arm(armed, &(struct failpoint_order){ 0 });
	}
}

bool fault_struck(void)
{
	return armed != NULL && atomic_load(&armed->struck) > struck_before;
}
