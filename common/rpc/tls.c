/* Reading PEM files. Bad contents show when gRPC uses them first. */
#include "rpc/tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PEM_SIZE_MAX = 1 << 20 };

/* What @tls names, read; NULL where it names none. */
struct pems {
	char *cert;
	char *key;
	char *ca;
};

static void pems_release(struct pems *pems)
{
	free(pems->cert);
	if (pems->key != NULL) {
		explicit_bzero(pems->key, strlen(pems->key));
	}
	free(pems->key);
	free(pems->ca);
}

static enum status_code code_of(int error)
{
	switch (error) {
	case ENOENT:
		return STATUS_NOT_FOUND;
	case EACCES:
		return STATUS_PERMISSION_DENIED;
	default:
		return STATUS_INVALID_ARGUMENT;
	}
}

static enum status_code read_open(FILE *file, const char *path, char **ret_text,
				  struct status *reterr)
{
	char *text = malloc(PEM_SIZE_MAX + 1);
	size_t size;

	if (text == NULL) {
		return status_set(reterr, STATUS_RESOURCE_EXHAUSTED,
				  "no memory for '%s'", path);
	}
	size = fread(text, 1, PEM_SIZE_MAX, file);
	text[size] = '\0';
	if (ferror(file) || strstr(text, "-----BEGIN ") == NULL) {
		free(text);
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "'%s' is not a PEM file", path);
	}
	*ret_text = text;
	return STATUS_OK;
}

static enum status_code read_pem(const char *path, char **ret_text,
				 struct status *reterr)
{
	enum status_code code;
	FILE *file;

	if (path == NULL) {
		return STATUS_OK;
	}
	file = fopen(path, "re");
	if (file == NULL) {
		return status_set_errno(reterr, code_of(errno), errno,
					"open '%s'", path);
	}
	code = read_open(file, path, ret_text, reterr);
	fclose(file);
	return code;
}

static enum status_code pems_read(const struct rpc_tls *tls,
				  struct pems *ret_pems, struct status *reterr)
{
	struct pems pems = { NULL };

	if ((tls->cert == NULL) != (tls->key == NULL)) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "TLS needs certificate and key together");
	}
	if (read_pem(tls->cert, &pems.cert, reterr) != STATUS_OK ||
	    read_pem(tls->key, &pems.key, reterr) != STATUS_OK ||
	    read_pem(tls->ca, &pems.ca, reterr) != STATUS_OK) {
		pems_release(&pems);
		return status_wrap(reterr, "TLS");
	}
	*ret_pems = pems;
	return STATUS_OK;
}

enum status_code
tls_server_credentials(const struct rpc_tls *tls,
		       grpc_server_credentials **ret_credentials,
		       struct status *reterr)
{
	grpc_ssl_pem_key_cert_pair pair;
	enum status_code code;
	struct pems pems = { 0 };

	if (tls == NULL) {
		*ret_credentials = grpc_insecure_server_credentials_create();
		return STATUS_OK;
	}
	if (tls->cert == NULL) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "TLS needs a certificate");
	}
	code = pems_read(tls, &pems, reterr);
	if (code != STATUS_OK) {
		return code;
	}
	pair = (grpc_ssl_pem_key_cert_pair){ pems.key, pems.cert };
	*ret_credentials = grpc_ssl_server_credentials_create_ex(
		pems.ca, &pair, 1,
		pems.ca != NULL
			? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
			: GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
		NULL);
	pems_release(&pems);
	if (*ret_credentials == NULL) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "TLS: certificate or key is unusable");
	}
	return STATUS_OK;
}

enum status_code
tls_channel_credentials(const struct rpc_tls *tls,
			grpc_channel_credentials **ret_credentials,
			struct status *reterr)
{
	grpc_ssl_pem_key_cert_pair pair;
	enum status_code code;
	struct pems pems = { 0 };

	if (tls == NULL) {
		*ret_credentials = grpc_insecure_credentials_create();
		return STATUS_OK;
	}
	code = pems_read(tls, &pems, reterr);
	if (code != STATUS_OK) {
		return code;
	}
	pair = (grpc_ssl_pem_key_cert_pair){ pems.key, pems.cert };
	*ret_credentials = grpc_ssl_credentials_create(
		pems.ca, pems.key != NULL ? &pair : NULL, NULL, NULL);
	pems_release(&pems);
	if (*ret_credentials == NULL) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "TLS: certificate or key is unusable");
	}
	return STATUS_OK;
}
