/* The completion queue's thread, its outbox and its kick. */
#include "rpc/poller.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "loop/bug.h"

struct rpc_poller {
	grpc_completion_queue *queue;
	pthread_t thread;

	/*
	 * gRPC's core has no call that puts a tag into a queue. An empty batch
	 * does, on a call that never starts, of a channel that leads nowhere.
	 */
	grpc_channel *nowhere;
	grpc_call *kick_call;
	struct op kick;

	_Atomic(struct post *) outbox; /* the latest first */
	/* The thread looks at the outbox before it sleeps next. */
	atomic_bool awake;
	atomic_bool kicked; /* a kick is in the queue */
};

static _Thread_local const struct rpc_poller *current;

grpc_completion_queue *poller_queue(struct rpc_poller *poller)
{
	return poller->queue;
}

bool poller_is_current(const struct rpc_poller *poller)
{
	return current == poller;
}

void poller_start(grpc_call *call, const grpc_op *ops, size_t n, struct op *op)
{
	grpc_call_error error = grpc_call_start_batch(call, ops, n, op, NULL);

	BUG_IF(error != GRPC_CALL_OK, grpc_call_error_to_string(error));
}

void poller_defer(struct rpc_poller *poller, struct op *op)
{
	poller_start(poller->kick_call, NULL, 0, op);
}

/* ---- the outbox --------------------------------------------------------- */

static struct post *reverse(struct post *post)
{
	struct post *first = NULL;

	while (post != NULL) {
		struct post *next = post->next;

		post->next = first;
		first = post;
		post = next;
	}
	return first;
}

static void run_posts(struct rpc_poller *poller)
{
	struct post *post =
		atomic_load_explicit(&poller->outbox, memory_order_relaxed);

	if (post == NULL) {
		return;
	}
	post = reverse(atomic_exchange_explicit(&poller->outbox, NULL,
						memory_order_acquire));
	while (post != NULL) {
		struct post *next = post->next;

		post->fn(post);
		post = next;
	}
}

/*
 * Either the poller sees the post before it sleeps, or we see that it may
 * sleep: both sides write first and read then, in one order for all.
 */
void poller_post(struct rpc_poller *poller, struct post *post)
{
	struct post *head =
		atomic_load_explicit(&poller->outbox, memory_order_relaxed);

	do {
		post->next = head;
	} while (!atomic_compare_exchange_weak(&poller->outbox, &head, post));
	if (!atomic_load(&poller->awake) &&
	    !atomic_exchange(&poller->kicked, true)) {
		poller_defer(poller, &poller->kick);
	}
}

void poller_run(struct rpc_poller *poller, struct post *post)
{
	if (poller_is_current(poller)) {
		run_posts(poller);
		post->fn(post);
	} else {
		poller_post(poller, post);
	}
}

static void on_kick(struct op *op, bool ok)
{
	struct rpc_poller *poller =
		(struct rpc_poller *)((char *)op -
				      offsetof(struct rpc_poller, kick));

	(void)ok;
	atomic_store(&poller->kicked, false);
}

/* ---- the thread --------------------------------------------------------- */

static void prepare_to_sleep(struct rpc_poller *poller)
{
	for (;;) {
		atomic_store(&poller->awake, false);
		if (atomic_load(&poller->outbox) == NULL) {
			return;
		}
		atomic_store(&poller->awake, true);
		run_posts(poller);
	}
}

static void *serve(void *arg)
{
	struct rpc_poller *poller = arg;
	gpr_timespec forever = gpr_inf_future(GPR_CLOCK_MONOTONIC);

	current = poller;
	for (;;) {
		grpc_event event;
		struct op *op;

		prepare_to_sleep(poller);
		event = grpc_completion_queue_next(poller->queue, forever,
						   NULL);
		atomic_store_explicit(&poller->awake, true,
				      memory_order_relaxed);
		if (event.type == GRPC_QUEUE_SHUTDOWN) {
			return NULL;
		}
		op = event.tag;
		op->fn(op, event.success != 0);
	}
}

/* ---- life --------------------------------------------------------------- */

/*
 * Debian builds abseil, whose mutexes gRPC takes dozens of times a call, with
 * its deadlock detector on: a twentieth of all the time of a call. Where the
 * switch is found under its C++ name, turn it off; where it is not, nothing is
 * lost.
 */
static void turn_off_deadlock_detector(void)
{
	void (*set_mode)(int mode);
	void *symbol = dlsym(RTLD_DEFAULT,
			     "_ZN4absl7debian329SetMutexDeadlockDetectionMode"
			     "ENS0_15OnDeadlockCycleE");

	if (symbol != NULL) {
		memcpy(&set_mode, &symbol, sizeof(set_mode));
		set_mode(0); /* kIgnore */
	}
}

/*
 * The c-ares of Debian 12 loses ten bytes with each look-up of localhost, and
 * reads its own configuration at the start. The C library does neither, and
 * asks on a thread of its own. Whoever runs the program may choose otherwise.
 */
static void choose_resolver(void)
{
	(void)setenv("GRPC_DNS_RESOLVER", "native", false);
}

static void open_queue(struct rpc_poller *poller)
{
	gpr_timespec forever = gpr_inf_future(GPR_CLOCK_MONOTONIC);

	poller->queue = grpc_completion_queue_create_for_next(NULL);
	poller->nowhere = grpc_lame_client_channel_create(
		"nowhere", GRPC_STATUS_UNAVAILABLE, "leads nowhere");
	poller->kick_call = grpc_channel_create_call(
		poller->nowhere, NULL, GRPC_PROPAGATE_DEFAULTS, poller->queue,
		grpc_slice_from_static_string("/kick"), NULL, forever, NULL);
	poller->kick.fn = on_kick;
}

static void close_queue(struct rpc_poller *poller)
{
	grpc_completion_queue_destroy(poller->queue);
	grpc_channel_destroy(poller->nowhere);
	grpc_shutdown();
}

/*
 * The threads that gRPC starts and ours inherit the signal mask: none of them
 * may take a signal that is meant for the loop.
 */
static int start_threads(struct rpc_poller *poller)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	turn_off_deadlock_detector();
	choose_resolver();
	grpc_init();
	open_queue(poller);
	error = pthread_create(&poller->thread, NULL, serve, poller);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

enum status_code rpc_poller_new(struct rpc_poller **ret_poller,
				struct status *reterr)
{
	struct rpc_poller *poller = calloc(1, sizeof(*poller));
	int error;

	if (poller == NULL) {
		return status_set(reterr, STATUS_RESOURCE_EXHAUSTED,
				  "no memory for a poller");
	}
	error = start_threads(poller);
	if (error != 0) {
		grpc_call_unref(poller->kick_call);
		grpc_completion_queue_shutdown(poller->queue);
		while (grpc_completion_queue_next(
			       poller->queue,
			       gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL)
			       .type != GRPC_QUEUE_SHUTDOWN) {
			/* Nothing is in it. */
		}
		close_queue(poller);
		free(poller);
		return status_set_errno(reterr, STATUS_RESOURCE_EXHAUSTED,
					error, "start the poller's thread");
	}
	pthread_setname_np(poller->thread, "rpc-poller");
	*ret_poller = poller;
	return STATUS_OK;
}

void rpc_poller_free(struct rpc_poller *poller)
{
	if (poller == NULL) {
		return;
	}
	BUG_IF(poller_is_current(poller), "a poller can't free itself");
	grpc_call_unref(poller->kick_call);
	grpc_completion_queue_shutdown(poller->queue);
	pthread_join(poller->thread, NULL);
	BUG_IF(atomic_load(&poller->outbox) != NULL,
	       "a poller was freed before its servers and channels");
	close_queue(poller);
	free(poller);
}
