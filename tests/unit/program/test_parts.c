/* The ready-made parts, run by the ladder of a program without a service. */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "program/program_db.h"
#include "program/program_grpc.h"
#include "program/program_http.h"

static struct program program;
static struct program_http http, operators;
static struct program_grpc grpc;
static struct program_db db;
static char path[] = "/tmp/rescind-parts-XXXXXX", file[sizeof(path) + 8];
static bool beside;
static struct status err;

/* ---- a client, on the loop's thread: only what is there at once --------- */

static int ask(uint16_t port, const char *target)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port) };
	char request[128];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int size = snprintf(request, sizeof(request),
			    "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", target);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(
		connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(send(fd, request, (size_t)size, 0), size);
	return fd;
}

static const char *answer_to(int fd)
{
	static char text[64 * 1024];
	size_t size = 0;
	ssize_t n;

	while ((n = recv(fd, text + size, sizeof(text) - 1 - size, 0)) > 0) {
		size += (size_t)n;
	}
	text[size] = '\0';
	close(fd);
	return text;
}

/* ---- the program -------------------------------------------------------- */

static enum flags_outcome parse(void *self, int argc, char **argv,
				struct status *reterr)
{
	(void)self;
	(void)argc;
	(void)argv;
	(void)reterr;
	program.config.listen = "127.0.0.1";
	program.config.max_in_flight = 10;
	return FLAGS_RUN;
}

static enum status_code check(void *arg, struct status *reterr)
{
	return program_db_check(arg, reterr);
}

static enum status_code bind_http(struct program_http *part,
				  struct status *reterr)
{
	struct http_options options;

	program_http_options(&program, 0, NULL, &options);
	ck_assert_uint_eq(options.in_flight_max, 10);
	return program_http_bind(part, &program, "HTTP", &options, reterr);
}

static enum status_code bind_grpc(struct status *reterr)
{
	struct rpc_server_options options;

	program_grpc_options(&program, 0, &options);
	ck_assert_uint_eq(options.in_flight_max, 10);
	return program_grpc_bind(&grpc, &program, &options, reterr);
}

static enum status_code open_db(struct status *reterr)
{
	static const char *const none[] = { NULL };
	struct db_sqlite_options options;

	program_db_options(&program, file, &options);
	options.schema = "CREATE TABLE IF NOT EXISTS t (a INTEGER)";
	options.staged_tables = none;
	options.statements = none;
	return program_db_open(&db, &program, &options, reterr);
}

static void add_parts(void)
{
	program_db_add(&db, "database");
	program_http_add(&http, "HTTP server");
	if (beside) {
		lifecycle_close_beside(db.part);
		lifecycle_close_beside(http.part);
	}
	program_grpc_add(&grpc, "gRPC server");
	program_http_add_for_operators(&operators, "operations server");
}

static enum status_code start(void *self, struct status *reterr)
{
	static const char *const services[] = { "x.Service", NULL };

	(void)self;
	program.check = check;
	program.check_arg = &db;
	if (bind_http(&http, reterr) != STATUS_OK ||
	    bind_http(&operators, reterr) != STATUS_OK ||
	    bind_grpc(reterr) != STATUS_OK || open_db(reterr) != STATUS_OK) {
		return reterr->code;
	}
	add_parts();
	if (program_grpc_start(&grpc, services, reterr) != STATUS_OK ||
	    http_server_start(http.server, reterr) != STATUS_OK) {
		return reterr->code;
	}
	return http_server_start(operators.server, reterr);
}

static int ready_fd, metrics_fd;

/* The answers come when the loop runs, and are read when it has ended. */
static void announce(void *self)
{
	(void)self;
	ck_assert_int_eq(program_check_ready(&program, &err), STATUS_OK);
	ready_fd = ask(http_server_port(http.server), "/readyz");
	metrics_fd = ask(http_server_port(operators.server), "/metrics");
	lifecycle_stop(program.lifecycle, "seen enough");
}

/* A page that is asked for when the database has closed. */
static void expect_no_database(void)
{
	size_t size;
	char *page = metrics_render(program.metrics, &size);

	ck_assert_ptr_nonnull(
		strstr(page, "rescind_db_usable{service=\"p\"} 0\n"));
	free(page);
}

static void release(void *self)
{
	(void)self;
	if (db.part != NULL) {
		expect_no_database();
	}
	program_http_release(&http);
	program_http_release(&operators);
	program_grpc_release(&grpc);
	program_db_release(&db);
}

static int run(void)
{
	static const struct program_steps steps = {
		.parse = parse,
		.start = start,
		.announce = announce,
		.release = release,
	};
	char name[] = "p", *argv[] = { name, NULL };

	program = (struct program){ .name = "p",
				    .component = "P",
				    .version = "1.2.3" };
	return program_run(&program, &steps, &program, 1, argv);
}

static void make_place(void)
{
	ck_assert_ptr_nonnull(mkdtemp(path));
	snprintf(file, sizeof(file), "%s/db", path);
}

static void remove_place(void)
{
	unlink(file);
	rmdir(path);
}

/* ---- tests -------------------------------------------------------------- */

START_TEST(the_parts_serve_and_close_in_order_or_beside_each_other)
{
	beside = _i != 0;
	make_place();
	ck_assert_int_eq(run(), 0);
	ck_assert_ptr_null(http.server);
	ck_assert_ptr_null(operators.server);
	ck_assert_ptr_null(grpc.server);
	ck_assert_ptr_null(db.db);
	/* They came before the ladder closed anything, so they are answered. */
	ck_assert_ptr_nonnull(strstr(answer_to(ready_fd), "HTTP/1.1 "));
	ck_assert_ptr_nonnull(
		strstr(answer_to(metrics_fd),
		       "rescind_build_info{version=\"1.2.3\"} 1\n"));
	ck_assert_int_eq(program_db_check(&db, &err), STATUS_UNAVAILABLE);
	ck_assert_str_eq(err.message, "database: closed");
	remove_place();
}
END_TEST

START_TEST(what_was_begun_is_released_when_a_later_part_fails)
{
	snprintf(file, sizeof(file), "/nowhere/at/all");
	ck_assert_int_eq(run(), PROGRAM_EXIT_STARTUP);
	ck_assert_ptr_null(http.server);
	ck_assert_ptr_null(grpc.server);
	ck_assert_ptr_null(db.db);
}
END_TEST

START_TEST(towards_grpc_no_file_means_no_tls)
{
	struct program_tls none = { NULL, NULL, NULL };
	struct program_tls all = { "c", "k", "a" };
	struct program_tls ca = { NULL, NULL, "a" };
	struct rpc_tls tls;

	ck_assert_ptr_null(program_grpc_tls(&none, &tls));
	ck_assert_ptr_eq(program_grpc_tls(&ca, &tls), &tls);
	ck_assert_ptr_eq(program_grpc_tls(&all, &tls), &tls);
	ck_assert_str_eq(tls.cert, "c");
	ck_assert_str_eq(tls.key, "k");
	ck_assert_str_eq(tls.ca, "a");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("program_parts");
	TCase *tc = tcase_create("parts");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(
		tc, the_parts_serve_and_close_in_order_or_beside_each_other, 0,
		2);
	tcase_add_test(tc, what_was_begun_is_released_when_a_later_part_fails);
	tcase_add_test(tc, towards_grpc_no_file_means_no_tls);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
