/*
 * The write-ahead log as a piece of disk that is written over and over.
 *
 * To overwrite and sync takes half the time of appending and syncing, and a
 * small part of it while others write to the same file system, as the length of
 * the file and its map of blocks do not change. So the log gets its length
 * once, as zeros, and its pages are moved into the file whenever it is full, by
 * the lane, between two groups; the next group begins again at its start. Only
 * a reader who stays for long makes it grow.
 */
#ifndef RESCIND_DB_SQLITE_WAL_H
#define RESCIND_DB_SQLITE_WAL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct wal {
	sqlite3 *db;
	int64_t page_size;
	int64_t pages;	     /* in the log, as of the last commit */
	int64_t pages_moved; /* of these, seen by the last checkpoint */
	int64_t pages_most;  /* ever since its length was given */
};

/* @wal must not move: SQLite reports commits to it. */
void wal_init(struct wal *wal, sqlite3 *db);

/*
 * All of these answer a SQLite result code, of which only a failed sync
 * matters: the transactions are safe in the log whatever becomes of it.
 */

/* Give the log its length. Inside a write transaction: others write to it. */
int wal_lengthen(struct wal *wal);
/* Move what can be moved without waiting for anyone. */
int wal_checkpoint(struct wal *wal);
/* The same, and leave an empty log, if nobody reads in it. */
int wal_empty(struct wal *wal);

/* After a group: whether a checkpoint is due. */
bool wal_is_full(const struct wal *wal);
/* Whether it has grown beyond what it needs. */
bool wal_is_oversized(const struct wal *wal);

#endif
