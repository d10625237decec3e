/* The keeper, with a real database and a peer that says what a test says. */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "log/log.h"
#include "metrics/metrics.h"
#include "store.h"
#include "suite.h"
#include "twopc/keeper.h"

/* ---- the peer --------------------------------------------------------------
 */

enum asked { ASKED_NOTHING, ASKED_LIST, ASKED_RESOLVE };

struct fake_peer {
	struct twopc_peer peer;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum asked asked; /* and not answered */
	int asked_n;	  /* in all */
	struct twopc_peer_call *call;
	struct ctx *ctx; /* of it; referenced */
	char after[TWOPC_NAME_SIZE_MAX + 1];
	struct twopc_item items[TWOPC_BATCH_MAX];
	size_t items_n;
	char over_below[TWOPC_NAME_SIZE_MAX + 1];
};

static struct store s;
static struct twopc_keeper keeper;
static struct fake_peer peer;
static struct metrics *metrics;
static struct work_metrics *work;
static int log_fd;

/* With the lock held, which it drops. */
static void note(enum asked asked, struct ctx *ctx,
		 struct twopc_peer_call *call)
{
	ck_assert_int_eq(peer.asked, ASKED_NOTHING); /* one at a time */
	peer.asked = asked;
	peer.asked_n++;
	peer.call = call;
	if (peer.ctx != NULL) {
		ctx_unref(peer.ctx);
	}
	peer.ctx = ctx_ref(ctx);
	pthread_cond_broadcast(&peer.changed);
	pthread_mutex_unlock(&peer.lock);
}

static void list(struct twopc_peer *self, struct ctx *ctx,
		 const char *coordinator, const char *after, size_t ids_max,
		 struct twopc_peer_call *call)
{
	(void)self;
	ck_assert_str_eq(coordinator, keeper.decisions.coordinator);
	ck_assert_uint_eq(ids_max, TWOPC_BATCH_MAX);
	pthread_mutex_lock(&peer.lock);
	strcpy(peer.after, after);
	note(ASKED_LIST, ctx, call);
}

static void resolve(struct twopc_peer *self, struct ctx *ctx,
		    const char *coordinator, const struct twopc_item *items,
		    size_t items_n, const char *over_below,
		    struct twopc_peer_call *call)
{
	(void)self;
	ck_assert_str_eq(coordinator, keeper.decisions.coordinator);
	pthread_mutex_lock(&peer.lock);
	memcpy(peer.items, items, items_n * sizeof(*items));
	peer.items_n = items_n;
	strcpy(peer.over_below, over_below);
	note(ASKED_RESOLVE, ctx, call);
}

static const struct twopc_peer_ops peer_ops = { .list = list,
						.resolve = resolve };

/* The next thing that is asked (a test that waits 20 s has failed). */
static enum asked await_asked(void)
{
	struct timespec until;
	enum asked asked;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 20;
	pthread_mutex_lock(&peer.lock);
	while (peer.asked == ASKED_NOTHING) {
		ck_assert_int_eq(pthread_cond_timedwait(&peer.changed,
							&peer.lock, &until),
				 0);
	}
	asked = peer.asked;
	pthread_mutex_unlock(&peer.lock);
	return asked;
}

static struct twopc_peer_call *take_call(enum asked asked)
{
	struct twopc_peer_call *call;

	ck_assert_int_eq(await_asked(), asked);
	pthread_mutex_lock(&peer.lock);
	call = peer.call;
	peer.asked = ASKED_NOTHING;
	pthread_mutex_unlock(&peer.lock);
	return call;
}

/* What it holds prepared. */
static void answer_list(const char *const *ids, size_t ids_n)
{
	struct twopc_peer_call *call = take_call(ASKED_LIST);
	struct status ok = status_ok();

	call->listed(call, &ok, ids, ids_n, false);
}

static void answer_list_with(enum status_code code)
{
	struct twopc_peer_call *call = take_call(ASKED_LIST);
	struct status status = status_make(code, "no list");

	call->listed(call, &status, NULL, 0, false);
}

/* The same for all. */
static void answer_resolve(enum twopc_verdict verdict)
{
	struct twopc_peer_call *call = take_call(ASKED_RESOLVE);
	enum twopc_verdict verdicts[TWOPC_BATCH_MAX];
	struct status ok = status_ok();

	for (size_t i = 0; i < TWOPC_BATCH_MAX; i++) {
		verdicts[i] = verdict;
	}
	call->resolved(call, &ok, verdicts);
}

static void answer_resolve_with(enum status_code code)
{
	struct twopc_peer_call *call = take_call(ASKED_RESOLVE);
	struct status status = status_make(code, "no resolution");

	call->resolved(call, &status, NULL);
}

/* ---- owners -----------------------------------------------------------------
 */

struct owner {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int taken;
	int confirmed;
};

static void take(void *arg)
{
	((struct owner *)arg)->taken++;
}

static void confirmed(void *arg)
{
	struct owner *owner = arg;

	/* Without the keeper's lock: it may be called. */
	(void)twopc_keeper_look(&keeper, "x");
	pthread_mutex_lock(&owner->lock);
	owner->confirmed++;
	pthread_cond_broadcast(&owner->changed);
	pthread_mutex_unlock(&owner->lock);
}

static void owner_init(struct owner *owner)
{
	memset(owner, 0, sizeof(*owner));
	pthread_mutex_init(&owner->lock, NULL);
	pthread_cond_init(&owner->changed, NULL);
}

/* ---- life
 * --------------------------------------------------------------------- */

static void keeper_make(void)
{
	const struct twopc_keeper_options options = {
		.root = s.root,
		.db = s.db,
		.base = STORE_DECISIONS,
		.peer = &peer.peer,
		.participant = "worker:1",
		.entries_max = 2000,
		.metrics = work,
		.take = take,
		.confirmed = confirmed,
	};

	twopc_keeper_init(&keeper, &options);
}

static void on_opened(const struct status *status, void *arg)
{
	(void)arg;
	outcome_done(&s.outcome, status);
}

static enum status_code open_keeper(void)
{
	twopc_keeper_open(&keeper, on_opened, NULL);
	return outcome_next(&s.outcome);
}

static void setup(void)
{
	struct log_options log = { .component = "TEST", .level = LOG_DEBUG };
	struct status bad;

	log_fd = memfd_create("log", MFD_CLOEXEC);
	log.fd = log_fd;
	ck_assert_int_eq(log_init(&log, &bad), STATUS_OK);
	metrics = metrics_new();
	work = work_metrics_new(metrics, "test");
	memset(&peer, 0, sizeof(peer));
	peer.peer.ops = &peer_ops;
	pthread_mutex_init(&peer.lock, NULL);
	pthread_cond_init(&peer.changed, NULL);
	store_init(&s);
	keeper_make();
	ck_assert_int_eq(open_keeper(), STATUS_OK);
}

static enum asked asked_now(void)
{
	enum asked asked;

	pthread_mutex_lock(&peer.lock);
	asked = peer.asked;
	pthread_mutex_unlock(&peer.lock);
	return asked;
}

static bool is_idle(void)
{
	bool idle;

	pthread_mutex_lock(&keeper.lock);
	idle = keeper.job == TWOPC_JOB_NONE;
	pthread_mutex_unlock(&keeper.lock);
	return idle;
}

static void pass(struct loop_task *task)
{
	struct status ok = status_ok();

	free(task);
	outcome_done(&s.outcome, &ok);
}

/* The loop's thread has nothing of the keeper's in hand any more. */
static void settle_loop(void)
{
	struct loop_task *task = calloc(1, sizeof(*task));

	ck_assert_ptr_nonnull(task);
	task->fn = pass;
	s.outcome.done = 0;
	loop_post(s.loop, task);
	ck_assert_int_eq(outcome_next(&s.outcome), STATUS_OK);
}

/* What is under way ends, as calls do whose ctx has ended. */
static void end_keeper(void)
{
	twopc_keeper_stop(&keeper);
	while (!is_idle()) {
		if (asked_now() == ASKED_LIST) {
			answer_list_with(STATUS_UNAVAILABLE);
		} else if (asked_now() == ASKED_RESOLVE) {
			answer_resolve_with(STATUS_UNAVAILABLE);
		}
		sched_yield();
	}
	twopc_keeper_close(&keeper);
	settle_loop();
}

static void teardown(void)
{
	end_keeper();
	store_close(&s); /* whatever is under way there ends */
	twopc_keeper_release(&keeper);
	if (peer.ctx != NULL) {
		ctx_unref(peer.ctx);
	}
	store_open(&s);
	store_release(&s);
	work_metrics_free(work);
	metrics_free(metrics);
	log_close();
	close(log_fd);
}

static bool logged(const char *text)
{
	static char log[1 << 20];
	ssize_t size;

	log_flush();
	size = pread(log_fd, log, sizeof(log) - 1, 0);
	ck_assert_int_ge(size, 0);
	log[size] = '\0';
	return strstr(log, text) != NULL;
}

static bool counted(const char *series, int value)
{
	char line[256];
	size_t size;
	char *page = metrics_render(metrics, &size);
	bool found;

	snprintf(line, sizeof(line), "\n%s %d\n", series, value);
	found = strstr(page, line) != NULL;
	free(page);
	return found;
}

/* ---- shorthand
 * ------------------------------------------------------------------ */

static struct owner nobody;

static struct twopc_entry *begin(struct owner *owner)
{
	struct twopc_entry *entry;
	struct status bad;

	ck_assert_int_eq(twopc_keeper_begin(&keeper, owner, &entry, &bad),
			 STATUS_OK);
	return entry;
}

static void on_committed(const struct status *status, void *arg)
{
	(void)arg;
	outcome_done(&s.outcome, status);
}

/* What an exchange does that is cut off once it has decided. */
static void decide(struct twopc_entry *entry)
{
	struct db_txn *txn;
	struct status bad;

	ck_assert_int_eq(db_txn_begin(s.db, s.root, &txn, &bad), STATUS_OK);
	ck_assert_int_eq(twopc_decisions_insert(&keeper.decisions, txn,
						twopc_entry_id(entry),
						"worker:1", "r1", &bad),
			 STATUS_OK);
	db_txn_commit(txn, on_committed, NULL);
	ck_assert_int_eq(outcome_next(&s.outcome), STATUS_OK);
	twopc_keeper_mark(&keeper, &entry, TWOPC_MARK_ORPHANED);
}

/* And whose owner is gone; its id. */
static const char *orphan(char ret_id[TWOPC_ID_SIZE])
{
	struct twopc_entry *entry = begin(&nobody);

	strcpy(ret_id, twopc_entry_id(entry));
	decide(entry);
	twopc_keeper_mark(&keeper, &entry, TWOPC_END);
	ck_assert_ptr_null(entry);
	return ret_id;
}

static void await_decisions(int64_t n)
{
	while (raw_int(&s, "SELECT count(*) FROM twopc_decisions") != n) {
		sched_yield();
	}
}

static void expect_item(const char *id, enum twopc_order order)
{
	ck_assert_int_eq(await_asked(), ASKED_RESOLVE);
	ck_assert_uint_eq(peer.items_n, 1);
	ck_assert_str_eq(peer.items[0].id, id);
	ck_assert_int_eq(peer.items[0].order, order);
}

/* ---- opening
 * --------------------------------------------------------------------- */

START_TEST(before_the_start_nothing_is_asked)
{
	ck_assert_uint_eq(strlen(keeper.decisions.coordinator),
			  TWOPC_UUID_SIZE - 1);
	twopc_keeper_nudge(&keeper);
	twopc_keeper_reached(&keeper);
	ck_assert_int_eq(peer.asked_n, 0);
}
END_TEST

START_TEST(what_was_decided_before_is_loaded_and_told)
{
	char coordinator[TWOPC_UUID_SIZE];
	char id[TWOPC_ID_SIZE];

	orphan(id);
	strcpy(coordinator, keeper.decisions.coordinator);
	end_keeper();
	twopc_keeper_release(&keeper);
	keeper_make();
	ck_assert_int_eq(open_keeper(), STATUS_OK);
	ck_assert_str_eq(keeper.decisions.coordinator, coordinator);
	ck_assert(logged("1 transactions were decided before this start"));
	ck_assert_int_eq(twopc_keeper_look(&keeper, id),
			 TWOPC_ORPHANED_STANDING);
	twopc_keeper_watch(&keeper);
	ck_assert(counted("rescind_in_doubt{service=\"test\"}", 1));
	twopc_keeper_start(&keeper);
	expect_item(id, TWOPC_ORDER_COMMIT);
	answer_resolve(TWOPC_VERDICT_COMMITTED);
	ck_assert(counted("rescind_in_doubt{service=\"test\"}", 0));
	answer_list(NULL, 0);
	await_decisions(0);
}
END_TEST

START_TEST(a_decision_that_can_not_be_ours_fails_the_opening)
{
	end_keeper();
	twopc_keeper_release(&keeper);
	raw_exec(&s, "DROP TRIGGER twopc_fence; INSERT INTO twopc_decisions"
		     " VALUES ('zzz', 'worker:1', 'r1', 0)");
	keeper_make();
	ck_assert_int_eq(open_keeper(), STATUS_INVALID_ARGUMENT);
}
END_TEST

START_TEST(an_opening_that_waits_ends_with_the_keeper)
{
	end_keeper();
	twopc_keeper_release(&keeper);
	raw_exec(&s, "BEGIN IMMEDIATE");
	keeper_make();
	twopc_keeper_open(&keeper, on_opened, NULL);
	twopc_keeper_stop(&keeper);
	ck_assert_int_eq(outcome_next(&s.outcome), STATUS_UNAVAILABLE);
	raw_exec(&s, "ROLLBACK");
}
END_TEST

/* ---- rounds
 * ------------------------------------------------------------------------ */

START_TEST(what_nobody_knows_is_rolled_back_and_what_lives_is_left_alone)
{
	static const char unknown[] =
		"000000000001-0000000000000000-000000000001";
	struct twopc_entry *live = begin(&nobody);
	const char *ids[] = { unknown, twopc_entry_id(live) };

	twopc_keeper_start(&keeper);
	answer_list(ids, 2);
	expect_item(unknown, TWOPC_ORDER_ROLLBACK);
	answer_resolve(TWOPC_VERDICT_ROLLED_BACK);
	ck_assert(logged("RESOLVED transaction 000000000001-0000000000000000-"
			 "000000000001: rolled back"));
	ck_assert(counted("rescind_resolved_total{outcome=\"rolled_back\","
			  "service=\"test\"}",
			  1));
	twopc_keeper_mark(&keeper, &live, TWOPC_MARK_GONE | TWOPC_END);
}
END_TEST

START_TEST(an_owner_is_told_once_that_the_resolver_has_done_it)
{
	struct owner owner;
	struct twopc_entry *entry;

	owner_init(&owner);
	entry = begin(&owner);
	decide(entry);
	twopc_keeper_start(&keeper);
	expect_item(twopc_entry_id(entry), TWOPC_ORDER_COMMIT);
	answer_resolve(TWOPC_VERDICT_COMMITTED);
	ck_assert_int_eq(owner.taken, 1);
	ck_assert_int_eq(owner.confirmed, 1);
	answer_list(NULL, 0);
	await_decisions(0);
	ck_assert_int_eq(owner.confirmed, 1);
	twopc_keeper_mark(&keeper, &entry, TWOPC_MARK_SETTLED | TWOPC_END);
}
END_TEST

START_TEST(a_contradiction_is_told_as_an_error)
{
	char id[TWOPC_ID_SIZE];

	orphan(id);
	twopc_keeper_start(&keeper);
	expect_item(id, TWOPC_ORDER_COMMIT);
	answer_resolve(TWOPC_VERDICT_ROLLED_BACK);
	ck_assert(logged("CONTRADICTION: worker:1 should commit transaction"));
	ck_assert(counted("rescind_contradictions_total{service=\"test\"}", 1));
	/* It stays: a person has to look after it. */
	ck_assert_int_eq(twopc_keeper_look(&keeper, id),
			 TWOPC_ORPHANED_STANDING);
	await_decisions(1);
}
END_TEST

START_TEST(what_fails_is_tried_again_and_told_once)
{
	twopc_keeper_start(&keeper);
	for (int i = 0; i < 3; i++) {
		answer_list_with(STATUS_UNAVAILABLE);
	}
	ck_assert(logged("What is in doubt can't be resolved with worker:1"));
	ck_assert(!logged("resolved with worker:1 again"));
	answer_list(NULL, 0);
	ck_assert(logged("What is in doubt is resolved with worker:1 again"));
}
END_TEST

START_TEST(calls_have_a_deadline)
{
	int64_t before_ns = clock_now_ns();

	twopc_keeper_start(&keeper);
	ck_assert_int_eq(await_asked(), ASKED_LIST);
	ck_assert_int_ge(ctx_deadline_ns(peer.ctx),
			 before_ns + TWOPC_CALL_TIMEOUT_NS);
	ck_assert_int_lt(ctx_deadline_ns(peer.ctx),
			 clock_now_ns() + TWOPC_CALL_TIMEOUT_NS + 1);
}
END_TEST

/* Rounds come by the clock as well: all that can be said is that one does. */
START_TEST(a_nudge_from_any_thread_has_a_round_begin)
{
	twopc_keeper_start(&keeper);
	answer_list(NULL, 0);
	if (await_asked() == ASKED_RESOLVE) {
		answer_resolve(TWOPC_VERDICT_UNKNOWN); /* what is over */
	}
	for (int i = 0; i < 1000; i++) {
		twopc_keeper_nudge(&keeper);
	}
	answer_list(NULL, 0);
	twopc_keeper_reached(&keeper);
	answer_list(NULL, 0);
}
END_TEST

/* ---- the end
 * -------------------------------------------------------------------------- */

static void drained(void *arg)
{
	struct status ok = status_ok();

	(void)arg;
	outcome_done(&s.outcome, &ok);
}

/* Serve the peer until the keeper is drained. */
static void serve_until_drained(void)
{
	while (s.outcome.done == 0) {
		if (asked_now() == ASKED_LIST) {
			answer_list(NULL, 0);
		} else if (asked_now() == ASKED_RESOLVE) {
			answer_resolve(TWOPC_VERDICT_COMMITTED);
		}
		sched_yield();
	}
}

START_TEST(draining_tells_what_is_left)
{
	char id[TWOPC_ID_SIZE];

	twopc_keeper_start(&keeper);
	ck_assert_int_eq(await_asked(), ASKED_LIST);
	orphan(id); /* the round that is under way has passed it */
	twopc_keeper_drain(&keeper, drained, NULL);
	ck_assert_int_eq(s.outcome.done, 0);
	serve_until_drained();
	ck_assert_int_eq(twopc_keeper_look(&keeper, id),
			 TWOPC_SETTLED_STANDING);
}
END_TEST

START_TEST(one_that_was_never_started_is_drained_at_once)
{
	twopc_keeper_drain(&keeper, drained, NULL);
	ck_assert_int_eq(outcome_next(&s.outcome), STATUS_OK);
}
END_TEST

static void *answer_late(void *arg)
{
	(void)arg;
	answer_list_with(STATUS_UNAVAILABLE);
	return NULL;
}

START_TEST(closing_waits_for_what_is_under_way)
{
	pthread_t thread;

	twopc_keeper_start(&keeper);
	ck_assert_int_eq(await_asked(), ASKED_LIST);
	pthread_create(&thread, NULL, answer_late, NULL);
	twopc_keeper_close(&keeper);
	ck_assert_int_eq(asked_now(), ASKED_NOTHING);
	pthread_join(thread, NULL);
}
END_TEST

START_TEST(stopping_ends_what_is_asked_and_asks_nothing_more)
{
	twopc_keeper_start(&keeper);
	ck_assert_int_eq(await_asked(), ASKED_LIST);
	twopc_keeper_drain(&keeper, drained, NULL);
	twopc_keeper_stop(&keeper);
	ck_assert_int_eq(ctx_cause(peer.ctx, NULL), CTX_SHUTDOWN);
	ck_assert_int_eq(s.outcome.done, 0);
	answer_list_with(STATUS_UNAVAILABLE);
	ck_assert_int_eq(outcome_next(&s.outcome), STATUS_OK);
	twopc_keeper_nudge(&keeper);
	twopc_keeper_reached(&keeper);
	ck_assert_int_eq(peer.asked_n, 1);
	ck_assert(!logged("can't be resolved"));
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("keeper");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, before_the_start_nothing_is_asked);
	tcase_add_test(tc, what_was_decided_before_is_loaded_and_told);
	tcase_add_test(tc, a_decision_that_can_not_be_ours_fails_the_opening);
	tcase_add_test(tc, an_opening_that_waits_ends_with_the_keeper);
	tcase_add_test(
		tc,
		what_nobody_knows_is_rolled_back_and_what_lives_is_left_alone);
	tcase_add_test(tc, an_owner_is_told_once_that_the_resolver_has_done_it);
	tcase_add_test(tc, a_contradiction_is_told_as_an_error);
	tcase_add_test(tc, what_fails_is_tried_again_and_told_once);
	tcase_add_test(tc, calls_have_a_deadline);
	tcase_add_test(tc, a_nudge_from_any_thread_has_a_round_begin);
	tcase_add_test(tc, draining_tells_what_is_left);
	tcase_add_test(tc, one_that_was_never_started_is_drained_at_once);
	tcase_add_test(tc, closing_waits_for_what_is_under_way);
	tcase_add_test(tc, stopping_ends_what_is_asked_and_asks_nothing_more);
	return suite_run("keeper", tc);
}
