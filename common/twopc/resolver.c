#include "twopc/resolver.h"

#include <string.h>

#include "twopc/bug.h"

/* ---- states ------------------------------------------------------------- */

#define TO(symbol) (1U << TWOPC_RESOLVER_##symbol)
static const struct {
	const char *name;
	unsigned moves;
} states[TWOPC_RESOLVER_STATE_NR] = {
#define TWOPC_RESOLVER_INFO(symbol, text, allowed)                             \
	[TWOPC_RESOLVER_##symbol] = { .name = (text), .moves = (allowed) },
	TWOPC_RESOLVER_STATES(TWOPC_RESOLVER_INFO)
#undef TWOPC_RESOLVER_INFO
};
#undef TO

const char *twopc_resolver_state_name(enum twopc_resolver_state state)
{
	return (unsigned)state < TWOPC_RESOLVER_STATE_NR ? states[state].name
							 : "?";
}

bool twopc_resolver_may_move(enum twopc_resolver_state from,
			     enum twopc_resolver_state to)
{
	return (states[from].moves & 1U << to) != 0;
}

const char *twopc_resolver_event_name(enum twopc_resolver_event event)
{
	static const char *const names[TWOPC_RESOLVER_EVENT_NR] = {
#define TWOPC_RESOLVER_EVENT_TEXT(symbol, name)                                \
	[TWOPC_RESOLVER_ON_##symbol] = (name),
		TWOPC_RESOLVER_EVENTS(TWOPC_RESOLVER_EVENT_TEXT)
#undef TWOPC_RESOLVER_EVENT_TEXT
	};

	return (unsigned)event < TWOPC_RESOLVER_EVENT_NR ? names[event] : "?";
}

/* The one door through which a resolver changes its state. */
static void move(struct twopc_resolver *r, enum twopc_resolver_state to)
{
	if (!twopc_resolver_may_move(r->state, to)) {
		twopc_bug("a resolver moves from %s to %s",
			  twopc_resolver_state_name(r->state),
			  twopc_resolver_state_name(to));
	}
	r->state = to;
}

static void bug(const struct twopc_resolver *r, enum twopc_resolver_event event)
{
	twopc_bug("'%s' for a resolver that is %s",
		  twopc_resolver_event_name(event),
		  twopc_resolver_state_name(r->state));
}

/* ---- a round, from its end to its beginning ----------------------------- */

static enum twopc_job end_round(struct twopc_resolver *r, int64_t now_ns)
{
	if (r->state != TWOPC_RESOLVER_IDLE) {
		move(r, TWOPC_RESOLVER_IDLE);
	}
	r->ended_ns = now_ns;
	if (r->failed) {
		r->nudged = true;
	}
	if (!r->failed || r->reached) {
		r->backoff_ns = 0;
	} else if (r->backoff_ns == 0) {
		r->backoff_ns = r->pace.backoff_min_ns;
	} else if (r->backoff_ns < r->pace.backoff_max_ns / 2) {
		r->backoff_ns *= 2;
	} else {
		r->backoff_ns = r->pace.backoff_max_ns;
	}
	return TWOPC_JOB_NONE;
}

/* Put the bound into the call, if it is news. */
static bool bring_bound(struct twopc_resolver *r)
{
	twopc_registry_low(r->registry, r->over_below);
	if (strcmp(r->over_below, r->sealed) != 0) {
		return true;
	}
	r->over_below[0] = '\0';
	return false;
}

static void note_bound(struct twopc_resolver *r)
{
	if (r->over_below[0] != '\0') {
		memcpy(r->sealed, r->over_below, sizeof(r->sealed));
	}
}

static enum twopc_job seal(struct twopc_resolver *r, int64_t now_ns)
{
	if (!bring_bound(r)) {
		return end_round(r, now_ns);
	}
	move(r, TWOPC_RESOLVER_SEALING);
	r->items_n = 0;
	return TWOPC_JOB_RESOLVE;
}

static enum twopc_job list(struct twopc_resolver *r, int64_t now_ns)
{
	if (!r->full) {
		return seal(r, now_ns);
	}
	if (!r->more) {
		r->listed_ns = r->begun_ns;
		return seal(r, now_ns);
	}
	move(r, TWOPC_RESOLVER_LISTING);
	return TWOPC_JOB_LIST;
}

static enum twopc_job commit(struct twopc_resolver *r, int64_t now_ns)
{
	if (r->full) {
		r->items_n = twopc_registry_collect(
			r->registry, TWOPC_ORPHANED_STANDING, r->tried,
			r->items, TWOPC_BATCH_MAX);
	} else {
		r->items_n = 0;
	}
	if (r->items_n == 0) {
		return list(r, now_ns);
	}
	for (size_t i = 0; i < r->items_n; i++) {
		r->items[i].order = TWOPC_ORDER_COMMIT;
	}
	memcpy(r->tried, r->items[r->items_n - 1].id, sizeof(r->tried));
	move(r, TWOPC_RESOLVER_COMMITTING);
	(void)bring_bound(r);
	return TWOPC_JOB_RESOLVE;
}

static enum twopc_job forget(struct twopc_resolver *r, int64_t now_ns)
{
	r->items_n = twopc_registry_collect(r->registry, TWOPC_SETTLED_STANDING,
					    "", r->items, TWOPC_BATCH_MAX);
	if (r->items_n == 0) {
		return commit(r, now_ns);
	}
	move(r, TWOPC_RESOLVER_FORGETTING);
	return TWOPC_JOB_FORGET;
}

static enum twopc_job begin_round(struct twopc_resolver *r, int64_t now_ns)
{
	r->stats.rounds++;
	r->begun_ns = now_ns;
	r->full = r->nudged ||
		  now_ns >= clock_add_ns(r->listed_ns, r->pace.list_ns);
	r->nudged = false;
	r->reached = false;
	r->failed = false;
	r->more = true;
	r->after[0] = '\0';
	r->tried[0] = '\0';
	return forget(r, now_ns);
}

/* ---- when --------------------------------------------------------------- */

static bool has_to_tidy(const struct twopc_resolver *r)
{
	char low[TWOPC_ID_SIZE];

	if (twopc_registry_count(r->registry, TWOPC_SETTLED_STANDING) > 0) {
		return true;
	}
	twopc_registry_low(r->registry, low);
	return strcmp(low, r->sealed) != 0;
}

static int64_t due_ns(const struct twopc_resolver *r)
{
	int64_t pause_ns = r->backoff_ns > 0 ? r->backoff_ns : r->pace.gap_ns;
	int64_t soonest_ns = clock_add_ns(r->ended_ns, pause_ns);
	int64_t at_ns = clock_add_ns(r->listed_ns, r->pace.list_ns);
	int64_t tidy_ns = clock_add_ns(r->ended_ns, r->pace.tidy_ns);

	if (!r->started) {
		return CLOCK_NEVER;
	}
	if (r->nudged) {
		return soonest_ns;
	}
	if (tidy_ns < at_ns && has_to_tidy(r)) {
		at_ns = tidy_ns;
	}
	return at_ns > soonest_ns ? at_ns : soonest_ns;
}

/* ---- outcomes ----------------------------------------------------------- */

static enum twopc_job on_forgotten(struct twopc_resolver *r, int64_t now_ns)
{
	bool full = r->items_n == TWOPC_BATCH_MAX;

	for (size_t i = 0; i < r->items_n; i++) {
		twopc_registry_forget(r->registry, r->items[i].id);
	}
	return full ? forget(r, now_ns) : commit(r, now_ns);
}

static void take_verdict(struct twopc_resolver *r,
			 const struct twopc_item *item,
			 enum twopc_verdict verdict, bool *ret_confirmed)
{
	if (twopc_verdict_is_contradiction(item->order, verdict)) {
		r->stats.contradictions++;
	} else if (verdict == TWOPC_VERDICT_COMMITTED) {
		r->stats.committed++;
		twopc_registry_settle(r->registry, item->id);
		*ret_confirmed = true;
	} else if (verdict == TWOPC_VERDICT_ROLLED_BACK) {
		r->stats.rolled_back++;
	} else if (verdict != TWOPC_VERDICT_UNKNOWN) {
		r->failed = true;
	}
}

static enum twopc_job on_resolved(struct twopc_resolver *r,
				  const struct twopc_resolver_news *news,
				  bool *ret_confirmed)
{
	note_bound(r);
	for (size_t i = 0; i < r->items_n; i++) {
		take_verdict(r, &r->items[i], news->verdicts[i], ret_confirmed);
	}
	switch (r->state) {
	case TWOPC_RESOLVER_COMMITTING:
		return commit(r, news->now_ns);
	case TWOPC_RESOLVER_ROLLING_BACK:
		return list(r, news->now_ns);
	case TWOPC_RESOLVER_SEALING:
		return end_round(r, news->now_ns);
	case TWOPC_RESOLVER_IDLE:
	case TWOPC_RESOLVER_FORGETTING:
	case TWOPC_RESOLVER_LISTING:
	case TWOPC_RESOLVER_STATE_NR:
	default:
		bug(r, news->event);
		return TWOPC_JOB_NONE;
	}
}

static enum twopc_job on_failed(struct twopc_resolver *r, int64_t now_ns)
{
	r->stats.failures++;
	r->failed = true;
	if (r->state == TWOPC_RESOLVER_FORGETTING) {
		return commit(r, now_ns); /* the participant may be well */
	}
	return end_round(r, now_ns);
}

/* @name was found valid. */
static void copy_name(char to[TWOPC_NAME_SIZE_MAX + 1], const char *name)
{
	memcpy(to, name, strnlen(name, TWOPC_NAME_SIZE_MAX) + 1);
}

/* Whether the page goes on where the last one ended, and ends at all. */
static bool is_page(const struct twopc_resolver *r,
		    const struct twopc_resolver_news *news)
{
	const char *last = r->after;

	if (news->ids_n > TWOPC_BATCH_MAX || (news->ids_n == 0 && news->more)) {
		return false;
	}
	for (size_t i = 0; i < news->ids_n; i++) {
		if (!twopc_name_is_valid(news->ids[i]) ||
		    strcmp(last, news->ids[i]) >= 0) {
			return false;
		}
		last = news->ids[i];
	}
	return true;
}

/* Presumed abort: whatever is not in the registry is to be rolled back. */
static void presume(struct twopc_resolver *r,
		    const struct twopc_resolver_news *news)
{
	r->items_n = 0;
	for (size_t i = 0; i < news->ids_n; i++) {
		struct twopc_item *item = &r->items[r->items_n];

		if (twopc_registry_look(r->registry, news->ids[i]) ==
		    TWOPC_ABSENT_STANDING) {
			copy_name(item->id, news->ids[i]);
			item->order = TWOPC_ORDER_ROLLBACK;
			r->items_n++;
		}
	}
}

static enum twopc_job on_listed(struct twopc_resolver *r,
				const struct twopc_resolver_news *news)
{
	if (!is_page(r, news)) {
		return on_failed(r, news->now_ns);
	}
	r->more = news->more;
	if (news->ids_n > 0) {
		copy_name(r->after, news->ids[news->ids_n - 1]);
	}
	presume(r, news);
	if (r->items_n == 0) {
		return list(r, news->now_ns);
	}
	move(r, TWOPC_RESOLVER_ROLLING_BACK);
	(void)bring_bound(r);
	return TWOPC_JOB_RESOLVE;
}

/* ---- from outside ------------------------------------------------------- */

void twopc_resolver_init(struct twopc_resolver *resolver,
			 struct twopc_registry *registry)
{
	memset(resolver, 0, sizeof(*resolver));
	resolver->registry = registry;
	resolver->pace = (struct twopc_resolver_pace){
		.tidy_ns = 100 * NS_PER_MS,
		.list_ns = 500 * NS_PER_MS,
		.gap_ns = 10 * NS_PER_MS,
		.backoff_min_ns = 50 * NS_PER_MS,
		.backoff_max_ns = 400 * NS_PER_MS,
	};
}

static void take_news(struct twopc_resolver *r,
		      const struct twopc_resolver_news *news,
		      struct twopc_resolver_update *update)
{
	switch (news->event) {
	case TWOPC_RESOLVER_ON_START:
		r->started = true;
		r->nudged = true;
		r->ended_ns = news->now_ns - r->pace.gap_ns;
		break;
	case TWOPC_RESOLVER_ON_REACHED:
		r->nudged = true;
		r->reached = true;
		r->backoff_ns = 0;
		break;
	case TWOPC_RESOLVER_ON_NUDGE:
		r->nudged = true;
		break;
	case TWOPC_RESOLVER_ON_TICK:
		break;
	case TWOPC_RESOLVER_ON_LISTED:
		update->job = on_listed(r, news);
		break;
	case TWOPC_RESOLVER_ON_RESOLVED:
		update->job = on_resolved(r, news, &update->confirmed);
		break;
	case TWOPC_RESOLVER_ON_FORGOTTEN:
		update->job = on_forgotten(r, news->now_ns);
		break;
	case TWOPC_RESOLVER_ON_FAILED:
		update->job = on_failed(r, news->now_ns);
		break;
	case TWOPC_RESOLVER_EVENT_NR:
	default:
		bug(r, news->event);
	}
}

/* What answers a job comes while that job is under way, and then alone. */
static bool is_expected(const struct twopc_resolver *r,
			enum twopc_resolver_event event)
{
	switch (event) {
	case TWOPC_RESOLVER_ON_LISTED:
		return r->state == TWOPC_RESOLVER_LISTING;
	case TWOPC_RESOLVER_ON_RESOLVED:
		return r->state == TWOPC_RESOLVER_COMMITTING ||
		       r->state == TWOPC_RESOLVER_ROLLING_BACK ||
		       r->state == TWOPC_RESOLVER_SEALING;
	case TWOPC_RESOLVER_ON_FORGOTTEN:
		return r->state == TWOPC_RESOLVER_FORGETTING;
	case TWOPC_RESOLVER_ON_FAILED:
		return r->state != TWOPC_RESOLVER_IDLE;
	case TWOPC_RESOLVER_ON_START:
		return !r->started;
	case TWOPC_RESOLVER_ON_REACHED:
	case TWOPC_RESOLVER_ON_NUDGE:
	case TWOPC_RESOLVER_ON_TICK:
		return true;
	case TWOPC_RESOLVER_EVENT_NR:
	default:
		return false;
	}
}

void twopc_resolver_step(struct twopc_resolver *resolver,
			 const struct twopc_resolver_news *news,
			 struct twopc_resolver_update *ret_update)
{
	*ret_update = (struct twopc_resolver_update){ .job = TWOPC_JOB_NONE };
	if (!is_expected(resolver, news->event)) {
		bug(resolver, news->event);
	}
	take_news(resolver, news, ret_update);
	if (resolver->state == TWOPC_RESOLVER_IDLE &&
	    news->now_ns >= due_ns(resolver)) {
		ret_update->job = begin_round(resolver, news->now_ns);
	}
	ret_update->tick_ns = resolver->state == TWOPC_RESOLVER_IDLE
				      ? due_ns(resolver)
				      : CLOCK_NEVER;
}
