#include "echo/keyed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log/log.h"

/* From the claim of the key to the answer. */
struct keyed {
	struct echo *echo;
	struct ctx *ctx;
	struct exchange_ask ask;
	exchange_answer_fn answer;
	void *arg;
	struct roster_node claim;
	char fingerprint[ECHO_FINGERPRINT_SIZE];
	struct echo_store_find_key find;
};

#define KEYED_OF(member, pointer)                                              \
	((struct keyed *)((char *)(pointer)-offsetof(struct keyed, member)))

bool keyed_is_key(const char *key)
{
	size_t size = strlen(key);

	for (size_t i = 0; i < size; i++) {
		if (key[i] <= ' ' || key[i] > '~') {
			return false;
		}
	}
	return size > 0 && size <= ECHO_KEY_SIZE_MAX;
}

/* ---- answers ------------------------------------------------------------ */

/* What was kept is on disk by now: the next one finds it. */
static void finish(struct keyed *keyed, const struct exchange_outcome *outcome)
{
	struct echo *echo = keyed->echo;

	roster_leave(&echo->keys, &keyed->claim);
	keyed->answer(outcome, keyed->arg);
	ctx_unref(keyed->ctx);
	free(keyed);
	echo_leave(echo);
}

static void on_answer(const struct exchange_outcome *outcome, void *arg)
{
	finish(arg, outcome);
}

static void refuse(const struct exchange_ask *ask, enum exchange_how how,
		   const struct status *status, exchange_answer_fn answer,
		   void *arg)
{
	const struct exchange_outcome outcome = {
		.how = how,
		.status = status,
		.request_id = ask->request_id,
	};

	answer(&outcome, arg);
}

static void refuse_busy(const struct exchange_ask *ask,
			exchange_answer_fn answer, void *arg)
{
	struct status status = status_make(
		STATUS_ABORTED, "the first request under this Idempotency-Key "
				"is still under way");

	refuse(ask, HOW_KEY_BUSY, &status, answer, arg);
}

static struct status taken(void)
{
	return status_make(STATUS_FAILED_PRECONDITION,
			   "this Idempotency-Key was used for another request");
}

/* ---- the first outcome -------------------------------------------------- */

static bool is_confirmed(struct echo *echo, const char *transaction_id)
{
	enum twopc_standing standing =
		twopc_keeper_look(echo->keeper, transaction_id);

	return standing == TWOPC_SETTLED_STANDING ||
	       standing == TWOPC_ABSENT_STANDING;
}

static void repeat(struct keyed *keyed)
{
	const struct echo_store_outcome *kept = &keyed->find.outcome;
	struct status status = status_make(STATUS_OK, "%s", kept->message);
	const struct exchange_outcome outcome = {
		.how = is_confirmed(keyed->echo, kept->transaction_id)
			       ? HOW_COMMITTED
			       : HOW_ACCEPTED,
		.status = &status,
		.request_id = kept->request_id,
	};

	log_info(keyed->ctx, NULL,
		 "Asked again under its key: request_id=%s is told its first "
		 "outcome",
		 kept->request_id);
	finish(keyed, &outcome);
}

static void fail(struct keyed *keyed, enum exchange_how how,
		 const struct status *status)
{
	const struct exchange_outcome outcome = {
		.how = how,
		.status = status,
		.request_id = keyed->ask.request_id,
	};

	finish(keyed, &outcome);
}

static void begin(struct keyed *keyed)
{
	struct echo_store_outcome *keep = &keyed->find.outcome;

	memcpy(keep->fingerprint, keyed->fingerprint,
	       sizeof(keep->fingerprint));
	keyed->ask.keep = keep;
	exchange_start(keyed->echo, keyed->ctx, &keyed->ask, on_answer, keyed);
}

static void on_looked_up(const struct status *status, void *arg)
{
	struct keyed *keyed = KEYED_OF(find, arg);
	struct status outcome = *status;

	if (status->code != STATUS_OK && !ctx_ended(keyed->ctx)) {
		status_wrap(&outcome, "Failed to look up the Idempotency-Key");
		fail(keyed, HOW_FAILED, &outcome);
	} else if (status->code != STATUS_OK || !keyed->find.found) {
		begin(keyed); /* which also tells why its ctx has ended */
	} else if (strcmp(keyed->find.outcome.fingerprint,
			  keyed->fingerprint) == 0) {
		repeat(keyed);
	} else {
		outcome = taken();
		fail(keyed, HOW_KEY_TAKEN, &outcome);
	}
}

/* ---- start -------------------------------------------------------------- */

static struct keyed *keyed_new(struct echo *echo, struct ctx *ctx,
			       const char *key, const char *fingerprint)
{
	struct keyed *keyed = calloc(1, sizeof(*keyed));

	if (keyed == NULL) {
		abort();
	}
	echo_enter(echo);
	keyed->echo = echo;
	keyed->ctx = ctx_ref(ctx);
	snprintf(keyed->find.outcome.key, sizeof(keyed->find.outcome.key), "%s",
		 key);
	snprintf(keyed->fingerprint, sizeof(keyed->fingerprint), "%s",
		 fingerprint);
	return keyed;
}

/* Its key is another's. */
static void drop(struct keyed *keyed)
{
	struct echo *echo = keyed->echo;

	ctx_unref(keyed->ctx);
	free(keyed);
	echo_leave(echo);
}

void keyed_start(struct echo *echo, struct ctx *ctx,
		 const struct exchange_ask *ask, const char *key,
		 const char *fingerprint, exchange_answer_fn answer, void *arg)
{
	struct keyed *keyed = keyed_new(echo, ctx, key, fingerprint);
	struct status status;

	keyed->ask = *ask;
	keyed->answer = answer;
	keyed->arg = arg;
	switch (roster_claim(&echo->keys, &keyed->claim,
			     keyed->find.outcome.key, keyed->fingerprint)) {
	case ROSTER_MINE:
		db_read(echo->db, ctx, echo_store_find_key, on_looked_up,
			&keyed->find);
		break;
	case ROSTER_SAME:
		drop(keyed);
		refuse_busy(ask, answer, arg);
		break;
	case ROSTER_OTHER:
	default:
		drop(keyed);
		status = taken();
		refuse(ask, HOW_KEY_TAKEN, &status, answer, arg);
		break;
	}
}
