#include "stock_order/service/order_filler.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/loop.h"

enum {
	BATCH_MAX = 64, /* orders that are being filled at a time */
	/* Orders that are due within this are filled together. */
	REST_MIN_NS = 10 * NS_PER_MS,
	/* After trouble with the repository. */
	REST_TROUBLE_NS = 500 * NS_PER_MS,
};
/* The clock of the orders may be set back meanwhile. */
#define REST_MAX_NS (60 * (int64_t)NS_PER_S)

#define FILLER_STATES(X)                                                       \
	X(RESTING, "resting", TO(LOOKING) | TO(FINISHED))                      \
	X(LOOKING, "looking", TO(FILLING) | TO(RESTING) | TO(FINISHED))        \
	X(FILLING, "filling", TO(LOOKING) | TO(RESTING) | TO(FINISHED))        \
	X(FINISHED, "finished", 0)

enum filler_state {
#define FILLER_ENUM(symbol, name, moves) FILLER_##symbol,
	FILLER_STATES(FILLER_ENUM)
#undef FILLER_ENUM
};

#define TO(symbol) (1U << FILLER_##symbol)
static const struct {
	const char *name;
	unsigned moves;
} states[] = {
#define FILLER_INFO(symbol, text, allowed)                                     \
	[FILLER_##symbol] = { .name = (text), .moves = (allowed) },
	FILLER_STATES(FILLER_INFO)
#undef FILLER_INFO
};
#undef TO

/*
 * Everything but what completions report is the loop's thread's own: the last
 * completion of a look or of a batch posts @news, which steps the filler there.
 */
struct order_filler {
	struct order_filler_options options;
	struct ctx *ctx; /* a child of options.ctx; ends at the deadline */
	struct loop *loop;
	int64_t fill_after_us;

	enum filler_state state;
	struct loop_timer rest;
	struct loop_task news;

	struct loop_task finish; /* asks for what follows */
	struct loop_timer limit;
	bool finishing;
	bool final; /* the look under way covers all that has to be finished */
	int64_t until_us; /* what finishing looks for */
	int64_t deadline_ns;
	order_filler_done_fn done;
	void *done_arg;

	/* What a look reports. */
	char ids[BATCH_MAX][ORDER_ID_SIZE];
	size_t ids_n;
	int64_t next_us;
	/* What a batch reports. */
	atomic_size_t unfilled; /* completions still to come */
	atomic_ulong filled;	/* since finishing began */
	/* What both report: the first trouble. */
	pthread_mutex_t lock;
	struct status trouble;
};

#define FILLER_OF(ptr, member)                                                 \
	((struct order_filler *)(void *)((char *)(ptr)-offsetof(               \
		struct order_filler, member)))

/* The one door through which a filler changes its state. */
static void move(struct order_filler *filler, enum filler_state to)
{
	if ((states[filler->state].moves & 1U << to) == 0) {
		fprintf(stderr, "bug: filler moves from %s to %s\n",
			states[filler->state].name, states[to].name);
		abort();
	}
	filler->state = to;
}

static int64_t now_us(const struct order_filler *filler)
{
	return filler->options.clock->now_us(filler->options.clock);
}

/* ---- reports: any thread ------------------------------------------------ */

static void report_trouble(struct order_filler *filler,
			   const struct status *status)
{
	pthread_mutex_lock(&filler->lock);
	if (filler->trouble.code == STATUS_OK) {
		filler->trouble = *status;
	}
	pthread_mutex_unlock(&filler->lock);
}

static void on_due(const struct status *status,
		   const char (*ids)[ORDER_ID_SIZE], size_t ids_n,
		   int64_t next_us, void *arg)
{
	struct order_filler *filler = arg;

	if (status->code == STATUS_OK) {
		memcpy(filler->ids, ids, ids_n * sizeof(*ids));
		filler->ids_n = ids_n;
		filler->next_us = next_us;
	} else {
		report_trouble(filler, status);
	}
	loop_post(filler->loop, &filler->news);
}

static void report_filled(struct order_filler *filler,
			  const struct order *order)
{
	atomic_fetch_add(&filler->filled, 1);
	if (filler->options.on_filled != NULL) {
		filler->options.on_filled(order, filler->options.arg);
	}
}

static enum status_code fill_now(struct order *order, void *arg,
				 struct status *reterr)
{
	return order_fill(order, now_us(arg), reterr);
}

static void on_changed(const struct status *status, const struct order *order,
		       void *arg)
{
	struct order_filler *filler = arg;

	if (status->code == STATUS_OK) {
		report_filled(filler, order);
	} else if (status->code != STATUS_FAILED_PRECONDITION &&
		   status->code != STATUS_NOT_FOUND) {
		report_trouble(filler, status);
	} /* else somebody was faster, and it is not ours to fill */
	if (atomic_fetch_sub(&filler->unfilled, 1) == 1) {
		loop_post(filler->loop, &filler->news);
	}
}

/* ---- steps: the loop's thread ------------------------------------------- */

static void finish(struct order_filler *filler, const struct status *status)
{
	move(filler, FILLER_FINISHED);
	(void)loop_timer_stop(filler->loop, &filler->limit);
	/* The last: it may free us. */
	filler->done(status, atomic_load(&filler->filled), filler->done_arg);
}

/* Whether there is to be nothing more; finished then, where that is asked. */
static bool is_over(struct order_filler *filler)
{
	struct status why;

	if (filler->finishing && clock_now_ns() >= filler->deadline_ns) {
		status_set(&why, STATUS_DEADLINE_EXCEEDED,
			   "no time left to fill orders");
	} else if (ctx_ended(filler->ctx)) {
		(void)ctx_cause(filler->ctx, &why);
	} else {
		return false;
	}
	if (filler->finishing) {
		finish(filler, &why);
	} else if (filler->state != FILLER_RESTING) {
		move(filler, FILLER_RESTING); /* until it is to finish */
	}
	return true;
}

static void rest(struct order_filler *filler, int64_t ns)
{
	move(filler, FILLER_RESTING);
	loop_timer_start(filler->loop, &filler->rest,
			 clock_add_ns(clock_now_ns(), ns));
}

/* Until the oldest order that waits is due, or until one that comes now is. */
static void rest_until_due(struct order_filler *filler)
{
	int64_t us = filler->fill_after_us;
	int64_t ns;

	if (filler->next_us != INT64_MAX) {
		int64_t left_us = filler->next_us + us - now_us(filler);

		us = left_us < us ? left_us : us;
	}
	ns = us > REST_MAX_NS / NS_PER_US ? REST_MAX_NS : us * NS_PER_US;
	rest(filler, ns < REST_MIN_NS ? REST_MIN_NS : ns);
}

static void look(struct order_filler *filler)
{
	struct order_repository *orders = filler->options.orders;
	int64_t until_us = filler->finishing
				   ? filler->until_us
				   : now_us(filler) - filler->fill_after_us;

	if (is_over(filler)) {
		return;
	}
	move(filler, FILLER_LOOKING);
	filler->final = filler->finishing;
	orders->ops->due(orders, filler->ctx, until_us, BATCH_MAX, on_due,
			 filler);
}

static void fill(struct order_filler *filler)
{
	struct order_repository *orders = filler->options.orders;
	size_t n = filler->ids_n;

	if (is_over(filler)) {
		return;
	}
	move(filler, FILLER_FILLING);
	atomic_store(&filler->unfilled, n);
	for (size_t i = 0; i < n; i++) {
		orders->ops->change(orders, filler->ctx, filler->ids[i],
				    fill_now, on_changed, filler);
	}
}

/* A look or a batch went wrong: what is left stays as it is. */
static void give_up(struct order_filler *filler)
{
	struct status trouble = filler->trouble;

	filler->trouble.code = STATUS_OK;
	if (is_over(filler)) {
		return;
	}
	if (filler->options.on_trouble != NULL) {
		filler->options.on_trouble(&trouble, filler->options.arg);
	}
	if (filler->finishing) {
		finish(filler, &trouble);
	} else {
		rest(filler, REST_TROUBLE_NS);
	}
}

/* Nothing due is left of what the last look saw. */
static void go_on(struct order_filler *filler)
{
	struct status ok = status_ok();

	if (filler->ids_n == BATCH_MAX ||
	    (filler->finishing && !filler->final)) {
		if (filler->state == FILLER_LOOKING) {
			move(filler, FILLER_RESTING);
		}
		look(filler);
	} else if (filler->finishing) {
		finish(filler, &ok);
	} else {
		rest_until_due(filler);
	}
}

static void on_news(struct loop_task *task)
{
	struct order_filler *filler = FILLER_OF(task, news);

	if (filler->trouble.code != STATUS_OK) {
		give_up(filler);
	} else if (filler->state == FILLER_LOOKING && filler->ids_n > 0) {
		fill(filler);
	} else {
		go_on(filler);
	}
}

static void on_rested(struct loop_timer *timer, int64_t late_ns)
{
	struct order_filler *filler = FILLER_OF(timer, rest);

	(void)late_ns;
	look(filler);
}

static void on_limit(struct loop_timer *timer, int64_t late_ns)
{
	struct order_filler *filler = FILLER_OF(timer, limit);

	(void)late_ns;
	/* What waits in the repository is refused, and reported. */
	ctx_end(filler->ctx, CTX_DEADLINE, NULL);
}

static void on_finish(struct loop_task *task)
{
	struct order_filler *filler = FILLER_OF(task, finish);

	filler->finishing = true;
	filler->until_us = now_us(filler) - filler->fill_after_us;
	atomic_store(&filler->filled, 0);
	loop_timer_start(filler->loop, &filler->limit, filler->deadline_ns);
	if (filler->state == FILLER_RESTING) {
		(void)loop_timer_stop(filler->loop, &filler->rest);
		look(filler);
	}
}

/* ---- life --------------------------------------------------------------- */

static void on_start(struct loop_task *task)
{
	struct order_filler *filler = FILLER_OF(task, news);

	filler->news.fn = on_news;
	look(filler);
}

struct order_filler *
order_filler_start(const struct order_filler_options *options)
{
	struct order_filler *filler = calloc(1, sizeof(*filler));

	if (filler == NULL) {
		abort();
	}
	filler->options = *options;
	filler->ctx = ctx_new(options->ctx, CLOCK_NEVER);
	filler->loop = ctx_loop(filler->ctx);
	filler->fill_after_us = options->fill_after_ns / NS_PER_US;
	filler->state = FILLER_RESTING;
	filler->rest.fn = on_rested;
	filler->limit.fn = on_limit;
	filler->finish.fn = on_finish;
	filler->news.fn = on_start;
	pthread_mutex_init(&filler->lock, NULL);
	atomic_init(&filler->unfilled, 0);
	atomic_init(&filler->filled, 0);
	loop_post(filler->loop, &filler->news);
	return filler;
}

void order_filler_finish(struct order_filler *filler, int64_t deadline_ns,
			 order_filler_done_fn done, void *arg)
{
	filler->deadline_ns = deadline_ns;
	filler->done = done;
	filler->done_arg = arg;
	loop_post(filler->loop, &filler->finish);
}

void order_filler_free(struct order_filler *filler)
{
	if (filler == NULL) {
		return;
	}
	if (filler->state != FILLER_FINISHED) {
		fprintf(stderr, "bug: filler freed while it is %s\n",
			states[filler->state].name);
		abort();
	}
	ctx_unref(filler->ctx);
	pthread_mutex_destroy(&filler->lock);
	free(filler);
}
