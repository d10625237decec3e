/*
 * What the files of a task share; nothing outside includes it.
 *
 * task.c: life, the news that come in and the answer that goes out.
 * task_steps.c: the states, and what a task does in each.
 */
#ifndef RESCIND_WORKER_TASK_INTERNAL_H
#define RESCIND_WORKER_TASK_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "loop/loop.h"
#include "worker/task.h"

struct task {
	struct worker *worker;
	/* A child of the caller's: ends with it, and when we lose patience. */
	struct ctx *ctx;
	task_answer_fn answer;
	void *answer_arg;
	int64_t begun_ns;
	/* One each: whoever steps the task at start, the hook, the timer while
	 * it runs, the commit while it is under way. */
	atomic_int refs;

	pthread_mutex_t lock; /* what follows */
	enum task_state state;
	struct db_txn *txn; /* ours until the commit is asked for */
	struct ctx_hook hook;
	struct loop_timer timer;
	bool ended;	  /* news: the ctx has ended */
	bool alarm;	  /* news: the timer was served */
	bool stored;	  /* news: the commit is over, with this outcome */
	bool give_up_due; /* for task_leave(): end our ctx */
	bool answer_due;  /* for task_leave(): tell the caller */
	bool caught_up;	  /* the timer was late, and was given more time */
	int64_t ended_ns; /* when we heard of it, 0 for never */
	enum ctx_cause cause;
	struct status outcome;
	char task_id[]; /* copied */
};

/* task.c */
void task_get(struct task *task);
void task_put(struct task *task);
/* db_done_fn of the commit; drops a reference. */
void task_on_stored(const struct status *status, void *arg);

/* task_steps.c; all with the lock held */
/* The first step. @data is used before it returns. */
void task_open(struct task *task, const char *data);
/* Act on the news, after each of them. */
void task_step(struct task *task);
/* Have the timer served at @at_ns; it is not running. */
void task_set_alarm(struct task *task, int64_t at_ns);

#endif
