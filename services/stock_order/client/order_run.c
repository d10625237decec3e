#include "stock_order/client/order_run.h"

#include "loop/bug.h"

#define run_of(member, pointer)                                                \
	((struct order_run *)((char *)(pointer)-offsetof(struct order_run,     \
							 member)))

/* ---- states ------------------------------------------------------------- */

#define TO(symbol) (1U << ORDER_RUN_##symbol)
static const struct {
	const char *name;
	unsigned moves;
} states[] = {
#define ORDER_RUN_CONF(symbol, name, moves)                                    \
	[ORDER_RUN_##symbol] = { (name), (moves) },
	ORDER_RUN_STATES(ORDER_RUN_CONF)
#undef ORDER_RUN_CONF
};
#undef TO

const char *order_run_state_name(enum order_run_state state)
{
	return states[state].name;
}

static void move(struct order_run *run, enum order_run_state to)
{
	BUG_IF((states[run->state].moves & 1U << to) == 0,
	       "a run of orders can't go there from here");
	run->state = to;
}

/* ---- when --------------------------------------------------------------- */

int64_t order_run_next_ns(int64_t due_ns, int64_t interval_ns, int64_t now_ns)
{
	int64_t missed;

	if (interval_ns == 0) {
		return now_ns;
	}
	missed = now_ns > due_ns ? (now_ns - due_ns) / interval_ns : 0;
	return clock_add_ns(due_ns + missed * interval_ns, interval_ns);
}

static bool is_last(const struct order_run *run)
{
	return run->stopping || (run->options.count != 0 &&
				 run->tally.sent == run->options.count);
}

static void tell_over(struct loop_task *task)
{
	struct order_run *run = run_of(over, task);

	run->options.on_over(run->options.arg);
}

static void end(struct order_run *run)
{
	move(run, ORDER_RUN_OVER);
	run->over.fn = tell_over;
	loop_post(run->options.loop, &run->over);
}

/* ---- one order ---------------------------------------------------------- */

/* Only a stop cancels; a server that says so went away. */
static struct status outcome_of(const struct order_run *run,
				const struct status *status)
{
	if (status->code == STATUS_CANCELLED && !run->stopping) {
		return status_make(STATUS_UNAVAILABLE, "%s", status->message);
	}
	return *status;
}

static void on_sent(const struct status *status, const char *id, void *arg)
{
	struct order_run *run = arg;
	struct order_outcome outcome = {
		.number = run->tally.sent,
		.status = outcome_of(run, status),
		.id = id,
		.took_ns = clock_now_ns() - run->sent_ns,
	};

	move(run, ORDER_RUN_REPORTING);
	tally_answer(&run->tally, outcome.status.code, outcome.took_ns);
	ctx_unref(run->ctx);
	run->ctx = NULL;
	run->options.on_outcome(&outcome, run->options.arg);
}

static void send_order(struct loop_timer *timer, int64_t late_ns)
{
	struct order_run *run = run_of(timer, timer);
	const struct order_run_options *o = &run->options;
	const char *key = NULL;

	(void)late_ns;
	move(run, ORDER_RUN_SENDING);
	if (o->keys != NULL) {
		o->keys->make(o->keys, run->key);
		key = run->key;
	}
	run->sent_ns = clock_now_ns();
	run->ctx = ctx_new(o->root, clock_add_ns(run->sent_ns, o->timeout_ns));
	tally_send(&run->tally);
	o->sender->ops->send(o->sender, run->ctx, &o->draft, key, on_sent, run);
}

/* ---- from outside ------------------------------------------------------- */

void order_run_start(struct order_run *run,
		     const struct order_run_options *options)
{
	*run = (struct order_run){ .options = *options,
				   .state = ORDER_RUN_RESTING };
	run->timer.fn = send_order;
	run->due_ns = clock_now_ns();
	loop_timer_start(options->loop, &run->timer, run->due_ns);
}

void order_run_reported(struct order_run *run)
{
	if (is_last(run)) {
		end(run);
		return;
	}
	move(run, ORDER_RUN_RESTING);
	run->due_ns = order_run_next_ns(run->due_ns, run->options.interval_ns,
					clock_now_ns());
	loop_timer_start(run->options.loop, &run->timer, run->due_ns);
}

void order_run_stop(struct order_run *run)
{
	const struct status cancelled =
		status_make(STATUS_CANCELLED, "not waited for");

	run->stopping = true;
	switch (run->state) {
	case ORDER_RUN_RESTING:
		/* On this thread the timer's callback is not under way. */
		(void)loop_timer_stop(run->options.loop, &run->timer);
		end(run);
		break;
	case ORDER_RUN_SENDING:
		(void)ctx_end(run->ctx, CTX_SHUTDOWN, &cancelled);
		break;
	case ORDER_RUN_REPORTING:
	case ORDER_RUN_OVER:
		break;
	}
}
