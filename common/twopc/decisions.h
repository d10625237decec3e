/*
 * The coordinator's durable record: who it is, and what it has decided. Names
 * no database product; the owner's database has these tables and statements
 * among its own (TWOPC_DECISIONS_SCHEMA, TWOPC_DECISIONS_TABLE among the staged
 * ones, TWOPC_DECISIONS_STATEMENTS; as prepared.h shows).
 *
 * A decision is a row that is inserted in the same staged transaction as the
 * owner's own: that commit is the point of no return. It is deleted once the
 * participant has confirmed; no row means abort.
 *
 * One process at a time: twopc_decisions_open() takes the database over by
 * writing this start's stem. From then on the database itself (a trigger)
 * refuses decisions under an earlier stem, FAILED_PRECONDITION: a process that
 * still runs on the same file can't decide any more what its successor presumes
 * to be aborted, nor forget what that one has loaded. Whoever is told so by
 * twopc_decisions_forget() should stop: it can do nothing useful any more.
 *
 * Threads: all functions, any thread; completions on the database's threads.
 */
#ifndef RESCIND_TWOPC_DECISIONS_H
#define RESCIND_TWOPC_DECISIONS_H

#include <stdint.h>

#include "db/db.h"
#include "twopc/decisions_sql.h"
#include "twopc/id.h"
#include "twopc/rule.h"

struct twopc_decisions {
	struct db *db;
	db_stmt base; /* where our statements begin */
	/* Filled by twopc_decisions_open(). */
	char coordinator[TWOPC_UUID_SIZE];
	char stem[TWOPC_STEM_SIZE];
};

/* One decision on disk; valid inside the function alone. */
struct twopc_decision {
	const char *id;
	const char *participant;
	const char *note;   /* what the owner calls it */
	int64_t decided_ms; /* Unix time */
};

/*
 * An opening under way; the owner fills in the functions.
 * @loaded is called for each decision, ascending, on the database's thread,
 * before @done and possibly in vain (when @done then says that it failed);
 * other than STATUS_OK ends it all with that status.
 */
struct twopc_opening {
	enum status_code (*loaded)(struct twopc_opening *opening,
				   const struct twopc_decision *decision,
				   struct status *reterr);
	void (*done)(struct twopc_opening *opening,
		     const struct status *status);

	struct twopc_decisions *decisions; /* its own */
	char coordinator[TWOPC_UUID_SIZE];
	char stem[TWOPC_STEM_SIZE];
	struct status refusal;
};

/*
 * Find out who we are (made and kept at the first time), take over, and load
 * what was decided. Once, before the first transaction.
 */
void twopc_decisions_open(struct twopc_decisions *decisions, struct ctx *ctx,
			  struct twopc_opening *opening);

/*
 * Into the staged transaction that decides; the texts are borrowed for the
 * call.
 * @note is what the owner calls the transaction (a request id).
 */
MUSTCHECK enum status_code
twopc_decisions_insert(const struct twopc_decisions *decisions,
		       struct db_txn *txn, const char *id,
		       const char *participant, const char *note,
		       struct status *reterr);

/*
 * A deletion under way, part of its owner's object. The items, whose orders do
 * not matter, must stay until @done, and be no more than some hundreds.
 * FAILED_PRECONDITION when another process has taken over.
 */
struct twopc_forgetting {
	const struct twopc_item *items;
	size_t items_n;
	void (*done)(struct twopc_forgetting *forgetting,
		     const struct status *status);

	struct twopc_decisions *decisions; /* its own */
};
void twopc_decisions_forget(struct twopc_decisions *decisions, struct ctx *ctx,
			    struct twopc_forgetting *forgetting);

/*
 * A page of what is on disk, for people; part of its owner's object.
 * @row is called for each, ascending, on the database's thread.
 */
struct twopc_decisions_page {
	const char *after; /* "" for the first; must stay until @done */
	size_t rows_max;
	void (*row)(struct twopc_decisions_page *page,
		    const struct twopc_decision *decision);
	void (*done)(struct twopc_decisions_page *page,
		     const struct status *status);

	struct twopc_decisions *decisions; /* its own */
};
void twopc_decisions_list(struct twopc_decisions *decisions, struct ctx *ctx,
			  struct twopc_decisions_page *page);

#endif
