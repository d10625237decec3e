/* What is in doubt, printed as it comes: tables or JSON, to stdout. */
#ifndef RESCIND_TOOLS_SHOW_H
#define RESCIND_TOOLS_SHOW_H

#include "config.h"
#include "worker_client.h"

/* The worker's, then, where one was named, echo's. */
MUSTCHECK enum status_code show_all(struct worker_client *client,
				    const struct config *config,
				    struct status *reterr);

#endif
