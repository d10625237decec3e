/* The causes, their names, and what they say where nothing better is said. */
#include "ctx/impl.h"

static const char *const names[CTX_CAUSE_NR] = {
#define CTX_NAME(symbol, name) [CTX_##symbol] = name,
	CTX_CAUSES(CTX_NAME)
#undef CTX_NAME
};

/*
 * A finished scope is CANCELLED to whoever still wants something from it, as a
 * cancelled context is in Go: work that comes after the end is refused.
 */
static const struct {
	enum status_code code;
	const char *text;
} usual[CTX_CAUSE_NR] = {
	[CTX_NONE] = { STATUS_OK, "" },
	[CTX_FINISHED] = { STATUS_CANCELLED, "the scope has finished" },
	[CTX_CLIENT_CLOSED] = { STATUS_CANCELLED,
				"the client closed the connection" },
	[CTX_CLIENT_RESET] = { STATUS_CANCELLED,
			       "the connection to the client was lost" },
	[CTX_CALLER_CANCELLED] = { STATUS_CANCELLED,
				   "the caller cancelled the call" },
	[CTX_DEADLINE] = { STATUS_DEADLINE_EXCEEDED, "the deadline passed" },
	[CTX_SHUTDOWN] = { STATUS_UNAVAILABLE, "the server is shutting down" },
	[CTX_PEER_FAILED] = { STATUS_UNAVAILABLE,
			      "the process called has failed" },
	[CTX_DATABASE] = { STATUS_UNAVAILABLE,
			   "the database refused the work" },
	[CTX_INTERNAL] = { STATUS_INTERNAL, "internal error" },
};

const char *ctx_cause_name(enum ctx_cause cause)
{
	return (unsigned)cause < CTX_CAUSE_NR ? names[cause] : "unknown";
}

struct status ctx_cause_status(enum ctx_cause cause)
{
	return status_make(usual[cause].code, "%s", usual[cause].text);
}
