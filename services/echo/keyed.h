/*
 * A request under an idempotency key: the first outcome that was a yes is kept,
 * in the transaction of the request itself, and whoever asks again under that
 * key is told it instead of beginning anew; after a restart too. An attempt
 * that was rolled back leaves nothing, so that the key may be used again.
 *
 * Of two at the same time the second is told HOW_KEY_BUSY; one that asks for
 * something else than the first, HOW_KEY_TAKEN.
 */
#ifndef RESCIND_ECHO_KEYED_H
#define RESCIND_ECHO_KEYED_H

#include "echo/exchange.h"

/* 1 to ECHO_KEY_SIZE_MAX visible ASCII characters. */
bool keyed_is_key(const char *key);

/*
 * As exchange_start(), but request_id must stay until the answer as well, and
 * keep is ours. @key and @fingerprint, of what is asked for, are copied.
 */
void keyed_start(struct echo *echo, struct ctx *ctx,
		 const struct exchange_ask *ask, const char *key,
		 const char *fingerprint, exchange_answer_fn answer, void *arg);

#endif
