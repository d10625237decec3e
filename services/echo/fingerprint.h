/*
 * A short name for what a request asks for, to tell whether another one that
 * comes under the same idempotency key asks for the same. It finds mistakes:
 * who searches for two requests that share one deceives nobody but himself.
 */
#ifndef RESCIND_ECHO_FINGERPRINT_H
#define RESCIND_ECHO_FINGERPRINT_H

#include "echo/store.h"

/* Of texts, in order; @parts ends in NULL. */
void fingerprint(const char *const *parts, char ret[ECHO_FINGERPRINT_SIZE]);

#endif
