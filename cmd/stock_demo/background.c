#include "background.h"

#include "log/log.h"

/* ---- what the filler tells ---------------------------------------------- */

static void on_filled(const struct order *order, void *arg)
{
	struct stock_background *background = arg;

	metrics_inc(background->filled, 1);
	log_debug(NULL, NULL, "order %s is filled", order->id);
}

static void on_trouble(const struct status *status, void *arg)
{
	(void)arg;
	log_warn(NULL,
		 LOG_FIELDS(LOG_STR("code", status_code_name(status->code))),
		 "orders could not be filled, which will be tried again: %s",
		 status->message);
}

static void on_finished(const struct status *status, uint64_t filled, void *arg)
{
	struct stock_background *background = arg;

	if (status->code == STATUS_OK) {
		log_info(NULL, LOG_FIELDS(LOG_INT("filled", filled)),
			 "background work is finished: all orders that were "
			 "due are filled");
	} else {
		log_warn(NULL, LOG_FIELDS(LOG_INT("filled", filled)),
			 "background work is left: orders that are due stay "
			 "PENDING, in the database: %s",
			 status->message);
	}
	background->finished = true;
	if (background->hook != NULL) {
		lifecycle_hook_done(background->hook);
	}
	lifecycle_drained(background->part);
}

/* ---- how it stops ------------------------------------------------------- */

/* By the hook, or by the ladder where there is no hook or it was skipped. */
static void finish(struct stock_background *background, int64_t deadline_ns)
{
	if (!background->finishing) {
		background->finishing = true;
		order_filler_finish(background->filler, deadline_ns,
				    on_finished, background);
	}
}

static void hook(void *self, struct lifecycle_hook *hook)
{
	finish(self, lifecycle_hook_deadline_ns(hook));
}

static void drain(void *self, struct lifecycle_part *part)
{
	struct stock_background *background = self;

	finish(background, CLOCK_NEVER);
	if (background->finished) {
		lifecycle_drained(part);
	}
}

static void cancel(void *self)
{
	struct stock_background *background = self;

	(void)ctx_end(background->ctx, CTX_SHUTDOWN, NULL);
}

static void close_begin(void *self, struct lifecycle_part *part)
{
	struct stock_background *background = self;

	order_filler_free(background->filler);
	background->filler = NULL;
	ctx_unref(background->ctx);
	lifecycle_closed(part);
}

void stock_background_add(struct stock_background *background,
			  struct program *program)
{
	static const struct lifecycle_ops ops = {
		.drain = drain,
		.cancel = cancel,
		.close_begin = close_begin,
	};

	background->program = program;
	background->part = lifecycle_add(program->lifecycle, "background work",
					 &ops, background);
}

void stock_background_add_hook(struct stock_background *background,
			       unsigned share_percent)
{
	if (background->part != NULL) {
		background->hook = lifecycle_add_hook(
			background->program->lifecycle, "background work", hook,
			background, share_percent);
	}
}

/* ---- how it starts ------------------------------------------------------ */

void stock_background_start(struct stock_background *background,
			    struct order_repository *orders,
			    struct order_clock *clock, int64_t fill_after_ns)
{
	struct order_filler_options options = {
		.orders = orders,
		.clock = clock,
		.fill_after_ns = fill_after_ns,
		.on_filled = on_filled,
		.on_trouble = on_trouble,
		.arg = background,
	};

	if (background->part == NULL) {
		return;
	}
	background->filled = metrics_counter(
		background->program->metrics, "rescind_orders_filled_total",
		"Orders filled in the background", NULL);
	background->ctx = ctx_new(background->program->root, CLOCK_NEVER);
	options.ctx = background->ctx;
	background->filler = order_filler_start(&options);
}
