/* The example as its users see it: a process, called over the network. */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "greeter.pb-c.h"
#include "rpc/channel.h"

static struct {
	pid_t pid;
	int port;
	FILE *lines; /* its stderr */
} server;

static struct {
	struct loop *loop;
	struct ctx *root;
	struct rpc_poller *poller;
	struct rpc_channel *channel;
} client;

/* What a call came to. */
struct outcome {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool done;
	struct status status;
	char message[128];
};

/* ---- the server's process ----------------------------------------------- */

static void run_server(int out)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(out, STDERR_FILENO);
	execl(GREETER_SERVER, GREETER_SERVER, "0", (char *)NULL);
	_exit(127);
}

/* Read lines until it says that it is ready; its other lines are shown. */
static int read_port(int in)
{
	static const char ready[] = "ready on port ";
	char line[512];

	server.lines = fdopen(in, "r");
	ck_assert_ptr_nonnull(server.lines);
	while (fgets(line, sizeof(line), server.lines) != NULL) {
		if (strncmp(line, ready, sizeof(ready) - 1) == 0) {
			return (int)strtol(line + sizeof(ready) - 1, NULL, 10);
		}
		fputs(line, stderr);
	}
	ck_abort_msg("the server ended before it was ready");
}

static void start_server(void)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	server.pid = fork();
	ck_assert_int_ge(server.pid, 0);
	if (server.pid == 0) {
		close(fds[0]);
		run_server(fds[1]);
	}
	close(fds[1]);
	server.port = read_port(fds[0]);
}

static int stop_server(void)
{
	int wstatus;

	kill(server.pid, SIGTERM);
	ck_assert_int_eq(waitpid(server.pid, &wstatus, 0), server.pid);
	server.pid = 0;
	return WIFEXITED(wstatus) ? WEXITSTATUS(wstatus) : -1;
}

/* ---- our client --------------------------------------------------------- */

static void start_client(void)
{
	struct rpc_channel_options options;
	char target[32];
	struct status st;

	snprintf(target, sizeof(target), "127.0.0.1:%d", server.port);
	rpc_channel_options_init(&options);
	options.target = target;
	options.wait_for_ready = true;
	ck_assert(loop_new(&client.loop, &st) == STATUS_OK);
	ck_assert(loop_start_thread(client.loop, &st) == STATUS_OK);
	ck_assert(ctx_root(client.loop, &client.root, &st) == STATUS_OK);
	ck_assert(rpc_poller_new(&client.poller, &st) == STATUS_OK);
	ck_assert(rpc_channel_new(client.poller, &options, &client.channel,
				  &st) == STATUS_OK);
}

static void stop_client(void)
{
	rpc_channel_free(client.channel);
	rpc_poller_free(client.poller);
	ctx_unref(client.root);
	loop_free(client.loop);
}

static void on_done(const struct status *status,
		    const ProtobufCMessage *response,
		    const struct rpc_metadata *trailing, void *arg)
{
	const Greeter__HelloReply *reply = (const void *)response;
	struct outcome *outcome = arg;

	(void)trailing;
	pthread_mutex_lock(&outcome->mutex);
	outcome->status = *status;
	if (reply != NULL) {
		snprintf(outcome->message, sizeof(outcome->message), "%s",
			 reply->message);
	}
	outcome->done = true;
	pthread_cond_signal(&outcome->changed);
	pthread_mutex_unlock(&outcome->mutex);
}

static void say_hello(char *name, struct outcome *outcome)
{
	Greeter__HelloRequest request = GREETER__HELLO_REQUEST__INIT;
	struct ctx *ctx =
		ctx_new(client.root, clock_now_ns() + 10 * (int64_t)NS_PER_S);

	memset(outcome, 0, sizeof(*outcome));
	pthread_mutex_init(&outcome->mutex, NULL);
	pthread_cond_init(&outcome->changed, NULL);
	request.name = name;
	rpc_unary(client.channel, ctx, &greeter__greeter__descriptor,
		  "SayHello", &request.base, NULL, on_done, outcome);
	pthread_mutex_lock(&outcome->mutex);
	while (!outcome->done) {
		pthread_cond_wait(&outcome->changed, &outcome->mutex);
	}
	pthread_mutex_unlock(&outcome->mutex);
	ctx_unref(ctx);
}

/* ---- tests -------------------------------------------------------------- */

static void setup(void)
{
	start_server();
	start_client();
}

static void teardown(void)
{
	stop_client();
	if (server.pid != 0) {
		ck_assert_int_eq(stop_server(), 0);
	}
	fclose(server.lines);
}

START_TEST(a_call_is_answered)
{
	struct outcome outcome;
	char name[] = "Ada";

	say_hello(name, &outcome);
	ck_assert_msg(outcome.status.code == STATUS_OK, "%s",
		      outcome.status.message);
	ck_assert_str_eq(outcome.message, "Hello, Ada!");
}
END_TEST

START_TEST(a_refusal_carries_its_code_and_sentence)
{
	struct outcome outcome;
	char name[200];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	say_hello(name, &outcome);
	ck_assert_int_eq(outcome.status.code, STATUS_INVALID_ARGUMENT);
	ck_assert_str_eq(outcome.status.message, "name too long");
}
END_TEST

START_TEST(an_idle_server_stops_cleanly)
{
	ck_assert_int_eq(stop_server(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("greeter");
	TCase *tc = tcase_create("greeter");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_call_is_answered);
	tcase_add_test(tc, a_refusal_carries_its_code_and_sentence);
	tcase_add_test(tc, an_idle_server_stops_cleanly);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
