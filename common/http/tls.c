#include "http/tls.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PEM_SIZE_MAX = 1024 * 1024 };

static enum status_code read_all(FILE *file, const char *path, char **ret_text,
				 struct status *reterr)
{
	char *text = malloc(PEM_SIZE_MAX + 1);
	size_t size;

	if (text == NULL) {
		return status_set(reterr, STATUS_RESOURCE_EXHAUSTED,
				  "no memory to read '%s'", path);
	}
	size = fread(text, 1, PEM_SIZE_MAX + 1, file);
	if (ferror(file) || size > PEM_SIZE_MAX) {
		free(text);
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "'%s' can't be read, or is too large", path);
	}
	text[size] = '\0';
	*ret_text = text;
	return STATUS_OK;
}

static enum status_code read_file(const char *path, char **ret_text,
				  struct status *reterr)
{
	enum status_code code;
	FILE *file = fopen(path, "re");

	if (file == NULL) {
		return status_set_errno(reterr, STATUS_INVALID_ARGUMENT, errno,
					"open '%s'", path);
	}
	code = read_all(file, path, ret_text, reterr);
	fclose(file);
	return code;
}

static gnutls_datum_t datum(char *text)
{
	return (gnutls_datum_t){ (unsigned char *)text,
				 (unsigned)strlen(text) };
}

/* libmicrohttpd would only say that it did not start. */
static enum status_code check(struct http_tls *tls, const char *cert_path,
			      const char *ca_path, struct status *reterr)
{
	gnutls_certificate_credentials_t credentials;
	gnutls_datum_t cert = datum(tls->cert), key = datum(tls->key);
	int rv = gnutls_certificate_allocate_credentials(&credentials);

	if (rv < 0) {
		return status_set(reterr, STATUS_INTERNAL, "%s",
				  gnutls_strerror(rv));
	}
	rv = gnutls_certificate_set_x509_key_mem(credentials, &cert, &key,
						 GNUTLS_X509_FMT_PEM);
	if (rv < 0) {
		status_set(reterr, STATUS_INVALID_ARGUMENT,
			   "certificate '%s' and its key: %s", cert_path,
			   gnutls_strerror(rv));
	} else if (tls->ca != NULL) {
		gnutls_datum_t ca = datum(tls->ca);

		rv = gnutls_certificate_set_x509_trust_mem(credentials, &ca,
							   GNUTLS_X509_FMT_PEM);
		/* It counts the certificates, and none is no error to it. */
		if (rv <= 0) {
			status_set(reterr, STATUS_INVALID_ARGUMENT,
				   "client CA '%s': %s", ca_path,
				   rv < 0 ? gnutls_strerror(rv)
					  : "no certificate in it");
			rv = -1;
		}
	}
	gnutls_certificate_free_credentials(credentials);
	return rv < 0 ? STATUS_INVALID_ARGUMENT : STATUS_OK;
}

enum status_code http_tls_load(struct http_tls *tls, const char *cert_path,
			       const char *key_path, const char *ca_path,
			       struct status *reterr)
{
	enum status_code code;

	if (cert_path == NULL && key_path == NULL && ca_path == NULL) {
		return STATUS_OK;
	}
	if (cert_path == NULL || key_path == NULL) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "TLS needs a certificate and its key");
	}
	code = read_file(cert_path, &tls->cert, reterr);
	if (code == STATUS_OK) {
		code = read_file(key_path, &tls->key, reterr);
	}
	if (code == STATUS_OK && ca_path != NULL) {
		code = read_file(ca_path, &tls->ca, reterr);
	}
	if (code == STATUS_OK) {
		code = check(tls, cert_path, ca_path, reterr);
	}
	if (code != STATUS_OK) {
		http_tls_release(tls);
	}
	return code;
}

void http_tls_release(struct http_tls *tls)
{
	if (tls->key != NULL) {
		explicit_bzero(tls->key, strlen(tls->key));
	}
	free(tls->cert);
	free(tls->key);
	free(tls->ca);
	*tls = (struct http_tls){ 0 };
}

void http_tls_require_client(struct MHD_Connection *mhd)
{
	static unsigned char client[] = GNUTLS_KP_TLS_WWW_CLIENT;
	static gnutls_typed_vdata_st purpose = {
		.type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = client,
		.size = sizeof(client) - 1,
	};
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	gnutls_session_t session = info->tls_session;

	gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
	gnutls_session_set_verify_cert2(session, &purpose, 1, 0);
}
