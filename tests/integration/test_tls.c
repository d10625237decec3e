/* TLS between the two, each showing a certificate to the other. */
#include "harness/identity.h"
#include "harness/pair.h"
#include "harness/run.h"
#include "harness/suite.h"

#include <stdio.h>
#include <string.h>

#define TLS_FLAGS(cert_of, ca_of)                                              \
	FLAGS("-tls-cert", (cert_of).cert, "-tls-key", (cert_of).key,          \
	      "-tls-ca", (ca_of).ca)

START_TEST(both_show_a_certificate)
{
	struct identity id;
	struct pair_options options = { .work = "300ms" };
	struct pair pair;
	struct client client;
	char dir[PATH_SIZE];

	scratch_make(dir);
	identity_make(&id, dir, "ours");
	options.echo_flags = TLS_FLAGS(id, id);
	options.worker_flags = TLS_FLAGS(id, id);
	pair_start(&pair, &options);
	pair_expect_works(&pair, "secret");
	pair_send_working(&pair, &client, "left");
	client_close(&client);
	pair_expect_rolled_back(&pair, "left");
	pair_end(&pair);
	scratch_remove(dir);
}
END_TEST

/* Never ready, never answered but with 503, and nothing is stored. */
static void expect_no_trust(struct pair *pair)
{
	struct reply reply;

	pair_start_worker(pair);
	pair_start_echo(pair);
	for (int i = 0; i < 5; i++) {
		http_get(pair->http_port, &reply,
			 "/echo?request_id=distrusted&timeout=5s");
		ck_assert_msg(reply.status == 503, "%d: %s", reply.status,
			      reply.body);
	}
	ck_assert_int_eq(http_status_of(pair->http_port, "/readyz"), 503);
	ck_assert_uint_eq(process_count(&pair->worker, "=distrusted", NULL), 0);
	pair_expect_rows(pair, "distrusted", 0, 0);
	pair_end(pair);
}

START_TEST(a_worker_of_another_authority_is_not_trusted)
{
	struct identity ours;
	struct identity theirs;
	struct pair_options options = { .work = "0s" };
	struct pair pair;
	char dir[PATH_SIZE];

	scratch_make(dir);
	identity_make(&ours, dir, "ours");
	identity_make(&theirs, dir, "theirs");
	options.echo_flags = TLS_FLAGS(ours, ours);
	options.worker_flags = TLS_FLAGS(theirs, ours);
	pair_prepare(&pair, &options);
	expect_no_trust(&pair);
	scratch_remove(dir);
}
END_TEST

START_TEST(an_echo_of_another_authority_is_not_served)
{
	struct identity ours;
	struct identity theirs;
	struct pair_options options = { .work = "0s" };
	struct pair pair;
	char dir[PATH_SIZE];

	scratch_make(dir);
	identity_make(&ours, dir, "ours");
	identity_make(&theirs, dir, "theirs");
	options.echo_flags = TLS_FLAGS(theirs, ours);
	options.worker_flags = TLS_FLAGS(ours, ours);
	pair_prepare(&pair, &options);
	expect_no_trust(&pair);
	scratch_remove(dir);
}
END_TEST

START_TEST(an_echo_without_a_certificate_is_not_served)
{
	struct identity id;
	struct pair_options options = { .work = "0s" };
	struct pair pair;
	char dir[PATH_SIZE];

	scratch_make(dir);
	identity_make(&id, dir, "ours");
	options.echo_flags = FLAGS("-tls-ca", id.ca);
	options.worker_flags = TLS_FLAGS(id, id);
	pair_prepare(&pair, &options);
	expect_no_trust(&pair);
	scratch_remove(dir);
}
END_TEST

START_TEST(plaintext_is_not_served_where_tls_is)
{
	struct identity id;
	struct pair_options options = { .work = "0s" };
	struct pair pair;
	char dir[PATH_SIZE];

	scratch_make(dir);
	identity_make(&id, dir, "ours");
	options.worker_flags = FLAGS("-tls-cert", id.cert, "-tls-key", id.key);
	pair_prepare(&pair, &options);
	expect_no_trust(&pair);
	scratch_remove(dir);
}
END_TEST

START_TEST(grpcurl_calls_over_tls)
{
	struct identity id;
	struct pair_options options = { .work = "0s" };
	struct outcome outcome;
	struct pair pair;
	char address[64];
	char dir[PATH_SIZE];

	if (tool_find("grpcurl") == NULL) {
		return;
	}
	scratch_make(dir);
	identity_make(&id, dir, "ours");
	options.worker_flags = TLS_FLAGS(id, id);
	pair_prepare(&pair, &options);
	pair_start_worker(&pair);
	snprintf(address, sizeof(address), "localhost:%d", pair.grpc_port);
	RUN(&outcome, tool_find("grpcurl"), NULL, "-cacert", id.ca, "-cert",
	    id.cert, "-key", id.key, "-d", "{\"task_id\":\"tls\"}", address,
	    "worker.WorkerService/DoWork");
	ck_assert_msg(outcome.code == 0, "%s", outcome.text);
	ck_assert_int_eq(worker_rows(pair.worker_db, "tls"), 1);
	RUN(&outcome, tool_find("grpcurl"), NULL, "-cacert", id.ca, "-max-time",
	    "5", "-d", "{\"task_id\":\"anonymous\"}", address,
	    "worker.WorkerService/DoWork");
	ck_assert_int_ne(outcome.code, 0);
	ck_assert_int_eq(worker_rows(pair.worker_db, "anonymous"), 0);
	pair_end(&pair);
	scratch_remove(dir);
}
END_TEST

START_TEST(files_that_are_missing_or_no_certificates)
{
	struct outcome outcome;
	char dir[PATH_SIZE];
	char junk[PATH_SIZE];
	char db[PATH_SIZE];

	scratch_make(dir);
	scratch_path(junk, dir, "junk.pem");
	scratch_path(db, dir, "w.db");
	file_write(junk, "junk\n", 5);
	RUN(&outcome, "worker", NULL, "-port", "0", "-db", db, "-tls-cert",
	    "/nowhere/cert.pem", "-tls-key", "/nowhere/key.pem");
	ck_assert_int_ne(outcome.code, 0);
	ck_assert_msg(strstr(outcome.text, "/nowhere/") != NULL, "%s",
		      outcome.text);
	RUN(&outcome, "worker", NULL, "-port", "0", "-db", db, "-tls-cert",
	    junk, "-tls-key", junk);
	ck_assert_int_ne(outcome.code, 0);
	ck_assert_msg(strstr(outcome.text, "junk.pem") != NULL, "%s",
		      outcome.text);
	RUN(&outcome, "worker", NULL, "-port", "0", "-db", db, "-tls-cert",
	    junk);
	ck_assert_int_ne(outcome.code, 0);
	ck_assert_msg(strstr(outcome.text, "-tls-key") != NULL, "%s",
		      outcome.text);
	ck_assert(!path_exists(db));
	scratch_remove(dir);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		both_show_a_certificate,
		a_worker_of_another_authority_is_not_trusted,
		an_echo_of_another_authority_is_not_served,
		an_echo_without_a_certificate_is_not_served,
		plaintext_is_not_served_where_tls_is,
		grpcurl_calls_over_tls,
		files_that_are_missing_or_no_certificates,
		NULL,
	};

	return suite_run("tls", tests);
}
