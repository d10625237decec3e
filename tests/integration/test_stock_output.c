/* What the clients of the stock orders print, where: on terminals, in pipes,
 * into what can't be written to. */
#include "harness/stock_client.h"
#include "harness/suite.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- output ----------------------------------------------------------------
 */

/* A server that gives every request the same answer, and then hangs up; its
 * port. */
static int answer_all(const char *answer)
{
	struct sockaddr_in name = { .sin_family = AF_INET };
	socklen_t size = sizeof(name);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&name, size), 0);
	ck_assert_int_eq(listen(listener, 8), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&name, &size),
			 0);
	if (fork() == 0) { /* ends with the test */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			char request[4096];
			int fd = accept(listener, NULL, NULL);

			(void)!read(fd, request, sizeof(request));
			(void)!write(fd, answer, strlen(answer));
			shutdown(fd, SHUT_WR);
			while (read(fd, request, sizeof(request)) > 0) {
			}
			close(fd);
		}
	}
	close(listener);
	return ntohs(name.sin_port);
}

START_TEST(what_a_server_says_can_t_command_a_terminal)
{
	struct outcome outcome;
	char url[64];

	snprintf(url, sizeof(url), "http://127.0.0.1:%d",
		 answer_all("HTTP/1.1 400 Bad\r\nContent-Length: 32\r\n\r\n"
			    "{\"error\":\"a\\u001b[2Jb\\nc \xC3\xA9\"}\n  "));
	RUN(&outcome, "stock_client", NULL, "-url", url, "-count=1");
	expect_code(&outcome, 2);
	expect_plain(outcome.text);
	expect_text(outcome.text, "INVALID_ARGUMENT: a?[2Jb?c \xC3\xA9\n");
}
END_TEST

START_TEST(on_a_terminal_one_line_is_rewritten)
{
	const struct process_options terminal = { .terminal_columns = 60 };
	struct stock stock;

	stock_start(&stock, NULL);
	for (int i = REST; i < CLIENTS; i++) {
		struct process client;
		const char *last;

		setenv("TERM", "xterm", 1);
		START_CLIENT(&client, &terminal, &stock, i, "-interval=1ms");
		process_await_text(&client, "AAPL MARKET BUY 100 to ");
		process_await_text(&client, "\r\033[Ksent 0, accepted 0, ");
		process_await_text(&client, "\r\033[Ksent 1, accepted 1, ");
		ck_assert_int_eq(write(client.fd, "\003", 1), 1); /* Ctrl-C */
		ck_assert_int_eq(process_wait(&client), 0);
		/* Orders that were accepted leave no line behind... */
		ck_assert_ptr_null(strstr(client.log, "1 accepted "));
		/* ...and the summary stands on one of its own. */
		last = strrchr(client.log, '\033');
		ck_assert_ptr_nonnull(last);
		ck_assert_int_eq(strncmp(last, "\033[Ksent ", 8), 0);
		expect_text(last, "\r\nlatency p50 ");
		process_release(&client);
	}
	stock_end(&stock);
}
END_TEST

START_TEST(on_a_terminal_a_failure_gets_a_line_that_stays)
{
	const struct process_options terminal = { .terminal_columns = 60 };
	struct stock stock;
	struct process client;

	stock_start(&stock, NULL);
	setenv("TERM", "xterm", 1);
	START_CLIENT(&client, &terminal, &stock, REST, "-count=2",
		     "-interval=0", "-type=LIMIT");
	ck_assert_int_eq(process_wait(&client), 2);
	expect_text(client.log, "\r\033[K1 failed ");
	expect_text(client.log, "greater than 0\r\n\r\033[Ksent 1, ");
	expect_text(client.log, "greater than 0\r\n\r\033[Ksent 2, ");
	process_release(&client);
	stock_end(&stock);
}
END_TEST

START_TEST(a_narrow_terminal_is_not_overrun)
{
	const struct process_options narrow = { .terminal_columns = 20 };
	struct stock stock;
	struct process client;

	stock_start(&stock, NULL);
	setenv("TERM", "xterm", 1);
	START_CLIENT(&client, &narrow, &stock, REST, "-count=1");
	ck_assert_int_eq(process_wait(&client), 0);
	/* 19 of them, so that the cursor stays in the line. */
	expect_text(client.log, "\r\033[Ksent 1, accepted 1,\r\033[K");
	process_release(&client);
	stock_end(&stock);
}
END_TEST

START_TEST(a_dumb_terminal_is_as_good_as_a_file)
{
	const struct process_options terminal = { .terminal_columns = 60 };
	struct stock stock;
	struct process client;

	stock_start(&stock, NULL);
	setenv("TERM", "dumb", 1);
	START_CLIENT(&client, &terminal, &stock, REST, "-count=1");
	ck_assert_int_eq(process_wait(&client), 0);
	ck_assert_ptr_null(strchr(client.log, '\033'));
	expect_text(client.log, "1 accepted ");
	process_release(&client);
	stock_end(&stock);
}
END_TEST

START_TEST(data_goes_to_stdout_and_messages_to_stderr)
{
	char out[PATH_SIZE];
	const struct process_options split = { .stdout_path = out };
	struct stock stock;
	struct outcome outcome;

	stock_start(&stock, NULL);
	scratch_path(out, stock.dir, "out");
	RUN_CLIENT_WITH(&outcome, &split, &stock, GRPC, "get", "nobody");
	expect_code(&outcome, 3);
	ck_assert_str_eq(outcome.text, "stock_client_grpc: NOT_FOUND: order "
				       "not found: nobody\n");
	ck_assert_str_eq(file_read(out), "");
	RUN_CLIENT_WITH(&outcome, &split, &stock, GRPC, "create");
	expect_code(&outcome, 0);
	ck_assert_str_eq(outcome.text, "");
	expect_text(file_read(out), "{\"id\":\"");
	unlink(out);
	RUN_CLIENT_WITH(&outcome, &split, &stock, REST, "-count=1");
	expect_code(&outcome, 0);
	ck_assert_str_eq(outcome.text, "");
	expect_summary(file_read(out),
		       "sent 1, accepted 1, failed 0, cancelled 0");
	stock_end(&stock);
}
END_TEST

START_TEST(output_that_can_t_be_written_is_a_failure)
{
	const struct process_options full = { .stdout_path = "/dev/full" };
	struct stock stock;
	struct outcome outcome;

	stock_start(&stock, NULL);
	for (int i = REST; i < CLIENTS; i++) {
		RUN_CLIENT_WITH(&outcome, &full, &stock, i, "-interval=0");
		expect_code(&outcome, 1);
		ck_assert_uint_eq(outcome_lines(&outcome), 1);
		expect_text(outcome.text, ": output: No space left on device");
	}
	for (const char *const *command =
		     (const char *const[]){ "list", "create", NULL };
	     *command != NULL; command++) {
		RUN_CLIENT_WITH(&outcome, &full, &stock, GRPC, *command);
		expect_code(&outcome, 1);
		ck_assert_uint_eq(outcome_lines(&outcome), 1);
		expect_text(outcome.text, ": output: No space left on device");
	}
	stock_end(&stock);
}
END_TEST

/* What is in the pipe; it is empty then. */
static int lines_in(int fd)
{
	char text[4096];
	int lines = 0;
	ssize_t n;

	while ((n = read(fd, text, sizeof(text))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			lines += text[i] == '\n';
		}
	}
	return lines;
}

START_TEST(a_reader_that_does_not_read_keeps_nobody_from_stopping)
{
	char pipe[PATH_SIZE];
	const struct process_options stuck = { .stdout_path = pipe };
	struct stock stock;
	int told = 0;
	int fd;

	stock_start(&stock, NULL);
	fd = stuck_pipe(pipe, stock.dir);
	for (int i = REST; i < CLIENTS; i++) {
		struct process client;

		START_CLIENT(&client, &stuck, &stock, i, "-interval=0");
		UNTIL(pipe_is_full(fd));
		let_others_be_served(&stock);
		process_signal(&client, SIGINT);
		if (i == GRPC) { /* impatient */
			process_signal(&client, SIGTERM);
			ck_assert_int_eq(process_wait(&client), 128 + SIGTERM);
		} else {
			ck_assert_int_eq(process_wait(&client), 128 + SIGINT);
			expect_text(client.log, "nobody reads the output\n");
		}
		process_release(&client);
		/* It has held up the orders, too: all but two or three of
		 * them are told of in the pipe. */
		told += lines_in(fd);
		ck_assert_int_le(stock_stored_n(&stock) - told, 3 * (i + 1));
	}
	close(fd);
	stock_end(&stock);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		what_a_server_says_can_t_command_a_terminal,
		on_a_terminal_one_line_is_rewritten,
		on_a_terminal_a_failure_gets_a_line_that_stays,
		a_narrow_terminal_is_not_overrun,
		a_dumb_terminal_is_as_good_as_a_file,
		data_goes_to_stdout_and_messages_to_stderr,
		output_that_can_t_be_written_is_a_failure,
		a_reader_that_does_not_read_keeps_nobody_from_stopping,
		NULL,
	};

	return suite_run("stock_output", tests);
}
