#include "fault_vfs.h"

#include <pthread.h>
#include <sqlite3.h>
#include <string.h>

struct fault_file {
	sqlite3_file base; /* first */
	sqlite3_file *real;
};

static sqlite3_vfs fault_vfs;
static sqlite3_vfs *system_vfs;

static struct {
	pthread_mutex_t lock;
	bool armed, sticky, struck;
	enum fault_op op;
	unsigned left;
	int rc;
} fault = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- the fault ---------------------------------------------------------- */

void fault_arm(enum fault_op op, unsigned nth, int rc, bool sticky)
{
	pthread_mutex_lock(&fault.lock);
	fault.armed = true;
	fault.sticky = sticky;
	fault.struck = false;
	fault.op = op;
	fault.left = nth;
	fault.rc = rc;
	pthread_mutex_unlock(&fault.lock);
}

void fault_disarm(void)
{
	pthread_mutex_lock(&fault.lock);
	fault.armed = false;
	pthread_mutex_unlock(&fault.lock);
}

bool fault_struck(void)
{
	bool struck;

	pthread_mutex_lock(&fault.lock);
	struck = fault.struck;
	pthread_mutex_unlock(&fault.lock);
	return struck;
}

/* SQLITE_OK, or what this call has to answer instead of being done. */
static int strike(enum fault_op op)
{
	int rc = SQLITE_OK;

	pthread_mutex_lock(&fault.lock);
	if (fault.armed && fault.op == op) {
		if (fault.left > 0) {
			fault.left--;
		}
		if (fault.left == 0) {
			rc = fault.rc;
			fault.struck = true;
			fault.armed = fault.sticky;
		}
	}
	pthread_mutex_unlock(&fault.lock);
	return rc;
}

/* ---- a file ------------------------------------------------------------- */

static sqlite3_file *real(sqlite3_file *file)
{
	return ((struct fault_file *)file)->real;
}

static int file_close(sqlite3_file *file)
{
	return real(file)->pMethods->xClose(real(file));
}

static int file_read(sqlite3_file *file, void *to, int n, sqlite3_int64 at)
{
	return real(file)->pMethods->xRead(real(file), to, n, at);
}

static int file_write(sqlite3_file *file, const void *from, int n,
		      sqlite3_int64 at)
{
	int rc = strike(FAULT_WRITE);

	return rc != SQLITE_OK
		       ? rc
		       : real(file)->pMethods->xWrite(real(file), from, n, at);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	return real(file)->pMethods->xTruncate(real(file), size);
}

static int file_sync(sqlite3_file *file, int flags)
{
	int rc = strike(FAULT_SYNC);

	return rc != SQLITE_OK ? rc
			       : real(file)->pMethods->xSync(real(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return real(file)->pMethods->xFileSize(real(file), size);
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
	int rc = region > 0 && extend ? strike(FAULT_SHM_GROW) : SQLITE_OK;

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

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *out,
		    int flags, int *out_flags)
{
	struct fault_file *file = (struct fault_file *)out;
	int rc = strike(FAULT_OPEN);

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
	}
	return rc;
}

void fault_vfs_register(void)
{
	system_vfs = sqlite3_vfs_find(NULL);
	/* The other methods are the system's, as are the data they work on. */
	fault_vfs = *system_vfs;
	fault_vfs.zName = FAULT_VFS;
	fault_vfs.xOpen = vfs_open;
	fault_vfs.szOsFile =
		(int)sizeof(struct fault_file) + system_vfs->szOsFile;
	sqlite3_vfs_register(&fault_vfs, 0);
}
