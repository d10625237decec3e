/* What prepared.h adds to its owner's database. Included by it. */
#ifndef RESCIND_TWOPC_PREPARED_SQL_H
#define RESCIND_TWOPC_PREPARED_SQL_H

/*
 * state: enum twopc_row; payload: while prepared; changed_at: ms since 1970;
 * below: all ids of the coordinator that sort before it are over.
 */
#define TWOPC_PREPARED_SCHEMA                                                  \
	"CREATE TABLE IF NOT EXISTS twopc_prepared ("                          \
	" coordinator TEXT NOT NULL,"                                          \
	" transaction_id TEXT NOT NULL,"                                       \
	" state INTEGER NOT NULL,"                                             \
	" payload BLOB,"                                                       \
	" changed_at INTEGER NOT NULL,"                                        \
	" PRIMARY KEY (coordinator, transaction_id)) WITHOUT ROWID;"           \
	"CREATE TABLE IF NOT EXISTS twopc_over ("                              \
	" coordinator TEXT NOT NULL PRIMARY KEY,"                              \
	" below TEXT NOT NULL,"                                                \
	" changed_at INTEGER NOT NULL) WITHOUT ROWID;"

/* X(base, symbol, SQL) */
#define TWOPC_PREPARED_SQL(X, base)                                            \
	X(base, LOOK,                                                          \
	  "SELECT (SELECT state FROM twopc_prepared"                           \
	  " WHERE coordinator = ?1 AND transaction_id = ?2),"                  \
	  " (SELECT below > ?2 FROM twopc_over WHERE coordinator = ?1)")       \
	X(base, PAYLOAD,                                                       \
	  "SELECT payload FROM twopc_prepared"                                 \
	  " WHERE coordinator = ?1 AND transaction_id = ?2")                   \
	X(base, ADD,                                                           \
	  "INSERT INTO twopc_prepared (coordinator, transaction_id, state,"    \
	  " payload, changed_at) VALUES (?1, ?2, ?3, ?4, ?5)")                 \
	X(base, SET,                                                           \
	  "UPDATE twopc_prepared SET state = ?3, payload = NULL,"              \
	  " changed_at = ?4 WHERE coordinator = ?1 AND transaction_id = ?2")   \
	X(base, DROP,                                                          \
	  "DELETE FROM twopc_prepared"                                         \
	  " WHERE coordinator = ?1 AND transaction_id = ?2")                   \
	X(base, SEAL,                                                          \
	  "INSERT INTO twopc_over (coordinator, below, changed_at)"            \
	  " VALUES (?1, ?2, ?3) ON CONFLICT (coordinator) DO UPDATE"           \
	  " SET below = max(below, excluded.below),"                           \
	  " changed_at = excluded.changed_at")                                 \
	X(base, DROP_OVER,                                                     \
	  "DELETE FROM twopc_prepared WHERE coordinator = ?1"                  \
	  " AND transaction_id IN (SELECT transaction_id FROM twopc_prepared"  \
	  " WHERE coordinator = ?1 AND transaction_id < ?2 AND state <> 1"     \
	  " ORDER BY transaction_id LIMIT ?3)")                                \
	X(base, DROP_TOMBSTONES,                                               \
	  "DELETE FROM twopc_prepared WHERE (coordinator, transaction_id) IN"  \
	  " (SELECT coordinator, transaction_id FROM twopc_prepared"           \
	  " WHERE state = 3 AND changed_at < ?1 LIMIT ?2)")                    \
	X(base, DROP_SEALS,                                                    \
	  "DELETE FROM twopc_over WHERE changed_at < ?1"                       \
	  " AND NOT EXISTS (SELECT 1 FROM twopc_prepared AS p"                 \
	  " WHERE p.coordinator = twopc_over.coordinator)")                    \
	X(base, LIST_ALL,                                                      \
	  "SELECT coordinator, transaction_id, state, changed_at"              \
	  " FROM twopc_prepared"                                               \
	  " WHERE (coordinator, transaction_id) > (?1, ?2)"                    \
	  " AND (?3 = 0 OR state = 1)"                                         \
	  " ORDER BY coordinator, transaction_id LIMIT ?4")                    \
	X(base, LIST_OF,                                                       \
	  "SELECT coordinator, transaction_id, state, changed_at"              \
	  " FROM twopc_prepared"                                               \
	  " WHERE coordinator = ?1 AND transaction_id > ?2"                    \
	  " AND (?3 = 0 OR state = 1)"                                         \
	  " ORDER BY transaction_id LIMIT ?4")                                 \
	X(base, SUMMARY,                                                       \
	  "SELECT count(*), min(changed_at) FROM twopc_prepared"               \
	  " WHERE state = 1")

enum twopc_prepared_stmt {
#define TWOPC_PREPARED_ENUM(base, symbol, sql) TWOPC_PREPARED_##symbol,
	TWOPC_PREPARED_SQL(TWOPC_PREPARED_ENUM, 0)
#undef TWOPC_PREPARED_ENUM
		TWOPC_PREPARED_STMT_NR
};

/* Elements of the owner's array of statements, with their commas. */
#define TWOPC_PREPARED_ELEMENT(base, symbol, sql)                              \
	[(base) + TWOPC_PREPARED_##symbol] = (sql),
#define TWOPC_PREPARED_STATEMENTS(base)                                        \
	TWOPC_PREPARED_SQL(TWOPC_PREPARED_ELEMENT, base)

#endif
