/*
 * Jobs on their way to a thread of the database, in order, and those that were
 * refused meanwhile, which go first: their callers wait for nothing any more.
 */
#ifndef RESCIND_DB_SQLITE_QUEUE_H
#define RESCIND_DB_SQLITE_QUEUE_H

#include <pthread.h>

#include "db/sqlite_job.h"

struct job_list {
	struct job *head, *tail;
	size_t n;
};

struct job_queue {
	pthread_mutex_t lock; /* over everything below */
	pthread_cond_t news;
	struct job_list waiting;
	struct job_list refused;
	bool sleeping; /* the thread, for any news */
	bool napping;  /* the thread, for refused jobs alone */
	bool closing;
};

/* Jobs that wait at most; staged transactions have a bound of their own. */
enum { QUEUE_MAX = 65536 };

void queue_init(struct job_queue *queue);
void queue_release(struct job_queue *queue);

/* Any thread. Wakes the queue's thread only when it sleeps. */
void queue_post(struct job_queue *queue, struct job *job, bool refused);
/* Move @job, if it still waits, to those refused. */
void queue_refuse(struct job_queue *queue, struct job *job);
/* No thread may post after it: the thread will find QUEUE_CLOSED when done. */
void queue_close(struct job_queue *queue);
bool queue_is_closing(struct job_queue *queue);
/* False when it is closing, or full; *ret_why gets the reason. */
MUSTCHECK bool queue_admits(struct job_queue *queue, struct status *ret_why);
size_t queue_length(struct job_queue *queue);

enum queue_news {
	QUEUE_WORK,    /* jobs wait */
	QUEUE_REFUSED, /* *ret_refused has some */
	QUEUE_TIME,    /* it is @until_ns */
	QUEUE_CLOSED,  /* closing, and nothing waits */
};

/*
 * For the queue's thread: sleep until there is news. With @look_at_work false
 * only refused jobs and the time are news.
 */
enum queue_news queue_wait(struct job_queue *queue, bool look_at_work,
			   int64_t until_ns, struct job_list *ret_refused);
/* Take up to @max that wait into @jobs; their number. */
size_t queue_take(struct job_queue *queue, struct job **jobs, size_t max);

struct job *job_list_pop(struct job_list *list);

#endif
