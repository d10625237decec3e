#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "fixture.h"

/* A CA, a server and a client it signed, and a client that signed itself. */
static const char make_certificates[] =
	"exec >/dev/null 2>&1; set -e; cd '%s'\n"
	"key='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'\n"
	"openssl req -x509 $key -keyout ca.key -out ca.pem -subj /CN=ca\n"
	"for who in server client; do\n"
	"openssl req $key -keyout $who.key -out $who.csr -subj /CN=$who\n"
	"openssl x509 -req -in $who.csr -CA ca.pem -CAkey ca.key "
	"-CAcreateserial -out $who.pem\n"
	"done\n"
	"openssl req -x509 $key -keyout other.key -out other.pem "
	"-subj /CN=client\n"
	"echo rubbish >rubbish.pem\n";

static struct fixture f;
static char dir[] = "/tmp/http-tls-XXXXXX";
static char cert[64], key[64], ca[64], rubbish[64];

static void in_dir(char *ret, const char *name)
{
	snprintf(ret, 64, "%s/%s", dir, name);
}

static void setup(void)
{
	char command[sizeof(make_certificates) + 64];

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(command, sizeof(command), make_certificates, dir);
	ck_assert_int_eq(system(command), 0);
	in_dir(cert, "server.pem");
	in_dir(key, "server.key");
	in_dir(ca, "ca.pem");
	in_dir(rubbish, "rubbish.pem");
	fixture_init(&f);
	f.options.tls_cert = cert;
	f.options.tls_key = key;
}

static void teardown(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	ck_assert_int_eq(system(command), 0);
}

/* ---- a client ----------------------------------------------------------- */

struct tls_client {
	int fd;
	gnutls_session_t session;
	gnutls_certificate_credentials_t credentials;
};

/* 0, or the error of the handshake. */
static int tls_open(struct tls_client *client, const char *who)
{
	char pem[64], secret[64], name[32];
	int rv;

	gnutls_certificate_allocate_credentials(&client->credentials);
	gnutls_certificate_set_x509_trust_file(client->credentials, ca,
					       GNUTLS_X509_FMT_PEM);
	if (who != NULL) {
		snprintf(name, sizeof(name), "%s.pem", who);
		in_dir(pem, name);
		snprintf(name, sizeof(name), "%s.key", who);
		in_dir(secret, name);
		ck_assert_int_eq(gnutls_certificate_set_x509_key_file(
					 client->credentials, pem, secret,
					 GNUTLS_X509_FMT_PEM),
				 0);
	}
	gnutls_init(&client->session, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL |
					      GNUTLS_FORCE_CLIENT_CERT);
	gnutls_set_default_priority(client->session);
	gnutls_credentials_set(client->session, GNUTLS_CRD_CERTIFICATE,
			       client->credentials);
	gnutls_session_set_verify_cert(client->session, NULL, 0);
	client->fd = client_connect(&f);
	gnutls_transport_set_int(client->session, client->fd);
	do {
		rv = gnutls_handshake(client->session);
	} while (rv == GNUTLS_E_INTERRUPTED);
	return rv;
}

static void tls_close(struct tls_client *client)
{
	close(client->fd);
	gnutls_deinit(client->session);
	gnutls_certificate_free_credentials(client->credentials);
}

/* All until the end of a chunked body or of the connection. */
static void tls_read_all(struct tls_client *client, char *ret, size_t room)
{
	size_t size = 0;
	ssize_t n;

	ret[0] = '\0';
	while (strstr(ret, "\r\n0\r\n\r\n") == NULL &&
	       (n = gnutls_record_recv(client->session, ret + size,
				       room - 1 - size)) > 0) {
		size += (size_t)n;
		ret[size] = '\0';
	}
}

/* The status answered; -1 when there was no answer. */
static int tls_ask(struct tls_client *client, const char *text)
{
	char response[4096] = "";
	const char *length, *body;
	size_t size = 0;

	if (gnutls_record_send(client->session, text, strlen(text)) < 0) {
		return -1;
	}
	for (;;) {
		ssize_t n = gnutls_record_recv(client->session, response + size,
					       sizeof(response) - 1 - size);

		if (n <= 0) {
			return -1;
		}
		size += (size_t)n;
		response[size] = '\0';
		body = strstr(response, "\r\n\r\n");
		length = strstr(response, "Content-Length: ");
		if (body != NULL && length != NULL &&
		    strlen(body + 4) >= strtoul(length + 16, NULL, 10)) {
			return atoi(response + strlen("HTTP/1.1 "));
		}
	}
}

/* ---- tests -------------------------------------------------------------- */

START_TEST(requests_are_served_over_tls)
{
	struct tls_client client;

	setup();
	fixture_start(&f);
	ck_assert_int_eq(tls_open(&client, NULL), 0);
	ck_assert_int_eq(tls_ask(&client, GET("/now")), 200);
	ck_assert_int_eq(tls_ask(&client, GET("/on-loop")), 200);
	tls_close(&client);
	fixture_stop(&f);
	teardown();
}
END_TEST

/* A body of three pieces, in all ways to give them, or of one and a failure. */
static bool fails;
static int piece;
static sem_t done;

static void give_later(struct loop_task *task)
{
	(void)task;
	http_body_give(f.held[0].request, "two ", 4, false);
}

static void next(struct http_request *request, void *arg)
{
	static struct loop_task task = { .fn = give_later };

	(void)arg;
	switch (piece++) {
	case 0:
		http_body_give(request, "one ", 4, false);
		break;
	case 1:
		loop_post(f.loop, &task);
		break;
	case 2:
		if (fails) {
			http_body_fail(request);
		} else {
			http_body_give(request, "three", 5, true);
		}
		break;
	default:
		ck_abort_msg("asked for too much");
	}
}

static void on_done(struct http_request *request, void *arg)
{
	(void)request;
	(void)arg;
	sem_post(&done);
}

static void get_stream(bool failing, char *ret, size_t room)
{
	static const struct http_body body = { .next = next, .done = on_done };
	struct tls_client client;

	fails = failing;
	piece = 0;
	sem_init(&done, 0, 0);
	strcpy(dir, "/tmp/http-tls-XXXXXX");
	setup();
	fixture_start(&f);
	ck_assert_int_eq(tls_open(&client, NULL), 0);
	ck_assert_int_gt(gnutls_record_send(client.session, GET("/later"),
					    strlen(GET("/later"))),
			 0);
	fixture_await_held(&f);
	http_respond_body(f.held[0].request, 200, "text/plain", NULL, &body,
			  NULL);
	tls_read_all(&client, ret, room);
	await(&done);
	tls_close(&client);
	fixture_stop(&f);
	teardown();
}

START_TEST(bodies_are_streamed_over_tls)
{
	char text[4096];

	get_stream(false, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "4\r\none \r\n4\r\ntwo \r\n"
					   "5\r\nthree\r\n0\r\n\r\n"));
	get_stream(true, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "4\r\none \r\n4\r\ntwo \r\n"));
	ck_assert_ptr_null(strstr(text, "\r\n0\r\n"));
}
END_TEST

START_TEST(leaving_is_noticed_through_tls)
{
	for (int mode = 0; mode < 2; mode++) {
		struct tls_client client;

		strcpy(dir, "/tmp/http-tls-XXXXXX");
		setup();
		f.options.half_close = mode == 0 ? HTTP_HALF_CLOSE_ABORT
						 : HTTP_HALF_CLOSE_PROBE;
		fixture_start(&f);
		ck_assert_int_eq(tls_open(&client, NULL), 0);
		ck_assert_int_gt(gnutls_record_send(client.session,
						    GET("/later"),
						    strlen(GET("/later"))),
				 0);
		fixture_await_held(&f);
		gnutls_bye(client.session, GNUTLS_SHUT_WR);
		shutdown(client.fd, SHUT_WR);
		ck_assert_int_eq(held_await_end(&f.held[0]), CTX_CLIENT_CLOSED);
		held_answer(&f.held[0], 200, "");
		ck_assert_int_eq(fixture_await_over(&f).status, 499);
		tls_close(&client);
		fixture_stop(&f);
		teardown();
	}
}
END_TEST

START_TEST(a_client_the_ca_signed_is_let_in)
{
	struct tls_client client;

	setup();
	f.options.tls_ca = ca;
	fixture_start(&f);
	ck_assert_int_eq(tls_open(&client, "client"), 0);
	ck_assert_int_eq(tls_ask(&client, GET("/now")), 200);
	tls_close(&client);
	fixture_stop(&f);
	teardown();
}
END_TEST

START_TEST(a_client_without_certificate_or_with_another_is_not)
{
	struct tls_client client;
	static const char *const who[] = { NULL, "other" };

	setup();
	f.options.tls_ca = ca;
	fixture_start(&f);
	for (size_t i = 0; i < 2; i++) {
		/* With TLS 1.3 the client learns of it after its handshake. */
		if (tls_open(&client, who[i]) == 0) {
			ck_assert_int_eq(tls_ask(&client, GET("/now")), -1);
		}
		tls_close(&client);
	}
	fixture_stop(&f);
	ck_assert_uint_eq(f.end_nr, 0);
	teardown();
}
END_TEST

START_TEST(plaintext_on_a_tls_port_gets_no_answer)
{
	char response[RESPONSE_MAX];

	setup();
	fixture_start(&f);
	ck_assert_int_eq(client_ask(&f, GET("/now"), response), -1);
	fixture_stop(&f);
	teardown();
}
END_TEST

static void expect_refused(const char *cert_path, const char *key_path,
			   const char *ca_path, const char *text)
{
	struct http_server *server;
	struct status st = status_ok();

	f.options.tls_cert = cert_path;
	f.options.tls_key = key_path;
	f.options.tls_ca = ca_path;
	ck_assert_int_eq(http_server_new(f.root, &f.options, &server, &st),
			 STATUS_INVALID_ARGUMENT);
	ck_assert_msg(strstr(st.message, text) != NULL, "%s", st.message);
}

START_TEST(bad_certificates_are_refused_with_a_reason)
{
	setup();
	fixture_start(&f);
	expect_refused("/none.pem", key, NULL,
		       "open '/none.pem': No such file or directory");
	expect_refused(rubbish, key, NULL, rubbish);
	expect_refused(ca, key, NULL, "certificate");
	expect_refused(cert, NULL, NULL, "and its key");
	expect_refused(cert, key, rubbish, "client CA");
	fixture_stop(&f);
	teardown();
}
END_TEST

RUN_TESTS("http_tls", requests_are_served_over_tls,
	  bodies_are_streamed_over_tls, leaving_is_noticed_through_tls,
	  a_client_the_ca_signed_is_let_in,
	  a_client_without_certificate_or_with_another_is_not,
	  plaintext_on_a_tls_port_gets_no_answer,
	  bad_certificates_are_refused_with_a_reason)
