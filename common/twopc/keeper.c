#include "twopc/keeper.h"

#include <stdlib.h>
#include <string.h>

#include "failpoint/failpoint.h"
#include "log/log.h"

#define KEEPER_OF(member, pointer)                                             \
	((struct twopc_keeper *)((char *)(pointer)-offsetof(                   \
		struct twopc_keeper, member)))

static void step(struct twopc_keeper *keeper,
		 const struct twopc_resolver_news *news);

static void step_event(struct twopc_keeper *keeper,
		       enum twopc_resolver_event event)
{
	const struct twopc_resolver_news news = { .event = event };

	step(keeper, &news);
}

/* ---- telling ------------------------------------------------------------ */

/* Once when it begins to fail, and once when that is over. */
static void tell_health(struct twopc_keeper *keeper,
			const struct status *status)
{
	bool unwell = status->code != STATUS_OK;
	bool news = keeper->unwell != unwell;

	keeper->unwell = unwell;
	if (!news || keeper->stopped) {
		return;
	}
	if (unwell) {
		log_warn(NULL, LOG_FIELDS(LOG_STR("reason", status->message)),
			 "What is in doubt can't be resolved with %s for the "
			 "moment",
			 keeper->options.participant);
	} else {
		log_info(NULL, NULL,
			 "What is in doubt is resolved with %s again",
			 keeper->options.participant);
	}
}

static void tell_verdict(const struct twopc_keeper *keeper,
			 const struct twopc_item *item,
			 enum twopc_verdict verdict)
{
	struct work_metrics *metrics = keeper->options.metrics;

	if (twopc_verdict_is_contradiction(item->order, verdict)) {
		work_metrics_contradiction(metrics);
		log_error(NULL,
			  LOG_FIELDS(LOG_STR("transaction", item->id),
				     LOG_STR("order",
					     twopc_order_name(item->order)),
				     LOG_STR("verdict",
					     twopc_verdict_name(verdict))),
			  "CONTRADICTION: %s should %s transaction %s, and "
			  "says that it is %s",
			  keeper->options.participant,
			  twopc_order_name(item->order), item->id,
			  twopc_verdict_name(verdict));
	} else if (verdict == TWOPC_VERDICT_COMMITTED ||
		   verdict == TWOPC_VERDICT_ROLLED_BACK) {
		work_metrics_resolved(metrics,
				      verdict == TWOPC_VERDICT_COMMITTED
					      ? WORK_COMMITTED
					      : WORK_ROLLED_BACK);
		log_info(NULL,
			 LOG_FIELDS(LOG_STR("transaction", item->id),
				    LOG_STR("outcome",
					    twopc_verdict_name(verdict))),
			 "RESOLVED transaction %s: %s", item->id,
			 twopc_verdict_name(verdict));
	}
}

/* The resolver's items stay as they are until the outcome is stepped. */
static void tell_verdicts(const struct twopc_keeper *keeper,
			  const enum twopc_verdict *verdicts)
{
	for (size_t i = 0; i < keeper->resolver.items_n; i++) {
		tell_verdict(keeper, &keeper->resolver.items[i], verdicts[i]);
	}
}

/* ---- jobs --------------------------------------------------------------- */

static void end_job(struct twopc_keeper *keeper)
{
	ctx_unref(keeper->job_ctx);
	keeper->job_ctx = NULL;
}

/* Other than STATUS_OK is the news that it failed. */
static void step_outcome(struct twopc_keeper *keeper,
			 const struct status *status,
			 const struct twopc_resolver_news *news)
{
	pthread_mutex_lock(&keeper->lock);
	tell_health(keeper, status);
	pthread_mutex_unlock(&keeper->lock);
	end_job(keeper);
	if (status->code == STATUS_OK) {
		step(keeper, news);
	} else {
		step_event(keeper, TWOPC_RESOLVER_ON_FAILED);
	}
}

static void on_listed(struct twopc_peer_call *call, const struct status *status,
		      const char *const *ids, size_t ids_n, bool more)
{
	const struct twopc_resolver_news news = {
		.event = TWOPC_RESOLVER_ON_LISTED,
		.ids = ids,
		.ids_n = ids_n,
		.more = more,
	};

	step_outcome(KEEPER_OF(call, call), status, &news);
}

static void on_resolved(struct twopc_peer_call *call,
			const struct status *status,
			const enum twopc_verdict *verdicts)
{
	struct twopc_keeper *keeper = KEEPER_OF(call, call);
	const struct twopc_resolver_news news = {
		.event = TWOPC_RESOLVER_ON_RESOLVED,
		.verdicts = verdicts,
	};

	if (status->code == STATUS_OK) {
		tell_verdicts(keeper, verdicts);
	}
	step_outcome(keeper, status, &news);
}

static void on_forgotten(struct twopc_forgetting *forgetting,
			 const struct status *status)
{
	struct twopc_keeper *keeper = KEEPER_OF(forgetting, forgetting);
	const struct twopc_resolver_news news = {
		.event = TWOPC_RESOLVER_ON_FORGOTTEN,
	};

	FAILPOINT("twopc.forget.after");
	end_job(keeper);
	if (status->code != STATUS_OK) {
		log_warn(NULL, LOG_FIELDS(LOG_STR("reason", status->message)),
			 "Decisions that are confirmed could not be deleted, "
			 "trying again");
		step_event(keeper, TWOPC_RESOLVER_ON_FAILED);
	} else {
		step(keeper, &news);
	}
}

/*
 * Without the lock: what it is about is the resolver's for this job, and stays
 * until the outcome is stepped.
 */
static void begin_job(struct twopc_keeper *keeper, enum twopc_job job)
{
	struct twopc_resolver *resolver = &keeper->resolver;
	struct twopc_peer *peer = keeper->options.peer;

	keeper->job_ctx =
		ctx_new(keeper->ctx, clock_now_ns() + TWOPC_CALL_TIMEOUT_NS);
	switch (job) {
	case TWOPC_JOB_LIST:
		peer->ops->list(peer, keeper->job_ctx,
				keeper->decisions.coordinator, resolver->after,
				TWOPC_BATCH_MAX, &keeper->call);
		break;
	case TWOPC_JOB_RESOLVE:
		peer->ops->resolve(peer, keeper->job_ctx,
				   keeper->decisions.coordinator,
				   resolver->items, resolver->items_n,
				   resolver->over_below, &keeper->call);
		break;
	case TWOPC_JOB_FORGET:
		FAILPOINT("twopc.forget.before");
		keeper->forgetting.items = resolver->items;
		keeper->forgetting.items_n = resolver->items_n;
		twopc_decisions_forget(&keeper->decisions, keeper->job_ctx,
				       &keeper->forgetting);
		break;
	case TWOPC_JOB_NONE:
	default:
		abort();
	}
}

/* ---- steps -------------------------------------------------------------- */

static void tell_owners(struct twopc_keeper *keeper)
{
	for (;;) {
		void *owner;

		pthread_mutex_lock(&keeper->lock);
		owner = twopc_registry_take_confirmed(keeper->registry);
		if (owner != NULL) {
			keeper->options.take(owner);
		}
		pthread_mutex_unlock(&keeper->lock);
		if (owner == NULL) {
			return;
		}
		keeper->options.confirmed(owner);
	}
}

/* With the lock held: whoever steps last sets it last, but for a nudge. */
static void set_timer(struct twopc_keeper *keeper, int64_t at_ns)
{
	struct loop *loop = ctx_loop(keeper->ctx);

	(void)loop_timer_stop(loop, &keeper->timer);
	if (keeper->nudged) {
		at_ns = 0;
	}
	if (at_ns != CLOCK_NEVER) {
		loop_timer_start(loop, &keeper->timer, at_ns);
	}
}

/* Whether the last round is over; with the lock held. */
static bool take_drained(struct twopc_keeper *keeper, void (**ret_fn)(void *),
			 void **ret_arg)
{
	if (keeper->drained == NULL || keeper->job != TWOPC_JOB_NONE ||
	    (!keeper->stopped && keeper->started &&
	     keeper->resolver.stats.rounds < keeper->drained_round)) {
		return false;
	}
	*ret_fn = keeper->drained;
	*ret_arg = keeper->drained_arg;
	keeper->drained = NULL;
	return true;
}

static bool is_outcome(enum twopc_resolver_event event)
{
	switch (event) {
	case TWOPC_RESOLVER_ON_LISTED:
	case TWOPC_RESOLVER_ON_RESOLVED:
	case TWOPC_RESOLVER_ON_FORGOTTEN:
	case TWOPC_RESOLVER_ON_FAILED:
		return true;
	case TWOPC_RESOLVER_ON_START:
	case TWOPC_RESOLVER_ON_REACHED:
	case TWOPC_RESOLVER_ON_NUDGE:
	case TWOPC_RESOLVER_ON_TICK:
	case TWOPC_RESOLVER_EVENT_NR:
	default:
		return false;
	}
}

/* Each state that is moved to has one. */
static void pass_point(enum twopc_resolver_state to)
{
	switch (to) {
	case TWOPC_RESOLVER_IDLE:
		FAILPOINT("twopc.resolver.enters.idle");
		break;
	case TWOPC_RESOLVER_FORGETTING:
		FAILPOINT("twopc.resolver.enters.forgetting");
		break;
	case TWOPC_RESOLVER_COMMITTING:
		FAILPOINT("twopc.resolver.enters.committing");
		break;
	case TWOPC_RESOLVER_LISTING:
		FAILPOINT("twopc.resolver.enters.listing");
		break;
	case TWOPC_RESOLVER_ROLLING_BACK:
		FAILPOINT("twopc.resolver.enters.rolling_back");
		break;
	case TWOPC_RESOLVER_SEALING:
		FAILPOINT("twopc.resolver.enters.sealing");
		break;
	case TWOPC_RESOLVER_STATE_NR:
	default:
		break;
	}
}

/* With the lock held. A keeper that was stopped begins nothing. */
static void step_resolver(struct twopc_keeper *keeper,
			  const struct twopc_resolver_news *news,
			  struct twopc_resolver_update *ret_update)
{
	struct twopc_resolver_news timed = *news;
	enum twopc_resolver_state from;

	*ret_update = (struct twopc_resolver_update){ .tick_ns = CLOCK_NEVER };
	if (is_outcome(news->event)) {
		keeper->job = TWOPC_JOB_NONE;
	}
	if (keeper->stopped || !keeper->started) {
		return;
	}
	timed.now_ns = clock_now_ns();
	from = keeper->resolver.state;
	twopc_resolver_step(&keeper->resolver, &timed, ret_update);
	if (keeper->resolver.state != from) {
		pass_point(keeper->resolver.state);
	}
	if (ret_update->job != TWOPC_JOB_NONE) {
		keeper->job = ret_update->job;
	}
	set_timer(keeper, ret_update->tick_ns);
}

static void step(struct twopc_keeper *keeper,
		 const struct twopc_resolver_news *news)
{
	struct twopc_resolver_update update;
	void (*drained)(void *arg);
	void *drained_arg;
	bool is_drained;

	pthread_mutex_lock(&keeper->lock);
	step_resolver(keeper, news, &update);
	if (keeper->job == TWOPC_JOB_NONE) {
		pthread_cond_broadcast(&keeper->idle);
	}
	is_drained = take_drained(keeper, &drained, &drained_arg);
	pthread_mutex_unlock(&keeper->lock);
	if (update.confirmed) {
		tell_owners(keeper);
	}
	if (update.job != TWOPC_JOB_NONE) {
		begin_job(keeper, update.job);
	}
	if (is_drained) {
		drained(drained_arg);
	}
}

static void on_tick(struct loop_timer *timer, int64_t late_ns)
{
	struct twopc_keeper *keeper = KEEPER_OF(timer, timer);
	bool nudged;

	(void)late_ns;
	pthread_mutex_lock(&keeper->lock);
	nudged = keeper->nudged;
	keeper->nudged = false;
	pthread_mutex_unlock(&keeper->lock);
	step_event(keeper,
		   nudged ? TWOPC_RESOLVER_ON_NUDGE : TWOPC_RESOLVER_ON_TICK);
}

/* By the timer and not by a task, since that can be taken back at a stop. */
void twopc_keeper_nudge(struct twopc_keeper *keeper)
{
	pthread_mutex_lock(&keeper->lock);
	if (!keeper->nudged && !keeper->stopped) {
		keeper->nudged = true;
		set_timer(keeper, 0);
	}
	pthread_mutex_unlock(&keeper->lock);
}

void twopc_keeper_reached(struct twopc_keeper *keeper)
{
	step_event(keeper, TWOPC_RESOLVER_ON_REACHED);
}

/* ---- opening ------------------------------------------------------------ */

static enum status_code on_loaded(struct twopc_opening *opening,
				  const struct twopc_decision *decision,
				  struct status *reterr)
{
	struct twopc_keeper *keeper = KEEPER_OF(opening, opening);

	if (!twopc_name_is_valid(decision->id)) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "a decision has the id '%.100s'",
				  decision->id);
	}
	if (keeper->loaded_n == keeper->loaded_capacity) {
		keeper->loaded_capacity = 2 * keeper->loaded_capacity + 64;
		keeper->loaded = realloc(keeper->loaded,
					 keeper->loaded_capacity *
						 sizeof(*keeper->loaded));
		if (keeper->loaded == NULL) {
			abort();
		}
	}
	memcpy(keeper->loaded[keeper->loaded_n++].id, decision->id,
	       strlen(decision->id) + 1);
	return STATUS_OK;
}

static enum status_code load_all(struct twopc_keeper *keeper,
				 struct status *reterr)
{
	int64_t now_ns = clock_now_ns();
	enum status_code code = STATUS_OK;

	for (size_t i = 0; i < keeper->loaded_n && code == STATUS_OK; i++) {
		code = twopc_registry_load(
			keeper->registry, keeper->loaded[i].id, now_ns, reterr);
	}
	return code;
}

static void on_opened(struct twopc_opening *opening,
		      const struct status *status)
{
	struct twopc_keeper *keeper = KEEPER_OF(opening, opening);
	struct status outcome = *status;

	if (outcome.code == STATUS_OK) {
		twopc_keeper_assume(keeper, keeper->decisions.coordinator,
				    keeper->decisions.stem);
		outcome.code = load_all(keeper, &outcome);
	}
	if (outcome.code == STATUS_OK && keeper->loaded_n > 0) {
		log_warn(NULL,
			 LOG_FIELDS(LOG_STR("first", keeper->loaded[0].id)),
			 "%zu transactions were decided before this start, and "
			 "are to be completed",
			 keeper->loaded_n);
	}
	free(keeper->loaded);
	keeper->loaded = NULL;
	keeper->opened(&outcome, keeper->opened_arg);
}

void twopc_keeper_open(struct twopc_keeper *keeper,
		       void (*opened)(const struct status *status, void *arg),
		       void *arg)
{
	keeper->opened = opened;
	keeper->opened_arg = arg;
	keeper->opening.loaded = on_loaded;
	keeper->opening.done = on_opened;
	twopc_decisions_open(&keeper->decisions, keeper->ctx, &keeper->opening);
}

void twopc_keeper_assume(struct twopc_keeper *keeper, const char *coordinator,
			 const char *stem)
{
	struct twopc_decisions *decisions = &keeper->decisions;

	if (decisions->coordinator != coordinator) {
		memcpy(decisions->coordinator, coordinator, TWOPC_UUID_SIZE);
		memcpy(decisions->stem, stem, TWOPC_STEM_SIZE);
	}
	pthread_mutex_lock(&keeper->lock);
	keeper->registry =
		twopc_registry_new(stem, keeper->options.entries_max);
	twopc_resolver_init(&keeper->resolver, keeper->registry);
	pthread_mutex_unlock(&keeper->lock);
}

/* ---- life --------------------------------------------------------------- */

void twopc_keeper_init(struct twopc_keeper *keeper,
		       const struct twopc_keeper_options *options)
{
	memset(keeper, 0, sizeof(*keeper));
	keeper->options = *options;
	keeper->decisions.db = options->db;
	keeper->decisions.base = options->base;
	keeper->ctx = ctx_new(options->root, CLOCK_NEVER);
	pthread_mutex_init(&keeper->lock, NULL);
	pthread_cond_init(&keeper->idle, NULL);
	keeper->timer.fn = on_tick;
	keeper->call.listed = on_listed;
	keeper->call.resolved = on_resolved;
	keeper->forgetting.done = on_forgotten;
}

void twopc_keeper_start(struct twopc_keeper *keeper)
{
	pthread_mutex_lock(&keeper->lock);
	keeper->started = true;
	pthread_mutex_unlock(&keeper->lock);
	step_event(keeper, TWOPC_RESOLVER_ON_START);
}

void twopc_keeper_drain(struct twopc_keeper *keeper, void (*drained)(void *arg),
			void *arg)
{
	pthread_mutex_lock(&keeper->lock);
	keeper->drained = drained;
	keeper->drained_arg = arg;
	/* Not the one that is under way: it may have passed what is new. */
	keeper->drained_round = keeper->resolver.stats.rounds + 1;
	pthread_mutex_unlock(&keeper->lock);
	step_event(keeper, TWOPC_RESOLVER_ON_NUDGE);
}

void twopc_keeper_stop(struct twopc_keeper *keeper)
{
	if (keeper->ctx == NULL) {
		return;
	}
	pthread_mutex_lock(&keeper->lock);
	keeper->stopped = true;
	(void)loop_timer_stop(ctx_loop(keeper->ctx), &keeper->timer);
	pthread_mutex_unlock(&keeper->lock);
	ctx_end(keeper->ctx, CTX_SHUTDOWN, NULL);
	/* Whom it keeps waiting, where there is nothing to wait for. */
	step_event(keeper, TWOPC_RESOLVER_ON_TICK);
}

void twopc_keeper_close(struct twopc_keeper *keeper)
{
	twopc_keeper_stop(keeper);
	if (keeper->ctx == NULL) {
		return;
	}
	pthread_mutex_lock(&keeper->lock);
	while (keeper->job != TWOPC_JOB_NONE) {
		pthread_cond_wait(&keeper->idle, &keeper->lock);
	}
	pthread_mutex_unlock(&keeper->lock);
}

void twopc_keeper_release(struct twopc_keeper *keeper)
{
	if (keeper->ctx == NULL) {
		return;
	}
	twopc_registry_free(keeper->registry);
	ctx_unref(keeper->ctx);
	pthread_mutex_destroy(&keeper->lock);
	pthread_cond_destroy(&keeper->idle);
	memset(keeper, 0, sizeof(*keeper));
}

/* ---- for exchanges ------------------------------------------------------ */

enum status_code twopc_keeper_begin(struct twopc_keeper *keeper, void *owner,
				    struct twopc_entry **ret_entry,
				    struct status *reterr)
{
	int64_t now_ns = clock_now_ns();
	enum status_code code;

	pthread_mutex_lock(&keeper->lock);
	code = twopc_registry_begin(keeper->registry, owner, now_ns, ret_entry,
				    reterr);
	pthread_mutex_unlock(&keeper->lock);
	return code;
}

void twopc_keeper_mark(struct twopc_keeper *keeper, struct twopc_entry **entry,
		       unsigned todo)
{
	int64_t now_ns;

	if ((todo & (TWOPC_MARKS | TWOPC_END)) == 0) {
		return;
	}
	now_ns = clock_now_ns();
	pthread_mutex_lock(&keeper->lock);
	twopc_registry_mark(keeper->registry, *entry, todo, now_ns);
	if ((todo & TWOPC_END) != 0) {
		twopc_registry_release(keeper->registry, *entry);
		*entry = NULL;
	}
	pthread_mutex_unlock(&keeper->lock);
}

/* ---- for people --------------------------------------------------------- */

enum twopc_standing twopc_keeper_look(struct twopc_keeper *keeper,
				      const char *id)
{
	enum twopc_standing standing;

	pthread_mutex_lock(&keeper->lock);
	standing = twopc_registry_look(keeper->registry, id);
	pthread_mutex_unlock(&keeper->lock);
	return standing;
}

static void get_stats(struct twopc_keeper *keeper,
		      struct twopc_registry_stats *ret_stats)
{
	pthread_mutex_lock(&keeper->lock);
	twopc_registry_stats(keeper->registry, ret_stats);
	pthread_mutex_unlock(&keeper->lock);
}

static double read_in_doubt(void *arg)
{
	struct twopc_registry_stats stats;

	get_stats(arg, &stats);
	return (double)(stats.by_standing[TWOPC_DECIDED_STANDING] +
			stats.by_standing[TWOPC_ORPHANED_STANDING]);
}

static double read_oldest_seconds(void *arg)
{
	struct twopc_registry_stats stats;

	get_stats(arg, &stats);
	return stats.oldest_ns == CLOCK_NEVER
		       ? 0
		       : (double)(clock_now_ns() - stats.oldest_ns) / NS_PER_S;
}

void twopc_keeper_watch(struct twopc_keeper *keeper)
{
	work_metrics_watch_doubt(keeper->options.metrics, read_in_doubt,
				 read_oldest_seconds, keeper);
}
