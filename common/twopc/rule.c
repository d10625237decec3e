#include "twopc/rule.h"

#include "twopc/bug.h"

/* ---- names -------------------------------------------------------------- */

const char *twopc_row_name(enum twopc_row row)
{
	static const char *const names[TWOPC_ROW_NR] = {
#define TWOPC_ROW_TEXT(symbol, number, name) [TWOPC_ROW_##symbol] = (name),
		TWOPC_ROWS(TWOPC_ROW_TEXT)
#undef TWOPC_ROW_TEXT
	};

	return (unsigned)row < TWOPC_ROW_NR ? names[row] : "?";
}

const char *twopc_order_name(enum twopc_order order)
{
	static const char *const names[TWOPC_ORDER_NR] = {
#define TWOPC_ORDER_TEXT(symbol, name) [TWOPC_ORDER_##symbol] = (name),
		TWOPC_ORDERS(TWOPC_ORDER_TEXT)
#undef TWOPC_ORDER_TEXT
	};

	return (unsigned)order < TWOPC_ORDER_NR ? names[order] : "?";
}

const char *twopc_verdict_name(enum twopc_verdict verdict)
{
	static const char *const names[TWOPC_VERDICT_NR] = {
#define TWOPC_VERDICT_TEXT(symbol, name) [TWOPC_VERDICT_##symbol] = (name),
		TWOPC_VERDICTS(TWOPC_VERDICT_TEXT)
#undef TWOPC_VERDICT_TEXT
	};

	return (unsigned)verdict < TWOPC_VERDICT_NR ? names[verdict] : "?";
}

/* ---- the rule ----------------------------------------------------------- */

#define RULE(verdict, effect)                                                  \
	{                                                                      \
		TWOPC_VERDICT_##verdict, TWOPC_EFFECT_##effect                 \
	}

/* The table of rule.h, but for what is over. */
static const struct twopc_ruling rules[TWOPC_ROW_NR][TWOPC_ORDER_NR] = {
	[TWOPC_ROW_NONE] = {
		[TWOPC_ORDER_PREPARE] = RULE(PREPARED, ADD_PREPARED),
		[TWOPC_ORDER_COMMIT] = RULE(UNKNOWN, NONE),
		[TWOPC_ORDER_ROLLBACK] = RULE(ROLLED_BACK, ADD_ROLLED_BACK),
	},
	[TWOPC_ROW_PREPARED] = {
		[TWOPC_ORDER_PREPARE] = RULE(PREPARED, NONE),
		[TWOPC_ORDER_COMMIT] = RULE(COMMITTED, APPLY),
		[TWOPC_ORDER_ROLLBACK] = RULE(ROLLED_BACK, UNDO),
	},
	[TWOPC_ROW_COMMITTED] = {
		[TWOPC_ORDER_PREPARE] = RULE(COMMITTED, NONE),
		[TWOPC_ORDER_COMMIT] = RULE(COMMITTED, NONE),
		[TWOPC_ORDER_ROLLBACK] = RULE(COMMITTED, NONE),
	},
	[TWOPC_ROW_ROLLED_BACK] = {
		[TWOPC_ORDER_PREPARE] = RULE(ROLLED_BACK, NONE),
		[TWOPC_ORDER_COMMIT] = RULE(ROLLED_BACK, NONE),
		[TWOPC_ORDER_ROLLBACK] = RULE(ROLLED_BACK, NONE),
	},
};

struct twopc_ruling twopc_rule(enum twopc_order order, enum twopc_row row,
			       bool over)
{
	if ((unsigned)order >= TWOPC_ORDER_NR ||
	    (unsigned)row >= TWOPC_ROW_NR) {
		twopc_bug("there is no order %d of row %d", (int)order,
			  (int)row);
	}
	if (over && row == TWOPC_ROW_NONE) {
		return (struct twopc_ruling)RULE(UNKNOWN, NONE);
	}
	if (over && row == TWOPC_ROW_PREPARED &&
	    order == TWOPC_ORDER_ROLLBACK) {
		return (struct twopc_ruling)RULE(ROLLED_BACK, DROP);
	}
	return rules[row][order];
}

/* ---- what it means ------------------------------------------------------ */

static enum status_code prepare_status(enum twopc_verdict verdict,
				       const char *id, struct status *reterr)
{
	if (verdict == TWOPC_VERDICT_UNKNOWN) {
		return status_set(reterr, STATUS_FAILED_PRECONDITION,
				  "transaction %s is over", id);
	}
	if (verdict == TWOPC_VERDICT_ROLLED_BACK) {
		return status_set(reterr, STATUS_ABORTED,
				  "transaction %s was rolled back", id);
	}
	return STATUS_OK;
}

static enum status_code commit_status(enum twopc_verdict verdict,
				      const char *id, struct status *reterr)
{
	if (verdict == TWOPC_VERDICT_UNKNOWN) {
		return status_set(reterr, STATUS_NOT_FOUND,
				  "transaction %s is not known here, so it "
				  "can't be committed",
				  id);
	}
	if (verdict != TWOPC_VERDICT_COMMITTED) {
		return status_set(reterr, STATUS_FAILED_PRECONDITION,
				  "transaction %s is %s, so it can't be "
				  "committed",
				  id, twopc_verdict_name(verdict));
	}
	return STATUS_OK;
}

static enum status_code rollback_status(enum twopc_verdict verdict,
					const char *id, struct status *reterr)
{
	if (verdict == TWOPC_VERDICT_UNKNOWN ||
	    verdict == TWOPC_VERDICT_ROLLED_BACK) {
		return STATUS_OK;
	}
	return status_set(reterr, STATUS_FAILED_PRECONDITION,
			  "transaction %s is %s, so it can't be rolled back",
			  id, twopc_verdict_name(verdict));
}

enum status_code twopc_verdict_status(enum twopc_order order,
				      enum twopc_verdict verdict,
				      const char *id, struct status *reterr)
{
	switch (order) {
	case TWOPC_ORDER_PREPARE:
		return prepare_status(verdict, id, reterr);
	case TWOPC_ORDER_COMMIT:
		return commit_status(verdict, id, reterr);
	case TWOPC_ORDER_ROLLBACK:
		return rollback_status(verdict, id, reterr);
	case TWOPC_ORDER_NR:
	default:
		twopc_bug("there is no order %d", (int)order);
	}
}

bool twopc_verdict_is_contradiction(enum twopc_order order,
				    enum twopc_verdict verdict)
{
	switch (order) {
	case TWOPC_ORDER_PREPARE:
		return verdict == TWOPC_VERDICT_COMMITTED;
	case TWOPC_ORDER_COMMIT:
		return verdict == TWOPC_VERDICT_UNKNOWN ||
		       verdict == TWOPC_VERDICT_ROLLED_BACK;
	case TWOPC_ORDER_ROLLBACK:
		return verdict == TWOPC_VERDICT_COMMITTED;
	case TWOPC_ORDER_NR:
	default:
		twopc_bug("there is no order %d", (int)order);
	}
}
