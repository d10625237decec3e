/* TLS and mutual TLS, with certificates made here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"

static char dir[] = "/tmp/rpc_tls_XXXXXX";

static void run(const char *command)
{
	ck_assert_msg(system(command) == 0, "%s", command);
}

/*
 * ca signs server and client; other_ca signs stranger. To be called before
 * gRPC has its threads.
 */
static void make_certificates(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	for (int i = 0; i < 2; i++) {
		run(i == 0 ? "openssl req -x509 -newkey ec -pkeyopt "
			     "ec_paramgen_curve:prime256v1 -nodes -days 2 "
			     "-subj /CN=ca -keyout ca.key -out ca.pem "
			     "2>/dev/null"
			   : "openssl req -x509 -newkey ec -pkeyopt "
			     "ec_paramgen_curve:prime256v1 -nodes -days 2 "
			     "-subj /CN=other -keyout other_ca.key "
			     "-out other_ca.pem 2>/dev/null");
	}
	run("echo subjectAltName=DNS:localhost,IP:127.0.0.1 > ext");
	run("for n in server client stranger; do "
	    "ca=ca; [ $n = stranger ] && ca=other_ca; "
	    "openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 "
	    "-nodes -subj /CN=$n -keyout $n.key -out $n.csr 2>/dev/null && "
	    "openssl x509 -req -days 2 -in $n.csr -CA $ca.pem -CAkey $ca.key "
	    "-CAcreateserial -extfile ext -out $n.pem 2>/dev/null || exit 1; "
	    "done");
}

static void remove_certificates(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ck_assert_int_eq(chdir("/"), 0);
	run(command);
}

static void check_call(const struct rpc_tls *server,
		       const struct rpc_tls *client, const char *server_name,
		       enum status_code code)
{
	struct fixture f;
	struct outcome outcome;

	make_certificates();
	fixture_init(&f);
	f.server_options.tls = server;
	f.channel_options.tls = client;
	f.channel_options.tls_server_name = server_name;
	fixture_start_server(&f);
	fixture_start_client(&f);
	call_text(&f, "Echo", "secret", &outcome);
	ck_assert_msg(outcome.status.code == code, "%s",
		      outcome.status.message);
	fixture_stop(&f);
	remove_certificates();
}

static const struct rpc_tls server_tls = { "server.pem", "server.key", NULL };
static const struct rpc_tls mutual_tls = { "server.pem", "server.key",
					   "ca.pem" };

START_TEST(a_client_that_trusts_the_ca_is_served)
{
	static const struct rpc_tls client = { .ca = "ca.pem" };

	check_call(&server_tls, &client, NULL, STATUS_OK);
}
END_TEST

START_TEST(a_client_that_does_not_trust_the_ca_does_not_call)
{
	static const struct rpc_tls client = { .ca = "other_ca.pem" };

	check_call(&server_tls, &client, NULL, STATUS_UNAVAILABLE);
}
END_TEST

START_TEST(a_server_under_another_name_is_not_called)
{
	static const struct rpc_tls client = { .ca = "ca.pem" };

	check_call(&server_tls, &client, "elsewhere.example",
		   STATUS_UNAVAILABLE);
}
END_TEST

START_TEST(a_plaintext_client_is_not_served)
{
	check_call(&server_tls, NULL, NULL, STATUS_UNAVAILABLE);
}
END_TEST

START_TEST(mutual_tls_serves_a_client_with_a_certificate)
{
	static const struct rpc_tls client = { "client.pem", "client.key",
					       "ca.pem" };

	check_call(&mutual_tls, &client, "localhost", STATUS_OK);
}
END_TEST

START_TEST(mutual_tls_refuses_a_client_without_certificate)
{
	static const struct rpc_tls client = { .ca = "ca.pem" };

	check_call(&mutual_tls, &client, NULL, STATUS_UNAVAILABLE);
}
END_TEST

START_TEST(mutual_tls_refuses_a_stranger)
{
	static const struct rpc_tls client = { "stranger.pem", "stranger.key",
					       "ca.pem" };

	check_call(&mutual_tls, &client, NULL, STATUS_UNAVAILABLE);
}
END_TEST

static void check_files(const struct rpc_tls *tls, enum status_code code,
			const char *text)
{
	struct rpc_channel_options channel_options;
	struct rpc_server_options options;
	struct rpc_channel *channel;
	struct rpc_server *server;
	struct fixture f;
	struct status st;

	fixture_init(&f);
	rpc_server_options_init(&options);
	options.tls = tls;
	ck_assert_int_eq(
		rpc_server_new(f.root, f.poller, &options, &server, &st), code);
	ck_assert_msg(strstr(st.message, text) != NULL, "%s", st.message);
	rpc_channel_options_init(&channel_options);
	channel_options.target = "127.0.0.1:1";
	channel_options.tls = tls;
	ck_assert_int_eq(
		rpc_channel_new(f.poller, &channel_options, &channel, &st),
		code);
	fixture_stop(&f);
}

START_TEST(files_that_cannot_be_used_are_named)
{
	static const struct rpc_tls missing = { "/nowhere.pem", "/nowhere.key",
						NULL };
	static const struct rpc_tls no_pem = { "/dev/null", "/dev/null", NULL };
	static const struct rpc_tls half = { .cert = "/dev/null" };

	check_files(&missing, STATUS_NOT_FOUND, "/nowhere.pem");
	check_files(&no_pem, STATUS_INVALID_ARGUMENT, "/dev/null");
	check_files(&half, STATUS_INVALID_ARGUMENT, "together");
}
END_TEST

START_TEST(a_key_of_another_certificate_is_refused)
{
	static const struct rpc_tls tls = { "server.pem", "client.key", NULL };
	struct rpc_server *server;
	struct fixture f;
	struct status st;

	make_certificates();
	fixture_init(&f);
	f.server_options.tls = &tls;
	ck_assert_int_eq(rpc_server_new(f.root, f.poller, &f.server_options,
					&server, &st),
			 STATUS_INVALID_ARGUMENT);
	fixture_stop(&f);
	remove_certificates();
}
END_TEST

START_TEST(a_taken_port_is_named_with_tls_too)
{
	struct rpc_server_options options;
	struct rpc_server *server;
	struct fixture f;
	struct status st;

	make_certificates();
	fixture_start(&f);
	options = f.server_options;
	options.tls = &server_tls;
	options.port = rpc_server_port(f.server);
	ck_assert_int_eq(
		rpc_server_new(f.root, f.poller, &options, &server, &st),
		STATUS_ALREADY_EXISTS);
	fixture_stop(&f);
	remove_certificates();
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("tls");

	tcase_add_test(tc, a_client_that_trusts_the_ca_is_served);
	tcase_add_test(tc, a_client_that_does_not_trust_the_ca_does_not_call);
	tcase_add_test(tc, a_server_under_another_name_is_not_called);
	tcase_add_test(tc, a_plaintext_client_is_not_served);
	tcase_add_test(tc, mutual_tls_serves_a_client_with_a_certificate);
	tcase_add_test(tc, mutual_tls_refuses_a_client_without_certificate);
	tcase_add_test(tc, mutual_tls_refuses_a_stranger);
	tcase_add_test(tc, files_that_cannot_be_used_are_named);
	tcase_add_test(tc, a_key_of_another_certificate_is_refused);
	tcase_add_test(tc, a_taken_port_is_named_with_tls_too);
	return run_case(tc, "rpc_tls");
}
