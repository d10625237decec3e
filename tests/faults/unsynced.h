/*
 * What was written to a file since its last sync, kept from the file: when the
 * process is killed it is gone, as it is from a disk whose power fails. One for
 * each path, whoever opens it in this process.
 *
 * A disk may have written some of it nevertheless, in any order, a sector but
 * not the next. With a seed other than 0 some of it does get into the file at
 * once: all of a write, nothing, or some of its sectors.
 *
 * After a sync that failed, what it was to bring to the disk stays readable
 * here and never gets there, whatever later syncs say: that is what systems do.
 *
 * Not like a disk: names. A file that was made or deleted is at once, and for
 * good. Other processes see what is synced and, with a seed, some more.
 *
 * Functions that do I/O answer SQLite's result codes.
 * Thread-safety: all functions, any thread.
 */
#ifndef RESCIND_TEST_UNSYNCED_H
#define RESCIND_TEST_UNSYNCED_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct unsynced;

/* Chooses what gets into files in spite of all; 0: nothing does. */
void unsynced_seed(uint64_t seed);

/* What there is of the file at @path (copied); to be put when it is closed. */
struct unsynced *unsynced_get(const char *path);
void unsynced_put(struct unsynced *file);
/* The file was deleted. */
void unsynced_delete(const char *path);
/* Whether something is kept from the file at @path; its size with that. */
bool unsynced_find(const char *path, int64_t *ret_size);

/* As the methods of sqlite3_io_methods; @real is the open file. */
int unsynced_read(struct unsynced *file, sqlite3_file *real, void *to, int n,
		  int64_t at);
int unsynced_write(struct unsynced *file, sqlite3_file *real, const void *from,
		   int n, int64_t at);
int unsynced_truncate(struct unsynced *file, sqlite3_file *real, int64_t size);
int unsynced_size(struct unsynced *file, sqlite3_file *real, int64_t *ret_size);
int unsynced_sync(struct unsynced *file, sqlite3_file *real, int flags);
/* The sync has failed. */
void unsynced_lose(struct unsynced *file);

/*
 * Bring everything that is not lost to the files, as a system does in the end
 * when a process exits. No other thread may use a file any more.
 */
void unsynced_write_out(void);

#endif
