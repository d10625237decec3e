#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/loop.h"

static struct loop *loop;
static int served;

/* Two connected pairs; the loop watches the first end of each. */
struct end {
	struct loop_watch watch; /* .fd is the watched end */
	struct end *other;
	int far;
	uint32_t events;
};
static struct end ends[2];

static void setup(void)
{
	struct status err;
	int fds[2];

	ck_assert_int_eq(loop_new(&loop, &err), STATUS_OK);
	served = 0;
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
		ends[i] = (struct end){ .watch = { .fd = fds[0] },
					.other = &ends[1 - i],
					.far = fds[1] };
	}
}

static void teardown(void)
{
	loop_free(loop);
	for (int i = 0; i < 2; i++) {
		close(ends[i].watch.fd);
		close(ends[i].far);
	}
}

static void watch(struct end *end, uint32_t events,
		  void (*fn)(struct loop_watch *, uint32_t))
{
	struct status err;

	end->watch.fn = fn;
	ck_assert_int_eq(loop_watch_add(loop, &end->watch, events, &err),
			 STATUS_OK);
}

static int64_t stop_at_turn(struct loop_turn *turn)
{
	(void)turn;
	if (served > 0) {
		loop_stop(loop);
	}
	return CLOCK_NEVER;
}

static void note(struct loop_watch *watch, uint32_t events)
{
	((struct end *)watch)->events = events;
	served++;
	loop_stop(loop);
}

START_TEST(a_peer_that_closes_is_noticed)
{
	watch(&ends[0], EPOLLRDHUP | EPOLLONESHOT, note);
	shutdown(ends[0].far, SHUT_WR);
	loop_run(loop);
	ck_assert_uint_eq(ends[0].events & EPOLLRDHUP, EPOLLRDHUP);
}
END_TEST

START_TEST(unread_input_is_told_again_until_the_watch_changes)
{
	struct status err;

	ck_assert_int_eq(write(ends[0].far, "x", 1), 1);
	watch(&ends[0], EPOLLIN, note);
	loop_run(loop);
	loop_run(loop);
	ck_assert_int_eq(served, 2);
	ck_assert_int_eq(
		loop_watch_change(loop, &ends[0].watch, EPOLLOUT, &err),
		STATUS_OK);
	loop_run(loop);
	ck_assert_uint_eq(ends[0].events & (EPOLLIN | EPOLLOUT), EPOLLOUT);
}
END_TEST

/* Both ends are readable in one turn; the first served removes the other. */
static void remove_other(struct loop_watch *watch, uint32_t events)
{
	struct end *other = ((struct end *)watch)->other;

	(void)events;
	served++;
	loop_watch_remove(loop, &other->watch);
	other->watch.fn = NULL; /* as freed memory would be */
	loop_watch_remove(loop, watch);
}

START_TEST(a_removed_watch_is_not_served_events_of_the_same_turn)
{
	struct loop_turn turn = { .fn = stop_at_turn };

	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(write(ends[i].far, "x", 1), 1);
		watch(&ends[i], EPOLLIN, remove_other);
	}
	loop_turn_add(loop, &turn);
	loop_run(loop);
	ck_assert_int_eq(served, 1);
}
END_TEST

START_TEST(a_descriptor_that_cannot_be_watched_is_refused)
{
	struct loop_watch bad = { .fn = note, .fd = -1 };
	struct status err;

	ck_assert_int_eq(loop_watch_add(loop, &bad, EPOLLIN, &err),
			 STATUS_INTERNAL);
	ck_assert_str_eq(err.message,
			 "watch descriptor -1: Bad file descriptor");
}
END_TEST

START_TEST(watching_from_a_foreign_thread_stops_the_process)
{
	struct status err;

	ck_assert_int_eq(loop_start_thread(loop, &err), STATUS_OK);
	/* Until the thread runs the loop this is allowed, so again. */
	for (;;) {
		watch(&ends[0], EPOLLIN, note);
		loop_watch_remove(loop, &ends[0].watch);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("watches");
	TCase *tc = tcase_create("watches");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_peer_that_closes_is_noticed);
	tcase_add_test(tc, unread_input_is_told_again_until_the_watch_changes);
	tcase_add_test(tc,
		       a_removed_watch_is_not_served_events_of_the_same_turn);
	tcase_add_test(tc, a_descriptor_that_cannot_be_watched_is_refused);
	tcase_add_test_raise_signal(
		tc, watching_from_a_foreign_thread_stops_the_process, SIGABRT);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
