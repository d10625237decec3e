/*
 * The network between one coordinator's process and the worker's: streams, in
 * which messages are delayed, come twice, late or never; and the calls of the
 * resolver, which may be lost either way.
 *
 * A stream as TCP has it: what is sent arrives in order, up to a point from
 * which on nothing arrives, in either direction on its own; and each side hears
 * of that some time later. Beyond TCP, a message may come a second time, on its
 * stream or much later on a stream of its own (a proxy that replays).
 *
 * While a site is cut off, what is sent waits (and arrives long after), and the
 * streams may break meanwhile.
 */
#ifndef RESCIND_SIMULATION_NET_H
#define RESCIND_SIMULATION_NET_H

#include "twopc/resolver.h"
#include "txn.h"
#include "world.h"

struct exchange;
struct task;
struct worker;
struct echo;

#define MESSAGES(X)                                                            \
	X(PREPARE, "prepare")                                                  \
	X(COMMIT, "commit")                                                    \
	X(ROLLBACK, "rollback")                                                \
	X(PREPARED, "prepared")                                                \
	X(COMMITTED, "committed")                                              \
	X(ROLLED_BACK, "rolled back")                                          \
	X(REFUSED, "refused") /* and certain that nothing is prepared */       \
	X(ENDED, "ended")     /* with a status that leaves that open */

enum message {
#define MESSAGE_ENUM(symbol, name) MESSAGE_##symbol,
	MESSAGES(MESSAGE_ENUM)
#undef MESSAGE_ENUM
		MESSAGE_NR
};
const char *message_name(enum message message);

enum side { SIDE_ECHO, SIDE_WORKER };

struct net {
	struct world *world;
	/* In a thousand, drawn for each history. */
	int break_permille, duplicate_permille, replay_permille, lose_permille;
	int64_t delay_max_ns, notice_max_ns;
	struct worker *worker; /* who accepts streams and calls; NULL: nobody */
};

struct stream {
	struct net *net;
	struct process *ends[2]; /* [SIDE_ECHO] NULL: a replay */
	struct exchange *exchange;
	struct task *task;
	struct txn *txn;
	int64_t work_ns;
	bool closed[2];		/* this side neither sends nor hears any more */
	int64_t cut_ns[2];	/* to this side nothing arrives from then on */
	int64_t arrived_ns[2];	/* the last that was sent to this side */
	struct stream *next[2]; /* of the same process */
};

/* To the worker that is there now; NULL when there is none. */
struct stream *net_open(struct net *net, struct process *echo,
			struct exchange *exchange, struct txn *txn,
			int64_t work_ns);
void net_send(struct stream *stream, enum side from, enum message message);
/* @side has done with it; the other hears. */
void net_close(struct stream *stream, enum side side);
/* The process of @side died, and the other hears. */
void net_drop(struct stream *stream, enum side side);

/* ---- calls -------------------------------------------------------------- */

enum { CALL_PAGE_MAX = 16 };

struct call {
	struct net *net;
	struct echo *echo;
	struct worker *worker; /* who answers */
	enum twopc_job job;    /* LIST or RESOLVE */
	struct identity *identity;
	bool over; /* answered, or given up */
	/* What is asked. */
	char after[TWOPC_NAME_SIZE_MAX + 1];
	char over_below[TWOPC_ID_SIZE];
	const struct twopc_item *items;
	size_t items_n;
	/* What is answered. */
	const char *ids[CALL_PAGE_MAX];
	size_t ids_n;
	bool more;
	enum twopc_verdict *verdicts;
	bool failed;
};

/* Its outcome comes as echo_on_call(). */
void net_call(struct call *call);
/* The worker's answer is in the call. */
void net_answer(struct call *call);

/* For the time being. */
void net_cut_off(struct echo *echo, int64_t until_ns);

#endif
