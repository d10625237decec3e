/*
 * A cancellation scope: what Go's context.Context is to Go.
 *
 * A ctx is open until it ends, once, with one cause. It ends when ctx_end() is
 * called on it, when its deadline passes, or when its parent ends (the cause is
 * then the parent's). What hangs on a ctx - a transaction, a call to another
 * process - registers a hook and is told on the thread that ended it.
 *
 *	struct ctx *ctx = ctx_new(parent, clock_now_ns() + 10 * NS_PER_S);
 *	...
 *	if (!ctx_hook_add(ctx, &order->hook)) {
 *		return order_abandon(order);	// it had ended already
 *	}
 *	...
 *	if (ctx_hook_remove(ctx, &order->hook)) {
 *		// the hook will never run; what it held is ours to release
 *	} else {
 *		// it has run or is running on another thread, and releases
 *	}
 *	ctx_unref(ctx);
 *
 * Deadlines are checked twice: by a timer on the root's loop, which ends the
 * ctx, and by ctx_ended(), which looks at the clock itself - so a process that
 * was stopped past a deadline can't act as if it had not passed.
 *
 * Thread-safety: everything here may be called from any thread, except that
 * the ctx_set_*() functions belong before the ctx is shared.
 * Hooks run outside all locks of the ctx, in the order in which they were
 * added, on the thread that ended the ctx; a hook may call anything here.
 */
#ifndef RESCIND_CTX_H
#define RESCIND_CTX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/loop.h"
#include "status/status.h"

/*
 * Why scopes end. The name is what the log (cause=...), the metrics
 * (cause="...") and the operator's documentation say, all alike.
 */
#define CTX_CAUSES(X)                                                          \
	X(NONE, "none")			  /* has not ended */                  \
	X(FINISHED, "finished")		  /* its work was done */              \
	X(CLIENT_CLOSED, "client_closed") /* orderly close (FIN) */            \
	X(CLIENT_RESET, "client_reset")	  /* connection reset or lost */       \
	X(CALLER_CANCELLED,                                                    \
	  "caller_cancelled")	      /* RPC cancelled/disconnected */         \
	X(DEADLINE, "deadline")	      /* its deadline passed */                \
	X(SHUTDOWN, "shutdown")	      /* this process is stopping */           \
	X(PEER_FAILED, "peer_failed") /* the process called failed */          \
	X(DATABASE, "database")	      /* the database refused */               \
	X(INTERNAL, "internal")	      /* a fault of our own */

enum ctx_cause {
#define CTX_ENUM(symbol, name) CTX_##symbol,
	CTX_CAUSES(CTX_ENUM)
#undef CTX_ENUM
		CTX_CAUSE_NR
};

const char *ctx_cause_name(enum ctx_cause cause);

struct ctx;

/* ---- life --------------------------------------------------------------- */

/* A root without a deadline, whose descendants' deadlines @loop watches. */
MUSTCHECK enum status_code ctx_root(struct loop *loop, struct ctx **ret_ctx,
				    struct status *reterr);

/*
 * A child: it ends with @parent, and at @deadline_ns (monotonic; CLOCK_NEVER
 * for none) or the parent's deadline, whichever is earlier. If the parent has
 * ended, so has the child. Holds a reference to @parent. Returns one reference,
 * the caller's. Never NULL (aborts when memory is out, like every allocation of
 * gRPC's own core).
 */
struct ctx *ctx_new(struct ctx *parent, int64_t deadline_ns);
struct ctx *ctx_ref(struct ctx *ctx);
/*
 * Drop a reference. With the last one the ctx leaves its parent and stops its
 * timer; a ctx with hooks may not lose its last reference (that is a bug in the
 * caller, and stops the process).
 */
void ctx_unref(struct ctx *ctx);

/* ---- ending ------------------------------------------------------------- */

/*
 * End @ctx and its descendants. Only the first end counts: true when it was
 * this one. @status may be NULL for the cause's usual code and text
 * (CLIENT_* CANCELLED, DEADLINE DEADLINE_EXCEEDED, SHUTDOWN UNAVAILABLE ...;
 * FINISHED is CANCELLED to whoever still wants something from the scope).
 * Runs the hooks before it returns, unless another thread has begun to.
 */
bool ctx_end(struct ctx *ctx, enum ctx_cause cause,
	     const struct status *status);

/*
 * Whether it has ended. Looks at the clock too: past the deadline it answers
 * true (and the cause is DEADLINE) even if the timer has not been served yet.
 * It runs no hooks itself; the timer will.
 */
bool ctx_ended(struct ctx *ctx);

/* CTX_NONE while open. @ret_status (may be NULL) gets code and text. */
enum ctx_cause ctx_cause(struct ctx *ctx, struct status *ret_status);

/* The effective deadline, or CLOCK_NEVER. */
int64_t ctx_deadline_ns(const struct ctx *ctx);

/* The loop of the root. */
struct loop *ctx_loop(const struct ctx *ctx);

/* ---- hooks -------------------------------------------------------------- */

struct ctx_hook {
	void (*fn)(struct ctx_hook *hook, struct ctx *ctx);
	struct ctx_hook *prev, *next; /* the ctx's own */
	bool linked;
};

/*
 * Call hook->fn once, when @ctx ends. False, and no call ever, when it had
 * ended already (by clock too).
 */
MUSTCHECK bool ctx_hook_add(struct ctx *ctx, struct ctx_hook *hook);

/*
 * Take a hook back. True: fn has not run and never will. False: it has run or
 * is running on another thread at this moment (or was never added). Never
 * waits, so it may be called with any lock held; make the hook own a reference
 * to what it touches, and drop it in whichever of the two places is reached.
 * The hook is looked at, so whoever calls this holds a reference of their own:
 * a hook that has run may have dropped the one it had.
 */
bool ctx_hook_remove(struct ctx *ctx, struct ctx_hook *hook);

/* ---- request-scoped facts ----------------------------------------------- */

/* W3C Trace Context, level 1 (https://www.w3.org/TR/trace-context/). */
struct trace {
	uint8_t trace_id[16];
	uint8_t span_id[8];   /* of this process's span */
	uint8_t parent_id[8]; /* all zero: no parent */
	uint8_t flags;	      /* bit 0: sampled */
	bool present;
};
enum { TRACEPARENT_SIZE = 56 }; /* "00-<32>-<16>-<2>" and NUL */

/*
 * Continue @traceparent (may be NULL or malformed: then a new trace begins, not
 * sampled) with a fresh span id. Of the flags only "sampled" is kept.
 */
struct trace trace_continue(const char *traceparent);
/* The header to pass on, whose parent is our span. */
void trace_format(const struct trace *trace, char ret[TRACEPARENT_SIZE]);

/* Copies. Inherited by children. "" and !present where never set. */
void ctx_set_request_id(struct ctx *ctx, const char *request_id);
void ctx_set_trace(struct ctx *ctx, const struct trace *trace);
const char *ctx_request_id(const struct ctx *ctx);
const struct trace *ctx_trace(const struct ctx *ctx);

#endif
