/*
 * Clients of a pair that keeps both or neither, many at once, and what has to
 * hold of their requests whatever is done to the pair meanwhile. Half of them
 * wait for their answers; the others hurry, leave, or ask again and again under
 * a key until they are told. What each was told is written down, and so is what
 * the programs' logs say of each; then the real files are read.
 *
 *	struct crowd crowd;
 *
 *	crowd_init(&crowd, &pair, &manners, seed);
 *	crowd_start(&crowd);
 *	... kill, stop, start again ...
 *	crowd_stop(&crowd);
 *	crowd_settle(&crowd);		// nothing is in doubt any more
 *	crowd_expect_both_or_neither(&crowd);
 *	crowd_release(&crowd);
 *
 * The worker needs -metrics-port 0.
 *
 * Confined to one thread, but for the clients' own.
 */
#ifndef RESCIND_TEST_CROWD_H
#define RESCIND_TEST_CROWD_H

#include <pthread.h>
#include <stdatomic.h>

#include "harness/pair.h"

/* How clients behave. */
struct crowd_manners {
	size_t clients; /* at once */
	int work_ms;	/* how long a worker works */
	/* Those that leave do so at any moment until then, half of them around
	 * the end of the work. */
	int leave_ms_max;
	int around_ms;
	int hurry_ms_max; /* longest deadline of those that hurry */
	int wait_ms;	  /* that of the others; 0: the server's own, 20s */
	/* Every so many have a message that is big enough to fill the log soon;
	 * 0: none. */
	unsigned big_every;
	/* There is another coordinator, which has the worker commit what nobody
	 * has prepared, and is refused. */
	bool stranger;
};

/* What a client knows of its request. */
enum crowd_fate {
	CROWD_UNKNOWN,	/* it left, or was cut off: both or neither */
	CROWD_UNSENT,	/* nobody listened: neither */
	CROWD_DONE,	/* 200: both */
	CROWD_PROMISED, /* 202: both */
	CROWD_REFUSED,	/* any other answer: neither */
	CROWD_FATE_NR,
};

struct crowd_request {
	enum crowd_fate fate;
	int status;
	bool left;	 /* before it was told */
	bool keyed;	 /* asked again under its key, until it was told */
	int64_t sent_ms; /* as now_ms() */
	int64_t left_ms;
	/* What a log says: both, or neither. */
	bool heard_done;
	bool heard_undone;
	/* Rows, when they were last counted. */
	unsigned in_echo;
	unsigned in_worker;
};

struct crowd {
	struct pair *pair;
	struct crowd_manners manners;
	unsigned seed;
	atomic_bool enough;
	pthread_t *threads;
	size_t threads_n;
	pthread_t stranger;
	int64_t settle_ms_max; /* the longest of crowd_settle() */

	pthread_mutex_t lock;		/* what follows */
	struct crowd_request *requests; /* by number */
	size_t requests_n;
	size_t capacity;
};

/* @seed chooses what clients do. */
void crowd_init(struct crowd *crowd, struct pair *pair,
		const struct crowd_manners *manners, unsigned seed);
void crowd_release(struct crowd *crowd);

/* They ask until it is enough. */
void crowd_start(struct crowd *crowd);
/* Nothing more is asked for. */
void crowd_enough(struct crowd *crowd);
/* The same, and wait for what is under way: with both programs alive, since who
 * was promised something waits for both. Idempotent. */
void crowd_stop(struct crowd *crowd);
/* How many requests were begun, ever. */
size_t crowd_size(struct crowd *crowd);
/* One that waits, on this thread; its status. */
int crowd_ask(struct crowd *crowd);
/* One in each way, one after the other, on this thread. */
void crowd_ask_all_ways(struct crowd *crowd);

/* ---- what has to hold ----------------------------------------------------
 */

/* Write down what the log of one of the programs says: before it is started
 * again, and in the end. Stops the test where it says that something can't be.
 */
void crowd_hear(struct crowd *crowd, struct process *process);

/* Whether nothing is under way and nothing in doubt at either; false also where
 * one of them does not answer. */
bool crowd_is_settled(struct crowd *crowd);
/* Wait for that, which stops the test when it does not come; then a new request
 * goes well. */
void crowd_settle(struct crowd *crowd);

/*
 * The same ids are in both files, once each; those that were told 200 or 202
 * are there, those that were told anything else are not, nor those that a log
 * says were rolled back; nothing is prepared, and the files are whole. When
 * both programs are at rest, or gone.
 */
void crowd_expect_both_or_neither(struct crowd *crowd);
/* And no decision is left: once both have ended in order. */
void crowd_expect_nothing_left(struct crowd *crowd);

/* ---- what was ------------------------------------------------------------
 */

/* How many have this fate; of CROWD_UNKNOWN, those that left or not. */
size_t crowd_count(struct crowd *crowd, enum crowd_fate fate);
size_t crowd_count_left(struct crowd *crowd);
/* " requests=... done=... ..." */
const char *crowd_summary(struct crowd *crowd);

#endif
