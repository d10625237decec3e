/* GET /transactions: what is decided here and not confirmed by the worker. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "echo/http_edge.h"
#include "text/instant.h"
#include "json/json.h"

enum {
	LIMIT_DEFAULT = 100,
	LIMIT_MAX = 1000,
	ROWS_AT_ONCE = 256, /* of the database, many of which may be settled */
};

/* A page in the making. */
struct listing {
	struct http_request *request;
	struct echo *echo;
	size_t limit;
	bool as_text;
	size_t shown;
	char last_shown[TWOPC_NAME_SIZE_MAX + 1];
	bool more; /* than are shown */
	size_t rows;
	char after[TWOPC_NAME_SIZE_MAX + 1]; /* where the rows begin */
	char seen[TWOPC_NAME_SIZE_MAX + 1];  /* the last of them */
	struct twopc_decisions_page page;
	struct json_writer json;
	char *text;
	size_t text_size;
	FILE *stream; /* to the text */
};

/* ---- a row -------------------------------------------------------------- */

static void show_json(struct listing *listing,
		      const struct twopc_decision *decision,
		      const char *standing)
{
	char since[INSTANT_TEXT_SIZE];

	json_begin_object(&listing->json, NULL);
	json_put_string(&listing->json, "transaction_id", decision->id);
	json_put_string(&listing->json, "request_id", decision->note);
	json_put_string(&listing->json, "standing", standing);
	json_put_string(&listing->json, "since",
			instant_format(decision->decided_ms, since));
	json_put_string(&listing->json, "participant", decision->participant);
	json_end(&listing->json);
}

/* Request ids are clients' own, and may have anything in them. */
static void put_plain(FILE *stream, const char *text)
{
	for (; *text != '\0'; text++) {
		fputc((unsigned char)*text < ' ' ? '?' : *text, stream);
	}
}

static void show_text(struct listing *listing,
		      const struct twopc_decision *decision,
		      const char *standing)
{
	char since[INSTANT_TEXT_SIZE];

	fprintf(listing->stream, "%s\t%s\t%s\t%s\t", decision->id, standing,
		instant_format(decision->decided_ms, since),
		decision->participant);
	put_plain(listing->stream, decision->note);
	fputc('\n', listing->stream);
}

static void copy_id(char to[TWOPC_NAME_SIZE_MAX + 1], const char *id)
{
	snprintf(to, TWOPC_NAME_SIZE_MAX + 1, "%s", id);
}

/* On the database's thread. */
static void on_row(struct twopc_decisions_page *page,
		   const struct twopc_decision *decision)
{
	struct listing *listing =
		(struct listing *)((char *)page -
				   offsetof(struct listing, page));
	enum twopc_standing standing;

	listing->rows++;
	copy_id(listing->seen, decision->id);
	standing = twopc_keeper_look(listing->echo->keeper, decision->id);
	if (standing == TWOPC_SETTLED_STANDING ||
	    standing == TWOPC_ABSENT_STANDING) {
		return; /* confirmed a moment ago */
	}
	if (listing->shown == listing->limit) {
		listing->more = true;
		return;
	}
	listing->shown++;
	copy_id(listing->last_shown, decision->id);
	if (listing->as_text) {
		show_text(listing, decision, twopc_standing_name(standing));
	} else {
		show_json(listing, decision, twopc_standing_name(standing));
	}
}

/* ---- the whole ---------------------------------------------------------- */

static void listing_free(struct listing *listing)
{
	json_writer_release(&listing->json);
	if (listing->stream != NULL) {
		(void)fclose(listing->stream);
	}
	free(listing->text);
	free(listing);
}

static void respond_json(struct listing *listing)
{
	json_end(&listing->json);
	if (listing->more) {
		json_put_string(&listing->json, "next", listing->last_shown);
	}
	json_end(&listing->json);
	json_newline(&listing->json);
	http_respond(listing->request, 200, "application/json",
		     listing->json.text, listing->json.size, NULL);
}

/* A page that is not the last says so in its last line. */
static void respond_text(struct listing *listing)
{
	if (listing->more) {
		fprintf(listing->stream, "next\t%s\n", listing->last_shown);
	}
	(void)fclose(listing->stream);
	listing->stream = NULL;
	http_respond(listing->request, 200, "text/plain; charset=utf-8",
		     listing->text, listing->text_size, NULL);
}

static void on_page(struct twopc_decisions_page *page,
		    const struct status *status)
{
	struct listing *listing =
		(struct listing *)((char *)page -
				   offsetof(struct listing, page));

	if (status->code != STATUS_OK) {
		http_respond_error(listing->request, 0, status);
	} else if (listing->rows == ROWS_AT_ONCE && !listing->more) {
		listing->rows = 0;
		copy_id(listing->after, listing->seen);
		twopc_decisions_list(&listing->echo->keeper->decisions,
				     http_request_ctx(listing->request), page);
		return;
	} else if (listing->as_text) {
		respond_text(listing);
	} else {
		respond_json(listing);
	}
	listing_free(listing);
}

/* ---- the question ------------------------------------------------------- */

static enum status_code read_limit(struct http_request *request,
				   size_t *ret_limit, struct status *reterr)
{
	const char *text = http_request_param(request, "limit");
	char *end;
	unsigned long limit;

	*ret_limit = LIMIT_DEFAULT;
	if (text == NULL || text[0] == '\0') {
		return STATUS_OK;
	}
	limit = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || limit < 1 ||
	    limit > LIMIT_MAX) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "limit must be a number from 1 to %d",
				  LIMIT_MAX);
	}
	*ret_limit = limit;
	return STATUS_OK;
}

static enum status_code read_after(struct http_request *request,
				   const char **ret_after,
				   struct status *reterr)
{
	const char *after = http_request_param(request, "after");

	*ret_after = after != NULL ? after : "";
	if (*ret_after[0] != '\0' && !twopc_name_is_valid(*ret_after)) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "after must be the id of a transaction");
	}
	return STATUS_OK;
}

static enum status_code read_format(struct http_request *request,
				    bool *ret_as_text, struct status *reterr)
{
	const char *format = http_request_param(request, "format");

	if (format == NULL || format[0] == '\0') {
		format = "json";
	}
	*ret_as_text = strcmp(format, "text") == 0;
	if (!*ret_as_text && strcmp(format, "json") != 0) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "format must be json or text");
	}
	return STATUS_OK;
}

static void listing_begin(struct listing *listing)
{
	if (listing->as_text) {
		listing->stream =
			open_memstream(&listing->text, &listing->text_size);
		if (listing->stream == NULL) {
			abort();
		}
		return;
	}
	json_begin_object(&listing->json, NULL);
	json_put_string(&listing->json, "coordinator",
			listing->echo->keeper->decisions.coordinator);
	json_begin_array(&listing->json, "transactions");
}

static void handle_transactions(struct http_request *request, void *self)
{
	const struct http_edge *edge = self;
	struct listing *listing = calloc(1, sizeof(*listing));
	const char *after;
	struct status bad;

	if (listing == NULL) {
		abort();
	}
	if (read_limit(request, &listing->limit, &bad) != STATUS_OK ||
	    read_after(request, &after, &bad) != STATUS_OK ||
	    read_format(request, &listing->as_text, &bad) != STATUS_OK) {
		http_respond_error(request, 0, &bad);
		free(listing);
		return;
	}
	listing->request = request;
	listing->echo = edge->echo;
	copy_id(listing->after, after);
	listing->page.after = listing->after;
	listing->page.rows_max = ROWS_AT_ONCE;
	listing->page.row = on_row;
	listing->page.done = on_page;
	listing_begin(listing);
	twopc_decisions_list(&edge->echo->keeper->decisions,
			     http_request_ctx(request), &listing->page);
}

void http_transactions_add(struct http_server *server, struct http_edge *edge)
{
	http_server_route(server, HTTP_GET, "/transactions",
			  handle_transactions, edge);
}
