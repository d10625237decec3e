/* Listing: a page is asked for when the one before has been written, so that
 * one page is all that is ever held. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/bug.h"
#include "stock_order/adaptor/json_order.h"
#include "stock_order/client/command.h"
#include "stock_order/client/grpc_command.h"
#include "json/json.h"

enum { PAGE_MAX = 500, TOKEN_SIZE = 1024 };

struct list {
	struct command command;
	struct grpc_orders *orders;
	uint64_t limit; /* 0: none */
	bool lines;
	uint64_t listed;
	char token[TOKEN_SIZE]; /* of the page that is asked for */

	/* The page's text; the poller's thread writes it. */
	FILE *page;
	char *text;
	size_t size;
	struct json_writer writer;
};

static void open_page(struct list *list)
{
	list->page = open_memstream(&list->text, &list->size);
	BUG_IF(list->page == NULL, "out of memory for a page");
}

static void close_page(struct list *list)
{
	BUG_IF(fclose(list->page) != 0, "out of memory for a page");
	list->page = NULL;
}

static bool is_full(const struct list *list)
{
	return list->limit != 0 && list->listed == list->limit;
}

/* A server that knows no pages may send more than was asked for. */
static void visit(const struct order *order, void *arg)
{
	struct list *list = arg;

	if (is_full(list)) {
		return;
	}
	if (!list->lines) {
		fputc(list->listed == 0 ? '[' : ',', list->page);
	}
	json_put_order(&list->writer, NULL, order);
	fwrite(list->writer.text, 1, list->writer.size, list->page);
	json_writer_clear(&list->writer);
	if (list->lines) {
		fputc('\n', list->page);
	}
	list->listed++;
}

static void on_page(const struct status *status, size_t visited,
		    const char *next_page_token, void *arg);

static void ask_for_page(struct list *list)
{
	uint64_t size = PAGE_MAX;

	if (list->limit != 0 && list->limit - list->listed < PAGE_MAX) {
		size = list->limit - list->listed;
	}
	open_page(list);
	grpc_orders_page(list->orders, command_call_begin(&list->command),
			 (int32_t)size, list->token, visit, on_page, list);
}

/* A server that leads to where we are would be followed for ever. */
static enum status_code take_token(struct list *list, const char *token,
				   struct status *reterr)
{
	if (strcmp(token, list->token) == 0 || strlen(token) >= TOKEN_SIZE) {
		return status_set(reterr, STATUS_INTERNAL,
				  "the server's pages lead nowhere");
	}
	(void)snprintf(list->token, TOKEN_SIZE, "%s", token);
	return STATUS_OK;
}

static void put_end(struct list *list)
{
	const struct status ok = status_ok();
	const char *end = list->listed == 0 ? "[]\n" : "]\n";

	if (!list->lines) {
		command_put(&list->command, end, strlen(end));
	}
	command_end(&list->command, &ok);
}

static void on_page(const struct status *status, size_t visited,
		    const char *next_page_token, void *arg)
{
	struct list *list = arg;
	struct status astray;

	(void)visited; /* an empty page may have others behind it */
	command_call_end(&list->command);
	close_page(list);
	if (status->code == STATUS_OK) {
		command_put(&list->command, list->text, list->size);
	}
	free(list->text);
	if (status->code != STATUS_OK) {
		command_end(&list->command, status);
	} else if (next_page_token[0] == '\0' || is_full(list)) {
		put_end(list);
	} else if (take_token(list, next_page_token, &astray) != STATUS_OK) {
		command_end(&list->command, &astray);
	} else {
		command_go_on(&list->command);
	}
}

static void on_more(void *arg)
{
	ask_for_page(arg);
}

int grpc_command_list(const struct grpc_command_options *options,
		      uint64_t limit, bool lines)
{
	struct list list = {
		.orders = options->orders,
		.limit = limit,
		.lines = lines,
	};
	const struct command_options told = {
		.program = options->program,
		.loop = options->loop,
		.root = options->root,
		.timeout_ns = options->timeout_ns,
		.on_more = on_more,
		.arg = &list,
	};
	int code;

	command_open(&list.command, &told);
	ask_for_page(&list);
	code = command_run(&list.command);
	json_writer_release(&list.writer);
	return code;
}
