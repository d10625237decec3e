/*
 * GET /api/orders: a page, or all of them in a streamed array.
 *
 * The first page is read before the answer begins, so that a storage that can't
 * be read is told by its status. From then on
 *
 *	next --page is used up--> order_service_list() --on_page--> give
 *	     \--text is left ------------------------------------/
 *
 * until the last piece. A piece is owed for each next(), so that nobody frees
 * the list while the service reads for it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log/log.h"
#include "loop/bug.h"
#include "stock_order/adaptor/json_order.h"
#include "stock_order/adaptor/rest_internal.h"

/* Orders of a streamed page: about one piece of text. */
enum { STREAM_PAGE_SIZE = 200 };

struct listing {
	struct edge_work work;
	struct rest_edge *edge;
	struct http_request *request;
	int64_t limit; /* 0: all, streamed */
	bool streamed; /* counted in edge->streams */
	/* The page at hand, of which `given` bytes are on their way. */
	struct json_writer json;
	size_t given;
	char token[ORDER_PAGE_TOKEN_SIZE]; /* of the page behind it */
};

static void listing_free(struct listing *list)
{
	if (list->streamed) {
		atomic_fetch_sub(&list->edge->streams, 1);
	}
	json_writer_release(&list->json);
	free(list);
}

static void put_orders(struct listing *list, const struct order *orders,
		       size_t orders_n, const char *next_page_token)
{
	for (size_t i = 0; i < orders_n; i++) {
		json_put_order(&list->json, NULL, &orders[i]);
	}
	snprintf(list->token, sizeof(list->token), "%s", next_page_token);
}

static bool is_last_page(const struct listing *list)
{
	return list->token[0] == '\0';
}

static void end_array(struct json_writer *json)
{
	json_end(json);
	json_newline(json);
}

/* ---- all of them -------------------------------------------------------- */

static void give_piece(struct listing *list)
{
	size_t left = list->json.size - list->given;
	size_t size = left < HTTP_BODY_PIECE_MAX ? left : HTTP_BODY_PIECE_MAX;
	const char *piece = list->json.text + list->given;

	list->given += size;
	/* The last that is done with the list: it may be freed meanwhile. */
	http_body_give(list->request, piece, size,
		       size == left && is_last_page(list));
}

/* The client learns no more than that, so the log has to. */
static void cut(struct listing *list, const struct status *outcome)
{
	struct ctx *ctx = http_request_ctx(list->request);

	if (!ctx_ended(ctx)) {
		log_warn(ctx,
			 LOG_FIELDS(LOG_STR("code",
					    status_code_name(outcome->code))),
			 "a list is cut in the middle: %s", outcome->message);
	}
	http_body_fail(list->request);
}

static void on_next_page(const struct status *outcome,
			 const struct order *orders, size_t orders_n,
			 const char *next_page_token, void *arg)
{
	struct listing *list = arg;

	if (outcome->code != STATUS_OK) {
		cut(list, outcome);
		return;
	}
	json_writer_flush(&list->json);
	list->given = 0;
	put_orders(list, orders, orders_n, next_page_token);
	if (is_last_page(list)) {
		end_array(&list->json);
	}
	give_piece(list);
}

static void next(struct http_request *request, void *arg)
{
	struct listing *list = arg;

	if (list->given < list->json.size) {
		give_piece(list);
		return;
	}
	order_service_list(list->edge->base.service, http_request_ctx(request),
			   STREAM_PAGE_SIZE, list->token, on_next_page, list);
}

static void done(struct http_request *request, void *arg)
{
	(void)request;
	listing_free(arg);
}

static enum status_code admit_stream(struct listing *list,
				     struct status *reterr)
{
	struct rest_edge *edge = list->edge;

	if (atomic_fetch_add(&edge->streams, 1) >= REST_EDGE_STREAMS_MAX) {
		atomic_fetch_sub(&edge->streams, 1);
		return status_set(reterr, STATUS_RESOURCE_EXHAUSTED,
				  "too many whole lists at once; limit makes "
				  "pages");
	}
	list->streamed = true;
	return STATUS_OK;
}

static void respond_stream(struct listing *list)
{
	static const struct http_body body = { .next = next, .done = done };
	struct status full;

	if (admit_stream(list, &full) != STATUS_OK) {
		rest_respond_failure(list->request, &full);
		listing_free(list);
		return;
	}
	http_respond_body(list->request, 200, REST_JSON, NULL, &body, list);
}

static void respond_all(struct listing *list)
{
	if (!is_last_page(list)) {
		respond_stream(list);
		return;
	}
	json_end(&list->json);
	rest_respond(list->request, 200, &list->json, NULL);
	listing_free(list);
}

/* ---- a page ------------------------------------------------------------- */

static void respond_page(struct listing *list)
{
	char link[64 + ORDER_PAGE_TOKEN_SIZE];
	const struct http_header more[] = {
		{ "X-Next-Page-Token", list->token },
		{ "Link", link },
		{ NULL, NULL },
	};

	/* Tokens are made of what may stand in a URL. */
	snprintf(link, sizeof(link),
		 "</api/orders?limit=%lld&page_token=%s>; rel=\"next\"",
		 (long long)list->limit, list->token);
	json_end(&list->json);
	rest_respond(list->request, 200, &list->json,
		     is_last_page(list) ? NULL : more);
	listing_free(list);
}

/* ---- the beginning ------------------------------------------------------ */

static void on_first_page(const struct status *outcome,
			  const struct order *orders, size_t orders_n,
			  const char *next_page_token, void *arg)
{
	struct listing *list = arg;

	edge_work_end(&list->work, outcome, false);
	if (outcome->code != STATUS_OK) {
		rest_respond_failure(list->request, outcome);
		listing_free(list);
		return;
	}
	json_begin_array(&list->json, NULL);
	put_orders(list, orders, orders_n, next_page_token);
	if (list->limit != 0) {
		respond_page(list);
	} else {
		respond_all(list);
	}
}

static enum status_code parse_limit(const char *text, int64_t *ret_limit,
				    struct status *reterr)
{
	char *end;

	errno = 0;
	*ret_limit = strtoll(text, &end, 10);
	/* What is larger than any number is larger than any page, too. */
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || *ret_limit < 1) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "limit must be a whole number above 0");
	}
	if (*ret_limit > ORDER_PAGE_MAX) {
		*ret_limit = ORDER_PAGE_MAX;
	}
	return STATUS_OK;
}

void rest_list(struct http_request *request, void *self)
{
	struct rest_edge *edge = self;
	const char *limit = http_request_param(request, "limit");
	const char *token = http_request_param(request, "page_token");
	struct listing *list;
	int64_t page_size = 0;
	struct status bad;

	if (limit != NULL &&
	    parse_limit(limit, &page_size, &bad) != STATUS_OK) {
		rest_respond_failure(request, &bad);
		return;
	}
	if (limit == NULL && token != NULL) {
		page_size = ORDER_PAGE_DEFAULT;
	}
	list = calloc(1, sizeof(*list));
	BUG_IF(list == NULL, "out of memory");
	list->edge = edge;
	list->request = request;
	list->limit = page_size;
	edge_work_begin(&list->work, &edge->base, http_request_ctx(request));
	order_service_list(edge->base.service, list->work.ctx,
			   page_size != 0 ? page_size : STREAM_PAGE_SIZE, token,
			   on_first_page, list);
}
