/* Rounds: what begins them, what they do in which order, what fails. */
#include <stdio.h>
#include <string.h>

#include "suite.h"
#include "twopc/resolver.h"

#define STEM	"000000000002-00000000000000aa"
#define OLD	"000000000001-00000000000000bb-0000000000"
#define SECONDS INT64_C(1000000000)

static struct twopc_registry *registry;
static struct twopc_resolver r;
static struct twopc_resolver_update update;
static int64_t now_ns;
static int owner;

static void setup(void)
{
	registry = twopc_registry_new(STEM, 10000);
	twopc_resolver_init(&r, registry);
	now_ns = 100 * SECONDS;
}

static void teardown(void)
{
	twopc_registry_free(registry);
}

/* ---- shorthand ----------------------------------------------------------- */

static enum twopc_job tell(enum twopc_resolver_event event)
{
	const struct twopc_resolver_news news = { .event = event,
						  .now_ns = now_ns };

	twopc_resolver_step(&r, &news, &update);
	return update.job;
}

static enum twopc_job tick_at(int64_t at_ns)
{
	now_ns = at_ns;
	return tell(TWOPC_RESOLVER_ON_TICK);
}

/* Answer LIST: the ids end in NULL. */
static enum twopc_job listed(bool more, const char *const *ids)
{
	struct twopc_resolver_news news = { .event = TWOPC_RESOLVER_ON_LISTED,
					    .now_ns = now_ns,
					    .ids = ids,
					    .more = more };

	while (ids[news.ids_n] != NULL) {
		news.ids_n++;
	}
	twopc_resolver_step(&r, &news, &update);
	return update.job;
}

/* Answer RESOLVE, all alike. */
static enum twopc_job resolved(enum twopc_verdict verdict)
{
	enum twopc_verdict verdicts[TWOPC_BATCH_MAX];
	const struct twopc_resolver_news news = {
		.event = TWOPC_RESOLVER_ON_RESOLVED,
		.now_ns = now_ns,
		.verdicts = verdicts,
	};

	for (size_t i = 0; i < r.items_n; i++) {
		verdicts[i] = verdict;
	}
	twopc_resolver_step(&r, &news, &update);
	return update.job;
}

static const char *const nothing[] = { NULL };

/* The rest of a round in which nothing is prepared, and sealing works. */
static void finish_round(void)
{
	if (r.state == TWOPC_RESOLVER_LISTING) {
		(void)listed(false, nothing);
	}
	if (r.state == TWOPC_RESOLVER_SEALING) {
		ck_assert_uint_eq(r.items_n, 0);
		(void)resolved(TWOPC_VERDICT_FAILED);
	}
	ck_assert_int_eq(update.job, TWOPC_JOB_NONE);
	ck_assert_int_eq(r.state, TWOPC_RESOLVER_IDLE);
}

static void start(void)
{
	(void)tell(TWOPC_RESOLVER_ON_START);
	finish_round();
}

static void load(const char *id)
{
	struct status err = status_ok();

	ck_assert_msg(twopc_registry_load(registry, id, 0, &err) == STATUS_OK,
		      "%s", err.message);
}

static struct twopc_entry *begin(void)
{
	struct twopc_entry *entry = NULL;
	struct status err;

	ck_assert_int_eq(
		twopc_registry_begin(registry, &owner, now_ns, &entry, &err),
		STATUS_OK);
	return entry;
}

/* One that its exchange has decided, and that was confirmed to it. */
static void settle_one(void)
{
	struct twopc_entry *entry = begin();

	twopc_registry_mark(registry, entry, TWOPC_MARK_DECIDED, now_ns);
	twopc_registry_mark(registry, entry, TWOPC_MARK_SETTLED, now_ns);
	twopc_registry_release(registry, entry);
}

/* ---- what begins a round ------------------------------------------------- */

START_TEST(nothing_happens_before_the_start)
{
	ck_assert_int_eq(tell(TWOPC_RESOLVER_ON_REACHED), TWOPC_JOB_NONE);
	ck_assert_int_eq(tell(TWOPC_RESOLVER_ON_NUDGE), TWOPC_JOB_NONE);
	ck_assert_int_eq(tick_at(now_ns + SECONDS), TWOPC_JOB_NONE);
	ck_assert_int_eq(update.tick_ns, CLOCK_NEVER);
}
END_TEST

START_TEST(the_start_lists_and_seals_at_once)
{
	ck_assert_int_eq(tell(TWOPC_RESOLVER_ON_START), TWOPC_JOB_LIST);
	ck_assert_str_eq(r.after, "");
	ck_assert_int_eq(update.tick_ns, CLOCK_NEVER);
	ck_assert_int_eq(listed(false, nothing), TWOPC_JOB_RESOLVE);
	ck_assert_uint_eq(r.items_n, 0);
	ck_assert_str_eq(r.over_below, STEM "-000000000001");
	ck_assert_int_eq(resolved(TWOPC_VERDICT_FAILED), TWOPC_JOB_NONE);
	ck_assert_int_eq(update.tick_ns, now_ns + r.pace.list_ns);
}
END_TEST

START_TEST(a_nudge_begins_a_round_after_the_gap)
{
	int64_t ended_ns = now_ns;

	start();
	ck_assert_int_eq(tell(TWOPC_RESOLVER_ON_NUDGE), TWOPC_JOB_NONE);
	ck_assert_int_eq(update.tick_ns, ended_ns + r.pace.gap_ns);
	ck_assert_int_eq(tick_at(update.tick_ns - 1), TWOPC_JOB_NONE);
	ck_assert_int_eq(tick_at(now_ns + 1), TWOPC_JOB_LIST);
}
END_TEST

START_TEST(a_nudge_after_the_gap_begins_a_round_at_once)
{
	start();
	now_ns += r.pace.gap_ns;
	ck_assert_int_eq(tell(TWOPC_RESOLVER_ON_NUDGE), TWOPC_JOB_LIST);
	/* Nudged while it lists: what it has not seen is seen after. */
	ck_assert_int_eq(tell(TWOPC_RESOLVER_ON_NUDGE), TWOPC_JOB_NONE);
	finish_round();
	ck_assert_int_eq(update.tick_ns, now_ns + r.pace.gap_ns);
	ck_assert_int_eq(tick_at(update.tick_ns), TWOPC_JOB_LIST);
}
END_TEST

START_TEST(it_lists_now_and_then_without_a_cause)
{
	start();
	ck_assert_int_eq(update.tick_ns, now_ns + r.pace.list_ns);
	ck_assert_int_eq(tick_at(update.tick_ns - 1), TWOPC_JOB_NONE);
	ck_assert_int_eq(tick_at(now_ns + 1), TWOPC_JOB_LIST);
	ck_assert_int_eq(listed(false, nothing), TWOPC_JOB_NONE);
}
END_TEST

START_TEST(it_tidies_up_more_often_than_it_lists)
{
	start();
	settle_one();
	(void)tell(TWOPC_RESOLVER_ON_TICK);
	ck_assert_int_eq(update.tick_ns, now_ns + r.pace.tidy_ns);
	ck_assert_int_eq(tick_at(update.tick_ns), TWOPC_JOB_FORGET);
	ck_assert_uint_eq(r.items_n, 1);
	ck_assert_str_eq(r.items[0].id, STEM "-000000000001");
	/* Its place is kept until that is on disk. */
	ck_assert_int_eq(twopc_registry_look(registry, r.items[0].id),
			 TWOPC_SETTLED_STANDING);
	ck_assert_int_eq(tell(TWOPC_RESOLVER_ON_FORGOTTEN), TWOPC_JOB_RESOLVE);
	ck_assert_int_eq(twopc_registry_look(registry, STEM "-000000000001"),
			 TWOPC_ABSENT_STANDING);
	ck_assert_uint_eq(r.items_n, 0);
	ck_assert_str_eq(r.over_below, STEM "-000000000002");
	ck_assert_int_eq(resolved(TWOPC_VERDICT_FAILED), TWOPC_JOB_NONE);
}
END_TEST

START_TEST(what_was_sealed_is_not_sealed_again)
{
	struct twopc_entry *entry;

	start();
	entry = begin(); /* the lowest is as before */
	ck_assert_int_eq(tick_at(now_ns + r.pace.tidy_ns), TWOPC_JOB_NONE);
	twopc_registry_mark(registry, entry, TWOPC_MARK_GONE, now_ns);
	twopc_registry_release(registry, entry);
	ck_assert_int_eq(tell(TWOPC_RESOLVER_ON_TICK), TWOPC_JOB_RESOLVE);
	ck_assert_str_eq(r.over_below, STEM "-000000000002");
}
END_TEST

/* ---- presumed abort ------------------------------------------------------ */

START_TEST(what_is_absent_is_rolled_back_and_nothing_else)
{
	struct twopc_entry *live = begin();
	struct twopc_entry *decided = begin();
	struct twopc_entry *orphan = begin();
	struct twopc_entry *gone = begin();
	const char *const page[] = { "000000000001-0000000000000000-1",
				     STEM "-000000000001",
				     STEM "-000000000002",
				     STEM "-000000000003",
				     STEM "-000000000004",
				     STEM "-000000000005",
				     NULL };

	twopc_registry_mark(registry, decided, TWOPC_MARK_DECIDED, now_ns);
	(void)tell(TWOPC_RESOLVER_ON_START);
	twopc_registry_mark(registry, orphan, TWOPC_MARK_ORPHANED, now_ns);
	twopc_registry_mark(registry, gone, TWOPC_MARK_GONE, now_ns);
	ck_assert_int_eq(listed(false, page), TWOPC_JOB_RESOLVE);
	ck_assert_uint_eq(r.items_n, 2);
	ck_assert_str_eq(r.items[0].id, page[0]);
	ck_assert_str_eq(r.items[1].id, STEM "-000000000004");
	ck_assert_int_eq(r.items[0].order, TWOPC_ORDER_ROLLBACK);
	ck_assert_str_eq(r.over_below, STEM "-000000000001");
	ck_assert_int_eq(resolved(TWOPC_VERDICT_ROLLED_BACK), TWOPC_JOB_NONE);
	ck_assert_uint_eq(r.stats.rolled_back, 2);
	twopc_registry_release(registry, live);
	twopc_registry_release(registry, decided);
	twopc_registry_release(registry, orphan);
	twopc_registry_release(registry, gone);
}
END_TEST

START_TEST(pages_follow_each_other_to_the_end)
{
	const char *const first[] = { OLD "01", OLD "02", NULL };
	const char *const second[] = { OLD "03", NULL };
	const char *const third[] = { OLD "04", NULL };

	load(OLD "03");
	ck_assert_int_eq(tell(TWOPC_RESOLVER_ON_START), TWOPC_JOB_RESOLVE);
	ck_assert_int_eq(resolved(TWOPC_VERDICT_FAILED), TWOPC_JOB_LIST);
	ck_assert_int_eq(listed(true, first), TWOPC_JOB_RESOLVE);
	ck_assert_uint_eq(r.items_n, 2);
	ck_assert_int_eq(resolved(TWOPC_VERDICT_ROLLED_BACK), TWOPC_JOB_LIST);
	ck_assert_str_eq(r.after, OLD "02");
	ck_assert_int_eq(listed(true, second), TWOPC_JOB_LIST);
	ck_assert_str_eq(r.after, OLD "03");
	ck_assert_int_eq(listed(false, third), TWOPC_JOB_RESOLVE);
	ck_assert_int_eq(resolved(TWOPC_VERDICT_UNKNOWN), TWOPC_JOB_NONE);
	ck_assert_uint_eq(r.stats.rolled_back, 2);
	ck_assert_uint_eq(r.stats.contradictions, 0);
}
END_TEST

/* ---- what was decided ---------------------------------------------------- */

START_TEST(orphans_are_committed_in_batches_before_anything_is_listed)
{
	char id[TWOPC_ID_SIZE];

	for (int i = 1; i <= TWOPC_BATCH_MAX + 3; i++) {
		snprintf(id, sizeof(id), "000000000001-00000000000000bb-%012x",
			 (unsigned)i);
		load(id);
	}
	ck_assert_int_eq(tell(TWOPC_RESOLVER_ON_START), TWOPC_JOB_RESOLVE);
	ck_assert_uint_eq(r.items_n, TWOPC_BATCH_MAX);
	ck_assert_int_eq(r.items[0].order, TWOPC_ORDER_COMMIT);
	ck_assert_str_eq(r.items[0].id, OLD "01");
	ck_assert_int_eq(resolved(TWOPC_VERDICT_COMMITTED), TWOPC_JOB_RESOLVE);
	ck_assert(update.confirmed);
	ck_assert_ptr_null(twopc_registry_take_confirmed(registry));
	ck_assert_uint_eq(r.items_n, 3);
	ck_assert_int_eq(resolved(TWOPC_VERDICT_COMMITTED), TWOPC_JOB_LIST);
	finish_round();
	ck_assert_uint_eq(r.stats.committed, TWOPC_BATCH_MAX + 3);
	/* Then their decisions are forgotten, in as many batches. */
	(void)tick_at(now_ns + SECONDS);
	ck_assert_int_eq(update.job, TWOPC_JOB_FORGET);
	ck_assert_uint_eq(r.items_n, TWOPC_BATCH_MAX);
	ck_assert_int_eq(tell(TWOPC_RESOLVER_ON_FORGOTTEN), TWOPC_JOB_FORGET);
	ck_assert_uint_eq(r.items_n, 3);
	ck_assert_int_eq(tell(TWOPC_RESOLVER_ON_FORGOTTEN), TWOPC_JOB_LIST);
	finish_round();
	ck_assert_str_eq(r.sealed, STEM "-000000000001");
}
END_TEST

START_TEST(an_owner_that_waits_is_told)
{
	struct twopc_entry *entry = begin();

	start();
	twopc_registry_mark(registry, entry, TWOPC_MARK_ORPHANED, now_ns);
	now_ns += SECONDS;
	ck_assert_int_eq(tell(TWOPC_RESOLVER_ON_NUDGE), TWOPC_JOB_RESOLVE);
	ck_assert_int_eq(resolved(TWOPC_VERDICT_COMMITTED), TWOPC_JOB_LIST);
	ck_assert(update.confirmed);
	ck_assert_ptr_eq(twopc_registry_take_confirmed(registry), &owner);
	twopc_registry_release(registry, entry);
}
END_TEST

START_TEST(a_tidy_round_leaves_orphans_to_a_full_one)
{
	struct twopc_entry *entry = begin();

	start();
	settle_one();
	twopc_registry_mark(registry, entry, TWOPC_MARK_ORPHANED, now_ns);
	twopc_registry_release(registry, entry);
	ck_assert_int_eq(tick_at(now_ns + r.pace.tidy_ns), TWOPC_JOB_FORGET);
	ck_assert_int_eq(tell(TWOPC_RESOLVER_ON_FORGOTTEN), TWOPC_JOB_NONE);
	ck_assert_int_eq(tick_at(update.tick_ns), TWOPC_JOB_RESOLVE);
	ck_assert_uint_eq(r.items_n, 1);
	ck_assert_int_eq(r.items[0].order, TWOPC_ORDER_COMMIT);
}
END_TEST

/* A database was lost, or somebody interfered: loud, but no hot loop. */
START_TEST(a_commit_that_is_refused_stays_and_is_tried_now_and_then)
{
	load(OLD "01");
	ck_assert_int_eq(tell(TWOPC_RESOLVER_ON_START), TWOPC_JOB_RESOLVE);
	ck_assert_int_eq(resolved(_i == 0 ? TWOPC_VERDICT_UNKNOWN
					  : TWOPC_VERDICT_ROLLED_BACK),
			 TWOPC_JOB_LIST);
	ck_assert(!update.confirmed);
	finish_round();
	ck_assert_uint_eq(r.stats.contradictions, 1);
	ck_assert_uint_eq(r.stats.committed, 0);
	ck_assert_int_eq(twopc_registry_look(registry, OLD "01"),
			 TWOPC_ORPHANED_STANDING);
	ck_assert_int_eq(update.tick_ns, now_ns + r.pace.list_ns);
	ck_assert_int_eq(tick_at(update.tick_ns), TWOPC_JOB_RESOLVE);
	ck_assert_int_eq(r.items[0].order, TWOPC_ORDER_COMMIT);
}
END_TEST

START_TEST(a_rollback_that_finds_it_committed_is_a_contradiction)
{
	const char *const page[] = { OLD "01", NULL };

	(void)tell(TWOPC_RESOLVER_ON_START);
	ck_assert_int_eq(listed(false, page), TWOPC_JOB_RESOLVE);
	(void)resolved(TWOPC_VERDICT_COMMITTED);
	ck_assert_uint_eq(r.stats.contradictions, 1);
	ck_assert(!update.confirmed);
}
END_TEST

/* ---- failures ------------------------------------------------------------ */

START_TEST(what_fails_is_tried_again_with_a_delay_that_doubles)
{
	int64_t delays[6];

	(void)tell(TWOPC_RESOLVER_ON_START);
	for (int i = 0; i < 6; i++) {
		ck_assert_int_eq(tell(TWOPC_RESOLVER_ON_FAILED),
				 TWOPC_JOB_NONE);
		delays[i] = update.tick_ns - now_ns;
		/* A nudge does not hurry it. */
		(void)tell(TWOPC_RESOLVER_ON_NUDGE);
		ck_assert_int_eq(update.tick_ns, now_ns + delays[i]);
		ck_assert_int_eq(tick_at(update.tick_ns), TWOPC_JOB_LIST);
	}
	ck_assert_int_eq(delays[0], r.pace.backoff_min_ns);
	ck_assert_int_eq(delays[1], 2 * r.pace.backoff_min_ns);
	ck_assert_int_eq(delays[2], 4 * r.pace.backoff_min_ns);
	ck_assert_int_eq(delays[3], r.pace.backoff_max_ns);
	ck_assert_int_eq(delays[5], r.pace.backoff_max_ns);
	ck_assert_uint_eq(r.stats.failures, 6);
	finish_round();
	ck_assert_int_eq(update.tick_ns, now_ns + r.pace.list_ns);
}
END_TEST

START_TEST(a_participant_that_is_reached_is_asked_at_once)
{
	(void)tell(TWOPC_RESOLVER_ON_START);
	(void)tell(TWOPC_RESOLVER_ON_FAILED);
	now_ns += r.pace.gap_ns;
	ck_assert_int_eq(tell(TWOPC_RESOLVER_ON_REACHED), TWOPC_JOB_LIST);
	/* Reached while a call fails that was lost with the old link. */
	ck_assert_int_eq(tell(TWOPC_RESOLVER_ON_REACHED), TWOPC_JOB_NONE);
	ck_assert_int_eq(tell(TWOPC_RESOLVER_ON_FAILED), TWOPC_JOB_NONE);
	ck_assert_int_eq(update.tick_ns, now_ns + r.pace.gap_ns);
}
END_TEST

START_TEST(a_local_failure_does_not_hold_up_the_rest)
{
	settle_one();
	ck_assert_int_eq(tell(TWOPC_RESOLVER_ON_START), TWOPC_JOB_FORGET);
	ck_assert_int_eq(tell(TWOPC_RESOLVER_ON_FAILED), TWOPC_JOB_LIST);
	finish_round();
	ck_assert_int_eq(twopc_registry_look(registry, STEM "-000000000001"),
			 TWOPC_SETTLED_STANDING);
	ck_assert_int_eq(update.tick_ns, now_ns + r.pace.backoff_min_ns);
	ck_assert_int_eq(tick_at(update.tick_ns), TWOPC_JOB_FORGET);
}
END_TEST

START_TEST(an_item_that_fails_is_tried_again)
{
	load(OLD "01");
	(void)tell(TWOPC_RESOLVER_ON_START);
	ck_assert_int_eq(resolved(TWOPC_VERDICT_FAILED), TWOPC_JOB_LIST);
	finish_round();
	ck_assert_int_eq(update.tick_ns, now_ns + r.pace.backoff_min_ns);
	ck_assert_int_eq(tick_at(update.tick_ns), TWOPC_JOB_RESOLVE);
	ck_assert_int_eq(resolved(TWOPC_VERDICT_COMMITTED), TWOPC_JOB_LIST);
}
END_TEST

START_TEST(a_bound_that_was_not_brought_is_brought_again)
{
	(void)tell(TWOPC_RESOLVER_ON_START);
	ck_assert_int_eq(listed(false, nothing), TWOPC_JOB_RESOLVE);
	(void)tell(TWOPC_RESOLVER_ON_FAILED);
	ck_assert_str_eq(r.sealed, "");
	ck_assert_int_eq(tick_at(update.tick_ns), TWOPC_JOB_LIST);
	ck_assert_int_eq(listed(false, nothing), TWOPC_JOB_RESOLVE);
	ck_assert_str_eq(r.over_below, STEM "-000000000001");
}
END_TEST

/* A peer that is broken or hostile: no page without end, no garbage. */
static const struct {
	const char *first[3];
	bool more;
} bad_pages[] = {
	{ { NULL }, true },
	{ { OLD "02", OLD "01", NULL }, false },
	{ { OLD "02", OLD "02", NULL }, false },
	{ { OLD " 2", NULL }, false },
	{ { "", NULL }, false },
};
enum { BAD_PAGES_NR = sizeof(bad_pages) / sizeof(bad_pages[0]) };

START_TEST(a_page_that_cannot_be_is_a_failure)
{
	(void)tell(TWOPC_RESOLVER_ON_START);
	ck_assert_int_eq(listed(bad_pages[_i].more, bad_pages[_i].first),
			 TWOPC_JOB_NONE);
	ck_assert_uint_eq(r.stats.failures, 1);
	ck_assert_int_eq(update.tick_ns, now_ns + r.pace.backoff_min_ns);
}
END_TEST

START_TEST(a_page_that_is_too_long_is_a_failure)
{
	static char ids[TWOPC_BATCH_MAX + 1][16];
	const char *page[TWOPC_BATCH_MAX + 2] = { NULL };

	for (int i = 0; i <= TWOPC_BATCH_MAX; i++) {
		snprintf(ids[i], sizeof(ids[i]), "%08d", i);
		page[i] = ids[i];
	}
	(void)tell(TWOPC_RESOLVER_ON_START);
	ck_assert_int_eq(listed(false, page), TWOPC_JOB_NONE);
	ck_assert_uint_eq(r.stats.failures, 1);
}
END_TEST

START_TEST(a_page_that_goes_back_is_a_failure)
{
	const char *const page[] = { OLD "05", NULL };

	(void)tell(TWOPC_RESOLVER_ON_START);
	ck_assert_int_eq(listed(true, page), TWOPC_JOB_RESOLVE);
	ck_assert_int_eq(resolved(TWOPC_VERDICT_ROLLED_BACK), TWOPC_JOB_LIST);
	ck_assert_int_eq(listed(true, page), TWOPC_JOB_NONE);
	ck_assert_uint_eq(r.stats.failures, 1);
}
END_TEST

/* ---- what can't be ------------------------------------------------------- */

static void tell_it(void *arg)
{
	(void)tell(*(enum twopc_resolver_event *)arg);
}

START_TEST(an_outcome_that_nothing_called_for_stops_the_process)
{
	static enum twopc_resolver_event events[] = {
		TWOPC_RESOLVER_ON_LISTED,    TWOPC_RESOLVER_ON_RESOLVED,
		TWOPC_RESOLVER_ON_FORGOTTEN, TWOPC_RESOLVER_ON_FAILED,
		TWOPC_RESOLVER_ON_START, /* once more */
		TWOPC_RESOLVER_EVENT_NR
	};

	start();
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		ck_assert(aborts(tell_it, &events[i]));
	}
	now_ns += SECONDS;
	ck_assert_int_eq(tell(TWOPC_RESOLVER_ON_NUDGE), TWOPC_JOB_LIST);
	ck_assert(aborts(tell_it, &events[1]));
	ck_assert(aborts(tell_it, &events[2]));
}
END_TEST

START_TEST(everything_has_a_name)
{
	for (int i = 0; i < TWOPC_RESOLVER_STATE_NR; i++) {
		ck_assert_str_ne(
			twopc_resolver_state_name((enum twopc_resolver_state)i),
			"?");
	}
	for (int i = 0; i < TWOPC_RESOLVER_EVENT_NR; i++) {
		ck_assert_str_ne(
			twopc_resolver_event_name((enum twopc_resolver_event)i),
			"?");
	}
	ck_assert_str_eq(twopc_resolver_state_name(TWOPC_RESOLVER_STATE_NR),
			 "?");
	ck_assert_str_eq(twopc_resolver_event_name(TWOPC_RESOLVER_EVENT_NR),
			 "?");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("resolver");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nothing_happens_before_the_start);
	tcase_add_test(tc, the_start_lists_and_seals_at_once);
	tcase_add_test(tc, a_nudge_begins_a_round_after_the_gap);
	tcase_add_test(tc, a_nudge_after_the_gap_begins_a_round_at_once);
	tcase_add_test(tc, it_lists_now_and_then_without_a_cause);
	tcase_add_test(tc, it_tidies_up_more_often_than_it_lists);
	tcase_add_test(tc, what_was_sealed_is_not_sealed_again);
	tcase_add_test(tc, what_is_absent_is_rolled_back_and_nothing_else);
	tcase_add_test(tc, pages_follow_each_other_to_the_end);
	tcase_add_test(
		tc, orphans_are_committed_in_batches_before_anything_is_listed);
	tcase_add_test(tc, an_owner_that_waits_is_told);
	tcase_add_test(tc, a_tidy_round_leaves_orphans_to_a_full_one);
	tcase_add_loop_test(
		tc, a_commit_that_is_refused_stays_and_is_tried_now_and_then, 0,
		2);
	tcase_add_test(tc,
		       a_rollback_that_finds_it_committed_is_a_contradiction);
	tcase_add_test(tc, what_fails_is_tried_again_with_a_delay_that_doubles);
	tcase_add_test(tc, a_participant_that_is_reached_is_asked_at_once);
	tcase_add_test(tc, a_local_failure_does_not_hold_up_the_rest);
	tcase_add_test(tc, an_item_that_fails_is_tried_again);
	tcase_add_test(tc, a_bound_that_was_not_brought_is_brought_again);
	tcase_add_loop_test(tc, a_page_that_cannot_be_is_a_failure, 0,
			    BAD_PAGES_NR);
	tcase_add_test(tc, a_page_that_is_too_long_is_a_failure);
	tcase_add_test(tc, a_page_that_goes_back_is_a_failure);
	tcase_add_test(tc,
		       an_outcome_that_nothing_called_for_stops_the_process);
	tcase_add_test(tc, everything_has_a_name);
	return suite_run("twopc resolver", tc);
}
