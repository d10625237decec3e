/* Tasks: a stack that all threads push to and the loop takes as a whole. */
#include <sys/eventfd.h>

#include "loop/impl.h"

void loop_wake(struct loop *loop)
{
	if (atomic_load(&loop->asleep) &&
	    atomic_exchange(&loop->asleep, false)) {
		eventfd_write(loop->wake.fd, 1);
	}
}

void loop_post(struct loop *loop, struct loop_task *task)
{
	struct loop_task *head =
		atomic_load_explicit(&loop->inbox, memory_order_relaxed);

	do {
		task->next = head;
	} while (!atomic_compare_exchange_weak(&loop->inbox, &head, task));
	loop_wake(loop);
}

/* Take the whole inbox, first posted first. */
static struct loop_task *take_inbox(struct loop *loop)
{
	struct loop_task *task, *batch = NULL;

	if (atomic_load(&loop->inbox) == NULL) {
		return NULL;
	}
	task = atomic_exchange(&loop->inbox, NULL);
	while (task != NULL) {
		struct loop_task *next = task->next;

		task->next = batch;
		batch = task;
		task = next;
	}
	return batch;
}

void loop_tasks_run(struct loop *loop)
{
	if (loop->batch == NULL) {
		loop->batch = take_inbox(loop);
	}
	while (loop->batch != NULL && !atomic_load(&loop->stopping)) {
		struct loop_task *task = loop->batch;

		loop->batch = task->next;
		task->fn(task);
	}
}
