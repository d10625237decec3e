/*
 * The participant's durable record: what it holds prepared, and what became of
 * it. Names no database product; the owner's database has these tables and
 * statements among its own:
 *
 *	const char worker_store_schema[] =
 *		"CREATE TABLE IF NOT EXISTS worker_tasks (...);"
 *		TWOPC_PREPARED_SCHEMA;
 *	enum {
 *		WORKER_STORE_INSERT,
 *		WORKER_STORE_TWOPC,
 *		STMT_NR = WORKER_STORE_TWOPC + TWOPC_PREPARED_STMT_NR
 *	};
 *	const char *const worker_store_statements[STMT_NR] = {
 *		[WORKER_STORE_INSERT] = "INSERT ...",
 *		TWOPC_PREPARED_STATEMENTS(WORKER_STORE_TWOPC)
 *	};
 *
 * Each order looks at the row and changes it in an immediate transaction of its
 * own (db/db.h), which shares its sync with whatever else is written then; what
 * becomes of it is for rule.h to say. So orders may be given twice, in any
 * order, and by several streams and calls at once: the database puts them in a
 * row.
 *
 * Threads: all functions, any thread; completions on the database's threads.
 */
#ifndef RESCIND_TWOPC_PREPARED_H
#define RESCIND_TWOPC_PREPARED_H

#include <stdint.h>

#include "db/db.h"
#include "twopc/id.h"
#include "twopc/prepared_sql.h"
#include "twopc/rule.h"

/*
 * Do what was prepared: part of the commit's own transaction, so that both or
 * neither are on disk. On the database's thread; short. What it refuses stays
 * prepared and will be tried again, so that it must refuse nothing that it did
 * not refuse before the prepare, but for the disk's sake.
 */
typedef enum status_code (*twopc_apply_fn)(struct db_session *session,
					   const char *coordinator,
					   const char *id, const void *payload,
					   size_t payload_size, void *arg,
					   struct status *reterr);

/* Fill, then use from anywhere. */
struct twopc_prepared {
	struct db *db;
	db_stmt base; /* where our statements begin */
	twopc_apply_fn apply;
	void *apply_arg;
};

/* ---- orders ------------------------------------------------------------- */

/*
 * An order under way, part of its owner's object; the owner fills in all but
 * @verdict and @effect. The texts and the payload must stay until @done.
 * @done is called exactly once, on the database's thread, never inside
 * twopc_prepared_do(). @status is what twopc_verdict_status() makes of the
 * verdict; with FAILED it is the database's or the ctx's, and nothing was done.
 * With any other verdict, what it says is on disk.
 */
struct twopc_request {
	enum twopc_order order;
	const char *coordinator;
	const char *id;
	const void *payload; /* PREPARE alone */
	size_t payload_size;
	void (*done)(struct twopc_request *request,
		     const struct status *status);
	enum twopc_verdict verdict; /* for @done */
	enum twopc_effect effect;   /* the same: what this order has changed */

	struct twopc_prepared *prepared; /* its own */
};

/*
 * Carry it out. When @ctx ends before the database took it, it is not: so a
 * prepare may hang on its caller's, a commit or a rollback on the process's
 * own.
 */
void twopc_prepared_do(struct twopc_prepared *prepared, struct ctx *ctx,
		       struct twopc_request *request);

/* ---- sealing and tidying ------------------------------------------------ */

/* A bound under way, part of its owner's object; as struct twopc_request. */
struct twopc_seal {
	const char *coordinator;
	const char *over_below; /* must stay until @done */
	void (*done)(struct twopc_seal *seal, const struct status *status);
	int64_t dropped; /* rows, for @done */

	struct twopc_prepared *prepared; /* its own */
	struct ctx *ctx;
	int64_t changes;
};

/*
 * The coordinator says that all below is over: drop what is remembered of it
 * (never what is prepared), in transactions of a few hundred rows, and refuse
 * it from now on. A bound below an earlier one changes nothing.
 */
void twopc_prepared_seal(struct twopc_prepared *prepared, struct ctx *ctx,
			 struct twopc_seal *seal);

/* As it is, unless its coordinator says something sooner. */
#define TWOPC_TOMBSTONE_MS (INT64_C(60) * 60 * 1000)
#define TWOPC_SEAL_MS	   (INT64_C(30) * 24 * 60 * 60 * 1000)

/*
 * Drop tombstones ("rolled back") that are older than TWOPC_TOMBSTONE_MS, whose
 * coordinator has not come to say that they are over, and the seals of
 * coordinators that were not heard of for TWOPC_SEAL_MS; some hundreds at most:
 * call it every minute or so. @now_ms is Unix time. @done as of db_immediate().
 */
struct twopc_expiry {
	int64_t now_ms;
	void (*done)(struct twopc_expiry *expiry, const struct status *status);
	int64_t dropped; /* rows, for @done */

	struct twopc_prepared *prepared; /* its own */
};
void twopc_prepared_expire(struct twopc_prepared *prepared, struct ctx *ctx,
			   struct twopc_expiry *expiry);

/* ---- looking ------------------------------------------------------------ */

struct twopc_prepared_row {
	char coordinator[TWOPC_NAME_SIZE_MAX + 1];
	char id[TWOPC_NAME_SIZE_MAX + 1];
	enum twopc_row row;
	int64_t changed_ms; /* Unix time */
};

/* A page under way, part of its owner's object; as struct twopc_request. */
struct twopc_listing {
	const char *coordinator;	 /* "" for all */
	bool in_doubt_only;		 /* those prepared */
	const char *after_coordinator;	 /* the page begins above this row; */
	const char *after_id;		 /* "" and "" for the first */
	struct twopc_prepared_row *rows; /* room for rows_max */
	size_t rows_max;
	void (*done)(struct twopc_listing *listing,
		     const struct status *status);
	size_t rows_n; /* for @done, ascending */
	bool more;     /* there are more than fit */

	struct twopc_prepared *prepared; /* its own */
};
void twopc_prepared_list(struct twopc_prepared *prepared, struct ctx *ctx,
			 struct twopc_listing *listing);

/* How many are in doubt, and since when; as struct twopc_request. */
struct twopc_summary {
	void (*done)(struct twopc_summary *summary,
		     const struct status *status);
	int64_t in_doubt;
	int64_t oldest_ms; /* Unix time; 0 for none */

	struct twopc_prepared *prepared; /* its own */
};
void twopc_prepared_summarize(struct twopc_prepared *prepared, struct ctx *ctx,
			      struct twopc_summary *summary);

#endif
