/* Starting: flags, environment, and one clear line where it can't be. */
#include "harness/pair.h"
#include "harness/run.h"
#include "harness/suite.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Not 0, one line, and the line has each of these texts (the last is NULL). */
static void expect_line(const struct outcome *outcome, const char *const *texts)
{
	ck_assert_int_ne(outcome->code, 0);
	ck_assert_int_lt(outcome->code, 126);
	ck_assert_msg(outcome_lines(outcome) == 1, "not one line: %s",
		      outcome->text);
	for (; *texts != NULL; texts++) {
		ck_assert_msg(strstr(outcome->text, *texts) != NULL,
			      "lacks '%s': %s", *texts, outcome->text);
	}
}
#define EXPECT_LINE(outcome, ...)                                              \
	expect_line(outcome, (const char *const[]){ __VA_ARGS__, NULL })

START_TEST(an_unknown_flag)
{
	struct outcome outcome;

	RUN(&outcome, "echo", NULL, "-htpp-port", "0");
	EXPECT_LINE(&outcome, "-htpp-port", "-http-port");
	RUN(&outcome, "worker", NULL, "--prot=0");
	EXPECT_LINE(&outcome, "prot", "-port");
}
END_TEST

START_TEST(a_bad_value)
{
	struct outcome outcome;

	RUN(&outcome, "echo", NULL, "-timeout=soon");
	EXPECT_LINE(&outcome, "timeout", "soon");
	RUN(&outcome, "echo", NULL, "-http-port", "70000");
	EXPECT_LINE(&outcome, "http-port", "70000");
	RUN(&outcome, "echo", NULL, "-half-close=maybe");
	EXPECT_LINE(&outcome, "half-close", "maybe", "abort", "probe");
	RUN(&outcome, "worker", NULL, "-work", "-3s");
	EXPECT_LINE(&outcome, "work", "-3s");
	RUN(&outcome, "worker", NULL, "-max-in-flight", "0");
	EXPECT_LINE(&outcome, "max-in-flight", "0");
	RUN(&outcome, "worker", NULL, "-metrics-port", "everywhere");
	EXPECT_LINE(&outcome, "metrics-port", "everywhere");
}
END_TEST

START_TEST(a_value_that_is_missing_or_too_much)
{
	struct outcome outcome;

	RUN(&outcome, "worker", NULL, "-port");
	EXPECT_LINE(&outcome, "-port");
	RUN(&outcome, "worker", NULL, "positional");
	EXPECT_LINE(&outcome, "positional");
}
END_TEST

START_TEST(help_and_version)
{
	struct outcome outcome;

	RUN(&outcome, "echo", NULL, "-help");
	ck_assert_int_eq(outcome.code, 0);
	ck_assert_ptr_nonnull(strstr(outcome.text, "-half-close"));
	ck_assert_ptr_nonnull(strstr(outcome.text, "ECHO_HTTP_PORT"));
	ck_assert_ptr_nonnull(strstr(outcome.text, "8080"));
	RUN(&outcome, "worker", NULL, "--help");
	ck_assert_int_eq(outcome.code, 0);
	ck_assert_ptr_nonnull(strstr(outcome.text, "WORKER_PORT"));
	RUN(&outcome, "worker", NULL, "-version");
	ck_assert_int_eq(outcome.code, 0);
	ck_assert_uint_eq(outcome_lines(&outcome), 1);
	RUN(&outcome, "echo", NULL, "--version");
	ck_assert_int_eq(outcome.code, 0);
	ck_assert_uint_eq(outcome_lines(&outcome), 1);
}
END_TEST

START_TEST(flag_before_environment_before_default)
{
	const char *const variables[] = { "WORKER_PORT=1", "WORKER_WORK=12s",
					  "WORKER_LOG_FORMAT=json",
					  "WORKER_LOG_LEVEL=info", NULL };
	const struct process_options options = { .env = variables };
	struct process worker;
	char dir[PATH_SIZE];
	char db[PATH_SIZE];

	scratch_make(dir);
	scratch_path(db, dir, "test_worker.db");
	/* Were the variable first, port 1 would be bound, or refused. */
	PROCESS_START(&worker, "worker", &options, "-port=0", "--db", db);
	process_await(&worker, "\"msg\":\"Ready\"", "\"grpc_port\":");
	ck_assert_uint_eq(process_count(&worker, "\"grpc_port\":1,", NULL), 0);
	ck_assert(path_exists(db));
	process_end(&worker);
	scratch_remove(dir);
}
END_TEST

START_TEST(a_bad_variable_is_named_as_one)
{
	const char *const variables[] = { "ECHO_TIMEOUT=never", NULL };
	const struct process_options options = { .env = variables };
	struct outcome outcome;

	RUN(&outcome, "echo", &options, "-http-port", "0");
	EXPECT_LINE(&outcome, "ECHO_TIMEOUT", "never");
}
END_TEST

START_TEST(echo_is_told_where_its_worker_is)
{
	struct pair_options options = { .work = "0s" };
	struct process echo;
	struct pair pair;
	char worker[64];

	pair_prepare(&pair, &options);
	pair_start_worker(&pair);
	snprintf(worker, sizeof(worker), "127.0.0.1:%d", pair.grpc_port);
	/* -worker counts, whatever -grpc-port says. */
	PROCESS_START(&echo, "echo", NULL, "-http-port", "0", "-grpc-port", "1",
		      "-worker", worker, "-db", pair.echo_db);
	pair.http_port = process_port(&echo, "http_port");
	pair_await_ready(&pair);
	ck_assert_int_eq(pair_request(&pair, "by-address"), 200);
	pair_expect_rows(&pair, "by-address", 1, 1);
	process_end(&echo);
	pair_end(&pair);
}
END_TEST

/* A listener of somebody else's. */
static int take_port(int *ret_port)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	*ret_port = ntohs(at.sin_port);
	return fd;
}

START_TEST(a_port_that_is_taken)
{
	struct outcome outcome;
	char dir[PATH_SIZE];
	char db[PATH_SIZE];
	char port[16];
	int taken;
	int fd = take_port(&taken);

	scratch_make(dir);
	scratch_path(db, dir, "untouched.db");
	snprintf(port, sizeof(port), "%d", taken);
	RUN(&outcome, "echo", NULL, "-http-port", port, "-db", db);
	EXPECT_LINE(&outcome, port);
	RUN(&outcome, "worker", NULL, "-port", port, "-db", db);
	EXPECT_LINE(&outcome, port);
	RUN(&outcome, "worker", NULL, "-port", "0", "-metrics-port", port,
	    "-db", db);
	EXPECT_LINE(&outcome, port);
	ck_assert(!path_exists(db));
	close(fd);
	scratch_remove(dir);
}
END_TEST

START_TEST(a_port_that_another_of_us_has)
{
	struct outcome outcome;
	struct process worker;
	char dir[PATH_SIZE];
	char db[PATH_SIZE];
	char port[16];

	scratch_make(dir);
	scratch_path(db, dir, "one.db");
	PROCESS_START(&worker, "worker", NULL, "-port", "0", "-db", db);
	snprintf(port, sizeof(port), "%d", process_port(&worker, "grpc_port"));
	scratch_path(db, dir, "two.db");
	RUN(&outcome, "worker", NULL, "-port", port, "-db", db);
	EXPECT_LINE(&outcome, port);
	ck_assert(!path_exists(db));
	process_end(&worker);
	scratch_remove(dir);
}
END_TEST

START_TEST(localhost_is_both_loopbacks)
{
	struct outcome outcome;
	struct process worker;
	char dir[PATH_SIZE];
	char db[PATH_SIZE];
	char url[PATH_SIZE];
	int port;

	scratch_make(dir);
	scratch_path(db, dir, "w.db");
	PROCESS_START(&worker, "worker", NULL, "-port", "0", "-db", db,
		      "-metrics-port", "0");
	port = process_port(&worker, "metrics_port");
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/healthz", port);
	RUN(&outcome, tool_find("curl"), NULL, "-fsS", url);
	ck_assert_msg(outcome.code == 0, "%s", outcome.text);
	if (path_exists("/proc/sys/net/ipv6") &&
	    path_exists("/proc/net/if_inet6")) {
		snprintf(url, sizeof(url), "http://[::1]:%d/healthz", port);
		RUN(&outcome, tool_find("curl"), NULL, "-fsS", url);
		ck_assert_msg(outcome.code == 0, "%s", outcome.text);
	}
	process_end(&worker);
	scratch_remove(dir);
}
END_TEST

START_TEST(json_log_lines_are_json)
{
	struct process worker;
	char dir[PATH_SIZE];
	char db[PATH_SIZE];

	scratch_make(dir);
	scratch_path(db, dir, "w.db");
	PROCESS_START(&worker, "worker", NULL, "-port", "0", "-db", db,
		      "-log-format", "json");
	process_await(&worker, "{\"ts\":\"", "\"component\":\"WORKER\"");
	process_await(&worker, "\"msg\":\"Ready\"", "\"grpc_port\":");
	process_end(&worker);
	scratch_remove(dir);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		an_unknown_flag,
		a_bad_value,
		a_value_that_is_missing_or_too_much,
		help_and_version,
		flag_before_environment_before_default,
		a_bad_variable_is_named_as_one,
		echo_is_told_where_its_worker_is,
		a_port_that_is_taken,
		a_port_that_another_of_us_has,
		localhost_is_both_loopbacks,
		json_log_lines_are_json,
		NULL,
	};

	return suite_run("start", tests);
}
