/* Certificates of the server, and of the clients it lets in. */
#ifndef RESCIND_HTTP_TLS_H
#define RESCIND_HTTP_TLS_H

#include <stdbool.h>

#include "status/status.h"

struct MHD_Connection;

/* PEM texts; all NULL for plaintext. */
struct http_tls {
	char *cert;
	char *key;
	char *ca;
};

/* Read and check the files. @ca_path may be NULL. */
MUSTCHECK enum status_code
http_tls_load(struct http_tls *tls, const char *cert_path, const char *key_path,
	      const char *ca_path, struct status *reterr);
void http_tls_release(struct http_tls *tls);

/* Let the handshake of a new connection fail unless the client shows a
 * certificate that the CA signed for clients. */
void http_tls_require_client(struct MHD_Connection *mhd);

#endif
