/* GET /echo/<request_id>: what became of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "echo/http_edge.h"
#include "json/json.h"

/* A question under way. */
struct lookup {
	struct http_request *request;
	struct echo *echo;
	bool under_way;	 /* as it was before the database was asked */
	bool completing; /* one of that name is not confirmed */
	struct echo_store_find find;
};

/* ---- out ---------------------------------------------------------------- */

static void respond_json(const struct lookup *lookup, int http_status,
			 const char *word)
{
	struct json_writer json = { 0 };

	json_begin_object(&json, NULL);
	json_put_string(&json, "status", word);
	json_put_string(&json, "request_id", lookup->find.request_id);
	json_end(&json);
	json_newline(&json);
	http_respond(lookup->request, http_status, "application/json",
		     json.text, json.size, NULL);
	json_writer_release(&json);
}

static void respond(const struct lookup *lookup, int http_status,
		    const char *word, const char *text)
{
	char body[ECHO_REQUEST_ID_SIZE_MAX + 32];
	int size;

	if (http_request_accepts_json(lookup->request)) {
		respond_json(lookup, http_status, word);
		return;
	}
	size = snprintf(body, sizeof(body), "%s: %s\n", text,
			lookup->find.request_id);
	http_respond(lookup->request, http_status, "text/plain; charset=utf-8",
		     body, (size_t)size, NULL);
}

static void respond_unknown(const struct lookup *lookup)
{
	struct status status = status_make(
		STATUS_NOT_FOUND,
		"no such request: it was never begun, or rolled back");

	http_respond_error(lookup->request, 0, &status);
}

/* ---- the question ------------------------------------------------------- */

static void on_decided(const char *transaction_id, void *arg)
{
	struct lookup *lookup = arg;
	enum twopc_standing standing =
		twopc_keeper_look(lookup->echo->keeper, transaction_id);

	lookup->completing |= standing != TWOPC_SETTLED_STANDING &&
			      standing != TWOPC_ABSENT_STANDING;
}

static void on_found(const struct status *status, void *arg)
{
	struct lookup *lookup =
		(struct lookup *)((char *)arg - offsetof(struct lookup, find));

	if (status->code != STATUS_OK) {
		http_respond_error(lookup->request, 0, status);
	} else if (lookup->find.found && lookup->completing) {
		respond(lookup, 202, "completing", "Completing");
	} else if (lookup->find.found) {
		respond(lookup, 200, "committed", "Committed");
	} else if (lookup->under_way) {
		respond(lookup, 202, "in_progress", "In progress");
	} else {
		respond_unknown(lookup);
	}
	free(lookup);
}

static struct lookup *lookup_new(struct http_request *request,
				 struct echo *echo)
{
	struct lookup *lookup = calloc(1, sizeof(*lookup));

	if (lookup == NULL) {
		abort();
	}
	lookup->request = request;
	lookup->echo = echo;
	lookup->find.request_id = http_request_segment(request, "request_id");
	lookup->find.on_decided = on_decided;
	lookup->find.arg = lookup;
	return lookup;
}

/*
 * In this order: one that is not under way any more has left its row, or leaves
 * none.
 */
static void handle_lookup(struct http_request *request, void *self)
{
	const struct http_edge *edge = self;
	struct echo *echo = edge->echo;
	struct lookup *lookup = lookup_new(request, echo);

	if (strnlen(lookup->find.request_id, ECHO_REQUEST_ID_SIZE_MAX + 1) >
	    ECHO_REQUEST_ID_SIZE_MAX) {
		respond_unknown(lookup);
		free(lookup);
		return;
	}
	lookup->under_way =
		roster_has(&echo->requests, lookup->find.request_id);
	db_read(echo->db, http_request_ctx(request), echo_store_find, on_found,
		&lookup->find);
}

void http_lookup_add(struct http_server *server, struct http_edge *edge)
{
	http_server_route(server, HTTP_GET, "/echo/{request_id}", handle_lookup,
			  edge);
}
