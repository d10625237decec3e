/* What systemd is told, at a socket of our own in its place. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "world.h"

static char dir[64];
static char path[100];
static int fd = -1;

static void open_socket(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = 10 };

	strcpy(dir, "/tmp/rescind-notify-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/socket", dir);
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setenv("NOTIFY_SOCKET", path, 1);
}

static void setup(void)
{
	open_socket();
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

static void teardown(void)
{
	world_release();
	close(fd);
	unlink(path);
	rmdir(dir);
}

/* The next datagram, waited for. */
static const char *told(void)
{
	static char text[512];
	ssize_t size = recv(fd, text, sizeof(text) - 1, 0);

	ck_assert_msg(size >= 0, "systemd was told nothing");
	text[size] = '\0';
	return text;
}

static void assert_told_nothing(void)
{
	char text[512];

	ck_assert_int_lt(recv(fd, text, sizeof(text), MSG_DONTWAIT), 0);
}

START_TEST(each_step_is_told)
{
	world_init(NULL);
	assert_told_nothing();
	lifecycle_ready(lifecycle);
	ck_assert_str_eq(told(), "READY=1\nSTATUS=running");
	ck_assert_int_eq(signal_and_run(), 0);
	ck_assert_str_eq(told(), "STOPPING=1\nSTATUS=hooks");
	ck_assert_str_eq(told(), "STATUS=drain delay");
	ck_assert_str_eq(told(), "STATUS=draining");
	ck_assert_str_eq(told(), "STATUS=closing");
	ck_assert_str_eq(told(), "STATUS=stopped");
	assert_told_nothing();
}
END_TEST

static int64_t first_ping_ns, second_ping_ns;

static void *stop_after_two_pings(void *arg)
{
	ck_assert_str_eq(told(), "WATCHDOG=1");
	first_ping_ns = clock_now_ns();
	ck_assert_str_eq(told(), "WATCHDOG=1");
	second_ping_ns = clock_now_ns();
	lifecycle_stop(arg, "enough");
	return NULL;
}

START_TEST(the_watchdog_is_pinged_at_twice_its_rate)
{
	pthread_t thread;
	int64_t began;

	setenv("WATCHDOG_USEC", "1000000", 1);
	world_init(NULL);
	lifecycle_ready(lifecycle);
	began = clock_now_ns();
	ck_assert_str_eq(told(), "READY=1\nSTATUS=running");
	ck_assert_int_eq(
		pthread_create(&thread, NULL, stop_after_two_pings, lifecycle),
		0);
	ck_assert_int_eq(lifecycle_run(lifecycle), 0);
	pthread_join(thread, NULL);
	ck_assert_int_ge(first_ping_ns - began, 499L * NS_PER_MS);
	ck_assert_int_lt(first_ping_ns - began, 990L * NS_PER_MS);
	ck_assert_int_ge(second_ping_ns - began, 990L * NS_PER_MS);
}
END_TEST

START_TEST(another_process_s_watchdog_is_not_pinged)
{
	static struct fake part = { .name = "part", .drains = BY_TIMER };

	setenv("WATCHDOG_USEC", "2", 1);
	setenv("WATCHDOG_PID", "1", 1);
	world_init(NULL);
	world_add(&part);
	lifecycle_ready(lifecycle);
	ck_assert_int_eq(signal_and_run(), 0);
	for (int i = 0; i < 6; i++) {
		ck_assert_str_ne(told(), "WATCHDOG=1");
	}
	assert_told_nothing();
}
END_TEST

START_TEST(a_socket_that_is_gone_does_no_harm)
{
	unlink(path);
	world_init(NULL);
	lifecycle_ready(lifecycle);
	ck_assert_int_eq(signal_and_run(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notify");
	TCase *tc = tcase_create("notify");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 20);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, each_step_is_told);
	tcase_add_test(tc, the_watchdog_is_pinged_at_twice_its_rate);
	tcase_add_test(tc, another_process_s_watchdog_is_not_pinged);
	tcase_add_test(tc, a_socket_that_is_gone_does_no_harm);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
