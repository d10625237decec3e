/* Asking an echo over HTTP, and waiting for its answer. */
#ifndef RESCIND_TOOLS_ECHO_CLIENT_H
#define RESCIND_TOOLS_ECHO_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "status/status.h"

/*
 * GET @path of @target ("host:port"). *ret_body is NUL-terminated and the
 * caller's to free. UNAVAILABLE when nobody answers, FAILED_PRECONDITION when
 * the answer is not 200.
 */
MUSTCHECK enum status_code echo_client_get(const char *target, const char *path,
					   int64_t timeout_ns, char **ret_body,
					   struct status *reterr);

#endif
