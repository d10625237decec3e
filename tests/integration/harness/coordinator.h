/*
 * A coordinator of a worker: opens exchanges by gRPC, and gives orders whose
 * stream is gone.
 *
 *	struct coordinator c;
 *	struct exchange ex;
 *
 *	coordinator_open(&c, "coordinator-a", pair.grpc_port);
 *	exchange_open(&ex, &c, "0001");
 *	exchange_prepare(&ex, "task-1", "data");
 *	ck_assert_int_eq(exchange_next(&ex), WORKER__VERDICT__PREPARED);
 *	exchange_order(&ex, WORKER__ORDER__COMMIT);
 *	ck_assert_int_eq(exchange_next(&ex), WORKER__VERDICT__COMMITTED);
 *	exchange_expect_end(&ex, STATUS_OK);
 *	exchange_close(&ex);
 *	coordinator_close(&c);
 *
 * All that is waited for stops the test when it does not come.
 */
#ifndef RESCIND_TEST_COORDINATOR_H
#define RESCIND_TEST_COORDINATOR_H

#include <pthread.h>

#include "ctx/ctx.h"
#include "harness/scratch.h"
#include "rpc/channel.h"
#include "worker.pb-c.h"

struct coordinator {
	char name[65];
	struct loop *loop;
	struct ctx *root;
	struct rpc_poller *poller;
	struct rpc_channel *channel;
	int patience_ms; /* for orders without a stream; may be changed */
};

void coordinator_open(struct coordinator *coordinator, const char *name,
		      int grpc_port);
void coordinator_close(struct coordinator *coordinator);

/* ---- a stream ------------------------------------------------------------ */

enum { EXCHANGE_SAID_MAX = 32 };

struct exchange {
	struct coordinator *coordinator;
	struct ctx *ctx;
	struct rpc_stream *stream;
	char id[65];
	pthread_mutex_t lock; /* what follows */
	pthread_cond_t changed;
	bool named; /* the names were sent */
	bool sending;
	Worker__Verdict said[EXCHANGE_SAID_MAX];
	size_t said_n;
	size_t read_n;
	char message[512]; /* the last */
	bool ended;
	struct status end;
};

void exchange_open(struct exchange *exchange, struct coordinator *coordinator,
		   const char *id);
/* The same with a deadline. */
void exchange_open_for(struct exchange *exchange,
		       struct coordinator *coordinator, const char *id,
		       int timeout_ms);
/* Orders, the first one with the names; each waits until it was taken. */
void exchange_prepare(struct exchange *exchange, const char *task_id,
		      const char *data);
void exchange_order(struct exchange *exchange, Worker__Order order);
/* As it is. */
void exchange_send(struct exchange *exchange,
		   const Worker__ExchangeRequest *request);
void exchange_half_close(struct exchange *exchange);
/* RST_STREAM, as when its caller leaves. */
void exchange_cancel(struct exchange *exchange);

/* Wait for the next verdict; VERDICT_UNSPECIFIED: it has ended without one. */
Worker__Verdict exchange_next(struct exchange *exchange);
/* Wait for the end. */
enum status_code exchange_end(struct exchange *exchange);
void exchange_expect_end(struct exchange *exchange, enum status_code code);
/* Cancels what has not ended. */
void exchange_close(struct exchange *exchange);

/* Prepare, wait for it, and have the stream end: it is in doubt. */
void exchange_leave_in_doubt(struct coordinator *coordinator, const char *id,
			     const char *task_id);

/* ---- orders without a stream --------------------------------------------- */

/* What came of a call. */
struct listed {
	struct status status;
	size_t n;
	bool more;
	char first[65]; /* ids */
	char last[65];
	char last_coordinator[65];
	Worker__Verdict last_state;
};
/* ListTransactions; all of it is filled in by the caller. */
void coordinator_list(struct coordinator *coordinator,
		      const Worker__ListTransactionsRequest *request,
		      struct listed *ret_listed);
/* How many it holds in doubt of this coordinator, counted page by page. */
size_t coordinator_in_doubt(struct coordinator *coordinator);

enum { RESOLVED_MAX = 1024 };
struct resolved {
	struct status status;
	size_t n;
	Worker__Verdict verdicts[RESOLVED_MAX];
};
void coordinator_resolve(struct coordinator *coordinator,
			 const Worker__ResolveTransactionsRequest *request,
			 struct resolved *ret_resolved);
/* One order; its verdict. Stops the test when the call fails. */
Worker__Verdict coordinator_resolve_one(struct coordinator *coordinator,
					const char *id, Worker__Order order);
/* Nothing but the bound. */
void coordinator_seal(struct coordinator *coordinator, const char *over_below);

#endif
