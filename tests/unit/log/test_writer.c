/* What becomes of lines between log_write() and the descriptor. */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log/log.h"
#include "log/writer.h"

enum { THREADS = 4, LINES = 5000, FLOOD = 40000 };

static int fds[2]; /* the pipe to which the log goes */

static void setup(void)
{
	ck_assert_int_eq(pipe(fds), 0);
}

static void teardown(void)
{
	log_close();
}

static void open_log(int fd)
{
	const struct log_options options = { .component = "TEST",
					     .level = LOG_INFO,
					     .format = LOG_TEXT,
					     .fd = fd };
	struct status err;

	ck_assert_int_eq(log_init(&options, &err), STATUS_OK);
}

/* ---- a reader that checks what it reads --------------------------------- */

struct reader {
	pthread_t thread;
	int next[THREADS]; /* the number expected from each thread */
	bool exact;	   /* one thread logs: gaps are where it is told */
	long lines;	   /* of the test's own */
	long lost;	   /* as the log tells */
};

static void check_line(struct reader *reader, const char *line)
{
	const char *numbers = strstr(line, "n=");
	const char *lost = strstr(line, "lost=");
	int thread, number;

	if (lost != NULL) {
		reader->lost += atol(lost + 5);
		reader->next[0] += reader->exact ? atoi(lost + 5) : 0;
		return;
	}
	reader->lines++;
	ck_assert_ptr_nonnull(numbers);
	ck_assert_int_eq(sscanf(numbers, "n=%d.%d", &thread, &number), 2);
	if (reader->exact) {
		ck_assert_int_eq(number, reader->next[thread]);
	} else {
		ck_assert_int_ge(number, reader->next[thread]);
	}
	reader->next[thread] = number + 1;
}

static void *read_all(void *arg)
{
	FILE *file = fdopen(fds[0], "r");
	char line[LINE_SIZE];

	while (fgets(line, sizeof(line), file) != NULL) {
		check_line(arg, line);
	}
	fclose(file);
	return NULL;
}

static void reader_start(struct reader *reader, bool exact)
{
	*reader = (struct reader){ .exact = exact };
	pthread_create(&reader->thread, NULL, read_all, reader);
}

/* All that was logged has been read after this. */
static void reader_finish(struct reader *reader)
{
	log_close();
	close(fds[1]);
	pthread_join(reader->thread, NULL);
}

static void *write_lines(void *arg)
{
	int thread = *(int *)arg;

	for (int i = 0; i < LINES; i++) {
		log_info(NULL, NULL, "n=%d.%d", thread, i);
	}
	return NULL;
}

START_TEST(lines_of_one_thread_stay_in_order_and_whole)
{
	struct reader reader;
	pthread_t threads[THREADS];
	int numbers[THREADS];

	reader_start(&reader, false);
	open_log(fds[1]);
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		pthread_create(&threads[i], NULL, write_lines, &numbers[i]);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	reader_finish(&reader);
	ck_assert_int_eq(reader.lines + reader.lost, THREADS * LINES);
}
END_TEST

static void flood(void)
{
	for (int i = 0; i < FLOOD; i++) {
		log_info(NULL, NULL, "n=0.%d", i);
	}
}

START_TEST(a_reader_that_does_not_read_costs_lines_not_time)
{
	struct reader reader;

	open_log(fds[1]);
	flood(); /* returns, though nobody reads */
	reader_start(&reader, true);
	reader_finish(&reader);
	ck_assert_int_gt(reader.lost, 0);
	ck_assert_int_eq(reader.lines + reader.lost, FLOOD);
}
END_TEST

START_TEST(a_descriptor_that_does_not_block_gets_everything_too)
{
	struct reader reader;

	ck_assert_int_eq(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	open_log(fds[1]);
	for (int i = 0; i < LINES; i++) {
		log_info(NULL, NULL, "n=0.%d", i);
	}
	reader_start(&reader, true);
	reader_finish(&reader);
	ck_assert_int_eq(reader.lines, LINES);
}
END_TEST

START_TEST(a_flush_returns_when_the_lines_are_written)
{
	char text[4096];
	ssize_t size;

	open_log(fds[1]);
	for (int i = 0; i < 20; i++) {
		log_info(NULL, NULL, "n=0.%d", i);
		log_flush();
		size = read(fds[0], text, sizeof(text) - 1);
		ck_assert_int_gt(size, 0);
		ck_assert_int_eq(text[size - 1], '\n');
	}
}
END_TEST

/* A file that may grow no further stands for a full disk. */
static void limit_files_to(rlim_t size)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = size;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static int count_lines(const char *text)
{
	int count = 0;

	while ((text = strchr(text, '\n')) != NULL) {
		text++;
		count++;
	}
	return count;
}

START_TEST(lines_lost_to_a_full_disk_are_counted_once_there_is_room)
{
	char path[] = "/tmp/rescind-test-log-XXXXXX", text[4096];
	int fd = mkstemp(path);
	ssize_t size;

	unlink(path);
	signal(SIGXFSZ, SIG_IGN);
	open_log(fd);
	limit_files_to(100);
	for (int i = 0; i < 5; i++) {
		log_info(NULL, NULL, "n=0.%d", i);
		log_flush();
	}
	limit_files_to(RLIM_INFINITY);
	log_info(NULL, NULL, "n=0.5");
	log_flush();
	log_close();
	size = pread(fd, text, sizeof(text) - 1, 0);
	ck_assert_int_gt(size, 0);
	text[size] = '\0';
	ck_assert_ptr_nonnull(strstr(text, "n=0.1\n"));
	ck_assert_ptr_nonnull(strstr(text, "n=0.5\n"));
	ck_assert_ptr_nonnull(strstr(text, "lost=3\n"));
	/* Two whole lines, a torn one, and the two that came afterwards. */
	ck_assert_int_eq(count_lines(text), 5);
	close(fd);
}
END_TEST

START_TEST(exit_writes_everything)
{
	char text[4096];
	ssize_t size;
	pid_t pid = fork();

	if (pid == 0) {
		open_log(fds[1]);
		log_info(NULL, NULL, "last words");
		exit(0);
	}
	close(fds[1]);
	size = read(fds[0], text, sizeof(text) - 1);
	waitpid(pid, NULL, 0);
	ck_assert_int_gt(size, 0);
	text[size] = '\0';
	ck_assert_ptr_nonnull(strstr(text, "last words\n"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("writer");
	TCase *tc = tcase_create("writer");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, lines_of_one_thread_stay_in_order_and_whole);
	tcase_add_test(tc, a_reader_that_does_not_read_costs_lines_not_time);
	tcase_add_test(tc,
		       a_descriptor_that_does_not_block_gets_everything_too);
	tcase_add_test(tc, a_flush_returns_when_the_lines_are_written);
	tcase_add_test(
		tc, lines_lost_to_a_full_disk_are_counted_once_there_is_room);
	tcase_add_test(tc, exit_writes_everything);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
