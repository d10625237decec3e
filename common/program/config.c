#include "program/config.h"

#include <stdlib.h>
#include <string.h>

const char *const program_log_formats[] = { "text", "json", NULL };
const char *const program_log_levels[] = { "debug", "info", "warn", "error",
					   NULL };

const char *program_given(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

enum status_code program_tls_check(struct program_tls *tls,
				   const char *flag_prefix, bool server,
				   struct status *reterr)
{
	*tls = (struct program_tls){ program_given(tls->cert),
				     program_given(tls->key),
				     program_given(tls->ca) };
	if ((tls->cert == NULL) != (tls->key == NULL)) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "%s-cert and %s-key need each other",
				  flag_prefix, flag_prefix);
	}
	if (server && tls->ca != NULL && tls->cert == NULL) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "%s-ca needs %s-cert and %s-key", flag_prefix,
				  flag_prefix, flag_prefix);
	}
	return STATUS_OK;
}

enum status_code program_port_parse(const char *flag, const char *text,
				    int *ret_port, struct status *reterr)
{
	char *end;
	long port;

	if (text[0] == '\0' || strcmp(text, "off") == 0) {
		*ret_port = PROGRAM_PORT_OFF;
		return STATUS_OK;
	}
	port = strtol(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || port > 65535) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "%s: '%s' is neither a port nor off", flag,
				  text);
	}
	*ret_port = (int)port;
	return STATUS_OK;
}
