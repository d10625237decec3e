#include "db/sqlite_queue.h"

#include "db/sqlite_cond.h"

/* ---- lists -------------------------------------------------------------- */

static void list_push(struct job_list *list, struct job *job)
{
	job->next = NULL;
	job->prev = list->tail;
	if (list->tail != NULL) {
		list->tail->next = job;
	} else {
		list->head = job;
	}
	list->tail = job;
	list->n++;
}

static void list_remove(struct job_list *list, struct job *job)
{
	if (job->prev != NULL) {
		job->prev->next = job->next;
	} else {
		list->head = job->next;
	}
	if (job->next != NULL) {
		job->next->prev = job->prev;
	} else {
		list->tail = job->prev;
	}
	list->n--;
}

struct job *job_list_pop(struct job_list *list)
{
	struct job *job = list->head;

	if (job != NULL) {
		list_remove(list, job);
	}
	return job;
}

/* ---- posting ------------------------------------------------------------ */

void queue_init(struct job_queue *queue)
{
	*queue = (struct job_queue){ 0 };
	pthread_mutex_init(&queue->lock, NULL);
	cond_init(&queue->news);
}

void queue_release(struct job_queue *queue)
{
	pthread_cond_destroy(&queue->news);
	pthread_mutex_destroy(&queue->lock);
}

/* Under the lock. */
static void wake(struct job_queue *queue, bool for_refused)
{
	if (queue->sleeping || (queue->napping && for_refused)) {
		queue->sleeping = false;
		queue->napping = false;
		pthread_cond_signal(&queue->news);
	}
}

void queue_post(struct job_queue *queue, struct job *job, bool refused)
{
	pthread_mutex_lock(&queue->lock);
	job->waiting = !refused;
	list_push(refused ? &queue->refused : &queue->waiting, job);
	wake(queue, refused);
	pthread_mutex_unlock(&queue->lock);
}

void queue_refuse(struct job_queue *queue, struct job *job)
{
	pthread_mutex_lock(&queue->lock);
	if (job->waiting) {
		job->waiting = false;
		list_remove(&queue->waiting, job);
		list_push(&queue->refused, job);
		wake(queue, true);
	}
	pthread_mutex_unlock(&queue->lock);
}

void queue_close(struct job_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->closing = true;
	wake(queue, false);
	pthread_mutex_unlock(&queue->lock);
}

bool queue_is_closing(struct job_queue *queue)
{
	bool closing;

	pthread_mutex_lock(&queue->lock);
	closing = queue->closing;
	pthread_mutex_unlock(&queue->lock);
	return closing;
}

bool queue_admits(struct job_queue *queue, struct status *ret_why)
{
	bool admits = true;

	pthread_mutex_lock(&queue->lock);
	if (queue->closing) {
		status_set(ret_why, STATUS_UNAVAILABLE,
			   "the database is closing");
		admits = false;
	} else if (queue->waiting.n >= QUEUE_MAX) {
		status_set(ret_why, STATUS_RESOURCE_EXHAUSTED,
			   "%zu transactions wait for the database",
			   queue->waiting.n);
		admits = false;
	}
	pthread_mutex_unlock(&queue->lock);
	return admits;
}

size_t queue_length(struct job_queue *queue)
{
	size_t n;

	pthread_mutex_lock(&queue->lock);
	n = queue->waiting.n;
	pthread_mutex_unlock(&queue->lock);
	return n;
}

/* ---- the thread's side -------------------------------------------------- */

/* Under the lock: what there is to do, QUEUE_TIME for nothing. */
static enum queue_news look(const struct job_queue *queue, bool look_at_work)
{
	if (queue->refused.n > 0) {
		return QUEUE_REFUSED;
	}
	if (look_at_work && queue->waiting.n > 0) {
		return QUEUE_WORK;
	}
	return look_at_work && queue->closing ? QUEUE_CLOSED : QUEUE_TIME;
}

/* Under the lock; false when the time has come. */
static bool sleep_until(struct job_queue *queue, bool look_at_work,
			int64_t until_ns)
{
	bool news;

	queue->sleeping = look_at_work;
	queue->napping = !look_at_work;
	news = cond_wait_until(&queue->news, &queue->lock, until_ns);
	queue->sleeping = false;
	queue->napping = false;
	return news;
}

enum queue_news queue_wait(struct job_queue *queue, bool look_at_work,
			   int64_t until_ns, struct job_list *ret_refused)
{
	enum queue_news news;

	pthread_mutex_lock(&queue->lock);
	do {
		news = look(queue, look_at_work);
	} while (news == QUEUE_TIME &&
		 sleep_until(queue, look_at_work, until_ns));
	if (news == QUEUE_REFUSED) {
		*ret_refused = queue->refused;
		queue->refused = (struct job_list){ 0 };
	}
	pthread_mutex_unlock(&queue->lock);
	return news;
}

size_t queue_take(struct job_queue *queue, struct job **jobs, size_t max)
{
	size_t n = 0;

	pthread_mutex_lock(&queue->lock);
	while (n < max && queue->waiting.n > 0) {
		jobs[n] = job_list_pop(&queue->waiting);
		jobs[n]->waiting = false;
		n++;
	}
	pthread_mutex_unlock(&queue->lock);
	return n;
}
