#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fake_orders.h"
#include "scene.h"
#include "stock_order/adaptor/memory_orders.h"
#include "stock_order/service/order_filler.h"
#include "suite.h"

enum { ORDERS_MAX = 1000, PATIENCE_S = 20 };
/* Orders are PENDING for 20 ms of a clock that stands still by itself. */
#define FILL_AFTER_US INT64_C(20000)

static struct scene scene;
static struct memory_orders *memory;
static struct fake_orders fake;
static struct answer answer;
static struct ctx *ctx;
static struct order_filler *filler;
static int64_t fill_after_ns = FILL_AFTER_US * NS_PER_US;

static sem_t filled;   /* posted for each order */
static sem_t troubles; /* posted for each trouble */
static sem_t looks;    /* posted for each look */
static struct status trouble;

static sem_t finished;
static struct status outcome;
static uint64_t outcome_filled;
static bool on_loop;

/* ---- what is told ------------------------------------------------------- */

static void on_filled(const struct order *order, void *arg)
{
	ck_assert_ptr_eq(arg, &scene);
	ck_assert_int_eq(order->status, ORDER_STATUS_FILLED);
	sem_post(&filled);
}

static void on_trouble(const struct status *status, void *arg)
{
	ck_assert_ptr_eq(arg, &scene);
	trouble = *status;
	sem_post(&troubles);
}

static void on_look(void *arg)
{
	(void)arg;
	sem_post(&looks);
}

static void on_finished(const struct status *status, uint64_t n, void *arg)
{
	ck_assert_ptr_eq(arg, &finished);
	outcome = *status;
	outcome_filled = n;
	on_loop = loop_is_current(scene.loop);
	sem_post(&finished);
}

static void await(sem_t *sem)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	ck_assert_int_eq(sem_timedwait(sem, &until), 0);
}

static bool happened(sem_t *sem)
{
	return sem_trywait(sem) == 0;
}

/* ---- around it ---------------------------------------------------------- */

static void set_up(void)
{
	scene_init(&scene);
	memory = memory_orders_new(ORDERS_MAX);
	fake_orders_init(&fake, memory_orders_repository(memory));
	fake.on_due = on_look;
	answer_init(&answer);
	ctx = ctx_new(scene.root, CLOCK_NEVER);
	sem_init(&filled, 0, 0);
	sem_init(&troubles, 0, 0);
	sem_init(&looks, 0, 0);
	sem_init(&finished, 0, 0);
}

static void start(void)
{
	filler = order_filler_start(
		&(struct order_filler_options){ .orders = &fake.base,
						.clock = &scene.clock.base,
						.ctx = ctx,
						.fill_after_ns = fill_after_ns,
						.on_filled = on_filled,
						.on_trouble = on_trouble,
						.arg = &scene });
}

static void ask_to_finish(int64_t deadline_ns)
{
	order_filler_finish(filler, deadline_ns, on_finished, &finished);
}

static enum status_code await_finish(void)
{
	await(&finished);
	ck_assert(on_loop);
	order_filler_free(filler);
	filler = NULL;
	return outcome.code;
}

static enum status_code finish(void)
{
	ask_to_finish(CLOCK_NEVER);
	return await_finish();
}

static void tear_down(void)
{
	if (filler != NULL) {
		(void)finish();
	}
	ctx_unref(ctx);
	memory_orders_free(memory);
	answer_release(&answer);
	scene_release(&scene);
}

/* The clock now, after its beginning. */
static void at_us(int64_t after_us)
{
	atomic_store(&scene.clock.now_us, SCENE_BEGINS_US + after_us);
}

static void put(const struct order *order)
{
	struct order_repository *real = fake.real;

	real->ops->create(real, scene.root, order, NULL, answer_created,
			  &answer);
	ck_assert_int_eq(answer_wait(&answer), STATUS_OK);
}

static void put_market(unsigned number, int64_t after_us)
{
	struct order order = order_number(number, after_us);

	put(&order);
}

static enum order_status status_of(unsigned number)
{
	struct order_repository *real = fake.real;
	char id[ORDER_ID_SIZE];

	id_write(number, id);
	real->ops->get(real, scene.root, id, answer_order, &answer);
	ck_assert_int_eq(answer_wait(&answer), STATUS_OK);
	return answer.order.status;
}

static enum status_code cancel_it(struct order *order, void *arg,
				  struct status *reterr)
{
	(void)arg;
	return order_cancel(order, SCENE_BEGINS_US, reterr);
}

static void cancel(unsigned number)
{
	struct order_repository *real = fake.real;
	char id[ORDER_ID_SIZE];

	id_write(number, id);
	real->ops->change(real, scene.root, id, cancel_it, answer_order,
			  &answer);
	ck_assert_int_eq(answer_wait(&answer), STATUS_OK);
}

/* Wait for two looks: the first may have begun before the call. */
static void await_a_whole_look(void)
{
	while (happened(&looks)) {
	}
	await(&looks);
	await(&looks);
}

/* ---- filling ------------------------------------------------------------ */

START_TEST(an_order_is_filled_after_its_time_and_not_before)
{
	put_market(1, 0);
	at_us(FILL_AFTER_US - 1);
	start();
	await_a_whole_look();
	ck_assert_int_eq(status_of(1), ORDER_STATUS_PENDING);
	at_us(FILL_AFTER_US);
	await(&filled);
	ck_assert_int_eq(status_of(1), ORDER_STATUS_FILLED);
	ck_assert_int_eq(answer.order.updated_at_us,
			 SCENE_BEGINS_US + FILL_AFTER_US);
}
END_TEST

START_TEST(orders_that_come_later_are_filled_as_well)
{
	start();
	for (unsigned i = 1; i <= 3; i++) {
		put_market(i, i * 1000000);
		at_us(i * 1000000 + FILL_AFTER_US);
		await(&filled);
		ck_assert_int_eq(status_of(i), ORDER_STATUS_FILLED);
	}
}
END_TEST

START_TEST(limit_orders_and_cancelled_ones_are_left_alone)
{
	struct order limit = order_number(1, 0);

	limit.type = ORDER_TYPE_LIMIT;
	limit.price = 1;
	put(&limit);
	put_market(2, 1);
	put_market(3, 2);
	cancel(2);
	at_us(1000000);
	start();
	await(&filled);
	await_a_whole_look();
	ck_assert(!happened(&filled));
	ck_assert_int_eq(status_of(1), ORDER_STATUS_PENDING);
	ck_assert_int_eq(status_of(2), ORDER_STATUS_CANCELLED);
	ck_assert_int_eq(status_of(3), ORDER_STATUS_FILLED);
}
END_TEST

START_TEST(many_are_filled_batch_by_batch)
{
	int n = _i;

	for (int i = 0; i < n; i++) {
		put_market((unsigned)i, i);
	}
	at_us(1000000);
	start();
	for (int i = 0; i < n; i++) {
		await(&filled);
	}
	ck_assert_int_eq(finish(), STATUS_OK);
	ck_assert_int_eq(atomic_load(&fake.calls[FAKE_CHANGE]), n);
	ck_assert(!happened(&filled));
}
END_TEST

START_TEST(an_order_that_is_cancelled_meanwhile_stays_so)
{
	put_market(1, 0);
	put_market(2, 1);
	at_us(1000000);
	atomic_store(&fake.hold, true);
	start();
	while (fake_orders_held(&fake) < 2) {
		sched_yield();
	}
	cancel(1);
	fake_orders_let_go(&fake);
	await(&filled);
	ck_assert_int_eq(finish(), STATUS_OK);
	ck_assert_int_eq(status_of(1), ORDER_STATUS_CANCELLED);
	ck_assert_int_eq(status_of(2), ORDER_STATUS_FILLED);
	ck_assert(!happened(&troubles));
}
END_TEST

/* ---- trouble ------------------------------------------------------------ */

START_TEST(trouble_is_told_and_got_over)
{
	static const enum fake_call calls[] = { FAKE_DUE, FAKE_CHANGE };

	put_market(1, 0);
	at_us(1000000);
	fake.code = STATUS_UNAVAILABLE;
	atomic_store(&fake.failures[calls[_i]], 1);
	start();
	await(&troubles);
	ck_assert_int_eq(trouble.code, STATUS_UNAVAILABLE);
	ck_assert_str_eq(trouble.message, "no luck");
	await(&filled);
	ck_assert_int_eq(status_of(1), ORDER_STATUS_FILLED);
	ck_assert(!happened(&troubles));
}
END_TEST

START_TEST(one_that_fails_holds_up_no_other)
{
	put_market(1, 0);
	put_market(2, 1);
	at_us(1000000);
	fake.code = STATUS_INTERNAL;
	atomic_store(&fake.failures[FAKE_CHANGE], 1);
	start();
	await(&troubles);
	ck_assert_int_eq(status_of(1), ORDER_STATUS_PENDING);
	ck_assert_int_eq(status_of(2), ORDER_STATUS_FILLED);
}
END_TEST

/* ---- finishing ---------------------------------------------------------- */

/* It rests for an hour first, but the clock may be moved. */
START_TEST(finishing_fills_what_is_due_and_leaves_the_rest)
{
	enum { DUE_NR = 150, REST_NR = 3 };
	const int64_t hour_us = INT64_C(3600000000);

	fill_after_ns = hour_us * NS_PER_US;
	start();
	for (unsigned i = 0; i < DUE_NR + REST_NR; i++) {
		put_market(i, i);
	}
	at_us(hour_us + DUE_NR - 1);
	ck_assert_int_eq(finish(), STATUS_OK);
	ck_assert_uint_eq(outcome_filled, DUE_NR);
	for (unsigned i = 0; i < DUE_NR + REST_NR; i++) {
		ck_assert_int_eq(status_of(i), i < DUE_NR
						       ? ORDER_STATUS_FILLED
						       : ORDER_STATUS_PENDING);
	}
}
END_TEST

START_TEST(finishing_waits_for_what_is_under_way)
{
	put_market(1, 0);
	at_us(1000000);
	atomic_store(&fake.hold, true);
	start();
	while (fake_orders_held(&fake) < 1) {
		sched_yield();
	}
	put_market(2, 1);
	ask_to_finish(CLOCK_NEVER);
	ck_assert(!happened(&finished));
	fake_orders_let_go(&fake);
	ck_assert_int_eq(await_finish(), STATUS_OK);
	ck_assert_int_eq(status_of(1), ORDER_STATUS_FILLED);
	ck_assert_int_eq(status_of(2), ORDER_STATUS_FILLED);
}
END_TEST

START_TEST(with_nothing_to_do_it_is_finished_at_once)
{
	start();
	ck_assert_int_eq(finish(), STATUS_OK);
	ck_assert_uint_eq(outcome_filled, 0);
}
END_TEST

START_TEST(without_time_left_nothing_is_begun)
{
	start();
	await_a_whole_look();
	put_market(1, 0);
	ask_to_finish(clock_now_ns() - 1);
	at_us(1000000);
	ck_assert_int_eq(await_finish(), STATUS_DEADLINE_EXCEEDED);
	ck_assert_uint_eq(outcome_filled, 0);
	ck_assert_int_eq(status_of(1), ORDER_STATUS_PENDING);
	ck_assert(!happened(&troubles));
}
END_TEST

/* The fake holds the change; its ctx is what gets it back. */
START_TEST(at_the_deadline_what_waits_is_given_up)
{
	put_market(1, 0);
	at_us(1000000);
	atomic_store(&fake.hold, true);
	start();
	while (fake_orders_held(&fake) < 1) {
		sched_yield();
	}
	ask_to_finish(clock_now_ns() + 10 * NS_PER_MS);
	while (!ctx_ended(fake.held[0].ctx)) {
		sched_yield();
	}
	fake_orders_let_go(&fake);
	ck_assert_int_eq(await_finish(), STATUS_DEADLINE_EXCEEDED);
	ck_assert_int_eq(status_of(1), ORDER_STATUS_PENDING);
	ck_assert(!ctx_ended(ctx));
}
END_TEST

START_TEST(nothing_is_filled_when_its_ctx_has_ended)
{
	put_market(1, 0);
	start();
	await_a_whole_look();
	ctx_end(ctx, CTX_SHUTDOWN, NULL);
	at_us(1000000);
	ck_assert_int_eq(finish(), STATUS_UNAVAILABLE);
	ck_assert_int_eq(status_of(1), ORDER_STATUS_PENDING);
	ck_assert(!happened(&troubles));
}
END_TEST

START_TEST(a_ctx_that_has_ended_before_the_start_is_respected)
{
	put_market(1, 0);
	at_us(1000000);
	ctx_end(ctx, CTX_SHUTDOWN, NULL);
	start();
	ck_assert_int_eq(finish(), STATUS_UNAVAILABLE);
	ck_assert_int_eq(status_of(1), ORDER_STATUS_PENDING);
	ck_assert_int_eq(atomic_load(&fake.calls[FAKE_DUE]), 0);
}
END_TEST

START_TEST(trouble_ends_the_finishing)
{
	static const enum fake_call calls[] = { FAKE_DUE, FAKE_CHANGE };

	start();
	await_a_whole_look();
	put_market(1, 0);
	fake.code = STATUS_RESOURCE_EXHAUSTED;
	atomic_store(&fake.failures[calls[_i]], 1000);
	at_us(1000000);
	ck_assert_int_eq(finish(), STATUS_RESOURCE_EXHAUSTED);
	ck_assert_str_eq(outcome.message, "no luck");
	ck_assert_int_eq(status_of(1), ORDER_STATUS_PENDING);
}
END_TEST

static void free_it(const struct status *status, uint64_t n, void *arg)
{
	(void)status;
	(void)n;
	order_filler_free(filler);
	sem_post(arg);
}

START_TEST(it_may_be_freed_once_it_is_finished)
{
	start();
	order_filler_finish(filler, CLOCK_NEVER, free_it, &finished);
	await(&finished);
	filler = NULL;
	order_filler_free(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("order_filler");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, an_order_is_filled_after_its_time_and_not_before);
	tcase_add_test(tc, orders_that_come_later_are_filled_as_well);
	tcase_add_test(tc, limit_orders_and_cancelled_ones_are_left_alone);
	tcase_add_loop_test(tc, many_are_filled_batch_by_batch, 63, 66);
	tcase_add_loop_test(tc, many_are_filled_batch_by_batch, 200, 201);
	tcase_add_test(tc, an_order_that_is_cancelled_meanwhile_stays_so);
	tcase_add_loop_test(tc, trouble_is_told_and_got_over, 0, 2);
	tcase_add_test(tc, one_that_fails_holds_up_no_other);
	tcase_add_test(tc, finishing_fills_what_is_due_and_leaves_the_rest);
	tcase_add_test(tc, finishing_waits_for_what_is_under_way);
	tcase_add_test(tc, with_nothing_to_do_it_is_finished_at_once);
	tcase_add_test(tc, without_time_left_nothing_is_begun);
	tcase_add_test(tc, at_the_deadline_what_waits_is_given_up);
	tcase_add_test(tc, nothing_is_filled_when_its_ctx_has_ended);
	tcase_add_test(tc, a_ctx_that_has_ended_before_the_start_is_respected);
	tcase_add_loop_test(tc, trouble_ends_the_finishing, 0, 2);
	tcase_add_test(tc, it_may_be_freed_once_it_is_finished);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
