/*
 * File descriptors as the bound on how much can be in flight: every suspended
 * client holds one, every call a share of one.
 *
 *	if (descriptors_raise(&limit, &err) != STATUS_OK) { ... }
 *	fit = descriptors_admit(config.max_in_flight, 1, 64);
 *	if (fit < config.max_in_flight) {
 *		log_warn(..., "only %zu requests at once: ...", fit);
 *	}
 */
#ifndef RESCIND_DESCRIPTORS_H
#define RESCIND_DESCRIPTORS_H

#include <stddef.h>

#include "status/status.h"

/*
 * Raise the soft limit to the hard one; once, at start. *ret_limit (may be
 * NULL) is what may then be open, also on failure. Safe because nothing here
 * uses select().
 */
MUSTCHECK enum status_code descriptors_raise(size_t *ret_limit,
					     struct status *reterr);

/*
 * How many of the @wanted requests fit under the soft limit when each holds
 * @per_request descriptors and @reserved are kept for everything else (files of
 * databases, listeners, idle connections). Never 0: a server that admits nobody
 * would be none.
 */
size_t descriptors_admit(size_t wanted, size_t per_request, size_t reserved);

#endif
