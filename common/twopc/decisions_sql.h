/* What decisions.h adds to its owner's database. Included by it. */
#ifndef RESCIND_TWOPC_DECISIONS_SQL_H
#define RESCIND_TWOPC_DECISIONS_SQL_H

/*
 * The fence compares the first TWOPC_STEM_SIZE - 1 bytes of an id with the stem
 * of whoever opened the database last. In the private image of a staged
 * transaction twopc_identity is empty: there it lets pass.
 */
#define TWOPC_DECISIONS_SCHEMA                                                 \
	"CREATE TABLE IF NOT EXISTS twopc_identity ("                          \
	" one INTEGER PRIMARY KEY CHECK (one = 1),"                            \
	" coordinator TEXT NOT NULL,"                                          \
	" stem TEXT NOT NULL);"                                                \
	"CREATE TABLE IF NOT EXISTS twopc_decisions ("                         \
	" transaction_id TEXT NOT NULL PRIMARY KEY,"                           \
	" participant TEXT NOT NULL,"                                          \
	" note TEXT NOT NULL,"                                                 \
	" decided_at INTEGER NOT NULL) WITHOUT ROWID;"                         \
	"CREATE TRIGGER IF NOT EXISTS twopc_fence"                             \
	" BEFORE INSERT ON twopc_decisions"                                    \
	" WHEN substr(NEW.transaction_id, 1, 29) <>"                           \
	" (SELECT stem FROM twopc_identity)"                                   \
	" BEGIN SELECT RAISE(ABORT,"                                           \
	" 'another process has taken over this coordinator'); END;"

/* To be among the staged tables. */
#define TWOPC_DECISIONS_TABLE "twopc_decisions"

/* X(base, symbol, SQL) */
#define TWOPC_DECISIONS_SQL(X, base)                                           \
	X(base, KEEP,                                                          \
	  "INSERT OR IGNORE INTO twopc_identity (one, coordinator, stem)"      \
	  " VALUES (1, ?1, '')")                                               \
	X(base, IDENTITY, "SELECT coordinator, stem FROM twopc_identity")      \
	X(base, TAKE_OVER, "UPDATE twopc_identity SET stem = ?1")              \
	X(base, INSERT,                                                        \
	  "INSERT INTO twopc_decisions (transaction_id, participant, note,"    \
	  " decided_at) VALUES (?1, ?2, ?3, ?4)")                              \
	X(base, FORGET,                                                        \
	  "DELETE FROM twopc_decisions WHERE transaction_id = ?1")             \
	X(base, LIST,                                                          \
	  "SELECT transaction_id, participant, note, decided_at"               \
	  " FROM twopc_decisions WHERE transaction_id > ?1"                    \
	  " ORDER BY transaction_id LIMIT ?2")

enum twopc_decisions_stmt {
#define TWOPC_DECISIONS_ENUM(base, symbol, sql) TWOPC_DECISIONS_##symbol,
	TWOPC_DECISIONS_SQL(TWOPC_DECISIONS_ENUM, 0)
#undef TWOPC_DECISIONS_ENUM
		TWOPC_DECISIONS_STMT_NR
};

/* Elements of the owner's array of statements, with their commas. */
#define TWOPC_DECISIONS_ELEMENT(base, symbol, sql)                             \
	[(base) + TWOPC_DECISIONS_##symbol] = (sql),
#define TWOPC_DECISIONS_STATEMENTS(base)                                       \
	TWOPC_DECISIONS_SQL(TWOPC_DECISIONS_ELEMENT, base)

#endif
