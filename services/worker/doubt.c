#include "worker/doubt.h"

#include <time.h>

#include "log/log.h"

enum {
	LOOK_EVERY_NS = 1 * NS_PER_S,
	/* A look that takes long is repeated less often. */
	REST_FACTOR = 50,
};
#define EXPIRE_EVERY_NS ((int64_t)60 * NS_PER_S)

static int64_t unix_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / NS_PER_MS;
}

static double oldest_seconds(const struct doubt *doubt)
{
	int64_t since_ms = atomic_load(&doubt->oldest_ms);
	int64_t age_ms = unix_ms() - since_ms;

	return since_ms == 0 || age_ms < 0 ? 0 : (double)age_ms / 1000;
}

/* ---- what is shown ------------------------------------------------------ */

static double read_in_doubt(void *arg)
{
	const struct doubt *doubt = arg;

	return (double)atomic_load(&doubt->in_doubt);
}

static double read_oldest(void *arg)
{
	return oldest_seconds(arg);
}

/* What the process before this one has left. */
static void tell(struct doubt *doubt)
{
	int64_t n = atomic_load(&doubt->in_doubt);

	if (doubt->told || n == 0) {
		return;
	}
	log_warn(NULL,
		 LOG_FIELDS(LOG_INT("in_doubt", n),
			    LOG_INT("oldest_s", oldest_seconds(doubt))),
		 "Transactions are in doubt until their coordinators come "
		 "back");
}

/* ---- looking ------------------------------------------------------------ */

static void on_summary(struct twopc_summary *summary,
		       const struct status *status)
{
	struct doubt *doubt = (struct doubt *)((char *)summary -
					       offsetof(struct doubt, summary));
	int64_t took_ns = clock_now_ns() - doubt->asked_ns;

	if (status->code == STATUS_OK) {
		atomic_store(&doubt->in_doubt, summary->in_doubt);
		atomic_store(&doubt->oldest_ms, summary->oldest_ms);
		tell(doubt);
		doubt->told = true;
	} else {
		doubt_changed(doubt); /* ask again */
	}
	atomic_store(&doubt->due_ns, clock_now_ns() + took_ns * REST_FACTOR);
	atomic_store(&doubt->asking, false);
}

static void look(struct doubt *doubt)
{
	if (atomic_load(&doubt->asking) ||
	    clock_now_ns() < atomic_load(&doubt->due_ns) ||
	    !atomic_exchange(&doubt->changed, false)) {
		return;
	}
	atomic_store(&doubt->asking, true);
	doubt->asked_ns = clock_now_ns();
	doubt->summary.done = on_summary;
	twopc_prepared_summarize(&doubt->record, doubt->ctx, &doubt->summary);
}

/* ---- tidying ------------------------------------------------------------ */

static void on_expired(struct twopc_expiry *expiry, const struct status *status)
{
	struct doubt *doubt = (struct doubt *)((char *)expiry -
					       offsetof(struct doubt, expiry));

	if (status->code != STATUS_OK) {
		log_warn(NULL, NULL,
			 "What is remembered of transactions that are over "
			 "could not be dropped, ignoring: %s",
			 status->message);
	} else if (expiry->dropped > 0) {
		log_debug(NULL, LOG_FIELDS(LOG_INT("rows", expiry->dropped)),
			  "Dropped what is remembered of transactions that "
			  "are long over");
	}
	atomic_store(&doubt->expiring, false);
}

static void expire(struct doubt *doubt)
{
	int64_t now_ns = clock_now_ns();

	if (now_ns < doubt->expire_ns || atomic_load(&doubt->expiring)) {
		return;
	}
	atomic_store(&doubt->expiring, true);
	doubt->expire_ns = now_ns + EXPIRE_EVERY_NS;
	doubt->expiry.now_ms = unix_ms();
	doubt->expiry.done = on_expired;
	twopc_prepared_expire(&doubt->record, doubt->ctx, &doubt->expiry);
}

/* ---- life --------------------------------------------------------------- */

static void on_timer(struct loop_timer *timer, int64_t late_ns)
{
	struct doubt *doubt =
		(struct doubt *)((char *)timer - offsetof(struct doubt, timer));

	(void)late_ns;
	look(doubt);
	expire(doubt);
	loop_timer_start(ctx_loop(doubt->ctx), timer,
			 clock_now_ns() + LOOK_EVERY_NS);
}

void doubt_start(struct doubt *doubt, struct db *db, db_stmt base,
		 struct ctx *ctx, struct work_metrics *metrics)
{
	doubt->record = (struct twopc_prepared){ .db = db, .base = base };
	doubt->ctx = ctx;
	doubt->timer.fn = on_timer;
	atomic_store(&doubt->changed, true);
	work_metrics_watch_doubt(metrics, read_in_doubt, read_oldest, doubt);
	on_timer(&doubt->timer, 0);
}

void doubt_stop(struct doubt *doubt)
{
	if (doubt->ctx == NULL) {
		return; /* never started */
	}
	(void)loop_timer_stop(ctx_loop(doubt->ctx), &doubt->timer);
}

void doubt_changed(struct doubt *doubt)
{
	/* Most often it is so: don't fight over the line. */
	if (!atomic_load_explicit(&doubt->changed, memory_order_relaxed)) {
		atomic_store(&doubt->changed, true);
	}
}
