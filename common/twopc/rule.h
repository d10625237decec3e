/*
 * What a participant's durable record says to an order, and what is to be
 * written: the rule that makes every order idempotent. Pure; the record in the
 * database (prepared.h) and the simulated disk of the tests run it.
 *
 *	row             PREPARE        COMMIT             ROLLBACK
 *	-----------     -----------    ----------------   ---------------
 *	none            + prepared     UNKNOWN            + rolled back
 *	none, over      UNKNOWN        UNKNOWN            UNKNOWN
 *	prepared        PREPARED       apply, committed   rolled back
 *	prepared, over  PREPARED       apply, committed   - dropped
 *	committed       COMMITTED      COMMITTED          COMMITTED
 *	rolled back     ROLLED_BACK    ROLLED_BACK        ROLLED_BACK
 *
 * "Over" is what the coordinator has said of all ids below one: it will never
 * ask for them again, so their rows are gone, and a message about one of them
 * that arrives late (a prepare above all) must not bring it back to life. A row
 * "rolled back" is a tombstone: it refuses a prepare that comes late; what is
 * over needs none.
 */
#ifndef RESCIND_TWOPC_RULE_H
#define RESCIND_TWOPC_RULE_H

#include <stdbool.h>

#include "status/status.h"
#include "twopc/id.h"

/* Numbers that are stored, and may be sent: never change them. */
#define TWOPC_ROWS(X)                                                          \
	X(NONE, 0, "none")                                                     \
	X(PREPARED, 1, "prepared")                                             \
	X(COMMITTED, 2, "committed")                                           \
	X(ROLLED_BACK, 3, "rolled back")

enum twopc_row {
#define TWOPC_ROW_ENUM(symbol, number, name) TWOPC_ROW_##symbol = (number),
	TWOPC_ROWS(TWOPC_ROW_ENUM)
#undef TWOPC_ROW_ENUM
};
enum { TWOPC_ROW_NR = 4 };
const char *twopc_row_name(enum twopc_row row);

#define TWOPC_ORDERS(X)                                                        \
	X(PREPARE, "prepare")                                                  \
	X(COMMIT, "commit")                                                    \
	X(ROLLBACK, "rollback")

enum twopc_order {
#define TWOPC_ORDER_ENUM(symbol, name) TWOPC_ORDER_##symbol,
	TWOPC_ORDERS(TWOPC_ORDER_ENUM)
#undef TWOPC_ORDER_ENUM
		TWOPC_ORDER_NR
};
const char *twopc_order_name(enum twopc_order order);

/* An order by name, as resolvers give them in batches. */
struct twopc_item {
	char id[TWOPC_NAME_SIZE_MAX + 1];
	enum twopc_order order;
};

/* What is true of the transaction once the order has been carried out. */
#define TWOPC_VERDICTS(X)                                                      \
	X(FAILED, "failed")	/* the database's fault; ask again */          \
	X(UNKNOWN, "unknown")	/* there is no such transaction (any more) */  \
	X(PREPARED, "prepared") /* on disk, as is all that follows */          \
	X(COMMITTED, "committed")                                              \
	X(ROLLED_BACK, "rolled back")

enum twopc_verdict {
#define TWOPC_VERDICT_ENUM(symbol, name) TWOPC_VERDICT_##symbol,
	TWOPC_VERDICTS(TWOPC_VERDICT_ENUM)
#undef TWOPC_VERDICT_ENUM
		TWOPC_VERDICT_NR
};
const char *twopc_verdict_name(enum twopc_verdict verdict);

/* What is to be written, in the same transaction as the look at the row. */
enum twopc_effect {
	TWOPC_EFFECT_NONE,
	TWOPC_EFFECT_ADD_PREPARED,    /* a row with the payload */
	TWOPC_EFFECT_ADD_ROLLED_BACK, /* a row without */
	TWOPC_EFFECT_APPLY, /* do what was prepared, and mark it committed */
	TWOPC_EFFECT_UNDO,  /* drop the payload, mark it rolled back */
	TWOPC_EFFECT_DROP,  /* the row */
};

struct twopc_ruling {
	enum twopc_verdict verdict;
	enum twopc_effect effect;
};

/* @over: the id is below what the coordinator has said to be over. */
struct twopc_ruling twopc_rule(enum twopc_order order, enum twopc_row row,
			       bool over);

/*
 * What the one who gave the order is to be told: OK where it was carried out
 * (before or now), else why not, naming @id. A commit is OK only if committed:
 * NOT_FOUND for an unknown id, FAILED_PRECONDITION for one that was rolled
 * back. A rollback of what is unknown is OK: nothing of it is left.
 * Not for TWOPC_VERDICT_FAILED, whose status the database gave.
 */
enum status_code twopc_verdict_status(enum twopc_order order,
				      enum twopc_verdict verdict,
				      const char *id, struct status *reterr);

/*
 * Whether no coordinator that keeps to the protocol can meet this verdict (a
 * commit that finds nothing, a rollback that finds it committed): somebody
 * interfered by hand, or a database was lost. Never to be kept silent.
 */
bool twopc_verdict_is_contradiction(enum twopc_order order,
				    enum twopc_verdict verdict);

#endif
