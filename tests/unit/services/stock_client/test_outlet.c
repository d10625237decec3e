#include "stock_order/client/outlet.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"

static struct loop *loop;
static struct outlet out;
static int ends[2]; /* of a pipe */
static int drains;

static void on_drained(void *arg)
{
	ck_assert_ptr_eq(arg, &drains);
	ck_assert(outlet_is_drained(&out));
	drains++;
	loop_stop(loop);
}

static void set_up(void)
{
	struct status status;

	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(loop_new(&loop, &status), STATUS_OK);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	outlet_open(&out, loop, ends[1], on_drained, &drains);
	drains = 0;
}

static void tear_down(void)
{
	outlet_close(&out);
	outlet_close(&out); /* again is fine */
	close(ends[0]);
	close(ends[1]);
	loop_free(loop);
}

static void put(const char *text)
{
	outlet_put(&out, text, strlen(text));
}

/* Take what is in the pipe, without waiting. */
static size_t take(char *buf, size_t size)
{
	ssize_t n;

	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	n = read(ends[0], buf, size);
	return n > 0 ? (size_t)n : 0;
}

START_TEST(what_there_is_room_for_is_written_at_once)
{
	char buf[64] = "";

	put("one ");
	put("two");
	ck_assert(outlet_is_drained(&out));
	ck_assert_uint_eq(take(buf, sizeof(buf)), 7);
	ck_assert_str_eq(buf, "one two");
	ck_assert_int_eq(drains, 0);
}
END_TEST

/* A reader on another thread would do; here the loop reads for us. */
struct reader {
	struct loop_watch watch;
	size_t taken;
	bool right; /* every byte is what it should be */
};
static struct reader reader;

static char byte_at(size_t i)
{
	return (char)('a' + (int)(i % 23));
}

static void on_readable(struct loop_watch *watch, uint32_t events)
{
	char buf[1000];
	size_t n = take(buf, sizeof(buf));

	(void)watch;
	(void)events;
	for (size_t i = 0; i < n; i++) {
		reader.right &= buf[i] == byte_at(reader.taken + i);
	}
	reader.taken += n;
}

START_TEST(a_reader_that_does_not_read_does_not_block_us)
{
	enum { SIZE = 1 << 20, PIECE = 1000 };
	struct status status;
	static char text[SIZE];

	for (size_t i = 0; i < SIZE; i++) {
		text[i] = byte_at(i);
	}
	for (size_t i = 0; i < SIZE; i += PIECE) {
		outlet_put(&out, text + i, SIZE - i < PIECE ? SIZE - i : PIECE);
	}
	ck_assert(!outlet_is_drained(&out));
	reader = (struct reader){ { on_readable, ends[0] }, 0, true };
	ck_assert_int_eq(
		loop_watch_add(loop, &reader.watch, 1 /* EPOLLIN */, &status),
		STATUS_OK);
	loop_run(loop); /* until it is drained */
	ck_assert_int_eq(drains, 1);
	loop_watch_remove(loop, &reader.watch);
	while (reader.taken < SIZE) {
		on_readable(&reader.watch, 0);
	}
	ck_assert_uint_eq(reader.taken, SIZE);
	ck_assert(reader.right);
	ck_assert_int_eq(out.failure.code, STATUS_OK);
}
END_TEST

START_TEST(a_reader_that_has_gone_is_told)
{
	close(ends[0]);
	put("x");
	ck_assert(outlet_is_drained(&out));
	ck_assert_int_eq(out.failure.code, STATUS_UNAVAILABLE);
	ck_assert_str_eq(out.failure.message, "output: Broken pipe");
	put("y"); /* does nothing */
	ck_assert(outlet_is_drained(&out));
}
END_TEST

static void close_reader(struct loop_task *task)
{
	(void)task;
	close(ends[0]);
}

START_TEST(a_reader_that_goes_while_we_wait_is_told)
{
	static char text[1 << 20];
	struct loop_task task = { .fn = close_reader };

	outlet_put(&out, text, sizeof(text));
	ck_assert(!outlet_is_drained(&out));
	loop_post(loop, &task);
	loop_run(loop);
	ck_assert_int_eq(drains, 1);
	ck_assert_str_eq(out.failure.message, "output: Broken pipe");
}
END_TEST

START_TEST(a_file_and_the_null_device_take_everything)
{
	static char text[1 << 20];
	FILE *file = tmpfile();
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	outlet_close(&out);
	outlet_open(&out, loop, fileno(file), on_drained, &drains);
	outlet_put(&out, text, sizeof(text));
	ck_assert(outlet_is_drained(&out));
	ck_assert_int_eq(lseek(fileno(file), 0, SEEK_END), sizeof(text));
	outlet_close(&out);
	outlet_open(&out, loop, null, on_drained, &drains);
	outlet_put(&out, text, sizeof(text));
	ck_assert(outlet_is_drained(&out));
	ck_assert_int_eq(out.failure.code, STATUS_OK);
	fclose(file);
	close(null);
}
END_TEST

START_TEST(a_descriptor_that_can_t_be_written_to_is_told)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	outlet_close(&out);
	outlet_open(&out, loop, null, on_drained, &drains);
	put("x");
	ck_assert_str_eq(out.failure.message, "output: Bad file descriptor");
	close(null);
}
END_TEST

START_TEST(closed_standard_descriptors_are_not_given_away)
{
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	outlet_guard_standard();
	ck_assert_int_gt(dup(ends[0]), STDERR_FILENO);
	ck_assert_int_eq(write(STDOUT_FILENO, "x", 1), -1);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("outlet");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, what_there_is_room_for_is_written_at_once);
	tcase_add_test(tc, a_reader_that_does_not_read_does_not_block_us);
	tcase_add_test(tc, a_reader_that_has_gone_is_told);
	tcase_add_test(tc, a_reader_that_goes_while_we_wait_is_told);
	tcase_add_test(tc, a_file_and_the_null_device_take_everything);
	tcase_add_test(tc, a_descriptor_that_can_t_be_written_to_is_told);
	tcase_add_test(tc, closed_standard_descriptors_are_not_given_away);
	return run_case(tc, "outlet");
}
